/* request: what a script's process does for its host.  SPDX-License-Identifier: MIT */
#include "bind/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bind/api.h"
#include "bind/signature.h"
#include "sched/await.h"
#include "sched/parked.h"

enum { HOSTED_PATIENCE = 10 /* seconds */ };

/* ---- reading ---------------------------------------------------------------------------- */

char *mill_request_text(struct mill_wire_reader *reader)
{
    size_t size;
    const char *text = mill_unpacker_text(&reader->in, &size);
    return text ? strndup(text, size) : NULL;
}

void mill_request_free(char **words)
{
    for (char **word = words; word && *word; word++) free(*word);
    free(words);
}

char **mill_request_texts(struct mill_wire_reader *reader, size_t *count)
{
    *count = 0;
    uint64_t there = mill_unpacker_size(&reader->in);
    if (there > (size_t)(reader->in.end - reader->in.at)) return NULL;
    char **words = calloc(there + 1, sizeof *words);
    for (; words && *count < there; ++*count) {
        words[*count] = mill_request_text(reader);
        if (words[*count]) continue;
        mill_request_free(words);
        return NULL;
    }
    return words;
}

/* ---- answers ---------------------------------------------------------------------------- */

static void put_text_of(struct mill_wire *wire, const char *text)
{
    mill_packer_text(&wire->out, text ? text : "", text ? strlen(text) : 0);
}

void mill_request_put(struct mill_wire *wire, const char *what, const tidemill_value *values,
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
                       const struct mill_reply *reply)
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
    mill_request_put(wire, "result", reply->values, reply->count, engine && engine->confine.on);
    put_text_of(wire, reply->text);
}

static void drop_reply(struct mill_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++) tidemill_release(reply->values[i]);
    reply->count = 0;
    free(reply->text);
    reply->text = NULL;
}

/* A value that cannot be sent is an error. */
bool mill_request_answer(struct mill_hosted *hosted, struct mill_reply *reply)
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
    return mill_hosted_send(hosted, &outbox, MILL_MESSAGE_ANSWER);
}

/* ---- functions of the host -------------------------------------------------------------- */

struct asked {
    struct mill_hosted *hosted;
    uint64_t number;
};

/* What is told, with requests of the host before it; false: the host has gone. */
static bool await_told(struct mill_hosted *hosted, struct mill_inbox *inbox)
{
    struct mill_memory *memory = &hosted->engine->memory;
    while (mill_duties_receive(&hosted->duties, inbox, hosted->socket, memory)) {
        if (inbox->head.kind == MILL_MESSAGE_TOLD) return true;
        if (!mill_request_serve(hosted, inbox)) return false;
    }
    return false;
}

static tidemill_status take_told(tidemill_invocation *invocation,
                                 struct mill_wire_reader *reader, tidemill_value *results)
{
    tidemill_status status = mill_unpacker_byte(&reader->in);
    char *problem = mill_request_text(reader);
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
    mill_request_put(&outbox.wire, "argument", arguments, count, hosted->engine->confine.on);
    if (!mill_wire_is_fine(&outbox.wire)) {
        const char *text = outbox.wire.error.text;
        tidemill_raise(invocation, text[0] ? text : "out of memory (arguments)");
        mill_outbox_fini(&outbox);
        return false;
    }
    if (mill_hosted_send(hosted, &outbox, MILL_MESSAGE_ASK)) return true;
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
                        struct mill_reply *reply)
{
    struct asked *asked = malloc(sizeof *asked);
    char *name = mill_request_text(reader), *signature = mill_request_text(reader),
         *version = mill_request_text(reader);
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
                   struct mill_wire_reader *reader, struct mill_reply *reply)
{
    size_t count;
    tidemill *engine = hosted->engine;
    char *name = mill_request_text(reader), *code = mill_request_text(reader);
    char **words = mill_request_texts(reader, &count);
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
    mill_request_free(words);
    fflush(stdout);
}

bool mill_request_take(struct mill_wire_reader *reader,
                       tidemill_value values[MILL_REQUEST_VALUES], size_t *taken)
{
    uint64_t count = mill_unpacker_size(&reader->in);
    *taken = 0;
    if (count > MILL_REQUEST_VALUES) return false;
    while (!reader->in.bad && *taken < count && reader->status == TIDEMILL_OK) {
        values[(*taken)++] = mill_value_out(mill_wire_read(reader, false));
    }
    return !reader->in.bad && reader->status == TIDEMILL_OK;
}

static void do_call(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                    struct mill_reply *reply)
{
    tidemill_value arguments[MILL_REQUEST_VALUES];
    char *name = mill_request_text(reader);
    size_t wanted = (size_t)mill_unpacker_size(&reader->in), taken = 0;
    bool fine = mill_request_take(reader, arguments, &taken) && wanted <= MILL_REQUEST_VALUES;
    if (name == NULL || !fine) {
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
                   struct mill_reply *reply)
{
    char *name = mill_request_text(reader), *value = mill_request_text(reader);
    reply->status = TIDEMILL_MEMORY;
    reply->problem = "out of memory (a setting)";
    if (name && value) {
        reply->problem = NULL;
        reply->status = tidemill_set(hosted->engine, name, value);
    }
    free(name);
    free(value);
}

static void do_session(struct mill_hosted *hosted, enum mill_request what,
                       struct mill_wire_reader *reader, struct mill_reply *reply)
{
    char *text = mill_request_text(reader);
    if (text == NULL) {
        reply->status = TIDEMILL_MEMORY;
        reply->problem = "out of memory (a session)";
    } else if (what == MILL_REQUEST_EVAL) {
        reply->status = tidemill_eval(hosted->engine, text);
    } else if (what == MILL_REQUEST_COMPLETE) {
        reply->status = tidemill_complete(hosted->engine, text, &reply->text);
    } else {
        reply->status = tidemill_help(hosted->engine, text, &reply->text);
    }
    free(text);
    fflush(stdout);
}

/* What calls have submitted has so long to end, before what the cache is to keep is written. */
static void do_rest(struct mill_hosted *hosted, struct mill_wire_reader *reader,
                    struct mill_reply *reply)
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
                   struct mill_reply *reply)
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
    case MILL_REQUEST_SUBMIT:
        mill_duties_submit(&hosted->duties, reader, reply);
        return true;
    case MILL_REQUEST_EVAL:
    case MILL_REQUEST_COMPLETE:
    case MILL_REQUEST_HELP:
        do_session(hosted, what, reader, reply);
        return true;
    case MILL_REQUEST_LISTEN:
        mill_duties_listen(&hosted->duties, mill_unpacker_byte(&reader->in));
        return true;
    case MILL_REQUEST_REST:
        do_rest(hosted, reader, reply);
        return true;
    }
    return false;
}

bool mill_request_serve(struct mill_hosted *hosted, struct mill_inbox *inbox)
{
    struct mill_wire_reader reader;
    struct mill_reply *reply = calloc(1, sizeof *reply);
    bool fine = reply && inbox->head.kind == MILL_MESSAGE_REQUEST;
    if (fine) {
        mill_inbox_open(inbox, &reader, &hosted->engine->memory);
        fine = fulfil(hosted, &reader, reply) && mill_request_answer(hosted, reply);
        mill_wire_reader_fini(&reader);
    }
    mill_inbox_clear(inbox);
    free(reply);
    return fine;
}
