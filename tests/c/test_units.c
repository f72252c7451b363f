/* test_units: numbers, sizes and times as people write them.
 * The oracle for numbers is strtod in the C locale, behind a check of its own of what is a number.
 * SPDX-License-Identifier: MIT */
#include "base/units.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>

#include "check.h"

static uint64_t random_state;

static uint64_t random_bits(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    uint64_t high = random_state >> 32;
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return high << 32 | random_state >> 32;
}

static uint32_t random_below(uint32_t limit)
{
    return (uint32_t)((random_bits() >> 33) % limit);
}

/* ---- plain numbers ---------------------------------------------------------------------- */

static void numbers_are_decimal(void)
{
    static const struct {
        const char *text;
        double number;
    } good[] = {
        {"0", 0},          {"7", 7},
        {"-0.5", -0.5},    {".5", 0.5},
        {"5.", 5},         {"1e3", 1000},
        {"2.5E-2", .025},  {" 4 ", 4},
        {"\t1", 1},        {"+1", 1},
        {"00012", 12},     {"1e-400", 0},
        {"0e99999999", 0}, {"1e308", 1e308},
        {"0.1", 0.1},      {"123456789012345678901234567890", 123456789012345678901234567890.0},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double number = -99;
        CHECK_SAYING(mill_units_number(good[i].text, &number) && number == good[i].number,
                     "\"%s\" gave %.17g", good[i].text, number);
    }
    static const char *const bad[] = {"",      " ",   ".",   "-",     "e3",  "1e",
                                      "1e+",   "0x1", "inf", "nan",   "1,5", "1 2",
                                      "1e309", "--1", "1s",  "1.2.3", "\n1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double number = -99;
        CHECK_SAYING(!mill_units_number(bad[i], &number) && number == -99, "\"%s\"", bad[i]);
    }
}

static void whole_numbers_keep_their_limits(void)
{
    int64_t number = -99;
    CHECK(mill_units_whole("12", 0, 100, &number) && number == 12);
    CHECK(mill_units_whole(" -3 ", -3, 100, &number) && number == -3);
    CHECK(mill_units_whole("9223372036854775807", INT64_MIN, INT64_MAX, &number) &&
          number == INT64_MAX);
    CHECK(mill_units_whole("-9223372036854775808", INT64_MIN, INT64_MAX, &number) &&
          number == INT64_MIN);
    number = -99;
    static const char *const bad[] = {"",
                                      "-",
                                      "1.0",
                                      "1e2",
                                      "101",
                                      "-1",
                                      "0x1",
                                      "1 1",
                                      "+1",
                                      "9223372036854775808",
                                      "99999999999999999999",
                                      "a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_SAYING(!mill_units_whole(bad[i], 0, 100, &number) && number == -99, "\"%s\"",
                     bad[i]);
    }
    CHECK(!mill_units_whole("9223372036854775808", INT64_MIN, INT64_MAX, &number));
    CHECK(!mill_units_whole("-9223372036854775809", INT64_MIN, INT64_MAX, &number));
}

/* What is a number at all, said once more. */
static bool looks_like_number(const char *text)
{
    int digits = 0;
    while (*text == ' ' || *text == '\t') text++;
    if (*text == '+' || *text == '-') text++;
    while (isdigit((unsigned char)*text)) digits++, text++;
    if (*text == '.') text++;
    while (isdigit((unsigned char)*text)) digits++, text++;
    if (digits == 0) return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '+' || *text == '-') text++;
        if (!isdigit((unsigned char)*text)) return false;
        while (isdigit((unsigned char)*text)) text++;
    }
    while (*text == ' ' || *text == '\t') text++;
    return *text == '\0';
}

static void compare_with_strtod(const char *text)
{
    double number = -99, expected = strtod(text, NULL);
    bool good = mill_units_number(text, &number);
    bool wanted = looks_like_number(text) && isfinite(expected);
    CHECK_SAYING(good == wanted, "\"%s\" is %sa number", text, wanted ? "" : "not ");
    if (!good || !wanted) return;
    double error = fabs(number - expected);
    CHECK_SAYING(error <= fabs(expected) * 1e-15 + 1e-320, "\"%s\": %.17g, expected %.17g",
                 text, number, expected);
}

static void random_texts_are_read_as_strtod_reads_them(void)
{
    static const char letters[] = "0123456789012345678901234567890123456789...eE+-- xsif";
    for (int round = 0; round < 200000; round++) {
        char text[24];
        uint32_t size = random_below(sizeof text);
        for (uint32_t i = 0; i < size; i++) text[i] = letters[random_below(sizeof letters - 1)];
        text[size] = '\0';
        compare_with_strtod(text);
    }
}

static void random_numbers_come_back(void)
{
    for (int round = 0; round < 100000; round++) {
        char text[64];
        double number, expected = (double)(int64_t)random_bits() / pow(10, random_below(20));
        snprintf(text, sizeof text, "%.*g", 15, expected);
        expected = strtod(text, NULL); /* of 15 digits there is one nearest double */
        CHECK_SAYING(mill_units_number(text, &number) && number == expected,
                     "\"%s\": %.17g, expected %.17g", text, number, expected);
        int64_t whole, bits = (int64_t)random_bits() >> random_below(64);
        snprintf(text, sizeof text, "%lld", (long long)bits);
        CHECK_SAYING(mill_units_whole(text, INT64_MIN, INT64_MAX, &whole) && whole == bits,
                     "\"%s\"", text);
    }
}

static void no_locale_changes_a_number(void)
{
    double number = 0;
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL) SKIP("no locale with a decimal comma");
    bool good = mill_units_number("2.5", &number), comma = mill_units_number("2,5", &number);
    setlocale(LC_NUMERIC, "C");
    CHECK(good && !comma && number == 2.5);
}

/* ---- units ------------------------------------------------------------------------------ */

static void sizes_have_units(void)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {
        {"0", 0},
        {"4096", 4096},
        {"512MB", 512000000},
        {"2GiB", INT64_C(2) << 30},
        {"1.5 kB", 1500},
        {"1kib", 1024},
        {"3 b", 3},
        {"50%", 500},
        {"12.5 %", 125},
        {"0%", 0},
        {"100%", 1000},
        {"0.5TiB", INT64_C(1) << 39},
        {"2TB", INT64_C(2000000000000)},
        {"1e3MB", 1000000000},
        {"1MiB ", 1 << 20},
        {"1.4B", 1},
        {"0.0006kB", 1},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t bytes = -99;
        CHECK_SAYING(mill_units_bytes(good[i].text, 1000, &bytes) && bytes == good[i].bytes,
                     "\"%s\" gave %lld", good[i].text, (long long)bytes);
    }
    static const char *const bad[] = {"",      "MB",   "-1",         "-1MB", "1PB",
                                      "1 M B", "101%", "-1%",        "1%%",  "1s",
                                      "1K",    "1e30", "8388608TiB", "1MBx", "5 0%"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t bytes = -99;
        CHECK_SAYING(!mill_units_bytes(bad[i], 1000, &bytes) && bytes == -99, "\"%s\"", bad[i]);
    }
    int64_t bytes = -99;
    CHECK(!mill_units_bytes("50%", 0, &bytes) && bytes == -99);
}

static void times_have_units(void)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = {
        {"0", 0},       {"60", 60},     {"60s", 60},    {"5m", 300},      {"1d", 86400},
        {"1.5h", 5400}, {"250ms", .25}, {"10us", 1e-5}, {"10 US ", 1e-5}, {".5 s", .5},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        double seconds = -99;
        CHECK_SAYING(mill_units_seconds(good[i].text, &seconds) &&
                         fabs(seconds - good[i].seconds) < 1e-12,
                     "\"%s\" gave %.17g", good[i].text, seconds);
    }
    static const char *const bad[] = {"",      "s",   "-1",    "-1s",    "1w",  "1sec",
                                      "1 m s", "50%", "1e400", "1e308d", "1MB", "1s1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        double seconds = -99;
        CHECK_SAYING(!mill_units_seconds(bad[i], &seconds) && seconds == -99, "\"%s\"", bad[i]);
    }
}

/* Counted in whole bytes, so that nothing is rounded on either side. */
static void random_sizes_are_products(void)
{
    static const struct {
        const char *name;
        int64_t bytes;
    } units[] = {{"", 1},         {"B", 1},         {"kB", 1000},       {"KiB", 1024},
                 {"MB", 1000000}, {"MiB", 1 << 20}, {"GB", 1000000000}, {"GiB", 1 << 30}};
    for (int round = 0; round < 50000; round++) {
        char text[64];
        uint32_t unit = random_below(8), count = random_below(1 << 20);
        const char *blanks = random_below(2) ? " " : "";
        snprintf(text, sizeof text, "%s%u%s%s%s", blanks, count, blanks, units[unit].name,
                 blanks);
        for (char *at = text; *at; at++) {
            if (random_below(2)) *at = (char)tolower((unsigned char)*at);
        }
        int64_t bytes = -1, expected = (int64_t)count * units[unit].bytes;
        CHECK_SAYING(mill_units_bytes(text, 0, &bytes) && bytes == expected,
                     "\"%s\": %lld, expected %lld", text, (long long)bytes,
                     (long long)expected);
    }
}

static void any_bytes_are_read_without_harm(void)
{
    for (int round = 0; round < 200000; round++) {
        char text[20];
        uint32_t size = random_below(sizeof text);
        for (uint32_t i = 0; i < size; i++) text[i] = (char)(1 + random_below(255));
        text[size] = '\0';
        int64_t whole = -7, bytes = -7;
        double number = -7, seconds = -7;
        bool good = mill_units_bytes(text, 1 << 20, &bytes);
        CHECK(good ? bytes >= 0 : bytes == -7);
        good = mill_units_seconds(text, &seconds);
        CHECK(good ? seconds >= 0 : seconds == -7);
        good = mill_units_whole(text, -50, 50, &whole);
        CHECK(good ? whole >= -50 && whole <= 50 : whole == -7);
        good = mill_units_number(text, &number);
        CHECK(good ? isfinite(number) : number == -7);
    }
}

int main(void)
{
    random_state = check_seed();
    RUN(numbers_are_decimal);
    RUN(whole_numbers_keep_their_limits);
    RUN(random_texts_are_read_as_strtod_reads_them);
    RUN(random_numbers_come_back);
    RUN(no_locale_changes_a_number);
    RUN(sizes_have_units);
    RUN(times_have_units);
    RUN(random_sizes_are_products);
    RUN(any_bytes_are_read_without_harm);
    return check_end();
}
