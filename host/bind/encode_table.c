/* encode_table: tables become packed bytes.  SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "bind/encode.h"
#include "bind/encoder.h"

/* A key of the hash part, in the order in which pairs are packed. */
struct key {
    int rank; /* 0 number, 1 string, 2 false, 3 true, 4 others, as they come */
    double number;
    const char *text; /* a Lua string that its table keeps alive */
    size_t size;
    int other; /* stack index of a copy, for rank 4 */
};

static int compare_keys(const void *a_, const void *b_)
{
    const struct key *a = a_, *b = b_;
    if (a->rank != b->rank) return a->rank - b->rank;
    if (a->rank == 0) return a->number < b->number ? -1 : a->number > b->number;
    if (a->rank != 1) return a->other - b->other;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

struct keys {
    struct key few[16];
    struct key *list;
    size_t count, room;
    int others; /* copies of keys on the stack */
};

static bool add_key(struct mill_encoder *encoder, struct keys *keys)
{
    lua_State *L = encoder->L;
    if (keys->count == keys->room) {
        size_t room = keys->room * 2;
        struct key *grown = malloc(room * sizeof *grown);
        if (grown == NULL) {
            encoder->out.failed = true;
            return false;
        }
        memcpy(grown, keys->list, keys->count * sizeof *grown);
        if (keys->list != keys->few) free(keys->list);
        keys->list = grown;
        keys->room = room;
    }
    struct key *key = &keys->list[keys->count++];
    memset(key, 0, sizeof *key);
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        key->number = lua_tonumber(L, -1);
        break;
    case LUA_TSTRING:
        key->rank = 1;
        key->text = lua_tolstring(L, -1, &key->size);
        break;
    case LUA_TBOOLEAN:
        key->rank = lua_toboolean(L, -1) ? 3 : 2;
        break;
    default:
        key->rank = 4;
    }
    return true;
}

static void push_key(lua_State *L, const struct key *key)
{
    switch (key->rank) {
    case 0:
        lua_pushnumber(L, key->number);
        break;
    case 1:
        lua_pushlstring(L, key->text, key->size);
        break;
    case 2:
    case 3:
        lua_pushboolean(L, key->rank == 3);
        break;
    default:
        lua_pushvalue(L, key->other);
    }
}

/* Collects the keys that are not in 1..list.  Keys of rank 4 stay on the stack. */
static bool collect_keys(struct mill_encoder *encoder, int table, size_t list,
                         struct keys *keys)
{
    lua_State *L = encoder->L;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TNUMBER) {
            double number = lua_tonumber(L, -1);
            if (number >= 1 && number <= (double)list && number == (double)(size_t)number) {
                continue;
            }
        }
        if (!add_key(encoder, keys)) {
            lua_pop(L, 1);
            return false;
        }
        struct key *key = &keys->list[keys->count - 1];
        if (key->rank == 4) {
            if (!lua_checkstack(L, 8))
                return mill_encoder_refuse(encoder, "a table with so many keys", NULL);
            lua_pushvalue(L, -1); /* lua_next goes on with the upper one */
            key->other = lua_gettop(L) - 1;
            keys->others++;
        }
    }
    return true;
}

static bool encode_pair(struct mill_encoder *encoder, int table, const struct key *key)
{
    lua_State *L = encoder->L;
    push_key(L, key);
    bool fine;
    if (key->rank == 1) {
        fine = mill_encoder_enter(encoder, LUA_TSTRING, key->text, 0);
    } else if (key->rank == 0) {
        fine = mill_encoder_enter(encoder, LUA_TNUMBER, NULL, key->number);
    } else {
        fine = mill_encoder_enter(encoder, 0, "a key that is not a string", 0);
    }
    if (!fine) {
        lua_pop(L, 1);
        return false;
    }
    fine = mill_encoder_value(encoder, lua_gettop(L));
    if (fine) {
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        fine = mill_encoder_value(encoder, lua_gettop(L));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    mill_encoder_leave(encoder);
    return fine;
}

static bool encode_list(struct mill_encoder *encoder, int table, size_t count)
{
    for (size_t i = 1; i <= count; i++) {
        if (!mill_encoder_enter(encoder, LUA_TNUMBER, NULL, (double)i)) return false;
        lua_rawgeti(encoder->L, table, (int)i);
        bool fine = mill_encoder_value(encoder, lua_gettop(encoder->L));
        lua_pop(encoder->L, 1);
        mill_encoder_leave(encoder);
        if (!fine) return false;
    }
    return true;
}

/* The longest run 1..n without a hole: the same for equal tables, however they were filled. */
static size_t list_length(lua_State *L, int table)
{
    size_t count = lua_objlen(L, table);
    for (size_t i = 1; i <= count; i++) {
        lua_rawgeti(L, table, (int)i);
        bool hole = lua_isnil(L, -1);
        lua_pop(L, 1);
        if (hole) return i - 1;
    }
    return count;
}

static bool encode_metatable(struct mill_encoder *encoder, int table)
{
    lua_State *L = encoder->L;
    if (!lua_getmetatable(L, table)) return true;
    bool fine = mill_encoder_enter(encoder, 0, "its metatable", 0);
    if (fine) {
        mill_encoder_refresh(encoder);
        fine = mill_encoder_value(encoder, lua_gettop(L));
        mill_encoder_leave(encoder);
    }
    lua_pop(L, 1);
    return fine;
}

/* Whether a table may not cross; says so. */
static bool refuse_table(struct mill_encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (lua_rawequal(L, index, LUA_GLOBALSINDEX)) {
        mill_encoder_refuse(encoder, "the table of all globals",
                            "name the global that is needed");
        return true;
    }
    if (!lua_getmetatable(L, index)) return false;
    mill_encoder_push_known(L, mill_refused_key, lua_gettop(L));
    const char *what = lua_tostring(L, -1); /* what, zero, advice */
    if (what) mill_encoder_refuse(encoder, what, what + strlen(what) + 1);
    lua_pop(L, 2);
    return what != NULL;
}

bool mill_encoder_table(struct mill_encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    bool converted;
    if (mill_encoder_converted(encoder, index, &converted)) return converted;
    if (mill_encoder_known(encoder, index)) return true;
    if (refuse_table(encoder, index)) return false;
    encoder->unsteady = true;
    bool fresh;
    uint32_t number =
        mill_encoder_number(encoder, &encoder->objects, lua_topointer(L, index), &fresh);
    if (!fresh) {
        mill_packer_byte(&encoder->out, MILL_MARK_SEEN);
        mill_packer_size(&encoder->out, number);
        return true;
    }
    if (!lua_checkstack(L, 16))
        return mill_encoder_refuse(encoder, "a value nested so deeply", NULL);
    int top = lua_gettop(L);
    size_t list = list_length(L, index);
    struct keys keys = {.room = 16};
    keys.list = keys.few;
    bool fine = collect_keys(encoder, index, list, &keys);
    if (fine) {
        qsort(keys.list, keys.count, sizeof *keys.list, compare_keys);
        bool meta = lua_getmetatable(L, index);
        if (meta) lua_pop(L, 1);
        mill_packer_byte(&encoder->out, MILL_MARK_TABLE);
        mill_packer_size(&encoder->out, list);
        mill_packer_size(&encoder->out, keys.count);
        mill_packer_byte(&encoder->out, meta);
        fine = encode_list(encoder, index, list);
    }
    for (size_t i = 0; fine && i < keys.count; i++) {
        fine = encode_pair(encoder, index, &keys.list[i]);
    }
    fine = fine && encode_metatable(encoder, index);
    if (keys.list != keys.few) free(keys.list);
    lua_settop(L, top);
    return fine;
}
