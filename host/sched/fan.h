/* fan: a loop over independent chunks that idle workers help with.
 * The caller does the work itself and never waits for anything but a chunk that a helper has
 * begun, so a fan cannot deadlock wherever it is used: chunks are kernels, which never wait.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FAN_H
#define MILL_FAN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mill_fan {
    void (*body)(void *context, int64_t i);
    void *context;
    int64_t count;
    _Atomic int64_t next; /* chunk to take; relaxed: chunks are independent */
    int64_t helpers;      /* guarded by the list's mutex */
    struct mill_fan *link;
};

struct mill_fans {
    pthread_mutex_t mutex;
    pthread_cond_t left;    /* a helper has left a fan */
    struct mill_fan *first; /* guarded by mutex */
    _Atomic int64_t open;   /* fans with chunks to take: lets the idle look without a lock */
};

void mill_fans_init(struct mill_fans *fans);
void mill_fans_fini(struct mill_fans *fans);

/* Runs all chunks; `wake` is called once when there is something to help with. */
void mill_fans_run(struct mill_fans *fans, int64_t count,
                   void (*body)(void *context, int64_t i), void *context,
                   void (*wake)(void *waker, int64_t count), void *waker);

/* Helps with one fan until it has no chunk left; false when there was none. */
bool mill_fans_help(struct mill_fans *fans);

#endif
