/* arrow_text: columns of another engine that are text, by themselves or by a dictionary.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "data/arrow_column.h"
#include "kernels/csv.h"

/* ---- text --------------------------------------------------------------------------------- */

/* The offset of element i, which a column of text has in front of it. */
static int64_t offset_at(const uint8_t *offsets, bool large, int64_t i)
{
    int64_t wide;
    int32_t narrow;
    if (large) {
        memcpy(&wide, offsets + i * 8, 8);
        return wide;
    }
    memcpy(&narrow, offsets + i * 4, 4);
    return narrow;
}

/* Whether the offsets of the wanted elements grow; then *from and *to are the first and last. */
static tidemill_status check_offsets(const struct mill_arrow_column *column,
                                     const uint8_t *offsets, bool large, int64_t *from,
                                     int64_t *to)
{
    int64_t last = *from = offset_at(offsets, large, column->first);
    if (last < 0) return mill_arrow_refuse(column, TIDEMILL_DATA, "a negative offset");
    for (int64_t i = 1; i <= column->length; i++) {
        int64_t next = offset_at(offsets, large, column->first + i);
        if (next < last) {
            return mill_arrow_refuse(column, TIDEMILL_DATA,
                                     "row %lld: its text ends before "
                                     "it begins",
                                     (long long)i);
        }
        last = next;
    }
    *to = last;
    if (*to - *from <= INT32_MAX) return TIDEMILL_OK;
    return mill_arrow_refuse(column, TIDEMILL_UNSUPPORTED, "more than 2 GiB of text");
}

/* Ours, which count from the byte `base` of theirs on; NULL: no memory. */
static struct mill_buffer *make_offsets(const struct mill_arrow_column *column,
                                        const uint8_t *offsets, bool large, int64_t base)
{
    const uint8_t *start = offsets + column->first * 4;
    if (!large && (uintptr_t)start % 4 == 0) {
        return mill_arrow_in_place(column, start, ((size_t)column->length + 1) * 4);
    }
    struct mill_buffer *made = mill_buffer_new(NULL, ((size_t)column->length + 1) * 4);
    if (made == NULL) return NULL;
    int32_t *ours = (int32_t *)(void *)made->data;
    for (int64_t i = 0; i <= column->length; i++) {
        ours[i] = (int32_t)(offset_at(offsets, large, column->first + i) - base);
    }
    return made;
}

static bool is_utf8(const char *text, size_t size)
{
    return mill_csv_utf8_prefix(text, size) == size;
}

/* All at once, then, since a null may hide anything, element by element. */
static tidemill_status check_utf8(const struct mill_arrow_column *column,
                                  const struct mill_arrow_parts *parts)
{
    const int32_t *offsets = (const int32_t *)(const void *)parts->offsets->data;
    const char *bytes = (const char *)parts->values->data;
    int64_t length = column->length;
    bool fine = is_utf8(bytes + offsets[0], (size_t)(offsets[length] - offsets[0]));
    for (int64_t i = 0; i < length && fine; i++) {
        bool inside = offsets[i] < offsets[length];
        fine = !inside || (bytes[offsets[i]] & 0xC0) != 0x80;
    }
    for (int64_t i = 0; i < length && !fine; i++) {
        if (!mill_arrow_present(parts, i)) continue;
        if (is_utf8(bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]))) continue;
        return mill_arrow_refuse(column, TIDEMILL_DATA, "row %lld is not UTF-8",
                                 (long long)i + 1);
    }
    return TIDEMILL_OK;
}

/* No elements, and perhaps no offsets. */
static tidemill_status make_no_text(const struct mill_arrow_column *column,
                                    struct mill_arrow_parts *parts)
{
    parts->values = mill_buffer_new(NULL, 0);
    parts->offsets = mill_buffer_new(NULL, 4);
    if (parts->values == NULL || parts->offsets == NULL) return mill_arrow_no_memory(column);
    memset(parts->offsets->data, 0, 4);
    return TIDEMILL_OK;
}

tidemill_status mill_arrow_text(const struct mill_arrow_column *column, bool large,
                                struct mill_arrow_parts *parts)
{
    const uint8_t *offsets, *bytes = column->array->buffers[2];
    int64_t from = 0, to = 0;
    if (column->length == 0) return make_no_text(column, parts);
    tidemill_status status = mill_arrow_buffer(column, 1, &offsets);
    if (status == TIDEMILL_OK) status = check_offsets(column, offsets, large, &from, &to);
    if (status != TIDEMILL_OK) return status;
    if (bytes == NULL && to > from) {
        return mill_arrow_refuse(column, TIDEMILL_DATA, "its buffer 2 is missing");
    }
    int64_t base = large ? from : 0;
    parts->values = mill_arrow_in_place(column, bytes ? bytes + base : NULL,
                                        bytes ? (size_t)(to - base) : 0);
    parts->offsets = make_offsets(column, offsets, large, base);
    if (parts->values == NULL || parts->offsets == NULL) return mill_arrow_no_memory(column);
    return bytes ? check_utf8(column, parts) : TIDEMILL_OK;
}

/* ---- dictionaries -------------------------------------------------------------------------- */

static tidemill_status make_words(const struct mill_arrow_column *column,
                                  struct mill_array **words)
{
    struct mill_arrow_column inner = {
        .name = column->name,
        .schema = column->schema->dictionary,
        .array = column->array->dictionary,
        .hold = column->hold,
        .length = column->array->dictionary->length,
        .error = column->error,
    };
    struct mill_arrow_format format;
    const char *text = inner.schema->format;
    if (text == NULL || !mill_arrow_parse(text, &format) || format.type != MILL_UTF8 ||
        inner.schema->dictionary) {
        return mill_arrow_refuse(
            column, TIDEMILL_UNSUPPORTED,
            "expected a dictionary of strings (\"u\", \"U\"), got \"%.40s\"", text ? text : "");
    }
    tidemill_status status = mill_arrow_elements(&inner, &format, words);
    if (status != TIDEMILL_OK || ((*words)->nulls == 0 && (*words)->length <= INT32_MAX)) {
        return status;
    }
    mill_array_unref(*words);
    *words = NULL;
    return mill_arrow_refuse(column, TIDEMILL_UNSUPPORTED,
                             "a null, or more than 2^31 words, in its dictionary");
}

/* The code at `bytes`; one beyond INT64_MAX is -1, as wrong as that. */
static int64_t code_at(enum mill_type type, const uint8_t *bytes)
{
    uint64_t bits = 0;
    size_t size = mill_type_size(type);
    memcpy(&bits, bytes, size);
    if (type >= MILL_UINT8) return bits > INT64_MAX ? -1 : (int64_t)bits;
    int unused = 64 - 8 * (int)size;
    return (int64_t)(bits << unused) >> unused;
}

/* Whether all codes are words of the dictionary; `ours`, when not NULL, gets them, and 0 for nulls. */
static tidemill_status read_codes(const struct mill_arrow_column *column, enum mill_type type,
                                  const struct mill_arrow_parts *parts, int32_t *ours)
{
    size_t size = mill_type_size(type);
    const uint8_t *from = column->array->buffers[1];
    from += (size_t)column->first * size;
    for (int64_t i = 0; i < column->length; i++) {
        bool present = mill_arrow_present(parts, i);
        int64_t code = present ? code_at(type, from + (size_t)i * size) : 0;
        if (present && (code < 0 || code >= parts->dictionary->length)) {
            return mill_arrow_refuse(column, TIDEMILL_DATA,
                                     "row %lld: no word of its dictionary, which has %lld",
                                     (long long)i + 1, (long long)parts->dictionary->length);
        }
        if (ours) ours[i] = (int32_t)code;
    }
    return TIDEMILL_OK;
}

tidemill_status mill_arrow_dictionary(const struct mill_arrow_column *column,
                                      const struct mill_arrow_format *format,
                                      struct mill_arrow_parts *parts)
{
    const uint8_t *codes;
    tidemill_status status = mill_arrow_buffer(column, 1, &codes);
    if (status == TIDEMILL_OK) status = make_words(column, &parts->dictionary);
    if (status != TIDEMILL_OK) return status;
    if (format->type == MILL_INT32) {
        status = mill_arrow_plain(column, MILL_DICTIONARY, parts);
        if (status != TIDEMILL_OK || column->length == 0) return status;
        return read_codes(column, format->type, parts, NULL);
    }
    parts->values = mill_buffer_new(NULL, (size_t)column->length * 4);
    if (parts->values == NULL) return mill_arrow_no_memory(column);
    if (column->length == 0) return TIDEMILL_OK;
    return read_codes(column, format->type, parts, (int32_t *)(void *)parts->values->data);
}
