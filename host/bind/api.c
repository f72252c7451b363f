/* api: the functions of tidemill.h, and luaopen_tidemill.  SPDX-License-Identifier: MIT */
#include <errno.h>
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
#include "bind/modules.h"
#include "bind/proxy.h"
#include "bind/recorder.h"
#include "bind/runner.h"
#include "bind/serve.h"
#include "bind/session.h"
#include "bind/state.h"
#include "bind/upkeep.h"
#include "bind/watch.h"
#include "data/file.h"
#include "lane/message.h"
#include "sched/await.h"

static const char result_key[] = "tidemill.result";

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

/* ---- running ---------------------------------------------------------------------------- */

void mill_api_push_result(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, result_key);
}

/* For a record; text NULL: it is not known. */
static void record_script(struct tidemill *engine, const char *name, const char *text,
                          size_t size, int argc, char **argv)
{
    if (engine->recorder) {
        mill_recorder_begin(engine->recorder, name, text, size, argc, argv);
    }
}

static void record_script_file(struct tidemill *engine, const char *path, int argc, char **argv)
{
    struct mill_buffer *bytes = NULL;
    if (engine->recorder == NULL) return;
    if (mill_file_read(NULL, path, &bytes, NULL, NULL) == TIDEMILL_OK) {
        record_script(engine, path, (const char *)bytes->data, bytes->size, argc, argv);
    } else {
        record_script(engine, path, NULL, 0, argc, argv);
    }
    mill_buffer_unref(bytes);
}

/* `arg` and `...` of a script; pushes the latter. */
static int push_script_arguments(lua_State *L, const char *name, int argc, char **argv)
{
    lua_createtable(L, argc, 1);
    lua_pushstring(L, name);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    mill_confine_push_globals(L);
    lua_insert(L, -2);
    lua_pushliteral(L, "arg");
    lua_insert(L, -2);
    lua_rawset(L, -3); /* no metamethod of the script's runs here */
    lua_pop(L, 1);
    luaL_checkstack(L, argc + 8, "too many arguments");
    for (int i = 0; i < argc; i++) lua_pushstring(L, argv[i]);
    return argc;
}

/* Whether the script or its tasks have started what somebody is to wait for, or to ask for. */
static bool is_to_be_ended(struct tidemill *engine)
{
    lua_State *L = engine->L;
    luaL_findtable(L, LUA_REGISTRYINDEX, "_LOADED", 1);
    lua_getfield(L, -1, "tidemill.future");
    bool used = lua_istable(L, -1);
    lua_pop(L, 2);
    return used || (engine->pool_open && (atomic_load(&engine->pool.running) > 0 ||
                                          mill_engine_has_unasked(engine)));
}

/* (): future.close() */
static int close_futures(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidemill.future");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "close");
    lua_call(L, 0, 0);
    return 0;
}

/* The end of a script waits for what it and its tasks have submitted; an error of a task that nobody
 * asked for is the script's. */
static tidemill_status end_futures(struct tidemill *engine)
{
    if (!is_to_be_ended(engine)) return TIDEMILL_OK;
    lua_pushcfunction(engine->L, close_futures);
    char *message;
    tidemill_status status = mill_state_call(engine->L, 0, 0, &message);
    return status == TIDEMILL_OK ? status : mill_api_fail(engine, status, message);
}

tidemill_status mill_api_outcome(struct tidemill *engine, tidemill_status status)
{
    if (engine->exiting) return mill_api_fail(engine, TIDEMILL_EXIT, NULL);
    if (atomic_load(&engine->interrupted)) {
        mill_api_fail(engine, TIDEMILL_CANCELLED, NULL);
        return mill_fail(&engine->error, TIDEMILL_CANCELLED, "interrupted");
    }
    return status;
}

/* A trace that cannot be written fails a run that has gone well. */
static tidemill_status end_watching(struct tidemill *engine, const char *name, int64_t began,
                                    tidemill_status status)
{
    struct mill_error error;
    mill_watch_ran(engine, name, began);
    tidemill_status failure = mill_watch_end(engine, &error);
    if (failure == TIDEMILL_OK) return status;
    if (status == TIDEMILL_OK) return mill_fail(&engine->error, failure, "%s", error.text);
    mill_output_warn(&engine->output, "%s", error.text);
    return status;
}

/* Runs the chunk on top of the stack. */
static tidemill_status run_chunk(struct tidemill *engine, const char *name, int argc,
                                 char **argv)
{
    lua_State *L = engine->L;
    mill_confine_function(L);
    int count = push_script_arguments(L, name, argc, argv);
    int64_t began = mill_clock_now();
    char *message;
    tidemill_status status = mill_state_call(L, count, 1, &message);
    if (status != TIDEMILL_OK) {
        mill_api_fail(engine, status, message);
    } else {
        lua_setfield(L, LUA_REGISTRYINDEX, result_key);
        status = end_futures(engine);
    }
    return end_watching(engine, name, began, mill_api_outcome(engine, status));
}

/* The message of a failed load is on top. */
static tidemill_status fail_syntax(struct tidemill *engine)
{
    const char *text = lua_tostring(engine->L, -1);
    mill_fail(&engine->error, TIDEMILL_SYNTAX, "%s", text ? text : "syntax error");
    lua_pop(engine->L, 1);
    return TIDEMILL_SYNTAX;
}

static tidemill_status check_readable(struct tidemill *engine, const char *path)
{
    FILE *file = fopen(path, "re");
    char byte;
    bool fine = file && (fread(&byte, 1, 1, file) == 1 || !ferror(file));
    int reason = errno;
    if (file) fclose(file);
    if (fine) return TIDEMILL_OK;
    return mill_fail(&engine->error, TIDEMILL_IO, "%s: %s", path, strerror(reason));
}

/* Modules that lie beside the script are found wherever it was started from. */
static void add_folder(lua_State *L, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return; /* the current folder is on the path already */
    lua_getglobal(L, "package");
    lua_pushlstring(L, path, (size_t)(slash - path));
    const char *folder = lua_tostring(L, -1);
    lua_getfield(L, -2, "path");
    lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder, folder, lua_tostring(L, -1));
    lua_setfield(L, -4, "path");
    lua_pop(L, 3);
}

static tidemill_status run_file(struct tidemill *engine, const char *path, int argc,
                                char **argv)
{
    bool standard_input = strcmp(path, "-") == 0;
    tidemill_status status = mill_api_prepare(engine, standard_input ? NULL : path);
    if (status == TIDEMILL_OK && !standard_input) status = check_readable(engine, path);
    if (status != TIDEMILL_OK) return status;
    if (standard_input) {
        record_script(engine, path, NULL, 0, argc, argv);
    } else {
        record_script_file(engine, path, argc, argv);
    }
    const char *mode = mill_confine_mode(&engine->confine);
    if (luaL_loadfilex(engine->L, standard_input ? NULL : path, mode) != 0) {
        return fail_syntax(engine);
    }
    if (!standard_input) add_folder(engine->L, path);
    return run_chunk(engine, path, argc, argv);
}

/* Runs it where the script is, unless that is here: then *apart is false. */
static tidemill_status run_apart(struct tidemill *engine, enum mill_request what,
                                 const char *name, const char *code, int argc, char **argv,
                                 bool *apart)
{
    *apart = engine->proxy != NULL;
    return *apart ? mill_proxy_run(engine, what, name, code, argc, argv) : TIDEMILL_OK;
}

tidemill_status tidemill_run_file(tidemill *engine, const char *path, int argc, char **argv)
{
    bool apart = false;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) {
        status = run_apart(engine, MILL_REQUEST_RUN_FILE, path, NULL, argc, argv, &apart);
    }
    if (status == TIDEMILL_OK && !apart) status = run_file(engine, path, argc, argv);
    return mill_api_end(engine, status);
}

static tidemill_status run_shipped(struct tidemill *engine, const char *name, int argc,
                                   char **argv)
{
    char full[128];
    snprintf(full, sizeof full, "script:%s", name);
    const struct mill_embedded *script = mill_embedded_find(full);
    if (script == NULL) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "no script \"%s\" is shipped; `tidemill run` lists them", name);
    }
    char *owned;
    const char *text = mill_embedded_text(script, &owned, &engine->error);
    if (text == NULL) return engine->error.status;
    record_script(engine, name, text, script->size, argc, argv);
    snprintf(full, sizeof full, "@%s.lua", name);
    int failure = luaL_loadbuffer(engine->L, text, script->size, full);
    free(owned);
    return failure ? fail_syntax(engine) : run_chunk(engine, name, argc, argv);
}

tidemill_status tidemill_run_shipped(tidemill *engine, const char *name, int argc, char **argv)
{
    bool apart = false;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) {
        status = run_apart(engine, MILL_REQUEST_RUN_SHIPPED, name, NULL, argc, argv, &apart);
    }
    if (status == TIDEMILL_OK && !apart) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK && !apart) status = run_shipped(engine, name, argc, argv);
    return mill_api_end(engine, status);
}

/* The first comment line of a script, "-- name: what it does". */
static void summary_of(const char *script, char *out, size_t room)
{
    const char *text = strncmp(script, "--", 2) == 0 ? script + 2 : "";
    text += strspn(text, "- ");
    const char *colon = strstr(text, ": ");
    const char *end = text + strcspn(text, "\n");
    if (colon && colon < end) text = colon + 2;
    snprintf(out, room, "%.*s", (int)(end - text), text);
}

void tidemill_each_shipped(void (*visit)(void *context, const char *name, const char *summary),
                           void *context)
{
    for (const struct mill_embedded *entry = mill_embedded; entry->name; entry++) {
        if (strncmp(entry->name, "script:", 7) != 0) continue;
        char summary[200], *owned;
        struct mill_error error;
        const char *text = mill_embedded_text(entry, &owned, &error);
        if (text) summary_of(text, summary, sizeof summary);
        visit(context, entry->name + 7, text ? summary : error.text);
        free(owned);
    }
}

tidemill_status mill_api_set_tm(struct tidemill *engine)
{
    lua_State *L = engine->L;
    if (engine->confine.on) return TIDEMILL_OK; /* it is there */
    lua_getglobal(L, "tm");
    bool there = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (there) return TIDEMILL_OK;
    char *message;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidemill");
    tidemill_status status = mill_state_call(L, 1, 1, &message);
    if (status != TIDEMILL_OK) return mill_api_fail(engine, status, message);
    lua_setglobal(L, "tm");
    return TIDEMILL_OK;
}

static tidemill_status run_string(struct tidemill *engine, const char *code, const char *name,
                                  int argc, char **argv)
{
    tidemill_status status = mill_api_set_tm(engine);
    if (status != TIDEMILL_OK) return status;
    record_script(engine, name, code, strlen(code), argc, argv);
    char chunk[256];
    snprintf(chunk, sizeof chunk, "=%s", name);
    const char *mode = mill_confine_mode(&engine->confine);
    if (luaL_loadbufferx(engine->L, code, strlen(code), chunk, mode) != 0) {
        return fail_syntax(engine);
    }
    return run_chunk(engine, name, argc, argv);
}

tidemill_status tidemill_run_string(tidemill *engine, const char *code, const char *name,
                                    int argc, char **argv)
{
    bool apart = false;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) {
        status = run_apart(engine, MILL_REQUEST_RUN_STRING, name, code, argc, argv, &apart);
    }
    if (status == TIDEMILL_OK && !apart) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK && !apart) status = run_string(engine, code, name, argc, argv);
    return mill_api_end(engine, status);
}

/* ---- results ---------------------------------------------------------------------------- */

static int encode_json(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tidemill.json");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "encode");
    lua_getfield(L, LUA_REGISTRYINDEX, result_key);
    lua_call(L, 1, 1);
    return 1;
}

static tidemill_status result_json(struct tidemill *engine, char **text)
{
    char *message;
    lua_pushcfunction(engine->L, encode_json);
    tidemill_status status = mill_state_call(engine->L, 0, 1, &message);
    if (status != TIDEMILL_OK) return mill_api_fail(engine, status, message);
    *text = strdup(lua_tostring(engine->L, -1));
    lua_pop(engine->L, 1);
    return *text ? TIDEMILL_OK : mill_no_memory(&engine->error, "JSON");
}

tidemill_status tidemill_result_json(tidemill *engine, char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && engine->proxy) {
        return mill_api_end(engine, mill_proxy_result_json(engine, text));
    }
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) status = result_json(engine, text);
    return mill_api_end(engine, status);
}

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

/* ---- settings --------------------------------------------------------------------------- */

static tidemill_status set_any(struct tidemill *engine, const char *name, const char *value)
{
    if (strcmp(name, "config") != 0) return set(engine, name, value);
    if (engine->settings.files_read) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "config: files have been read already");
    }
    char *copy = strdup(value);
    if (copy == NULL) return mill_no_memory(&engine->error, "configuration");
    free(engine->settings.file);
    engine->settings.file = copy;
    return TIDEMILL_OK;
}

tidemill_status tidemill_set(tidemill *engine, const char *name, const char *value)
{
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = set_any(engine, name, value);
    if (status == TIDEMILL_OK && engine->proxy) status = mill_proxy_set(engine, name, value);
    return mill_api_end(engine, status);
}

typedef void visit_setting(void *context, const char *name, const char *value,
                           const char *source);

static tidemill_status each_setting(struct tidemill *engine, const char *script,
                                    visit_setting *visit, void *context)
{
    tidemill_status status = mill_settings_files(engine, script, &engine->error);
    for (int i = 0; i < MILL_SETTING_COUNT && status == TIDEMILL_OK; i++) {
        struct mill_setting_view view;
        if (!mill_settings_view(engine, i, &view)) {
            return mill_no_memory(&engine->error, "settings");
        }
        visit(context, view.name, view.value, view.source);
        mill_settings_view_free(&view);
    }
    return status;
}

tidemill_status tidemill_each_setting(tidemill *engine, const char *script,
                                      void (*visit)(void *context, const char *name,
                                                    const char *value, const char *source),
                                      void *context)
{
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = each_setting(engine, script, visit, context);
    return mill_api_end(engine, status);
}

tidemill_status tidemill_settings_json(tidemill *engine, const char *script, char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = mill_settings_files(engine, script, &engine->error);
    if (status == TIDEMILL_OK) {
        *text = mill_settings_json(engine);
        if (*text == NULL) status = mill_no_memory(&engine->error, "settings");
    }
    return mill_api_end(engine, status);
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
