/* causes: why a task is not answered from the cache, in words: "argument 2 changed", "3 -> 4".
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CAUSES_H
#define MILL_CAUSES_H

#include <stddef.h>

enum { MILL_CAUSES = 6, MILL_CAUSE_LABEL = 200, MILL_CAUSE_DETAIL = 160 };

struct mill_causes {
    const char *kind; /* of the first, for counting: "argument", "function body"; static text */
    int count;        /* that were found; the first MILL_CAUSES are kept */
    struct mill_cause {
        char label[MILL_CAUSE_LABEL];   /* the same for all values */
        char detail[MILL_CAUSE_DETAIL]; /* the values; "": nothing to tell */
    } list[MILL_CAUSES];
};

/* Adds one; `kind` is static text. */
void mill_causes_add(struct mill_causes *causes, const char *kind, const char *detail,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* All labels as one text: "upvalue threshold, argument 1 changed". */
void mill_causes_label(const struct mill_causes *causes, char *out, size_t room);

/* The same with what is to be told of each: "upvalue threshold: 0.5 -> 0.6". */
void mill_causes_text(const struct mill_causes *causes, char *out, size_t room);

#endif
