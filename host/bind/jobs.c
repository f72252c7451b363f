/* jobs: what a host program has submitted.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/jobs.h"

#include <stdio.h>
#include <stdlib.h>

#include "bind/api.h"
#include "bind/events.h"

/* ---- one job ------------------------------------------------------------------------------ */

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct tidemill_job *new_job(struct tidemill *engine, struct mill_run *run)
{
    struct tidemill_job *job = calloc(1, sizeof *job);
    if (job == NULL) return NULL;
    atomic_init(&job->refs, 1);
    job->birth.process = engine->birth.process;
    pthread_mutex_init(&job->mutex, NULL);
    init_condition(&job->ended);
    job->engine = engine;
    job->run = run;
    return job;
}

/* Under the jobs' mutex and the job's. */
static void give_run_back(struct mill_jobs *jobs, struct tidemill_job *job)
{
    struct mill_run *run = job->run;
    if (run == NULL) return;
    job->run = NULL;
    run->next_queued = atomic_load_explicit(&jobs->spent, memory_order_relaxed);
    atomic_store_explicit(&jobs->spent, run, memory_order_release);
}

static void leave_engine(struct tidemill_job *job)
{
    struct mill_jobs *jobs = &job->engine->jobs;
    pthread_mutex_lock(&jobs->mutex);
    give_run_back(jobs, job);
    if (job->newer) job->newer->older = job->older;
    if (job->older) job->older->newer = job->newer;
    if (jobs->newest == job) jobs->newest = job->older;
    pthread_mutex_unlock(&jobs->mutex);
}

void mill_job_unref(struct tidemill_job *job)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (atomic_fetch_sub_explicit(&job->refs, 1, memory_order_acq_rel) > 1) return;
    if (job->engine) leave_engine(job);
    mill_value_unref(job->result);
    free(job->error);
    pthread_cond_destroy(&job->ended);
    pthread_mutex_destroy(&job->mutex);
    free(job);
}

/* ---- how it has ended --------------------------------------------------------------------- */

static bool is_own_frame(const char *line, size_t size)
{
    static const char *const foreign[] = {"[tidemill]", "[C]: ", "[builtin#",
                                          "(tidemill loop)"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (memmem(line, size, foreign[i], strlen(foreign[i]))) return false;
    }
    return size > 0 && (*line == '\t' || *line == ' ');
}

/* The script's frames of a traceback, as lua/tidemill/errors.lua shows them. */
static void print_frames(FILE *out, const char *text, size_t size)
{
    bool any = false;
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t line = end ? (size_t)(end - text) : size;
        if (is_own_frame(text, line)) {
            fprintf(out, "%s\n%.*s", any ? "" : "\nstack traceback:", (int)line, text);
            any = true;
        }
        text += line + (end != NULL);
        size -= line + (end != NULL);
    }
}

static void print_member(FILE *out, tidemill_value error, const char *name, const char *before)
{
    tidemill_value value;
    size_t size;
    double number;
    if (tidemill_get(error, name, &value) != TIDEMILL_OK) return;
    const char *text = tidemill_to_string(&value, &size);
    if (text && strcmp(name, "traceback") == 0) {
        print_frames(out, text, size);
    } else if (text) {
        fprintf(out, "%s%.*s", before, (int)size, text);
    } else if (tidemill_to_number(value, &number)) {
        fprintf(out, "%s%g", before, number);
    }
    tidemill_release(value);
}

/* Malloc'ed; NULL: no memory.  An error is a table as lua/tidemill/errors.lua has it, or text. */
static char *text_of_error(const char *task, struct mill_value value)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return NULL;
    tidemill_value error = mill_value_out(value);
    const char *plain = tidemill_to_string(&error, &size);
    if (plain) {
        fprintf(out, "%.*s", (int)size, plain);
    } else {
        print_member(out, error, "message", "");
        fprintf(out, "\nin task \"%s\"", task);
        print_member(out, error, "worker", " on worker ");
        print_member(out, error, "traceback", "");
    }
    return fclose(out) == 0 ? text : NULL;
}

static void take_failure(struct tidemill_job *job, struct mill_task *failed)
{
    job->error = text_of_error(mill_task_function(failed)->name, failed->result);
}

static void take_result_value(struct tidemill_job *job, struct mill_task *task)
{
    pthread_mutex_t *lock = job->run->content ? mill_run_lock(task) : NULL;
    if (lock) pthread_mutex_lock(lock);
    job->stored = !mill_task_has_value(task);
    if (!job->stored) job->result = mill_value_ref(task->result);
    if (lock) pthread_mutex_unlock(lock);
}

/* Under the job's mutex; the run has ended. */
static void take_outcome(struct tidemill_job *job)
{
    struct mill_run *run = job->run;
    struct mill_task *task = &run->tasks[run->wanted[0]];
    switch (mill_task_state(task)) {
    case MILL_FINISHED:
        take_result_value(job, task);
        job->state = TIDEMILL_JOB_FINISHED;
        break;
    case MILL_FAILED:
        take_failure(job, task);
        job->state = TIDEMILL_JOB_ERROR;
        break;
    case MILL_SKIPPED: {
        struct mill_task *cause = &run->tasks[atomic_load(&task->cause)];
        if (mill_task_state(cause) == MILL_FAILED) take_failure(job, cause);
        job->state = TIDEMILL_JOB_SKIPPED;
        break;
    }
    default:
        job->state = TIDEMILL_JOB_CANCELLED;
    }
}

/* ---- runs that are needed no more ----------------------------------------------------------- */

void mill_jobs_sweep(struct tidemill *engine)
{
    struct mill_jobs *jobs = &engine->jobs;
    if (atomic_load_explicit(&jobs->spent, memory_order_relaxed) == NULL) return;
    pthread_mutex_lock(&jobs->mutex);
    struct mill_run *run = atomic_exchange(&jobs->spent, NULL);
    pthread_mutex_unlock(&jobs->mutex);
    while (run) {
        struct mill_run *next = run->next_queued;
        mill_scope_leave(&engine->scope, run);
        run = next;
    }
}

/* ---- the end of a run ----------------------------------------------------------------------- */

/* Under the job's mutex, which is given back: whoever waits is told. */
static void tell_end(struct tidemill *engine, struct tidemill_job *job)
{
    bool due = job->due = job->notify != NULL;
    if (due) atomic_fetch_add(&job->refs, 1);
    pthread_cond_broadcast(&job->ended);
    pthread_mutex_unlock(&job->mutex);
    if (due) mill_events_job(&engine->events, job);
}

/* On the thread that has ended the run, or on that which has submitted it. */
static void settle_job(struct tidemill_job *job)
{
    struct tidemill *engine = job->engine; /* it is there: its runs have not all ended yet */
    pthread_mutex_lock(&engine->jobs.mutex);
    pthread_mutex_lock(&job->mutex);
    take_outcome(job);
    if (!job->stored) give_run_back(&engine->jobs, job);
    pthread_mutex_unlock(&engine->jobs.mutex);
    tell_end(engine, job);
    mill_job_unref(job);
}

static void run_ended(struct mill_wait *wait)
{
    settle_job(wait->owner);
}

/* Takes over a reference of the job.  False: no memory. */
static bool watch_run(struct tidemill_job *job)
{
    struct mill_wait *wait = mill_wait_new(run_ended, job);
    struct mill_link *link = wait ? mill_link_new(wait, 0) : NULL;
    bool fine = link != NULL;
    if (link && !mill_source_attach(&job->run->end, link)) {
        mill_link_drop(link);
        settle_job(job);
    } else if (link && !mill_wait_park(wait)) {
        settle_job(job);
    }
    mill_wait_unref(wait);
    return fine;
}

static void join_engine(struct tidemill *engine, struct tidemill_job *job)
{
    struct mill_jobs *jobs = &engine->jobs;
    pthread_mutex_lock(&jobs->mutex);
    job->older = jobs->newest;
    if (job->older) job->older->newer = job;
    jobs->newest = job;
    pthread_mutex_unlock(&jobs->mutex);
}

struct tidemill_job *mill_jobs_add(struct tidemill *engine, struct mill_run *run)
{
    struct tidemill_job *job = new_job(engine, run);
    if (job == NULL) {
        mill_scope_leave(&engine->scope, run);
        return NULL;
    }
    join_engine(engine, job);
    atomic_fetch_add(&job->refs, 1);
    if (watch_run(job)) return job;
    mill_job_unref(job);
    mill_job_unref(job);
    return NULL;
}

/* ---- jobs in another process --------------------------------------------------------------- */

struct tidemill_job *mill_jobs_add_apart(struct tidemill *engine)
{
    struct tidemill_job *job = new_job(engine, NULL);
    if (job) join_engine(engine, job);
    return job;
}

void mill_job_begin(struct tidemill_job *job)
{
    pthread_mutex_lock(&job->mutex);
    job->begun = true;
    pthread_mutex_unlock(&job->mutex);
}

void mill_job_end(struct tidemill_job *job, struct mill_outcome *outcome)
{
    pthread_mutex_lock(&job->mutex);
    if (mill_job_ended(job)) {
        pthread_mutex_unlock(&job->mutex);
        mill_value_unref(outcome->result);
        free(outcome->error);
        return;
    }
    job->state = outcome->state;
    job->failure = outcome->failure;
    job->result = outcome->result;
    job->error = outcome->error;
    tell_end(job->engine, job);
}

/* ---- values in the cache --------------------------------------------------------------------- */

void mill_job_load(struct tidemill *engine, struct tidemill_job *job,
                   struct mill_reader **reader)
{
    pthread_mutex_lock(&engine->jobs.mutex);
    pthread_mutex_lock(&job->mutex);
    if (job->stored && job->run) {
        struct mill_task *task = &job->run->tasks[job->run->wanted[0]];
        if (engine->store && *reader == NULL) *reader = mill_reader_open(engine->store);
        mill_lookup_load(&engine->lookup, *reader, task);
        if (*reader) mill_reader_rest(*reader);
        take_result_value(job, task);
        if (job->stored) {
            job->error = strdup("a result that the cache held could not be read back");
            job->state = TIDEMILL_JOB_ERROR;
            job->stored = false;
        }
        give_run_back(&engine->jobs, job);
    }
    pthread_mutex_unlock(&job->mutex);
    pthread_mutex_unlock(&engine->jobs.mutex);
}

/* ---- all of them ------------------------------------------------------------------------------ */

void mill_jobs_init(struct mill_jobs *jobs)
{
    pthread_mutex_init(&jobs->mutex, NULL);
}

void mill_jobs_close(struct tidemill *engine)
{
    struct mill_jobs *jobs = &engine->jobs;
    for (struct tidemill_job *job = jobs->newest; job; job = job->older) {
        mill_job_load(engine, job, &engine->reader);
        pthread_mutex_lock(&job->mutex);
        job->engine = NULL;
        pthread_mutex_unlock(&job->mutex);
    }
    jobs->newest = NULL;
    mill_jobs_sweep(engine);
}

void mill_jobs_fini(struct mill_jobs *jobs)
{
    pthread_mutex_destroy(&jobs->mutex);
}
