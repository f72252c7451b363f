/* lib_wait: how a task or the script waits: for a run, for several at once, for a time.
 *
 * In the script a wait blocks its thread (and drives the worker of the serial lane).  In a task it
 * must not: the call gives "park" and a number, the Lua side (lua/tidemill/runner.lua) lets other
 * tasks run until it is told that this one can go on, and calls again.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/shared.h"
#include "data/share.h"
#include "sched/await.h"
#include "sched/channel.h"
#include "sched/parked.h"
#include "sched/suspended.h"

static const char selector_name[] = "tidemill.selector";

int64_t mill_lib_deadline(lua_State *L, int index)
{
    mill_lib_check_here(L);
    if (lua_isnoneornil(L, index)) return INT64_MAX;
    double seconds = luaL_checknumber(L, index);
    if (!(seconds < 9e9)) return INT64_MAX;
    return seconds > 0 ? (int64_t)(seconds * 1e9) : 0;
}

/* ---- waiting in a task ------------------------------------------------------------------------ */

/* A cached task that catches this and returns has no answer to keep. */
static void push_cancelled(lua_State *L, struct mill_scope *scope)
{
    mill_lookup_distrust(&scope->engine->lookup, scope->worker);
    lua_pushliteral(L, "the task was cancelled");
}

/* 1: the caller returns "park" and the number, which are on the stack.  0: something has fired, or
 * its time has come: look again.  -1: an error, its message is on the stack.  Takes over the wait's
 * reference unless it is `borrowed`. */
static int park(lua_State *L, struct mill_scope *scope, struct mill_wait *wait, bool borrowed,
                int64_t deadline)
{
    struct mill_worker *worker = scope->worker;
    struct mill_pool *pool = worker->pool;
    uint32_t number = mill_scope_reserve(scope);
    if (number == 0) {
        if (!borrowed) mill_wait_unref(wait);
        lua_pushliteral(L, "out of memory (a wait)");
        return -1;
    }
    struct mill_parked *parked = &scope->parked[number - 1];
    if (borrowed) atomic_fetch_add(&wait->refs, 1);
    parked->wait = wait;
    wait->task = worker->task;
    wait->runner = number;
    atomic_store(&wait->reasons, 0);
    wait->timer.when = deadline;
    bool timed = deadline != INT64_MAX;
    if (timed && !mill_timers_add(&pool->timers, &wait->timer)) {
        mill_scope_release(scope, number);
        lua_pushliteral(L, "out of memory (a timer)");
        return -1;
    }
    if (!mill_pool_park(pool, wait)) {
        mill_pool_unpark(pool, wait);
        if (timed) mill_timers_remove(&pool->timers, &wait->timer);
        bool cancelled = atomic_load(&wait->reasons) & MILL_REASON_CANCELLED;
        mill_scope_release(scope, number);
        if (cancelled) push_cancelled(L, scope);
        return cancelled ? -1 : 0;
    }
    mill_lookup_awaits(&scope->engine->lookup, worker);
    mill_lookup_suspend(&scope->engine->lookup, worker, &parked->lookup);
    mill_worker_suspend(worker, &parked->task);
    lua_pushliteral(L, "park");
    lua_pushnumber(L, number);
    return 1;
}

/* core.resumed() -> number of the task that goes on, which is the running one from here. */
static int wait_resumed(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    struct mill_worker *worker = scope->worker;
    struct mill_wait *wait = worker->resumed;
    mill_pool_unpark(worker->pool, wait);
    if (wait->timer.when != INT64_MAX) {
        mill_timers_remove(&worker->pool->timers, &wait->timer);
    }
    lua_pushnumber(L, wait->runner);
    return 1;
}

/* core.restore(number): the task is the running one again. */
static int wait_restore(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    struct mill_parked *parked = &scope->parked[(uint32_t)luaL_checknumber(L, 1) - 1];
    mill_worker_resume(scope->worker, &parked->task);
    mill_lookup_resume(&scope->engine->lookup, scope->worker, &parked->lookup);
    return 0;
}

/* core.woken(number) -> nil, or why the wait cannot go on: the message of an error.  The number is
 * free again. */
static int wait_woken(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    uint32_t number = (uint32_t)luaL_checknumber(L, 1);
    uint32_t reasons = atomic_load(&scope->parked[number - 1].wait->reasons);
    mill_scope_release(scope, number);
    if (reasons & MILL_REASON_CANCELLED) {
        push_cancelled(L, scope);
    } else if (reasons & MILL_REASON_STUCK) {
        char text[300] = "nothing else runs";
        mill_resources_explain(&scope->engine->pool.resources, text, sizeof text);
        lua_pushfstring(L, "this wait could never end: %s", text);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* ---- waits, in any state ---------------------------------------------------------------------- */

/* A wait of the scope's state; NULL: no memory. */
static struct mill_wait *wait_of(struct mill_scope *scope)
{
    return scope->worker ? mill_wait_new(mill_worker_resumable, scope->worker)
                         : mill_wait_new(mill_pool_wake_script, &scope->engine->pool);
}

struct mill_wait *mill_lib_wait_linked(struct mill_scope *scope, struct mill_link **link)
{
    struct mill_wait *wait = wait_of(scope);
    *link = wait ? mill_link_new(wait, 0) : NULL;
    if (*link) return wait;
    mill_wait_unref(wait);
    return NULL;
}

void mill_lib_need_pool(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    struct mill_error error;
    if (!scope->worker && mill_engine_start(scope->engine, &error) != TIDEMILL_OK) {
        mill_lib_raise(L, &error);
    }
}

static struct mill_wait *new_wait(lua_State *L, struct mill_scope *scope)
{
    struct mill_wait *wait = wait_of(scope);
    if (wait == NULL) luaL_error(L, "out of memory (a wait)");
    return wait;
}

/* The script's thread sleeps until something has fired; "waiting", "interrupted", or the message of
 * an error; NULL: look again. */
static const char *block(struct mill_scope *scope, struct mill_wait *wait, int64_t deadline)
{
    struct tidemill *engine = scope->engine;
    struct mill_pool *pool = &engine->pool;
    bool blocks = deadline == INT64_MAX;
    atomic_store(&wait->reasons, 0);
    bool parked = mill_pool_park(pool, wait);
    if (parked) {
        if (blocks) mill_pool_block(pool, NULL, wait);
        mill_pool_wait_for(pool, wait, deadline);
        if (blocks) mill_pool_unblock(pool);
    }
    mill_pool_unpark(pool, wait);
    atomic_store(&wait->parked, 0);
    if (atomic_load(&wait->fired)) return NULL;
    if (atomic_load(&engine->interrupted)) return "interrupted";
    if (atomic_load(&wait->reasons) & MILL_REASON_STUCK) {
        return "this wait could never end: nothing else runs";
    }
    return mill_clock_passed(deadline) ? "waiting" : NULL;
}

/* What mill_lib_wait_for does; the wait's reference stays the caller's when it is `borrowed`. */
static int wait_out(lua_State *L, struct mill_scope *scope, struct mill_wait *wait,
                    bool borrowed, int64_t deadline)
{
    if (scope->worker) {
        int parked = park(L, scope, wait, borrowed, deadline);
        return parked > 0 ? 2 : parked;
    }
    const char *what = block(scope, wait, deadline);
    if (!borrowed) mill_wait_unref(wait);
    if (what == NULL) return 0;
    lua_pushstring(L, what);
    return 1;
}

int mill_lib_wait_for(lua_State *L, struct mill_scope *scope, struct mill_wait *wait,
                      int64_t deadline)
{
    return wait_out(L, scope, wait, false, deadline);
}

int mill_lib_wait_source(lua_State *L, struct mill_scope *scope, struct mill_source *source,
                         struct mill_wait **wait, int64_t deadline)
{
    for (;;) {
        if (mill_source_closed(source)) {
            lua_pushliteral(L, "done");
            return 1;
        }
        if (mill_clock_passed(deadline)) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        if (*wait == NULL) {
            struct mill_link *link;
            *wait = mill_lib_wait_linked(scope, &link);
            if (*wait == NULL) return luaL_error(L, "out of memory (a wait)");
            if (!mill_source_attach(source, link)) {
                mill_link_drop(link);
                continue;
            }
        }
        int results = wait_out(L, scope, *wait, true, deadline);
        if (results) return results < 0 ? lua_error(L) : results;
    }
}

/* ---- runs ----------------------------------------------------------------------------------------- */

/* False: the run has ended. */
static bool attach_run(lua_State *L, struct mill_wait *wait, struct mill_run *run, uint32_t tag)
{
    struct mill_link *link = mill_link_new(wait, tag);
    if (link == NULL) luaL_error(L, "out of memory (a wait)");
    if (mill_source_attach(&run->end, link)) return true;
    mill_link_drop(link);
    return false;
}

int mill_lib_wait_run(lua_State *L, struct mill_scope *scope, struct mill_run_box *box,
                      int64_t deadline)
{
    for (;;) {
        if (mill_run_ended(box->run)) {
            lua_pushliteral(L, "ended");
            return 1;
        }
        if (mill_clock_passed(deadline)) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        if (box->wait == NULL) {
            struct mill_link *link;
            box->wait = mill_lib_wait_linked(scope, &link);
            if (box->wait == NULL) {
                lua_pushliteral(L, "out of memory (a wait)");
                return 1;
            }
            if (!mill_source_attach(&box->run->end, link)) {
                mill_link_drop(link);
                continue;
            }
        }
        if (atomic_load(&box->wait->refs) > 2) { /* the handle's and the link's: it is parked */
            return luaL_error(L, "two coroutines of a task wait for the same future");
        }
        int parked = park(L, scope, box->wait, true, deadline);
        if (parked) return parked < 0 ? 1 : 2; /* a message: lua/tidemill/wait.lua raises it */
    }
}

/* ---- several runs at once --------------------------------------------------------------------------- */

struct selector {
    struct mill_wait *wait;
};

static int selector_gc(lua_State *L)
{
    struct selector *selector = lua_touserdata(L, 1);
    mill_wait_unref(selector->wait);
    selector->wait = NULL;
    return 0;
}

/* core.selector() */
static int wait_selector(lua_State *L)
{
    struct selector *selector =
        mill_handle_new(L, selector_name, sizeof *selector, selector_gc);
    selector->wait = new_wait(L, mill_scope_of(L));
    return 1;
}

/* core.select_add(selector, run, tag) -> whether the run has ended, and is not waited for. */
static int wait_select_add(lua_State *L)
{
    struct selector *selector = mill_handle_check(L, 1, selector_name);
    struct mill_run *run = mill_check_run(L, 2);
    mill_engine_asked(mill_engine_of(L), run);
    lua_pushboolean(L, !attach_run(L, selector->wait, run, (uint32_t)luaL_checknumber(L, 3)));
    return 1;
}

/* core.select_next(selector, _, deadline) -> "fired", tag | "waiting" | "interrupted" | "park", number
 * | an error's message */
static int wait_select_next(lua_State *L)
{
    struct selector *selector = mill_handle_check(L, 1, selector_name);
    struct mill_scope *scope = mill_scope_of(L);
    int64_t deadline = mill_lib_deadline(L, 3);
    for (;;) {
        struct mill_link *link = mill_wait_take(selector->wait);
        if (link) {
            lua_pushliteral(L, "fired");
            lua_pushnumber(L, link->tag);
            free(link);
            return 2;
        }
        if (mill_clock_passed(deadline)) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        int results = wait_out(L, scope, selector->wait, true, deadline);
        if (results) return results < 0 ? lua_error(L) : results;
    }
}

/* ---- times ------------------------------------------------------------------------------------------- */

/* core.sleep(deadline) -> "waiting" (it has passed) | "interrupted" | "park", number */
static int wait_sleep(lua_State *L)
{
    struct mill_scope *scope = mill_scope_of(L);
    int64_t deadline = mill_lib_deadline(L, 1);
    for (;;) {
        if (mill_clock_now() >= deadline) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        mill_lib_need_pool(L);
        int results = wait_out(L, scope, new_wait(L, scope), false, deadline);
        if (results) return results < 0 ? lua_error(L) : results;
    }
}

static const luaL_Reg wait_functions[] = {
    {"restore", wait_restore},       {"resumed", wait_resumed},
    {"select_add", wait_select_add}, {"select_next", wait_select_next},
    {"selector", wait_selector},     {"sleep", wait_sleep},
    {"woken", wait_woken},           {NULL, NULL},
};

void mill_lib_wait(lua_State *L)
{
    luaL_register(L, NULL, wait_functions);
}
