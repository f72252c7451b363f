/* threads: what runs the workers of a pool.  SPDX-License-Identifier: MIT */
#include "sched/threads.h"

#include <limits.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "sched/mail.h"
#include "sched/sleep.h"

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

tidemill_status mill_pool_start(struct mill_pool *pool, struct mill_error *error)
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

tidemill_status mill_pool_start_lanes(struct mill_pool *pool, const struct mill_run *run,
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

/* Whether its thread has started is the mutex's to say. */
void mill_pool_call_lane(struct mill_pool *pool, struct mill_worker *worker)
{
    pthread_mutex_lock(&pool->mutex);
    bool there = worker->has_thread;
    pthread_mutex_unlock(&pool->mutex);
    if (there) mill_worker_call(worker);
}
