/* chain: the plain body of chains, which is the specification, and the choice of a wider one.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "kernels/chain_bodies.h"

enum { CHAIN_ROOM = 64 };

#define CHAIN_LINK(number, result)                                                             \
    case number:                                                                               \
        for (int64_t i = 0; i < count; i++) {                                                  \
            double a = value[i], b = with[i & link->each];                                     \
            value[i] = result;                                                                 \
        }                                                                                      \
        break

static void chain_link(const struct mill_chain_link *link, int64_t first, int64_t count,
                       double *value)
{
    const double *with = link->with + (first & link->each);
    switch (link->kind % MILL_CHAIN_SHARED) {
        CHAIN_LINK(MILL_CHAIN_ADD, a + b);
        CHAIN_LINK(MILL_CHAIN_SUB, a - b);
        CHAIN_LINK(MILL_CHAIN_MUL, a * b);
        CHAIN_LINK(MILL_CHAIN_DIV, a / b);
        CHAIN_LINK(MILL_CHAIN_FROM, b - a);
        CHAIN_LINK(MILL_CHAIN_INTO, b / a);
    default:
        for (int64_t i = 0; i < count; i++) value[i] = with[i & link->each];
    }
}

void mill_chain_plain(const struct mill_chain *chain, double *out, int64_t first, int64_t count)
{
    double value[CHAIN_ROOM];
    for (int64_t i = first; i < count; i += CHAIN_ROOM) {
        int64_t part = mill_least(CHAIN_ROOM, count - i);
        for (int64_t k = 0; k < chain->links; k++) chain_link(&chain->link[k], i, part, value);
        for (int64_t k = 0; k < part; k++) out[i + k] = value[k];
    }
}

static double chain_sum(const struct mill_chain *chain, int64_t first)
{
    double value[MILL_SUM_BLOCK];
    struct mill_chain block = mill_chain_from(chain, first);
    mill_chain_plain(&block, value, 0, MILL_SUM_BLOCK);
    return mill_sum_block_plain(value, MILL_SUM_BLOCK, 0);
}

void mill_chain_sums_plain(const struct mill_chain *chain, int64_t first, int64_t apart,
                           double *one, double *two)
{
    *one = chain_sum(chain, first);
    *two = chain_sum(chain, first + apart);
}

static mill_chain_body *const chain_wide[MILL_ISAS] = {
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = mill_chain_avx2,
    [MILL_ISA_AVX512] = mill_chain_avx512,
#elif defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
    [MILL_ISA_NEON] = mill_chain_neon,
#endif
};

static mill_chain_sums_body *const chain_sums_wide[MILL_ISAS] = {
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = mill_chain_sums_avx2,
    [MILL_ISA_AVX512] = mill_chain_sums_avx512,
#elif defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
    [MILL_ISA_NEON] = mill_chain_sums_neon,
#endif
};

mill_chain_body *mill_chain_find(void)
{
    mill_chain_body *body = chain_wide[mill_kernel_isa_number()];
    return body ? body : mill_chain_plain;
}

mill_chain_sums_body *mill_chain_sums_find(void)
{
    mill_chain_sums_body *body = chain_sums_wide[mill_kernel_isa_number()];
    return body ? body : mill_chain_sums_plain;
}
