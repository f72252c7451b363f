/* units: numbers, sizes and times as people write them in settings.
 * SPDX-License-Identifier: MIT */
#include "base/units.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit sizes[] = {
    {"", 1},      {"B", 1},
    {"kB", 1e3},  {"KiB", 1024.0},
    {"MB", 1e6},  {"MiB", 1048576.0},
    {"GB", 1e9},  {"GiB", 1073741824.0},
    {"TB", 1e12}, {"TiB", 1099511627776.0},
    {NULL, 0},
};

static const struct unit times[] = {
    {"", 1},      {"s", 1},     {"m", 60},    {"h", 3600},
    {"d", 86400}, {"ms", 1e-3}, {"us", 1e-6}, {NULL, 0},
};

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t') text++;
    return text;
}

/* ---- decimal numbers -------------------------------------------------------------------- */

/* Digits as a number of at most 19 digits and the power of ten that it lacks. */
struct decimal {
    uint64_t digits;
    int power;
    bool any;
};

static const char *read_digits(const char *text, struct decimal *decimal, int step)
{
    for (; mill_is_digit(*text); text++) {
        decimal->any = true;
        if (decimal->digits <= (UINT64_MAX - 9) / 10) {
            decimal->digits = decimal->digits * 10 + (uint64_t)(*text - '0');
            decimal->power -= step;
        } else {
            decimal->power += 1 - step;
        }
    }
    return text;
}

/* "e", sign, digits; when it is not that, it is no exponent and the text goes on at the e. */
static const char *read_exponent(const char *text, int *power)
{
    const char *at = text + 1;
    bool negative = *at == '-';
    int exponent = 0;
    if (*at == '-' || *at == '+') at++;
    if (!mill_is_digit(*at)) return text;
    for (; mill_is_digit(*at); at++) {
        if (exponent < 100000) exponent = exponent * 10 + (*at - '0');
    }
    *power += negative ? -exponent : exponent;
    return at;
}

/* Where both parts fit a double exactly, one operation rounds once: the nearest double.  Else the
 * error is at most a unit in the last place. */
static double value_of(const struct decimal *decimal)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int power = decimal->power;
    if (decimal->digits <= UINT64_C(1) << 53 && power >= -22 && power <= 22) {
        double digits = (double)decimal->digits;
        return power < 0 ? digits / tens[-power] : digits * tens[power];
    }
    long double digits = (long double)decimal->digits;
    if (decimal->digits == 0) return 0;
    digits = power < 0 ? digits / powl(10, -power) : digits * powl(10, power);
    return digits <= (long double)DBL_MAX ? (double)digits : INFINITY;
}

/* The number that the text begins with, and what follows it; NULL: it begins with none. */
static const char *read_number(const char *text, double *number)
{
    struct decimal decimal = {0};
    bool negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    text = read_digits(text, &decimal, 0);
    if (*text == '.') text = read_digits(text + 1, &decimal, 1);
    if (!decimal.any) return NULL;
    if (*text == 'e' || *text == 'E') text = read_exponent(text, &decimal.power);
    double value = value_of(&decimal);
    if (value > DBL_MAX) return NULL;
    *number = negative ? -value : value;
    return text;
}

bool mill_units_number(const char *text, double *number)
{
    double value;
    const char *end = read_number(skip_blanks(text), &value);
    if (end == NULL || *skip_blanks(end) != '\0') return false;
    *number = value;
    return true;
}

/* Counted downwards: there is one negative number more. */
bool mill_units_whole(const char *text, int64_t least, int64_t most, int64_t *number)
{
    int64_t value = 0;
    text = skip_blanks(text);
    bool negative = *text == '-';
    if (negative) text++;
    if (!mill_is_digit(*text)) return false;
    for (; mill_is_digit(*text); text++) {
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_sub_overflow(value, *text - '0', &value)) return false;
    }
    if (*skip_blanks(text) != '\0') return false;
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value)) return false;
    if (value < least || value > most) return false;
    *number = value;
    return true;
}

/* ---- numbers with a unit ---------------------------------------------------------------- */

static const struct unit *find_unit(const struct unit *units, const char *name, size_t size)
{
    for (; units->name; units++) {
        if (strncasecmp(units->name, name, size) == 0 && units->name[size] == '\0') {
            return units;
        }
    }
    return NULL;
}

/* A number of at least 0 and the unit behind it; false: it is none. */
static bool read_units(const char *text, const struct unit *units, double *value)
{
    const char *name = read_number(skip_blanks(text), value);
    if (name == NULL || *value < 0) return false;
    name = skip_blanks(name);
    size_t size = 0;
    while ((name[size] | 32) >= 'a' && (name[size] | 32) <= 'z') size++;
    const struct unit *unit = find_unit(units, name, size);
    if (unit == NULL || *skip_blanks(name + size) != '\0') return false;
    *value *= unit->factor;
    return true;
}

static bool read_percent(const char *text, double *share)
{
    const char *end = read_number(skip_blanks(text), share);
    if (end == NULL || *(end = skip_blanks(end)) != '%') return false;
    return *skip_blanks(end + 1) == '\0' && *share >= 0 && *share <= 100;
}

bool mill_units_bytes(const char *text, int64_t whole, int64_t *bytes)
{
    double value;
    if (whole > 0 && read_percent(text, &value)) {
        *bytes = llround(value / 100 * (double)whole);
        return true;
    }
    if (!read_units(text, sizes, &value) || !(value < 9223372036854774784.0)) return false;
    *bytes = llround(value);
    return true;
}

bool mill_units_seconds(const char *text, double *seconds)
{
    double value;
    if (!read_units(text, times, &value) || !(value <= DBL_MAX)) return false;
    *seconds = value;
    return true;
}
