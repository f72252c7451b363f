/* bytecode: reads LuaJIT's dump format, without a Lua state.
 * For a function's identity (two dumps of the same source must hash alike, whatever the
 * process, line numbers, names of locals, or what the JIT did to it) and for what the function
 * can reach: globals by name, upvalues it assigns.  SPDX-License-Identifier: MIT */
#ifndef MILL_BYTECODE_H
#define MILL_BYTECODE_H

#include "base/hash.h"
#include "base/status.h"

struct mill_bytecode {
    struct mill_hash hash; /* canonical: see bytecode.c */
    const char **reads;    /* names of globals read, no duplicates, sorted by bytes */
    int read_count;
    const char *writes;       /* a global that is assigned; NULL: none */
    int assigned_upvalue;     /* index from 0 of an upvalue of the outermost function that it or
                                a function inside it assigns; -1: none */
    int upvalues;             /* of the outermost function */
    bool uses_varargs_global; /* reserved, false */
    void *memory;             /* owns the names */
};

/* `dump` is what string.dump(f) or string.dump(f, true) gave.  TIDEMILL_UNSUPPORTED for another
 * version of the format, TIDEMILL_DATA for bytes that are not a dump; never reads outside
 * [dump, dump + size). */
tidemill_status mill_bytecode_read(const void *dump, size_t size,
                                   struct mill_bytecode *bytecode, struct mill_error *error);
void mill_bytecode_fini(struct mill_bytecode *bytecode);

#endif
