/* suspended: tasks that wait while their worker runs others.
 * SPDX-License-Identifier: MIT */
#include "sched/suspended.h"

#include <stdlib.h>

#include "base/clock.h"
#include "sched/attempt.h"
#include "sched/parked.h"
#include "sched/pool.h"
#include "sched/sleep.h"

/* A running task has made others ready: it goes on running, so that they must not lie in the slot,
 * from which nobody can steal. */
static void clear_slot(struct mill_worker *worker)
{
    struct mill_task *task = worker->next;
    worker->next = NULL;
    if (task) mill_worker_add(worker, task);
}

/* Others will run before this one goes on: what ran of it so far is a stretch of its own. */
static void tell_wait(struct mill_worker *worker)
{
    if (worker->pool->options.event == NULL || worker->lane != MILL_LANE_THREAD) return;
    mill_worker_tell(worker, MILL_EVENT_WAIT, worker->task, 0, worker->since, mill_clock_now());
}

void mill_worker_suspend(struct mill_worker *worker, struct mill_suspended *kept)
{
    clear_slot(worker);
    tell_wait(worker);
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
    mill_count_up(&worker->counters.waits);
}

void mill_worker_resume(struct mill_worker *worker, struct mill_suspended *kept)
{
    mill_worker_turn_to(worker, kept->task->run);
    free(worker->held);
    mill_worker_take_up(worker, kept->task);
    worker->call = kept->call;
    worker->began = worker->since = kept->began;
    if (worker->pool->options.event && worker->lane == MILL_LANE_THREAD) {
        worker->since = mill_clock_now();
    }
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

void mill_worker_resume_next(struct mill_worker *worker)
{
    if (worker->ready == NULL) {
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
}
