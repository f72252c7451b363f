/* part: packed tables taken apart and put together, for who has no Lua state: programs that embed the
 * engine.  The bytes are well-formed: encoded here, or checked.  SPDX-License-Identifier: MIT */
#ifndef MILL_PART_H
#define MILL_PART_H

#include "data/packed.h"

/* A place in packed bytes, where a value begins, and what was met before it: SEEN, upvalues and
 * environments are told by number. */
struct mill_place {
    uint64_t at;
    uint32_t objects, cells, environments;
};

/* The head of a table; `place` is then that of its first value. */
struct mill_table_head {
    uint64_t list, pairs; /* values of keys 1..list, then keys and values in turn */
    bool meta;            /* a metatable after them */
};

/* Whether a table is at `place`; then reads its head. */
bool mill_part_table(const struct mill_packed *packed, struct mill_place *place,
                     struct mill_table_head *head);

/* Moves over one value. */
void mill_part_skip(const struct mill_packed *packed, struct mill_place *place);

/* The value at `place` by itself, with a reference, and moves over it.  What it shares with the rest is
 * copied.  TIDEMILL_MEMORY; TIDEMILL_UNSUPPORTED: a function that shares upvalues or globals with
 * one outside of it; a nesting too deep. */
tidemill_status mill_part_take(const struct mill_packed *packed, struct mill_place *place,
                               struct mill_value *value);

/* The text at `place`, and moves over it; NULL, and stays, when no string is there. */
const char *mill_part_text(const struct mill_packed *packed, struct mill_place *place,
                           size_t *size);

/* A table from values of its list, none nil, and named ones (nil: left out), whose names differ and are
 * in the order of their bytes.  Copies; counts no reference.  TIDEMILL_USAGE: nested too deeply;
 * TIDEMILL_MEMORY. */
struct mill_named {
    const char *name;
    size_t size;
    const struct mill_value *value;
};
tidemill_status mill_part_join(const struct mill_value *list, size_t count,
                               const struct mill_named *named, size_t named_count,
                               struct mill_value *table);

#endif
