/* api_array: arrays over memory of the host, and their memory for it.  SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "bind/api.h"
#include "data/array.h"

/* ---- in --------------------------------------------------------------------------------- */

struct lender {
    void (*release)(void *context, void *data);
    void *context, *data;
};

static void give_host_back(void *context, void *data, size_t size)
{
    (void)data;
    (void)size;
    struct lender lender = *(struct lender *)context;
    free(context);
    if (lender.release) lender.release(lender.context, lender.data);
}

/* The number of elements; -1: the shape is wrong, as *error says. */
static int64_t count_elements(const tidemill_array *array, size_t size,
                              struct mill_error *error)
{
    int64_t count = 1;
    if (array->dimensions < 1 || array->dimensions > MILL_MAX_DIMENSIONS) {
        mill_fail(error, TIDEMILL_USAGE, "array: dimensions: expected 1 to %d, got %d",
                  MILL_MAX_DIMENSIONS, array->dimensions);
        return -1;
    }
    for (int i = 0; i < array->dimensions; i++) {
        if (array->shape[i] < 0) {
            mill_fail(error, TIDEMILL_USAGE, "array: shape[%d] is negative: %lld", i,
                      (long long)array->shape[i]);
            return -1;
        }
        if (__builtin_mul_overflow(count, array->shape[i], &count) ||
            (uint64_t)count > PTRDIFF_MAX / size) {
            mill_fail(error, TIDEMILL_USAGE, "array: the shape has too many elements");
            return -1;
        }
    }
    return count;
}

static tidemill_status check_type(const tidemill_array *array, enum mill_type *type,
                                  struct mill_error *error)
{
    const char *name = array->type ? array->type : "NULL";
    *type = mill_type_from_name(name, strlen(name));
    if (*type == 0) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "array: unknown type \"%.40s\"; expected one such as \"float64\"",
                         name);
    }
    if (*type == MILL_UTF8 || *type == MILL_DICTIONARY) {
        return mill_fail(error, TIDEMILL_UNSUPPORTED,
                         "array: strings come in by the Arrow C Data Interface");
    }
    return TIDEMILL_OK;
}

static tidemill_status check_data(const tidemill_array *array, size_t size, int64_t count,
                                  struct mill_error *error)
{
    if (array->data == NULL && count > 0) {
        return mill_fail(error, TIDEMILL_USAGE, "array: data is NULL");
    }
    if ((uintptr_t)array->data % size != 0) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "array: data is not aligned to the %zu bytes of %s", size,
                         array->type);
    }
    return TIDEMILL_OK;
}

/* Whether what lies under each null is what scripts may read there. */
static bool nulls_are_empty(const tidemill_array *array, enum mill_type type, int64_t count)
{
    size_t size = mill_type_size(type);
    const uint8_t *values = array->data;
    uint8_t nothing[8];
    mill_type_nothing(type, nothing);
    for (int64_t i = 0; i < count; i++) {
        if (array->validity[i >> 3] >> (i & 7) & 1) continue;
        if (memcmp(values + (size_t)i * size, nothing, size) != 0) return false;
    }
    return true;
}

/* A copy, with nothing under the nulls. */
static struct mill_buffer *copy_values(const tidemill_array *array, enum mill_type type,
                                       int64_t count)
{
    size_t size = mill_type_size(type);
    struct mill_buffer *buffer = mill_buffer_new(NULL, (size_t)count * size);
    if (buffer == NULL) return NULL;
    memcpy(buffer->data, array->data, (size_t)count * size);
    for (int64_t i = 0; i < count; i++) {
        if (array->validity[i >> 3] >> (i & 7) & 1) continue;
        uint8_t nothing[8];
        mill_type_nothing(type, nothing);
        memcpy(buffer->data + (size_t)i * size, nothing, size);
    }
    return buffer;
}

/* The host's memory, given back with the buffer once *lender has been filled in. */
static struct mill_buffer *lend_memory(const tidemill_array *array, size_t bytes,
                                       struct lender **lender)
{
    static uint8_t none[8] __attribute__((aligned(8)));
    void *data = array->data ? (void *)(uintptr_t)array->data : none;
    *lender = calloc(1, sizeof **lender);
    if (*lender == NULL) return NULL;
    struct mill_buffer *buffer = mill_buffer_foreign(data, bytes, give_host_back, *lender);
    if (buffer == NULL) free(*lender);
    return buffer;
}

/* NULL: no memory, and the host's was not given back. */
static struct mill_array *make_host_array(const tidemill_array *array, enum mill_type type,
                                          int64_t count, const struct lender *given)
{
    size_t bits = ((size_t)count + 7) / 8;
    struct lender *lender = NULL;
    struct mill_buffer *validity = array->validity ? mill_buffer_new(NULL, bits) : NULL;
    if (array->validity && validity == NULL) return NULL;
    bool copied = validity && count > 0 && !nulls_are_empty(array, type, count);
    struct mill_buffer *values =
        copied ? copy_values(array, type, count)
               : lend_memory(array, (size_t)count * mill_type_size(type), &lender);
    if (values == NULL) {
        mill_buffer_unref(validity);
        return NULL;
    }
    if (validity) memcpy(validity->data, array->validity, bits);
    int64_t nulls = validity ? mill_bitmap_count_zeros(validity->data, count) : 0;
    struct mill_array *made = mill_array_wrap(type, count, values, NULL, validity, nulls, NULL);
    if (made && lender) *lender = *given;
    if (made && copied && given->release) given->release(given->context, given->data);
    return made;
}

static tidemill_status from_array(const tidemill_array *array, const struct lender *lender,
                                  struct mill_array **made, struct mill_error *error)
{
    enum mill_type type;
    tidemill_status status = check_type(array, &type, error);
    if (status != TIDEMILL_OK) return status;
    size_t size = mill_type_size(type);
    int64_t count = count_elements(array, size, error);
    if (count < 0) return TIDEMILL_USAGE;
    status = check_data(array, size, count, error);
    if (status != TIDEMILL_OK) return status;
    *made = make_host_array(array, type, count, lender);
    if (*made == NULL) return mill_no_memory(error, "array");
    (*made)->dimensions = array->dimensions;
    for (int i = 0; i < array->dimensions; i++) (*made)->shape[i] = array->shape[i];
    return TIDEMILL_OK;
}

tidemill_status tidemill_from_array(tidemill *engine, const tidemill_array *array,
                                    void (*release)(void *context, void *data), void *context,
                                    tidemill_value *value)
{
    tidemill_array full = {.size = sizeof full};
    struct lender lender = {release, context, (void *)(uintptr_t)array->data};
    struct mill_array *made = NULL;
    struct mill_error error;
    *value = mill_value_out(mill_nil());
    memcpy(&full, array, array->size < sizeof full ? array->size : sizeof full);
    if (from_array(&full, &lender, &made, &error) != TIDEMILL_OK) {
        return mill_api_say(engine, &error);
    }
    *value = mill_value_out(mill_column(made));
    return TIDEMILL_OK;
}

/* ---- out -------------------------------------------------------------------------------- */

int tidemill_to_array(tidemill_value given, tidemill_array *array)
{
    struct mill_value value = mill_value_in(given);
    if (value.tag != MILL_TAG_COLUMN) return 0;
    const struct mill_array *column = value.array;
    tidemill_array full = {
        .size = array->size,
        .type = mill_type_name((enum mill_type)column->type),
        .dimensions = column->dimensions,
        .data = column->values,
        .validity = column->validity,
        .offsets = column->offsets,
    };
    memcpy(full.shape, column->shape, (size_t)column->dimensions * sizeof full.shape[0]);
    memcpy(array, &full, array->size < sizeof full ? array->size : sizeof full);
    return 1;
}
