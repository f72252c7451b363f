/* lib_cache: values that scripts and tasks put into the cache themselves, for tm.cache.
 * A key is named by 16 bytes, which core.cache_key makes.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/upkeep.h"
#include "cache/manage.h"
#include "cache/shelf.h"
#include "cache/trust.h"
#include "data/brief.h"

enum { NAME_ROOM = 160 }; /* bytes of "value:KEY" */

/* ---- keys ---------------------------------------------------------------------------------- */

/* A string stands for itself, as far as there is room for it. */
static void name_key(const struct mill_value *key, char name[NAME_ROOM])
{
    size_t size, lead = (size_t)snprintf(name, NAME_ROOM, "value:");
    const char *text = mill_value_text(key, &size);
    if (text && size < NAME_ROOM - lead && memchr(text, '\0', size) == NULL) {
        snprintf(name + lead, NAME_ROOM - lead, "%.*s", (int)size, text);
        return;
    }
    struct mill_brief brief;
    mill_brief_init(&brief, name + lead, NAME_ROOM - lead);
    mill_brief_value(&brief, key);
}

/* core.cache_key(key) -> 16 bytes that name it, "value:KEY" */
static int cache_key(lua_State *L)
{
    struct mill_value key;
    struct mill_error error;
    char name[NAME_ROOM];
    lua_settop(L, 1);
    if (mill_encode_kept(L, 1, "the key", &key, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    struct mill_hash hash = mill_shelf_key(&key);
    name_key(&key, name);
    mill_value_unref(key);
    lua_pushlstring(L, (const char *)&hash, sizeof hash);
    lua_pushstring(L, name);
    return 2;
}

static struct mill_hash check_hash(lua_State *L, int index)
{
    size_t size;
    struct mill_hash hash;
    const char *bytes = luaL_checklstring(L, index, &size);
    luaL_argcheck(L, size == sizeof hash, index, "no name of a key");
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

/* ---- the shelf ------------------------------------------------------------------------------- */

static struct mill_reader *own_reader(struct tidemill *engine, struct mill_worker *worker)
{
    /* A worker process looks up no task, but has the engine's cache for these values. */
    if (worker && engine->serve == NULL) return mill_lookup_reader(&engine->lookup, worker);
    if (engine->reader == NULL) engine->reader = mill_reader_open(engine->store);
    return engine->reader;
}

/* False: there is no cache. */
static bool open_shelf(lua_State *L, struct mill_shelf *shelf)
{
    struct tidemill *engine = mill_engine_of(L);
    mill_lib_check_here(L);
    mill_engine_open_cache(engine);
    *shelf = (struct mill_shelf){.store = engine->store,
                                 .files = &engine->files,
                                 .memory = &engine->memory,
                                 .ttl = engine->keep.ttl};
    if (shelf->store) shelf->reader = own_reader(engine, mill_worker_of(L));
    return shelf->reader != NULL;
}

/* The script may do something else for long, and its view keeps the log from being moved. */
static void close_shelf(lua_State *L, const struct mill_shelf *shelf)
{
    if (mill_worker_of(L) == NULL) mill_reader_rest(shelf->reader);
}

/* core.cache_get(key) -> whether there is a value, the value */
static int cache_get(lua_State *L)
{
    struct mill_hash key = check_hash(L, 1);
    struct mill_worker *worker = mill_worker_of(L);
    struct mill_shelf shelf;
    struct mill_value value;
    if (worker) mill_trust_impure(&mill_engine_of(L)->lookup, worker, "tm.cache");
    bool open = open_shelf(L, &shelf), found = open && mill_shelf_get(&shelf, key, &value);
    if (open) close_shelf(L, &shelf);
    lua_pushboolean(L, found);
    if (!found) return 1;
    mill_decode(L, &value, NULL);
    mill_value_unref(value);
    return 2;
}

/* ---- putting ----------------------------------------------------------------------------------- */

static bool is_dry(const struct tidemill *engine)
{
    return engine->inquiry && engine->inquiry->dry;
}

static void warn_of_none(struct tidemill *engine)
{
    mill_output_warn(&engine->output, "tm.cache: there is no cache, so that no value is kept");
}

/* core.cache_put(key, name, value, mode, ttl, seconds, ticket) -> whether it is kept */
static int cache_put(lua_State *L)
{
    static const char *const modes[] = {"aside", "through", "behind", NULL};
    struct tidemill *engine = mill_engine_of(L);
    struct mill_worker *worker = mill_worker_of(L);
    struct mill_shelf shelf;
    struct mill_value value;
    struct mill_error error;
    lua_settop(L, 7);
    struct mill_shelf_put put = {
        .key = check_hash(L, 1),
        .name = luaL_checkstring(L, 2),
        .mode = (enum mill_shelf_mode)luaL_checkoption(L, 4, NULL, modes),
        .ttl = luaL_optnumber(L, 5, 0),
        .seconds = luaL_optnumber(L, 6, 0),
        .ticket = (int)luaL_optinteger(L, 7, 0),
    };
    if (mill_encode_kept(L, 3, "the value", &value, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    put.value = &value;
    if (worker) mill_trust_writes(&engine->lookup, worker, put.name);
    bool open = !is_dry(engine) && open_shelf(L, &shelf);
    bool kept = open && mill_shelf_put(&shelf, &put);
    if (open) {
        close_shelf(L, &shelf);
    } else if (!is_dry(engine)) {
        warn_of_none(engine);
    }
    mill_value_unref(value);
    lua_pushboolean(L, kept);
    return 1;
}

/* ---- who computes a value ------------------------------------------------------------------------ */

/* core.cache_claim(key) -> what, ticket, the running thread.  "taken", with a ticket; "others", "waiting",
 * "mine", "resting": somebody computes it, see cache/board.h; "none": nobody, and it cannot be claimed */
static int cache_claim(lua_State *L)
{
    static const char *const claims[] = {
        [MILL_CLAIM_NONE] = "none",     [MILL_CLAIM_TAKEN] = "taken",
        [MILL_CLAIM_MINE] = "mine",     [MILL_CLAIM_RESTING] = "resting",
        [MILL_CLAIM_OTHERS] = "others", [MILL_CLAIM_WAITING] = "waiting",
    };
    struct mill_hash key = check_hash(L, 1);
    struct mill_shelf shelf;
    int ticket = 0;
    enum mill_claim claim = MILL_CLAIM_NONE;
    if (!is_dry(mill_engine_of(L)) && open_shelf(L, &shelf)) {
        claim = mill_store_claim(shelf.store, key, &ticket);
    }
    lua_pushstring(L, claims[claim]);
    lua_pushinteger(L, ticket);
    lua_pushthread(L);
    return 3;
}

/* core.cache_claim_waits(key, ticket, waits): who has the claim waits for others, or goes on */
static int cache_claim_waits(lua_State *L)
{
    struct mill_hash key = check_hash(L, 1);
    struct mill_store *store = mill_engine_of(L)->store;
    int ticket = (int)luaL_checkinteger(L, 2);
    if (store) mill_store_claim_waits(store, key, ticket, lua_toboolean(L, 3));
    return 0;
}

/* core.cache_unclaim(key, ticket) */
static int cache_unclaim(lua_State *L)
{
    struct mill_hash key = check_hash(L, 1);
    struct mill_store *store = mill_engine_of(L)->store;
    if (store) mill_store_unclaim(store, key, (int)luaL_checkinteger(L, 2));
    return 0;
}

/* ---- the whole cache ------------------------------------------------------------------------------ */

/* core.cache_remove(name, key, seconds) -> how many entries: of that name, that key, made before so many
 * seconds; each may be nil */
static int cache_remove(lua_State *L)
{
    struct mill_shelf shelf;
    struct mill_hash key;
    struct mill_store_filter filter = {.task = luaL_optstring(L, 1, NULL)};
    struct mill_error error;
    int64_t removed = 0;
    struct mill_worker *worker = mill_worker_of(L);
    if (worker) mill_trust_writes(&mill_engine_of(L)->lookup, worker, "the cache");
    if (!lua_isnoneornil(L, 2)) {
        key = check_hash(L, 2);
        filter.key = &key;
    }
    if (!lua_isnoneornil(L, 3)) {
        double before = (double)mill_reads_time() - luaL_checknumber(L, 3) * 1e6;
        filter.made_before = before > 1 ? (int64_t)before + 1 : 1;
    }
    if (!is_dry(mill_engine_of(L)) && open_shelf(L, &shelf) &&
        mill_store_remove(shelf.store, &filter, &removed, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    lua_pushnumber(L, (double)removed);
    return 1;
}

/* core.cache_stats() -> what `tidemill cache stats --json` writes; nil and a reason: there is no cache */
static int cache_stats(lua_State *L)
{
    static const tidemill_cache_request request = {
        .size = sizeof request, .command = "stats", .json = 1};
    struct mill_shelf shelf;
    struct mill_error error;
    struct mill_worker *worker = mill_worker_of(L);
    char *text = NULL;
    if (worker) mill_trust_impure(&mill_engine_of(L)->lookup, worker, "tm.cache");
    if (!open_shelf(L, &shelf)) return 0;
    if (mill_upkeep_run(mill_engine_of(L), &request, &text, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    lua_pushstring(L, text);
    free(text);
    return 1;
}

static const luaL_Reg cache_functions[] = {
    {"cache_claim", cache_claim},
    {"cache_claim_waits", cache_claim_waits},
    {"cache_get", cache_get},
    {"cache_key", cache_key},
    {"cache_put", cache_put},
    {"cache_remove", cache_remove},
    {"cache_stats", cache_stats},
    {"cache_unclaim", cache_unclaim},
    {NULL, NULL},
};

void mill_lib_cache(lua_State *L)
{
    luaL_register(L, NULL, cache_functions);
}
