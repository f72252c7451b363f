/* share: a value that is encoded once and then crosses by reference: what tm.share gives.
 * Immutable, counted; any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_SHARE_H
#define MILL_SHARE_H

#include "data/value.h"

struct mill_share {
    struct mill_shared shared; /* first */
    struct mill_value value;
    struct mill_hash hash;  /* of the content; none when the value is opaque */
    _Atomic int64_t caches; /* Lua states that keep it decoded, each with a reference */
};

/* Takes over the reference in `value`. NULL: no memory. */
struct mill_shared *mill_share_new(struct mill_value value);

/* The shared value that an object is; NULL: it is something else, such as a channel. */
struct mill_share *mill_share_of(struct mill_shared *shared);

#endif
