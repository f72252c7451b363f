/* sleep: what a worker does that has found no task: it looks on for a while, then sleeps until
 * somebody wakes it.  Whoever makes work visible and then wakes is seen: the worker announces that it
 * is about to sleep and looks once more, see park.h.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SLEEP_H
#define MILL_SLEEP_H

#include "sched/worker.h"

/* The worker, should it sleep, looks again how long it may; any thread. */
void mill_worker_wake(struct mill_worker *worker);

/* ---- for the worker itself ---------------------------------------------------------------- */

/* Whether there is anything for it to do.  Once it has announced its sleep it misses nothing that was
 * made visible before a wake. */
bool mill_worker_sees_work(struct mill_worker *worker);

/* Looks for work a little longer, when no other worker does; true when there is some. */
bool mill_worker_spin(struct mill_worker *worker);

void mill_worker_sleep(struct mill_worker *worker);

/* In a serial pool; nothing is ready: true when something may be after a while. */
bool mill_worker_sleep_serial(struct mill_worker *worker);

#endif
