/* worth: whether a result is worth keeping: what `cache = "auto"` asks.  Any thread.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WORTH_H
#define MILL_WORTH_H

#include "sched/task.h"

/* Whether to look the task up: unless tasks of its name are quicker than that. */
bool mill_worth_looking(const struct mill_function *function);

/* Whether to keep a result of `bytes` that took so long. */
bool mill_worth_keeping(const struct mill_function *function, double seconds, size_t bytes);

/* What a task took. */
void mill_worth_note(const struct mill_function *function, double seconds);

#endif
