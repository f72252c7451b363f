/* flight: tasks in worker processes: how they get there, wait there, and end.
 * What the process lane does with the flight of a child; its thread alone.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FLIGHT_H
#define MILL_FLIGHT_H

#include "lane/process.h"

#define MILL_NEVER INT64_MAX /* a time that does not come, a limit that is none */

static inline void mill_flight_count(_Atomic int64_t *counter, int64_t number)
{
    atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

/* Gives the running task to a child, or ends it with the reason why not. */
void mill_flight_begin(struct mill_process *process, struct mill_worker *worker);

/* Sends what waits for a child, as far as that takes it; an order waits until it is ready. */
enum mill_transfer mill_flight_feed(struct mill_child *child);

/* The child has answered; takes over the answer's value. */
void mill_flight_end(struct mill_process *process, struct mill_worker *worker,
                     struct mill_child *child, struct mill_answer *answer);

/* The flight of a child ends with this message, as a failure; the child is none of its business any
 * more. */
void mill_flight_crash(struct mill_process *process, struct mill_worker *worker,
                       struct mill_child *child, const char *message);

/* The same by a signal from outside: the task is not to blame, and begins again. */
void mill_flight_lose(struct mill_process *process, struct mill_worker *worker,
                      struct mill_child *child, const char *message);

/* What hangs on a flight that will not land: the pool stops. */
void mill_flight_drop(struct mill_process *process, struct mill_child *child);

/* A task that waits for channels in its child is one of the pool's tasks that wait: it may be found to
 * wait for ever, and holds up no other. */
void mill_flight_begin_wait(struct mill_process *process, struct mill_child *child,
                            void (*deliver)(struct mill_wait *wait));
void mill_flight_end_wait(struct mill_process *process, struct mill_child *child);
bool mill_flight_is_stuck(const struct mill_child *child);

/* For wires to and from a child. */
uint64_t mill_flight_lend(void *child, struct mill_shared *shared, uint64_t *size);
struct mill_shared *mill_flight_borrow(void *child, uint64_t number, uint64_t size);

void mill_flight_stop(struct mill_process *process, struct mill_child *child); /* kills it */
void mill_flight_tell(struct mill_process *process, struct mill_worker *worker,
                      enum mill_process_event event, const struct mill_task *task,
                      const char *text);

#endif
