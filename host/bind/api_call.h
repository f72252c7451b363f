/* api_call: what tidemill_call keeps in the script's state.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_CALL_H
#define MILL_API_CALL_H

#include <lua.h>

#include "base/status.h"

/* Functions, by their references in the registry. */
struct mill_call_keys {
    int handler, invoke;
};

/* Pushes the function of the script by that name, as tidemill_call finds it; else nothing that counts, and
 * the error.  May raise. */
tidemill_status mill_call_push(lua_State *L, const char *name, struct mill_error *error);

/* Makes them; raises Lua's out-of-memory. */
void mill_call_prepare(lua_State *L, struct mill_call_keys *keys);

#endif
