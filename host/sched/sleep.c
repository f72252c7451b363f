/* sleep: what a worker does that has found no task.
 * SPDX-License-Identifier: MIT */
#include "sched/sleep.h"

#include "base/clock.h"
#include "sched/await.h"
#include "sched/mail.h"
#include "sched/parked.h"
#include "sched/pool.h"

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

bool mill_worker_sees_work(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (atomic_load(&pool->stop) || mill_worker_has_mail(worker) || worker->ready ||
        mill_timers_next(&pool->timers) <= mill_clock_now()) {
        return true;
    }
    if (!mill_worker_is_active(worker)) return false;
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

bool mill_worker_spin(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (!mill_pool_may_spin(pool, false) || !mill_worker_is_active(worker) ||
        atomic_load_explicit(&pool->spinning, memory_order_relaxed) > 0) {
        return false;
    }
    atomic_fetch_add(&pool->spinning, 1); /* the default orders: see mill_pool_wake */
    int64_t until = mill_clock_now() + pool->spin;
    uint32_t round = 0;
    bool found;
    do {
        mill_relax(round++);
        found = mill_worker_sees_work(worker);
    } while (!found && mill_pool_may_spin(pool, false) && mill_clock_now() < until);
    atomic_fetch_sub(&pool->spinning, 1);
    return found;
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
    if (mill_worker_is_active(worker)) return true;
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

void mill_worker_sleep(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    uint32_t ticket = mill_park_prepare(&pool->idle);
    if (mill_worker_sees_work(worker)) {
        mill_park_cancel(&pool->idle);
        return;
    }
    /* The default orders here and below: mill_pool_unstick compares them. */
    atomic_fetch_add(&pool->asleep, 1);
    int64_t began = mill_clock_now();
    atomic_store_explicit(&worker->asleep_since, began, memory_order_relaxed);
    mill_count_up(&worker->counters.sleeps);
    const struct mill_lane_driver *driver = driver_of(worker);
    if (worker->lane != MILL_LANE_THREAD && driver->sleep) {
        mill_park_cancel(&pool->idle);
        if (!must_stay(worker) && !mill_pool_unstick(pool)) {
            driver->sleep(driver->context, worker, mill_timers_next(&pool->timers));
        }
    } else if (!must_stay(worker) && !mill_pool_unstick(pool)) {
        uint32_t bits = bit_of(worker) | (mill_worker_is_active(worker) ? MILL_TAKES_WORK : 0);
        mill_park_commit_as(&pool->idle, ticket, alarm_of(worker, began), bits);
    } else {
        mill_park_cancel(&pool->idle);
    }
    atomic_fetch_add(&pool->wakes, 1);
    atomic_fetch_sub(&pool->asleep, 1);
    int64_t now = mill_clock_now();
    atomic_store_explicit(&worker->asleep_since, 0, memory_order_relaxed);
    mill_count(&worker->counters.idle, now - began);
    mill_worker_tell(worker, MILL_EVENT_SLEEP, NULL, 0, began, now);
    collect_when_idle(worker, began, now);
}

bool mill_worker_sleep_serial(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (mill_worker_sees_work(worker))
        return true; /* telling a run of its end has made tasks ready */
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
    if (atomic_load(&pool->interrupted) || mill_worker_sees_work(worker) ||
        (!worker->nested && mill_pool_is_over(pool, pool->awaited_run, pool->awaited))) {
        mill_park_cancel(&pool->ended);
    } else {
        mill_park_commit(&pool->ended, ticket, until);
    }
    return true;
}
