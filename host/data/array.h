/* array: typed, immutable columns in Arrow's layout, counted, shared between states.
 * The struct is read by C and, through ffi.cdef, by Lua (see lua/tidemill/array.lua).
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ARRAY_H
#define MILL_ARRAY_H

#include <stdbool.h>

#include "base/hash.h"
#include "base/status.h"
#include "data/buffer.h"

/* The numbers are part of the cache's format: never renumber. */
enum mill_type {
    MILL_BOOL = 1, /* a byte each, 0 or 1 */
    MILL_INT8 = 2,
    MILL_INT16 = 3,
    MILL_INT32 = 4,
    MILL_INT64 = 5,
    MILL_UINT8 = 6,
    MILL_UINT16 = 7,
    MILL_UINT32 = 8,
    MILL_UINT64 = 9,
    MILL_FLOAT32 = 10,
    MILL_FLOAT64 = 11,
    MILL_UTF8 = 12,       /* int32 offsets, length + 1 of them, into bytes */
    MILL_DICTIONARY = 13, /* int32 codes from 0 into `dictionary`, a utf8 array */
    MILL_DATE = 14,       /* int32 days since 1970-01-01 */
    MILL_TIMESTAMP = 15,  /* int64 microseconds since 1970-01-01 UTC */
};

enum { MILL_MAX_DIMENSIONS = 8 };

struct mill_array {
    void *values;            /* elements, row-major; utf8: its bytes */
    const int32_t *offsets;  /* utf8 only */
    const uint8_t *validity; /* one bit an element, lowest first, 1 = present; NULL: no nulls */
    struct mill_array *dictionary;
    int64_t length; /* elements in all */
    int64_t nulls;
    int64_t shape[MILL_MAX_DIMENSIONS];
    int32_t type; /* enum mill_type */
    int32_t dimensions;
    /* C only from here on. */
    _Atomic int64_t refs;
    struct mill_buffer *values_buffer, *offsets_buffer, *validity_buffer; /* owned */
};

/* Bytes of one element; 1 for utf8 (its bytes), 4 for dictionary codes. */
size_t mill_type_size(enum mill_type type);
/* What lies under a null of a type of fixed size, which may be read like any element: NaN or 0.  8 bytes,
 * the first ones of which count. */
void mill_type_nothing(enum mill_type type, void *element);
const char *mill_type_name(enum mill_type type); /* "float64", ..; NULL for an unknown number */
enum mill_type mill_type_from_name(const char *name, size_t size); /* 0 when unknown */

/* A one-dimensional array over buffers whose references pass to it, on failure too.  `values`
 * may start anywhere aligned to its type; for utf8 `offsets` has length + 1 entries.  NULL when
 * memory is short. */
struct mill_array *mill_array_wrap(enum mill_type type, int64_t length,
                                   struct mill_buffer *values, struct mill_buffer *offsets,
                                   struct mill_buffer *validity, int64_t nulls,
                                   struct mill_array *dictionary);

/* A new array with uninitialised elements of a fixed-size type, to be filled by its maker. */
struct mill_array *mill_array_new(struct mill_memory *memory, enum mill_type type,
                                  int64_t length);

/* A new utf8 array of so many strings and bytes, at most INT32_MAX, whose offsets and bytes its maker
 * fills in. */
struct mill_array *mill_array_text(struct mill_memory *memory, int64_t length, int64_t bytes);

/* Elements [first, first + length) (from 0, in row-major order) as one axis, without a copy; a
 * validity bitmap is copied unless `first` is a multiple of 8. */
struct mill_array *mill_array_slice(struct mill_array *array, int64_t first, int64_t length);

/* The elements from `first` on in another shape, without a copy: whole arrays, rows, rows of rows.
 * The product of the shape's sizes, none negative, is the number of elements. */
struct mill_array *mill_array_view(struct mill_array *array, int64_t first, int dimensions,
                                   const int64_t *shape);

/* Its buffers are published: nobody writes them any more. */
void mill_array_publish(struct mill_array *array);

struct mill_array *mill_array_ref(struct mill_array *array);
void mill_array_unref(struct mill_array *array); /* NULL is fine */

/* Hash of the content: type, shape, values of present elements' buffers, validity, dictionary.
 * Equal arrays hash alike wherever their memory came from. */
struct mill_hash mill_array_hash(const struct mill_array *array);

/* Nulls among the first `length` bits of a validity bitmap. */
int64_t mill_bitmap_count_zeros(const uint8_t *bits, int64_t length);

static inline bool mill_array_present(const struct mill_array *array, int64_t i)
{
    return array->validity == NULL || (array->validity[i >> 3] >> (i & 7) & 1);
}

#endif
