/* turn: a task that waits for another process, or another run, to compute its key.
 * Who computes a key claims it (cache/board.h), from before its body runs until the result is on
 * disk.  Another task with the key looks again after a while, longer each time: it is nobody's
 * meanwhile.  A claim is taken when nothing else can keep the body from running, so that no task
 * waits with one.  SPDX-License-Identifier: MIT */
#ifndef MILL_TURN_H
#define MILL_TURN_H

#include "cache/store.h"
#include "sched/run.h"

/* How often the task has looked already. */
int mill_turn_looks(const struct mill_task *task);

/* Forgets that; before the task ends or runs. */
void mill_turn_end(struct mill_task *task);

/* Puts the task aside when the claim is worth waiting for: it will be begun again, at any time from
 * now on.  False: it is the caller's still. */
bool mill_turn_wait(struct mill_task *task, int looks, enum mill_claim claim);

#endif
