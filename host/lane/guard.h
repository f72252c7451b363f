/* guard: a small process that outlives this one by a moment, to end what it has left running.
 * It is told which process groups there are, notices that this process is gone, however it went, and kills
 * those that are left.  One thread's: the hub's.  SPDX-License-Identifier: MIT */
#ifndef MILL_GUARD_H
#define MILL_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

struct mill_guard { /* zeros: not started yet */
    pid_t process;
    int line;  /* a socket to it */
    int watch; /* its pidfd; -1: it cannot be waited for */
    bool
        tried; /* to start it; without it programs alone die with us, not what they have started */
};

/* There is a group, or, before its leader is reaped, there was.  Starts the guard by need; one that cannot
 * be started is done without. */
void mill_guard_add(struct mill_guard *guard, pid_t group);
void mill_guard_remove(struct mill_guard *guard, pid_t group);

/* Ends the guard.  No group is left. */
void mill_guard_fini(struct mill_guard *guard);

#endif
