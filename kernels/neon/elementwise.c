/* elementwise, NEON: what the vectors of kernels/elementwise_wide.h and cast_wide.h need of the
 * instruction set.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"

#ifdef MILL_KERNEL_NEON
#include <arm_neon.h>
#include <string.h>

#include "kernels/wide_neon.h"

#define APPLY_HELPER MILL_TARGET static inline __attribute__((always_inline))

APPLY_HELPER int any_neon(mill_int64_t_vector_neon mask)
{
    return vmaxvq_u32((uint32x4_t)mask) != 0;
}

/* The lower halves of the elements, those of `a` first. */
APPLY_HELPER int32x4_t halves_neon(mill_int64_t_vector_neon a, mill_int64_t_vector_neon b)
{
    return vuzp1q_s32((int32x4_t)a, (int32x4_t)b);
}

APPLY_HELPER mill_uint8_t_vector_neon narrow32_neon(const mill_int32_t_vector_neon *mask)
{
    int16x8_t first = vuzp1q_s16((int16x8_t)mask[0], (int16x8_t)mask[1]);
    int16x8_t last = vuzp1q_s16((int16x8_t)mask[2], (int16x8_t)mask[3]);
    return (mill_uint8_t_vector_neon)vuzp1q_u8((uint8x16_t)first, (uint8x16_t)last);
}

APPLY_HELPER mill_uint8_t_vector_neon narrow64_neon(const mill_int64_t_vector_neon *mask)
{
    mill_int32_t_vector_neon half[4];
    _Pragma("GCC unroll 4") for (int k = 0; k < 4; k++) half[k] =
        (mill_int32_t_vector_neon)halves_neon(mask[2 * k], mask[2 * k + 1]);
    return narrow32_neon(half);
}

APPLY_HELPER mill_int64_t_vector_neon mask64_neon(const char *at)
{
    return (mill_int64_t_vector_neon){-(int64_t)(uint8_t)at[0], -(int64_t)(uint8_t)at[1]};
}

APPLY_HELPER mill_int32_t_vector_neon mask32_neon(const char *at)
{
    uint32_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    uint16x8_t words = vmovl_u8(vcreate_u8(bytes));
    return 0 - (mill_int32_t_vector_neon)vmovl_u16(vget_low_u16(words));
}

APPLY_HELPER mill_int64_t_vector_neon unordered_neon(float64x2_t p, float64x2_t q)
{
    return (p != p) | (q != q);
}

APPLY_HELPER mill_int32_t_vector_neon unordered_float_neon(float32x4_t p, float32x4_t q)
{
    return (p != p) | (q != q);
}

#define APPLY_FUNCTION(name, call, call_float)                                                 \
    APPLY_HELPER mill_double_vector_neon name##_neon(mill_double_vector_neon x)                \
    {                                                                                          \
        return call;                                                                           \
    }                                                                                          \
    APPLY_HELPER mill_float_vector_neon name##_float_neon(mill_float_vector_neon x)            \
    {                                                                                          \
        return call_float;                                                                     \
    }
APPLY_FUNCTION(sqrt, vsqrtq_f64(x), vsqrtq_f32(x))
APPLY_FUNCTION(floor, vrndmq_f64(x), vrndmq_f32(x))
APPLY_FUNCTION(ceil, vrndpq_f64(x), vrndpq_f32(x))
APPLY_FUNCTION(round, vrndnq_f64(x), vrndnq_f32(x))
APPLY_FUNCTION(trunc, vrndq_f64(x), vrndq_f32(x))

#include "kernels/cast_wide.h"
#include "kernels/elementwise_wide.h"
#undef APPLY_FUNCTION
#endif
