/* text: small files of the system (/proc, /sys), read whole, and the numbers in them.
 * What such a file says depends on kernel and container, so nothing here trusts it: a file that
 * is not there and a number that is none are answers, not failures.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_TEXT_H
#define MILL_TEXT_H

#include <stdint.h>

/* The file root/path as a terminated text, for free(); NULL when it cannot be read.  No more
 * than its first 4 MiB.  `root` is "" but in tests, which bring files of their own. */
char *mill_text_read(const char *root, const char *path);

/* The whole number >= 0 that begins the text (blanks may come before) and ends at a blank or
 * with the text; INT64_MAX when it is larger than that; -1 when there is none. */
int64_t mill_text_number(const char *text);

/* The number of the first line "name number" or "name: number"; -1 when there is none. */
int64_t mill_text_field(const char *text, const char *name);

#endif
