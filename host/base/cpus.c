/* cpus: how many CPUs this process may really use.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/cpus.h"

#include <math.h>
#include <unistd.h>

#include "base/group.h"

cpu_set_t *mill_cpus_mask(size_t *size)
{
    /* The mask may be larger than cpu_set_t on big machines: grow until it fits. */
    for (int bits = 1024; bits <= 1 << 20; bits *= 4) {
        cpu_set_t *set = CPU_ALLOC(bits);
        if (set == NULL) break;
        *size = CPU_ALLOC_SIZE(bits);
        CPU_ZERO_S(*size, set);
        if (sched_getaffinity(0, *size, set) == 0 && CPU_COUNT_S(*size, set) > 0) return set;
        CPU_FREE(set);
    }
    return NULL;
}

static int affinity_count(int online)
{
    size_t size;
    cpu_set_t *set = mill_cpus_mask(&size);
    if (set == NULL) return online;
    int count = CPU_COUNT_S(size, set);
    CPU_FREE(set);
    return count;
}

void mill_cpus_count(struct mill_cpus *cpus)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    cpus->online = online > 0 ? (int)online : 1;
    cpus->affinity = affinity_count(cpus->online);
    struct mill_group group;
    mill_group_find(&group, "", "cpu");
    cpus->quota = mill_group_tightest(&group);
    cpus->usable = cpus->affinity;
    if (cpus->quota > 0 && ceil(cpus->quota) < cpus->usable) {
        cpus->usable = (int)ceil(cpus->quota);
    }
    if (cpus->usable < 1) cpus->usable = 1;
}
