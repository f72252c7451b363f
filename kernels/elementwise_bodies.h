/* elementwise_bodies: the inner loops of the elementwise kernels, found once and called for
 * block after block.  Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ELEMENTWISE_BODIES_H
#define MILL_ELEMENTWISE_BODIES_H

#include "kernels/bodies.h"
#include "kernels/elementwise.h"

/* The contract of tidemill_kernel_apply but for two things: arguments are not checked, and a NaN
 * in the output may be any NaN.  No op makes anything but a NaN of a NaN's sign and payload, so a
 * chain of bodies needs mill_one_nans once, at its end. */
typedef void mill_apply_body(const void *a, int64_t a_step, const void *b, int64_t b_step,
                             const void *c, int64_t c_step, void *out, int64_t n);

/* The body for the instruction set in use; NULL where tidemill_kernel_result_type gives 0. */
mill_apply_body *mill_apply_find(int32_t op, int32_t type);

/* Makes every NaN the one NaN; leaves types without NaN alone. */
void mill_one_nans(int32_t type, void *x, int64_t n);

/* Returns n, or the position of the first element refused; see tidemill_kernel_cast. */
typedef int64_t mill_cast_body(const void *x, void *out, int64_t n);

/* NULL for an unknown type.  A NaN in the output may be any NaN. */
mill_cast_body *mill_cast_find(int32_t from, int32_t to);

/* ---- Tables of bodies --------------------------------------------------------------------- */

enum { MILL_OPS = TIDEMILL_OP_CLIP + 1 };

/* Types that share bodies; what a type may do at all is tidemill_kernel_result_type's business. */
enum mill_class {
    MILL_CLASS_F64,
    MILL_CLASS_F32,
    MILL_CLASS_I64, /* timestamp too */
    MILL_CLASS_I32, /* date too */
    MILL_CLASS_U8,  /* bool and uint8 */
    MILL_CLASSES,
};

/* -1 for a type that no kernel here knows. */
int mill_class_of(int32_t type);

/* Bytes of an element. */
int64_t mill_class_size(int class);

/* NULL where there is none. */
typedef mill_apply_body *mill_apply_table[MILL_OPS][MILL_CLASSES];
/* From a class to one, or to bool in the last place. */
enum { MILL_CAST_BOOL = MILL_CLASSES, MILL_CASTS };
typedef mill_cast_body *mill_cast_table[MILL_CLASSES][MILL_CASTS];

/* The plain bodies, the specification, in three files. */
extern const mill_apply_table mill_arithmetic_plain;
extern const mill_apply_table mill_compare_plain;
extern const mill_apply_table mill_transcendental;
extern const mill_cast_table mill_cast_plain;

/* Whether any of n elements is NaN. */
typedef int mill_nan_test(const double *x, int64_t n);
typedef int mill_nan_test_float(const float *x, int64_t n);

#ifdef MILL_KERNEL_X86
mill_nan_test mill_has_nan_avx2, mill_has_nan_avx512;
mill_nan_test_float mill_has_nan_float_avx2, mill_has_nan_float_avx512;
extern const mill_apply_table mill_elementwise_avx2;
extern const mill_cast_table mill_cast_avx2;
extern const mill_apply_table mill_elementwise_avx512;
extern const mill_cast_table mill_cast_avx512;
#endif
#ifdef MILL_KERNEL_NEON
mill_nan_test mill_has_nan_neon;
mill_nan_test_float mill_has_nan_float_neon;
extern const mill_apply_table mill_elementwise_neon;
extern const mill_cast_table mill_cast_neon;
#endif

/* ---- For wider bodies --------------------------------------------------------------------- */

/* Elements of a wide body's block, and the sizes of its elements (0: no such operand).  A block
 * has at most MILL_APPLY_ROOM bytes. */
enum { MILL_APPLY_ROOM = 512 };
struct mill_apply_shape {
    int64_t count;
    uint8_t a, b, c, out;
};

/* `count` elements of `size` bytes, all equal to the one at x. */
void mill_apply_spread(void *room, const void *x, int64_t size, int64_t count);

/* Does n < shape->count elements by copying them into a whole block and calling `body` for that. */
void mill_apply_rest(mill_apply_body *body, const struct mill_apply_shape *shape, const void *a,
                     int64_t a_step, const void *b, int64_t b_step, const void *c,
                     int64_t c_step, void *out, int64_t n);

#endif
