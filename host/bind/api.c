/* api: opening and stopping engines of tidemill.h, and luaopen_tidemill.  SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <lauxlib.h>
#include <luajit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "bind/api.h"
#include "bind/api_close.h"
#include "bind/embedded.h"
#include "bind/hosted.h"
#include "bind/proxy.h"
#include "bind/serve.h"
#include "bind/session.h"
#include "bind/state.h"
#include "bind/upkeep.h"
#include "lane/message.h"
#include "sched/await.h"

/* ---- opening and closing ---------------------------------------------------------------- */

static void name_run(struct tidemill *engine)
{
    uint32_t number;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number) {
        number = (uint32_t)mill_clock_now() ^ (uint32_t)getpid() << 16;
    }
    snprintf(engine->run, sizeof engine->run, "%08x", number);
}

/* What results may depend on besides files: where modules are looked for, or a library. */
static struct mill_hash stand_for(void *context, const char *name)
{
    struct tidemill *engine = context;
    if (strcmp(name, "BLAS") == 0) return mill_identity_blas(&engine->blas, &engine->files);
    if (strcmp(name, "package.path") != 0) return mill_identity_library(name);
    const char *path = engine->package_path, *cpath = engine->package_cpath;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, name);
    mill_hasher_bytes(&hasher, path ? path : "", path ? strlen(path) : 0);
    mill_hasher_bytes(&hasher, cpath ? cpath : "", cpath ? strlen(cpath) : 0);
    return mill_hasher_end(&hasher);
}

static struct tidemill *engine_new(const tidemill_config *config)
{
    struct tidemill *engine = calloc(1, sizeof *engine);
    if (engine == NULL) return NULL;
    if (!mill_gate_init(&engine->gate)) {
        free(engine);
        return NULL;
    }
    mill_output_init(&engine->output);
    mill_scope_init(&engine->scope, engine, NULL);
    pthread_mutex_init(&engine->unasked_lock, NULL);
    mill_files_init(&engine->files);
    mill_blas_init(&engine->blas);
    engine->files.library = stand_for;
    engine->files.context = engine;
    mill_means_init(&engine->means);
    engine->token = mill_token_new();
    pthread_mutex_init(&engine->modules_lock, NULL);
    pthread_mutex_init(&engine->hub_lock, NULL);
    engine->output.progress = config->progress;
    engine->output.notes = config->notes;
    engine->output.warning = config->warning;
    engine->output.context = config->context;
    mill_api_set_patience(engine, 0);
    mill_jobs_init(&engine->jobs);
    mill_events_init(&engine->events);
    mill_limit_init(engine);
    mill_settings_init(engine);
    mill_birth_init(&engine->birth);
    name_run(engine);
    if (mill_log_init(&engine->log, MILL_MAX_WORKERS + MILL_LANES, &engine->output))
        return engine;
    mill_api_free(engine);
    return NULL;
}

void mill_engine_salt(struct tidemill *engine, lua_State *L)
{
    mill_identity_take(L, &engine->identity);
    engine->salt = mill_identity_hash(&engine->identity);
}

static tidemill_status set(struct tidemill *engine, const char *name, const char *value)
{
    return mill_settings_set(engine, name, value, MILL_FROM_COMMAND, NULL, &engine->error);
}

/* What the host program has set in its configuration. */
static tidemill_status take_config(struct tidemill *engine, const tidemill_config *config)
{
    char number[24];
    tidemill_status status = TIDEMILL_OK;
    if (config->workers < TIDEMILL_SERIAL || config->workers > MILL_MAX_WORKERS) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "workers: expected 1 to %d, 0 or TIDEMILL_SERIAL", MILL_MAX_WORKERS);
    }
    if (config->workers != 0) {
        int threads = config->workers == TIDEMILL_SERIAL ? 0 : config->workers;
        snprintf(number, sizeof number, "%d", threads);
        status = set(engine, "workers", number);
    }
    if (status == TIDEMILL_OK && config->seed != 0) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)config->seed);
        status = set(engine, "seed", number);
    }
    if (status == TIDEMILL_OK && config->cache) status = set(engine, "cache", config->cache);
    if (status == TIDEMILL_OK && config->worker_program) {
        status = set(engine, "worker_path", config->worker_program);
    }
    if (status == TIDEMILL_OK) status = mill_api_set_patience(engine, config->close_patience);
    if (status != TIDEMILL_OK) return status;
    if (config->deadline < 0 || config->deadline != config->deadline) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "deadline: expected seconds, or 0");
    }
    if (!config->sandbox && (config->allow || config->modules)) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "allow, modules: these are of a sandbox; expected sandbox = 1");
    }
    if (config->sandbox == 0) return TIDEMILL_OK;
    return mill_confine_set(&engine->confine, config->allow, config->modules, &engine->error);
}

static tidemill_config full_config(const tidemill_config *config)
{
    tidemill_config full = {.size = sizeof full};
    size_t size = config && config->size < sizeof full ? config->size : sizeof full;
    if (config) memcpy(&full, config, size);
    return full;
}

/* `apart`: the script's state is in another process. */
static tidemill_status open_state(struct tidemill *engine, const tidemill_config *config,
                                  bool apart)
{
    tidemill_status status = take_config(engine, config);
    if (status == TIDEMILL_OK) status = mill_settings_environment(engine, &engine->error);
    if (status != TIDEMILL_OK) return status;
    if (apart) return mill_proxy_open(engine, config);
    engine->L = mill_state_open(&engine->scope, &engine->error);
    if (engine->L == NULL) return engine->error.status;
    mill_engine_salt(engine, engine->L);
    return mill_confine_install(engine->L, &engine->confine, &engine->error);
}

static tidemill_status open_anywhere(const tidemill_config *config, bool apart,
                                     struct tidemill **out)
{
    struct tidemill *engine = *out = engine_new(config);
    if (engine == NULL) return TIDEMILL_MEMORY;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = open_state(engine, config, apart);
    return mill_api_end(engine, status);
}

tidemill_status mill_api_open(const tidemill_config *given, struct tidemill **out)
{
    tidemill_config config = full_config(given);
    return open_anywhere(&config, false, out);
}

tidemill_status tidemill_open(const tidemill_config *given, tidemill **out)
{
    tidemill_config config = full_config(given);
    return open_anywhere(&config, mill_proxy_is_wanted(&config), out);
}

const char *tidemill_version(void)
{
    return TIDEMILL_VERSION " (" LUAJIT_VERSION ")";
}

/* ---- the script's state ------------------------------------------------------------------ */

tidemill_status mill_api_visit(struct tidemill *engine, mill_body *body, void *context)
{
    char *message;
    tidemill_status status = mill_state_call(&engine->scope, body, context, &message);
    if (status == TIDEMILL_OK) return status;
    mill_api_fail(engine, status, message);
    return message ? status : mill_no_memory(&engine->error, "the text of an error");
}

/* ---- results ---------------------------------------------------------------------------- */

int tidemill_exit_status(tidemill *engine)
{
    return engine->exit_status;
}

int64_t tidemill_strict_count(tidemill *engine)
{
    return atomic_load(&engine->degraded);
}

/* ---- stopping --------------------------------------------------------------------------- */

void tidemill_interrupt(tidemill *engine)
{
    if (!mill_birth_is_here(&engine->birth)) return;
    atomic_store(&engine->interrupted, true);
    if (engine->proxy) mill_proxy_ring(engine->proxy);
    if (atomic_load(&engine->pool_open)) mill_pool_interrupt(&engine->pool);
    mill_events_poke(&engine->events);
    mill_session_stop(engine);
}

tidemill_status tidemill_flush(tidemill *engine, double seconds)
{
    struct mill_error error;
    if (!mill_engine_is_here(engine, &error)) return mill_api_say(engine, &error);
    struct mill_store *store = engine->store;
    if (store == NULL || mill_store_flush(store, seconds)) return TIDEMILL_OK;
    return TIDEMILL_IO;
}

const char *tidemill_nearest(const char *word, const char *const *names, size_t count)
{
    return mill_nearest(word, names, count);
}

/* ---- the cache -------------------------------------------------------------------------- */

tidemill_status tidemill_cache(tidemill *engine, const tidemill_cache_request *given,
                               char **text)
{
    tidemill_cache_request request = {.size = sizeof request};
    *text = NULL;
    memcpy(&request, given, given->size < sizeof request ? given->size : sizeof request);
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = mill_settings_files(engine, NULL, &engine->error);
    if (status == TIDEMILL_OK) {
        status = mill_upkeep_run(engine, &request, text, &engine->error);
    }
    return mill_api_end(engine, status);
}

/* ---- worker processes ------------------------------------------------------------------------ */

int tidemill_worker_main(int descriptor)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
        domain != AF_UNIX) {
        fprintf(stderr, "tidemill: --worker is for engines, which start their worker processes "
                        "with it\n");
        return 2;
    }
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    struct mill_message_head head;
    if (recv(descriptor, &head, sizeof head, MSG_PEEK | MSG_WAITALL) == sizeof head &&
        head.kind == MILL_MESSAGE_OPEN) {
        return mill_hosted_run(descriptor);
    }
    tidemill_config config = full_config(NULL);
    struct tidemill *engine = engine_new(&config);
    if (engine == NULL) return 1;
    int status = mill_serve_run(engine, descriptor);
    mill_api_free(engine);
    return status;
}

/* ---- require "tidemill" in somebody's luajit --------------------------------------------- */

static int close_engine(lua_State *L)
{
    struct tidemill **box = lua_touserdata(L, 1);
    mill_api_leave(*box);
    *box = NULL;
    return 0;
}

/* The script that luajit runs; NULL: none that can be known.  The global `arg` keeps the text. */
static const char *script_of(lua_State *L)
{
    const char *path = NULL;
    lua_getglobal(L, "arg");
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 0);
        if (lua_type(L, -1) == LUA_TSTRING) path = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return path;
}

TIDEMILL_API int luaopen_tidemill(lua_State *L);

int luaopen_tidemill(lua_State *L)
{
    lua_getglobal(L, "jit");
    if (!lua_istable(L, -1)) return luaL_error(L, "tidemill needs LuaJIT 2.1");
    tidemill_config config = full_config(NULL);
    struct tidemill **box = lua_newuserdata(L, sizeof *box);
    *box = engine_new(&config);
    if (*box == NULL) return luaL_error(L, "tidemill: out of memory");
    lua_newtable(L);
    lua_pushcfunction(L, close_engine);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "tidemill.box");
    struct tidemill *engine = *box;
    engine->L = L;
    engine->borrowed = true;
    mill_engine_salt(engine, L);
    tidemill_status status = mill_settings_environment(engine, &engine->error);
    if (status == TIDEMILL_OK) status = mill_state_adopt(&engine->scope, L, &engine->error);
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, script_of(L));
    if (status != TIDEMILL_OK) return luaL_error(L, "tidemill: %s", engine->error.text);
    const struct mill_embedded *face = mill_embedded_find("tidemill"); /* as it is: embed.lua */
    if (luaL_loadbuffer(L, face->bytes, face->size, "=[tidemill] tidemill.lua") != 0) {
        return lua_error(L);
    }
    lua_pushliteral(L, "tidemill");
    lua_call(L, 1, 1);
    return 1;
}
