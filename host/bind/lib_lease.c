/* lib_lease: who has a resource of a pool.  The resources themselves, and what makes and closes
 * them, are lua/tidemill/pool.lua's.
 *
 * What a state keeps it knows by the lease's address, which is valid as long as it keeps something
 * of it: a handle would keep a pool alive that nobody uses any more.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>

#include "base/clock.h"
#include "bind/lib.h"
#include "bind/shared.h"
#include "sched/lease.h"

static const char place_name[] = "tidemill.place";

/* What Lua holds of one who waits; collected it is left. */
struct box {
    struct mill_lease *lease; /* with a reference */
    struct mill_lease_place place;
};

static struct mill_lease *check_lease(lua_State *L)
{
    return (struct mill_lease *)mill_check_shared(L, 1, &mill_lease_kind);
}

static struct mill_lease *check_address(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TLIGHTUSERDATA);
    return lua_touserdata(L, 1);
}

static struct box *check_box(lua_State *L)
{
    mill_lib_need_pool(L);
    return mill_handle_check(L, 1, place_name);
}

/* core.lease(max) */
static int lease_new(lua_State *L)
{
    struct mill_lease *lease = mill_lease_new((uint32_t)luaL_checknumber(L, 1));
    if (lease == NULL) return luaL_error(L, "out of memory (a pool)");
    mill_push_handle(L, &lease->shared);
    return 1;
}

/* core.lease_address(lease) -> a lightuserdata */
static int lease_address(lua_State *L)
{
    lua_pushlightuserdata(L, check_lease(L));
    return 1;
}

/* ---- having one -------------------------------------------------------------------------------- */

static int box_gc(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    if (box->lease == NULL) return 0;
    mill_lease_leave(box->lease, &box->place, mill_clock_now());
    mill_shared_unref(&box->lease->shared);
    box->lease = NULL;
    return 0;
}

static struct box *push_box(lua_State *L, struct mill_lease *lease)
{
    struct box *box = mill_handle_new(L, place_name, sizeof *box, box_gc);
    box->lease = lease;
    mill_shared_ref(&lease->shared);
    return box;
}

static int push_answer(lua_State *L, enum mill_lease_answer answer)
{
    static const char *const texts[] = {"none", "own", "make", "wait", "closed", "never"};
    if (answer == MILL_LEASE_MEMORY) return luaL_error(L, "out of memory (a pool)");
    lua_pushstring(L, texts[answer]);
    return 1;
}

/* core.lease_acquire(lease, stacked) -> "own" | "make" | "closed" | "never", place | "wait", place */
static int lease_acquire(lua_State *L)
{
    struct mill_lease *lease = check_lease(L);
    struct box *box = push_box(L, lease);
    struct mill_worker *worker = mill_worker_of(L);
    if (lua_toboolean(L, 2)) box->place.depth = (uint32_t)worker->nested + 1;
    push_answer(L, mill_lease_acquire(lease, worker, &box->place, mill_clock_now()));
    lua_insert(L, -2);
    return 2;
}

/* core.lease_wait(place, _, deadline) -> "done", what lease_acquire gives | as core.select_next */
static int lease_wait(lua_State *L)
{
    struct box *box = check_box(L);
    struct mill_scope *scope = mill_scope_of(L);
    int64_t deadline = mill_lib_deadline(L, 3);
    for (;;) {
        enum mill_lease_answer answer = mill_lease_take(box->lease, &box->place);
        if (answer != MILL_LEASE_WAIT) {
            lua_pushliteral(L, "done");
            return 1 + push_answer(L, answer);
        }
        if (mill_clock_passed(deadline)) {
            lua_pushliteral(L, "waiting");
            return 1;
        }
        struct mill_link *link;
        struct mill_wait *wait = mill_lib_wait_linked(scope, &link);
        if (wait == NULL) return luaL_error(L, "out of memory (a wait)");
        if (!mill_lease_attach(box->lease, &box->place, link)) {
            mill_link_drop(link);
            mill_wait_unref(wait);
            continue;
        }
        int results = mill_lib_wait_for(L, scope, wait, deadline);
        if (results) return results < 0 ? lua_error(L) : results;
    }
}

/* core.lease_leave(place): what it was given goes to others. */
static int lease_leave(lua_State *L)
{
    mill_handle_check(L, 1, place_name);
    return box_gc(L);
}

/* core.lease_made(address, seconds) */
static int lease_made(lua_State *L)
{
    double cost = luaL_checknumber(L, 2) * 1e9;
    mill_lease_made(check_address(L), mill_worker_of(L), cost < 1e15 ? (int64_t)cost : 0,
                    mill_clock_now());
    return 0;
}

/* ---- what a state closes: each gives how many it is to close now ---------------------------------- */

static int push_count(lua_State *L, uint32_t count)
{
    lua_pushnumber(L, count);
    return 1;
}

/* core.lease_release(address, keep) */
static int lease_release(lua_State *L)
{
    return push_count(L, mill_lease_release(check_address(L), mill_worker_of(L),
                                            lua_toboolean(L, 2), mill_clock_now()));
}

/* core.lease_look(address) */
static int lease_look(lua_State *L)
{
    return push_count(L,
                      mill_lease_look(check_address(L), mill_worker_of(L), mill_clock_now()));
}

/* core.lease_withdraw(address): all that are idle here */
static int lease_withdraw(lua_State *L)
{
    return push_count(L, mill_lease_withdraw(check_address(L), mill_worker_of(L)));
}

/* core.lease_gone(address): one of them is closed. */
static int lease_gone(lua_State *L)
{
    mill_lease_gone(check_address(L), mill_worker_of(L), mill_clock_now());
    return 0;
}

/* core.lease_close(lease) */
static int lease_close(lua_State *L)
{
    mill_lease_close(check_lease(L));
    return 0;
}

/* core.lease_drain(lease) -> "closed" | "wait", place: until the workers have closed theirs */
static int lease_drain(lua_State *L)
{
    struct mill_lease *lease = check_lease(L);
    struct box *box = push_box(L, lease);
    push_answer(L, mill_lease_drain(lease, &box->place));
    lua_insert(L, -2);
    return 2;
}

/* core.lease_counts(lease) -> made, idle, waiting, closed */
static int lease_counts(lua_State *L)
{
    struct mill_lease_counts counts = mill_lease_counts(check_lease(L));
    lua_pushnumber(L, counts.made);
    lua_pushnumber(L, counts.idle);
    lua_pushnumber(L, counts.waiting);
    lua_pushboolean(L, counts.closed);
    return 4;
}

static const luaL_Reg lease_functions[] = {
    {"lease", lease_new},
    {"lease_acquire", lease_acquire},
    {"lease_address", lease_address},
    {"lease_close", lease_close},
    {"lease_counts", lease_counts},
    {"lease_drain", lease_drain},
    {"lease_gone", lease_gone},
    {"lease_leave", lease_leave},
    {"lease_look", lease_look},
    {"lease_made", lease_made},
    {"lease_release", lease_release},
    {"lease_wait", lease_wait},
    {"lease_withdraw", lease_withdraw},
    {NULL, NULL},
};

void mill_lib_lease(lua_State *L)
{
    luaL_register(L, NULL, lease_functions);
}
