/* shared: C objects that cross between states by reference: channels, shared tables, pools.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SHARED_H
#define MILL_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

struct mill_shared;

struct mill_shared_kind {
    const char *name; /* "a channel", as messages call it; the Lua side knows it by it */
    void (*destroy)(struct mill_shared *shared);
    /* Content hash; NULL: it has none, and what mentions it has no key. */
    struct mill_hash (*hash)(const struct mill_shared *shared);
    bool lends; /* tasks in other processes may use it: it stays where it is */
};

struct mill_shared {
    _Atomic int64_t refs;
    const struct mill_shared_kind *kind;
};

static inline void mill_shared_init(struct mill_shared *shared,
                                    const struct mill_shared_kind *kind)
{
    atomic_init(&shared->refs, 1);
    shared->kind = kind;
}

static inline struct mill_shared *mill_shared_ref(struct mill_shared *shared)
{
    atomic_fetch_add_explicit(&shared->refs, 1, memory_order_relaxed);
    return shared;
}

static inline void mill_shared_unref(struct mill_shared *shared)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) == 1) {
        shared->kind->destroy(shared);
    }
}

#endif
