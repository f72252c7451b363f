/* arrow_format: what a format string of Arrow's C Data Interface says of a column.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ARROW_FORMAT_H
#define MILL_ARROW_FORMAT_H

#include "data/array.h"

/* How the elements lie. */
enum mill_arrow_form {
    MILL_ARROW_PLAIN,   /* as ours */
    MILL_ARROW_BITS,    /* bools, a bit each */
    MILL_ARROW_TEXT,    /* offsets of 32 bits */
    MILL_ARROW_LARGE,   /* offsets of 64 bits */
    MILL_ARROW_SCALED,  /* int64 in a unit of its own */
    MILL_ARROW_NOTHING, /* null everywhere, without memory */
    MILL_ARROW_LIST,    /* lists of one size: an axis */
    MILL_ARROW_STRUCT,
};

struct mill_arrow_format {
    enum mill_arrow_form form;
    enum mill_type type; /* what it becomes; of lists and structs none */
    int64_t times,
        divide;   /* of SCALED: ours is its number times one of them, through the other */
    int64_t size; /* of LIST: elements in each */
};

/* Reads a format; false: it is none that Tidemill has a type for. */
bool mill_arrow_parse(const char *text, struct mill_arrow_format *format);

/* What an unknown format is called in words, such as "decimal numbers"; "" for one that nobody knows. */
const char *mill_arrow_describe(const char *text);

#endif
