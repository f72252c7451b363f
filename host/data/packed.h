/* packed: the byte form of tables and functions.
 *
 * One value, depth first; a tag byte each, then
 *
 *     NIL FALSE TRUE     -
 *     NUMBER INT64 UINT64  8 bytes, little endian
 *     STRING             length, bytes
 *     TABLE              n, m, meta (0 or 1); n values of keys 1..n; m pairs, sorted: number
 *                        keys first, then strings by bytes, then others; the metatable
 *     SEEN               number of an object (table or function, counted from 0 in the order
 *                        of their first appearance): shared references and cycles
 *     ARRAY              index into the packed value's arrays
 *     NODE               index into its nodes
 *     SHARED             index into its shared objects
 *     BUILTIN            name, such as "string.format"
 *     MODULE             16 bytes of hash of its source and of what it requires (zeros for the
 *                        engine's own); its name; the path inside it, "" for the module itself
 *     FUNCTION           16 bytes of canonical hash; dump; upvalues; environment (see below)
 *
 * Lengths and indexes are LEB128.  An upvalue is the number of its cell (counted from 0 in order
 * of first appearance); a new cell is followed by its value.  The environment is its number,
 * then a count of names that the function reads, sorted, each followed by 0 (the environment
 * has it already) or 1 and the value.  SPDX-License-Identifier: MIT */
#ifndef MILL_PACKED_H
#define MILL_PACKED_H

#include "base/status.h"
#include "data/value.h"

enum mill_mark {
    MILL_MARK_NIL = 0,
    MILL_MARK_FALSE = 1,
    MILL_MARK_TRUE = 2,
    MILL_MARK_NUMBER = 3,
    MILL_MARK_INT64 = 4,
    MILL_MARK_UINT64 = 5,
    MILL_MARK_STRING = 6,
    MILL_MARK_TABLE = 7,
    MILL_MARK_SEEN = 8,
    MILL_MARK_ARRAY = 9,
    MILL_MARK_NODE = 10,
    MILL_MARK_BUILTIN = 11,
    MILL_MARK_MODULE = 12,
    MILL_MARK_FUNCTION = 13,
    MILL_MARK_SHARED = 14,
};

enum { MILL_PACKED_DEPTH = 200 }; /* nesting allowed; the limit of the readers' C stack */

/* ---- writing: a growing block; `failed` once memory was short, later writes do nothing --- */

struct mill_packer {
    struct mill_memory *memory; /* accounts many bytes; set after init; NULL: nobody does */
    struct mill_buffer *buffer; /* that has the bytes, once they are many */
    uint8_t *bytes;
    size_t size, room;
    struct mill_array **arrays;
    uint32_t *nodes;
    struct mill_shared **shared;
    uint32_t array_count, node_count, shared_count;
    size_t array_room, node_room, shared_room;
    bool failed;
};

void mill_packer_init(struct mill_packer *packer);
void mill_packer_fini(struct mill_packer *packer); /* drops what was written */
void mill_packer_byte(struct mill_packer *packer, uint8_t byte);
void mill_packer_bytes(struct mill_packer *packer, const void *bytes, size_t size);
void mill_packer_size(struct mill_packer *packer, uint64_t size); /* LEB128 */
void mill_packer_text(struct mill_packer *packer, const char *bytes, size_t size);
void mill_packer_word(struct mill_packer *packer, enum mill_mark mark, uint64_t bits);
void mill_packer_array(struct mill_packer *packer, struct mill_array *array); /* gains a ref */
void mill_packer_node(struct mill_packer *packer, uint32_t node);
void mill_packer_shared(struct mill_packer *packer,
                        struct mill_shared *shared); /* gains a ref */

/* Hands over what was written as a value, published, and empties the packer; *failed when memory ran
 * out. */
struct mill_value mill_packer_take(struct mill_packer *packer, bool *failed);

/* ---- reading: a cursor that never passes its end; `bad` once it was asked to ------------- */

struct mill_unpacker {
    const uint8_t *at, *end;
    bool bad;
};

uint8_t mill_unpacker_byte(struct mill_unpacker *unpacker);
uint64_t mill_unpacker_size(struct mill_unpacker *unpacker);
uint64_t mill_unpacker_word(struct mill_unpacker *unpacker);
const char *mill_unpacker_text(struct mill_unpacker *unpacker, size_t *size);
const void *mill_unpacker_bytes(struct mill_unpacker *unpacker, size_t size);

/* Whether packed bytes from outside are well-formed, so that readers need not ask: marks,
 * lengths, indexes, nesting. Functions are refused: code is never read from a store. */
bool mill_packed_check(const struct mill_packed *packed);

/* The same of bytes that may hold functions, nodes and shared objects too: those of a task. What the
 * code does is not looked at. */
bool mill_packed_check_task(const struct mill_packed *packed);

/* The same of bytes that may hold nothing but data: no code, and nothing that stands for some by name. */
bool mill_packed_check_data(const struct mill_packed *packed);

#endif
