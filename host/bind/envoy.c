/* envoy: the thread of a host that hears the process of a script.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/envoy.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/engine.h"

static const int64_t HUNGER_EVERY = 20 * INT64_C(1000000),
                     STOP_WITHIN = 2 * INT64_C(1000000000);

/* ---- the process's end -------------------------------------------------------------------- */

/* This thread is the first to know. */
static void give_up(struct mill_errands *errands, struct mill_cord *cord,
                    tidemill_status status, const char *text)
{
    if (cord->ended) return;
    mill_errands_say(cord, status, text);
    errands->lost_status = status;
    snprintf(errands->lost_text, sizeof errands->lost_text, "%s", text);
    atomic_store(&errands->lost, true);
}

/* Ends the process. */
static void condemn(struct mill_errands *errands, struct mill_cord *cord,
                    tidemill_status status, const char *text)
{
    if (cord->ended) return;
    give_up(errands, cord, status, text);
    mill_child_kill_at(cord->pid, cord->process);
}

/* The other end is closed.  Who asks the process may have the same news. */
static void mourn_cord(struct mill_errands *errands, struct mill_cord *cord)
{
    char text[200];
    pthread_mutex_lock(&errands->mutex);
    bool known = cord->ended;
    pthread_mutex_unlock(&errands->mutex);
    if (known) return;
    mill_child_kill_at(cord->pid, cord->process); /* it may have closed nothing but this */
    mill_cord_end_text(cord->process, text, sizeof text);
    pthread_mutex_lock(&errands->mutex);
    give_up(errands, cord, TIDEMILL_ERROR, text);
    pthread_mutex_unlock(&errands->mutex);
}

/* ---- what it says ------------------------------------------------------------------------- */

static void hear_begin(struct mill_errands *errands, struct mill_errand *errand)
{
    if (errand == NULL || errand->begun) return;
    int64_t now = mill_clock_now();
    errand->begun = true;
    errand->until = mill_errands_due(errands, now);
    mill_errands_look(errands, now);
    if (errand->job) mill_job_begin(errand->job);
}

static void hear_end(struct mill_errands *errands, struct mill_errand *errand,
                     struct mill_news *news)
{
    if (errand == NULL) return;
    struct mill_outcome outcome = {news->state, news->status, news->value, news->text};
    news->value = mill_nil();
    news->text = NULL;
    mill_errand_end(errands, errand, &outcome);
    mill_errand_free(errands, errand);
}

static void hear_news(struct mill_errands *errands, struct mill_cord *cord,
                      struct mill_news *news)
{
    struct tidemill *engine = errands->engine;
    pthread_mutex_lock(&errands->mutex);
    struct mill_errand *errand = mill_errand_find(errands, news->job);
    if (errand && errand->process != cord->number) errand = NULL;
    if (news->kind == MILL_MESSAGE_JOB_BEGUN) hear_begin(errands, errand);
    if (news->kind == MILL_MESSAGE_JOB_ENDED) hear_end(errands, errand, news);
    pthread_mutex_unlock(&errands->mutex);
    if (news->kind == MILL_MESSAGE_LINE) mill_log_tell(&engine->log, &news->line);
    if (news->kind == MILL_MESSAGE_PROGRESS) {
        mill_events_progress(&engine->events, &news->progress);
    }
    if (news->kind == MILL_MESSAGE_TEXT && news->text) {
        mill_output_warn(&engine->output, "%s", news->text);
    }
}

/* All that has come. */
static void hear_all(struct mill_errands *errands, struct mill_cord *cord)
{
    struct mill_news news;
    enum mill_transfer got;
    while ((got = mill_cord_receive(cord, errands->closed, &news)) == MILL_TRANSFER_DONE) {
        hear_news(errands, cord, &news);
        mill_cord_clear(cord, &news);
    }
    if (got == MILL_TRANSFER_AGAIN) return;
    if (got == MILL_TRANSFER_GONE) {
        mourn_cord(errands, cord);
        return;
    }
    pthread_mutex_lock(&errands->mutex);
    bool memory = got == MILL_TRANSFER_MEMORY;
    condemn(errands, cord, memory ? TIDEMILL_MEMORY : TIDEMILL_ERROR,
            memory ? "out of memory (what a job returns)"
                   : "the script's process sent what is no message");
    pthread_mutex_unlock(&errands->mutex);
}

/* ---- limits: under the mutex -------------------------------------------------------------- */

/* Its time is over: it fails now, and has some more to stop. */
static void pass_job_deadline(struct mill_errands *errands, struct mill_errand *errand,
                              int64_t now, const char *what)
{
    char text[240];
    snprintf(text, sizeof text, "the job \"%s\" %s its deadline of %g s", errand->name, what,
             errands->deadline);
    mill_errand_fail(errands, errand, TIDEMILL_DEADLINE, text);
    mill_errand_cancel(errands, errand);
    errand->until = INT64_MAX;
    errand->stop_by = now + STOP_WITHIN;
}

static void check_stop(struct mill_errands *errands, struct mill_cord *cord,
                       const struct mill_errand *errand)
{
    char text[280];
    snprintf(text, sizeof text,
             "the job \"%s\" passed its deadline of %g s and did not stop, and the script's "
             "process was ended",
             errand->name, errands->deadline);
    condemn(errands, cord, TIDEMILL_ERROR, text);
}

/* The time of jobs that have not begun passes while none is there that has. */
static bool nobody_runs(const struct mill_errands *errands)
{
    for (uint32_t i = 0; i < errands->room; i++) {
        if (errands->list[i].number && errands->list[i].begun) return false;
    }
    return true;
}

/* Looks at one, and when to look again. */
static int64_t check_errand(struct mill_errands *errands, struct mill_errand *errand,
                            int64_t now, bool waits)
{
    if (errand->job && !errand->begun && waits) {
        int64_t from = errand->added > errands->since ? errand->added : errands->since;
        int64_t due = mill_errands_due(errands, from);
        if (due > now) return due;
        pass_job_deadline(errands, errand, now, "was not begun within");
    } else if (errand->job && errand->until <= now) {
        pass_job_deadline(errands, errand, now, "took longer than");
    }
    return errand->until < errand->stop_by ? errand->until : errand->stop_by;
}

static void check_deadlines(struct mill_errands *errands, struct mill_cord *cord)
{
    int64_t now = mill_clock_now(), next = INT64_MAX;
    bool waits = nobody_runs(errands);
    for (uint32_t i = 0; i < errands->room && !cord->ended; i++) {
        struct mill_errand *errand = &errands->list[i];
        if (errand->number == 0 || errand->process != cord->number) continue;
        if (errand->stop_by <= now) check_stop(errands, cord, errand);
        int64_t due = check_errand(errands, errand, now, waits);
        if (due < next) next = due;
    }
    errands->look_at = next;
}

static void check_appetite(struct mill_errands *errands, struct mill_cord *cord)
{
    char text[160];
    uint64_t most = errands->memory;
    if (most == 0 || errands->open == 0 || cord->status < 0) return;
    if ((uint64_t)mill_child_memory_at(cord->status) <= most) return;
    snprintf(text, sizeof text, "the script's process took more than its %.0f MiB of memory",
             (double)most / 1048576);
    condemn(errands, cord, TIDEMILL_MEMORY, text);
}

/* ---- what it is told: under the mutex ----------------------------------------------------- */

static bool is_to_cancel(const struct mill_errand *errand, const struct mill_cord *cord)
{
    return errand->number && errand->cancel && !errand->told && errand->process == cord->number;
}

static enum mill_message_kind put_cancels(struct mill_errands *errands,
                                          const struct mill_cord *cord,
                                          struct mill_packer *packer)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < errands->room; i++) count += is_to_cancel(&errands->list[i], cord);
    mill_packer_size(packer, count);
    for (uint32_t i = 0; i < errands->room; i++) {
        if (!is_to_cancel(&errands->list[i], cord)) continue;
        mill_packer_size(packer, errands->list[i].number);
        errands->list[i].told = true;
    }
    errands->cancels = false;
    return MILL_MESSAGE_JOB_CANCEL;
}

static enum mill_message_kind put_wishes(struct mill_cord *cord, int wishes,
                                         struct mill_packer *packer)
{
    cord->wishes = wishes;
    mill_packer_byte(packer, (uint8_t)wishes);
    return MILL_MESSAGE_LISTEN;
}

/* The next message, if there is one. */
static void compose(struct mill_errands *errands, struct mill_cord *cord)
{
    struct mill_outbox *outbox = &cord->outbox;
    int wishes = atomic_load(&errands->wishes);
    if (outbox->full || !(errands->cancels || cord->wishes != wishes)) return;
    mill_outbox_begin(outbox);
    enum mill_message_kind kind = cord->wishes != wishes
                                      ? put_wishes(cord, wishes, &outbox->wire.out)
                                      : put_cancels(errands, cord, &outbox->wire.out);
    if (mill_wire_is_fine(&outbox->wire)) {
        mill_outbox_close(outbox, kind);
    } else {
        mill_outbox_fini(outbox);
        condemn(errands, cord, TIDEMILL_MEMORY, "out of memory (a message)");
    }
}

/* ---- the thread --------------------------------------------------------------------------- */

/* The process is no more: what it had said counts, and nothing comes after. */
static void bury_cord(struct mill_errands *errands, struct mill_cord *cord)
{
    hear_all(errands, cord);
    pthread_mutex_lock(&errands->mutex);
    mill_errands_fail(errands, cord);
    errands->cords = cord->next;
    errands->look_at = 0;
    errands->cancels = true;
    pthread_mutex_unlock(&errands->mutex);
    mill_cord_free(cord);
}

/* Whether it goes on; *left: for how long there is nothing to do, in milliseconds. */
static bool serve_cord(struct mill_errands *errands, struct mill_cord *cord, int *left)
{
    hear_all(errands, cord);
    pthread_mutex_lock(&errands->mutex);
    int64_t now = mill_clock_now();
    if (!cord->ended && now >= errands->look_at) check_deadlines(errands, cord);
    if (!cord->ended) check_appetite(errands, cord);
    if (!cord->ended) compose(errands, cord);
    bool ended = cord->ended;
    int64_t next = errands->cancels && !cord->outbox.full ? 0 : errands->look_at;
    if (errands->memory && errands->open > 0 && now + HUNGER_EVERY < next) {
        next = now + HUNGER_EVERY;
    }
    pthread_mutex_unlock(&errands->mutex);
    int64_t wait = next == INT64_MAX ? -1 : next > now ? (next - now) / 1000000 + 1 : 0;
    *left = wait > INT32_MAX ? INT32_MAX : (int)wait;
    if (!ended && cord->outbox.full) mill_outbox_send(&cord->outbox, cord->socket, false);
    return !ended;
}

static void await_news(struct mill_errands *errands, const struct mill_cord *cord, int left)
{
    uint64_t rings;
    short events = cord && cord->outbox.full ? POLLIN | POLLOUT : POLLIN;
    struct pollfd polled[] = {{.fd = errands->bell, .events = POLLIN},
                              {.fd = cord ? cord->socket : -1, .events = events}};
    poll(polled, 2, left);
    if (read(errands->bell, &rings, sizeof rings) < 0) errno = 0; /* it has not rung */
}

void *mill_envoy_run(void *context)
{
    struct mill_errands *errands = context;
    for (;;) {
        int left = -1;
        pthread_mutex_lock(&errands->mutex);
        struct mill_cord *cord = errands->cords;
        bool stopping = errands->stopping;
        if (atomic_load(&errands->engine->interrupted)) {
            pthread_cond_broadcast(&errands->fewer);
        }
        pthread_mutex_unlock(&errands->mutex);
        if (stopping && cord == NULL) return NULL;
        if (cord && !serve_cord(errands, cord, &left)) {
            bury_cord(errands, cord);
            continue;
        }
        await_news(errands, cord, left);
    }
}
