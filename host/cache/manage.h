/* manage: looking after a cache: what is in it, how much, removing, checking, moving it to other
 * machines.
 * Any thread, any number at once, while tasks run: each call connects to the database for itself,
 * after what this process has queued was committed.  Who changes something waits for the lock
 * beside the database, in pieces, so that writers go on in between.  A result that is removed
 * while a run needs it is computed again.
 *
 * All return OK, or another status with the reason in *error.  SPDX-License-Identifier: MIT */
#ifndef MILL_MANAGE_H
#define MILL_MANAGE_H

#include "cache/store.h"

/* One entry: a way in which a key was once answered. */
struct mill_store_row {
    struct mill_hash key, content;
    const char *task; /* name; this and reads: valid until the visit returns */
    const void *reads;
    size_t reads_size;
    int64_t made, used; /* microseconds since 1970, UTC; used: 0 never */
    int64_t cost;       /* microseconds that computing it took */
    int64_t hits; /* last use and hits: as far as they are on disk; of thousands of hits in one
                           run an entry's count once an hour */
    int64_t size; /* bytes of the result, */
    int64_t stored; /* and as they lie on disk, which entries of one content share; both -1: the
                           bytes are not there (any more) */
    bool in_file, compressed;
};

/* Which entries; zeroed: all. */
struct mill_store_filter {
    const char *task;            /* of tasks of this name; NULL: of any */
    const struct mill_hash *key; /* of this key; NULL: any */
    int64_t made_before;         /* made before, microseconds since 1970; 0: whenever */
    int64_t used_before;         /* neither made nor used since; 0: whenever */
};

/* Visits entries in order of key until visit returns false.  visit may call anything here. */
tidemill_status mill_store_each(struct mill_store *store,
                                const struct mill_store_filter *filter,
                                bool (*visit)(void *context, const struct mill_store_row *row),
                                void *context, struct mill_error *error);

/* Removes entries, and the bytes that no other entry needs. */
tidemill_status mill_store_remove(struct mill_store *store,
                                  const struct mill_store_filter *filter, int64_t *removed,
                                  struct mill_error *error);

struct mill_store_stats {
    int64_t entries, tasks; /* tasks: different names */
    int64_t objects, files; /* objects: different contents; files: those that lie in one */
    int64_t bytes;          /* on disk: database, log and files */
    int64_t size;           /* of the objects before compression */
    int64_t hits;           /* of all processes, as far as they are on disk */
    int64_t saved;          /* microseconds of computing that these hits have saved */
    int64_t oldest, newest; /* made; 0: no entry */
    int64_t limit_bytes, limit_entries; /* 0: none */
    double ttl;                         /* seconds; 0: none */
};

tidemill_status mill_store_stats(struct mill_store *store, struct mill_store_stats *stats,
                                 struct mill_error *error);

struct mill_store_findings {
    int64_t entries, objects; /* looked at */
    int64_t broken;           /* objects whose bytes are damaged, or whose file is not there */
    int64_t lacking;          /* entries whose object is not there */
    int64_t orphans;          /* objects that no entry needs */
    int64_t strays;           /* files that no object needs */
    bool damaged; /* the database itself: the next process to open it sets it aside */
};

/* Reads every object and compares its sum, looks for every file, checks the database.  `repair`
 * removes what it finds, which is what a look-up would do.  tell, which may be NULL, hears of each
 * finding. */
tidemill_status mill_store_verify(struct mill_store *store, bool repair,
                                  struct mill_store_findings *findings,
                                  void (*tell)(void *context, const char *text), void *context,
                                  struct mill_error *error);

struct mill_store_swept {
    int64_t entries; /* removed: too old, or least recently used beyond a limit */
    int64_t bytes;   /* given back to the file system */
};

/* Removes what is older than the store's ttl or its own, what goes beyond its limits, orphans and strays, and
 * gives room back.  The writer does the same by itself, but for values of an age of their own,
 * and the last two. */
tidemill_status mill_store_gc(struct mill_store *store, struct mill_store_swept *swept,
                              struct mill_error *error);

/* Removes everything. */
tidemill_status mill_store_clear(struct mill_store *store, int64_t *removed,
                                 struct mill_error *error);

/* Writes entries with their bytes into one file, beside it and renamed. */
tidemill_status mill_store_export(struct mill_store *store,
                                  const struct mill_store_filter *filter, const char *path,
                                  int64_t *entries, struct mill_error *error);

/* Whether it is such a file, and whole. */
tidemill_status mill_store_check_import(const char *path, struct mill_error *error);

/* Adds the entries of such a file; those that are there already stay.  Safe on any bytes: a file
 * that is not whole adds nothing. */
tidemill_status mill_store_import(struct mill_store *store, const char *path, int64_t *entries,
                                  struct mill_error *error);

#endif
