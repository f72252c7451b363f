/* reduce_sets: which bodies fold, by instruction set; and values widened for them.
 * SPDX-License-Identifier: MIT */
#include "kernels/reduce_bodies.h"

const struct mill_reduce_bodies *mill_reduce_bodies(void)
{
    static const struct mill_reduce_bodies *const sets[MILL_ISAS] = {
        [MILL_ISA_PLAIN] = &mill_reduce_bodies_plain,
#ifdef MILL_KERNEL_X86
        [MILL_ISA_AVX2] = &mill_reduce_bodies_avx2,
        [MILL_ISA_AVX512] = &mill_reduce_bodies_avx512,
#endif
#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
        [MILL_ISA_NEON] = &mill_reduce_bodies_neon,
#endif
    };
    return sets[mill_kernel_isa_number()];
}

const struct mill_reduce_bodies mill_reduce_bodies_plain = {
    .least = mill_least_plain,
    .greatest = mill_greatest_plain,
    .least_int = mill_least_int_plain,
    .greatest_int = mill_greatest_int_plain,
    .sum_int = mill_sum_int_plain,
    .count = mill_count_plain,
    .count_int = mill_count_int_plain,
    .count_byte = mill_count_byte_plain,
    .count_nan = mill_count_nan_plain,
    .widen_float = mill_widen_float_plain,
    .widen_int = mill_widen_int_plain,
    .float_int = mill_float_int_plain,
    .sum_columns = mill_sum_columns_plain,
    .sum_int_columns = mill_sum_int_columns_plain,
    .nansum_columns = mill_nansum_columns_plain,
    .moments_columns = mill_moments_columns_plain,
    .nanmoments_columns = mill_nanmoments_columns_plain,
    .min_columns = mill_min_columns_plain,
    .max_columns = mill_max_columns_plain,
    .nanmin_columns = mill_nanmin_columns_plain,
    .nanmax_columns = mill_nanmax_columns_plain,
    .min_int_columns = mill_min_int_columns_plain,
    .max_int_columns = mill_max_int_columns_plain,
    .argmin_columns = mill_argmin_columns_plain,
    .argmax_columns = mill_argmax_columns_plain,
    .argmin_int_columns = mill_argmin_int_columns_plain,
    .argmax_int_columns = mill_argmax_int_columns_plain,
};

/* ---- widening ---------------------------------------------------------------------------- */

void mill_widen_float_plain(const float *x, int64_t count, double *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = x[i];
}

void mill_widen_int_plain(const int32_t *x, int64_t count, int64_t *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = x[i];
}

void mill_float_int_plain(const int32_t *x, int64_t count, double *out)
{
    for (int64_t i = 0; i < count; i++) out[i] = x[i];
}

static const void *reduce_widen_to_float(int32_t type, const void *x, int64_t count,
                                         double *out)
{
    switch (type) {
    case TIDEMILL_FLOAT64:
        return x;
    case TIDEMILL_FLOAT32:
        mill_reduce_bodies()->widen_float(x, count, out);
        break;
    case TIDEMILL_INT32:
        mill_reduce_bodies()->float_int(x, count, out);
        break;
    case TIDEMILL_INT64:
        for (int64_t i = 0; i < count; i++) out[i] = (double)((const int64_t *)x)[i];
        break;
    default:
        for (int64_t i = 0; i < count; i++) out[i] = ((const uint8_t *)x)[i];
    }
    return out;
}

static const void *reduce_widen_to_int(int32_t type, const void *x, int64_t count, int64_t *out)
{
    switch (mill_reduce_type_size(type)) {
    case 8:
        return x;
    case 4:
        mill_reduce_bodies()->widen_int(x, count, out);
        break;
    default:
        for (int64_t i = 0; i < count; i++) out[i] = ((const uint8_t *)x)[i];
    }
    return out;
}

const void *mill_reduce_widen(int32_t type, enum mill_reduced value, const void *x,
                              int64_t count, void *out)
{
    switch (value) {
    case MILL_VALUE_FLOAT:
        return reduce_widen_to_float(type, x, count, out);
    case MILL_VALUE_INT:
        return reduce_widen_to_int(type, x, count, out);
    case MILL_VALUE_BYTE:
        break;
    }
    return x;
}
