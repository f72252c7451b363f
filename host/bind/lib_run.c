/* lib_run: runs that were started: waiting for them, asking and cancelling them, their results.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bind/encode.h"
#include "bind/lib.h"
#include "sched/await.h"
#include "sched/cancel.h"
#include "sched/parked.h"

static const char run_name[] = "tidemill.run";

/* ---- handles ------------------------------------------------------------------------------- */

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

struct mill_run_box *mill_lib_run_box(lua_State *L)
{
    return mill_handle_new(L, run_name, sizeof(struct mill_run_box), run_gc);
}

/* core.release(run): its results are not wanted any more. */
static int runs_release(lua_State *L)
{
    mill_handle_check(L, 1, run_name);
    return run_gc(L);
}

/* core.asked(run): its error is the business of whoever holds it. */
static int runs_asked(lua_State *L)
{
    mill_engine_asked(mill_engine_of(L), check_run(L));
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
static int runs_wait(lua_State *L)
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

/* core.cancel(run) */
static int runs_cancel(lua_State *L)
{
    mill_run_cancel(check_run(L));
    return 0;
}

/* core.ended(run) */
static int runs_ended(lua_State *L)
{
    lua_pushboolean(L, mill_run_ended(check_run(L)));
    return 1;
}

/* core.begun(run): whether a worker has taken up a task of it. */
static int runs_begun(lua_State *L)
{
    lua_pushboolean(L, atomic_load_explicit(&check_run(L)->begun, memory_order_relaxed));
    return 1;
}

/* core.run_key(run) -> key of its first wanted task, 32 hexadecimal digits; nil while it is not
 * known, and of a task that has none */
static int runs_key(lua_State *L)
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
static int runs_counts(lua_State *L)
{
    struct mill_run *run = check_run(L);
    lua_pushnumber(L, (double)mill_run_done(run));
    lua_pushnumber(L, run->count);
    lua_pushnumber(L, (double)atomic_load(&run->failed));
    lua_pushnumber(L, (double)atomic_load(&run->skipped));
    return 4;
}

/* ---- results ------------------------------------------------------------------------------- */

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
static int runs_outcome(lua_State *L)
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
static int runs_results(lua_State *L)
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
static int runs_failure(lua_State *L)
{
    struct mill_run *run = check_run(L);
    mill_lib_stop_dry(L, run);
    int32_t first = atomic_load(&run->first_failed);
    if (first == MILL_NO_CAUSE || mill_task_state(&run->tasks[first]) != MILL_FAILED) return 0;
    mill_decode(L, &run->tasks[first].result, NULL);
    lua_pushstring(L, mill_task_function(&run->tasks[first])->name);
    return 2;
}

/* ---- all that the script has started ------------------------------------------------------- */

/* core.cancel_all(): everything that the script has started. */
static int runs_cancel_all(lua_State *L)
{
    mill_engine_cancel_all(mill_engine_of(L));
    return 0;
}

/* core.wait_all() -> "ended" or "interrupted": for runs that nobody holds any more. */
static int runs_wait_all(lua_State *L)
{
    mill_lib_check_here(L);
    lua_pushstring(L, mill_engine_wait(mill_engine_of(L)) ? "ended" : "interrupted");
    return 1;
}

/* An error that nobody has asked for, held by Lua, which may find no memory to take it apart. */
struct unasked {
    char *task;
    struct mill_value error;
};

static int unasked_gc(lua_State *L)
{
    struct unasked *unasked = lua_touserdata(L, 1);
    free(unasked->task);
    mill_value_unref(unasked->error);
    *unasked = (struct unasked){.error = mill_nil()};
    return 0;
}

/* core.unasked() -> error, task: the first of those that nobody has asked for; nil: none. */
static int runs_unasked(lua_State *L)
{
    static const char type[] = "tidemill.unasked";
    lua_settop(L, 0);
    struct unasked *unasked = mill_handle_new(L, type, sizeof *unasked, unasked_gc);
    if (!mill_engine_unasked(mill_engine_of(L), &unasked->task, &unasked->error)) return 0;
    mill_decode(L, &unasked->error, NULL);
    lua_pushstring(L, unasked->task);
    unasked_gc(L);
    return 2;
}

static const luaL_Reg runs_functions[] = {
    {"asked", runs_asked},
    {"begun", runs_begun},
    {"cancel", runs_cancel},
    {"cancel_all", runs_cancel_all},
    {"counts", runs_counts},
    {"ended", runs_ended},
    {"failure", runs_failure},
    {"outcome", runs_outcome},
    {"release", runs_release},
    {"results", runs_results},
    {"run_key", runs_key},
    {"unasked", runs_unasked},
    {"wait", runs_wait},
    {"wait_all", runs_wait_all},
    {NULL, NULL},
};

void mill_lib_run(lua_State *L)
{
    luaL_register(L, NULL, runs_functions);
}
