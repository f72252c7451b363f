/* rolling_joins: which joins make the sums of a window with the fewest passes.
 * They follow from the window's size alone, and so does the order of its sums.
 * SPDX-License-Identifier: MIT */
#include "kernels/rolling_bodies.h"

enum {
    JOINS_WEIGHED = 1024, /* fours up to which all ways are weighed; beyond they are halved */
    JOINS_PASS = 2,       /* what a pass costs besides what it reads */
};

/* Reads of the best way to `fours` fours, whose last join is then the one given. */
static int64_t joins_weigh(int64_t fours, struct mill_window_join *last)
{
    int64_t least = INT64_MAX;
    if (fours <= MILL_WINDOW_FOURS) return fours > 4;
    for (int parts = 2; parts <= MILL_JOIN_PARTS; parts++) {
        int64_t size = fours / parts, more = fours % parts;
        struct mill_window_join before;
        if (more > 1 || size < 4) continue;
        if (fours > JOINS_WEIGHED) {
            *last = (struct mill_window_join){.size = size, .parts = parts, .more = (int)more};
            return 0;
        }
        int64_t cost = parts + more + JOINS_PASS + joins_weigh(size, &before);
        if (cost >= least) continue;
        least = cost;
        *last = (struct mill_window_join){.size = size, .parts = parts, .more = (int)more};
    }
    return least;
}

static void joins_add(struct mill_window_joins *joins, int64_t size, int64_t parts,
                      int64_t more)
{
    joins->join[joins->count++] =
        (struct mill_window_join){.size = size, .parts = (int)parts, .more = (int)more};
}

/* Up to seven fours, as mill_window_few adds them. */
static void joins_begin(struct mill_window_joins *joins, int64_t fours)
{
    if (fours <= MILL_JOIN_PARTS) {
        joins_add(joins, 1, fours, 0);
    } else {
        joins_add(joins, 1, 3, 0);
        joins_add(joins, 3, 2, fours % 2);
    }
    joins->first = fours;
    joins->of_first = joins->count;
}

/* To as many fours, from the first join on. */
static void joins_reach(struct mill_window_joins *joins, int64_t fours)
{
    struct mill_window_join last;
    if (fours <= MILL_WINDOW_FOURS) {
        joins_begin(joins, fours);
        return;
    }
    joins_weigh(fours, &last);
    joins_reach(joins, last.size);
    joins_add(joins, last.size, last.parts, last.more);
    joins->more |= last.more;
}

void mill_window_plan(int64_t window, struct mill_window_joins *joins)
{
    *joins = (struct mill_window_joins){.count = 0};
    if (window < 1) return; /* refused later on */
    if (window < 4)
        joins_add(joins, 1, window, 0);
    else
        joins_reach(joins, window / 4);
}
