/* snapshot: what delayed functions are.  A record, a Lua table that lua/tidemill/task.lua fills in,
 * holds name, fn and the options (bind/options.h).
 * SPDX-License-Identifier: MIT */
#include "bind/snapshot.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "bind/encode.h"
#include "bind/handle.h"
#include "bind/options.h"
#include "bind/witness.h"

/* The last answer, a userdata; the environment of a steady one is the witness of its code
 * (bind/witness.h): another's would only keep alive what the script has let go of. */
struct snapshot {
    struct mill_function *function;
    bool steady; /* the code is the same as long as the witness holds */
    bool frozen; /* what tasks decoded does not change any more */
    bool files;  /* are declared, whose content may have changed */
    bool whole;  /* its options have been read without an error */
};

static const char snapshot_type[] = "tidemill.function";

/* Addresses in the registry: record -> snapshot, beside the records, which may cross to other states;
 * number -> the same.  The first keeps it as long as the record lives. */
static const char snapshots_key[] = "snapshots", numbers_key[] = "numbers";

struct making {
    struct tidemill *engine;
    uint32_t number;
    struct mill_function *function; /* NULL after a failure */
    struct mill_function *loose;    /* in no snapshot yet: the caller's, when Lua raises */
    struct mill_error *error;
};

/* The body of a task that takes one value of several that another has returned; the context is
 * its place. */
static void take_output(void *context, const struct mill_value *arguments, int count,
                        struct mill_value *result)
{
    uint32_t place = (uint32_t)(uintptr_t)context;
    if (count < 1 || arguments[0].tag != MILL_TAG_TUPLE || place > arguments[0].tuple->count) {
        return;
    }
    *result = mill_value_ref(arguments[0].tuple->cells[place - 1]);
}

static bool same_code(const struct mill_value *a, const struct mill_value *b)
{
    if (a->tag != b->tag || a->tag != MILL_TAG_PACKED) return false;
    const struct mill_packed *x = a->packed, *y = b->packed;
    return x->size == y->size && x->array_count == y->array_count &&
           memcmp(x->bytes, y->bytes, x->size) == 0 &&
           (x->array_count == 0 ||
            memcmp(x->arrays, y->arrays, x->array_count * sizeof *x->arrays) == 0);
}

/* Pushes a table of the registry, made when it is asked for first. */
static void push_weak(lua_State *L, const char *key, const char *mode)
{
    mill_registry_get(L, key);
    if (!lua_isnil(L, -1)) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    mill_registry_set(L, key);
}

/* Pushes the snapshot of a record, or nil; NULL, too, when it is not whole. */
static struct snapshot *push_snapshot(lua_State *L, int record)
{
    push_weak(L, snapshots_key, "k");
    lua_pushvalue(L, record);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    struct snapshot *snapshot = lua_touserdata(L, -1);
    return snapshot && snapshot->whole ? snapshot : NULL;
}

/* The same of a number. */
static struct snapshot *push_numbered(lua_State *L, uint32_t number)
{
    push_weak(L, numbers_key, "v");
    lua_rawgeti(L, -1, (int)number);
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

static int snapshot_gc(lua_State *L)
{
    struct snapshot *snapshot = lua_touserdata(L, 1);
    mill_function_unref(snapshot->function);
    snapshot->function = NULL;
    return 0;
}

static void set_witness(lua_State *L, int snapshot, const struct snapshot *made, int witness)
{
    if (made->steady && !made->frozen) {
        lua_pushvalue(L, witness);
    } else {
        lua_newtable(L);
    }
    lua_setfenv(L, snapshot);
}

/* Takes over the loose function. */
static struct snapshot *keep_snapshot(lua_State *L, struct making *making, int record,
                                      int witness, const struct snapshot *made)
{
    push_weak(L, snapshots_key, "k");
    lua_pushvalue(L, record);
    struct snapshot *snapshot =
        mill_handle_new(L, snapshot_type, sizeof *snapshot, snapshot_gc);
    *snapshot = *made;
    making->loose = NULL;
    set_witness(L, lua_gettop(L), made, witness);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return snapshot;
}

/* A body in C: one that stands for another run's task, or one that takes an output out of several;
 * false: it is Lua. */
static bool is_built_in(lua_State *L, int record, struct mill_function *function)
{
    function->joins = mill_option_flag(L, record, "joins");
    lua_getfield(L, record, "output");
    if (lua_isnumber(L, -1)) {
        function->body = take_output;
        function->context = (void *)(uintptr_t)lua_tointeger(L, -1);
    }
    lua_pop(L, 1);
    return function->joins || function->body;
}

/* The code of the record's function. */
static tidemill_status read_code(lua_State *L, struct making *making, int record,
                                 struct snapshot *made, int witness)
{
    char where[160];
    snprintf(where, sizeof where, "task \"%.120s\"", made->function->name);
    lua_getfield(L, record, "fn");
    struct mill_encoded encoded;
    tidemill_status status =
        mill_encode_function(L, lua_gettop(L), where, witness, &encoded, making->error);
    made->steady = encoded.steady;
    made->function->code = encoded.code;
    made->function->loops = encoded.loops;
    made->function->decoded = made->frozen;
    return status;
}

/* Whether the snapshot, at the top of the stack, is as good as a new one. */
static bool is_current(lua_State *L, const struct snapshot *snapshot)
{
    if (snapshot->frozen) return true;
    if (!snapshot->steady || snapshot->files) return false;
    lua_getfenv(L, -1);
    bool holds = mill_witness_holds(L, lua_gettop(L));
    lua_pop(L, 1);
    return holds;
}

/* Whether the snapshot, whose witness is too old, has this code, too: then it has a new witness. */
static bool renew(lua_State *L, struct snapshot *old, int snapshot, const struct snapshot *made,
                  int witness)
{
    if (!same_code(&old->function->code, &made->function->code) || made->files) return false;
    old->steady = made->steady;
    set_witness(L, snapshot, made, witness);
    return true;
}

/* With the record and its name on the stack. */
static void make_function(lua_State *L, struct making *making)
{
    enum { RECORD = 1, NAME = 2, SNAPSHOT = 3, WITNESS = 4 };
    struct snapshot *old = push_snapshot(L, RECORD);
    const char *name = luaL_checkstring(L, NAME);
    bool frozen = mill_option_flag(L, RECORD, "frozen");
    if (old && frozen) { /* since it was made: a map is at work with it */
        making->function = old->function;
        return;
    }
    mill_witness_new(L);
    struct snapshot made = {
        .function = mill_function_new(name),
        .frozen = frozen,
        .files = mill_option_flag(L, RECORD, "files"),
    };
    making->loose = made.function;
    if (made.function == NULL) {
        mill_no_memory(making->error, name);
        return;
    }
    if (!is_built_in(L, RECORD, made.function) &&
        read_code(L, making, RECORD, &made, WITNESS) != TIDEMILL_OK) {
        return;
    }
    if (old && renew(L, old, SNAPSHOT, &made, WITNESS)) {
        making->function = old->function;
        return;
    }
    made.function->serial = mill_pool_serial(&making->engine->pool);
    struct snapshot *kept = keep_snapshot(L, making, RECORD, WITNESS, &made);
    lua_getfield(L, RECORD, "retry_on");
    if (!lua_isnil(L, -1) &&
        mill_encode(L, -1, "option \"retry_on\"", false, &made.function->retry_on,
                    making->error) != TIDEMILL_OK) {
        return;
    }
    mill_options_read(L, making->engine, RECORD, made.function);
    kept->whole = true;
    making->function = made.function;
}

/* The number of the record leads to its snapshot from now on. */
static void note_number(lua_State *L, int record, uint32_t number)
{
    push_weak(L, numbers_key, "v");
    push_snapshot(L, record);
    lua_rawseti(L, -2, (int)number);
    lua_pop(L, 1);
}

/* (making, lookup) */
static int make_protected(lua_State *L)
{
    struct making *making = lua_touserdata(L, 1);
    struct snapshot *known = push_numbered(L, making->number);
    if (known && is_current(L, known)) {
        making->function = known->function;
        return 0;
    }
    lua_settop(L, 2);
    lua_pushnumber(L, making->number);
    lua_call(L, 1, 2);
    lua_remove(L, 1);
    make_function(L, making);
    if (making->function) note_number(L, 1, making->number);
    return 0;
}

struct mill_function *mill_snapshot(void *snapshots_, uint32_t number)
{
    struct mill_snapshots *snapshots = snapshots_;
    lua_State *L = snapshots->L;
    struct making making = {
        .engine = snapshots->engine, .number = number, .error = snapshots->error};
    lua_pushcfunction(L, make_protected);
    lua_pushlightuserdata(L, &making);
    lua_pushvalue(L, snapshots->lookup);
    int raised = lua_pcall(L, 2, 0, 0);
    mill_function_unref(making.loose);
    if (raised == 0) return making.function;
    const char *text = lua_tostring(L, -1);
    mill_fail(snapshots->error, raised == LUA_ERRMEM ? TIDEMILL_MEMORY : TIDEMILL_ERROR, "%s",
              text ? text : "an error");
    lua_pop(L, 1);
    return NULL;
}
