/* snapshot: what delayed functions are.  A record, a Lua table that lua/tidemill/task.lua fills in,
 * holds name, fn, cache, priority, version, seed, files and the like.
 * SPDX-License-Identifier: MIT */
#include "bind/snapshot.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bind/anatomy.h"
#include "bind/encode.h"
#include "bind/handle.h"
#include "bind/recorder.h"
#include "bind/witness.h"
#include "cache/parts.h"
#include "data/brief.h"

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

static double number_field(lua_State *L, int table, const char *name, double otherwise)
{
    lua_getfield(L, table, name);
    double number = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : otherwise;
    lua_pop(L, 1);
    return number;
}

/* A number by its bits: as text two that differ may read alike. */
static void hash_field(lua_State *L, int record, const char *name, struct mill_hasher *hasher)
{
    lua_getfield(L, record, name);
    mill_hasher_number(hasher, (uint64_t)lua_type(L, -1));
    if (lua_type(L, -1) == LUA_TNUMBER) {
        double number = lua_tonumber(L, -1);
        mill_hasher_bytes(hasher, &number, sizeof number);
    } else {
        size_t size = 0;
        const char *text = lua_tolstring(L, -1, &size);
        mill_hasher_bytes(hasher, text ? text : "", size);
    }
    lua_pop(L, 1);
}

/* The field as a part that people are told of. */
static void say_field(lua_State *L, int record, const char *name, enum mill_part_kind kind,
                      struct mill_packer *said)
{
    char text[64] = "";
    struct mill_brief brief;
    lua_getfield(L, record, name);
    size_t size = 0;
    if (lua_type(L, -1) == LUA_TNUMBER) {
        snprintf(text, sizeof text, "%.17g", lua_tonumber(L, -1));
    } else if (lua_isstring(L, -1)) {
        mill_brief_init(&brief, text, sizeof text);
        const char *value = lua_tolstring(L, -1, &size);
        mill_brief_text(&brief, value, size);
    }
    if (!lua_isnil(L, -1)) {
        struct mill_hasher hasher;
        mill_hasher_init(&hasher, name);
        hash_field(L, record, name, &hasher);
        mill_parts_add(said, kind, "", mill_hasher_end(&hasher), text);
    }
    lua_pop(L, 1);
}

static void say_file(void *said, char kind, const char *name, struct mill_hash hash,
                     struct mill_hash now)
{
    (void)kind, (void)now;
    mill_parts_add(said, MILL_PART_FILE, name, hash, "");
}

/* For explanations: without memory they say less. */
static void say_policy(lua_State *L, int record, struct mill_policy *policy)
{
    struct mill_packer said;
    mill_packer_init(&said);
    say_field(L, record, "version", MILL_PART_VERSION, &said);
    say_field(L, record, "seed", MILL_PART_SEED, &said);
    mill_reads_visit_all(policy->files, policy->files_size, say_file, &said);
    if (!said.failed) {
        policy->said = said.bytes;
        policy->said_size = said.size;
        said.bytes = NULL;
    }
    mill_packer_fini(&said);
}

static void hash_files(lua_State *L, struct tidemill *engine, int record,
                       struct mill_hasher *hasher, struct mill_policy *policy)
{
    struct mill_reads reads = {0};
    lua_getfield(L, record, "files");
    if (engine->confine.on && !lua_isnil(L, -1)) {
        luaL_error(L, "option \"files\" is not open in a sandbox");
    }
    for (int i = 1; lua_istable(L, -1) && i <= (int)lua_objlen(L, -1); i++) {
        lua_rawgeti(L, -1, i);
        const char *path = lua_tostring(L, -1);
        struct stat status;
        if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
            luaL_error(L,
                       "option \"files\": %s is not a file; name files, such as tm.glob gives",
                       path);
        }
        mill_hasher_bytes(hasher, path, strlen(path));
        struct mill_hash hash = mill_files_hash(&engine->files, path);
        mill_hasher_hash(hasher, hash);
        if (engine->recorder) mill_recorder_note(engine->recorder, MILL_READ_FILE, path, hash);
        mill_reads_add(&reads, MILL_READ_FILE, path, hash);
        policy->files = reads.bytes; /* at once: the next file may raise */
        policy->files_size = reads.size;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void set_policy(lua_State *L, struct tidemill *engine, int record,
                       struct mill_function *function)
{
    struct mill_policy *policy = &function->policy;
    lua_getfield(L, record, "cache");
    const char *word = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    policy->automatic = strcmp(word, "auto") == 0 || (lua_isnil(L, -1) && engine->keep.all);
    policy->cached = policy->automatic || lua_toboolean(L, -1);
    policy->refresh = strcmp(word, "refresh") == 0;
    lua_pop(L, 1);
    policy->ttl = number_field(L, record, "ttl", 0);
    lua_getfield(L, record, "pure");
    policy->pure = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (!policy->cached) return;
    if (mill_value_is_opaque(&function->code)) {
        char where[200], text[300];
        mill_anatomy_opaque(&function->code, where, sizeof where);
        snprintf(text, sizeof text, "it names a channel or the like%s, which has no content",
                 where);
        policy->refusal = strdup(text);
        return;
    }
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "function/1");
    mill_hasher_hash(&hasher, engine->salt);
    mill_hasher_hash(&hasher, mill_value_hash(&function->code, NULL));
    hash_field(L, record, "version", &hasher);
    hash_field(L, record, "seed", &hasher);
    hash_files(L, engine, record, &hasher, policy);
    policy->salt = mill_hasher_end(&hasher);
    say_policy(L, record, policy);
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

static struct snapshot *keep_snapshot(lua_State *L, int record, int witness,
                                      struct snapshot made)
{
    push_weak(L, snapshots_key, "k");
    lua_pushvalue(L, record);
    struct snapshot *snapshot =
        mill_handle_new(L, snapshot_type, sizeof *snapshot, snapshot_gc);
    *snapshot = made;
    set_witness(L, lua_gettop(L), &made, witness);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    return snapshot;
}

static void set_retry(lua_State *L, int record, struct mill_function *function)
{
    struct mill_retry_rule *rule = &function->retry;
    rule->retries = (int)number_field(L, record, "retries", 0);
    rule->delay = number_field(L, record, "retry_delay", 0);
    rule->factor = number_field(L, record, "backoff_factor", 1);
    rule->longest = number_field(L, record, "backoff_max", INFINITY);
    rule->jitter = number_field(L, record, "backoff_jitter", 0);
}

/* resources = {name = amount}; raises. */
static void set_needs(lua_State *L, struct tidemill *engine, int record,
                      struct mill_function *function)
{
    struct mill_resources *resources = &engine->pool.resources;
    lua_getfield(L, record, "resources");
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    function->needs = calloc(MILL_MAX_RESOURCES, sizeof *function->needs);
    if (function->needs == NULL) luaL_error(L, "out of memory (resources)");
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        const char *name = lua_tostring(L, -2);
        double amount = lua_tonumber(L, -1);
        int resource = mill_resources_find(resources, name);
        if (resource < 0) {
            luaL_error(L,
                       "task \"%s\": resource \"%s\" has no limit; set one: "
                       "tm.config{resources = {%s = 3}}",
                       function->name, name, name);
        }
        double limit = mill_resources_of(resources, resource);
        if (amount > limit) {
            lua_pushfstring(
                L, "task \"%s\" needs %f of resource \"%s\", of which there is only %f",
                function->name, amount, name, limit);
            lua_error(L);
        }
        function->needs[function->need_count++] =
            (struct mill_need){resource, (int64_t)(amount * MILL_RESOURCE_UNIT + 0.5)};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Where it runs and what it is thought to cost; `affinity` is a number or a string. */
static void set_placing(lua_State *L, struct tidemill *engine, int record,
                        struct mill_function *function)
{
    lua_getfield(L, record, "affinity");
    if (!lua_isnil(L, -1)) {
        struct mill_hasher hasher;
        mill_hasher_init(&hasher, "affinity");
        hash_field(L, record, "affinity", &hasher);
        function->affinity = mill_hasher_end(&hasher).low | 1;
    }
    lua_pop(L, 1);
    function->cost = number_field(L, record, "cost", NAN);
    function->mean = mill_means_of(&engine->means, function->name);
}

static const char *const lane_names[] = {"thread", "loop", "process", "serial", "auto"};

enum { LANE_SERIAL = MILL_LANES, LANE_AUTO };

/* The lane that the record names. */
static int lane_field(lua_State *L, int record)
{
    lua_getfield(L, record, "lane");
    const char *name = lua_tostring(L, -1);
    int lane = LANE_AUTO;
    for (int i = 0; name && i < LANE_AUTO; i++) {
        if (strcmp(name, lane_names[i]) == 0) lane = i;
    }
    lua_pop(L, 1);
    return lane;
}

static bool is_io(lua_State *L, int record)
{
    lua_getfield(L, record, "kind");
    const char *kind = lua_tostring(L, -1);
    bool io = kind && strcmp(kind, "io") == 0;
    lua_pop(L, 1);
    return io;
}

/* Without threads there is one lane; what only a process could keep is not kept, and said once. */
static void lose_lane(struct tidemill *engine, const struct mill_function *function)
{
    if (!function->lane_asked || strcmp(function->lane_reason, "lane") == 0) return;
    if (atomic_exchange(&engine->serial_warned, true)) return;
    mill_output_warn(&engine->output,
                     "task \"%s\": %s needs the process lane, and --serial has none: it is not "
                     "kept (said once)",
                     function->name, function->lane_reason);
}

/* Which lane its tasks take, and why. */
static void set_lane(lua_State *L, struct tidemill *engine, int record,
                     struct mill_function *function)
{
    int lane = lane_field(L, record);
    function->timeout = number_field(L, record, "timeout", 0);
    function->memory = (int64_t)number_field(L, record, "memory", 0);
    lua_getfield(L, record, "isolate");
    function->isolate = lua_toboolean(L, -1);
    lua_pop(L, 1);
    const char *needs = function->timeout > 0  ? "timeout"
                        : function->memory > 0 ? "memory"
                        : function->isolate    ? "isolate"
                                               : NULL;
    if (needs) {
        lane = MILL_LANE_PROCESS;
        function->lane_reason = needs;
    } else if (lane != LANE_AUTO) {
        function->lane_reason = "lane";
    } else if (engine->lane >= 0) {
        lane = engine->lane;
        function->lane_reason = "setting lane";
    } else if (is_io(L, record)) {
        lane = MILL_LANE_LOOP;
        function->lane_reason = "kind";
    }
    function->lane_asked =
        needs || (function->lane_reason && lane_field(L, record) != LANE_AUTO);
    if (lane == LANE_SERIAL) function->affinity = MILL_FIRST_WORKER;
    if (lane >= MILL_LANES) lane = MILL_LANE_THREAD;
    function->lane = (enum mill_lane)lane;
    if (engine->confine.on && function->lane == MILL_LANE_PROCESS) {
        if (function->lane_asked) {
            luaL_error(L, "task \"%s\": %s: a sandbox has no process lane", function->name,
                       function->lane_reason);
        }
        function->lane = MILL_LANE_THREAD;
    }
    if (engine->serve && needs) {
        luaL_error(
            L,
            "task \"%s\": %s cannot be had inside a task of the process lane; give it to "
            "the task that starts this one",
            function->name, needs);
    } else if (engine->workers == 0) {
        lose_lane(engine, function);
    } else if (function->lane == MILL_LANE_PROCESS && function->lane_asked &&
               mill_pool_lane(&engine->pool, MILL_LANE_PROCESS) == NULL) {
        luaL_error(L, "task \"%s\": %s: there is no process lane here", function->name,
                   function->lane_reason);
    }
}

static void set_options(lua_State *L, struct tidemill *engine, int record,
                        struct mill_function *function)
{
    function->priority = (int)number_field(L, record, "priority", 0);
    function->seed = number_field(L, record, "seed", NAN);
    function->outputs = (uint16_t)number_field(L, record, "nout", 0);
    set_retry(L, record, function);
    set_needs(L, engine, record, function);
    set_placing(L, engine, record, function);
    set_lane(L, engine, record, function);
    lua_getfield(L, record, "joins");
    /* A task that stands for another's is not looked for itself. */
    if (!lua_toboolean(L, -1)) set_policy(L, engine, record, function);
    lua_pop(L, 1);
}

/* A body in C: one that stands for another run's task, or one that takes an output out of several;
 * false: it is Lua. */
static bool is_built_in(lua_State *L, int record, struct mill_function *function)
{
    lua_getfield(L, record, "joins");
    function->joins = lua_toboolean(L, -1);
    lua_getfield(L, record, "output");
    if (lua_isnumber(L, -1)) {
        function->body = take_output;
        function->context = (void *)(uintptr_t)lua_tointeger(L, -1);
    }
    lua_pop(L, 2);
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

static bool boolean_field(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
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
    bool frozen = boolean_field(L, RECORD, "frozen");
    if (old && old->whole && frozen) { /* since it was made: a map is at work with it */
        making->function = old->function;
        return;
    }
    mill_witness_new(L);
    struct snapshot made = {
        .function = mill_function_new(name),
        .frozen = frozen,
        .files = boolean_field(L, RECORD, "files"),
    };
    if (made.function == NULL) {
        mill_no_memory(making->error, name);
        return;
    }
    if (!is_built_in(L, RECORD, made.function) &&
        read_code(L, making, RECORD, &made, WITNESS) != TIDEMILL_OK) {
        mill_function_unref(made.function);
        return;
    }
    if (old && renew(L, old, SNAPSHOT, &made, WITNESS)) {
        mill_function_unref(made.function);
        making->function = old->function;
        return;
    }
    made.function->serial = mill_pool_serial(&making->engine->pool);
    struct snapshot *kept = keep_snapshot(L, RECORD, WITNESS, made);
    lua_getfield(L, RECORD, "retry_on");
    if (!lua_isnil(L, -1) &&
        mill_encode(L, -1, "option \"retry_on\"", false, &made.function->retry_on,
                    making->error) != TIDEMILL_OK) {
        return;
    }
    set_options(L, making->engine, RECORD, made.function);
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
    if (raised == 0) return making.function;
    const char *text = lua_tostring(L, -1);
    mill_fail(snapshots->error, raised == LUA_ERRMEM ? TIDEMILL_MEMORY : TIDEMILL_ERROR, "%s",
              text ? text : "an error");
    lua_pop(L, 1);
    return NULL;
}
