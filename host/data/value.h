/* value: what crosses from one Lua state to another; states share nothing else.
 * A value is a 16-byte cell.  Small things lie inside it; tables, functions, long strings and
 * arrays are counted references to immutable memory.  Copying a cell does not count: use
 * mill_value_ref.  The struct is read by LuaJIT's FFI, too (lua/tidemill/clib.lua).
 * SPDX-License-Identifier: MIT */
#ifndef MILL_VALUE_H
#define MILL_VALUE_H

#include "base/hash.h"
#include "data/array.h"
#include "data/shared.h"

/* The first byte of a cell. */
enum mill_tag {
    MILL_TAG_NIL = 0,
    MILL_TAG_FALSE = 1,
    MILL_TAG_TRUE = 2,
    MILL_TAG_NUMBER = 3,
    MILL_TAG_INT64 = 4,
    MILL_TAG_UINT64 = 5,
    MILL_TAG_SHORT = 6,  /* string of up to 14 bytes inside the cell */
    MILL_TAG_STRING = 7, /* longer string: packed, its bytes alone */
    MILL_TAG_PACKED = 8, /* table or function in packed form (data/packed.h) */
    MILL_TAG_COLUMN = 9, /* struct mill_array */
    MILL_TAG_NODE = 10,  /* in arguments of a node: the result of the node `natural` */
    MILL_TAG_STORED =
        11,             /* in results: known by its content hash, its bytes are in the store */
    MILL_TAG_GONE = 12, /* in results: was there, freed after its last reader */
    MILL_TAG_SHARED = 13, /* struct mill_shared: crosses by reference */
    MILL_TAG_TUPLE = 14,  /* in results: the values of a task with several outputs */
};

enum { MILL_SHORT_MAX = 14 };

struct mill_value {
    uint8_t tag;
    uint8_t size; /* of a short string */
    char text[6]; /* a short string goes on through the union */
    union {
        double number;
        int64_t integer;
        uint64_t natural;
        struct mill_packed *packed;
        struct mill_array *array;
        struct mill_shared *shared;
        struct mill_tuple *tuple;
        char rest[8];
    };
};

/* Several values, counted and immutable. */
struct mill_tuple {
    _Atomic int64_t refs;
    uint32_t count;
    struct mill_value cells[];
};

/* Immutable bytes with what they refer to: a long string, or a table or function in packed
 * form with the arrays, nodes and shared objects that it mentions. */
struct mill_packed {
    _Atomic int64_t refs;
    size_t size;
    struct mill_array **arrays;  /* owned */
    uint32_t *nodes;             /* places that stand for results of nodes, in order */
    struct mill_shared **shared; /* owned */
    uint32_t array_count, node_count, shared_count;
    uint8_t *bytes;
    struct mill_buffer
        *buffer; /* owned: that has the bytes, when they are many; NULL: malloc'ed */
};

static inline struct mill_value mill_nil(void)
{
    return (struct mill_value){.tag = MILL_TAG_NIL};
}

static inline struct mill_value mill_number(double number)
{
    return (struct mill_value){.tag = MILL_TAG_NUMBER, .number = number};
}

/* A string value; *failed (may not be NULL) is set when memory is short.  A long one is in a published
 * buffer of `memory` (NULL: not accounted). */
struct mill_value mill_string(const char *bytes, size_t size, bool *failed);
struct mill_value mill_string_in(struct mill_memory *memory, const char *bytes, size_t size,
                                 bool *failed);

/* Bytes of a string value (short or long); NULL when it is not a string. */
const char *mill_value_text(const struct mill_value *value, size_t *size);

/* A tuple of nils; NULL: no memory. */
struct mill_tuple *mill_tuple_new(uint32_t count);

/* Takes over `array`'s reference. */
struct mill_value mill_column(struct mill_array *array);

struct mill_value mill_value_ref(struct mill_value value);
void mill_value_release(struct mill_value value); /* of one that may be counted */

static inline void mill_value_unref(struct mill_value value)
{
    if (value.tag > MILL_TAG_SHORT) mill_value_release(value);
}

/* Bytes uninitialised, in a buffer of `memory` when they are many, which whoever has written them
 * publishes; NULL: no memory. */
struct mill_packed *mill_packed_new(struct mill_memory *memory, size_t size);

/* The bytes of a buffer, whose reference passes to it, on failure too; published. */
struct mill_packed *mill_packed_wrap(struct mill_buffer *buffer);
void mill_packed_unref(struct mill_packed *packed);

/* Hash of the content, by value and not by identity; equal values hash alike in every process
 * and state.  `nodes[i]` is the content hash of the i-th node that the value mentions. */
struct mill_hash mill_value_hash(const struct mill_value *value, const struct mill_hash *nodes);

/* Whether the value mentions a shared object that has no content: then it has no hash. */
bool mill_value_is_opaque(const struct mill_value *value);

/* Whether it is data and nothing else: no code, nothing that stands for some by name, no shared object. */
bool mill_value_is_data(const struct mill_value *value);

/* Nodes that a value mentions. */
static inline uint32_t mill_value_nodes(const struct mill_value *value)
{
    if (value->tag == MILL_TAG_NODE) return 1;
    return value->tag == MILL_TAG_PACKED ? value->packed->node_count : 0;
}

/* Bytes that the value keeps alive besides its cell. */
size_t mill_value_size(const struct mill_value *value);

#endif
