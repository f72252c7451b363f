/* proxy: an engine whose script runs in a process of its own.
 *
 * The thread that calls waits here itself, for the socket, the process and the bell; so there is nobody
 * else to be told of a deadline.  Neither sending nor receiving ever blocks elsewhere: a process that
 * does not read, or sends half a message, runs into its limits all the same.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/proxy.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/api_function.h"
#include "bind/gate.h"
#include "bind/processes.h"
#include "lane/child.h"
#include "lane/message.h"

enum { PROGRAM_ROOM = 4200, CALL_MOST = 200, ANSWER_LEAST = 64 << 20 };
static const int64_t OPEN_WITHIN = 60 * INT64_C(1000000000), LOOK_OFTEN = 20 * INT64_C(1000000),
                     HEED_WITHIN = 2 * INT64_C(1000000000), ENDLESS = INT64_MAX;

struct mill_proxy {
    struct tidemill *engine;
    struct mill_child *child; /* NULL: has ended, or not begun */
    int bell;
    char program[PROGRAM_ROOM];
    tidemill_config config; /* its strings are copies: */
    char *cache;
    char **settings; /* names and values in turn, as set; ends with NULL */
    size_t setting_count;
    int depth; /* requests that wait: more than one when a function of the host calls again */
    int64_t until;     /* the outermost one's deadline */
    int64_t heeded_by; /* when an interrupt must have been heeded; ENDLESS: there is none */
    bool scripted;     /* a script has run in the process */
    char lost[300];    /* how the last process has ended, for who calls it; "" */
};

bool mill_proxy_is_wanted(const tidemill_config *config)
{
    return config->sandbox != 0 || config->deadline > 0;
}

/* ---- ending the process ----------------------------------------------------------------- */

static void end_child(struct mill_proxy *proxy)
{
    struct mill_child *child = proxy->child;
    if (child == NULL) return;
    proxy->child = NULL;
    mill_child_kill(child);
    mill_child_reap(child);
    mill_child_free(child);
    proxy->scripted = false;
}

/* The process has to go: why. */
static tidemill_status give_up(struct mill_proxy *proxy, tidemill_status status,
                               const char *reason)
{
    end_child(proxy);
    snprintf(proxy->lost, sizeof proxy->lost, "%s", reason);
    return mill_fail(&proxy->engine->error, status, "%s", reason);
}

/* It has gone by itself. */
static tidemill_status mourn(struct mill_proxy *proxy)
{
    char text[200], signal[64];
    struct mill_child *child = proxy->child;
    struct mill_child_end end = mill_child_reap(child);
    proxy->child = NULL;
    mill_child_free(child);
    proxy->scripted = false;
    if (!end.known) {
        snprintf(text, sizeof text, "the script's process has ended");
    } else if (end.signal) {
        mill_signal_text(end.signal, signal, sizeof signal);
        snprintf(text, sizeof text, "the script's process was killed by %s", signal);
    } else {
        snprintf(text, sizeof text, "the script's process has ended with status %d", end.code);
    }
    return give_up(proxy, TIDEMILL_ERROR, text);
}

/* ---- waiting ---------------------------------------------------------------------------- */

static tidemill_status pass_deadline(struct mill_proxy *proxy)
{
    char text[160];
    if (!proxy->scripted) {
        return give_up(proxy, TIDEMILL_ERROR, "the script's process does not begin");
    }
    snprintf(text, sizeof text, "the script took longer than its deadline of %g s",
             proxy->config.deadline);
    return give_up(proxy, TIDEMILL_DEADLINE, text);
}

static tidemill_status check_memory(struct mill_proxy *proxy)
{
    char text[160];
    uint64_t most = proxy->config.memory;
    if (most == 0 || (uint64_t)mill_child_memory(proxy->child) <= most) return TIDEMILL_OK;
    snprintf(text, sizeof text, "the script's process took more than its %.0f MiB of memory",
             (double)most / 1048576);
    return give_up(proxy, TIDEMILL_MEMORY, text);
}

/* Passes an interrupt on, and sees whether the last one was heeded. */
static tidemill_status check_interrupt(struct mill_proxy *proxy, int64_t now)
{
    uint64_t rings;
    if (read(proxy->bell, &rings, sizeof rings) == sizeof rings && proxy->scripted) {
        syscall(SYS_pidfd_send_signal, proxy->child->process, MILL_HOSTED_SIGNAL, NULL, 0);
        if (proxy->heeded_by == ENDLESS) proxy->heeded_by = now + HEED_WITHIN;
    }
    if (now < proxy->heeded_by) return TIDEMILL_OK;
    return give_up(proxy, TIDEMILL_CANCELLED,
                   "interrupted; the script did not stop, and its process was ended");
}

/* Waits for `events` of the socket, or for what ends the process.  OK: look again. */
static tidemill_status wait_for(struct mill_proxy *proxy, short events)
{
    struct pollfd polled[] = {{.fd = proxy->child->socket, .events = events},
                              {.fd = proxy->bell, .events = POLLIN}};
    int64_t now = mill_clock_now(), next = proxy->until;
    if (proxy->heeded_by < next) next = proxy->heeded_by;
    if (proxy->config.memory && now + LOOK_OFTEN < next) next = now + LOOK_OFTEN;
    int64_t left = next == ENDLESS ? -1 : next > now ? (next - now) / 1000000 + 1 : 0;
    poll(polled, 2, left > INT32_MAX ? INT32_MAX : (int)left);
    now = mill_clock_now();
    if (now >= proxy->until) return pass_deadline(proxy);
    tidemill_status status = check_interrupt(proxy, now);
    return status == TIDEMILL_OK ? check_memory(proxy) : status;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void put_word(struct mill_wire *wire, const char *text)
{
    mill_packer_text(&wire->out, text ? text : "", text ? strlen(text) : 0);
}

static void put_number(struct mill_wire *wire, int64_t number)
{
    mill_packer_bytes(&wire->out, &number, sizeof number);
}

static void put_words(struct mill_wire *wire, char *const *words)
{
    size_t count = 0;
    while (words && words[count]) count++;
    mill_packer_size(&wire->out, count);
    for (size_t i = 0; i < count; i++) put_word(wire, words[i]);
}

/* ---- talking ---------------------------------------------------------------------------- */

/* Ends the outbox. */
static tidemill_status send_whole(struct mill_proxy *proxy, struct mill_outbox *outbox,
                                  enum mill_message_kind kind)
{
    tidemill_status status = TIDEMILL_OK;
    if (!mill_wire_is_fine(&outbox->wire)) {
        struct mill_error *why = &outbox->wire.error;
        status = mill_fail(&proxy->engine->error,
                           outbox->wire.status ? outbox->wire.status : TIDEMILL_MEMORY, "%s",
                           why->text[0] ? why->text : "out of memory (a message)");
    } else {
        mill_outbox_close(outbox, kind);
    }
    while (status == TIDEMILL_OK) {
        enum mill_transfer sent = mill_outbox_send(outbox, proxy->child->socket, false);
        if (sent == MILL_TRANSFER_DONE) break;
        status = sent == MILL_TRANSFER_AGAIN ? wait_for(proxy, POLLOUT) : mourn(proxy);
    }
    mill_outbox_fini(outbox);
    return status;
}

static tidemill_status refuse_garbage(struct mill_proxy *proxy)
{
    return give_up(proxy, TIDEMILL_ERROR, "the script's process sent what is no message");
}

/* Waits until a whole message lies in the child's inbox. */
static tidemill_status receive_whole(struct mill_proxy *proxy)
{
    for (;;) {
        struct mill_child *child = proxy->child;
        tidemill_status status = TIDEMILL_OK;
        switch (mill_inbox_receive(&child->inbox, child->socket, false, NULL)) {
        case MILL_TRANSFER_DONE:
            return TIDEMILL_OK;
        case MILL_TRANSFER_AGAIN:
            status = wait_for(proxy, POLLIN);
            break;
        case MILL_TRANSFER_GONE:
            status = mourn(proxy);
            break;
        case MILL_TRANSFER_GARBAGE:
            status = refuse_garbage(proxy);
            break;
        case MILL_TRANSFER_MEMORY:
            status = give_up(proxy, TIDEMILL_MEMORY, "out of memory (what a script returns)");
            break;
        }
        if (status != TIDEMILL_OK) return status;
    }
}

/* A warning of the script's, cut where people would stop reading. */
static bool hear_text(struct mill_proxy *proxy, struct mill_wire_reader *reader)
{
    int kind = mill_unpacker_byte(&reader->in);
    int size = (int)(reader->in.end - reader->in.at);
    if (reader->in.bad || kind != MILL_TEXT_WARNING) return false;
    mill_output_warn(&proxy->engine->output, "%.*s", size < 1000 ? size : 1000,
                     (const char *)reader->in.at);
    return true;
}

/* ---- answers ---------------------------------------------------------------------------- */

/* What an answer is to fill. */
struct reply_place {
    struct mill_value *values; /* all nil */
    size_t count;
    char **text; /* malloc'ed; NULL: none is wanted */
};

/* LuaJIT takes some NaNs for other things than numbers. */
static void clean_numbers(struct mill_array *array)
{
    if (array->type == MILL_FLOAT64) {
        double *at = array->values;
        for (int64_t i = 0; i < array->length; i++) {
            if (isnan(at[i])) at[i] = NAN;
        }
    } else if (array->type == MILL_FLOAT32) {
        float *at = array->values;
        for (int64_t i = 0; i < array->length; i++) {
            if (isnan(at[i])) at[i] = (float)NAN;
        }
    }
}

static void clean_value(struct mill_value *value)
{
    if (value->tag == MILL_TAG_COLUMN) clean_numbers(value->array);
    if (value->tag != MILL_TAG_PACKED) return;
    for (uint32_t i = 0; i < value->packed->array_count; i++) {
        clean_numbers(value->packed->arrays[i]);
    }
}

struct mill_value mill_proxy_take_value(struct mill_wire_reader *reader, bool closed)
{
    struct mill_value value = mill_wire_read(reader, false);
    if (reader->status != TIDEMILL_OK || !closed) return value;
    clean_value(&value);
    if (mill_value_is_data(&value)) return value;
    mill_value_unref(value);
    reader->status = TIDEMILL_DATA;
    return mill_nil();
}

static bool take_values(struct mill_proxy *proxy, struct mill_wire_reader *reader,
                        struct reply_place *place)
{
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count > CALL_MOST) return false;
    for (uint64_t i = 0; i < count && reader->status == TIDEMILL_OK; i++) {
        struct mill_value value = mill_proxy_take_value(reader, proxy->config.sandbox != 0);
        if (i < place->count) {
            place->values[i] = value;
        } else {
            mill_value_unref(value);
        }
    }
    return reader->status == TIDEMILL_OK && !reader->in.bad;
}

/* The status that it says, or -1: it is no answer. */
static int take_answer(struct mill_proxy *proxy, struct mill_wire_reader *reader,
                       struct reply_place *place)
{
    size_t size, length;
    struct tidemill *engine = proxy->engine;
    int status = mill_unpacker_byte(&reader->in);
    const char *problem = mill_unpacker_text(&reader->in, &size);
    int64_t exit_status = (int64_t)mill_unpacker_word(&reader->in);
    int64_t strict = (int64_t)mill_unpacker_word(&reader->in);
    if (status > TIDEMILL_UNSUPPORTED || reader->in.bad) return -1;
    if (!take_values(proxy, reader, place)) return -1;
    const char *text = mill_unpacker_text(&reader->in, &length);
    if (!mill_wire_is_read(reader)) return -1;
    engine->exit_status = (int)exit_status;
    atomic_store(&engine->degraded, strict);
    if (status == TIDEMILL_OK && place->text) *place->text = strndup(text, length);
    if (status != TIDEMILL_OK) mill_api_fail(engine, status, strndup(problem, size));
    return status;
}

static void drop_place(struct reply_place *place)
{
    for (size_t i = 0; i < place->count; i++) {
        mill_value_unref(place->values[i]);
        place->values[i] = mill_nil();
    }
}

/* ---- functions of the host -------------------------------------------------------------- */

struct asking {
    uint64_t number;
    struct mill_value arguments[MILL_HOST_ARGUMENTS], results[MILL_HOST_ARGUMENTS];
    size_t count, wanted;
};

/* False: what was sent is no call. */
static bool read_ask(struct mill_proxy *proxy, struct mill_wire_reader *reader,
                     struct asking *asking)
{
    asking->number = mill_unpacker_size(&reader->in);
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count > MILL_HOST_ARGUMENTS || !proxy->scripted) return false;
    while (asking->count < count && reader->status == TIDEMILL_OK) {
        asking->arguments[asking->count++] =
            mill_proxy_take_value(reader, proxy->config.sandbox != 0);
    }
    return mill_wire_is_read(reader);
}

static void drop_asking(struct asking *asking)
{
    for (size_t i = 0; i < asking->count; i++) mill_value_unref(asking->arguments[i]);
    for (size_t i = 0; i < asking->wanted; i++) mill_value_unref(asking->results[i]);
}

/* A result that cannot be sent is an error of the function. */
static void put_told(struct mill_outbox *outbox, struct mill_proxy *proxy,
                     const struct asking *asking, tidemill_status status, const char *problem)
{
    size_t count = status == TIDEMILL_OK ? asking->wanted : 0;
    mill_outbox_begin(outbox);
    outbox->wire.whole = proxy->config.sandbox != 0;
    mill_packer_byte(&outbox->wire.out, (uint8_t)status);
    put_word(&outbox->wire, problem);
    mill_packer_size(&outbox->wire.out, count);
    for (size_t i = 0; i < count; i++) {
        mill_wire_value(&outbox->wire, &asking->results[i], "a result");
    }
}

/* Calls the function, which may call the engine again, and tells the script. */
static tidemill_status answer_ask(struct mill_proxy *proxy, struct asking *asking)
{
    struct mill_error error;
    struct mill_outbox outbox;
    tidemill_status status =
        mill_host_answer(proxy->engine, asking->number, asking->arguments, asking->count,
                         asking->results, &asking->wanted, &error);
    if (proxy->child == NULL) { /* it has ended in a call of the function's */
        return mill_fail(&proxy->engine->error, TIDEMILL_ERROR, "%s", proxy->lost);
    }
    put_told(&outbox, proxy, asking, status, status == TIDEMILL_OK ? "" : error.text);
    if (!mill_wire_is_fine(&outbox.wire)) {
        error = outbox.wire.error;
        mill_outbox_fini(&outbox);
        put_told(&outbox, proxy, asking, TIDEMILL_ERROR,
                 error.text[0] ? error.text : "out of memory (a result)");
    }
    return send_whole(proxy, &outbox, MILL_MESSAGE_TOLD);
}

/* ---- what comes ------------------------------------------------------------------------- */

/* Reads the message that is there; -1: it is none.  *answered: it was the answer.  *asking is what was asked,
 * malloc'ed. */
static int read_message(struct mill_proxy *proxy, struct reply_place *place, bool *answered,
                        struct asking **asking)
{
    struct mill_inbox *inbox = &proxy->child->inbox;
    struct mill_wire_reader reader;
    int status = -1;
    mill_inbox_open(inbox, &reader, NULL);
    if (inbox->head.kind == MILL_MESSAGE_ASK) {
        *asking = calloc(1, sizeof **asking);
        if (*asking && read_ask(proxy, &reader, *asking)) status = TIDEMILL_OK;
    } else if (inbox->head.kind == MILL_MESSAGE_ANSWER) {
        status = take_answer(proxy, &reader, place);
        *answered = true;
    } else if (inbox->head.kind == MILL_MESSAGE_TEXT) {
        status = hear_text(proxy, &reader) ? TIDEMILL_OK : -1;
    }
    mill_wire_reader_fini(&reader);
    mill_inbox_clear(inbox);
    return status;
}

/* Waits for the answer to what was sent. */
static tidemill_status hear_answer(struct mill_proxy *proxy, struct reply_place *place)
{
    bool answered = false;
    tidemill_status status = TIDEMILL_OK;
    while (!answered && status == TIDEMILL_OK) {
        status = receive_whole(proxy);
        if (status != TIDEMILL_OK) break;
        struct asking *asking = NULL;
        int said = read_message(proxy, place, &answered, &asking);
        status = said < 0 ? refuse_garbage(proxy) : (tidemill_status)said;
        if (asking && status == TIDEMILL_OK) status = answer_ask(proxy, asking);
        if (asking) drop_asking(asking);
        free(asking);
    }
    if (status != TIDEMILL_OK) drop_place(place);
    return status;
}

/* ---- beginning -------------------------------------------------------------------------- */

/* A script that may not touch files has no cache unless it is allowed. */
static const char *cache_of(const struct mill_proxy *proxy)
{
    return mill_confine_allows(&proxy->engine->confine, "cache") ? proxy->cache : "off";
}

static tidemill_status send_open(struct mill_proxy *proxy)
{
    struct mill_outbox outbox;
    const tidemill_config *config = &proxy->config;
    mill_outbox_begin(&outbox);
    struct mill_wire *wire = &outbox.wire;
    mill_packer_byte(&wire->out, MILL_MESSAGE_VERSION);
    put_number(wire, config->workers);
    put_number(wire, (int64_t)config->seed);
    put_number(wire, config->progress);
    put_number(wire, config->notes);
    put_number(wire, config->sandbox);
    put_word(wire, cache_of(proxy));
    put_words(wire, proxy->engine->confine.allow);
    put_words(wire, proxy->engine->confine.modules);
    put_words(wire, proxy->settings);
    return send_whole(proxy, &outbox, MILL_MESSAGE_OPEN);
}

static tidemill_status send_function(struct mill_proxy *proxy,
                                     const tidemill_function *function, uint64_t number)
{
    struct mill_outbox outbox;
    struct reply_place nothing = {0};
    mill_outbox_begin(&outbox);
    mill_packer_byte(&outbox.wire.out, MILL_REQUEST_REGISTER);
    put_word(&outbox.wire, function->name);
    put_word(&outbox.wire, function->signature);
    put_word(&outbox.wire, function->version);
    mill_packer_size(&outbox.wire.out, number);
    tidemill_status status = send_whole(proxy, &outbox, MILL_MESSAGE_REQUEST);
    return status == TIDEMILL_OK ? hear_answer(proxy, &nothing) : status;
}

static tidemill_status send_functions(struct mill_proxy *proxy)
{
    const tidemill_function *function;
    tidemill_status status = TIDEMILL_OK;
    for (uint64_t i = 0; status == TIDEMILL_OK; i++) {
        function = mill_host_at(proxy->engine, i);
        if (function == NULL) break;
        status = send_function(proxy, function, i);
    }
    return status;
}

/* The most that a script can mean to answer. */
static uint64_t most_of(const struct mill_proxy *proxy)
{
    uint64_t memory = proxy->config.memory;
    if (memory == 0) return UINT64_C(1) << 30;
    return memory < ANSWER_LEAST ? ANSWER_LEAST : memory;
}

static tidemill_status start_child(struct mill_proxy *proxy)
{
    struct reply_place nothing = {0};
    proxy->child = mill_child_start(proxy->program, &proxy->engine->error);
    if (proxy->child == NULL) return proxy->engine->error.status;
    proxy->child->inbox.strict = true;
    proxy->child->inbox.most = most_of(proxy);
    proxy->until = mill_clock_now() + OPEN_WITHIN;
    proxy->heeded_by = ENDLESS;
    tidemill_status status = send_open(proxy);
    if (status == TIDEMILL_OK) status = hear_answer(proxy, &nothing);
    if (status == TIDEMILL_OK) status = send_functions(proxy);
    if (status != TIDEMILL_OK) end_child(proxy);
    return status;
}

/* ---- requests --------------------------------------------------------------------------- */

/* Begins one; `anew`: a process that is not there is started. */
static tidemill_status begin_request(struct mill_proxy *proxy, enum mill_request what,
                                     bool anew, struct mill_outbox *outbox)
{
    struct tidemill *engine = proxy->engine;
    if (proxy->depth == 0) {
        uint64_t rings;
        atomic_store(&engine->interrupted, false);
        if (read(proxy->bell, &rings, sizeof rings) < 0) errno = 0; /* none */
        if (proxy->child == NULL && anew) {
            tidemill_status status = start_child(proxy);
            if (status != TIDEMILL_OK) return status;
        }
        double seconds = proxy->config.deadline;
        proxy->until = seconds > 0 ? mill_clock_now() + (int64_t)(seconds * 1e9) : ENDLESS;
        proxy->heeded_by = ENDLESS;
    }
    if (proxy->child == NULL) {
        return mill_fail(&engine->error, TIDEMILL_ERROR,
                         "there is no script any more: %s; run one", proxy->lost);
    }
    proxy->scripted = true;
    mill_outbox_begin(outbox);
    outbox->wire.whole =
        proxy->config.sandbox != 0; /* memory that is shared could be changed */
    mill_packer_byte(&outbox->wire.out, (uint8_t)what);
    return TIDEMILL_OK;
}

static tidemill_status end_request(struct mill_proxy *proxy, struct mill_outbox *outbox,
                                   struct reply_place *place)
{
    proxy->depth++;
    tidemill_status status = send_whole(proxy, outbox, MILL_MESSAGE_REQUEST);
    if (status == TIDEMILL_OK) status = hear_answer(proxy, place);
    proxy->depth--;
    return status;
}

tidemill_status mill_proxy_run(struct tidemill *engine, enum mill_request what,
                               const char *name, const char *code, int argc, char **argv)
{
    struct mill_outbox outbox;
    struct reply_place nothing = {0};
    tidemill_status status = begin_request(engine->proxy, what, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    put_word(&outbox.wire, name);
    put_word(&outbox.wire, code);
    mill_packer_size(&outbox.wire.out, (uint64_t)argc);
    for (int i = 0; i < argc; i++) put_word(&outbox.wire, argv[i]);
    return end_request(engine->proxy, &outbox, &nothing);
}

tidemill_status mill_proxy_result(struct tidemill *engine, struct mill_value *value)
{
    struct mill_outbox outbox;
    struct reply_place place = {.values = value, .count = 1};
    tidemill_status status = begin_request(engine->proxy, MILL_REQUEST_RESULT, false, &outbox);
    return status == TIDEMILL_OK ? end_request(engine->proxy, &outbox, &place) : status;
}

tidemill_status mill_proxy_result_json(struct tidemill *engine, char **text)
{
    struct mill_outbox outbox;
    struct reply_place place = {.text = text};
    tidemill_status status =
        begin_request(engine->proxy, MILL_REQUEST_RESULT_JSON, false, &outbox);
    if (status == TIDEMILL_OK) status = end_request(engine->proxy, &outbox, &place);
    if (status == TIDEMILL_OK && *text == NULL) status = mill_no_memory(&engine->error, "JSON");
    return status;
}

tidemill_status mill_proxy_call(struct tidemill *engine, const char *name,
                                const struct mill_value *arguments, size_t count,
                                struct mill_value *results, size_t wanted)
{
    struct mill_outbox outbox;
    struct reply_place place = {.values = results, .count = wanted};
    if (count > CALL_MOST || wanted > CALL_MOST) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "%s: more than %d arguments or results", name, CALL_MOST);
    }
    tidemill_status status = begin_request(engine->proxy, MILL_REQUEST_CALL, false, &outbox);
    if (status != TIDEMILL_OK) return status;
    put_word(&outbox.wire, name);
    mill_packer_size(&outbox.wire.out, wanted);
    mill_packer_size(&outbox.wire.out, count);
    for (size_t i = 0; i < count; i++) {
        char where[32];
        snprintf(where, sizeof where, "argument %zu", i + 1);
        mill_wire_value(&outbox.wire, &arguments[i], where);
    }
    return end_request(engine->proxy, &outbox, &place);
}

/* For processes to come. */
static tidemill_status keep_setting(struct mill_proxy *proxy, const char *name,
                                    const char *value)
{
    char **grown =
        realloc(proxy->settings, (proxy->setting_count + 3) * sizeof *proxy->settings);
    char *name_copy = strdup(name), *value_copy = strdup(value);
    if (grown) proxy->settings = grown;
    if (grown == NULL || name_copy == NULL || value_copy == NULL) {
        free(name_copy);
        free(value_copy);
        return mill_no_memory(&proxy->engine->error, "a setting");
    }
    grown[proxy->setting_count++] = name_copy;
    grown[proxy->setting_count++] = value_copy;
    grown[proxy->setting_count] = NULL;
    return TIDEMILL_OK;
}

tidemill_status mill_proxy_set(struct tidemill *engine, const char *name, const char *value)
{
    struct mill_outbox outbox;
    struct reply_place nothing = {0};
    tidemill_status status = begin_request(engine->proxy, MILL_REQUEST_SET, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    put_word(&outbox.wire, name);
    put_word(&outbox.wire, value);
    status = end_request(engine->proxy, &outbox, &nothing);
    return status == TIDEMILL_OK ? keep_setting(engine->proxy, name, value) : status;
}

tidemill_status mill_proxy_register(struct tidemill *engine, const tidemill_function *function,
                                    uint64_t number)
{
    struct mill_proxy *proxy = engine->proxy;
    if (proxy->child == NULL) {
        tidemill_status status = start_child(proxy);
        if (status != TIDEMILL_OK) return status;
    }
    if (proxy->depth == 0) proxy->until = mill_clock_now() + OPEN_WITHIN;
    return send_function(proxy, function, number);
}

void mill_proxy_ring(struct mill_proxy *proxy)
{
    uint64_t once = 1;
    int before = errno;
    if (write(proxy->bell, &once, sizeof once) < 0) errno = before; /* it rings already */
    errno = before;
}

/* ---- opening and closing ---------------------------------------------------------------- */

tidemill_status mill_proxy_open(struct tidemill *engine, const tidemill_config *config)
{
    struct mill_error *error = &engine->error;
    struct mill_proxy *proxy = engine->proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL) return mill_no_memory(error, "a script's process");
    proxy->engine = engine;
    proxy->config = *config;
    proxy->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    proxy->cache = config->cache ? strdup(config->cache) : NULL;
    if (proxy->bell < 0 || (config->cache && proxy->cache == NULL)) {
        return mill_no_memory(error, "a script's process");
    }
    tidemill_status status =
        mill_processes_program(engine, proxy->program, sizeof proxy->program, error);
    return status == TIDEMILL_OK ? start_child(proxy) : status;
}

/* What a script has put into the cache is on disk before its process ends. */
static void flush_child(struct mill_proxy *proxy)
{
    struct mill_outbox outbox;
    struct reply_place nothing = {0};
    if (proxy->child == NULL || strcmp(cache_of(proxy) ? cache_of(proxy) : "", "off") == 0)
        return;
    if (begin_request(proxy, MILL_REQUEST_FLUSH, false, &outbox) != TIDEMILL_OK) return;
    proxy->until = mill_clock_now() + OPEN_WITHIN;
    end_request(proxy, &outbox, &nothing);
}

void mill_proxy_close(struct tidemill *engine)
{
    struct mill_proxy *proxy = engine->proxy;
    if (proxy == NULL) return;
    flush_child(proxy);
    end_child(proxy);
    if (proxy->bell >= 0) close(proxy->bell);
    for (size_t i = 0; i < proxy->setting_count; i++) free(proxy->settings[i]);
    free(proxy->settings);
    free(proxy->cache);
    free(proxy);
    engine->proxy = NULL;
}
