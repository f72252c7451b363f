/* test_array: typed columns: slices against reading one element at a time, and names of content
 * that depend on nothing but the content.  SPDX-License-Identifier: MIT */
#include "data/array.h"

#include <math.h>

#include "check.h"
#include "random_check.h"

static bool hash_alike(const struct mill_array *a, const struct mill_array *b)
{
    return mill_hash_equal(mill_array_hash(a), mill_array_hash(b));
}

/* ---- making arrays ------------------------------------------------------------------------ */

static const enum mill_type fixed_types[] = {
    MILL_BOOL,    MILL_INT8,   MILL_INT16,     MILL_INT32,  MILL_INT64,
    MILL_UINT8,   MILL_UINT16, MILL_UINT32,    MILL_UINT64, MILL_FLOAT32,
    MILL_FLOAT64, MILL_DATE,   MILL_TIMESTAMP,
};
enum { FIXED_TYPES = sizeof fixed_types / sizeof fixed_types[0] };

/* `first` unused bits, then `length` of which about a quarter are 0. */
static struct mill_buffer *random_bits(int64_t length, int64_t *nulls)
{
    struct mill_buffer *bits = mill_buffer_new(NULL, ((size_t)length + 7) / 8);
    memset(bits->data, 0xFF, bits->size); /* what follows the last one is not 0 */
    *nulls = 0;
    for (int64_t i = 0; i < length; i++) {
        if (random_below(4)) continue;
        bits->data[i / 8] &= (uint8_t) ~(1u << i % 8);
        ++*nulls;
    }
    return bits;
}

static struct mill_array *random_fixed(enum mill_type type, int64_t length, bool with_nulls)
{
    size_t size = (size_t)length * mill_type_size(type);
    struct mill_buffer *values = mill_buffer_new(NULL, size), *validity = NULL;
    int64_t nulls = 0;
    for (size_t i = 0; i < size; i++)
        values->data[i] = (uint8_t)random_below(type == MILL_BOOL ? 2 : 100);
    if (with_nulls) validity = random_bits(length, &nulls);
    return mill_array_wrap(type, length, values, NULL, validity, nulls, NULL);
}

static struct mill_array *random_text(int64_t length, bool with_nulls)
{
    struct mill_buffer *offsets = mill_buffer_new(NULL, ((size_t)length + 1) * 4);
    struct mill_buffer *bytes = mill_buffer_new(NULL, (size_t)length * 7), *validity = NULL;
    int32_t *offset = (int32_t *)(void *)offsets->data;
    int64_t nulls = 0;
    offset[0] = 0;
    for (int64_t i = 0; i < length; i++) offset[i + 1] = offset[i] + (int32_t)random_below(8);
    mill_buffer_shrink(bytes, (size_t)offset[length]);
    for (size_t i = 0; i < bytes->size; i++) bytes->data[i] = (uint8_t)('a' + random_below(3));
    if (with_nulls) validity = random_bits(length, &nulls);
    return mill_array_wrap(MILL_UTF8, length, bytes, offsets, validity, nulls, NULL);
}

static struct mill_array *random_dictionary(int64_t length, bool with_nulls)
{
    struct mill_array *words = random_text(5, false);
    struct mill_array *codes = random_fixed(MILL_INT32, length, with_nulls);
    int32_t *code = codes->values;
    for (int64_t i = 0; i < length; i++) code[i] = (int32_t)random_below(5);
    struct mill_buffer *validity =
        codes->validity_buffer ? mill_buffer_ref(codes->validity_buffer) : NULL;
    struct mill_array *array =
        mill_array_wrap(MILL_DICTIONARY, length, mill_buffer_ref(codes->values_buffer), NULL,
                        validity, codes->nulls, words);
    mill_array_unref(codes);
    return array;
}

static struct mill_array *random_array(int64_t length)
{
    bool with_nulls = random_below(2);
    uint32_t kind = random_below(FIXED_TYPES + 2);
    if (kind == FIXED_TYPES) return random_text(length, with_nulls);
    if (kind == FIXED_TYPES + 1) return random_dictionary(length, with_nulls);
    return random_fixed(fixed_types[kind], length, with_nulls);
}

/* ---- oracle: one element at a time ---------------------------------------------------------- */

/* A copy of elements [first, first + length) in fresh memory, bit by bit and byte by byte. */
static struct mill_array *copy_of(const struct mill_array *array, int64_t first, int64_t length)
{
    size_t size = mill_type_size((enum mill_type)array->type);
    struct mill_buffer *values, *offsets = NULL, *validity = NULL;
    const uint8_t *from = array->values;
    if (array->type == MILL_UTF8) {
        offsets = mill_buffer_new(NULL, ((size_t)length + 1) * 4);
        int32_t *offset = (int32_t *)(void *)offsets->data;
        for (int64_t i = 0; i <= length; i++) {
            offset[i] = array->offsets[first + i] - array->offsets[first];
        }
        values = mill_buffer_new(NULL, (size_t)offset[length]);
        from += array->offsets[first];
    } else {
        values = mill_buffer_new(NULL, (size_t)length * size);
        from += (size_t)first * size;
    }
    for (size_t i = 0; i < values->size; i++) values->data[i] = from[i];
    int64_t nulls = 0;
    if (array->validity) {
        validity = mill_buffer_new(NULL, ((size_t)length + 7) / 8);
        memset(validity->data, 0, validity->size);
        for (int64_t i = 0; i < length; i++) {
            unsigned bit = array->validity[(first + i) / 8] >> (first + i) % 8 & 1;
            validity->data[i / 8] |= (uint8_t)(bit << i % 8);
            nulls += !bit;
        }
    }
    struct mill_array *words = array->dictionary ? mill_array_ref(array->dictionary) : NULL;
    return mill_array_wrap((enum mill_type)array->type, length, values, offsets, validity,
                           nulls, words);
}

static bool same_element(const struct mill_array *a, int64_t i, const struct mill_array *b,
                         int64_t k)
{
    if (mill_array_present(a, i) != mill_array_present(b, k)) return false;
    size_t size = mill_type_size((enum mill_type)a->type);
    const char *x = a->values, *y = b->values;
    if (a->type != MILL_UTF8)
        return memcmp(x + (size_t)i * size, y + (size_t)k * size, size) == 0;
    int32_t length = a->offsets[i + 1] - a->offsets[i];
    return length == b->offsets[k + 1] - b->offsets[k] &&
           memcmp(x + a->offsets[i], y + b->offsets[k], (size_t)length) == 0;
}

static void check_slice(struct mill_array *array, int64_t first, int64_t length)
{
    struct mill_array *slice = mill_array_slice(array, first, length);
    struct mill_array *copy = copy_of(array, first, length);
    CHECK(slice->length == length && slice->shape[0] == length && slice->dimensions == 1);
    CHECK(slice->nulls == copy->nulls);
    for (int64_t i = 0; i < length; i++) {
        CHECK_SAYING(same_element(slice, i, array, first + i),
                     "%s, element %lld of [%lld, %lld)",
                     mill_type_name((enum mill_type)array->type), (long long)i,
                     (long long)first, (long long)(first + length));
    }
    CHECK_SAYING(hash_alike(slice, copy), "%s: slice [%lld, %lld) and its copy",
                 mill_type_name((enum mill_type)array->type), (long long)first,
                 (long long)(first + length));
    mill_array_unref(slice);
    mill_array_unref(copy);
}

static void slices_have_the_elements_and_the_name_of_a_copy(void)
{
    for (int round = 0; round < 400; round++) {
        int64_t length = random_below(70);
        struct mill_array *array = random_array(length);
        for (int i = 0; i < 20; i++) {
            int64_t first = random_below((uint32_t)length + 1);
            check_slice(array, first, random_below((uint32_t)(length - first) + 1));
        }
        mill_array_unref(array);
    }
}

static void slices_of_slices_too(void)
{
    for (int round = 0; round < 200; round++) {
        struct mill_array *array = random_array(100);
        int64_t first = random_below(40), length = 30 + random_below(30);
        struct mill_array *slice = mill_array_slice(array, first, length);
        mill_array_unref(array);
        for (int i = 0; i < 10; i++) check_slice(slice, random_below(15), random_below(15));
        mill_array_unref(slice);
    }
}

static void views_have_the_elements_in_another_shape(void)
{
    for (int round = 0; round < 200; round++) {
        int64_t rows = random_below(6), columns = 1 + random_below(5), row = random_below(4);
        enum mill_type type = fixed_types[random_below(FIXED_TYPES)];
        struct mill_array *array = random_fixed(type, (row + rows) * columns, round % 2);
        int64_t shape[] = {rows, columns};
        struct mill_array *view = mill_array_view(array, row * columns, 2, shape);
        CHECK(view->dimensions == 2 && view->shape[0] == rows && view->shape[1] == columns);
        CHECK(view->length == rows * columns && view->type == array->type);
        for (int64_t i = 0; i < view->length; i++) {
            CHECK(same_element(view, i, array, row * columns + i));
        }
        if (rows > 0) { /* a row of the view */
            struct mill_array *last = mill_array_view(view, (rows - 1) * columns, 1, shape + 1);
            CHECK(last->dimensions == 1 && last->length == columns);
            CHECK(same_element(last, columns - 1, array, (row + rows) * columns - 1));
            mill_array_unref(last);
        }
        mill_array_unref(array);
        mill_array_unref(view);
    }
}

static void texts_have_the_room_that_was_asked_for(void)
{
    struct mill_array *array = mill_array_text(NULL, 2, 5);
    memcpy(array->values, "abcde", 5);
    memcpy(array->offsets_buffer->data, (int32_t[]){0, 2, 5}, 12);
    struct mill_array *last = mill_array_slice(array, 1, 1);
    CHECK(last->length == 1 && last->offsets[0] == 2 && last->offsets[1] == 5);
    CHECK(mill_array_text(NULL, INT32_MAX, 0) == NULL);
    CHECK(mill_array_text(NULL, 1, (int64_t)INT32_MAX + 1) == NULL);
    mill_array_unref(array);
    mill_array_unref(last);
}

static void bitmaps_that_slices_copy_are_accounted(void)
{
    struct mill_memory memory = {0};
    struct mill_buffer *values = mill_buffer_new(&memory, 80);
    struct mill_buffer *validity = mill_buffer_new(&memory, 10);
    memset(validity->data, 0xAA, 10);
    struct mill_array *array =
        mill_array_wrap(MILL_UINT8, 80, values, NULL, validity, 40, NULL);
    struct mill_array *even = mill_array_slice(array, 8, 60); /* shares the bitmap */
    CHECK(atomic_load(&memory.bytes) == 90);
    struct mill_array *odd = mill_array_slice(even, 3, 50);
    CHECK(atomic_load(&memory.bytes) == 90 + 7);
    mill_array_unref(array);
    mill_array_unref(even);
    mill_array_unref(odd);
    CHECK(atomic_load(&memory.bytes) == 0);
}

/* ---- names of content ------------------------------------------------------------------------ */

static void any_other_element_gives_another_name(void)
{
    for (int round = 0; round < 500; round++) {
        int64_t length = 1 + random_below(40);
        struct mill_array *one = random_array(length), *two = copy_of(one, 0, length);
        CHECK(hash_alike(one, two));
        int64_t i = random_below((uint32_t)length);
        uint8_t *bytes = two->values;
        if (two->validity && random_below(2)) {
            two->validity_buffer->data[i / 8] ^= (uint8_t)(1u << i % 8);
            two->nulls += mill_array_present(two, i) ? -1 : 1;
        } else if (two->type != MILL_UTF8) {
            bytes[(size_t)i * mill_type_size((enum mill_type)two->type)] ^= 1;
        } else if (two->offsets[length] > 0) {
            bytes[random_below((uint32_t)two->offsets[length])] ^= 1;
        } else {
            bytes = NULL;
        }
        CHECK(bytes == NULL || !hash_alike(one, two));
        mill_array_unref(one);
        mill_array_unref(two);
    }
}

static void type_and_shape_count(void)
{
    struct mill_array *one = random_fixed(MILL_INT64, 12, false);
    struct mill_array *two = copy_of(one, 0, 12);
    two->type = MILL_TIMESTAMP;
    CHECK(!hash_alike(one, two));
    two->type = MILL_INT64;
    CHECK(hash_alike(one, two));
    two->dimensions = 2;
    two->shape[0] = 3;
    two->shape[1] = 4;
    CHECK(!hash_alike(one, two));
    struct mill_array *three = copy_of(two, 0, 12);
    three->dimensions = 2;
    three->shape[0] = 4;
    three->shape[1] = 3;
    CHECK(!hash_alike(two, three));
    mill_array_unref(one);
    mill_array_unref(two);
    mill_array_unref(three);
}

static void where_a_text_ends_counts(void)
{
    static const int32_t ends[2][3] = {{0, 1, 3}, {0, 2, 3}};
    struct mill_array *arrays[2];
    for (int k = 0; k < 2; k++) {
        struct mill_buffer *bytes = mill_buffer_new(NULL, 3);
        struct mill_buffer *offsets = mill_buffer_new(NULL, sizeof ends[k]);
        memcpy(bytes->data, "abc", 3);
        memcpy(offsets->data, ends[k], sizeof ends[k]);
        arrays[k] = mill_array_wrap(MILL_UTF8, 2, bytes, offsets, NULL, 0, NULL);
    }
    CHECK(!hash_alike(arrays[0], arrays[1]));
    mill_array_unref(arrays[0]);
    mill_array_unref(arrays[1]);
}

static void the_words_of_a_dictionary_count(void)
{
    struct mill_array *one = random_dictionary(9, false), *two = copy_of(one, 0, 9);
    CHECK(hash_alike(one, two));
    mill_array_unref(two->dictionary);
    two->dictionary = random_text(7, false);
    CHECK(!hash_alike(one, two));
    mill_array_unref(one);
    mill_array_unref(two);
}

static void a_bitmap_without_nulls_is_none(void)
{
    struct mill_array *one = random_fixed(MILL_INT16, 19, false);
    struct mill_buffer *validity = mill_buffer_new(NULL, 3);
    memset(validity->data, 0xFF, 3);
    struct mill_array *two = mill_array_wrap(
        MILL_INT16, 19, mill_buffer_ref(one->values_buffer), NULL, validity, 0, NULL);
    CHECK(hash_alike(one, two));
    mill_array_unref(one);
    mill_array_unref(two);
}

static void not_a_number_is_one_value(void)
{
    static const uint64_t wide[] = {0x7FF8000000000000u, 0xFFF8000000000000u,
                                    0x7FF8000000000123u, 0xFFFFFFFFFFFFFFFFu,
                                    0x7FF0000000000001u};
    static const uint32_t narrow[] = {0x7FC00000u, 0xFFC00000u, 0x7FC00123u, 0xFFFFFFFFu,
                                      0x7F800001u};
    struct mill_hash first[2] = {{0}};
    for (int k = 0; k < 5; k++) {
        struct mill_array *doubles = mill_array_new(NULL, MILL_FLOAT64, 3);
        struct mill_array *floats = mill_array_new(NULL, MILL_FLOAT32, 3);
        memcpy(doubles->values, (double[]){1, 2, 3}, 24);
        memcpy(floats->values, (float[]){1, 2, 3}, 12);
        memcpy((char *)doubles->values + 8, &wide[k], 8);
        memcpy((char *)floats->values + 4, &narrow[k], 4);
        struct mill_hash hash[2] = {mill_array_hash(doubles), mill_array_hash(floats)};
        if (k == 0) memcpy(first, hash, sizeof hash);
        CHECK_SAYING(mill_hash_equal(hash[0], first[0]), "NaN %d of float64", k);
        CHECK_SAYING(mill_hash_equal(hash[1], first[1]), "NaN %d of float32", k);
        mill_array_unref(doubles);
        mill_array_unref(floats);
    }
}

static void zero_and_minus_zero_are_two_values(void)
{
    struct mill_array *one = mill_array_new(NULL, MILL_FLOAT64, 1);
    struct mill_array *two = mill_array_new(NULL, MILL_FLOAT64, 1);
    *(double *)one->values = 0.0;
    *(double *)two->values = -0.0;
    CHECK(!hash_alike(one, two));
    mill_array_unref(one);
    mill_array_unref(two);
}

/* ---- types, counting, limits ------------------------------------------------------------------ */

static void every_type_is_found_by_its_name(void)
{
    for (int type = MILL_BOOL; type <= MILL_TIMESTAMP; type++) {
        const char *name = mill_type_name((enum mill_type)type);
        CHECK(name && mill_type_from_name(name, strlen(name)) == (enum mill_type)type);
        CHECK(mill_type_size((enum mill_type)type) > 0);
        CHECK(mill_type_from_name(name, strlen(name) - 1) != (enum mill_type)type);
    }
    CHECK(mill_type_from_name("float", 5) == 0 && mill_type_from_name("", 0) == 0);
    CHECK(mill_type_name((enum mill_type)16) == NULL &&
          mill_type_name((enum mill_type)0) == NULL);
    CHECK(mill_type_size((enum mill_type) - 1) == 0 && mill_type_size((enum mill_type)0) == 0);
}

static void zeros_are_counted_at_every_length(void)
{
    for (int64_t length = 0; length < 200; length++) {
        int64_t nulls;
        struct mill_buffer *bits = random_bits(length, &nulls);
        CHECK(mill_bitmap_count_zeros(bits->data, length) == nulls);
        mill_buffer_unref(bits);
    }
}

static void lengths_that_no_memory_has_give_null(void)
{
    CHECK(mill_array_new(NULL, MILL_FLOAT64, -1) == NULL);
    CHECK(mill_array_new(NULL, MILL_FLOAT64, INT64_MAX) == NULL);
    struct mill_array *none = mill_array_new(NULL, MILL_FLOAT64, 0);
    CHECK(none && none->length == 0);
    mill_array_unref(none);
    mill_array_unref(NULL);
}

static void the_last_reference_frees_all_buffers(void)
{
    struct mill_memory memory = {0};
    struct mill_array *array = mill_array_new(&memory, MILL_INT32, 1000);
    struct mill_array *slice = mill_array_slice(array, 500, 10);
    mill_array_unref(mill_array_ref(array));
    mill_array_unref(array);
    CHECK(atomic_load(&memory.bytes) == 4000);
    mill_array_unref(slice);
    CHECK(atomic_load(&memory.bytes) == 0);
}

int main(void)
{
    random_state = check_seed();
    RUN(slices_have_the_elements_and_the_name_of_a_copy);
    RUN(slices_of_slices_too);
    RUN(views_have_the_elements_in_another_shape);
    RUN(texts_have_the_room_that_was_asked_for);
    RUN(bitmaps_that_slices_copy_are_accounted);
    RUN(any_other_element_gives_another_name);
    RUN(type_and_shape_count);
    RUN(where_a_text_ends_counts);
    RUN(the_words_of_a_dictionary_count);
    RUN(a_bitmap_without_nulls_is_none);
    RUN(not_a_number_is_one_value);
    RUN(zero_and_minus_zero_are_two_values);
    RUN(every_type_is_found_by_its_name);
    RUN(zeros_are_counted_at_every_length);
    RUN(lengths_that_no_memory_has_give_null);
    RUN(the_last_reference_frees_all_buffers);
    return check_end();
}
