/* lib_stats: what has happened so far, for tm.stats.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/machine.h"
#include "bind/adapt.h"
#include "bind/lib.h"
#include "bind/processes.h"

/* The counters of a worker, or of all together, by name. */
struct counts {
    double executed, finished, failed, skipped, steals, sleeps, hits, misses, retries, waits;
};

static double read_counter(_Atomic int64_t *counter)
{
    return (double)atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_counts(struct counts *sums, struct mill_counters *counters)
{
    sums->executed += read_counter(&counters->executed);
    sums->finished += read_counter(&counters->finished);
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
    mill_lib_set_number(L, "executed", counts->executed);
    mill_lib_set_number(L, "failed", counts->failed);
    mill_lib_set_number(L, "skipped", counts->skipped);
    mill_lib_set_number(L, "steals", counts->steals);
    mill_lib_set_number(L, "sleeps", counts->sleeps);
    mill_lib_set_number(L, "hits", counts->hits);
    mill_lib_set_number(L, "misses", counts->misses);
    mill_lib_set_number(L, "retries", counts->retries);
    mill_lib_set_number(L, "waits", counts->waits);
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
    mill_lib_set_number(L, "idle", share);
    mill_lib_set_number(L, "busy", 1 - share);
}

/* ---- lanes ------------------------------------------------------------------------------- */

struct lane_row {
    const char *name, *state;
    double load, completed, failed, retries;
    double took; /* nanoseconds, of all attempts */
};

static void push_lane(lua_State *L, const struct lane_row *lane)
{
    lua_createtable(L, 0, 6);
    lua_pushstring(L, lane->state);
    lua_setfield(L, -2, "state");
    mill_lib_set_number(L, "load", lane->load);
    mill_lib_set_number(L, "completed", lane->completed);
    mill_lib_set_number(L, "failed", lane->failed);
    mill_lib_set_number(L, "retries", lane->retries);
    double attempts = lane->completed + lane->failed + lane->retries;
    mill_lib_set_number(L, "average", attempts > 0 ? lane->took / attempts / 1e9 : 0);
    lua_setfield(L, -2, lane->name);
}

/* The workers that are threads, or the only one there is. */
static struct lane_row thread_lane(struct mill_pool *pool, const struct counts *counts)
{
    bool serial = pool->options.threads == 0;
    bool started = atomic_load_explicit(&pool->started, memory_order_acquire);
    struct lane_row lane = {
        .name = serial ? "serial" : "thread",
        .state = started ? "idle" : "not started",
        .load = (double)mill_pool_queued(pool),
        .completed = counts->finished,
        .failed = counts->failed,
        .retries = counts->retries,
    };
    int64_t now = mill_clock_now();
    for (int i = 0; started && !serial && i < pool->worker_count; i++) {
        struct mill_worker *worker = &pool->workers[i];
        int64_t since = atomic_load_explicit(&worker->asleep_since, memory_order_relaxed);
        double idle = read_counter(&worker->counters.idle);
        if (since > 0 && now > since) idle += (double)(now - since);
        if (since == 0) lane.state = "busy";
        if ((double)(now - pool->began) > idle) lane.took += (double)(now - pool->began) - idle;
    }
    return lane;
}

static struct lane_row other_lane(struct mill_worker *worker)
{
    struct counts counts = {0};
    add_counts(&counts, &worker->counters);
    double pending = read_counter(&worker->pending);
    bool begun = counts.executed > 0 || pending > 0;
    return (struct lane_row){
        .name = worker->lane == MILL_LANE_LOOP ? "loop" : "process",
        .state = !begun        ? "not started"
                 : pending > 0 ? "busy"
                               : "idle",
        .load = pending,
        .completed = counts.finished,
        .failed = counts.failed,
        .retries = counts.retries,
        .took = read_counter(&worker->counters.took),
    };
}

/* What the process lane has more than others. */
static void push_processes(lua_State *L, struct tidemill *engine, const char *name)
{
    struct mill_process_counts counts = mill_processes_counts(engine);
    lua_getfield(L, -1, name);
    mill_lib_set_number(L, "children", counts.children);
    mill_lib_set_number(L, "started", counts.started);
    mill_lib_set_number(L, "restarted", counts.restarted);
    mill_lib_set_number(L, "killed", counts.killed);
    mill_lib_set_number(L, "timeouts", counts.timeouts);
    lua_pop(L, 1);
}

/* {thread = {state, load, completed, failed, retries, average}, loop = ..}: the health of each lane. */
static void push_lanes(lua_State *L, struct tidemill *engine)
{
    struct mill_pool *pool = &engine->pool;
    struct counts threads = {0};
    lua_createtable(L, 0, MILL_LANES);
    for (int i = 0; i < pool->worker_count; i++) {
        add_counts(&threads, &pool->workers[i].counters);
    }
    struct lane_row lane = thread_lane(pool, &threads);
    push_lane(L, &lane);
    for (int i = MILL_LANE_THREAD + 1; i < MILL_LANES; i++) {
        struct mill_worker *worker = mill_pool_lane(pool, i);
        if (worker == NULL) continue;
        lane = other_lane(worker);
        push_lane(L, &lane);
        if (i == MILL_LANE_PROCESS) push_processes(L, engine, lane.name);
    }
}

static void push_memory(lua_State *L, struct tidemill *engine)
{
    static const char *const states[] = {"fine", "target", "spill", "pause", "terminate"};
    struct mill_memory *memory = &engine->memory;
    lua_createtable(L, 0, 7);
    if (memory->limit > 0) mill_lib_set_number(L, "limit", (double)memory->limit);
    mill_memory_look(memory, mill_clock_now());
    int64_t used = memory->limit > 0 ? mill_memory_used(memory) : mill_machine_process_memory();
    mill_lib_set_number(L, "used", (double)used);
    mill_lib_set_number(L, "spilled", read_counter(&memory->spilled));
    mill_lib_set_number(L, "spills", read_counter(&engine->spill.count));
    mill_lib_set_number(L, "pauses", read_counter(&memory->pauses));
    mill_lib_set_number(L, "held", mill_scope_of(L)->holdings->held);
    lua_pushstring(L, states[mill_memory_pressure(memory)]);
    lua_setfield(L, -2, "state");
    lua_setfield(L, -2, "memory");
}

/* core.stats() -> counters of all workers, those of each thread in `per_worker`, of each lane in
 * `lanes`, and the process's memory */
static int core_stats(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_pool *pool = &engine->pool;
    int workers = engine->pool_open ? pool->worker_count : 0;
    struct counts sums = {0};
    for (int i = 0; engine->pool_open && i < pool->worker_total; i++) {
        add_counts(&sums, &pool->workers[i].counters);
    }
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
    if (engine->pool_open) {
        push_lanes(L, engine);
    } else {
        lua_newtable(L);
    }
    lua_setfield(L, -2, "lanes");
    mill_lib_set_number(L, "workers", mill_engine_threads(engine));
    mill_lib_set_number(
        L, "active", engine->pool_open ? atomic_load(&pool->active) : mill_adapt_first(engine));
    mill_lib_set_number(L, "queued", workers ? (double)mill_pool_queued(pool) : 0);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    mill_lib_set_number(L, "peak_resident", (double)usage.ru_maxrss * 1024);
    push_memory(L, engine);
    mill_lib_set_number(L, "bytes", (double)atomic_load(&engine->memory.bytes));
    mill_lib_set_number(L, "peak_bytes", (double)atomic_load(&engine->memory.peak));
    return 1;
}

static const luaL_Reg stats_functions[] = {
    {"stats", core_stats},
    {NULL, NULL},
};

void mill_lib_stats(lua_State *L)
{
    luaL_register(L, NULL, stats_functions);
}
