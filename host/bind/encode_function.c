/* encode_function: functions become packed bytes, with all that they name.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "bind/api_function.h"
#include "bind/bytecode.h"
#include "bind/encode.h"
#include "bind/encoder.h"
#include "bind/witness.h"

/* The name under which a changed metatable of strings goes into an environment; the worker's loop
 * puts it into force (lua/tidemill/runner.lua). */
static const char string_metatable[] = "(string metatable)";

static int collect_dump(lua_State *L, const void *bytes, size_t size, void *packer)
{
    (void)L;
    mill_packer_bytes(packer, bytes, size);
    return 0;
}

static bool encode_upvalue(struct mill_encoder *encoder, int function, int i, const char *name)
{
    lua_State *L = encoder->L;
    bool fresh;
    uint32_t cell =
        mill_encoder_number(encoder, &encoder->cells, lua_upvalueid(L, function, i), &fresh);
    mill_packer_size(&encoder->out, cell);
    if (!fresh) return true;
    char phrase[80];
    snprintf(phrase, sizeof phrase, "upvalue %.60s", name && *name ? name : "(no name)");
    if (!mill_encoder_enter(encoder, 0, phrase, 0)) return false;
    lua_getupvalue(L, function, i);
    if (encoder->witness) mill_witness_upvalue(L, encoder->witness, function, i);
    bool nodes = encoder->nodes;
    encoder->nodes = false; /* as upvalues they are refused */
    bool fine = mill_encoder_value(encoder, lua_gettop(L));
    encoder->nodes = nodes;
    lua_pop(L, 1);
    mill_encoder_leave(encoder);
    return fine;
}

static bool has_global(const struct mill_encoder *encoder, uint32_t environment,
                       const char *name)
{
    for (uint32_t i = 0; i < encoder->global_count; i++) {
        const struct mill_encoder_global *global = &encoder->globals[i];
        if (global->environment == environment && strcmp(global->name, name) == 0) return true;
    }
    return false;
}

static bool add_global(struct mill_encoder *encoder, uint32_t environment, const char *name)
{
    if (!mill_room_for_one(&encoder->globals, encoder->global_count, &encoder->global_room,
                           sizeof *encoder->globals, 16)) {
        encoder->out.failed = true;
        return false;
    }
    lua_pushstring(encoder->L, name);
    const char *kept = lua_tostring(encoder->L, -1);
    lua_pushboolean(encoder->L, 1);
    lua_rawset(encoder->L, 1); /* slot 1 keeps names and values alive while we walk */
    encoder->globals[encoder->global_count++] = (struct mill_encoder_global){environment, kept};
    return true;
}

/* The value on top, which is popped, as `name` of an environment. */
static bool encode_global(struct mill_encoder *encoder, uint32_t environment, const char *name)
{
    lua_State *L = encoder->L;
    mill_packer_text(&encoder->out, name, strlen(name));
    bool known = has_global(encoder, environment, name), fine = known;
    mill_packer_byte(&encoder->out, !known);
    char phrase[80];
    snprintf(phrase, sizeof phrase, "global %.60s", name);
    if (!known && add_global(encoder, environment, name) &&
        mill_encoder_enter(encoder, 0, phrase, 0)) {
        bool nodes = encoder->nodes;
        encoder->nodes = false;
        lua_pushvalue(L, -1);
        lua_rawseti(L, 1, (int)encoder->global_count); /* a metamethod may have just made it */
        fine = mill_encoder_value(encoder, lua_gettop(L));
        encoder->nodes = nodes;
        mill_encoder_leave(encoder);
    }
    lua_pop(L, 1);
    return fine;
}

/* Pushes the metatable of strings when the script has changed it or the methods that it names. */
static bool push_string_metatable(struct mill_encoder *encoder)
{
    lua_State *L = encoder->L;
    int members = 0;
    bool plain = true;
    lua_pushliteral(L, "");
    if (!lua_getmetatable(L, -1)) lua_newtable(L);
    lua_remove(L, -2);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        plain = plain && mill_encoder_is_in(L, mill_builtins_key, lua_gettop(L));
        lua_pop(L, 1);
        members++;
    }
    if (!plain || members != 1) return true;
    if (encoder->witness && !mill_witness_strings(L, encoder->witness, lua_gettop(L))) {
        encoder->unsteady = true;
    }
    lua_pop(L, 1);
    return false;
}

static bool check_assignments(struct mill_encoder *encoder, int function,
                              const struct mill_bytecode *code)
{
    const char *kind = NULL, *name = NULL;
    if (code->assigned_upvalue >= 0) {
        kind = "upvalue";
        name = lua_getupvalue(encoder->L, function, code->assigned_upvalue + 1);
        if (name) lua_pop(encoder->L, 1);
    } else if (code->writes) {
        kind = "global";
        name = code->writes;
    }
    if (kind == NULL) return true;
    char path[600];
    mill_encoder_path(encoder, path, sizeof path);
    encoder->status =
        mill_fail(encoder->error, TIDEMILL_USAGE, "%s assigns %s %s; return the value instead",
                  path, kind, name && *name ? name : "(no name)");
    return false;
}

static bool encode_body(struct mill_encoder *encoder, int function,
                        const struct mill_bytecode *code, const char *dump, size_t size)
{
    lua_State *L = encoder->L;
    mill_packer_byte(&encoder->out, MILL_MARK_FUNCTION);
    mill_packer_bytes(&encoder->out, &code->hash, sizeof code->hash);
    mill_packer_text(&encoder->out, dump, size);
    mill_packer_size(&encoder->out, (uint64_t)code->upvalues);
    for (int i = 1; i <= code->upvalues; i++) {
        const char *name = lua_getupvalue(L, function, i);
        if (name) lua_pop(L, 1);
        if (!encode_upvalue(encoder, function, i, name)) return false;
    }
    lua_getfenv(L, function);
    int environment = lua_gettop(L);
    if (encoder->witness) {
        mill_witness_environment(L, encoder->witness, function, environment);
    }
    bool fresh;
    uint32_t number = mill_encoder_number(encoder, &encoder->environments,
                                          lua_topointer(L, environment), &fresh);
    mill_packer_size(&encoder->out, number);
    bool strings = push_string_metatable(encoder);
    mill_packer_size(&encoder->out, (uint64_t)code->read_count + strings);
    bool fine = !strings || encode_global(encoder, number, string_metatable);
    for (int i = 0; fine && i < code->read_count; i++) {
        lua_getfield(L, environment, code->reads[i]);
        if (encoder->witness) {
            mill_witness_global(L, encoder->witness, environment, code->reads[i]);
        }
        fine = encode_global(encoder, number, code->reads[i]);
    }
    lua_pop(L, 1);
    return fine;
}

static bool refuse_c_function(struct mill_encoder *encoder, int index)
{
    const char *name = mill_host_name(encoder->L, index);
    if (name == NULL) return mill_encoder_refuse(encoder, "a C function", NULL);
    char what[120];
    snprintf(what, sizeof what, "the host program's function %.80s", name);
    return mill_encoder_refuse(encoder, what, "it was registered without TIDEMILL_THREAD_SAFE");
}

bool mill_encoder_function(struct mill_encoder *encoder, int index)
{
    lua_State *L = encoder->L;
    if (!lua_checkstack(L, 16))
        return mill_encoder_refuse(encoder, "a value nested so deeply", NULL);
    if (mill_encoder_known(encoder, index)) return true;
    if (encoder->kept) return mill_encoder_refuse(encoder, "a function", NULL);
    if (lua_iscfunction(L, index)) return refuse_c_function(encoder, index);
    bool fresh;
    uint32_t number =
        mill_encoder_number(encoder, &encoder->objects, lua_topointer(L, index), &fresh);
    if (!fresh) {
        mill_packer_byte(&encoder->out, MILL_MARK_SEEN);
        mill_packer_size(&encoder->out, number);
        return true;
    }
    struct mill_packer dump;
    mill_packer_init(&dump);
    lua_pushvalue(L, index);
    int failure = lua_dump(L, collect_dump, &dump);
    lua_pop(L, 1);
    if (failure || dump.failed) {
        mill_packer_fini(&dump);
        return mill_encoder_refuse(encoder, "a function without bytecode", NULL);
    }
    struct mill_bytecode code;
    struct mill_error error;
    bool fine = mill_bytecode_read(dump.bytes, dump.size, &code, &error) == TIDEMILL_OK;
    if (!fine && error.status == TIDEMILL_MEMORY) {
        encoder->out.failed = true;
    } else if (!fine) {
        mill_encoder_refuse(encoder, "a function", error.text);
    } else {
        encoder->loops = encoder->loops || code.loops;
        fine = check_assignments(encoder, index, &code) &&
               encode_body(encoder, index, &code, (const char *)dump.bytes, dump.size);
        mill_bytecode_fini(&code);
    }
    mill_packer_fini(&dump);
    return fine;
}
