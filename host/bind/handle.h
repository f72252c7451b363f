/* handle: what Lua holds of the engine's objects: a userdata that knows its type.
 *
 *     static const char run_type[] = "tidemill.run";
 *     struct box *box = mill_handle_new(L, run_type, sizeof *box, run_gc);
 *     struct box *box = mill_handle_check(L, 1, run_type);
 *
 * A type is known by the address of its name, which spares looking the name up each time.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_HANDLE_H
#define MILL_HANDLE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Pushes a new one, all zeros; `gc` is called when it is collected.  Raises for want of memory. */
void *mill_handle_new(lua_State *L, const char *type, size_t size, lua_CFunction gc);

/* The one at `index`; NULL: it is something else. */
void *mill_handle_at(lua_State *L, int index, const char *type);

/* The same; raises an error that says what was expected. */
void *mill_handle_check(lua_State *L, int index, const char *type);

/* Pushes what the registry has under an address; how C code keeps tables of its own in a state. */
void mill_registry_get(lua_State *L, const char *key);

/* Pops a value and puts it there. */
void mill_registry_set(lua_State *L, const char *key);

#endif
