/* shared: Lua's handles of C objects that cross by reference, and the one kind whose object is
 * itself a Lua value (data/share.h).  SPDX-License-Identifier: MIT */
#ifndef MILL_BIND_SHARED_H
#define MILL_BIND_SHARED_H

#include <lua.h>

#include "data/value.h"

/* Pushes a handle, which gains a reference; of a shared value the value itself, decoded once for
 * each state. */
void mill_push_shared(lua_State *L, struct mill_shared *shared);

/* Pushes a handle that takes over the reference. */
void mill_push_handle(lua_State *L, struct mill_shared *shared);

/* The object of a handle; NULL: the value is none. */
struct mill_shared *mill_shared_at(lua_State *L, int index);

/* The object of a handle of that kind; raises. */
struct mill_shared *mill_check_shared(lua_State *L, int index,
                                      const struct mill_shared_kind *kind);

#endif
