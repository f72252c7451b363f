/* api_call: functions of the script, called by the host.  Everything that may raise runs inside one
 * protected call.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "bind/api.h"
#include "bind/api_call.h"
#include "bind/encode.h"
#include "bind/proxy.h"

struct request {
    struct mill_error *error;
    const char *name;
    const struct mill_value *arguments;
    struct mill_value *results;
    size_t count, wanted;
    tidemill_status status;
};

/* ---- finding the function --------------------------------------------------------------- */

enum { NAMES_MOST = 256 };

/* The name in the table on top that `part` probably means; NULL: none is near. */
static const char *nearest_name(lua_State *L, const char *part)
{
    const char *names[NAMES_MOST];
    size_t count = 0;
    lua_pushnil(L);
    while (count < NAMES_MOST && lua_next(L, -2)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) names[count++] = lua_tostring(L, -1);
    }
    if (count == NAMES_MOST) lua_pop(L, 1);
    return mill_nearest(part, names, count);
}

/* A table, a key of it and what was found there are on top; `rest`: of the name, behind the key. */
static void refuse(lua_State *L, struct request *request, const char *rest)
{
    const char *type = luaL_typename(L, -1);
    bool absent = lua_isnil(L, -1);
    const char *part = lua_tostring(L, -2);
    lua_pushvalue(L, -3);
    const char *near = absent ? nearest_name(L, part) : NULL;
    request->status = mill_fail(
        request->error, TIDEMILL_USAGE, "cannot call \"%s\": %.*s is %s, not a %s%s%s%s",
        request->name, (int)(rest - request->name), request->name, absent ? "nil" : type,
        *rest ? "table" : "function", near ? "; did you mean \"" : "", near ? near : "",
        near ? "\"?" : "");
}

/* Pushes it; false: the request is refused. */
static bool push_function(lua_State *L, struct request *request)
{
    const char *part = request->name;
    mill_confine_push_globals(L);
    for (;;) {
        const char *end = strchr(part, '.');
        if (end == NULL) end = part + strlen(part);
        lua_pushlstring(L, part, (size_t)(end - part));
        lua_pushvalue(L, -1);
        lua_gettable(L, -3);
        bool fine = *end ? lua_istable(L, -1) : lua_isfunction(L, -1);
        if (!fine && *end == '\0' && luaL_getmetafield(L, -1, "__call")) {
            lua_pop(L, 1);
            fine = true;
        }
        if (!fine) {
            refuse(L, request, end);
            return false;
        }
        if (*end == '\0') return true;
        lua_replace(L, -3);
        lua_pop(L, 1);
        part = end + 1;
    }
}

tidemill_status mill_call_push(lua_State *L, const char *name, struct mill_error *error)
{
    struct request request = {.error = error, .name = name};
    if (!push_function(L, &request)) return request.status;
    lua_replace(L, -3); /* where it was found, and its name there */
    lua_pop(L, 1);
    return TIDEMILL_OK;
}

/* ---- calling ---------------------------------------------------------------------------- */

static void push_value(lua_State *L, const struct mill_value *value)
{
    if (value->tag == MILL_TAG_NUMBER) {
        lua_pushnumber(L, value->number);
    } else {
        mill_decode(L, value, NULL);
    }
}

static bool take_result(lua_State *L, struct request *request, size_t i, int index)
{
    if (lua_type(L, index) == LUA_TNUMBER) {
        request->results[i] = mill_number(lua_tonumber(L, index));
        return true;
    }
    char where[32];
    snprintf(where, sizeof where, "result %zu", i + 1);
    request->status = mill_encode_out(L, index, where, &request->results[i], request->error);
    return request->status == TIDEMILL_OK;
}

static void invoke(lua_State *L, void *context)
{
    struct request *request = context;
    if (request->count > 200 || request->wanted > 200) {
        request->status = mill_fail(request->error, TIDEMILL_USAGE,
                                    "%s: more than 200 arguments or results", request->name);
        return;
    }
    luaL_checkstack(L, (int)(request->count + request->wanted) + 8, "call");
    if (!push_function(L, request)) return;
    for (size_t i = 0; i < request->count; i++) push_value(L, &request->arguments[i]);
    lua_call(L, (int)request->count, (int)request->wanted);
    int first = lua_gettop(L) - (int)request->wanted + 1;
    for (size_t i = 0; i < request->wanted; i++) {
        if (!take_result(L, request, i, first + (int)i)) break;
    }
}

static tidemill_status request_of(struct tidemill *engine, mill_body *body,
                                  struct request *request)
{
    tidemill_status status = mill_api_visit(engine, body, request);
    return status == TIDEMILL_OK ? request->status : status;
}

/* All of them, or none. */
static void drop_results(struct request *request)
{
    for (size_t i = 0; i < request->wanted; i++) {
        mill_value_unref(request->results[i]);
        request->results[i] = mill_nil();
    }
}

tidemill_status tidemill_call(tidemill *engine, const char *name,
                              const tidemill_value *arguments, size_t count,
                              tidemill_value *results, size_t wanted)
{
    struct request request = {
        .error = &engine->error,
        .name = name ? name : "",
        .arguments = (const struct mill_value *)(const void *)arguments,
        .results = (struct mill_value *)(void *)results,
        .count = count,
        .wanted = wanted,
    };
    for (size_t i = 0; i < wanted; i++) request.results[i] = mill_nil();
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && engine->proxy) {
        return mill_api_end(engine, mill_proxy_call(engine, name, request.arguments, count,
                                                    request.results, wanted));
    }
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) {
        status = mill_api_outcome(engine, request_of(engine, invoke, &request));
        if (status != TIDEMILL_OK) drop_results(&request);
    }
    return mill_api_end(engine, status);
}

/* ---- what a run has returned ------------------------------------------------------------ */

static void encode_returned(lua_State *L, void *context)
{
    mill_api_push_result(L);
    take_result(L, context, 0, lua_gettop(L));
}

tidemill_status tidemill_result(tidemill *engine, tidemill_value *value)
{
    struct request request = {.error = &engine->error,
                              .name = "result",
                              .results = (struct mill_value *)(void *)value,
                              .wanted = 1};
    *request.results = mill_nil();
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && engine->proxy) {
        return mill_api_end(engine, mill_proxy_result(engine, request.results));
    }
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) {
        status = request_of(engine, encode_returned, &request);
        if (status != TIDEMILL_OK) drop_results(&request);
    }
    return mill_api_end(engine, status);
}
