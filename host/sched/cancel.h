/* cancel: how runs are cancelled; any thread.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CANCEL_H
#define MILL_CANCEL_H

#include "sched/pool.h"

/* No further task of `run`, and of runs that its tasks have started, starts; those that have begun
 * go on to their end, but their waits end. */
void mill_run_cancel(struct mill_run *run);

/* The same for all runs below a token. */
void mill_pool_cancel(struct mill_pool *pool, struct mill_token *token);

#endif
