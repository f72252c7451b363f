/* lib_graph: nodes, runs and their results, for the script's state.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "bind/encode.h"
#include "bind/lib.h"

static const char run_name[] = "tidemill.run", function_name[] = "tidemill.function";

/* ---- arguments of nodes ---------------------------------------------------------------- */

/* core.set_argument(node, i, value): argument i, from 0, of a node that is being built. */
static int graph_set_argument(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    mill_handle handle;
    memcpy(&handle, lua_topointer(L, 1), sizeof handle);
    struct mill_node *node = mill_graph_find(&engine->graph, handle);
    uint32_t i = (uint32_t)luaL_checkinteger(L, 2);
    if (node == NULL || i >= node->count)
        return luaL_error(L, "not a node that is being built");
    char where[32];
    snprintf(where, sizeof where, "argument %u", i + 1);
    struct mill_value value;
    struct mill_error error;
    lua_settop(L, 3);
    if (mill_encode(L, 3, where, true, &value, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    mill_graph_argument(&engine->graph, node, i, value);
    return 0;
}

/* core.next_node(index) -> the next index whose node is alive, number of its function */
static int graph_next_node(lua_State *L)
{
    struct mill_graph *graph = &mill_engine_of(L)->graph;
    uint32_t end = graph->slab_count * MILL_SLAB_NODES;
    for (uint32_t i = (uint32_t)(luaL_checknumber(L, 1) + 1); i < end; i++) {
        struct mill_node *node = mill_graph_at(graph, i);
        if (!(node->generation & 1)) continue;
        lua_pushnumber(L, i);
        lua_pushnumber(L, node->function);
        return 2;
    }
    return 0;
}

/* ---- functions ------------------------------------------------------------------------- */

/* What a delayed function is at this moment: its record, a Lua table at the top of the stack,
 * holds name, fn, cache, priority, version, seed, pure, files; `snapshot` is the last answer. */

struct making {
    struct tidemill *engine;
    struct mill_function *function; /* NULL after a failure */
    struct mill_error *error;
};

static bool same_code(const struct mill_value *a, const struct mill_value *b)
{
    if (a->tag != b->tag || a->tag != MILL_TAG_PACKED) return false;
    const struct mill_packed *x = a->packed, *y = b->packed;
    return x->size == y->size && x->array_count == y->array_count &&
           memcmp(x->bytes, y->bytes, x->size) == 0 &&
           (x->array_count == 0 ||
            memcmp(x->arrays, y->arrays, x->array_count * sizeof *x->arrays) == 0);
}

/* A number by its bits: as text two that differ may read alike. */
static void hash_field(lua_State *L, int record, const char *name, struct mill_hasher *hasher)
{
    lua_getfield(L, record, name);
    mill_hasher_number(hasher, (uint64_t)lua_type(L, -1));
    if (lua_type(L, -1) == LUA_TNUMBER) {
        double number = lua_tonumber(L, -1);
        mill_hasher_bytes(hasher, &number, sizeof number);
    } else {
        size_t size = 0;
        const char *text = lua_tolstring(L, -1, &size);
        mill_hasher_bytes(hasher, text ? text : "", size);
    }
    lua_pop(L, 1);
}

static void hash_files(lua_State *L, struct tidemill *engine, int record,
                       struct mill_hasher *hasher)
{
    lua_getfield(L, record, "files");
    for (int i = 1; lua_istable(L, -1) && i <= (int)lua_objlen(L, -1); i++) {
        lua_rawgeti(L, -1, i);
        const char *path = lua_tostring(L, -1);
        struct stat status;
        if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
            luaL_error(L,
                       "option \"files\": %s is not a file; name files, such as tm.glob gives",
                       path);
        }
        mill_hasher_bytes(hasher, path, strlen(path));
        mill_hasher_hash(hasher, mill_files_hash(&engine->files, path));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void set_policy(lua_State *L, struct tidemill *engine, int record,
                       struct mill_function *function)
{
    struct mill_policy *policy = &function->policy;
    lua_getfield(L, record, "cache");
    policy->cached = lua_toboolean(L, -1);
    policy->refresh =
        lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "refresh") == 0;
    lua_pop(L, 1);
    if (!policy->cached) return;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "function/1");
    mill_hasher_hash(&hasher, engine->salt);
    mill_hasher_hash(&hasher, mill_value_hash(&function->code, NULL));
    hash_field(L, record, "version", &hasher);
    hash_field(L, record, "seed", &hasher);
    hash_files(L, engine, record, &hasher);
    policy->salt = mill_hasher_end(&hasher);
}

static struct mill_function **snapshot_of(lua_State *L, int record)
{
    lua_getfield(L, record, "snapshot");
    struct mill_function **box = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return box;
}

static int function_gc(lua_State *L)
{
    struct mill_function **box = lua_touserdata(L, 1);
    mill_function_unref(*box);
    *box = NULL;
    return 0;
}

static void keep_snapshot(lua_State *L, int record, struct mill_function *function)
{
    struct mill_function **box = lua_newuserdata(L, sizeof(struct mill_function *));
    *box = function;
    if (luaL_newmetatable(L, function_name)) {
        lua_pushcfunction(L, function_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_setfield(L, record, "snapshot");
}

static bool files_are_declared(lua_State *L, int record)
{
    lua_getfield(L, record, "files");
    bool declared = lua_istable(L, -1);
    lua_pop(L, 1);
    return declared;
}

/* With the record on the stack at 2. The function's reference belongs to the record. */
static void make_function(lua_State *L, struct making *making)
{
    enum { RECORD = 2 };
    lua_getfield(L, RECORD, "name");
    const char *name = luaL_checkstring(L, -1);
    char where[160];
    snprintf(where, sizeof where, "task \"%.120s\"", name);
    lua_getfield(L, RECORD, "fn");
    struct mill_value code;
    if (mill_encode(L, -1, where, false, &code, making->error) != TIDEMILL_OK) return;
    struct mill_function **old = snapshot_of(L, RECORD);
    if (old && same_code(&(*old)->code, &code) && !files_are_declared(L, RECORD)) {
        mill_value_unref(code);
        making->function = *old;
        return;
    }
    struct mill_function *function = mill_function_new(name);
    if (function == NULL) {
        mill_value_unref(code);
        mill_no_memory(making->error, name);
        return;
    }
    function->code = code;
    function->serial = mill_pool_serial(&making->engine->pool);
    lua_getfield(L, RECORD, "priority");
    function->priority = (int)lua_tointeger(L, -1);
    lua_getfield(L, RECORD, "seed");
    if (lua_isnumber(L, -1)) function->seed = lua_tonumber(L, -1);
    lua_getfield(L, RECORD, "seed");
    if (lua_isnumber(L, -1)) function->seed = lua_tonumber(L, -1);
    keep_snapshot(L, RECORD, function);
    set_policy(L, making->engine, RECORD, function);
    making->function = function;
}

/* (making, record function, number) */
static int make_protected(lua_State *L)
{
    struct making *making = lua_touserdata(L, 1);
    lua_call(L, 1, 1); /* the record; replaces function and number */
    make_function(L, making);
    return 0;
}

struct provider {
    lua_State *L;
    struct tidemill *engine;
    int lookup; /* stack index of the Lua function number -> record */
    struct mill_error *error;
};

static struct mill_function *provide(void *context, uint32_t number)
{
    struct provider *provider = context;
    lua_State *L = provider->L;
    struct making making = {.engine = provider->engine, .error = provider->error};
    lua_pushcfunction(L, make_protected);
    lua_pushlightuserdata(L, &making);
    lua_pushvalue(L, provider->lookup);
    lua_pushnumber(L, number);
    if (lua_pcall(L, 3, 0, 0) != 0) {
        const char *text = lua_tostring(L, -1);
        mill_fail(provider->error, TIDEMILL_ERROR, "%s", text ? text : "an error");
        lua_pop(L, 1);
        return NULL;
    }
    return making.function;
}

/* ---- runs ------------------------------------------------------------------------------ */

struct box {
    struct mill_run *run;
};

static struct mill_run *check_run(lua_State *L)
{
    struct mill_run *run = ((struct box *)luaL_checkudata(L, 1, run_name))->run;
    if (run == NULL) luaL_error(L, "the run was released");
    return run;
}

/* A run that is still going when its last handle goes is left to the engine. */
static int run_gc(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    if (box->run) mill_engine_leave(mill_engine_of(L), box->run);
    box->run = NULL;
    return 0;
}

/* core.release(run): its results are not wanted any more. */
static int graph_release(lua_State *L)
{
    luaL_checkudata(L, 1, run_name);
    return run_gc(L);
}

static struct box *push_box(lua_State *L)
{
    struct box *box = lua_newuserdata(L, sizeof *box);
    box->run = NULL;
    if (luaL_newmetatable(L, run_name)) {
        lua_pushcfunction(L, run_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return box;
}

static uint32_t *wanted_nodes(lua_State *L, struct tidemill *engine, uint32_t *count)
{
    *count = (uint32_t)lua_objlen(L, 1);
    uint32_t *wanted = lua_newuserdata(L, ((size_t)*count + 1) * sizeof *wanted);
    for (uint32_t i = 0; i < *count; i++) {
        mill_handle handle;
        lua_rawgeti(L, 1, (int)i + 1);
        memcpy(&handle, lua_topointer(L, -1), sizeof handle);
        lua_pop(L, 1);
        if (!mill_graph_find(&engine->graph, handle)) luaL_error(L, "a stale node (%d)", i + 1);
        wanted[i] = (uint32_t)handle;
    }
    return wanted;
}

/* core.run(nodes, lookup) -> run: starts what the nodes need.  lookup(number) gives the record of
 * a delayed function. */
static int graph_run(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_error error = {0};
    if (mill_engine_start(engine, &error) != TIDEMILL_OK) return mill_lib_raise(L, &error);
    mill_engine_sweep(engine);
    uint32_t count;
    uint32_t *wanted = wanted_nodes(L, engine, &count);
    struct box *box = push_box(L);
    struct provider provider = {L, engine, 2, &error};
    struct mill_run *run =
        mill_run_new(&engine->graph, wanted, count, provide, &provider, &error);
    if (run == NULL) return mill_lib_raise(L, &error);
    run->seed = engine->seed;
    if (run->content) run->hooks = mill_lookup_hooks(&engine->lookup);
    if (mill_pool_submit(&engine->pool, run, &error) != TIDEMILL_OK) {
        mill_run_free(run);
        return mill_lib_raise(L, &error);
    }
    box->run = run;
    return 1;
}

static int64_t hits_so_far(const struct tidemill *engine)
{
    int64_t hits = 0;
    for (int i = 0; i < engine->pool.worker_count; i++) {
        hits +=
            atomic_load_explicit(&engine->pool.workers[i].counters.hits, memory_order_relaxed);
    }
    return hits;
}

/* core.wait(run, seconds) -> "ended", "waiting" or "interrupted"; seconds < 0: no limit. */
static int graph_wait(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct tidemill *engine = mill_engine_of(L);
    int64_t deadline = mill_clock_after(luaL_optnumber(L, 2, -1));
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

/* core.ended(run) */
static int graph_ended(lua_State *L)
{
    lua_pushboolean(L, mill_run_ended(check_run(L)));
    return 1;
}

/* core.begun(run): whether a worker has taken up a task of it. */
static int graph_begun(lua_State *L)
{
    struct mill_run *run = check_run(L);
    pthread_mutex_lock(&run->pool->mutex);
    lua_pushboolean(L, run->next_root > 0);
    pthread_mutex_unlock(&run->pool->mutex);
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

static int push_failure(lua_State *L, const char *state, struct mill_task *failed)
{
    lua_pushstring(L, state);
    mill_decode(L, &failed->result, NULL);
    lua_pushstring(L, mill_task_function(failed)->name);
    return 3;
}

/* core.outcome(run, k) -> "finished", value | "failed", error, task | "skipped", error of the
 * task that failed, its name | "cancelled" | "lost" (to be run again) | "pending"; of the k-th
 * wanted node. */
static int graph_outcome(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct tidemill *engine = mill_engine_of(L);
    uint32_t k = (uint32_t)luaL_checkinteger(L, 2) - 1;
    if (k >= run->wanted_count) return luaL_error(L, "no outcome %d", (int)k + 1);
    struct mill_task *task = &run->tasks[run->wanted[k]];
    switch (mill_task_state(task)) {
    case MILL_FINISHED:
        if (task->result.tag == MILL_TAG_STORED && engine->store && engine->reader == NULL) {
            engine->reader = mill_reader_open(engine->store);
        }
        if (!mill_lookup_load(&engine->lookup, engine->reader, task)) {
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
        lua_pushliteral(L, "cancelled");
        return 1;
    }
    case MILL_CANCELLED:
        lua_pushliteral(L, "cancelled");
        return 1;
    default:
        lua_pushliteral(L, "pending");
        return 1;
    }
}

/* core.failure(run) -> error, task of the first failed task of a run; nil when none failed */
static int graph_failure(lua_State *L)
{
    struct mill_run *run = check_run(L);
    int32_t first = atomic_load(&run->first_failed);
    if (first == MILL_NO_CAUSE || mill_task_state(&run->tasks[first]) != MILL_FAILED) return 0;
    mill_decode(L, &run->tasks[first].result, NULL);
    lua_pushstring(L, mill_task_function(&run->tasks[first])->name);
    return 2;
}

/* core.wait_all() -> "ended" or "interrupted": for runs that nobody holds any more. */
static int graph_wait_all(lua_State *L)
{
    lua_pushstring(L, mill_engine_wait(mill_engine_of(L)) ? "ended" : "interrupted");
    return 1;
}

static const luaL_Reg functions[] = {
    {"begun", graph_begun},
    {"cancel", graph_cancel},
    {"counts", graph_counts},
    {"ended", graph_ended},
    {"failure", graph_failure},
    {"next_node", graph_next_node},
    {"outcome", graph_outcome},
    {"release", graph_release},
    {"run", graph_run},
    {"set_argument", graph_set_argument},
    {"wait", graph_wait},
    {"wait_all", graph_wait_all},
    {NULL, NULL},
};

void mill_lib_graph(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
