/* elementary: the loops over the functions of one and of two numbers, and their table.
 * Include after kernels/wide_avx2.h or one of its like.
 * SPDX-License-Identifier: MIT */
#include "kernels/elementary_bodies.h"
#include "kernels/real_wide.h"

#include "kernels/arc_wide.h"
#include "kernels/circular_wide.h"
#include "kernels/power_wide.h"

/* What is left after the last whole vector is worked out in a vector of its own: a lane's result
 * does not depend on its neighbours. */
#undef MILL_MAP
#define MILL_MAP(name)                                                                         \
    MILL_TARGET static void MILL_WIDE(map_##name)(const double *x, int64_t n, double *out)     \
    {                                                                                          \
        int64_t i = 0;                                                                         \
        for (; i + WIDE_LANES <= n; i += WIDE_LANES)                                           \
            wide_store(wide_##name(wide_load(x + i)), out + i);                                \
        if (i == n) return;                                                                    \
        wide_real rest = wide_all(0.5);                                                        \
        for (int64_t lane = 0; lane < n - i; lane++) rest[lane] = x[i + lane];                 \
        rest = wide_##name(rest);                                                              \
        for (int64_t lane = 0; lane < n - i; lane++) out[i + lane] = rest[lane];               \
    }
MILL_ELEMENTARY(MILL_MAP)

#undef MILL_MAP2
#define MILL_MAP2(name)                                                                        \
    MILL_TARGET static void MILL_WIDE(map_##name)(const double *a, int64_t step_a,             \
                                                  const double *b, int64_t step_b, int64_t n,  \
                                                  double *out)                                 \
    {                                                                                          \
        wide_real one_a = wide_all(n && !step_a ? *a : 0.5);                                   \
        wide_real one_b = wide_all(n && !step_b ? *b : 0.5);                                   \
        int64_t i = 0;                                                                         \
        for (; i + WIDE_LANES <= n; i += WIDE_LANES)                                           \
            wide_store(wide_##name(step_a ? wide_load(a + i) : one_a,                          \
                                   step_b ? wide_load(b + i) : one_b),                         \
                       out + i);                                                               \
        if (i == n) return;                                                                    \
        for (int64_t lane = 0; lane < n - i; lane++) {                                         \
            if (step_a) one_a[lane] = a[i + lane];                                             \
            if (step_b) one_b[lane] = b[i + lane];                                             \
        }                                                                                      \
        one_a = wide_##name(one_a, one_b);                                                     \
        for (int64_t lane = 0; lane < n - i; lane++) out[i + lane] = one_a[lane];              \
    }
MILL_MAP2(pow)
MILL_MAP2(atan2)

#undef MILL_MAP_NAMED
#define MILL_MAP_NAMED(name) .name = MILL_WIDE(map_##name),
const struct mill_elementary MILL_WIDE(mill_elementary) = {
    MILL_ELEMENTARY(MILL_MAP_NAMED) MILL_MAP_NAMED(pow) MILL_MAP_NAMED(atan2)};
