/* arrow_number: columns of another engine whose elements have one size: numbers, bools, dates and times.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "data/arrow_column.h"

static bool nulls_are_ours(const struct mill_arrow_parts *parts, const uint8_t *values,
                           int64_t length, enum mill_type type)
{
    size_t size = mill_type_size(type);
    uint8_t nothing[8];
    mill_type_nothing(type, nothing);
    for (int64_t i = 0; parts->nulls > 0 && i < length; i++) {
        if (mill_arrow_present(parts, i)) continue;
        if (memcmp(values + (size_t)i * size, nothing, size) != 0) return false;
    }
    return true;
}

tidemill_status mill_arrow_plain(const struct mill_arrow_column *column, enum mill_type type,
                                 struct mill_arrow_parts *parts)
{
    size_t size = mill_type_size(type), bytes = (size_t)column->length * size;
    const uint8_t *from;
    tidemill_status status = mill_arrow_buffer(column, 1, &from);
    if (status != TIDEMILL_OK) return status;
    if (from) from += (size_t)column->first * size;
    if ((uintptr_t)from % size == 0 && nulls_are_ours(parts, from, column->length, type)) {
        parts->values = mill_arrow_in_place(column, from, bytes);
        return parts->values ? TIDEMILL_OK : mill_arrow_no_memory(column);
    }
    parts->values = mill_buffer_new(NULL, bytes);
    if (parts->values == NULL) return mill_arrow_no_memory(column);
    uint8_t nothing[8];
    mill_type_nothing(type, nothing);
    for (int64_t i = 0; i < column->length; i++) {
        size_t at = (size_t)i * size;
        memcpy(parts->values->data + at, mill_arrow_present(parts, i) ? from + at : nothing,
               size);
    }
    return TIDEMILL_OK;
}

tidemill_status mill_arrow_bools(const struct mill_arrow_column *column,
                                 struct mill_arrow_parts *parts)
{
    const uint8_t *bits;
    tidemill_status status = mill_arrow_buffer(column, 1, &bits);
    if (status != TIDEMILL_OK) return status;
    parts->values = mill_buffer_new(NULL, (size_t)column->length);
    if (parts->values == NULL) return mill_arrow_no_memory(column);
    for (int64_t i = 0; i < column->length; i++) {
        parts->values->data[i] =
            mill_arrow_present(parts, i) && mill_arrow_bit(bits, column->first + i);
    }
    return TIDEMILL_OK;
}

/* A time in our unit; false: ours cannot hold it, and *why says so. */
static bool scale(const struct mill_arrow_format *format, int64_t number, int64_t *scaled,
                  const char **why)
{
    *why = "is out of range";
    if (__builtin_mul_overflow(number, format->times, scaled)) return false;
    if (*scaled % format->divide != 0) {
        *why = format->type == MILL_DATE ? "is not at midnight"
                                         : "is no whole number of microseconds";
        return false;
    }
    *scaled /= format->divide;
    return format->type != MILL_DATE || (*scaled >= INT32_MIN && *scaled <= INT32_MAX);
}

tidemill_status mill_arrow_scaled(const struct mill_arrow_column *column,
                                  const struct mill_arrow_format *format,
                                  struct mill_arrow_parts *parts)
{
    size_t size = mill_type_size(format->type);
    const uint8_t *from;
    tidemill_status status = mill_arrow_buffer(column, 1, &from);
    if (status != TIDEMILL_OK) return status;
    parts->values = mill_buffer_new(NULL, (size_t)column->length * size);
    if (parts->values == NULL) return mill_arrow_no_memory(column);
    for (int64_t i = 0; i < column->length; i++) {
        int64_t number = 0;
        const char *why;
        if (mill_arrow_present(parts, i)) memcpy(&number, from + (column->first + i) * 8, 8);
        if (!scale(format, number, &number, &why)) {
            return mill_arrow_refuse(column, TIDEMILL_UNSUPPORTED, "row %lld: its time %s",
                                     (long long)i + 1, why);
        }
        int32_t day = (int32_t)number;
        memcpy(parts->values->data + (size_t)i * size,
               format->type == MILL_DATE ? (void *)&day : (void *)&number, size);
    }
    return TIDEMILL_OK;
}

tidemill_status mill_arrow_nothing(const struct mill_arrow_column *column,
                                   struct mill_arrow_parts *parts)
{
    int64_t length = column->length;
    parts->values = mill_buffer_new(NULL, (size_t)length * 8);
    if (length) parts->validity = mill_buffer_new(NULL, ((size_t)length + 7) / 8);
    if (parts->values == NULL || (length && parts->validity == NULL)) {
        return mill_arrow_no_memory(column);
    }
    if (length) memset(parts->validity->data, 0, parts->validity->size);
    parts->nulls = length;
    for (int64_t i = 0; i < length; i++)
        mill_type_nothing(MILL_FLOAT64, parts->values->data + i * 8);
    return TIDEMILL_OK;
}
