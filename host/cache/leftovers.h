/* leftovers: what entries that were replaced have left: bytes that no entry needs any more, perhaps.
 * Who needs them is found out by one way through all entries, for many of them at once.
 * The writer's thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_LEFTOVERS_H
#define MILL_LEFTOVERS_H

#include "cache/sweep.h"

struct mill_leftovers {
    struct mill_sweep_victim *list;
    size_t count, room;
    sqlite3_stmt *find, *drop;
};

enum { MILL_LEFTOVERS_MOST = 4096 }; /* then it is time to sweep */

/* A SQLite code. */
int mill_leftovers_prepare(struct mill_leftovers *leftovers, sqlite3 *connection);
void mill_leftovers_fini(
    struct mill_leftovers *leftovers); /* before the connection is closed */

/* In a transaction: removes all entries of a key and takes down their contents.  A SQLite code. */
int mill_leftovers_replace(struct mill_leftovers *leftovers, struct mill_hash key);

/* Removes what nobody needs.  A SQLite code. */
int mill_leftovers_sweep(struct mill_leftovers *leftovers, struct mill_sweep *sweep);

#endif
