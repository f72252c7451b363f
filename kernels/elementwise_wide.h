/* elementwise_wide: bodies of the elementwise ops in vectors, written once for each instruction
 * set; see kernels/wide.h.  A body works in whole blocks of a few vectors; an operand with step 0
 * is spread over a block once and read again for each; what is left over is made a block.
 *
 * The file that includes this has defined, for vectors of its set:
 *     any        whether a mask has a bit
 *     narrow64, narrow32   8 (4) masks as one vector of bytes that are 0 or -1
 *     mask64, mask32       bytes at an address as one vector of their negatives: of bools, a mask
 *     unordered  of doubles and (unordered_float) of floats: a mask where one of two is NaN
 *     sqrt, floor, ceil, round, trunc   of doubles and (.._float) of floats
 * SPDX-License-Identifier: MIT */
#include "kernels/elementwise_bodies.h"

#define APPLY_V(type) MILL_WIDE(mill_##type##_vector)

/* `size`, `a_size` .. are those of an element; 0: there is no such operand. */
#define APPLY_BLOCK(name)                                                                      \
    MILL_TARGET static inline __attribute__((always_inline)) void MILL_WIDE(name##_block)(     \
        const char *a, const char *b, const char *c, char *out)

#define APPLY_BODY(name, count, a_size, b_size, c_size, out_size)                              \
    MILL_TARGET static void MILL_WIDE(name)(const void *a, int64_t a_step, const void *b,      \
                                            int64_t b_step, const void *c, int64_t c_step,     \
                                            void *out, int64_t n)                              \
    {                                                                                          \
        static const struct mill_apply_shape shape = {count, a_size, b_size, c_size,           \
                                                      out_size};                               \
        _Alignas(64) char room[3][MILL_APPLY_ROOM];                                            \
        const char *x = a, *y = b, *z = c;                                                     \
        char *result = out;                                                                    \
        int64_t whole = n - n % (count);                                                       \
        if (whole > 0 && !a_step) mill_apply_spread(room[0], a, a_size, count), x = room[0];   \
        if (whole > 0 && b_size && !b_step)                                                    \
            mill_apply_spread(room[1], b, b_size, count), y = room[1];                         \
        if (whole > 0 && c_size && !c_step)                                                    \
            mill_apply_spread(room[2], c, c_size, count), z = room[2];                         \
        for (int64_t i = 0; i < whole; i += count) {                                           \
            MILL_WIDE(name##_block)(x, y, z, result);                                          \
            x += a_step * (int64_t)(count * a_size);                                           \
            if (b_size) y += b_step * (int64_t)(count * b_size);                               \
            if (c_size) z += c_step * (int64_t)(count * c_size);                               \
            result += count * out_size;                                                        \
        }                                                                                      \
        if (whole < n)                                                                         \
            mill_apply_rest(MILL_WIDE(name), &shape, a_step ? x : a, a_step, b_step ? y : b,   \
                            b_step, c_step ? z : c, c_step, result, n - whole);                \
    }

#define APPLY_UNROLL      4 /* vectors in a block */
#define APPLY_LANES(type) ((int)(MILL_WIDE_BYTES / sizeof(type)))
#define APPLY_EACH(k)     _Pragma("GCC unroll 8") for (int k = 0; k < APPLY_UNROLL; k++)

/* Bodies whose result is `value`, made of the vectors p, q and r. */
#define APPLY_UNARY(name, type, value)                                                         \
    APPLY_BLOCK(name)                                                                          \
    {                                                                                          \
        (void)b, (void)c;                                                                      \
        APPLY_EACH(k)                                                                          \
        {                                                                                      \
            APPLY_V(type) p = ((const APPLY_V(type) *)a)[k];                                   \
            ((APPLY_V(type) *)out)[k] = (APPLY_V(type))(value);                                \
        }                                                                                      \
    }                                                                                          \
    APPLY_BODY(name, APPLY_UNROLL *APPLY_LANES(type), sizeof(type), 0, 0, sizeof(type))

#define APPLY_BINARY(name, type, value)                                                        \
    APPLY_BLOCK(name)                                                                          \
    {                                                                                          \
        (void)c;                                                                               \
        APPLY_EACH(k)                                                                          \
        {                                                                                      \
            APPLY_V(type)                                                                      \
            p = ((const APPLY_V(type) *)a)[k], q = ((const APPLY_V(type) *)b)[k];              \
            ((APPLY_V(type) *)out)[k] = (APPLY_V(type))(value);                                \
        }                                                                                      \
    }                                                                                          \
    APPLY_BODY(name, APPLY_UNROLL *APPLY_LANES(type), sizeof(type), sizeof(type), 0,           \
               sizeof(type))

#define APPLY_TERNARY(name, type, value)                                                       \
    APPLY_BLOCK(name)                                                                          \
    {                                                                                          \
        APPLY_EACH(k)                                                                          \
        {                                                                                      \
            APPLY_V(type)                                                                      \
            p = ((const APPLY_V(type) *)a)[k], q = ((const APPLY_V(type) *)b)[k],              \
            r = ((const APPLY_V(type) *)c)[k];                                                 \
            ((APPLY_V(type) *)out)[k] = (APPLY_V(type))(value);                                \
        }                                                                                      \
    }                                                                                          \
    APPLY_BODY(name, APPLY_UNROLL *APPLY_LANES(type), sizeof(type), sizeof(type),              \
               sizeof(type), sizeof(type))

/* ---- Choices ------------------------------------------------------------------------------ */

/* yes where the mask has its bits, else no; `mask` is of signed integers as wide. */
#define APPLY_PICK(mask, yes, no)                                                              \
    (((__typeof__(mask))(yes) & (mask)) | ((__typeof__(mask))(no) & ~(mask)))

#define APPLY_MIN(p, q)       APPLY_PICK((p) < (q), p, q)
#define APPLY_MAX(p, q)       APPLY_PICK((p) > (q), p, q)
#define APPLY_FLOAT_MIN(p, q) APPLY_PICK(((p) < (q)) | ((p) != (p)), p, q)
#define APPLY_FLOAT_MAX(p, q) APPLY_PICK(((p) > (q)) | ((p) != (p)), p, q)

#define APPLY_CHOICES(type, least, greatest)                                                   \
    APPLY_BINARY(wide_min_##type, type, least(p, q))                                           \
    APPLY_BINARY(wide_max_##type, type, greatest(p, q))                                        \
    MILL_TARGET static inline __attribute__((always_inline)) APPLY_V(type)                     \
        MILL_WIDE(wide_clamp_##type)(APPLY_V(type) p, APPLY_V(type) q, APPLY_V(type) r)        \
    {                                                                                          \
        APPLY_V(type) low = (APPLY_V(type))greatest(p, q);                                     \
        return (APPLY_V(type))least(low, r);                                                   \
    }                                                                                          \
    APPLY_TERNARY(wide_clip_##type, type, MILL_WIDE(wide_clamp_##type)(p, q, r))

APPLY_CHOICES(double, APPLY_FLOAT_MIN, APPLY_FLOAT_MAX)
APPLY_CHOICES(float, APPLY_FLOAT_MIN, APPLY_FLOAT_MAX)
APPLY_CHOICES(int64_t, APPLY_MIN, APPLY_MAX)
APPLY_CHOICES(int32_t, APPLY_MIN, APPLY_MAX)
APPLY_CHOICES(uint8_t, APPLY_MIN, APPLY_MAX)

#define APPLY_WHERE(name, type, bits)                                                          \
    APPLY_BLOCK(name)                                                                          \
    {                                                                                          \
        APPLY_EACH(k)                                                                          \
        {                                                                                      \
            APPLY_V(type) mask = MILL_WIDE(mask##bits)(a + k * APPLY_LANES(type));             \
            APPLY_V(type) yes = ((const APPLY_V(type) *)b)[k];                                 \
            ((APPLY_V(type) *)out)[k] = APPLY_PICK(mask, yes, ((const APPLY_V(type) *)c)[k]);  \
        }                                                                                      \
    }                                                                                          \
    APPLY_BODY(name, APPLY_UNROLL *APPLY_LANES(type), 1, sizeof(type), sizeof(type),           \
               sizeof(type))

APPLY_WHERE(wide_where_8, int64_t, 64)
APPLY_WHERE(wide_where_4, int32_t, 32)
APPLY_TERNARY(wide_where_1, uint8_t, APPLY_PICK(0 - p, q, r))

/* ---- Comparisons ---------------------------------------------------------------------------- */

/* One block is one vector of bytes in the output. */
#define APPLY_TEST(name, type, mask_type, narrow, b_size, value)                               \
    APPLY_BLOCK(name)                                                                          \
    {                                                                                          \
        APPLY_V(mask_type) mask[sizeof(type)];                                                 \
        (void)b, (void)c;                                                                      \
        _Pragma("GCC unroll 8") for (unsigned k = 0; k < sizeof(type); k++)                    \
        {                                                                                      \
            APPLY_V(type) p = ((const APPLY_V(type) *)a)[k];                                   \
            APPLY_V(type) q = b_size ? ((const APPLY_V(type) *)b)[k] : p;                      \
            (void)q;                                                                           \
            mask[k] = (APPLY_V(mask_type))(value);                                             \
        }                                                                                      \
        *(APPLY_V(uint8_t) *)out = (APPLY_V(uint8_t))narrow(mask) & 1;                         \
    }                                                                                          \
    APPLY_BODY(name, MILL_WIDE_BYTES, sizeof(type), b_size, 0, 1)

#define APPLY_COMPARISONS(type, mask_type, narrow)                                             \
    APPLY_TEST(wide_eq_##type, type, mask_type, narrow, sizeof(type), p == q)                  \
    APPLY_TEST(wide_ne_##type, type, mask_type, narrow, sizeof(type), p != q)                  \
    APPLY_TEST(wide_lt_##type, type, mask_type, narrow, sizeof(type), p < q)                   \
    APPLY_TEST(wide_le_##type, type, mask_type, narrow, sizeof(type), p <= q)                  \
    APPLY_TEST(wide_gt_##type, type, mask_type, narrow, sizeof(type), p > q)                   \
    APPLY_TEST(wide_ge_##type, type, mask_type, narrow, sizeof(type), p >= q)

#define APPLY_NARROW8(mask) (mask)[0]
APPLY_COMPARISONS(double, int64_t, MILL_WIDE(narrow64))
APPLY_COMPARISONS(float, int32_t, MILL_WIDE(narrow32))
APPLY_COMPARISONS(int64_t, int64_t, MILL_WIDE(narrow64))
APPLY_COMPARISONS(int32_t, int32_t, MILL_WIDE(narrow32))
APPLY_COMPARISONS(uint8_t, uint8_t, APPLY_NARROW8)

/* p - p is 0, or NaN where p is not finite. */
#define APPLY_TESTS(type, mask_type, narrow)                                                   \
    APPLY_TEST(wide_isnan_##type, type, mask_type, narrow, 0, p != p)                          \
    APPLY_TEST(wide_isfinite_##type, type, mask_type, narrow, 0, p - p == 0)                   \
    APPLY_TEST(wide_isinf_##type, type, mask_type, narrow, 0, (p == p) & (p - p != 0))
APPLY_TESTS(double, int64_t, MILL_WIDE(narrow64))
APPLY_TESTS(float, int32_t, MILL_WIDE(narrow32))

/* ---- Arithmetic ---------------------------------------------------------------------------- */

#define APPLY_BITS(mask_type, vector) ((APPLY_V(mask_type))(vector))
#define APPLY_ALL(type, value)        ((APPLY_V(type)){0} + (type)(value))

#define APPLY_FLOAT(type, mask_type, suffix)                                                   \
    APPLY_BINARY(wide_add_##type, type, p + q)                                                 \
    APPLY_BINARY(wide_sub_##type, type, p - q)                                                 \
    APPLY_BINARY(wide_mul_##type, type, p *q)                                                  \
    APPLY_BINARY(wide_div_##type, type, p / q)                                                 \
    APPLY_UNARY(wide_neg_##type, type, -p)                                                     \
    APPLY_UNARY(wide_abs_##type, type,                                                         \
                APPLY_BITS(mask_type, p) & ~APPLY_BITS(mask_type, APPLY_ALL(type, 0) * -1))    \
    /* A NaN's own bits remain of it. */                                                       \
    APPLY_UNARY(wide_sign_##type, type,                                                        \
                ((p > 0) & APPLY_BITS(mask_type, APPLY_ALL(type, 1))) |                        \
                    ((p < 0) & APPLY_BITS(mask_type, APPLY_ALL(type, -1))) |                   \
                    ((p != p) & APPLY_BITS(mask_type, p)))                                     \
    APPLY_UNARY(wide_sqrt_##type, type, MILL_WIDE(sqrt##suffix)(p))                            \
    APPLY_UNARY(wide_square_##type, type, p *p)                                                \
    APPLY_UNARY(wide_reciprocal_##type, type, 1 / p)                                           \
    APPLY_UNARY(wide_floor_##type, type, MILL_WIDE(floor##suffix)(p))                          \
    APPLY_UNARY(wide_ceil_##type, type, MILL_WIDE(ceil##suffix)(p))                            \
    APPLY_UNARY(wide_round_##type, type, MILL_WIDE(round##suffix)(p))                          \
    APPLY_UNARY(wide_trunc_##type, type, MILL_WIDE(trunc##suffix)(p))

APPLY_FLOAT(double, int64_t, )
APPLY_FLOAT(float, int32_t, _float)

/* Unsigned, so that they wrap around; the signed type where the sign matters. */
#define APPLY_INT(unsigned_type, type)                                                         \
    APPLY_BINARY(wide_add_##type, unsigned_type, p + q)                                        \
    APPLY_BINARY(wide_sub_##type, unsigned_type, p - q)                                        \
    APPLY_BINARY(wide_mul_##type, unsigned_type, p *q)                                         \
    APPLY_BINARY(wide_and_##type, unsigned_type, p &q)                                         \
    APPLY_BINARY(wide_or_##type, unsigned_type, p | q)                                         \
    APPLY_BINARY(wide_xor_##type, unsigned_type, p ^ q)                                        \
    APPLY_UNARY(wide_neg_##type, unsigned_type, 0 - p)                                         \
    APPLY_UNARY(wide_not_##type, unsigned_type, ~p)                                            \
    APPLY_UNARY(wide_square_##type, unsigned_type, p *p)                                       \
    APPLY_UNARY(wide_sign_##type, type, (p < 0) - (p > 0))                                     \
    APPLY_UNARY(wide_abs_##type, unsigned_type,                                                \
                (p ^ APPLY_BITS(unsigned_type, APPLY_BITS(type, p) < 0)) -                     \
                    APPLY_BITS(unsigned_type, APPLY_BITS(type, p) < 0))

APPLY_INT(uint64_t, int64_t)
APPLY_INT(uint32_t, int32_t)

APPLY_BINARY(wide_and_bool, uint8_t, p &q)
APPLY_BINARY(wide_or_bool, uint8_t, p | q)
APPLY_BINARY(wide_xor_bool, uint8_t, p ^ q)
APPLY_UNARY(wide_not_bool, uint8_t, p ^ 1)

/* ---- NaN ------------------------------------------------------------------------------------ */

#define APPLY_HAS_NAN(name, type, unordered)                                                   \
    MILL_TARGET int MILL_WIDE(name)(const type *x, int64_t n)                                  \
    {                                                                                          \
        APPLY_V(int64_t) found = {0}, more = {0};                                              \
        int64_t i = 0, step = 4 * APPLY_LANES(type);                                           \
        for (; i + step <= n; i += step) {                                                     \
            const APPLY_V(type) *p = (const APPLY_V(type) *)(x + i);                           \
            found |= (APPLY_V(int64_t))unordered(p[0], p[1]);                                  \
            more |= (APPLY_V(int64_t))unordered(p[2], p[3]);                                   \
        }                                                                                      \
        int rest = 0;                                                                          \
        for (; i < n; i++) rest |= x[i] != x[i];                                               \
        return rest | MILL_WIDE(any)(found | more);                                            \
    }
APPLY_HAS_NAN(mill_has_nan, double, MILL_WIDE(unordered))
APPLY_HAS_NAN(mill_has_nan_float, float, MILL_WIDE(unordered_float))

/* ---- The table ------------------------------------------------------------------------------ */

#define APPLY_FLOATS(name)                                                                     \
    [MILL_CLASS_F64] = MILL_WIDE(name##_double), [MILL_CLASS_F32] = MILL_WIDE(name##_float)
#define APPLY_INTS(name)                                                                       \
    [MILL_CLASS_I64] = MILL_WIDE(name##_int64_t), [MILL_CLASS_I32] = MILL_WIDE(name##_int32_t)
#define APPLY_BYTES(name) [MILL_CLASS_U8] = MILL_WIDE(name)

const mill_apply_table MILL_WIDE(mill_elementwise) = {
    [TIDEMILL_OP_ADD] = {APPLY_FLOATS(wide_add), APPLY_INTS(wide_add),
                         APPLY_BYTES(wide_or_bool)},
    [TIDEMILL_OP_SUB] = {APPLY_FLOATS(wide_sub), APPLY_INTS(wide_sub)},
    [TIDEMILL_OP_MUL] = {APPLY_FLOATS(wide_mul), APPLY_INTS(wide_mul),
                         APPLY_BYTES(wide_and_bool)},
    [TIDEMILL_OP_DIV] = {APPLY_FLOATS(wide_div)},
    [TIDEMILL_OP_MIN] = {APPLY_FLOATS(wide_min), APPLY_INTS(wide_min),
                         APPLY_BYTES(wide_min_uint8_t)},
    [TIDEMILL_OP_MAX] = {APPLY_FLOATS(wide_max), APPLY_INTS(wide_max),
                         APPLY_BYTES(wide_max_uint8_t)},
    [TIDEMILL_OP_EQ] = {APPLY_FLOATS(wide_eq), APPLY_INTS(wide_eq),
                        APPLY_BYTES(wide_eq_uint8_t)},
    [TIDEMILL_OP_NE] = {APPLY_FLOATS(wide_ne), APPLY_INTS(wide_ne),
                        APPLY_BYTES(wide_ne_uint8_t)},
    [TIDEMILL_OP_LT] = {APPLY_FLOATS(wide_lt), APPLY_INTS(wide_lt),
                        APPLY_BYTES(wide_lt_uint8_t)},
    [TIDEMILL_OP_LE] = {APPLY_FLOATS(wide_le), APPLY_INTS(wide_le),
                        APPLY_BYTES(wide_le_uint8_t)},
    [TIDEMILL_OP_GT] = {APPLY_FLOATS(wide_gt), APPLY_INTS(wide_gt),
                        APPLY_BYTES(wide_gt_uint8_t)},
    [TIDEMILL_OP_GE] = {APPLY_FLOATS(wide_ge), APPLY_INTS(wide_ge),
                        APPLY_BYTES(wide_ge_uint8_t)},
    [TIDEMILL_OP_AND] = {APPLY_INTS(wide_and), APPLY_BYTES(wide_and_bool)},
    [TIDEMILL_OP_OR] = {APPLY_INTS(wide_or), APPLY_BYTES(wide_or_bool)},
    [TIDEMILL_OP_XOR] = {APPLY_INTS(wide_xor), APPLY_BYTES(wide_xor_bool)},
    [TIDEMILL_OP_NEG] = {APPLY_FLOATS(wide_neg), APPLY_INTS(wide_neg)},
    [TIDEMILL_OP_ABS] = {APPLY_FLOATS(wide_abs), APPLY_INTS(wide_abs)},
    [TIDEMILL_OP_SIGN] = {APPLY_FLOATS(wide_sign), APPLY_INTS(wide_sign)},
    [TIDEMILL_OP_SQRT] = {APPLY_FLOATS(wide_sqrt)},
    [TIDEMILL_OP_SQUARE] = {APPLY_FLOATS(wide_square), APPLY_INTS(wide_square)},
    [TIDEMILL_OP_RECIPROCAL] = {APPLY_FLOATS(wide_reciprocal)},
    [TIDEMILL_OP_FLOOR] = {APPLY_FLOATS(wide_floor)},
    [TIDEMILL_OP_CEIL] = {APPLY_FLOATS(wide_ceil)},
    [TIDEMILL_OP_ROUND] = {APPLY_FLOATS(wide_round)},
    [TIDEMILL_OP_TRUNC] = {APPLY_FLOATS(wide_trunc)},
    [TIDEMILL_OP_NOT] = {APPLY_INTS(wide_not), APPLY_BYTES(wide_not_bool)},
    [TIDEMILL_OP_ISNAN] = {APPLY_FLOATS(wide_isnan)},
    [TIDEMILL_OP_ISFINITE] = {APPLY_FLOATS(wide_isfinite)},
    [TIDEMILL_OP_ISINF] = {APPLY_FLOATS(wide_isinf)},
    [TIDEMILL_OP_WHERE] = {MILL_WIDE(wide_where_8), MILL_WIDE(wide_where_4),
                           MILL_WIDE(wide_where_8), MILL_WIDE(wide_where_4),
                           MILL_WIDE(wide_where_1)},
    [TIDEMILL_OP_CLIP] = {APPLY_FLOATS(wide_clip), APPLY_INTS(wide_clip),
                          APPLY_BYTES(wide_clip_uint8_t)},
};
