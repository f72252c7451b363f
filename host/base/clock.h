/* clock: time in nanoseconds, monotonic but for one.  SPDX-License-Identifier: MIT */
#ifndef MILL_CLOCK_H
#define MILL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline int64_t mill_clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The same to a few milliseconds, for a quarter of the price. */
static inline int64_t mill_clock_coarse(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nanoseconds since 1970, as the machine's clock is set. */
static inline int64_t mill_clock_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* `seconds` from now; negative or not finite: never (INT64_MAX). */
static inline int64_t mill_clock_after(double seconds)
{
    if (!(seconds >= 0 && seconds < 9e8)) return INT64_MAX;
    return mill_clock_now() + (int64_t)(seconds * 1e9);
}

/* Whether it is that late; a deadline of INT64_MAX costs no look at the clock. */
static inline bool mill_clock_passed(int64_t deadline)
{
    return deadline != INT64_MAX && mill_clock_now() >= deadline;
}

#endif
