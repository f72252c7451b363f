/* sweep: keeps a cache within its limits: what is too old goes, then what was not used for the
 * longest, as the database knows it.
 *
 * Looking for what is to go happens outside the lock, removing it inside, in pieces; what was used
 * or replaced in between stays.  Bytes go with the last entry that needs them.
 * One thread at a time for a connection.  SPDX-License-Identifier: MIT */
#ifndef MILL_SWEEP_H
#define MILL_SWEEP_H

#include <sqlite3.h>

#include "cache/lock.h"
#include "cache/uses.h"

struct mill_limits {
    int64_t bytes;   /* on disk; 0: none */
    int64_t entries; /* 0: none */
    double ttl;      /* seconds since an entry was made; 0: none */
};

struct mill_sweep {
    sqlite3 *connection; /* for writing */
    const char *folder;  /* of the files */
    struct mill_lock *lock;
    struct mill_limits limits;
    const struct mill_pins *pins; /* what is spared; NULL: nothing */

    /* What came of it. */
    int64_t entries;  /* removed */
    int64_t bytes;    /* on disk, freed */
    bool full;        /* beyond a limit still: what is left is pinned */
    const char *busy; /* the lock was not to be had; NULL: it was */
};

/* Bytes that the objects take on disk, and the entries' number when `entries` is not NULL.  A SQLite
 * code. */
int mill_sweep_measure(sqlite3 *connection, int64_t *bytes, int64_t *entries);

/* Brings it below nine tenths of what is beyond its limit.  A SQLite code. */
int mill_sweep_run(struct mill_sweep *sweep);

/* Which entries go, for mill_sweep_remove. */
struct mill_sweep_victim {
    struct mill_hash key, reads_name, content;
    int64_t until; /* goes unless used or made after that: microseconds since 1970 */
    bool long_reads;
};

/* A victim of the columns key, reads_name, content, until, long_reads; false: they are damaged. */
bool mill_sweep_victim_row(sqlite3_stmt *row, struct mill_sweep_victim *victim);

/* Removes them, and the objects that no other entry needs; `victims` is put in another order. A
 * SQLite code. */
int mill_sweep_remove(struct mill_sweep *sweep, struct mill_sweep_victim *victims,
                      size_t count);

/* Removes objects that no entry needs; *objects counts them. A SQLite code. */
int mill_sweep_orphans(struct mill_sweep *sweep, int64_t *objects);

/* Gives free pages back to the file system. */
int mill_sweep_shrink(struct mill_sweep *sweep);

#endif
