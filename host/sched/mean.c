/* mean: how long tasks of each name have taken.  SPDX-License-Identifier: MIT */
#include "sched/mean.h"

#include <stdlib.h>

struct mill_named_mean {
    struct mill_mean mean; /* first */
    struct mill_named_mean *next;
    char name[];
};

void mill_means_init(struct mill_means *means)
{
    memset(means, 0, sizeof *means);
    pthread_mutex_init(&means->mutex, NULL);
}

void mill_means_fini(struct mill_means *means)
{
    for (int i = 0; i < MILL_MEAN_LISTS; i++) {
        while (means->lists[i]) {
            struct mill_named_mean *next = means->lists[i]->next;
            free(means->lists[i]);
            means->lists[i] = next;
        }
    }
    pthread_mutex_destroy(&means->mutex);
}

struct mill_mean *mill_means_of(struct mill_means *means, const char *name)
{
    size_t size = strlen(name) + 1;
    struct mill_named_mean **list =
        &means->lists[mill_hash_bytes(name, size).low % MILL_MEAN_LISTS];
    pthread_mutex_lock(&means->mutex);
    struct mill_named_mean *found = *list;
    while (found && strcmp(found->name, name) != 0) found = found->next;
    if (found == NULL && (found = calloc(1, sizeof *found + size)) != NULL) {
        memcpy(found->name, name, size);
        found->next = *list;
        *list = found;
    }
    pthread_mutex_unlock(&means->mutex);
    return found ? &found->mean : NULL;
}

const char *mill_mean_name(const struct mill_mean *mean)
{
    return ((const struct mill_named_mean *)mean)->name;
}
