/* adaptive: how many workers there should be, from how busy the machine is; and the thread that
 * asks now and then.
 *
 * THE RULE, in order of precedence; of these the first that holds is the step:
 *     memory over 85 %                                  two workers fewer
 *     CPU under 50 % and more than 100 tasks queued     two more
 *     CPU over 90 % and memory under 70 %               one fewer
 * and the result lies within minimum..maximum, whatever the step.  Memory comes first because
 * too much of it ends the process, too little speed does not.
 *
 * THE THREAD decides once an interval while there is something to do, and sleeps without a
 * timeout while there is nothing: an idle engine makes no context switch.  Its first reading
 * after such a sleep only begins an interval, so that idleness is not mistaken for a lack of
 * workers.  SPDX-License-Identifier: MIT */
#ifndef MILL_ADAPTIVE_H
#define MILL_ADAPTIVE_H

#include <pthread.h>

#include "base/status.h"
#include "sched/park.h"

struct mill_adaptive_rule {
    int minimum, maximum; /* 1 <= minimum <= maximum */
};

/* The new number of workers.  `cpu` and `memory` are shares, 0 to 1; NaN, for not known, makes
 * no condition true that asks for it.  `queued`: tasks that are ready and wait for a worker. */
int mill_adaptive_step(const struct mill_adaptive_rule *rule, double cpu, double memory,
                       int64_t queued, int active);

/* All are called by the controlling thread, one at a time and never under a lock of its own. */
struct mill_adaptive_options {
    struct mill_adaptive_rule rule;
    int64_t interval;            /* nanoseconds between two decisions, > 0 */
    int active;                  /* workers at the start */
    bool (*busy)(void *context); /* whether anything runs or waits to run */
    void (*sample)(void *context, double *cpu, double *memory); /* since the last sample */
    int64_t (*queued)(void *context);
    int (*set)(void *context, int workers); /* returns how many there are now */
    void *context;
};

struct mill_adaptive {
    struct mill_adaptive_options options;
    struct mill_park work; /* sleeps here while nothing is to be done */
    struct mill_park end;  /* and here for an interval */
    _Atomic bool stopping;
    pthread_t thread;
};

/* Starts the thread; `set` is called at once when `active` is outside of the rule.  On failure
 * there is nothing to stop. */
tidemill_status mill_adaptive_start(struct mill_adaptive *adaptive,
                                    const struct mill_adaptive_options *options,
                                    struct mill_error *error);

/* After work has been made visible to `busy`.  Any thread; a fence and a load while the thread
 * does not sleep for want of work. */
void mill_adaptive_poke(struct mill_adaptive *adaptive);

/* Ends the thread: at once, but for a callback that is running.  Nobody pokes any more. */
void mill_adaptive_stop(struct mill_adaptive *adaptive);

#endif
