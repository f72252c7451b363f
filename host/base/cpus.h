/* cpus: how many CPUs this process may really use, and what they can do.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CPUS_H
#define MILL_CPUS_H

#include <sched.h>
#include <stddef.h>

struct mill_cpus {
    int online;   /* of the machine */
    int affinity; /* in the process's mask */
    double quota; /* of its control group, in CPUs; 0: none */
    int usable;   /* what follows: at least 1 */
};

void mill_cpus_count(struct mill_cpus *cpus);

/* The mask of the calling thread, of *size bytes, for CPU_FREE; NULL: it cannot be had. */
cpu_set_t *mill_cpus_mask(size_t *size);

#endif
