/* report: the functions of tidemill.h that tell of runs: explanations, records, what differs between two.
 * The texts are made by lua/tidemill/explain.lua and record.lua.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/api.h"
#include "bind/recorder.h"

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

static void watch_files(lua_State *L, void *context)
{
    (void)context;
    mill_state_require(L, "tidemill.record");
    lua_getfield(L, -1, "watch");
    lua_call(L, 0, 0);
}

static tidemill_status record(struct tidemill *engine)
{
    tidemill_status status = TIDEMILL_OK;
    if (engine->inquiry == NULL) status = inquire(engine, false);
    if (status != TIDEMILL_OK) return status;
    status = mill_api_visit(engine, watch_files, NULL);
    if (status != TIDEMILL_OK) return status;
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

/* How a script has ended. */
struct exit {
    int status;
    bool result; /* whether it has returned something */
};

/* A question to a function of a module of the library, which answers with text. */
struct module_question {
    const char *module, *function;
    const char *texts[2]; /* its arguments, which may be NULL */
    int count;
    const struct exit
        *exit;    /* its status goes before them, what was returned behind; or NULL */
    char *answer; /* malloc'ed */
};

static void ask_module(lua_State *L, void *context)
{
    struct module_question *question = context;
    int base = lua_gettop(L) + 1;
    mill_state_require(L, question->module);
    lua_getfield(L, -1, question->function);
    if (question->exit) lua_pushinteger(L, question->exit->status);
    for (int i = 0; i < question->count; i++) lua_pushstring(L, question->texts[i]);
    if (question->exit && question->exit->result) mill_api_push_result(L);
    lua_call(L, lua_gettop(L) - base - 1, 1);
    question->answer = strdup(lua_tostring(L, -1));
}

static tidemill_status answer(struct tidemill *engine, struct module_question question,
                              char **text)
{
    tidemill_status status = mill_api_visit(engine, ask_module, &question);
    if (status != TIDEMILL_OK) return status;
    *text = question.answer;
    return *text ? TIDEMILL_OK : mill_no_memory(&engine->error, question.function);
}

tidemill_status tidemill_explanation(tidemill *engine, const char *task, char **text)
{
    struct module_question question = {"tidemill.explain", "report", {task}, 1, NULL, NULL};
    *text = NULL;
    tidemill_status status = mill_api_begin(engine);
    if (status == TIDEMILL_OK) status = answer(engine, question, text);
    return mill_api_end(engine, status);
}

static tidemill_status record_json(struct tidemill *engine, int exit_status,
                                   const char *problem, const char *json, char **text)
{
    struct exit ended = {exit_status, problem == NULL && !engine->exiting};
    struct module_question question = {
        "tidemill.record", "text", {problem, json}, 2, &ended, NULL,
    };
    tidemill_status status = mill_api_prepare(engine, NULL);
    if (status != TIDEMILL_OK) return status;
    if (engine->recorder == NULL) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "nothing was recorded");
    }
    return answer(engine, question, text);
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
    struct module_question question = {
        "tidemill.record", "compare", {first, second}, 2, NULL, NULL};
    *text = NULL;
    tidemill_status status = mill_api_begin(engine);
    if (status == TIDEMILL_OK) status = answer(engine, question, text);
    return mill_api_end(engine, status);
}
