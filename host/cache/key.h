/* key: what names the result of a task: a hash of its function (policy.salt) and of its arguments, in
 * which the result of another task counts by content.  SPDX-License-Identifier: MIT */
#ifndef MILL_KEY_H
#define MILL_KEY_H

#include "sched/run.h"

enum { MILL_CALLED = 16 }; /* arguments of a call that are told apart */

/* The key of a task and what it was made of, besides the function. */
struct mill_called {
    struct mill_hash key;
    uint32_t count; /* of arguments */
    uint64_t arguments[MILL_CALLED];
};

/* The key that a task, whose inputs have content hashes, has with a function of that salt; false: no
 * memory. */
bool mill_key_of(const struct mill_task *task, struct mill_hash salt,
                 struct mill_called *called);

/* The key that it has with its own function. */
bool mill_task_key(const struct mill_task *task, struct mill_hash *key);

#endif
