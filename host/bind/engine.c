/* engine: what one tidemill is made of: its pool and its cache, opened when first needed.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/engine.h"

#include <errno.h>
#include <lauxlib.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/runner.h"

static void warn(void *context, const char *text)
{
    struct tidemill *engine = context;
    mill_output_warn(&engine->output, "%s", text);
}

/* Trouble with the cache: said once, and what --strict minds. */
static void warn_degraded(void *context, const char *text)
{
    struct tidemill *engine = context;
    atomic_fetch_add(&engine->degraded, 1);
    mill_output_warn(&engine->output, "%s", text);
}

/* ---- the cache -------------------------------------------------------------------------- */

/* $XDG_CACHE_HOME/tidemill/cache.db, else ~/.cache/..; malloc'ed; NULL: no home. */
static char *default_cache_path(void)
{
    char *path = NULL;
    const char *folder = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (folder && *folder == '/') {
        return asprintf(&path, "%s/tidemill/cache.db", folder) < 0 ? NULL : path;
    }
    if (home == NULL || *home == '\0') {
        struct passwd *user = getpwuid(getuid());
        home = user ? user->pw_dir : NULL;
    }
    if (home == NULL) return NULL;
    return asprintf(&path, "%s/.cache/tidemill/cache.db", home) < 0 ? NULL : path;
}

void mill_engine_open_cache(struct tidemill *engine)
{
    if (engine->cache_tried) return;
    engine->cache_tried = true;
    if (engine->cache_path && strcmp(engine->cache_path, "off") == 0) return;
    bool made_up = engine->cache_path == NULL;
    if (made_up) engine->cache_path = default_cache_path();
    if (engine->cache_path == NULL) {
        warn_degraded(engine, "no cache: neither XDG_CACHE_HOME nor HOME is set");
        return;
    }
    struct mill_store_options options = {
        .path = engine->cache_path,
        .make_folder = made_up,
        .memory = &engine->memory,
        .warn = warn_degraded,
        .context = engine,
    };
    struct mill_error error;
    struct mill_store *store;
    if (mill_store_open(&options, &store, &error) == TIDEMILL_OK) {
        engine->store = store;
    } else {
        char text[1100];
        snprintf(text, sizeof text, "%s; going on without a cache%s", error.text,
                 made_up ? " (--cache FILE names another, --cache off none)" : "");
        warn_degraded(engine, text);
    }
}

/* ---- starting --------------------------------------------------------------------------- */

static char *package_field(lua_State *L, const char *name)
{
    lua_getglobal(L, "package");
    char *copy = NULL;
    if (lua_istable(L, -1)) {
        lua_getfield(L, -1, name);
        const char *text = lua_tostring(L, -1);
        if (text) copy = strdup(text);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return copy;
}

tidemill_status mill_engine_start(struct tidemill *engine, struct mill_error *error)
{
    if (engine->pool_open) return TIDEMILL_OK;
    mill_engine_open_cache(engine);
    struct mill_pool_options options = {
        .threads = engine->workers,
        .drive = mill_runner_drive,
        .context = engine,
    };
    tidemill_status status = mill_pool_init(&engine->pool, &options, error);
    if (status != TIDEMILL_OK) return status;
    engine->lookup.store = engine->store;
    engine->lookup.files = &engine->files;
    engine->lookup.memory = &engine->memory;
    engine->lookup.warn = warn;
    engine->lookup.context = engine;
    if (!mill_lookup_init(&engine->lookup, engine->pool.worker_count)) {
        mill_pool_fini(&engine->pool);
        return mill_no_memory(error, "the cache's memory for workers");
    }
    engine->package_path = package_field(engine->L, "path");
    engine->package_cpath = package_field(engine->L, "cpath");
    engine->pool_open = true;
    return TIDEMILL_OK;
}

void mill_engine_stop(struct tidemill *engine)
{
    if (engine->pool_open) {
        for (size_t i = 0; i < engine->left_count; i++) mill_run_cancel(engine->left[i]);
        engine->pool_open = false;
        if (engine->workers == 0) mill_runner_close(&engine->pool.workers[0]);
        mill_pool_fini(&engine->pool); /* no worker runs from here on */
        for (size_t i = 0; i < engine->left_count; i++) mill_run_free(engine->left[i]);
        engine->left_count = 0;
        mill_lookup_fini(&engine->lookup);
    }
    mill_reader_close(engine->reader);
    engine->reader = NULL;
    struct mill_store *store = engine->store;
    engine->store = NULL;
    if (store) mill_store_close(store);
}

/* ---- runs that nobody holds -------------------------------------------------------------- */

void mill_engine_leave(struct tidemill *engine, struct mill_run *run)
{
    if (mill_run_ended(run)) {
        mill_run_free(run);
        return;
    }
    if (engine->left_count == engine->left_room) {
        size_t room = engine->left_room ? engine->left_room * 2 : 16;
        struct mill_run **grown = realloc(engine->left, room * sizeof *grown);
        if (grown == NULL) return; /* it cannot be freed while it runs: it stays */
        engine->left = grown;
        engine->left_room = room;
    }
    engine->left[engine->left_count++] = run;
}

void mill_engine_sweep(struct tidemill *engine)
{
    size_t kept = 0;
    for (size_t i = 0; i < engine->left_count; i++) {
        if (mill_run_ended(engine->left[i])) {
            mill_run_free(engine->left[i]);
        } else {
            engine->left[kept++] = engine->left[i];
        }
    }
    engine->left_count = kept;
}

bool mill_engine_wait(struct tidemill *engine)
{
    for (size_t i = 0; i < engine->left_count; i++) {
        if (!mill_pool_wait(&engine->pool, engine->left[i], INT64_MAX)) return false;
    }
    mill_engine_sweep(engine);
    return true;
}
