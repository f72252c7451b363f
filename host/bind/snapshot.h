/* snapshot: what a delayed function is at the moment when a run is made: its code with all that it
 * captures, and its options, which the run's tasks keep however the script goes on.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SNAPSHOT_H
#define MILL_SNAPSHOT_H

#include <lua.h>

#include "bind/engine.h"

/* Where snapshots of a state's delayed functions come from. */
struct mill_snapshots {
    lua_State *L;
    struct tidemill *engine;
    int lookup; /* stack index of the Lua function number -> record, name (lua/tidemill/task.lua) */
    struct mill_error *error; /* why there is none */
};

/* The function of a number, for mill_run_new: the last one if nothing has changed since.  Its
 * reference belongs to the record.  NULL and *error on failure; raises nothing. */
struct mill_function *mill_snapshot(void *snapshots, uint32_t number);

#endif
