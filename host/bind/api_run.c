/* api_run: scripts that a program runs, and what they return.  SPDX-License-Identifier: MIT */
#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bind/api.h"
#include "bind/embedded.h"
#include "bind/hosted.h"
#include "bind/proxy.h"
#include "bind/recorder.h"
#include "bind/watch.h"
#include "data/file.h"

/* ---- what a run is given ---------------------------------------------------------------- */

static const char result_key[] = "tidemill.result";

void mill_api_push_result(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, result_key);
}

/* For a record; text NULL: it is not known. */
static void record_script(struct tidemill *engine, const char *name, const char *text,
                          size_t size, int argc, char **argv)
{
    if (engine->recorder) {
        mill_recorder_begin(engine->recorder, name, text, size, argc, argv);
    }
}

static void record_script_file(struct tidemill *engine, const char *path, int argc, char **argv)
{
    struct mill_buffer *bytes = NULL;
    if (engine->recorder == NULL) return;
    if (mill_file_read(NULL, path, &bytes, NULL, NULL) == TIDEMILL_OK) {
        record_script(engine, path, (const char *)bytes->data, bytes->size, argc, argv);
    } else {
        record_script(engine, path, NULL, 0, argc, argv);
    }
    mill_buffer_unref(bytes);
}

/* A script to run. */
struct script {
    struct tidemill *engine;
    const char *name;  /* as arg[0] and the trace have it */
    const char *chunk; /* of its text, as lua_load has it */
    const char *text;  /* NULL: it is read from the file `name`, "-" is standard input */
    size_t size;
    int argc;
    char **argv;
    int64_t began; /* when it was loaded */
    bool syntax;   /* it could not be: the engine's error is set */
};

/* `arg` and `...` of a script; pushes the latter. */
static int push_script_arguments(lua_State *L, const struct script *script)
{
    int count = script->argc;
    luaL_checkstack(L, count + 8, "too many arguments");
    lua_createtable(L, count, 1);
    lua_pushstring(L, script->name);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < count; i++) {
        lua_pushstring(L, script->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    mill_confine_push_globals(L);
    lua_insert(L, -2);
    lua_pushliteral(L, "arg");
    lua_insert(L, -2);
    lua_rawset(L, -3); /* no metamethod of the script's runs here */
    lua_pop(L, 1);
    for (int i = 0; i < count; i++) lua_pushstring(L, script->argv[i]);
    return count;
}

/* Modules that lie beside the script are found wherever it was started from. */
static void add_folder(lua_State *L, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return; /* the current folder is on the path already */
    lua_getglobal(L, "package");
    lua_pushlstring(L, path, (size_t)(slash - path));
    const char *folder = lua_tostring(L, -1);
    lua_getfield(L, -2, "path");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder, folder, lua_tostring(L, -1));
    lua_setfield(L, -4, "path");
    lua_pop(L, 3);
}

static void set_tm(lua_State *L, void *context)
{
    (void)context;
    lua_getglobal(L, "tm");
    if (!lua_isnil(L, -1)) return;
    mill_state_require(L, "tidemill");
    lua_setglobal(L, "tm");
}

tidemill_status mill_api_set_tm(struct tidemill *engine)
{
    if (engine->confine.on) return TIDEMILL_OK; /* it is there */
    return mill_api_visit(engine, set_tm, NULL);
}

/* ---- its end ---------------------------------------------------------------------------- */

/* Whether the script or its tasks have started what somebody is to wait for, or to ask for. */
static bool is_to_be_ended(lua_State *L, struct tidemill *engine)
{
    luaL_findtable(L, LUA_REGISTRYINDEX, "_LOADED", 1);
    lua_getfield(L, -1, "tidemill.future");
    bool used = lua_istable(L, -1);
    lua_pop(L, 2);
    return used || (engine->pool_open && (atomic_load(&engine->pool.running) > 0 ||
                                          mill_engine_has_unasked(engine)));
}

/* future.close() */
static void close_futures(lua_State *L, void *engine)
{
    if (!is_to_be_ended(L, engine)) return;
    mill_state_require(L, "tidemill.future");
    lua_getfield(L, -1, "close");
    lua_call(L, 0, 0);
}

/* The end of a script waits for what it and its tasks have submitted; an error of a task that nobody
 * asked for is the script's. */
static tidemill_status end_futures(struct tidemill *engine)
{
    return mill_api_visit(engine, close_futures, engine);
}

tidemill_status mill_api_outcome(struct tidemill *engine, tidemill_status status)
{
    if (engine->exiting) return mill_api_fail(engine, TIDEMILL_EXIT, NULL);
    if (atomic_load(&engine->interrupted)) {
        mill_api_fail(engine, TIDEMILL_CANCELLED, NULL);
        return mill_fail(&engine->error, TIDEMILL_CANCELLED, "interrupted");
    }
    return status;
}

/* A trace that cannot be written fails a run that has gone well. */
static tidemill_status end_watching(struct tidemill *engine, const char *name, int64_t began,
                                    tidemill_status status)
{
    struct mill_error error;
    mill_watch_ran(engine, name, began);
    tidemill_status failure = mill_watch_end(engine, &error);
    if (failure == TIDEMILL_OK) return status;
    if (status == TIDEMILL_OK) return mill_fail(&engine->error, failure, "%s", error.text);
    mill_output_warn(&engine->output, "%s", error.text);
    return status;
}

/* ---- running ---------------------------------------------------------------------------- */

/* Pushes its chunk; false: there is none. */
static bool load_script(lua_State *L, struct script *script)
{
    struct tidemill *engine = script->engine;
    const char *mode = mill_confine_mode(&engine->confine);
    const char *path = strcmp(script->name, "-") == 0 ? NULL : script->name;
    int failure = script->text
                      ? luaL_loadbufferx(L, script->text, script->size, script->chunk, mode)
                      : luaL_loadfilex(L, path, mode);
    if (failure == LUA_ERRMEM) lua_error(L);
    if (failure != 0) {
        const char *text = lua_tostring(L, -1);
        mill_fail(&engine->error, TIDEMILL_SYNTAX, "%s", text ? text : "syntax error");
        return false;
    }
    if (script->text == NULL && path) add_folder(L, path);
    mill_confine_function(L);
    return true;
}

static void load_and_run(lua_State *L, void *context)
{
    struct script *script = context;
    script->syntax = !load_script(L, script);
    if (script->syntax) return;
    int count = push_script_arguments(L, script);
    script->began = mill_clock_now();
    lua_call(L, count, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, result_key);
}

static tidemill_status run_script(struct script *script)
{
    struct tidemill *engine = script->engine;
    script->began = mill_clock_now();
    tidemill_status status = mill_api_visit(engine, load_and_run, script);
    if (status == TIDEMILL_OK && script->syntax) return TIDEMILL_SYNTAX;
    if (status == TIDEMILL_OK) status = end_futures(engine);
    return end_watching(engine, script->name, script->began, mill_api_outcome(engine, status));
}

/* Runs it where the script is, unless that is here: then *apart is false. */
static tidemill_status run_apart(struct tidemill *engine, enum mill_request what,
                                 const char *name, const char *code, int argc, char **argv,
                                 bool *apart)
{
    *apart = engine->proxy != NULL;
    return *apart ? mill_proxy_run(engine, what, name, code, argc, argv) : TIDEMILL_OK;
}

/* ---- files ------------------------------------------------------------------------------ */

static tidemill_status check_readable(struct tidemill *engine, const char *path)
{
    FILE *file = fopen(path, "re");
    char byte;
    bool fine = file && (fread(&byte, 1, 1, file) == 1 || !ferror(file));
    int reason = errno;
    if (file) fclose(file);
    if (fine) return TIDEMILL_OK;
    return mill_fail(&engine->error, TIDEMILL_IO, "%s: %s", path, strerror(reason));
}

static tidemill_status run_file(struct tidemill *engine, const char *path, int argc,
                                char **argv)
{
    bool standard_input = strcmp(path, "-") == 0;
    tidemill_status status = mill_api_prepare(engine, standard_input ? NULL : path);
    if (status == TIDEMILL_OK && !standard_input) status = check_readable(engine, path);
    if (status != TIDEMILL_OK) return status;
    if (standard_input) {
        record_script(engine, path, NULL, 0, argc, argv);
    } else {
        record_script_file(engine, path, argc, argv);
    }
    struct script script = {.engine = engine, .name = path, .argc = argc, .argv = argv};
    return run_script(&script);
}

tidemill_status tidemill_run_file(tidemill *engine, const char *path, int argc, char **argv)
{
    bool apart = false;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) {
        status = run_apart(engine, MILL_REQUEST_RUN_FILE, path, NULL, argc, argv, &apart);
    }
    if (status == TIDEMILL_OK && !apart) status = run_file(engine, path, argc, argv);
    return mill_api_end(engine, status);
}

/* ---- scripts that are shipped ----------------------------------------------------------- */

static tidemill_status run_shipped(struct tidemill *engine, const char *name, int argc,
                                   char **argv)
{
    char full[128];
    snprintf(full, sizeof full, "script:%s", name);
    const struct mill_embedded *found = mill_embedded_find(full);
    if (found == NULL) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "no script \"%s\" is shipped; `tidemill run` lists them", name);
    }
    char *owned;
    const char *text = mill_embedded_text(found, &owned, &engine->error);
    if (text == NULL) return engine->error.status;
    record_script(engine, name, text, found->size, argc, argv);
    snprintf(full, sizeof full, "@%s.lua", name);
    struct script script = {.engine = engine,
                            .name = name,
                            .chunk = full,
                            .text = text,
                            .size = found->size,
                            .argc = argc,
                            .argv = argv};
    tidemill_status status = run_script(&script);
    free(owned);
    return status;
}

tidemill_status tidemill_run_shipped(tidemill *engine, const char *name, int argc, char **argv)
{
    bool apart = false;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) {
        status = run_apart(engine, MILL_REQUEST_RUN_SHIPPED, name, NULL, argc, argv, &apart);
    }
    if (status == TIDEMILL_OK && !apart) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK && !apart) status = run_shipped(engine, name, argc, argv);
    return mill_api_end(engine, status);
}

/* The first comment line of a script, "-- name: what it does". */
static void summary_of(const char *script, char *out, size_t room)
{
    const char *text = strncmp(script, "--", 2) == 0 ? script + 2 : "";
    text += strspn(text, "- ");
    const char *colon = strstr(text, ": ");
    const char *end = text + strcspn(text, "\n");
    if (colon && colon < end) text = colon + 2;
    snprintf(out, room, "%.*s", (int)(end - text), text);
}

void tidemill_each_shipped(void (*visit)(void *context, const char *name, const char *summary),
                           void *context)
{
    for (const struct mill_embedded *entry = mill_embedded; entry->name; entry++) {
        if (strncmp(entry->name, "script:", 7) != 0) continue;
        char summary[200], *owned;
        struct mill_error error;
        const char *text = mill_embedded_text(entry, &owned, &error);
        if (text) summary_of(text, summary, sizeof summary);
        visit(context, entry->name + 7, text ? summary : error.text);
        free(owned);
    }
}

/* ---- text ------------------------------------------------------------------------------- */

static tidemill_status run_string(struct tidemill *engine, const char *code, const char *name,
                                  int argc, char **argv)
{
    tidemill_status status = mill_api_set_tm(engine);
    if (status != TIDEMILL_OK) return status;
    record_script(engine, name, code, strlen(code), argc, argv);
    char chunk[256];
    snprintf(chunk, sizeof chunk, "=%s", name);
    struct script script = {.engine = engine,
                            .name = name,
                            .chunk = chunk,
                            .text = code,
                            .size = strlen(code),
                            .argc = argc,
                            .argv = argv};
    return run_script(&script);
}

tidemill_status tidemill_run_string(tidemill *engine, const char *code, const char *name,
                                    int argc, char **argv)
{
    bool apart = false;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) {
        status = run_apart(engine, MILL_REQUEST_RUN_STRING, name, code, argc, argv, &apart);
    }
    if (status == TIDEMILL_OK && !apart) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK && !apart) status = run_string(engine, code, name, argc, argv);
    return mill_api_end(engine, status);
}

/* ---- results ---------------------------------------------------------------------------- */

static void encode_json(lua_State *L, void *context)
{
    char **text = context;
    mill_state_require(L, "tidemill.json");
    lua_getfield(L, -1, "encode");
    mill_api_push_result(L);
    lua_call(L, 1, 1);
    *text = strdup(lua_tostring(L, -1));
}

static tidemill_status result_json(struct tidemill *engine, char **text)
{
    tidemill_status status = mill_api_visit(engine, encode_json, text);
    if (status != TIDEMILL_OK) return status;
    return *text ? TIDEMILL_OK : mill_no_memory(&engine->error, "JSON");
}

tidemill_status tidemill_result_json(tidemill *engine, char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && engine->proxy) {
        return mill_api_end(engine, mill_proxy_result_json(engine, text));
    }
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) status = result_json(engine, text);
    return mill_api_end(engine, status);
}
