/* park: where idle threads sleep.  A two-phase event count on a futex: a thread announces
 * that it is about to sleep, looks for work once more, then sleeps unless it was told in
 * between.  Nobody polls: an idle engine uses no CPU.
 *
 *     waiter:  ticket = mill_park_prepare(p);  if (work) mill_park_cancel(p);
 *              else mill_park_commit(p, ticket, deadline);
 *     waker:   make the work visible;  mill_park_wake(p, n);
 *
 * Every prepare is followed by one commit or one cancel.  A return from commit is a hint, not a
 * promise of work: a wake also sends back each thread that is between prepare and sleep, and
 * the work may be gone; look again, then prepare again.  No wake is ever lost: when commit
 * sleeps, no wake came after its prepare.
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

/* Announces the caller.  After it, the caller looks for work once more. */
uint32_t mill_park_prepare(struct mill_park *park);

/* Takes the announcement back: there is work after all. */
void mill_park_cancel(struct mill_park *park);

/* Sleeps until woken or until `deadline` (CLOCK_MONOTONIC nanoseconds; INT64_MAX: for ever).
 * False when the deadline passed and nobody called wake since prepare. */
bool mill_park_commit(struct mill_park *park, uint32_t ticket, int64_t deadline);

/* The same for one that mill_park_wake_only knows by its bits (not 0). */
bool mill_park_commit_as(struct mill_park *park, uint32_t ticket, int64_t deadline,
                         uint32_t bits);

/* Wakes at most `count` sleepers (INT_MAX: all), and sends back everybody who has prepared but
 * does not sleep yet. */
void mill_park_wake(struct mill_park *park, int count);

/* Wakes at most `count` of the sleepers that share one of the bits; the rest as mill_park_wake. */
void mill_park_wake_some(struct mill_park *park, int count, uint32_t bits);

/* Wakes all of them. */
void mill_park_wake_only(struct mill_park *park, uint32_t bits);

/* For loops that look again and again: a short pause, and now and then the CPU for whom it was woken
 * that is looked out for: it may have been put on this very one. */
void mill_relax(uint32_t round);

#endif
