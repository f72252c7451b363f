/* join: a task of one run that stands for the result of a task of another: futures as inputs, and
 * nodes whose result is kept.  Its node has one argument, the join; it ends as the other one has
 * ended, and waits for that without a worker.  SPDX-License-Identifier: MIT */
#ifndef MILL_JOIN_H
#define MILL_JOIN_H

#include "data/shared.h"
#include "sched/run.h"

struct mill_worker;

struct mill_join {
    struct mill_shared shared; /* first */
    struct mill_run *run;      /* with a reference */
    uint32_t wanted;           /* which of the run's wanted tasks */
    /* The last reference has gone; of the thread that built the run. */
    void (*release)(void *context, struct mill_run *run);
    void *context;
};

/* NULL: no memory.  Gains a reference of the run, and gives it back by release. */
struct mill_join *mill_join_new(struct mill_run *run, uint32_t wanted,
                                void (*release)(void *context, struct mill_run *run),
                                void *context);

/* Ends the joining task, or puts it where the end of the other run finds it. */
void mill_join_begin(struct mill_worker *worker, struct mill_task *task);

#endif
