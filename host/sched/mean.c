/* mean: how long tasks of each name have taken.  SPDX-License-Identifier: MIT */
#include "sched/mean.h"

#include <stdlib.h>

struct mill_named_mean {
    struct mill_mean mean; /* first */
    struct mill_named_mean *next;
    uint64_t hash;
    char name[];
};

void mill_means_init(struct mill_means *means)
{
    memset(means, 0, sizeof *means);
    pthread_mutex_init(&means->mutex, NULL);
}

void mill_means_fini(struct mill_means *means)
{
    for (size_t i = 0; i < means->room; i++) {
        while (means->lists[i]) {
            struct mill_named_mean *next = means->lists[i]->next;
            free(means->lists[i]);
            means->lists[i] = next;
        }
    }
    free(means->lists);
    pthread_mutex_destroy(&means->mutex);
}

/* The list of a hash; there are as many as a power of 2. */
static struct mill_named_mean **chain_of(struct mill_means *means, uint64_t hash)
{
    return &means->lists[hash & (means->room - 1)];
}

/* Twice as many lists: where each task has a name of its own there are as many as tasks.  Without memory
 * for them the old ones only become longer. */
static void grow(struct mill_means *means)
{
    struct mill_named_mean **old = means->lists;
    size_t old_room = means->room, room = old_room ? 2 * old_room : 64;
    struct mill_named_mean **lists = calloc(room, sizeof *lists);
    if (lists == NULL) return;
    means->lists = lists;
    means->room = room;
    for (size_t i = 0; i < old_room; i++) {
        for (struct mill_named_mean *one = old[i], *next; one; one = next) {
            struct mill_named_mean **list = chain_of(means, one->hash);
            next = one->next;
            one->next = *list;
            *list = one;
        }
    }
    free(old);
}

static struct mill_named_mean *find(struct mill_means *means, const char *name, uint64_t hash)
{
    struct mill_named_mean *found = means->room ? *chain_of(means, hash) : NULL;
    while (found && (found->hash != hash || strcmp(found->name, name) != 0))
        found = found->next;
    return found;
}

static struct mill_named_mean *add(struct mill_means *means, const char *name, uint64_t hash)
{
    size_t size = strlen(name) + 1;
    if (means->count >= means->room) grow(means);
    struct mill_named_mean *made = means->room ? calloc(1, sizeof *made + size) : NULL;
    if (made == NULL) return NULL;
    made->hash = hash;
    memcpy(made->name, name, size);
    struct mill_named_mean **list = chain_of(means, hash);
    made->next = *list;
    *list = made;
    means->count++;
    return made;
}

struct mill_mean *mill_means_of(struct mill_means *means, const char *name)
{
    uint64_t hash = mill_hash_bytes(name, strlen(name)).low;
    pthread_mutex_lock(&means->mutex);
    struct mill_named_mean *found = find(means, name, hash);
    if (found == NULL) found = add(means, name, hash);
    pthread_mutex_unlock(&means->mutex);
    return found ? &found->mean : NULL;
}

const char *mill_mean_name(const struct mill_mean *mean)
{
    return ((const struct mill_named_mean *)mean)->name;
}
