/* lib_core: "tidemill.core": who this state is, and how memory is laid out for the FFI.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <lauxlib.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "base/stack.h"
#include "bind/embedded.h"
#include "bind/lib.h"
#include "bind/modules.h"
#include "bind/upkeep.h"
#include "bind/watch.h"

int mill_lib_raise(lua_State *L, const struct mill_error *error)
{
    lua_pushstring(L, error->text);
    return lua_error(L);
}

void mill_lib_check_here(lua_State *L)
{
    struct mill_error error;
    if (!mill_engine_is_here(mill_engine_of(L), &error)) mill_lib_raise(L, &error);
}

static int core_clock(lua_State *L)
{
    lua_pushnumber(L, (double)mill_clock_now() / 1e9);
    return 1;
}

/* core.stack_is_low() -> whether little of this thread's C stack is left */
static int core_stack_is_low(lua_State *L)
{
    lua_pushboolean(L, mill_stack_is_low());
    return 1;
}

/* core.degraded(n): counts what --strict minds. */
static int core_degraded(lua_State *L)
{
    atomic_fetch_add(&mill_engine_of(L)->degraded, (int64_t)luaL_checknumber(L, 1));
    return 0;
}

/* core.hash(text) -> 16 bytes */
static int core_hash(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    struct mill_hash hash = mill_hash_bytes(text, size);
    lua_pushlstring(L, (const char *)&hash, sizeof hash);
    return 1;
}

/* core.embedded(name) -> a text inside the program, or nil */
static int core_embedded(lua_State *L)
{
    const struct mill_embedded *found = mill_embedded_find(luaL_checkstring(L, 1));
    if (found == NULL) return 0;
    char *room = lua_newuserdata(L, found->size + 1); /* the push may throw */
    struct mill_error error;
    if (mill_embedded_unpack(found, room, &error) != TIDEMILL_OK) {
        return luaL_error(L, "%s", error.text);
    }
    lua_pushlstring(L, room, found->size);
    return 1;
}

/* core.embedded_names() -> their names, sorted by bytes */
static int core_embedded_names(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; mill_embedded[i].name; i++) {
        lua_pushstring(L, mill_embedded[i].name);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* core.look_after(command, word) -> what tidemill_cache says */
static int core_look_after(lua_State *L)
{
    tidemill_cache_request request = {.size = sizeof request,
                                      .command = luaL_checkstring(L, 1),
                                      .word = luaL_optstring(L, 2, NULL)};
    struct mill_error error = {.text = ""};
    char *text = NULL;
    tidemill_status status = mill_upkeep_run(mill_engine_of(L), &request, &text, &error);
    if (text != NULL) lua_pushstring(L, text);
    free(text);
    return status == TIDEMILL_OK ? 1 : mill_lib_raise(L, &error);
}

/* core.keep_module(name, path, text) */
static int core_keep_module(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 3, &size);
    if (!mill_modules_keep(mill_engine_of(L), luaL_checkstring(L, 1), luaL_checkstring(L, 2),
                           text, size)) {
        return luaL_error(L, "out of memory (module text)");
    }
    return 0;
}

/* core.kept_module(name) -> path, text, of one that is kept */
static int core_kept_module(lua_State *L)
{
    const char *path;
    size_t size;
    const char *text =
        mill_modules_find(mill_engine_of(L), luaL_checkstring(L, 1), &path, &size);
    if (text == NULL) return 0;
    lua_pushstring(L, path);
    lua_pushlstring(L, text, size);
    return 2;
}

/* core.nearest(word, names) -> the name that was probably meant, or nil */
static int core_nearest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = lua_objlen(L, 2);
    const char **names = lua_newuserdata(L, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 2, (int)i + 1);
        names[i] = luaL_checkstring(L, -1); /* the list keeps it */
        lua_pop(L, 1);
    }
    lua_pushstring(L, mill_nearest(word, names, count));
    return 1;
}

/* core.register(key, value): gives C an object that Lua has made. */
static int core_register(lua_State *L)
{
    lua_setfield(L, LUA_REGISTRYINDEX, luaL_checkstring(L, 1));
    return 0;
}

/* core.exit(status): os.exit of the script's state, as far as the engine is concerned. */
static int core_exit(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    engine->exiting = true;
    engine->exit_status = (int)luaL_optinteger(L, 1, 0);
    return 0;
}

/* core.close(): before a host program leaves by os.exit. */
static int core_close(lua_State *L)
{
    mill_engine_stop(mill_engine_of(L));
    mill_watch_close(mill_engine_of(L));
    return 0;
}

/* core.seed() -> the engine's seed */
static int core_seed(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)mill_engine_of(L)->seed);
    return 1;
}

static const luaL_Reg core_functions[] = {
    {"clock", core_clock},
    {"close", core_close},
    {"degraded", core_degraded},
    {"embedded", core_embedded},
    {"embedded_names", core_embedded_names},
    {"exit", core_exit},
    {"hash", core_hash},
    {"keep_module", core_keep_module},
    {"kept_module", core_kept_module},
    {"look_after", core_look_after},
    {"nearest", core_nearest},
    {"register", core_register},
    {"seed", core_seed},
    {"stack_is_low", core_stack_is_low},
    {NULL, NULL},
};

/* The shared object that this code lies in, for ffi.load; nil for the program itself, whose
 * symbols ffi.C finds. */
static void push_library(lua_State *L)
{
    Dl_info here, program;
    void *entry = (void *)getauxval(AT_ENTRY); /* lies in the program itself */
    if (dladdr((void *)(uintptr_t)mill_open_core, &here) && dladdr(entry, &program) &&
        here.dli_fbase != program.dli_fbase) {
        lua_pushstring(L, here.dli_fname);
    } else {
        lua_pushnil(L);
    }
}

/* Sizes and offsets that lua/tidemill/clib.lua holds its own declarations against. */
static void push_layout(lua_State *L)
{
    lua_newtable(L);
    mill_lib_set_number(L, "value", sizeof(struct mill_value));
    mill_lib_set_number(L, "call", offsetof(struct mill_call, stream));
    mill_lib_set_number(L, "array_type", offsetof(struct mill_array, type));
    mill_lib_set_number(L, "array_refs", offsetof(struct mill_array, refs));
}

static const char *lane_name(const struct tidemill *engine, const struct mill_worker *worker)
{
    if (engine->serve) return "process";
    if (engine->workers == 0) return "serial";
    return worker && worker->lane == MILL_LANE_LOOP ? "loop" : "thread";
}

static void register_all(lua_State *L, const struct mill_worker *worker)
{
    luaL_register(L, NULL, core_functions);
    mill_lib_io(L);
    mill_lib_watch(L);
    mill_lib_machine(L);
    mill_lib_cache(L);
    mill_lib_stats(L);
    mill_lib_node(L);
    mill_lib_graph(L);
    mill_lib_run(L);
    mill_lib_view(L);
    mill_lib_wait(L);
    mill_lib_channel(L);
    mill_lib_lease(L);
    mill_lib_explain(L);
    mill_lib_record(L);
    mill_lib_operation(L);
    mill_lib_socket(L);
    mill_lib_array(L);
    mill_lib_kernel(L);
    if (worker) mill_lib_task(L);
}

static void set_pointer(lua_State *L, const char *name, void *pointer)
{
    lua_pushlightuserdata(L, pointer);
    lua_setfield(L, -2, name);
}

int mill_open_core(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    lua_newtable(L);
    register_all(L, worker);
    set_pointer(L, "engine", engine);
    set_pointer(L, "scope", mill_scope_of(L));
    set_pointer(L, "holdings", mill_scope_of(L)->holdings);
    set_pointer(L, "pressure", &engine->memory.pressure);
    if (worker) set_pointer(L, "worker", worker);
    push_library(L);
    lua_setfield(L, -2, "library");
    push_layout(L);
    lua_setfield(L, -2, "layout");
    lua_pushboolean(L, !engine->borrowed);
    lua_setfield(L, -2, "owned"); /* the state is the engine's own */
    mill_confine_push(L, &engine->confine);
    lua_setfield(L, -2, "confined"); /* nil: it is not */
    lua_pushstring(L, lane_name(engine, worker));
    lua_setfield(L, -2, "lane");
    lua_pushliteral(L, TIDEMILL_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
