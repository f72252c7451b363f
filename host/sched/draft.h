/* draft: the tasks of a run that is being built: what some wanted nodes need, each once, inputs first.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_DRAFT_H
#define MILL_DRAFT_H

#include "sched/run.h"

/* Fills a new run, whose list `wanted` has room for the nodes `wanted` of its graph; see mill_run_new.
 * False: nothing was done to the graph, and the run has no tasks. */
bool mill_draft(struct mill_run *run, const uint32_t *wanted, uint32_t wanted_count,
                mill_function_of *function_of, void *context, struct mill_error *error);

#endif
