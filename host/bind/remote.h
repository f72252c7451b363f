/* remote: channels of the engine, as tasks of a worker process use them: each is asked for by a
 * message over the process's socket, and the answer waited for; where the channel makes a task
 * wait, the process runs its other tasks until it is told to look again.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_REMOTE_H
#define MILL_REMOTE_H

#include "lane/lend.h"
#include "sched/pool.h"

struct mill_remotes {
    int socket;
    struct mill_pool *pool;
    struct mill_memory *memory;
    struct mill_channel *first; /* those that somebody holds; no references */
    uint64_t notices;           /* that have come */
    int64_t promises;           /* wakes that are to come; they count in the pool's `outside` */
    int bell;                   /* an eventfd; -1: none could be had, and sleeps are short */
    struct mill_inbox inbox;    /* of replies and notices */
};

/* For mill_wire.lend and mill_wire_reader.borrow. */
uint64_t mill_remotes_lend(struct mill_remotes *remotes, struct mill_shared *shared);
struct mill_shared *mill_remotes_borrow(struct mill_remotes *remotes, uint64_t number,
                                        uint64_t size);

void mill_remotes_init(struct mill_remotes *remotes);

/* In place of the serial pool's sleep: until a notice has come, `until`, or a wake. */
void mill_remotes_sleep(struct mill_remotes *remotes, int64_t until);
void mill_remotes_wake(
    struct mill_remotes *remotes); /* any thread: ends a sleep, or the next one */

/* A notice has come that was for a task that has ended. */
void mill_remotes_count(struct mill_remotes *remotes);

/* The task has ended: nothing is waited for any more. */
void mill_remotes_leave(struct mill_remotes *remotes);

/* No task runs: those that are left are of no use any more. */
void mill_remotes_fini(struct mill_remotes *remotes);

#endif
