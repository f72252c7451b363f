/* encode: values of a Lua state become cells that cross.
 * One walk, depth first.  Tables and functions are numbered when they are met; met again they
 * are named by number.  Pairs go out in a fixed order, so that equal tables pack alike in every
 * state.  SPDX-License-Identifier: MIT */
#include "bind/encode.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/encoder.h"
#include "bind/engine.h"
#include "bind/shared.h"

enum { LUA_TCDATA = 10 };

/* ---- leaves ---------------------------------------------------------------------------- */

static void put_double(struct mill_encoder *encoder, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, 8);
    mill_packer_word(&encoder->out, MILL_MARK_NUMBER, bits);
}

void mill_encoder_string(struct mill_encoder *encoder, enum mill_mark mark, int index)
{
    size_t size;
    const char *text = lua_tolstring(encoder->L, index, &size);
    mill_packer_byte(&encoder->out, (uint8_t)mark);
    mill_packer_text(&encoder->out, text, size);
}

static enum mill_cdata_kind kind_of(lua_State *L, int index)
{
    lua_getfield(L, LUA_REGISTRYINDEX, mill_kinds_key);
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    enum mill_cdata_kind kind = (enum mill_cdata_kind)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return kind;
}

static const char *const node_advice =
    "pass it as an argument of the call, so that its result is used";

bool mill_encoder_cdata(struct mill_encoder *encoder, int index)
{
    const void *payload = lua_topointer(encoder->L, index);
    uint64_t bits;
    switch (kind_of(encoder->L, index)) {
    case MILL_KIND_INT64:
        memcpy(&bits, payload, 8);
        mill_packer_word(&encoder->out, MILL_MARK_INT64, bits);
        return true;
    case MILL_KIND_UINT64:
        memcpy(&bits, payload, 8);
        mill_packer_word(&encoder->out, MILL_MARK_UINT64, bits);
        return true;
    case MILL_KIND_ARRAY:
        mill_packer_array(&encoder->out, *(struct mill_array *const *)payload);
        return true;
    case MILL_KIND_NODE:
        if (!encoder->nodes) return mill_encoder_refuse(encoder, "a lazy node", node_advice);
        memcpy(&bits, payload, 8);
        mill_packer_node(&encoder->out, (uint32_t)bits);
        return true;
    default:
        return mill_encoder_refuse(encoder, "a C object (cdata)", NULL);
    }
}

/* Pushes the function that gives the node which stands for an object, such as a future. */
static bool push_converter(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) return false;
    lua_getfield(L, LUA_REGISTRYINDEX, mill_convert_key);
    if (lua_istable(L, -1)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, -2);
        lua_replace(L, -2);
    }
    lua_replace(L, -2);
    if (lua_isfunction(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}

/* The converter is on top. */
static bool encode_converted(struct mill_encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (!encoder->nodes) {
        lua_pop(L, 1);
        return mill_encoder_refuse(
            encoder, lua_type(L, index) == LUA_TTABLE ? "a future" : "a lazy array",
            "pass it as an argument, so that its result is used");
    }
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, 1); /* the node must not be collected while we walk */
    bool fine = mill_encoder_cdata(encoder, lua_gettop(L));
    lua_pop(L, 1);
    return fine;
}

/* Encodes an object that stands for a node; false when it is none. */
bool mill_encoder_converted(struct mill_encoder *encoder, int index, bool *fine)
{
    if (!push_converter(encoder->L, index)) return false;
    *fine = encode_converted(encoder, index);
    return true;
}

static bool encode_userdata(struct mill_encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    struct mill_shared *shared = mill_shared_at(L, index);
    if (shared && encoder->kept) return mill_encoder_refuse(encoder, shared->kind->name, NULL);
    if (shared) {
        mill_packer_shared(&encoder->out, shared);
        return true;
    }
    bool file = false, converted;
    if (mill_encoder_converted(encoder, index, &converted)) return converted;
    if (lua_getmetatable(L, index)) {
        lua_getfield(L, LUA_REGISTRYINDEX, LUA_FILEHANDLE);
        file = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    if (file) return mill_encoder_refuse(encoder, "a file", "open it inside the task");
    return mill_encoder_refuse(encoder, "a userdata", NULL);
}

/* ---- any value -------------------------------------------------------------------------- */

bool mill_encoder_value(struct mill_encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (encoder->out.failed) return false;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        mill_packer_byte(&encoder->out, MILL_MARK_NIL);
        return true;
    case LUA_TBOOLEAN:
        mill_packer_byte(&encoder->out,
                         lua_toboolean(L, index) ? MILL_MARK_TRUE : MILL_MARK_FALSE);
        return true;
    case LUA_TNUMBER:
        put_double(encoder, lua_tonumber(L, index));
        return true;
    case LUA_TSTRING:
        mill_encoder_string(encoder, MILL_MARK_STRING, index);
        return true;
    case LUA_TTABLE:
        return mill_encoder_table(encoder, index);
    case LUA_TFUNCTION:
        return mill_encoder_function(encoder, index);
    case LUA_TCDATA:
        return mill_encoder_cdata(encoder, index);
    case LUA_TTHREAD:
        return mill_encoder_refuse(encoder, "a coroutine", NULL);
    case LUA_TLIGHTUSERDATA:
        return mill_encoder_refuse(encoder, "a pointer", NULL);
    default:
        return encode_userdata(encoder, index);
    }
}

/* Values that fit a cell, without the walk. */
static bool encode_cell(lua_State *L, int index, bool nodes, struct mill_value *value,
                        bool *failed)
{
    size_t size;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        *value = mill_nil();
        return true;
    case LUA_TBOOLEAN:
        *value = mill_nil();
        value->tag = lua_toboolean(L, index) ? MILL_TAG_TRUE : MILL_TAG_FALSE;
        return true;
    case LUA_TNUMBER:
        *value = mill_number(lua_tonumber(L, index));
        return true;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &size);
        if (size < MILL_BUFFER_MAPPED) {
            *value = mill_string(text, size, failed);
        } else {
            *value = mill_string_in(&mill_engine_of(L)->memory, text, size, failed);
        }
        return true;
    }
    case LUA_TCDATA: {
        const void *payload = lua_topointer(L, index);
        enum mill_cdata_kind kind = kind_of(L, index);
        if (kind == MILL_KIND_ARRAY) {
            struct mill_array *array = *(struct mill_array *const *)payload;
            mill_array_publish(array);
            *value = mill_column(mill_array_ref(array));
            return true;
        }
        if (kind == MILL_KIND_OTHER || (kind == MILL_KIND_NODE && !nodes)) return false;
        *value = mill_nil();
        value->tag = kind == MILL_KIND_NODE    ? MILL_TAG_NODE
                     : kind == MILL_KIND_INT64 ? MILL_TAG_INT64
                                               : MILL_TAG_UINT64;
        memcpy(&value->natural, payload, 8);
        if (kind == MILL_KIND_NODE) value->natural = (uint32_t)value->natural;
        return true;
    }
    default:
        return false;
    }
}

static void encoder_fini(struct mill_encoder *encoder)
{
    mill_packer_fini(&encoder->out);
    free(encoder->objects.slots);
    free(encoder->cells.slots);
    free(encoder->environments.slots);
    free(encoder->globals);
}

/* The walk may raise (Lua out of memory, a metamethod of a script): it runs protected, so that
 * what it holds is freed. (encoder, value, witness) */
static int walk_protected(lua_State *L)
{
    struct mill_encoder *encoder = lua_touserdata(L, 1);
    lua_remove(L, 1);
    lua_newtable(L); /* what must stay alive */
    lua_insert(L, 1);
    if (encoder->witness) encoder->witness = 3;
    mill_encoder_value(encoder, 2);
    return 0;
}

static tidemill_status status_of(int raised)
{
    return raised == LUA_ERRMEM ? TIDEMILL_MEMORY : TIDEMILL_ERROR;
}

/* Into encoder->out, which is the caller's; `witness` is a stack index, 0: none. */
static void walk_into(struct mill_encoder *encoder, int index, int witness)
{
    lua_State *L = encoder->L;
    mill_packer_init(&encoder->out);
    encoder->out.memory = &mill_engine_of(L)->memory;
    encoder->witness = witness;
    lua_pushcfunction(L, walk_protected);
    lua_pushlightuserdata(L, encoder);
    lua_pushvalue(L, index);
    if (witness) lua_pushvalue(L, witness);
    int raised = lua_pcall(L, 2 + (witness != 0), 0, 0);
    if (raised) {
        const char *text = lua_tostring(L, -1);
        encoder->status = mill_fail(encoder->error, status_of(raised), "%s (%s)",
                                    text ? text : "an error", encoder->where);
        lua_pop(L, 1);
    }
}

/* What the walk has made, and its end. */
static tidemill_status take_encoded(struct mill_encoder *encoder, struct mill_value *value)
{
    bool failed = false;
    if (encoder->status == TIDEMILL_OK) {
        *value = mill_packer_take(&encoder->out, &failed);
        if (failed) encoder->status = mill_no_memory(encoder->error, encoder->where);
    }
    encoder_fini(encoder);
    return encoder->status;
}

tidemill_status mill_encode(lua_State *L, int index, const char *where, bool nodes,
                            struct mill_value *value, struct mill_error *error)
{
    bool failed = false;
    *value = mill_nil();
    if (index < 0) index = lua_gettop(L) + index + 1;
    if (encode_cell(L, index, nodes, value, &failed)) {
        return failed ? mill_no_memory(error, where) : TIDEMILL_OK;
    }
    struct mill_encoder encoder = {.L = L, .nodes = nodes, .where = where, .error = error};
    walk_into(&encoder, index, 0);
    return take_encoded(&encoder, value);
}

tidemill_status mill_encode_out(lua_State *L, int index, const char *where,
                                struct mill_value *value, struct mill_error *error)
{
    bool failed = false;
    *value = mill_nil();
    if (encode_cell(L, index, false, value, &failed)) {
        return failed ? mill_no_memory(error, where) : TIDEMILL_OK;
    }
    struct mill_encoder encoder = {.L = L, .leaves = true, .where = where, .error = error};
    walk_into(&encoder, index, 0);
    return take_encoded(&encoder, value);
}

tidemill_status mill_encode_kept(lua_State *L, int index, const char *where,
                                 struct mill_value *value, struct mill_error *error)
{
    bool failed = false;
    *value = mill_nil();
    if (encode_cell(L, index, false, value, &failed)) {
        return failed ? mill_no_memory(error, where) : TIDEMILL_OK;
    }
    struct mill_encoder encoder = {.L = L, .kept = true, .where = where, .error = error};
    walk_into(&encoder, index, 0);
    return take_encoded(&encoder, value);
}

tidemill_status mill_encode_function(lua_State *L, int index, const char *where, int witness,
                                     struct mill_encoded *encoded, struct mill_error *error)
{
    encoded->code = mill_nil();
    struct mill_encoder encoder = {.L = L, .where = where, .error = error};
    walk_into(&encoder, index, witness);
    encoded->steady = !encoder.unsteady;
    encoded->loops = encoder.loops;
    return take_encoded(&encoder, &encoded->code);
}
