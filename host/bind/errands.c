/* errands: jobs of a script that runs in a process of its own.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/errands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/room.h"
#include "bind/engine.h"
#include "bind/envoy.h"

enum { ERRAND_BITS = 24 };

/* ---- the list: all under the mutex -------------------------------------------------------- */

static bool grow_errands(struct mill_errands *errands)
{
    uint32_t room = errands->room ? 2 * errands->room : 16;
    if (errands->vacant) return true;
    if (room > 1u << ERRAND_BITS) return false;
    if (!mill_room_set(&errands->list, room, sizeof *errands->list)) return false;
    struct mill_errand *list = errands->list;
    memset(list + errands->room, 0, (room - errands->room) * sizeof *list);
    for (uint32_t i = room; i > errands->room; i--) {
        list[i - 1].next = errands->vacant;
        errands->vacant = i;
    }
    errands->room = room;
    return true;
}

/* By a number that anybody may have made up; NULL: there is none. */
struct mill_errand *mill_errand_find(const struct mill_errands *errands, uint64_t number)
{
    uint64_t place = number & ((1u << ERRAND_BITS) - 1);
    if (number == 0 || place >= errands->room) return NULL;
    struct mill_errand *errand = &errands->list[place];
    return errand->number == number ? errand : NULL;
}

void mill_errand_free(struct mill_errands *errands, struct mill_errand *errand)
{
    errand->number = 0;
    errand->next = errands->vacant;
    errands->vacant = (uint32_t)(errand - errands->list) + 1;
}

/* INT64_MAX: there is none. */
int64_t mill_errands_due(const struct mill_errands *errands, int64_t time)
{
    return errands->deadline > 0 ? time + (int64_t)(errands->deadline * 1e9) : INT64_MAX;
}

/* Time begins to pass for a job that waits. */
void mill_errands_look(struct mill_errands *errands, int64_t now)
{
    int64_t due = mill_errands_due(errands, now);
    if (due < errands->look_at) errands->look_at = due;
}

/* The job of an errand ends, and is let go. */
void mill_errand_end(struct mill_errands *errands, struct mill_errand *errand,
                     struct mill_outcome *outcome)
{
    struct tidemill_job *job = errand->job;
    errand->job = NULL;
    if (job == NULL) {
        mill_value_unref(outcome->result);
        free(outcome->error);
        return;
    }
    mill_job_end(job, outcome);
    mill_job_unref(job);
    errands->open--;
    errands->since = mill_clock_now();
    mill_errands_look(errands, errands->since);
    pthread_cond_broadcast(&errands->fewer);
}

void mill_errand_fail(struct mill_errands *errands, struct mill_errand *errand,
                      tidemill_status status, const char *text)
{
    struct mill_outcome outcome = {.state = TIDEMILL_JOB_ERROR, .failure = status};
    if (status == TIDEMILL_CANCELLED) {
        outcome.state = TIDEMILL_JOB_CANCELLED;
    } else {
        outcome.error = strdup(text);
    }
    mill_errand_end(errands, errand, &outcome);
}

/* Jobs of a process that is no more. */
void mill_errands_fail(struct mill_errands *errands, const struct mill_cord *cord)
{
    char text[400];
    tidemill_status status = cord->why == TIDEMILL_MEMORY ? cord->why : TIDEMILL_ERROR;
    if (errands->closing) status = TIDEMILL_CANCELLED;
    snprintf(text, sizeof text, "the job ended with its process: %s", cord->text);
    for (uint32_t i = 0; i < errands->room; i++) {
        struct mill_errand *errand = &errands->list[i];
        if (errand->number == 0 || errand->process != cord->number) continue;
        mill_errand_fail(errands, errand, status, text);
        mill_errand_free(errands, errand);
    }
}

/* ---- what the engine asks for ------------------------------------------------------------- */

void mill_errands_ring(struct mill_errands *errands)
{
    uint64_t once = 1;
    int before = errno;
    ssize_t written = errands->bell >= 0 ? write(errands->bell, &once, sizeof once) : 0;
    (void)written; /* a bell that is full rings */
    errno = before;
}

static uint64_t add_errand(struct mill_errands *errands, struct tidemill_job *job,
                           const char *name)
{
    if (!grow_errands(errands)) return 0;
    uint32_t place = errands->vacant - 1;
    struct mill_errand *errand = &errands->list[place];
    errands->vacant = errand->next;
    *errand = (struct mill_errand){
        .number = ++errands->serial << ERRAND_BITS | place,
        .job = job,
        .process = errands->processes,
        .added = mill_clock_now(),
        .until = INT64_MAX,
        .stop_by = INT64_MAX,
    };
    snprintf(errand->name, sizeof errand->name, "%s", name);
    atomic_fetch_add(&job->refs, 1);
    mill_errands_look(errands, errand->added);
    errands->open++;
    return errand->number;
}

uint64_t mill_errands_add(struct mill_errands *errands, struct tidemill_job *job,
                          const char *name)
{
    pthread_mutex_lock(&errands->mutex);
    uint64_t number = add_errand(errands, job, name);
    bool first = errands->open == 1; /* with others the thread knows when to look */
    pthread_mutex_unlock(&errands->mutex);
    if (first) mill_errands_ring(errands);
    return number;
}

void mill_errands_drop(struct mill_errands *errands, uint64_t number)
{
    pthread_mutex_lock(&errands->mutex);
    struct mill_errand *errand = mill_errand_find(errands, number);
    if (errand) {
        mill_errand_fail(errands, errand, TIDEMILL_CANCELLED, "");
        mill_errand_free(errands, errand);
    }
    pthread_mutex_unlock(&errands->mutex);
}

/* One that has not begun has ended: whatever it does there, nobody hears of it. */
void mill_errand_cancel(struct mill_errands *errands, struct mill_errand *errand)
{
    if (!errand->begun) mill_errand_fail(errands, errand, TIDEMILL_CANCELLED, "");
    errand->cancel = true;
    errands->cancels = true;
}

void mill_errands_cancel(struct mill_errands *errands, uint64_t number)
{
    pthread_mutex_lock(&errands->mutex);
    struct mill_errand *errand = mill_errand_find(errands, number);
    if (errand) mill_errand_cancel(errands, errand);
    pthread_mutex_unlock(&errands->mutex);
    mill_errands_ring(errands);
}

void mill_errands_cancel_all(struct mill_errands *errands)
{
    pthread_mutex_lock(&errands->mutex);
    for (uint32_t i = 0; i < errands->room; i++) {
        if (errands->list[i].number) mill_errand_cancel(errands, &errands->list[i]);
    }
    pthread_mutex_unlock(&errands->mutex);
    mill_errands_ring(errands);
}

void mill_errands_listen(struct mill_errands *errands, int wishes)
{
    atomic_store(&errands->wishes, wishes);
    mill_errands_ring(errands);
}

bool mill_errands_wait(struct mill_errands *errands, int64_t deadline)
{
    struct timespec when = {deadline / 1000000000, deadline % 1000000000};
    int result = 0;
    pthread_mutex_lock(&errands->mutex);
    while (errands->open > 0 && result == 0 && !atomic_load(&errands->engine->interrupted)) {
        result = deadline == INT64_MAX
                     ? pthread_cond_wait(&errands->fewer, &errands->mutex)
                     : pthread_cond_timedwait(&errands->fewer, &errands->mutex, &when);
    }
    bool none = errands->open == 0;
    pthread_mutex_unlock(&errands->mutex);
    return none;
}

void mill_errands_close(struct mill_errands *errands)
{
    pthread_mutex_lock(&errands->mutex);
    errands->closing = true;
    pthread_mutex_unlock(&errands->mutex);
}

/* ---- the process -------------------------------------------------------------------------- */

static struct mill_cord *last_cord(const struct mill_errands *errands)
{
    struct mill_cord *cord = errands->cords;
    while (cord && cord->next) cord = cord->next;
    return cord;
}

tidemill_status mill_errands_begin(struct mill_errands *errands, struct mill_child *child,
                                   uint64_t most, int *theirs, struct mill_error *error)
{
    struct mill_cord *cord = mill_cord_new(child, most, theirs, error);
    if (cord == NULL) return error->status;
    pthread_mutex_lock(&errands->mutex);
    struct mill_cord *last = last_cord(errands);
    *(last ? &last->next : &errands->cords) = cord;
    cord->number = ++errands->processes;
    atomic_store(&errands->lost, false);
    pthread_mutex_unlock(&errands->mutex);
    mill_errands_ring(errands);
    return TIDEMILL_OK;
}

void mill_errands_say(struct mill_cord *cord, tidemill_status status, const char *text)
{
    cord->ended = true;
    cord->why = status;
    snprintf(cord->text, sizeof cord->text, "%s", text);
}

void mill_errands_end(struct mill_errands *errands, tidemill_status status, const char *text)
{
    if (errands->bell < 0) return;
    pthread_mutex_lock(&errands->mutex);
    struct mill_cord *cord = last_cord(errands);
    if (cord && !cord->ended) mill_errands_say(cord, status, text);
    pthread_mutex_unlock(&errands->mutex);
    mill_errands_ring(errands);
}

bool mill_errands_lost(struct mill_errands *errands, tidemill_status *status, char *text,
                       size_t room)
{
    if (!atomic_load(&errands->lost)) return false;
    pthread_mutex_lock(&errands->mutex);
    *status = errands->lost_status;
    snprintf(text, room, "%s", errands->lost_text);
    pthread_mutex_unlock(&errands->mutex);
    return true;
}

/* ---- opening and closing ------------------------------------------------------------------ */

static bool start_errands(struct mill_errands *errands)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(&errands->thread, NULL, mill_envoy_run, errands);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure == 0;
}

tidemill_status mill_errands_init(struct mill_errands *errands, struct mill_error *error)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&errands->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&errands->fewer, &attributes);
    pthread_condattr_destroy(&attributes);
    errands->look_at = INT64_MAX;
    errands->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    errands->started = errands->bell >= 0 && start_errands(errands);
    if (errands->started) return TIDEMILL_OK;
    return mill_no_memory(error, "a script's process");
}

void mill_errands_fini(struct mill_errands *errands)
{
    if (errands->started) {
        pthread_mutex_lock(&errands->mutex);
        errands->stopping = true;
        pthread_mutex_unlock(&errands->mutex);
        mill_errands_ring(errands);
        pthread_join(errands->thread, NULL);
    }
    if (errands->bell >= 0) close(errands->bell);
    errands->bell = -1;
    free(errands->list);
    pthread_cond_destroy(&errands->fewer);
    pthread_mutex_destroy(&errands->mutex);
}
