/* api_function: functions of the host, called by scripts and tasks.  No error crosses a frame of the
 * host: what may raise happens before the call, or after it in a protected call of its own.
 * SPDX-License-Identifier: MIT */
#include "bind/api_function.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/api.h"
#include "bind/encode.h"
#include "bind/proxy.h"
#include "bind/signature.h"
#include "bind/state.h"

struct mill_host_function {
    tidemill_function given; /* its texts are copies: the next process is told of them, too */
    struct mill_signature signature;
    struct tidemill *engine;
    uint64_t number; /* in the order of registering */
    char *builtin;   /* how tasks know it: "host:NAME@VERSION" */
    struct mill_host_function *next;
};

struct tidemill_invocation {
    struct tidemill *engine;
    const char *name;
    struct mill_value *arguments, *results;
    int count, wanted; /* so many have been filled in */
    char *text;        /* of tidemill_raise, malloc'ed */
    tidemill_status status;
};

enum { ARGUMENTS_MOST = MILL_HOST_ARGUMENTS };

/* ---- one call --------------------------------------------------------------------------- */

tidemill_status tidemill_raise(tidemill_invocation *invocation, const char *text)
{
    free(invocation->text);
    invocation->text = strdup(text);
    return TIDEMILL_ERROR;
}

tidemill *tidemill_caller(tidemill_invocation *invocation)
{
    return invocation->engine;
}

static void end_invocation(struct tidemill_invocation *invocation)
{
    for (int i = 0; i < invocation->count; i++) mill_value_unref(invocation->arguments[i]);
    for (int i = 0; i < invocation->wanted; i++) mill_value_unref(invocation->results[i]);
    free(invocation->text);
}

/* Raises the text on top of the stack with the place of the script's call in front. */
static int raise_there(lua_State *L)
{
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
    return lua_error(L);
}

/* Ends the invocation and pushes what has gone wrong with it. */
static int raise_end(lua_State *L, struct tidemill_invocation *invocation, const char *text)
{
    char copy[1200];
    snprintf(copy, sizeof copy, "%s: %s", invocation->name, text);
    end_invocation(invocation);
    lua_pushstring(L, copy);
    return raise_there(L);
}

/* The argument at an index of the stack; false: the text is in *error. */
static bool argument_at(lua_State *L, const struct mill_host_function *function, int i,
                        struct mill_value *value, struct mill_error *error)
{
    char where[32];
    snprintf(where, sizeof where, "argument %d", i + 1);
    *value = mill_nil();
    if (i < lua_gettop(L)) {
        tidemill_status status = mill_encode_out(L, i + 1, where, value, error);
        if (status != TIDEMILL_OK) return false;
    }
    if (i >= function->signature.argument_count) return true;
    const struct mill_parameter *parameter = &function->signature.arguments[i];
    if (mill_signature_allows(parameter, mill_value_out(*value))) return true;
    char name[16];
    mill_signature_name(parameter, name);
    mill_fail(error, TIDEMILL_USAGE, "%s: expected %s, got %s", where, name,
              mill_signature_word(mill_value_out(*value)));
    return false;
}

static int check_count(lua_State *L, const struct mill_host_function *function)
{
    int given = lua_gettop(L), named = function->signature.argument_count;
    if (given > ARGUMENTS_MOST || (given > named && !function->signature.variadic)) {
        lua_pushfstring(L, "%s: expected %d arguments at most, got %d", function->given.name,
                        function->signature.variadic ? ARGUMENTS_MOST : named, given);
        raise_there(L);
    }
    return given > named ? given : named;
}

/* (invocation): pushes the results */
static int push_results(lua_State *L)
{
    struct tidemill_invocation *invocation = lua_touserdata(L, 1);
    luaL_checkstack(L, invocation->wanted + 4, "results");
    for (int i = 0; i < invocation->wanted; i++) mill_decode(L, &invocation->results[i], NULL);
    return invocation->wanted;
}

static bool check_results(const struct mill_host_function *function,
                          const struct tidemill_invocation *invocation,
                          struct mill_error *error)
{
    for (int i = 0; i < invocation->wanted; i++) {
        tidemill_value value = mill_value_out(invocation->results[i]);
        char name[16];
        mill_signature_name(&function->signature.results[i], name);
        if (mill_signature_allows(&function->signature.results[i], value)) continue;
        mill_fail(error, TIDEMILL_ERROR, "result %d: expected %s, the host gave %s", i + 1,
                  name, mill_signature_word(value));
        return false;
    }
    return true;
}

/* A worker's thread is inside a call of the host: set meanwhile. */
static _Thread_local const struct tidemill *calling;

const struct tidemill *mill_task_calling(void)
{
    return calling;
}

/* Without Lua. */
static void call_host(const struct mill_host_function *function,
                      struct tidemill_invocation *invocation, bool task)
{
    const struct tidemill *before = calling;
    if (task) calling = function->engine;
    const tidemill_value *arguments = (const void *)invocation->arguments;
    tidemill_value *results = (void *)invocation->results;
    invocation->status = function->given.call(function->given.context, invocation, arguments,
                                              (size_t)invocation->count, results);
    calling = before;
}

/* Pushes what the host has given, and ends the invocation. */
static int finish_call(lua_State *L, const struct mill_host_function *function,
                       struct tidemill_invocation *invocation)
{
    struct mill_error error;
    if (invocation->status != TIDEMILL_OK) {
        snprintf(error.text, sizeof error.text, "%s",
                 invocation->text ? invocation->text : "the host program's function failed");
        return raise_end(L, invocation, error.text);
    }
    if (!check_results(function, invocation, &error))
        return raise_end(L, invocation, error.text);
    int base = lua_gettop(L), wanted = invocation->wanted;
    lua_pushcfunction(L, push_results);
    lua_pushlightuserdata(L, invocation);
    int failure = lua_pcall(L, 1, LUA_MULTRET, 0);
    end_invocation(invocation);
    if (failure) return lua_error(L);
    return lua_gettop(L) == base + wanted ? wanted : luaL_error(L, "too few results");
}

/* What a script calls; upvalue 1: the function. */
static int call_function(lua_State *L)
{
    const struct mill_host_function *function = lua_touserdata(L, lua_upvalueindex(1));
    struct mill_value arguments[ARGUMENTS_MOST], results[MILL_SIGNATURE_MOST];
    struct mill_error error;
    struct tidemill_invocation invocation = {.engine = function->engine,
                                             .name = function->given.name,
                                             .arguments = arguments,
                                             .results = results};
    bool task = mill_worker_of(L) != NULL;
    int count = check_count(L, function);
    luaL_checkstack(L, 8, "call");
    for (int i = 0; i < count; i++) {
        bool fine = argument_at(L, function, i, &arguments[i], &error);
        invocation.count = i + 1;
        if (!fine) return raise_end(L, &invocation, error.text);
    }
    invocation.wanted = function->signature.result_count;
    for (int i = 0; i < invocation.wanted; i++) results[i] = mill_nil();
    call_host(function, &invocation, task);
    return finish_call(L, function, &invocation);
}

/* ---- in a Lua state --------------------------------------------------------------------- */

/* registry[key][object on top] = the object below it, both kept */
static void keep_pair(lua_State *L, const char *key)
{
    lua_getfield(L, LUA_REGISTRYINDEX, key);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -4);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* Pushes the function of this state, which tasks know by its name when they may call it. */
static void push_host_function(lua_State *L, struct mill_host_function *function)
{
    lua_pushlightuserdata(L, function);
    lua_pushcclosure(L, call_function, 1);
    lua_pushstring(L, function->builtin);
    lua_pushvalue(L, -2);
    bool shared = function->given.flags & TIDEMILL_THREAD_SAFE;
    if (shared) keep_pair(L, mill_builtins_key); /* function -> name */
    lua_pop(L, 1);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    if (shared) keep_pair(L, mill_names_key); /* name -> function */
    lua_pop(L, 2);
}

bool mill_host_push(lua_State *L, const char *builtin)
{
    struct tidemill *engine = mill_engine_of(L);
    /* Pairs with the release in register_function: what it finds is whole. */
    struct mill_host_function *function =
        atomic_load_explicit(&engine->host_functions, memory_order_acquire);
    while (function && strcmp(function->builtin, builtin) != 0) function = function->next;
    if (function) push_host_function(L, function);
    return function != NULL;
}

const char *mill_host_name(lua_State *L, int index)
{
    if (lua_tocfunction(L, index) != call_function) return NULL;
    lua_getupvalue(L, index, 1);
    const struct mill_host_function *function = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return function->given.name;
}

/* The table that has the last part of `name` is left on the stack; the part is given. */
static const char *push_home(lua_State *L, const char *name)
{
    mill_confine_push_globals(L);
    for (const char *dot; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
        lua_pushlstring(L, name, (size_t)(dot - name));
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, -5);
        }
        if (!lua_istable(L, -1)) luaL_error(L, "%s is no table", lua_tostring(L, -2));
        lua_replace(L, -3);
        lua_pop(L, 1);
    }
    return name;
}

/* (function): puts it where its name says */
static int install(lua_State *L)
{
    struct mill_host_function *function = lua_touserdata(L, 1);
    const char *last = push_home(L, function->given.name);
    lua_getfield(L, -1, last);
    if (!lua_isnil(L, -1)) return luaL_error(L, "there is a global of that name");
    lua_pop(L, 1);
    push_host_function(L, function);
    lua_setfield(L, -2, last);
    return 0;
}

/* ---- for a script in another process ------------------------------------------------------ */

static struct mill_host_function *find_numbered(const struct tidemill *engine, uint64_t number)
{
    struct mill_host_function *function =
        atomic_load_explicit(&engine->host_functions, memory_order_acquire);
    while (function && function->number != number) function = function->next;
    return function;
}

const tidemill_function *mill_host_at(const struct tidemill *engine, uint64_t number)
{
    const struct mill_host_function *function = find_numbered(engine, number);
    return function ? &function->given : NULL;
}

/* What argument_at does, for values that the other side has sent. */
static tidemill_status check_sent(const struct mill_signature *signature,
                                  const struct mill_value *arguments, size_t count,
                                  struct mill_error *error)
{
    if (count > (size_t)signature->argument_count && !signature->variadic) {
        return mill_fail(error, TIDEMILL_USAGE, "expected %d arguments at most, got %zu",
                         signature->argument_count, count);
    }
    for (int i = 0; i < signature->argument_count; i++) {
        tidemill_value value = mill_value_out(arguments[i]);
        char name[16];
        if (mill_signature_allows(&signature->arguments[i], value)) continue;
        mill_signature_name(&signature->arguments[i], name);
        return mill_fail(error, TIDEMILL_USAGE, "argument %d: expected %s, got %s", i + 1, name,
                         mill_signature_word(value));
    }
    return TIDEMILL_OK;
}

tidemill_status mill_host_answer(struct tidemill *engine, uint64_t number,
                                 struct mill_value *arguments, size_t count,
                                 struct mill_value *results, size_t *wanted,
                                 struct mill_error *error)
{
    const struct mill_host_function *function = find_numbered(engine, number);
    *wanted = 0;
    if (function == NULL) return mill_fail(error, TIDEMILL_USAGE, "there is no such function");
    const struct mill_signature *signature = &function->signature;
    tidemill_status status = check_sent(signature, arguments, count, error);
    if (status != TIDEMILL_OK) return status;
    size_t named = (size_t)signature->argument_count;
    struct tidemill_invocation invocation = {.engine = engine,
                                             .name = function->given.name,
                                             .arguments = arguments,
                                             .results = results,
                                             .count = (int)(count > named ? count : named),
                                             .wanted = signature->result_count};
    call_host(function, &invocation, false);
    *wanted = (size_t)invocation.wanted;
    status = invocation.status;
    if (status != TIDEMILL_OK) {
        mill_fail(error, status, "%s",
                  invocation.text ? invocation.text : "the host program's function failed");
    } else if (!check_results(function, &invocation, error)) {
        status = TIDEMILL_ERROR;
    }
    free(invocation.text);
    return status;
}

/* ---- registering ------------------------------------------------------------------------ */

static void free_function(struct mill_host_function *function)
{
    free((char *)(uintptr_t)function->given.name);
    free((char *)(uintptr_t)function->given.signature);
    free((char *)(uintptr_t)function->given.version);
    free(function->builtin);
    free(function);
}

void mill_host_functions_fini(struct tidemill *engine)
{
    struct mill_host_function *function =
        atomic_load_explicit(&engine->host_functions, memory_order_relaxed);
    while (function) {
        struct mill_host_function *next = function->next;
        if (function->given.release) function->given.release(function->given.context);
        free_function(function);
        function = next;
    }
}

/* Letters, digits and underscores, between points. */
static bool is_name(const char *name)
{
    bool begins = true;
    for (; *name; name++) {
        bool letter =
            (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || *name == '_';
        bool digit = *name >= '0' && *name <= '9';
        if (!letter && (begins || !(digit || *name == '.'))) return false;
        begins = *name == '.';
    }
    return !begins;
}

/* A copy, NULL of NULL; without memory NULL, and *failed is set. */
static const char *own_text(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && copy == NULL) *failed = true;
    return copy;
}

/* "host:NAME@VERSION"; of a function without one the version is this engine's run. */
static char *builtin_of(const struct tidemill *engine, const tidemill_function *given)
{
    const char *run = given->version ? "" : "run ";
    const char *version = given->version ? given->version : engine->run;
    int size = snprintf(NULL, 0, "host:%s@%s%s", given->name, run, version);
    char *builtin = malloc((size_t)size + 1);
    if (builtin) snprintf(builtin, (size_t)size + 1, "host:%s@%s%s", given->name, run, version);
    return builtin;
}

static struct mill_host_function *new_function(struct tidemill *engine,
                                               const tidemill_function *given)
{
    struct mill_host_function *function = calloc(1, sizeof *function);
    if (function == NULL) return NULL;
    bool failed = false;
    function->engine = engine;
    function->given = *given;
    function->given.name = own_text(given->name, &failed);
    function->given.signature = own_text(given->signature, &failed);
    function->given.version = own_text(given->version, &failed);
    function->builtin = builtin_of(engine, given);
    if (failed || function->builtin == NULL) {
        free_function(function);
        return NULL;
    }
    return function;
}

static tidemill_status check_description(const tidemill_function *given,
                                         struct mill_signature *signature,
                                         struct mill_error *error)
{
    if (given->name == NULL || !is_name(given->name)) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "\"%s\" is no name of a function; expected one like \"host.quote\"",
                         given->name ? given->name : "NULL");
    }
    if (given->call == NULL) {
        return mill_fail(error, TIDEMILL_USAGE, "%s: call is NULL", given->name);
    }
    if (given->flags & ~(unsigned)(TIDEMILL_THREAD_SAFE | TIDEMILL_SANDBOX)) {
        return mill_fail(error, TIDEMILL_USAGE, "%s: unknown flags %#x", given->name,
                         given->flags);
    }
    struct mill_error reason;
    if (mill_signature_read(given->signature ? given->signature : "", signature, &reason) !=
        TIDEMILL_OK) {
        return mill_fail(error, TIDEMILL_USAGE, "%s: %s", given->name, reason.text);
    }
    return TIDEMILL_OK;
}

/* Puts it into the script's state, which is here. */
static tidemill_status install_here(struct tidemill *engine,
                                    struct mill_host_function *function)
{
    if (lua_cpcall(engine->L, install, function) == 0) return TIDEMILL_OK;
    const char *text = lua_tostring(engine->L, -1);
    mill_fail(&engine->error, TIDEMILL_USAGE, "%s: %s", function->given.name,
              text ? text : "?");
    lua_pop(engine->L, 1);
    return TIDEMILL_USAGE;
}

static tidemill_status install_there(struct tidemill *engine,
                                     struct mill_host_function *function)
{
    if (engine->confine.on && !(function->given.flags & TIDEMILL_SANDBOX)) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "%s: a sandbox calls functions with the flag TIDEMILL_SANDBOX alone",
                         function->given.name);
    }
    return mill_proxy_register(engine, &function->given, function->number);
}

static tidemill_status register_function(struct tidemill *engine,
                                         const tidemill_function *given)
{
    struct mill_signature signature;
    tidemill_status status = check_description(given, &signature, &engine->error);
    if (status != TIDEMILL_OK) return status;
    struct mill_host_function *function = new_function(engine, given);
    if (function == NULL) return mill_no_memory(&engine->error, "a function");
    function->signature = signature;
    function->next = atomic_load_explicit(&engine->host_functions, memory_order_relaxed);
    function->number = function->next ? function->next->number + 1 : 0;
    status = engine->proxy ? install_there(engine, function) : install_here(engine, function);
    if (status != TIDEMILL_OK) {
        free_function(function);
        return status;
    }
    atomic_store_explicit(&engine->host_functions, function, memory_order_release);
    return TIDEMILL_OK;
}

tidemill_status tidemill_register(tidemill *engine, const tidemill_function *function)
{
    tidemill_function full = {.size = sizeof full};
    memcpy(&full, function, function->size < sizeof full ? function->size : sizeof full);
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && !engine->proxy) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) status = register_function(engine, &full);
    return mill_api_end(engine, status);
}
