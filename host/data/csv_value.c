/* csv_value: one cell becomes one value, or is missing.
 * SPDX-License-Identifier: MIT */
#include "data/csv_reader.h"

#include <math.h>
#include <string.h>

void mill_csv_set_missing(struct csv_missing *missing, const struct mill_csv_options *options)
{
    static const char *const usual[] = {"", "NA", "N/A", "NaN", "nan", "null", "None"};
    missing->tokens = options->missing ? options->missing : usual;
    missing->count =
        options->missing ? options->missing_count : (int)(sizeof usual / sizeof usual[0]);
    for (int i = 0; i < missing->count; i++) {
        size_t size = strlen(missing->tokens[i]);
        if (size > missing->longest) missing->longest = size;
        if (size == 0) missing->empty = true;
        if (size > 0) missing->first[(uint8_t)missing->tokens[i][0]] = true;
    }
}

bool mill_csv_is_token(const struct csv_missing *missing, const char *text, size_t size)
{
    if (size > missing->longest) return false;
    for (int i = 0; i < missing->count; i++) {
        const char *token = missing->tokens[i];
        if (strlen(token) == size && memcmp(token, text, size) == 0) return true;
    }
    return false;
}

static enum mill_csv_result csv_signed(enum mill_type type, const char *text, size_t size,
                                       void *value)
{
    int64_t number;
    enum mill_csv_result result = mill_csv_int64(text, size, &number);
    if (result != MILL_CSV_GOOD) return result;
    int bits = 8 * (int)mill_type_size(type);
    int64_t limit = (int64_t)1 << (bits - 1);
    if (number < -limit || number >= limit) return MILL_CSV_RANGE;
    switch (type) {
    case MILL_INT8:
        *(int8_t *)value = (int8_t)number;
        break;
    case MILL_INT16:
        *(int16_t *)value = (int16_t)number;
        break;
    default:
        *(int32_t *)value = (int32_t)number;
    }
    return MILL_CSV_GOOD;
}

static enum mill_csv_result csv_unsigned(enum mill_type type, const char *text, size_t size,
                                         void *value)
{
    uint64_t number;
    enum mill_csv_result result = mill_csv_uint64(text, size, &number);
    if (result != MILL_CSV_GOOD) return result;
    int bits = 8 * (int)mill_type_size(type);
    if (bits < 64 && number >> bits) return MILL_CSV_RANGE;
    switch (type) {
    case MILL_UINT8:
        *(uint8_t *)value = (uint8_t)number;
        break;
    case MILL_UINT16:
        *(uint16_t *)value = (uint16_t)number;
        break;
    case MILL_UINT32:
        *(uint32_t *)value = (uint32_t)number;
        break;
    default:
        *(uint64_t *)value = number;
    }
    return MILL_CSV_GOOD;
}

/* Eight digits alone are more often a number than a day: nobody asked for a date, so only the
 * years in living memory count. */
static bool csv_looks_dated(const char *text, size_t size)
{
    if (size != 8 || memchr(text, '-', 8) || memchr(text, '/', 8)) return true;
    return memcmp(text, "1900", 4) >= 0 && memcmp(text, "2100", 4) <= 0;
}

static enum mill_csv_result csv_time(const struct csv_reader *reader, enum mill_type type,
                                     bool given, const char *text, size_t size, void *value)
{
    const char *format = reader->options->date_format;
    if (format) {
        const int64_t day = (int64_t)24 * 3600 * 1000000;
        int64_t moment;
        if (mill_csv_formatted(text, size, format, &moment) != MILL_CSV_GOOD)
            return MILL_CSV_BAD;
        if (type == MILL_TIMESTAMP) {
            *(int64_t *)value = moment;
            return MILL_CSV_GOOD;
        }
        if (!given && reader->timed) return MILL_CSV_BAD;
        *(int32_t *)value = (int32_t)((moment - (moment % day + day) % day) / day);
        return MILL_CSV_GOOD;
    }
    if (!given && !csv_looks_dated(text, size)) return MILL_CSV_BAD;
    if (type == MILL_DATE) return mill_csv_date(text, size, value);
    return mill_csv_timestamp(text, size, value);
}

enum mill_csv_result mill_csv_store(const struct csv_reader *reader, enum mill_type type,
                                    bool given, const char *text, size_t size, void *value)
{
    switch (type) {
    case MILL_FLOAT64:
        return mill_csv_float64(text, size, value);
    case MILL_INT64:
        return mill_csv_int64(text, size, value);
    case MILL_DATE:
    case MILL_TIMESTAMP:
        return csv_time(reader, type, given, text, size, value);
    case MILL_FLOAT32:
        return mill_csv_float32(text, size, value);
    case MILL_BOOL:
        if (given && size == 1 && (*text == '0' || *text == '1')) {
            *(uint8_t *)value = *text == '1';
            return MILL_CSV_GOOD;
        }
        return mill_csv_bool(text, size, value);
    case MILL_INT8:
    case MILL_INT16:
    case MILL_INT32:
        return csv_signed(type, text, size, value);
    default:
        return csv_unsigned(type, text, size, value);
    }
}

void mill_csv_store_missing(enum mill_type type, void *value)
{
    if (type == MILL_FLOAT64) {
        *(double *)value = NAN;
    } else if (type == MILL_FLOAT32) {
        *(float *)value = NAN;
    } else {
        memset(value, 0, mill_type_size(type));
    }
}

unsigned mill_csv_accepted(const struct csv_reader *reader, const char *text, size_t size)
{
    unsigned accepted = 1u << MILL_UTF8;
    uint64_t value;
    for (int i = 0; i < CSV_TYPES - 1; i++) {
        if (mill_csv_store(reader, mill_csv_order[i], false, text, size, &value) ==
            MILL_CSV_GOOD) {
            accepted |= 1u << mill_csv_order[i];
        }
    }
    return accepted;
}
