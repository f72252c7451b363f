/* errands: jobs of a script that runs in a process of its own.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/errands.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/engine.h"

static const int64_t HUNGER_EVERY = 20 * INT64_C(1000000),
                     STOP_WITHIN = 2 * INT64_C(1000000000);

enum { ERRAND_NAME = 60, ERRAND_BITS = 24 };

struct mill_errand {
    uint64_t number; /* its place and a serial number; 0: there is none in this place */
    struct tidemill_job *job; /* with a reference; NULL: has ended, as far as the host knows */
    uint64_t process;
    bool begun, cancel, told; /* told: that it is to be cancelled */
    int64_t added;
    int64_t until;   /* its deadline, once it has begun; else INT64_MAX */
    int64_t stop_by; /* when a cancelled one must have ended; INT64_MAX: never */
    uint32_t next;   /* vacant one */
    char name[ERRAND_NAME];
};

/* ---- the list: all under the mutex -------------------------------------------------------- */

static bool grow_list(struct mill_errands *errands)
{
    uint32_t room = errands->room ? 2 * errands->room : 16;
    if (errands->vacant) return true;
    if (room > 1u << ERRAND_BITS) return false;
    struct mill_errand *grown = realloc(errands->list, room * sizeof *grown);
    if (grown == NULL) return false;
    memset(grown + errands->room, 0, (room - errands->room) * sizeof *grown);
    for (uint32_t i = room; i > errands->room; i--) {
        grown[i - 1].next = errands->vacant;
        errands->vacant = i;
    }
    errands->list = grown;
    errands->room = room;
    return true;
}

/* By a number that anybody may have made up; NULL: there is none. */
static struct mill_errand *find_errand(const struct mill_errands *errands, uint64_t number)
{
    uint64_t place = number & ((1u << ERRAND_BITS) - 1);
    if (number == 0 || place >= errands->room) return NULL;
    struct mill_errand *errand = &errands->list[place];
    return errand->number == number ? errand : NULL;
}

static void free_errand(struct mill_errands *errands, struct mill_errand *errand)
{
    errand->number = 0;
    errand->next = errands->vacant;
    errands->vacant = (uint32_t)(errand - errands->list) + 1;
}

/* INT64_MAX: there is none. */
static int64_t deadline_after(const struct mill_errands *errands, int64_t time)
{
    return errands->deadline > 0 ? time + (int64_t)(errands->deadline * 1e9) : INT64_MAX;
}

/* Time begins to pass for a job that waits. */
static void look_later(struct mill_errands *errands, int64_t now)
{
    int64_t due = deadline_after(errands, now);
    if (due < errands->look_at) errands->look_at = due;
}

/* The job of an errand ends, and is let go. */
static void end_errand(struct mill_errands *errands, struct mill_errand *errand,
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
    look_later(errands, errands->since);
    pthread_cond_broadcast(&errands->fewer);
}

static void fail_errand(struct mill_errands *errands, struct mill_errand *errand,
                        tidemill_status status, const char *text)
{
    struct mill_outcome outcome = {.state = TIDEMILL_JOB_ERROR, .failure = status};
    if (status == TIDEMILL_CANCELLED) {
        outcome.state = TIDEMILL_JOB_CANCELLED;
    } else {
        outcome.error = strdup(text);
    }
    end_errand(errands, errand, &outcome);
}

/* Jobs of a process that is no more. */
static void fail_all(struct mill_errands *errands, const struct mill_cord *cord)
{
    char text[400];
    tidemill_status status = cord->why == TIDEMILL_MEMORY ? cord->why : TIDEMILL_ERROR;
    if (errands->closing) status = TIDEMILL_CANCELLED;
    snprintf(text, sizeof text, "the job ended with its process: %s", cord->text);
    for (uint32_t i = 0; i < errands->room; i++) {
        struct mill_errand *errand = &errands->list[i];
        if (errand->number == 0 || errand->process != cord->number) continue;
        fail_errand(errands, errand, status, text);
        free_errand(errands, errand);
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
    if (!grow_list(errands)) return 0;
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
    look_later(errands, errand->added);
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
    struct mill_errand *errand = find_errand(errands, number);
    if (errand) {
        fail_errand(errands, errand, TIDEMILL_CANCELLED, "");
        free_errand(errands, errand);
    }
    pthread_mutex_unlock(&errands->mutex);
}

/* One that has not begun has ended: whatever it does there, nobody hears of it. */
static void cancel_errand(struct mill_errands *errands, struct mill_errand *errand)
{
    if (!errand->begun) fail_errand(errands, errand, TIDEMILL_CANCELLED, "");
    errand->cancel = true;
    errands->cancels = true;
}

void mill_errands_cancel(struct mill_errands *errands, uint64_t number)
{
    pthread_mutex_lock(&errands->mutex);
    struct mill_errand *errand = find_errand(errands, number);
    if (errand) cancel_errand(errands, errand);
    pthread_mutex_unlock(&errands->mutex);
    mill_errands_ring(errands);
}

void mill_errands_cancel_all(struct mill_errands *errands)
{
    pthread_mutex_lock(&errands->mutex);
    for (uint32_t i = 0; i < errands->room; i++) {
        if (errands->list[i].number) cancel_errand(errands, &errands->list[i]);
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

static void say_why(struct mill_cord *cord, tidemill_status status, const char *text)
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
    if (cord && !cord->ended) say_why(cord, status, text);
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

/* This thread is the first to know. */
static void lose(struct mill_errands *errands, struct mill_cord *cord, tidemill_status status,
                 const char *text)
{
    if (cord->ended) return;
    say_why(cord, status, text);
    errands->lost_status = status;
    snprintf(errands->lost_text, sizeof errands->lost_text, "%s", text);
    atomic_store(&errands->lost, true);
}

/* Ends the process. */
static void condemn(struct mill_errands *errands, struct mill_cord *cord,
                    tidemill_status status, const char *text)
{
    if (cord->ended) return;
    lose(errands, cord, status, text);
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
    lose(errands, cord, TIDEMILL_ERROR, text);
    pthread_mutex_unlock(&errands->mutex);
}

/* ---- what it says ------------------------------------------------------------------------- */

static void hear_begin(struct mill_errands *errands, struct mill_errand *errand)
{
    if (errand == NULL || errand->begun) return;
    int64_t now = mill_clock_now();
    errand->begun = true;
    errand->until = deadline_after(errands, now);
    look_later(errands, now);
    if (errand->job) mill_job_begin(errand->job);
}

static void hear_end(struct mill_errands *errands, struct mill_errand *errand,
                     struct mill_news *news)
{
    if (errand == NULL) return;
    struct mill_outcome outcome = {news->state, news->status, news->value, news->text};
    news->value = mill_nil();
    news->text = NULL;
    end_errand(errands, errand, &outcome);
    free_errand(errands, errand);
}

static void hear_news(struct mill_errands *errands, struct mill_cord *cord,
                      struct mill_news *news)
{
    struct tidemill *engine = errands->engine;
    pthread_mutex_lock(&errands->mutex);
    struct mill_errand *errand = find_errand(errands, news->job);
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
    fail_errand(errands, errand, TIDEMILL_DEADLINE, text);
    cancel_errand(errands, errand);
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
        int64_t due = deadline_after(errands, from);
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
    fail_all(errands, cord);
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

static void sleep_over(struct mill_errands *errands, const struct mill_cord *cord, int left)
{
    uint64_t rings;
    short events = cord && cord->outbox.full ? POLLIN | POLLOUT : POLLIN;
    struct pollfd polled[] = {{.fd = errands->bell, .events = POLLIN},
                              {.fd = cord ? cord->socket : -1, .events = events}};
    poll(polled, 2, left);
    if (read(errands->bell, &rings, sizeof rings) < 0) errno = 0; /* it has not rung */
}

static void *run_errands(void *context)
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
        sleep_over(errands, cord, left);
    }
}

/* ---- opening and closing ------------------------------------------------------------------ */

static bool start_errands(struct mill_errands *errands)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(&errands->thread, NULL, run_errands, errands);
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
