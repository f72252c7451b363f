/* api_poll: callbacks of tidemill.h.  SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bind/api.h"
#include "bind/cord.h"
#include "bind/proxy.h"

/* ---- asking for them ------------------------------------------------------------------------ */

tidemill_status tidemill_on_result(tidemill_job *job,
                                   void (*notify)(void *context, tidemill_job *job),
                                   void *context)
{
    if (!mill_birth_is_here(&job->birth)) return TIDEMILL_UNSUPPORTED;
    pthread_mutex_lock(&job->mutex);
    struct tidemill *engine = job->engine;
    job->notify = notify;
    job->context = context;
    bool due = engine && notify && mill_job_ended(job) && !job->due;
    if (due) {
        job->due = true;
        atomic_fetch_add(&job->refs, 1);
    }
    pthread_mutex_unlock(&job->mutex);
    if (due) mill_events_job(&engine->events, job);
    return engine ? TIDEMILL_OK : TIDEMILL_USAGE;
}

tidemill_status tidemill_listen(tidemill *engine, const tidemill_listener *given)
{
    tidemill_listener listener = {.size = sizeof listener};
    tidemill_status status = mill_api_check(engine);
    if (status != TIDEMILL_OK) return status;
    if (given) {
        size_t size = given->size < sizeof listener ? given->size : sizeof listener;
        memcpy(&listener, given, size);
    }
    if (!mill_events_listen(engine, &listener)) {
        struct mill_error error;
        mill_no_memory(&error, "a listener");
        return mill_api_say(engine, &error);
    }
    if (engine->proxy) {
        mill_proxy_listen(engine, (listener.log ? MILL_WISH_LINES : 0) |
                                      (listener.progress ? MILL_WISH_PROGRESS : 0));
    }
    mill_log_tap(&engine->log, listener.log ? mill_events_line : NULL, &engine->events);
    return TIDEMILL_OK;
}

static int open_events(struct tidemill *engine)
{
    struct mill_error error;
    if (mill_api_check(engine) != TIDEMILL_OK) return -1;
    int descriptor = mill_events_open(&engine->events);
    if (descriptor >= 0) return descriptor;
    mill_fail(&error, TIDEMILL_IO, "poll: out of descriptors");
    mill_api_say(engine, &error);
    return -1;
}

int tidemill_poll_descriptor(tidemill *engine)
{
    return open_events(engine);
}

/* ---- calling them --------------------------------------------------------------------------- */

/* Malloc'ed; NULL: there is none, or no memory. */
static char *copy_of_text(struct mill_log_text text)
{
    return text.bytes ? strndup(text.bytes, text.size) : NULL;
}

static void tell_logged(const tidemill_listener *listener, const struct mill_log_line *line)
{
    char *text = copy_of_text(line->text), *task = copy_of_text(line->task);
    char *fields = mill_log_fields_json(line);
    tidemill_log told = {
        .level = (int)line->level,
        .worker = line->worker,
        .task = task,
        .text = text ? text : "",
        .fields = fields ? fields : "{}",
    };
    listener->log(listener->context, &told);
    free(text);
    free(task);
    free(fields);
}

static void tell_left_out(const tidemill_listener *listener, int64_t count)
{
    char text[80], fields[40];
    snprintf(text, sizeof text, "%lld lines of the log were left out", (long long)count);
    snprintf(fields, sizeof fields, "{\"count\":%lld}", (long long)count);
    tidemill_log told = {.level = TIDEMILL_LOG_WARN, .text = text, .fields = fields};
    listener->log(listener->context, &told);
}

static int tell_lines(const struct mill_batch *batch)
{
    const tidemill_listener *listener = &batch->listener;
    int calls = 0;
    for (int i = 0; listener->log && i < batch->line_count; i++, calls++) {
        tell_logged(listener, &batch->lines[i]->line);
    }
    if (listener->log && batch->lines_left_out > 0) {
        tell_left_out(listener, batch->lines_left_out);
        calls++;
    }
    if (batch->lines) mill_log_release(batch->lines, (size_t)batch->line_count);
    return calls;
}

/* Gives the reference back. */
static int tell_job(struct tidemill_job *job)
{
    pthread_mutex_lock(&job->mutex);
    void (*notify)(void *context, tidemill_job *job) = job->notify;
    void *context = job->context;
    job->notify = NULL;
    job->due = false;
    pthread_mutex_unlock(&job->mutex);
    if (notify) notify(context, job);
    mill_job_unref(job);
    return notify != NULL;
}

static int tell_all(const struct mill_batch *batch)
{
    int calls = tell_lines(batch);
    struct tidemill_job *job = batch->jobs;
    while (job) {
        struct tidemill_job *next = job->next_due;
        calls += tell_job(job);
        job = next;
    }
    if (batch->has_progress) {
        batch->listener.progress(batch->listener.context, &batch->progress);
        calls++;
    }
    return calls;
}

static int poll_until(struct tidemill *engine, int64_t deadline)
{
    for (;;) {
        struct mill_batch batch;
        mill_events_take(engine, &batch);
        int calls = tell_all(&batch);
        bool poked = atomic_exchange(&engine->events.poked, false);
        if (calls > 0 || poked || mill_clock_now() >= deadline) return calls;
        mill_events_wait(&engine->events, deadline);
    }
}

int tidemill_poll(tidemill *engine, double seconds)
{
    if (open_events(engine) < 0) return -1;
    atomic_fetch_add(&engine->events.polling, 1);
    int calls = poll_until(engine, mill_clock_after(seconds));
    atomic_fetch_sub(&engine->events.polling, 1);
    return calls;
}
