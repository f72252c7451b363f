/* lib_wait: what can be waited for: runs, several runs at once, times, channels.
 *
 * In the script a wait blocks its thread (and drives the worker of the serial lane).  In a task it
 * must not: the call gives "park" and a number, the Lua side (lua/tidemill/runner.lua) lets other
 * tasks run until it is told that this one can go on, and calls again.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- runs ----------------------------------------------------------------------------------------- */

struct mill_wait *mill_lib_wait_new(struct mill_scope *scope)
{
    return scope->worker ? mill_wait_new(mill_worker_resumable, scope->worker)
                         : mill_wait_new(mill_pool_wake_script, &scope->engine->pool);
}

static struct mill_wait *new_wait(lua_State *L, struct mill_scope *scope)
{
    struct mill_wait *wait = mill_lib_wait_new(scope);
    if (wait == NULL) luaL_error(L, "out of memory (a wait)");
    return wait;
}

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
        if (deadline != INT64_MAX && mill_clock_now() >= deadline) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        if (box->wait == NULL) {
            struct mill_wait *wait = mill_lib_wait_new(scope);
            struct mill_link *link = wait ? mill_link_new(wait, 0) : NULL;
            if (link == NULL) {
                mill_wait_unref(wait);
                lua_pushliteral(L, "out of memory (a wait)");
                return 1;
            }
            box->wait = wait;
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
    return deadline != INT64_MAX && mill_clock_now() >= deadline ? "waiting" : NULL;
}

int mill_lib_wait_for(lua_State *L, struct mill_scope *scope, struct mill_wait *wait,
                      int64_t deadline)
{
    if (scope->worker) {
        int parked = park(L, scope, wait, false, deadline);
        return parked > 0 ? 2 : parked;
    }
    const char *what = block(scope, wait, deadline);
    mill_wait_unref(wait);
    if (what == NULL) return 0;
    lua_pushstring(L, what);
    return 1;
}

int mill_lib_wait_source(lua_State *L, struct mill_scope *scope, struct mill_source *source,
                         struct mill_wait **wait, int64_t deadline)
{
    for (;;) {
        if (mill_source_closed(source)) {
            lua_pushliteral(L, "done");
            return 1;
        }
        if (deadline != INT64_MAX && mill_clock_now() >= deadline) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        if (*wait == NULL) {
            struct mill_wait *made = new_wait(L, scope);
            struct mill_link *link = mill_link_new(made, 0);
            if (link == NULL) {
                mill_wait_unref(made);
                return luaL_error(L, "out of memory (a wait)");
            }
            *wait = made;
            if (!mill_source_attach(source, link)) {
                mill_link_drop(link);
                continue;
            }
        }
        if (scope->worker) {
            int parked = park(L, scope, *wait, true, deadline);
            if (parked < 0) return lua_error(L);
            if (parked) return 2;
            continue;
        }
        const char *what = block(scope, *wait, deadline);
        if (what == NULL) continue;
        lua_pushstring(L, what);
        return 1;
    }
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
        if (deadline != INT64_MAX && mill_clock_now() >= deadline) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        if (scope->worker) {
            int parked = park(L, scope, selector->wait, true, deadline);
            if (parked < 0) return lua_error(L);
            if (parked) return 2;
            continue;
        }
        const char *what = block(scope, selector->wait, deadline);
        if (what == NULL) continue;
        lua_pushstring(L, what);
        return 1;
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
        if (scope->worker) {
            int parked = park(L, scope, new_wait(L, scope), false, deadline);
            if (parked < 0) return lua_error(L);
            if (parked) return 2;
            continue;
        }
        struct mill_error error;
        if (mill_engine_start(scope->engine, &error) != TIDEMILL_OK) {
            return mill_lib_raise(L, &error);
        }
        struct mill_wait *wait = new_wait(L, scope);
        const char *what = block(scope, wait, deadline);
        mill_wait_unref(wait);
        if (what == NULL) continue;
        lua_pushstring(L, what);
        return 1;
    }
}

/* ---- channels ------------------------------------------------------------------------------------------ */

/* The engine runs: a wait needs its pool. */
static struct mill_channel *check_channel(lua_State *L, int index)
{
    struct mill_scope *scope = mill_scope_of(L);
    struct mill_error error;
    if (!scope->worker && mill_engine_start(scope->engine, &error) != TIDEMILL_OK) {
        mill_lib_raise(L, &error);
    }
    return (struct mill_channel *)mill_check_shared(L, index, &mill_channel_kind);
}

/* core.channel(capacity) */
static int channel_new(lua_State *L)
{
    struct mill_channel *channel = mill_channel_new((uint32_t)luaL_checknumber(L, 1));
    if (channel == NULL) return luaL_error(L, "out of memory (a channel)");
    mill_push_handle(L, &channel->shared);
    return 1;
}

/* Waits until the channel may have room, or values: pushes what wait_select_next gives; 0: look
 * again; -1: an error, its message is on the stack. */
static int channel_wait(lua_State *L, struct mill_channel *channel, bool putting,
                        int64_t deadline)
{
    struct mill_scope *scope = mill_scope_of(L);
    if (deadline != INT64_MAX && mill_clock_now() >= deadline) {
        lua_pushliteral(L, "waiting");
        return 1;
    }
    struct mill_wait *wait = mill_lib_wait_new(scope);
    struct mill_link *link = wait ? mill_link_new(wait, 0) : NULL;
    if (link == NULL) {
        mill_wait_unref(wait);
        lua_pushliteral(L, "out of memory (a wait)");
        return -1;
    }
    if (!mill_channel_attach(channel, link, putting)) { /* not full, or not empty, any more */
        mill_link_drop(link);
        mill_wait_unref(wait);
        return 0;
    }
    if (scope->worker) {
        int parked = park(L, scope, wait, false, deadline);
        return parked > 0 ? 2 : parked;
    }
    const char *what = block(scope, wait, deadline);
    mill_wait_unref(wait);
    mill_channel_nudge(channel);
    if (what == NULL) return 0;
    lua_pushstring(L, what);
    return 1;
}

/* core.channel_put(channel, value, deadline) -> "done" | "closed" | as select_next */
static int channel_put(lua_State *L)
{
    struct mill_channel *channel = check_channel(L, 1);
    int64_t deadline = mill_lib_deadline(L, 3);
    struct mill_value value;
    struct mill_error error;
    if (mill_encode(L, 2, "the value for the channel", false, &value, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    for (;;) {
        enum mill_channel_state state = mill_channel_put(channel, value);
        if (state == MILL_CHANNEL_REFUSED) {
            mill_value_unref(value);
            lua_pushliteral(L, "channel:put: the value holds what cannot leave its process, "
                               "such as a channel that was made in it");
            return lua_error(L);
        }
        if (state != MILL_CHANNEL_WAIT) {
            if (state == MILL_CHANNEL_CLOSED) mill_value_unref(value);
            lua_pushstring(L, state == MILL_CHANNEL_CLOSED ? "closed" : "done");
            return 1;
        }
        int results = channel_wait(L, channel, true, deadline);
        if (results == 0) continue;
        mill_value_unref(value);
        return results < 0 ? lua_error(L) : results;
    }
}

/* core.channel_take(channel, _, deadline) -> "done", value | "closed" | as select_next */
static int channel_take(lua_State *L)
{
    struct mill_channel *channel = check_channel(L, 1);
    int64_t deadline = mill_lib_deadline(L, 3);
    for (;;) {
        struct mill_value value;
        enum mill_channel_state state = mill_channel_take(channel, &value);
        if (state == MILL_CHANNEL_CLOSED) {
            lua_pushliteral(L, "closed");
            return 1;
        }
        if (state == MILL_CHANNEL_DONE) {
            lua_pushliteral(L, "done");
            mill_decode(L, &value, NULL);
            mill_value_unref(value);
            return 2;
        }
        int results = channel_wait(L, channel, false, deadline);
        if (results) return results < 0 ? lua_error(L) : results;
    }
}

/* core.channel_nudge(channel): a wait for it was given up. */
static int channel_nudge(lua_State *L)
{
    mill_channel_nudge(check_channel(L, 1));
    return 0;
}

/* core.channel_close(channel) */
static int channel_close(lua_State *L)
{
    mill_channel_close(check_channel(L, 1));
    return 0;
}

/* core.channel_state(channel) -> values in it, capacity, whether it is closed */
static int channel_state(lua_State *L)
{
    struct mill_channel *channel = check_channel(L, 1);
    bool closed;
    lua_pushnumber(L, mill_channel_size(channel, &closed));
    lua_pushnumber(L, channel->capacity);
    lua_pushboolean(L, closed);
    return 3;
}

/* core.share(value) -> a handle by which it crosses without being copied again */
static int share(lua_State *L)
{
    struct mill_value value;
    struct mill_error error;
    if (mill_encode(L, 1, "the value to share", false, &value, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    struct mill_shared *shared = mill_share_new(value);
    if (shared == NULL) return luaL_error(L, "out of memory (a shared value)");
    mill_push_handle(L, shared);
    return 1;
}

static const luaL_Reg wait_functions[] = {
    {"channel", channel_new},
    {"channel_close", channel_close},
    {"channel_nudge", channel_nudge},
    {"channel_put", channel_put},
    {"channel_state", channel_state},
    {"channel_take", channel_take},
    {"restore", wait_restore},
    {"resumed", wait_resumed},
    {"select_add", wait_select_add},
    {"select_next", wait_select_next},
    {"selector", wait_selector},
    {"share", share},
    {"sleep", wait_sleep},
    {"woken", wait_woken},
    {NULL, NULL},
};

void mill_lib_wait(lua_State *L)
{
    luaL_register(L, NULL, wait_functions);
}
