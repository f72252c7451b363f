/* handle: userdata of the engine's types.  SPDX-License-Identifier: MIT */
#include "bind/handle.h"

#include <lauxlib.h>
#include <string.h>

void mill_registry_get(lua_State *L, const char *key)
{
    lua_pushlightuserdata(L, (void *)key);
    lua_rawget(L, LUA_REGISTRYINDEX);
}

void mill_registry_set(lua_State *L, const char *key)
{
    lua_pushlightuserdata(L, (void *)key);
    lua_insert(L, -2);
    lua_rawset(L, LUA_REGISTRYINDEX);
}

static void push_metatable(lua_State *L, const char *type, lua_CFunction gc)
{
    mill_registry_get(L, type);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -1);
    mill_registry_set(L, type);
}

void *mill_handle_new(lua_State *L, const char *type, size_t size, lua_CFunction gc)
{
    void *handle = lua_newuserdata(L, size);
    memset(handle, 0, size);
    push_metatable(L, type, gc);
    lua_setmetatable(L, -2);
    return handle;
}

void *mill_handle_at(lua_State *L, int index, const char *type)
{
    void *handle = lua_touserdata(L, index);
    if (handle == NULL || !lua_getmetatable(L, index)) return NULL;
    mill_registry_get(L, type);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? handle : NULL;
}

void *mill_handle_check(lua_State *L, int index, const char *type)
{
    void *handle = mill_handle_at(L, index, type);
    if (handle == NULL) luaL_typerror(L, index, type);
    return handle;
}
