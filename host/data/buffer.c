/* buffer: a counted block of memory, 64-byte aligned, immutable once published.
 * SPDX-License-Identifier: MIT */
#include "data/buffer.h"

#include <assert.h>
#include <stdlib.h>

enum { ALIGNMENT = 64 };

static struct mill_buffer *buffer_make(enum mill_origin origin, void *data, size_t size)
{
    struct mill_buffer *buffer = calloc(1, sizeof *buffer);
    if (buffer == NULL) return NULL;
    atomic_init(&buffer->refs, 1);
    buffer->origin = origin;
    buffer->data = data;
    buffer->size = size;
    return buffer;
}

struct mill_buffer *mill_buffer_new(struct mill_memory *memory, size_t size)
{
    if (size > SIZE_MAX / 2) return NULL;
    size_t room = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
    void *data = aligned_alloc(ALIGNMENT, room);
    struct mill_buffer *buffer = data ? buffer_make(MILL_ORIGIN_HEAP, data, size) : NULL;
    if (buffer == NULL) {
        free(data);
        return NULL;
    }
    buffer->memory = memory;
    mill_memory_add(memory, (int64_t)size);
    return buffer;
}

void mill_buffer_shrink(struct mill_buffer *buffer, size_t size)
{
    assert(size <= buffer->size && "a buffer only shrinks");
    mill_memory_add(buffer->memory, (int64_t)size - (int64_t)buffer->size);
    buffer->size = size;
}

struct mill_buffer *mill_buffer_slice(struct mill_buffer *parent, size_t offset, size_t size)
{
    assert(offset <= parent->size && size <= parent->size - offset &&
           "slice inside its parent");
    struct mill_buffer *buffer = buffer_make(MILL_ORIGIN_SLICE, parent->data + offset, size);
    /* A slice of a slice of a slice keeps one block alive and is freed without recursion. */
    if (parent->origin == MILL_ORIGIN_SLICE) parent = parent->parent;
    if (buffer) buffer->parent = mill_buffer_ref(parent);
    return buffer;
}

struct mill_buffer *mill_buffer_foreign(void *data, size_t size,
                                        void (*release)(void *, void *, size_t), void *context)
{
    struct mill_buffer *buffer = buffer_make(MILL_ORIGIN_FOREIGN, data, size);
    if (buffer == NULL) return NULL;
    buffer->release = release;
    buffer->context = context;
    return buffer;
}

struct mill_buffer *mill_buffer_ref(struct mill_buffer *buffer)
{
    /* Relaxed: whoever hands out a reference already holds one. */
    atomic_fetch_add_explicit(&buffer->refs, 1, memory_order_relaxed);
    return buffer;
}

void mill_buffer_unref(struct mill_buffer *buffer)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (buffer == NULL ||
        atomic_fetch_sub_explicit(&buffer->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    switch (buffer->origin) {
    case MILL_ORIGIN_HEAP:
        mill_memory_add(buffer->memory, -(int64_t)buffer->size);
        free(buffer->data);
        break;
    case MILL_ORIGIN_SLICE:
        mill_buffer_unref(buffer->parent);
        break;
    case MILL_ORIGIN_FOREIGN:
        if (buffer->release) buffer->release(buffer->context, buffer->data, buffer->size);
        break;
    }
    free(buffer);
}
