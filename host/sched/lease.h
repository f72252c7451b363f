/* lease: who may have one of a limited number of things, such as connections, each of which belongs
 * to one Lua state for all its life.  The lease counts; the things themselves are the states'.
 *
 *     side of a state     lent   in somebody's hands, or being made
 *                         idle   kept for the next one
 *                         leaving  the state is to close it, so that another may make one
 *     made = the sum of all, never more than `max`
 *
 * Who finds nothing stands in a queue, and is given what becomes free: nobody overtakes.  So a
 * thing is idle only where nobody waits, and while somebody waits `made` is `max`.
 *
 * Only who waits on the stack of his state (in a callback of string.gsub, say) cannot go on while
 * others wait on top of him: of these the topmost is served first, and takes what one below was
 * given and has not come to take.
 *
 * All functions: any thread, with `worker` that of the caller's state, NULL: the script's.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LEASE_H
#define MILL_LEASE_H

#include <pthread.h>

#include "data/shared.h"
#include "sched/wait.h"

struct mill_worker;

enum mill_lease_answer {
    MILL_LEASE_NONE,   /* of a place: it is done with */
    MILL_LEASE_OWN,    /* take one that this state has kept */
    MILL_LEASE_MAKE,   /* make one: it is counted already */
    MILL_LEASE_WAIT,   /* the place stands in the queue */
    MILL_LEASE_CLOSED, /* there are none any more */
    MILL_LEASE_NEVER,  /* the script has all of them itself */
    MILL_LEASE_MEMORY, /* there is none */
};

enum { MILL_AMONG_ALL, MILL_AMONG_SIDE, MILL_AMONGS }; /* the two lists of those who wait */

struct mill_lease_place { /* of one who waits; the memory is his, and stays where it is */
    struct mill_lease_place *before[MILL_AMONGS], *after[MILL_AMONGS];
    struct mill_link *link; /* fires with the answer; NULL: nobody is told */
    uint32_t side;
    uint32_t depth;                /* on the stack of his state; 0: not on it */
    enum mill_lease_answer answer; /* written under the lease's mutex */
};

struct mill_places { /* the oldest first */
    struct mill_lease_place *first, *last;
    uint32_t count;
};

struct mill_lease_side {
    uint32_t lent, idle, leaving;
    int64_t until;            /* until then its idle ones stay, whoever waits */
    struct mill_places queue; /* who of this state wants one */
    struct mill_places given; /* those on its stack that have not taken what they were given */
    struct mill_worker *worker;
};

struct mill_lease {
    struct mill_shared shared; /* first */
    uint32_t max;
    pthread_mutex_t mutex; /* guards all below */
    bool closed, dropped;  /* dropped: it is freed with the last thing */
    uint32_t made, leaving;
    struct mill_lease_side *sides; /* the script's, then the workers' */
    uint32_t side_count;
    struct mill_places queue;   /* who wants one */
    struct mill_places closers; /* who waits until nothing is leaving */
    struct mill_timer timer;    /* the next `until` that somebody waits for */
    struct mill_worker *timed;  /* whose it is; NULL: the timer is not set */
};

extern const struct mill_shared_kind mill_lease_kind;

struct mill_lease *mill_lease_new(uint32_t max); /* NULL: no memory */

/* OWN, MAKE, CLOSED, NEVER, MEMORY; WAIT: `place`, whose `depth` the caller has set, is in the
 * queue until it has been left. */
enum mill_lease_answer mill_lease_acquire(struct mill_lease *lease, struct mill_worker *worker,
                                          struct mill_lease_place *place, int64_t now);

/* The link fires once the place has an answer, in the stead of an earlier link; false: it has one,
 * and the link stays the caller's. */
bool mill_lease_attach(struct mill_lease *lease, struct mill_lease_place *place,
                       struct mill_link *link);

/* The answer, which is the caller's from here, and the place done with; WAIT: none yet. */
enum mill_lease_answer mill_lease_take(struct mill_lease *lease,
                                       struct mill_lease_place *place);

/* Gives the place up, and to others what it was given.  Of a place done with: nothing. */
void mill_lease_leave(struct mill_lease *lease, struct mill_lease_place *place, int64_t now);

/* What MAKE allowed has been made, in so many nanoseconds. */
void mill_lease_made(struct mill_lease *lease, struct mill_worker *worker, int64_t cost,
                     int64_t now);

/* A lent one is kept, or is to leave: broken, or never made.  Gives how many are leaving: the state
 * closes so many at once, with a mill_lease_gone after each. */
uint32_t mill_lease_release(struct mill_lease *lease, struct mill_worker *worker, bool keep,
                            int64_t now);

/* The same question: when mill_worker_call has told a state to look. */
uint32_t mill_lease_look(struct mill_lease *lease, struct mill_worker *worker, int64_t now);

/* The state gives up all that are idle. */
uint32_t mill_lease_withdraw(struct mill_lease *lease, struct mill_worker *worker);

/* One that was leaving is closed.  When the lease was dropped and this was the last, it is freed. */
void mill_lease_gone(struct mill_lease *lease, struct mill_worker *worker, int64_t now);

/* No more are lent, who waits is told, and all that are idle leave. */
void mill_lease_close(struct mill_lease *lease);

/* CLOSED: nothing is leaving in a worker's state; else WAIT for that. */
enum mill_lease_answer mill_lease_drain(struct mill_lease *lease,
                                        struct mill_lease_place *place);

struct mill_lease_counts {
    uint32_t made, idle, waiting;
    bool closed;
};

struct mill_lease_counts mill_lease_counts(struct mill_lease *lease);

#endif
