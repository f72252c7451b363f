/* group: the control groups (cgroups) that this process is in, what they allow and what they
 * have used.  A container or a service manager limits a process by them; version 1 has a tree
 * of groups for each controller, version 2 one for all, and a machine can have both.
 *
 *     struct mill_group group;
 *     mill_group_find(&group, "", "memory");
 *     while (group.version) { ...; if (!mill_group_up(&group)) break; }
 *
 * A group's own limit and those of all groups above it hold, as far up as they can be seen.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_GROUP_H
#define MILL_GROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mill_group {
    int version;           /* of its tree: 1 or 2; 0: there is no such group */
    size_t top;            /* length of the tree's mount point in `folder` */
    char folder[PATH_MAX]; /* where its files are */
};

/* The process's group for a controller: "cpu", "cpuacct" or "memory".  `root` as in base/text. */
void mill_group_find(struct mill_group *group, const char *root, const char *controller);

/* The same from the texts of /proc/self/cgroup and /proc/self/mountinfo. */
void mill_group_parse(struct mill_group *group, const char *root, const char *controller,
                      const char *membership, const char *mounts);

/* Goes to the group above; false, and nothing changes, when there is none. */
bool mill_group_up(struct mill_group *group);

/* CPUs that a "cpu" group may use, such as 1.5; 0: as many as there are. */
double mill_group_quota(const struct mill_group *group);

/* Leaves *group at the group with the smallest quota, of itself and all above, and returns
 * that; 0 when none has one. */
double mill_group_tightest(struct mill_group *group);

/* Nanoseconds of CPU time that a "cpu" group has used; -1: cannot be told. */
int64_t mill_group_cpu_time(const struct mill_group *group, const char *root);

/* Bytes that a "memory" group may have; INT64_MAX: no limit. */
int64_t mill_group_memory_limit(const struct mill_group *group);

/* Bytes that it has, without those file pages that the kernel drops first; -1: unknown. */
int64_t mill_group_memory_used(const struct mill_group *group);

#endif
