/* witness: a flat list of what was seen: a word that says what, then three values.
 * SPDX-License-Identifier: MIT */
#include "bind/witness.h"

#include <lauxlib.h>
#include <string.h>

const char mill_pristine_key[] = "tidemill.pristine";

enum what { ENVIRONMENT = 1, UPVALUE, GLOBAL, LIBRARY, STRINGS };
enum { SIZE = 4 }; /* of an entry; the witness has their number at 0 */

void mill_witness_new(lua_State *L)
{
    lua_createtable(L, 2 * SIZE, 1);
    lua_pushinteger(L, 0);
    lua_rawseti(L, -2, 0);
}

static int size_of(lua_State *L, int witness)
{
    lua_rawgeti(L, witness, 0);
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return count;
}

/* Pops the value; `subject` is a stack index, 0: none. */
static void add_witnessed(lua_State *L, int witness, enum what what, int subject,
                          const char *name, int i)
{
    int at = size_of(L, witness) * SIZE;
    lua_rawseti(L, witness, at + SIZE);
    if (name) {
        lua_pushstring(L, name);
    } else {
        lua_pushinteger(L, i);
    }
    lua_rawseti(L, witness, at + 3);
    lua_pushvalue(L, subject);
    lua_rawseti(L, witness, at + 2);
    lua_pushinteger(L, what);
    lua_rawseti(L, witness, at + 1);
    lua_pushinteger(L, at / SIZE + 1);
    lua_rawseti(L, witness, 0);
}

void mill_witness_environment(lua_State *L, int witness, int function, int environment)
{
    lua_pushvalue(L, environment);
    add_witnessed(L, witness, ENVIRONMENT, function, NULL, 0);
}

void mill_witness_upvalue(lua_State *L, int witness, int function, int i)
{
    lua_pushvalue(L, -1);
    add_witnessed(L, witness, UPVALUE, function, NULL, i);
}

void mill_witness_global(lua_State *L, int witness, int environment, const char *name)
{
    lua_pushvalue(L, -1);
    add_witnessed(L, witness, GLOBAL, environment, name, 0);
}

/* Takes down that a table is like its copy, if it has one. */
static bool add_pristine(lua_State *L, int witness, enum what what, int table)
{
    lua_getfield(L, LUA_REGISTRYINDEX, mill_pristine_key);
    lua_pushvalue(L, table);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    bool found = lua_istable(L, -1);
    if (found) {
        add_witnessed(L, witness, what, table, NULL, 0);
    } else {
        lua_pop(L, 1);
    }
    return found;
}

void mill_witness_library(lua_State *L, int witness, int library)
{
    add_pristine(L, witness, LIBRARY, library);
}

bool mill_witness_strings(lua_State *L, int witness, int metatable)
{
    if (!add_pristine(L, witness, STRINGS, metatable)) return false;
    lua_getfield(L, metatable, "__index");
    mill_witness_library(L, witness, lua_gettop(L));
    lua_pop(L, 1);
    return true;
}

/* Numbers by their bits: 0 and -0 are not the same constant. */
static bool is_same(lua_State *L, int a, int b)
{
    if (lua_type(L, a) == LUA_TNUMBER && lua_type(L, b) == LUA_TNUMBER) {
        double x = lua_tonumber(L, a), y = lua_tonumber(L, b);
        return memcmp(&x, &y, sizeof x) == 0;
    }
    return lua_rawequal(L, a, b);
}

/* Whether the table on top is the metatable of strings. */
static bool is_of_strings(lua_State *L)
{
    int table = lua_gettop(L);
    lua_pushliteral(L, "");
    bool same = lua_getmetatable(L, -1) && lua_rawequal(L, -1, table);
    lua_settop(L, table);
    return same;
}

/* Whether both tables, on top, hold the same. */
static bool is_equal(lua_State *L)
{
    int copy = lua_gettop(L), library = copy - 1, difference = 0;
    lua_pushnil(L);
    while (lua_next(L, library)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, copy);
        bool same = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (!same) {
            lua_pop(L, 1);
            return false;
        }
        difference++;
    }
    lua_pushnil(L);
    while (lua_next(L, copy)) {
        lua_pop(L, 1);
        difference--;
    }
    return difference == 0;
}

/* The entry's subject and what it had are on the stack, and room for two more. */
static bool holds_still(lua_State *L, int witness, int at, enum what what)
{
    int subject = lua_gettop(L) - 1, had = subject + 1;
    switch (what) {
    case ENVIRONMENT:
        lua_getfenv(L, subject);
        break;
    case UPVALUE:
        lua_rawgeti(L, witness, at + 3);
        if (!lua_getupvalue(L, subject, (int)lua_tointeger(L, -1))) return false;
        break;
    case GLOBAL:
        lua_rawgeti(L, witness, at + 3);
        lua_gettable(L, subject);
        break;
    case LIBRARY:
        return is_equal(L);
    case STRINGS:
        lua_insert(L, subject); /* the copy goes below */
        if (!is_of_strings(L)) return false;
        lua_insert(L, subject);
        return is_equal(L);
    }
    return is_same(L, -1, had);
}

bool mill_witness_holds(lua_State *L, int witness)
{
    int size = size_of(L, witness) * SIZE, top = lua_gettop(L);
    bool holds = true;
    luaL_checkstack(L, 8, "no room to look at a function");
    for (int at = 0; holds && at < size; at += SIZE) {
        lua_rawgeti(L, witness, at + 1);
        enum what what = (enum what)lua_tointeger(L, -1);
        lua_rawgeti(L, witness, at + 2);
        lua_rawgeti(L, witness, at + SIZE);
        holds = holds_still(L, witness, at, what);
        lua_settop(L, top);
    }
    return holds;
}
