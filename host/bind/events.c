/* events: what waits to be told to the host program.  SPDX-License-Identifier: MIT */
#include "bind/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/engine.h"
#include "sched/attempt.h"

static const int64_t TICK = 100 * INT64_C(1000000); /* of progress */

/* ---- opening and closing ------------------------------------------------------------------ */

void mill_events_init(struct mill_events *events)
{
    pthread_mutex_init(&events->mutex, NULL);
    events->descriptor = events->clock = -1;
    atomic_init(&events->bell, -1);
}

static void close_descriptors(struct mill_events *events)
{
    int bell = atomic_exchange(&events->bell, -1);
    if (events->descriptor >= 0) close(events->descriptor);
    if (events->clock >= 0) close(events->clock);
    if (bell >= 0) close(bell);
    events->descriptor = events->clock = -1;
}

static void free_lines(struct mill_log_record **lines, int count)
{
    if (lines) mill_log_release(lines, (size_t)count);
}

static void drop_jobs(struct tidemill_job *job)
{
    while (job) {
        struct tidemill_job *next = job->next_due;
        mill_job_unref(job);
        job = next;
    }
}

void mill_events_fini(struct mill_events *events)
{
    drop_jobs(events->first);
    free_lines(events->lines, events->line_count);
    close_descriptors(events);
    pthread_mutex_destroy(&events->mutex);
}

static bool add_to_set(int set, int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN};
    return descriptor >= 0 && epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* Under the mutex; a bell that is full has rung. */
static void ring_bell(int bell)
{
    uint64_t one = 1;
    ssize_t written = bell >= 0 ? write(bell, &one, sizeof one) : 0;
    (void)written;
}

static bool anything_due(const struct mill_events *events)
{
    return events->first || events->line_count > 0 || events->heard;
}

static int open_descriptors(struct mill_events *events)
{
    int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_store(&events->bell, bell);
    events->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    events->descriptor = epoll_create1(EPOLL_CLOEXEC);
    if (events->descriptor < 0 || !add_to_set(events->descriptor, bell) ||
        !add_to_set(events->descriptor, events->clock)) {
        close_descriptors(events);
        return -1;
    }
    if (anything_due(events)) ring_bell(bell);
    return events->descriptor;
}

int mill_events_open(struct mill_events *events)
{
    pthread_mutex_lock(&events->mutex);
    int descriptor = events->descriptor >= 0 ? events->descriptor : open_descriptors(events);
    pthread_mutex_unlock(&events->mutex);
    return descriptor;
}

/* ---- what happens ------------------------------------------------------------------------- */

void mill_events_job(struct mill_events *events, struct tidemill_job *job)
{
    job->next_due = NULL;
    pthread_mutex_lock(&events->mutex);
    if (events->first) {
        events->last->next_due = job;
    } else {
        events->first = job;
    }
    events->last = job;
    ring_bell(atomic_load(&events->bell));
    pthread_mutex_unlock(&events->mutex);
}

void mill_events_line(void *context, struct mill_log_record *record)
{
    struct mill_events *events = context;
    pthread_mutex_lock(&events->mutex);
    if (events->listener.log == NULL) {
        pthread_mutex_unlock(&events->mutex);
        return;
    }
    if (events->line_count < MILL_EVENTS_LINES) {
        mill_log_retain(record);
        events->lines[events->line_count++] = record;
    } else {
        events->lines_left_out++;
    }
    ring_bell(atomic_load(&events->bell));
    pthread_mutex_unlock(&events->mutex);
}

void mill_events_progress(struct mill_events *events, const tidemill_progress *progress)
{
    pthread_mutex_lock(&events->mutex);
    if (events->listener.progress) {
        events->told = *progress;
        events->heard = true;
        ring_bell(atomic_load(&events->bell));
    }
    pthread_mutex_unlock(&events->mutex);
}

/* Under the mutex. */
static void set_clock(struct mill_events *events, bool running)
{
    struct itimerspec time = {{0, TICK}, {0, TICK}};
    if (events->running == running || events->clock < 0) return;
    if (!running) memset(&time, 0, sizeof time);
    timerfd_settime(events->clock, 0, &time, NULL);
    events->running = running;
}

void mill_events_begin(struct mill_events *events)
{
    if (!atomic_load_explicit(&events->progress, memory_order_relaxed)) return;
    pthread_mutex_lock(&events->mutex);
    set_clock(events, true);
    pthread_mutex_unlock(&events->mutex);
}

void mill_events_poke(struct mill_events *events)
{
    int kept = errno;
    atomic_store(&events->poked, true);
    ring_bell(atomic_load(&events->bell));
    errno = kept;
}

/* What there was ever, and whether nothing runs, and no call either that might start something. */
static bool count_tasks(struct tidemill *engine, tidemill_progress *now)
{
    struct mill_pool *pool = &engine->pool;
    memset(now, 0, sizeof *now);
    if (!engine->pool_open) return true;
    bool idle = !atomic_load_explicit(&engine->gate.entered, memory_order_relaxed) &&
                atomic_load(&pool->running) == 0;
    now->done = atomic_load(&pool->counted);
    for (int i = 0; i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        now->done += atomic_load_explicit(&worker->ended, memory_order_relaxed);
        now->failed += atomic_load_explicit(&worker->counters.failed, memory_order_relaxed);
        now->running += worker->lane == MILL_LANE_THREAD
                            ? mill_worker_doing(worker) != NULL
                            : atomic_load_explicit(&worker->pending, memory_order_relaxed);
    }
    now->total = atomic_load(&pool->submitted);
    if (now->done > now->total) now->done = now->total; /* counted while this looked */
    return idle;
}

bool mill_events_listen(struct tidemill *engine, const tidemill_listener *listener)
{
    struct mill_events *events = &engine->events;
    bool fine = true;
    pthread_mutex_lock(&events->mutex);
    if (listener && listener->log && events->lines == NULL) {
        events->lines = calloc(MILL_EVENTS_LINES, sizeof *events->lines);
        fine = events->lines != NULL;
    }
    if (fine) {
        events->listener = listener ? *listener : (tidemill_listener){0};
        events->heard = false;
        /* What runs now is told of; what was done before is not. */
        if (count_tasks(engine, &events->begun)) {
            events->begun.done = events->begun.total;
        } else {
            events->begun.total = events->begun.done;
        }
        bool progress = events->listener.progress != NULL && engine->proxy == NULL;
        atomic_store_explicit(&events->progress, progress, memory_order_relaxed);
        set_clock(events, progress);
    }
    pthread_mutex_unlock(&events->mutex);
    return fine;
}

/* ---- what is told ------------------------------------------------------------------------- */

static void quiet(int descriptor)
{
    uint64_t count;
    ssize_t got = descriptor >= 0 ? read(descriptor, &count, sizeof count) : 0;
    (void)got;
}

/* Counters of others' threads were read one after the other. */
static void tidy(tidemill_progress *progress)
{
    if (progress->done < 0) progress->done = 0;
    if (progress->failed < 0) progress->failed = 0;
    if (progress->running < 0) progress->running = 0;
    if (progress->total < progress->done) progress->total = progress->done;
}

/* Under the mutex.  Counts are told from when nothing ran; when nothing does they begin anew. */
static void take_progress(struct tidemill *engine, struct mill_batch *batch)
{
    struct mill_events *events = &engine->events;
    if (events->heard) { /* it was counted there */
        batch->has_progress = true;
        batch->progress = events->told;
        events->heard = false;
    }
    if (events->listener.progress == NULL || engine->proxy) return;
    tidemill_progress now, since;
    bool idle = count_tasks(engine, &now);
    int64_t time = mill_clock_now();
    if (idle) now.done = now.total; /* cancelled ones, too */
    since = (tidemill_progress){.done = now.done - events->begun.done,
                                .total = now.total - events->begun.total,
                                .running = now.running,
                                .failed = now.failed - events->begun.failed};
    tidy(&since);
    bool same = memcmp(&since, &events->told, sizeof since) == 0;
    if (!same && (idle || time - events->told_at >= TICK)) {
        batch->has_progress = since.total > 0;
        batch->progress = events->told = since;
        events->told_at = time;
    }
    if (idle) {
        events->begun = now;
        memset(&events->told, 0, sizeof events->told);
    }
    set_clock(events, !idle);
}

/* Under the mutex. */
static void take_lines(struct mill_events *events, struct mill_batch *batch)
{
    struct mill_log_record **fresh = calloc(MILL_EVENTS_LINES, sizeof *fresh);
    if (fresh == NULL) return; /* they stay */
    batch->lines = events->lines;
    batch->line_count = events->line_count;
    batch->lines_left_out = events->lines_left_out;
    events->lines = fresh;
    events->line_count = 0;
    events->lines_left_out = 0;
}

void mill_events_take(struct tidemill *engine, struct mill_batch *batch)
{
    struct mill_events *events = &engine->events;
    memset(batch, 0, sizeof *batch);
    pthread_mutex_lock(&events->mutex);
    quiet(atomic_load(&events->bell));
    quiet(events->clock);
    batch->listener = events->listener;
    batch->jobs = events->first;
    events->first = events->last = NULL;
    if (events->line_count > 0) take_lines(events, batch);
    take_progress(engine, batch);
    if (anything_due(events)) ring_bell(atomic_load(&events->bell));
    pthread_mutex_unlock(&events->mutex);
}

void mill_events_wait(struct mill_events *events, int64_t deadline)
{
    struct epoll_event event;
    int64_t left =
        deadline == INT64_MAX ? -1 : (deadline - mill_clock_now() + 999999) / 1000000;
    if (deadline != INT64_MAX && left < 0) left = 0;
    epoll_wait(events->descriptor, &event, 1, left > 1 << 30 ? 1 << 30 : (int)left);
}
