/* test_cpus: how many CPUs the process may use.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/cpus.h"

#include <math.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void numbers_are_sane(void)
{
    struct mill_cpus cpus;
    mill_cpus_count(&cpus);
    CHECK(cpus.online >= 1 && cpus.affinity >= 1 && cpus.quota >= 0);
    CHECK(cpus.usable >= 1 && cpus.usable <= cpus.affinity);
    int by_quota = cpus.quota > 0 ? (int)ceil(cpus.quota) : cpus.affinity;
    CHECK(cpus.usable == (by_quota < cpus.affinity ? by_quota : cpus.affinity));
}

static void counting_twice_gives_the_same(void)
{
    struct mill_cpus one, two;
    mill_cpus_count(&one);
    mill_cpus_count(&two);
    CHECK(one.online == two.online && one.affinity == two.affinity && one.usable == two.usable);
}

/* The first `count` CPUs of a mask. */
static cpu_set_t first_of(const cpu_set_t *all, int count)
{
    cpu_set_t some;
    CPU_ZERO(&some);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&some) < count; cpu++) {
        if (CPU_ISSET(cpu, all)) CPU_SET(cpu, &some);
    }
    return some;
}

/* In a child that may run on `count` CPUs: what it counts; 255 when it cannot be had. */
static int usable_with(const cpu_set_t *all, int count)
{
    pid_t child = fork();
    if (child == 0) {
        cpu_set_t some = first_of(all, count);
        struct mill_cpus cpus;
        if (sched_setaffinity(0, sizeof some, &some) != 0) _exit(255);
        mill_cpus_count(&cpus);
        _exit(cpus.affinity == count ? cpus.usable : 254);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 255;
    return WEXITSTATUS(status);
}

static void the_mask_of_the_process_is_respected(void)
{
    cpu_set_t all;
    struct mill_cpus cpus;
    if (sched_getaffinity(0, sizeof all, &all) != 0) SKIP("more CPUs than a cpu_set_t holds");
    mill_cpus_count(&cpus);
    CHECK(cpus.affinity == CPU_COUNT(&all));
    for (int count = 1; count <= cpus.affinity && count < 20; count++) {
        int got = usable_with(&all, count);
        if (got == 255) SKIP("the mask cannot be set");
        CHECK_SAYING(got == (count < cpus.usable ? count : cpus.usable), "%d of %d CPUs", got,
                     count);
    }
}

int main(void)
{
    RUN(numbers_are_sane);
    RUN(counting_twice_gives_the_same);
    RUN(the_mask_of_the_process_is_respected);
    return check_end();
}
