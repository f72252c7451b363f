/* parts: what a key is made of, as a list that two programs can be told apart by: the bytecode of
 * a function and of those that it calls, values that it captures, versions; each with a hash of
 * its own and, for people, in a few words.
 *
 * The byte form is one of data/packed.h's texts, numbers and hashes, of no use to anybody but
 * mill_parts_compare.  SPDX-License-Identifier: MIT */
#ifndef MILL_PARTS_H
#define MILL_PARTS_H

#include "cache/causes.h"
#include "data/packed.h"

enum mill_part_kind {
    MILL_PART_ENGINE = 'e',
    MILL_PART_VERSION = 'v',
    MILL_PART_SEED = 's',
    MILL_PART_FILE = 'f',   /* declared; the label is its path */
    MILL_PART_BODY = 'b',   /* of the task's function */
    MILL_PART_HELPER = 'h', /* a function that it calls; the text is how many calls away */
    MILL_PART_UPVALUE = 'u',
    MILL_PART_GLOBAL = 'g',
    MILL_PART_MODULE = 'm',
};

/* Adds a part; it is told from others of its kind by its label. */
void mill_parts_add(struct mill_packer *parts, enum mill_part_kind kind, const char *label,
                    struct mill_hash hash, const char *text);

/* What is different in `now`.  Safe on any bytes. */
void mill_parts_compare(const void *was, size_t was_size, const void *now, size_t now_size,
                        struct mill_causes *causes);

#endif
