/* memoir: what is remembered of a task name, see cache/ledger.h, and its byte form.
 *
 *     record    hash of the rest, then compressed: version 1, salt, parts, count, calls
 *     call      verdict, key, count of arguments, then hash and words of each
 *
 * SPDX-License-Identifier: MIT */
#ifndef MILL_MEMOIR_H
#define MILL_MEMOIR_H

#include "cache/key.h"
#include "data/packed.h"

enum {
    MILL_CALLS = 64, /* remembered of a name */
    MILL_WORDS = 44, /* bytes of an argument as text */
};

enum mill_called_verdict {
    MILL_CALLED_STORED = 's',
    MILL_CALLED_FAILED = 'f',
    MILL_CALLED_LOST = 'n'
};

struct mill_bytes {
    uint8_t *bytes; /* malloc'ed; NULL: none */
    size_t size;
};

/* What was written; empties the packer. */
struct mill_bytes mill_bytes_take(struct mill_packer *packer);
struct mill_bytes mill_bytes_copy(const void *from, size_t size);
void mill_bytes_free(struct mill_bytes *bytes);

struct mill_calls { /* the newest last */
    struct mill_bytes list[MILL_CALLS];
    int count;
    size_t size;
};

/* Takes the bytes over; the oldest make room. */
void mill_calls_add(struct mill_calls *calls, struct mill_bytes call);
void mill_calls_free(struct mill_calls *calls);

struct mill_argument {
    uint64_t hash;
    const char *words;
    int size;
};

struct mill_call_read {
    uint8_t verdict;
    struct mill_hash key;
    uint32_t count;
    struct mill_argument arguments[MILL_CALLED];
};

/* False: the bytes are no call. */
bool mill_call_unpack(const struct mill_bytes *bytes, struct mill_call_read *call);

struct mill_bytes mill_call_pack(const struct mill_task *task, const struct mill_called *called,
                                 enum mill_called_verdict verdict);

/* An argument in a few words; the result of another task, the input-th of the task, by that task's
 * name.  Gives their length. */
size_t mill_call_describe(const struct mill_task *task, const struct mill_value *value,
                          uint32_t input, char words[MILL_WORDS]);

struct mill_memoir { /* what was stored by some time */
    bool known;
    struct mill_hash salt;
    struct mill_bytes parts;
    struct mill_calls calls;
};

/* A record that is damaged is none. */
void mill_memoir_unpack(struct mill_memoir *memoir, const void *record, size_t size);

/* A record of it; bytes NULL: no memory, or it is too large. */
struct mill_bytes mill_memoir_pack(const struct mill_memoir *memoir);

#endif
