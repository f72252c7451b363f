/* mean: how long tasks of each name have taken, kept for the pool's life.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_MEAN_H
#define MILL_MEAN_H

#include <pthread.h>

#include "sched/task.h"

struct mill_means {
    pthread_mutex_t mutex;
    struct mill_named_mean *
        *lists;         /* guarded by mutex, as all that follows: by hash of the name */
    size_t room, count; /* lists, a power of 2 or none; names */
};

void mill_means_init(struct mill_means *means);
void mill_means_fini(struct mill_means *means); /* no function refers to them any more */

/* The mean of a name, there from then on; NULL: no memory. */
struct mill_mean *mill_means_of(struct mill_means *means, const char *name);

/* Its name, of one that mill_means_of has given. */
const char *mill_mean_name(const struct mill_mean *mean);

#endif
