/* worth: whether a result is worth keeping.  SPDX-License-Identifier: MIT */
#include "cache/worth.h"

#include <math.h>

static const double WORTH = 5; /* times what a hit costs must a task take */

enum { KNOWN = 8 }; /* tasks of a name, before their mean is believed */

/* Seconds that a look-up and a decoding of `bytes` take, about: tests/bench/cache.lua. */
static double cost_of_hit(size_t bytes)
{
    return 5e-6 + (double)bytes * 1e-9;
}

/* What tasks of the name take; infinite when too little is known. */
static double mean_of(const struct mill_function *function)
{
    /* Relaxed: two numbers that do not fit together are a guess as good as any. */
    const struct mill_mean *mean = function->mean;
    int64_t count = mean ? atomic_load_explicit(&mean->count, memory_order_relaxed) : 0;
    if (count < KNOWN) return INFINITY;
    return (double)atomic_load_explicit(&mean->nanoseconds, memory_order_relaxed) /
           (double)count / 1e9;
}

bool mill_worth_looking(const struct mill_function *function)
{
    return !function->policy.automatic || mean_of(function) > WORTH * cost_of_hit(0);
}

bool mill_worth_keeping(const struct mill_function *function, double seconds, size_t bytes)
{
    return !function->policy.automatic || seconds > WORTH * cost_of_hit(bytes);
}

void mill_worth_note(const struct mill_function *function, double seconds)
{
    struct mill_mean *mean = function->policy.automatic ? function->mean : NULL;
    if (mean == NULL) return;
    atomic_fetch_add_explicit(&mean->nanoseconds, (int64_t)(seconds * 1e9),
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&mean->count, 1, memory_order_relaxed);
}
