/* decode: cells that crossed become values of a Lua state.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>

#include "bind/api_function.h"
#include "bind/encode.h"
#include "bind/engine.h"
#include "bind/shared.h"
#include "data/packed.h"

struct decoder {
    lua_State *L;
    struct mill_unpacker in;
    const struct mill_packed *packed;
    const struct mill_value *inputs;
    int memory; /* stack index of a table: objects, then (from the end) cells, environments */
    uint32_t objects, cells, environments;
};

/* The three lists share one table: objects lie at n, the home of a cell (function and index of
 * the upvalue) at -2n and -2n-1, environments at n + 0.5. */
static void decode(struct decoder *decoder);

static void push_array(lua_State *L, struct mill_array *array)
{
    lua_getfield(L, LUA_REGISTRYINDEX, mill_wrap_key);
    lua_pushlightuserdata(L, mill_array_ref(array));
    lua_call(L, 1, 1);
}

static void push_builtin(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    size_t size;
    const char *name = mill_unpacker_text(&decoder->in, &size);
    lua_getfield(L, LUA_REGISTRYINDEX, mill_names_key);
    lua_pushlstring(L, name, size);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_pushlstring(L, name, size);
    const char *text = lua_tostring(L, -1);
    if (mill_host_push(L, text)) {
        lua_remove(L, -2);
    } else if (strncmp(text, "host:", 5) == 0) {
        luaL_error(L, "the host program's function \"%s\" is not there in a process of its own",
                   text + 5);
    } else {
        luaL_error(L, "this Lua state has no builtin \"%s\"", text);
    }
}

static void push_module(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    size_t size;
    mill_unpacker_bytes(&decoder->in, 16);
    lua_getfield(L, LUA_REGISTRYINDEX, mill_resolve_key);
    for (int i = 0; i < 2; i++) {
        const char *text = mill_unpacker_text(&decoder->in, &size);
        lua_pushlstring(L, text, size);
    }
    lua_call(L, 2, 1);
}

static void decode_table(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    luaL_checkstack(L, 8, "value nested too deeply");
    uint64_t list = mill_unpacker_size(&decoder->in);
    uint64_t pairs = mill_unpacker_size(&decoder->in);
    uint8_t meta = mill_unpacker_byte(&decoder->in);
    lua_createtable(L, (int)list, (int)pairs);
    lua_pushvalue(L, -1);
    lua_rawseti(L, decoder->memory, (int)++decoder->objects);
    for (uint64_t i = 1; i <= list; i++) {
        decode(decoder);
        lua_rawseti(L, -2, (int)i);
    }
    for (uint64_t i = 0; i < pairs; i++) {
        decode(decoder);
        decode(decoder);
        lua_rawset(L, -3);
    }
    if (meta) {
        decode(decoder);
        if (!lua_istable(L, -1)) luaL_error(L, "damaged value (a metatable that is no table)");
        lua_setmetatable(L, -2);
    }
}

/* The function is on top. */
static void decode_upvalue(struct decoder *decoder, int i)
{
    lua_State *L = decoder->L;
    uint32_t cell = (uint32_t)mill_unpacker_size(&decoder->in);
    int function = lua_gettop(L);
    if (cell < decoder->cells) {
        lua_rawgeti(L, decoder->memory, -2 * (int)cell - 2);
        lua_rawgeti(L, decoder->memory, -2 * (int)cell - 3);
        int home = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
        lua_upvaluejoin(L, function, i, lua_gettop(L), home);
        lua_pop(L, 1);
        return;
    }
    decoder->cells++;
    lua_pushvalue(L, function);
    lua_rawseti(L, decoder->memory, -2 * (int)cell - 2);
    lua_pushinteger(L, i);
    lua_rawseti(L, decoder->memory, -2 * (int)cell - 3);
    decode(decoder);
    lua_setupvalue(L, function, i);
}

static void push_environment(struct decoder *decoder, uint32_t number)
{
    lua_State *L = decoder->L;
    lua_pushnumber(L, number + 0.5);
    lua_rawget(L, decoder->memory);
    if (number < decoder->environments) return;
    lua_pop(L, 1);
    decoder->environments++;
    lua_newtable(L);
    lua_createtable(L, 0, 1); /* names that code makes up at run time are looked up in _G */
    mill_confine_push_globals(L);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pushnumber(L, number + 0.5);
    lua_pushvalue(L, -2);
    lua_rawset(L, decoder->memory);
}

static void decode_function(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    luaL_checkstack(L, 12, "value nested too deeply");
    size_t size;
    mill_unpacker_bytes(&decoder->in, 16);
    const char *dump = mill_unpacker_text(&decoder->in, &size);
    if (luaL_loadbuffer(L, dump, size, "=task") != 0) lua_error(L);
    lua_getfield(L, LUA_REGISTRYINDEX, mill_frozen_key); /* there in workers that use it */
    if (lua_istable(L, -1)) {
        lua_pushvalue(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_rawseti(L, decoder->memory, (int)++decoder->objects);
    uint64_t upvalues = mill_unpacker_size(&decoder->in);
    for (uint64_t i = 1; i <= upvalues; i++) decode_upvalue(decoder, (int)i);
    push_environment(decoder, (uint32_t)mill_unpacker_size(&decoder->in));
    lua_pushvalue(L, -1);
    lua_setfenv(L, -3);
    uint64_t names = mill_unpacker_size(&decoder->in);
    for (uint64_t i = 0; i < names; i++) {
        const char *name = mill_unpacker_text(&decoder->in, &size);
        if (!mill_unpacker_byte(&decoder->in)) continue;
        lua_pushlstring(L, name, size);
        decode(decoder);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
}

static void push_int64(lua_State *L, uint8_t mark, uint64_t bits)
{
    lua_getfield(L, LUA_REGISTRYINDEX, mill_wrap_key);
    lua_pushnil(L);
    lua_pushboolean(L, mark == MILL_MARK_UINT64);
    lua_pushlstring(L, (const char *)&bits, 8);
    lua_call(L, 3, 1);
}

static void decode(struct decoder *decoder)
{
    lua_State *L = decoder->L;
    size_t size;
    uint8_t mark = mill_unpacker_byte(&decoder->in);
    switch (mark) {
    case MILL_MARK_NIL:
        lua_pushnil(L);
        break;
    case MILL_MARK_FALSE:
        lua_pushboolean(L, 0);
        break;
    case MILL_MARK_TRUE:
        lua_pushboolean(L, 1);
        break;
    case MILL_MARK_NUMBER: {
        double number;
        uint64_t bits = mill_unpacker_word(&decoder->in);
        memcpy(&number, &bits, 8);
        lua_pushnumber(L, number);
        break;
    }
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        push_int64(L, mark, mill_unpacker_word(&decoder->in));
        break;
    case MILL_MARK_STRING: {
        const char *text = mill_unpacker_text(&decoder->in, &size);
        lua_pushlstring(L, text, size);
        break;
    }
    case MILL_MARK_TABLE:
        decode_table(decoder);
        break;
    case MILL_MARK_SEEN:
        lua_rawgeti(L, decoder->memory, (int)mill_unpacker_size(&decoder->in) + 1);
        break;
    case MILL_MARK_ARRAY:
        push_array(L, decoder->packed->arrays[mill_unpacker_size(&decoder->in)]);
        break;
    case MILL_MARK_SHARED:
        mill_push_shared(L, decoder->packed->shared[mill_unpacker_size(&decoder->in)]);
        break;
    case MILL_MARK_NODE:
        mill_decode(L, &decoder->inputs[mill_unpacker_size(&decoder->in)], NULL);
        break;
    case MILL_MARK_BUILTIN:
        push_builtin(decoder);
        break;
    case MILL_MARK_MODULE:
        push_module(decoder);
        break;
    case MILL_MARK_FUNCTION:
        decode_function(decoder);
        break;
    default:
        luaL_error(L, "damaged value (mark %d)", mark);
    }
}

static void decode_packed(lua_State *L, const struct mill_packed *packed,
                          const struct mill_value *inputs)
{
    luaL_checkstack(L, 8, "value nested too deeply");
    struct decoder decoder = {
        .L = L,
        .in = {packed->bytes, packed->bytes + packed->size, false},
        .packed = packed,
        .inputs = inputs,
    };
    lua_newtable(L);
    decoder.memory = lua_gettop(L);
    decode(&decoder);
    lua_remove(L, decoder.memory);
}

void mill_decode(lua_State *L, const struct mill_value *value, const struct mill_value *inputs)
{
    size_t size;
    switch (value->tag) {
    case MILL_TAG_FALSE:
        lua_pushboolean(L, 0);
        break;
    case MILL_TAG_TRUE:
        lua_pushboolean(L, 1);
        break;
    case MILL_TAG_NUMBER:
        lua_pushnumber(L, value->number);
        break;
    case MILL_TAG_INT64:
        push_int64(L, MILL_MARK_INT64, value->natural);
        break;
    case MILL_TAG_UINT64:
        push_int64(L, MILL_MARK_UINT64, value->natural);
        break;
    case MILL_TAG_SHORT:
    case MILL_TAG_STRING: {
        const char *text = mill_value_text(value, &size);
        mill_scope_take_up(L, size);
        lua_pushlstring(L, text, size);
        break;
    }
    case MILL_TAG_COLUMN:
        push_array(L, value->array);
        break;
    case MILL_TAG_PACKED:
        mill_scope_take_up(L, value->packed->size);
        decode_packed(L, value->packed, inputs);
        break;
    case MILL_TAG_SHARED:
        mill_push_shared(L, value->shared);
        break;
    default:
        lua_pushnil(L);
    }
}
