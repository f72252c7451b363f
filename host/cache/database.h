/* database: the SQLite file of the cache: opened, made, judged, set aside; its connections.
 * A connection is used by one thread at a time; commits and checkpoints only inside the lock.
 *
 *     PATH         entry: (key, what was read) -> content    object: content -> bytes
 *     PATH-lock    held while committing, see cache/lock.h
 *     PATH-claims  who computes what, see cache/board.h
 *     PATH.d/      bytes of large objects, a file each
 *
 * Format 3.  An older one is made into it where it stands; a newer one is refused.  SPDX-License-Identifier: MIT */
#ifndef MILL_DATABASE_H
#define MILL_DATABASE_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/status.h"
#include "cache/board.h"
#include "cache/lock.h"
#include "cache/place.h"

/* What a database can still be used for; it only ever gets worse. */
enum mill_health {
    MILL_HEALTH_GOOD,
    MILL_HEALTH_UNWRITTEN, /* writing failed: what is there can be read */
    MILL_HEALTH_BROKEN,    /* damaged or unreadable: behaves as empty */
};

struct mill_database {
    struct mill_cache_place place;
    struct mill_lock lock; /* the writer's */
    struct mill_board board;
    _Atomic int health; /* enum mill_health; any thread */
    void (*warn)(void *context, const char *text);
    void *context;
};

struct mill_database_options {
    const char *path;
    bool make_folder;
    bool remote;                                   /* for tests: as if it lay on a network */
    void (*warn)(void *context, const char *text); /* may be NULL */
    void *context;
};

/* See tidemill_own_process. */
void mill_database_own_process(void);

/* Opens what is there or makes it, and connects for writing.  On failure everything is closed
 * and the reason is in *error.  Damaged files of ours are renamed and made anew. */
tidemill_status mill_database_open(struct mill_database *database,
                                   const struct mill_database_options *options,
                                   sqlite3 **connection, struct mill_error *error);

/* Closes the connection for writing that open gave, and moves the log into the database when
 * nobody else has it open. */
void mill_database_close(struct mill_database *database, sqlite3 *connection);

/* One more connection for writing: who uses it takes a lock of its own at `database`'s path. NULL
 * and a SQLite code in *code. */
sqlite3 *mill_database_connect_writer(struct mill_database *database, int *code);

/* A lock of one's own; 0 or an errno. */
int mill_database_open_lock(const struct mill_database *database, struct mill_lock *lock);

/* A connection that only reads; NULL and a SQLite code in *code.  Ends by sqlite3_close. */
sqlite3 *mill_database_connect(struct mill_database *database, int *code);

/* Notes a failure and says it through warn, the first time; any thread. */
void mill_database_fail(struct mill_database *database, enum mill_health health,
                        const char *reason);

/* mill_database_fail for a SQLite code of `connection` (may be NULL) met while reading or
 * writing.  Codes that say nothing about the database (busy, out of memory) are ignored when
 * reading. */
void mill_database_fail_reading(struct mill_database *database, sqlite3 *connection, int code);
void mill_database_fail_writing(struct mill_database *database, sqlite3 *connection, int code);

#endif
