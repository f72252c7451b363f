/* history: how the tasks of the last runs of a scope went, for pictures of its graph.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_HISTORY_H
#define MILL_HISTORY_H

#include "sched/run.h"

enum { MILL_HISTORY_RUNS = 16 };

struct mill_past {
    uint32_t index, generation; /* of the node */
    float seconds;              /* that its body took */
    uint16_t worker;            /* from 1; 0: it did not run */
    uint8_t state;              /* mill_state */
    bool hit;                   /* answered without running */
};

struct mill_past_run {
    struct mill_past *tasks; /* by index of the node */
    uint32_t count;
};

struct mill_history { /* a ring, one thread's */
    struct mill_past_run runs[MILL_HISTORY_RUNS];
    uint32_t next;
};

/* Takes down a run that has ended, when its times were measured. */
void mill_history_note(struct mill_history *history, struct mill_run *run);
void mill_history_fini(struct mill_history *history);

/* The last run that had the node; NULL: none. */
const struct mill_past_run *mill_history_find(const struct mill_history *history,
                                              uint32_t index, uint32_t generation);

#endif
