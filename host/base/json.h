/* json: texts and numbers as JSON writes them.  SPDX-License-Identifier: MIT */
#ifndef MILL_JSON_H
#define MILL_JSON_H

#include <stddef.h>

/* Room that a text of `size` bytes needs at most. */
#define MILL_JSON_ROOM(size) (6 * (size) + 2)

enum { MILL_JSON_NUMBER = 32 };

/* Writes the text in quotes and gives the bytes written; no terminator.  Control characters are
 * escaped; bytes that are not UTF-8 become U+FFFD, since JSON has no others. */
size_t mill_json_text(char *out, const char *text, size_t size);

/* Writes the shortest number that reads back as the same, in any locale, with a terminator; null
 * for NaN and infinities.  Gives its length. */
size_t mill_json_number(char out[MILL_JSON_NUMBER], double number);

/* Length of the UTF-8 character that the text begins with; 0: it begins with none. */
size_t mill_utf8_length(const char *text, size_t size);

#endif
