/* brief: a value in a few words.  SPDX-License-Identifier: MIT */
#include "data/brief.h"

#include <inttypes.h>
#include <stdio.h>

#include "data/packed.h"

enum { BRIEF_STRING = 40 }; /* bytes shown of a string */

void mill_brief_init(struct mill_brief *brief, char *text, size_t room)
{
    *brief = (struct mill_brief){text, 0, room, false};
    text[0] = 0;
}

/* Three bytes and the end are kept for the dots. */
static bool brief_bytes(struct mill_brief *brief, const char *bytes, size_t size)
{
    if (brief->full) return false;
    if (size > brief->room - brief->size - 4) {
        memcpy(brief->text + brief->size, "...", 4);
        brief->size += 3;
        brief->full = true;
        return false;
    }
    memcpy(brief->text + brief->size, bytes, size);
    brief->size += size;
    brief->text[brief->size] = 0;
    return true;
}

bool mill_brief_add(struct mill_brief *brief, const char *words)
{
    return brief_bytes(brief, words, strlen(words));
}

/* nil, false, true have the same numbers as tags and as marks. */
static void brief_constant(struct mill_brief *brief, uint8_t tag)
{
    static const char *const words[] = {"nil", "false", "true"};
    mill_brief_add(brief, words[tag]);
}

static void brief_integer(struct mill_brief *brief, bool with_sign, uint64_t bits)
{
    char text[40];
    if (with_sign) {
        snprintf(text, sizeof text, "%" PRId64 "LL", (int64_t)bits);
    } else {
        snprintf(text, sizeof text, "%" PRIu64 "ULL", bits);
    }
    mill_brief_add(brief, text);
}

static void brief_number(struct mill_brief *brief, double number)
{
    char text[40];
    snprintf(text, sizeof text, "%.14g", number);
    mill_brief_add(brief, text);
}

/* Bytes of the character at `text`: whole when it is UTF-8, as far as its first byte says. */
static size_t character_size(const char *text, size_t left)
{
    uint8_t first = (uint8_t)text[0];
    size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    return size < left ? size : left;
}

static void brief_character(struct mill_brief *brief, const char *text, size_t size)
{
    uint8_t byte = (uint8_t)text[0];
    char escaped[8];
    if (byte == '\n') {
        mill_brief_add(brief, "\\n");
    } else if (byte < 0x20 || byte == 0x7F) {
        snprintf(escaped, sizeof escaped, "\\%u", byte);
        mill_brief_add(brief, escaped);
    } else {
        if (byte == '"' || byte == '\\') mill_brief_add(brief, "\\");
        brief_bytes(brief, text, size);
    }
}

/* Bytes shown. */
static size_t brief_characters(struct mill_brief *brief, const char *text, size_t size)
{
    size_t shown = 0;
    while (shown < size && shown < BRIEF_STRING && !brief->full) {
        size_t step = character_size(text + shown, size - shown);
        brief_character(brief, text + shown, step);
        shown += step;
    }
    return shown;
}

void mill_brief_text(struct mill_brief *brief, const char *text, size_t size)
{
    mill_brief_add(brief, "\"");
    size_t shown = brief_characters(brief, text, size);
    mill_brief_add(brief, shown < size ? "...\"" : "\"");
}

static void brief_array(struct mill_brief *brief, const struct mill_array *array)
{
    char text[40];
    const char *name = mill_type_name(array->type);
    mill_brief_add(brief, name ? name : "array");
    for (int i = 0; i < array->dimensions; i++) {
        snprintf(text, sizeof text, "%s%" PRId64, i ? "x" : "[", array->shape[i]);
        mill_brief_add(brief, text);
    }
    mill_brief_add(brief, "]");
}

static void brief_node(struct mill_brief *brief, uint32_t index)
{
    char text[16];
    snprintf(text, sizeof text, "\1%" PRIu32 "\2", index);
    mill_brief_add(brief, text);
}

/* ---- packed values ------------------------------------------------------------------------ */

struct glimpse {
    struct mill_brief *brief;
    const struct mill_packed *packed;
    struct mill_unpacker at;
    bool stopped; /* before something that is not read any further, such as a function */
};

static void brief_packed(struct glimpse *reading);

static void brief_named(struct glimpse *reading, bool module)
{
    size_t size;
    if (module) mill_unpacker_bytes(&reading->at, 16);
    const char *name = mill_unpacker_text(&reading->at, &size);
    if (name) brief_characters(reading->brief, name, size);
    if (!module) return;
    name = mill_unpacker_text(&reading->at, &size);
    if (name && size) {
        mill_brief_add(reading->brief, ".");
        brief_characters(reading->brief, name, size);
    }
}

static bool is_identifier(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
    }
    return size > 0;
}

/* x of {x = 1}; any other key stands in brackets. */
static void brief_key(struct glimpse *reading)
{
    struct mill_unpacker ahead = reading->at;
    size_t size;
    if (mill_unpacker_byte(&ahead) == MILL_MARK_STRING) {
        const char *name = mill_unpacker_text(&ahead, &size);
        if (name && is_identifier(name, size)) {
            reading->at = ahead;
            brief_bytes(reading->brief, name, size);
            return;
        }
    }
    mill_brief_add(reading->brief, "[");
    brief_packed(reading);
    mill_brief_add(reading->brief, "]");
}

static bool goes_on(const struct glimpse *reading)
{
    return !reading->stopped && !reading->brief->full && !reading->at.bad;
}

/* Each element adds a byte at least, so that the room of the text bounds depth and length. */
static void brief_table(struct glimpse *reading)
{
    uint64_t list = mill_unpacker_size(&reading->at), pairs = mill_unpacker_size(&reading->at);
    uint8_t meta = mill_unpacker_byte(&reading->at);
    bool first = true;
    mill_brief_add(reading->brief, "{");
    for (; list + pairs > 0 && goes_on(reading); first = false) {
        if (!first) mill_brief_add(reading->brief, ", ");
        if (list > 0) {
            list--;
        } else {
            pairs--;
            brief_key(reading);
            if (!goes_on(reading)) break;
            mill_brief_add(reading->brief, " = ");
        }
        brief_packed(reading);
    }
    if (reading->stopped && list + pairs > 0) mill_brief_add(reading->brief, ", ...");
    mill_brief_add(reading->brief, "}");
    if (meta) reading->stopped = true; /* the metatable follows: of no interest here */
}

static void brief_word(struct glimpse *reading, uint8_t mark)
{
    uint64_t bits = mill_unpacker_word(&reading->at);
    double number;
    memcpy(&number, &bits, sizeof number);
    if (mark == MILL_MARK_NUMBER) {
        brief_number(reading->brief, number);
    } else {
        brief_integer(reading->brief, mark == MILL_MARK_INT64, bits);
    }
}

static void brief_member(struct glimpse *reading, bool node)
{
    const struct mill_packed *packed = reading->packed;
    uint64_t i = mill_unpacker_size(&reading->at);
    if (i >= (node ? packed->node_count : packed->array_count)) {
        reading->at.bad = true;
    } else if (node) {
        brief_node(reading->brief, packed->nodes[i]);
    } else {
        brief_array(reading->brief, packed->arrays[i]);
    }
}

static void brief_packed(struct glimpse *reading)
{
    size_t size;
    const char *text;
    uint8_t mark = mill_unpacker_byte(&reading->at);
    if (reading->at.bad) return;
    switch (mark) {
    case MILL_MARK_NIL:
    case MILL_MARK_FALSE:
    case MILL_MARK_TRUE:
        brief_constant(reading->brief, mark);
        break;
    case MILL_MARK_NUMBER:
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        brief_word(reading, mark);
        break;
    case MILL_MARK_STRING:
        text = mill_unpacker_text(&reading->at, &size);
        if (text) mill_brief_text(reading->brief, text, size);
        break;
    case MILL_MARK_TABLE:
        brief_table(reading);
        break;
    case MILL_MARK_SEEN:
        mill_unpacker_size(&reading->at);
        mill_brief_add(reading->brief, "(the same)");
        break;
    case MILL_MARK_ARRAY:
        brief_member(reading, false);
        break;
    case MILL_MARK_NODE:
        brief_member(reading, true);
        break;
    case MILL_MARK_BUILTIN:
        brief_named(reading, false);
        break;
    case MILL_MARK_MODULE:
        brief_named(reading, true);
        break;
    default:
        mill_brief_add(reading->brief, "function");
        reading->stopped = true;
    }
}

static void brief_packed_value(struct mill_brief *brief, const struct mill_packed *packed)
{
    struct glimpse reading = {
        .brief = brief,
        .packed = packed,
        .at = {packed->bytes, packed->bytes + packed->size, false},
    };
    brief_packed(&reading);
}

void mill_brief_value(struct mill_brief *brief, const struct mill_value *value)
{
    size_t size;
    const char *text = mill_value_text(value, &size);
    switch (value->tag) {
    case MILL_TAG_NIL:
    case MILL_TAG_FALSE:
    case MILL_TAG_TRUE:
        brief_constant(brief, value->tag);
        break;
    case MILL_TAG_NUMBER:
        brief_number(brief, value->number);
        break;
    case MILL_TAG_INT64:
    case MILL_TAG_UINT64:
        brief_integer(brief, value->tag == MILL_TAG_INT64, value->natural);
        break;
    case MILL_TAG_SHORT:
    case MILL_TAG_STRING:
        mill_brief_text(brief, text, size);
        break;
    case MILL_TAG_PACKED:
        brief_packed_value(brief, value->packed);
        break;
    case MILL_TAG_COLUMN:
        brief_array(brief, value->array);
        break;
    case MILL_TAG_NODE:
        brief_node(brief, (uint32_t)value->natural);
        break;
    default:
        mill_brief_add(brief, "...");
    }
}
