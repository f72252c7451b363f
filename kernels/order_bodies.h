/* order_bodies: what the files of the family `order` share: the key of a value, radix sorts, and
 * the sort of doubles that exists once per instruction set.
 * Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_ORDER_BODIES_H
#define MILL_KERNEL_ORDER_BODIES_H

#include <string.h>

#include "kernels/bodies.h"
#include "kernels/order.h"

/* Words that may lie where other types lie. */
typedef uint32_t mill_word32 __attribute__((may_alias));
typedef uint64_t mill_word64 __attribute__((may_alias));
typedef double mill_loose_double __attribute__((may_alias));

/* ---- Kinds of values -------------------------------------------------------------------- */

/* The types that sort alike are one kind. */
enum mill_kind {
    MILL_KIND_F64,
    MILL_KIND_F32,
    MILL_KIND_I64,
    MILL_KIND_I32,
    MILL_KIND_U8,
    MILL_KINDS
};

/* MILL_KINDS when there is no such type. */
static inline enum mill_kind mill_kind_of(int64_t type)
{
    switch (type) {
    case TIDEMILL_FLOAT64:
        return MILL_KIND_F64;
    case TIDEMILL_FLOAT32:
        return MILL_KIND_F32;
    case TIDEMILL_INT64:
    case TIDEMILL_TIMESTAMP:
        return MILL_KIND_I64;
    case TIDEMILL_INT32:
    case TIDEMILL_DATE:
        return MILL_KIND_I32;
    case TIDEMILL_BOOL:
    case TIDEMILL_UINT8:
        return MILL_KIND_U8;
    default:
        return MILL_KINDS;
    }
}

static inline int64_t mill_kind_size(enum mill_kind kind)
{
    return kind == MILL_KIND_U8 ? 1 : kind == MILL_KIND_F32 || kind == MILL_KIND_I32 ? 4 : 8;
}

static inline int mill_kind_floats(enum mill_kind kind)
{
    return kind == MILL_KIND_F64 || kind == MILL_KIND_F32;
}

/* ---- Keys ------------------------------------------------------------------------------- */

/* The key of a value: values are in order when their keys, unsigned, are.  -0 has the key of 0,
 * every NaN the largest, which no other float has. */
static inline uint64_t mill_key_f64(double value)
{
    uint64_t bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    if (value != value) return UINT64_MAX;
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | 1ull << 63);
}

static inline uint64_t mill_key_f32(float value)
{
    uint32_t bits;
    value += 0.0f;
    memcpy(&bits, &value, sizeof bits);
    if (value != value) return UINT64_MAX;
    return bits ^ ((uint32_t)((int32_t)bits >> 31) | 1u << 31);
}

static inline uint64_t mill_key_i64(int64_t value)
{
    return (uint64_t)value ^ 1ull << 63;
}

static inline uint64_t mill_key_i32(int32_t value)
{
    return (uint32_t)value ^ 1u << 31;
}

static inline uint64_t mill_key(enum mill_kind kind, const void *x, int64_t i)
{
    switch (kind) {
    case MILL_KIND_F64:
        return mill_key_f64(((const double *)x)[i]);
    case MILL_KIND_F32:
        return mill_key_f32(((const float *)x)[i]);
    case MILL_KIND_I64:
        return mill_key_i64(((const int64_t *)x)[i]);
    case MILL_KIND_I32:
        return mill_key_i32(((const int32_t *)x)[i]);
    default:
        return ((const uint8_t *)x)[i];
    }
}

/* How many binary digits a word has. */
static inline int mill_bits_of(uint64_t word)
{
    return word ? 64 - __builtin_clzll(word) : 0;
}

/* ---- Radix sorts ------------------------------------------------------------------------ */

/* Sort n words by their bits from..to-1, words that are equal there in their old order.
 * Return where they ended: x or scratch. */
uint32_t *mill_radix32(uint32_t *x, uint32_t *scratch, int64_t n, int from, int to);
uint64_t *mill_radix64(uint64_t *x, uint64_t *scratch, int64_t n, int from, int to);

/* ---- Sorting doubles -------------------------------------------------------------------- */

/* Values that lie in several places; n is the sum of the lengths. */
struct mill_sort_input {
    int64_t runs;
    const void *const *parts;
    const int64_t *lengths;
    int64_t n;
};

/* Sorts n doubles, none of them NaN; scratch has n places.  0 and -0 come in any order. */
typedef void mill_sort_doubles(double *x, double *scratch, int64_t n);
/* The same from an input that it leaves alone into out; 0, with out undefined, when it is not for
 * this body: it is short, there is a NaN, or many are equal. */
typedef int mill_sort_input(const struct mill_sort_input *input, double *out, double *scratch);

mill_sort_doubles mill_sort_doubles_plain;
#ifdef MILL_KERNEL_X86
mill_sort_doubles mill_sort_doubles_avx2;
mill_sort_input mill_sort_input_avx2;
/* With a limit for the depth of splitting, for tests of what comes after it. */
void mill_sort_doubles_limited_avx2(double *x, double *scratch, int64_t n, int splits);
#endif

/* The wider bodies in use, or NULL. */
mill_sort_doubles *mill_sort_doubles_wide(void);
mill_sort_input *mill_sort_input_wide(void);

/* Sorts n words below 2^to by their bits from..to-1; where these are equal the words ascend
 * already.  Returns where they ended: x or scratch. */
uint64_t *mill_sort_words(uint64_t *x, uint64_t *scratch, int64_t n, int from, int to);

/* ---- Sorted positions ------------------------------------------------------------------- */

/* Leaves in words the positions, from 0, of n values in sorted order, those of the NaNs last;
 * returns how many are no NaN.  words and scratch have n places each. */
int64_t mill_argsort(enum mill_kind kind, const void *x, int64_t n, int64_t descending,
                     uint64_t *words, uint64_t *scratch);

/* Whether positions up to n can be told in `width` bytes, counted from base. */
int mill_positions_fit(int64_t n, int64_t width, int64_t base);

#endif
