/* brief: a value in a few words, for people: 3, "text", {1, x = true}, float64[100].
 * Reads the packed form as it is: nothing is decoded and no code runs.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_BRIEF_H
#define MILL_BRIEF_H

#include "data/value.h"

/* A line under construction; init with the room that it has, at least 8 bytes.  What does not
 * fit is left out and "..." stands there; a character is never cut. */
struct mill_brief {
    char *text; /* always terminated */
    size_t size, room;
    bool full;
};

void mill_brief_init(struct mill_brief *brief, char *text, size_t room);

/* Appends these words; false when they do not fit. */
bool mill_brief_add(struct mill_brief *brief, const char *words);

/* Appends a text in quotes, or its beginning. */
void mill_brief_text(struct mill_brief *brief, const char *text, size_t size);

/* Appends a value.  The result of a node stands as byte 1, its index, byte 2: bytes that occur
 * nowhere else. */
void mill_brief_value(struct mill_brief *brief, const struct mill_value *value);

#endif
