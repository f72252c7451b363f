/* hearing: what the process of a script says.  SPDX-License-Identifier: MIT */
#include "bind/hearing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bind/api_function.h"
#include "bind/gate.h"

enum { VALUES_AT_MOST = 200 };

/* ---- answers ---------------------------------------------------------------------------- */

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

struct mill_value mill_hearing_value(struct mill_wire_reader *reader, bool closed)
{
    struct mill_value value = mill_wire_read(reader, false);
    if (reader->status != TIDEMILL_OK || !closed) return value;
    clean_value(&value);
    if (mill_value_is_data(&value)) return value;
    mill_value_unref(value);
    reader->status = TIDEMILL_DATA;
    return mill_nil();
}

static bool take_values(struct mill_hearing *hearing, struct mill_wire_reader *reader,
                        struct mill_reply_place *place)
{
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count > VALUES_AT_MOST) return false;
    for (uint64_t i = 0; i < count && reader->status == TIDEMILL_OK; i++) {
        struct mill_value value = mill_hearing_value(reader, hearing->closed);
        if (i < place->count) {
            place->values[i] = value;
        } else {
            mill_value_unref(value);
        }
    }
    return reader->status == TIDEMILL_OK && !reader->in.bad;
}

/* The status that it says, or -1: it is no answer. */
static int hear_reply(struct mill_hearing *hearing, struct mill_wire_reader *reader,
                      struct mill_reply_place *place)
{
    size_t size, length;
    struct tidemill *engine = hearing->engine;
    int status = mill_unpacker_byte(&reader->in);
    const char *problem = mill_unpacker_text(&reader->in, &size);
    int64_t exit_status = (int64_t)mill_unpacker_word(&reader->in);
    int64_t strict = (int64_t)mill_unpacker_word(&reader->in);
    if (status > TIDEMILL_UNSUPPORTED || reader->in.bad) return -1;
    if (!take_values(hearing, reader, place)) return -1;
    const char *text = mill_unpacker_text(&reader->in, &length);
    if (!mill_wire_is_read(reader)) return -1;
    engine->exit_status = (int)exit_status;
    atomic_store(&engine->degraded, strict);
    if (status == TIDEMILL_OK && place->text) *place->text = strndup(text, length);
    if (status != TIDEMILL_OK) mill_api_fail(engine, status, strndup(problem, size));
    return status;
}

static void drop_place(struct mill_reply_place *place)
{
    for (size_t i = 0; i < place->count; i++) {
        mill_value_unref(place->values[i]);
        place->values[i] = mill_nil();
    }
}

/* ---- functions of the host -------------------------------------------------------------- */

struct host_question {
    uint64_t number;
    struct mill_value arguments[MILL_HOST_ARGUMENTS], results[MILL_HOST_ARGUMENTS];
    size_t count, wanted;
};

/* False: what was sent is no call. */
static bool read_ask(struct mill_hearing *hearing, struct mill_wire_reader *reader,
                     struct host_question *asked)
{
    asked->number = mill_unpacker_size(&reader->in);
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count > MILL_HOST_ARGUMENTS || !hearing->tether->begun) return false;
    while (asked->count < count && reader->status == TIDEMILL_OK) {
        asked->arguments[asked->count++] = mill_hearing_value(reader, hearing->closed);
    }
    return mill_wire_is_read(reader);
}

static void drop_asking(struct host_question *asked)
{
    for (size_t i = 0; i < asked->count; i++) mill_value_unref(asked->arguments[i]);
    for (size_t i = 0; i < asked->wanted; i++) mill_value_unref(asked->results[i]);
}

/* A result that cannot be sent is an error of the function. */
static void put_told(struct mill_outbox *outbox, struct mill_hearing *hearing,
                     const struct host_question *asked, tidemill_status status,
                     const char *problem)
{
    size_t count = status == TIDEMILL_OK ? asked->wanted : 0;
    mill_outbox_begin(outbox);
    outbox->wire.whole = hearing->closed;
    mill_packer_byte(&outbox->wire.out, (uint8_t)status);
    mill_packer_text(&outbox->wire.out, problem, strlen(problem));
    mill_packer_size(&outbox->wire.out, count);
    for (size_t i = 0; i < count; i++) {
        mill_wire_value(&outbox->wire, &asked->results[i], "a result");
    }
}

/* Calls the function, which may call the engine again, and tells the script. */
static tidemill_status answer_ask(struct mill_hearing *hearing, struct host_question *asked)
{
    struct mill_error error;
    struct mill_outbox outbox;
    tidemill_status status =
        mill_host_answer(hearing->engine, asked->number, asked->arguments, asked->count,
                         asked->results, &asked->wanted, &error);
    if (hearing->tether->child == NULL) { /* it has ended in a call of the function's */
        return mill_fail(&hearing->engine->error, TIDEMILL_ERROR, "%s", hearing->tether->lost);
    }
    put_told(&outbox, hearing, asked, status, status == TIDEMILL_OK ? "" : error.text);
    if (!mill_wire_is_fine(&outbox.wire)) {
        error = outbox.wire.error;
        mill_outbox_fini(&outbox);
        put_told(&outbox, hearing, asked, TIDEMILL_ERROR,
                 error.text[0] ? error.text : "out of memory (a result)");
    }
    return mill_tether_send(hearing->tether, &outbox, MILL_MESSAGE_TOLD);
}

/* ---- what comes ------------------------------------------------------------------------- */

/* A warning of the script's, cut where people would stop reading. */
static bool hear_text(struct mill_hearing *hearing, struct mill_wire_reader *reader)
{
    int kind = mill_unpacker_byte(&reader->in);
    size_t size = (size_t)(reader->in.end - reader->in.at);
    if (reader->in.bad || kind != MILL_TEXT_WARNING) return false;
    mill_output_warn(&hearing->engine->output, "%.*s", size < 1000 ? (int)size : 1000,
                     (const char *)reader->in.at);
    return true;
}

/* Reads the message that is there; -1: it is none.  *answered: it was the answer.  *asked is what was asked,
 * malloc'ed. */
static int read_message(struct mill_hearing *hearing, struct mill_inbox *inbox,
                        struct mill_reply_place *place, bool *answered,
                        struct host_question **asked)
{
    struct mill_wire_reader reader;
    int status = -1;
    mill_inbox_open(inbox, &reader, NULL);
    if (inbox->head.kind == MILL_MESSAGE_ASK) {
        *asked = calloc(1, sizeof **asked);
        if (*asked && read_ask(hearing, &reader, *asked)) status = TIDEMILL_OK;
    } else if (inbox->head.kind == MILL_MESSAGE_ANSWER) {
        status = hear_reply(hearing, &reader, place);
        *answered = true;
    } else if (inbox->head.kind == MILL_MESSAGE_TEXT) {
        status = hear_text(hearing, &reader) ? TIDEMILL_OK : -1;
    }
    mill_wire_reader_fini(&reader);
    mill_inbox_clear(inbox);
    return status;
}

tidemill_status mill_hearing_answer(struct mill_hearing *hearing,
                                    struct mill_reply_place *place)
{
    bool answered = false;
    tidemill_status status = TIDEMILL_OK;
    while (!answered && status == TIDEMILL_OK) {
        status = mill_tether_receive(hearing->tether);
        if (status != TIDEMILL_OK) break;
        struct host_question *asked = NULL;
        int said =
            read_message(hearing, &hearing->tether->child->inbox, place, &answered, &asked);
        status = said < 0 ? mill_tether_refuse(hearing->tether) : (tidemill_status)said;
        if (asked && status == TIDEMILL_OK) status = answer_ask(hearing, asked);
        if (asked) drop_asking(asked);
        free(asked);
    }
    if (status != TIDEMILL_OK) drop_place(place);
    return status;
}

int mill_hearing_read(struct mill_hearing *hearing, struct mill_inbox *inbox,
                      struct mill_reply_place *place)
{
    bool answered;
    struct host_question *asked = NULL;
    int status = read_message(hearing, inbox, place, &answered, &asked);
    if (asked) drop_asking(asked);
    free(asked);
    return status;
}
