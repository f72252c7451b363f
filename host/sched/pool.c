/* pool: workers that pull tasks, the runs that they come from, and all that they share.
 * SPDX-License-Identifier: MIT */
#include "sched/pool.h"

#include <limits.h>
#include <stdlib.h>

#include "base/cpus.h"
#include "sched/mail.h"
#include "sched/placement.h"
#include "sched/threads.h"

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

uint32_t mill_pool_serial(struct mill_pool *pool)
{
    return atomic_fetch_add_explicit(&pool->next_serial, 1, memory_order_relaxed) + 1;
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
            mill_pool_call_lane(pool, worker);
        }
    }
}

void mill_pool_set_active(struct mill_pool *pool, int active)
{
    if (active < 1) active = 1;
    if (active > pool->worker_count) active = pool->worker_count;
    atomic_store(&pool->active, active);
    mill_park_wake(&pool->idle, INT_MAX);
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

/* ---- how far the work is ---------------------------------------------------------------- */

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
