/* lib_core: "tidemill.core": who this state is, and how memory is laid out for the FFI.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <lauxlib.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "base/stack.h"
#include "bind/embedded.h"
#include "bind/lib.h"
#include "bind/modules.h"
#include "bind/watch.h"

int mill_lib_raise(lua_State *L, const struct mill_error *error)
{
    lua_pushstring(L, error->text);
    return lua_error(L);
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

/* core.embedded(name) -> text of a module inside the program, or nil */
static int core_embedded(lua_State *L)
{
    const struct mill_embedded *found = mill_embedded_find(luaL_checkstring(L, 1));
    if (found == NULL) return 0;
    lua_pushlstring(L, found->text, found->size);
    return 1;
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

static void push_number_field(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

/* The counters of a worker, or of all together, by name. */
struct counts {
    double executed, failed, skipped, steals, sleeps, hits, misses, retries, waits;
};

static double read_counter(_Atomic int64_t *counter)
{
    return (double)atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_counts(struct counts *sums, struct mill_counters *counters)
{
    sums->executed += read_counter(&counters->executed);
    sums->failed += read_counter(&counters->failed);
    sums->skipped += read_counter(&counters->skipped);
    sums->steals += read_counter(&counters->steals);
    sums->sleeps += read_counter(&counters->sleeps);
    sums->hits += read_counter(&counters->hits);
    sums->misses += read_counter(&counters->misses);
    sums->retries += read_counter(&counters->retries);
    sums->waits += read_counter(&counters->waits);
}

static void push_counts(lua_State *L, const struct counts *counts)
{
    lua_createtable(L, 0, 20);
    push_number_field(L, "executed", counts->executed);
    push_number_field(L, "failed", counts->failed);
    push_number_field(L, "skipped", counts->skipped);
    push_number_field(L, "steals", counts->steals);
    push_number_field(L, "sleeps", counts->sleeps);
    push_number_field(L, "hits", counts->hits);
    push_number_field(L, "misses", counts->misses);
    push_number_field(L, "retries", counts->retries);
    push_number_field(L, "waits", counts->waits);
}

/* A worker's share of time with and without something to do, since its thread started. */
static void push_shares(lua_State *L, struct mill_pool *pool, struct mill_worker *worker)
{
    if (pool->options.threads == 0 ||
        !atomic_load_explicit(&pool->started, memory_order_acquire)) {
        return;
    }
    int64_t now = mill_clock_now();
    int64_t since = atomic_load_explicit(&worker->asleep_since, memory_order_relaxed);
    double idle = read_counter(&worker->counters.idle);
    if (since > 0 && now > since) idle += (double)(now - since);
    double alive = (double)(now - pool->began), share = alive > 0 ? idle / alive : 0;
    if (share > 1) share = 1; /* the two clocks are read a moment apart */
    push_number_field(L, "idle", share);
    push_number_field(L, "busy", 1 - share);
}

/* core.stats() -> counters of all workers, each worker's own in `per_worker`, and the process's
 * memory */
static int core_stats(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_pool *pool = &engine->pool;
    int workers = engine->pool_open ? pool->worker_count : 0;
    struct counts sums = {0};
    for (int i = 0; i < workers; i++) add_counts(&sums, &pool->workers[i].counters);
    push_counts(L, &sums);
    lua_createtable(L, workers, 0);
    for (int i = 0; i < workers; i++) {
        struct counts own = {0};
        add_counts(&own, &pool->workers[i].counters);
        push_counts(L, &own);
        push_shares(L, pool, &pool->workers[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "per_worker");
    push_number_field(L, "workers", engine->workers);
    push_number_field(L, "active",
                      engine->pool_open ? atomic_load(&pool->active) : engine->workers);
    push_number_field(L, "queued", workers ? (double)mill_pool_queued(pool) : 0);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    push_number_field(L, "peak_resident", (double)usage.ru_maxrss * 1024);
    push_number_field(L, "bytes", (double)atomic_load(&engine->memory.bytes));
    push_number_field(L, "peak_bytes", (double)atomic_load(&engine->memory.peak));
    return 1;
}

static const luaL_Reg functions[] = {
    {"clock", core_clock},
    {"close", core_close},
    {"degraded", core_degraded},
    {"embedded", core_embedded},
    {"exit", core_exit},
    {"hash", core_hash},
    {"keep_module", core_keep_module},
    {"nearest", core_nearest},
    {"register", core_register},
    {"stack_is_low", core_stack_is_low},
    {"stats", core_stats},
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
    push_number_field(L, "value", sizeof(struct mill_value));
    push_number_field(L, "call", offsetof(struct mill_call, stream));
    push_number_field(L, "array_type", offsetof(struct mill_array, type));
    push_number_field(L, "array_refs", offsetof(struct mill_array, refs));
}

int mill_open_core(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    lua_newtable(L);
    luaL_register(L, NULL, functions);
    mill_lib_io(L);
    mill_lib_watch(L);
    mill_lib_machine(L);
    mill_lib_graph(L);
    mill_lib_view(L);
    mill_lib_wait(L);
    mill_lib_lease(L);
    if (worker) mill_lib_task(L);
    lua_pushlightuserdata(L, engine);
    lua_setfield(L, -2, "engine");
    lua_pushlightuserdata(L, mill_scope_of(L));
    lua_setfield(L, -2, "scope");
    if (worker) {
        lua_pushlightuserdata(L, worker);
        lua_setfield(L, -2, "worker");
    }
    push_library(L);
    lua_setfield(L, -2, "library");
    push_layout(L);
    lua_setfield(L, -2, "layout");
    lua_pushboolean(L, !engine->borrowed);
    lua_setfield(L, -2, "owned"); /* the state is the engine's own */
    lua_pushstring(L, engine->workers > 0 ? "thread" : "serial");
    lua_setfield(L, -2, "lane");
    lua_pushliteral(L, TIDEMILL_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
