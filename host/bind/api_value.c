/* api_value: the functions of tidemill.h over values.  SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bind/api.h"
#include "data/frame.h"
#include "data/part.h"

_Static_assert(sizeof(tidemill_value) == sizeof(struct mill_value), "a value is a cell");
_Static_assert(sizeof(tidemill_cursor) >= sizeof(struct mill_place) + 2 * sizeof(uint32_t),
               "a cursor has a place");

/* ---- what it is ------------------------------------------------------------------------- */

static bool is_packed_as(struct mill_value value, enum mill_mark mark)
{
    return value.tag == MILL_TAG_PACKED && value.packed->bytes[0] == mark;
}

tidemill_kind tidemill_kind_of(tidemill_value given)
{
    struct mill_value value = mill_value_in(given);
    switch (value.tag) {
    case MILL_TAG_NIL:
        return TIDEMILL_KIND_NIL;
    case MILL_TAG_FALSE:
    case MILL_TAG_TRUE:
        return TIDEMILL_KIND_BOOLEAN;
    case MILL_TAG_NUMBER:
        return TIDEMILL_KIND_NUMBER;
    case MILL_TAG_INT64:
        return TIDEMILL_KIND_INT64;
    case MILL_TAG_UINT64:
        return TIDEMILL_KIND_UINT64;
    case MILL_TAG_SHORT:
    case MILL_TAG_STRING:
        return TIDEMILL_KIND_STRING;
    case MILL_TAG_COLUMN:
        return TIDEMILL_KIND_ARRAY;
    case MILL_TAG_PACKED:
        if (!is_packed_as(value, MILL_MARK_TABLE)) return TIDEMILL_KIND_FUNCTION;
        return mill_frame_is(&value) ? TIDEMILL_KIND_FRAME : TIDEMILL_KIND_TABLE;
    default:
        return TIDEMILL_KIND_OTHER;
    }
}

tidemill_value tidemill_retain(tidemill_value value)
{
    mill_value_ref(mill_value_in(value));
    return value;
}

void tidemill_release(tidemill_value value)
{
    mill_value_unref(mill_value_in(value));
}

/* ---- small ones ------------------------------------------------------------------------- */

tidemill_value tidemill_from_boolean(int truth)
{
    return mill_value_out((struct mill_value){.tag = truth ? MILL_TAG_TRUE : MILL_TAG_FALSE});
}

tidemill_value tidemill_from_number(double number)
{
    return mill_value_out(mill_number(number));
}

tidemill_value tidemill_from_int64(int64_t integer)
{
    return mill_value_out((struct mill_value){.tag = MILL_TAG_INT64, .integer = integer});
}

tidemill_value tidemill_from_uint64(uint64_t natural)
{
    return mill_value_out((struct mill_value){.tag = MILL_TAG_UINT64, .natural = natural});
}

tidemill_status tidemill_from_string(const char *bytes, size_t size, tidemill_value *string)
{
    bool failed = false;
    *string = mill_value_out(mill_string(bytes ? bytes : "", size, &failed));
    return failed ? TIDEMILL_MEMORY : TIDEMILL_OK;
}

int tidemill_to_boolean(tidemill_value value)
{
    uint8_t tag = mill_value_in(value).tag;
    return tag != MILL_TAG_NIL && tag != MILL_TAG_FALSE;
}

/* 2^63 and 2^64 are doubles, the largest integers are not. */
static bool is_int64(double number)
{
    return number >= -0x1p63 && number < 0x1p63 && number == trunc(number);
}

static bool is_uint64(double number)
{
    return number >= 0 && number < 0x1p64 && number == trunc(number);
}

int tidemill_to_number(tidemill_value given, double *number)
{
    struct mill_value value = mill_value_in(given);
    double wanted = value.number;
    if (value.tag == MILL_TAG_INT64) {
        wanted = (double)value.integer;
        if (!is_int64(wanted) || (int64_t)wanted != value.integer) return 0;
    } else if (value.tag == MILL_TAG_UINT64) {
        wanted = (double)value.natural;
        if (!is_uint64(wanted) || (uint64_t)wanted != value.natural) return 0;
    } else if (value.tag != MILL_TAG_NUMBER) {
        return 0;
    }
    *number = wanted;
    return 1;
}

int tidemill_to_int64(tidemill_value given, int64_t *integer)
{
    struct mill_value value = mill_value_in(given);
    if (value.tag == MILL_TAG_NUMBER && is_int64(value.number)) {
        *integer = (int64_t)value.number;
    } else if (value.tag == MILL_TAG_INT64 ||
               (value.tag == MILL_TAG_UINT64 && value.natural <= INT64_MAX)) {
        *integer = value.integer;
    } else {
        return 0;
    }
    return 1;
}

int tidemill_to_uint64(tidemill_value given, uint64_t *natural)
{
    struct mill_value value = mill_value_in(given);
    if (value.tag == MILL_TAG_NUMBER && is_uint64(value.number)) {
        *natural = (uint64_t)value.number;
    } else if (value.tag == MILL_TAG_UINT64 ||
               (value.tag == MILL_TAG_INT64 && value.integer >= 0)) {
        *natural = value.natural;
    } else {
        return 0;
    }
    return 1;
}

const char *tidemill_to_string(const tidemill_value *value, size_t *size)
{
    *size = 0;
    return mill_value_text((const struct mill_value *)(const void *)value, size);
}

/* ---- tables: making --------------------------------------------------------------------- */

static int by_field_name(const void *a_, const void *b_)
{
    const struct mill_named *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

/* Whether they can be told apart; they are in order. */
static bool differ(const struct mill_named *named, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (by_field_name(&named[i - 1], &named[i]) == 0) return false;
    }
    return true;
}

static tidemill_status build_table(const struct mill_value *list, size_t count,
                                   struct mill_named *named, size_t field_count,
                                   tidemill_value *table)
{
    struct mill_value value = mill_nil();
    qsort(named, field_count, sizeof *named, by_field_name);
    if (!differ(named, field_count)) return TIDEMILL_USAGE;
    tidemill_status status = mill_part_join(list, count, named, field_count, &value);
    *table = mill_value_out(value);
    return status;
}

tidemill_status tidemill_from_table(const tidemill_value *list, size_t count,
                                    const tidemill_field *fields, size_t field_count,
                                    tidemill_value *table)
{
    *table = (tidemill_value){{0, 0}};
    for (size_t i = 0; i < count; i++) {
        if (mill_value_in(list[i]).tag == MILL_TAG_NIL) return TIDEMILL_USAGE;
    }
    if (field_count > SIZE_MAX / sizeof(struct mill_named)) return TIDEMILL_MEMORY;
    struct mill_named *named = malloc((field_count + 1) * sizeof *named);
    if (named == NULL) return TIDEMILL_MEMORY;
    tidemill_status status = TIDEMILL_OK;
    for (size_t i = 0; i < field_count && status == TIDEMILL_OK; i++) {
        const char *name = fields[i].name;
        const void *value = &fields[i].value;
        if (name == NULL) status = TIDEMILL_USAGE;
        named[i] = (struct mill_named){name, name ? strlen(name) : 0, value};
    }
    if (status == TIDEMILL_OK) {
        status = build_table((const struct mill_value *)(const void *)list, count, named,
                             field_count, table);
    }
    free(named);
    return status;
}

/* ---- tables: reading -------------------------------------------------------------------- */

static bool open_table(struct mill_value value, struct mill_place *place,
                       struct mill_table_head *head)
{
    *place = (struct mill_place){0};
    return value.tag == MILL_TAG_PACKED && mill_part_table(value.packed, place, head);
}

static tidemill_status part_of(struct mill_value table, struct mill_place *place,
                               tidemill_value *out)
{
    struct mill_value value = mill_nil();
    tidemill_status status = mill_part_take(table.packed, place, &value);
    *out = mill_value_out(value);
    return status;
}

static size_t frame_rows(tidemill_value frame)
{
    tidemill_value rows;
    double number = 0;
    if (tidemill_get(frame, "rows", &rows) != TIDEMILL_OK) return 0;
    return tidemill_to_number(rows, &number) && number > 0 ? (size_t)number : 0;
}

size_t tidemill_length(tidemill_value given)
{
    struct mill_value value = mill_value_in(given);
    struct mill_table_head head;
    struct mill_place place;
    size_t size = 0;
    if (value.tag == MILL_TAG_COLUMN) return (size_t)value.array->length;
    if (mill_value_text(&value, &size)) return size;
    if (!open_table(value, &place, &head)) return 0;
    if (mill_frame_is(&value)) return frame_rows(given);
    return (size_t)head.list;
}

/* The value of the first pair whose key is the number, or the text when `name` is not NULL. */
static tidemill_status find_pair(struct mill_value table, struct mill_place place,
                                 uint64_t pairs, const char *name, double number,
                                 tidemill_value *out)
{
    for (uint64_t i = 0; i < pairs; i++) {
        size_t size = 0;
        struct mill_place key = place;
        const char *text = mill_part_text(table.packed, &key, &size);
        bool met = name && text && strlen(name) == size && memcmp(name, text, size) == 0;
        if (name == NULL && text == NULL && table.packed->bytes[place.at] == MILL_MARK_NUMBER) {
            double key_number;
            memcpy(&key_number, table.packed->bytes + place.at + 1, sizeof key_number);
            met = key_number == number;
        }
        mill_part_skip(table.packed, &place);
        if (met) return part_of(table, &place, out);
        mill_part_skip(table.packed, &place);
    }
    return TIDEMILL_OK;
}

tidemill_status tidemill_at(tidemill_value table, int64_t position, tidemill_value *element)
{
    struct mill_value value = mill_value_in(table);
    struct mill_table_head head;
    struct mill_place place;
    *element = (tidemill_value){{0, 0}};
    if (!open_table(value, &place, &head)) return TIDEMILL_OK;
    bool listed = position >= 1 && (uint64_t)position <= head.list;
    uint64_t before = listed ? (uint64_t)position - 1 : head.list;
    for (uint64_t i = 0; i < before; i++) mill_part_skip(value.packed, &place);
    if (listed) return part_of(value, &place, element);
    return find_pair(value, place, head.pairs, NULL, (double)position, element);
}

static tidemill_status get(struct mill_value table, const char *name, tidemill_value *out)
{
    struct mill_table_head head;
    struct mill_place place;
    if (!open_table(table, &place, &head)) return TIDEMILL_OK;
    for (uint64_t i = 0; i < head.list; i++) mill_part_skip(table.packed, &place);
    return find_pair(table, place, head.pairs, name, 0, out);
}

tidemill_status tidemill_get(tidemill_value table, const char *name, tidemill_value *value)
{
    struct mill_value given = mill_value_in(table);
    tidemill_value columns;
    *value = columns = (tidemill_value){{0, 0}};
    if (!is_packed_as(given, MILL_MARK_TABLE)) return TIDEMILL_OK;
    tidemill_status status = TIDEMILL_OK;
    if (mill_frame_is(&given)) {
        status = get(given, "arrays", &columns);
        if (status == TIDEMILL_OK) status = get(mill_value_in(columns), name, value);
        tidemill_release(columns);
    }
    if (status != TIDEMILL_OK || mill_value_in(*value).tag != MILL_TAG_NIL) return status;
    return get(given, name, value);
}

struct cursor {
    struct mill_place place;
    uint32_t steps[2]; /* taken so far, in halves: a place has 20 bytes */
};

static uint64_t steps_taken(const struct cursor *cursor)
{
    return cursor->steps[0] | (uint64_t)cursor->steps[1] << 32;
}

static void start_walk(struct mill_value table, struct cursor *cursor,
                       struct mill_table_head *head)
{
    struct mill_place start;
    open_table(table, &start, head);
    if (steps_taken(cursor) == 0) cursor->place = start;
}

tidemill_status tidemill_next(tidemill_value table, tidemill_cursor *given, int *more,
                              tidemill_value *key, tidemill_value *value)
{
    struct mill_value packed = mill_value_in(table);
    struct mill_table_head head = {0};
    struct cursor cursor;
    memcpy(&cursor, given, sizeof cursor);
    *key = *value = (tidemill_value){{0, 0}};
    *more = 0;
    if (!is_packed_as(packed, MILL_MARK_TABLE)) return TIDEMILL_OK;
    start_walk(packed, &cursor, &head);
    uint64_t step = steps_taken(&cursor);
    if (step >= head.list + head.pairs) return TIDEMILL_OK;
    tidemill_status status = TIDEMILL_OK;
    if (step < head.list) {
        *key = tidemill_from_number((double)(step + 1));
    } else {
        status = part_of(packed, &cursor.place, key);
    }
    if (status == TIDEMILL_OK) status = part_of(packed, &cursor.place, value);
    if (status != TIDEMILL_OK) {
        tidemill_release(*key);
        *key = (tidemill_value){{0, 0}};
        return status;
    }
    step++;
    cursor.steps[0] = (uint32_t)step;
    cursor.steps[1] = (uint32_t)(step >> 32);
    memcpy(given, &cursor, sizeof cursor);
    *more = 1;
    return TIDEMILL_OK;
}
