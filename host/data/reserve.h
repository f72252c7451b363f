/* reserve: pages of blocks that were freed, kept for the next ones.
 * A fresh page costs the kernel a fault and the zeroing of it, some 0.1 to 0.5 ms a megabyte: more
 * than most kernels take to fill it.  What is kept is resident and nobody's; it goes when memory
 * gets short.  Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_RESERVE_H
#define MILL_RESERVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MILL_RESERVE_BLOCKS = 64,
    MILL_RESERVE_BYTES = 192 << 20, /* in all, or less under a limit: mill_reserve_put */
};

struct mill_pages {
    void *data;
    size_t length;
};

/* One that is all zeros is empty and open. */
struct mill_reserve {
    pthread_mutex_t mutex;                       /* guards all but `bytes`, which others read */
    struct mill_pages kept[MILL_RESERVE_BLOCKS]; /* oldest first */
    int count;
    bool closed;
    _Atomic int64_t bytes; /* relaxed */
};

/* Pages for `length` bytes, at most a quarter more; data is NULL when there are none.  What they hold
 * means nothing. */
struct mill_pages mill_reserve_take(struct mill_reserve *reserve, size_t length);

/* Keeps pages, `most` bytes in all; the oldest make room.  Whatever is not kept is unmapped. */
void mill_reserve_put(struct mill_reserve *reserve, struct mill_pages pages, int64_t most);

/* Unmaps all of them. */
void mill_reserve_drop(struct mill_reserve *reserve);

/* The same, and keeps none from now on. */
void mill_reserve_close(struct mill_reserve *reserve);

static inline int64_t mill_reserve_bytes(const struct mill_reserve *reserve)
{
    return atomic_load_explicit(&reserve->bytes, memory_order_relaxed);
}

#endif
