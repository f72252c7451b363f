/* arrow_column: one column of another engine becomes an array, in place where it can.
 * SPDX-License-Identifier: MIT */
#include "data/arrow_column.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No product with the size of an element, and no sum of two, passes 2^63. */
#define MOST_ELEMENTS (INT64_MAX / 64)

/* ---- what is wrong ------------------------------------------------------------------------ */

tidemill_status mill_arrow_refuse(const struct mill_arrow_column *column,
                                  tidemill_status status, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *name = column->name;
    return mill_fail(column->error, status, "%s%.80s%s (Arrow format \"%.40s\"): %s",
                     name ? "column \"" : "array", name ? name : "", name ? "\"" : "",
                     column->schema->format, text);
}

tidemill_status mill_arrow_no_memory(const struct mill_arrow_column *column)
{
    return mill_arrow_refuse(column, TIDEMILL_MEMORY, "out of memory");
}

tidemill_status mill_arrow_open(struct mill_arrow_column *column, int64_t buffers,
                                int64_t children)
{
    const struct ArrowArray *array = column->array;
    const struct ArrowSchema *schema = column->schema;
    if (array->length < 0 || array->length > MOST_ELEMENTS || array->offset < 0 ||
        array->offset > MOST_ELEMENTS || array->null_count < -1) {
        return mill_arrow_refuse(
            column, TIDEMILL_DATA,
            "length %lld, offset %lld and %lld nulls are no sizes of an array",
            (long long)array->length, (long long)array->offset, (long long)array->null_count);
    }
    if (column->first > array->length || column->length > array->length - column->first) {
        return mill_arrow_refuse(
            column, TIDEMILL_DATA,
            "expected %lld elements behind the first %lld, got %lld in all",
            (long long)column->length, (long long)column->first, (long long)array->length);
    }
    if (array->n_buffers != buffers || (buffers > 0 && array->buffers == NULL)) {
        return mill_arrow_refuse(column, TIDEMILL_DATA, "expected %lld buffers, got %lld",
                                 (long long)buffers,
                                 (long long)(array->buffers ? array->n_buffers : 0));
    }
    if (array->n_children != children || schema->n_children != children ||
        (children > 0 && (array->children == NULL || schema->children == NULL))) {
        return mill_arrow_refuse(
            column, TIDEMILL_DATA, "expected %lld children, got %lld, and %lld in its schema",
            (long long)children, (long long)array->n_children, (long long)schema->n_children);
    }
    column->first += array->offset;
    return TIDEMILL_OK;
}

/* ---- memory of the other engine ------------------------------------------------------------ */

struct mill_arrow_hold *mill_arrow_hold(struct ArrowArray *array)
{
    struct mill_arrow_hold *hold = malloc(sizeof *hold);
    if (hold == NULL) return NULL;
    atomic_init(&hold->refs, 1);
    hold->array = *array;
    array->release = NULL;
    return hold;
}

void mill_arrow_let_go(struct mill_arrow_hold *hold)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (atomic_fetch_sub_explicit(&hold->refs, 1, memory_order_acq_rel) > 1) return;
    hold->array.release(&hold->array);
    free(hold);
}

static void let_go_of_buffer(void *context, void *data, size_t size)
{
    (void)data;
    (void)size;
    mill_arrow_let_go(context);
}

struct mill_buffer *mill_arrow_in_place(const struct mill_arrow_column *column,
                                        const void *data, size_t size)
{
    if (size == 0) return mill_buffer_new(NULL, 0);
    struct mill_arrow_hold *hold = column->hold;
    atomic_fetch_add_explicit(&hold->refs, 1, memory_order_relaxed);
    struct mill_buffer *buffer =
        mill_buffer_foreign((void *)(uintptr_t)data, size, let_go_of_buffer, hold);
    if (buffer == NULL) mill_arrow_let_go(hold);
    return buffer;
}

tidemill_status mill_arrow_buffer(const struct mill_arrow_column *column, int number,
                                  const uint8_t **bytes)
{
    *bytes = column->array->buffers[number];
    if (*bytes || column->length == 0) return TIDEMILL_OK;
    return mill_arrow_refuse(column, TIDEMILL_DATA, "its buffer %d is missing", number);
}

/* ---- nulls -------------------------------------------------------------------------------- */

/* The bits of the wanted elements, from bit 0 of a buffer on; NULL: no memory. */
static struct mill_buffer *align_bits(const struct mill_arrow_column *column,
                                      const uint8_t *bits)
{
    size_t size = ((size_t)column->length + 7) / 8;
    if (column->first % 8 == 0)
        return mill_arrow_in_place(column, bits + column->first / 8, size);
    struct mill_buffer *buffer = mill_buffer_new(NULL, size);
    if (buffer == NULL) return NULL;
    memset(buffer->data, 0, size);
    for (int64_t i = 0; i < column->length; i++) {
        buffer->data[i >> 3] |= (uint8_t)(mill_arrow_bit(bits, column->first + i) << (i & 7));
    }
    return buffer;
}

static int64_t count_zeros(const uint8_t *bits, int64_t first, int64_t length)
{
    int64_t zeros = 0;
    for (; first % 8 != 0 && length > 0; first++, length--) {
        zeros += !mill_arrow_bit(bits, first);
    }
    return zeros + mill_bitmap_count_zeros(bits + first / 8, length);
}

tidemill_status mill_arrow_count_nulls(const struct mill_arrow_column *column, int64_t *nulls)
{
    const struct ArrowArray *array = column->array;
    const uint8_t *bits = array->buffers[0];
    *nulls = bits ? count_zeros(bits, column->first, column->length) : 0;
    bool whole = column->first == array->offset && column->length == array->length;
    if (array->null_count < 0 || !whole || *nulls == array->null_count) return TIDEMILL_OK;
    return mill_arrow_refuse(column, TIDEMILL_DATA, "expected %lld nulls, its bitmap has %lld",
                             (long long)array->null_count, (long long)*nulls);
}

tidemill_status mill_arrow_validity(const struct mill_arrow_column *column,
                                    struct mill_buffer **validity, int64_t *nulls)
{
    *validity = NULL;
    tidemill_status status = mill_arrow_count_nulls(column, nulls);
    if (status != TIDEMILL_OK || *nulls == 0) return status;
    *validity = align_bits(column, column->array->buffers[0]);
    return *validity ? TIDEMILL_OK : mill_arrow_no_memory(column);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static tidemill_status make_array_parts(const struct mill_arrow_column *column,
                                        const struct mill_arrow_format *format,
                                        struct mill_arrow_parts *parts)
{
    if (format->form == MILL_ARROW_NOTHING) return mill_arrow_nothing(column, parts);
    tidemill_status status = mill_arrow_validity(column, &parts->validity, &parts->nulls);
    if (status != TIDEMILL_OK) return status;
    if (column->schema->dictionary) return mill_arrow_dictionary(column, format, parts);
    switch (format->form) {
    case MILL_ARROW_BITS:
        return mill_arrow_bools(column, parts);
    case MILL_ARROW_TEXT:
        return mill_arrow_text(column, false, parts);
    case MILL_ARROW_LARGE:
        return mill_arrow_text(column, true, parts);
    case MILL_ARROW_SCALED:
        return mill_arrow_scaled(column, format, parts);
    default:
        return mill_arrow_plain(column, format->type, parts);
    }
}

tidemill_status mill_arrow_elements(struct mill_arrow_column *column,
                                    const struct mill_arrow_format *format,
                                    struct mill_array **array)
{
    int64_t buffers = format->form == MILL_ARROW_NOTHING ? 0
                      : format->type == MILL_UTF8        ? 3
                                                         : 2;
    bool words = column->schema->dictionary != NULL;
    *array = NULL;
    if (words != (column->array->dictionary != NULL)) {
        return mill_arrow_refuse(column, TIDEMILL_DATA, "a dictionary in the %s alone",
                                 words ? "schema" : "array");
    }
    if (words && (format->form != MILL_ARROW_PLAIN || format->type < MILL_INT8 ||
                  format->type > MILL_UINT64)) {
        return mill_arrow_refuse(column, TIDEMILL_DATA,
                                 "codes of a dictionary have to be integers");
    }
    struct mill_arrow_parts parts = {0};
    tidemill_status status = mill_arrow_open(column, buffers, 0);
    if (status == TIDEMILL_OK) status = make_array_parts(column, format, &parts);
    if (status != TIDEMILL_OK) {
        mill_buffer_unref(parts.values);
        mill_buffer_unref(parts.offsets);
        mill_buffer_unref(parts.validity);
        mill_array_unref(parts.dictionary);
        return status;
    }
    *array =
        mill_array_wrap(words ? MILL_DICTIONARY : format->type, column->length, parts.values,
                        parts.offsets, parts.validity, parts.nulls, parts.dictionary);
    return *array ? TIDEMILL_OK : mill_arrow_no_memory(column);
}
