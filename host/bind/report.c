/* report: the functions of tidemill.h that tell of runs: explanations, records, what differs between two.
 * The texts are made by lua/tidemill/explain.lua and record.lua.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/api.h"
#include "bind/recorder.h"
#include "bind/state.h"

/* ---- asking before a run ------------------------------------------------------------------------- */

static tidemill_status inquire(struct tidemill *engine, bool dry)
{
    if (engine->inquiry == NULL) {
        engine->inquiry = mill_inquiry_new();
        if (engine->inquiry == NULL) return mill_no_memory(&engine->error, "an explanation");
        engine->inquiry->owned = false; /* by any run */
    }
    engine->inquiry->dry = dry;
    return TIDEMILL_OK;
}

tidemill_status tidemill_explain(tidemill *engine, int dry)
{
    tidemill_status status = mill_api_begin(engine);
    if (status == TIDEMILL_OK) status = inquire(engine, dry != 0);
    return mill_api_end(engine, status);
}

/* What a result from the cache depends on is in the record, too. */
static void seen(void *context, char kind, const char *name, struct mill_hash hash)
{
    struct tidemill *engine = context;
    mill_recorder_note(engine->recorder, kind, name, hash);
}

static int watch_files(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidemill.record");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "watch");
    lua_call(L, 0, 0);
    return 0;
}

static tidemill_status record(struct tidemill *engine)
{
    tidemill_status status = TIDEMILL_OK;
    if (engine->inquiry == NULL) status = inquire(engine, false);
    if (status != TIDEMILL_OK) return status;
    char *message;
    lua_pushcfunction(engine->L, watch_files);
    status = mill_state_call(engine->L, 0, 0, &message);
    if (status != TIDEMILL_OK) return mill_api_fail(engine, status, message);
    engine->recorder = mill_recorder_new();
    if (engine->recorder == NULL) return mill_no_memory(&engine->error, "a record");
    engine->lookup.seen = seen;
    return TIDEMILL_OK;
}

tidemill_status tidemill_record(tidemill *engine)
{
    tidemill_status status = mill_api_begin(engine);
    if (status == TIDEMILL_OK && engine->recorder == NULL) status = record(engine);
    return mill_api_end(engine, status);
}

/* ---- telling after it ------------------------------------------------------------------------------ */

/* Calls the function `name` of a module with the `count` values on top, and gives its text. */
static tidemill_status call_text(struct tidemill *engine, const char *module, const char *name,
                                 int count, char **text)
{
    lua_State *L = engine->L;
    int base = lua_gettop(L) - count;
    char *message;
    *text = NULL;
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    tidemill_status status = mill_state_call(L, 1, 1, &message);
    if (status == TIDEMILL_OK) {
        lua_getfield(L, -1, name);
        lua_remove(L, -2);
        lua_insert(L, base + 1);
        status = mill_state_call(L, count, 1, &message);
    }
    if (status == TIDEMILL_OK) {
        *text = strdup(lua_tostring(L, -1));
        if (*text == NULL) status = mill_no_memory(&engine->error, name);
    } else {
        mill_api_fail(engine, status, message);
    }
    lua_settop(L, base);
    return status;
}

tidemill_status tidemill_explanation(tidemill *engine, const char *task, char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_begin(engine);
    if (status == TIDEMILL_OK) {
        lua_pushstring(engine->L, task);
        status = call_text(engine, "tidemill.explain", "report", 1, text);
    }
    return mill_api_end(engine, status);
}

static tidemill_status record_json(struct tidemill *engine, int exit_status,
                                   const char *problem, const char *json, char **text)
{
    bool exiting = engine->exiting;
    tidemill_status status = mill_api_prepare(engine, NULL);
    if (status != TIDEMILL_OK) return status;
    if (engine->recorder == NULL) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "nothing was recorded");
    }
    lua_State *L = engine->L;
    lua_pushinteger(L, exit_status);
    lua_pushstring(L, problem);
    lua_pushstring(L, json);
    if (problem || exiting) {
        lua_pushnil(L);
    } else {
        mill_api_push_result(L);
    }
    return call_text(engine, "tidemill.record", "text", 4, text);
}

tidemill_status tidemill_record_json(tidemill *engine, int exit_status, const char *problem,
                                     const char *json, char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) {
        status = record_json(engine, exit_status, problem, json, text);
    }
    return mill_api_end(engine, status);
}

tidemill_status tidemill_diff(tidemill *engine, const char *first, const char *second,
                              char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_begin(engine);
    if (status == TIDEMILL_OK) {
        lua_pushstring(engine->L, first);
        lua_pushstring(engine->L, second);
        status = call_text(engine, "tidemill.record", "compare", 2, text);
    }
    return mill_api_end(engine, status);
}
