/* engine: what one tidemill is made of: its pool and its cache, opened when first needed.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/engine.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folders.h"
#include "bind/adapt.h"
#include "bind/anatomy.h"
#include "bind/processes.h"
#include "bind/runner.h"
#include "bind/serve.h"
#include "bind/watch.h"
#include "lane/hub.h"
#include "sched/await.h"
#include "sched/cancel.h"
#include "sched/parked.h"
#include "sched/threads.h"

void mill_engine_warn(void *context, const char *text)
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

void mill_engine_open_cache(struct tidemill *engine)
{
    if (engine->cache_tried) return;
    engine->cache_tried = true;
    if (engine->cache_path && strcmp(engine->cache_path, "off") == 0) return;
    bool made_up = engine->cache_path == NULL;
    if (made_up) {
        engine->cache_path = mill_user_file("XDG_CACHE_HOME", ".cache", "cache.db");
    }
    if (engine->cache_path == NULL) {
        warn_degraded(engine, "no cache: neither XDG_CACHE_HOME nor HOME is set");
        return;
    }
    struct mill_store_options options = {
        .path = engine->cache_path,
        .make_folder = made_up,
        .memory = &engine->memory,
        .limits = mill_keep_limits(engine),
        .default_limit = engine->keep.bytes == MILL_KEEP_AUTO,
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

/* A result that a task of another run waits for, read by the worker that needs it. */
static bool load_result(void *context, struct mill_worker *worker, struct mill_task *task)
{
    struct tidemill *engine = context;
    return mill_lookup_load(&engine->lookup, mill_lookup_reader(&engine->lookup, worker), task);
}

/* What a function's key is made of. */
static void list_parts(void *context, const struct mill_function *function,
                       struct mill_packer *parts)
{
    const struct tidemill *engine = context;
    char text[160];
    mill_identity_text(&engine->identity, text, sizeof text);
    mill_parts_add(parts, MILL_PART_ENGINE, "", engine->salt, text);
    mill_packer_bytes(parts, function->policy.said, function->policy.said_size);
    mill_anatomy_of(&function->code, parts);
}

static void rest(void *context, struct mill_worker *worker)
{
    struct tidemill *engine = context;
    mill_lookup_rest(&engine->lookup, worker);
}

/* What happened on a worker, for the trace. */
static void trace_event(void *context, struct mill_worker *worker, enum mill_event event,
                        struct mill_task *task, int argument, int64_t begin, int64_t end)
{
    static const enum mill_trace_kind kinds[] = {
        [MILL_EVENT_TASK] = MILL_TRACE_TASK,   [MILL_EVENT_HIT] = MILL_TRACE_HIT,
        [MILL_EVENT_STEAL] = MILL_TRACE_STEAL, [MILL_EVENT_SLEEP] = MILL_TRACE_SLEEP,
        [MILL_EVENT_WAIT] = MILL_TRACE_WAIT,   [MILL_EVENT_RETRY] = MILL_TRACE_RETRY,
    };
    struct tidemill *engine = context;
    const struct mill_function *function = task ? mill_task_function(task) : NULL;
    int64_t more = argument;
    if (event == MILL_EVENT_TASK) {
        more = mill_trace_why(engine->trace, argument, function->lane_reason);
    }
    mill_trace_task(engine->trace, worker->index + 1, function ? function->serial : 0,
                    function ? function->name : NULL, kinds[event], begin, end, more);
}

static void lost(void *context, enum mill_lane lane, const struct mill_error *reason)
{
    (void)lane;
    struct tidemill *engine = context;
    char text[1100];
    snprintf(text, sizeof text, "%s; its tasks run on threads", reason->text);
    warn_degraded(engine, text);
}

static void name_lanes(struct tidemill *engine)
{
    static const char *const titles[] = {
        [MILL_LANE_LOOP] = "loop lane", [MILL_LANE_PROCESS] = "process lane"};
    for (int i = MILL_LANE_THREAD + 1; engine->trace && i < MILL_LANES; i++) {
        struct mill_worker *worker = mill_pool_lane(&engine->pool, (enum mill_lane)i);
        if (worker) mill_trace_title(engine->trace, worker->index + 1, titles[i]);
    }
}

int mill_engine_threads(const struct tidemill *engine)
{
    int most = engine->adaptive_setting.enabled ? engine->adaptive_setting.maximum : 0;
    return engine->workers > 0 && most > engine->workers ? most : engine->workers;
}

static tidemill_status set_limits(struct tidemill *engine, struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    for (size_t i = 0; i < engine->limit_count && status == TIDEMILL_OK; i++) {
        status = mill_resources_limit(&engine->pool.resources, engine->limits[i].name,
                                      engine->limits[i].most, error);
    }
    return status;
}

static bool open_scopes(struct tidemill *engine)
{
    int count = engine->pool.worker_total;
    engine->scopes = calloc((size_t)count, sizeof *engine->scopes);
    for (int i = 0; engine->scopes && i < count; i++) {
        mill_scope_init(&engine->scopes[i], engine, &engine->pool.workers[i]);
    }
    return engine->scopes != NULL;
}

static void close_scopes(struct tidemill *engine)
{
    for (int i = 0; engine->scopes && i < engine->pool.worker_total; i++) {
        mill_scope_fini(&engine->scopes[i]);
    }
    free(engine->scopes);
    engine->scopes = NULL;
}

bool mill_engine_is_here(const struct tidemill *engine, struct mill_error *error)
{
    if (mill_birth_is_here(&engine->birth)) return true;
    mill_fail(
        error, TIDEMILL_UNSUPPORTED,
        "this process has forked off the one that opened the engine, which is of no use here; "
        "open another one");
    return false;
}

static struct mill_pool_options pool_options(struct tidemill *engine)
{
    struct mill_pool_options options = {
        .threads = mill_engine_threads(engine),
        .lanes[MILL_LANE_LOOP] = {.drive = mill_runner_drive, .context = engine},
        .lanes[MILL_LANE_PROCESS] = mill_processes_driver(engine),
        .drive = mill_runner_drive,
        .context = engine,
        .memory = &engine->memory,
        .load = load_result,
        .rest = rest,
        .lost = lost,
        .event = engine->trace ? trace_event : NULL,
    };
    if (engine->serve) {
        options.lanes[MILL_LANE_THREAD] = (struct mill_lane_driver){
            .sleep = mill_serve_sleep, .wake = mill_serve_wake, .context = engine};
    }
    return options;
}

static bool open_lookup(struct tidemill *engine)
{
    struct mill_lookup *lookup = &engine->lookup;
    lookup->store = engine->store;
    lookup->files = &engine->files;
    lookup->memory = &engine->memory;
    lookup->warn = mill_engine_warn;
    lookup->context = engine;
    lookup->find_opaque = mill_anatomy_opaque;
    lookup->ledger = engine->store ? mill_ledger_new(list_parts, engine) : NULL;
    lookup->ttl = engine->keep.ttl;
    return mill_lookup_init(lookup, engine->pool.worker_total);
}

/* What hangs on the pool's workers. */
static tidemill_status furnish_pool(struct tidemill *engine, struct mill_error *error)
{
    name_lanes(engine);
    tidemill_status status = set_limits(engine, error);
    if (status != TIDEMILL_OK) return status;
    if (!open_scopes(engine)) return mill_no_memory(error, "workers");
    if (open_lookup(engine)) return TIDEMILL_OK;
    close_scopes(engine);
    return mill_no_memory(error, "the cache's memory for workers");
}

tidemill_status mill_engine_start(struct tidemill *engine, struct mill_error *error)
{
    if (!mill_engine_is_here(engine, error)) return TIDEMILL_UNSUPPORTED;
    if (engine->pool_open) return TIDEMILL_OK;
    mill_engine_open_cache(engine);
    tidemill_status status = mill_watch_trace(engine, error);
    if (status == TIDEMILL_OK) status = mill_limit_start(engine, error);
    if (status != TIDEMILL_OK) return status;
    struct mill_pool_options options = pool_options(engine);
    status = mill_pool_init(&engine->pool, &options, error);
    if (status != TIDEMILL_OK) return status;
    status = furnish_pool(engine, error);
    if (status != TIDEMILL_OK) {
        mill_pool_fini(&engine->pool);
        return status;
    }
    if (engine->L) { /* a worker process has no script, and was told */
        engine->package_path = package_field(engine->L, "path");
        engine->package_cpath = package_field(engine->L, "cpath");
    }
    engine->pool_open = true;
    return mill_adapt_start(engine, error);
}

struct mill_hub *mill_engine_hub(struct tidemill *engine, struct mill_error *error)
{
    pthread_mutex_lock(&engine->hub_lock);
    if (engine->hub == NULL) mill_hub_open(&engine->pool, 0, &engine->hub, error);
    struct mill_hub *hub = engine->hub;
    pthread_mutex_unlock(&engine->hub_lock);
    return hub;
}

/* No worker runs any more, and the pool, which the hub tells of what ends, is still there. */
static void close_hub(struct tidemill *engine)
{
    if (engine->hub) mill_hub_close(engine->hub);
    engine->hub = NULL;
}

void mill_engine_stop(struct tidemill *engine)
{
    if (!mill_birth_is_here(&engine->birth))
        return; /* the threads are not here to be stopped */
    if (engine->pool_open) {
        struct mill_pool *pool = &engine->pool;
        mill_adapt_stop(engine);
        for (size_t i = 0; i < engine->scope.left_count; i++) {
            mill_run_cancel(engine->scope.left[i]);
        }
        engine->pool_open = false;
        if (engine->workers == 0) mill_runner_close(engine, &pool->workers[0]);
        mill_pool_stop(pool); /* no worker runs from here on */
        mill_processes_close(engine);
        close_hub(engine);
        for (size_t i = 0; i < engine->scope.left_count; i++) {
            mill_run_free(engine->scope.left[i]);
        }
        engine->scope.left_count = 0;
        close_scopes(engine);
        mill_lookup_fini(&engine->lookup);
        if (engine->lookup.ledger) mill_ledger_keep(engine->lookup.ledger, engine->store);
        mill_ledger_free(engine->lookup.ledger);
        engine->lookup.ledger = NULL;
        mill_pool_fini(pool);
    }
    mill_reader_close(engine->reader);
    engine->reader = NULL;
    struct mill_store *store = engine->store;
    engine->store = NULL;
    if (store) mill_store_close(store);
}

/* ---- runs that nobody holds -------------------------------------------------------------- */

struct mill_unasked {
    struct mill_unasked *next;
    struct mill_run *run; /* NULL: freed */
    struct mill_value error;
    char *task;
};

enum { MAX_UNASKED = 1000 }; /* more are as bad as the first ones */

static void unasked_free(struct mill_unasked *unasked)
{
    mill_value_unref(unasked->error);
    free(unasked->task);
    free(unasked);
}

void mill_engine_report(struct tidemill *engine, struct mill_task *task,
                        const struct mill_value *error)
{
    struct mill_run *run = task->run;
    if (!run->nested || atomic_load(&run->asked)) return;
    char *name = strdup(mill_task_function(task)->name);
    mill_engine_add_unasked(engine, run, name, error);
    /* Who asks sets `asked` and then looks at `reported`; one of both sees the other. */
    if (atomic_load(&run->asked)) mill_engine_asked(engine, run);
}

bool mill_engine_add_unasked(struct tidemill *engine, struct mill_run *run, char *task,
                             const struct mill_value *error)
{
    struct mill_unasked *unasked = calloc(1, sizeof *unasked);
    if (unasked == NULL || task == NULL) {
        free(unasked);
        free(task);
        return false;
    }
    *unasked = (struct mill_unasked){NULL, run, mill_value_ref(*error), task};
    pthread_mutex_lock(&engine->unasked_lock);
    struct mill_unasked **end = &engine->unasked;
    while (*end) end = &(*end)->next;
    bool kept = engine->unasked_count < MAX_UNASKED;
    if (kept) {
        *end = unasked;
        engine->unasked_count++;
        if (run) atomic_store(&run->reported, true);
    }
    pthread_mutex_unlock(&engine->unasked_lock);
    if (!kept) unasked_free(unasked);
    return kept;
}

void mill_engine_asked(struct tidemill *engine, struct mill_run *run)
{
    atomic_store(&run->asked, true);
    if (!atomic_load(&run->reported)) return;
    pthread_mutex_lock(&engine->unasked_lock);
    struct mill_unasked **link = &engine->unasked;
    while (*link) {
        struct mill_unasked *unasked = *link;
        if (unasked->run != run) {
            link = &unasked->next;
            continue;
        }
        *link = unasked->next;
        engine->unasked_count--;
        unasked_free(unasked);
    }
    pthread_mutex_unlock(&engine->unasked_lock);
}

void mill_engine_forget(struct tidemill *engine, struct mill_run *run)
{
    if (!atomic_load(&run->reported)) return;
    pthread_mutex_lock(&engine->unasked_lock);
    for (struct mill_unasked *unasked = engine->unasked; unasked; unasked = unasked->next) {
        if (unasked->run == run) unasked->run = NULL;
    }
    pthread_mutex_unlock(&engine->unasked_lock);
}

bool mill_engine_has_unasked(struct tidemill *engine)
{
    pthread_mutex_lock(&engine->unasked_lock);
    bool any = engine->unasked != NULL;
    pthread_mutex_unlock(&engine->unasked_lock);
    return any;
}

bool mill_engine_unasked(struct tidemill *engine, char **task, struct mill_value *error)
{
    pthread_mutex_lock(&engine->unasked_lock);
    struct mill_unasked *first = engine->unasked;
    engine->unasked = NULL;
    engine->unasked_count = 0;
    pthread_mutex_unlock(&engine->unasked_lock);
    if (first) {
        *task = first->task;
        *error = first->error;
    }
    for (struct mill_unasked *unasked = first; unasked;) {
        struct mill_unasked *next = unasked->next;
        if (unasked == first) {
            free(unasked);
        } else {
            unasked_free(unasked);
        }
        unasked = next;
    }
    return first != NULL;
}

void mill_engine_cancel_all(struct tidemill *engine)
{
    struct mill_token *token = engine->token;
    if (token == NULL) return;
    engine->token = mill_token_new(); /* what is started from here on has another */
    if (engine->pool_open) mill_pool_cancel(&engine->pool, token);
    mill_token_unref(token);
}

bool mill_engine_wait(struct tidemill *engine)
{
    if (!engine->pool_open) return true;
    struct mill_pool *pool = &engine->pool;
    mill_pool_block(pool, NULL, NULL);
    bool ended = mill_pool_wait_all(pool, INT64_MAX);
    mill_pool_unblock(pool);
    mill_scope_sweep(&engine->scope);
    return ended;
}
