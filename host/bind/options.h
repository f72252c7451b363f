/* options: what the options of a delayed function say of its tasks: the cache, retries, resources,
 * priority, place and lane.  They are fields of its record, a Lua table that lua/tidemill/task.lua has
 * checked and filled in.  SPDX-License-Identifier: MIT */
#ifndef MILL_OPTIONS_H
#define MILL_OPTIONS_H

#include <lua.h>

#include "bind/engine.h"

/* Reads them into a function whose code, name and `joins` are there.  Raises where an option cannot be
 * had here; the function is to be freed as ever. */
void mill_options_read(lua_State *L, struct tidemill *engine, int record,
                       struct mill_function *function);

/* Whether a field is there and not false. */
bool mill_option_flag(lua_State *L, int record, const char *name);

#endif
