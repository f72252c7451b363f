/* wire: values as bytes for another process: tasks on their way to a worker process, and results
 * on their way back.  Unlike the form in which results are kept (data/codec.h) it may hold
 * functions, and large buffers need not be in it: they travel beside it as descriptors of shared
 * memory.  With `whole` everything is inside the bytes, as another machine needs it.
 *
 *     value      tag of the cell, then
 *                NUMBER INT64 UINT64   8 bytes
 *                SHORT STRING          text
 *                PACKED                text; counts of nodes, arrays, shared objects; these
 *                COLUMN                an array
 *                SHARED                a shared object
 *                TUPLE                 count, values
 *     array      head and sizes (data/flat.h), a part for values, offsets, validity; dictionary
 *     text       size, then the bytes, those of MILL_WIRE_LARGE and more as a part
 *     part       0: zeros up to a multiple of 64 bytes from the start of all, bytes
 *                1: number of a descriptor, offset in its memory
 *     shared     hash of the content; 1 and the value, or 0: the other side has it; or a number and
 *                a size in place of the hash and 2: it is lent, and stays where it is
 *
 * Sizes, counts, numbers and offsets are LEB128.  Reading is safe on any bytes.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WIRE_H
#define MILL_WIRE_H

#include "base/status.h"
#include "data/packed.h"
#include "data/share.h"

enum {
    MILL_WIRE_VERSION = 1,
    MILL_WIRE_LARGE = 64 << 10,  /* buffers from here on travel as descriptors */
    MILL_WIRE_DESCRIPTORS = 200, /* of one message; further buffers go inside */
};

/* ---- writing: once `out.failed` or `status` says so later writes do nothing ------------------- */

struct mill_wire {
    struct mill_packer out; /* anything else may be written there between values */
    bool whole;
    int descriptors[MILL_WIRE_DESCRIPTORS];             /* the buffers' own */
    struct mill_buffer *buffers[MILL_WIRE_DESCRIPTORS]; /* owned references */
    int descriptor_count;
    /* Whether the other side has the shared value with this content, and asks it to keep it from now
     * on.  NULL: it keeps none. */
    bool (*has)(void *context, struct mill_hash hash, size_t size);
    /* The number under which the other side may use the object, and how large it is; 0: it may not. NULL:
     * nothing is lent. */
    uint64_t (*lend)(void *context, struct mill_shared *shared, uint64_t *size);
    void *context;
    int depth;
    tidemill_status status;
    struct mill_error error; /* when `status` is not TIDEMILL_OK */
};

void mill_wire_init(struct mill_wire *wire);
void mill_wire_fini(struct mill_wire *wire);

/* `where` is what an error calls it: "argument 2". Objects without content, such as channels, are
 * errors. */
void mill_wire_value(struct mill_wire *wire, const struct mill_value *value, const char *where);

/* What mill_wire_value would refuse, found before anything is written. */
tidemill_status mill_wire_check(const struct mill_value *value, const char *where,
                                struct mill_error *error);

/* Whether all was written; else the reason is in wire->error. */
bool mill_wire_is_fine(struct mill_wire *wire);

/* ---- reading ---------------------------------------------------------------------------------- */

struct mill_wire_reader {
    struct mill_unpacker in;   /* anything else may be read there between values */
    struct mill_buffer *block; /* borrowed; arrays become slices of it, with references */
    struct mill_memory *memory;
    struct mill_buffer *maps[MILL_WIRE_DESCRIPTORS];
    int map_count;
    /* The shared value with this content that was kept (its reference stays the keeper's), and one
     * to keep (takes a reference if it wants to).  NULL: none is. */
    struct mill_shared *(*find)(void *context, struct mill_hash hash);
    void (*keep)(void *context, struct mill_hash hash, struct mill_shared *shared);
    /* The object of a number, or what stands for it, with a reference; NULL: there is none. */
    struct mill_shared *(*borrow)(void *context, uint64_t number, uint64_t size);
    void *context;
    int depth;
    tidemill_status status;
};

/* `block` is the whole of what was written.  Takes over the descriptors, on failure too: then the
 * reader's status says why. */
void mill_wire_reader_init(struct mill_wire_reader *reader, struct mill_buffer *block,
                           const int *descriptors, int count, struct mill_memory *memory);
void mill_wire_reader_fini(struct mill_wire_reader *reader);

/* A value with one reference; nil after a failure: TIDEMILL_DATA for bytes that mill_wire_value does
 * not write, TIDEMILL_MEMORY.  `nodes`: it may mention nodes; the reader's caller says which. */
struct mill_value mill_wire_read(struct mill_wire_reader *reader, bool nodes);

/* Whether all has been read, and well. */
bool mill_wire_is_read(const struct mill_wire_reader *reader);

#endif
