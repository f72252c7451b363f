/* lib_graph: nodes, runs and their results, for the script's state.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "bind/adapt.h"
#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/shared.h"
#include "bind/witness.h"
#include "sched/join.h"

static const char run_name[] = "tidemill.run", function_name[] = "tidemill.function",
                  snapshots_key[] = "tidemill.snapshots";

/* ---- arguments of nodes ---------------------------------------------------------------- */

/* core.set_argument(node, i, value): argument i, from 0, of a node that is being built. */
static int graph_set_argument(lua_State *L)
{
    struct mill_graph *graph = &mill_scope_of(L)->graph;
    mill_handle handle;
    memcpy(&handle, lua_topointer(L, 1), sizeof handle);
    struct mill_node *node = mill_graph_find(graph, handle);
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
    mill_graph_argument(graph, node, i, value);
    return 0;
}

/* core.functions_in_use() -> {number of a function = true} for all nodes alive */
static int graph_functions_in_use(lua_State *L)
{
    struct mill_graph *graph = &mill_scope_of(L)->graph;
    uint32_t end = graph->slab_count * MILL_SLAB_NODES, last = UINT32_MAX;
    lua_newtable(L);
    for (uint32_t i = 0; i < end; i++) {
        const struct mill_node *node = mill_graph_at(graph, i);
        if (!(node->generation & 1) || node->function == last) continue;
        last = node->function;
        lua_pushboolean(L, 1);
        lua_rawseti(L, -2, (int)last);
    }
    return 1;
}

/* ---- functions ------------------------------------------------------------------------- */

/* What a delayed function is at this moment: its record, a Lua table at the top of the stack,
 * holds name, fn, cache, priority, version, seed, pure, files. */

/* The last answer, a userdata whose environment is the witness of its code (bind/witness.h). */
struct snapshot {
    struct mill_function *function;
    bool steady; /* the code is the same as long as the witness holds */
};

struct making {
    struct tidemill *engine;
    struct mill_function *function; /* NULL after a failure */
    bool unfinished;                /* the record's snapshot is of no use */
    struct mill_error *error;
};

/* The body of a task that takes one value of several that another has returned; the context is
 * its place. */
static void take_output(void *context, const struct mill_value *arguments, int count,
                        struct mill_value *result)
{
    uint32_t place = (uint32_t)(uintptr_t)context;
    if (count < 1 || arguments[0].tag != MILL_TAG_TUPLE || place > arguments[0].tuple->count) {
        return;
    }
    *result = mill_value_ref(arguments[0].tuple->cells[place - 1]);
}

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
    if (mill_value_is_opaque(&function->code)) {
        policy->refusal = strdup("it names a channel or the like, which has no content");
        return;
    }
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "function/1");
    mill_hasher_hash(&hasher, engine->salt);
    mill_hasher_hash(&hasher, mill_value_hash(&function->code, NULL));
    hash_field(L, record, "version", &hasher);
    hash_field(L, record, "seed", &hasher);
    hash_files(L, engine, record, &hasher);
    policy->salt = mill_hasher_end(&hasher);
}

/* Snapshots are kept beside the records, which may cross to other states. */
static void push_snapshots(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, snapshots_key);
    if (lua_istable(L, -1)) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, snapshots_key);
}

/* Pushes it, or nil. */
static struct snapshot *push_snapshot(lua_State *L, int record)
{
    push_snapshots(L);
    lua_pushvalue(L, record);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

static int function_gc(lua_State *L)
{
    struct snapshot *snapshot = lua_touserdata(L, 1);
    mill_function_unref(snapshot->function);
    snapshot->function = NULL;
    return 0;
}

static void forget_snapshot(lua_State *L, int record)
{
    push_snapshots(L);
    lua_pushvalue(L, record);
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static void keep_snapshot(lua_State *L, int record, int witness, struct snapshot made)
{
    push_snapshots(L);
    lua_pushvalue(L, record);
    struct snapshot *snapshot = lua_newuserdata(L, sizeof *snapshot);
    *snapshot = made;
    if (luaL_newmetatable(L, function_name)) {
        lua_pushcfunction(L, function_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_pushvalue(L, witness);
    lua_setfenv(L, -2);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static bool files_are_declared(lua_State *L, int record)
{
    lua_getfield(L, record, "files");
    bool declared = lua_istable(L, -1);
    lua_pop(L, 1);
    return declared;
}

static double number_field(lua_State *L, int table, const char *name, double otherwise)
{
    lua_getfield(L, table, name);
    double number = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : otherwise;
    lua_pop(L, 1);
    return number;
}

static void set_retry(lua_State *L, int record, struct mill_function *function)
{
    struct mill_retry_rule *rule = &function->retry;
    rule->retries = (int)number_field(L, record, "retries", 0);
    rule->delay = number_field(L, record, "retry_delay", 0);
    rule->factor = number_field(L, record, "backoff_factor", 1);
    rule->longest = number_field(L, record, "backoff_max", INFINITY);
    rule->jitter = number_field(L, record, "backoff_jitter", 0);
}

/* resources = {name = amount}; raises. */
static void set_needs(lua_State *L, struct tidemill *engine, int record,
                      struct mill_function *function)
{
    struct mill_resources *resources = &engine->pool.resources;
    lua_getfield(L, record, "resources");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    function->needs = calloc(MILL_MAX_RESOURCES, sizeof *function->needs);
    if (function->needs == NULL) luaL_error(L, "out of memory (resources)");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = lua_tostring(L, -2);
        double amount = lua_tonumber(L, -1);
        int resource = mill_resources_find(resources, name);
        if (resource < 0) {
            luaL_error(L,
                       "task \"%s\": resource \"%s\" has no limit; set one: "
                       "tm.config{resources = {%s = 3}}",
                       function->name, name, name);
        }
        double limit = mill_resources_of(resources, resource);
        if (amount > limit) {
            lua_pushfstring(
                L, "task \"%s\" needs %f of resource \"%s\", of which there is only %f",
                function->name, amount, name, limit);
            lua_error(L);
        }
        function->needs[function->need_count++] =
            (struct mill_need){resource, (int64_t)(amount * MILL_RESOURCE_UNIT + 0.5)};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Where it runs and what it is thought to cost; `affinity` is a number or a string. */
static void set_placing(lua_State *L, struct tidemill *engine, int record,
                        struct mill_function *function)
{
    lua_getfield(L, record, "affinity");
    if (!lua_isnil(L, -1)) {
        struct mill_hasher hasher;
        mill_hasher_init(&hasher, "affinity");
        hash_field(L, record, "affinity", &hasher);
        function->affinity = mill_hasher_end(&hasher).low | 1;
    }
    lua_pop(L, 1);
    function->cost = number_field(L, record, "cost", NAN);
    function->mean = mill_means_of(&engine->means, function->name);
}

static void set_options(lua_State *L, struct tidemill *engine, int record,
                        struct mill_function *function)
{
    function->priority = (int)number_field(L, record, "priority", 0);
    function->seed = number_field(L, record, "seed", NAN);
    function->outputs = (uint16_t)number_field(L, record, "nout", 0);
    set_retry(L, record, function);
    set_needs(L, engine, record, function);
    set_placing(L, engine, record, function);
    set_policy(L, engine, record, function);
}

/* A body in C: one that stands for another run's task, or one that takes an output out of several;
 * false: it is Lua. */
static bool is_built_in(lua_State *L, int record, struct mill_function *function)
{
    lua_getfield(L, record, "joins");
    function->joins = lua_toboolean(L, -1);
    lua_getfield(L, record, "output");
    if (lua_isnumber(L, -1)) {
        function->body = take_output;
        function->context = (void *)(uintptr_t)lua_tointeger(L, -1);
    }
    lua_pop(L, 2);
    return function->joins || function->body;
}

/* The code of the record's function. */
static tidemill_status read_code(lua_State *L, struct making *making, int record,
                                 struct snapshot *made, int witness)
{
    char where[160];
    snprintf(where, sizeof where, "task \"%.120s\"", made->function->name);
    lua_getfield(L, record, "fn");
    return mill_encode_function(L, lua_gettop(L), where, witness, &made->steady,
                                &made->function->code, making->error);
}

static bool is_frozen(lua_State *L, int record)
{
    lua_getfield(L, record, "frozen");
    bool frozen = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return frozen;
}

/* Whether the snapshot, at the top of the stack, is as good as a new one. */
static bool is_current(lua_State *L, const struct snapshot *snapshot, int record)
{
    if (is_frozen(L, record)) return true; /* what tasks decoded does not change any more */
    if (!snapshot->steady || files_are_declared(L, record)) return false;
    lua_getfenv(L, -1);
    bool holds = mill_witness_holds(L, lua_gettop(L));
    lua_pop(L, 1);
    return holds;
}

/* With the record and its name on the stack. The function's reference belongs to the record. */
static void make_function(lua_State *L, struct making *making)
{
    enum { RECORD = 2, NAME = 3, SNAPSHOT = 4, WITNESS = 5 };
    struct snapshot *old = push_snapshot(L, RECORD);
    if (old && is_current(L, old, RECORD)) {
        making->function = old->function;
        return;
    }
    const char *name = luaL_checkstring(L, NAME);
    mill_witness_new(L);
    struct mill_function *function = mill_function_new(name);
    if (function == NULL) {
        mill_no_memory(making->error, name);
        return;
    }
    struct snapshot made = {.function = function};
    if (!is_built_in(L, RECORD, function) &&
        read_code(L, making, RECORD, &made, WITNESS) != TIDEMILL_OK) {
        mill_function_unref(function);
        return;
    }
    if (old && same_code(&old->function->code, &function->code) &&
        !files_are_declared(L, RECORD)) {
        mill_function_unref(function);
        making->function = old->function;
        old->steady = made.steady;
        lua_pushvalue(L, WITNESS);
        lua_setfenv(L, SNAPSHOT);
        return;
    }
    function->serial = mill_pool_serial(&making->engine->pool);
    keep_snapshot(L, RECORD, WITNESS, made);
    making->unfinished = true;
    lua_getfield(L, RECORD, "retry_on");
    if (!lua_isnil(L, -1) && mill_encode(L, -1, "option \"retry_on\"", false,
                                         &function->retry_on, making->error) != TIDEMILL_OK) {
        return;
    }
    set_options(L, making->engine, RECORD, function);
    making->unfinished = false;
    making->function = function;
}

/* (making, record function, number) */
static int make_protected(lua_State *L)
{
    struct making *making = lua_touserdata(L, 1);
    lua_call(L, 1, 2); /* the record and its name replace function and number */
    make_function(L, making);
    if (making->unfinished) forget_snapshot(L, 2);
    return 0;
}

/* After an error that was raised on the way. */
static int forget_protected(lua_State *L)
{
    lua_call(L, 1, 1);
    forget_snapshot(L, 1);
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
    int top = lua_gettop(L);
    lua_pushcfunction(L, make_protected);
    lua_pushlightuserdata(L, &making);
    lua_pushvalue(L, provider->lookup);
    lua_pushnumber(L, number);
    if (lua_pcall(L, 3, 0, 0) != 0) {
        const char *text = lua_tostring(L, -1);
        mill_fail(provider->error, TIDEMILL_ERROR, "%s", text ? text : "an error");
        lua_pop(L, 1);
        lua_pushcfunction(L, forget_protected);
        lua_pushvalue(L, provider->lookup);
        lua_pushnumber(L, number);
        if (making.unfinished && lua_pcall(L, 2, 0, 0) == 0) return NULL;
        lua_settop(L, top);
        return NULL;
    }
    return making.function;
}

/* ---- runs ------------------------------------------------------------------------------ */

struct mill_run *mill_check_run(lua_State *L, int index)
{
    struct mill_run *run = ((struct mill_run_box *)luaL_checkudata(L, index, run_name))->run;
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
    luaL_checkudata(L, 1, run_name);
    return run_gc(L);
}

static struct mill_run_box *push_box(lua_State *L)
{
    struct mill_run_box *box = lua_newuserdata(L, sizeof *box);
    memset(box, 0, sizeof *box);
    if (luaL_newmetatable(L, run_name)) {
        lua_pushcfunction(L, run_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return box;
}

static uint32_t *wanted_nodes(lua_State *L, struct mill_scope *scope, uint32_t *count)
{
    *count = (uint32_t)lua_objlen(L, 1);
    uint32_t *wanted = lua_newuserdata(L, ((size_t)*count + 1) * sizeof *wanted);
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
    if (run->content) mill_lookup_hook(&engine->lookup, run);
    if (worker && worker->task) mill_lookup_adopt(&engine->lookup, worker, run);
    bool measured = strategy == MILL_LOAD_BALANCED || (run->count <= MEASURED && !worker);
    return !measured || mill_run_measure(run);
}

/* core.run(nodes, lookup, strategy, seed) -> run: starts what the nodes need.  lookup(number) gives
 * the record of a delayed function. */
static int graph_run(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    struct tidemill *engine = scope->engine;
    struct mill_error error = {0};
    enum mill_strategy strategy =
        lua_isnoneornil(L, 3) ? engine->strategy
                              : (enum mill_strategy)luaL_checkoption(L, 3, NULL, strategies);
    if (mill_engine_start(engine, &error) != TIDEMILL_OK) return mill_lib_raise(L, &error);
    mill_scope_sweep(scope);
    uint32_t count;
    uint32_t *wanted = wanted_nodes(L, scope, &count);
    struct mill_run_box *box = push_box(L);
    struct provider provider = {L, engine, 2, &error};
    struct mill_run *run =
        mill_run_new(&scope->graph, wanted, count, provide, &provider, &error);
    if (run == NULL) return mill_lib_raise(L, &error);
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
    for (int i = 0; i < engine->pool.worker_count; i++) {
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
        return mill_lib_wait_run(L, scope, luaL_checkudata(L, 1, run_name), deadline);
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
static int push_cancelled(lua_State *L, struct mill_scope *scope)
{
    struct mill_worker *worker = scope->worker;
    if (worker && worker->task && mill_run_cancelled(worker->task->run)) {
        mill_lookup_distrust(&scope->engine->lookup, worker);
    }
    lua_pushliteral(L, "cancelled");
    return 1;
}

/* core.outcome(run, k) -> "finished", value | "failed", error, task | "skipped", error of the
 * task that failed, its name | "cancelled" | "lost" (to be run again) | "pending"; of the k-th
 * wanted node. */
static int graph_outcome(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct mill_scope *scope = mill_scope_of(L);
    struct tidemill *engine = scope->engine;
    uint32_t k = (uint32_t)luaL_checkinteger(L, 2) - 1;
    if (k >= run->wanted_count) return luaL_error(L, "no outcome %d", (int)k + 1);
    struct mill_task *task = &run->tasks[run->wanted[k]];
    switch (mill_task_state(task)) {
    case MILL_FINISHED:
        if (run->content && !mill_lookup_load(&engine->lookup, reader_of(scope), task)) {
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
        return push_cancelled(L, scope);
    }
    case MILL_CANCELLED:
        return push_cancelled(L, scope);
    default:
        lua_pushliteral(L, "pending");
        return 1;
    }
}

/* core.results(run, list) -> nil: list[k] is the value of the k-th wanted node, for all; or the first
 * k whose task has not finished, or whose value is lost: core.outcome says more. */
static int graph_results(lua_State *L)
{
    struct mill_run *run = check_run(L);
    struct mill_scope *scope = mill_scope_of(L);
    for (uint32_t k = 0; k < run->wanted_count; k++) {
        struct mill_task *task = &run->tasks[run->wanted[k]];
        if (mill_task_state(task) != MILL_FINISHED ||
            (run->content &&
             !mill_lookup_load(&scope->engine->lookup, reader_of(scope), task))) {
            lua_pushnumber(L, k + 1);
            return 1;
        }
        mill_decode(L, &task->result, NULL);
        lua_rawseti(L, 2, (int)k + 1);
    }
    return 0;
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

static const luaL_Reg functions[] = {
    {"asked", graph_asked},
    {"begun", graph_begun},
    {"cancel_all", graph_cancel_all},
    {"cancel", graph_cancel},
    {"counts", graph_counts},
    {"ended", graph_ended},
    {"failure", graph_failure},
    {"functions_in_use", graph_functions_in_use},
    {"join", graph_join},
    {"outcome", graph_outcome},
    {"release", graph_release},
    {"results", graph_results},
    {"run", graph_run},
    {"set_argument", graph_set_argument},
    {"stream_base", graph_stream_base},
    {"unasked", graph_unasked},
    {"wait", graph_wait},
    {"wait_all", graph_wait_all},
    {NULL, NULL},
};

void mill_lib_graph(lua_State *L)
{
    luaL_register(L, NULL, functions);
}
