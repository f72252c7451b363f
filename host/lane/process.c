/* process: the lane whose tasks run in processes of their own.
 *
 * DESIGN.  The worker is in one of three places: in mill_worker_next, which may sleep by
 * mill_process_sleep; in `attend`, which looks after the children; or asleep in drive itself, when
 * as many children are busy as may be: then no further task is begun, so that tasks stay where
 * priorities and cancellation find them.
 *
 * A task that is killed ends at once; its process is reaped when it has gone.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/process.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/room.h"
#include "lane/flight.h"
#include "lane/talk.h"
#include "sched/mail.h"

static const int64_t LOOK_EVERY = 20 * 1000000LL, START_WITHIN = 60 * INT64_C(1000000000),
                     END_WITHIN = INT64_C(1000000000);

/* ---- opening and closing --------------------------------------------------------------------- */

tidemill_status mill_process_init(struct mill_process *process, struct mill_error *error)
{
    process->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (process->bell < 0) {
        return mill_fail(error, TIDEMILL_IO, "cannot start the process lane: %s",
                         strerror(errno));
    }
    return TIDEMILL_OK;
}

static void close_children(struct mill_process *process)
{
    for (struct mill_child *child = process->children; child; child = child->next) {
        mill_child_kill(child);
    }
    while (process->children) {
        struct mill_child *child = process->children;
        process->children = child->next;
        mill_child_reap(child);
        mill_flight_drop(process, child);
        mill_child_free(child);
    }
    process->child_count = 0;
    atomic_store_explicit(&process->counts.children, 0, memory_order_relaxed);
}

void mill_process_fini(struct mill_process *process)
{
    close_children(process);
    free(process->polled);
    process->polled = NULL;
    if (process->bell >= 0) close(process->bell);
    process->bell = -1;
}

/* ---- deaths --------------------------------------------------------------------------------------- */

static void death_text(const struct mill_process *process, const struct mill_child *child,
                       const struct mill_child_end *end, char *text, size_t room)
{
    char signal[64];
    bool starting = child->state == MILL_CHILD_STARTING;
    int used = starting ? snprintf(text, room, "the worker process %s", process->program)
                        : snprintf(text, room, "the task's process");
    text += used;
    room -= (size_t)used;
    const char *when = starting ? " before it was ready" : "";
    if (!end->known) {
        snprintf(text, room, " ended%s", when);
    } else if (end->signal) {
        mill_signal_text(end->signal, signal, sizeof signal);
        snprintf(text, room, " was killed by %s%s", signal, when);
    } else {
        snprintf(text, room, " ended with status %d%s", end->code, when);
    }
}

/* The process has ended, and all that it has sent was read. */
static void bury(struct mill_process *process, struct mill_worker *worker,
                 struct mill_child *child)
{
    bool ours = child->state == MILL_CHILD_KILLED;
    struct mill_child_end end = mill_child_reap(child);
    char text[600];
    death_text(process, child, &end, text, sizeof text);
    child->state = MILL_CHILD_KILLED;
    struct mill_task *task = child->busy ? child->flight.task.task : NULL;
    if (!ours) mill_flight_tell(process, worker, MILL_PROCESS_DIED, task, text);
    if (child->busy && end.known && end.signal == 9) {
        mill_flight_lose(process, worker, child, text);
    } else if (child->busy) {
        mill_flight_crash(process, worker, child, text);
    }
    struct mill_child **link = &process->children;
    while (*link != child) link = &(*link)->next;
    *link = child->next;
    process->child_count--;
    mill_flight_count(&process->counts.children, -1);
    mill_child_free(child);
}

/* ---- limits --------------------------------------------------------------------------------------- */

static void check_time(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, int64_t now)
{
    if (child->state == MILL_CHILD_STARTING && now - child->began > START_WITHIN) {
        mill_talk_garbage(process, worker, child, "the worker process did not become ready");
        return;
    }
    if (child->closed > 0 && now - child->closed > END_WITHIN) {
        mill_talk_garbage(process, worker, child, "the task's process closed its connection");
        return;
    }
    if (!child->busy || child->flight.deadline > now) return;
    char text[120];
    const struct mill_task *task = child->flight.task.task;
    snprintf(text, sizeof text, "the task took longer than its timeout of %g s and was stopped",
             mill_task_function(task)->timeout);
    mill_flight_count(&process->counts.timeouts, 1);
    mill_flight_stop(process, child);
    mill_flight_tell(process, worker, MILL_PROCESS_TIMEOUT, task, text);
    mill_flight_crash(process, worker, child, text);
}

static void check_child_memory(struct mill_process *process, struct mill_worker *worker,
                               struct mill_child *child)
{
    if (!child->busy || child->flight.limit == MILL_NEVER || !child->flight.sent) return;
    int64_t used = mill_child_memory(child);
    if (used <= child->flight.limit) return;
    char text[160];
    snprintf(text, sizeof text,
             "the task's process used %.1f MB, more than its limit of %.1f MB, and was stopped",
             (double)used / 1e6, (double)child->flight.limit / 1e6);
    mill_flight_stop(process, child);
    mill_flight_tell(process, worker, MILL_PROCESS_MEMORY, child->flight.task.task, text);
    mill_flight_crash(process, worker, child, text);
}

static void check_cancelled(struct mill_process *process, struct mill_worker *worker,
                            struct mill_child *child)
{
    if (!child->busy || !mill_run_cancelled(child->flight.task.task->run)) return;
    mill_flight_stop(process, child);
    mill_flight_tell(process, worker, MILL_PROCESS_CANCELLED, child->flight.task.task,
                     "the task was cancelled");
    mill_flight_crash(process, worker, child, "the task was cancelled");
}

static void check_all(struct mill_process *process, struct mill_worker *worker)
{
    int64_t now = mill_clock_now();
    bool look = now - process->looked >= LOOK_EVERY;
    /* Relaxed: see mill_run_cancelled. */
    bool cancels = atomic_load_explicit(&process->pool->cancels, memory_order_relaxed) > 0;
    struct mill_child *next;
    for (struct mill_child *child = process->children; child; child = next) {
        next = child->next;
        if (child->state == MILL_CHILD_KILLED) continue;
        if (cancels) check_cancelled(process, worker, child);
        if (child->state != MILL_CHILD_KILLED) check_time(process, worker, child, now);
        if (look && child->state != MILL_CHILD_KILLED)
            check_child_memory(process, worker, child);
    }
    if (look) process->looked = now;
}

/* When something has to be looked at next. */
static int64_t next_check(const struct mill_process *process)
{
    int64_t next = MILL_NEVER;
    for (const struct mill_child *child = process->children; child; child = child->next) {
        int64_t at = MILL_NEVER;
        if (child->state == MILL_CHILD_KILLED) continue;
        if (child->state == MILL_CHILD_STARTING) at = child->began + START_WITHIN + 1;
        if (child->closed > 0) at = child->closed + END_WITHIN + 1;
        if (child->busy && child->flight.deadline < at) at = child->flight.deadline;
        if (child->busy && child->flight.limit != MILL_NEVER &&
            process->looked + LOOK_EVERY < at) {
            at = process->looked + LOOK_EVERY;
        }
        if (at < next) next = at;
    }
    return next;
}

/* ---- sleeping --------------------------------------------------------------------------------------- */

void mill_process_wake(void *context)
{
    struct mill_process *process = context;
    /* The default orders: either the sleeper sees `woken`, or this sees `sleeping`. */
    if (atomic_exchange(&process->woken, true) || !atomic_load(&process->sleeping)) return;
    uint64_t one = 1;
    ssize_t written = write(process->bell, &one, sizeof one);
    (void)written; /* a bell that is full has rung */
}

/* How many descriptors are looked at; 0: no memory. */
static int list_descriptors(struct mill_process *process)
{
    int wanted = 1 + 2 * process->child_count;
    if (wanted > process->polled_room) {
        if (!mill_room_set(&process->polled, 2 * (size_t)wanted, sizeof *process->polled))
            return 0;
        process->polled_room = 2 * wanted;
    }
    struct pollfd *at = process->polled;
    *at++ = (struct pollfd){.fd = process->bell, .events = POLLIN};
    for (struct mill_child *child = process->children; child; child = child->next) {
        bool alive = child->state != MILL_CHILD_KILLED && child->closed == 0;
        bool ready = child->state == MILL_CHILD_READY;
        bool waits = child->hello.full || (ready && (child->order.full || child->letters));
        *at++ = (struct pollfd){.fd = alive ? child->socket : -1,
                                .events = (short)(waits ? POLLIN | POLLOUT : POLLIN)};
        *at++ = (struct pollfd){.fd = child->process, .events = POLLIN};
    }
    return wanted;
}

/* Sleeps until a child has something, somebody has woken the lane, or a time has come. */
static void sleep_until(struct mill_process *process, int64_t deadline)
{
    int64_t check = next_check(process);
    if (check < deadline) deadline = check;
    int count = list_descriptors(process);
    if (count == 0) return; /* no memory: looks again and again until there is some */
    atomic_store(&process->sleeping, true);
    struct timespec left = {0, 0}, *limit = &left;
    if (!atomic_load(&process->woken) && deadline != MILL_NEVER) {
        int64_t time = deadline - mill_clock_now();
        if (time > 0) left = (struct timespec){time / 1000000000, time % 1000000000};
    } else if (deadline == MILL_NEVER && !atomic_load(&process->woken)) {
        limit = NULL;
    }
    int ready = ppoll(process->polled, (nfds_t)count, limit, NULL);
    atomic_store(&process->sleeping, false);
    if (ready <= 0) return;
    const struct pollfd *at = process->polled + 1;
    for (struct mill_child *child = process->children; child; child = child->next, at += 2) {
        child->may_speak = at[0].revents != 0;
        child->may_end = at[1].revents != 0;
    }
    uint64_t rung;
    if (process->polled[0].revents & POLLIN) {
        ssize_t got = read(process->bell, &rung, sizeof rung);
        (void)got;
    }
}

void mill_process_sleep(void *context, struct mill_worker *worker, int64_t deadline)
{
    sleep_until(context, deadline);
    mill_worker_call(worker); /* mill_worker_next goes back to drive, which looks */
}

/* A child whose descriptors have something to say. */
static void attend_one(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child)
{
    bool ended = child->may_end;
    child->may_end = child->may_speak = false;
    /* What a process has sent before its end counts. */
    if (child->closed == 0 && !mill_talk_hear(process, worker, child)) {
        child->closed = mill_clock_now(); /* most likely it is about to end */
    }
    if (ended) {
        bury(process, worker, child);
    } else if (child->state != MILL_CHILD_KILLED &&
               mill_flight_feed(child) == MILL_TRANSFER_MEMORY) {
        mill_talk_garbage(process, worker, child,
                          "the task could not be sent: out of descriptors");
    }
}

/* Looks after the children: what they have sent, what they are to be sent, deaths and limits. */
static void attend(struct mill_process *process, struct mill_worker *worker)
{
    struct mill_child *next;
    for (struct mill_child *child = process->children; child; child = next) {
        next = child->next;
        if (child->may_end || child->may_speak) attend_one(process, worker, child);
    }
    mill_talk_give_notice(process, worker);
    check_all(process, worker);
}

void mill_process_drive(void *context, struct mill_worker *worker)
{
    struct mill_process *process = context;
    for (;;) {
        /* Before the look at what there is: who comes after it wakes anew. */
        atomic_store(&process->woken, false);
        attend(process, worker);
        if (atomic_load(&process->pool->stop)) break;
        if (process->busy - process->waiting >= process->most) {
            sleep_until(process, MILL_NEVER);
            continue;
        }
        enum mill_next next = mill_worker_next(worker);
        if (next == MILL_NEXT_STOP) break;
        if (next == MILL_NEXT_TASK) mill_flight_begin(process, worker);
    }
    close_children(process);
}
