/* test_group: which control groups a process is in, and what they allow.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/group.h"

#include "check.h"
#include "tree_check.h"

/* A machine with version 2 alone. */
static const char v2_membership[] = "0::/user.slice/job.scope\n";
static const char v2_mounts[] =
    "22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

/* Version 1, with "cpu" and "cpuacct" in one tree and version 2 beside it. */
static const char v1_membership[] = "9:name=systemd:/x\n"
                                    "5:cpu,cpuacct:/docker/ab:c/inner\n"
                                    "4:memory:/docker/ab:c/inner\n"
                                    "0::/x\n";
static const char v1_mounts[] =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 /docker/ab:c /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw master:1 shared:7 - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

static struct mill_group parsed(const char *controller, const char *membership,
                                const char *mounts)
{
    struct mill_group group;
    mill_group_parse(&group, "", controller, membership, mounts);
    return group;
}

static void version_2_is_one_tree(void)
{
    struct mill_group group = parsed("memory", v2_membership, v2_mounts);
    CHECK(group.version == 2);
    CHECK_TEXT(group.folder, "/sys/fs/cgroup/user.slice/job.scope");
    CHECK(mill_group_up(&group));
    CHECK_TEXT(group.folder, "/sys/fs/cgroup/user.slice");
    CHECK(mill_group_up(&group));
    CHECK_TEXT(group.folder, "/sys/fs/cgroup");
    CHECK(!mill_group_up(&group));
    CHECK_TEXT(group.folder, "/sys/fs/cgroup");
}

static void version_1_has_a_tree_for_each_controller(void)
{
    struct mill_group group = parsed("memory", v1_membership, v1_mounts);
    CHECK(group.version == 1);
    CHECK_TEXT(group.folder, "/sys/fs/cgroup/memory/docker/ab:c/inner");
    group = parsed("cpuacct", v1_membership, v1_mounts);
    CHECK(group.version == 1);
    CHECK_TEXT(group.folder, "/sys/fs/cgroup/cpu,cpuacct/inner"); /* the mount shows a part */
    CHECK(mill_group_up(&group) && !mill_group_up(&group));
    group = parsed("pids", v1_membership, v1_mounts);
    CHECK(group.version == 2);
    CHECK_TEXT(group.folder, "/sys/fs/cgroup/unified/x");
}

static void a_group_outside_the_mount_is_the_mount_point(void)
{
    static const char *const paths[] = {"0::/", "0::/../other", "0::/..", "0::/other"};
    const char *mounts = "30 22 0:26 /mine /cg rw - cgroup2 none rw\n";
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct mill_group group = parsed("cpu", paths[i], mounts);
        CHECK(group.version == 2);
        CHECK_TEXT(group.folder, "/cg");
        CHECK(!mill_group_up(&group));
    }
    struct mill_group group = parsed("cpu", "0::/minefield/x", mounts);
    CHECK_TEXT(group.folder, "/cg"); /* not below /mine */
    group = parsed("cpu", "0::/mine", mounts);
    CHECK_TEXT(group.folder, "/cg");
}

static void blanks_in_a_mount_point_are_undone(void)
{
    struct mill_group group =
        parsed("cpu", "0::/a", "30 22 0:26 / /c\\040g\\134\\0 rw - cgroup2 none rw\n");
    CHECK_TEXT(group.folder, "/c g\\\\0/a");
    group = parsed("cpu", "0::/a", "30 22 0:26 / /c\\000g rw - cgroup2 none rw\n");
    CHECK(group.version == 0); /* no path has a zero byte */
}

static void without_groups_there_is_none(void)
{
    static const char *const texts[][2] = {
        {"", ""},
        {v2_membership, ""},
        {"", v2_mounts},
        {"0::relative\n", v2_mounts},
        {"nonsense", "more nonsense"},
        {"4:memory:/x\n", v2_mounts},
        {v2_membership, "30 22 0:26 / relative rw - cgroup2 cgroup2 rw\n"},
        {v2_membership, "30 22 0:26 / /cg rw cgroup2 cgroup2 rw\n"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct mill_group group = parsed("memory", texts[i][0], texts[i][1]);
        CHECK_SAYING(group.version == 0, "texts %zu give %s", i, group.folder);
        CHECK(mill_group_quota(&group) == 0 && mill_group_tightest(&group) == 0);
        CHECK(mill_group_cpu_time(&group, "") == -1);
        CHECK(mill_group_memory_limit(&group) == INT64_MAX);
        CHECK(mill_group_memory_used(&group) == -1);
        CHECK(!mill_group_up(&group));
    }
}

static void a_path_that_is_too_long_is_none(void)
{
    char membership[PATH_MAX + 10];
    memset(membership, 'x', sizeof membership);
    memcpy(membership, "0::/", 4);
    membership[sizeof membership - 1] = '\0';
    CHECK(parsed("cpu", membership, v2_mounts).version == 0);
}

/* ---- On a machine made of files -------------------------------------------------------- */

static void machine_v2(void)
{
    tree_begin();
    tree_write("/proc/self/cgroup", v2_membership);
    tree_write("/proc/self/mountinfo", v2_mounts);
}

static void limits_of_version_2_are_read(void)
{
    machine_v2();
    const char *job = "/sys/fs/cgroup/user.slice/job.scope";
    char path[200];
    static const struct {
        const char *file, *text;
        double quota;
        int64_t limit, used, time;
    } cases[] = {
        {"cpu.max", "150000 100000\n", 1.5, INT64_MAX, -1, -1},
        {"cpu.max", "max 100000\n", 0, INT64_MAX, -1, -1},
        {"cpu.max", "150000\n", 0, INT64_MAX, -1, -1},
        {"cpu.max", "150000 0\n", 0, INT64_MAX, -1, -1},
        {"cpu.max", "nonsense", 0, INT64_MAX, -1, -1},
        {"memory.max", "max\n", 0, INT64_MAX, -1, -1},
        {"memory.max", "1000000\n", 0, 1000000, -1, -1},
        {"memory.high", "900000\n", 0, 900000, -1, -1},
        {"memory.max", "\n", 0, 900000, -1, -1},
        {"memory.current", "5000\n", 0, 900000, 5000, -1},
        {"memory.stat", "anon 1\ninactive_file 1200\n", 0, 900000, 3800, -1},
        {"memory.stat", "inactive_file 7000\n", 0, 900000, 0, -1},
        {"memory.stat", "inactive_file x\n", 0, 900000, 5000, -1},
        {"cpu.stat", "usage_usec 12\nuser_usec 5\n", 0, 900000, 5000, 12000},
        {"cpu.stat", "usage_usec 9223372036854775807\n", 0, 900000, 5000, -1},
        {"cpu.stat", "", 0, 900000, 5000, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", job, cases[i].file);
        tree_write(path, cases[i].text);
        struct mill_group group;
        mill_group_find(&group, tree.root, "memory");
        CHECK(group.version == 2);
        CHECK_SAYING(mill_group_quota(&group) == cases[i].quota, "quota of case %zu", i);
        CHECK_SAYING(mill_group_memory_limit(&group) == cases[i].limit, "limit of case %zu", i);
        CHECK_SAYING(mill_group_memory_used(&group) == cases[i].used, "used of case %zu", i);
        CHECK_SAYING(mill_group_cpu_time(&group, tree.root) == cases[i].time,
                     "time of case %zu", i);
    }
    tree_end();
}

static void limits_of_version_1_are_read(void)
{
    tree_begin();
    tree_write("/proc/self/cgroup", v1_membership);
    tree_write("/proc/self/mountinfo", v1_mounts);
    tree_write("/sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_quota_us", "50000\n");
    tree_write("/sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_period_us", "100000\n");
    tree_write("/sys/fs/cgroup/cpu,cpuacct/inner/cpuacct.usage", "777\n");
    const char *memory = "/sys/fs/cgroup/memory/docker/ab:c/inner/memory.limit_in_bytes";
    tree_write(memory, "9223372036854771712\n");
    struct mill_group group;
    mill_group_find(&group, tree.root, "cpu");
    CHECK(group.version == 1 && mill_group_quota(&group) == 0.5);
    CHECK(mill_group_cpu_time(&group, tree.root) == 777);
    mill_group_find(&group, tree.root, "memory");
    CHECK(group.version == 1 && mill_group_memory_limit(&group) == INT64_MAX);
    CHECK(mill_group_memory_used(&group) == -1);
    tree_write(memory, "4096\n");
    CHECK(mill_group_memory_limit(&group) == 4096);
    tree_write("/sys/fs/cgroup/memory/docker/ab:c/inner/memory.usage_in_bytes", "3000\n");
    tree_write("/sys/fs/cgroup/memory/docker/ab:c/inner/memory.stat",
               "inactive_file 1\ntotal_inactive_file 500\n");
    CHECK(mill_group_memory_used(&group) == 2500);
    tree_write("/sys/fs/cgroup/cpu,cpuacct/inner/cpu.cfs_quota_us", "-1\n");
    mill_group_find(&group, tree.root, "cpu");
    CHECK(mill_group_quota(&group) == 0);
    tree_end();
}

static void time_is_found_in_a_tree_of_its_own(void)
{
    tree_begin();
    tree_write("/proc/self/cgroup", "2:cpuacct:/a/b\n1:cpu:/a/b\n");
    tree_write("/proc/self/mountinfo", "32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu\n"
                                       "33 31 0:30 / /cg/acct rw - cgroup cgroup rw,cpuacct\n");
    tree_write("/cg/acct/a/cpuacct.usage", "55\n");
    struct mill_group group;
    mill_group_find(&group, tree.root, "cpu");
    CHECK(mill_group_cpu_time(&group, tree.root) == -1); /* of /a/b: no file */
    CHECK(mill_group_up(&group));
    CHECK(mill_group_cpu_time(&group, tree.root) == 55);
    tree_end();
}

static void the_tightest_quota_of_all_above_counts(void)
{
    machine_v2();
    struct mill_group group;
    mill_group_find(&group, tree.root, "cpu");
    CHECK(mill_group_tightest(&group) == 0);
    tree_write("/sys/fs/cgroup/user.slice/job.scope/cpu.max", "300000 100000\n");
    CHECK(mill_group_tightest(&group) == 3);
    CHECK_TEXT(strrchr(group.folder, '/'), "/job.scope");
    tree_write("/sys/fs/cgroup/user.slice/cpu.max", "200000 100000\n");
    CHECK(mill_group_tightest(&group) == 2);
    CHECK_TEXT(strrchr(group.folder, '/'), "/user.slice");
    mill_group_find(&group, tree.root, "cpu");
    tree_write("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    tree_write("/sys/fs/cgroup/user.slice/job.scope/cpu.max", "100000 100000\n");
    CHECK(mill_group_tightest(&group) == 1);
    CHECK_TEXT(strrchr(group.folder, '/'), "/job.scope");
    tree_end();
}

static void any_text_gives_a_group_or_none(void)
{
    unsigned long long state = check_seed();
    char *copies[2] = {malloc(sizeof v1_membership), malloc(sizeof v1_mounts)};
    int found = 0;
    for (int i = 0; i < 20000; i++) {
        tree_spoil(copies[0], v1_membership, &state);
        tree_spoil(copies[1], v1_mounts, &state);
        struct mill_group group = parsed(i % 2 ? "memory" : "cpu", copies[0], copies[1]);
        found += group.version != 0;
        CHECK(group.version >= 0 && group.version <= 2);
        CHECK((group.version == 0) == (group.folder[0] == '\0'));
        CHECK(strlen(group.folder) >= group.top);
        while (mill_group_up(&group)) CHECK(strlen(group.folder) >= group.top);
    }
    CHECK(found > 0 && found < 20000); /* the spoiling is neither nothing nor all */
    free(copies[0]);
    free(copies[1]);
}

static void any_file_of_a_group_is_read_without_harm(void)
{
    unsigned long long state = check_seed();
    machine_v2();
    static const char *const files[][2] = {
        {"cpu.max", "150000 100000\n"},
        {"memory.max", "1000000\n"},
        {"memory.high", "max\n"},
        {"memory.current", "5000\n"},
        {"memory.stat", "anon 1\ninactive_file 1200\n"},
        {"cpu.stat", "usage_usec 12\nuser_usec 5\n"},
    };
    struct mill_group group;
    mill_group_find(&group, tree.root, "cpu");
    for (int i = 0; i < 600; i++) {
        for (size_t k = 0; k < sizeof files / sizeof files[0]; k++) {
            char copy[100], path[200];
            size_t size = tree_spoil(copy, files[k][1], &state);
            snprintf(path, sizeof path, "/sys/fs/cgroup/user.slice/job.scope/%s", files[k][0]);
            tree_write_bytes(path, copy, size);
        }
        CHECK(mill_group_quota(&group) >= 0);
        CHECK(mill_group_memory_limit(&group) >= 0);
        CHECK(mill_group_memory_used(&group) >= -1);
        CHECK(mill_group_cpu_time(&group, tree.root) >= -1);
    }
    tree_end();
}

int main(void)
{
    RUN(version_2_is_one_tree);
    RUN(version_1_has_a_tree_for_each_controller);
    RUN(a_group_outside_the_mount_is_the_mount_point);
    RUN(blanks_in_a_mount_point_are_undone);
    RUN(without_groups_there_is_none);
    RUN(a_path_that_is_too_long_is_none);
    RUN(limits_of_version_2_are_read);
    RUN(limits_of_version_1_are_read);
    RUN(time_is_found_in_a_tree_of_its_own);
    RUN(the_tightest_quota_of_all_above_counts);
    RUN(any_text_gives_a_group_or_none);
    RUN(any_file_of_a_group_is_read_without_harm);
    return check_end();
}
