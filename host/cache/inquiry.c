/* inquiry: which tasks hit, which do not and why.  SPDX-License-Identifier: MIT */
#include "cache/inquiry.h"

#include <stdlib.h>
#include <string.h>

#include "base/room.h"

enum { CAUSES_OF_A_NAME = 64, TEXT = 1200 }; /* more causes of a name are one: "others" */

void mill_inquiry_init(struct mill_inquiry *inquiry)
{
    memset(inquiry, 0, sizeof *inquiry);
    pthread_mutex_init(&inquiry->mutex, NULL);
}

void mill_inquiry_fini(struct mill_inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->count; i++) {
        free(inquiry->findings[i].task);
        free(inquiry->findings[i].cause);
        free(inquiry->findings[i].detail);
    }
    free(inquiry->findings);
    pthread_mutex_destroy(&inquiry->mutex);
}

struct mill_inquiry *mill_inquiry_new(void)
{
    struct mill_inquiry *inquiry = malloc(sizeof *inquiry);
    if (inquiry == NULL) return NULL;
    mill_inquiry_init(inquiry);
    inquiry->owned = true;
    return inquiry;
}

void mill_inquiry_free(struct mill_inquiry *inquiry)
{
    if (inquiry == NULL) return;
    mill_inquiry_fini(inquiry);
    free(inquiry);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Under the mutex, as the next two; *alike: how many causes the name has. */
static struct mill_finding *find_finding(struct mill_inquiry *inquiry,
                                         enum mill_finding_kind kind, const char *task,
                                         const char *cause, int *alike)
{
    *alike = 0;
    for (size_t i = 0; i < inquiry->count; i++) {
        struct mill_finding *finding = &inquiry->findings[i];
        if (finding->kind != kind || strcmp(finding->task, task) != 0) continue;
        if (same_text(finding->cause, cause)) return finding;
        ++*alike;
    }
    return NULL;
}

static struct mill_finding *append_finding(struct mill_inquiry *inquiry,
                                           enum mill_finding_kind kind, const char *task,
                                           const char *cause)
{
    if (!mill_room_for_one(&inquiry->findings, inquiry->count, &inquiry->room,
                           sizeof *inquiry->findings, 32)) {
        return NULL;
    }
    struct mill_finding finding = {.kind = kind, .task = strdup(task)};
    if (cause) finding.cause = strdup(cause);
    if (finding.task == NULL || (cause && finding.cause == NULL)) {
        free(finding.task);
        free(finding.cause);
        return NULL;
    }
    inquiry->findings[inquiry->count] = finding;
    return &inquiry->findings[inquiry->count++];
}

static void add_finding(struct mill_inquiry *inquiry, enum mill_finding_kind kind,
                        const char *task, const char *cause, const char *detail,
                        const char *sort)
{
    int alike;
    pthread_mutex_lock(&inquiry->mutex);
    struct mill_finding *finding = find_finding(inquiry, kind, task, cause, &alike);
    if (finding == NULL && alike >= CAUSES_OF_A_NAME) {
        cause = "others";
        detail = NULL;
        finding = find_finding(inquiry, kind, task, cause, &alike);
    }
    if (finding == NULL) {
        finding = append_finding(inquiry, kind, task, cause);
        if (finding && detail) finding->detail = strdup(detail);
        if (finding) finding->sort = sort;
    }
    if (finding) finding->count++;
    if (finding && !same_text(finding->detail, detail)) finding->varied = true;
    pthread_mutex_unlock(&inquiry->mutex);
}

void mill_inquiry_add(struct mill_inquiry *inquiry, enum mill_finding_kind kind,
                      const char *task, const char *cause)
{
    add_finding(inquiry, kind, task, cause, NULL, NULL);
}

void mill_inquiry_add_miss(struct mill_inquiry *inquiry, const char *task,
                           const struct mill_causes *causes)
{
    char label[TEXT], detail[TEXT];
    mill_causes_label(causes, label, sizeof label);
    mill_causes_text(causes, detail, sizeof detail);
    add_finding(inquiry, MILL_FOUND_MISS, task, label, detail, causes->kind);
}

void mill_inquiry_close(struct mill_inquiry *inquiry, struct mill_run *run)
{
    if (!inquiry->dry || run->inquired) return;
    run->inquired = true;
    for (uint32_t i = 0; i < run->count; i++) {
        struct mill_task *task = &run->tasks[i];
        if (mill_task_state(task) != MILL_SKIPPED) continue;
        int32_t cause = atomic_load_explicit(&task->cause, memory_order_relaxed);
        const char *first =
            cause == MILL_NO_CAUSE ? "?" : mill_task_function(&run->tasks[cause])->name;
        mill_inquiry_add(inquiry, MILL_FOUND_UNKNOWN, mill_task_function(task)->name, first);
    }
}
