/* test_brief: values in a few words, in any amount of room.  SPDX-License-Identifier: MIT */
#include "data/brief.h"

#include "check.h"
#include "data/packed.h"

static const char *brief_of(struct mill_value value)
{
    static char text[200];
    struct mill_brief brief;
    mill_brief_init(&brief, text, sizeof text);
    mill_brief_value(&brief, &value);
    mill_value_unref(value);
    return text;
}

static struct mill_value text_value(const char *text)
{
    bool failed = false;
    return mill_string(text, strlen(text), &failed);
}

static struct mill_value taken(struct mill_packer *packer)
{
    bool failed = false;
    return mill_packer_take(packer, &failed);
}

static void table(struct mill_packer *packer, uint64_t list, uint64_t pairs, uint8_t meta)
{
    mill_packer_byte(packer, MILL_MARK_TABLE);
    mill_packer_size(packer, list);
    mill_packer_size(packer, pairs);
    mill_packer_byte(packer, meta);
}

static void number(struct mill_packer *packer, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    mill_packer_word(packer, MILL_MARK_NUMBER, bits);
}

static void string(struct mill_packer *packer, const char *text)
{
    mill_packer_byte(packer, MILL_MARK_STRING);
    mill_packer_text(packer, text, strlen(text));
}

static void small_values_read_as_lua(void)
{
    CHECK_TEXT(brief_of(mill_nil()), "nil");
    CHECK_TEXT(brief_of((struct mill_value){.tag = MILL_TAG_TRUE}), "true");
    CHECK_TEXT(brief_of((struct mill_value){.tag = MILL_TAG_FALSE}), "false");
    CHECK_TEXT(brief_of(mill_number(3)), "3");
    CHECK_TEXT(brief_of(mill_number(0.1)), "0.1");
    CHECK_TEXT(brief_of((struct mill_value){.tag = MILL_TAG_INT64, .integer = -5}), "-5LL");
    CHECK_TEXT(brief_of((struct mill_value){.tag = MILL_TAG_UINT64, .natural = UINT64_MAX}),
               "18446744073709551615ULL");
    CHECK_TEXT(brief_of((struct mill_value){.tag = MILL_TAG_NODE, .natural = 77}),
               "\00177\002");
}

static void strings_are_quoted_and_cut_between_characters(void)
{
    CHECK_TEXT(brief_of(text_value("a\"b\\c\n\t")), "\"a\\\"b\\\\c\\n\\9\"");
    CHECK_TEXT(brief_of(text_value("\001\002")), "\"\\1\\2\"");
    CHECK_TEXT(brief_of(text_value("0123456789012345678901234567890123456789")),
               "\"0123456789012345678901234567890123456789\"");
    CHECK_TEXT(brief_of(text_value("0123456789012345678901234567890123456789x")),
               "\"0123456789012345678901234567890123456789...\"");
    CHECK_TEXT(brief_of(text_value("012345678901234567890123456789012345678\xC3\xA4")),
               "\"012345678901234567890123456789012345678\xC3\xA4\"");
    CHECK_TEXT(brief_of(text_value("\xF0")), "\"\xF0\""); /* cut off: not read past its end */
}

static void tables_show_lists_names_and_other_keys(void)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    table(&packer, 2, 3, 0);
    number(&packer, 1);
    table(&packer, 0, 0, 0);
    number(&packer, 10);
    mill_packer_byte(&packer, MILL_MARK_TRUE);
    string(&packer, "name");
    mill_packer_node(&packer, 12);
    string(&packer, "2 words");
    string(&packer, "x");
    CHECK_TEXT(brief_of(taken(&packer)),
               "{1, {}, [10] = true, name = \00112\002, [\"2 words\"] = \"x\"}");
}

static void what_is_not_read_any_further_stands_as_dots(void)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    table(&packer, 3, 0, 0);
    number(&packer, 1);
    mill_packer_byte(&packer, MILL_MARK_FUNCTION); /* its parts would follow */
    CHECK_TEXT(brief_of(taken(&packer)), "{1, function, ...}");
    mill_packer_init(&packer);
    table(&packer, 2, 0, 0);
    table(&packer, 0, 0, 1);
    number(&packer, 3); /* stands for a metatable */
    number(&packer, 4);
    CHECK_TEXT(brief_of(taken(&packer)), "{{}, ...}");
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_FUNCTION);
    CHECK_TEXT(brief_of(taken(&packer)), "function");
}

static void names_of_builtins_and_modules_are_shown(void)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_BUILTIN);
    mill_packer_text(&packer, "string.format", 13);
    CHECK_TEXT(brief_of(taken(&packer)), "string.format");
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_MODULE);
    mill_packer_bytes(&packer, "0123456789abcdef", 16);
    mill_packer_text(&packer, "prices", 6);
    mill_packer_text(&packer, "load", 4);
    CHECK_TEXT(brief_of(taken(&packer)), "prices.load");
}

static void arrays_show_type_and_shape(void)
{
    struct mill_memory memory;
    memset(&memory, 0, sizeof memory);
    struct mill_array *array = mill_array_new(&memory, MILL_FLOAT64, 6);
    CHECK(array != NULL);
    if (array == NULL) return;
    memset(array->values, 0, 6 * sizeof(double));
    CHECK_TEXT(brief_of(mill_column(mill_array_ref(array))), "float64[6]");
    array->dimensions = 2;
    array->shape[0] = 2, array->shape[1] = 3;
    CHECK_TEXT(brief_of(mill_column(array)), "float64[2x3]");
}

/* In less room the text is a part of the whole from its start, and dots. */
static void any_room_is_kept_to(void)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    table(&packer, 40, 0, 0);
    for (int i = 0; i < 40; i++) {
        if (i % 3) {
            number(&packer, i * 1000.5);
        } else {
            string(&packer, "t\xC3\xA4xt");
        }
    }
    struct mill_value value = taken(&packer);
    char whole[1000], text[1000];
    struct mill_brief brief;
    mill_brief_init(&brief, whole, sizeof whole);
    mill_brief_value(&brief, &value);
    CHECK(!brief.full && brief.size == strlen(whole));
    size_t length = strlen(whole);
    for (size_t room = 8; room < length + 10; room++) {
        memset(text, '#', sizeof text);
        mill_brief_init(&brief, text, room);
        mill_brief_value(&brief, &value);
        CHECK(brief.size == strlen(text) && brief.size < room && text[room] == '#');
        CHECK(brief.full == (room < length + 4));
        size_t kept = brief.full ? brief.size - 3 : brief.size;
        CHECK(memcmp(text, whole, kept) == 0);
        CHECK(!brief.full || strcmp(text + kept, "...") == 0);
        CHECK(!brief.full || ((unsigned char)whole[kept] & 0xC0) != 0x80);
    }
    mill_value_unref(value);
}

/* Nesting deeper than there is room for ends with the room. */
static void nesting_is_bounded_by_the_room(void)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    for (int i = 0; i < 100000; i++) table(&packer, 1, 0, 0);
    number(&packer, 1);
    CHECK(strlen(brief_of(taken(&packer))) == 199);
}

int main(void)
{
    RUN(small_values_read_as_lua);
    RUN(strings_are_quoted_and_cut_between_characters);
    RUN(tables_show_lists_names_and_other_keys);
    RUN(what_is_not_read_any_further_stands_as_dots);
    RUN(names_of_builtins_and_modules_are_shown);
    RUN(arrays_show_type_and_shape);
    RUN(any_room_is_kept_to);
    RUN(nesting_is_bounded_by_the_room);
    return check_end();
}
