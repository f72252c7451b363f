/* random_check: random numbers, the same of one seed on every machine.  For one file of a test program, which
 * sets random_state before it draws; threads have states of their own.  SPDX-License-Identifier: MIT */
#ifndef RANDOM_CHECK_H
#define RANDOM_CHECK_H

#include <stdint.h>

static uint64_t random_state;

/* From 0 to limit - 1; moves the state on. */
static inline uint32_t random_of(uint64_t *state, uint32_t limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % limit);
}

static inline uint32_t random_below(uint32_t limit)
{
    return random_of(&random_state, limit);
}

#endif
