/* bytecode: reads LuaJIT's dump format, without a Lua state.
 * For a function's identity (two dumps of the same source hash alike, whatever the process,
 * line numbers, names of locals, or what the JIT did to it) and for what the function can
 * reach: globals by name, upvalues it assigns.  SPDX-License-Identifier: MIT */
#ifndef MILL_BYTECODE_H
#define MILL_BYTECODE_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/status.h"

struct mill_bytecode {
    struct mill_hash hash; /* of all that decides what the function does, but for the values of
                              its upvalues and globals: see DESIGN in bytecode.c */
    const char **reads;    /* names of globals read, by it or by a function inside it: sorted
                              by bytes, no duplicates */
    int read_count;
    const char *writes;   /* the first by bytes of the globals it assigns; NULL: none */
    int assigned_upvalue; /* index from 0 of the first upvalue of the outermost function that
                             it or a function inside it assigns; -1: none */
    int upvalues;         /* of the outermost function */
    bool loops;           /* it or a function inside it has a loop */
    void *memory;         /* owns the names */
};

/* `dump` is what string.dump(f), string.dump(f, true) or lua_dump gave; it is not needed after
 * the call.  TIDEMILL_UNSUPPORTED for another version of the format, TIDEMILL_DATA for bytes
 * that are not a dump.  Never reads outside [dump, dump + size).  On failure *bytecode is
 * empty; fini is allowed and does nothing. */
tidemill_status mill_bytecode_read(const void *dump, size_t size,
                                   struct mill_bytecode *bytecode, struct mill_error *error);
void mill_bytecode_fini(struct mill_bytecode *bytecode);

#endif
