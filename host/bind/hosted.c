/* hosted: what the process does in which a script runs by itself.
 *
 * A second thread waits for the other end to go, and then ends the process whatever the script does; and for
 * the signal that interrupts the script: no handler runs, and nothing is global.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/hosted.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/api.h"
#include "bind/signature.h"
#include "lane/message.h"

struct mill_hosted {
    int socket, signals;
    pthread_mutex_t lock; /* of what is sent: tasks warn, too */
    tidemill *engine;
    pthread_t watcher;
};

enum { VALUES_MOST = 200, HOSTED_PATIENCE = 10 /* seconds */ };

/* ---- the process ------------------------------------------------------------------------ */

/* It is the first to go when memory is short, leaves no core, and gains no right. */
static void humble(void)
{
    prctl(PR_SET_NAME, "tidemill script");
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    if (write(file, "1000", 4) < 0) errno = 0; /* then it is like others */
    close(file);
}

static void *watch_host(void *context)
{
    struct mill_hosted *hosted = context;
    struct pollfd polled[] = {{.fd = hosted->socket, .events = POLLRDHUP},
                              {.fd = hosted->signals, .events = POLLIN}};
    for (;;) {
        if (poll(polled, 2, -1) < 0) continue;
        if (polled[0].revents & (POLLRDHUP | POLLHUP | POLLERR)) break;
        struct signalfd_siginfo signal;
        if ((polled[1].revents & POLLIN) &&
            read(hosted->signals, &signal, sizeof signal) == sizeof signal) {
            tidemill_interrupt(hosted->engine);
        }
    }
    if (getpgrp() == getpid()) kill(0, SIGKILL); /* with all that the script has started */
    _exit(0);
}

static bool start_watcher(struct mill_hosted *hosted)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    int failure = pthread_create(&hosted->watcher, &attributes, watch_host, hosted);
    pthread_attr_destroy(&attributes);
    return failure == 0;
}

/* ---- messages --------------------------------------------------------------------------- */

static bool dispatch(struct mill_hosted *hosted, struct mill_outbox *outbox,
                     enum mill_message_kind kind)
{
    bool fine = mill_wire_is_fine(&outbox->wire);
    if (fine) {
        mill_outbox_close(outbox, kind);
        pthread_mutex_lock(&hosted->lock);
        fine = mill_outbox_send(outbox, hosted->socket, true) == MILL_TRANSFER_DONE;
        pthread_mutex_unlock(&hosted->lock);
    }
    mill_outbox_fini(outbox);
    return fine;
}

static void pass_warning(void *context, const char *text)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_byte(&outbox.wire.out, MILL_TEXT_WARNING);
    mill_packer_bytes(&outbox.wire.out, text, strlen(text));
    dispatch(context, &outbox, MILL_MESSAGE_TEXT);
}

static int64_t take_setup(struct mill_wire_reader *reader)
{
    return (int64_t)mill_unpacker_word(&reader->in);
}

/* malloc'ed; NULL: there is none, or no memory. */
static char *take_sent_text(struct mill_wire_reader *reader)
{
    size_t size;
    const char *text = mill_unpacker_text(&reader->in, &size);
    return text ? strndup(text, size) : NULL;
}

static void free_sent_texts(char **words)
{
    for (char **word = words; word && *word; word++) free(*word);
    free(words);
}

/* A list that ends with NULL; NULL: no memory, or none was sent. */
static char **take_sent_texts(struct mill_wire_reader *reader, size_t *count)
{
    *count = 0;
    uint64_t there = mill_unpacker_size(&reader->in);
    if (there > (size_t)(reader->in.end - reader->in.at)) return NULL;
    char **words = calloc(there + 1, sizeof *words);
    for (; words && *count < there; ++*count) {
        words[*count] = take_sent_text(reader);
        if (words[*count]) continue;
        free_sent_texts(words);
        return NULL;
    }
    return words;
}

/* ---- answers ---------------------------------------------------------------------------- */

struct reply {
    tidemill_status status;
    const char *problem; /* NULL: what the engine says */
    tidemill_value values[VALUES_MOST];
    size_t count;
    char *text; /* malloc'ed, or NULL */
};

static void put_text_of(struct mill_wire *wire, const char *text)
{
    mill_packer_text(&wire->out, text ? text : "", text ? strlen(text) : 0);
}

static void put_values(struct mill_wire *wire, const char *what, const tidemill_value *values,
                       size_t count, bool closed)
{
    mill_packer_size(&wire->out, count);
    for (size_t i = 0; i < count; i++) {
        char where[40];
        struct mill_value value = mill_value_in(values[i]);
        snprintf(where, sizeof where, "%s %zu", what, i + 1);
        if (closed && !mill_value_is_data(&value)) {
            wire->status = mill_fail(&wire->error, TIDEMILL_USAGE,
                                     "%s: a sandbox gives data alone: no function, no channel, "
                                     "no object with methods",
                                     where);
        }
        mill_wire_value(wire, &value, where);
    }
}

static void put_answer(struct mill_wire *wire, struct mill_hosted *hosted,
                       const struct reply *reply)
{
    tidemill *engine = hosted->engine;
    const char *problem = reply->problem;
    if (problem == NULL) problem = reply->status ? tidemill_error(engine) : "";
    int64_t exit_status = engine ? tidemill_exit_status(engine) : 0;
    int64_t strict = engine ? tidemill_strict_count(engine) : 0;
    wire->whole = true; /* the host maps nothing that this process could change later */
    mill_packer_byte(&wire->out, (uint8_t)reply->status);
    put_text_of(wire, problem);
    mill_packer_bytes(&wire->out, &exit_status, sizeof exit_status);
    mill_packer_bytes(&wire->out, &strict, sizeof strict);
    put_values(wire, "result", reply->values, reply->count, engine && engine->confine.on);
    put_text_of(wire, reply->text);
}

static void drop_reply(struct reply *reply)
{
    for (size_t i = 0; i < reply->count; i++) tidemill_release(reply->values[i]);
    reply->count = 0;
    free(reply->text);
    reply->text = NULL;
}

/* A value that cannot be sent is an error. */
static bool send_reply(struct mill_hosted *hosted, struct reply *reply)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    put_answer(&outbox.wire, hosted, reply);
    if (!mill_wire_is_fine(&outbox.wire)) {
        struct mill_error error = outbox.wire.error;
        mill_outbox_fini(&outbox);
        drop_reply(reply);
        reply->status = TIDEMILL_USAGE;
        reply->problem = error.text[0] ? error.text : "out of memory (a result)";
        mill_outbox_begin(&outbox);
        put_answer(&outbox.wire, hosted, reply);
    }
    drop_reply(reply);
    return dispatch(hosted, &outbox, MILL_MESSAGE_ANSWER);
}

/* ---- functions of the host -------------------------------------------------------------- */

struct asked {
    struct mill_hosted *hosted;
    uint64_t number;
};

static bool serve_message(struct mill_hosted *hosted, struct mill_inbox *inbox);

/* What is told, with requests of the host before it; false: the host has gone. */
static bool await_told(struct mill_hosted *hosted, struct mill_inbox *inbox)
{
    struct mill_memory *memory = &hosted->engine->memory;
    while (mill_inbox_receive(inbox, hosted->socket, true, memory) == MILL_TRANSFER_DONE) {
        if (inbox->head.kind == MILL_MESSAGE_TOLD) return true;
        if (!serve_message(hosted, inbox)) return false;
    }
    return false;
}

static tidemill_status take_told(tidemill_invocation *invocation,
                                 struct mill_wire_reader *reader, tidemill_value *results)
{
    tidemill_status status = mill_unpacker_byte(&reader->in);
    char *problem = take_sent_text(reader);
    uint64_t count = mill_unpacker_size(&reader->in);
    for (uint64_t i = 0; i < count && i < MILL_SIGNATURE_MOST; i++) {
        results[i] = mill_value_out(mill_wire_read(reader, false));
    }
    if (status != TIDEMILL_OK) tidemill_raise(invocation, problem ? problem : "out of memory");
    free(problem);
    if (reader->status == TIDEMILL_OK) return status;
    return tidemill_raise(invocation, "out of memory (a result)");
}

static bool send_ask(const struct asked *asked, tidemill_invocation *invocation,
                     const tidemill_value *arguments, size_t count)
{
    struct mill_outbox outbox;
    struct mill_hosted *hosted = asked->hosted;
    mill_outbox_begin(&outbox);
    outbox.wire.whole = true;
    mill_packer_size(&outbox.wire.out, asked->number);
    put_values(&outbox.wire, "argument", arguments, count, hosted->engine->confine.on);
    if (!mill_wire_is_fine(&outbox.wire)) {
        const char *text = outbox.wire.error.text;
        tidemill_raise(invocation, text[0] ? text : "out of memory (arguments)");
        mill_outbox_fini(&outbox);
        return false;
    }
    if (dispatch(hosted, &outbox, MILL_MESSAGE_ASK)) return true;
    tidemill_raise(invocation, "the host program has gone");
    return false;
}

/* The function of the host, as the engine here calls it. */
static tidemill_status ask_host(void *context, tidemill_invocation *invocation,
                                const tidemill_value *arguments, size_t count,
                                tidemill_value *results)
{
    const struct asked *asked = context;
    struct mill_hosted *hosted = asked->hosted;
    struct mill_inbox inbox = {.got = 0};
    struct mill_wire_reader reader;
    if (!send_ask(asked, invocation, arguments, count)) return TIDEMILL_ERROR;
    if (!await_told(hosted, &inbox)) {
        mill_inbox_clear(&inbox);
        return tidemill_raise(invocation, "the host program has gone");
    }
    mill_inbox_open(&inbox, &reader, &hosted->engine->memory);
    tidemill_status status = take_told(invocation, &reader, results);
    mill_wire_reader_fini(&reader);
    mill_inbox_clear(&inbox);
    return status;
}

static void do_register(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                        struct reply *reply)
{
    struct asked *asked = malloc(sizeof *asked);
    char *name = take_sent_text(reader), *signature = take_sent_text(reader),
         *version = take_sent_text(reader);
    uint64_t number = mill_unpacker_size(&reader->in);
    reply->status = TIDEMILL_MEMORY;
    reply->problem = "out of memory (a function)";
    if (asked && name && signature && version) {
        *asked = (struct asked){hosted, number};
        tidemill_function function = {
            .size = sizeof function,
            .name = name,
            .signature = signature,
            .call = ask_host,
            .context = asked,
            .release = free,
            .version = *version ? version : NULL,
        };
        reply->problem = NULL;
        reply->status = tidemill_register(hosted->engine, &function);
    }
    if (reply->status != TIDEMILL_OK) free(asked);
    free(name);
    free(signature);
    free(version);
}

/* ---- requests --------------------------------------------------------------------------- */

static void do_run(struct mill_hosted *hosted, enum mill_request what,
                   struct mill_wire_reader *reader, struct reply *reply)
{
    size_t count;
    tidemill *engine = hosted->engine;
    char *name = take_sent_text(reader), *code = take_sent_text(reader);
    char **words = take_sent_texts(reader, &count);
    if (name == NULL || code == NULL || words == NULL) {
        reply->status = TIDEMILL_MEMORY;
        reply->problem = "out of memory (a script)";
    } else if (what == MILL_REQUEST_RUN_FILE) {
        reply->status = tidemill_run_file(engine, name, (int)count, words);
    } else if (what == MILL_REQUEST_RUN_STRING) {
        reply->status = tidemill_run_string(engine, code, name, (int)count, words);
    } else {
        reply->status = tidemill_run_shipped(engine, name, (int)count, words);
    }
    free(name);
    free(code);
    free_sent_texts(words);
    fflush(stdout);
}

static void do_call(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                    struct reply *reply)
{
    tidemill_value arguments[VALUES_MOST];
    char *name = take_sent_text(reader);
    size_t wanted = (size_t)mill_unpacker_size(&reader->in), taken = 0;
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count > VALUES_MOST || wanted > VALUES_MOST) reader->in.bad = true;
    while (!reader->in.bad && taken < count && reader->status == TIDEMILL_OK) {
        arguments[taken++] = mill_value_out(mill_wire_read(reader, false));
    }
    if (name == NULL || reader->in.bad || reader->status != TIDEMILL_OK) {
        reply->status = TIDEMILL_MEMORY;
        reply->problem = "out of memory (arguments of a call)";
    } else {
        reply->status =
            tidemill_call(hosted->engine, name, arguments, taken, reply->values, wanted);
        reply->count = wanted;
    }
    while (taken > 0) tidemill_release(arguments[--taken]);
    free(name);
    fflush(stdout);
}

static void do_set(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                   struct reply *reply)
{
    char *name = take_sent_text(reader), *value = take_sent_text(reader);
    reply->status = TIDEMILL_MEMORY;
    reply->problem = "out of memory (a setting)";
    if (name && value) {
        reply->problem = NULL;
        reply->status = tidemill_set(hosted->engine, name, value);
    }
    free(name);
    free(value);
}

/* What calls have submitted has so long to end, before what the cache is to keep is written. */
static void do_rest(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                    struct reply *reply)
{
    uint64_t bits = mill_unpacker_word(&reader->in);
    double patience;
    memcpy(&patience, &bits, sizeof patience);
    struct mill_pool *pool = &hosted->engine->pool;
    if (hosted->engine->pool_open && patience > 0) {
        mill_pool_block(pool, NULL, NULL); /* what waits for the script waits in vain */
        mill_pool_wait_all(pool, mill_clock_after(patience));
        mill_pool_unblock(pool);
    }
    fflush(stdout);
    reply->status = tidemill_flush(hosted->engine, HOSTED_PATIENCE);
}

/* False: it is no request. */
static bool fulfil(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                   struct reply *reply)
{
    enum mill_request what = mill_unpacker_byte(&reader->in);
    switch (what) {
    case MILL_REQUEST_RUN_FILE:
    case MILL_REQUEST_RUN_STRING:
    case MILL_REQUEST_RUN_SHIPPED:
        do_run(hosted, what, reader, reply);
        return true;
    case MILL_REQUEST_RESULT:
        reply->status = tidemill_result(hosted->engine, &reply->values[0]);
        reply->count = 1;
        return true;
    case MILL_REQUEST_RESULT_JSON:
        reply->status = tidemill_result_json(hosted->engine, &reply->text);
        return true;
    case MILL_REQUEST_CALL:
        do_call(hosted, reader, reply);
        return true;
    case MILL_REQUEST_SET:
        do_set(hosted, reader, reply);
        return true;
    case MILL_REQUEST_REGISTER:
        do_register(hosted, reader, reply);
        return true;
    case MILL_REQUEST_REST:
        do_rest(hosted, reader, reply);
        return true;
    }
    return false;
}

/* Fulfils the request that has come, and clears the inbox; false: it is none, or the host has gone. */
static bool serve_message(struct mill_hosted *hosted, struct mill_inbox *inbox)
{
    struct mill_wire_reader reader;
    struct reply *reply = calloc(1, sizeof *reply);
    bool fine = reply && inbox->head.kind == MILL_MESSAGE_REQUEST;
    if (fine) {
        mill_inbox_open(inbox, &reader, &hosted->engine->memory);
        fine = fulfil(hosted, &reader, reply) && send_reply(hosted, reply);
        mill_wire_reader_fini(&reader);
    }
    mill_inbox_clear(inbox);
    free(reply);
    return fine;
}

/* False: the host has gone, or sends what is no message. */
static bool serve_one(struct mill_hosted *hosted)
{
    struct mill_inbox inbox = {.got = 0};
    enum mill_transfer got =
        mill_inbox_receive(&inbox, hosted->socket, true, &hosted->engine->memory);
    if (got == MILL_TRANSFER_DONE) return serve_message(hosted, &inbox);
    mill_inbox_clear(&inbox);
    return false;
}

/* ---- the beginning ---------------------------------------------------------------------- */

static tidemill_status take_settings(struct mill_hosted *hosted,
                                     struct mill_wire_reader *reader)
{
    size_t count;
    char **words = take_sent_texts(reader, &count);
    tidemill_status status = words ? TIDEMILL_OK : TIDEMILL_MEMORY;
    for (size_t i = 0; i + 1 < count && status == TIDEMILL_OK; i += 2) {
        status = tidemill_set(hosted->engine, words[i], words[i + 1]);
    }
    free_sent_texts(words);
    return status;
}

/* False: what was sent is no OPEN of this release. */
static bool open_engine(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                        tidemill_status *status)
{
    if (mill_unpacker_byte(&reader->in) != MILL_MESSAGE_VERSION) return false;
    tidemill_config config = {.size = sizeof config};
    size_t count;
    config.workers = (int)take_setup(reader);
    config.seed = (uint64_t)take_setup(reader);
    config.progress = (int)take_setup(reader);
    config.notes = (int)take_setup(reader);
    config.sandbox = (int)take_setup(reader);
    char *cache = take_sent_text(reader);
    char **allow = take_sent_texts(reader, &count), **modules = take_sent_texts(reader, &count);
    config.cache = cache && *cache ? cache : NULL;
    if (config.sandbox) {
        config.allow = (const char *const *)allow;
        config.modules = (const char *const *)modules;
    }
    config.warning = pass_warning;
    config.context = hosted;
    bool fine = cache && allow && modules && !reader->in.bad;
    if (fine) {
        *status = mill_api_open(&config, &hosted->engine);
        if (*status == TIDEMILL_OK) *status = take_settings(hosted, reader);
    }
    free(cache);
    free_sent_texts(allow);
    free_sent_texts(modules);
    return fine && hosted->engine;
}

static bool begin(struct mill_hosted *hosted)
{
    struct mill_inbox inbox = {.got = 0};
    struct mill_wire_reader reader;
    struct reply *reply = calloc(1, sizeof *reply);
    bool fine =
        reply && mill_inbox_receive(&inbox, hosted->socket, true, NULL) == MILL_TRANSFER_DONE;
    if (fine) {
        mill_inbox_open(&inbox, &reader, NULL);
        fine = open_engine(hosted, &reader, &reply->status) && start_watcher(hosted) &&
               send_reply(hosted, reply);
        mill_wire_reader_fini(&reader);
    }
    mill_inbox_clear(&inbox);
    free(reply);
    return fine;
}

int mill_hosted_run(int socket)
{
    struct mill_hosted hosted = {.socket = socket};
    sigset_t interrupting;
    sigemptyset(&interrupting);
    sigaddset(&interrupting, MILL_HOSTED_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &interrupting, NULL);
    signal(SIGPIPE, SIG_IGN); /* as in the command line: a write that fails says so */
    humble();
    pthread_mutex_init(&hosted.lock, NULL);
    hosted.signals = signalfd(-1, &interrupting, SFD_CLOEXEC | SFD_NONBLOCK);
    if (hosted.signals < 0 || !begin(&hosted)) return 1;
    while (serve_one(&hosted)) {}
    if (getpgrp() == getpid())
        kill(0, SIGKILL); /* the engine's end is the host's business no more */
    _exit(0);
}
