/* processes: the process lane of an engine: which program its worker processes are, what they are
 * told, and what becomes of what they say.  SPDX-License-Identifier: MIT */
#ifndef MILL_PROCESSES_H
#define MILL_PROCESSES_H

#include "bind/engine.h"

struct mill_processes;

/* How the pool drives the lane; `engine` is given to mill_processes_open. */
struct mill_lane_driver mill_processes_driver(struct tidemill *engine);

/* No worker runs any more. */
void mill_processes_close(struct tidemill *engine);

/* The program that worker processes are; TIDEMILL_USAGE: it is not found. */
tidemill_status mill_processes_program(struct tidemill *engine, char *out, size_t room,
                                       struct mill_error *error);

struct mill_process_counts {
    double children, started, restarted, killed, timeouts;
};

/* Any thread, while the pool is open. */
struct mill_process_counts mill_processes_counts(struct tidemill *engine);

#endif
