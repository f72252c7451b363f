/* api_call: what tidemill_call keeps in the script's state.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_CALL_H
#define MILL_API_CALL_H

#include <lua.h>

/* Functions, by their references in the registry. */
struct mill_call_keys {
    int handler, invoke;
};

/* Makes them; raises Lua's out-of-memory. */
void mill_call_prepare(lua_State *L, struct mill_call_keys *keys);

#endif
