/* csv_value: the text of a cell becomes a number, a date or a truth.
 * Every function says the same on any machine and in any locale.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/csv.h"
#include "kernels/word.h"

/* ---- integers -------------------------------------------------------------------------- */

static inline int csv_is_digit(char c)
{
    return (unsigned)(c - '0') <= 9;
}

/* A word of eight digits (ASCII, first character lowest) becomes their number; 0 when some
 * byte is no digit. */
static inline int csv_eight_digits(uint64_t word, uint64_t *number)
{
    uint64_t high = 0xF0F0F0F0F0F0F0F0u;
    uint64_t carry = (word + 0x0606060606060606u) & high;
    if (((word & high) | carry >> 4) != 0x3333333333333333u) return 0;
    word = (word & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8; /* 10 a + b in every second byte */
    word = (word & 0x00FF00FF00FF00FFu) * 6553601 >> 16;
    *number = (word & 0x0000FFFF0000FFFFu) * 42949672960001 >> 32;
    return 1;
}

/* 1 to 8 characters, moved to the end of a word that '0' fills up. */
static inline uint64_t csv_fill(const char *text, size_t size)
{
    uint64_t word = mill_word_load(text, size);
    if (size == 8) return word;
    return word << 8 * (8 - size) | mill_word_repeat('0') >> 8 * size;
}

/* Digits without a sign. */
static inline enum mill_csv_result csv_digits(const char *text, size_t size, uint64_t *number)
{
    if (size == 0) return MILL_CSV_BAD;
    if (size <= 8) return csv_eight_digits(csv_fill(text, size), number) != 0;
    uint64_t total;
    int over = 0;
    if (!csv_eight_digits(mill_word_load64(text), &total)) return MILL_CSV_BAD;
    for (size_t i = 8; i < size; i++) {
        if (!csv_is_digit(text[i])) return MILL_CSV_BAD;
        over |= __builtin_mul_overflow(total, (uint64_t)10, &total);
        over |= __builtin_add_overflow(total, (uint64_t)(text[i] - '0'), &total);
    }
    *number = total;
    return over ? MILL_CSV_RANGE : MILL_CSV_GOOD;
}

enum mill_csv_result mill_csv_int64(const char *text, size_t size, int64_t *value)
{
    uint64_t number = 0;
    size_t sign = size > 0 && (text[0] == '-' || text[0] == '+');
    enum mill_csv_result result = csv_digits(text + sign, size - sign, &number);
    if (result != MILL_CSV_GOOD) return result;
    uint64_t minus = sign && text[0] == '-';
    if (number > (uint64_t)INT64_MAX + minus) return MILL_CSV_RANGE;
    *value = (int64_t)(minus ? 0 - number : number);
    return MILL_CSV_GOOD;
}

enum mill_csv_result mill_csv_uint64(const char *text, size_t size, uint64_t *value)
{
    size_t sign = size > 0 && (text[0] == '-' || text[0] == '+');
    enum mill_csv_result result = csv_digits(text + sign, size - sign, value);
    if (result == MILL_CSV_GOOD && sign && text[0] == '-' && *value > 0) return MILL_CSV_RANGE;
    return result;
}

/* ---- floating point -------------------------------------------------------------------- */

/* digits * 10^(exponent + dropped): the first 19 digits, and how many came after them. */
struct csv_decimal {
    uint64_t digits;
    int64_t exponent;
    int64_t dropped;
};

static const double csv_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Most cells of real files: at most eight characters, all digits but perhaps one point.  The
 * point is cut out of the word, so that no branch depends on where it stands. */
static inline int csv_short_decimal(const char *text, size_t size, double *value)
{
    uint64_t word = csv_fill(text, size), number;
    uint64_t point = mill_word_zero_bytes(word ^ mill_word_repeat('.'));
    if (point == 0) {
        if (!csv_eight_digits(word, &number)) return 0;
        *value = (double)number;
        return 1;
    }
    if (size == 1) return 0;
    int shift = __builtin_ctzll(point) - 7; /* bits below the first point */
    uint64_t whole = word & (((uint64_t)1 << shift) - 1);
    uint64_t fraction = word & ~(((uint64_t)2 << (shift + 7)) - 1);
    if (!csv_eight_digits(fraction | whole << 8 | '0', &number)) return 0;
    *value = (double)number / csv_powers[7 - shift / 8];
    return 1;
}

static const char *csv_scan_digits(const char *text, const char *end,
                                   struct csv_decimal *decimal)
{
    const uint64_t room = 1000000000000000000u; /* below it one more digit fits */
    for (; text < end && csv_is_digit(*text); text++) {
        if (decimal->digits < room && decimal->dropped == 0) {
            decimal->digits = decimal->digits * 10 + (unsigned)(*text - '0');
        } else {
            decimal->dropped++;
        }
    }
    return text;
}

/* What follows the e.  Far outside a double's range it stops growing. */
static const char *csv_scan_exponent(const char *text, const char *end, int64_t *exponent)
{
    int minus = text < end && *text == '-';
    if (text < end && (*text == '-' || *text == '+')) text++;
    if (text == end || !csv_is_digit(*text)) return NULL;
    int64_t value = 0;
    for (; text < end && csv_is_digit(*text); text++) {
        if (value < 1000000000000) value = value * 10 + (*text - '0');
    }
    *exponent += minus ? -value : value;
    return text;
}

/* digits [. digits] [e exponent], without a sign. */
static int csv_scan(const char *text, const char *end, struct csv_decimal *decimal)
{
    const char *next = csv_scan_digits(text, end, decimal);
    int64_t seen = next - text;
    if (next < end && *next == '.') {
        text = next + 1;
        next = csv_scan_digits(text, end, decimal);
        decimal->exponent -= next - text;
        seen += next - text;
    }
    if (seen == 0) return 0;
    if (next < end && (*next == 'e' || *next == 'E')) {
        next = csv_scan_exponent(next + 1, end, &decimal->exponent);
    }
    return next == end;
}

/* number / 10^places, number > 0, places 1 to 19: 64 bits of the quotient, and whether there
 * is a rest, decide the rounding exactly. */
static double csv_divide(uint64_t number, int places)
{
    uint64_t divisor = 1;
    for (int i = 0; i < places; i++) divisor *= 10;
    int up = __builtin_clzll(number), down = __builtin_clzll(divisor);
    uint64_t top = number << up, bottom = divisor << down;
    int bits = top >= bottom ? 63 : 64;
    unsigned __int128 scaled = (unsigned __int128)top << bits;
    uint64_t quotient = (uint64_t)(scaled / bottom);
    int rest = (uint64_t)scaled != quotient * bottom; /* the low halves differ by the rest */
    uint64_t tail = quotient & 0x7FF;
    quotient >>= 11;
    if (tail > 0x400 || (tail == 0x400 && (rest || (quotient & 1)))) quotient++;
    return ldexp((double)quotient, 11 - bits + down - up);
}

/* number * 10^places, places 0 to 19: the product fits 128 bits. */
static double csv_multiply(uint64_t number, int places)
{
    uint64_t factor = 1;
    for (int i = 0; i < places; i++) factor *= 10;
    return (double)((unsigned __int128)number * factor);
}

/* The text of any decimal for strtod: digits and an exponent.  Without a point no locale
 * matters; 800 digits and a mark for more decide every rounding (the longest tie has 767). */
enum { CSV_LONGEST = 800 };

static void csv_plain(const char *text, const char *end, int64_t exponent,
                      char copy[CSV_LONGEST + 32])
{
    int used = 0, more = 0;
    for (; text < end && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.' || (used == 0 && *text == '0')) continue;
        if (used < CSV_LONGEST) {
            copy[used++] = *text;
        } else {
            exponent++;
            more |= *text != '0';
        }
    }
    if (more) {
        copy[used++] = '1';
        exponent--;
    }
    snprintf(copy + used, 31, "e%lld", (long long)exponent);
}

/* A decimal without a sign.  Exact where both numbers fit a double (one rounding, Clinger),
 * exact by integers where the power of ten fits 64 bits, by strtod elsewhere. */
static int csv_decimal(const char *text, size_t size, double *value)
{
    struct csv_decimal decimal = {0, 0, 0};
    const char *end = text + size;
    if (!csv_scan(text, end, &decimal)) return 0;
    int64_t exponent = decimal.exponent;
    if (decimal.digits == 0) {
        *value = 0;
    } else if (decimal.dropped || exponent < -22 || exponent > 22) {
        char copy[CSV_LONGEST + 32];
        csv_plain(text, end, exponent, copy);
        *value = strtod(copy, NULL);
    } else if (decimal.digits <= (uint64_t)1 << 53) {
        double power = csv_powers[exponent < 0 ? -exponent : exponent];
        *value = (double)decimal.digits;
        *value = exponent < 0 ? *value / power : *value * power;
    } else if (exponent >= -19 && exponent <= 19) {
        *value = exponent < 0 ? csv_divide(decimal.digits, (int)-exponent)
                              : csv_multiply(decimal.digits, (int)exponent);
    } else {
        char copy[CSV_LONGEST + 32];
        csv_plain(text, end, exponent, copy);
        *value = strtod(copy, NULL);
    }
    return 1;
}

/* Whether the text is `word` (lower case) in any case. */
static int csv_is_word(const char *text, size_t size, const char *word)
{
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if (c != word[i] || c == '\0') return 0;
    }
    return word[size] == '\0';
}

static int csv_special(const char *text, size_t size, double *value)
{
    if (csv_is_word(text, size, "inf") || csv_is_word(text, size, "infinity")) {
        *value = HUGE_VAL;
    } else if (csv_is_word(text, size, "nan")) {
        *value = NAN;
    } else {
        return 0;
    }
    return 1;
}

enum mill_csv_result mill_csv_float64(const char *text, size_t size, double *value)
{
    size_t sign = size > 0 && (*text == '-' || *text == '+');
    const char *start = text + sign;
    double number;
    size -= sign;
    if (size == 0) return MILL_CSV_BAD;
    if (size > 8 || !csv_short_decimal(start, size, &number)) {
        if (!csv_decimal(start, size, &number) && !csv_special(start, size, &number)) {
            return MILL_CSV_BAD;
        }
    }
    *value = sign && *text == '-' && number == number ? -number : number;
    return MILL_CSV_GOOD;
}

/* A double rounds once more on its way to float; that errs only where the double stands right
 * between two floats, or where floats are denormal.  There strtof decides from the text. */
enum mill_csv_result mill_csv_float32(const char *text, size_t size, float *value)
{
    double wide;
    uint64_t bits;
    if (mill_csv_float64(text, size, &wide) == MILL_CSV_BAD) return MILL_CSV_BAD;
    memcpy(&bits, &wide, 8);
    *value = (float)wide;
    int unsure = (bits & 0x1FFFFFFF) == 0x10000000 || fabs(wide) < 0x1p-125;
    if (!unsure || wide == 0) return MILL_CSV_GOOD;
    size_t sign = *text == '-' || *text == '+';
    struct csv_decimal decimal = {0, 0, 0};
    char copy[CSV_LONGEST + 32];
    if (!csv_scan(text + sign, text + size, &decimal)) return MILL_CSV_GOOD;
    csv_plain(text + sign, text + size, decimal.exponent, copy);
    *value = strtof(copy, NULL);
    if (*text == '-') *value = -*value;
    return MILL_CSV_GOOD;
}

enum mill_csv_result mill_csv_bool(const char *text, size_t size, uint8_t *value)
{
    uint8_t yes = csv_is_word(text, size, "true");
    if (!yes && !csv_is_word(text, size, "false")) return MILL_CSV_BAD;
    *value = yes;
    return MILL_CSV_GOOD;
}

/* ---- dates ----------------------------------------------------------------------------- */

struct csv_time {
    int year, month, day, hour, minute, second;
    int microsecond;
    int zone; /* minutes east of Greenwich */
};

/* A run of `least` to `most` digits at *text, which moves past it. */
static inline int csv_field(const char **text, const char *end, int least, int most, int *value)
{
    int digits = 0;
    *value = 0;
    for (; digits < most && *text < end && csv_is_digit(**text); digits++) {
        *value = *value * 10 + (*(*text)++ - '0');
    }
    return digits >= least;
}

static int csv_take(const char **text, const char *end, char c)
{
    if (*text == end || **text != c) return 0;
    ++*text;
    return 1;
}

static int csv_is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int csv_is_date(const struct csv_time *time)
{
    static const uint8_t days[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (time->year < 1 || time->month < 1 || time->month > 12 || time->day < 1) return 0;
    return time->day <= days[time->month] + (time->month == 2 && csv_is_leap(time->year));
}

/* Days since 1970-01-01.  Years begin in March here, so that a leap day comes last. */
static int32_t csv_days(const struct csv_time *time)
{
    int year = time->year - (time->month < 3);
    int month = time->month < 3 ? time->month + 9 : time->month - 3;
    int leaps = year / 4 - year / 100 + year / 400;
    return year * 365 + leaps + (153 * month + 2) / 5 + time->day - 719469;
}

static int64_t csv_microseconds(const struct csv_time *time)
{
    int64_t minutes = csv_days(time) * (int64_t)1440 + time->hour * 60 + time->minute;
    return ((minutes - time->zone) * 60 + time->second) * 1000000 + time->microsecond;
}

static int csv_read_date(const char **text, const char *end, struct csv_time *time)
{
    if (!csv_field(text, end, 4, 4, &time->year)) return 0;
    char mark = *text < end ? **text : '\0';
    if (mark == '-' || mark == '/') {
        ++*text;
        if (!csv_field(text, end, 1, 2, &time->month) || !csv_take(text, end, mark) ||
            !csv_field(text, end, 1, 2, &time->day)) {
            return 0;
        }
    } else if (!csv_field(text, end, 2, 2, &time->month) ||
               !csv_field(text, end, 2, 2, &time->day)) {
        return 0;
    }
    return csv_is_date(time);
}

enum mill_csv_result mill_csv_date(const char *text, size_t size, int32_t *days)
{
    struct csv_time time = {0};
    const char *end = text + size;
    if (!csv_read_date(&text, end, &time) || text != end) return MILL_CSV_BAD;
    *days = csv_days(&time);
    return MILL_CSV_GOOD;
}

static int csv_read_fraction(const char **text, const char *end, int *microsecond)
{
    const char *start = *text;
    int scale = 100000;
    for (; *text < end && csv_is_digit(**text); ++*text, scale /= 10) {
        *microsecond += (**text - '0') * scale;
    }
    return *text > start;
}

/* 15:30, 15:30:00, 15:30:00.25 or the same without colons. */
static int csv_read_clock(const char **text, const char *end, struct csv_time *time)
{
    if (!csv_field(text, end, 2, 2, &time->hour)) return 0;
    int colons = csv_take(text, end, ':');
    if (!csv_field(text, end, 2, 2, &time->minute)) return 0;
    int seconds = colons ? csv_take(text, end, ':') : *text < end && csv_is_digit(**text);
    if (seconds) {
        if (!csv_field(text, end, 2, 2, &time->second)) return 0;
        if (csv_take(text, end, '.') || csv_take(text, end, ',')) {
            if (!csv_read_fraction(text, end, &time->microsecond)) return 0;
        }
    }
    return time->hour < 24 && time->minute < 60 && time->second < 60;
}

/* Nothing, Z, +08:00, +0800 or +08; a blank may come before it. */
static int csv_read_zone(const char **text, const char *end, struct csv_time *time)
{
    int hours, minutes = 0;
    if (*text == end) return 1;
    csv_take(text, end, ' ');
    if (csv_take(text, end, 'Z') || csv_take(text, end, 'z')) return 1;
    int west = csv_take(text, end, '-');
    if (!west && !csv_take(text, end, '+')) return 0;
    if (!csv_field(text, end, 2, 2, &hours)) return 0;
    if ((csv_take(text, end, ':') || *text < end) && !csv_field(text, end, 2, 2, &minutes)) {
        return 0;
    }
    time->zone = (west ? -1 : 1) * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

enum mill_csv_result mill_csv_timestamp(const char *text, size_t size, int64_t *microseconds)
{
    struct csv_time time = {0};
    const char *end = text + size;
    if (!csv_read_date(&text, end, &time)) return MILL_CSV_BAD;
    if (text < end) {
        if (*text != 'T' && *text != 't' && *text != ' ') return MILL_CSV_BAD;
        text++;
        if (!csv_read_clock(&text, end, &time) || !csv_read_zone(&text, end, &time) ||
            text != end) {
            return MILL_CSV_BAD;
        }
    }
    *microseconds = csv_microseconds(&time);
    return MILL_CSV_GOOD;
}

static int csv_read_directive(const char **text, const char *end, char letter,
                              struct csv_time *time)
{
    switch (letter) {
    case 'Y':
        return csv_field(text, end, 4, 4, &time->year);
    case 'm':
        return csv_field(text, end, 1, 2, &time->month);
    case 'd':
        return csv_field(text, end, 1, 2, &time->day);
    case 'H':
        return csv_field(text, end, 1, 2, &time->hour) && time->hour < 24;
    case 'M':
        return csv_field(text, end, 1, 2, &time->minute) && time->minute < 60;
    case 'S':
        return csv_field(text, end, 1, 2, &time->second) && time->second < 60;
    default:
        return csv_take(text, end, letter);
    }
}

enum mill_csv_result mill_csv_formatted(const char *text, size_t size, const char *format,
                                        int64_t *microseconds)
{
    struct csv_time time = {0};
    const char *end = text + size;
    for (; *format; format++) {
        int directive = *format == '%' && format[1] != '\0';
        format += directive;
        int good = directive ? csv_read_directive(&text, end, *format, &time)
                             : csv_take(&text, end, *format);
        if (!good) return MILL_CSV_BAD;
    }
    if (text != end || !csv_is_date(&time)) return MILL_CSV_BAD;
    *microseconds = csv_microseconds(&time);
    return MILL_CSV_GOOD;
}
