/* elementary: exp, log, sin and their like; the bodies of the plain set.
 * The plain ones are the text of the wide ones, compiled for vectors of two.
 * SPDX-License-Identifier: MIT */
#include "kernels/elementary.h"

#include "kernels/wide_plain.h"

#include "kernels/elementary_wide.h"

static const struct mill_elementary *const elementary_tables[MILL_ISAS] = {
    [MILL_ISA_PLAIN] = &mill_elementary_plain,
    [MILL_ISA_NEON] = &mill_elementary_plain, /* its vectors are of two as well */
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = &mill_elementary_avx2,
    [MILL_ISA_AVX512] = &mill_elementary_avx512,
#endif
};

const struct mill_elementary *mill_elementary(void)
{
    return elementary_tables[mill_kernel_isa_number()];
}

#define MILL_MAP_CALL(name)                                                                    \
    void tidemill_kernel_##name(const double *x, int64_t n, double *out)                       \
    {                                                                                          \
        mill_elementary()->name(x, n, out);                                                    \
    }
MILL_ELEMENTARY(MILL_MAP_CALL)
#undef MILL_MAP_CALL

static int elementary_steps(int64_t a, int64_t b)
{
    return (a == 0 || a == 1) && (b == 0 || b == 1);
}

int64_t tidemill_kernel_pow(const double *x, int64_t step_x, const double *y, int64_t step_y,
                            int64_t n, double *out)
{
    if (!elementary_steps(step_x, step_y)) return -1;
    mill_elementary()->pow(x, step_x, y, step_y, n, out);
    return 0;
}

int64_t tidemill_kernel_atan2(const double *y, int64_t step_y, const double *x, int64_t step_x,
                              int64_t n, double *out)
{
    if (!elementary_steps(step_y, step_x)) return -1;
    mill_elementary()->atan2(y, step_y, x, step_x, n, out);
    return 0;
}
