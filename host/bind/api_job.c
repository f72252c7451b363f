/* api_job: jobs of tidemill.h.  SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bind/api.h"
#include "bind/api_call.h"
#include "bind/encode.h"
#include "bind/lib.h"
#include "bind/proxy.h"
#include "sched/await.h"
#include "sched/cancel.h"

/* ---- submitting --------------------------------------------------------------------------- */

struct submission {
    struct mill_error *error;
    const char *name;
    const struct mill_value *options, *arguments;
    size_t count;
    tidemill_status status;
    struct mill_run *run; /* with a reference */
};

static void start_job(lua_State *L, void *context)
{
    struct submission *submission = context;
    luaL_checkstack(L, (int)submission->count + 8, "arguments");
    mill_state_require(L, "tidemill.job");
    lua_getfield(L, -1, "start");
    submission->status = mill_call_push(L, submission->name, submission->error);
    if (submission->status != TIDEMILL_OK) return;
    lua_pushstring(L, submission->name);
    if (submission->options) {
        mill_decode(L, submission->options, NULL);
    } else {
        lua_pushnil(L);
    }
    for (size_t i = 0; i < submission->count; i++) {
        mill_decode(L, &submission->arguments[i], NULL);
    }
    lua_call(L, (int)submission->count + 3, 1);
    submission->run = mill_check_run(L, -1);
    submission->run->refs++;
}

static tidemill_status submit_job(struct tidemill *engine, struct submission *submission)
{
    if (submission->count > 200) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "submit: more than 200 arguments");
    }
    tidemill_status status = mill_api_visit(engine, start_job, submission);
    return status == TIDEMILL_OK ? submission->status : status;
}

tidemill_status tidemill_submit(tidemill *engine, const tidemill_value *options,
                                const char *name, const tidemill_value *arguments, size_t count,
                                tidemill_job **job)
{
    struct submission submission = {
        .error = &engine->error,
        .name = name ? name : "",
        .options = (const struct mill_value *)(const void *)options,
        .arguments = (const struct mill_value *)(const void *)arguments,
        .count = count,
    };
    *job = NULL;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK && engine->proxy) {
        status = mill_proxy_submit(engine, submission.options, submission.name,
                                   submission.arguments, count, job);
        return mill_api_end(engine, status);
    }
    if (status == TIDEMILL_OK) status = mill_api_prepare(engine, NULL);
    if (status == TIDEMILL_OK) {
        status = mill_api_outcome(engine, submit_job(engine, &submission));
    }
    if (submission.run) {
        *job = mill_jobs_add(engine, submission.run);
        if (*job == NULL) status = mill_no_memory(&engine->error, "a job");
    }
    return mill_api_end(engine, status);
}

/* ---- looking ------------------------------------------------------------------------------ */

static bool is_here(const struct tidemill_job *job)
{
    return mill_birth_is_here(&job->birth);
}

tidemill_state tidemill_job_state(tidemill_job *job)
{
    if (!is_here(job)) return TIDEMILL_JOB_PENDING;
    pthread_mutex_lock(&job->mutex);
    tidemill_state state = job->state;
    bool begun = job->begun ||
                 (job->run && atomic_load_explicit(&job->run->begun, memory_order_relaxed));
    if (!mill_job_ended(job) && begun) state = TIDEMILL_JOB_RUNNING;
    pthread_mutex_unlock(&job->mutex);
    return state;
}

const char *tidemill_job_error(tidemill_job *job)
{
    if (!is_here(job)) return "";
    pthread_mutex_lock(&job->mutex);
    bool failed = job->state == TIDEMILL_JOB_ERROR || job->state == TIDEMILL_JOB_SKIPPED;
    const char *text = job->error ? job->error : failed ? "out of memory" : "";
    pthread_mutex_unlock(&job->mutex);
    return text;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static struct tidemill *engine_of_job(struct tidemill_job *job)
{
    pthread_mutex_lock(&job->mutex);
    struct tidemill *engine = job->engine;
    pthread_mutex_unlock(&job->mutex);
    return engine;
}

/* Whether it has ended by then. */
static bool wait_for_job(struct tidemill_job *job, int64_t deadline)
{
    struct timespec when = {deadline / 1000000000, deadline % 1000000000};
    int result = 0;
    pthread_mutex_lock(&job->mutex);
    while (!mill_job_ended(job) && result == 0) {
        result = deadline == INT64_MAX
                     ? pthread_cond_wait(&job->ended, &job->mutex)
                     : pthread_cond_timedwait(&job->ended, &job->mutex, &when);
    }
    bool ended = mill_job_ended(job);
    pthread_mutex_unlock(&job->mutex);
    return ended;
}

/* The thread that waits runs the tasks. */
static tidemill_status drive_job(struct tidemill *engine, struct tidemill_job *job,
                                 int64_t deadline)
{
    tidemill_status status = mill_api_enter_until(engine, deadline);
    if (status != TIDEMILL_OK) return status;
    status = mill_api_prepare(engine, NULL);
    pthread_mutex_lock(&job->mutex);
    struct mill_run *run = mill_job_ended(job) ? NULL : job->run;
    pthread_mutex_unlock(&job->mutex);
    if (status == TIDEMILL_OK && run) mill_pool_wait(&engine->pool, run, deadline);
    return mill_api_end(engine, status);
}

static tidemill_status say_of_job(struct tidemill *engine, tidemill_status status,
                                  const char *text)
{
    struct mill_error error;
    mill_fail(&error, status, "%s", text);
    return mill_api_say(engine, &error);
}

tidemill_status tidemill_wait(tidemill_job *job, double seconds)
{
    if (!is_here(job)) return TIDEMILL_UNSUPPORTED;
    int64_t deadline = mill_clock_after(seconds);
    struct tidemill *engine = engine_of_job(job);
    if (engine) {
        tidemill_status status = mill_api_check(engine);
        if (status == TIDEMILL_OK && engine->workers == 0 && !engine->proxy) {
            status = drive_job(engine, job, deadline);
        }
        if (status != TIDEMILL_OK) return status;
    }
    if (wait_for_job(job, deadline)) return TIDEMILL_OK;
    return say_of_job(engine, TIDEMILL_BUSY, "wait: the job has not ended");
}

/* ---- the result --------------------------------------------------------------------------- */

/* It has ended. */
static tidemill_status result_of_job(struct tidemill_job *job, tidemill_value *value)
{
    switch (job->state) {
    case TIDEMILL_JOB_FINISHED:
        *value = mill_value_out(mill_value_ref(job->result));
        return TIDEMILL_OK;
    case TIDEMILL_JOB_CANCELLED:
        return TIDEMILL_CANCELLED;
    default:
        return job->failure ? job->failure : TIDEMILL_ERROR;
    }
}

/* Its value lies in the cache alone. */
static tidemill_status fetch_result(struct tidemill *engine, struct tidemill_job *job)
{
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) mill_job_load(engine, job, &engine->reader);
    return mill_api_end(engine, status);
}

tidemill_status tidemill_job_result(tidemill_job *job, tidemill_value *value)
{
    memset(value, 0, sizeof *value);
    if (!is_here(job)) return TIDEMILL_UNSUPPORTED;
    pthread_mutex_lock(&job->mutex);
    struct tidemill *engine = job->engine;
    bool ended = mill_job_ended(job), stored = job->stored;
    pthread_mutex_unlock(&job->mutex);
    if (!ended) return say_of_job(engine, TIDEMILL_BUSY, "job_result: the job has not ended");
    tidemill_status status = stored && engine ? fetch_result(engine, job) : TIDEMILL_OK;
    if (status != TIDEMILL_OK) return status;
    pthread_mutex_lock(&job->mutex);
    status = result_of_job(job, value);
    pthread_mutex_unlock(&job->mutex);
    if (status == TIDEMILL_CANCELLED) {
        say_of_job(engine, status, "job_result: the job was cancelled");
    } else if (status != TIDEMILL_OK) {
        say_of_job(engine, status, tidemill_job_error(job));
    }
    return status;
}

/* ---- ending ------------------------------------------------------------------------------- */

/* The job's lock keeps the run. */
void tidemill_cancel(tidemill_job *job)
{
    if (!is_here(job)) return;
    pthread_mutex_lock(&job->mutex);
    bool ended = mill_job_ended(job);
    struct tidemill *engine = job->engine;
    if (job->run && !ended) mill_run_cancel(job->run);
    pthread_mutex_unlock(&job->mutex);
    if (job->errand && engine && !ended) mill_proxy_cancel(engine, job->errand);
}

void tidemill_job_release(tidemill_job *job)
{
    if (job && is_here(job)) mill_job_unref(job);
}
