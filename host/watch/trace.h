/* trace: what each worker did, and when, as a file for Perfetto and chrome://tracing.
 *
 * Every worker has a lane that it alone writes, without a lock; the script's thread (lane 0) and
 * whoever else is no worker share one under a mutex.  A lane is a list of chunks, up to a cap;
 * what does not fit is counted.
 *
 *                 | that worker | any thread |
 *     task, event |      x      | lane 0     |
 *     write       |             |     x      |  sees the events that were complete when it began
 *     new, free   |             |     x      |  with no worker running
 *
 * SPDX-License-Identifier: MIT */
#ifndef MILL_TRACE_H
#define MILL_TRACE_H

#include <stdint.h>

#include "base/status.h"

/* Rows of a table in trace.c: a kind more is a row more. */
enum mill_trace_kind {
    MILL_TRACE_TASK, /* argument: how it ended (mill_trace_states), and why there (mill_trace_why) */
    MILL_TRACE_HIT,   /* the cache had the result */
    MILL_TRACE_STEAL, /* argument: number of the worker stolen from */
    MILL_TRACE_SLEEP,
    MILL_TRACE_WAIT,  /* a task ran until it began to wait for others */
    MILL_TRACE_RETRY, /* argument: the attempt that failed */
    MILL_TRACE_SPILL, /* argument: bytes written out */
    MILL_TRACE_PAUSE, /* memory is short, and nothing new is begun; argument: bytes in use */
    MILL_TRACE_GO_ON, /* the end of that; the same */
    MILL_TRACE_RUN,   /* the script's thread ran a script */
    MILL_TRACE_KILL,  /* a worker process was killed, or ended */
    MILL_TRACE_KINDS,
};

enum { MILL_TRACE_CAP = 2000000, MILL_TRACE_SCRIPT = 0 };

struct mill_trace;

/* Lanes for workers 1 to `workers` (those without an event take no room in memory, and are not in
 * the file), of at most `cap` events each; NULL: no memory.  Times in the
 * file count from now. */
struct mill_trace *mill_trace_new(int workers, int64_t cap);
void mill_trace_free(struct mill_trace *trace); /* NULL is fine */

/* What the arguments of tasks stand for: names[argument % 256].  The names must outlive the trace. */
void mill_trace_states(struct mill_trace *trace, const char *const *names, int count);

/* An argument of a task that ended so, and of which something more is to be told: `why`, static text. */
int64_t mill_trace_why(struct mill_trace *trace, int state, const char *why);

/* What the file calls a worker that has many tasks at once, static text; others are "worker 1" and so
 * on.  Readers of the format nest the spans of a thread, and leave out what only overlaps: so what
 * such a worker's tasks did is written as pairs of a beginning and an end, each with a number. */
void mill_trace_title(struct mill_trace *trace, int worker, const char *title);

/* Adds what `worker` (0: the script) did from `begin` to `end` (CLOCK_MONOTONIC nanoseconds; equal:
 * a moment) with the task `name`, the name of the function with this serial number.  A lane
 * looks at the name of a serial number once; 0 is no function's and is looked up each time. */
void mill_trace_task(struct mill_trace *trace, int worker, uint32_t serial, const char *name,
                     enum mill_trace_kind kind, int64_t begin, int64_t end, int64_t argument);

/* The same without a task: it goes by the name of its kind. */
void mill_trace_event(struct mill_trace *trace, int worker, enum mill_trace_kind kind,
                      int64_t begin, int64_t end, int64_t argument);

int64_t mill_trace_count(const struct mill_trace *trace);    /* events kept */
int64_t mill_trace_left_out(const struct mill_trace *trace); /* and those that did not fit */

/* Writes the events so far; they stay. */
tidemill_status mill_trace_write(struct mill_trace *trace, const char *path,
                                 struct mill_error *error);

#endif
