/* nearest: the name that a user probably meant.  SPDX-License-Identifier: MIT */
#ifndef MILL_NEAREST_H
#define MILL_NEAREST_H

#include <stddef.h>

/* The nearest of `count` names to `word`, or NULL when none is near enough to be meant.  Distance
 * is counted in insertions, deletions, replacements and swaps of neighbours, whatever the case;
 * of equals the first.  Any thread. */
const char *mill_nearest(const char *word, const char *const *names, size_t count);

#endif
