/* lib_task: the running task, for the loop in lua/tidemill/runner.lua.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "bind/encode.h"
#include "bind/ffi.h"
#include "bind/lib.h"
#include "bind/recorder.h"
#include "bind/serve.h"
#include "cache/trust.h"
#include "sched/attempt.h"
#include "sched/mail.h"

static struct mill_worker *running(lua_State *L)
{
    struct mill_worker *worker = mill_worker_of(L);
    if (worker == NULL || worker->task == NULL) luaL_error(L, "no task is running");
    return worker;
}

/* Results that stand before argument i's own among the task's inputs. */
static uint32_t inputs_before(const struct mill_worker *worker, int i)
{
    const struct mill_value *arguments = mill_node_arguments(worker->task->node);
    uint32_t before = 0;
    for (int k = 0; k < i; k++) before += mill_value_nodes(&arguments[k]);
    return before;
}

static void push_argument(lua_State *L, struct mill_worker *worker, int i)
{
    mill_decode(L, &worker->call.arguments[i], worker->inputs + inputs_before(worker, i));
}

/* core.argument(i) -> argument i, from 0 */
static int task_argument(lua_State *L)
{
    struct mill_worker *worker = running(L);
    int i = (int)luaL_checkinteger(L, 1);
    if (i < 0 || i >= worker->call.count) return luaL_error(L, "no argument %d", i);
    push_argument(L, worker, i);
    return 1;
}

/* Pushes the arguments of the running task; how many. */
static int push_arguments(lua_State *L, struct mill_worker *worker)
{
    luaL_checkstack(L, worker->call.count, "too many arguments");
    uint32_t next = 0;
    const struct mill_value *arguments = mill_node_arguments(worker->task->node);
    for (int i = 0; i < worker->call.count; i++) {
        mill_decode(L, &worker->call.arguments[i], worker->inputs + next);
        next += mill_value_nodes(&arguments[i]);
    }
    return worker->call.count;
}

/* core.arguments() -> all of them */
static int task_arguments(lua_State *L)
{
    return push_arguments(L, running(L));
}

/* core.body() -> the function of the running task, its name */
static int task_body(lua_State *L)
{
    const struct mill_function *function = mill_task_function(running(L)->task);
    mill_decode(L, &function->code, NULL);
    lua_pushstring(L, function->name);
    return 2;
}

/* core.code() -> what stands for the code of the running task's function and all that it names, and
 * whether the function that a worker has of it already may run in its stead; nil: it holds more than
 * bytes can tell, such as arrays */
static int task_code(lua_State *L)
{
    const struct mill_function *function = mill_task_function(running(L)->task);
    if (function->code.tag != MILL_TAG_PACKED) return 0;
    const struct mill_packed *packed = function->code.packed;
    if (packed->array_count > 0 || packed->shared_count > 0) return 0;
    struct mill_hash hash = mill_hash_bytes(packed->bytes, packed->size);
    lua_pushlstring(L, (const char *)&hash, sizeof hash);
    lua_pushboolean(L, function->decoded);
    return 2;
}

/* core.name() -> name of the running task */
static int task_name(lua_State *L)
{
    lua_pushstring(L, mill_task_function(running(L)->task)->name);
    return 1;
}

/* core.key() -> key of the running task, 32 hexadecimal digits; nil: it is not cached and has none */
static int task_key(lua_State *L)
{
    struct mill_worker *worker = running(L);
    const struct mill_lookup_worker *mine = &mill_engine_of(L)->lookup.workers[worker->index];
    const struct mill_order *order = mill_serve_order(worker, mill_engine_of(L));
    bool keyed = order ? order->keyed : worker->task->run->hooks.before && mine->keyed;
    if (!keyed) return 0;
    char text[33];
    mill_hash_text(order ? order->key : mine->key, text);
    lua_pushstring(L, text);
    return 1;
}

/* core.loops() -> whether the running task's function has loops, or calls what has */
static int task_loops(lua_State *L)
{
    lua_pushboolean(L, mill_task_function(running(L)->task)->loops);
    return 1;
}

/* core.outputs() -> how many values the running task returns, when that was said; else 0 */
static int task_outputs(lua_State *L)
{
    lua_pushnumber(L, mill_task_function(running(L)->task)->outputs);
    return 1;
}

static tidemill_status encode_result(lua_State *L, int index, struct mill_value *value,
                                     struct mill_error *error)
{
    return mill_encode(L, index, "the task's result", false, value, error);
}

/* core.finish(value): the task has returned. */
static int task_finish(lua_State *L)
{
    struct mill_worker *worker = running(L);
    struct mill_value value;
    struct mill_error error;
    lua_settop(L, 1);
    if (encode_result(L, 1, &value, &error) != TIDEMILL_OK) return mill_lib_raise(L, &error);
    size_t large = value.tag == MILL_TAG_COLUMN ? 0 : mill_value_size(&value);
    mill_worker_finish(worker, MILL_FINISHED, value);
    lua_settop(L, 0);
    mill_scope_take_up(L, large);
    return 0;
}

/* core.crosses(value): raises when the value could not be a task's result. */
static int task_crosses(lua_State *L)
{
    struct mill_value value;
    struct mill_error error;
    lua_settop(L, 1);
    if (encode_result(L, 1, &value, &error) != TIDEMILL_OK) return mill_lib_raise(L, &error);
    mill_value_unref(value);
    return 0;
}

/* core.finish_all(count, ...): a task with that many outputs has returned. */
static int task_finish_all(lua_State *L)
{
    struct mill_worker *worker = running(L);
    uint32_t count = (uint32_t)luaL_checknumber(L, 1);
    struct mill_error error;
    lua_settop(L, (int)count + 1);
    struct mill_value tuple = {.tag = MILL_TAG_TUPLE, .tuple = mill_tuple_new(count)};
    if (tuple.tuple == NULL) return luaL_error(L, "out of memory (outputs)");
    for (uint32_t i = 0; i < count; i++) {
        if (encode_result(L, (int)i + 2, &tuple.tuple->cells[i], &error) != TIDEMILL_OK) {
            mill_value_unref(tuple);
            return mill_lib_raise(L, &error);
        }
    }
    mill_worker_finish(worker, MILL_FINISHED, tuple);
    return 0;
}

/* What core.turn says beside the names of mill_next: another task of the same function. */
enum { SAME = 4 };

/* core.turn(number) -> what to do next, arguments...: the running task has returned a number, or has
 * ended before (nil).  The arguments come with SAME: the next task has the function of this one and
 * as many of them.  For loops that LuaJIT does not compile: one call a task, where calls through
 * the FFI cost as much each. */
static int task_turn(lua_State *L)
{
    struct mill_worker *worker = lua_touserdata(L, lua_upvalueindex(1));
    uint64_t serial = worker->call.serial;
    int32_t count = worker->call.count;
    if (lua_type(L, 1) == LUA_TNUMBER) {
        mill_worker_finish(worker, MILL_FINISHED, mill_number(lua_tonumber(L, 1)));
    }
    enum mill_next next = mill_worker_next(worker);
    bool same =
        next == MILL_NEXT_TASK && worker->call.serial == serial && worker->call.count == count;
    lua_settop(L, 0);
    lua_pushinteger(L, same ? SAME : (int)next);
    return same ? 1 + push_arguments(L, worker) : 1;
}

/* core.stream(base, place): the same as tidemill__stream, for a loop that is interpreted */
static int task_stream(lua_State *L)
{
    tidemill__stream(lua_touserdata(L, lua_upvalueindex(1)), luaL_checknumber(L, 1),
                     luaL_checknumber(L, 2));
    return 0;
}

/* core.retry() -> whether the task, which has failed, will be tried again: then it has ended as far
 * as its worker is concerned. */
static int task_retry(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    if (mill_serve_order(running(L), engine)) { /* that is for the other process to say */
        mill_serve_note_worth(engine);
        return 0;
    }
    lua_pushboolean(L, mill_worker_retry(running(L)));
    return 1;
}

/* core.retry_on() -> the predicate that says which errors are worth another attempt, or nil */
static int task_retry_on(lua_State *L)
{
    mill_decode(L, &mill_task_function(running(L)->task)->retry_on, NULL);
    return 1;
}

/* core.attempt() -> number of the attempt, from 1; list of the seconds that each has taken, this one
 * included, of a task that may be tried again */
static int task_attempt(lua_State *L)
{
    const double *seconds;
    struct mill_worker *worker = running(L);
    int attempt = mill_worker_attempt(worker, &seconds);
    const struct mill_order *order = mill_serve_order(worker, mill_engine_of(L));
    if (order) {
        attempt = order->attempt;
        seconds = mill_serve_seconds(mill_engine_of(L));
    }
    lua_pushinteger(L, attempt);
    lua_createtable(L, attempt, 0);
    for (int i = 1; i < attempt; i++) {
        lua_pushnumber(L, seconds[i - 1]);
        lua_rawseti(L, -2, i);
    }
    if (mill_task_function(worker->task)->retry.retries > 0 || (order && order->retried)) {
        lua_pushnumber(L, (double)(mill_clock_now() - worker->began) / 1e9);
        lua_rawseti(L, -2, attempt);
    }
    return 2;
}

/* core.fail(error): the task has raised; `error` is a table of plain values.  An error when that cannot
 * leave the state, or the process. */
static int task_fail(lua_State *L)
{
    struct mill_worker *worker = running(L);
    struct mill_value value;
    struct mill_error error;
    lua_settop(L, 1);
    if (mill_encode(L, 1, "the task's error", false, &value, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    struct tidemill *engine = mill_engine_of(L);
    if (mill_serve_order(worker, engine) &&
        mill_serve_check(engine, &value, "the task's error", &error) != TIDEMILL_OK) {
        mill_value_unref(value);
        return mill_lib_raise(L, &error);
    }
    bool cancelled =
        atomic_load(&worker->pool->cancels) && mill_run_cancelled(worker->task->run);
    if (!cancelled) mill_engine_report(engine, worker->task, &value);
    mill_worker_finish(worker, cancelled ? MILL_CANCELLED : MILL_FAILED, value);
    return 0;
}

/* Without threads the script, which is interrupted, cancels only after the task. */
static bool will_be_cancelled(const struct tidemill *engine)
{
    return engine->workers == 0 && atomic_load(&engine->interrupted);
}

/* core.cancelled() -> whether the running task's run was cancelled.  A task that heard so stops
 * half-way, perhaps: what it returns is no answer to keep. */
static int task_cancelled(lua_State *L)
{
    struct mill_worker *worker = running(L);
    struct tidemill *engine = mill_engine_of(L);
    bool cancelled = mill_run_cancelled(worker->task->run) || will_be_cancelled(engine);
    if (cancelled) mill_lookup_distrust(&engine->lookup, worker);
    lua_pushboolean(L, cancelled);
    return 1;
}

/* core.depends(path, hash): the running task reads a file; `hash` of what it had of it, else of
 * what it holds now. */
static int task_depends(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    struct mill_hash hash;
    bool noted = worker->task && mill_lookup_notes(&engine->lookup, worker);
    if (!noted && !engine->recorder) return 0;
    if (lua_isstring(L, 2) && lua_objlen(L, 2) == sizeof hash) {
        memcpy(&hash, lua_tostring(L, 2), sizeof hash);
    } else {
        struct stat status;
        bool there = stat(path, &status) == 0;
        if (there && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
            mill_trust_impure(&engine->lookup, worker, "a device or a pipe");
        }
        hash = mill_files_hash(&engine->files, path);
    }
    if (engine->recorder) mill_recorder_note(engine->recorder, MILL_READ_FILE, path, hash);
    if (noted) mill_lookup_note(&engine->lookup, worker, MILL_READ_FILE, path, hash);
    return 0;
}

/* core.notes() -> whether what the running task reads is noted */
static int task_notes(lua_State *L)
{
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    lua_pushboolean(L, engine->recorder ||
                           (worker->task && mill_lookup_notes(&engine->lookup, worker)));
    return 1;
}

/* core.impure(what): the running task uses what is in no key. */
static int task_impure(lua_State *L)
{
    mill_trust_impure(&mill_engine_of(L)->lookup, mill_worker_of(L), luaL_checkstring(L, 1));
    return 0;
}

/* core.writes(path): the running task writes a file. */
static int task_writes(lua_State *L)
{
    mill_trust_writes(&mill_engine_of(L)->lookup, mill_worker_of(L), luaL_checkstring(L, 1));
    return 0;
}

/* core.uses(library): the running task computes by a library that another build may not share. */
static int task_uses(lua_State *L)
{
    mill_trust_uses(&mill_engine_of(L)->lookup, mill_worker_of(L), luaL_checkstring(L, 1));
    return 0;
}

/* core.call(): the loop is asked once more before it is given the next task. */
static int task_call(lua_State *L)
{
    mill_worker_call(mill_worker_of(L));
    return 0;
}

static const luaL_Reg task_functions[] = {
    {"argument", task_argument},
    {"arguments", task_arguments},
    {"attempt", task_attempt},
    {"body", task_body},
    {"call", task_call},
    {"cancelled", task_cancelled},
    {"code", task_code},
    {"crosses", task_crosses},
    {"depends", task_depends},
    {"fail", task_fail},
    {"finish", task_finish},
    {"finish_all", task_finish_all},
    {"impure", task_impure},
    {"key", task_key},
    {"loops", task_loops},
    {"name", task_name},
    {"notes", task_notes},
    {"outputs", task_outputs},
    {"retry", task_retry},
    {"retry_on", task_retry_on},
    {"uses", task_uses},
    {"writes", task_writes},
    {NULL, NULL},
};

void mill_lib_task(lua_State *L)
{
    static const luaL_Reg quick[] = {
        {"stream", task_stream}, {"turn", task_turn}, {NULL, NULL}};
    luaL_register(L, NULL, task_functions);
    for (const luaL_Reg *entry = quick; entry->name; entry++) {
        lua_pushlightuserdata(L, mill_worker_of(L));
        lua_pushcclosure(L, entry->func, 1);
        lua_setfield(L, -2, entry->name);
    }
}
