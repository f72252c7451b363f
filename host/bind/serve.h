/* serve: what a worker process does: it takes the tasks of an engine in another process, one after
 * the other, and runs each as a run of one node in a serial engine of its own.
 * The other side is host/lane/process.c with host/bind/processes.c.  SPDX-License-Identifier: MIT */
#ifndef MILL_SERVE_H
#define MILL_SERVE_H

#include "bind/engine.h"
#include "lane/order.h"

struct mill_serve;

/* Serves over the socket until its other end is closed; the exit status of the process. */
int mill_serve_run(struct tidemill *engine, int socket);

/* How its serial pool sleeps, which is over the socket too: see struct mill_lane_driver. */
void mill_serve_sleep(void *engine, struct mill_worker *worker, int64_t until);
void mill_serve_wake(void *engine); /* any thread */

/* The task that was sent, when it is the running one of this worker; NULL: this is no worker
 * process, or a task of that task runs. */
const struct mill_order *mill_serve_order(const struct mill_worker *worker,
                                          struct tidemill *engine);

/* How long its earlier attempts took. */
const double *mill_serve_seconds(const struct tidemill *engine);

/* Whether a value of the task can leave the process; `where` says in messages which it is. */
tidemill_status mill_serve_check(struct tidemill *engine, const struct mill_value *value,
                                 const char *where, struct mill_error *error);

/* It has failed, and its retry_on says that another attempt may help. */
void mill_serve_note_worth(struct tidemill *engine);

/* A line of the log, for the engine. */
void mill_serve_log(struct tidemill *engine, const struct mill_log_line *line);

#endif
