/* cast_wide: casts in vectors, written once for each instruction set; see kernels/wide.h.  What is
 * left over of whole blocks, and a block with something to refuse, is the plain body's.
 * The file that includes this has defined `any`: whether a mask has a bit; `mask64` and `mask32`:
 * bytes at an address as one vector of their negatives.
 * SPDX-License-Identifier: MIT */
#include "kernels/elementwise_bodies.h"

/* As many elements as a register has of the larger type. */
#define CAST_LANES(from, to)                                                                   \
    ((int64_t)(MILL_WIDE_BYTES / (sizeof(from) > sizeof(to) ? sizeof(from) : sizeof(to))))
#define CAST_VECTOR(name, type, lanes)                                                         \
    typedef type name                                                                          \
        __attribute__((vector_size((lanes) * sizeof(type)), aligned(sizeof(type)), may_alias))

#define CAST_WIDE(name, from_class, from, to_class, to)                                        \
    MILL_TARGET static int64_t MILL_WIDE(name)(const void *a, void *out, int64_t n)            \
    {                                                                                          \
        CAST_VECTOR(from_vector, from, CAST_LANES(from, to));                                  \
        CAST_VECTOR(to_vector, to, CAST_LANES(from, to));                                      \
        const from *x = a;                                                                     \
        to *result = out;                                                                      \
        int64_t i = 0, step = CAST_LANES(from, to);                                            \
        _Pragma("GCC unroll 4") for (; i + step <= n; i += step) * (to_vector *)(result + i) = \
            __builtin_convertvector(*(const from_vector *)(x + i), to_vector);                 \
        return i + mill_cast_plain[from_class][to_class](x + i, result + i, n - i);            \
    }

CAST_WIDE(wide_f64_to_f32, MILL_CLASS_F64, double, MILL_CLASS_F32, float)
CAST_WIDE(wide_f32_to_f64, MILL_CLASS_F32, float, MILL_CLASS_F64, double)
CAST_WIDE(wide_i32_to_f64, MILL_CLASS_I32, int32_t, MILL_CLASS_F64, double)
CAST_WIDE(wide_i32_to_f32, MILL_CLASS_I32, int32_t, MILL_CLASS_F32, float)
CAST_WIDE(wide_i32_to_i64, MILL_CLASS_I32, int32_t, MILL_CLASS_I64, int64_t)

/* Casts whose vector is made by hand: `value` of the elements from `at` on. */
#define CAST_WIDE_MADE(name, from_class, from, to_class, to, value)                            \
    MILL_TARGET static int64_t MILL_WIDE(name)(const void *a, void *out, int64_t n)            \
    {                                                                                          \
        CAST_VECTOR(to_vector, to, CAST_LANES(from, to));                                      \
        const from *x = a;                                                                     \
        to *result = out;                                                                      \
        int64_t i = 0, step = CAST_LANES(from, to);                                            \
        _Pragma("GCC unroll 4") for (; i + step <= n; i += step)                               \
        {                                                                                      \
            const from *at = x + i;                                                            \
            *(to_vector *)(result + i) = value;                                                \
        }                                                                                      \
        return i + mill_cast_plain[from_class][to_class](x + i, result + i, n - i);            \
    }

/* An integer below 2^52 in the low bits of 2^52. */
#define CAST_SMALL(words) ((to_vector)((words) | 0x4330000000000000) - 0x1p52)

/* The halves of an integer in the low bits of 2^52 and of 2^84, less what they carry: the upper
 * difference is exact, the sum rounds once. */
#define CAST_I64_TO_F64(words)                                                                 \
    (((to_vector)(((words) >> 32) ^ 0x4530000080000000) - 0x1.00000801p84) +                   \
     (to_vector)(((words)&0xFFFFFFFF) | 0x4330000000000000))

CAST_WIDE_MADE(wide_i64_to_f64, MILL_CLASS_I64, int64_t, MILL_CLASS_F64, double,
               CAST_I64_TO_F64(*(const MILL_WIDE(mill_uint64_t_vector) *)at))
CAST_WIDE_MADE(wide_u8_to_f64, MILL_CLASS_U8, uint8_t, MILL_CLASS_F64, double,
               CAST_SMALL(0 - MILL_WIDE(mask64)((const char *)at)))
CAST_WIDE_MADE(wide_u8_to_f32, MILL_CLASS_U8, uint8_t, MILL_CLASS_F32, float,
               __builtin_convertvector(0 - MILL_WIDE(mask32)((const char *)at), to_vector))
CAST_WIDE_MADE(wide_u8_to_i64, MILL_CLASS_U8, uint8_t, MILL_CLASS_I64, int64_t,
               0 - MILL_WIDE(mask64)((const char *)at))
CAST_WIDE_MADE(wide_u8_to_i32, MILL_CLASS_U8, uint8_t, MILL_CLASS_I32, int32_t,
               0 - MILL_WIDE(mask32)((const char *)at))

/* `from` is no smaller than `to`; `refused` is a mask made of p, the vector to cast. */
#define CAST_WIDE_CHECKED(name, from_class, from, to_class, to, refused)                       \
    MILL_TARGET static int64_t MILL_WIDE(name)(const void *a, void *out, int64_t n)            \
    {                                                                                          \
        CAST_VECTOR(from_vector, from, CAST_LANES(from, to));                                  \
        CAST_VECTOR(to_vector, to, CAST_LANES(from, to));                                      \
        const from *x = a;                                                                     \
        to *result = out;                                                                      \
        int64_t i = 0, step = CAST_LANES(from, to);                                            \
        _Pragma("GCC unroll 4") for (; i + step <= n; i += step)                               \
        {                                                                                      \
            from_vector p = *(const from_vector *)(x + i);                                     \
            if (MILL_WIDE(any)((MILL_WIDE(mill_int64_t_vector))(refused))) break;              \
            *(to_vector *)(result + i) = __builtin_convertvector(p, to_vector);                \
        }                                                                                      \
        return i + mill_cast_plain[from_class][to_class](x + i, result + i, n - i);            \
    }

CAST_WIDE_CHECKED(wide_f64_to_i32, MILL_CLASS_F64, double, MILL_CLASS_I32, int32_t,
                  ~((p > -0x1p31 - 1) & (p < 0x1p31)))
CAST_WIDE_CHECKED(wide_f64_to_i64, MILL_CLASS_F64, double, MILL_CLASS_I64, int64_t,
                  ~((p >= -0x1p63) & (p < 0x1p63)))
CAST_WIDE_CHECKED(wide_f32_to_i32, MILL_CLASS_F32, float, MILL_CLASS_I32, int32_t,
                  ~((p >= -0x1p31f) & (p < 0x1p31f)))
CAST_WIDE_CHECKED(wide_i64_to_i32, MILL_CLASS_I64, int64_t, MILL_CLASS_I32, int32_t,
                  (p < (int64_t)INT32_MIN) | (p > (int64_t)INT32_MAX))

const mill_cast_table MILL_WIDE(mill_cast) = {
    [MILL_CLASS_F64][MILL_CLASS_F32] = MILL_WIDE(wide_f64_to_f32),
    [MILL_CLASS_F64][MILL_CLASS_I64] = MILL_WIDE(wide_f64_to_i64),
    [MILL_CLASS_F64][MILL_CLASS_I32] = MILL_WIDE(wide_f64_to_i32),
    [MILL_CLASS_F32][MILL_CLASS_F64] = MILL_WIDE(wide_f32_to_f64),
    [MILL_CLASS_F32][MILL_CLASS_I32] = MILL_WIDE(wide_f32_to_i32),
    [MILL_CLASS_I64][MILL_CLASS_F64] = MILL_WIDE(wide_i64_to_f64),
    [MILL_CLASS_I64][MILL_CLASS_I32] = MILL_WIDE(wide_i64_to_i32),
    [MILL_CLASS_I32][MILL_CLASS_F64] = MILL_WIDE(wide_i32_to_f64),
    [MILL_CLASS_I32][MILL_CLASS_F32] = MILL_WIDE(wide_i32_to_f32),
    [MILL_CLASS_I32][MILL_CLASS_I64] = MILL_WIDE(wide_i32_to_i64),
    [MILL_CLASS_U8][MILL_CLASS_F64] = MILL_WIDE(wide_u8_to_f64),
    [MILL_CLASS_U8][MILL_CLASS_F32] = MILL_WIDE(wide_u8_to_f32),
    [MILL_CLASS_U8][MILL_CLASS_I64] = MILL_WIDE(wide_u8_to_i64),
    [MILL_CLASS_U8][MILL_CLASS_I32] = MILL_WIDE(wide_u8_to_i32),
};
