/* lib_channel: values on their way between tasks and the script: channels, and values that are encoded
 * once and cross by reference.  How one waits for a channel is lib_wait.c's.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "base/clock.h"
#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/shared.h"
#include "data/share.h"
#include "sched/channel.h"

static struct mill_channel *check_channel(lua_State *L)
{
    mill_lib_need_pool(L);
    return (struct mill_channel *)mill_check_shared(L, 1, &mill_channel_kind);
}

/* core.channel(capacity) */
static int channel_new(lua_State *L)
{
    struct mill_channel *channel = mill_channel_new((uint32_t)luaL_checknumber(L, 1));
    if (channel == NULL) return luaL_error(L, "out of memory (a channel)");
    mill_push_handle(L, &channel->shared);
    return 1;
}

/* Waits until the channel may have room, or values: pushes and gives what mill_lib_wait_for does. */
static int channel_wait(lua_State *L, struct mill_channel *channel, bool putting,
                        int64_t deadline)
{
    struct mill_scope *scope = mill_scope_of(L);
    if (mill_clock_passed(deadline)) {
        lua_pushliteral(L, "waiting");
        return 1;
    }
    struct mill_link *link;
    struct mill_wait *wait = mill_lib_wait_linked(scope, &link);
    if (wait == NULL) {
        lua_pushliteral(L, "out of memory (a wait)");
        return -1;
    }
    if (!mill_channel_attach(channel, link, putting)) { /* not full, or not empty, any more */
        mill_link_drop(link);
        mill_wait_unref(wait);
        return 0;
    }
    int results = mill_lib_wait_for(L, scope, wait, deadline);
    if (scope->worker == NULL) mill_channel_nudge(channel); /* a task's Lua side does that */
    return results;
}

/* core.channel_put(channel, value, deadline) -> "done" | "closed" | as core.select_next */
static int channel_put(lua_State *L)
{
    struct mill_channel *channel = check_channel(L);
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

/* core.channel_take(channel, _, deadline) -> "done", value | "closed" | as core.select_next */
static int channel_take(lua_State *L)
{
    struct mill_channel *channel = check_channel(L);
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
    mill_channel_nudge(check_channel(L));
    return 0;
}

/* core.channel_close(channel) */
static int channel_close(lua_State *L)
{
    mill_channel_close(check_channel(L));
    return 0;
}

/* core.channel_state(channel) -> values in it, capacity, whether it is closed */
static int channel_state(lua_State *L)
{
    struct mill_channel *channel = check_channel(L);
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

static const luaL_Reg channel_functions[] = {
    {"channel", channel_new},
    {"channel_close", channel_close},
    {"channel_nudge", channel_nudge},
    {"channel_put", channel_put},
    {"channel_state", channel_state},
    {"channel_take", channel_take},
    {"share", share},
    {NULL, NULL},
};

void mill_lib_channel(lua_State *L)
{
    luaL_register(L, NULL, channel_functions);
}
