/* nearest: the name that a user probably meant.
 * Start with the word, offer every name that would have been right, then ask.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_NEAREST_H
#define MILL_NEAREST_H

#include <stddef.h>

enum { MILL_NEAREST_LONGEST = 63 };

struct mill_nearest {
    const char *word; /* borrowed */
    size_t distance;  /* of the best name so far */
    char name[MILL_NEAREST_LONGEST + 1];
};

void mill_nearest_start(struct mill_nearest *nearest, const char *word);

/* The name is copied when it is the best so far; of equals the first offered stays. */
void mill_nearest_offer(struct mill_nearest *nearest, const char *name);

/* The best name offered, or NULL when none is near enough to be meant. */
const char *mill_nearest_name(const struct mill_nearest *nearest);

#endif
