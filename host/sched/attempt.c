/* attempt: one go of a task on a worker.
 *
 * COST.  What all workers would write for each task stays with the worker for a while: it counts
 * the tasks that it ends and tells the run when it turns to something else.
 * SPDX-License-Identifier: MIT */
#include "sched/attempt.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/room.h"
#include "sched/join.h"
#include "sched/mean.h"
#include "sched/pool.h"
#include "sched/retry.h"

/* Release: who reads the mean by mill_worker_doing sees the name that it has. */
void mill_worker_take_up(struct mill_worker *worker, struct mill_task *task)
{
    worker->task = task;
    atomic_store_explicit(&worker->shown, task ? mill_task_function(task)->mean : NULL,
                          memory_order_release);
}

const char *mill_worker_doing(struct mill_worker *worker)
{
    const struct mill_mean *mean = atomic_load_explicit(&worker->shown, memory_order_acquire);
    return mean ? mill_mean_name(mean) : NULL;
}

void mill_worker_settle(struct mill_worker *worker)
{
    struct mill_run *run = atomic_load_explicit(&worker->run, memory_order_relaxed);
    if (run == NULL) return;
    int64_t ended = atomic_load_explicit(&worker->ended, memory_order_relaxed);
    atomic_store_explicit(&worker->run, NULL, memory_order_relaxed);
    atomic_store_explicit(&worker->ended, 0, memory_order_relaxed);
    /* After the count the run may be freed.  With nothing to count it may be already: its tasks that
     * began here went on elsewhere. */
    atomic_fetch_add_explicit(&worker->pool->counted, ended, memory_order_relaxed);
    if (ended == 0 || !mill_run_count(run, ended)) return;
    atomic_fetch_sub(&worker->pool->running, 1);
    mill_park_wake(&worker->pool->ended, INT32_MAX);
}

void mill_worker_turn_to(struct mill_worker *worker, struct mill_run *run)
{
    if (atomic_load_explicit(&worker->run, memory_order_relaxed) == run) return;
    mill_worker_settle(worker);
    atomic_store_explicit(&worker->run, run, memory_order_relaxed);
    atomic_store_explicit(&run->begun, true, memory_order_relaxed);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void push_granted(void *context, struct mill_task *task)
{
    mill_worker_push(context, task);
}

void mill_worker_hit(struct mill_worker *worker, struct mill_task *task,
                     struct mill_value result)
{
    mill_count_up(&worker->counters.hits);
    if (worker->pool->options.event) {
        int64_t now = mill_clock_now();
        mill_worker_tell(worker, MILL_EVENT_HIT, task, 0, now, now);
    }
    mill_worker_complete(worker, task, MILL_FINISHED, result);
}

void mill_worker_complete(struct mill_worker *worker, struct mill_task *task,
                          enum mill_state state, struct mill_value result)
{
    if (state == MILL_SKIPPED && !task->run->dry) mill_count_up(&worker->counters.skipped);
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (flags & MILL_TASK_GRANTED) {
        mill_resources_give(&worker->pool->resources, task, push_granted, worker);
    }
    mill_run_complete(task->run, worker, task, state, result, mill_worker_push);
    mill_count_up(&worker->ended);
}

static void let_go(struct mill_worker *worker)
{
    for (uint32_t i = 0; i < worker->held_count; i++) mill_value_unref(worker->held[i]);
    worker->held_count = 0;
}

/* What a task was thought to take counts as this worker's load until it ends or goes elsewhere. */
static int64_t take_load(struct mill_worker *worker, struct mill_task *task)
{
    struct mill_run *run = task->run;
    if (run->strategy != MILL_LOAD_BALANCED || run->spans == NULL) return 0;
    int64_t load = run->spans[task->index].begin;
    atomic_fetch_sub_explicit(&worker->load, load, memory_order_relaxed);
    run->spans[task->index].begin = 0;
    return load;
}

static void put_load(struct mill_worker *worker, struct mill_task *task, int64_t load)
{
    if (load == 0) return;
    task->run->spans[task->index].begin = load;
    atomic_fetch_add_explicit(&worker->load, load, memory_order_relaxed);
}

/* The times of a task that has run; PENDING: of the `attempt` that another will follow. */
static void measure_task(struct mill_worker *worker, struct mill_task *task,
                         enum mill_state state, int attempt)
{
    struct mill_run *run = task->run;
    bool lane = worker->lane != MILL_LANE_THREAD;
    if (run->spans == NULL && worker->pool->options.event == NULL && !lane) return;
    int64_t now = mill_clock_now();
    if (lane) mill_count(&worker->counters.took, now - worker->began);
    mill_worker_add_pending(worker, -1);
    if (run->spans) {
        take_load(worker, task);
        bool again = state == MILL_PENDING;
        run->spans[task->index] =
            again ? (struct mill_span){0, 0} : (struct mill_span){worker->began, now};
    }
    struct mill_mean *mean = mill_task_function(task)->mean;
    if (mean) {
        atomic_fetch_add_explicit(&mean->nanoseconds, now - worker->began,
                                  memory_order_relaxed);
        atomic_fetch_add_explicit(&mean->count, 1, memory_order_relaxed);
    }
    bool again = state == MILL_PENDING;
    mill_worker_tell(worker, again ? MILL_EVENT_RETRY : MILL_EVENT_TASK, task,
                     again ? attempt : (int)state, worker->since, now);
}

void mill_worker_finish(struct mill_worker *worker, enum mill_state state,
                        struct mill_value result)
{
    if (state == MILL_FINISHED) mill_count_up(&worker->counters.finished);
    if (state == MILL_FAILED) mill_count_up(&worker->counters.failed);
    mill_worker_conclude(worker, state, result);
}

void mill_worker_conclude(struct mill_worker *worker, enum mill_state state,
                          struct mill_value result)
{
    struct mill_task *task = worker->task;
    struct mill_run *run = task->run;
    mill_worker_take_up(worker, NULL);
    if (state == MILL_FINISHED && run->hooks.after) {
        run->hooks.after(run->hooks.context, worker, task, &result);
    }
    if (run->hooks.ended) run->hooks.ended(run->hooks.context, worker, task);
    measure_task(worker, task, state, 0);
    let_go(worker);
    mill_worker_complete(worker, task, state, result);
}

int mill_worker_attempt(const struct mill_worker *worker, const double **seconds)
{
    const struct mill_retry *retry = mill_retry_find(worker->task);
    *seconds = retry ? retry->seconds : NULL;
    return retry ? retry->attempts + 1 : 1;
}

/* The running task is none any more: it will be begun again after this attempt. */
static void put_back(struct mill_worker *worker, int attempt)
{
    struct mill_task *task = worker->task;
    const struct mill_hooks *hooks = &task->run->hooks;
    mill_worker_take_up(worker, NULL);
    if (hooks->retried) hooks->retried(hooks->context, worker, task);
    measure_task(worker, task, MILL_PENDING, attempt);
    let_go(worker);
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (flags & MILL_TASK_GRANTED) {
        mill_resources_give(&worker->pool->resources, task, push_granted, worker);
    }
    mill_count_up(&worker->counters.retries);
    atomic_fetch_add_explicit(&task->run->retried, 1, memory_order_relaxed);
}

bool mill_worker_retry(struct mill_worker *worker)
{
    struct mill_task *task = worker->task;
    const struct mill_retry_rule *rule = &mill_task_function(task)->retry;
    struct mill_retry *retry = mill_retry_find(task);
    if ((retry ? retry->attempts : 0) >= rule->retries || mill_run_cancelled(task->run)) {
        return false;
    }
    int64_t now = mill_clock_now();
    retry = mill_retry_note(task, (double)(now - worker->began) / 1e9);
    if (retry == NULL) return false;
    double delay =
        mill_retry_delay(rule, retry->attempts, mill_worker_random(worker) / 4294967296.0);
    put_back(worker, retry->attempts);
    if (delay <= 0 || !mill_retry_start(retry, now + (int64_t)(delay * 1e9))) {
        mill_worker_push(worker, task);
    }
    return true;
}

bool mill_worker_again(struct mill_worker *worker, int most)
{
    struct mill_task *task = worker->task;
    if (mill_run_cancelled(task->run)) return false;
    int lost = mill_retry_note_lost(task);
    if (lost == 0 || lost > most) return false;
    const double *seconds;
    put_back(worker, mill_worker_attempt(worker, &seconds));
    mill_worker_push(worker, task);
    return true;
}

/* ---- the beginning ----------------------------------------------------------------------- */

/* In runs with a cache a result may be freed and made again while it is read: hold it. */
static struct mill_value hold(struct mill_worker *worker, struct mill_task *input)
{
    pthread_mutex_t *lock = mill_run_lock(input);
    pthread_mutex_lock(lock);
    struct mill_value value = mill_value_ref(input->result);
    pthread_mutex_unlock(lock);
    worker->held[worker->held_count++] = value;
    return value;
}

static bool reserve_cells(struct mill_value **cells, uint32_t *room, uint32_t wanted)
{
    if (wanted <= *room) return true;
    if (!mill_room_set(cells, (size_t)wanted * 2, sizeof **cells)) return false;
    *room = wanted * 2;
    return true;
}

/* Describes the call in worker->call: arguments that are results of other tasks are put in their
 * places; worker->inputs has all inputs in order, for those inside tables. */
static bool gather(struct mill_worker *worker, struct mill_task *task)
{
    const struct mill_node *node = task->node;
    const struct mill_value *arguments = mill_node_arguments(node);
    struct mill_run *run = task->run;
    worker->call.serial = mill_task_function(task)->serial;
    worker->call.count = (int32_t)node->count;
    worker->call.arguments = arguments;
    worker->input_count = node->inputs;
    if (node->inputs == 0) return true;
    if (!reserve_cells(&worker->cells, &worker->cell_room, node->count + node->inputs) ||
        (run->content && !reserve_cells(&worker->held, &worker->held_room, node->inputs))) {
        return false;
    }
    struct mill_value *inputs = worker->cells + node->count;
    for (uint32_t i = 0; i < node->inputs; i++) {
        struct mill_task *input = &run->tasks[run->inputs[task->first_input + i]];
        inputs[i] = run->content ? hold(worker, input) : input->result;
    }
    worker->inputs = inputs;
    uint32_t next = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        worker->cells[i] = arguments[i].tag == MILL_TAG_NODE ? inputs[next] : arguments[i];
        next += mill_value_nodes(&arguments[i]);
    }
    worker->call.arguments = worker->cells;
    return true;
}

static void run_c_body(struct mill_worker *worker, const struct mill_function *function)
{
    struct mill_value result = mill_nil();
    function->body(function->context, worker->call.arguments, worker->call.count, &result);
    mill_worker_finish(worker, MILL_FINISHED, result);
}

/* The key of the task's random stream: the run's seed, or the function's own, and the place of
 * its node in the order of building. */
static void set_stream(struct mill_worker *worker, const struct mill_task *task,
                       const struct mill_function *function)
{
    worker->call.stream[0] = task->run->seed;
    if (function->seed == function->seed) memcpy(&worker->call.stream[0], &function->seed, 8);
    worker->call.stream[1] = task->node->place;
}

static bool has_flag(struct mill_task *task, enum mill_task_flags flag)
{
    return atomic_load_explicit(&task->flags, memory_order_relaxed) & flag;
}

/* A task that need not be begun, as its run was cancelled or something that it needs failed, ends. */
static bool ends_before(struct mill_worker *worker, struct mill_task *task)
{
    /* Relaxed: see mill_run_cancelled. */
    if (atomic_load_explicit(&worker->pool->cancels, memory_order_relaxed) &&
        mill_run_cancelled(task->run)) {
        mill_worker_complete(worker, task, MILL_CANCELLED, mill_nil());
        return true;
    }
    if (atomic_load_explicit(&task->cause, memory_order_relaxed) != MILL_NO_CAUSE) {
        mill_worker_complete(worker, task, MILL_SKIPPED, mill_nil());
        return true;
    }
    return false;
}

/* Takes the resources that the task needs.  False: it waits for them, or has ended. */
static bool take_resources(struct mill_worker *worker, struct mill_task *task)
{
    if (!mill_resources_take(&worker->pool->resources, task)) return false;
    if (has_flag(task, MILL_TASK_GRANTED)) return true;
    mill_worker_complete(worker, task, MILL_CANCELLED, mill_nil()); /* meanwhile */
    return false;
}

/* What is known of an attempt as it begins. */
static void note_beginning(struct mill_worker *worker, struct mill_task *task,
                           const struct mill_function *function)
{
    const struct mill_run *run = task->run;
    mill_count_up(&worker->counters.executed);
    worker->call.turn = ++worker->turns;
    worker->places = 0;
    if (run->strategy != MILL_PINNED && !has_flag(task, MILL_TASK_REVIVED)) {
        task->worker = (uint16_t)(worker->index + 1); /* readers look at it without a lock */
    }
    if (run->spans || function->retry.retries || worker->pool->options.event ||
        worker->lane != MILL_LANE_THREAD) {
        worker->began = worker->since = mill_clock_now();
    }
}

bool mill_worker_begin(struct mill_worker *worker, struct mill_task *task)
{
    struct mill_run *run = task->run;
    mill_worker_turn_to(worker, run);
    mill_worker_add_pending(worker, -1);
    int64_t load = take_load(worker, task);
    if (ends_before(worker, task)) return false;
    const struct mill_function *function = mill_task_function(task);
    if (function->joins) {
        mill_join_begin(worker, task);
        return false;
    }
    set_stream(worker, task, function); /* the hook may set another */
    if (run->hooks.before &&
        run->hooks.before(run->hooks.context, worker, task) == MILL_TAKEN) {
        return false; /* the task and its run may be gone */
    }
    if (function->need_count && !has_flag(task, MILL_TASK_GRANTED) &&
        !take_resources(worker, task)) {
        return false;
    }
    mill_worker_take_up(worker, task);
    mill_worker_add_pending(worker, 1);
    put_load(worker, task, load);
    if (!gather(worker, task)) {
        bool failed = false;
        mill_worker_finish(worker, MILL_FAILED, mill_string("out of memory", 13, &failed));
        return false;
    }
    note_beginning(worker, task, function);
    if (function->body == NULL) return true;
    run_c_body(worker, function);
    return false;
}
