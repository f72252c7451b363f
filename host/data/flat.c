/* flat: how an array is described in bytes.  SPDX-License-Identifier: MIT */
#include "data/flat.h"

#include <string.h>

struct mill_flat_head mill_flat_head_of(const struct mill_array *array)
{
    size_t element = mill_type_size((enum mill_type)array->type);
    return (struct mill_flat_head){
        .length = array->length,
        .nulls = array->nulls,
        .values_size = array->type == MILL_UTF8
                           ? array->offsets[array->length] - array->offsets[0]
                           : array->length * (int64_t)element,
        .type = array->type,
        .dimensions = array->dimensions,
        .has_validity = array->validity != NULL,
        .has_dictionary = array->dictionary != NULL,
    };
}

bool mill_flat_is_sound(const struct mill_flat_head *head)
{
    size_t element = mill_type_size((enum mill_type)head->type);
    if (head->type <= 0 || element == 0 || head->dimensions < 1 ||
        head->dimensions > MILL_MAX_DIMENSIONS || head->length < 0 ||
        head->length > INT64_MAX / 16 || head->nulls < 0 || head->nulls > head->length ||
        head->values_size < 0 || head->has_validity > 1 || head->has_dictionary > 1) {
        return false;
    }
    if (!head->has_validity && head->nulls > 0) return false;
    if (head->has_dictionary != (head->type == MILL_DICTIONARY)) return false;
    return head->type == MILL_UTF8 || head->values_size == head->length * (int64_t)element;
}

static bool offsets_are_sound(const int32_t *offsets, int64_t length, int64_t size)
{
    if (offsets[0] != 0 || offsets[length] != size) return false;
    for (int64_t i = 0; i < length; i++) {
        if (offsets[i] > offsets[i + 1]) return false;
    }
    return true;
}

static bool codes_are_sound(const struct mill_array *array)
{
    const int32_t *codes = array->values;
    for (int64_t i = 0; i < array->length; i++) {
        if (!mill_array_present(array, i)) continue;
        if (codes[i] < 0 || codes[i] >= array->dictionary->length) return false;
    }
    return true;
}

static bool shape_is_sound(const struct mill_array *array)
{
    int64_t product = 1;
    for (int i = 0; i < array->dimensions; i++) {
        if (array->shape[i] < 0 || __builtin_mul_overflow(product, array->shape[i], &product)) {
            return false;
        }
    }
    return product == array->length;
}

static bool array_is_sound(const struct mill_array *array, const struct mill_flat_head *head)
{
    if (!shape_is_sound(array)) return false;
    if (array->validity &&
        mill_bitmap_count_zeros(array->validity, array->length) != array->nulls) {
        return false;
    }
    if (array->type == MILL_UTF8) {
        return offsets_are_sound(array->offsets, array->length, head->values_size);
    }
    if (array->type == MILL_DICTIONARY) {
        return array->dictionary->type == MILL_UTF8 && codes_are_sound(array);
    }
    return true;
}

struct mill_array *mill_flat_array(const struct mill_flat_head *head, const int64_t *shape,
                                   struct mill_buffer *values, struct mill_buffer *offsets,
                                   struct mill_buffer *validity, struct mill_array *dictionary,
                                   tidemill_status *status)
{
    struct mill_array *array = mill_array_wrap((enum mill_type)head->type, head->length, values,
                                               offsets, validity, head->nulls, dictionary);
    if (array == NULL) {
        *status = TIDEMILL_MEMORY;
        return NULL;
    }
    array->dimensions = head->dimensions;
    memcpy(array->shape, shape, (size_t)head->dimensions * sizeof array->shape[0]);
    if (array_is_sound(array, head)) return array;
    *status = TIDEMILL_DATA;
    mill_array_unref(array);
    return NULL;
}
