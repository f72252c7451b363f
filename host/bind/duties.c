/* duties: jobs that the host of a script's process has submitted.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/duties.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bind/api.h"
#include "bind/cord.h"
#include "bind/logline.h"
#include "bind/request.h"
#include "cache/store.h"

/* How often jobs that wait are looked at, whether they have begun: milliseconds; and for how long a serial
 * engine runs jobs before it looks for messages: seconds. */
enum { LOOK_AT_WAITING = 5, BEGUN_AT_ONCE = 64 };
static const double SERIAL_TURN = 0.01;

struct mill_duty {
    struct mill_duties *duties;
    uint64_t number; /* the host's */
    struct tidemill_job *job;
    bool begun;
    struct mill_duty *newer, *older;
};

/* ---- sending ------------------------------------------------------------------------------ */

bool mill_duties_send(struct mill_duties *duties, struct mill_outbox *outbox,
                      enum mill_message_kind kind)
{
    bool fine = mill_wire_is_fine(&outbox->wire);
    if (fine) {
        mill_outbox_close(outbox, kind);
        pthread_mutex_lock(&duties->sending);
        fine = mill_outbox_send(outbox, duties->socket, true) == MILL_TRANSFER_DONE;
        pthread_mutex_unlock(&duties->sending);
    }
    mill_outbox_fini(outbox);
    return fine;
}

static void tell_begun(struct mill_duties *duties, uint64_t number)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_size(&outbox.wire.out, number);
    mill_duties_send(duties, &outbox, MILL_MESSAGE_JOB_BEGUN);
}

static void put_end(struct mill_wire *wire, const struct mill_duty *duty, tidemill_state state,
                    tidemill_status status, const char *text, const tidemill_value *value)
{
    bool closed = duty->duties->engine->confine.on;
    wire->whole = true; /* the host maps nothing that this process could change later */
    mill_packer_size(&wire->out, duty->number);
    mill_packer_byte(&wire->out, (uint8_t)state);
    mill_packer_byte(&wire->out, (uint8_t)status);
    mill_packer_text(&wire->out, text, strlen(text));
    mill_request_put(wire, "result", value, status == TIDEMILL_OK, closed);
}

/* A result that cannot be sent is an error. */
static void tell_ended(const struct mill_duty *duty, tidemill_status status,
                       const tidemill_value *value)
{
    struct mill_outbox outbox;
    tidemill_state state = tidemill_job_state(duty->job);
    mill_outbox_begin(&outbox);
    put_end(&outbox.wire, duty, state, status, tidemill_job_error(duty->job), value);
    if (!mill_wire_is_fine(&outbox.wire)) {
        struct mill_error error = outbox.wire.error;
        mill_outbox_fini(&outbox);
        mill_outbox_begin(&outbox);
        put_end(&outbox.wire, duty, TIDEMILL_JOB_ERROR, TIDEMILL_USAGE,
                error.text[0] ? error.text : "out of memory (a result)", NULL);
    }
    mill_duties_send(duty->duties, &outbox, MILL_MESSAGE_JOB_ENDED);
}

static void put_line(struct mill_outbox *outbox, const struct mill_log_line *line)
{
    mill_outbox_begin(outbox);
    mill_packer_size(&outbox->wire.out, (uint64_t)line->worker);
    mill_logline_put(&outbox->wire.out, line);
}

/* The host keeps 1,000 of them, whatever they are: none may be large. */
static void tell_line(void *context, struct mill_log_record *record)
{
    struct mill_outbox outbox;
    put_line(&outbox, &record->line);
    if (outbox.wire.out.size > MILL_CORD_LINE) {
        char text[80];
        struct mill_log_line line = {
            .level = record->line.level, .worker = record->line.worker, .text = {text, 0}};
        line.text.size = (size_t)snprintf(text, sizeof text, "a line of %zu bytes was left out",
                                          outbox.wire.out.size);
        mill_outbox_fini(&outbox);
        put_line(&outbox, &line);
    }
    mill_duties_send(context, &outbox, MILL_MESSAGE_LINE);
}

static void tell_progress(void *context, const tidemill_progress *progress)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_bytes(&outbox.wire.out, &progress->done, sizeof progress->done);
    mill_packer_bytes(&outbox.wire.out, &progress->total, sizeof progress->total);
    mill_packer_bytes(&outbox.wire.out, &progress->running, sizeof progress->running);
    mill_packer_bytes(&outbox.wire.out, &progress->failed, sizeof progress->failed);
    mill_duties_send(context, &outbox, MILL_MESSAGE_PROGRESS);
}

/* ---- the list ----------------------------------------------------------------------------- */

static void ring_duties(struct mill_duties *duties)
{
    uint64_t once = 1;
    ssize_t written = write(duties->bell, &once, sizeof once);
    (void)written; /* a bell that is full rings */
}

static void enlist(struct mill_duties *duties, struct mill_duty *duty)
{
    pthread_mutex_lock(&duties->mutex);
    duty->older = duties->newest;
    if (duty->older) duty->older->newer = duty;
    duties->newest = duty;
    bool first = duties->waiting++ == 0;
    pthread_mutex_unlock(&duties->mutex);
    if (first) ring_duties(duties);
}

static void discharge(struct mill_duties *duties, struct mill_duty *duty)
{
    pthread_mutex_lock(&duties->mutex);
    if (duty->newer) duty->newer->older = duty->older;
    if (duty->older) duty->older->newer = duty->newer;
    if (duties->newest == duty) duties->newest = duty->older;
    if (!duty->begun) duties->waiting--;
    pthread_mutex_unlock(&duties->mutex);
    tidemill_job_release(duty->job);
    free(duty);
}

/* A callback of a job, on the thread that polls. */
static void end_duty(void *context, tidemill_job *job)
{
    struct mill_duty *duty = context;
    struct mill_duties *duties = duty->duties;
    tidemill_value value;
    mill_job_load(duties->engine, job, &duties->reader);
    tidemill_status status = tidemill_job_result(job, &value);
    tell_ended(duty, status, &value);
    tidemill_release(value);
    discharge(duties, duty);
}

/* ---- submitting --------------------------------------------------------------------------- */

static void submit_duty(struct mill_duties *duties, uint64_t number,
                        const tidemill_value *options, const char *name,
                        const tidemill_value *arguments, size_t count, struct mill_reply *reply)
{
    struct mill_duty *duty = calloc(1, sizeof *duty);
    if (duty == NULL) return;
    *duty = (struct mill_duty){.duties = duties, .number = number};
    bool none = tidemill_kind_of(*options) == TIDEMILL_KIND_NIL;
    reply->problem = NULL;
    reply->status = tidemill_submit(duties->engine, none ? NULL : options, name, arguments,
                                    count, &duty->job);
    if (reply->status != TIDEMILL_OK) {
        free(duty);
        return;
    }
    enlist(duties, duty);
    tidemill_on_result(duty->job, end_duty, duty);
}

void mill_duties_submit(struct mill_duties *duties, struct mill_wire_reader *reader,
                        struct mill_reply *reply)
{
    tidemill_value arguments[MILL_REQUEST_VALUES];
    size_t count = 0;
    uint64_t number = mill_unpacker_size(&reader->in);
    char *name = mill_request_text(reader);
    tidemill_value options = mill_value_out(mill_wire_read(reader, false));
    reply->status = TIDEMILL_MEMORY;
    reply->problem = "out of memory (a job)";
    if (mill_request_take(reader, arguments, &count) && name) {
        submit_duty(duties, number, &options, name, arguments, count, reply);
    }
    while (count > 0) tidemill_release(arguments[--count]);
    tidemill_release(options);
    free(name);
}

/* ---- a serial engine ---------------------------------------------------------------------- */

/* One that has not ended, with a reference; NULL: there is none. */
static struct tidemill_job *open_job(struct mill_duties *duties)
{
    struct tidemill_job *found = NULL;
    pthread_mutex_lock(&duties->mutex);
    for (struct mill_duty *duty = duties->newest; duty; duty = duty->older) {
        if (tidemill_job_state(duty->job) <= TIDEMILL_JOB_RUNNING) found = duty->job;
    }
    if (found) atomic_fetch_add(&found->refs, 1);
    pthread_mutex_unlock(&duties->mutex);
    return found;
}

bool mill_duties_receive(struct mill_duties *duties, struct mill_inbox *inbox, int socket,
                         struct mill_memory *memory)
{
    struct tidemill *engine = duties->engine;
    struct tidemill_job *job;
    while (engine->pool_open && engine->workers == 0 && (job = open_job(duties)) != NULL) {
        enum mill_transfer got = mill_inbox_receive(inbox, socket, false, memory);
        if (got == MILL_TRANSFER_AGAIN) tidemill_wait(job, SERIAL_TURN);
        mill_job_unref(job);
        if (got != MILL_TRANSFER_AGAIN) return got == MILL_TRANSFER_DONE;
    }
    return mill_inbox_receive(inbox, socket, true, memory) == MILL_TRANSFER_DONE;
}

/* ---- what the host says ------------------------------------------------------------------- */

static void cancel_duty(struct mill_duties *duties, uint64_t number)
{
    struct mill_duty *duty = duties->newest;
    while (duty && duty->number != number) duty = duty->older;
    if (duty) tidemill_cancel(duty->job);
}

static void hear_cancels(struct mill_duties *duties, struct mill_unpacker *in)
{
    uint64_t count = mill_unpacker_size(in);
    pthread_mutex_lock(&duties->mutex);
    for (uint64_t i = 0; i < count && !in->bad; i++) {
        cancel_duty(duties, mill_unpacker_size(in));
    }
    pthread_mutex_unlock(&duties->mutex);
}

/* Said again nothing begins anew. */
void mill_duties_listen(struct mill_duties *duties, int wishes)
{
    tidemill_listener listener = {.size = sizeof listener, .context = duties};
    if (wishes & MILL_WISH_PROGRESS) listener.progress = tell_progress;
    pthread_mutex_lock(&duties->mutex);
    if (wishes != duties->wishes) {
        duties->wishes = wishes;
        tidemill_listen(duties->engine, &listener);
        mill_log_tap(&duties->engine->log, wishes & MILL_WISH_LINES ? tell_line : NULL, duties);
    }
    pthread_mutex_unlock(&duties->mutex);
}

/* False: the host has gone. */
static bool hear_host(struct mill_duties *duties, struct mill_inbox *inbox)
{
    enum mill_transfer got = mill_inbox_receive(inbox, duties->socket, false, NULL);
    if (got == MILL_TRANSFER_AGAIN) return true;
    if (got == MILL_TRANSFER_DONE) {
        struct mill_unpacker in = {inbox->body->data, inbox->body->data + inbox->head.size,
                                   false};
        if (inbox->head.kind == MILL_MESSAGE_JOB_CANCEL) hear_cancels(duties, &in);
        if (inbox->head.kind == MILL_MESSAGE_LISTEN) {
            mill_duties_listen(duties, mill_unpacker_byte(&in));
        }
    }
    mill_inbox_clear(inbox);
    return got == MILL_TRANSFER_DONE;
}

/* ---- the thread --------------------------------------------------------------------------- */

/* Those that have begun without the host's knowing, some of them. */
static size_t take_begun(struct mill_duties *duties, uint64_t numbers[BEGUN_AT_ONCE])
{
    size_t count = 0;
    pthread_mutex_lock(&duties->mutex);
    struct mill_duty *duty = duties->waiting > 0 ? duties->newest : NULL;
    for (; duty && count < BEGUN_AT_ONCE; duty = duty->older) {
        if (duty->begun || tidemill_job_state(duty->job) != TIDEMILL_JOB_RUNNING) continue;
        duty->begun = true;
        duties->waiting--;
        numbers[count++] = duty->number;
    }
    pthread_mutex_unlock(&duties->mutex);
    return count;
}

static void tell_all_begun(struct mill_duties *duties)
{
    uint64_t numbers[BEGUN_AT_ONCE];
    size_t count;
    do {
        count = take_begun(duties, numbers);
        for (size_t i = 0; i < count; i++) tell_begun(duties, numbers[i]);
    } while (count == BEGUN_AT_ONCE);
}

static int duties_timeout(struct mill_duties *duties)
{
    pthread_mutex_lock(&duties->mutex);
    bool waiting = duties->waiting > 0;
    pthread_mutex_unlock(&duties->mutex);
    return waiting ? LOOK_AT_WAITING : -1;
}

static void *do_duties(void *context)
{
    struct mill_duties *duties = context;
    struct mill_inbox inbox = {.got = 0};
    struct pollfd polled[] = {
        {.fd = duties->socket, .events = POLLIN},
        {.fd = tidemill_poll_descriptor(duties->engine), .events = POLLIN},
        {.fd = duties->bell, .events = POLLIN}};
    bool there = true;
    while (there) {
        uint64_t rings;
        poll(polled, 3, duties_timeout(duties));
        if (read(duties->bell, &rings, sizeof rings) < 0) rings = 0; /* it has not rung */
        tell_all_begun(duties);
        if (polled[1].revents) tidemill_poll(duties->engine, 0);
        there = !polled[0].revents || hear_host(duties, &inbox);
    }
    mill_inbox_clear(&inbox);
    return NULL; /* the process is about to end, too */
}

/* ---- beginning ---------------------------------------------------------------------------- */

void mill_duties_init(struct mill_duties *duties)
{
    pthread_mutex_init(&duties->sending, NULL);
    pthread_mutex_init(&duties->mutex, NULL);
}

bool mill_duties_start(struct mill_duties *duties, struct tidemill *engine)
{
    pthread_t thread;
    duties->engine = engine;
    duties->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (duties->bell < 0 || tidemill_poll_descriptor(engine) < 0) return false;
    if (pthread_create(&thread, NULL, do_duties, duties) != 0) return false;
    return pthread_detach(thread) == 0;
}
