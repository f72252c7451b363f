/* chain_wide: chains of arithmetic in vectors, written once for each instruction set; see
 * kernels/chain_bodies.h and kernels/wide.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/chain_bodies.h"

#define LANES MILL_WIDE(mill_double_vector)
enum { MILL_WIDE(CHAIN_WIDTH) = MILL_WIDE_BYTES / sizeof(double) };
enum { MILL_WIDE(CHAIN_GROUP) = 8 }; /* vectors: enough to hide what an operation takes */
enum { MILL_WIDE(CHAIN_PLACES) = MILL_WIDE(CHAIN_WIDTH) * MILL_WIDE(CHAIN_GROUP) };

#define EACH_LANE      _Pragma("GCC unroll 8") for (int64_t k = 0; k < MILL_WIDE(CHAIN_GROUP); k++)
#define LANE_AT(place) (((const LANES *)(place))[k])

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
MILL_WIDE(chain_link)(const struct mill_chain_link *link, int64_t i, LANES *value)
{
    const double *with = link->with + (i & link->each);
    if (link->ahead >= i + MILL_CHAIN_DISTANCE + MILL_WIDE(CHAIN_PLACES))
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
MILL_TARGET void MILL_WIDE(mill_chain)(const struct mill_chain *chain, double *out,
                                       int64_t first, int64_t count)
{
    int64_t i = first, links = chain->links;
    for (; i + MILL_WIDE(CHAIN_PLACES) <= count; i += MILL_WIDE(CHAIN_PLACES)) {
        LANES value[MILL_WIDE(CHAIN_GROUP)] = {{0}};
        MILL_WIDE(chain_link)(&chain->link[0], i, value);
        MILL_WIDE(chain_link)(&chain->link[1], i, value);
        if (links > 2) MILL_WIDE(chain_link)(&chain->link[2], i, value);
        if (links > 3) MILL_WIDE(chain_link)(&chain->link[3], i, value);
        EACH_LANE((LANES *)(out + i))[k] = value[k];
    }
    mill_chain_plain(chain, out, i, count);
}

#undef LANES
#undef EACH_LANE
#undef LANE_AT
#undef LINK
