/* test_npy: files that NumPy has written (scripts/dev/vectors/npy.py tells what is in them), files that we
 * write, and files that nobody should.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/npy.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "data/file.h"
#include "folder_check.h"

static struct mill_memory memory;

static const char *vector_path(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "tests/data/npy/%s.npy", name);
    return path;
}

static void save(const char *name, const void *bytes, size_t size)
{
    struct mill_error error;
    if (mill_file_write(in_folder(name), bytes, size, &error) != TIDEMILL_OK) abort();
}

static struct mill_array *load(const char *path, const struct mill_npy_options *given)
{
    struct mill_npy_options options = given ? *given : (struct mill_npy_options){0};
    struct mill_array *array = NULL;
    struct mill_error error = {0};
    options.memory = &memory;
    tidemill_status status = mill_npy_read(path, &options, &array, &error);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", error.text);
    return array;
}

/* What the vectors have as element i. */
static double expected_number(const struct mill_array *array, int64_t i)
{
    int64_t number = 37 * i % 101 - 50;
    switch (array->type) {
    case MILL_BOOL:
        return number > 0;
    case MILL_UINT8:
    case MILL_UINT16:
    case MILL_UINT32:
    case MILL_UINT64:
        return (double)(number + 50);
    case MILL_FLOAT32:
    case MILL_FLOAT64:
        return (double)number / 4;
    default:
        return (double)number;
    }
}

static double number_at(const struct mill_array *array, int64_t i)
{
    switch (array->type) {
    case MILL_BOOL:
    case MILL_UINT8:
        return ((const uint8_t *)array->values)[i];
    case MILL_INT8:
        return ((const int8_t *)array->values)[i];
    case MILL_INT16:
        return ((const int16_t *)array->values)[i];
    case MILL_INT32:
    case MILL_DATE:
        return ((const int32_t *)array->values)[i];
    case MILL_INT64:
    case MILL_TIMESTAMP:
        return (double)((const int64_t *)array->values)[i];
    case MILL_UINT16:
        return ((const uint16_t *)array->values)[i];
    case MILL_UINT32:
        return ((const uint32_t *)array->values)[i];
    case MILL_UINT64:
        return (double)((const uint64_t *)array->values)[i];
    case MILL_FLOAT32:
        return (double)((const float *)array->values)[i];
    default:
        return ((const double *)array->values)[i];
    }
}

/* The array has the elements of the vectors from number `first` on. */
static void check_numbers(const struct mill_array *array, int64_t first, const char *what)
{
    for (int64_t i = 0; array && i < array->length; i++) {
        double got = number_at(array, i), expected = expected_number(array, first + i);
        CHECK_SAYING(got == expected, "%s: element %lld is %g, expected %g", what,
                     (long long)(first + i), got, expected);
    }
}

static const struct {
    const char *name;
    enum mill_type type;
} plain[] = {
    {"b1", MILL_BOOL},
    {"i1", MILL_INT8},
    {"i2", MILL_INT16},
    {"i4", MILL_INT32},
    {"i8", MILL_INT64},
    {"u1", MILL_UINT8},
    {"u2", MILL_UINT16},
    {"u4", MILL_UINT32},
    {"u8", MILL_UINT64},
    {"f4", MILL_FLOAT32},
    {"f8", MILL_FLOAT64},
    {"i1_fortran", MILL_INT8},
    {"i2_fortran", MILL_INT16},
    {"i4_fortran", MILL_INT32},
    {"i8_fortran", MILL_INT64},
    {"f4_fortran", MILL_FLOAT32},
    {"f8_fortran", MILL_FLOAT64},
    {"i2_big_endian", MILL_INT16},
    {"i4_big_endian", MILL_INT32},
    {"i8_big_endian", MILL_INT64},
    {"f4_big_endian", MILL_FLOAT32}, /* in Fortran's order, too */
};
enum { PLAIN = sizeof plain / sizeof plain[0] };

static void every_type_has_its_elements_in_either_order(void)
{
    for (int i = 0; i < PLAIN; i++) {
        struct mill_array *array = load(vector_path(plain[i].name), NULL);
        if (array == NULL) continue;
        CHECK((int)plain[i].type == array->type);
        CHECK(array->dimensions == 2 && array->shape[0] == 3 && array->shape[1] == 4);
        CHECK(array->length == 12 && array->nulls == 0);
        check_numbers(array, 0, plain[i].name);
        mill_array_unref(array);
    }
}

static void versions_and_odd_shapes_are_read(void)
{
    static const char *const names[] = {"f8_version2", "f8_version3", "f8_3d_fortran",
                                        "f8_5d_fortran", "f8_big_endian"};
    static const int64_t lengths[] = {7, 7, 60, 72, 3};
    static const int dimensions[] = {1, 1, 3, 5, 1};
    for (int i = 0; i < 5; i++) {
        struct mill_array *array = load(vector_path(names[i]), NULL);
        if (array == NULL) continue;
        CHECK(array->length == lengths[i] && array->dimensions == dimensions[i]);
        check_numbers(array, 0, names[i]);
        mill_array_unref(array);
    }
    struct mill_array *one = load(vector_path("f8_scalar"), NULL);
    CHECK(one && one->length == 1 && one->dimensions == 1 && number_at(one, 0) == 2.5);
    struct mill_array *none = load(vector_path("f8_empty"), NULL);
    CHECK(none && none->length == 0 && none->shape[0] == 0 && none->shape[1] == 3);
    mill_array_unref(one);
    mill_array_unref(none);
}

static void rows_are_those_of_the_whole(void)
{
    static const char *const names[] = {
        "i2", "i2_fortran", "f8", "f8_fortran", "f8_3d_fortran", "f8_5d_fortran", "b1"};
    for (int k = 0; k < 7; k++) {
        struct mill_array *whole = load(vector_path(names[k]), NULL);
        int64_t rows = whole->shape[0], row = whole->length / rows;
        for (int64_t first = 1; first <= rows; first++) {
            for (int64_t last = first - 1; last <= rows; last++) {
                /* from either end */
                struct mill_npy_options options = {
                    .rows = true, .first = first, .last = last ? last - rows - 1 : 0};
                struct mill_array *part = load(vector_path(names[k]), &options);
                if (part == NULL) continue;
                CHECK(part->length == (last - first + 1) * row);
                CHECK(part->shape[0] == last - first + 1 &&
                      part->dimensions == whole->dimensions);
                check_numbers(part, (first - 1) * row, names[k]);
                mill_array_unref(part);
            }
        }
        mill_array_unref(whole);
    }
}

/* A file in Fortran's order in which element (i, j) is i + 1000003 j. */
static void save_columns(const char *name, int64_t rows, int64_t columns)
{
    size_t before = 128, size = before + (size_t)(rows * columns) * 8;
    uint8_t *bytes = malloc(size);
    memset(bytes, ' ', before);
    memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    int text = snprintf((char *)bytes + 10, before - 10,
                        "{'descr': '<i8', 'fortran_order': True, 'shape': (%lld, %lld), }",
                        (long long)rows, (long long)columns);
    bytes[10 + text] = ' ';
    bytes[before - 1] = '\n';
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t i = 0; i < rows; i++) {
            int64_t value = i + 1000003 * j;
            memcpy(bytes + before + (size_t)(j * rows + i) * 8, &value, 8);
        }
    }
    save(name, bytes, size);
    free(bytes);
}

static void check_columns(int64_t rows, int64_t columns, int64_t first, int64_t last)
{
    struct mill_npy_options options = {.rows = true, .first = first, .last = last};
    struct mill_array *array = load(in_folder("columns.npy"), &options);
    for (int64_t i = 0; array && i < array->length; i++) {
        int64_t expected = first - 1 + i / columns + 1000003 * (i % columns);
        CHECK_SAYING(((const int64_t *)array->values)[i] == expected,
                     "%lld x %lld, rows %lld..%lld: element %lld", (long long)rows,
                     (long long)columns, (long long)first, (long long)last, (long long)i);
    }
    CHECK(array && array->length == (last - first + 1) * columns);
    mill_array_unref(array);
}

static void long_and_many_columns_are_transposed(void)
{
    static const int64_t shapes[][2] = {{600001, 3}, {3, 20011}, {1, 9000}, {65, 67}};
    for (int k = 0; k < 4; k++) {
        int64_t rows = shapes[k][0], columns = shapes[k][1];
        save_columns("columns.npy", rows, columns);
        check_columns(rows, columns, 1, rows);
        if (rows > 2) check_columns(rows, columns, 2, rows - 1);
    }
}

static void times_of_every_unit_become_days_or_microseconds(void)
{
    static const struct {
        const char *unit;
        enum mill_type type;
        double scale;
    } units[] = {{"W", MILL_DATE, 7},         {"D", MILL_DATE, 1},
                 {"h", MILL_TIMESTAMP, 36e8}, {"m", MILL_TIMESTAMP, 6e7},
                 {"s", MILL_TIMESTAMP, 1e6},  {"ms", MILL_TIMESTAMP, 1e3},
                 {"us", MILL_TIMESTAMP, 1},   {"ns", MILL_TIMESTAMP, 1e-3}};
    for (int k = 0; k < 8; k++) {
        char name[16];
        snprintf(name, sizeof name, "time_%s", units[k].unit);
        struct mill_array *array = load(vector_path(name), NULL);
        CHECK(array && array->type == (int)units[k].type && array->validity == NULL);
        for (int64_t i = 0; array && i < array->length; i++) {
            double expected = floor((double)(37 * i % 101 - 50) * units[k].scale);
            CHECK_SAYING(number_at(array, i) == expected, "%s: element %lld is %g, expected %g",
                         name, (long long)i, number_at(array, i), expected);
        }
        mill_array_unref(array);
    }
}

static void times_that_are_not_there_are_missing(void)
{
    static const char *const names[] = {"missing_D", "missing_us"};
    for (int k = 0; k < 2; k++) {
        struct mill_array *array = load(vector_path(names[k]), NULL);
        CHECK(array && array->nulls == 1 && array->length == 6);
        for (int64_t i = 0; array && i < 6; i++)
            CHECK(mill_array_present(array, i) == (i != 2));
        mill_array_unref(array);
    }
}

/* ---- writing ------------------------------------------------------------------------------ */

static bool same_bytes(const char *a, const char *b)
{
    struct mill_buffer *left = NULL, *right = NULL;
    if (mill_file_read(NULL, a, &left, NULL, NULL) != TIDEMILL_OK) return false;
    if (mill_file_read(NULL, b, &right, NULL, NULL) != TIDEMILL_OK) abort();
    bool same = left->size == right->size && memcmp(left->data, right->data, left->size) == 0;
    mill_buffer_unref(left);
    mill_buffer_unref(right);
    return same;
}

static void what_is_written_is_what_numpy_writes(void)
{
    static const char *const names[] = {
        "b1", "i1", "i2", "i4",       "i8",     "u1",      "u2",        "u4",
        "u8", "f4", "f8", "f8_empty", "time_D", "time_us", "missing_D", "missing_us"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        struct mill_array *array = load(vector_path(names[k]), NULL);
        struct mill_error error = {0};
        CHECK_SAYING(mill_npy_write(in_folder("out.npy"), array, &error) == TIDEMILL_OK, "%s",
                     error.text);
        CHECK_SAYING(same_bytes(in_folder("out.npy"), vector_path(names[k])),
                     "%s.npy is another file when we write it", names[k]);
        mill_array_unref(array);
    }
}

static struct mill_array *with_a_hole(enum mill_type type)
{
    size_t size = mill_type_size(type);
    struct mill_buffer *values = mill_buffer_new(NULL, 3 * size);
    struct mill_buffer *bits = mill_buffer_new(NULL, 1);
    memset(values->data, 0, values->size);
    bits->data[0] = 5;
    return mill_array_wrap(type, 3, values, NULL, bits, 1, NULL);
}

static void missing_elements_become_nan_or_are_refused(void)
{
    static const enum mill_type floats[] = {MILL_FLOAT32, MILL_FLOAT64};
    struct mill_error error;
    for (int k = 0; k < 2; k++) {
        struct mill_array *array = with_a_hole(floats[k]);
        CHECK(mill_npy_write(in_folder("out.npy"), array, &error) == TIDEMILL_OK);
        struct mill_array *again = load(in_folder("out.npy"), NULL);
        CHECK(again && number_at(again, 0) == 0 && isnan(number_at(again, 1)) &&
              number_at(again, 2) == 0);
        mill_array_unref(array);
        mill_array_unref(again);
    }
    struct mill_array *array = with_a_hole(MILL_INT32);
    CHECK(mill_npy_write("x.npy", array, &error) == TIDEMILL_UNSUPPORTED);
    CHECK_TEXT(error.text,
               "x.npy: 1 elements are missing, which a .npy file of int32 cannot hold");
    mill_array_unref(array);
    array = mill_array_text(NULL, 0, 0);
    CHECK(mill_npy_write("x.npy", array, &error) == TIDEMILL_UNSUPPORTED);
    CHECK_TEXT(error.text, "x.npy: a .npy file does not hold utf8 arrays");
    mill_array_unref(array);
}

static void eight_long_axes_have_room_in_a_header(void)
{
    struct mill_array *array = mill_array_new(NULL, MILL_INT8, 0);
    char bytes[MILL_NPY_ROOM];
    array->dimensions = 8;
    for (int i = 0; i < 8; i++) array->shape[i] = INT64_MAX - i;
    size_t size = mill_npy_format(array, bytes);
    CHECK(size > 0 && size <= sizeof bytes && size % 64 == 0 && bytes[size - 1] == '\n');
    CHECK(mill_npy_header_size(bytes, size) == size);
    mill_array_unref(array);
}

/* ---- mapping ------------------------------------------------------------------------------ */

static void mapped_arrays_have_the_file_s_pages(void)
{
    struct mill_npy_options map = {.map = MILL_NPY_MAP};
    int64_t before = atomic_load(&memory.bytes);
    struct mill_array *array = load(vector_path("f8"), &map);
    CHECK(array && atomic_load(&memory.bytes) == before);
    check_numbers(array, 0, "mapped");
    /* kernels may read a little beyond the end */
    volatile uint8_t sum = 0;
    for (size_t i = 0; array && i < 64; i++) sum += ((uint8_t *)array->values)[96 + i];
    size_t offset;
    struct mill_error error;
    CHECK(array && mill_buffer_share(array->values_buffer, &offset, &error) >= 0);
    CHECK(offset == 128);
    mill_array_unref(array);
}

static void what_replaces_a_mapped_file_does_not_reach_the_array(void)
{
    struct mill_npy_options map = {.map = MILL_NPY_MAP};
    struct mill_array *first = load(vector_path("f8"), NULL);
    struct mill_array *other = load(vector_path("f8_fortran"), NULL);
    struct mill_error error;
    ((double *)other->values)[0] = 12345;
    CHECK(mill_npy_write(in_folder("mapped.npy"), first, &error) == TIDEMILL_OK);
    struct mill_array *mapped = load(in_folder("mapped.npy"), &map);
    CHECK(mill_npy_write(in_folder("mapped.npy"), other, &error) == TIDEMILL_OK);
    check_numbers(mapped, 0, "mapped before");
    mill_array_unref(mapped);
    mapped = load(in_folder("mapped.npy"), &map);
    CHECK(mapped && number_at(mapped, 0) == 12345);
    mill_array_unref(mapped);
    mill_array_unref(first);
    mill_array_unref(other);
}

static void large_files_are_mapped_and_others_copied(void)
{
    struct mill_npy_options copy = {.map = MILL_NPY_COPY};
    struct mill_array *large = mill_array_new(NULL, MILL_FLOAT64, MILL_NPY_LARGE / 8);
    struct mill_error error;
    for (int64_t i = 0; i < large->length; i++) ((double *)large->values)[i] = (double)i;
    CHECK(mill_npy_write(in_folder("large.npy"), large, &error) == TIDEMILL_OK);
    int64_t before = atomic_load(&memory.bytes);
    struct mill_array *small = load(vector_path("f8"), NULL);
    CHECK(atomic_load(&memory.bytes) == before + 96);
    struct mill_array *mapped = load(in_folder("large.npy"), NULL);
    CHECK(mapped && atomic_load(&memory.bytes) == before + 96);
    CHECK(mapped && memcmp(mapped->values, large->values, MILL_NPY_LARGE) == 0);
    struct mill_array *copied = load(in_folder("large.npy"), &copy);
    CHECK(copied && atomic_load(&memory.bytes) == before + 96 + MILL_NPY_LARGE);
    CHECK(copied && memcmp(copied->values, large->values, MILL_NPY_LARGE) == 0);
    mill_array_unref(small);
    mill_array_unref(mapped);
    mill_array_unref(copied);
    mill_array_unref(large);
    unlink(in_folder("large.npy"));
}

/* ---- what is wrong ------------------------------------------------------------------------ */

static void check_refused(const char *path, const struct mill_npy_options *given,
                          const char *text)
{
    struct mill_npy_options options = given ? *given : (struct mill_npy_options){0};
    struct mill_array *array = NULL;
    struct mill_error error = {0};
    CHECK(mill_npy_read(path, &options, &array, &error) != TIDEMILL_OK);
    const char *name = strrchr(error.text, '/');
    CHECK_TEXT(name ? name + 1 : error.text, text);
}

static void what_cannot_be_read_is_told(void)
{
    struct mill_npy_options map = {.map = MILL_NPY_MAP};
    struct mill_npy_options rows = {.rows = true, .first = 2, .last = 4};
    check_refused(vector_path("none"), NULL, "none.npy: No such file or directory");
    check_refused("tests/data/npy", NULL, "npy: Is a directory");
    check_refused("/dev/null", NULL, "null: a .npy file has to be a regular file");
    check_refused(vector_path("f8_big_endian"), &map,
                  "f8_big_endian.npy: cannot be mapped: its elements are big-endian");
    check_refused(vector_path("text"), NULL,
                  "text.npy: byte 20 of the .npy header: expected a type such as "
                  "'<f8', '<i4', '|b1' or '<M8[us]', got '<U2'");
    check_refused(vector_path("record"), NULL,
                  "record.npy: byte 20 of the .npy header: expected a type such as '<f8' "
                  "(records are not read)");
    check_refused(vector_path("f8"), &rows, "f8.npy: rows 2..4 are outside 1..3");
    check_refused(vector_path("b1"), &map,
                  "b1.npy: cannot be mapped: its elements are looked at one by one");
    check_refused(vector_path("f8_fortran"), &map,
                  "f8_fortran.npy: cannot be mapped: its elements are in Fortran's order");
    check_refused(vector_path("f8_empty"), &map,
                  "f8_empty.npy: cannot be mapped: its elements are none");
    save("zip.npy", "PK\x03\x04 and so on", 14);
    check_refused(in_folder("zip.npy"), NULL,
                  "zip.npy: is no .npy file of version 1, 2 or 3: it does not begin with "
                  "\\x93NUMPY and a version");
}

static void a_file_of_any_other_length_is_refused(void)
{
    struct mill_buffer *bytes = NULL;
    if (mill_file_read(NULL, vector_path("f8"), &bytes, NULL, NULL) != TIDEMILL_OK) abort();
    for (size_t size = 0; size < bytes->size + 2; size++) {
        char longer[256] = {0};
        memcpy(longer, bytes->data, bytes->size);
        if (size == bytes->size) continue;
        save("cut.npy", longer, size);
        struct mill_npy_options options = {0};
        struct mill_array *array = NULL;
        struct mill_error error = {0};
        CHECK_SAYING(mill_npy_read(in_folder("cut.npy"), &options, &array, &error) ==
                         TIDEMILL_DATA,
                     "%zu bytes are read", size);
    }
    mill_buffer_unref(bytes);
}

static const struct {
    const char *text, *problem;
} headers[] = {
    {"", "byte 10 of the .npy header: expected a dictionary"},
    {"{", "byte 11 of the .npy header: expected a key in quotes"},
    {"{}", "byte 12 of the .npy header: expected all of 'descr', 'fortran_order' and 'shape' "
           "before"},
    {"{'descr': '<f8', 'fortran_order': False}",
     "byte 50 of the .npy header: expected all of 'descr', 'fortran_order' and 'shape' before"},
    {"{'shap': (1,)}", "byte 11 of the .npy header: expected each of 'descr', 'fortran_order' "
                       "and 'shape' once"},
    {"{'shape': (1,), 'shape': (1,)}",
     "byte 26 of the .npy header: expected each of 'descr', 'fortran_order' and 'shape' once"},
    {"{'shape' (1,)}", "byte 19 of the .npy header: expected a colon"},
    {"{'shape': 1}", "byte 20 of the .npy header: expected a shape such as (3, 4)"},
    {"{'shape': (1 2)}",
     "byte 23 of the .npy header: expected a comma or the end of the shape"},
    {"{'shape': (-1,)}", "byte 21 of the .npy header: expected the size of an axis"},
    {"{'shape': (99999999999999999999,)}",
     "byte 21 of the .npy header: expected a size that fits 64 bits"},
    {"{'shape': (1,1,1,1,1,1,1,1,1)}", "byte 37 of the .npy header: expected at most 8 axes"},
    {"{'fortran_order': 0}", "byte 28 of the .npy header: expected True or False"},
    {"{'shape': (1,) 'descr': '<f8'}",
     "byte 25 of the .npy header: expected a comma or the end of the dictionary"},
    {"{'shape': (4000000000, 4000000000), 'descr': '<f8', 'fortran_order': False}",
     "the shape in the .npy header overflows"},
    {"{'shape': (1,), 'descr': '<f8', 'fortran_order': False} x",
     "byte 66 of the .npy header: expected nothing after the dictionary"},
    {"{'descr': '|f8'}",
     "byte 20 of the .npy header: expected a type such as '<f8', '<i4', '|b1' or "
     "'<M8[us]', got '|f8'"},
    {"{'descr': '<M8[Y]'}",
     "byte 20 of the .npy header: expected a type such as '<f8', '<i4', '|b1' or "
     "'<M8[us]', got '<M8[Y]'"},
    {"{'descr': ''}",
     "byte 20 of the .npy header: expected a type such as '<f8', '<i4', '|b1' or "
     "'<M8[us]', got ''"},
    {"{'shape': (3L, 4L,), \"descr\": \"<f8\", 'fortran_order': False,}\n", ""},
};

/* In memory of exactly its size, so that a sanitizer sees a byte too many. */
static void headers_are_read_strictly(void)
{
    for (size_t k = 0; k < sizeof headers / sizeof headers[0]; k++) {
        size_t text = strlen(headers[k].text);
        uint8_t *bytes = malloc(10 + text);
        memcpy(bytes, "\x93NUMPY\x01\x00", 8);
        bytes[8] = (uint8_t)text;
        bytes[9] = 0;
        memcpy(bytes + 10, headers[k].text, text);
        struct mill_npy_header header;
        struct mill_error error = {0};
        tidemill_status status = mill_npy_parse("x", bytes, 10 + text, &header, &error);
        CHECK_TEXT(*error.text ? error.text + 3 : "", headers[k].problem);
        CHECK((status == TIDEMILL_OK) == (*headers[k].problem == '\0'));
        for (size_t size = 0; size < 10 + text; size++) { /* each cut */
            uint8_t *cut = malloc(size ? size : 1);
            memcpy(cut, bytes, size);
            CHECK(mill_npy_parse("x", cut, size, &header, &error) != TIDEMILL_OK);
            free(cut);
        }
        free(bytes);
    }
}

int main(void)
{
    folder_make();
    RUN(every_type_has_its_elements_in_either_order);
    RUN(versions_and_odd_shapes_are_read);
    RUN(rows_are_those_of_the_whole);
    RUN(long_and_many_columns_are_transposed);
    RUN(times_of_every_unit_become_days_or_microseconds);
    RUN(times_that_are_not_there_are_missing);
    RUN(what_is_written_is_what_numpy_writes);
    RUN(missing_elements_become_nan_or_are_refused);
    RUN(eight_long_axes_have_room_in_a_header);
    RUN(mapped_arrays_have_the_file_s_pages);
    RUN(what_replaces_a_mapped_file_does_not_reach_the_array);
    RUN(large_files_are_mapped_and_others_copied);
    RUN(what_cannot_be_read_is_told);
    RUN(a_file_of_any_other_length_is_refused);
    RUN(headers_are_read_strictly);
    folder_remove();
    return check_end();
}
