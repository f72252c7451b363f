/* elementwise: arithmetic, comparison, choice and casts, element by element.
 * Read by C and by ffi.cdef; see kernels.h for what holds for every kernel.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_ELEMENTWISE_H
#define TIDEMILL_ELEMENTWISE_H
#include "kernels/kernels.h"

/* The numbers stand in plans that outlive a process: never renumber. */
enum tidemill_op {
    /* Two operands, the result has their type. */
    TIDEMILL_OP_ADD = 1,
    TIDEMILL_OP_SUB = 2,
    TIDEMILL_OP_MUL = 3,
    TIDEMILL_OP_DIV = 4,
    TIDEMILL_OP_MOD = 5,
    TIDEMILL_OP_POW = 6,
    TIDEMILL_OP_MIN = 7,
    TIDEMILL_OP_MAX = 8,
    TIDEMILL_OP_ATAN2 = 9, /* a is y, b is x */
    /* Two operands, the result is bool. */
    TIDEMILL_OP_EQ = 10,
    TIDEMILL_OP_NE = 11,
    TIDEMILL_OP_LT = 12,
    TIDEMILL_OP_LE = 13,
    TIDEMILL_OP_GT = 14,
    TIDEMILL_OP_GE = 15,
    /* Two operands, the result has their type: of bools or of the bits of integers. */
    TIDEMILL_OP_AND = 16,
    TIDEMILL_OP_OR = 17,
    TIDEMILL_OP_XOR = 18,
    /* One operand, the result has its type. */
    TIDEMILL_OP_NEG = 20,
    TIDEMILL_OP_ABS = 21,
    TIDEMILL_OP_SIGN = 22,
    TIDEMILL_OP_SQRT = 23,
    TIDEMILL_OP_SQUARE = 24,
    TIDEMILL_OP_RECIPROCAL = 25,
    TIDEMILL_OP_FLOOR = 26,
    TIDEMILL_OP_CEIL = 27,
    TIDEMILL_OP_ROUND = 28, /* half to even */
    TIDEMILL_OP_TRUNC = 29,
    TIDEMILL_OP_NOT = 30,
    TIDEMILL_OP_COPY = 31,
    /* One operand, the result is bool. */
    TIDEMILL_OP_ISNAN = 32,
    TIDEMILL_OP_ISFINITE = 33,
    TIDEMILL_OP_ISINF = 34,
    /* One float operand: kernels/elementary.h. */
    TIDEMILL_OP_EXP = 40,
    TIDEMILL_OP_EXP2 = 41,
    TIDEMILL_OP_EXPM1 = 42,
    TIDEMILL_OP_LOG = 43,
    TIDEMILL_OP_LOG1P = 44,
    TIDEMILL_OP_LOG2 = 45,
    TIDEMILL_OP_LOG10 = 46,
    TIDEMILL_OP_SIN = 47,
    TIDEMILL_OP_COS = 48,
    TIDEMILL_OP_TAN = 49,
    TIDEMILL_OP_ASIN = 50,
    TIDEMILL_OP_ACOS = 51,
    TIDEMILL_OP_ATAN = 52,
    TIDEMILL_OP_SINH = 53,
    TIDEMILL_OP_COSH = 54,
    TIDEMILL_OP_TANH = 55,
    /* Three operands, the result has the type of the last two. */
    TIDEMILL_OP_WHERE = 60, /* a (bool) ? b : c */
    TIDEMILL_OP_CLIP = 61   /* a, not below b, then not above c */
};

/* What each type can do, and what comes of it:
 *
 * - float64, float32: everything but AND, OR, XOR, NOT.
 * - int64, int32: ADD SUB MUL MOD MIN MAX, comparisons, AND OR XOR NOT, NEG ABS SIGN SQUARE,
 *   FLOOR CEIL ROUND TRUNC (which change nothing), COPY, ISNAN ISFINITE ISINF, WHERE, CLIP.  DIV,
 *   POW, roots and the transcendental ones are refused: the caller casts to float64 first.
 * - bool: ADD and MUL (or, and: of two truths), MIN, MAX, comparisons (false is below true), AND
 *   OR XOR NOT, COPY, ISNAN ISFINITE ISINF, WHERE, CLIP.  An input that is neither 0 nor 1 means
 *   nothing.
 * - date, timestamp: ADD and SUB as the integers they are, MIN, MAX, comparisons, COPY, WHERE, CLIP.
 * - uint8: MIN, MAX, comparisons, COPY, WHERE, CLIP.
 *
 * Rules:
 *
 * - Integers wrap around (two's complement): ADD, SUB, MUL, SQUARE, NEG and ABS of the least.
 * - MOD is floored, the result has the divisor's sign.  Of floats it is exact (fmod, moved by one
 *   divisor where the signs differ); a zero takes the divisor's sign; NaN by zero, of an infinity
 *   and by NaN; by an infinity of the other sign it is that infinity.  Of integers by zero: 0.
 * - MIN, MAX and CLIP give NaN when any operand is NaN.  Of two equal values (zeros of both
 *   signs) MIN and MAX give the second.  CLIP is MIN(MAX(a, b), c): c where b > c.
 * - SIGN is -1, 0 or 1, NaN of NaN; 0 of -0.
 * - Comparisons with NaN are false, but NE is true.
 * - ADD, SUB, MUL, DIV, SQRT and RECIPROCAL round as IEEE 754 says, once.  float32 stays float32.
 *   POW, ATAN2 and the transcendental ones of float32 are computed in float64 and rounded.
 * - A NaN in the output is the one NaN, whatever NaN came in; COPY, WHERE and NEG too. */

/* Type of the result, 0 when the op or the type is unknown or the type cannot do it.  `type` is
 * that of the operands; of WHERE that of b and c. */
TIDEMILL_KERNEL int32_t tidemill_kernel_result_type(int32_t op, int32_t type);

/* Operands an op has: 1, 2 or 3; 0 when it is unknown. */
TIDEMILL_KERNEL int32_t tidemill_kernel_operands(int32_t op);

/* out[i] = op(a[i * a_step], b[i * b_step], c[i * c_step]).  A step is 1, or 0 for one element
 * that stands for all; operands that the op lacks are not looked at.  Any address that suits an
 * element will do.  `out` may be a, b or c itself, with step 1, when their elements have one size;
 * it may not overlap one in another way.  Returns 0, or -1. */
TIDEMILL_KERNEL int64_t tidemill_kernel_apply(int32_t op, int32_t type, const void *a,
                                              int64_t a_step, const void *b, int64_t b_step,
                                              const void *c, int64_t c_step, void *out,
                                              int64_t n);

/* Converts between any two of the types above.  What the new type cannot hold is refused: a NaN, an
 * infinity or a number outside the range of an integer type.  Floats are cut toward zero, 64-bit
 * integers are rounded to the nearest float (half to even), as float64 is to float32.  To bool:
 * whether it is not 0 (NaN is true).  Dates become timestamps at midnight, timestamps become the
 * date they fall on; otherwise both count as integers.  Returns n, or the position of the first
 * element refused (what `out` then holds means nothing), or -1 for an unknown type.  `out` may be
 * x itself when the elements have one size. */
TIDEMILL_KERNEL int64_t tidemill_kernel_cast(int32_t from, int32_t to, const void *x, void *out,
                                             int64_t n);

#endif
