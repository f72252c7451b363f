/* shared: Lua's handles of C objects that cross by reference.  SPDX-License-Identifier: MIT */
#include "bind/shared.h"

#include <lauxlib.h>

#include "bind/encode.h"
#include "data/share.h"

static const char shared_name[] = "tidemill.shared", decoded_key[] = "tidemill.decoded";

/* ---- handles ------------------------------------------------------------------------------ */

static int shared_gc(lua_State *L)
{
    struct mill_shared **box = lua_touserdata(L, 1);
    if (*box) mill_shared_unref(*box);
    *box = NULL;
    return 0;
}

static int handle_tostring(lua_State *L)
{
    struct mill_shared **box = lua_touserdata(L, 1);
    lua_pushstring(L, (*box)->kind->name);
    return 1;
}

void mill_push_handle(lua_State *L, struct mill_shared *shared)
{
    struct mill_shared **box = lua_newuserdata(L, sizeof(struct mill_shared *));
    *box = shared;
    if (luaL_newmetatable(L, shared_name)) {
        lua_pushcfunction(L, shared_gc);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, handle_tostring);
        lua_setfield(L, -2, "__tostring");
    }
    lua_setmetatable(L, -2);
}

struct mill_shared *mill_shared_at(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return NULL;
    luaL_getmetatable(L, shared_name);
    bool same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? *(struct mill_shared **)lua_touserdata(L, index) : NULL;
}

struct mill_shared *mill_check_shared(lua_State *L, int index,
                                      const struct mill_shared_kind *kind)
{
    struct mill_shared *shared = mill_shared_at(L, index);
    if (shared == NULL || shared->kind != kind) {
        luaL_error(L, "expected %s, got a %s", kind->name, luaL_typename(L, index));
    }
    return shared;
}

/* ---- shared values ------------------------------------------------------------------------- */

/* registry[decoded_key]: address -> {handle, value}.  Pushes it. */
static void push_cache(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, decoded_key);
    if (lua_istable(L, -1)) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, decoded_key);
}

/* Drops what nobody but the states' caches holds any more; the cache is on top. */
static void forget_unused(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        struct mill_share *share = lua_touserdata(L, -1);
        if (atomic_load(&share->shared.refs) > atomic_load(&share->caches)) continue;
        atomic_fetch_sub(&share->caches, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, -4); /* the handle keeps the object until the collector comes */
    }
}

static void push_decoded(lua_State *L, struct mill_share *share)
{
    push_cache(L);
    lua_pushlightuserdata(L, share);
    lua_rawget(L, -2);
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 2);
    } else {
        lua_pop(L, 1);
        forget_unused(L);
        lua_pushlightuserdata(L, share);
        lua_createtable(L, 2, 0);
        mill_push_handle(L, mill_shared_ref(&share->shared));
        lua_rawseti(L, -2, 1);
        mill_decode(L, &share->value, NULL);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, 2);
        lua_insert(L, -4); /* value, cache, address, entry */
        lua_rawset(L, -3);
        atomic_fetch_add(&share->caches, 1);
        lua_pop(L, 1);
        return;
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

void mill_push_shared(lua_State *L, struct mill_shared *shared)
{
    struct mill_share *share = mill_share_of(shared);
    if (share) {
        push_decoded(L, share);
    } else {
        mill_push_handle(L, mill_shared_ref(shared));
    }
}
