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
#include "lane/failure.h"

enum {
    LOST_MOST = 3,     /* times that a task whose process was killed from outside begins anew */
    KNOWN_MOST = 1000, /* functions and shared values that a child keeps */
    KNOWN_BYTES = 256 << 20,
    WAITING_MOST = 200, /* children whose tasks wait for channels */
};

static const int64_t NEVER = INT64_MAX, LOOK_EVERY = 20 * 1000000LL,
                     START_WITHIN = 60 * INT64_C(1000000000), END_WITHIN = INT64_C(1000000000);

static void add(_Atomic int64_t *counter, int64_t number)
{
    atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

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

/* A task that waits for channels in its child is one of the pool's tasks that wait: it may be found to
 * wait for ever, and holds up no other. */
static void begin_wait(struct mill_process *process, struct mill_child *child,
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

/* Whether it would have waited for ever. */
static bool end_wait(struct mill_process *process, struct mill_child *child)
{
    struct mill_wait *wait = child->flight.wait;
    if (wait == NULL) return false;
    atomic_fetch_add(&process->pool->outside, 1);
    mill_pool_unpark(process->pool, wait);
    bool stuck = atomic_load(&wait->reasons) & MILL_REASON_STUCK;
    mill_wait_unref(wait);
    child->flight.wait = NULL;
    process->waiting--;
    return stuck;
}

static bool is_stuck(const struct mill_child *child)
{
    const struct mill_wait *wait = child->flight.wait;
    return child->busy && wait && atomic_load(&wait->reasons) & MILL_REASON_STUCK;
}

/* What hangs on a flight that will not land. */
static void flight_drop(struct mill_process *process, struct mill_child *child)
{
    if (!child->busy) return;
    struct mill_flight *flight = &child->flight;
    end_wait(process, child);
    child->busy = false;
    process->busy--;
    process->hooks.drop(process->hooks.context, flight->kept);
    mill_suspended_fini(&flight->task);
    mill_value_unref(flight->error);
    atomic_fetch_sub(&process->pool->outside, 1);
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
        flight_drop(process, child);
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

/* ---- what has happened to whom --------------------------------------------------------------- */

static void tell(struct mill_process *process, struct mill_worker *worker,
                 enum mill_process_event event, const struct mill_task *task, const char *text)
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
    child->flight = (struct mill_flight){.kept = kept, .deadline = NEVER, .limit = limit};
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
    end_wait(process, child);
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

static void stop_child(struct mill_process *process, struct mill_child *child)
{
    if (child->state != MILL_CHILD_KILLED) add(&process->counts.killed, 1);
    mill_child_kill(child);
}

static struct mill_child *start_child(struct mill_process *process, struct mill_worker *worker,
                                      struct mill_error *error)
{
    struct mill_child *child = mill_child_start(process->program, error);
    if (child == NULL) return NULL;
    child->next = process->children;
    process->children = child;
    process->child_count++;
    add(&process->counts.children, 1);
    add(&process->counts.started, 1);
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
    tell(process, worker, MILL_PROCESS_STARTED, NULL, text);
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
    struct mill_child *child = start_child(process, worker, error);
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
static enum mill_transfer feed(struct mill_child *child)
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

static uint64_t lend(void *context, struct mill_shared *shared, uint64_t *size)
{
    struct mill_child *child = context;
    return mill_lending_lend(&child->lending, shared, size);
}

static struct mill_shared *borrow(void *context, uint64_t number, uint64_t size)
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
    child->order.wire.lend = lend;
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
static void dispatch(struct mill_process *process, struct mill_worker *worker)
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
        feed(child); /* a failure shows when the child is looked after */
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
static bool ask(struct mill_process *process, struct mill_worker *worker,
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
    feed(child);
    return true;
}

/* The running task has failed without being able to say so: it is tried again, if it may be. */
static void fail_or_retry(struct mill_process *process, struct mill_worker *worker,
                          const char *message)
{
    struct mill_value error = error_of(process, worker, message);
    if (is_to_be_judged(worker) && ask(process, worker, &error)) {
        mill_value_unref(error);
    } else if (mill_worker_retry(worker)) {
        mill_value_unref(error);
    } else {
        fail_running(process, worker, error);
    }
}

/* The flight of a child ends with this message; the child is none of its business any more. */
static void crash(struct mill_process *process, struct mill_worker *worker,
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
static void lose(struct mill_process *process, struct mill_worker *worker,
                 struct mill_child *child, const char *message)
{
    if (child->flight.judged) {
        crash(process, worker, child, message);
        return;
    }
    struct mill_task *task = child->flight.task.task;
    land(process, worker, child);
    tell(process, worker, MILL_PROCESS_RESTARTED, task, message);
    if (mill_worker_again(worker, LOST_MOST)) {
        add(&process->counts.restarted, 1);
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

static void end_flight(struct mill_process *process, struct mill_worker *worker,
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

/* ---- messages ----------------------------------------------------------------------------------- */

static void garbage(struct mill_process *process, struct mill_worker *worker,
                    struct mill_child *child, const char *message)
{
    stop_child(process, child);
    if (child->busy) crash(process, worker, child, message);
}

static bool take_ready(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, struct mill_wire_reader *reader)
{
    struct mill_error error;
    if (child->state != MILL_CHILD_STARTING) return false;
    if (process->hooks.ready(process->hooks.context, reader, &error)) {
        child->state = MILL_CHILD_READY;
    } else {
        garbage(process, worker, child, error.text);
    }
    return true;
}

static bool take_unasked(struct mill_process *process, struct mill_wire_reader *reader)
{
    size_t size;
    const char *name = mill_unpacker_text(&reader->in, &size);
    struct mill_value error = mill_wire_read(reader, false);
    bool fine = mill_wire_is_read(reader);
    if (fine) process->hooks.unasked(process->hooks.context, name, size, &error);
    mill_value_unref(error);
    return fine;
}

/* ---- channels -------------------------------------------------------------------------------------- */

/* Any thread: a channel has something for a child. */
static void deliver(struct mill_wait *wait)
{
    struct mill_process *process = wait->owner;
    atomic_store(&process->noticed, true);
    mill_process_wake(process);
}

/* A letter that is being written; NULL: no memory. */
static struct mill_letter *begin_letter(struct mill_child *child)
{
    struct mill_letter *letter = calloc(1, sizeof *letter);
    if (letter == NULL) return NULL;
    mill_outbox_begin(&letter->outbox);
    letter->outbox.wire.lend = lend;
    letter->outbox.wire.context = child;
    return letter;
}

static void drop_letter(struct mill_letter *letter)
{
    mill_outbox_fini(&letter->outbox);
    free(letter);
}

/* Puts it behind the others; false: it could not be written. */
static bool end_letter(struct mill_child *child, struct mill_letter *letter,
                       enum mill_message_kind kind)
{
    if (!mill_wire_is_fine(&letter->outbox.wire)) {
        drop_letter(letter);
        return false;
    }
    mill_outbox_close(&letter->outbox, kind);
    struct mill_letter **end = &child->letters;
    while (*end) end = &(*end)->next;
    *end = letter;
    return true;
}

/* False: it is no call, or cannot be answered. */
static bool take_call(struct mill_process *process, struct mill_child *child,
                      struct mill_wire_reader *reader)
{
    bool replies = false;
    struct mill_letter *letter = begin_letter(child);
    if (letter == NULL) return false;
    if (!mill_lending_call(&child->lending, reader, &letter->outbox.wire, &replies, deliver,
                           process)) {
        drop_letter(letter);
        return false;
    }
    if (replies) return end_letter(child, letter, MILL_MESSAGE_REPLY);
    drop_letter(letter);
    if (child->lending.asleep) begin_wait(process, child, deliver);
    return true;
}

/* Tells children that a channel which made them wait may let them go on, and ends tasks that never
 * could. */
static void give_notice(struct mill_process *process, struct mill_worker *worker)
{
    if (!atomic_exchange(&process->noticed, false)) return;
    for (struct mill_child *child = process->children; child; child = child->next) {
        struct mill_letter *letter = NULL;
        while (child->busy && child->state == MILL_CHILD_READY &&
               (letter = begin_letter(child)) != NULL &&
               mill_lending_notice(&child->lending, &letter->outbox.wire)) {
            end_letter(child, letter, MILL_MESSAGE_NOTICE);
            letter = NULL;
        }
        if (letter) drop_letter(letter);
        if (!child->lending.asleep) end_wait(process, child);
        if (is_stuck(child)) {
            stop_child(process, child);
            crash(process, worker, child, "this wait could never end: nothing else runs");
            continue;
        }
        if (child->letters)
            feed(child); /* what does not go now goes when the socket takes more */
    }
}

/* False: it is no message that a child in this state sends. */
static bool take_message(struct mill_process *process, struct mill_worker *worker,
                         struct mill_child *child, struct mill_wire_reader *reader)
{
    struct mill_answer answer;
    switch (child->inbox.head.kind) {
    case MILL_MESSAGE_READY:
        return take_ready(process, worker, child, reader);
    case MILL_MESSAGE_TEXT: {
        int kind = mill_unpacker_byte(&reader->in);
        if (reader->in.bad) return false;
        process->hooks.text(process->hooks.context, worker, kind, (const char *)reader->in.at,
                            (size_t)(reader->in.end - reader->in.at));
        return true;
    }
    case MILL_MESSAGE_UNASKED:
        return child->busy && take_unasked(process, reader);
    case MILL_MESSAGE_CALL:
        return child->busy && child->flight.sent && take_call(process, child, reader);
    case MILL_MESSAGE_RESULT:
        if (!child->busy || !child->flight.sent || child->order.full) return false;
        if (!mill_answer_take(reader, &answer)) return false;
        end_flight(process, worker, child, &answer);
        return true;
    default:
        return false;
    }
}

/* After a task: a child for one task goes, and one that has grown too large. */
static void look_at_idle(struct mill_process *process, struct mill_child *child)
{
    if (child->busy || child->state != MILL_CHILD_READY) return;
    bool spent = child->isolated && !child->order.full && child->flight.sent;
    if (spent || (process->limit != NEVER && mill_child_memory(child) > process->limit)) {
        mill_child_kill(child);
    }
}

/* Reads what a child has sent; false: it has closed its end. */
static bool hear(struct mill_process *process, struct mill_worker *worker,
                 struct mill_child *child)
{
    while (child->state != MILL_CHILD_KILLED) {
        enum mill_transfer result =
            mill_inbox_receive(&child->inbox, child->socket, false, process->memory);
        if (result == MILL_TRANSFER_AGAIN) return true;
        if (result == MILL_TRANSFER_GONE) return false;
        if (result == MILL_TRANSFER_MEMORY) {
            garbage(process, worker, child, "out of memory or descriptors (a task's result)");
            return true;
        }
        struct mill_wire_reader reader;
        bool fine = result == MILL_TRANSFER_DONE;
        if (fine) {
            mill_inbox_open(&child->inbox, &reader, process->memory);
            reader.borrow = borrow;
            reader.context = child;
            fine = take_message(process, worker, child, &reader);
            mill_wire_reader_fini(&reader);
        }
        bool memory = !fine && result == MILL_TRANSFER_DONE && reader.status == TIDEMILL_MEMORY;
        mill_inbox_clear(&child->inbox);
        if (!fine) {
            garbage(process, worker, child,
                    memory ? "out of memory or descriptors (a task's result)"
                           : "the task's process sent what is no message");
        }
        look_at_idle(process, child);
    }
    return true;
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
    if (!ours) tell(process, worker, MILL_PROCESS_DIED, task, text);
    if (child->busy && end.known && end.signal == 9) {
        lose(process, worker, child, text);
    } else if (child->busy) {
        crash(process, worker, child, text);
    }
    struct mill_child **link = &process->children;
    while (*link != child) link = &(*link)->next;
    *link = child->next;
    process->child_count--;
    add(&process->counts.children, -1);
    mill_child_free(child);
}

/* ---- limits --------------------------------------------------------------------------------------- */

static void check_time(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, int64_t now)
{
    if (child->state == MILL_CHILD_STARTING && now - child->began > START_WITHIN) {
        garbage(process, worker, child, "the worker process did not become ready");
        return;
    }
    if (child->closed > 0 && now - child->closed > END_WITHIN) {
        garbage(process, worker, child, "the task's process closed its connection");
        return;
    }
    if (!child->busy || child->flight.deadline > now) return;
    char text[120];
    const struct mill_task *task = child->flight.task.task;
    snprintf(text, sizeof text, "the task took longer than its timeout of %g s and was stopped",
             mill_task_function(task)->timeout);
    add(&process->counts.timeouts, 1);
    stop_child(process, child);
    tell(process, worker, MILL_PROCESS_TIMEOUT, task, text);
    crash(process, worker, child, text);
}

static void check_memory(struct mill_process *process, struct mill_worker *worker,
                         struct mill_child *child)
{
    if (!child->busy || child->flight.limit == NEVER || !child->flight.sent) return;
    int64_t used = mill_child_memory(child);
    if (used <= child->flight.limit) return;
    char text[160];
    snprintf(text, sizeof text,
             "the task's process used %.1f MB, more than its limit of %.1f MB, and was stopped",
             (double)used / 1e6, (double)child->flight.limit / 1e6);
    stop_child(process, child);
    tell(process, worker, MILL_PROCESS_MEMORY, child->flight.task.task, text);
    crash(process, worker, child, text);
}

static void check_cancelled(struct mill_process *process, struct mill_worker *worker,
                            struct mill_child *child)
{
    if (!child->busy || !mill_run_cancelled(child->flight.task.task->run)) return;
    stop_child(process, child);
    tell(process, worker, MILL_PROCESS_CANCELLED, child->flight.task.task,
         "the task was cancelled");
    crash(process, worker, child, "the task was cancelled");
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
        if (look && child->state != MILL_CHILD_KILLED) check_memory(process, worker, child);
    }
    if (look) process->looked = now;
}

/* When something has to be looked at next. */
static int64_t next_check(const struct mill_process *process)
{
    int64_t next = NEVER;
    for (const struct mill_child *child = process->children; child; child = child->next) {
        int64_t at = NEVER;
        if (child->state == MILL_CHILD_KILLED) continue;
        if (child->state == MILL_CHILD_STARTING) at = child->began + START_WITHIN + 1;
        if (child->closed > 0) at = child->closed + END_WITHIN + 1;
        if (child->busy && child->flight.deadline < at) at = child->flight.deadline;
        if (child->busy && child->flight.limit != NEVER && process->looked + LOOK_EVERY < at) {
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
        struct pollfd *grown = realloc(process->polled, 2 * (size_t)wanted * sizeof *grown);
        if (grown == NULL) return 0;
        process->polled = grown;
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
    if (!atomic_load(&process->woken) && deadline != NEVER) {
        int64_t time = deadline - mill_clock_now();
        if (time > 0) left = (struct timespec){time / 1000000000, time % 1000000000};
    } else if (deadline == NEVER && !atomic_load(&process->woken)) {
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
    if (child->closed == 0 && !hear(process, worker, child)) {
        child->closed = mill_clock_now(); /* most likely it is about to end */
    }
    if (ended) {
        bury(process, worker, child);
    } else if (child->state != MILL_CHILD_KILLED && feed(child) == MILL_TRANSFER_MEMORY) {
        garbage(process, worker, child, "the task could not be sent: out of descriptors");
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
    give_notice(process, worker);
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
            sleep_until(process, NEVER);
            continue;
        }
        enum mill_next next = mill_worker_next(worker);
        if (next == MILL_NEXT_STOP) break;
        if (next == MILL_NEXT_TASK) dispatch(process, worker);
    }
    close_children(process);
}
