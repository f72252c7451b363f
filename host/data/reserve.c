/* reserve: pages of blocks that were freed, kept for the next ones.  SPDX-License-Identifier: MIT */
#include "data/reserve.h"

#include <string.h>
#include <sys/mman.h>

static void count_bytes(struct mill_reserve *reserve, int64_t bytes)
{
    atomic_fetch_add_explicit(&reserve->bytes, bytes, memory_order_relaxed);
}

/* Under the mutex. */
static struct mill_pages take_kept(struct mill_reserve *reserve, int at)
{
    struct mill_pages pages = reserve->kept[at];
    reserve->count--;
    memmove(&reserve->kept[at], &reserve->kept[at + 1],
            (size_t)(reserve->count - at) * sizeof pages);
    count_bytes(reserve, -(int64_t)pages.length);
    return pages;
}

struct mill_pages mill_reserve_take(struct mill_reserve *reserve, size_t length)
{
    struct mill_pages found = {0};
    if (mill_reserve_bytes(reserve) == 0) return found;
    pthread_mutex_lock(&reserve->mutex);
    int best = -1;
    for (int i = reserve->count - 1; i >= 0; i--) { /* the newest are likely in a cache */
        size_t own = reserve->kept[i].length;
        if (own >= length && own <= length + length / 4 &&
            (best < 0 || own < reserve->kept[best].length))
            best = i;
    }
    if (best >= 0) found = take_kept(reserve, best);
    pthread_mutex_unlock(&reserve->mutex);
    return found;
}

void mill_reserve_put(struct mill_reserve *reserve, struct mill_pages pages, int64_t most)
{
    struct mill_pages gone[MILL_RESERVE_BLOCKS];
    int gone_count = 0;
    bool kept = false;
#ifndef __SANITIZE_ADDRESS__ /* there a use after the end is to be seen */
    if ((int64_t)pages.length <= most) {
        pthread_mutex_lock(&reserve->mutex);
        if (!reserve->closed) {
            while (reserve->count == MILL_RESERVE_BLOCKS ||
                   mill_reserve_bytes(reserve) + (int64_t)pages.length > most)
                gone[gone_count++] = take_kept(reserve, 0);
            reserve->kept[reserve->count++] = pages;
            count_bytes(reserve, (int64_t)pages.length);
            kept = true;
        }
        pthread_mutex_unlock(&reserve->mutex);
    }
#else
    (void)reserve;
    (void)most;
#endif
    for (int i = 0; i < gone_count; i++) munmap(gone[i].data, gone[i].length);
    if (!kept) munmap(pages.data, pages.length);
}

static void empty(struct mill_reserve *reserve, bool closes)
{
    struct mill_pages gone[MILL_RESERVE_BLOCKS];
    pthread_mutex_lock(&reserve->mutex);
    int gone_count = reserve->count;
    memcpy(gone, reserve->kept, (size_t)gone_count * sizeof *gone);
    for (int i = 0; i < gone_count; i++) count_bytes(reserve, -(int64_t)gone[i].length);
    reserve->count = 0;
    reserve->closed = reserve->closed || closes;
    pthread_mutex_unlock(&reserve->mutex);
    for (int i = 0; i < gone_count; i++) munmap(gone[i].data, gone[i].length);
}

void mill_reserve_drop(struct mill_reserve *reserve)
{
    if (mill_reserve_bytes(reserve) > 0) empty(reserve, false);
}

void mill_reserve_close(struct mill_reserve *reserve)
{
    empty(reserve, true);
}
