/* test_arrow: arrays and frames that go out by Arrow's C Data Interface and come in by it; a producer and
 * a consumer written by hand for what our own never does.  SPDX-License-Identifier: MIT */
#include "data/arrow.h"

#include <math.h>

#include "check.h"
#include "data/codec.h"
#include "data/file.h"
#include "data/frame.h"
#include "fail_check.h"
#include "value_check.h"

/* ---- comparing ---------------------------------------------------------------------------- */

static bool same_element(const struct mill_array *a, const struct mill_array *b, int64_t i)
{
    if (a->type == MILL_UTF8) {
        int32_t size = a->offsets[i + 1] - a->offsets[i];
        return size == b->offsets[i + 1] - b->offsets[i] &&
               memcmp((char *)a->values + a->offsets[i], (char *)b->values + b->offsets[i],
                      (size_t)size) == 0;
    }
    size_t size = mill_type_size((enum mill_type)a->type);
    return memcmp((char *)a->values + (size_t)i * size, (char *)b->values + (size_t)i * size,
                  size) == 0;
}

/* The same but for what lies under nulls. */
static void check_same(const struct mill_array *a, const struct mill_array *b)
{
    CHECK(a->type == b->type && a->length == b->length && a->nulls == b->nulls);
    CHECK(a->dimensions == b->dimensions &&
          memcmp(a->shape, b->shape, (size_t)a->dimensions * 8) == 0);
    if (a->type != b->type || a->length != b->length) return;
    for (int64_t i = 0; i < a->length; i++) {
        bool present = mill_array_present(a, i);
        CHECK(present == mill_array_present(b, i));
        CHECK_SAYING(!present || same_element(a, b, i), "element %lld of a %s", (long long)i,
                     mill_type_name((enum mill_type)a->type));
    }
    if (a->dictionary) check_same(a->dictionary, b->dictionary);
}

static struct mill_value there_and_back(const struct mill_value *value)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct mill_value back = mill_nil();
    struct mill_error error = {0};
    CHECK_SAYING(mill_arrow_export(value, &schema, &array, &error) == TIDEMILL_OK, "%s",
                 error.text);
    CHECK_SAYING(mill_arrow_import(&schema, &array, &back, &error) == TIDEMILL_OK, "%s",
                 error.text);
    CHECK(schema.release == NULL && array.release == NULL);
    return back;
}

/* ---- ours ------------------------------------------------------------------------------- */

/* Nulls are among the codes of our dictionaries, never among the words. */
static struct mill_array *usual(struct mill_array *array)
{
    if (array->dictionary == NULL) return array;
    array->dictionary->validity = NULL;
    array->dictionary->nulls = 0;
    return array;
}

static void arrays_come_back_as_they_went(void)
{
    for (int round = 0; round < 2000; round++) {
        struct mill_value value = mill_column(usual(random_array()));
        struct mill_value back = there_and_back(&value);
        CHECK(back.tag == MILL_TAG_COLUMN);
        if (back.tag == MILL_TAG_COLUMN) check_same(value.array, back.array);
        mill_value_unref(value);
        mill_value_unref(back);
    }
}

/* One that has a name for each of its columns. */
static struct mill_value random_frame(struct mill_frame *frame)
{
    struct mill_value value = mill_nil();
    size_t count = random_below(6);
    int64_t rows = random_below(30);
    CHECK(mill_frame_init(frame, count, rows));
    for (size_t i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%c%u", 'z' - (int)i, random_below(100));
        frame->names[i] = strdup(name);
        enum mill_type type = (enum mill_type)(1 + random_below(MILL_TIMESTAMP));
        frame->arrays[i] = usual(array_of(type, rows));
        frame->arrays[i]->dimensions = 1;
        frame->arrays[i]->shape[0] = rows;
    }
    CHECK(mill_frame_value(frame, &value, NULL) == TIDEMILL_OK);
    return value;
}

static void frames_come_back_as_they_went(void)
{
    for (int round = 0; round < 500; round++) {
        struct mill_frame frame, back_frame;
        struct mill_value value = random_frame(&frame);
        CHECK(mill_frame_is(&value));
        struct mill_value back = there_and_back(&value);
        mill_value_unref(value);
        CHECK(mill_frame_is(&back));
        if (!mill_frame_is(&back)) return;
        CHECK(mill_frame_read(&back, &back_frame, NULL) == TIDEMILL_OK);
        CHECK(back_frame.rows == frame.rows && back_frame.count == frame.count);
        for (size_t i = 0; i < frame.count && i < back_frame.count; i++) {
            CHECK_TEXT(back_frame.names[i], frame.names[i]);
            check_same(frame.arrays[i], back_frame.arrays[i]);
        }
        mill_value_unref(back);
        mill_frame_fini(&frame);
        mill_frame_fini(&back_frame);
    }
}

/* tests/fuzz/corpus/value/frame was saved from a Lua frame. */
static void frames_of_lua_and_ours_are_the_same_bytes(void)
{
    struct mill_buffer *block;
    struct mill_value value, again;
    struct mill_frame frame;
    CHECK(mill_file_read(NULL, "tests/fuzz/corpus/value/frame", &block, NULL, NULL) == 0);
    CHECK(mill_codec_load(block, &value) == TIDEMILL_OK);
    mill_buffer_unref(block);
    CHECK(mill_frame_is(&value));
    CHECK(mill_frame_read(&value, &frame, NULL) == TIDEMILL_OK);
    CHECK(frame.rows == 2 && frame.count == 4 && strcmp(frame.names[3], "flag") == 0);
    CHECK(mill_frame_value(&frame, &again, NULL) == TIDEMILL_OK);
    CHECK(mill_hash_equal(mill_value_hash(&value, NULL), mill_value_hash(&again, NULL)));
    mill_frame_fini(&frame);
    mill_value_unref(value);
    mill_value_unref(again);
}

static void what_goes_out_lies_where_it_lay(void)
{
    for (int type = MILL_INT8; type <= MILL_TIMESTAMP; type++) {
        struct mill_value value = mill_column(usual(array_of((enum mill_type)type, 17)));
        struct ArrowSchema schema;
        struct ArrowArray array;
        CHECK(mill_arrow_export(&value, &schema, &array, NULL) == TIDEMILL_OK);
        bool text = type == MILL_UTF8;
        CHECK(array.n_buffers == (text ? 3 : 2) && array.length == 17 && array.offset == 0);
        CHECK(array.buffers[text ? 2 : 1] == value.array->values);
        CHECK(array.null_count == value.array->nulls);
        CHECK((array.dictionary != NULL) == (type == MILL_DICTIONARY));
        const void *values = value.array->values;
        mill_value_unref(value); /* the export keeps it */
        struct mill_value back;
        CHECK(mill_arrow_import(&schema, &array, &back, NULL) == TIDEMILL_OK);
        bool moved = back.array->nulls > 0 && back.array->values != values;
        CHECK(moved || back.array->values == values);
        mill_value_unref(back);
    }
}

static void axes_are_lists_of_a_size(void)
{
    struct mill_array *array = mill_array_new(NULL, MILL_FLOAT64, 24);
    for (int i = 0; i < 24; i++) ((double *)array->values)[i] = i;
    const int64_t shape[] = {2, 3, 4};
    struct mill_value value = mill_column(mill_array_view(array, 0, 3, shape));
    struct ArrowSchema schema;
    struct ArrowArray out;
    CHECK(mill_arrow_export(&value, &schema, &out, NULL) == TIDEMILL_OK);
    CHECK_TEXT(schema.format, "+w:3");
    CHECK_TEXT(schema.children[0]->format, "+w:4");
    CHECK_TEXT(schema.children[0]->children[0]->format, "g");
    CHECK(out.length == 2 && out.children[0]->length == 6);
    CHECK(out.children[0]->children[0]->buffers[1] == array->values);
    schema.release(&schema);
    out.release(&out);
    mill_array_unref(array);
    mill_value_unref(value);
}

static void a_child_moved_out_outlives_its_frame(void)
{
    struct mill_frame frame;
    CHECK(mill_frame_init(&frame, 1, 3));
    frame.names[0] = strdup("x");
    frame.arrays[0] = mill_array_new(NULL, MILL_INT32, 3);
    memcpy(frame.arrays[0]->values, (int32_t[]){1, 2, 3}, 12);
    struct mill_value value;
    struct ArrowSchema schema;
    struct ArrowArray array;
    CHECK(mill_frame_value(&frame, &value, NULL) == TIDEMILL_OK);
    mill_frame_fini(&frame);
    CHECK(mill_arrow_export(&value, &schema, &array, NULL) == TIDEMILL_OK);
    mill_value_unref(value);
    struct ArrowArray child = *array.children[0];
    struct ArrowSchema child_schema = *schema.children[0];
    array.children[0]->release = NULL;
    schema.children[0]->release = NULL;
    array.release(&array);
    schema.release(&schema);
    CHECK_TEXT(child_schema.name, "x");
    CHECK(((const int32_t *)child.buffers[1])[2] == 3);
    child.release(&child);
    child_schema.release(&child_schema);
}

static void other_values_do_not_go_out(void)
{
    struct mill_value value = mill_number(1);
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct mill_error error;
    CHECK(mill_arrow_export(&value, &schema, &array, &error) == TIDEMILL_USAGE);
    CHECK(schema.release == NULL && array.release == NULL);
    CHECK_TEXT(error.text, "to export to Arrow: expected an array or a frame");
}

/* ---- theirs ----------------------------------------------------------------------------- */

static int schemas_released, arrays_released;

static void release_their_schema(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children && schema->children; i++) {
        struct ArrowSchema *child = schema->children[i];
        if (child && child->release) child->release(child);
    }
    schemas_released++;
    schema->release = NULL;
}

static void release_their_array(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children && array->children; i++) {
        struct ArrowArray *child = array->children[i];
        if (child && child->release) child->release(child);
    }
    arrays_released++;
    array->release = NULL;
}

/* A column of theirs over memory of the test. */
struct theirs {
    struct ArrowSchema schema, *schemas[2];
    struct ArrowArray array, *arrays[2];
    const void *buffers[3];
};

static void give(struct theirs *theirs, const char *format, int64_t length, const void *bits,
                 const void *second, const void *third)
{
    bool text = *format == 'u' || *format == 'U', list = format[0] == '+';
    *theirs = (struct theirs){.buffers = {bits, second, third}};
    theirs->schema = (struct ArrowSchema){
        .format = format, .name = "close", .release = release_their_schema};
    theirs->array = (struct ArrowArray){.length = length,
                                        .null_count = bits ? -1 : 0,
                                        .n_buffers = text   ? 3
                                                     : list ? 1
                                                            : 2,
                                        .buffers = theirs->buffers,
                                        .release = release_their_array};
}

/* Puts a column into a struct, or a list. */
static void give_child(struct theirs *theirs, struct theirs *child)
{
    int64_t number = theirs->array.n_children;
    theirs->schemas[number] = &child->schema;
    theirs->arrays[number] = &child->array;
    theirs->schema.children = theirs->schemas;
    theirs->array.children = theirs->arrays;
    theirs->schema.n_children = theirs->array.n_children = number + 1;
}

static struct mill_value take(struct theirs *theirs)
{
    struct mill_value value;
    struct mill_error error = {0};
    tidemill_status status = mill_arrow_import(&theirs->schema, &theirs->array, &value, &error);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", error.text);
    CHECK(theirs->schema.release == NULL && theirs->array.release == NULL);
    return value;
}

/* It is refused in these words, and released. */
static void check_refused(struct theirs *theirs, tidemill_status expected, const char *words)
{
    struct mill_value value;
    struct mill_error error = {0};
    int schemas = schemas_released, arrays = arrays_released;
    int columns = 1 + (int)theirs->array.n_children;
    if (columns < 1 || columns > 3 || theirs->array.children == NULL) columns = 1;
    tidemill_status status = mill_arrow_import(&theirs->schema, &theirs->array, &value, &error);
    CHECK_SAYING(status == expected, "status %d, expected %d: %s", status, expected,
                 error.text);
    CHECK(value.tag == MILL_TAG_NIL);
    CHECK_SAYING(strstr(error.text, words), "got \"%s\", expected \"%s\"", error.text, words);
    CHECK(theirs->schema.release == NULL && theirs->array.release == NULL);
    CHECK_SAYING(arrays_released - arrays <= columns && arrays_released > arrays,
                 "%d arrays released", arrays_released - arrays);
    CHECK(schemas_released > schemas);
}

static void an_array_is_used_in_place_and_released_once(void)
{
    static const double prices[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct theirs theirs;
    give(&theirs, "g", 5, NULL, prices, NULL);
    theirs.array.offset = 3;
    arrays_released = 0;
    struct mill_value value = take(&theirs);
    CHECK(value.array->values == prices + 3 && value.array->length == 5);
    struct mill_array *slice = mill_array_slice(value.array, 2, 2);
    mill_value_unref(value);
    CHECK(arrays_released == 0 && ((double *)slice->values)[1] == 7);
    mill_array_unref(slice);
    CHECK(arrays_released == 1);
}

static void columns_are_released_one_by_one(void)
{
    static const int64_t numbers[] = {1, 2, 3, 4};
    static const int32_t offsets[] = {0, 1, 1, 3, 4};
    struct theirs rows, first, second;
    give(&rows, "+s", 2, NULL, NULL, NULL);
    give(&first, "l", 4, NULL, numbers, NULL);
    give(&second, "u", 3, NULL, offsets, "abcd");
    second.schema.name = "name";
    second.array.offset = 1;
    give_child(&rows, &first);
    give_child(&rows, &second);
    rows.array.offset = 1;
    arrays_released = schemas_released = 0;
    struct mill_value value = take(&rows);
    CHECK(arrays_released == 1 && schemas_released == 3); /* the struct itself */
    struct mill_frame frame;
    CHECK(mill_frame_read(&value, &frame, NULL) == TIDEMILL_OK);
    mill_value_unref(value);
    CHECK(frame.rows == 2 && frame.arrays[0]->values == numbers + 1);
    CHECK(frame.arrays[1]->offsets == offsets + 2);
    struct mill_array *name = mill_array_ref(frame.arrays[1]);
    mill_frame_fini(&frame);
    CHECK(arrays_released == 2);
    CHECK(name->offsets[0] == 1 && name->offsets[1] == 3 && name->length == 2);
    mill_array_unref(name);
    CHECK(arrays_released == 3);
}

static void nulls_become_ours(void)
{
    static const double prices[] = {1, 2, 3, 4, 5, 6};
    static const int16_t counts[] = {7, 0, 7, 0, 7, 7, 7, 0};
    static const uint8_t bits[] = {0x75}; /* 1 0 1 0 1 1 1 0 */
    struct theirs theirs;
    give(&theirs, "g", 5, bits, prices, NULL);
    struct mill_value value = take(&theirs);
    const double *got = value.array->values;
    CHECK(value.array->nulls == 2 && isnan(got[1]) && isnan(got[3]) && got[4] == 5);
    CHECK(value.array->validity == bits); /* in place, it begins with a byte */
    mill_value_unref(value);
    give(&theirs, "s", 6, bits, counts, NULL);
    theirs.array.null_count = 2;
    value = take(&theirs);
    CHECK(value.array->values == counts); /* 0 is under its nulls already */
    mill_value_unref(value);
    give(&theirs, "s", 4, bits, counts, NULL);
    theirs.array.offset = 1;
    value = take(&theirs);
    CHECK(value.array->nulls == 2 && !mill_array_present(value.array, 0) &&
          mill_array_present(value.array, 1) && !mill_array_present(value.array, 2));
    mill_value_unref(value);
    give(&theirs, "s", 4, bits, counts, NULL);
    theirs.array.offset = 4;
    value = take(&theirs);
    CHECK(value.array->nulls == 1 && mill_array_present(value.array, 0) &&
          !mill_array_present(value.array, 3));
    mill_value_unref(value);
    give(&theirs, "s", 2, bits, counts, NULL);
    theirs.array.offset = 4;
    value = take(&theirs);
    CHECK(value.array->nulls == 0 && value.array->validity == NULL);
    mill_value_unref(value);
}

static void bools_become_bytes(void)
{
    static const uint8_t values[] = {0xB2, 0x01}, bits[] = {0xFF, 0xFE};
    struct theirs theirs;
    give(&theirs, "b", 7, bits, values, NULL);
    theirs.array.offset = 2;
    struct mill_value value = take(&theirs);
    static const uint8_t expected[] = {0, 0, 1, 1, 0, 1, 0};
    CHECK(value.array->type == MILL_BOOL && value.array->nulls == 1);
    CHECK(memcmp(value.array->values, expected, 7) == 0);
    mill_value_unref(value);
}

static void times_become_microseconds_and_days(void)
{
    static const int64_t given[] = {-3, 7, 86400000, 99};
    static const struct {
        const char *format;
        int64_t first, third;
    } units[] = {{"tss:", -3000000, 86400000000000},
                 {"tsm:Asia/Shanghai", -3000, 86400000000},
                 {"tsu:UTC", -3, 86400000}};
    struct theirs theirs;
    for (int i = 0; i < 3; i++) {
        give(&theirs, units[i].format, 3, NULL, given, NULL);
        struct mill_value value = take(&theirs);
        const int64_t *got = value.array->values;
        CHECK(value.array->type == MILL_TIMESTAMP);
        CHECK(got[0] == units[i].first && got[2] == units[i].third);
        CHECK((got == given) == (i == 2));
        mill_value_unref(value);
    }
    static const int64_t fine[] = {-5000, 2000}, days[] = {-86400000, 172800000};
    give(&theirs, "tsn:", 2, NULL, fine, NULL);
    struct mill_value value = take(&theirs);
    CHECK(((int64_t *)value.array->values)[0] == -5);
    mill_value_unref(value);
    give(&theirs, "tdm", 2, NULL, days, NULL);
    value = take(&theirs);
    CHECK(value.array->type == MILL_DATE && ((int32_t *)value.array->values)[1] == 2);
    mill_value_unref(value);
    give(&theirs, "tsn:", 2, NULL, given, NULL);
    check_refused(&theirs, TIDEMILL_UNSUPPORTED, "row 1: its time is no whole number");
    give(&theirs, "tdm", 4, NULL, given, NULL);
    check_refused(&theirs, TIDEMILL_UNSUPPORTED, "row 1: its time is not at midnight");
    static const int64_t far[] = {0, INT64_MAX / 10};
    give(&theirs, "tsm:", 2, NULL, far, NULL);
    check_refused(&theirs, TIDEMILL_UNSUPPORTED, "row 2: its time is out of range");
}

static void large_offsets_become_small_ones(void)
{
    static const int64_t offsets[] = {2, 5, 5, 9};
    struct theirs theirs;
    give(&theirs, "U", 2, NULL, offsets, "--onefour");
    theirs.array.offset = 1;
    struct mill_value value = take(&theirs);
    const struct mill_array *array = value.array;
    CHECK(array->type == MILL_UTF8 && array->offsets[0] == 0 && array->offsets[2] == 4);
    CHECK(memcmp(array->values, "four", 4) == 0);
    mill_value_unref(value);
    give(&theirs, "U", 0, NULL, NULL, NULL);
    value = take(&theirs);
    CHECK(value.array->length == 0 && value.array->offsets[0] == 0);
    mill_value_unref(value);
}

static void codes_of_any_integer_become_ours(void)
{
    static const int32_t offsets[] = {0, 3, 6};
    static const uint8_t bits[] = {0xFD};
    struct theirs theirs, words;
    for (const char *format = "csilCSIL"; *format; format++) {
        char type[2] = {*format, 0};
        size_t size = strchr("cC", *format)   ? 1
                      : strchr("sS", *format) ? 2
                      : strchr("iI", *format) ? 4
                                              : 8;
        uint8_t bytes[32] = {0};
        bytes[0] = bytes[3 * size] = 1;
        bytes[size] = 99; /* null: it does not count */
        give(&theirs, type, 4, bits, bytes, NULL);
        give(&words, "u", 2, NULL, offsets, "redtan");
        theirs.schema.dictionary = &words.schema;
        theirs.array.dictionary = &words.array;
        struct mill_value value = take(&theirs);
        const int32_t *got = value.array->values;
        CHECK(value.array->type == MILL_DICTIONARY && value.array->nulls == 1);
        CHECK(got[0] == 1 && got[1] == 0 && got[2] == 0 && got[3] == 1);
        CHECK(memcmp(value.array->dictionary->values, "redtan", 6) == 0);
        mill_value_unref(value);
    }
}

static void what_is_not_aligned_is_copied(void)
{
    uint8_t bytes[64] = {0};
    double numbers[] = {1.5, -2.5};
    int32_t offsets[] = {0, 1, 3};
    memcpy(bytes + 1, numbers, 16);
    struct theirs theirs;
    give(&theirs, "g", 2, NULL, bytes + 1, NULL);
    struct mill_value value = take(&theirs);
    CHECK(memcmp(value.array->values, numbers, 16) == 0);
    mill_value_unref(value);
    memcpy(bytes + 3, offsets, 12);
    give(&theirs, "u", 2, NULL, bytes + 3, "abc");
    value = take(&theirs);
    CHECK(value.array->offsets[2] == 3);
    mill_value_unref(value);
}

static void nothing_becomes_missing_numbers(void)
{
    struct theirs theirs;
    give(&theirs, "n", 3, NULL, NULL, NULL);
    theirs.array.null_count = 3;
    theirs.array.n_buffers = 0;
    struct mill_value value = take(&theirs);
    CHECK(value.array->type == MILL_FLOAT64 && value.array->nulls == 3);
    CHECK(!mill_array_present(value.array, 2) && isnan(((double *)value.array->values)[2]));
    mill_value_unref(value);
}

static void lists_of_a_size_become_axes(void)
{
    static const float numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    struct theirs list, items;
    give(&list, "+w:3", 2, NULL, NULL, NULL);
    give(&items, "f", 9, NULL, numbers, NULL);
    give_child(&list, &items);
    list.array.offset = 1;
    struct mill_value value = take(&list);
    CHECK(value.array->dimensions == 2 && value.array->shape[0] == 2 &&
          value.array->shape[1] == 3);
    CHECK(value.array->values == numbers + 3);
    mill_value_unref(value);
}

/* ---- what nobody should give ---------------------------------------------------------------- */

static const double doubles[8];
static const int32_t growing[] = {0, 1, 2, 3}, falling[] = {0, 2, 1, 3}, below[] = {-1, 0, 1};

static void types_that_we_do_not_have_are_named(void)
{
    static const struct {
        const char *format, *words;
    } others[] = {{"e", "floats of 16 bits"},
                  {"d:10,2", "decimal numbers"},
                  {"z", "binary"},
                  {"vu", "views of strings"},
                  {"ttm", "times of day"},
                  {"tDs", "durations"},
                  {"+l", "lists"},
                  {"+ud:0,1", "unions"},
                  {"+w:-1", "this type"},
                  {"+w:", "this type"},
                  {"+w:3x", "this type"},
                  {"tsx:", "this type"},
                  {"ts", "this type"},
                  {"", "this type"},
                  {"+w:99999999999999999999", "this type"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct theirs rows, column;
        char words[128];
        give(&rows, "+s", 1, NULL, NULL, NULL);
        give(&column, others[i].format, 1, NULL, doubles, NULL);
        give_child(&rows, &column);
        snprintf(words, sizeof words,
                 "column \"close\" (Arrow format \"%s\"): there are no "
                 "arrays of %s here",
                 others[i].format, others[i].words);
        check_refused(&rows, TIDEMILL_UNSUPPORTED, words);
    }
}

static void sizes_that_contradict_are_refused(void)
{
    struct theirs theirs;
    give(&theirs, "g", -1, NULL, doubles, NULL);
    check_refused(&theirs, TIDEMILL_DATA, "length -1");
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.array.offset = INT64_MAX;
    check_refused(&theirs, TIDEMILL_DATA, "no sizes of an array");
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.array.null_count = -2;
    check_refused(&theirs, TIDEMILL_DATA, "-2 nulls");
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.array.n_buffers = 3;
    check_refused(&theirs, TIDEMILL_DATA, "expected 2 buffers, got 3");
    give(&theirs, "u", 1, NULL, growing, "abc");
    theirs.array.n_buffers = 2;
    check_refused(&theirs, TIDEMILL_DATA, "expected 3 buffers, got 2");
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.array.buffers = NULL;
    check_refused(&theirs, TIDEMILL_DATA, "expected 2 buffers, got 0");
    give(&theirs, "g", 1, NULL, NULL, NULL);
    check_refused(&theirs, TIDEMILL_DATA,
                  "array (Arrow format \"g\"): its buffer 1 is missing");
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.array.null_count = 1;
    check_refused(&theirs, TIDEMILL_DATA, "expected 1 nulls, its bitmap has 0");
    give(&theirs, "g", 4, growing, doubles, NULL);
    theirs.array.null_count = 1;
    check_refused(&theirs, TIDEMILL_DATA, "expected 1 nulls, its bitmap has 4");
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.array.n_children = 1;
    check_refused(&theirs, TIDEMILL_DATA, "expected 0 children, got 1");
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.schema.dictionary = &theirs.schema;
    check_refused(&theirs, TIDEMILL_DATA, "a dictionary in the schema alone");
}

static void text_that_contradicts_is_refused(void)
{
    static const int64_t huge[] = {0, (int64_t)1 << 31};
    struct theirs theirs;
    give(&theirs, "u", 3, NULL, falling, "abc");
    check_refused(&theirs, TIDEMILL_DATA, "row 2: its text ends before it begins");
    give(&theirs, "u", 2, NULL, below, "abc");
    check_refused(&theirs, TIDEMILL_DATA, "a negative offset");
    give(&theirs, "u", 3, NULL, growing, NULL);
    check_refused(&theirs, TIDEMILL_DATA, "its buffer 2 is missing");
    give(&theirs, "u", 3, NULL, NULL, "abc");
    check_refused(&theirs, TIDEMILL_DATA, "its buffer 1 is missing");
    give(&theirs, "u", 3, NULL, growing, "ab\xff");
    check_refused(&theirs, TIDEMILL_DATA, "row 3 is not UTF-8");
    give(&theirs, "u", 3, NULL, growing, "a\xc3\xa4"); /* one character in two rows */
    check_refused(&theirs, TIDEMILL_DATA, "row 2 is not UTF-8");
    give(&theirs, "U", 1, NULL, huge, "abc");
    check_refused(&theirs, TIDEMILL_UNSUPPORTED, "more than 2 GiB of text");
    static const uint8_t bits[] = {0x03};
    give(&theirs, "u", 3, bits, growing, "ab\xff"); /* nobody sees it */
    mill_value_unref(take(&theirs));
}

static void dictionaries_that_contradict_are_refused(void)
{
    static const int8_t codes[] = {0, 2, -1};
    static const uint64_t far[] = {UINT64_MAX};
    static const uint8_t bits[] = {0x01};
    struct theirs theirs, words;
    const struct {
        const char *format, *words, *text;
        const void *codes, *bits;
        tidemill_status status;
    } cases[] = {
        {"c", "u", "row 2: no word of its dictionary, which has 2", codes, NULL, TIDEMILL_DATA},
        {"c", "u", "row 1: no word", codes + 2, NULL, TIDEMILL_DATA},
        {"L", "u", "row 1: no word", far, NULL, TIDEMILL_DATA},
        {"g", "u", "codes of a dictionary have to be integers", doubles, NULL, TIDEMILL_DATA},
        {"n", "u", "codes of a dictionary have to be integers", NULL, NULL, TIDEMILL_DATA},
        {"c", "l", "expected a dictionary of strings", codes, NULL, TIDEMILL_UNSUPPORTED},
        {"c", "u", "a null, or more than", codes, bits, TIDEMILL_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        give(&theirs, cases[i].format, i == 0 ? 2 : 1, NULL, cases[i].codes, NULL);
        give(&words, cases[i].words, 2, cases[i].bits, growing, "ab");
        theirs.schema.dictionary = &words.schema;
        theirs.array.dictionary = &words.array;
        check_refused(&theirs, cases[i].status, cases[i].text);
    }
}

static void structs_that_contradict_are_refused(void)
{
    static const uint8_t bits[] = {0x01};
    struct theirs rows, first, second;
    for (int i = 0; i < 8; i++) {
        static const char *const words[] = {
            "column \"close\" (Arrow format \"g\"): expected 3 elements behind the first 0, "
            "got 2 in all",
            "two columns are called \"close\"",
            "its child 2 is missing or has been released",
            "its child 1 is missing or has been released",
            "rows that are null",
            "expected 3 children, got 3, and 2 in its schema",
            "-1 children",
            "there are no arrays of structs here"};
        give(&rows, "+s", i ? 2 : 3, i == 4 ? bits : NULL, NULL, NULL);
        give(&first, i == 7 ? "+s" : "g", 2, NULL, doubles, NULL);
        give(&second, "g", 2, NULL, doubles, NULL);
        give_child(&rows, &first);
        give_child(&rows, &second);
        if (i == 2) second.array.release = NULL;
        if (i == 3) rows.schemas[0] = NULL;
        if (i == 5) rows.array.n_children = 3, rows.array.children = NULL;
        if (i == 6) rows.array.n_children = -1;
        bool other = i == 4 || i == 7;
        check_refused(&rows, other ? TIDEMILL_UNSUPPORTED : TIDEMILL_DATA, words[i]);
    }
}

static void lists_that_contradict_are_refused(void)
{
    static const uint8_t bits[] = {0x01};
    struct theirs list, items;
    static const char *const words[] = {"expected 6 elements behind the first 0, got 5 in all",
                                        "lists that are null", "its child is missing",
                                        "too many elements"};
    for (int i = 0; i < 4; i++) {
        give(&list, i == 3 ? "+w:9223372036854775807" : "+w:3", 2, i == 1 ? bits : NULL, NULL,
             NULL);
        give(&items, "g", 5, NULL, doubles, NULL);
        give_child(&list, &items);
        if (i == 2) list.arrays[0] = NULL;
        check_refused(&list, i == 1 ? TIDEMILL_UNSUPPORTED : TIDEMILL_DATA, words[i]);
    }
    struct theirs deep[9];
    give(&deep[8], "g", 1, NULL, doubles, NULL);
    for (int i = 7; i >= 0; i--) {
        give(&deep[i], "+w:1", 1, NULL, NULL, NULL);
        give_child(&deep[i], &deep[i + 1]);
    }
    struct mill_error error;
    struct mill_value value;
    CHECK(mill_arrow_import(&deep[0].schema, &deep[0].array, &value, &error) ==
          TIDEMILL_UNSUPPORTED);
    CHECK(strstr(error.text, "more than 8 axes"));
}

static void what_was_released_is_refused(void)
{
    struct theirs theirs;
    struct mill_value value;
    struct mill_error error;
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.array.release = NULL;
    CHECK(mill_arrow_import(&theirs.schema, &theirs.array, &value, &error) == TIDEMILL_DATA);
    CHECK_TEXT(error.text, "an Arrow array that has been released");
    CHECK(theirs.schema.release == NULL);
    give(&theirs, "g", 1, NULL, doubles, NULL);
    theirs.schema.release = NULL;
    arrays_released = 0;
    CHECK(mill_arrow_import(&theirs.schema, &theirs.array, &value, &error) == TIDEMILL_DATA);
    CHECK_TEXT(error.text, "an Arrow schema that has been released");
    CHECK(arrays_released == 1);
}

/* ---- memory ------------------------------------------------------------------------------- */

/* One column of each form that allocates. */
static void give_all(struct theirs *rows, struct theirs *column, int which)
{
    static const int64_t numbers[] = {0, 1, 1, 2};
    static const uint8_t bits[] = {0x05};
    static const char *const formats[] = {"g", "b", "tss:", "u", "U", "n", "l"};
    give(rows, "+s", 2, NULL, NULL, NULL);
    const char *format = formats[which];
    give(column, format, 3, bits, *format == 'u' ? (void *)growing : (void *)numbers, "abc");
    if (*format == 'n') column->array.n_buffers = 0;
    give_child(rows, column);
}

static void short_memory_loses_nothing(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("sanitizers have a malloc of their own");
    for (int which = 0; which < 7; which++) {
        tidemill_status status = TIDEMILL_MEMORY;
        for (int left = 0; status == TIDEMILL_MEMORY && left < 200; left++) {
            struct theirs rows, column;
            struct mill_value value;
            give_all(&rows, &column, which);
            arrays_released = 0;
            allocations_left = left;
            status = mill_arrow_import(&rows.schema, &rows.array, &value, NULL);
            allocations_left = INT64_MAX;
            mill_value_unref(value);
            CHECK(arrays_released == 2 && rows.schema.release == NULL);
        }
        CHECK(status == TIDEMILL_OK);
    }
    struct mill_frame frame;
    struct mill_value value = random_frame(&frame);
    tidemill_status status = TIDEMILL_MEMORY;
    for (int left = 0; status == TIDEMILL_MEMORY && left < 500; left++) {
        struct ArrowSchema schema;
        struct ArrowArray array;
        allocations_left = left;
        status = mill_arrow_export(&value, &schema, &array, NULL);
        allocations_left = INT64_MAX;
        CHECK((schema.release == NULL) == (status != TIDEMILL_OK));
        CHECK((array.release == NULL) == (status != TIDEMILL_OK));
        if (schema.release) schema.release(&schema);
        if (array.release) array.release(&array);
    }
    CHECK(status == TIDEMILL_OK);
    mill_value_unref(value);
    mill_frame_fini(&frame);
}

int main(void)
{
    (void)same_value; /* of value_check.h: what lies under nulls may differ here */
    random_state = check_seed();
    RUN(arrays_come_back_as_they_went);
    RUN(frames_come_back_as_they_went);
    RUN(frames_of_lua_and_ours_are_the_same_bytes);
    RUN(what_goes_out_lies_where_it_lay);
    RUN(axes_are_lists_of_a_size);
    RUN(a_child_moved_out_outlives_its_frame);
    RUN(other_values_do_not_go_out);
    RUN(an_array_is_used_in_place_and_released_once);
    RUN(columns_are_released_one_by_one);
    RUN(nulls_become_ours);
    RUN(bools_become_bytes);
    RUN(times_become_microseconds_and_days);
    RUN(large_offsets_become_small_ones);
    RUN(codes_of_any_integer_become_ours);
    RUN(what_is_not_aligned_is_copied);
    RUN(nothing_becomes_missing_numbers);
    RUN(lists_of_a_size_become_axes);
    RUN(types_that_we_do_not_have_are_named);
    RUN(sizes_that_contradict_are_refused);
    RUN(text_that_contradicts_is_refused);
    RUN(dictionaries_that_contradict_are_refused);
    RUN(structs_that_contradict_are_refused);
    RUN(lists_that_contradict_are_refused);
    RUN(what_was_released_is_refused);
    RUN(short_memory_loses_nothing);
    return check_end();
}
