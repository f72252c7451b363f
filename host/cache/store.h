/* store: keys, content and bytes of results in one SQLite file, shared by processes.
 * One writer thread commits in batches; each thread that looks things up owns a reader.
 * Nothing here raises: a store that cannot be used warns once and behaves as empty.
 *
 *     who may call        any thread                      the reader's thread
 *                         mill_store_put, _flush,         mill_reader_*
 *                         _numbers, _path
 * open and close are called by one thread, with no other call in progress; readers are closed
 * before their store.
 *
 * When something goes wrong in mid-run: a commit that fails (disk full, read-only, input or
 * output error, locked for long) ends the writing: what is queued is dropped, puts do
 * nothing, what is on disk is still found.  A damaged or unreadable database ends everything;
 * the next process to open it checks it and sets it aside.  SPDX-License-Identifier: MIT */
#ifndef MILL_STORE_H
#define MILL_STORE_H

#include "base/hash.h"
#include "base/status.h"
#include "cache/board.h"
#include "cache/sweep.h"
#include "data/buffer.h"
#include "data/value.h"

struct mill_store;
struct mill_reader;

struct mill_store_options {
    const char *path; /* database file; its folder is made (0700) when `make_folder` */
    bool make_folder;
    struct mill_memory *memory; /* accounts what load returns; may be NULL */
    struct mill_limits limits;
    bool
        default_limit; /* of bytes: the smaller of 10 GB and a tenth of what the disk has free */
    bool remote;       /* for tests: as if it lay on a network file system */
    /* Told, at most once each, that a damaged database was set aside while opening, and that
     * the cache cannot be used any more, and why; from any thread.  May be NULL. */
    void (*warn)(void *context, const char *text);
    void *context;
};

/* Opens (or creates) the database; the writer starts with the first put.  On a status other
 * than OK the reason is in *error and *store is NULL: run without.  A file of ours that is
 * damaged is renamed to PATH.broken-N, said through warn, and a new one made; a file that is
 * not a SQLite database, or is one of somebody else (application_id), or of a newer format, is
 * never touched: that is a failure. */
tidemill_status mill_store_open(const struct mill_store_options *options,
                                struct mill_store **store, struct mill_error *error);

/* Commits what is queued and stops the writer.  NULL is fine. */
void mill_store_close(struct mill_store *store);

/* What mill_reader_find returns: one way in which a key was once answered.  `reads` is an
 * opaque list of what the task read besides its arguments; the caller checks that it still
 * holds. */
struct mill_entry {
    struct mill_hash content;
    const void *reads; /* valid until the visit returns */
    size_t reads_size;
    int64_t made; /* microseconds since 1970, UTC */
};

/* A reader connects with its first look-up.  NULL: short of memory. */
struct mill_reader *mill_reader_open(struct mill_store *store);
void mill_reader_close(struct mill_reader *reader); /* NULL is fine */

/* Ends the view: look-ups that follow each other closely see the database as it was at the first of
 * them, until anybody commits, which keeps its log from being moved.  Before a pause.  NULL is fine. */
void mill_reader_rest(struct mill_reader *reader);

/* Whether a result may have come since the last look-up. */
bool mill_reader_is_stale(const struct mill_reader *reader);

/* Visits the entries of `key`, newest first, queued ones (not yet committed) included, until
 * visit returns true.  Returns whether one did.  visit may use the reader. */
bool mill_reader_find(struct mill_reader *reader, struct mill_hash key,
                      bool (*visit)(void *context, const struct mill_entry *entry),
                      void *context);

/* The bytes stored under `content`, checked against their sum, with a reference that the caller
 * releases; immutable, for they may be those that were put.  NULL when they are not there (any
 * more) or damaged: damaged ones are removed by the writer and counted, and every entry that
 * points to them with them. */
struct mill_buffer *mill_reader_load(struct mill_reader *reader, struct mill_hash content);

/* The value that they are, with one reference, when they are on disk and at most so many; else false. */
bool mill_reader_load_small(struct mill_reader *reader, struct mill_hash content, int64_t most,
                            struct mill_value *value);

struct mill_put {
    struct mill_hash key;
    struct mill_hash content;
    const void *reads; /* copied */
    size_t reads_size;
    struct mill_buffer *bytes; /* the reference passes to the store, on failure too */
    const char *task;          /* name, for people; copied; may be NULL */
    double seconds;            /* what computing it took */
    int ticket; /* of the key's claim, which goes as soon as it is on disk, or lost: not before others
                   find it; 0: there is none */
    bool alone; /* all other results of the key go */
};

/* Queues a result.  Equal (key, reads) replaces; bytes of a content that is there already are
 * not written again.  Blocks only while more than 256 MB are queued.  False: it cannot be kept. */
bool mill_store_put(struct mill_store *store, const struct mill_put *put);

/* Keeps a record of a task name (cache/ledger.h) until the store is closed, which writes it.  The
 * closing thread. */
void mill_store_remember(struct mill_store *store, const char *task, const void *bytes,
                         size_t size);

/* The record of a task name as it was when the last store was closed, for free(); NULL: there is
 * none. */
void *mill_reader_recall(struct mill_reader *reader, const char *task, size_t *size);

/* Commits all that was queued before the call; false when `seconds` passed first, or writing
 * has failed. */
bool mill_store_flush(struct mill_store *store, double seconds);

/* ---- claims: see cache/board.h ---------------------------------------------------------------- */

/* TAKEN: compute it, unless the reader has become stale meanwhile: then look again first. */
enum mill_claim mill_store_claim(struct mill_store *store, struct mill_hash key, int *ticket);
enum mill_claim mill_store_claimed(struct mill_store *store, struct mill_hash key);
void mill_store_unclaim(struct mill_store *store, struct mill_hash key, int ticket);
void mill_store_claim_waits(struct mill_store *store, struct mill_hash key, int ticket,
                            bool waits);

/* The limits in force. */
struct mill_limits mill_store_limits(const struct mill_store *store);

struct mill_store_numbers {
    int64_t entries; /* on disk */
    int64_t bytes;   /* on disk: database, log and files */
    int64_t written; /* results committed by this process */
    int64_t broken;  /* damaged objects removed by this process */
    bool usable;     /* for reading and writing */
};

/* Counts the entries by reading all of them. */
void mill_store_numbers(struct mill_store *store, struct mill_store_numbers *numbers);

const char *mill_store_path(const struct mill_store *store); /* as given to open */

#endif
