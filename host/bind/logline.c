/* logline: a line of the log as bytes.  SPDX-License-Identifier: MIT */
#include "bind/logline.h"

#include <stdlib.h>
#include <string.h>

static void put_log_text(struct mill_packer *packer, struct mill_log_text text)
{
    mill_packer_byte(packer, text.bytes != NULL);
    if (text.bytes) mill_packer_text(packer, text.bytes, text.size);
}

void mill_logline_put(struct mill_packer *packer, const struct mill_log_line *line)
{
    mill_packer_byte(packer, (uint8_t)line->level);
    mill_packer_size(packer, (uint64_t)line->attempt);
    put_log_text(packer, line->text);
    put_log_text(packer, line->task);
    put_log_text(packer, line->key);
    put_log_text(packer, line->run);
    mill_packer_size(packer, (uint64_t)line->field_count);
    for (int i = 0; i < line->field_count; i++) {
        const struct mill_log_field *field = &line->fields[i];
        mill_packer_byte(packer, (uint8_t)field->kind);
        put_log_text(packer, field->name);
        put_log_text(packer, field->text);
        mill_packer_bytes(packer, &field->number, sizeof field->number);
    }
}

static struct mill_log_text take_log_text(struct mill_unpacker *unpacker)
{
    struct mill_log_text text = {NULL, 0};
    if (mill_unpacker_byte(unpacker)) text.bytes = mill_unpacker_text(unpacker, &text.size);
    return text;
}

static struct mill_log_field take_field(struct mill_unpacker *unpacker)
{
    struct mill_log_field field = {.kind = MILL_LOG_STRING};
    uint8_t kind = mill_unpacker_byte(unpacker);
    field.name = take_log_text(unpacker);
    field.text = take_log_text(unpacker);
    const void *number = mill_unpacker_bytes(unpacker, sizeof field.number);
    if (number) memcpy(&field.number, number, sizeof field.number);
    bool text_is_there = kind != MILL_LOG_STRING || field.text.bytes;
    if (kind > MILL_LOG_BOOL || field.name.bytes == NULL || !text_is_there) {
        unpacker->bad = true;
    }
    field.kind = (enum mill_log_kind)kind;
    return field;
}

bool mill_logline_take(struct mill_unpacker *unpacker, struct mill_log_line *line)
{
    memset(line, 0, sizeof *line);
    uint8_t level = mill_unpacker_byte(unpacker);
    uint64_t attempt = mill_unpacker_size(unpacker);
    line->text = take_log_text(unpacker);
    line->task = take_log_text(unpacker);
    line->key = take_log_text(unpacker);
    line->run = take_log_text(unpacker);
    uint64_t count = mill_unpacker_size(unpacker);
    if (level >= MILL_LOG_LEVELS || attempt > INT32_MAX || line->text.bytes == NULL ||
        count > (size_t)(unpacker->end - unpacker->at)) {
        return false;
    }
    line->level = (enum mill_log_level)level;
    line->attempt = (int)attempt;
    struct mill_log_field *fields = calloc(count + 1, sizeof *fields);
    if (fields == NULL) return false;
    for (uint64_t i = 0; i < count; i++) fields[i] = take_field(unpacker);
    line->fields = fields;
    line->field_count = (int)count;
    if (!unpacker->bad) return true;
    free(fields);
    line->fields = NULL;
    line->field_count = 0;
    return false;
}
