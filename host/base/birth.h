/* birth: whether this process is still the one in which something began, or a child that has
 * forked off since: threads, locks and database connections do not come along.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_BIRTH_H
#define MILL_BIRTH_H

#include <stdbool.h>
#include <sys/types.h>

struct mill_birth {
    const volatile unsigned
        *mark; /* a page of its own, which a child finds empty; NULL: none */
    pid_t process;
};

void mill_birth_init(struct mill_birth *birth);
void mill_birth_fini(struct mill_birth *birth);

/* Any thread, and signal handlers. */
bool mill_birth_is_here(const struct mill_birth *birth);

#endif
