/* writer: the one thread of a process that writes to the cache.
 * Results wait in its queue and go to the disk in batches: a commit of one costs 100 to 220 us,
 * each of a large batch 16 to 30.  A failing commit ends the writing, never the run.
 *
 *     batch:  encode (compress, sum, write files)  outside the lock: the slow part
 *             lock, BEGIN IMMEDIATE, rows, names of files, COMMIT, unlock
 *             take the results out of the queue's tables
 *     idle:   move the log into the database (a PASSIVE checkpoint, which waits for nobody)
 *     now and then, and at the end: note what was used; remove what is beyond the limits
 *
 * The thread starts with the first result, with all signals blocked, and owns the connection
 * that it was given until mill_writer_stop has returned.  SPDX-License-Identifier: MIT */
#ifndef MILL_WRITER_H
#define MILL_WRITER_H

#include <zstd.h>

#include "cache/database.h"
#include "cache/leftovers.h"
#include "cache/queue.h"
#include "cache/sweep.h"

struct writer_item;

struct mill_writer {
    struct mill_database *database;
    sqlite3 *connection; /* the thread's, while it runs */
    struct mill_queue queue;
    struct mill_limits limits; /* fixed before the first push */
    struct mill_pins pins;     /* keys that this process has used or made */
    _Atomic bool full; /* a limit is reached and all is pinned: nothing is kept; relaxed */
    pthread_mutex_t uses_mutex;
    struct mill_uses *uses; /* guarded by uses_mutex: handed over by readers; linked */
    size_t use_count;
    _Atomic int64_t written, broken; /* relaxed: statistics */
    _Atomic bool started;            /* by a compare-exchange: one caller starts the thread */
    bool running;                    /* `thread` can be joined; settled before stop is called */
    pthread_t thread;

    /* The thread's own. */
    struct mill_pending **batch; /* MILL_QUEUE_BATCH of each */
    struct writer_item *items;
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    sqlite3_stmt *begin, *commit, *rollback;
    sqlite3_stmt *add_entry, *add_object, *has_object;
    sqlite3_stmt *get_object, *drop_object, *drop_entries;
    struct mill_leftovers leftovers;
    int log_pages; /* in the log after the last commit; 0 after a checkpoint */
    int64_t unswept_bytes, unswept_rows; /* written since the limits were looked at */
};

/* Starts nothing.  False when memory is short. */
bool mill_writer_init(struct mill_writer *writer, struct mill_database *database,
                      sqlite3 *connection);

/* Takes the reference; starts the thread when it does not run yet. */
void mill_writer_push(struct mill_writer *writer, struct mill_pending *pending);

/* Takes a reader's uses over; any thread. The table is empty afterwards. */
void mill_writer_note(struct mill_writer *writer, struct mill_uses *uses);

/* Commits what is queued, notes the uses, ends the thread, moves the log into the database. */
void mill_writer_stop(struct mill_writer *writer);

void mill_writer_fini(struct mill_writer *writer); /* after stop */

#endif
