/* buffer: a counted block of memory, 64-byte aligned, immutable once published.
 * Whoever made a buffer may write it until it hands a second reference to somebody.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_BUFFER_H
#define MILL_BUFFER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "data/memory.h"

enum mill_origin {
    MILL_ORIGIN_HEAP,    /* aligned allocation, freed with the last reference */
    MILL_ORIGIN_SLICE,   /* part of `parent`, which it keeps alive */
    MILL_ORIGIN_FOREIGN, /* somebody else's memory; `release` gives it back */
};

struct mill_buffer {
    _Atomic int64_t refs;
    uint8_t *data;
    size_t size; /* bytes that may be read */
    enum mill_origin origin;
    struct mill_buffer *parent; /* of a slice; not a slice itself */
    struct mill_memory *memory; /* where the bytes are accounted; may be NULL */
    void (*release)(void *context, void *data, size_t size);
    void *context;
};

/* Uninitialised memory with one reference, padded to a multiple of 64 bytes plus 64, so that
 * wide kernels may read (never use) past the end.  NULL when memory is short. */
struct mill_buffer *mill_buffer_new(struct mill_memory *memory, size_t size);

/* Shrinks the readable size; the caller must hold the only reference. */
void mill_buffer_shrink(struct mill_buffer *buffer, size_t size);

/* Part of `parent` (which, or whose own parent, gains a reference).  offset + size <= parent->size. */
struct mill_buffer *mill_buffer_slice(struct mill_buffer *parent, size_t offset, size_t size);

/* Wraps foreign memory; `release` (may be NULL) is called once, from any thread. */
struct mill_buffer *mill_buffer_foreign(void *data, size_t size,
                                        void (*release)(void *, void *, size_t), void *context);

struct mill_buffer *mill_buffer_ref(struct mill_buffer *buffer);
void mill_buffer_unref(struct mill_buffer *buffer); /* NULL is fine */

#endif
