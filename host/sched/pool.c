/* pool: workers that pull tasks, the runs that they come from, and all that they share.
 *
 * DESIGN.  The roots of a run that the script starts are not pushed by it: workers take them in
 * batches, in order, so that a million leaves cost no queue and few results are alive at once.
 * Those of a run that a task starts go into its worker's own deque, so that work is done depth
 * first however deep tasks start tasks.
 * SPDX-License-Identifier: MIT */
#include "sched/pool.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "sched/delay.h"
#include "sched/mail.h"
#include "sched/retry.h"
#include "sched/sleep.h"

enum { ROOT_BATCH = 64 };

/* Waking a sleeping thread takes several microseconds, up to a hundred on virtual machines: whoever
 * gave up sooner than that would always just miss it. */
static const int64_t SPIN = 200 * 1000;

/* ---- opening and closing -------------------------------------------------------------- */

static void free_workers(struct mill_worker *workers, int count)
{
    for (int i = 0; i < count; i++) mill_worker_fini(&workers[i]);
    free(workers);
}

/* The workers of `threads` threads and of the lanes, or the one of a serial pool; *total: how many.
 * NULL: no memory. */
static struct mill_worker *make_workers(struct mill_pool *pool, int threads, int *total)
{
    *total = threads > 0 ? threads + MILL_LANES - 1 : 1;
    size_t size = (size_t)*total * sizeof(struct mill_worker);
    struct mill_worker *workers = aligned_alloc(64, (size + 63) / 64 * 64);
    if (workers == NULL) return NULL;
    memset(workers, 0, size);
    for (int i = 0; i < *total; i++) {
        if (threads > 0 && i >= threads) workers[i].lane = MILL_LANE_THREAD + 1 + i - threads;
        if (!mill_worker_init(&workers[i], pool, i)) {
            free_workers(workers, i);
            return NULL;
        }
    }
    return workers;
}

static void adopt_workers(struct mill_pool *pool, struct mill_worker *workers, int threads,
                          int total)
{
    pool->options.threads = threads;
    pool->workers = workers;
    pool->worker_count = threads > 0 ? threads : 1;
    pool->worker_total = total;
    atomic_store(&pool->active, pool->worker_count);
}

tidemill_status mill_pool_init(struct mill_pool *pool, const struct mill_pool_options *options,
                               struct mill_error *error)
{
    memset(pool, 0, sizeof *pool);
    pool->options = *options;
    int total;
    struct mill_worker *workers = make_workers(pool, options->threads, &total);
    if (workers == NULL) return mill_no_memory(error, "workers");
    adopt_workers(pool, workers, options->threads, total);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_mutex_init(&pool->parked_mutex, NULL);
    mill_fans_init(&pool->fans);
    mill_timers_init(&pool->timers);
    mill_resources_init(&pool->resources);
    mill_park_init(&pool->idle);
    mill_park_init(&pool->ended);
    struct mill_cpus cpus;
    mill_cpus_count(&cpus);
    pool->cpus = cpus.usable;
    if (cpus.usable > 1) pool->spin = SPIN;
    atomic_init(&pool->levels, 1u << MILL_LEVEL_ZERO);
    return TIDEMILL_OK;
}

tidemill_status mill_pool_resize(struct mill_pool *pool, int threads, struct mill_error *error)
{
    int total;
    struct mill_worker *workers = make_workers(pool, threads, &total);
    atomic_store(&pool->stop, false);
    atomic_store(&pool->started, false);
    if (workers == NULL) return mill_no_memory(error, "workers");
    for (int i = 0; i < pool->worker_total; i++) {
        const struct mill_worker *old = &pool->workers[i];
        bool lane = threads > 0 && old->lane != MILL_LANE_THREAD;
        int heir = lane ? threads + (int)old->lane - 1 : i < threads ? i : 0;
        mill_counters_inherit(&workers[heir].counters, &old->counters);
    }
    free_workers(pool->workers, pool->worker_total);
    adopt_workers(pool, workers, threads, total);
    atomic_store(&pool->lost, 0);
    return TIDEMILL_OK;
}

struct mill_worker *mill_pool_lane(struct mill_pool *pool, enum mill_lane lane)
{
    bool there = pool->options.threads > 0 && lane > MILL_LANE_THREAD &&
                 pool->options.lanes[lane].drive &&
                 !(atomic_load_explicit(&pool->lost, memory_order_relaxed) >> lane & 1);
    return there ? &pool->workers[pool->worker_count + (int)lane - 1] : NULL;
}

void mill_pool_stop(struct mill_pool *pool)
{
    atomic_store(&pool->stop, true);
    mill_park_wake(&pool->idle, INT_MAX);
    for (int i = 0; i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        if (!worker->has_thread) continue;
        mill_worker_wake(worker);
        pthread_join(worker->thread, NULL);
        worker->has_thread = false;
    }
    atomic_store(&pool->thread_count, 0);
}

void mill_pool_fini(struct mill_pool *pool)
{
    if (pool->workers == NULL) return;
    mill_pool_stop(pool);
    free_workers(pool->workers, pool->worker_total);
    pool->workers = NULL;
    mill_resources_fini(&pool->resources);
    mill_timers_fini(&pool->timers);
    mill_fans_fini(&pool->fans);
    pthread_mutex_destroy(&pool->parked_mutex);
    pthread_mutex_destroy(&pool->mutex);
}

static void *worker_main(void *argument)
{
    struct mill_worker *worker = argument;
    const struct mill_pool_options *options = &worker->pool->options;
    if (worker->lane == MILL_LANE_THREAD) {
        options->drive(options->context, worker);
    } else {
        options->lanes[worker->lane].drive(options->lanes[worker->lane].context, worker);
    }
    return NULL;
}

/* Lua needs C stack for nested callbacks; reserved, not used: pages come when touched. */
enum { STACK_SIZE = 256 << 20, STACK_SIZE_SMALL = 16 << 20 };

/* 0, or an error's number.  Under the mutex. */
static int start_thread(struct mill_worker *worker)
{
    /* Signals are the host program's business: no engine thread takes one. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    /* Before it runs: a thread that is not counted yet does not sleep. */
    atomic_fetch_add(&worker->pool->thread_count, 1);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int failure = pthread_create(&worker->thread, &attributes, worker_main, worker);
    if (failure) {
        pthread_attr_setstacksize(&attributes, STACK_SIZE_SMALL);
        failure = pthread_create(&worker->thread, &attributes, worker_main, worker);
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    worker->has_thread = !failure;
    if (failure) atomic_fetch_sub(&worker->pool->thread_count, 1);
    return failure;
}

/* Under the mutex: two threads may submit the first run. */
static tidemill_status pool_start(struct mill_pool *pool, struct mill_error *error)
{
    int threads = pool->options.threads > 0 ? pool->worker_count : 0;
    int started = 0, failure = 0;
    while (started < threads && !failure) {
        failure = start_thread(&pool->workers[started]);
        started += !failure;
    }
    if (!failure) {
        pool->began = mill_clock_now();
        /* Release: pairs with whoever asks how long the workers have been there. */
        atomic_store_explicit(&pool->started, true, memory_order_release);
        return TIDEMILL_OK;
    }
    mill_pool_stop(pool);
    atomic_store(&pool->stop, false);
    return mill_fail(error, TIDEMILL_MEMORY, "cannot start worker thread %d of %d: %s",
                     started + 1, pool->worker_count, strerror(failure));
}

/* The lanes of a run's tasks, whose threads start by need. */
static tidemill_status start_lanes(struct mill_pool *pool, const struct mill_run *run,
                                   struct mill_error *error)
{
    static const char *const names[] = {"thread", "loop", "process"};
    tidemill_status status = TIDEMILL_OK;
    pthread_mutex_lock(&pool->mutex);
    for (uint32_t i = 0; i < run->function_count && status == TIDEMILL_OK; i++) {
        enum mill_lane lane = run->functions[i]->lane;
        struct mill_worker *worker = mill_pool_lane(pool, lane);
        if (worker == NULL || worker->has_thread) continue;
        const struct mill_lane_driver *driver = &pool->options.lanes[lane];
        if (driver->open) status = driver->open(driver->context, worker, error);
        int failure = status == TIDEMILL_OK ? start_thread(worker) : 0;
        if (failure) {
            status = mill_fail(error, TIDEMILL_MEMORY, "cannot start the %s lane: %s",
                               names[lane], strerror(failure));
        }
        if (status != TIDEMILL_OK && !run->functions[i]->lane_asked) {
            atomic_fetch_or_explicit(&pool->lost, 1u << lane, memory_order_relaxed);
            if (pool->options.lost) pool->options.lost(pool->options.context, lane, error);
            status = TIDEMILL_OK;
        }
    }
    pthread_mutex_unlock(&pool->mutex);
    return status;
}

uint32_t mill_pool_serial(struct mill_pool *pool)
{
    return atomic_fetch_add_explicit(&pool->next_serial, 1, memory_order_relaxed) + 1;
}

/* ---- runs ----------------------------------------------------------------------------- */

/* Under the mutex, all three. */
static int next_level(const struct mill_run *run)
{
    int level = MILL_LEVELS - 1;
    while (run->next_root >= run->level_end[level]) level--;
    return level;
}

static void enqueue_run(struct mill_pool *pool, struct mill_run *run)
{
    int level = next_level(run);
    struct mill_run_queue *queue = &pool->queues[level];
    run->next_queued = NULL;
    if (queue->first) {
        queue->last->next_queued = run;
    } else {
        queue->first = run;
    }
    queue->last = run;
    /* The default order: pairs with the sleeper's second look, see park.h. */
    atomic_fetch_or(&pool->queued, 1u << level);
}

static void dequeue_run(struct mill_pool *pool, int level)
{
    struct mill_run_queue *queue = &pool->queues[level];
    queue->first = queue->first->next_queued;
    if (queue->first == NULL) atomic_fetch_and(&pool->queued, ~(1u << level));
}

/* The roots of a run that a task starts, and of one whose tasks have their workers: the first one
 * comes out of a deque first. */
static void push_roots(struct mill_pool *pool, struct mill_run *run, struct mill_worker *worker)
{
    for (uint32_t i = run->root_count; i-- > 0;) {
        uint32_t at = run->placed ? run->root_count - 1 - i : i;
        struct mill_task *task = &run->tasks[run->roots[at]];
        if (run->placed && mill_pool_place(pool, worker, task)) continue;
        if (worker) {
            mill_worker_add(worker, task);
        } else {
            mill_pool_inject(pool, task);
        }
    }
}

/* Puts the roots that are for lanes behind the others, which keep their order; false: no memory. */
static bool part_roots(struct mill_pool *pool, struct mill_run *run)
{
    uint32_t kept = 0, from = 0, lanes = 0;
    uint32_t *aside = malloc((run->root_count + 1) * sizeof *aside);
    if (aside == NULL) return false;
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        for (; from < run->level_end[level]; from++) {
            uint32_t root = run->roots[from];
            bool lane = mill_pool_lane(pool, mill_task_function(&run->tasks[root])->lane);
            if (lane) {
                aside[lanes++] = root;
            } else {
                run->roots[kept++] = root;
            }
        }
        run->level_end[level] = kept;
    }
    memcpy(run->roots + kept, aside, lanes * sizeof *aside);
    run->root_count = kept;
    run->lane_roots = lanes;
    free(aside);
    return true;
}

tidemill_status mill_pool_submit(struct mill_pool *pool, struct mill_run *run,
                                 struct mill_worker *worker, struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    bool lanes = false;
    int roots = run->root_count < INT_MAX ? (int)run->root_count : INT_MAX;
    run->pool = pool;
    run->placed = run->strategy != MILL_DYNAMIC;
    if (run->strategy == MILL_ROUND_ROBIN) {
        run->turn =
            atomic_fetch_add_explicit(&pool->next_turn, run->count, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < run->function_count; i++) {
        /* Relaxed: who gets a task of the run got it after the mutex below. */
        atomic_fetch_or_explicit(&pool->levels,
                                 1u << (run->functions[i]->priority + MILL_LEVEL_ZERO),
                                 memory_order_relaxed);
        if (run->functions[i]->affinity) run->placed = true;
        lanes = lanes || mill_pool_lane(pool, run->functions[i]->lane);
    }
    if (lanes) status = start_lanes(pool, run, error);
    if (status != TIDEMILL_OK) return status;
    bool each = run->placed;
    run->placed = run->placed || lanes;
    if (lanes && !each && !worker && !part_roots(pool, run)) {
        return mill_no_memory(error, "a run's roots");
    }
    if (run->count > 0) atomic_fetch_add(&pool->running, 1);
    atomic_fetch_add_explicit(&pool->submitted, run->count, memory_order_relaxed);
    if (atomic_load(&run->token->cancelled)) { /* before it had a pool */
        atomic_fetch_add(&pool->cancels, 1);
    }
    if (!atomic_load_explicit(&pool->started, memory_order_acquire) || !worker) {
        pthread_mutex_lock(&pool->mutex);
        if (!atomic_load_explicit(&pool->started, memory_order_relaxed)) {
            status = pool_start(pool, error);
        }
        bool queue = status == TIDEMILL_OK && run->root_count > 0 && !worker && !each;
        if (queue) enqueue_run(pool, run);
        pthread_mutex_unlock(&pool->mutex);
        if (queue) mill_pool_wake(pool, roots);
    }
    if (status != TIDEMILL_OK) {
        if (run->count > 0) atomic_fetch_sub(&pool->running, 1);
        atomic_fetch_sub_explicit(&pool->submitted, run->count, memory_order_relaxed);
    } else if (worker || each) {
        push_roots(pool, run, worker);
    } else {
        /* With the last of them the run may end: what is left of it to read is on this stack. */
        uint32_t first = run->root_count, end = first + run->lane_roots;
        for (uint32_t i = first; i < end; i++) {
            mill_pool_place(pool, NULL, &run->tasks[run->roots[i]]);
        }
    }
    return status;
}

/* ---- waiting -------------------------------------------------------------------------- */

bool mill_pool_is_over(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait)
{
    if (run) return mill_run_ended(run);
    if (wait == NULL) return atomic_load(&pool->running) == 0;
    return (atomic_load(&wait->fired) != NULL || atomic_load(&wait->reasons) != 0);
}

bool mill_pool_may_spin(struct mill_pool *pool, bool script)
{
    /* Relaxed guesses: the worst that can come of them is a little waiting. */
    uint32_t parked = atomic_load_explicit(&pool->ended.waiters, memory_order_relaxed);
    int awake = atomic_load_explicit(&pool->thread_count, memory_order_relaxed) -
                atomic_load_explicit(&pool->asleep, memory_order_relaxed);
    return pool->spin > 0 && awake + (script || parked == 0) <= pool->cpus;
}

/* Looks for a while before it sleeps: most results of small tasks come at once. */
static void spin_until(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait)
{
    int64_t until = mill_clock_now() + pool->spin;
    uint32_t round = 0;
    while (!mill_pool_is_over(pool, run, wait) && mill_pool_may_spin(pool, true) &&
           mill_clock_now() < until) {
        mill_relax(round++);
    }
}

/* What the script's thread waits for is the end of a run, a wait of its own, or the end of all. */
static bool wait_until(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait,
                       int64_t deadline)
{
    if (pool->options.threads == 0 && !mill_pool_is_over(pool, run, wait)) {
        pool->deadline = deadline;
        pool->awaited_run = run;
        pool->awaited = wait;
        pool->options.drive(pool->options.context, &pool->workers[0]);
        pool->awaited = NULL;
    }
    spin_until(pool, run, wait);
    for (;;) {
        /* Again after each wake: one may come late, of a link that was taken before. */
        if (wait) atomic_store(&wait->parked, 1);
        uint32_t ticket = mill_park_prepare(&pool->ended);
        if (mill_pool_is_over(pool, run, wait) || atomic_load(&pool->interrupted)) {
            mill_park_cancel(&pool->ended);
            break;
        }
        if (!mill_park_commit(&pool->ended, ticket, deadline)) break;
    }
    return mill_pool_is_over(pool, run, wait);
}

bool mill_pool_wait(struct mill_pool *pool, struct mill_run *run, int64_t deadline)
{
    return wait_until(pool, run, NULL, deadline);
}

bool mill_pool_wait_for(struct mill_pool *pool, struct mill_wait *wait, int64_t deadline)
{
    return wait_until(pool, NULL, wait, deadline);
}

bool mill_pool_wait_all(struct mill_pool *pool, int64_t deadline)
{
    return wait_until(pool, NULL, NULL, deadline);
}

void mill_pool_wake_script(struct mill_wait *wait)
{
    struct mill_pool *pool = wait->owner;
    mill_park_wake(&pool->ended, INT_MAX);
}

static void set_blocked(struct mill_pool *pool, bool blocked, struct mill_run *run,
                        struct mill_wait *wait)
{
    pthread_mutex_lock(&pool->parked_mutex);
    pool->blocked_run = run;
    pool->blocked_wait = wait;
    /* The default order: see mill_pool_unstick.  Under the mutex: blocked for nothing in particular
     * is blocked for all runs. */
    atomic_store(&pool->blocked, blocked);
    pthread_mutex_unlock(&pool->parked_mutex);
}

void mill_pool_block(struct mill_pool *pool, struct mill_run *run, struct mill_wait *wait)
{
    set_blocked(pool, true, run, wait);
    if (pool->options.threads > 0) mill_pool_unstick(pool);
}

void mill_pool_unblock(struct mill_pool *pool)
{
    set_blocked(pool, false, NULL, NULL);
}

/* ---- waits of tasks --------------------------------------------------------------------- */

/* Both under parked_mutex. */
static void add_parked(struct mill_pool *pool, struct mill_wait *wait)
{
    wait->older = pool->parked;
    wait->newer = NULL;
    if (pool->parked) pool->parked->newer = wait;
    pool->parked = wait;
    atomic_fetch_add(&pool->parked_count, 1);
}

static void remove_parked(struct mill_pool *pool, struct mill_wait *wait)
{
    if (wait->newer) wait->newer->older = wait->older;
    if (wait->older) wait->older->newer = wait->newer;
    if (pool->parked == wait) pool->parked = wait->older;
    wait->older = wait->newer = NULL;
    atomic_fetch_sub(&pool->parked_count, 1);
}

bool mill_pool_park(struct mill_pool *pool, struct mill_wait *wait)
{
    pthread_mutex_lock(&pool->parked_mutex);
    add_parked(pool, wait);
    pthread_mutex_unlock(&pool->parked_mutex);
    /* A cancel that came before did not find it on the list.  Without any, the tokens of runs that
     * tasks of tasks have started are not walked. */
    if (wait->task && atomic_load(&pool->cancels) && mill_run_cancelled(wait->task->run)) {
        atomic_fetch_or(&wait->reasons, MILL_REASON_CANCELLED);
    }
    return mill_wait_park(wait);
}

void mill_pool_unpark(struct mill_pool *pool, struct mill_wait *wait)
{
    pthread_mutex_lock(&pool->parked_mutex);
    remove_parked(pool, wait);
    pthread_mutex_unlock(&pool->parked_mutex);
}

/* Whether any worker has something to do. */
static bool is_work(struct mill_pool *pool)
{
    if (atomic_load(&pool->stop) || atomic_load(&pool->queued) ||
        atomic_load(&pool->injected) || atomic_load(&pool->fans.open) > 0 ||
        atomic_load(&pool->outside) > 0 || mill_timers_next(&pool->timers) != INT64_MAX) {
        return true;
    }
    for (int i = 0; i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        if (mill_worker_has_mail(worker)) return true;
        for (int level = 0; level < MILL_LEVELS; level++) {
            if (mill_deque_size(&worker->deques[level]) > 0) return true;
        }
    }
    return false;
}

/* All workers sleep, the script waits for ever, and nothing is to come.  Every going on of a worker
 * changes `wakes` before it finds work, so that nobody has been awake between the two looks. */
static bool is_stuck(struct mill_pool *pool)
{
    if (pool->options.threads == 0) return !is_work(pool);
    int asleep = atomic_load(&pool->thread_count);
    uint32_t wakes = atomic_load(&pool->wakes);
    return atomic_load(&pool->blocked) && atomic_load(&pool->asleep) == asleep &&
           !is_work(pool) && atomic_load(&pool->asleep) == asleep &&
           atomic_load(&pool->wakes) == wakes;
}

/* The newest wait of a task that nothing has ended yet, else of the script; under the mutex.  NULL,
 * too, when the script will go on, though it may not have woken yet. */
static struct mill_wait *choose_victim(struct mill_pool *pool)
{
    bool blocked = atomic_load(&pool->blocked);
    if (blocked && mill_pool_is_over(pool, pool->blocked_run, pool->blocked_wait)) return NULL;
    struct mill_wait *script = NULL;
    for (struct mill_wait *wait = pool->parked; wait; wait = wait->older) {
        if (atomic_load(&wait->fired) || atomic_load(&wait->reasons)) continue;
        if (wait->task) return wait;
        script = wait;
    }
    return script;
}

bool mill_pool_unstick(struct mill_pool *pool)
{
    if (atomic_load(&pool->parked_count) == 0 || !is_stuck(pool)) return false;
    pthread_mutex_lock(&pool->parked_mutex);
    struct mill_wait *wait = is_stuck(pool) ? choose_victim(pool) : NULL;
    if (wait) mill_wait_kick(wait, MILL_REASON_STUCK);
    pthread_mutex_unlock(&pool->parked_mutex);
    return wait != NULL;
}

void mill_pool_enter_outside(struct mill_pool *pool)
{
    atomic_fetch_add(&pool->outside, 1);
}

/* Who went to sleep while it was the last one did not look whether all are stuck. */
void mill_pool_leave_outside(struct mill_pool *pool)
{
    if (atomic_fetch_sub(&pool->outside, 1) > 1) return;
    if (pool->options.threads > 0) {
        mill_pool_unstick(pool);
    } else {
        mill_pool_wake_serial(pool);
    }
}

void mill_pool_wake_serial(struct mill_pool *pool)
{
    const struct mill_lane_driver *driver = &pool->options.lanes[MILL_LANE_THREAD];
    mill_park_wake(&pool->ended, INT_MAX);
    if (driver->wake) driver->wake(driver->context);
}

/* ---- cancelling ------------------------------------------------------------------------- */

static bool is_of_cancelled(void *context, struct mill_timer *timer)
{
    (void)context;
    if (mill_retry_is_of(timer)) {
        return mill_run_cancelled(((struct mill_retry *)timer)->task->run);
    }
    return mill_delay_is_of(timer) &&
           mill_run_cancelled(((struct mill_delay *)timer)->task->run);
}

static void inject(void *context, struct mill_task *task)
{
    mill_pool_inject(context, task);
}

/* Whether its thread has started is the mutex's to say. */
static void call_lane(struct mill_pool *pool, struct mill_worker *worker)
{
    pthread_mutex_lock(&pool->mutex);
    bool there = worker->has_thread;
    pthread_mutex_unlock(&pool->mutex);
    if (there) mill_worker_call(worker);
}

void mill_run_cancel(struct mill_run *run)
{
    if (run->pool) {
        mill_pool_cancel(run->pool, run->token);
    } else {
        atomic_store_explicit(&run->token->cancelled, true, memory_order_relaxed);
    }
}

void mill_pool_cancel(struct mill_pool *pool, struct mill_token *token)
{
    atomic_store_explicit(&token->cancelled, true, memory_order_relaxed);
    /* The default order: what is parked from here on sees the token. */
    atomic_fetch_add(&pool->cancels, 1);
    mill_timers_hurry(&pool->timers, is_of_cancelled, NULL);
    mill_resources_let_go(&pool->resources, inject, pool);
    for (int i = pool->worker_count; i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        /* One that has tasks where the pool cannot reach them. */
        if (pool->options.lanes[worker->lane].sleep) call_lane(pool, worker);
    }
    pthread_mutex_lock(&pool->parked_mutex);
    for (struct mill_wait *wait = pool->parked; wait; wait = wait->older) {
        if (wait->task && mill_run_cancelled(wait->task->run)) {
            mill_wait_kick(wait, MILL_REASON_CANCELLED);
        }
    }
    pthread_mutex_unlock(&pool->parked_mutex);
}

int64_t mill_run_done(struct mill_run *run)
{
    struct mill_pool *pool = run->pool;
    int64_t done = atomic_load_explicit(&run->done, memory_order_relaxed);
    for (int i = 0; pool && i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        if (atomic_load_explicit(&worker->run, memory_order_relaxed) != run) continue;
        done += atomic_load_explicit(&worker->ended, memory_order_relaxed);
    }
    /* Counted while this looked: perhaps twice. */
    return done < run->count ? done : run->count;
}

void mill_pool_interrupt(struct mill_pool *pool)
{
    atomic_store(&pool->interrupted, true);
    mill_park_wake(&pool->ended, INT_MAX);
}

void mill_pool_resume(struct mill_pool *pool)
{
    atomic_store(&pool->interrupted, false);
}

static void wake_helpers(void *waker, int64_t chunks)
{
    struct mill_pool *pool = waker;
    mill_pool_wake(pool, chunks < INT_MAX ? (int)chunks : INT_MAX);
}

void mill_pool_fan(void *pool_, int64_t chunks, void (*body)(void *context, int64_t i),
                   void *context)
{
    struct mill_pool *pool = pool_;
    if (pool->options.threads == 0 ||
        !atomic_load_explicit(&pool->started, memory_order_relaxed)) {
        for (int64_t i = 0; i < chunks; i++) body(context, i);
        return;
    }
    mill_fans_run(&pool->fans, chunks, body, context, wake_helpers, pool);
}

/* ---- tasks for workers ------------------------------------------------------------------ */

/* A worker that spins will find what one sleeper would be woken for, and look whether there is more.
 * Should it have given up meanwhile: it takes itself off `spinning` and then looks once more, and the
 * two read-modify-writes of `spinning` have an order. */
void mill_pool_wake(struct mill_pool *pool, int count)
{
    if (count == 1 && atomic_load_explicit(&pool->spinning, memory_order_relaxed) > 0 &&
        atomic_fetch_add(&pool->spinning, 0) > 0) {
        return;
    }
    mill_park_wake_some(&pool->idle, count, MILL_TAKES_WORK);
}

void mill_pool_inject(struct mill_pool *pool, struct mill_task *task)
{
    if (task->run->placed && mill_pool_place(pool, NULL, task)) return;
    mill_pool_offer(pool, task);
}

void mill_pool_offer(struct mill_pool *pool, struct mill_task *task)
{
    mill_tasks_post(&pool->injected, task);
    mill_pool_wake(pool, 1);
}

/* Takes the next batch of roots of the oldest run that has some of the level; the batch is
 * smaller towards the end, so that the last roots spread over the workers. */
struct mill_task *mill_pool_take_roots(struct mill_worker *worker, int level)
{
    struct mill_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    struct mill_run *run = pool->queues[level].first;
    if (run == NULL) {
        pthread_mutex_unlock(&pool->mutex);
        return NULL;
    }
    uint32_t first = run->next_root, left = run->level_end[level] - first;
    uint32_t batch =
        left / (2 * (uint32_t)atomic_load_explicit(&pool->active, memory_order_relaxed)) + 1;
    enum mill_pressure pressure = mill_pool_pressure(pool);
    if (batch > ROOT_BATCH) batch = ROOT_BATCH;
    if (pressure >= MILL_PRESSURE_TARGET) batch = 1;
    run->next_root += batch;
    if (batch == left) {
        dequeue_run(pool, level);
        if (run->next_root < run->root_count) enqueue_run(pool, run);
    }
    bool more = run->next_root < run->root_count;
    pthread_mutex_unlock(&pool->mutex);
    /* While a root of it is untaken or unfinished the run stays alive. */
    for (uint32_t i = first + batch - 1; i > first; i--) {
        mill_worker_add(worker, &run->tasks[run->roots[i]]);
    }
    if (more && pressure < MILL_PRESSURE_PAUSE) mill_pool_wake(pool, 1);
    return &run->tasks[run->roots[first]];
}

bool mill_pool_may_begin(struct mill_pool *pool)
{
    /* The default orders: of several workers that go to sleep the last one sees the others. */
    return mill_pool_pressure(pool) < MILL_PRESSURE_PAUSE ||
           atomic_load(&pool->asleep) + 1 >= atomic_load(&pool->thread_count);
}

void mill_pool_ask_to_collect(struct mill_pool *pool, int64_t now)
{
    static const int64_t INTERVAL = 100 * 1000 * 1000;
    int64_t last = atomic_load_explicit(&pool->collected, memory_order_relaxed);
    if (now - last < INTERVAL ||
        !atomic_compare_exchange_strong_explicit(&pool->collected, &last, now,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        return;
    }
    for (int i = 0; i < pool->worker_total; i++) {
        struct mill_worker *worker = &pool->workers[i];
        if (worker->lane == MILL_LANE_THREAD) {
            mill_worker_call(worker);
        } else if (!pool->options.lanes[worker->lane].sleep) {
            call_lane(pool, worker);
        }
    }
}

/* Nanoseconds that a task is thought to take; 0: nobody knows. */
static int64_t estimate(const struct mill_function *function)
{
    const struct mill_mean *mean = function->mean;
    int64_t count = mean ? atomic_load_explicit(&mean->count, memory_order_relaxed) : 0;
    if (count > 0) {
        return atomic_load_explicit(&mean->nanoseconds, memory_order_relaxed) / count;
    }
    return function->cost == function->cost ? (int64_t)(function->cost * 1e9) : 0;
}

/* The worker that made the largest of a task's inputs; 0: none did. */
static int holder_of(const struct mill_task *task)
{
    const struct mill_run *run = task->run;
    size_t most = 0;
    int holder = 0;
    for (uint32_t i = 0; i < mill_task_inputs(task); i++) {
        struct mill_task *input = &run->tasks[run->inputs[task->first_input + i]];
        pthread_mutex_t *lock = run->content ? mill_run_lock(input) : NULL;
        if (lock) pthread_mutex_lock(lock);
        size_t size = 1 + (mill_task_has_value(input) ? mill_value_size(&input->result) : 0);
        if (lock) pthread_mutex_unlock(lock);
        if (input->worker && size > most) {
            most = size;
            holder = input->worker;
        }
    }
    return holder;
}

/* The worker where the task is predicted to end first; data held there decides between equals. */
static int least_loaded(struct mill_pool *pool, struct mill_task *task, int active)
{
    int best = 0, holder = holder_of(task) - 1;
    int64_t least = INT64_MAX, takes = estimate(mill_task_function(task));
    for (int i = 0; i < active; i++) {
        int64_t load = atomic_load_explicit(&pool->workers[i].load, memory_order_relaxed);
        if (load > least || (load == least && i != holder)) continue;
        least = load;
        best = i;
    }
    if (task->run->spans) {
        task->run->spans[task->index].begin = takes > 0 ? takes : 1000;
        atomic_fetch_add_explicit(&pool->workers[best].load,
                                  task->run->spans[task->index].begin, memory_order_relaxed);
    }
    return best;
}

bool mill_pool_place(struct mill_pool *pool, struct mill_worker *self, struct mill_task *task)
{
    int active = atomic_load_explicit(&pool->active, memory_order_relaxed), target = -1;
    uint64_t key = mill_task_function(task)->affinity;
    enum mill_strategy strategy = task->run->strategy;
    struct mill_worker *lane = mill_pool_lane(pool, mill_task_function(task)->lane);
    if (lane) {
        target = lane->index;
    } else if (strategy == MILL_PINNED) {
        target = task->worker - 1;
    } else if (key == MILL_FIRST_WORKER) {
        target = 0;
    } else if (key) {
        target = (int)(key % (uint64_t)active);
    } else if (strategy == MILL_ROUND_ROBIN) {
        target = (int)((task->index + task->run->turn) % (uint32_t)active);
    } else if (strategy == MILL_LOAD_BALANCED) {
        target = least_loaded(pool, task, active);
    } else if (strategy == MILL_AFFINITY) {
        target = holder_of(task) - 1;
        if (target >= active) target = -1; /* it takes no work any more */
    }
    if (target < 0) return false;
    (void)self;
    mill_worker_assign(&pool->workers[target], task);
    return true;
}

void mill_pool_set_active(struct mill_pool *pool, int active)
{
    if (active < 1) active = 1;
    if (active > pool->worker_count) active = pool->worker_count;
    atomic_store(&pool->active, active);
    mill_park_wake(&pool->idle, INT_MAX);
}

int64_t mill_pool_queued(struct mill_pool *pool)
{
    int64_t queued = atomic_load(&pool->resources.waiting_count);
    pthread_mutex_lock(&pool->mutex);
    for (int level = 0; level < MILL_LEVELS; level++) {
        struct mill_run *run = pool->queues[level].first;
        for (; run; run = run->next_queued) queued += run->root_count - run->next_root;
    }
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->worker_count; i++) {
        for (int level = 0; level < MILL_LEVELS; level++) {
            queued += mill_deque_size(&pool->workers[i].deques[level]);
        }
    }
    return queued;
}
