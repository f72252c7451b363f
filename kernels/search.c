/* search: where values would be put among ascending ones.
 * Several values are searched side by side, so that they wait for memory together; the steps
 * depend on how many there are to search among, not on what they are.
 * SPDX-License-Identifier: MIT */
#include "kernels/order_bodies.h"

enum { SEARCH_ABREAST = 8 };

/* numbers: how many of the ascending values are no NaN. */
#define SEARCH(kind, type)                                                                     \
    static int64_t search_numbers_##kind(const type *x, int64_t n)                             \
    {                                                                                          \
        int64_t low = 0;                                                                       \
        while (low < n) {                                                                      \
            int64_t middle = low + (n - low) / 2;                                              \
            if (x[middle] == x[middle])                                                        \
                low = middle + 1;                                                              \
            else                                                                               \
                n = middle;                                                                    \
        }                                                                                      \
        return low;                                                                            \
    }                                                                                          \
    static inline __attribute__((always_inline)) void search_some_##kind(                      \
        const type *x, int64_t n, const type *wanted, int64_t m, int right, int64_t *place)    \
    {                                                                                          \
        const type *at[SEARCH_ABREAST];                                                        \
        for (int64_t v = 0; v < m; v++) at[v] = x;                                             \
        for (int64_t rest = n; rest > 0; rest -= rest > 1 ? rest / 2 : 1) {                    \
            int64_t half = rest > 1 ? rest / 2 : 1;                                            \
            for (int64_t v = 0; v < m; v++) {                                                  \
                type here = at[v][half - 1];                                                   \
                int before = right ? here <= wanted[v] : here < wanted[v];                     \
                at[v] += half & -(int64_t)before;                                              \
            }                                                                                  \
        }                                                                                      \
        for (int64_t v = 0; v < m; v++) {                                                      \
            place[v] = at[v] - x;                                                              \
            if (wanted[v] != wanted[v]) place[v] = right ? n : search_numbers_##kind(x, n);    \
        }                                                                                      \
    }                                                                                          \
    static void search_part_##kind(const void *x, int64_t n, const void *values,               \
                                   int64_t first, int64_t m, int right, int64_t *place)        \
    {                                                                                          \
        const type *wanted = (const type *)values + first;                                     \
        if (m == SEARCH_ABREAST && right)                                                      \
            search_some_##kind(x, n, wanted, SEARCH_ABREAST, 1, place);                        \
        else if (m == SEARCH_ABREAST)                                                          \
            search_some_##kind(x, n, wanted, SEARCH_ABREAST, 0, place);                        \
        else                                                                                   \
            search_some_##kind(x, n, wanted, m, right, place);                                 \
    }
SEARCH(f64, double)
SEARCH(f32, float)
SEARCH(i64, int64_t)
SEARCH(i32, int32_t)
SEARCH(u8, uint8_t)

typedef void search_part(const void *x, int64_t n, const void *values, int64_t first, int64_t m,
                         int right, int64_t *place);
static search_part *const search_parts[MILL_KINDS] = {
    [MILL_KIND_F64] = search_part_f64, [MILL_KIND_F32] = search_part_f32,
    [MILL_KIND_I64] = search_part_i64, [MILL_KIND_I32] = search_part_i32,
    [MILL_KIND_U8] = search_part_u8,
};

int64_t tidemill_kernel_searchsorted(int64_t type, const void *sorted, int64_t n,
                                     const void *values, int64_t m, int64_t right,
                                     int64_t width, int64_t base, void *out)
{
    enum mill_kind kind = mill_kind_of(type);
    if (kind == MILL_KINDS || !mill_positions_fit(n, width, base)) return -1;
    for (int64_t i = 0; i < m; i += SEARCH_ABREAST) {
        int64_t place[SEARCH_ABREAST], count = mill_least(SEARCH_ABREAST, m - i);
        search_parts[kind](sorted, n, values, i, count, right != 0, place);
        for (int64_t v = 0; v < count; v++) {
            if (width == 4)
                ((int32_t *)out)[i + v] = (int32_t)(place[v] + base);
            else
                ((int64_t *)out)[i + v] = place[v] + base;
        }
    }
    return 0;
}
