/* resource: named things of which only so many may be in use at once.
 * SPDX-License-Identifier: MIT */
#include "sched/resource.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sched/tasks.h"

void mill_resources_init(struct mill_resources *resources)
{
    memset(resources, 0, sizeof *resources);
    pthread_mutex_init(&resources->mutex, NULL);
}

void mill_resources_fini(struct mill_resources *resources)
{
    for (int i = 0; i < resources->count; i++) free(resources->list[i].name);
    pthread_mutex_destroy(&resources->mutex);
}

/* ---- limits --------------------------------------------------------------------------------- */

static int find_by_name(const struct mill_resources *resources, const char *name)
{
    for (int i = 0; i < resources->count; i++) {
        if (strcmp(resources->list[i].name, name) == 0) return i;
    }
    return -1;
}

static tidemill_status add_resource(struct mill_resources *resources, const char *name,
                                    int64_t limit, struct mill_error *error)
{
    if (resources->count == MILL_MAX_RESOURCES) {
        return mill_fail(error, TIDEMILL_USAGE, "resources: there are %d already",
                         MILL_MAX_RESOURCES);
    }
    char *copy = strdup(name);
    if (copy == NULL) return mill_no_memory(error, "a resource");
    resources->list[resources->count++] = (struct mill_resource){copy, limit, 0};
    return TIDEMILL_OK;
}

tidemill_status mill_resources_limit(struct mill_resources *resources, const char *name,
                                     double limit, struct mill_error *error)
{
    if (!(limit > 0) || limit > 1e9) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "resource \"%s\": expected a limit above 0, got %g", name, limit);
    }
    int64_t units = (int64_t)llround(limit * MILL_RESOURCE_UNIT);
    tidemill_status status = TIDEMILL_OK;
    pthread_mutex_lock(&resources->mutex);
    int at = find_by_name(resources, name);
    if (at >= 0) {
        resources->list[at].limit = units;
    } else {
        status = add_resource(resources, name, units, error);
    }
    pthread_mutex_unlock(&resources->mutex);
    return status;
}

int mill_resources_find(struct mill_resources *resources, const char *name)
{
    pthread_mutex_lock(&resources->mutex);
    int at = find_by_name(resources, name);
    pthread_mutex_unlock(&resources->mutex);
    return at;
}

double mill_resources_of(struct mill_resources *resources, int resource)
{
    pthread_mutex_lock(&resources->mutex);
    double limit = (double)resources->list[resource].limit / MILL_RESOURCE_UNIT;
    pthread_mutex_unlock(&resources->mutex);
    return limit;
}

/* ---- taking and giving, under the mutex ------------------------------------------------------- */

/* `kept` is what older tasks in the queue wait for and this one must leave to them. */
static bool fits(const struct mill_resources *resources, const struct mill_function *function,
                 const int64_t *kept)
{
    for (int i = 0; i < function->need_count; i++) {
        const struct mill_need *need = &function->needs[i];
        const struct mill_resource *resource = &resources->list[need->resource];
        if (resource->used + kept[need->resource] + need->amount > resource->limit) {
            return false;
        }
    }
    return true;
}

static void add_needs(int64_t *sums, const struct mill_function *function, int sign)
{
    for (int i = 0; i < function->need_count; i++) {
        sums[function->needs[i].resource] += sign * function->needs[i].amount;
    }
}

static void use(struct mill_resources *resources, struct mill_task *task, int sign)
{
    const struct mill_function *function = mill_task_function(task);
    for (int i = 0; i < function->need_count; i++) {
        const struct mill_need *need = &function->needs[i];
        resources->list[need->resource].used += sign * need->amount;
    }
    if (sign > 0) {
        atomic_fetch_or_explicit(&task->flags, MILL_TASK_GRANTED, memory_order_relaxed);
    } else {
        atomic_fetch_and_explicit(&task->flags, (uint8_t)~MILL_TASK_GRANTED,
                                  memory_order_relaxed);
    }
}

static void enqueue_task(struct mill_resources *resources, struct mill_task *task)
{
    int level = mill_task_level(task);
    mill_task_link(task, NULL);
    if (resources->waiting[level].first) {
        mill_task_link(resources->waiting[level].last, task);
    } else {
        resources->waiting[level].first = task;
    }
    resources->waiting[level].last = task;
    add_needs(resources->waiting[level].amounts, mill_task_function(task), 1);
    atomic_fetch_add_explicit(&resources->waiting_count, 1, memory_order_relaxed);
}

/* Whether a task that needs anything at all can still fit. */
static bool is_any_free(const struct mill_resources *resources, const int64_t *kept)
{
    for (int i = 0; i < resources->count; i++) {
        if (resources->list[i].used + kept[i] < resources->list[i].limit) return true;
    }
    return false;
}

/* Takes the tasks of a level that now fit, or those that were cancelled, out of the queue; *list
 * is a list of what was taken so far. */
static void take_level(struct mill_resources *resources, int level, bool cancelled,
                       int64_t *kept, struct mill_task **list)
{
    struct mill_task *before = NULL, *task = resources->waiting[level].first;
    while (task && (cancelled || is_any_free(resources, kept))) {
        const struct mill_function *function = mill_task_function(task);
        struct mill_task *next = mill_task_next(task);
        if (cancelled ? mill_run_cancelled(task->run) : fits(resources, function, kept)) {
            if (!cancelled) use(resources, task, 1);
            if (before) mill_task_link(before, next);
            if (before == NULL) resources->waiting[level].first = next;
            if (next == NULL) resources->waiting[level].last = before;
            add_needs(resources->waiting[level].amounts, function, -1);
            atomic_fetch_sub_explicit(&resources->waiting_count, 1, memory_order_relaxed);
            mill_task_link(task, *list);
            *list = task;
        } else {
            add_needs(kept, function, 1);
            before = task;
        }
        task = next;
    }
}

/* The last one taken comes first: push_all turns them round. */
static struct mill_task *take_out(struct mill_resources *resources, bool cancelled)
{
    struct mill_task *list = NULL;
    int64_t kept[MILL_MAX_RESOURCES] = {0};
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        take_level(resources, level, cancelled, kept, &list);
    }
    return list;
}

static void push_all(struct mill_task *list,
                     void (*push)(void *context, struct mill_task *task), void *context)
{
    struct mill_task *first = NULL;
    while (list) {
        struct mill_task *next = mill_task_next(list);
        mill_task_link(list, first);
        first = list;
        list = next;
    }
    while (first) {
        struct mill_task *next = mill_task_next(first);
        push(context, first);
        first = next;
    }
}

/* ---- what others call ------------------------------------------------------------------------- */

bool mill_resources_take(struct mill_resources *resources, struct mill_task *task)
{
    int64_t kept[MILL_MAX_RESOURCES] = {0};
    pthread_mutex_lock(&resources->mutex);
    for (int level = MILL_LEVELS - 1; level >= mill_task_level(task); level--) {
        for (int i = 0; i < resources->count; i++) {
            kept[i] += resources->waiting[level].amounts[i];
        }
    }
    /* Under the mutex: a cancel lets go of what waits after it has set its mark. */
    bool goes_on = mill_run_cancelled(task->run);
    if (!goes_on) {
        goes_on = fits(resources, mill_task_function(task), kept);
        if (goes_on) {
            use(resources, task, 1);
        } else {
            enqueue_task(resources, task);
        }
    }
    pthread_mutex_unlock(&resources->mutex);
    return goes_on;
}

void mill_resources_give(struct mill_resources *resources, struct mill_task *task,
                         void (*push)(void *context, struct mill_task *task), void *context)
{
    pthread_mutex_lock(&resources->mutex);
    use(resources, task, -1);
    struct mill_task *list = take_out(resources, false);
    pthread_mutex_unlock(&resources->mutex);
    push_all(list, push, context);
}

void mill_resources_let_go(struct mill_resources *resources,
                           void (*push)(void *context, struct mill_task *task), void *context)
{
    pthread_mutex_lock(&resources->mutex);
    struct mill_task *list = take_out(resources, true);
    pthread_mutex_unlock(&resources->mutex);
    push_all(list, push, context);
}

bool mill_resources_explain(struct mill_resources *resources, char *text, size_t room)
{
    bool found = false;
    pthread_mutex_lock(&resources->mutex);
    for (int level = MILL_LEVELS - 1; level >= 0 && !found; level--) {
        struct mill_task *task = resources->waiting[level].first;
        if (task == NULL) continue;
        const struct mill_function *function = mill_task_function(task);
        for (int i = 0; i < function->need_count && !found; i++) {
            const struct mill_resource *resource =
                &resources->list[function->needs[i].resource];
            if (resource->used + function->needs[i].amount <= resource->limit) continue;
            snprintf(text, room,
                     "task \"%.80s\" needs resource \"%.60s\", which waiting tasks hold",
                     function->name, resource->name);
            found = true;
        }
    }
    pthread_mutex_unlock(&resources->mutex);
    return found;
}
