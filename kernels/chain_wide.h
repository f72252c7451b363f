/* chain_wide: chains of arithmetic in vectors, written once for each instruction set; see
 * kernels/chain_bodies.h and kernels/wide.h.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "kernels/chain_bodies.h"

#define LANES MILL_WIDE(mill_double_vector)
enum { MILL_WIDE(CHAIN_WIDTH) = MILL_WIDE_BYTES / sizeof(double) };
enum { MILL_WIDE(CHAIN_GROUP) = 8 }; /* vectors: enough to hide what an operation takes */
enum { MILL_WIDE(CHAIN_PLACES) = MILL_WIDE(CHAIN_WIDTH) * MILL_WIDE(CHAIN_GROUP) };
enum { MILL_WIDE(CHAIN_PARTS) = MILL_SUM_LANES / MILL_WIDE(CHAIN_WIDTH) }; /* of a sum */

#define EACH_LANE _Pragma("GCC unroll 16") for (int64_t k = 0; k < vectors; k++)
/* Vector k: the second half of them lies `apart` places after the first. */
#define LANE_AT(place)                                                                         \
    (*(const LANES *)((place) + k / (vectors / 2) * apart +                                    \
                      k % (vectors / 2) * MILL_WIDE(CHAIN_WIDTH)))

/* One operation, with an element each and with one that all share. */
#define LINK(kind, each)                                                                       \
    case MILL_CHAIN_##kind:                                                                    \
        EACH_LANE                                                                              \
        {                                                                                      \
            const LANES a = value[k], b = LANE_AT(with);                                       \
            value[k] = each;                                                                   \
        }                                                                                      \
        break;                                                                                 \
    case MILL_CHAIN_##kind + MILL_CHAIN_SHARED:                                                \
        EACH_LANE                                                                              \
        {                                                                                      \
            const LANES a = value[k];                                                          \
            const double b = *with;                                                            \
            value[k] = each;                                                                   \
        }                                                                                      \
        break

MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(chain_link)(const struct mill_chain_link *link, int64_t i, int64_t apart,
                      int64_t vectors, int asks, LANES *value)
{
    const double *with = link->with + (i & link->each);
    if (asks && link->ahead >= i + MILL_CHAIN_DISTANCE + MILL_WIDE(CHAIN_PLACES))
        for (int64_t k = 0; k < MILL_WIDE(CHAIN_PLACES); k += 8)
            __builtin_prefetch(with + MILL_CHAIN_DISTANCE + k);
    switch (link->kind) {
        LINK(ADD, a + b);
        LINK(SUB, a - b);
        LINK(MUL, a * b);
        LINK(DIV, a / b);
        LINK(FROM, b - a);
        LINK(INTO, b / a);
    case MILL_CHAIN_FIRST:
        EACH_LANE value[k] = LANE_AT(with);
        break;
    default: /* the first, shared; less 0 is exact, -0 too */
        EACH_LANE value[k] = *with - (LANES){0};
    }
}

/* Each link has a switch of its own: a processor then knows where it leads. */
MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(chain_links)(const struct mill_chain *chain, int64_t i, int64_t apart,
                       int64_t vectors, int asks, LANES *value)
{
    int64_t links = chain->links;
    MILL_WIDE(chain_link)(&chain->link[0], i, apart, vectors, asks, value);
    if (links > 1) MILL_WIDE(chain_link)(&chain->link[1], i, apart, vectors, asks, value);
    if (links > 2) MILL_WIDE(chain_link)(&chain->link[2], i, apart, vectors, asks, value);
    if (links > 3) MILL_WIDE(chain_link)(&chain->link[3], i, apart, vectors, asks, value);
}

MILL_TARGET void MILL_WIDE(mill_chain)(const struct mill_chain *chain, double *out,
                                       int64_t first, int64_t count)
{
    enum { vectors = MILL_WIDE(CHAIN_GROUP), apart = MILL_WIDE(CHAIN_PLACES) / 2 };
    int64_t i = first;
    for (; i + MILL_WIDE(CHAIN_PLACES) <= count; i += MILL_WIDE(CHAIN_PLACES)) {
        LANES value[vectors] = {{0}};
        MILL_WIDE(chain_links)(chain, i, apart, vectors, 1, value);
        EACH_LANE((LANES *)(out + i))[k] = value[k];
    }
    mill_chain_plain(chain, out, i, count);
}

MILL_TARGET void MILL_WIDE(mill_chain_sums)(const struct mill_chain *chain, int64_t first,
                                            int64_t apart, double *one, double *two)
{
    enum {
        parts = MILL_WIDE(CHAIN_PARTS),
        run = parts > 4 ? parts : 4, /* vectors */
        vectors = 2 * run
    };
    LANES sum[vectors] = {{0}};
    for (int64_t i = first; i < first + MILL_SUM_BLOCK; i += run * MILL_WIDE(CHAIN_WIDTH)) {
        LANES value[vectors] = {{0}};
        MILL_WIDE(chain_links)(chain, i, apart, vectors, 0, value);
        EACH_LANE sum[k / run * run + k % run % parts] += value[k];
    }
    double lane[MILL_SUM_LANES];
    memcpy(lane, sum, sizeof lane);
    *one = mill_fold(lane, MILL_SUM_LANES);
    memcpy(lane, sum + run, sizeof lane);
    *two = mill_fold(lane, MILL_SUM_LANES);
}

#undef LANES
#undef EACH_LANE
#undef LANE_AT
#undef LINK
