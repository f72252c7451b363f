/* witness: what a function's encoding has looked at, so that another look can tell, without
 * encoding anew, that it would come out the same.
 *
 * A witness is a Lua table: for each function met, its environment and the values of its upvalues
 * and of the globals that it names; for each library met, what it held when the engine began.  What
 * those values are made of must not change by itself: whoever builds a witness of a table or of a
 * part of a module has to give it up.  A function of the script's state.  SPDX-License-Identifier: MIT */
#ifndef MILL_WITNESS_H
#define MILL_WITNESS_H

#include <lua.h>
#include <stdbool.h>

/* Key of the registry table library -> copy of what it held at first, for libraries that do not
 * change by themselves and for the metatable of strings; lua/tidemill/origin.lua fills it in. */
extern const char mill_pristine_key[];

/* All take the stack index of the witness, which is not negative, and may raise for want of memory. */

/* Pushes an empty one. */
void mill_witness_new(lua_State *L);

/* The function at `function` has the environment at `environment`. */
void mill_witness_environment(lua_State *L, int witness, int function, int environment);

/* Upvalue i, from 1, of the function has the value on top. */
void mill_witness_upvalue(lua_State *L, int witness, int function, int i);

/* `name` in the environment has the value on top. */
void mill_witness_global(lua_State *L, int witness, int environment, const char *name);

/* The library at `library` is as it was at first. */
void mill_witness_library(lua_State *L, int witness, int library);

/* The metatable of strings, at an index, is as it was at first; false, and nothing taken down, when
 * it is another one. */
bool mill_witness_strings(lua_State *L, int witness, int metatable);

/* Whether all of it is still so.  Reading a global may call a metamethod, which may raise. */
bool mill_witness_holds(lua_State *L, int witness);

#endif
