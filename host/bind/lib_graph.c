/* lib_graph: starts runs of what nodes need; what is asked of them from then on is lib_run.c's.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "base/machine.h"
#include "bind/adapt.h"
#include "bind/lib.h"
#include "bind/shared.h"
#include "bind/snapshot.h"
#include "bind/state.h"
#include "data/wire.h"
#include "sched/join.h"
#include "sched/roots.h"

enum { FEW_WANTED = 8 };

/* In `few` when there is room, else in a userdata, which is pushed. */
static uint32_t *wanted_nodes(lua_State *L, struct mill_scope *scope, uint32_t few[FEW_WANTED],
                              uint32_t *count)
{
    *count = (uint32_t)lua_objlen(L, 1);
    uint32_t *wanted =
        *count <= FEW_WANTED ? few : lua_newuserdata(L, (size_t)*count * sizeof *wanted);
    for (uint32_t i = 0; i < *count; i++) {
        mill_handle handle;
        lua_rawgeti(L, 1, (int)i + 1);
        memcpy(&handle, lua_topointer(L, -1), sizeof handle);
        lua_pop(L, 1);
        if (!mill_graph_find(&scope->graph, handle)) luaL_error(L, "a stale node (%d)", i + 1);
        wanted[i] = (uint32_t)handle;
    }
    return wanted;
}

/* The strategies' names, in the order of mill_strategy, and what each_worker uses. */
static const char *const strategies[] = {"dynamic",  "round_robin", "load_balanced",
                                         "affinity", "pinned",      NULL};

/* Runs of that many tasks and fewer keep the times of their tasks, for pictures of the graph. */
enum { MEASURED = 10000 };

/* The streams of a task's tasks come from its own. */
static uint64_t seed_of(const struct mill_scope *scope)
{
    const struct mill_worker *worker = scope->worker;
    if (worker == NULL) return scope->engine->seed;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "stream");
    mill_hasher_number(&hasher, worker->call.stream[0]);
    mill_hasher_number(&hasher, worker->call.stream[1]);
    return mill_hasher_end(&hasher).low;
}

/* core.stream_base() -> seed for the runs of a map, whose items are told apart by their numbers: a
 * number below 2^53, another one each time. */
static int graph_stream_base(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    uint32_t place = scope->worker ? ++scope->worker->places : ++scope->graph.next_place;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "map");
    mill_hasher_number(&hasher, seed_of(scope));
    mill_hasher_number(&hasher, place);
    lua_pushnumber(L, (double)(mill_hasher_end(&hasher).low >> 11));
    return 1;
}

static bool prepare_run(lua_State *L, struct mill_scope *scope, struct mill_run *run,
                        enum mill_strategy strategy)
{
    struct tidemill *engine = scope->engine;
    struct mill_worker *worker = scope->worker;
    run->strategy = strategy;
    run->seed = lua_isnumber(L, 4) ? (uint64_t)lua_tonumber(L, 4) : seed_of(scope);
    if (worker && worker->task) {
        run->nested = true;
        mill_run_set_parent(run, worker->task->run->token);
    } else {
        mill_run_set_parent(run, engine->token);
    }
    for (uint32_t i = 0; strategy == MILL_PINNED && i < run->wanted_count; i++) {
        run->tasks[run->wanted[i]].worker = (uint16_t)(i + 1);
    }
    if (lua_toboolean(L, 5)) {
        run->inquiry = mill_inquiry_new();
        if (run->inquiry == NULL) return false;
        run->inquiry->dry = run->inquiry->now = true;
    } else {
        run->inquiry = engine->inquiry;
    }
    run->dry = run->inquiry && run->inquiry->dry;
    if (run->inquiry) run->hooks = mill_lookup_hooks(&engine->lookup);
    if (run->content) mill_lookup_hook(&engine->lookup, run);
    if (worker && worker->task) mill_lookup_adopt(&engine->lookup, worker, run);
    bool measured =
        strategy == MILL_LOAD_BALANCED || (run->count <= MEASURED && !worker && !run->dry);
    return !measured || mill_run_measure(run);
}

/* Whether LuaJIT has 64-bit references: else it has 2 GB for all states. */
static bool is_wide(lua_State *L)
{
    int top = lua_gettop(L);
    bool wide =
        luaL_dostring(L, "return require('ffi').abi('gc64')") == 0 && lua_toboolean(L, -1);
    lua_settop(L, top);
    return wide;
}

static bool is_memory_short(lua_State *L, struct mill_scope *scope)
{
    enum { LUA_MOST = 1400 << 10 };
    struct tidemill *engine = scope->engine;
    int64_t heaps = 0;
    atomic_store_explicit(&scope->heap, lua_gc(L, LUA_GCCOUNT, 0), memory_order_relaxed);
    for (int i = 0; i < engine->pool.worker_total; i++) {
        heaps += atomic_load_explicit(&engine->scopes[i].heap, memory_order_relaxed);
    }
    return (heaps > LUA_MOST && !is_wide(L)) || mill_machine_memory_is_short("");
}

/* LuaJIT does not always outlive its own lack of memory, and the system's killer asks nobody: where
 * many tasks wait, a task that starts more is told in time.  Looked at now and then. */
static void check_room(lua_State *L, struct mill_scope *scope)
{
    enum { MANY = 1024, SELDOM = 256, OFTEN = 16 };
    int64_t waiting =
        atomic_load_explicit(&scope->engine->pool.parked_count, memory_order_relaxed);
    if (waiting < MANY) {
        scope->short_of_memory = false;
        return;
    }
    if (scope->starts++ % (scope->short_of_memory ? OFTEN : SELDOM) == 0) {
        scope->short_of_memory = is_memory_short(L, scope);
    }
    if (scope->short_of_memory) {
        lua_pushfstring(L, "out of memory: %d tasks wait", (int)waiting);
        lua_error(L);
    }
}

/* When memory is short what garbage holds may be enough: the collector does not know how much that
 * is. */
static struct mill_run *new_run(lua_State *L, struct mill_scope *scope, const uint32_t *wanted,
                                uint32_t count, struct mill_error *error)
{
    struct mill_snapshots snapshots = {L, scope->engine, 2, error};
    struct mill_run *run =
        mill_run_new(&scope->graph, wanted, count, mill_snapshot, &snapshots, error);
    if (run || error->status != TIDEMILL_MEMORY) return run;
    mill_state_collect(L);
    return mill_run_new(&scope->graph, wanted, count, mill_snapshot, &snapshots, error);
}

/* What a process cannot be given is told before anything has run. */
static tidemill_status check_processes(const struct mill_run *run, struct mill_error *error)
{
    bool any = false;
    tidemill_status status = TIDEMILL_OK;
    char where[200];
    for (uint32_t i = 0; i < run->function_count && status == TIDEMILL_OK; i++) {
        const struct mill_function *function = run->functions[i];
        if (function->lane != MILL_LANE_PROCESS || function->body) continue;
        any = true;
        snprintf(where, sizeof where, "task \"%.120s\"", function->name);
        status = mill_wire_check(&function->code, where, error);
    }
    for (uint32_t i = 0; any && i < run->count && status == TIDEMILL_OK; i++) {
        const struct mill_task *task = &run->tasks[i];
        const struct mill_function *function = mill_task_function(task);
        if (function->lane != MILL_LANE_PROCESS || function->joins) continue;
        const struct mill_value *arguments = mill_node_arguments(task->node);
        for (uint32_t k = 0; k < task->node->count && status == TIDEMILL_OK; k++) {
            snprintf(where, sizeof where, "task \"%.120s\", argument %u", function->name,
                     k + 1);
            status = mill_wire_check(&arguments[k], where, error);
        }
    }
    return status;
}

/* core.run(nodes, lookup, strategy, seed, dry) -> run: starts what the nodes need.  lookup(number) gives
 * the record of a delayed function.  `dry`: no body runs, core.findings tells what would. */
static int graph_run(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    struct tidemill *engine = scope->engine;
    lua_settop(L, 5);
    struct mill_error error = {0};
    enum mill_strategy strategy =
        lua_isnoneornil(L, 3) ? engine->strategy
                              : (enum mill_strategy)luaL_checkoption(L, 3, NULL, strategies);
    if (mill_engine_start(engine, &error) != TIDEMILL_OK) return mill_lib_raise(L, &error);
    mill_scope_sweep(scope);
    if (scope->worker) check_room(L, scope);
    uint32_t count, few[FEW_WANTED];
    uint32_t *wanted = wanted_nodes(L, scope, few, &count);
    struct mill_run_box *box = mill_lib_run_box(L);
    struct mill_run *run = new_run(L, scope, wanted, count, &error);
    if (run == NULL) return mill_lib_raise(L, &error);
    if (engine->workers > 0 && check_processes(run, &error) != TIDEMILL_OK) {
        mill_run_free(run);
        return mill_lib_raise(L, &error);
    }
    if (!prepare_run(L, scope, run, strategy)) {
        mill_run_free(run);
        return luaL_error(L, "out of memory (a run's times)");
    }
    if (mill_pool_submit(&engine->pool, run, scope->worker, &error) != TIDEMILL_OK) {
        mill_run_free(run);
        return mill_lib_raise(L, &error);
    }
    box->run = run;
    mill_adapt_poke(engine);
    return 1;
}

/* ---- results as inputs ------------------------------------------------------------------- */

static void leave_run(void *context, struct mill_run *run)
{
    mill_scope_leave(context, run);
}

/* core.join(node, run, k): makes the k-th wanted result of a run the argument of a node that is
 * being built, whose function joins. */
static int graph_join(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    mill_handle handle;
    memcpy(&handle, lua_topointer(L, 1), sizeof handle);
    struct mill_node *node = mill_graph_find(&scope->graph, handle);
    struct mill_run *run = mill_check_run(L, 2);
    uint32_t k = (uint32_t)luaL_checkinteger(L, 3) - 1;
    if (node == NULL || node->count < 1 || k >= run->wanted_count) {
        return luaL_error(L, "not a node that joins");
    }
    struct mill_join *join = mill_join_new(run, k, leave_run, scope);
    if (join == NULL) return luaL_error(L, "out of memory (a future as input)");
    mill_engine_asked(scope->engine, run);
    struct mill_value value = {.tag = MILL_TAG_SHARED, .shared = &join->shared};
    mill_graph_argument(&scope->graph, node, 0, value);
    return 0;
}

static const luaL_Reg graph_functions[] = {
    {"join", graph_join},
    {"run", graph_run},
    {"stream_base", graph_stream_base},
    {NULL, NULL},
};

void mill_lib_graph(lua_State *L)
{
    luaL_register(L, NULL, graph_functions);
}
