/* worker: one thread of a pool: finds ready tasks, describes their calls, ends them.
 *
 * DESIGN.  Ready tasks lie in the deque of the worker that made them ready, one deque a
 * priority.  A worker looks, from the highest priority to the lowest, at what is for it alone, at
 * its own deque, at the roots of runs that the script has started; then at what came from
 * outside, at the others' deques, at fans; it sleeps when all are empty.  Wake-ups chain: whoever
 * makes or finds more work than it takes itself wakes one sleeper, who does the same.  One worker
 * at a time looks on for a while before it sleeps: waking a thread costs more than most tasks.
 *
 * COST.  What all workers would write for each task stays with the worker for a while: it counts
 * the tasks that it ends and tells the run when it turns to something else, and the task that it
 * makes ready last it keeps in a slot and not in its deque, for it runs that one next.
 * SPDX-License-Identifier: MIT */
#include "sched/worker.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "data/spill.h"
#include "sched/join.h"
#include "sched/mean.h"
#include "sched/pool.h"
#include "sched/retry.h"

enum { STEAL_ROUNDS = 2 };

static void add_to(_Atomic int64_t *counter, int64_t number)
{
    /* One writer: no read-modify-write is needed. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + number,
                          memory_order_relaxed);
}

static void count_up(_Atomic int64_t *counter)
{
    add_to(counter, 1);
}

void mill_worker_fini(struct mill_worker *worker)
{
    for (int level = 0; level < MILL_LEVELS; level++) mill_deque_fini(&worker->deques[level]);
    free(worker->assigned);
    free(worker->cells);
    free(worker->held);
}

bool mill_worker_init(struct mill_worker *worker, struct mill_pool *pool, int index)
{
    worker->pool = pool;
    worker->index = index;
    worker->random = 2654435769u * (uint32_t)(index + 1) | 1;
    worker->call.worker = index + 1;
    worker->assigned = calloc(MILL_LEVELS, sizeof *worker->assigned);
    if (worker->assigned == NULL) return false;
    for (int level = 0; level < MILL_LEVELS; level++) {
        if (!mill_deque_init(&worker->deques[level], level == MILL_LEVEL_ZERO ? 1024 : 64)) {
            while (level-- > 0) mill_deque_fini(&worker->deques[level]);
            free(worker->assigned);
            return false;
        }
    }
    return true;
}

static int64_t counted(const _Atomic int64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void mill_worker_inherit(struct mill_worker *worker, const struct mill_worker *old)
{
    struct mill_counters *to = &worker->counters;
    const struct mill_counters *from = &old->counters;
    add_to(&to->executed, counted(&from->executed));
    add_to(&to->finished, counted(&from->finished));
    add_to(&to->failed, counted(&from->failed));
    add_to(&to->skipped, counted(&from->skipped));
    add_to(&to->steals, counted(&from->steals));
    add_to(&to->sleeps, counted(&from->sleeps));
    add_to(&to->hits, counted(&from->hits));
    add_to(&to->misses, counted(&from->misses));
    add_to(&to->retries, counted(&from->retries));
    add_to(&to->waits, counted(&from->waits));
    add_to(&to->took, counted(&from->took));
}

static void tell_event(struct mill_worker *worker, enum mill_event event,
                       struct mill_task *task, int argument, int64_t begin, int64_t end)
{
    const struct mill_pool_options *options = &worker->pool->options;
    if (options->event == NULL) return;
    options->event(options->context, worker, event, task, argument, begin, end);
}

/* Release: who reads the mean by mill_worker_doing sees the name that it has. */
void mill_worker_take_up(struct mill_worker *worker, struct mill_task *task)
{
    worker->task = task;
    atomic_store_explicit(&worker->shown, task ? mill_task_function(task)->mean : NULL,
                          memory_order_release);
}

static struct mill_task *linked(const struct mill_task *task)
{
    return (struct mill_task *)(uintptr_t)task->result.natural;
}

static void link_to(struct mill_task *task, struct mill_task *next)
{
    task->result.natural = (uint64_t)(uintptr_t)next;
}

const char *mill_worker_doing(struct mill_worker *worker)
{
    const struct mill_mean *mean = atomic_load_explicit(&worker->shown, memory_order_acquire);
    return mean ? mill_mean_name(mean) : NULL;
}

/* ---- tasks for this worker alone ------------------------------------------------------------ */

static uint32_t bit_of(const struct mill_worker *worker)
{
    return 1u << (worker->index % 31); /* the last bit is MILL_TAKES_WORK */
}

static const struct mill_lane_driver *driver_of(const struct mill_worker *worker)
{
    return &worker->pool->options.lanes[worker->lane];
}

void mill_worker_wake(struct mill_worker *worker)
{
    const struct mill_lane_driver *driver = driver_of(worker);
    if (worker->lane != MILL_LANE_THREAD && driver->wake) {
        driver->wake(driver->context);
    } else {
        mill_park_wake_only(&worker->pool->idle, bit_of(worker));
    }
}

/* Puts a task on a list that many push to and one takes whole. */
static void post(struct mill_task *_Atomic *list, struct mill_task *task)
{
    struct mill_task *first = atomic_load_explicit(list, memory_order_relaxed);
    do {
        link_to(task, first);
        /* The default order: pairs with the sleeper's second look, see park.h. */
    } while (!atomic_compare_exchange_weak(list, &first, task));
}

/* A task is given to a lane, taken up, run, ended: it is pending before and while it runs. */
static void add_pending(struct mill_worker *worker, int64_t tasks)
{
    if (worker->lane == MILL_LANE_THREAD) return;
    atomic_fetch_add_explicit(&worker->pending, tasks, memory_order_relaxed);
}

void mill_worker_assign(struct mill_worker *worker, struct mill_task *task)
{
    add_pending(worker, 1);
    post(&worker->inbox, task);
    mill_worker_wake(worker);
}

bool mill_worker_has_mail(struct mill_worker *worker)
{
    return atomic_load(&worker->inbox) != NULL || atomic_load(&worker->delivered) != NULL ||
           atomic_load(&worker->called);
}

void mill_worker_call(struct mill_worker *worker)
{
    /* The default order: pairs with the sleeper's second look, see park.h. */
    atomic_store(&worker->called, true);
    mill_worker_wake(worker);
}

static bool is_called(struct mill_worker *worker)
{
    /* Relaxed: the second look of a worker that wants to sleep is not. */
    return atomic_load_explicit(&worker->called, memory_order_relaxed) &&
           atomic_exchange(&worker->called, false);
}

static void append_task(struct mill_worker *worker, struct mill_task *task)
{
    struct mill_tasks *tasks = &worker->assigned[mill_task_level(task)];
    link_to(task, NULL);
    if (tasks->first) {
        link_to(tasks->last, task);
    } else {
        tasks->first = task;
    }
    tasks->last = task;
    worker->assigned_count++;
}

/* Takes a whole list; the oldest first. */
static struct mill_task *take_list(struct mill_task *_Atomic *list)
{
    /* Relaxed: a stale look costs one more search.  Acquire: pairs with post. */
    if (atomic_load_explicit(list, memory_order_relaxed) == NULL) return NULL;
    struct mill_task *task = atomic_exchange_explicit(list, NULL, memory_order_acquire);
    struct mill_task *first = NULL;
    while (task) {
        struct mill_task *next = linked(task);
        link_to(task, first);
        first = task;
        task = next;
    }
    return first;
}

static void read_inbox(struct mill_worker *worker)
{
    struct mill_task *task = take_list(&worker->inbox);
    while (task) {
        struct mill_task *next = linked(task);
        append_task(worker, task);
        task = next;
    }
}

static struct mill_task *take_assigned(struct mill_worker *worker, int level)
{
    struct mill_task *task = worker->assigned[level].first;
    if (task == NULL) return NULL;
    worker->assigned[level].first = linked(task);
    worker->assigned_count--;
    return task;
}

/* ---- ready tasks ------------------------------------------------------------------------------ */

static bool push_to_deque(struct mill_worker *worker, struct mill_task *task)
{
    if (mill_deque_push(&worker->deques[mill_task_level(task)], task)) return true;
    link_to(task, worker->overflow);
    worker->overflow = task;
    return false;
}

/* Whether the deques have more than the task that this worker takes itself next. */
static bool has_more(struct mill_worker *worker, uint32_t levels)
{
    int64_t tasks = 0;
    for (int level = 0; levels >> level; level++) {
        if (levels >> level & 1) tasks += mill_deque_size(&worker->deques[level]);
    }
    return tasks > 1;
}

void mill_worker_push(struct mill_worker *worker, struct mill_task *task)
{
    if (task->run->placed && mill_pool_place(worker->pool, worker, task)) return;
    if (worker->lane != MILL_LANE_THREAD) { /* it runs what is placed on it, and nothing else */
        mill_pool_offer(worker->pool, task);
        return;
    }
    uint32_t levels = atomic_load_explicit(&worker->pool->levels, memory_order_relaxed);
    if (levels & (levels - 1)) { /* several priorities: the deques sort them */
        bool pushed = push_to_deque(worker, task);
        if (pushed && has_more(worker, levels)) mill_pool_wake(worker->pool, 1);
        return;
    }
    struct mill_task *before = worker->next;
    worker->next = task;
    if (before && push_to_deque(worker, before)) mill_pool_wake(worker->pool, 1);
}

void mill_worker_add(struct mill_worker *worker, struct mill_task *task)
{
    if (worker->lane != MILL_LANE_THREAD) {
        mill_pool_offer(worker->pool, task);
        return;
    }
    if (push_to_deque(worker, task)) mill_pool_wake(worker->pool, 1);
}

static void push_granted(void *context, struct mill_task *task)
{
    mill_worker_push(context, task);
}

/* A running task has made others ready: it goes on running, so that they must not lie in the slot,
 * from which nobody can steal. */
static void clear_slot(struct mill_worker *worker)
{
    struct mill_task *task = worker->next;
    worker->next = NULL;
    if (task) mill_worker_add(worker, task);
}

static struct mill_task *steal_from(struct mill_worker *worker, struct mill_worker *victim)
{
    uint32_t levels = atomic_load_explicit(&worker->pool->levels, memory_order_relaxed);
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        if (!(levels >> level & 1)) continue;
        bool lost;
        do {
            lost = false;
            struct mill_task *task = mill_deque_steal(&victim->deques[level], &lost);
            if (task == NULL) continue;
            count_up(&worker->counters.steals);
            if (mill_deque_size(&victim->deques[level]) > 0) {
                mill_pool_wake(worker->pool, 1);
            }
            if (worker->pool->options.event) {
                int64_t now = mill_clock_now();
                tell_event(worker, MILL_EVENT_STEAL, task, victim->index + 1, now, now);
            }
            return task;
        } while (lost);
    }
    return NULL;
}

static uint32_t next_random(struct mill_worker *worker)
{
    uint32_t x = worker->random; /* xorshift32 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return worker->random = x;
}

static struct mill_task *steal(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    int workers = pool->worker_count;
    if (workers == 1) return NULL;
    int first = (int)(next_random(worker) % (uint32_t)workers);
    for (int i = 0; i < workers; i++) {
        struct mill_worker *victim = &pool->workers[(first + i) % workers];
        struct mill_task *task = victim == worker ? NULL : steal_from(worker, victim);
        if (task) return task;
    }
    return NULL;
}

/* What came from outside goes into this worker's deques. */
static struct mill_task *take_injected(struct mill_worker *worker)
{
    struct mill_task *task = take_list(&worker->pool->injected);
    if (task == NULL) return NULL;
    while (linked(task)) { /* the last one is run, the others may be stolen */
        struct mill_task *next = linked(task);
        mill_worker_add(worker, task);
        task = next;
    }
    return task;
}

static bool is_active(const struct mill_worker *worker)
{
    /* Relaxed: one that notices late takes one task more. */
    return worker->index < atomic_load_explicit(&worker->pool->active, memory_order_relaxed);
}

/* A root, when it may be begun now. */
static struct mill_task *pop_root(struct mill_worker *worker, int level)
{
    struct mill_pool *pool = worker->pool;
    if (mill_pool_may_begin(pool)) return mill_pool_take_roots(worker, level);
    atomic_store_explicit(&pool->held_back, true, memory_order_relaxed);
    return NULL;
}

/* Of any priority: while memory becomes short roots come last. */
static struct mill_task *pop_late_root(struct mill_worker *worker)
{
    struct mill_task *task = NULL;
    uint32_t queued = atomic_load_explicit(&worker->pool->queued, memory_order_relaxed);
    for (int level = MILL_LEVELS - 1; level >= 0 && task == NULL; level--) {
        if (queued >> level & 1) task = pop_root(worker, level);
    }
    return task;
}

/* From what is this worker's own or, with `roots`, nobody's yet. */
static struct mill_task *pop(struct mill_worker *worker, bool roots)
{
    struct mill_pool *pool = worker->pool;
    struct mill_task *next = worker->next;
    worker->next = NULL;
    if (next) return next;
    read_inbox(worker);
    bool active = is_active(worker);
    /* Relaxed: see mill_pool_submit.  A stale `queued` costs one more search: the second look
     * of a worker that wants to sleep is not stale. */
    uint32_t levels = atomic_load_explicit(&pool->levels, memory_order_relaxed);
    uint32_t queued = atomic_load_explicit(&pool->queued, memory_order_relaxed);
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        if (!(levels >> level & 1)) continue;
        struct mill_task *task = NULL;
        if (worker->assigned_count) task = take_assigned(worker, level);
        if (task == NULL) task = mill_deque_pop(&worker->deques[level]);
        if (task == NULL && active && roots && queued >> level & 1) {
            task = pop_root(worker, level);
        }
        if (task) return task;
    }
    struct mill_task *task = worker->overflow;
    if (task) worker->overflow = linked(task);
    return task || !active ? task : take_injected(worker);
}

/* Tells the run which tasks this worker has ended.  Before a worker does anything else than run
 * tasks of that run: a run that has ended must not wait for it. */
static void settle(struct mill_worker *worker)
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

static void turn_to(struct mill_worker *worker, struct mill_run *run)
{
    if (atomic_load_explicit(&worker->run, memory_order_relaxed) == run) return;
    settle(worker);
    atomic_store_explicit(&worker->run, run, memory_order_relaxed);
    atomic_store_explicit(&run->begun, true, memory_order_relaxed);
}

/* ---- ending tasks -------------------------------------------------------------------------------- */

void mill_worker_hit(struct mill_worker *worker, struct mill_task *task,
                     struct mill_value result)
{
    count_up(&worker->counters.hits);
    if (worker->pool->options.event) {
        int64_t now = mill_clock_now();
        tell_event(worker, MILL_EVENT_HIT, task, 0, now, now);
    }
    mill_worker_complete(worker, task, MILL_FINISHED, result);
}

void mill_worker_complete(struct mill_worker *worker, struct mill_task *task,
                          enum mill_state state, struct mill_value result)
{
    if (state == MILL_FAILED) count_up(&worker->counters.failed);
    if (state == MILL_SKIPPED && !task->run->dry) count_up(&worker->counters.skipped);
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (flags & MILL_TASK_GRANTED) {
        mill_resources_give(&worker->pool->resources, task, push_granted, worker);
    }
    mill_run_complete(task->run, worker, task, state, result, mill_worker_push);
    count_up(&worker->ended);
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

/* The times of a task that has run. */
static void measure_task(struct mill_worker *worker, struct mill_task *task,
                         enum mill_state state)
{
    struct mill_run *run = task->run;
    bool lane = worker->lane != MILL_LANE_THREAD;
    if (run->spans == NULL && worker->pool->options.event == NULL && !lane) return;
    int64_t now = mill_clock_now();
    if (lane) add_to(&worker->counters.took, now - worker->began);
    add_pending(worker, -1);
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
    tell_event(worker, again ? MILL_EVENT_RETRY : MILL_EVENT_TASK, task, (int)state,
               worker->began, now);
}

void mill_worker_finish(struct mill_worker *worker, enum mill_state state,
                        struct mill_value result)
{
    struct mill_task *task = worker->task;
    struct mill_run *run = task->run;
    mill_worker_take_up(worker, NULL);
    if (state == MILL_FINISHED) count_up(&worker->counters.finished);
    if (state == MILL_FINISHED && run->hooks.after) {
        run->hooks.after(run->hooks.context, worker, task, &result);
    }
    if (run->hooks.ended) run->hooks.ended(run->hooks.context, worker, task);
    measure_task(worker, task, state);
    let_go(worker);
    mill_worker_complete(worker, task, state, result);
}

int mill_worker_attempt(const struct mill_worker *worker, const double **seconds)
{
    const struct mill_retry *retry = mill_retry_find(worker->task);
    *seconds = retry ? retry->seconds : NULL;
    return retry ? retry->attempts + 1 : 1;
}

/* The running task is none any more: it will be begun again. */
static void put_back(struct mill_worker *worker)
{
    struct mill_task *task = worker->task;
    const struct mill_hooks *hooks = &task->run->hooks;
    mill_worker_take_up(worker, NULL);
    if (hooks->retried) hooks->retried(hooks->context, worker, task);
    measure_task(worker, task, MILL_PENDING);
    let_go(worker);
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (flags & MILL_TASK_GRANTED) {
        mill_resources_give(&worker->pool->resources, task, push_granted, worker);
    }
    count_up(&worker->counters.retries);
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
    double delay = mill_retry_delay(rule, retry->attempts, next_random(worker) / 4294967296.0);
    put_back(worker);
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
    put_back(worker);
    mill_worker_push(worker, task);
    return true;
}

/* ---- beginning tasks ----------------------------------------------------------------------------- */

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
    void *grown = realloc(*cells, (size_t)wanted * 2 * sizeof **cells);
    if (grown == NULL) return false;
    *cells = grown;
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

/* True when the worker's driver is to run the body; all else is done here. */
static bool begin_task(struct mill_worker *worker, struct mill_task *task)
{
    struct mill_run *run = task->run;
    turn_to(worker, run);
    add_pending(worker, -1);
    int64_t load = take_load(worker, task);
    /* Relaxed: see mill_run_cancelled. */
    if (atomic_load_explicit(&worker->pool->cancels, memory_order_relaxed) &&
        mill_run_cancelled(run)) {
        mill_worker_complete(worker, task, MILL_CANCELLED, mill_nil());
        return false;
    }
    if (atomic_load_explicit(&task->cause, memory_order_relaxed) != MILL_NO_CAUSE) {
        mill_worker_complete(worker, task, MILL_SKIPPED, mill_nil());
        return false;
    }
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
    if (function->need_count && !has_flag(task, MILL_TASK_GRANTED)) {
        if (!mill_resources_take(&worker->pool->resources, task)) return false;
        if (!has_flag(task, MILL_TASK_GRANTED)) { /* cancelled meanwhile */
            mill_worker_complete(worker, task, MILL_CANCELLED, mill_nil());
            return false;
        }
    }
    mill_worker_take_up(worker, task);
    add_pending(worker, 1);
    put_load(worker, task, load);
    if (!gather(worker, task)) {
        bool failed = false;
        mill_worker_finish(worker, MILL_FAILED, mill_string("out of memory", 13, &failed));
        return false;
    }
    count_up(&worker->counters.executed);
    worker->call.turn = ++worker->turns;
    worker->places = 0;
    if (run->strategy != MILL_PINNED && !has_flag(task, MILL_TASK_REVIVED)) {
        task->worker = (uint16_t)(worker->index + 1); /* readers look at it without a lock */
    }
    if (run->spans || function->retry.retries || worker->pool->options.event ||
        worker->lane != MILL_LANE_THREAD) {
        worker->began = mill_clock_now();
    }
    if (function->body == NULL) return true;
    run_c_body(worker, function);
    return false;
}

/* ---- tasks that wait -------------------------------------------------------------------------------- */

void mill_worker_suspend(struct mill_worker *worker, struct mill_suspended *kept)
{
    clear_slot(worker);
    *kept = (struct mill_suspended){
        .task = worker->task,
        .call = worker->call,
        .began = worker->began,
        .places = worker->places,
        .held = worker->held,
        .held_count = worker->held_count,
        .held_room = worker->held_room,
    };
    mill_worker_take_up(worker, NULL);
    worker->held = NULL;
    worker->held_count = worker->held_room = 0;
    count_up(&worker->counters.waits);
}

void mill_worker_resume(struct mill_worker *worker, struct mill_suspended *kept)
{
    turn_to(worker, kept->task->run);
    free(worker->held);
    mill_worker_take_up(worker, kept->task);
    worker->call = kept->call;
    worker->began = kept->began;
    worker->places = kept->places;
    worker->held = kept->held;
    worker->held_count = kept->held_count;
    worker->held_room = kept->held_room;
    kept->task = NULL;
    kept->held = NULL;
}

void mill_suspended_fini(struct mill_suspended *kept)
{
    for (uint32_t i = 0; kept->held && i < kept->held_count; i++) {
        mill_value_unref(kept->held[i]);
    }
    free(kept->held);
    *kept = (struct mill_suspended){.task = NULL};
}

void mill_worker_resumable(struct mill_wait *wait)
{
    struct mill_worker *worker = wait->owner;
    wait->next_ready = atomic_load_explicit(&worker->delivered, memory_order_relaxed);
    /* The default order: pairs with the sleeper's second look, see park.h. */
    while (!atomic_compare_exchange_weak(&worker->delivered, &wait->next_ready, wait)) {}
    if (worker->pool->options.threads > 0) {
        mill_worker_wake(worker);
    } else {
        mill_pool_wake_serial(worker->pool);
    }
}

/* True when a task that waited can go on: worker->resumed. */
static bool take_resumed(struct mill_worker *worker)
{
    if (worker->ready == NULL) {
        /* Relaxed: as in take_list. */
        if (atomic_load_explicit(&worker->delivered, memory_order_relaxed) == NULL) {
            return false;
        }
        struct mill_wait *wait =
            atomic_exchange_explicit(&worker->delivered, NULL, memory_order_acquire);
        while (wait) { /* the oldest first */
            struct mill_wait *next = wait->next_ready;
            wait->next_ready = worker->ready;
            worker->ready = wait;
            wait = next;
        }
    }
    worker->resumed = worker->ready;
    worker->ready = worker->resumed->next_ready;
    clear_slot(worker); /* it may go on for long */
    return true;
}

/* ---- the loop ----------------------------------------------------------------------------------------- */

static bool anything(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (atomic_load(&pool->stop) || mill_worker_has_mail(worker) || worker->ready ||
        mill_timers_next(&pool->timers) <= mill_clock_now()) {
        return true;
    }
    if (!is_active(worker)) return false;
    if ((atomic_load(&pool->queued) != 0 && mill_pool_may_begin(pool)) ||
        atomic_load(&pool->injected) != NULL || atomic_load(&pool->fans.open) > 0) {
        return true;
    }
    for (int i = 0; i < pool->worker_count; i++) {
        for (int level = 0; level < MILL_LEVELS; level++) {
            if (mill_deque_size(&pool->workers[i].deques[level]) > 0) return true;
        }
    }
    return false;
}

/* Looks for work a little longer, when no other worker does; true when there is some. */
static bool spin(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (!mill_pool_may_spin(pool, false) || !is_active(worker) ||
        atomic_load_explicit(&pool->spinning, memory_order_relaxed) > 0) {
        return false;
    }
    atomic_fetch_add(&pool->spinning, 1); /* the default orders: see mill_pool_wake */
    int64_t until = mill_clock_now() + pool->spin;
    uint32_t round = 0;
    bool found;
    do {
        mill_relax(round++);
        found = anything(worker);
    } while (!found && mill_pool_may_spin(pool, false) && mill_clock_now() < until);
    atomic_fetch_sub(&pool->spinning, 1);
    return found;
}

static void run_timers(struct mill_pool *pool)
{
    /* Relaxed: a stale time is noticed by the second look. */
    int64_t next = atomic_load_explicit(&pool->timers.next, memory_order_relaxed);
    if (next == INT64_MAX) return;
    int64_t now = mill_clock_now();
    if (next <= now) mill_timers_run(&pool->timers, now);
}

/* After it has counted itself asleep: whether nobody is left to take the roots that memory has held
 * back.  One who takes none himself wakes another. */
static bool must_stay(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (mill_pool_pressure(pool) < MILL_PRESSURE_PAUSE || atomic_load(&pool->queued) == 0 ||
        atomic_load(&pool->asleep) < atomic_load(&pool->thread_count)) {
        return false;
    }
    if (is_active(worker)) return true;
    mill_pool_wake(pool, 1);
    return false;
}

/* A worker whose state holds buffers sleeps for a moment only, and then collects: they may be
 * garbage. */
static const int64_t MOMENT = 5 * 1000 * 1000;

static int64_t alarm_of(const struct mill_worker *worker, int64_t now)
{
    int64_t next = mill_timers_next(&worker->pool->timers);
    if (worker->holdings.debt > 0 && now + MOMENT < next) next = now + MOMENT;
    return next;
}

static void collect_when_idle(struct mill_worker *worker, int64_t began, int64_t now)
{
    if (worker->holdings.debt <= 0 || now - began < MOMENT) return;
    worker->holdings.due = 1;
    atomic_store(&worker->called, true);
}

static void go_to_sleep(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    uint32_t ticket = mill_park_prepare(&pool->idle);
    if (anything(worker)) {
        mill_park_cancel(&pool->idle);
        return;
    }
    /* The default orders here and below: mill_pool_unstick compares them. */
    atomic_fetch_add(&pool->asleep, 1);
    int64_t began = mill_clock_now();
    atomic_store_explicit(&worker->asleep_since, began, memory_order_relaxed);
    count_up(&worker->counters.sleeps);
    const struct mill_lane_driver *driver = driver_of(worker);
    if (worker->lane != MILL_LANE_THREAD && driver->sleep) {
        mill_park_cancel(&pool->idle);
        if (!must_stay(worker) && !mill_pool_unstick(pool)) {
            driver->sleep(driver->context, worker, mill_timers_next(&pool->timers));
        }
    } else if (!must_stay(worker) && !mill_pool_unstick(pool)) {
        uint32_t bits = bit_of(worker) | (is_active(worker) ? MILL_TAKES_WORK : 0);
        mill_park_commit_as(&pool->idle, ticket, alarm_of(worker, began), bits);
    } else {
        mill_park_cancel(&pool->idle);
    }
    atomic_fetch_add(&pool->wakes, 1);
    atomic_fetch_sub(&pool->asleep, 1);
    int64_t now = mill_clock_now();
    atomic_store_explicit(&worker->asleep_since, 0, memory_order_relaxed);
    add_to(&worker->counters.idle, now - began);
    tell_event(worker, MILL_EVENT_SLEEP, NULL, 0, began, now);
    collect_when_idle(worker, began, now);
}

/* The driver of a serial pool goes back to its wait, which ends. */
static bool serial_is_over(const struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (worker->nested) return false;
    if (atomic_load_explicit(&pool->interrupted, memory_order_relaxed)) return true;
    if (pool->awaited &&
        (atomic_load(&pool->awaited->fired) || atomic_load(&pool->awaited->reasons))) {
        return true;
    }
    return pool->deadline != INT64_MAX && mill_clock_now() >= pool->deadline;
}

/* Nothing is ready: true when something may be after a while. */
static bool serial_sleep(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (anything(worker)) return true; /* telling a run of its end has made tasks ready */
    int64_t until = mill_timers_next(&pool->timers);
    /* The script goes on, and may do what tasks wait for. */
    if (!worker->nested && mill_pool_is_over(pool, pool->awaited_run, pool->awaited)) {
        return false;
    }
    bool outside = atomic_load(&pool->outside) > 0; /* then something will come */
    if (until == INT64_MAX && !outside) {
        if (!worker->nested && pool->deadline != INT64_MAX) return false;
        return mill_pool_unstick(pool);
    }
    if (!worker->nested && pool->deadline < until) until = pool->deadline;
    const struct mill_lane_driver *driver = &pool->options.lanes[MILL_LANE_THREAD];
    if (driver->sleep) {
        driver->sleep(driver->context, worker, until);
        return true;
    }
    uint32_t ticket = mill_park_prepare(&pool->ended);
    if (atomic_load(&pool->interrupted) || anything(worker) ||
        (!worker->nested && mill_pool_is_over(pool, pool->awaited_run, pool->awaited))) {
        mill_park_cancel(&pool->ended);
    } else {
        mill_park_commit(&pool->ended, ticket, until);
    }
    return true;
}

/* While a worker spins nobody is woken for work that it will find.  When it has found some it has its
 * hands full, and looks whether there is more. */
static void hand_on(struct mill_worker *worker, bool spun)
{
    if (spun && anything(worker)) mill_pool_wake(worker->pool, 1);
}

/* Looks every so many tasks, and after each one when tasks take long. */
enum { LOOK_TASKS = 16 };

static void look_at_memory(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    struct mill_memory *memory = pool->options.memory;
    worker->looks = INT_MAX;
    if (memory == NULL || memory->limit == 0) return;
    int64_t now = mill_clock_coarse();
    bool long_ago = now - worker->looked >= MILL_MEMORY_INTERVAL;
    worker->looks = long_ago ? 0 : LOOK_TASKS;
    if (!long_ago && mill_memory_pressure(memory) == MILL_PRESSURE_NONE) return;
    worker->looked = now;
    mill_memory_look(memory, mill_clock_now());
    if (mill_memory_pressure(memory) >= MILL_PRESSURE_SPILL) {
        mill_pool_ask_to_collect(pool, now);
        mill_spill_make_room(memory, 0);
    }
    if (atomic_load_explicit(&pool->held_back, memory_order_relaxed) &&
        mill_memory_pressure(memory) < MILL_PRESSURE_PAUSE &&
        atomic_exchange(&pool->held_back, false)) {
        mill_pool_wake(pool, INT_MAX);
    }
}

enum mill_next mill_worker_next(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    bool serial = pool->options.threads == 0, spun = false;
    for (;;) {
        if (atomic_load_explicit(&pool->stop, memory_order_relaxed)) return MILL_NEXT_STOP;
        if (serial && serial_is_over(worker)) {
            settle(worker);
            return MILL_NEXT_STOP;
        }
        run_timers(pool);
        if (is_called(worker)) {
            settle(worker);
            hand_on(worker, spun);
            return MILL_NEXT_CALLED;
        }
        if (take_resumed(worker)) {
            hand_on(worker, spun);
            return MILL_NEXT_READY;
        }
        if (--worker->looks < 0) look_at_memory(worker);
        bool roots = mill_pool_pressure(pool) < MILL_PRESSURE_TARGET;
        struct mill_task *task = pop(worker, roots);
        if (task == NULL) {
            settle(worker);
            if (pool->options.rest) pool->options.rest(pool->options.context, worker);
            if (take_resumed(worker)) {
                hand_on(worker, spun);
                return MILL_NEXT_READY;
            }
            bool active = is_active(worker);
            for (int i = 0; task == NULL && active && i < STEAL_ROUNDS; i++) {
                task = steal(worker);
            }
            if (task == NULL && active && !roots) task = pop_late_root(worker);
        }
        hand_on(worker, spun);
        spun = false;
        if (task) {
            if (begin_task(worker, task)) return MILL_NEXT_TASK;
            continue;
        }
        if (serial) {
            /* Telling a run its end may have made others' tasks ready. */
            if (!anything(worker) && !serial_sleep(worker)) return MILL_NEXT_STOP;
        } else if (!mill_fans_help(&pool->fans)) {
            spun = spin(worker);
            if (!spun) go_to_sleep(worker);
        }
    }
}
