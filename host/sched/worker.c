/* worker: one thread of a pool: finds ready tasks, one after the other.
 *
 * DESIGN.  Ready tasks lie in the deque of the worker that made them ready, one deque a
 * priority.  A worker looks, from the highest priority to the lowest, at what is for it alone, at
 * its own deque, at the roots of runs that the script has started; then at what came from
 * outside, at the others' deques, at fans; it sleeps when all are empty.  Wake-ups chain: whoever
 * makes or finds more work than it takes itself wakes one sleeper, who does the same.  One worker
 * at a time looks on for a while before it sleeps: waking a thread costs more than most tasks.
 *
 * COST.  The task that a worker makes ready last it keeps in a slot and not in its deque, for it
 * runs that one next.
 * SPDX-License-Identifier: MIT */
#include "sched/worker.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "data/spill.h"
#include "sched/attempt.h"
#include "sched/mail.h"
#include "sched/placement.h"
#include "sched/pool.h"
#include "sched/roots.h"
#include "sched/sleep.h"
#include "sched/suspended.h"
#include "sched/tasks.h"

enum { STEAL_ROUNDS = 2 };

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

void mill_worker_tell(struct mill_worker *worker, enum mill_event event, struct mill_task *task,
                      int argument, int64_t begin, int64_t end)
{
    const struct mill_pool_options *options = &worker->pool->options;
    if (options->event == NULL) return;
    options->event(options->context, worker, event, task, argument, begin, end);
}

/* ---- ready tasks ------------------------------------------------------------------------- */

static bool push_to_deque(struct mill_worker *worker, struct mill_task *task)
{
    if (mill_deque_push(&worker->deques[mill_task_level(task)], task)) return true;
    mill_task_link(task, worker->overflow);
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
            mill_count_up(&worker->counters.steals);
            if (mill_deque_size(&victim->deques[level]) > 0) {
                mill_pool_wake(worker->pool, 1);
            }
            if (worker->pool->options.event) {
                int64_t now = mill_clock_now();
                mill_worker_tell(worker, MILL_EVENT_STEAL, task, victim->index + 1, now, now);
            }
            return task;
        } while (lost);
    }
    return NULL;
}

uint32_t mill_worker_random(struct mill_worker *worker)
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
    int first = (int)(mill_worker_random(worker) % (uint32_t)workers);
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
    struct mill_task *task = mill_tasks_take(&worker->pool->injected);
    if (task == NULL) return NULL;
    while (mill_task_next(task)) { /* the last one is run, the others may be stolen */
        struct mill_task *next = mill_task_next(task);
        mill_worker_add(worker, task);
        task = next;
    }
    return task;
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
    mill_worker_sort_inbox(worker);
    bool active = mill_worker_is_active(worker);
    /* Relaxed: see mill_pool_submit.  A stale `queued` costs one more search: the second look
     * of a worker that wants to sleep is not stale. */
    uint32_t levels = atomic_load_explicit(&pool->levels, memory_order_relaxed);
    uint32_t queued = atomic_load_explicit(&pool->queued, memory_order_relaxed);
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        if (!(levels >> level & 1)) continue;
        struct mill_task *task = NULL;
        if (worker->assigned_count) task = mill_worker_take_assigned(worker, level);
        if (task == NULL) task = mill_deque_pop(&worker->deques[level]);
        if (task == NULL && active && roots && queued >> level & 1) {
            task = pop_root(worker, level);
        }
        if (task) return task;
    }
    struct mill_task *task = worker->overflow;
    if (task) worker->overflow = mill_task_next(task);
    return task || !active ? task : take_injected(worker);
}

/* ---- the loop ---------------------------------------------------------------------------- */

static void run_timers(struct mill_pool *pool)
{
    /* Relaxed: a stale time is noticed by the second look. */
    int64_t next = atomic_load_explicit(&pool->timers.next, memory_order_relaxed);
    if (next == INT64_MAX) return;
    int64_t now = mill_clock_now();
    if (next <= now) mill_timers_run(&pool->timers, now);
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
    return mill_clock_passed(pool->deadline);
}

/* While a worker spins nobody is woken for work that it will find.  When it has found some it has its
 * hands full, and looks whether there is more. */
static void hand_on(struct mill_worker *worker, bool spun)
{
    if (spun && mill_worker_sees_work(worker)) mill_pool_wake(worker->pool, 1);
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
            mill_worker_settle(worker);
            return MILL_NEXT_STOP;
        }
        run_timers(pool);
        if (mill_worker_is_called(worker)) {
            mill_worker_settle(worker);
            hand_on(worker, spun);
            return MILL_NEXT_CALLED;
        }
        if (mill_worker_take_resumed(worker)) {
            hand_on(worker, spun);
            return MILL_NEXT_READY;
        }
        if (--worker->looks < 0) look_at_memory(worker);
        bool roots = mill_pool_pressure(pool) < MILL_PRESSURE_TARGET;
        struct mill_task *task = pop(worker, roots);
        if (task == NULL) {
            mill_worker_settle(worker);
            if (pool->options.rest) pool->options.rest(pool->options.context, worker);
            if (mill_worker_take_resumed(worker)) {
                hand_on(worker, spun);
                return MILL_NEXT_READY;
            }
            bool active = mill_worker_is_active(worker);
            for (int i = 0; task == NULL && active && i < STEAL_ROUNDS; i++) {
                task = steal(worker);
            }
            if (task == NULL && active && !roots) task = pop_late_root(worker);
        }
        hand_on(worker, spun);
        spun = false;
        if (task) {
            if (mill_worker_begin(worker, task)) return MILL_NEXT_TASK;
            continue;
        }
        if (serial) {
            /* Telling a run its end may have made others' tasks ready. */
            if (!mill_worker_sees_work(worker) && !mill_worker_sleep_serial(worker))
                return MILL_NEXT_STOP;
        } else if (!mill_fans_help(&pool->fans)) {
            spun = mill_worker_spin(worker);
            if (!spun) mill_worker_sleep(worker);
        }
    }
}
