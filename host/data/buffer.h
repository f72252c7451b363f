/* buffer: a counted block of memory, 64-byte aligned, immutable once published.
 * Whoever made a buffer may write it until he hands a second reference to somebody, and at the
 * latest until mill_buffer_publish: from there on what lies behind the addresses may change from
 * memory to a file that cannot be written, with the same bytes, while others read them.
 *
 * Blocks of MILL_BUFFER_MAPPED bytes and more are mappings of their own.  So they can be moved:
 *
 *     MAPPED --share--> MEMFD      a memory file, which other processes can map
 *     MAPPED, MEMFD --spill--> FILE   an unlinked file on disk (data/spill.h)
 *     FILE --share--> MEMFD
 *
 * SPDX-License-Identifier: MIT */
#ifndef MILL_BUFFER_H
#define MILL_BUFFER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/memory.h"

enum mill_origin {
    MILL_ORIGIN_HEAP,    /* aligned allocation, freed with the last reference */
    MILL_ORIGIN_SLICE,   /* part of `parent`, which it keeps alive */
    MILL_ORIGIN_FOREIGN, /* somebody else's memory; `release` gives it back */
    MILL_ORIGIN_MAPPED,  /* anonymous pages of its own */
    MILL_ORIGIN_MEMFD,   /* pages of a memory file */
    MILL_ORIGIN_FILE,    /* pages of a file on disk */
};

enum { MILL_BUFFER_MAPPED = 64 << 10 };

struct mill_buffer {
    _Atomic int64_t refs;
    uint8_t *data;
    size_t size; /* bytes that may be read */
    _Atomic uint8_t
        origin; /* enum mill_origin; relaxed: MAPPED, MEMFD and FILE are of one kind,
                                   and only those change, under the block's mutex */
    struct mill_buffer *parent; /* of a slice; not a slice itself */
    struct mill_memory *memory; /* where the bytes are accounted; may be NULL */
    void (*release)(void *context, void *data, size_t size);
    void *context;
};

/* A buffer whose block is a mapping of its own.  For data/buffer.c and data/spill.c. */
struct mill_block {
    struct mill_buffer buffer; /* first */
    pthread_mutex_t mutex;     /* held by who moves the bytes */
    size_t length;             /* of the mapping */
    int fd;                    /* of the file behind it, when there is a descriptor; -1 */
    _Atomic bool published;
    _Atomic bool filling;             /* tasks write it: publishing it waits until they have */
    bool listed;                      /* among those that may spill; this and the links are */
    struct mill_block *older, *newer; /* guarded by the list's mutex */
};

/* Uninitialised memory with one reference, padded to a multiple of 64 bytes plus 64, so that
 * wide kernels may read (never use) past the end.  NULL when memory is short. */
struct mill_buffer *mill_buffer_new(struct mill_memory *memory, size_t size);

/* Changes the readable size; the caller must hold the only reference, and there are no slices.
 * Growing may move `data` and fails (false) when memory is short. */
void mill_buffer_shrink(struct mill_buffer *buffer, size_t size);
bool mill_buffer_grow(struct mill_buffer *buffer, size_t size);

/* Part of `parent` (which, or whose own parent, gains a reference).  offset + size <= parent->size. */
struct mill_buffer *mill_buffer_slice(struct mill_buffer *parent, size_t offset, size_t size);

/* Wraps foreign memory; `release` (may be NULL) is called once, from any thread. */
struct mill_buffer *mill_buffer_foreign(void *data, size_t size,
                                        void (*release)(void *, void *, size_t), void *context);

struct mill_buffer *mill_buffer_ref(struct mill_buffer *buffer);
void mill_buffer_unref(struct mill_buffer *buffer); /* NULL is fine */

/* Nobody writes the bytes any more: called when a buffer becomes part of a result, of an argument or
 * of what was read from the cache.  Again is fine; NULL too. */
void mill_buffer_publish(struct mill_buffer *buffer);

/* Several tasks are about to write disjoint parts of a buffer that crosses to them, or all of them have:
 * meanwhile publishing has no effect, so that it neither spills nor moves.  When one of them fails it
 * stays so: others may still write. */
void mill_buffer_set_filling(struct mill_buffer *buffer, bool filling);

/* ---- other processes -------------------------------------------------------------------- */

/* The buffer that has the block: itself, or the parent of a slice. */
static inline struct mill_buffer *mill_buffer_whole(struct mill_buffer *buffer)
{
    return buffer->parent ? buffer->parent : buffer;
}

/* A descriptor of a file that has the bytes of mill_buffer_whole(buffer) from its beginning, and those
 * of the buffer at *offset.  It is the buffer's own: there while the buffer lives, never to be
 * closed by the caller.  The buffer is published by it.  -1 and *error when memory or descriptors
 * are short (the buffer is as it was), or for blocks that are no mappings: smaller or foreign ones
 * (TIDEMILL_UNSUPPORTED).  Any thread. */
int mill_buffer_share(struct mill_buffer *buffer, size_t *offset, struct mill_error *error);

/* A published buffer over `size` bytes of a file from another process's mill_buffer_share.  Takes over
 * the descriptor, on failure too: NULL and *error. */
struct mill_buffer *mill_buffer_map(struct mill_memory *memory, int fd, size_t size,
                                    struct mill_error *error);

/* The same of a file of the user's, which is in no account: its pages are the kernel's to drop.  Who cuts
 * the file short meanwhile ends the process by SIGBUS, and what others write into it may show. */
struct mill_buffer *mill_buffer_map_file(int fd, size_t size, struct mill_error *error);

/* ---- for data/spill.c --------------------------------------------------------------------- */

/* Whether the buffer is a struct mill_block. */
static inline bool mill_buffer_is_block(struct mill_buffer *buffer)
{
    return atomic_load_explicit(&buffer->origin, memory_order_relaxed) >= MILL_ORIGIN_MAPPED;
}

/* Under the block's mutex: copies its bytes to the file, seals that (seals of a memory file; 0: none),
 * and puts it in their place, at the same addresses, read-only; readers notice nothing.  False, and
 * all is as before, on a failure: errno. */
bool mill_block_move(struct mill_block *block, int fd, int seals);

#endif
