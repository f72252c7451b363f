/* test_state: calls of a Lua state that has no memory left: errors, no panic, which would end the program.
 * SPDX-License-Identifier: MIT */
#include "bind/state.h"

#include <lauxlib.h>
#include <tidemill.h>

#include "bind/engine.h"
#include "check.h"

/* The state's allocator, behind which a number of allocations is counted. */
static struct {
    lua_Alloc allocate;
    void *context;
    long left;
} memory;

static void *allocate(void *context, void *block, size_t old, size_t size)
{
    (void)context;
    if (size > old && memory.left-- <= 0) return NULL;
    return memory.allocate(memory.context, block, old, size);
}

static int make_tables(lua_State *L)
{
    for (int i = 0; i < 20; i++) lua_newtable(L);
    return luaL_error(L, "made %d", 20);
}

static int raise_number(lua_State *L)
{
    lua_pushnumber(L, 5.25);
    return lua_error(L);
}

static void calls_without_memory_are_errors(lua_CFunction function, const char *expected)
{
    tidemill *engine;
    tidemill_config config = {
        .size = sizeof config, .cache = "off", .workers = TIDEMILL_SERIAL};
    CHECK(tidemill_open(&config, &engine) == TIDEMILL_OK);
    lua_State *L = engine->L;
    memory.allocate = lua_getallocf(L, &memory.context);
    bool whole = false;
    for (long allocations = 0; !whole && allocations < 2000; allocations++) {
        lua_pushcfunction(L, function); /* the caller's, with memory */
        memory.left = allocations;
        lua_setallocf(L, allocate, NULL);
        char *message;
        int top = lua_gettop(L);
        tidemill_status status = mill_state_call(L, 0, 0, &message);
        lua_setallocf(L, memory.allocate, memory.context);
        CHECK(status == TIDEMILL_MEMORY || status == TIDEMILL_ERROR);
        CHECK(message && lua_gettop(L) == top - 1);
        whole = message && strstr(message, expected) != NULL && memory.left > 0;
        free(message);
    }
    CHECK(whole);
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
}

static void a_call_without_memory_is_an_error(void)
{
    calls_without_memory_are_errors(make_tables, "made 20");
}

static void so_is_one_that_raises_a_number(void)
{
    calls_without_memory_are_errors(raise_number, "threw a number");
}

int main(void)
{
    RUN(a_call_without_memory_is_an_error);
    RUN(so_is_one_that_raises_a_number);
    return check_end();
}
