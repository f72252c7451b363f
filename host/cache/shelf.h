/* shelf: values that people put into the cache under keys of their own, beside the results of tasks.
 * A key has one value: the last that was put.  It is an entry as those of tasks are, named "value:KEY",
 * whose key no task can have.
 *
 *     ASIDE    kept where the key has no value yet, as far as is known here
 *     THROUGH  the call ends when it is on disk
 *     BEHIND   the writer puts it on disk in its own time; this process has it at once
 *
 * Any thread, with a reader of its own.  SPDX-License-Identifier: MIT */
#ifndef MILL_SHELF_H
#define MILL_SHELF_H

#include "cache/files.h"
#include "cache/store.h"
#include "data/value.h"

struct mill_shelf {
    struct mill_store *store;
    struct mill_reader *reader;
    struct mill_files *files;
    struct mill_memory *memory; /* accounts what is put, until it is on disk; may be NULL */
    double ttl;                 /* seconds that any value lasts; 0: for ever */
};

/* What names a value: by content, so that equal keys are one. */
struct mill_hash mill_shelf_key(const struct mill_value *key);

/* The value with one reference; false: there is none, or it is too old. */
bool mill_shelf_get(const struct mill_shelf *shelf, struct mill_hash key,
                    struct mill_value *value);

enum mill_shelf_mode { MILL_SHELF_ASIDE, MILL_SHELF_THROUGH, MILL_SHELF_BEHIND };

struct mill_shelf_put {
    struct mill_hash key;
    const char *name; /* for people: "value:KEY" */
    const struct mill_value
        *value; /* without functions and shared objects; stays the caller's */
    enum mill_shelf_mode mode;
    double ttl;     /* seconds that it lasts; 0: for ever */
    double seconds; /* what computing it took */
    int ticket;     /* of the key's claim, which passes to the store; 0: there is none */
};

/* Whether it is on its way, or on disk with THROUGH; a claim is given back otherwise. */
bool mill_shelf_put(const struct mill_shelf *shelf, const struct mill_shelf_put *put);

#endif
