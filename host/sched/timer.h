/* timer: things that are due at a time: the end of a wait, the next attempt of a task.
 * A binary heap under a mutex; who asks only for the next time takes no lock.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_TIMER_H
#define MILL_TIMER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mill_timer {
    int64_t when; /* CLOCK_MONOTONIC nanoseconds */
    size_t place; /* in the heap, from 1; 0: not in it */
    /* Called once, under the timers' mutex: hands the thing on, adds and removes no timer. */
    void (*fire)(struct mill_timer *timer);
};

struct mill_timers {
    pthread_mutex_t mutex;
    struct mill_timer **heap; /* from index 1; guarded by mutex */
    size_t count, room;
    _Atomic int64_t next; /* earliest time; INT64_MAX: none. Written under mutex */
};

void mill_timers_init(struct mill_timers *timers);
void mill_timers_fini(struct mill_timers *timers); /* forgets what is left */

/* Starts a timer that is not running; false: no memory. */
bool mill_timers_add(struct mill_timers *timers, struct mill_timer *timer);

/* The same unless refuse(timer), which is asked under the mutex: who makes it true first and then
 * hurries the timers misses none. */
bool mill_timers_add_unless(struct mill_timers *timers, struct mill_timer *timer,
                            bool (*refuse)(const struct mill_timer *timer));

/* Stops it; false when it has fired.  After it the timer's memory is the caller's again. */
bool mill_timers_remove(struct mill_timers *timers, struct mill_timer *timer);

/* Fires what is due at `now`. */
void mill_timers_run(struct mill_timers *timers, int64_t now);

/* Fires, whatever their time, those for which which(context, timer). */
void mill_timers_hurry(struct mill_timers *timers,
                       bool (*which)(void *context, struct mill_timer *timer), void *context);

static inline int64_t mill_timers_next(struct mill_timers *timers)
{
    /* The default order: pairs with the sleeper's second look, see park.h. */
    return atomic_load(&timers->next);
}

#endif
