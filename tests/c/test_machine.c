/* test_machine: memory and CPU time as they are for this process.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/machine.h"

#include <math.h>
#include <stdint.h>

#include "base/cpus.h"
#include "check.h"
#include "tree_check.h"

/* ---- Memory ---------------------------------------------------------------------------- */

static const char meminfo[] = "MemTotal:        1000 kB\nMemFree:          100 kB\n"
                              "MemAvailable:     600 kB\nBuffers:           50 kB\n"
                              "Cached:           200 kB\n";

static void the_machines_memory_is_parsed(void)
{
    struct mill_machine_memory memory = {0};
    CHECK(mill_machine_parse_memory(meminfo, &memory));
    CHECK(memory.installed == 1000 * 1024 && memory.available == 600 * 1024);
    CHECK(mill_machine_parse_memory(
        "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 200 kB\n", &memory));
    CHECK(memory.available == 350 * 1024); /* an old kernel */
    CHECK(mill_machine_parse_memory("MemTotal: 10 kB\nMemAvailable: 20 kB\n", &memory));
    CHECK(memory.available == 10 * 1024);
    static const char *const none[] = {"", "MemTotal: 0 kB\n", "MemFree: 1 kB\n",
                                       "MemTotal: x kB\n",
                                       "MemTotal: 9223372036854775807 kB\n"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        CHECK_SAYING(!mill_machine_parse_memory(none[i], &memory), "text %zu says nothing", i);
    }
}

static void machine_with(const char *membership, const char *mounts)
{
    tree_begin();
    tree_write("/proc/meminfo", meminfo);
    if (membership) tree_write("/proc/self/cgroup", membership);
    if (mounts) tree_write("/proc/self/mountinfo", mounts);
}

static void machine_v2(void)
{
    machine_with("0::/outer/inner\n", "30 22 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
}

/* Memory of the tree, in KiB. */
static struct mill_machine_memory memory_in_kib(void)
{
    struct mill_machine_memory memory;
    mill_machine_memory(tree.root, &memory);
    CHECK(memory.used + memory.available == memory.total);
    memory.installed /= 1024;
    memory.limit /= 1024;
    memory.total /= 1024;
    memory.available /= 1024;
    memory.used /= 1024;
    return memory;
}

static void without_groups_it_is_the_machines(void)
{
    static const char *const memberships[] = {NULL, "nonsense", "0::/gone (deleted)\n"};
    for (int i = 0; i < 3; i++) {
        machine_with(memberships[i], i == 2 ? "30 22 0:26 / /cg rw - cgroup2 x rw\n" : NULL);
        struct mill_machine_memory memory = memory_in_kib();
        CHECK(memory.installed == 1000 && memory.total == 1000 && memory.limit == 0);
        CHECK(memory.available == 600 && memory.used == 400);
        CHECK(mill_machine_memory_share(tree.root) == 0.4);
        tree_end();
    }
}

static void the_smallest_limit_and_the_fullest_group_count(void)
{
    machine_v2();
    tree_write("/cg/outer/inner/memory.max", "819200\n"); /* 800 KiB, 500 left */
    tree_write("/cg/outer/inner/memory.current", "307200\n");
    struct mill_machine_memory memory = memory_in_kib();
    CHECK(memory.limit == 800 && memory.total == 800);
    CHECK(memory.available == 500 && memory.used == 300);
    tree_write("/cg/outer/memory.max", "921600\n"); /* 900 KiB, 100 left */
    tree_write("/cg/outer/memory.current", "921600\n");
    tree_write("/cg/outer/memory.stat", "inactive_file 102400\n");
    memory = memory_in_kib();
    CHECK(memory.limit == 800 && memory.total == 800);
    CHECK(memory.available == 100 && memory.used == 700);
    tree_write("/cg/outer/memory.current", "2048000\n"); /* more than it may */
    memory = memory_in_kib();
    CHECK(memory.available == 0 && memory.used == 800);
    CHECK(mill_machine_memory_share(tree.root) == 1);
    tree_end();
}

static void a_limit_above_the_machine_changes_nothing(void)
{
    machine_v2();
    tree_write("/cg/outer/inner/memory.max", "4096000\n");
    tree_write("/cg/outer/inner/memory.current", "1024\n");
    struct mill_machine_memory memory = memory_in_kib();
    CHECK(memory.limit == 4000 && memory.total == 1000 && memory.available == 600);
    tree_end();
}

static void limits_of_version_1_count_too(void)
{
    machine_with("4:memory:/a\n0::/\n", "35 31 0:32 / /m rw - cgroup cgroup rw,memory\n"
                                        "41 31 0:38 / /u rw - cgroup2 cgroup2 rw\n");
    tree_write("/m/memory.limit_in_bytes", "9223372036854771712\n");
    tree_write("/m/memory.usage_in_bytes", "5\n");
    tree_write("/m/a/memory.limit_in_bytes", "512000\n");
    tree_write("/m/a/memory.usage_in_bytes", "102400\n");
    struct mill_machine_memory memory = memory_in_kib();
    CHECK(memory.limit == 500 && memory.total == 500 && memory.available == 400);
    tree_end();
}

static void without_proc_the_kernel_is_asked(void)
{
    tree_begin();
    struct mill_machine_memory memory;
    mill_machine_memory(tree.root, &memory);
    CHECK(memory.installed > 0 && memory.total == memory.installed);
    CHECK(memory.available > 0 && memory.available <= memory.total);
    tree_end();
}

static void this_machines_memory_is_sane(void)
{
    struct mill_machine_memory memory;
    mill_machine_memory("", &memory);
    CHECK(memory.total > 0 && memory.total <= memory.installed);
    CHECK(memory.available >= 0 && memory.used >= 0);
    CHECK(memory.used + memory.available == memory.total);
    CHECK(memory.limit == 0 || memory.total <= memory.limit);
}

/* ---- CPU time -------------------------------------------------------------------------- */

static const char cpu_times[] = "cpu  60 6 6 600 60 6 6 6 1 1\n"
                                "cpu0 10 1 1 100 10 1 1 1 0 0\n"
                                "cpu1 20 2 2 200 20 2 2 2 0 0\n"
                                "cpu2 30 3 3 300 30 3 3 3 1 1\n"
                                "intr 5 0 0\ncpu3 1 1 1 1 1 1 1 1 1 1\n";

static bool in_bits(void *context, int cpu)
{
    return cpu < 32 && (*(unsigned *)context >> cpu & 1);
}

static void times_of_the_processs_cpus_are_summed(void)
{
    for (unsigned bits = 1; bits < 8; bits++) {
        struct mill_machine_cpu cpu;
        int64_t sum = 0;
        for (int i = 0; i < 3; i++) sum += bits >> i & 1 ? i + 1 : 0;
        CHECK(mill_machine_parse_stat(cpu_times, in_bits, &bits, &cpu));
        CHECK(cpu.quota == 0 && cpu.used == 15 * sum && cpu.passed == 125 * sum);
    }
}

static void a_text_without_single_cpus_gives_the_whole(void)
{
    struct mill_machine_cpu cpu;
    unsigned bits = 1;
    CHECK(mill_machine_parse_stat("cpu  60 6 6 600\n", in_bits, &bits, &cpu));
    CHECK(cpu.quota == 0 && cpu.used == 72 && cpu.passed == 672);
    bits = 8; /* none of those that are listed */
    CHECK(mill_machine_parse_stat(cpu_times, in_bits, &bits, &cpu));
    CHECK(cpu.used == 90 && cpu.passed == 750);
}

static void nonsense_has_no_times(void)
{
    static const char *const none[] = {"",
                                       "cpu",
                                       "cpu\n",
                                       "cpu 1 2 3\n",
                                       "cpux 1 2 3 4\n",
                                       "intr 1 2 3 4\ncpu 1 2 3 4\n",
                                       "cpu 9223372036854775807 9223372036854775807 1 1\n",
                                       "cpu0x 1 2 3 4\n"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct mill_machine_cpu cpu;
        unsigned bits = 1;
        CHECK_SAYING(!mill_machine_parse_stat(none[i], in_bits, &bits, &cpu), "text %zu", i);
        CHECK(cpu.quota == -1);
    }
}

static void a_share_is_what_was_used_of_what_could_be(void)
{
    struct mill_machine_cpu before = {.quota = 0, .used = 100, .passed = 1000};
    struct mill_machine_cpu after = {.quota = 0, .used = 130, .passed = 1040};
    CHECK(mill_machine_cpu_share(&before, &after) == 0.75);
    before.quota = after.quota = 1.5;
    CHECK(mill_machine_cpu_share(&before, &after) == 0.5);
    after.used = 500;
    CHECK(mill_machine_cpu_share(&before, &after) == 1); /* never more than all */
    after.used = 99;
    CHECK(isnan(mill_machine_cpu_share(&before, &after)));
    after = before;
    CHECK(isnan(mill_machine_cpu_share(&before, &after))); /* no time has passed */
    after.passed++;
    CHECK(mill_machine_cpu_share(&before, &after) == 0);
    after.quota = 2;
    CHECK(isnan(mill_machine_cpu_share(&before, &after)));
    before.quota = after.quota = -1;
    CHECK(isnan(mill_machine_cpu_share(&before, &after)));
}

static void a_quota_below_the_mask_is_what_counts(void)
{
    machine_v2();
    tree_write("/proc/stat", "cpu  60 6 6 600\n");
    struct mill_machine_cpu cpu;
    mill_machine_cpu(tree.root, &cpu);
    CHECK(cpu.quota == 0 && cpu.used == 72 && cpu.passed == 672);
    tree_write("/cg/outer/cpu.max", "50000 100000\n");
    mill_machine_cpu(tree.root, &cpu);
    CHECK(cpu.quota == 0); /* the group does not say what it has used */
    tree_write("/cg/outer/cpu.stat", "usage_usec 7\n");
    mill_machine_cpu(tree.root, &cpu);
    CHECK(cpu.quota == 0.5 && cpu.used == 7000 && cpu.passed > 0);
    struct mill_machine_cpu later;
    mill_machine_cpu(tree.root, &later);
    CHECK(later.passed >= cpu.passed);
    tree_write("/cg/outer/cpu.max", "500000000 100000\n"); /* 5,000 CPUs: no limit in effect */
    mill_machine_cpu(tree.root, &cpu);
    CHECK(cpu.quota == 0 && cpu.used == 72);
    tree_end();
}

static void the_caller_keeps_the_last_reading(void)
{
    machine_v2();
    struct mill_machine_cpu last = {.quota = -1};
    CHECK(isnan(mill_machine_cpu_since(tree.root, &last))); /* nothing to be read */
    tree_write("/proc/stat", "cpu  60 6 6 600\n");
    CHECK(isnan(mill_machine_cpu_since(tree.root, &last))); /* the first */
    tree_write("/proc/stat", "cpu  70 6 6 630\n");
    CHECK(mill_machine_cpu_since(tree.root, &last) == 0.25);
    CHECK(isnan(mill_machine_cpu_since(tree.root, &last)));
    tree_write("/proc/stat", "cpu  75 11 6 630\n");
    CHECK(mill_machine_cpu_since(tree.root, &last) == 1);
    tree_end();
}

static void this_machines_time_goes_on(void)
{
    struct mill_machine_cpu before, after;
    mill_machine_cpu("", &before);
    if (before.quota < 0) SKIP("no CPU times to be read here");
    const int64_t start = before.used;
    do { /* until the clock tick of a CPU, or the group's time, has moved */
        mill_machine_cpu("", &after);
    } while (after.used == start);
    CHECK(after.used > before.used && after.quota == before.quota);
    CHECK(after.passed > before.passed);
    double share = mill_machine_cpu_share(&before, &after);
    CHECK(share > 0 && share <= 1);
}

static void any_text_is_parsed_without_harm(void)
{
    unsigned long long state = check_seed();
    char *copies[2] = {malloc(sizeof cpu_times), malloc(sizeof meminfo)};
    int found = 0;
    for (int i = 0; i < 20000; i++) {
        struct mill_machine_cpu cpu;
        struct mill_machine_memory memory = {0};
        unsigned bits = 3;
        tree_spoil(copies[0], cpu_times, &state);
        tree_spoil(copies[1], meminfo, &state);
        if (mill_machine_parse_stat(copies[0], in_bits, &bits, &cpu)) {
            CHECK(cpu.used >= 0 && cpu.passed >= cpu.used);
            found++;
        }
        if (mill_machine_parse_memory(copies[1], &memory)) {
            CHECK(memory.installed > 0 && memory.available >= 0);
            CHECK(memory.available <= memory.installed);
            found++;
        }
    }
    CHECK(found > 0 && found < 40000);
    free(copies[0]);
    free(copies[1]);
}

int main(void)
{
    RUN(the_machines_memory_is_parsed);
    RUN(without_groups_it_is_the_machines);
    RUN(the_smallest_limit_and_the_fullest_group_count);
    RUN(a_limit_above_the_machine_changes_nothing);
    RUN(limits_of_version_1_count_too);
    RUN(without_proc_the_kernel_is_asked);
    RUN(this_machines_memory_is_sane);
    RUN(times_of_the_processs_cpus_are_summed);
    RUN(a_text_without_single_cpus_gives_the_whole);
    RUN(nonsense_has_no_times);
    RUN(a_share_is_what_was_used_of_what_could_be);
    RUN(a_quota_below_the_mask_is_what_counts);
    RUN(the_caller_keeps_the_last_reading);
    RUN(this_machines_time_goes_on);
    RUN(any_text_is_parsed_without_harm);
    return check_end();
}
