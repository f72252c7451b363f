/* claim: which task of a run computes a key.  SPDX-License-Identifier: MIT */
#include "cache/claim.h"

#include <stdlib.h>

struct claim {
    struct mill_hash key;
    struct mill_task *task; /* NULL: empty */
};

struct mill_claims {
    pthread_mutex_t mutex; /* guards all */
    struct claim *slots;
    size_t count, room; /* a power of two */
};

struct mill_claims *mill_claims_new(void)
{
    struct mill_claims *claims = calloc(1, sizeof *claims);
    if (claims) pthread_mutex_init(&claims->mutex, NULL);
    return claims;
}

void mill_claims_free(struct mill_claims *claims)
{
    if (claims == NULL) return;
    pthread_mutex_destroy(&claims->mutex);
    free(claims->slots);
    free(claims);
}

/* Where the key is, or would be. */
static struct claim *slot_of_key(struct claim *slots, size_t room, struct mill_hash key)
{
    size_t at = (size_t)key.low & (room - 1);
    while (slots[at].task && !mill_hash_equal(slots[at].key, key)) at = (at + 1) & (room - 1);
    return &slots[at];
}

static bool claims_grow(struct mill_claims *claims)
{
    size_t room = claims->room ? claims->room * 2 : 64;
    struct claim *slots = calloc(room, sizeof *slots);
    if (slots == NULL) return false;
    for (size_t i = 0; i < claims->room; i++) {
        if (claims->slots[i].task == NULL) continue;
        *slot_of_key(slots, room, claims->slots[i].key) = claims->slots[i];
    }
    free(claims->slots);
    claims->slots = slots;
    claims->room = room;
    return true;
}

struct mill_task *mill_claims_take(struct mill_claims *claims, struct mill_hash key,
                                   struct mill_task *task)
{
    struct mill_task *owner = task; /* short of memory it is computed twice, perhaps */
    pthread_mutex_lock(&claims->mutex);
    if (claims->count * 2 < claims->room || claims_grow(claims)) {
        struct claim *slot = slot_of_key(claims->slots, claims->room, key);
        if (slot->task == NULL) {
            *slot = (struct claim){key, task};
            claims->count++;
        }
        owner = slot->task;
    }
    pthread_mutex_unlock(&claims->mutex);
    return owner;
}
