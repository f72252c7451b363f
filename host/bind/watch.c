/* watch: the log and the trace of an engine.  SPDX-License-Identifier: MIT */
#include "bind/watch.h"

#include "base/clock.h"

/* ---- the log ----------------------------------------------------------------------------- */

static tidemill_status open_log(struct tidemill *engine, struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    pthread_mutex_lock(&engine->settings.mutex);
    if (!engine->log_tried && engine->log_path) {
        status = mill_log_open(&engine->log, engine->log_path, engine->log_format, error);
    }
    engine->log_tried = true;
    pthread_mutex_unlock(&engine->settings.mutex);
    return status;
}

void mill_watch_log(struct tidemill *engine)
{
    struct mill_error error;
    if (engine->log_tried || open_log(engine, &error) == TIDEMILL_OK) return;
    mill_output_warn(&engine->output, "log %s; going on without", error.text);
}

/* ---- the trace --------------------------------------------------------------------------- */

tidemill_status mill_watch_trace(struct tidemill *engine, struct mill_error *error)
{
    static const char *const states[] = {
        [MILL_PENDING] = "pending", [MILL_FINISHED] = "finished",   [MILL_FAILED] = "failed",
        [MILL_SKIPPED] = "skipped", [MILL_CANCELLED] = "cancelled",
    };
    if (engine->trace || engine->trace_path == NULL) return TIDEMILL_OK;
    engine->trace = mill_trace_new(MILL_MAX_WORKERS + MILL_LANES, engine->trace_events);
    if (engine->trace == NULL) return mill_no_memory(error, "the trace");
    engine->trace_due = true;
    mill_trace_states(engine->trace, states, sizeof states / sizeof states[0]);
    return TIDEMILL_OK;
}

void mill_watch_ran(struct tidemill *engine, const char *name, int64_t begin)
{
    if (engine->trace == NULL) return;
    mill_trace_task(engine->trace, 0, 0, name, MILL_TRACE_RUN, begin, mill_clock_now(), 0);
    engine->trace_due = true;
}

tidemill_status mill_watch_end(struct tidemill *engine, struct mill_error *error)
{
    if (engine->trace == NULL || engine->trace_path == NULL) return TIDEMILL_OK;
    engine->trace_due = false;
    int64_t left_out = mill_trace_left_out(engine->trace);
    if (left_out > 0) {
        mill_output_warn(&engine->output,
                         "trace %s: %lld events did not fit; trace_events = %lld is the most "
                         "that a worker keeps",
                         engine->trace_path, (long long)left_out,
                         (long long)engine->trace_events);
    }
    struct mill_error reason;
    tidemill_status status = mill_trace_write(engine->trace, engine->trace_path, &reason);
    if (status == TIDEMILL_OK) return status;
    return mill_fail(error, status, "trace %s", reason.text);
}

/* ---- beginning and ending ---------------------------------------------------------------- */

static bool is_named_outside(struct tidemill *engine, const char *setting)
{
    return mill_settings_source(engine, setting) >= MILL_FROM_ENVIRONMENT;
}

tidemill_status mill_watch_begin(struct tidemill *engine, struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    if (!engine->log_tried && engine->log_path && is_named_outside(engine, "log")) {
        struct mill_error reason;
        status = open_log(engine, &reason);
        if (status != TIDEMILL_OK) return mill_fail(error, status, "log: %s", reason.text);
    }
    if (!engine->cache_tried && engine->cache_path && is_named_outside(engine, "cache")) {
        mill_engine_open_cache(engine);
    }
    return mill_watch_trace(engine, error);
}

void mill_watch_close(struct tidemill *engine)
{
    struct mill_error error;
    if (!mill_birth_is_here(&engine->birth)) return;
    if (engine->trace_due && mill_watch_end(engine, &error) != TIDEMILL_OK) {
        mill_output_warn(&engine->output, "%s", error.text);
    }
    mill_trace_free(engine->trace);
    engine->trace = NULL;
}
