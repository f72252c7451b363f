/* crew: another number of workers.  Nodes, runs, functions and results are the script's and the
 * pool's, and stay; states of workers, their look-ups and child processes go.
 * SPDX-License-Identifier: MIT */
#include "bind/crew.h"

#include <stdlib.h>

#include "base/clock.h"
#include "bind/processes.h"
#include "bind/runner.h"
#include "sched/await.h"
#include "sched/threads.h"

static const double CREW_PATIENCE = 0.1; /* seconds for what is about to end */

static tidemill_status check_idle(struct tidemill *engine, struct mill_error *error)
{
    long long running = atomic_load(&engine->pool.running);
    if (running > 0) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "workers: %lld run%s under way; wait for the end, or cancel", running,
                         running == 1 ? " is" : "s are");
    }
    if (atomic_load(&engine->pool.outside) > 0) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "workers: a request, program or file is under way; wait for its end");
    }
    if (engine->adaptive_setting.enabled) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "workers: the setting adaptive says how many there are");
    }
    if (engine->trace) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "workers: a trace is being taken of those that there are");
    }
    return TIDEMILL_OK;
}

/* How many workers a pool of so many threads has. */
static int total_of(int threads)
{
    return threads > 0 ? threads + MILL_LANES - 1 : 1;
}

/* After the pool was stopped. */
static void dismiss_scopes(struct tidemill *engine)
{
    for (int i = 0; i < engine->pool.worker_total; i++) mill_scope_fini(&engine->scopes[i]);
}

static void take_scopes(struct tidemill *engine, struct mill_scope *scopes)
{
    free(engine->scopes);
    engine->scopes = scopes;
    for (int i = 0; i < engine->pool.worker_total; i++) {
        mill_scope_init(&scopes[i], engine, &engine->pool.workers[i]);
    }
}

/* On failure there are as many as before, and start again. */
static tidemill_status replace_workers(struct tidemill *engine, int wanted,
                                       struct mill_error *error)
{
    struct mill_pool *pool = &engine->pool;
    int total = total_of(wanted);
    struct mill_scope *scopes = calloc((size_t)total, sizeof *scopes);
    struct mill_lookup_worker *lookups = calloc((size_t)total, sizeof *lookups);
    tidemill_status status = scopes && lookups ? TIDEMILL_OK : mill_no_memory(error, "workers");
    if (status == TIDEMILL_OK) {
        if (engine->workers == 0) mill_runner_close(engine, &pool->workers[0]);
        mill_pool_stop(pool);
        mill_processes_close(engine);
        dismiss_scopes(engine);
        status = mill_pool_resize(pool, wanted, error);
    }
    if (status != TIDEMILL_OK) {
        free(scopes);
        free(lookups);
        return status;
    }
    engine->workers = wanted;
    take_scopes(engine, scopes);
    mill_lookup_take(&engine->lookup, lookups, total);
    return TIDEMILL_OK;
}

static tidemill_status set_setting(struct tidemill *engine, const char *text,
                                   struct mill_error *error)
{
    return mill_settings_set(engine, "workers", text, MILL_FROM_COMMAND, NULL, error);
}

tidemill_status mill_crew_set(struct tidemill *engine, const char *text,
                              struct mill_error *error)
{
    if (!engine->pool_open) return set_setting(engine, text, error);
    mill_pool_wait_all(&engine->pool, mill_clock_after(CREW_PATIENCE));
    mill_scope_sweep(&engine->scope);
    tidemill_status status = check_idle(engine, error);
    if (status != TIDEMILL_OK) return status;
    int before = engine->workers;
    engine->pool_open = false; /* nobody has started, as far as settings are concerned */
    status = set_setting(engine, text, error);
    int wanted = engine->workers;
    if (status == TIDEMILL_OK && wanted != before) {
        engine->workers = before; /* what a worker that ends looks at */
        status = replace_workers(engine, wanted, error);
    }
    engine->pool_open = true;
    return status;
}
