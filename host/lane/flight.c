/* flight: tasks in worker processes: how they get there, wait there, and end.
 * SPDX-License-Identifier: MIT */
#include "lane/flight.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "lane/failure.h"
#include "sched/attempt.h"
#include "sched/parked.h"
#include "sched/suspended.h"

enum {
    LOST_MOST = 3,     /* times that a task whose process was killed from outside begins anew */
    KNOWN_MOST = 1000, /* functions and shared values that a child keeps */
    KNOWN_BYTES = 256 << 20,
    WAITING_MOST = 200, /* children whose tasks wait for channels */
};

/* ---- waiting --------------------------------------------------------------------------------- */

/* A task that waits for channels in its child is one of the pool's tasks that wait: it may be found to
 * wait for ever, and holds up no other. */
void mill_flight_begin_wait(struct mill_process *process, struct mill_child *child,
                            void (*deliver)(struct mill_wait *wait))
{
    struct mill_flight *flight = &child->flight;
    if (flight->wait) return;
    flight->wait = mill_wait_new(deliver, process);
    if (flight->wait == NULL) return; /* then it counts as running */
    flight->wait->task = flight->task.task;
    process->waiting++;
    mill_pool_park(process->pool, flight->wait);
    atomic_fetch_sub(&process->pool->outside, 1);
}

void mill_flight_end_wait(struct mill_process *process, struct mill_child *child)
{
    struct mill_wait *wait = child->flight.wait;
    if (wait == NULL) return;
    atomic_fetch_add(&process->pool->outside, 1);
    mill_pool_unpark(process->pool, wait);
    mill_wait_unref(wait);
    child->flight.wait = NULL;
    process->waiting--;
}

bool mill_flight_is_stuck(const struct mill_child *child)
{
    const struct mill_wait *wait = child->flight.wait;
    return child->busy && wait && atomic_load(&wait->reasons) & MILL_REASON_STUCK;
}

/* What hangs on a flight that will not land. */
void mill_flight_drop(struct mill_process *process, struct mill_child *child)
{
    if (!child->busy) return;
    struct mill_flight *flight = &child->flight;
    mill_flight_end_wait(process, child);
    child->busy = false;
    process->busy--;
    process->hooks.drop(process->hooks.context, flight->kept);
    mill_suspended_fini(&flight->task);
    mill_value_unref(flight->error);
    atomic_fetch_sub(&process->pool->outside, 1);
}

/* ---- what has happened to whom --------------------------------------------------------------- */

void mill_flight_tell(struct mill_process *process, struct mill_worker *worker,
                      enum mill_process_event event, const struct mill_task *task,
                      const char *text)
{
    process->hooks.event(process->hooks.context, worker, event,
                         task ? mill_task_function(task)->name : NULL, text);
}

/* ---- flights ----------------------------------------------------------------------------------- */

/* The running task goes into the flight of a child. */
static bool take_off(struct mill_process *process, struct mill_worker *worker,
                     struct mill_child *child)
{
    void *kept = process->hooks.set_aside(process->hooks.context, worker);
    if (kept == NULL) return false;
    const struct mill_function *function = mill_task_function(worker->task);
    int64_t limit = function->memory > 0 ? function->memory : process->limit;
    child->flight = (struct mill_flight){.kept = kept, .deadline = MILL_NEVER, .limit = limit};
    child->busy = true;
    process->busy++;
    atomic_fetch_add(&process->pool->outside, 1);
    mill_worker_suspend(worker, &child->flight.task);
    return true;
}

/* It is the running task again, which the caller ends. */
static void land(struct mill_process *process, struct mill_worker *worker,
                 struct mill_child *child)
{
    struct mill_flight *flight = &child->flight;
    mill_flight_end_wait(process, child);
    mill_worker_resume(worker, &flight->task);
    process->hooks.take_up(process->hooks.context, worker, flight->kept);
    child->busy = false;
    process->busy--;
    mill_lending_leave(&child->lending);
}

/* After the task has ended or was put back: nothing is stuck in between. */
static void landed(struct mill_process *process)
{
    atomic_fetch_sub(&process->pool->outside, 1);
}

static void fail_running(struct mill_process *process, struct mill_worker *worker,
                         struct mill_value error)
{
    bool cancelled = mill_run_cancelled(worker->task->run);
    if (!cancelled) process->hooks.failed(process->hooks.context, worker->task, &error);
    mill_worker_finish(worker, cancelled ? MILL_CANCELLED : MILL_FAILED, error);
}

static struct mill_value error_of(struct mill_process *process, struct mill_worker *worker,
                                  const char *message)
{
    struct mill_order order = {0};
    char key[33];
    process->hooks.describe(process->hooks.context, worker, &order);
    if (order.keyed) mill_hash_text(order.key, key);
    return mill_failure_new(worker, message, order.keyed ? key : NULL);
}

/* ---- children ------------------------------------------------------------------------------------ */

void mill_flight_stop(struct mill_process *process, struct mill_child *child)
{
    if (child->state != MILL_CHILD_KILLED) mill_flight_count(&process->counts.killed, 1);
    mill_child_kill(child);
}

static struct mill_child *new_child(struct mill_process *process, struct mill_worker *worker,
                                    struct mill_error *error)
{
    struct mill_child *child = mill_child_start(process->program, error);
    if (child == NULL) return NULL;
    child->next = process->children;
    process->children = child;
    process->child_count++;
    mill_flight_count(&process->counts.children, 1);
    mill_flight_count(&process->counts.started, 1);
    mill_outbox_begin(&child->hello);
    process->hooks.hello(process->hooks.context, &child->hello.wire);
    if (!mill_wire_is_fine(&child->hello.wire)) {
        *error = child->hello.wire.error;
        mill_child_kill(child);
        return NULL;
    }
    mill_outbox_close(&child->hello, MILL_MESSAGE_HELLO);
    char text[40];
    snprintf(text, sizeof text, "process %d", (int)child->pid);
    mill_flight_tell(process, worker, MILL_PROCESS_STARTED, NULL, text);
    return child;
}

/* A child that takes a task now or as soon as it is ready; one of its own for an isolated task. */
static struct mill_child *free_child(struct mill_process *process, struct mill_worker *worker,
                                     bool isolate, struct mill_error *error)
{
    struct mill_child *starting = NULL;
    for (struct mill_child *child = process->children; child && !isolate; child = child->next) {
        if (child->busy || child->isolated) continue;
        if (child->state == MILL_CHILD_READY) return child;
        if (child->state == MILL_CHILD_STARTING) starting = child;
    }
    if (starting) return starting;
    struct mill_child *child = new_child(process, worker, error);
    if (child) child->isolated = isolate;
    return child;
}

/* Sends an order that waits: with it the attempt begins. */
static enum mill_transfer feed_order(struct mill_child *child)
{
    struct mill_flight *flight = &child->flight;
    if (!child->order.full) return MILL_TRANSFER_DONE;
    if (!flight->sent) {
        flight->sent = true;
        const struct mill_function *function =
            flight->judged ? NULL : mill_task_function(flight->task.task);
        if (function && function->timeout > 0) {
            flight->deadline = mill_clock_after(function->timeout);
        }
    }
    return mill_outbox_send(&child->order, child->socket, false);
}

static enum mill_transfer feed_letters(struct mill_child *child)
{
    enum mill_transfer result = MILL_TRANSFER_DONE;
    while (child->letters && result == MILL_TRANSFER_DONE) {
        struct mill_letter *letter = child->letters;
        result = mill_outbox_send(&letter->outbox, child->socket, false);
        if (result != MILL_TRANSFER_DONE) break;
        child->letters = letter->next;
        free(letter);
    }
    return result;
}

/* Sends what waits for a child, as far as that takes it; an order waits until it is ready. */
enum mill_transfer mill_flight_feed(struct mill_child *child)
{
    enum mill_transfer result = MILL_TRANSFER_DONE;
    if (child->hello.full) result = mill_outbox_send(&child->hello, child->socket, false);
    if (result != MILL_TRANSFER_DONE || child->state != MILL_CHILD_READY) return result;
    result = feed_letters(child); /* those of the task before, of which some may have gone */
    return result == MILL_TRANSFER_DONE ? feed_order(child) : result;
}

/* ---- orders ---------------------------------------------------------------------------------------- */

static bool knows_share(void *context, struct mill_hash hash, size_t size)
{
    struct mill_child *child = context;
    return mill_known_add(&child->known, hash, size);
}

uint64_t mill_flight_lend(void *child_, struct mill_shared *shared, uint64_t *size)
{
    struct mill_child *child = child_;
    return mill_lending_lend(&child->lending, shared, size);
}

struct mill_shared *mill_flight_borrow(void *context, uint64_t number, uint64_t size)
{
    struct mill_child *child = context;
    (void)size;
    return mill_lending_borrow(&child->lending, number);
}

/* Begins an order for a function with this number; false: the child cannot take one. */
static void begin_order(struct mill_process *process, struct mill_worker *worker,
                        struct mill_child *child, uint64_t serial, struct mill_order *order)
{
    if (child->known.count > KNOWN_MOST || child->known.bytes > KNOWN_BYTES) {
        child->forget = true;
    }
    if (child->forget) {
        mill_known_clear(&child->known);
        mill_lending_fini(&child->lending);
    }
    /* No hash of a content: those have both words at random. */
    struct mill_hash name = {serial, 1};
    *order = (struct mill_order){
        .forget = child->forget,
        .has_function = serial == 0 || !mill_known_add(&child->known, name, 1024),
        .serial = serial,
        .worker = worker->call.worker,
        .attempt = 1,
        .stream = {worker->call.stream[0], worker->call.stream[1]},
    };
    mill_outbox_begin(&child->order);
    child->order.wire.has = knows_share;
    child->order.wire.lend = mill_flight_lend;
    child->order.wire.context = child;
    process->hooks.before(process->hooks.context, &child->modules, &child->order.wire);
}

/* False: the order could not be written, for the reason in its wire. */
static bool end_order(struct mill_child *child)
{
    if (!mill_wire_is_fine(&child->order.wire)) {
        child->modules = 0; /* it is to be told anew what it was to know from this one */
        return false;
    }
    child->forget = false;
    mill_outbox_close(&child->order, MILL_MESSAGE_TASK);
    return true;
}

/* Gives the running task to a child, or ends it with the reason why not. */
void mill_flight_begin(struct mill_process *process, struct mill_worker *worker)
{
    const struct mill_function *function = mill_task_function(worker->task);
    struct mill_error error;
    struct mill_child *child = NULL;
    if (process->busy < process->most + WAITING_MOST) {
        child = free_child(process, worker, function->isolate, &error);
    } else {
        mill_fail(&error, TIDEMILL_MEMORY, "%d tasks of the process lane wait for channels",
                  process->waiting);
    }
    if (child == NULL) {
        fail_running(process, worker, error_of(process, worker, error.text));
        return;
    }
    struct mill_order order;
    begin_order(process, worker, child, function->serial, &order);
    process->hooks.describe(process->hooks.context, worker, &order);
    mill_order_put(&child->order.wire, &order, worker);
    const char *problem = NULL;
    if (!end_order(child)) {
        problem = child->order.wire.error.text;
    } else if (!take_off(process, worker, child)) {
        problem = "out of memory (a task)";
    }
    if (problem == NULL) {
        mill_flight_feed(child); /* a failure shows when the child is looked after */
        return;
    }
    fail_running(process, worker, error_of(process, worker, problem));
    mill_outbox_fini(&child->order);
    child->forget = true;
    if (child->isolated) mill_child_kill(child);
}

/* ---- what becomes of a task --------------------------------------------------------------------- */

/* Whether the running task's function has something to say about errors, and attempts are left. */
static bool is_to_be_judged(const struct mill_worker *worker)
{
    const double *seconds;
    const struct mill_function *function = mill_task_function(worker->task);
    return function->retry_on.tag != MILL_TAG_NIL &&
           mill_worker_attempt(worker, &seconds) <= function->retry.retries &&
           !mill_run_cancelled(worker->task->run);
}

/* Asks a child whether the error is worth another attempt of the running task; false: none can be
 * asked. */
static bool ask_child(struct mill_process *process, struct mill_worker *worker,
                      const struct mill_value *error)
{
    struct mill_error why;
    struct mill_order order;
    struct mill_child *child = free_child(process, worker, false, &why);
    if (child == NULL) return false;
    begin_order(process, worker, child, 0, &order);
    mill_order_put_call(&child->order.wire, &order, &mill_task_function(worker->task)->retry_on,
                        error);
    if (!end_order(child) || !take_off(process, worker, child)) {
        child->forget = true;
        mill_outbox_fini(&child->order);
        return false;
    }
    child->flight.judged = true;
    child->flight.deadline = mill_clock_after(10);
    child->flight.error = mill_value_ref(*error);
    mill_flight_feed(child);
    return true;
}

/* The running task has failed without being able to say so: it is tried again, if it may be. */
static void fail_or_retry(struct mill_process *process, struct mill_worker *worker,
                          const char *message)
{
    struct mill_value error = error_of(process, worker, message);
    if (is_to_be_judged(worker) && ask_child(process, worker, &error)) {
        mill_value_unref(error);
    } else if (mill_worker_retry(worker)) {
        mill_value_unref(error);
    } else {
        fail_running(process, worker, error);
    }
}

/* The flight of a child ends with this message; the child is none of its business any more. */
void mill_flight_crash(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, const char *message)
{
    struct mill_flight *flight = &child->flight;
    bool judged = flight->judged;
    struct mill_value error = flight->error;
    land(process, worker, child);
    if (judged) {
        fail_running(process, worker, error);
    } else {
        fail_or_retry(process, worker, message);
    }
    landed(process);
}

/* The same by a signal from outside: the task is not to blame. */
void mill_flight_lose(struct mill_process *process, struct mill_worker *worker,
                      struct mill_child *child, const char *message)
{
    if (child->flight.judged) {
        mill_flight_crash(process, worker, child, message);
        return;
    }
    struct mill_task *task = child->flight.task.task;
    land(process, worker, child);
    mill_flight_tell(process, worker, MILL_PROCESS_RESTARTED, task, message);
    if (mill_worker_again(worker, LOST_MOST)) {
        mill_flight_count(&process->counts.restarted, 1);
    } else {
        fail_or_retry(process, worker, message);
    }
    landed(process);
}

static bool is_true(const struct mill_answer *answer)
{
    return answer->state == MILL_FINISHED && answer->value.tag != MILL_TAG_NIL &&
           answer->value.tag != MILL_TAG_FALSE;
}

static void end_judged(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, struct mill_answer *answer)
{
    struct mill_value error = child->flight.error;
    land(process, worker, child);
    if (is_true(answer) && mill_worker_retry(worker)) {
        mill_value_unref(error);
    } else {
        fail_running(process, worker, error);
    }
    mill_value_unref(answer->value);
    landed(process);
}

void mill_flight_end(struct mill_process *process, struct mill_worker *worker,
                     struct mill_child *child, struct mill_answer *answer)
{
    if (child->flight.judged) {
        end_judged(process, worker, child, answer);
        return;
    }
    land(process, worker, child);
    process->hooks.answered(process->hooks.context, worker, answer);
    bool failed = answer->state != MILL_FINISHED;
    if (failed && answer->worth && mill_worker_retry(worker)) {
        mill_value_unref(answer->value);
    } else if (failed) {
        fail_running(process, worker, answer->value);
    } else {
        mill_worker_finish(worker, MILL_FINISHED, answer->value);
    }
    landed(process);
}
