/* encode: values of a Lua state become cells that cross, and come back.
 * What crosses and what is refused is written in docs/conventions.md; the byte form in
 * data/packed.h.  SPDX-License-Identifier: MIT */
#ifndef MILL_ENCODE_H
#define MILL_ENCODE_H

#include <lua.h>

#include "base/status.h"
#include "data/value.h"

/* The value at `index` as a cell with one reference.  On failure the error names the path of the
 * part that cannot cross: "cannot send a file to a task (argument 2, field .log.handle)";
 * `where` is its "argument 2".  `nodes`: whether lazy nodes may be inside; they are refused with
 * advice otherwise.  Raises nothing but Lua's own out-of-memory. */
tidemill_status mill_encode(lua_State *L, int index, const char *where, bool nodes,
                            struct mill_value *value, struct mill_error *error);

/* The same of a value that goes to the program around the engine, without nodes. */
tidemill_status mill_encode_out(lua_State *L, int index, const char *where,
                                struct mill_value *value, struct mill_error *error);

/* The same of a value that goes into the cache, at an index that is not negative: nodes, functions and
 * shared objects are refused, as "cannot keep a function in the cache (value, field .f)". */
tidemill_status mill_encode_kept(lua_State *L, int index, const char *where,
                                 struct mill_value *value, struct mill_error *error);

struct mill_encoded {
    struct mill_value code;
    bool steady; /* the code stays the same as long as the witness holds */
    bool loops;  /* there are loops in it */
};

/* The same for a function, at an index that is not negative.  The table at `witness` is told what the
 * encoding rests upon (bind/witness.h). */
tidemill_status mill_encode_function(lua_State *L, int index, const char *where, int witness,
                                     struct mill_encoded *encoded, struct mill_error *error);

/* Pushes the value.  `inputs` are the results of the nodes that it mentions, in order.  Raises a
 * Lua error when a module or a builtin that it names is not to be had. */
void mill_decode(lua_State *L, const struct mill_value *value, const struct mill_value *inputs);

/* Keys of the registry tables and functions that lua/tidemill/origin.lua fills in:
 * object -> name of a builtin; object -> "hash module\0path", or false where refresh has still to
 * look; name -> builtin; function that was decoded -> true; metatable -> function that gives the
 * lazy node that stands for an object; metatable -> "what\0advice" of objects that do not cross. */
extern const char mill_builtins_key[], mill_modules_key[], mill_names_key[], mill_kinds_key[],
    mill_refresh_key[], mill_refused_key[], mill_wrap_key[], mill_resolve_key[],
    mill_frozen_key[], mill_convert_key[];

/* What a cdata is; the numbers are known to lua/tidemill/clib.lua. */
enum mill_cdata_kind {
    MILL_KIND_OTHER,
    MILL_KIND_INT64,
    MILL_KIND_UINT64,
    MILL_KIND_ARRAY,
    MILL_KIND_NODE
};

#endif
