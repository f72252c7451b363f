/* options: what the options of a delayed function say of its tasks.  SPDX-License-Identifier: MIT */
#include "bind/options.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bind/anatomy.h"
#include "bind/recorder.h"
#include "cache/parts.h"
#include "data/brief.h"

static double number_field(lua_State *L, int record, const char *name, double otherwise)
{
    lua_getfield(L, record, name);
    double number = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : otherwise;
    lua_pop(L, 1);
    return number;
}

bool mill_option_flag(lua_State *L, int record, const char *name)
{
    lua_getfield(L, record, name);
    bool flag = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return flag;
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

/* ---- the cache ----------------------------------------------------------------------------- */

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
    policy->pure = mill_option_flag(L, record, "pure");
    if (!policy->cached) return;
    if (mill_value_is_opaque(&function->code)) {
        char where[200], text[300];
        mill_anatomy_opaque(&function->code, where, sizeof where);
        snprintf(text, sizeof text, "it names a channel or the like%s, which has no content",
                 where);
        policy->refusal = strdup(text);
        policy->cached = policy->refusal != NULL; /* without either there is a wrong key */
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

/* ---- retries, resources, places ------------------------------------------------------------ */

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

/* ---- lanes --------------------------------------------------------------------------------- */

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

/* What of its options a process alone can keep; NULL: nothing. */
static const char *process_need(const struct mill_function *function)
{
    if (function->timeout > 0) return "timeout";
    if (function->memory > 0) return "memory";
    return function->isolate ? "isolate" : NULL;
}

/* The lane that is asked for, and in lane_reason by what: the strongest first. */
static int choose_lane(lua_State *L, const struct tidemill *engine, int record,
                       struct mill_function *function)
{
    int lane = lane_field(L, record);
    const char *need = process_need(function);
    function->lane_asked = need || lane != LANE_AUTO;
    if (need) {
        function->lane_reason = need;
        return MILL_LANE_PROCESS;
    }
    if (lane != LANE_AUTO) {
        function->lane_reason = "lane";
        return lane;
    }
    if (engine->lane >= 0) {
        function->lane_reason = "setting lane";
        return engine->lane;
    }
    if (!is_io(L, record)) return LANE_AUTO;
    function->lane_reason = "kind";
    return MILL_LANE_LOOP;
}

/* The process lane where there is none: raises when it was asked for. */
static void check_lane(lua_State *L, struct tidemill *engine, struct mill_function *function)
{
    bool process = function->lane == MILL_LANE_PROCESS;
    if (engine->confine.on && process) {
        if (function->lane_asked) {
            luaL_error(L, "task \"%s\": %s: a sandbox has no process lane", function->name,
                       function->lane_reason);
        }
        function->lane = MILL_LANE_THREAD;
        process = false;
    }
    if (engine->serve && process_need(function)) {
        luaL_error(
            L,
            "task \"%s\": %s cannot be had inside a task of the process lane; give it to "
            "the task that starts this one",
            function->name, process_need(function));
    } else if (engine->workers == 0) {
        lose_lane(engine, function);
    } else if (process && function->lane_asked &&
               mill_pool_lane(&engine->pool, MILL_LANE_PROCESS) == NULL) {
        luaL_error(L, "task \"%s\": %s: there is no process lane here", function->name,
                   function->lane_reason);
    }
}

/* Which lane its tasks take, and why. */
static void set_lane(lua_State *L, struct tidemill *engine, int record,
                     struct mill_function *function)
{
    function->timeout = number_field(L, record, "timeout", 0);
    function->memory = (int64_t)number_field(L, record, "memory", 0);
    function->isolate = mill_option_flag(L, record, "isolate");
    int lane = choose_lane(L, engine, record, function);
    if (lane == LANE_SERIAL) function->affinity = MILL_FIRST_WORKER;
    function->lane = lane >= MILL_LANES ? MILL_LANE_THREAD : (enum mill_lane)lane;
    check_lane(L, engine, function);
}

/* ---- all of them --------------------------------------------------------------------------- */

void mill_options_read(lua_State *L, struct tidemill *engine, int record,
                       struct mill_function *function)
{
    function->priority = (int)number_field(L, record, "priority", 0);
    function->seed = number_field(L, record, "seed", NAN);
    function->outputs = (uint16_t)number_field(L, record, "nout", 0);
    set_retry(L, record, function);
    set_needs(L, engine, record, function);
    set_placing(L, engine, record, function);
    set_lane(L, engine, record, function);
    /* A task that stands for another's is not looked for itself. */
    if (!function->joins) set_policy(L, engine, record, function);
}
