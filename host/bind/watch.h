/* watch: the log and the trace of an engine, opened and written as its settings say.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WATCH_H
#define MILL_WATCH_H

#include "bind/engine.h"

/* Before a script runs: opens the log and the cache that the environment or the command line has
 * named, so that what is wrong with them is told before anything has run. */
tidemill_status mill_watch_begin(struct tidemill *engine, struct mill_error *error);

/* Before the workers start: engine->trace when a trace was asked for.  Again is fine. */
tidemill_status mill_watch_trace(struct tidemill *engine, struct mill_error *error);

/* Any thread: opens the log as set, once.  One that cannot be opened is a warning. */
void mill_watch_log(struct tidemill *engine);

/* After a script: writes the trace. */
tidemill_status mill_watch_end(struct tidemill *engine, struct mill_error *error);

/* When the workers have stopped for good: writes what no mill_watch_end has written. */
void mill_watch_close(struct tidemill *engine);

/* Notes in the trace that the script's thread ran `name` since `begin`. */
void mill_watch_ran(struct tidemill *engine, const char *name, int64_t begin);

#endif
