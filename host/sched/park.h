/* park: where idle threads sleep.  A two-phase event count on a futex: a thread announces
 * that it is about to sleep, looks for work once more, then sleeps unless it was told in
 * between.  Nobody polls: an idle engine uses no CPU.
 *
 *     waiter:  ticket = mill_park_prepare(p);  if (work) mill_park_cancel(p);
 *              else mill_park_commit(p, ticket, deadline);
 *     waker:   make the work visible;  mill_park_wake(p, n);
 *
 * wake costs one fence and one load when nobody sleeps.  Any thread may call anything.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_PARK_H
#define MILL_PARK_H

#include <stdbool.h>
#include <stdint.h>

struct mill_park {
    _Alignas(64) _Atomic uint32_t epoch; /* the futex word: changes with every wake */
    _Atomic uint32_t waiters; /* threads between prepare and the end of commit or cancel */
};

void mill_park_init(struct mill_park *park);
uint32_t mill_park_prepare(struct mill_park *park);
void mill_park_cancel(struct mill_park *park);

/* Sleeps until woken or until `deadline` (CLOCK_MONOTONIC nanoseconds; INT64_MAX: for ever).
 * False when the deadline passed. */
bool mill_park_commit(struct mill_park *park, uint32_t ticket, int64_t deadline);
void mill_park_wake(struct mill_park *park, int count); /* INT_MAX: all */

#endif
