/* lib_record: what a record of a run is made of, for lua/tidemill/record.lua.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/recorder.h"
#include "kernels/kernels.h"

static void set_hash(lua_State *L, const char *name, struct mill_hash hash)
{
    char text[33];
    mill_hash_text(hash, text);
    mill_lib_set_text(L, name, text);
}

static const char *kind_name(char kind)
{
    switch (kind) {
    case MILL_READ_FILE:
        return "file";
    case MILL_READ_LISTING:
        return "listing";
    case MILL_READ_VARIABLE:
        return "variable";
    case MILL_READ_PRESENCE:
        return "path";
    default:
        return "library";
    }
}

static void push_inputs(lua_State *L, struct mill_recorder *recorder)
{
    lua_newtable(L);
    pthread_mutex_lock(&recorder->mutex);
    for (size_t i = 0; i < recorder->count; i++) {
        const struct mill_input *input = &recorder->inputs[i];
        lua_createtable(L, 0, 4);
        mill_lib_set_text(L, "kind", kind_name(input->kind));
        mill_lib_set_text(L, "name", input->name);
        if (!mill_hash_is_zero(input->hash)) set_hash(L, "hash", input->hash);
        if (input->size >= 0) mill_lib_set_number(L, "size", (double)input->size);
        lua_rawseti(L, -2, (int)i + 1);
    }
    pthread_mutex_unlock(&recorder->mutex);
}

static void push_settings(lua_State *L, struct tidemill *engine)
{
    lua_newtable(L);
    for (int i = 0; i < MILL_SETTING_COUNT; i++) {
        struct mill_setting_view view;
        if (!mill_settings_view(engine, i, &view)) continue;
        if (mill_settings_source(engine, view.name) != MILL_FROM_DEFAULT) {
            mill_lib_set_text(L, view.name, view.value);
        }
        mill_settings_view_free(&view);
    }
}

static void push_warnings(lua_State *L, struct mill_output *output)
{
    lua_newtable(L);
    pthread_mutex_lock(&output->mutex);
    for (int i = 0; i < output->warned_count; i++) {
        lua_pushstring(L, output->warned[i]);
        lua_rawseti(L, -2, i + 1);
    }
    pthread_mutex_unlock(&output->mutex);
}

static void push_script(lua_State *L, const struct mill_recorder *recorder)
{
    lua_createtable(L, 0, 2);
    mill_lib_set_text(L, "path", recorder->script ? recorder->script : "");
    if (recorder->hashed) set_hash(L, "hash", recorder->script_hash);
    lua_setfield(L, -2, "script");
    lua_newtable(L);
    for (int i = 0; i < recorder->argument_count; i++) {
        lua_pushstring(L, recorder->arguments[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "arguments");
}

/* core.record_facts() -> what the engine knows of the run; nil: nothing is recorded */
static int record_facts(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_recorder *recorder = engine->recorder;
    if (recorder == NULL) return 0;
    lua_createtable(L, 0, 20);
    mill_lib_set_text(L, "release", TIDEMILL_VERSION);
    mill_lib_set_number(L, "semantics", engine->identity.semantics);
    mill_lib_set_text(L, "luajit", engine->identity.luajit);
    mill_lib_set_text(L, "sqlite", sqlite3_libversion());
    mill_lib_set_text(L, "instruction_set", tidemill_kernel_isa());
    bool blas = mill_blas_open(&engine->blas) == MILL_BLAS_THERE;
    mill_lib_set_text(L, "blas", blas ? engine->blas.text : "none");
    char libm[64];
    mill_identity_libm(libm, sizeof libm);
    mill_lib_set_text(L, "libm", libm);
    mill_lib_set_number(L, "seed", (double)engine->seed);
    mill_lib_set_number(L, "fallbacks", (double)atomic_load(&engine->degraded));
    mill_lib_set_number(L, "start", (double)recorder->start);
    mill_lib_set_number(L, "end", (double)mill_recorder_now());
    push_script(L, recorder);
    push_inputs(L, recorder);
    lua_setfield(L, -2, "inputs");
    push_settings(L, engine);
    lua_setfield(L, -2, "settings");
    push_warnings(L, &engine->output);
    lua_setfield(L, -2, "warnings");
    return 1;
}

/* core.record_file(path): the script reads a file. */
static int record_file(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    const char *path = luaL_checkstring(L, 1);
    if (engine->recorder == NULL) return 0;
    mill_recorder_note(engine->recorder, MILL_READ_FILE, path,
                       mill_files_hash(&engine->files, path));
    return 0;
}

/* core.content(value) -> 32 hexadecimal digits, the hash of its content; nil: it has none */
static int record_content(lua_State *L)
{
    struct mill_value value;
    struct mill_error error;
    lua_settop(L, 1);
    if (mill_encode(L, 1, "the value", false, &value, &error) != TIDEMILL_OK) return 0;
    bool opaque = mill_value_is_opaque(&value);
    struct mill_hash hash = mill_value_hash(&value, NULL);
    mill_value_unref(value);
    if (opaque) return 0;
    char text[33];
    mill_hash_text(hash, text);
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg record_functions[] = {
    {"content", record_content},
    {"record_facts", record_facts},
    {"record_file", record_file},
    {NULL, NULL},
};

void mill_lib_record(lua_State *L)
{
    luaL_register(L, NULL, record_functions);
}
