/* share: a value that is encoded once and then crosses by reference.
 * SPDX-License-Identifier: MIT */
#include "data/share.h"

#include <stdlib.h>

static void share_destroy(struct mill_shared *shared)
{
    struct mill_share *share = (struct mill_share *)shared;
    mill_value_unref(share->value);
    free(share);
}

static struct mill_hash share_hash(const struct mill_shared *shared)
{
    return ((const struct mill_share *)shared)->hash;
}

static const struct mill_shared_kind share_kind = {"a shared value", share_destroy, share_hash,
                                                   false};
static const struct mill_shared_kind opaque_kind = {"a shared value", share_destroy, NULL,
                                                    false};

struct mill_shared *mill_share_new(struct mill_value value)
{
    struct mill_share *share = calloc(1, sizeof *share);
    if (share == NULL) {
        mill_value_unref(value);
        return NULL;
    }
    bool opaque = mill_value_is_opaque(&value);
    mill_shared_init(&share->shared, opaque ? &opaque_kind : &share_kind);
    share->value = value;
    if (!opaque) share->hash = mill_value_hash(&value, NULL);
    return &share->shared;
}

struct mill_share *mill_share_of(struct mill_shared *shared)
{
    bool is_one = shared->kind == &share_kind || shared->kind == &opaque_kind;
    return is_one ? (struct mill_share *)shared : NULL;
}
