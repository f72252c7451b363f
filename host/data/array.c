/* array: typed, immutable columns in Arrow's layout.  SPDX-License-Identifier: MIT */
#include "data/array.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [MILL_BOOL] = {"bool", 1},
    [MILL_INT8] = {"int8", 1},
    [MILL_INT16] = {"int16", 2},
    [MILL_INT32] = {"int32", 4},
    [MILL_INT64] = {"int64", 8},
    [MILL_UINT8] = {"uint8", 1},
    [MILL_UINT16] = {"uint16", 2},
    [MILL_UINT32] = {"uint32", 4},
    [MILL_UINT64] = {"uint64", 8},
    [MILL_FLOAT32] = {"float32", 4},
    [MILL_FLOAT64] = {"float64", 8},
    [MILL_UTF8] = {"utf8", 1},
    [MILL_DICTIONARY] = {"dictionary", 4},
    [MILL_DATE] = {"date", 4},
    [MILL_TIMESTAMP] = {"timestamp", 8},
};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };

size_t mill_type_size(enum mill_type type)
{
    return (unsigned)type < TYPE_COUNT ? types[type].size : 0;
}

void mill_type_nothing(enum mill_type type, void *element)
{
    double large = NAN;
    float small = NAN;
    memset(element, 0, 8);
    if (type == MILL_FLOAT64) memcpy(element, &large, sizeof large);
    if (type == MILL_FLOAT32) memcpy(element, &small, sizeof small);
}

const char *mill_type_name(enum mill_type type)
{
    return (unsigned)type < TYPE_COUNT ? types[type].name : NULL;
}

enum mill_type mill_type_from_name(const char *name, size_t size)
{
    for (int type = 1; type < TYPE_COUNT; type++) {
        if (strlen(types[type].name) == size && memcmp(types[type].name, name, size) == 0) {
            return (enum mill_type)type;
        }
    }
    return 0;
}

struct mill_array *mill_array_wrap(enum mill_type type, int64_t length,
                                   struct mill_buffer *values, struct mill_buffer *offsets,
                                   struct mill_buffer *validity, int64_t nulls,
                                   struct mill_array *dictionary)
{
    struct mill_array *array = calloc(1, sizeof *array);
    if (array == NULL) {
        mill_buffer_unref(values);
        mill_buffer_unref(offsets);
        mill_buffer_unref(validity);
        mill_array_unref(dictionary);
        return NULL;
    }
    atomic_init(&array->refs, 1);
    array->type = type;
    array->length = length;
    array->dimensions = 1;
    array->shape[0] = length;
    array->nulls = nulls;
    array->values_buffer = values;
    array->offsets_buffer = offsets;
    array->validity_buffer = validity;
    array->dictionary = dictionary;
    array->values = values ? values->data : NULL;
    array->offsets = offsets ? (const int32_t *)(const void *)offsets->data : NULL;
    array->validity = validity ? validity->data : NULL;
    return array;
}

struct mill_array *mill_array_new(struct mill_memory *memory, enum mill_type type,
                                  int64_t length)
{
    size_t size = mill_type_size(type);
    if (length < 0 || (uint64_t)length > SIZE_MAX / 2 / size) return NULL;
    struct mill_buffer *values = mill_buffer_new(memory, (size_t)length * size);
    if (values == NULL) return NULL;
    return mill_array_wrap(type, length, values, NULL, NULL, 0, NULL);
}

struct mill_array *mill_array_text(struct mill_memory *memory, int64_t length, int64_t bytes)
{
    if (length < 0 || bytes < 0 || length >= INT32_MAX || bytes > INT32_MAX) return NULL;
    struct mill_buffer *values = mill_buffer_new(memory, (size_t)bytes);
    struct mill_buffer *offsets = mill_buffer_new(memory, ((size_t)length + 1) * 4);
    if (values == NULL || offsets == NULL) {
        mill_buffer_unref(values);
        mill_buffer_unref(offsets);
        return NULL;
    }
    return mill_array_wrap(MILL_UTF8, length, values, offsets, NULL, 0, NULL);
}

/* ---- slices --------------------------------------------------------------------------- */

static size_t bitmap_size(int64_t length)
{
    return ((size_t)length + 7) / 8;
}

int64_t mill_bitmap_count_zeros(const uint8_t *bits, int64_t length)
{
    int64_t ones = 0;
    for (int64_t i = 0; i < length / 8; i++) ones += __builtin_popcount(bits[i]);
    if (length % 8) ones += __builtin_popcount(bits[length / 8] & ((1u << length % 8) - 1));
    return length - ones;
}

static struct mill_buffer *validity_slice(struct mill_array *array, int64_t first,
                                          int64_t length)
{
    struct mill_buffer *whole = array->validity_buffer;
    if (first % 8 == 0) {
        return mill_buffer_slice(whole, (size_t)first / 8, bitmap_size(length));
    }
    struct mill_memory *memory = whole->parent ? whole->parent->memory : whole->memory;
    struct mill_buffer *part = mill_buffer_new(memory, bitmap_size(length));
    if (part == NULL) return NULL;
    memset(part->data, 0, part->size);
    for (int64_t i = 0; i < length; i++) {
        if (mill_array_present(array, first + i))
            part->data[i >> 3] |= (uint8_t)(1u << (i & 7));
    }
    return part;
}

struct mill_array *mill_array_slice(struct mill_array *array, int64_t first, int64_t length)
{
    assert(first >= 0 && length >= 0 && length <= array->length - first &&
           "slice inside its array");
    bool text = array->type == MILL_UTF8;
    size_t size = mill_type_size((enum mill_type)array->type);
    struct mill_buffer *values, *offsets = NULL, *validity = NULL;
    if (text) {
        values = mill_buffer_ref(array->values_buffer);
        offsets = mill_buffer_slice(array->offsets_buffer, (size_t)first * 4,
                                    ((size_t)length + 1) * 4);
    } else {
        values = mill_buffer_slice(array->values_buffer, (size_t)first * size,
                                   (size_t)length * size);
    }
    if (array->validity) validity = validity_slice(array, first, length);
    if (values == NULL || (text && offsets == NULL) || (array->validity && validity == NULL)) {
        mill_buffer_unref(values);
        mill_buffer_unref(offsets);
        mill_buffer_unref(validity);
        return NULL;
    }
    int64_t nulls = validity ? mill_bitmap_count_zeros(validity->data, length) : 0;
    struct mill_array *dictionary =
        array->dictionary ? mill_array_ref(array->dictionary) : NULL;
    return mill_array_wrap((enum mill_type)array->type, length, values, offsets, validity,
                           nulls, dictionary);
}

struct mill_array *mill_array_view(struct mill_array *array, int64_t first, int dimensions,
                                   const int64_t *shape)
{
    assert(dimensions >= 1 && dimensions <= MILL_MAX_DIMENSIONS && "a shape");
    int64_t length = 1;
    for (int i = 0; i < dimensions; i++) length *= shape[i];
    struct mill_array *view = mill_array_slice(array, first, length);
    if (view == NULL) return NULL;
    view->dimensions = dimensions;
    memcpy(view->shape, shape, (size_t)dimensions * sizeof shape[0]);
    return view;
}

void mill_array_publish(struct mill_array *array)
{
    for (; array; array = array->dictionary) {
        mill_buffer_publish(array->values_buffer);
        mill_buffer_publish(array->offsets_buffer);
        mill_buffer_publish(array->validity_buffer);
    }
}

struct mill_array *mill_array_ref(struct mill_array *array)
{
    atomic_fetch_add_explicit(&array->refs, 1, memory_order_relaxed);
    return array;
}

void mill_array_unref(struct mill_array *array)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (array == NULL || atomic_fetch_sub_explicit(&array->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    mill_buffer_unref(array->values_buffer);
    mill_buffer_unref(array->offsets_buffer);
    mill_buffer_unref(array->validity_buffer);
    mill_array_unref(array->dictionary);
    free(array);
}

/* ---- content hash --------------------------------------------------------------------- */

static void hash_text(struct mill_hasher *hasher, const struct mill_array *array)
{
    const int32_t *offsets = array->offsets;
    int32_t first = offsets[0];
    mill_hasher_bytes(hasher, (const char *)array->values + first,
                      (size_t)(offsets[array->length] - first));
    /* Lengths rather than offsets: a slice must hash like a copy. */
    struct mill_hasher lengths;
    mill_hasher_init(&lengths, "lengths");
    for (int64_t i = 0; i < array->length; i++) {
        mill_hasher_number(&lengths, (uint64_t)(offsets[i + 1] - offsets[i]));
    }
    mill_hasher_hash(hasher, mill_hasher_end(&lengths));
}

static void hash_validity(struct mill_hasher *hasher, const struct mill_array *array)
{
    if (array->nulls == 0) return;
    size_t whole = (size_t)array->length / 8;
    mill_hasher_bytes(hasher, array->validity, whole);
    if (array->length % 8) {
        mill_hasher_number(hasher, array->validity[whole] & ((1u << array->length % 8) - 1));
    }
}

/* NaNs of any sign and payload are one.  A copy in which they are; NULL when the array has no
 * other, or memory is short (then equal content may hash apart: a miss, never a wrong hit). */
static double *canonical_doubles(const struct mill_array *array)
{
    static const uint64_t canonical = 0x7FF8000000000000u;
    const double *values = array->values;
    bool odd = false;
    for (int64_t i = 0; i < array->length && !odd; i++) {
        odd = values[i] != values[i] && memcmp(&values[i], &canonical, 8) != 0;
    }
    double *copy = odd ? malloc((size_t)array->length * 8) : NULL;
    if (copy == NULL) return NULL;
    memcpy(copy, values, (size_t)array->length * 8);
    for (int64_t i = 0; i < array->length; i++) {
        if (copy[i] != copy[i]) memcpy(&copy[i], &canonical, 8);
    }
    return copy;
}

static float *canonical_floats(const struct mill_array *array)
{
    static const uint32_t canonical = 0x7FC00000u;
    const float *values = array->values;
    bool odd = false;
    for (int64_t i = 0; i < array->length && !odd; i++) {
        odd = values[i] != values[i] && memcmp(&values[i], &canonical, 4) != 0;
    }
    float *copy = odd ? malloc((size_t)array->length * 4) : NULL;
    if (copy == NULL) return NULL;
    memcpy(copy, values, (size_t)array->length * 4);
    for (int64_t i = 0; i < array->length; i++) {
        if (copy[i] != copy[i]) memcpy(&copy[i], &canonical, 4);
    }
    return copy;
}

static void hash_values(struct mill_hasher *hasher, const struct mill_array *array)
{
    void *copy = NULL;
    if (array->type == MILL_FLOAT64) copy = canonical_doubles(array);
    if (array->type == MILL_FLOAT32) copy = canonical_floats(array);
    mill_hasher_bytes(hasher, copy ? copy : array->values,
                      (size_t)array->length * mill_type_size((enum mill_type)array->type));
    free(copy);
}

struct mill_hash mill_array_hash(const struct mill_array *array)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "array/1");
    mill_hasher_number(&hasher, (uint64_t)array->type);
    for (int i = 0; i < array->dimensions; i++) {
        mill_hasher_number(&hasher, (uint64_t)array->shape[i]);
    }
    if (array->type == MILL_UTF8) {
        hash_text(&hasher, array);
    } else {
        hash_values(&hasher, array);
    }
    hash_validity(&hasher, array);
    if (array->dictionary) mill_hasher_hash(&hasher, mill_array_hash(array->dictionary));
    return mill_hasher_end(&hasher);
}
