/* test_json: texts and numbers as JSON writes them, read back by a strict reader.
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <math.h>

#include "check.h"
#include "json_check.h"
#include "random_check.h"

static const char *written(const char *text)
{
    static char out[1024];
    size_t size = mill_json_text(out, text, strlen(text));
    out[size] = '\0';
    return out;
}

static void texts_are_quoted_and_escaped(void)
{
    CHECK_TEXT(written(""), "\"\"");
    CHECK_TEXT(written("a/b"), "\"a/b\"");
    CHECK_TEXT(written("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    CHECK_TEXT(written("\x01\x1f\x7f"), "\"\\u0001\\u001f\\u007f\"");
    CHECK_TEXT(written("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82"),
               "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82\"");
}

static void what_is_no_utf8_is_replaced(void)
{
#define GONE "\xEF\xBF\xBD"
    CHECK_TEXT(written("a\xFFz"), "\"a" GONE "z\"");
    CHECK_TEXT(written("\xC3"), "\"" GONE "\"");
    CHECK_TEXT(written("\xC0\x80"), "\"" GONE GONE "\"");          /* overlong */
    CHECK_TEXT(written("\xED\xA0\x80"), "\"" GONE GONE GONE "\""); /* a surrogate */
    CHECK_TEXT(written("\xF4\x90\x80\x80"), "\"" GONE GONE GONE GONE "\"");
    CHECK_TEXT(written("\xE2\x82x"), "\"" GONE GONE "x\"");
}

static void random_bytes_become_good_json_and_text_comes_back(void)
{
    for (int round = 0; round < 100000; round++) {
        char text[24], out[MILL_JSON_ROOM(sizeof text)], object[256], back[128];
        size_t size = random_below(sizeof text);
        bool plain = random_below(2);
        for (size_t i = 0; i < size; i++) text[i] = (char)(1 + random_below(plain ? 127 : 255));
        size_t used = mill_json_text(out, text, size);
        CHECK(used <= MILL_JSON_ROOM(size) && json_is_good(out, used));
        snprintf(object, sizeof object, "{\"a\":%.*s}", (int)used, out);
        CHECK(json_member(object, "a", back, sizeof back));
        if (plain) CHECK(strlen(back) == size && memcmp(back, text, size) == 0);
    }
}

static void numbers_are_the_shortest_that_come_back(void)
{
    static const struct {
        double number;
        const char *text;
    } known[] = {{0, "0"},           {-0.0, "-0"},
                 {1, "1"},           {-2.5, "-2.5"},
                 {0.1, "0.1"},       {1.0 / 3, "0.3333333333333333"},
                 {1e300, "1e+300"},  {NAN, "null"},
                 {INFINITY, "null"}, {123456789012, "123456789012"}};
    char out[MILL_JSON_NUMBER];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        CHECK(mill_json_number(out, known[i].number) == strlen(known[i].text));
        CHECK_TEXT(out, known[i].text);
    }
    for (int round = 0; round < 100000; round++) {
        uint64_t bits = (uint64_t)random_below(1u << 31) << 33 ^ random_below(1u << 31) * 7ull;
        double number;
        memcpy(&number, &bits, sizeof number);
        size_t size = mill_json_number(out, number);
        CHECK_SAYING(json_is_good(out, size), "%s", out);
        if (isfinite(number)) CHECK_SAYING(strtod(out, NULL) == number, "%s", out);
    }
}

int main(void)
{
    random_state = check_seed();
    RUN(texts_are_quoted_and_escaped);
    RUN(what_is_no_utf8_is_replaced);
    RUN(random_bytes_become_good_json_and_text_comes_back);
    RUN(numbers_are_the_shortest_that_come_back);
    return check_end();
}
