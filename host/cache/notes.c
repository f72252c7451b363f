/* notes: what tasks read that another task has started.  SPDX-License-Identifier: MIT */
#include "cache/notes.h"

#include <stdatomic.h>
#include <stdlib.h>

struct mill_notes {
    _Atomic int32_t refs;
    pthread_mutex_t mutex;
    struct mill_reads reads; /* guarded by mutex */
};

struct mill_notes *mill_notes_new(void)
{
    struct mill_notes *notes = calloc(1, sizeof *notes);
    if (notes == NULL) return NULL;
    atomic_init(&notes->refs, 1);
    pthread_mutex_init(&notes->mutex, NULL);
    return notes;
}

void mill_notes_ref(struct mill_notes *notes)
{
    atomic_fetch_add_explicit(&notes->refs, 1, memory_order_relaxed);
}

void mill_notes_unref(struct mill_notes *notes)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (notes == NULL || atomic_fetch_sub_explicit(&notes->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    mill_reads_fini(&notes->reads);
    pthread_mutex_destroy(&notes->mutex);
    free(notes);
}

void mill_notes_add(struct mill_notes *notes, const struct mill_reads *reads)
{
    if (reads->size == 0 && !reads->unsound && !reads->impure) return;
    pthread_mutex_lock(&notes->mutex);
    mill_reads_join(&notes->reads, reads->bytes, reads->size);
    notes->reads.unsound |= reads->unsound;
    notes->reads.impure |= reads->impure;
    pthread_mutex_unlock(&notes->mutex);
}

void mill_notes_give(struct mill_notes *notes, struct mill_reads *reads)
{
    pthread_mutex_lock(&notes->mutex);
    mill_reads_join(reads, notes->reads.bytes, notes->reads.size);
    reads->unsound |= notes->reads.unsound;
    reads->impure |= notes->reads.impure;
    pthread_mutex_unlock(&notes->mutex);
}

const struct mill_reads *mill_notes_reads(const struct mill_notes *notes)
{
    return &notes->reads;
}
