/* elementary_bodies: one table of the elementary functions per instruction set.
 * Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ELEMENTARY_BODIES_H
#define MILL_ELEMENTARY_BODIES_H
#include "kernels/bodies.h"

/* The functions of one number: each(name). */
#define MILL_ELEMENTARY(each)                                                                  \
    each(exp) each(exp2) each(expm1) each(log) each(log1p) each(log2) each(log10) each(sin)    \
        each(cos) each(tan) each(asin) each(acos) each(atan) each(sinh) each(cosh) each(tanh)

/* out may be x. */
typedef void mill_map(const double *x, int64_t n, double *out);
/* Steps are 0 or 1; out may be a or b. */
typedef void mill_map2(const double *a, int64_t step_a, const double *b, int64_t step_b,
                       int64_t n, double *out);

#define MILL_MAP_MEMBER(name) mill_map *name;
struct mill_elementary {
    MILL_ELEMENTARY(MILL_MAP_MEMBER)
    mill_map2 *pow, *atan2;
};
#undef MILL_MAP_MEMBER

/* The table in use. */
const struct mill_elementary *mill_elementary(void);

extern const struct mill_elementary mill_elementary_plain;
#ifdef MILL_KERNEL_X86
extern const struct mill_elementary mill_elementary_avx2, mill_elementary_avx512;
#endif

/* x = n pi/2 + high + low, |high| <= pi/4: returns n, right modulo 4.  |x| >= 2^-10; of what is
 * not finite both parts are NaN. */
int64_t mill_angle_reduce(double x, double *high, double *low);

#endif
