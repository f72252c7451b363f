/* setting_rows: the table of settings, and how each reads and shows its value.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SETTING_ROWS_H
#define MILL_SETTING_ROWS_H

#include "bind/settings.h"

/* Until when a setting can be set. */
enum mill_setting_moment {
    MILL_ALWAYS,
    MILL_BEFORE_WORKERS,
    MILL_BEFORE_CACHE,
    MILL_BEFORE_LOG,
    MILL_BEFORE_BLAS
};

struct mill_setting_row {
    const char *name;
    enum mill_setting_kind kind;
    bool path; /* it names a file: in tidemill.conf counted from the folder of that */
    enum mill_setting_moment until;
    const char *expected; /* completes: "x" is not ... */
    /* Reads the text: TIDEMILL_USAGE when it is wrong.  `engine` NULL: only looks. */
    tidemill_status (*take)(struct tidemill *engine, const char *text);
    char *(*show)(
        struct tidemill *engine); /* malloc'ed text that `take` reads; NULL: no memory */
};

/* MILL_SETTING_COUNT of them, in order of name. */
extern const struct mill_setting_row mill_setting_rows[];

/* ---- for those who read and show values ------------------------------------------------- */

/* A text, malloc'ed; NULL: no memory. */
char *mill_setting_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A copy of the text, or NULL, in place of what is there. */
tidemill_status mill_setting_replace(char **place, const char *text);

/* The number of a word among `count`; -1: none of them. */
int mill_setting_word(const char *text, const char *const *words, int count);

#endif
