/* runner: what a worker's thread does.  SPDX-License-Identifier: MIT */
#include "bind/runner.h"

#include <lauxlib.h>
#include <string.h>

#include "bind/encode.h"
#include "bind/handle.h"
#include "bind/state.h"
#include "sched/attempt.h"

static struct mill_value error_value(const char *text)
{
    bool failed = false;
    return mill_string(text, strlen(text), &failed);
}

static const char loop_key[] = "loop"; /* of the state's loop in its registry */

/* Loads lua/tidemill/runner.lua. */
static int load_runner(lua_State *L)
{
    mill_state_require(L, "tidemill.runner");
    mill_registry_set(L, loop_key);
    return 0;
}

static lua_State *open_worker_state(struct tidemill *engine, struct mill_worker *worker,
                                    struct mill_error *error)
{
    struct mill_scope *scope = &engine->scopes[worker->index];
    lua_State *L = mill_state_open(scope, error);
    if (L == NULL) return NULL;
    if (lua_cpcall(L, load_runner, NULL) != 0) {
        const char *text = lua_tostring(L, -1);
        mill_fail(error, TIDEMILL_ERROR, "cannot load the worker's loop: %s",
                  text ? text : "?");
        lua_close(L);
        return NULL;
    }
    mill_registry_get(L, loop_key); /* it stays at the stack's bottom */
    mill_shortage_watch(&scope->shortage, L, worker);
    return L;
}

bool mill_runner_open(struct tidemill *engine, struct mill_worker *worker,
                      struct mill_error *error)
{
    if (worker->user == NULL) worker->user = open_worker_state(engine, worker, error);
    return worker->user != NULL;
}

/* Goes on from what the worker was given until it is given nothing more; an error that got past
 * the loop's own protection (out of memory, an argument that cannot be decoded) is the task's. */
static void run_bodies(lua_State *L, struct mill_worker *worker, enum mill_next next)
{
    lua_pushvalue(L, 1);
    lua_pushinteger(L, next);
    if (lua_pcall(L, 1, 0, 0) == 0) return;
    const char *text = lua_tostring(L, -1);
    struct mill_value error = error_value(text ? text : "an error that is not text");
    lua_settop(L, 1);
    if (worker->task) {
        mill_worker_finish(worker, MILL_FAILED, error);
    } else {
        mill_value_unref(error);
    }
}

void mill_runner_drive(void *context, struct mill_worker *worker)
{
    struct tidemill *engine = context;
    enum mill_next next;
    while ((next = mill_worker_next(worker)) != MILL_NEXT_STOP) {
        struct mill_error error;
        if (next == MILL_NEXT_CALLED && worker->user == NULL) continue;
        if (!mill_runner_open(engine, worker, &error)) {
            mill_worker_finish(worker, MILL_FAILED, error_value(error.text));
            continue;
        }
        run_bodies(worker->user, worker, next);
    }
    if (engine->workers > 0) mill_runner_close(engine, worker);
}

void mill_runner_close(struct tidemill *engine, struct mill_worker *worker)
{
    if (worker->user) mill_state_close(worker->user);
    worker->user = NULL;
    engine->scopes[worker->index].L = NULL;
}
