/* spill: published blocks of memory, and how the coldest of them go to disk when memory is short.
 *
 * A block that spills keeps its addresses: its bytes are written to a file that has no name, which is
 * then mapped in place of the memory.  Whoever reads it goes on reading; what is read comes from
 * the kernel's file cache, which the kernel may drop.  The file goes with the block, or with the
 * process.  Whoever is about to make a block that would go beyond the mark makes the room first,
 * one thread at a time.  Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_SPILL_H
#define MILL_SPILL_H

#include "data/buffer.h"

struct mill_spill {
    struct mill_memory *memory;
    pthread_mutex_t mutex;              /* guards the list: short */
    struct mill_block *oldest, *newest; /* published, by age, none of them on disk */
    pthread_mutex_t turn;               /* held by who spills; guards what follows */
    char *folder;                       /* as set; NULL: TMPDIR or /var/tmp */
    char *place; /* where files go; NULL: not looked for yet, or nowhere */
    bool looked;
    _Atomic int64_t rests_until; /* no further try before: the disk was full, or failed */
    _Atomic int64_t count;       /* blocks that have spilled */

    void (*warn)(void *context, const char *text); /* NULL: nobody is told */
    /* Blocks of so many bytes have spilled between two times of the clock; NULL: nobody is told. */
    void (*note)(void *context, int64_t blocks, int64_t bytes, int64_t begin, int64_t end);
    void *context;
};

/* An account's, which has none yet. */
void mill_spill_init(struct mill_spill *spill, struct mill_memory *memory);

/* No block of the account is left, or all are to be left alone. */
void mill_spill_fini(struct mill_spill *spill);

/* Where files go from now on: `folder` (NULL: TMPDIR or /var/tmp, unless they are in memory); false: no
 * memory for it. */
bool mill_spill_set_folder(struct mill_spill *spill, const char *folder);

/* Spills so that `size` bytes more are below the mark, as far as that can be.  NULL is fine. */
void mill_spill_make_room(struct mill_memory *memory, size_t size);

/* ---- for data/buffer.c -------------------------------------------------------------------- */

void mill_spill_add(struct mill_block *block);    /* it is published */
void mill_spill_remove(struct mill_block *block); /* it goes */

/* Its bytes are in memory again. */
void mill_spill_came_back(struct mill_block *block);

#endif
