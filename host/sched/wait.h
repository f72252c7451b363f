/* wait: somebody waits for the end of runs, for room in a channel, for a time.
 *
 * What can be waited for is a source: it is open until it closes once and for all (the end of a
 * run), or it lets single waiters go (a channel).  A waiter attaches links, one a source, to a
 * wait object and parks on that; a link that fires lies in the wait's list of fired ones, from
 * which the waiter takes it.  So one wait serves one source or thousands.
 *
 *     waiter                           firing thread
 *     parked = 1                       push the link on fired
 *     if (fired) try to take it back   if (exchange(parked, 0) == 1) deliver the wait
 *
 * All four accesses are sequentially consistent: either the waiter sees the link, or the firing
 * thread sees the waiter parked.  Who takes `parked` from 1 to 0 is alone with that.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WAIT_H
#define MILL_WAIT_H

#include "sched/timer.h"

struct mill_task;

struct mill_link {
    struct mill_link *next;
    struct mill_wait *wait; /* with a reference, until it fires */
    uint32_t tag;           /* the waiter's own */
};

/* Why a wait ended that no link has ended. */
enum mill_reason {
    MILL_REASON_NONE = 0,
    MILL_REASON_TIME = 1,      /* its timer */
    MILL_REASON_CANCELLED = 2, /* the task that waits was cancelled */
    MILL_REASON_STUCK = 4,     /* it could never have ended */
};

struct mill_wait {
    _Atomic int32_t refs;
    _Atomic uint32_t parked;
    _Atomic uint32_t reasons; /* of mill_reason; set before the wait is delivered */
    struct mill_link *_Atomic fired;
    void (*deliver)(struct mill_wait *wait); /* the waiter is to go on; any thread */
    void *owner;                             /* deliver's */
    struct mill_wait *next_ready;            /* deliver's */
    uint32_t runner;                         /* the waiter's own */
    struct mill_task *task;                  /* that waits; NULL: the script */
    struct mill_wait *older, *newer;         /* among the pool's parked ones; under its mutex */
    struct mill_timer timer;
};

/* One reference; NULL: no memory. */
struct mill_wait *mill_wait_new(void (*deliver)(struct mill_wait *wait), void *owner);
void mill_wait_unref(struct mill_wait *wait);

/* False: not parked, because something has fired.  True: it is parked and will be delivered. */
bool mill_wait_park(struct mill_wait *wait);

/* Ends a parked wait; on one that is not parked leaves the reason for the next one to see. */
void mill_wait_kick(struct mill_wait *wait, enum mill_reason reason);

/* The next fired link, in no order; the caller frees it. NULL: none. */
struct mill_link *mill_wait_take(struct mill_wait *wait);

/* A new link to a wait, which gains a reference; NULL: no memory. */
struct mill_link *mill_link_new(struct mill_wait *wait, uint32_t tag);
void mill_link_fire(struct mill_link *link);
void mill_link_drop(
    struct mill_link *link); /* one that was never attached, or never will fire */

/* ---- sources that close once ---------------------------------------------------------------- */

struct mill_source {
    struct mill_link *_Atomic links; /* the closed mark once closed */
};

extern struct mill_link mill_source_mark;

static inline void mill_source_init(struct mill_source *source)
{
    atomic_init(&source->links, NULL);
}

/* False: it has closed already; the link stays the caller's. */
bool mill_source_attach(struct mill_source *source, struct mill_link *link);

/* Fires all links.  The caller's last access to the source: whoever sees it closed may free it. */
void mill_source_close(struct mill_source *source);

/* Drops the links of a source that will never close. */
void mill_source_fini(struct mill_source *source);

static inline bool mill_source_closed(struct mill_source *source)
{
    /* Pairs with the release in mill_source_close. */
    return atomic_load_explicit(&source->links, memory_order_acquire) == &mill_source_mark;
}

#endif
