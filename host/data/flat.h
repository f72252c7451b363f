/* flat: how an array is described in bytes, and how one is put together from parts that came from
 * outside.  What the two byte forms of values, codec and wire, have in common: they differ in
 * where the parts lie.  SPDX-License-Identifier: MIT */
#ifndef MILL_FLAT_H
#define MILL_FLAT_H

#include "data/array.h"

/* Followed by `dimensions` sizes.  Part of the cache's format. */
struct mill_flat_head {
    int64_t length, nulls, values_size;
    int32_t type, dimensions;
    uint8_t has_validity, has_dictionary, reserved[6];
};

struct mill_flat_head mill_flat_head_of(const struct mill_array *array);

/* Whether sizes and flags agree with each other; of a head from anywhere. */
bool mill_flat_is_sound(const struct mill_flat_head *head);

static inline size_t mill_flat_offsets_size(const struct mill_flat_head *head)
{
    return ((size_t)head->length + 1) * 4;
}

static inline size_t mill_flat_validity_size(const struct mill_flat_head *head)
{
    return ((size_t)head->length + 7) / 8;
}

/* The array of a sound head and parts that have the sizes it asks for (those of its type; the
 * others NULL), whose references pass to it, on failure too.  Looks at what the parts hold:
 * offsets, codes, counts.  NULL and *status: TIDEMILL_DATA or TIDEMILL_MEMORY. */
struct mill_array *mill_flat_array(const struct mill_flat_head *head, const int64_t *shape,
                                   struct mill_buffer *values, struct mill_buffer *offsets,
                                   struct mill_buffer *validity, struct mill_array *dictionary,
                                   tidemill_status *status);

#endif
