/* units: numbers, sizes and times as people write them in settings.
 * The same text is the same number in any locale.  Blanks around it, and between a number and its
 * unit, are allowed; anything else makes it no number, and leaves the result as it was.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_UNITS_H
#define MILL_UNITS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool mill_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A decimal number that a double can hold: "2", "-0.5", ".5", "1e3". */
bool mill_units_number(const char *text, double *number);

/* A whole number from `least` to `most`, digits alone: "-3", "200". */
bool mill_units_whole(const char *text, int64_t least, int64_t most, int64_t *number);

/* Bytes, to the nearest: "4096", "512MB" (10^6), "2GiB" (2^30), "1.5 kB", of any case; "50%" is a
 * share of `whole` bytes, up to 100%, and no size where `whole` is 0. */
bool mill_units_bytes(const char *text, int64_t whole, int64_t *bytes);

/* Seconds, from 0: "60", "60s", "5m", "1.5h", "1d", "250ms", "10us". */
bool mill_units_seconds(const char *text, double *seconds);

#endif
