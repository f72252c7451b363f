/* runner: what a worker's thread does: pull tasks, run their Lua bodies in a state of its own.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_RUNNER_H
#define MILL_RUNNER_H

#include "bind/engine.h"

/* The pool's drive function; `context` is the engine. The state is opened by the first body in
 * Lua, so that a run answered by the cache alone opens none. */
void mill_runner_drive(void *context, struct mill_worker *worker);

/* Opens the worker's state, where it is not yet; false and *error. */
bool mill_runner_open(struct tidemill *engine, struct mill_worker *worker,
                      struct mill_error *error);

/* Closes the state of a serial pool's worker; threads close theirs themselves. */
void mill_runner_close(struct tidemill *engine, struct mill_worker *worker);

#endif
