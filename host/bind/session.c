/* session: inputs of an interactive session, for programs that have one: what each means is the
 * matter of repl/session.lua and its neighbours.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bind/api.h"
#include "bind/proxy.h"
#include "bind/session.h"
#include "bind/watch.h"

/* ---- Stopping an input ------------------------------------------------------------------ */

/* Whether the function that runs is the engine's own, which is not to be left half done. */
static bool is_own_code(lua_State *L, lua_Debug *where)
{
    return lua_getinfo(L, "S", where) && strncmp(where->source, "=[tidemill]", 11) == 0 &&
           strncmp(where->source, "=[tidemill] repl.", 17) != 0;
}

/* A hook.  It fires in interpreted code alone. */
static void stop_input(lua_State *L, lua_Debug *where)
{
    if (is_own_code(L, where)) return;
    lua_sethook(L, NULL, 0, 0);
    luaL_error(L, "interrupted");
}

static void hook(lua_State *L)
{
    lua_sethook(L, stop_input, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

/* The state in which tasks run on the session's own thread; NULL: none does. */
static lua_State *serial_state(const struct tidemill *engine)
{
    bool serial = engine->pool_open && engine->workers == 0;
    return serial ? engine->pool.workers[0].user : NULL;
}

/* From the handler of a signal that met the session's own thread, as luajit itself does it. */
void mill_session_stop(struct tidemill *engine)
{
    if (!atomic_load(&engine->typing) || !pthread_equal(engine->typist, pthread_self())) return;
    lua_State *tasks = serial_state(engine);
    if (tasks) hook(tasks);
    hook(engine->L);
}

/* The input is over: what comes next runs. */
static void unhook(struct tidemill *engine)
{
    lua_State *tasks = serial_state(engine);
    if (tasks) lua_sethook(tasks, NULL, 0, 0);
    lua_sethook(engine->L, NULL, 0, 0);
}

/* ---- Calling the session ----------------------------------------------------------------- */

/* A call of a function of repl/session.lua, and the two values that it gives: text, or NULL. */
struct exchange {
    const char *name, *argument;
    char *first, *second; /* malloc'ed */
    bool failed;          /* no memory for them */
};

static char *copy_answer(lua_State *L, int index, bool *failed)
{
    const char *text = lua_tostring(L, index);
    char *copy = text ? strdup(text) : NULL;
    if (text && copy == NULL) *failed = true;
    return copy;
}

static void call_session(lua_State *L, void *context)
{
    struct exchange *exchange = context;
    mill_state_require(L, "repl.session");
    lua_getfield(L, -1, exchange->name);
    lua_pushstring(L, exchange->argument);
    lua_call(L, 1, 2);
    exchange->first = copy_answer(L, -2, &exchange->failed);
    exchange->second = copy_answer(L, -1, &exchange->failed);
}

/* What the exchange gets is the caller's to end. */
static tidemill_status ask_session(struct tidemill *engine, struct exchange *exchange)
{
    tidemill_status status = mill_api_visit(engine, call_session, exchange);
    if (status != TIDEMILL_OK) return status;
    return exchange->failed ? mill_no_memory(&engine->error, "text") : TIDEMILL_OK;
}

static void end_exchange(struct exchange *exchange)
{
    free(exchange->first);
    free(exchange->second);
}

/* What take() has said; its text becomes the error's. */
static tidemill_status session_answer(struct tidemill *engine, struct exchange *exchange)
{
    const char *what = exchange->first;
    if (what == NULL) return TIDEMILL_OK;
    tidemill_status status = strcmp(what, "more") == 0     ? TIDEMILL_INCOMPLETE
                             : strcmp(what, "syntax") == 0 ? TIDEMILL_SYNTAX
                                                           : TIDEMILL_ERROR;
    mill_api_fail(engine, status, exchange->second);
    exchange->second = NULL;
    return status;
}

static tidemill_status take_input(struct tidemill *engine, const char *code)
{
    tidemill_status status = mill_api_set_tm(engine);
    if (status != TIDEMILL_OK) return status;
    struct exchange exchange = {.name = "take", .argument = code};
    int64_t began = mill_clock_now();
    engine->typist = pthread_self();
    atomic_store(&engine->typing, true);
    status = ask_session(engine, &exchange);
    atomic_store(&engine->typing, false);
    unhook(engine);
    if (status == TIDEMILL_OK) status = session_answer(engine, &exchange);
    end_exchange(&exchange);
    if (status != TIDEMILL_INCOMPLETE) mill_watch_ran(engine, code, began);
    return mill_api_outcome(engine, status);
}

/* A sandbox has none: the session's globals are those of the state. */
static bool is_apart(const struct tidemill *engine)
{
    return engine->proxy && !engine->confine.on;
}

tidemill_status tidemill_eval(tidemill *engine, const char *code)
{
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && is_apart(engine)) {
        return mill_api_end(engine, mill_proxy_session(engine, MILL_REQUEST_EVAL, code, NULL));
    }
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) status = take_input(engine, code);
    return mill_api_end(engine, status);
}

/* What a function of the session gives as text; it fails with its second value when it gives none. */
static tidemill_status session_text(struct tidemill *engine, const char *name,
                                    const char *argument, char **text)
{
    struct exchange exchange = {.name = name, .argument = argument};
    tidemill_status status = mill_api_set_tm(engine);
    if (status == TIDEMILL_OK) status = ask_session(engine, &exchange);
    if (status == TIDEMILL_OK && exchange.first == NULL) {
        const char *why = exchange.second ? exchange.second : name;
        status = mill_fail(&engine->error, TIDEMILL_USAGE, "%s", why);
    }
    if (status == TIDEMILL_OK) {
        *text = exchange.first;
        exchange.first = NULL;
    }
    end_exchange(&exchange);
    return status;
}

static tidemill_status ask_text(tidemill *engine, const char *name, enum mill_request what,
                                const char *argument, char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && is_apart(engine)) {
        return mill_api_end(engine, mill_proxy_session(engine, what, argument, text));
    }
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) status = session_text(engine, name, argument, text);
    return mill_api_end(engine, status);
}

tidemill_status tidemill_complete(tidemill *engine, const char *before, char **text)
{
    return ask_text(engine, "complete", MILL_REQUEST_COMPLETE, before, text);
}

tidemill_status tidemill_help(tidemill *engine, const char *word, char **text)
{
    return ask_text(engine, "help", MILL_REQUEST_HELP, word, text);
}
