/* api_close: how an engine ends: what runs is waited for, cancelled, waited for again; only then is
 * anything taken apart, so that an engine with a task that will not end stays whole.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/api_close.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bind/api.h"
#include "bind/api_function.h"
#include "bind/api_kernel.h"
#include "bind/modules.h"
#include "bind/proxy.h"
#include "bind/recorder.h"
#include "bind/state.h"
#include "bind/watch.h"
#include "sched/attempt.h"
#include "sched/await.h"
#include "sched/parked.h"

static const double CLOSE_PATIENCE = 10; /* seconds */

tidemill_status mill_api_set_patience(struct tidemill *engine, double seconds)
{
    if (seconds != seconds) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "close_patience: expected seconds, 0 or INFINITY, got NaN");
    }
    engine->patience = seconds == 0 ? CLOSE_PATIENCE : seconds;
    return TIDEMILL_OK;
}

/* ---- freeing -------------------------------------------------------------------------------- */

/* Values that the host still holds are in its account. */
static void free_husk(struct mill_memory *memory)
{
    free((char *)memory - offsetof(struct tidemill, memory));
}

/* In this order: workers use the state's functions, runs hold nodes, the store has readers. */
void mill_api_free(struct tidemill *engine)
{
    mill_proxy_close(engine);
    if (engine->L && !engine->borrowed) mill_state_close(engine->L); /* leaves its runs */
    mill_engine_stop(engine);
    mill_watch_close(engine);
    mill_modules_fini(engine);
    mill_scope_fini(&engine->scope);
    char *task;
    struct mill_value error;
    if (mill_engine_unasked(engine, &task, &error)) {
        mill_value_unref(error);
        free(task);
    }
    pthread_mutex_destroy(&engine->unasked_lock);
    mill_inquiry_free(engine->inquiry);
    mill_recorder_free(engine->recorder);
    free(engine->dry_stop);
    mill_files_fini(&engine->files);
    mill_means_fini(&engine->means);
    mill_token_unref(engine->token);
    mill_log_fini(&engine->log);
    mill_settings_fini(engine);
    mill_blas_fini(&engine->blas);
    mill_limit_fini(engine);
    mill_output_fini(&engine->output);
    pthread_mutex_destroy(&engine->modules_lock);
    free(engine->worker_path);
    pthread_mutex_destroy(&engine->hub_lock);
    free(engine->package_path);
    free(engine->package_cpath);
    mill_host_functions_fini(engine);
    mill_host_kernels_fini(engine);
    mill_events_fini(&engine->events);
    mill_jobs_fini(&engine->jobs);
    free(engine->message);
    mill_confine_fini(&engine->confine);
    mill_gate_fini(&engine->gate);
    mill_birth_fini(&engine->birth);
    engine->memory.gone = free_husk;
    mill_memory_leave(&engine->memory);
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* INT64_MAX: for ever. */
static int64_t deadline_of(const struct tidemill *engine)
{
    return engine->patience < 0 ? mill_clock_now() : mill_clock_after(engine->patience);
}

/* Whether nothing runs any more.  An interrupt ends the wait, and is used up by it. */
static bool wait_for_all(struct tidemill *engine)
{
    struct mill_pool *pool = &engine->pool;
    if (!engine->pool_open) return true;
    mill_pool_block(pool, NULL, NULL); /* what waits for the script waits in vain */
    bool ended = mill_pool_wait_all(pool, deadline_of(engine));
    mill_pool_unblock(pool);
    if (atomic_exchange(&engine->interrupted, false)) mill_pool_resume(pool);
    return ended;
}

static bool end_all(struct tidemill *engine)
{
    bool at_once = engine->patience < 0 || atomic_load(&engine->interrupted);
    if (engine->pool_open && atomic_exchange(&engine->interrupted, false)) {
        mill_pool_resume(&engine->pool);
    }
    if (!at_once && wait_for_all(engine)) return true;
    mill_engine_cancel_all(engine);
    return wait_for_all(engine);
}

/* Names the tasks that will not end. */
static tidemill_status say_busy(struct tidemill *engine)
{
    char text[600] = "";
    size_t used = 0;
    for (int i = 0; i < engine->pool.worker_total && used < sizeof text - 100; i++) {
        const char *name = mill_worker_doing(&engine->pool.workers[i]);
        if (name == NULL) continue;
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "%sworker %d runs the task \"%.60s\"", used ? ", " : "", i + 1,
                                 name);
    }
    return mill_fail(&engine->error, TIDEMILL_BUSY,
                     "close: %s, and does not end though it was cancelled; the engine and its "
                     "threads are kept, and closing again tries again",
                     used ? text : "something still runs");
}

/* ---- closing -------------------------------------------------------------------------------- */

/* Waits for a call of another thread; one that does not return by itself is interrupted. */
static tidemill_status enter_patiently(struct tidemill *engine)
{
    tidemill_status status = mill_api_enter_until(engine, deadline_of(engine));
    if (status != TIDEMILL_BUSY) return status;
    tidemill_interrupt(engine);
    status = mill_api_enter_until(engine, deadline_of(engine));
    if (status != TIDEMILL_BUSY) return status;
    struct mill_error error;
    mill_fail(
        &error, TIDEMILL_BUSY,
        "close: the call of another thread does not return though it was interrupted; the "
        "engine is kept, and closing again tries again");
    return mill_api_say(engine, &error);
}

static tidemill_status end(struct tidemill *engine)
{
    if (engine->gate.depth > 1) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "close: not from a function that a script of the engine calls");
    }
    if (atomic_load(&engine->events.polling) > 0) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "close: not while a thread is in tidemill_poll or in a callback");
    }
    if (engine->proxy) {
        mill_proxy_end_jobs(engine);
    } else if (!end_all(engine)) {
        return say_busy(engine);
    }
    mill_jobs_close(engine);
    return TIDEMILL_OK;
}

tidemill_status tidemill_close(tidemill *engine)
{
    if (engine == NULL) return TIDEMILL_OK;
    tidemill_status status = enter_patiently(engine);
    if (status != TIDEMILL_OK) return status;
    status = mill_api_end(engine, end(engine));
    if (status == TIDEMILL_OK) mill_api_free(engine);
    return status;
}

/* A thread of the engine may run this code for ever. */
static void stay_loaded(void)
{
    Dl_info here;
    if (!dladdr((void *)(uintptr_t)stay_loaded, &here) || here.dli_fname == NULL) return;
    dlopen(here.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

void mill_api_leave(struct tidemill *engine)
{
    if (engine == NULL || !mill_birth_is_here(&engine->birth)) return;
    tidemill_interrupt(engine);
    if (tidemill_close(engine) == TIDEMILL_OK) return;
    mill_output_warn(&engine->output, "%s", tidemill_error(engine));
    stay_loaded();
}
