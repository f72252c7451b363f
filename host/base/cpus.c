/* cpus: how many CPUs this process may really use.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/cpus.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int affinity_count(int online)
{
    /* The mask may be larger than cpu_set_t on big machines: grow until it fits. */
    for (int bits = 1024; bits <= 1 << 20; bits *= 4) {
        cpu_set_t *set = CPU_ALLOC(bits);
        if (set == NULL) break;
        size_t size = CPU_ALLOC_SIZE(bits);
        CPU_ZERO_S(size, set);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0) return count;
    }
    return online;
}

static double smaller(double quota, double other)
{
    return quota == 0 || (other > 0 && other < quota) ? other : quota;
}

/* "200000 100000" in a group's cpu.max is two CPUs, "max" is no limit. */
static double quota_v2(const char *folder)
{
    char path[4300];
    snprintf(path, sizeof path, "%s/cpu.max", folder);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    double quota = 0, period = 0;
    if (fscanf(file, "%lf %lf", &quota, &period) != 2 || period <= 0) quota = 0;
    fclose(file);
    return quota > 0 ? quota / period : 0;
}

static double read_number(const char *path)
{
    double number = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%lf", &number) != 1) number = 0;
    fclose(file);
    return number;
}

static double quota_v1(void)
{
    double quota = read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
    double period = read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    return quota > 0 && period > 0 ? quota / period : 0;
}

/* The limits of the process's own group and of all above it count. */
static double group_quota(void)
{
    char line[4096], folder[4200] = "";
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, "0::", 3) != 0) continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", line + 3);
    }
    if (file) fclose(file);
    double quota = quota_v1();
    const size_t root = strlen("/sys/fs/cgroup");
    while (strlen(folder) >= root) {
        quota = smaller(quota, quota_v2(folder));
        char *slash = strrchr(folder, '/');
        if (slash == NULL || (size_t)(slash - folder) < root) break;
        *slash = '\0';
    }
    return quota;
}

void mill_cpus_count(struct mill_cpus *cpus)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    cpus->online = online > 0 ? (int)online : 1;
    cpus->affinity = affinity_count(cpus->online);
    cpus->quota = group_quota();
    cpus->usable = cpus->affinity;
    if (cpus->quota > 0 && ceil(cpus->quota) < cpus->usable) {
        cpus->usable = (int)ceil(cpus->quota);
    }
    if (cpus->usable < 1) cpus->usable = 1;
}
