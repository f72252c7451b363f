/* test_kernels: which instruction set the kernels use, and who may say so.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "kernel_check.h"
#include "kernels/random.h"

static void the_plain_set_is_always_there(void)
{
    CHECK(tidemill_kernel_isa_select("plain") == 0);
    CHECK_TEXT(tidemill_kernel_isa(), "plain");
}

static void a_set_that_is_unknown_or_lacking_is_refused_and_nothing_changes(void)
{
    tidemill_kernel_isa_select("plain");
    CHECK(tidemill_kernel_isa_select("sse9") == -1);
    CHECK(tidemill_kernel_isa_select("") == -1);
    CHECK_TEXT(tidemill_kernel_isa(), "plain");
#ifdef TIDEMILL_SCALAR
    CHECK(tidemill_kernel_isa_select("avx2") == -1);
#endif
}

static void the_environment_chooses(void)
{
    const char *before = getenv("TIDEMILL_ISA");
    char *kept = before ? strdup(before) : NULL;
    setenv("TIDEMILL_ISA", "plain", 1);
    CHECK(tidemill_kernel_isa_select(NULL) == 0);
    CHECK_TEXT(tidemill_kernel_isa(), "plain");
    setenv("TIDEMILL_ISA", "no such set", 1);
    CHECK(tidemill_kernel_isa_select(NULL) == -1);
    CHECK_TEXT(tidemill_kernel_isa(), "plain");
    setenv("TIDEMILL_ISA", "", 1);
    CHECK(tidemill_kernel_isa_select(NULL) == 0);
    if (kept)
        setenv("TIDEMILL_ISA", kept, 1);
    else
        unsetenv("TIDEMILL_ISA");
    free(kept);
}

#if defined(__x86_64__) && !defined(TIDEMILL_SCALAR)
static void the_widest_set_of_the_machine_is_the_default(void)
{
    if (getenv("TIDEMILL_ISA")) SKIP("TIDEMILL_ISA is set");
    CHECK(tidemill_kernel_isa_select(NULL) == 0);
    const char *expected = __builtin_cpu_supports("avx512dq") ? "avx512"
                           : __builtin_cpu_supports("avx2")   ? "avx2"
                                                              : "plain";
    CHECK_TEXT(tidemill_kernel_isa(), expected);
}
#endif

/* ---- from several threads at once ----------------------------------------------------------- */

static void *sum_often(void *sum)
{
    double x[300];
    tidemill_kernel_uniform(3, 4, 0, 300, x);
    for (int i = 0; i < 2000; i++) *(double *)sum = tidemill_kernel_sum(x, 300);
    return NULL;
}

static void *switch_often(void *unused)
{
    for (int i = 0; i < 2000; i++) tidemill_kernel_isa_select(kernel_sets[i % KERNEL_SETS]);
    return unused;
}

static void kernels_keep_their_bits_while_another_thread_switches(void)
{
    pthread_t threads[4];
    double sums[3] = {0}, expected;
    sum_often(&expected);
    for (int i = 0; i < 3; i++) CHECK(!pthread_create(&threads[i], NULL, sum_often, &sums[i]));
    CHECK(!pthread_create(&threads[3], NULL, switch_often, NULL));
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++) CHECK(same_bits(&sums[i], &expected, 1));
    tidemill_kernel_isa_select(NULL);
}

int main(void)
{
    RUN(the_plain_set_is_always_there);
    RUN(a_set_that_is_unknown_or_lacking_is_refused_and_nothing_changes);
    RUN(the_environment_chooses);
#if defined(__x86_64__) && !defined(TIDEMILL_SCALAR)
    RUN(the_widest_set_of_the_machine_is_the_default);
#endif
    RUN(kernels_keep_their_bits_while_another_thread_switches);
    return check_end();
}
