/* test_text: files of the system and the numbers in them.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/text.h"

#include "check.h"
#include "tree_check.h"

static void a_file_is_read_whole(void)
{
    tree_begin();
    const size_t sizes[] = {0, 1, 4094, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *bytes = malloc(sizes[i] + 1);
        memset(bytes, 'x', sizes[i]);
        tree_write_bytes("/a/b", bytes, sizes[i]);
        char *text = mill_text_read(tree.root, "/a/b");
        CHECK(text && strlen(text) == sizes[i]);
        free(text);
        free(bytes);
    }
    tree_end();
}

static void no_more_than_4_mib_are_read(void)
{
    char *text = mill_text_read("", "/dev/zero"); /* ends never */
    CHECK(text && text[0] == '\0' && text[1000] == '\0');
    free(text);
}

static void what_cannot_be_read_is_nothing(void)
{
    tree_begin();
    CHECK(mill_text_read(tree.root, "/missing") == NULL);
    CHECK(mill_text_read(tree.root, "") == NULL); /* a folder */
    char longest[2 * PATH_MAX];
    memset(longest, '/', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    CHECK(mill_text_read(tree.root, longest) == NULL);
    tree_end();
}

static void numbers_are_whole_or_none(void)
{
    CHECK(mill_text_number("0") == 0);
    CHECK(mill_text_number("42\n") == 42);
    CHECK(mill_text_number(" \t 7 8") == 7);
    CHECK(mill_text_number("9223372036854775807") == INT64_MAX);
    CHECK(mill_text_number("9223372036854775806") == INT64_MAX - 1);
    CHECK(mill_text_number("9223372036854775808") == INT64_MAX);
    CHECK(mill_text_number("99999999999999999999999999") == INT64_MAX);
    static const char *const none[] = {"",  "\n", "-1",  "max", "1.5",
                                       "x", "4x", "4,5", "+4",  "\n5"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        CHECK_SAYING(mill_text_number(none[i]) == -1, "\"%s\" is no number", none[i]);
    }
}

static void fields_are_found_by_their_whole_name(void)
{
    const char *text = "usage 1\nusage_usec 22\nMemTotal:   333 kB\nodd\nbad x\nusage 4\n";
    CHECK(mill_text_field(text, "usage") == 1);
    CHECK(mill_text_field(text, "usage_usec") == 22);
    CHECK(mill_text_field(text, "MemTotal") == 333);
    CHECK(mill_text_field(text, "usage_") == -1);
    CHECK(mill_text_field(text, "sage") == -1);
    CHECK(mill_text_field(text, "odd") == -1);
    CHECK(mill_text_field(text, "bad") == -1);
    CHECK(mill_text_field("", "usage") == -1);
    CHECK(mill_text_field("\n\nusage 5", "usage") == 5);
}

static void any_text_is_read_without_harm(void)
{
    unsigned long long state = check_seed();
    const char *text = "usage 1\nusage_usec 22\nMemTotal:   9223372036854775807 kB\nusage 4\n";
    for (int i = 0; i < 20000; i++) {
        size_t size = strlen(text);
        char *copy = malloc(size + 1); /* so that asan sees its end */
        tree_spoil(copy, text, &state);
        CHECK(mill_text_field(copy, "usage") >= -1);
        CHECK(mill_text_field(copy, "MemTotal") >= -1);
        CHECK(mill_text_number(copy) >= -1);
        free(copy);
    }
}

int main(void)
{
    RUN(a_file_is_read_whole);
    RUN(no_more_than_4_mib_are_read);
    RUN(what_cannot_be_read_is_nothing);
    RUN(numbers_are_whole_or_none);
    RUN(fields_are_found_by_their_whole_name);
    RUN(any_text_is_read_without_harm);
    return check_end();
}
