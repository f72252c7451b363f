/* writer: the one thread of a process that writes to the cache.
 * Results wait in its queue and go to the disk in batches: a commit of one costs 100 to 220 us,
 * each of a large batch 16 to 30.  A failing commit ends the writing, never the run.
 *
 *     batch:  encode (compress, sum, write files)  outside the lock: the slow part
 *             lock, BEGIN IMMEDIATE, rows, names of files, COMMIT, unlock
 *             take the results out of the queue's tables
 *     idle:   move the log into the database (a PASSIVE checkpoint, which waits for nobody)
 *
 * The thread starts with the first result, with all signals blocked, and owns the connection
 * that it was given until mill_writer_stop has returned.  SPDX-License-Identifier: MIT */
#ifndef MILL_WRITER_H
#define MILL_WRITER_H

#include <zstd.h>

#include "cache/database.h"
#include "cache/queue.h"

struct writer_item;

struct mill_writer {
    struct mill_database *database;
    sqlite3 *connection; /* the thread's, while it runs */
    struct mill_queue queue;
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
    int log_pages; /* in the log after the last commit; 0 after a checkpoint */
};

/* Starts nothing.  False when memory is short. */
bool mill_writer_init(struct mill_writer *writer, struct mill_database *database,
                      sqlite3 *connection);

/* Takes the reference; starts the thread when it does not run yet. */
void mill_writer_push(struct mill_writer *writer, struct mill_pending *pending);

/* Commits what is queued, ends the thread, moves the log into the database. */
void mill_writer_stop(struct mill_writer *writer);

void mill_writer_fini(struct mill_writer *writer); /* after stop */

#endif
