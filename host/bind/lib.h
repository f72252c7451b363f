/* lib: what Lua sees of the engine: the module "tidemill.core", one table of C functions.
 * Each lib_*.c adds the functions of one subject; the Lua library in lua/tidemill is the only
 * caller.  SPDX-License-Identifier: MIT */
#ifndef MILL_LIB_H
#define MILL_LIB_H

#include "bind/engine.h"

/* lua_CFunction: opens "tidemill.core" for the state it is called in. */
int mill_open_core(lua_State *L);

/* Add functions to the table on top of the stack. */
void mill_lib_io(lua_State *L);    /* text in and out, files, CSV, environment */
void mill_lib_graph(lua_State *L); /* nodes, runs and results; the script's state */
void mill_lib_task(lua_State *L);  /* the running task; workers' states */

/* Raises the text as a Lua error without a position. */
int mill_lib_raise(lua_State *L, const struct mill_error *error);

#endif
