/* test_hash: names of content, and streams of records that cannot be confused.
 * SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include "check.h"
#include "random_check.h"

static void text_has_the_high_half_first(void)
{
    char text[33];
    mill_hash_text((struct mill_hash){.low = 0x0123456789abcdefu, .high = 0xfedcba9876543210u},
                   text);
    CHECK_TEXT(text, "fedcba98765432100123456789abcdef");
    mill_hash_text((struct mill_hash){0, 0}, text);
    CHECK_TEXT(text, "00000000000000000000000000000000");
}

static void order_is_that_of_the_texts(void)
{
    for (int round = 0; round < 2000; round++) {
        struct mill_hash hash[2];
        char text[2][33];
        for (int i = 0; i < 2; i++) { /* few high halves, so that the low ones decide, too */
            hash[i].high = random_below(3);
            hash[i].low = (uint64_t)random_below(4) << 62 | random_below(4);
            mill_hash_text(hash[i], text[i]);
        }
        int order = strcmp(text[0], text[1]);
        int expected = (order > 0) - (order < 0);
        CHECK(mill_hash_compare(hash[0], hash[1]) == expected);
        CHECK(mill_hash_equal(hash[0], hash[1]) == (expected == 0));
    }
}

static void bytes_have_their_published_name(void)
{
    /* XXH3-128 of no bytes with seed 0, from the specification's test vectors. */
    char text[33];
    mill_hash_text(mill_hash_bytes("", 0), text);
    CHECK_TEXT(text, "99aa06d3014798d86001c324468d497f");
    CHECK(mill_hash_equal(mill_hash_bytes(NULL, 0), mill_hash_bytes("", 0)));
    CHECK(!mill_hash_equal(mill_hash_bytes("a", 1), mill_hash_bytes("b", 1)));
}

/* ---- records --------------------------------------------------------------------------- */

/* A field as the test knows it. */
struct field {
    char kind; /* 'b', 'n', 'h' */
    size_t size;
    uint8_t bytes[600];
};

static void feed(struct mill_hasher *hasher, const struct field *field)
{
    struct mill_hash hash;
    memcpy(&hash, field->bytes, sizeof hash);
    if (field->kind == 'b') mill_hasher_bytes(hasher, field->bytes, field->size);
    if (field->kind == 'n') mill_hasher_number(hasher, hash.low);
    if (field->kind == 'h') mill_hasher_hash(hasher, hash);
}

static struct mill_hash hash_of(const struct field *fields, int count)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "test");
    for (int i = 0; i < count; i++) feed(&hasher, &fields[i]);
    return mill_hasher_end(&hasher);
}

static bool same_field(const struct field *a, const struct field *b)
{
    if (a->kind != b->kind) return false;
    size_t size = a->kind == 'b' ? a->size : a->kind == 'n' ? 8 : 16;
    return (a->kind != 'b' || a->size == b->size) && memcmp(a->bytes, b->bytes, size) == 0;
}

/* Small alphabets and sizes about the limits of 256 and 512 make near misses likely. */
static void random_field(struct field *field)
{
    static const size_t sizes[] = {0, 1, 2, 8, 16, 255, 256, 257, 480, 512, 600};
    memset(field, 0, sizeof *field);
    field->kind = "bnh"[random_below(3)];
    field->size = sizes[random_below(11)];
    for (size_t i = 0; i < sizeof field->bytes; i++) {
        field->bytes[i] = (uint8_t)(random_below(40) == 0);
    }
}

static void equal_sequences_hash_alike_and_others_apart(void)
{
    enum { LONGEST = 6 };
    for (int round = 0; round < 3000; round++) {
        struct field a[LONGEST], b[LONGEST];
        int count_a = (int)random_below(LONGEST + 1), count_b = count_a;
        for (int i = 0; i < count_a; i++) random_field(&a[i]);
        memcpy(b, a, (size_t)count_a * sizeof *a);
        if (random_below(3) == 0 && count_a > 0)
            random_field(&b[random_below((uint32_t)count_a)]);
        if (random_below(3) == 0 && count_b > 0) count_b--;
        bool same = count_a == count_b;
        for (int i = 0; same && i < count_a; i++) same = same_field(&a[i], &b[i]);
        CHECK(mill_hash_equal(hash_of(a, count_a), hash_of(b, count_b)) == same);
    }
}

static void where_a_field_ends_counts(void)
{
    struct mill_hasher one, two, three;
    mill_hasher_init(&one, "test");
    mill_hasher_init(&two, "test");
    mill_hasher_init(&three, "test");
    mill_hasher_bytes(&one, "ab", 2);
    mill_hasher_bytes(&one, "c", 1);
    mill_hasher_bytes(&two, "a", 1);
    mill_hasher_bytes(&two, "bc", 2);
    mill_hasher_bytes(&three, "abc", 3);
    CHECK(!mill_hash_equal(mill_hasher_end(&one), mill_hasher_end(&two)));
    CHECK(!mill_hash_equal(mill_hasher_end(&one), mill_hasher_end(&three)));
}

static void domains_are_apart(void)
{
    struct mill_hasher one, two;
    mill_hasher_init(&one, "a/1");
    mill_hasher_init(&two, "a/2");
    CHECK(!mill_hash_equal(mill_hasher_end(&one), mill_hasher_end(&two)));
}

static void reading_the_hash_does_not_end_the_stream(void)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "test");
    for (int i = 0; i < 200; i++) {
        mill_hasher_number(&hasher, (uint64_t)i);
        struct mill_hash once = mill_hasher_end(&hasher), twice = mill_hasher_end(&hasher);
        CHECK(mill_hash_equal(once, twice));
    }
}

static void no_bytes_may_be_null(void)
{
    struct mill_hasher one, two;
    mill_hasher_init(&one, "test");
    mill_hasher_init(&two, "test");
    mill_hasher_bytes(&one, NULL, 0);
    mill_hasher_bytes(&two, "", 0);
    CHECK(mill_hash_equal(mill_hasher_end(&one), mill_hasher_end(&two)));
}

int main(void)
{
    random_state = check_seed();
    RUN(text_has_the_high_half_first);
    RUN(order_is_that_of_the_texts);
    RUN(bytes_have_their_published_name);
    RUN(equal_sequences_hash_alike_and_others_apart);
    RUN(where_a_field_ends_counts);
    RUN(domains_are_apart);
    RUN(reading_the_hash_does_not_end_the_stream);
    RUN(no_bytes_may_be_null);
    return check_end();
}
