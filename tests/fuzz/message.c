/* message: what the process of a script says, asked or not, read by its host.  The first byte chooses the kind of message and
 * whether it comes from a sandbox; the rest is its body.  SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bind/api.h"
#include "bind/cord.h"
#include "bind/hearing.h"
#include "bind/logline.h"
#include "fuzz.h"

enum { PLACES = 4 };

static const enum mill_message_kind kinds[] = {MILL_MESSAGE_ANSWER, MILL_MESSAGE_ASK,
                                               MILL_MESSAGE_TEXT, MILL_MESSAGE_READY};

static void swallow(void *context, const char *text)
{
    (void)context, (void)text;
}

/* One for all rounds: what is read may only say how its last call has ended. */
static tidemill *common_engine(void)
{
    static tidemill *engine;
    tidemill_config config = {
        .size = sizeof config, .workers = TIDEMILL_SERIAL, .cache = "off", .warning = swallow};
    if (engine == NULL && tidemill_open(&config, &engine) != TIDEMILL_OK) abort();
    return engine;
}

void fuzz_message(const uint8_t *bytes, size_t size)
{
    if (size == 0) return;
    char *text = NULL;
    struct mill_value values[PLACES] = {{0}};
    struct mill_tether tether = {.begun = true};
    struct mill_hearing hearing = {common_engine(), &tether, bytes[0] & 4};
    struct mill_reply_place place = {.values = values, .count = PLACES, .text = &text};
    struct mill_inbox inbox = {.head = {.kind = kinds[bytes[0] & 3], .size = size - 1}};
    inbox.body = mill_buffer_new(NULL, size - 1);
    if (inbox.body == NULL) return;
    memcpy(inbox.body->data, bytes + 1, size - 1);
    mill_hearing_read(&hearing, &inbox, &place);
    for (int i = 0; i < PLACES; i++) {
        mill_value_hash(&values[i], NULL); /* all of it is there */
        if (hearing.closed && !mill_value_is_data(&values[i])) abort();
        mill_value_unref(values[i]);
    }
    free(text);
}

/* ---- what nobody has asked for ---------------------------------------------------------- */

static const enum mill_message_kind said[] = {MILL_MESSAGE_JOB_ENDED, MILL_MESSAGE_LINE,
                                              MILL_MESSAGE_PROGRESS,  MILL_MESSAGE_JOB_BEGUN,
                                              MILL_MESSAGE_TEXT,      MILL_MESSAGE_ANSWER};
enum { SAID = sizeof said / sizeof said[0], CLOSED = 8 };

/* What has been read may be handed on. */
static void look_at_news(const struct mill_news *news, bool closed)
{
    mill_value_hash(&news->value, NULL);
    if (closed && !mill_value_is_data(&news->value)) abort();
    if (news->kind == MILL_MESSAGE_LINE) {
        free(mill_log_fields_json(&news->line));
        mill_log_tell(&common_engine()->log, &news->line);
    }
    if (news->state == TIDEMILL_JOB_FINISHED && news->status != TIDEMILL_OK) abort();
    if (news->progress.done < 0 || news->progress.done > news->progress.total) abort();
}

void fuzz_news(const uint8_t *bytes, size_t size)
{
    struct mill_news news;
    if (size == 0) return;
    struct mill_inbox inbox = {.head = {.kind = said[(bytes[0] & 7) % SAID], .size = size - 1}};
    inbox.body = mill_buffer_new(NULL, size - 1);
    if (inbox.body == NULL) return;
    memcpy(inbox.body->data, bytes + 1, size - 1);
    bool closed = bytes[0] & CLOSED;
    if (mill_news_read(&inbox, closed, &news)) {
        look_at_news(&news, closed);
        mill_news_drop(&news);
    }
    mill_inbox_clear(&inbox);
}

/* ---- to begin with ---------------------------------------------------------------------- */

static void keep_message(const char *corpus, const char *kind, const char *name, uint8_t first,
                         const struct mill_wire *wire)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", corpus, kind);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", corpus, kind, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fputc(first, file) == EOF ||
        fwrite(wire->out.bytes, 1, wire->out.size, file) != wire->out.size ||
        fclose(file) != 0) {
        abort();
    }
}

static void put_reply(struct mill_wire *wire, tidemill_status status, const char *problem,
                      const struct mill_value *values, size_t count)
{
    mill_packer_byte(&wire->out, (uint8_t)status);
    mill_packer_text(&wire->out, problem, strlen(problem));
    mill_packer_bytes(&wire->out, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    mill_packer_size(&wire->out, count);
    for (size_t i = 0; i < count; i++) mill_wire_value(wire, &values[i], "a value");
    mill_packer_text(&wire->out, "[1]", 3);
}

/* A table with most kinds of things in it.  No script makes it: a program without exported names has no
 * arrays in its scripts. */
static struct mill_value make_table(void)
{
    static const double numbers[] = {1, 2.5};
    tidemill_array array = {sizeof array, "float64", 1, {2}, numbers, NULL, NULL};
    tidemill_value list[3] = {tidemill_from_number(1), tidemill_from_int64(4)}, inner, table;
    if (tidemill_from_array(NULL, &array, NULL, NULL, &list[2]) != TIDEMILL_OK ||
        tidemill_from_table(list, 3, NULL, 0, &inner) != TIDEMILL_OK) {
        abort();
    }
    tidemill_field fields[] = {{"three", inner}, {"four", tidemill_from_boolean(0)}};
    if (tidemill_from_table(list, 2, fields, 2, &table) != TIDEMILL_OK) abort();
    tidemill_release(inner);
    tidemill_release(list[2]);
    return mill_value_in(table);
}

static void put_log(struct mill_wire *wire)
{
    struct mill_log_field fields[] = {
        {{"i", 1}, {NULL, 0}, 2.5, MILL_LOG_NUMBER},
        {{"from", 4}, {"a task", 6}, 0, MILL_LOG_STRING},
    };
    struct mill_log_line line = {.level = MILL_LOG_WARN,
                                 .attempt = 1,
                                 .text = {"beware", 6},
                                 .task = {"f", 1},
                                 .run = {"00c0ffee", 8},
                                 .fields = fields,
                                 .field_count = 2};
    mill_packer_size(&wire->out, 2);
    mill_logline_put(&wire->out, &line);
}

static void put_end(struct mill_wire *wire, tidemill_state state, tidemill_status status,
                    const char *text, const struct mill_value *value)
{
    mill_packer_size(&wire->out, 1 << 24);
    mill_packer_byte(&wire->out, (uint8_t)state);
    mill_packer_byte(&wire->out, (uint8_t)status);
    mill_packer_text(&wire->out, text, strlen(text));
    mill_packer_size(&wire->out, value != NULL);
    if (value) mill_wire_value(wire, value, "a value");
}

static void seed_news(const char *corpus, const struct mill_value *values)
{
    static const char *const names[] = {"ended", "line", "progress", "begun", "text", "failed"};
    for (uint8_t i = 0; i < 6; i++) {
        const int64_t counts[] = {2, 5, 1, 0};
        struct mill_wire wire;
        mill_wire_init(&wire);
        wire.whole = true;
        if (i == 0) put_end(&wire, TIDEMILL_JOB_FINISHED, TIDEMILL_OK, "", &values[0]);
        if (i == 1) put_log(&wire);
        if (i == 2) mill_packer_bytes(&wire.out, counts, sizeof counts);
        if (i == 3) mill_packer_size(&wire.out, 1 << 24);
        if (i == 4) mill_packer_bytes(&wire.out, "\2beware", 7);
        if (i == 5) put_end(&wire, TIDEMILL_JOB_ERROR, TIDEMILL_ERROR, "boom", NULL);
        keep_message(corpus, "news", names[i], i == 5 ? 0 : i == 0 ? CLOSED : i, &wire);
        mill_wire_fini(&wire);
    }
}

void fuzz_seed_message(const char *corpus)
{
    static const char *const names[] = {"answer", "ask", "text", "error"};
    bool failed = false;
    struct mill_value values[] = {make_table(), mill_number(1.5), mill_string("x", 1, &failed)};
    for (uint8_t i = 0; i < 4; i++) {
        struct mill_wire wire;
        mill_wire_init(&wire);
        wire.whole = true;
        if (i == 0) put_reply(&wire, TIDEMILL_OK, "", values, 3);
        if (i == 1) mill_packer_bytes(&wire.out, "\0\2", 2);
        if (i == 1) mill_wire_value(&wire, &values[0], "a value");
        if (i == 1) mill_wire_value(&wire, &values[1], "a value");
        if (i == 2) mill_packer_bytes(&wire.out, "\2beware", 7);
        if (i == 3) put_reply(&wire, TIDEMILL_ERROR, "boom", NULL, 0);
        keep_message(corpus, "message", names[i], i == 0 ? 4 : i == 3 ? 0 : i, &wire);
        mill_wire_fini(&wire);
    }
    seed_news(corpus, values);
    mill_value_unref(values[0]);
}
