/* arrow: arrays and frames handed to other engines in the process, and taken over from them, by Arrow's
 * C Data Interface: in place, where both keep the same bytes.  What is copied, since they do not:
 *
 *     out    bools, which are bytes here and bits there
 *     in     bools; times in other units than microseconds; offsets of 64 bits; dictionary codes of
 *            another type than int32; numbers with nulls under which something else lies than NaN
 *            (floats) or 0; bitmaps that begin inside a byte; what is not aligned to its type
 *
 * Arrays of several axes are lists of a fixed size there, each in the next.  Any thread.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ARROW_H
#define MILL_ARROW_H

#include "data/value.h"

/* Fills both structures with a value that is an array or a frame; it lives until both have been
 * released.  On failure neither is filled (their `release` is NULL).  TIDEMILL_USAGE: another kind of
 * value, a frame that a script has spoilt, a name that C strings cannot hold; TIDEMILL_MEMORY. */
tidemill_status mill_arrow_export(const struct mill_value *value, struct ArrowSchema *schema,
                                  struct ArrowArray *array, struct mill_error *error);

/* The value of two structures, which it takes over, on failure too: their `release` is NULL afterwards.
 * Structs become frames, all else arrays.  What the array owns is released, once, when the value and
 * all that was made of it in place are gone, by whichever thread lets go of it last.
 * TIDEMILL_DATA: they contradict themselves; TIDEMILL_UNSUPPORTED: a type that Tidemill does not have;
 * TIDEMILL_MEMORY.  The text names the column and its format. */
tidemill_status mill_arrow_import(struct ArrowSchema *schema, struct ArrowArray *array,
                                  struct mill_value *value, struct mill_error *error);

#endif
