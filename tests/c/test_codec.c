/* test_codec: values as bytes and back, and hostile bytes: a value or TIDEMILL_DATA, never more.
 * With an argument the fuzzing does that many rounds.  SPDX-License-Identifier: MIT */
#include "data/codec.h"

#include <math.h>

#include "value_check.h"

static int rounds = 20000;

/* The largest block asked for; a sanitizer has an allocator of its own. */
static size_t largest;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_malloc(size_t size);

void *calloc(size_t count, size_t size)
{
    if (count * size > largest) largest = count * size;
    return __libc_calloc(count, size);
}

void *malloc(size_t size)
{
    if (size > largest) largest = size;
    return __libc_malloc(size);
}
#endif

static void check_round_trip(struct mill_value value)
{
    struct mill_memory memory = {0};
    struct mill_buffer *block = mill_codec_save(&value, &memory);
    struct mill_value back;
    CHECK(mill_codec_load(block, &back) == TIDEMILL_OK);
    mill_buffer_unref(block); /* arrays keep it alive */
    CHECK(same_value(&value, &back));
    CHECK(mill_hash_equal(mill_value_hash(&value, NULL), mill_value_hash(&back, NULL)));
    mill_value_unref(back);
    mill_value_unref(value);
    CHECK(atomic_load(&memory.bytes) == 0);
}

/* ---- round trips ------------------------------------------------------------------------------ */

static void every_type_of_array_comes_back(void)
{
    for (int type = MILL_BOOL; type <= MILL_TIMESTAMP; type++) {
        for (int64_t length = 0; length < 140; length += 1 + length / 20) {
            check_round_trip(mill_column(array_of((enum mill_type)type, length)));
        }
    }
}

static void leaves_and_strings_come_back(void)
{
    for (int i = 0; i < 500; i++) {
        check_round_trip(random_leaf());
        check_round_trip(random_string());
    }
}

static void nested_values_come_back(void)
{
    for (int i = 0; i < 1500; i++) check_round_trip(random_packed());
}

static void loaded_arrays_lie_in_the_block(void)
{
    struct mill_memory memory = {0};
    struct mill_value value = mill_column(array_of(MILL_FLOAT64, 1000)), back;
    struct mill_buffer *block = mill_codec_save(&value, &memory);
    int64_t held = atomic_load(&memory.bytes);
    CHECK(mill_codec_load(block, &back) == TIDEMILL_OK);
    CHECK(atomic_load(&memory.bytes) == held);
    const uint8_t *at = back.array->values;
    CHECK(at >= block->data && at + 8000 <= block->data + block->size);
    CHECK((uintptr_t)at % 64 == 0);
    mill_value_unref(value);
    mill_value_unref(back);
    mill_buffer_unref(block);
}

static void equal_values_have_equal_bytes(void)
{
    for (int i = 0; i < 300; i++) {
        struct mill_value value = mill_column(random_array());
        struct mill_buffer *one = mill_codec_save(&value, NULL),
                           *two = mill_codec_save(&value, NULL);
        CHECK(one->size == two->size && memcmp(one->data, two->data, one->size) == 0);
        mill_buffer_unref(one);
        mill_buffer_unref(two);
        mill_value_unref(value);
    }
}

/* ---- hostile bytes ----------------------------------------------------------------------------- */

/* What readers of an array rely on. */
static void check_array(const struct mill_array *array)
{
    int64_t nulls = 0, shape = 1;
    for (int i = 0; i < array->dimensions; i++) shape *= array->shape[i];
    CHECK(shape == array->length);
    for (int64_t i = 0; i < array->length; i++) {
        bool present = mill_array_present(array, i);
        nulls += !present;
        if (array->type == MILL_UTF8) CHECK(array->offsets[i] <= array->offsets[i + 1]);
        if (array->type != MILL_DICTIONARY || !present) continue;
        int32_t code = ((const int32_t *)array->values)[i];
        CHECK(code >= 0 && code < array->dictionary->length);
    }
    CHECK(nulls == array->nulls);
    CHECK((array->type == MILL_DICTIONARY) == (array->dictionary != NULL));
    if (array->dictionary) check_array(array->dictionary);
}

/* Reads every byte that a reader of the value would. */
static void use(const struct mill_value *value)
{
    if (value->tag == MILL_TAG_COLUMN) check_array(value->array);
    for (uint32_t i = 0; value->tag == MILL_TAG_PACKED && i < value->packed->array_count; i++) {
        check_array(value->packed->arrays[i]);
    }
    mill_value_hash(value, NULL);
    struct mill_buffer *again = mill_codec_save(value, NULL);
    CHECK(again != NULL);
    mill_buffer_unref(again);
}

/* Loads a copy of exactly these bytes, so that a sanitizer sees a read past them. */
static tidemill_status load(const uint8_t *bytes, size_t size)
{
    void *exact = NULL;
    CHECK(posix_memalign(&exact, 64, size ? size : 1) == 0);
    if (size) memcpy(exact, bytes, size);
    struct mill_buffer *block = mill_buffer_foreign(exact, size, NULL, NULL);
    struct mill_value value;
    tidemill_status status = mill_codec_load(block, &value);
    CHECK_SAYING(status == TIDEMILL_OK || status == TIDEMILL_DATA, "status %d", (int)status);
    if (status == TIDEMILL_OK) {
        use(&value);
    } else {
        CHECK(value.tag == MILL_TAG_NIL);
    }
    mill_value_unref(value);
    mill_buffer_unref(block);
    free(exact);
    return status;
}

static void damage(uint8_t *bytes, size_t *size)
{
    size_t room = *size;
    for (uint32_t i = 1 + random_below(3); i > 0; i--) {
        size_t at = random_below(2) ? random_below((uint32_t)room)
                                    : random_below(room < 96 ? (uint32_t)room : 96);
        switch (random_below(5)) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << random_below(8));
            break;
        case 1:
            bytes[at] = (uint8_t)random_below(256);
            break;
        case 2:
            bytes[at] = random_below(2) ? 0xFF : 0;
            break;
        case 3:
            if (at + 8 <= room) {
                uint64_t word =
                    random_below(2) ? random_word() : (uint64_t)-1 << random_below(64);
                memcpy(bytes + at, &word, 8);
            }
            break;
        default:
            *size = at;
        }
        if (*size == 0) return;
        room = *size;
    }
}

static void damaged_bytes_give_a_value_or_a_refusal(void)
{
    int refused = 0;
    struct mill_buffer *block = NULL;
    for (int round = 0; round < rounds; round++) {
        if (round % 10 == 0) {
            struct mill_value value = random_value();
            mill_buffer_unref(block);
            block = mill_codec_save(&value, NULL);
            mill_value_unref(value);
        }
        uint8_t *bytes = malloc(block->size);
        size_t size = block->size;
        memcpy(bytes, block->data, size);
        damage(bytes, &size);
        refused += load(bytes, size) == TIDEMILL_DATA;
        free(bytes);
    }
    mill_buffer_unref(block);
    CHECK(refused > rounds / 10);
}

static void every_beginning_of_a_block_is_refused(void)
{
    for (int i = 0; i < 20; i++) {
        struct mill_value value = random_value();
        struct mill_buffer *block = mill_codec_save(&value, NULL);
        for (size_t size = 0; size < block->size; size += 1 + size / 200) {
            CHECK(load(block->data, size) == TIDEMILL_DATA);
        }
        CHECK(load(block->data, block->size) == TIDEMILL_OK);
        mill_buffer_unref(block);
        mill_value_unref(value);
    }
}

static void bytes_that_follow_are_refused(void)
{
    struct mill_value value = random_packed();
    struct mill_buffer *block = mill_codec_save(&value, NULL);
    uint8_t *longer = calloc(1, block->size + 1);
    memcpy(longer, block->data, block->size);
    CHECK(load(longer, block->size + 1) == TIDEMILL_DATA);
    free(longer);
    mill_buffer_unref(block);
    mill_value_unref(value);
}

static void random_bytes_are_refused(void)
{
    uint8_t bytes[200];
    for (int round = 0; round < rounds; round++) {
        size_t size = random_below(sizeof bytes);
        for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)random_below(256);
        memcpy(bytes, "TMV1\0\0\0\0", 8);
        if (size > 8) bytes[8] = (uint8_t)random_below(10);
        for (size_t i = 9; i < size && i < 33; i++) {
            if (random_below(2)) bytes[i] = (uint8_t)random_below(3);
        }
        load(bytes, size);
    }
}

/* A count of 2^24 arrays once took 128 MB before the first of them was found missing. */
static void no_count_makes_it_allocate_more_than_the_bytes_could_hold(void)
{
    uint8_t bytes[64] = "TMV1";
    largest = 0;
    for (int shift = 0; shift < 64; shift++) {
        uint64_t sizes[2] = {1, (uint64_t)1 << shift};
        bytes[8] = MILL_TAG_PACKED;
        memcpy(bytes + 9, sizes, sizeof sizes);
        CHECK(load(bytes, sizeof bytes) == TIDEMILL_DATA);
        sizes[0] = (uint64_t)1 << shift;
        sizes[1] = 0;
        memcpy(bytes + 9, sizes, sizeof sizes);
        load(bytes, sizeof bytes);
        bytes[8] = MILL_TAG_STRING;
        load(bytes, sizeof bytes);
    }
    CHECK_SAYING(largest < 1000, "a block of %zu bytes", largest);
}

/* Bytes of one packed value, checked as they are. */
static bool passes(const void *bytes, size_t size)
{
    struct mill_packed *packed = mill_packed_new(NULL, size);
    memcpy(packed->bytes, bytes, size);
    bool fine = mill_packed_check(packed);
    mill_packed_unref(packed);
    return fine;
}

#define PASSES(...) passes((uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void what_lua_could_not_take_does_not_pass(void)
{
    enum { NIL, FALSE, TRUE, NUMBER, STRING = 6, TABLE, SEEN, ARRAY, NODE, BUILTIN };
    CHECK(PASSES(TABLE, 0, 0, 0));
    CHECK(PASSES(TABLE, 0, 1, 0, TRUE, NIL));
    CHECK(!PASSES(TABLE, 0, 1, 0, NIL, TRUE)); /* a key nil */
    CHECK(PASSES(TABLE, 0, 1, 0, NUMBER, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, TRUE));
    CHECK(!PASSES(TABLE, 0, 1, 0, NUMBER, 0, 0, 0, 0, 0, 0, 0xF8, 0x7F, TRUE)); /* NaN */
    CHECK(PASSES(TABLE, 0, 0, 1, TABLE, 0, 0, 0));
    CHECK(PASSES(TABLE, 0, 0, 1, SEEN, 0));
    CHECK(!PASSES(TABLE, 0, 0, 1, TRUE)); /* a metatable that is none */
    CHECK(!PASSES(TABLE, 0, 0, 1, STRING, 0));
    CHECK(!PASSES(TABLE, 0, 0, 1, NIL));
    CHECK(!PASSES(TABLE, 0, 0, 2, TABLE, 0, 0, 0));
    CHECK(!PASSES(TABLE, 1, 0, 0, SEEN, 1));
    CHECK(!PASSES(SEEN, 0));
    CHECK(!PASSES(ARRAY, 0));
    CHECK(!PASSES(NODE, 0));
    CHECK(!PASSES(TRUE, TRUE));
    CHECK(!PASSES(STRING, 2, 'a'));
    CHECK(!PASSES(STRING, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01));
    CHECK(!PASSES(TABLE, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, TRUE));
}

static void nesting_ends_where_readers_would(void)
{
    for (int depth = MILL_PACKED_DEPTH - 3; depth < MILL_PACKED_DEPTH + 4; depth++) {
        uint8_t bytes[5 * (MILL_PACKED_DEPTH + 4)];
        size_t size = 0;
        for (int i = 0; i < depth; i++) {
            memcpy(bytes + size, (uint8_t[]){MILL_MARK_TABLE, i + 1 < depth, 0, 0}, 4);
            size += 4;
        }
        CHECK_SAYING(passes(bytes, size) == (depth <= MILL_PACKED_DEPTH + 1), "depth %d",
                     depth);
    }
    size_t size = 4000000;
    uint8_t *deep = malloc(size);
    for (size_t i = 0; i < size; i += 4)
        memcpy(deep + i, (uint8_t[]){MILL_MARK_TABLE, 1, 0, 0}, 4);
    CHECK(!passes(deep, size));
    free(deep);
}

static void keep(struct mill_shared *shared)
{
    (void)shared;
}

/* Several values, and objects that cross by reference, are saved as a name and never loaded. */
static void tuples_and_shared_objects_do_not_come_back(void)
{
    static const struct mill_shared_kind kind = {"a thing", keep, NULL, false};
    struct mill_shared things[2];
    struct mill_buffer *blocks[2];
    for (int i = 0; i < 2; i++) {
        mill_shared_init(&things[i], &kind);
        struct mill_value value = {.tag = MILL_TAG_SHARED, .shared = &things[i]}, loaded;
        blocks[i] = mill_codec_save(&value, NULL);
        CHECK(mill_codec_load(blocks[i], &loaded) == TIDEMILL_DATA &&
              loaded.tag == MILL_TAG_NIL);
    }
    CHECK(blocks[0]->size == blocks[1]->size &&
          memcmp(blocks[0]->data, blocks[1]->data, blocks[0]->size) == 0);
    for (int i = 0; i < 2; i++) mill_buffer_unref(blocks[i]);
    struct mill_value tuple = {.tag = MILL_TAG_TUPLE, .tuple = mill_tuple_new(3)}, loaded;
    struct mill_buffer *block = mill_codec_save(&tuple, NULL);
    CHECK(mill_codec_load(block, &loaded) == TIDEMILL_DATA && loaded.tag == MILL_TAG_NIL);
    mill_buffer_unref(block);
    mill_value_unref(tuple);
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atoi(argv[1]);
    random_state = check_seed();
    RUN(every_type_of_array_comes_back);
    RUN(leaves_and_strings_come_back);
    RUN(nested_values_come_back);
    RUN(loaded_arrays_lie_in_the_block);
    RUN(equal_values_have_equal_bytes);
    RUN(damaged_bytes_give_a_value_or_a_refusal);
    RUN(every_beginning_of_a_block_is_refused);
    RUN(bytes_that_follow_are_refused);
    RUN(random_bytes_are_refused);
    RUN(no_count_makes_it_allocate_more_than_the_bytes_could_hold);
    RUN(what_lua_could_not_take_does_not_pass);
    RUN(nesting_ends_where_readers_would);
    RUN(tuples_and_shared_objects_do_not_come_back);
    return check_end();
}
