/* lib_graph: runs and their results, for the script's state.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/machine.h"
#include "bind/adapt.h"
#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/shared.h"
#include "bind/snapshot.h"
#include "bind/state.h"
#include "data/wire.h"
#include "sched/await.h"
#include "sched/cancel.h"
#include "sched/join.h"
#include "sched/parked.h"
#include "sched/roots.h"

static const char run_name[] = "tidemill.run";

/* ---- runs ------------------------------------------------------------------------------ */

struct mill_run *mill_check_run(lua_State *L, int index)
{
    struct mill_run *run = ((struct mill_run_box *)mill_handle_check(L, index, run_name))->run;
    if (run == NULL) luaL_error(L, "the run was released");
    return run;
}

static struct mill_run *check_run(lua_State *L)
{
    return mill_check_run(L, 1);
}

/* A run that is still going when its last handle goes is left to the scope. */
static int run_gc(lua_State *L)
{
    struct mill_run_box *box = lua_touserdata(L, 1);
    if (box->run) mill_scope_leave(mill_scope_of(L), box->run);
    mill_wait_unref(box->wait);
    box->run = NULL;
    box->wait = NULL;
    return 0;
}

/* core.release(run): its results are not wanted any more. */
static int graph_release(lua_State *L)
{
    mill_handle_check(L, 1, run_name);
    return run_gc(L);
}

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
    struct mill_run_box *box = mill_handle_new(L, run_name, sizeof *box, run_gc);
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

/* core.asked(run): its error is the business of whoever holds it. */
static int graph_asked(lua_State *L)
{
    mill_engine_asked(mill_engine_of(L), check_run(L));
    return 0;
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

/* ---- waiting and asking -------------------------------------------------------------------- */

static int64_t hits_so_far(const struct tidemill *engine)
{
    int64_t hits = 0;
    for (int i = 0; i < engine->pool.worker_total; i++) {
        hits +=
            atomic_load_explicit(&engine->pool.workers[i].counters.hits, memory_order_relaxed);
    }
    return hits;
}

/* Shows progress while the script waits for a run. */
static bool wait_for_run(struct tidemill *engine, struct mill_run *run, int64_t deadline)
{
    bool ended;
    for (;;) {
        int64_t slice = deadline;
        if (engine->output.progress) {
            int64_t soon = mill_clock_after(0.1);
            if (soon < slice) slice = soon;
        }
        ended = mill_pool_wait(&engine->pool, run, slice);
        if (ended || atomic_load(&engine->interrupted) || mill_clock_now() >= deadline) break;
        mill_output_progress(&engine->output, mill_run_done(run), run->count,
                             hits_so_far(engine), atomic_load(&run->failed));
    }
    if (engine->output.progress) mill_output_progress_end(&engine->output);
    return ended;
}

/* In the script: core.wait(run, _, deadline) -> "ended", "waiting" or "interrupted"; the deadline in
 * seconds of core.clock. */
static int graph_wait(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct mill_scope *scope = mill_scope_of(L);
    struct tidemill *engine = scope->engine;
    int64_t deadline = mill_lib_deadline(L, 3);
    if (scope->worker) {
        return mill_lib_wait_run(L, scope, mill_handle_check(L, 1, run_name), deadline);
    }
    bool ended = mill_run_ended(run);
    if (!ended) {
        bool blocks = deadline == INT64_MAX;
        if (blocks) mill_pool_block(&engine->pool, run, NULL);
        ended = wait_for_run(engine, run, deadline);
        if (blocks) mill_pool_unblock(&engine->pool);
    }
    bool interrupted = !ended && atomic_load(&engine->interrupted);
    if (interrupted) mill_run_cancel(run);
    lua_pushstring(L, ended ? "ended" : interrupted ? "interrupted" : "waiting");
    return 1;
}

static int graph_cancel(lua_State *L)
{
    mill_run_cancel(check_run(L));
    return 0;
}

/* core.cancel_all(): everything that the script has started. */
static int graph_cancel_all(lua_State *L)
{
    mill_engine_cancel_all(mill_engine_of(L));
    return 0;
}

/* core.ended(run) */
static int graph_ended(lua_State *L)
{
    lua_pushboolean(L, mill_run_ended(check_run(L)));
    return 1;
}

/* core.begun(run): whether a worker has taken up a task of it. */
static int graph_begun(lua_State *L)
{
    lua_pushboolean(L, atomic_load_explicit(&check_run(L)->begun, memory_order_relaxed));
    return 1;
}

/* core.run_key(run) -> key of its first wanted task, 32 hexadecimal digits; nil while it is not
 * known, and of a task that has none */
static int graph_run_key(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct mill_hash key;
    if (run->wanted_count == 0 || !mill_lookup_key_of(&run->tasks[run->wanted[0]], &key))
        return 0;
    char text[33];
    mill_hash_text(key, text);
    lua_pushstring(L, text);
    return 1;
}

/* core.counts(run) -> done, total, failed, skipped */
static int graph_counts(lua_State *L)
{
    struct mill_run *run = check_run(L);
    lua_pushnumber(L, (double)mill_run_done(run));
    lua_pushnumber(L, run->count);
    lua_pushnumber(L, (double)atomic_load(&run->failed));
    lua_pushnumber(L, (double)atomic_load(&run->skipped));
    return 4;
}

static struct mill_reader *reader_of(struct mill_scope *scope)
{
    struct tidemill *engine = scope->engine;
    if (scope->worker) return mill_lookup_reader(&engine->lookup, scope->worker);
    if (engine->store && engine->reader == NULL) {
        engine->reader = mill_reader_open(engine->store);
    }
    return engine->reader;
}

static int push_failure(lua_State *L, const char *state, struct mill_task *failed)
{
    lua_pushstring(L, state);
    mill_decode(L, &failed->result, NULL);
    lua_pushstring(L, mill_task_function(failed)->name);
    return 3;
}

/* Cancelled with the task that asks: when that goes on and returns, it has no answer to keep. */
static int push_run_cancelled(lua_State *L, struct mill_scope *scope)
{
    struct mill_worker *worker = scope->worker;
    if (worker && worker->task && mill_run_cancelled(worker->task->run)) {
        mill_lookup_distrust(&scope->engine->lookup, worker);
    }
    lua_pushliteral(L, "cancelled");
    return 1;
}

static bool load_one(struct mill_scope *scope, struct mill_task *task)
{
    struct mill_reader *reader = reader_of(scope);
    bool there = mill_lookup_load(&scope->engine->lookup, reader, task);
    mill_reader_rest(reader);
    return there;
}

/* core.outcome(run, k, ended) -> "finished", value | "failed", error, task | "skipped", error of the
 * task that failed, its name | "cancelled" | "lost" (to be run again) | "pending"; of the k-th
 * wanted node.  `ended`: all is pending until the run has ended. */
static int graph_outcome(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct mill_scope *scope = mill_scope_of(L);
    uint32_t k = (uint32_t)luaL_checkinteger(L, 2) - 1;
    if (k >= run->wanted_count) return luaL_error(L, "no outcome %d", (int)k + 1);
    struct mill_task *task = &run->tasks[run->wanted[k]];
    enum mill_state state = mill_task_state(task);
    if (lua_toboolean(L, 3) && !mill_run_ended(run)) state = MILL_PENDING;
    mill_lib_stop_dry(L, run);
    switch (state) {
    case MILL_FINISHED:
        if (run->content && !load_one(scope, task)) {
            lua_pushliteral(L, "lost");
            return 1;
        }
        lua_pushliteral(L, "finished");
        mill_decode(L, &task->result, NULL);
        return 2;
    case MILL_FAILED:
        return push_failure(L, "failed", task);
    case MILL_SKIPPED: {
        int32_t cause = atomic_load(&task->cause);
        struct mill_task *failed = &run->tasks[cause];
        if (mill_task_state(failed) == MILL_FAILED) return push_failure(L, "skipped", failed);
        return push_run_cancelled(L, scope);
    }
    case MILL_CANCELLED:
        return push_run_cancelled(L, scope);
    default:
        lua_pushliteral(L, "pending");
        return 1;
    }
}

/* core.results(run) -> list of the values of the wanted nodes; nil: a task has not finished, or its value
 * is lost: core.outcome says more. */
static int graph_results(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct mill_scope *scope = mill_scope_of(L);
    lua_createtable(L, (int)run->wanted_count, 0);
    for (uint32_t k = 0; k < run->wanted_count; k++) {
        struct mill_task *task = &run->tasks[run->wanted[k]];
        if (mill_task_state(task) != MILL_FINISHED ||
            (run->content &&
             !mill_lookup_load(&scope->engine->lookup, reader_of(scope), task))) {
            mill_reader_rest(reader_of(scope));
            return 0;
        }
        mill_decode(L, &task->result, NULL);
        lua_rawseti(L, -2, (int)k + 1);
    }
    if (run->content) mill_reader_rest(reader_of(scope));
    return 1;
}

/* core.failure(run) -> error, task of the first failed task of a run; nil when none failed */
static int graph_failure(lua_State *L)
{
    struct mill_run *run = check_run(L);
    mill_lib_stop_dry(L, run);
    int32_t first = atomic_load(&run->first_failed);
    if (first == MILL_NO_CAUSE || mill_task_state(&run->tasks[first]) != MILL_FAILED) return 0;
    mill_decode(L, &run->tasks[first].result, NULL);
    lua_pushstring(L, mill_task_function(&run->tasks[first])->name);
    return 2;
}

/* core.wait_all() -> "ended" or "interrupted": for runs that nobody holds any more. */
static int graph_wait_all(lua_State *L)
{
    mill_lib_check_here(L);
    lua_pushstring(L, mill_engine_wait(mill_engine_of(L)) ? "ended" : "interrupted");
    return 1;
}

/* core.unasked() -> error, task: the first of those that nobody has asked for; nil: none. */
static int graph_unasked(lua_State *L)
{
    char *task;
    struct mill_value error;
    if (!mill_engine_unasked(mill_engine_of(L), &task, &error)) return 0;
    mill_decode(L, &error, NULL);
    lua_pushstring(L, task);
    mill_value_unref(error);
    free(task);
    return 2;
}

static const luaL_Reg graph_functions[] = {
    {"asked", graph_asked},           {"begun", graph_begun},
    {"cancel_all", graph_cancel_all}, {"cancel", graph_cancel},
    {"counts", graph_counts},         {"ended", graph_ended},
    {"failure", graph_failure},       {"join", graph_join},
    {"outcome", graph_outcome},       {"release", graph_release},
    {"results", graph_results},       {"run", graph_run},
    {"run_key", graph_run_key},       {"stream_base", graph_stream_base},
    {"unasked", graph_unasked},       {"wait", graph_wait},
    {"wait_all", graph_wait_all},     {NULL, NULL},
};

void mill_lib_graph(lua_State *L)
{
    luaL_register(L, NULL, graph_functions);
}
