/* state: Lua states: the script's, and one for each worker.  SPDX-License-Identifier: MIT */
#include "bind/state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "bind/embedded.h"
#include "bind/lib.h"
#include "bind/modules.h"

static const char scope_key[] = "tidemill.scope";

struct mill_scope *mill_scope_of(lua_State *L)
{
    mill_registry_get(L, scope_key);
    struct mill_scope *scope = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return scope;
}

struct tidemill *mill_engine_of(lua_State *L)
{
    return mill_scope_of(L)->engine;
}

struct mill_worker *mill_worker_of(lua_State *L)
{
    return mill_scope_of(L)->worker;
}

/* ---- modules inside the program -------------------------------------------------------- */

/* Runs the chunk of a module.  One that memory was short for is loaded anew when it is asked for again:
 * `require` takes what it finds of it in package.loaded for a module that is being loaded. */
static int load_embedded(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) == 0) return 1;
    lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return lua_error(L);
}

/* A searcher for package.loaders. */
static int search_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct mill_embedded *found = NULL;
    if (strncmp(name, "script:", 7) != 0) found = mill_embedded_find(name);
    if (found == NULL) {
        lua_pushfstring(L, "\n\tno module '%s' inside tidemill", name);
        return 1;
    }
    lua_pushfstring(L, "=[tidemill] %s.lua", name);
    struct mill_error error;
    char *owned;
    const char *text = mill_embedded_text(found, &owned, &error);
    if (text == NULL) return luaL_error(L, "%s", error.text);
    int failure = luaL_loadbuffer(L, text, found->size, lua_tostring(L, -1));
    free(owned);
    if (failure) return lua_error(L);
    lua_pushcclosure(L, load_embedded, 1);
    return 1;
}

/* A searcher for the modules of the script, as the script's state has them. */
static int search_script(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    if (mill_modules_load(mill_engine_of(L), L, name)) return 1;
    lua_pushfstring(L, "\n\tno module '%s' in the script", name);
    return 1;
}

/* Puts a searcher behind package.preload's. */
static void add_searcher(lua_State *L, lua_CFunction searcher)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaders");
    for (int i = (int)lua_objlen(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, searcher);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 2);
}

/* ---- opening --------------------------------------------------------------------------- */

static void set_paths(lua_State *L, const struct tidemill *engine)
{
    if (engine->package_path == NULL) return;
    lua_getglobal(L, "package");
    lua_pushstring(L, engine->package_path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, engine->package_cpath);
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
}

static const char jit_setup[] =
#ifdef MILL_NO_JIT
    "jit.off()";
#else
    /* The defaults flush every trace at 1,000 of them. */
    "jit.opt.start('maxtrace=8000', 'maxrecord=16000', 'maxmcode=40960')";
#endif

void mill_state_require(lua_State *L, const char *module)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}

struct mill_visit {
    mill_body *body;
    void *context;
};

static int run_body(lua_State *L)
{
    const struct mill_scope *scope = lua_touserdata(L, lua_upvalueindex(1));
    scope->visit->body(L, scope->visit->context);
    return 0;
}

/* The functions that mill_state_call needs, made once: a lua_pushcfunction allocates. */
static void prepare_calls(lua_State *L, struct mill_scope *scope)
{
    lua_pushcfunction(L, mill_state_describe);
    scope->handler = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushlightuserdata(L, scope);
    lua_pushcclosure(L, run_body, 1);
    scope->visitor = luaL_ref(L, LUA_REGISTRYINDEX);
}

struct preparation {
    struct mill_scope *scope;
    bool own; /* the state is the engine's, not a host program's */
};

static int prepare_state(lua_State *L)
{
    const struct preparation *preparation = lua_touserdata(L, 1);
    struct mill_scope *scope = preparation->scope;
    struct mill_worker *worker = scope->worker;
    bool own = preparation->own;
    lua_pushlightuserdata(L, scope);
    mill_registry_set(L, scope_key);
    prepare_calls(L, scope);
    if (own) {
        luaL_openlibs(L);
        if (luaL_dostring(L, jit_setup)) lua_error(L);
    }
    if (worker) {
        set_paths(L, scope->engine);
        add_searcher(L, search_script);
    }
    add_searcher(L, search_embedded);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, mill_open_core);
    lua_setfield(L, -2, "tidemill.core");
    lua_pop(L, 2);
    /* Before any other code: it takes down which objects are builtins. */
    mill_state_require(L, "tidemill.origin");
    lua_pop(L, 1);
    /* The message handler needs it where memory is short, perhaps: then it could not be loaded. */
    mill_state_require(L, "tidemill.errors");
    lua_pop(L, 1);
    if (own && worker == NULL) { /* os.exit and os.execute as a script finds them */
        mill_state_require(L, "tidemill.console");
        lua_getfield(L, -1, "install");
        lua_call(L, 0, 0);
    }
    return 0;
}

static tidemill_status prepare_protected(struct mill_scope *scope, lua_State *L, bool own,
                                         struct mill_error *error)
{
    struct preparation preparation = {scope, own};
    if (lua_cpcall(L, prepare_state, &preparation) == 0) {
        scope->L = L;
        return TIDEMILL_OK;
    }
    const char *text = lua_tostring(L, -1);
    mill_fail(error, TIDEMILL_ERROR, "cannot prepare a Lua state: %s",
              text ? text : "an error without a message");
    lua_pop(L, 1);
    return TIDEMILL_ERROR;
}

lua_State *mill_state_open(struct mill_scope *scope, struct mill_error *error)
{
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        mill_no_memory(error, "a Lua state");
        return NULL;
    }
    if (prepare_protected(scope, L, true, error) != TIDEMILL_OK) {
        lua_close(L);
        return NULL;
    }
    return L;
}

tidemill_status mill_state_adopt(struct mill_scope *scope, lua_State *L,
                                 struct mill_error *error)
{
    return prepare_protected(scope, L, false, error);
}

static int collect(lua_State *L)
{
    lua_gc(L, LUA_GCCOLLECT, 0);
    return 0;
}

static void collect_protected(lua_State *L)
{
    if (lua_cpcall(L, collect, NULL) != 0) lua_pop(L, 1); /* what a finalizer raised */
}

/* ---- closing --------------------------------------------------------------------------- */

static int close_resources(lua_State *L)
{
    luaL_findtable(L, LUA_REGISTRYINDEX, "_LOADED", 1);
    lua_getfield(L, -1, "tidemill.pool");
    if (!lua_istable(L, -1)) return 0;
    lua_getfield(L, -1, "finish");
    lua_call(L, 0, 0);
    return 0;
}

void mill_state_close(lua_State *L)
{
    if (lua_cpcall(L, close_resources, NULL) == LUA_ERRMEM) { /* what else could fail warns */
        collect_protected(L);
        lua_cpcall(L, close_resources, NULL);
    }
    mill_shortage_leave(&mill_scope_of(L)->shortage, L);
    lua_close(L);
}

/* ---- calling --------------------------------------------------------------------------- */

/* The message handler: lua/tidemill/errors.lua makes the text; should that fail, what there is. */
int mill_state_describe(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidemill.errors");
    if (lua_pcall(L, 1, 1, 0) == 0) {
        lua_getfield(L, -1, "describe");
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 1, 1, 0) == 0) return 1;
    }
    lua_settop(L, 1);
    return 1;
}

static void collect_counted(struct mill_scope *scope, lua_State *L)
{
    scope->holdings->debt = scope->holdings->due = 0;
    collect_protected(L);
    scope->holdings->heap = 1024.0 * lua_gc(L, LUA_GCCOUNT, 0);
}

void mill_scope_take_up(lua_State *L, size_t bytes)
{
    if (bytes < MILL_BUFFER_MAPPED) return;
    struct mill_scope *scope = mill_scope_of(L);
    struct mill_holdings *holdings = scope->holdings;
    bool short_of = mill_memory_pressure(&scope->engine->memory) >= MILL_PRESSURE_TARGET;
    holdings->debt += (double)bytes;
    if (holdings->debt > (short_of ? holdings->room / 8 : holdings->room) &&
        holdings->debt > holdings->heap) {
        collect_counted(scope, L);
        holdings->debt = (double)bytes;
    }
}

void mill_state_collect(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    struct tidemill *engine = scope->engine;
    collect_protected(L);
    bool serial = engine->pool_open && engine->pool.options.threads == 0;
    if (serial && !scope->worker && engine->scopes[0].L) collect_protected(engine->scopes[0].L);
}

tidemill_status mill_state_call(struct mill_scope *scope, mill_body *body, void *context,
                                char **message)
{
    lua_State *L = scope->L;
    struct mill_visit visit = {body, context};
    *message = NULL;
    if (!lua_checkstack(L, 4))
        return TIDEMILL_MEMORY; /* a script's function has called the host's */
    scope->visit = &visit;
    lua_rawgeti(L, LUA_REGISTRYINDEX, scope->handler);
    lua_rawgeti(L, LUA_REGISTRYINDEX, scope->visitor);
    int failure = lua_pcall(L, 0, 0, -2);
    if (failure != 0) {
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        *message = strdup(text ? text : "an error that is not text");
        lua_pop(L, 1);
    }
    lua_pop(L, 1); /* the handler */
    if (failure == 0) return TIDEMILL_OK;
    return failure == LUA_ERRMEM ? TIDEMILL_MEMORY : TIDEMILL_ERROR;
}
