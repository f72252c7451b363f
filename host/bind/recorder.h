/* recorder: what a person needs to trust a run or to repeat it, gathered while it runs.
 * Any thread adds inputs; the rest is the script's thread's.  SPDX-License-Identifier: MIT */
#ifndef MILL_RECORDER_H
#define MILL_RECORDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

struct mill_input {
    char kind; /* a mill_read_kind */
    char *name;
    struct mill_hash hash; /* zeros: it was not there */
    int64_t size;          /* of a file, when it was read; -1: it was not there */
};

struct mill_recorder {
    int64_t start; /* microseconds since 1970 */
    char *script;  /* its path, or what stands for it; NULL: nothing has run */
    struct mill_hash script_hash;
    bool hashed;      /* the script's text is known */
    char **arguments; /* of the script; owned */
    int argument_count;
    pthread_mutex_t mutex;
    struct mill_input *inputs; /* guarded by mutex; sorted by kind and name */
    size_t count, room;
};

int64_t mill_recorder_now(void); /* microseconds since 1970 */

struct mill_recorder *mill_recorder_new(void); /* NULL: no memory */
void mill_recorder_free(struct mill_recorder *recorder);

/* A script begins; text NULL: it is not known. */
void mill_recorder_begin(struct mill_recorder *recorder, const char *script, const char *text,
                         size_t size, int argc, char **argv);

/* Something was read; the first time counts. */
void mill_recorder_note(struct mill_recorder *recorder, char kind, const char *name,
                        struct mill_hash hash);

#endif
