/* test_state: Lua states that have no memory left: errors, no panic, which would end the program.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <tidemill.h>

#include "bind/engine.h"
#include "check.h"
#include "folder_check.h"

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

/* From here on `allocations` of them succeed. */
static void grant(lua_State *L, long allocations)
{
    memory.allocate = lua_getallocf(L, &memory.context);
    memory.left = allocations;
    lua_setallocf(L, allocate, NULL);
}

/* True: none was refused. */
static bool grant_all(lua_State *L)
{
    lua_setallocf(L, memory.allocate, memory.context);
    return memory.left > 0;
}

/* Where no function runs, there is no memory: nothing protects what is pushed there.  Elsewhere there is:
 * LuaJIT 2.1 of 2022 itself crashes at times where its interpreter or its recorder finds none. */
static void *allocate_inside(void *context, void *block, size_t old, size_t size)
{
    lua_Debug function;
    if (size > old && !lua_getstack(context, 0, &function)) return NULL;
    return memory.allocate(memory.context, block, old, size);
}

static void refuse_outside(lua_State *L)
{
    memory.allocate = lua_getallocf(L, &memory.context);
    lua_setallocf(L, allocate_inside, L);
}

static tidemill *open_serial(void)
{
    tidemill *engine;
    tidemill_config config = {
        .size = sizeof config, .cache = "off", .workers = TIDEMILL_SERIAL};
    CHECK(tidemill_open(&config, &engine) == TIDEMILL_OK);
    return engine;
}

/* ---- a call ------------------------------------------------------------------------------- */

static void make_tables(lua_State *L, void *context)
{
    (void)context;
    for (int i = 0; i < 20; i++) lua_newtable(L);
    luaL_error(L, "made %d", 20);
}

static void raise_number(lua_State *L, void *context)
{
    (void)context;
    lua_pushnumber(L, 5.25);
    lua_error(L);
}

static void calls_without_memory_are_errors(mill_body *body, const char *expected)
{
    tidemill *engine = open_serial();
    lua_State *L = engine->L;
    bool whole = false;
    for (long allocations = 0; !whole && allocations < 2000; allocations++) {
        char *message;
        int top = lua_gettop(L);
        grant(L, allocations);
        tidemill_status status = mill_state_call(mill_scope_of(L), body, NULL, &message);
        whole = grant_all(L);
        CHECK(status == TIDEMILL_MEMORY || status == TIDEMILL_ERROR);
        CHECK(message && lua_gettop(L) == top);
        whole = whole && message && strstr(message, expected) != NULL;
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

/* ---- what the functions of tidemill.h do with the script's state -------------------------- */

static tidemill_status run_file(tidemill *engine)
{
    return tidemill_run_file(engine, in_folder("script.lua"), 2, (char *[]){"one", "two"});
}

static tidemill_status run_string(tidemill *engine)
{
    return tidemill_run_string(engine, "arg[3] = {...}; return {#arg}", "script", 2,
                               (char *[]){"one", "two"});
}

static tidemill_status fail_syntax(tidemill *engine)
{
    tidemill_status status = tidemill_run_string(engine, "return return", "script", 0, NULL);
    return status == TIDEMILL_SYNTAX ? TIDEMILL_OK : status;
}

static tidemill_status give_text(tidemill_status status, char *text)
{
    CHECK((status == TIDEMILL_OK) == (text != NULL));
    free(text);
    return status;
}

static tidemill_status result_json(tidemill *engine)
{
    char *text;
    tidemill_status status = tidemill_result_json(engine, &text);
    return give_text(status, text);
}

static tidemill_status result(tidemill *engine)
{
    tidemill_value value;
    tidemill_status status = tidemill_result(engine, &value);
    tidemill_release(value);
    return status;
}

static tidemill_status eval(tidemill *engine)
{
    return tidemill_eval(engine, "kept = {1, 2}");
}

static tidemill_status complete(tidemill *engine)
{
    char *text;
    tidemill_status status = tidemill_complete(engine, "string.for", &text);
    return give_text(status, text);
}

static tidemill_status explanation(tidemill *engine)
{
    char *text;
    tidemill_status status = tidemill_explanation(engine, NULL, &text);
    return give_text(status, text);
}

static tidemill_status record_json(tidemill *engine)
{
    char *text;
    tidemill_status status = tidemill_record_json(engine, 0, NULL, "{}\n", &text);
    return give_text(status, text);
}

static tidemill_status call(tidemill *engine)
{
    tidemill_value value;
    tidemill_status status = tidemill_call(engine, "string.reverse", NULL, 0, &value, 1);
    return status == TIDEMILL_ERROR && strstr(tidemill_error(engine), "string expected")
               ? TIDEMILL_OK
               : status;
}

static tidemill_status host_function(void *context, tidemill_invocation *invocation,
                                     const tidemill_value *arguments, size_t count,
                                     tidemill_value *results)
{
    (void)context, (void)invocation, (void)arguments, (void)count, (void)results;
    return TIDEMILL_OK;
}

static tidemill_status register_function(tidemill *engine)
{
    static int count; /* a name is registered once */
    char name[32];
    tidemill_function function = {.size = sizeof function, .name = name, .call = host_function};
    snprintf(name, sizeof name, "host.name%d", ++count);
    return tidemill_register(engine, &function);
}

typedef tidemill_status action(tidemill *engine);

static action *const actions[] = {
    run_file,    run_string,  fail_syntax, result_json,       result, eval, complete,
    explanation, record_json, call,        register_function,
};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

static void act_where_nothing_is_granted_outside(tidemill *engine, action *act)
{
    lua_State *L = engine->L;
    int top = lua_gettop(L);
    refuse_outside(L);
    tidemill_status status = act(engine);
    grant_all(L);
    CHECK(lua_gettop(L) == top);
    CHECK(status == TIDEMILL_OK || tidemill_error(engine)[0] != '\0');
    status = act(engine);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
}

static void what_a_program_asks_pushes_nothing_unprotected(void)
{
    folder_make();
    write_file(in_folder("script.lua"), "return {..., n = #arg}\n");
    tidemill *engine = open_serial();
    CHECK(tidemill_record(engine) == TIDEMILL_OK);
    for (int i = 0; i < ACTIONS; i++) act_where_nothing_is_granted_outside(engine, actions[i]);
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
    CHECK(folder_remove());
}

/* ---- beginning and end -------------------------------------------------------------------- */

static tidemill_status adopt(struct mill_scope *scope, lua_State *L)
{
    struct mill_error error;
    return mill_state_adopt(scope, L, &error);
}

/* As `require "tidemill"` does it in a stock luajit. */
static void a_state_that_cannot_be_prepared_is_refused(void)
{
    tidemill *engine = open_serial();
    struct mill_scope scope;
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    mill_scope_init(&scope, engine, NULL);
    refuse_outside(L);
    CHECK(adopt(&scope, L) == TIDEMILL_ERROR && lua_gettop(L) == 0);
    grant_all(L);
    CHECK(adopt(&scope, L) == TIDEMILL_OK && lua_gettop(L) == 0);
    lua_close(L);
    mill_scope_fini(&scope);
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
}

static const char pool_script[] = "local tm = require 'tidemill'\n"
                                  "local pool = tm.pool{ max = 1, create = function() return "
                                  "{} end, close = function() end }\n"
                                  "pool:with(function() end)\n";

static void a_state_that_cannot_close_its_resources_is_closed(void)
{
#ifdef __SANITIZE_ADDRESS__
    SKIP("the pool's lease, 256 bytes, stays behind then");
#endif
    tidemill *engine = open_serial();
    tidemill_status status = tidemill_run_string(engine, pool_script, "script", 0, NULL);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    refuse_outside(engine->L);
    CHECK(tidemill_close(engine) == TIDEMILL_OK);
}

int main(void)
{
    RUN(a_call_without_memory_is_an_error);
    RUN(so_is_one_that_raises_a_number);
    RUN(what_a_program_asks_pushes_nothing_unprotected);
    RUN(a_state_that_cannot_be_prepared_is_refused);
    RUN(a_state_that_cannot_close_its_resources_is_closed);
    return check_end();
}
