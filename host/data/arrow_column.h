/* arrow_column: one column of another engine becomes an array, in place where it can.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ARROW_COLUMN_H
#define MILL_ARROW_COLUMN_H

#include "base/status.h"
#include "data/arrow_format.h"

/* An array that was taken over, and released with the last of the buffers that lie in it. */
struct mill_arrow_hold {
    _Atomic int64_t refs;
    struct ArrowArray array;
};

/* Moves an array there, with one reference; NULL: no memory, and the array is where it was. */
struct mill_arrow_hold *mill_arrow_hold(struct ArrowArray *array);
void mill_arrow_let_go(struct mill_arrow_hold *hold);

/* A column, or the elements of lists, or the words of a dictionary. */
struct mill_arrow_column {
    const char *name; /* of the column, for messages; NULL: an array by itself */
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
    struct mill_arrow_hold *hold; /* that has `array` */
    int64_t first, length; /* the elements that are wanted; `first` counts from the array's
                                     offset until it is opened, then from the start of its buffers */
    struct mill_error *error;
};

/* Says what is wrong with a column: its name and format, then the rest. */
tidemill_status mill_arrow_refuse(const struct mill_arrow_column *column,
                                  tidemill_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

tidemill_status mill_arrow_no_memory(const struct mill_arrow_column *column);

/* Whether the array has these elements, and so many buffers and children as its format asks for, of
 * which its schema tells as well.  TIDEMILL_DATA. */
tidemill_status mill_arrow_open(struct mill_arrow_column *column, int64_t buffers,
                                int64_t children);

/* Nulls among the wanted elements of an opened column with a bitmap.  TIDEMILL_DATA: the array itself
 * counts others. */
tidemill_status mill_arrow_count_nulls(const struct mill_arrow_column *column, int64_t *nulls);

/* The bitmap of the wanted elements; NULL with *nulls 0 when none is null.  Of an opened column. */
tidemill_status mill_arrow_validity(const struct mill_arrow_column *column,
                                    struct mill_buffer **validity, int64_t *nulls);

/* `size` bytes at `data`, which belong to the column, as a buffer; NULL: no memory. */
struct mill_buffer *mill_arrow_in_place(const struct mill_arrow_column *column,
                                        const void *data, size_t size);

/* Buffer number `number`, which may be missing only where there is nothing in it. */
tidemill_status mill_arrow_buffer(const struct mill_arrow_column *column, int number,
                                  const uint8_t **bytes);

/* The array of one that is neither list nor struct, and not opened yet. */
tidemill_status mill_arrow_elements(struct mill_arrow_column *column,
                                    const struct mill_arrow_format *format,
                                    struct mill_array **array);

/* ---- by form: for data/arrow_column.c ----------------------------------------------------- */

static inline bool mill_arrow_bit(const uint8_t *bits, int64_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

/* The parts of an array that is being made; owned. */
struct mill_arrow_parts {
    struct mill_buffer *values, *offsets, *validity;
    int64_t nulls;
    struct mill_array *dictionary;
};

static inline bool mill_arrow_present(const struct mill_arrow_parts *parts, int64_t i)
{
    return parts->validity == NULL || mill_arrow_bit(parts->validity->data, i);
}

/* Each makes what an array of the form consists of, from a column that is open and whose bitmap is in
 * *parts; what it has made by a failure stays there. */
tidemill_status mill_arrow_plain(const struct mill_arrow_column *column, enum mill_type type,
                                 struct mill_arrow_parts *parts);
tidemill_status mill_arrow_bools(const struct mill_arrow_column *column,
                                 struct mill_arrow_parts *parts);
tidemill_status mill_arrow_scaled(const struct mill_arrow_column *column,
                                  const struct mill_arrow_format *format,
                                  struct mill_arrow_parts *parts);
tidemill_status mill_arrow_nothing(const struct mill_arrow_column *column,
                                   struct mill_arrow_parts *parts);
tidemill_status mill_arrow_text(const struct mill_arrow_column *column, bool large,
                                struct mill_arrow_parts *parts);
tidemill_status mill_arrow_dictionary(const struct mill_arrow_column *column,
                                      const struct mill_arrow_format *format,
                                      struct mill_arrow_parts *parts);

#endif
