/* test_parts: what differs between two lists of parts, in words; and that bytes from a damaged store do
 * no harm.  SPDX-License-Identifier: MIT */
#include "cache/parts.h"

#include "check.h"

static struct mill_hash hash(uint64_t number)
{
    return (struct mill_hash){number, 0};
}

static void check_compare(const struct mill_packer *was, const struct mill_packer *now,
                          const char *expected)
{
    struct mill_causes causes = {.count = 0};
    char text[2000];
    mill_parts_compare(was->bytes, was->size, now->bytes, now->size, &causes);
    mill_causes_text(&causes, text, sizeof text);
    CHECK_TEXT(text, expected);
}

static void differences_are_told_in_a_fixed_order(void)
{
    struct mill_packer was, now;
    mill_packer_init(&was);
    mill_packer_init(&now);
    mill_parts_add(&was, MILL_PART_UPVALUE, "x", hash(1), "0.5");
    mill_parts_add(&was, MILL_PART_BODY, "", hash(2), "");
    mill_parts_add(&was, MILL_PART_HELPER, "scale", hash(3), "3");
    mill_parts_add(&was, MILL_PART_GLOBAL, "gone", hash(4), "4");
    check_compare(&was, &was, "");
    mill_parts_add(&now, MILL_PART_HELPER, "scale", hash(5), "3");
    mill_parts_add(&now, MILL_PART_UPVALUE, "x", hash(6), "0.6");
    mill_parts_add(&now, MILL_PART_BODY, "", hash(7), "");
    mill_parts_add(&now, MILL_PART_MODULE, "deep", hash(8), "");
    check_compare(&was, &now,
                  "function body, helper scale (3 calls away), upvalue x: 0.5 -> 0.6, global "
                  "gone: gone, module deep: new");
    mill_packer_fini(&was);
    mill_packer_fini(&now);
}

static void values_that_look_alike_differ_in_content(void)
{
    struct mill_packer was, now;
    mill_packer_init(&was);
    mill_packer_init(&now);
    mill_parts_add(&was, MILL_PART_UPVALUE, "data", hash(1), "float64[100]");
    mill_parts_add(&now, MILL_PART_UPVALUE, "data", hash(2), "float64[100]");
    check_compare(&was, &now, "upvalue data: content of float64[100]");
    mill_packer_fini(&was);
    mill_packer_fini(&now);
}

static void more_causes_than_are_kept_are_counted(void)
{
    struct mill_causes causes = {.count = 0};
    char text[2000];
    for (int i = 0; i < MILL_CAUSES + 3; i++) mill_causes_add(&causes, "x", "", "c%d", i);
    mill_causes_label(&causes, text, sizeof text);
    CHECK_TEXT(text, "c0, c1, c2, c3, c4, c5 and 3 more");
    char little[8];
    mill_causes_text(&causes, little, sizeof little);
    CHECK_TEXT(little, "c0, c1,");
}

/* Each byte of a list in turn is another one, and each length is tried: nothing outside is read
 * (which the sanitizers see), and comparing ends. */
static void damaged_lists_do_no_harm(void)
{
    struct mill_packer parts;
    mill_packer_init(&parts);
    mill_parts_add(&parts, MILL_PART_UPVALUE, "x", hash(1), "0.5");
    mill_parts_add(&parts, MILL_PART_HELPER, "scale", hash(3), "3");
    for (size_t size = 0; size <= parts.size; size++) {
        uint8_t *copy = malloc(size ? size : 1);
        for (size_t at = 0; at < size; at++) {
            for (int bit = 0; bit < 8; bit++) {
                memcpy(copy, parts.bytes, size);
                copy[at] ^= (uint8_t)(1 << bit);
                struct mill_causes causes = {.count = 0};
                mill_parts_compare(copy, size, parts.bytes, parts.size, &causes);
                mill_parts_compare(parts.bytes, parts.size, copy, size, &causes);
                CHECK(causes.count >= 0);
            }
        }
        free(copy);
    }
    mill_packer_fini(&parts);
}

int main(void)
{
    RUN(differences_are_told_in_a_fixed_order);
    RUN(values_that_look_alike_differ_in_content);
    RUN(more_causes_than_are_kept_are_counted);
    RUN(damaged_lists_do_no_harm);
    return check_end();
}
