/* dispatch: which instruction set the kernels use.
 * The choice is one pointer to a constant table, stored once and read with every call.
 * SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/bodies.h"
#include "kernels/kernels.h"

/* From narrow to wide: a later table is preferred where the machine has it. */
static const struct mill_kernel_bodies kernel_tables[] = {
    {
        .name = "plain",
        .isa = MILL_ISA_PLAIN,
        .sum_block = mill_sum_block_plain,
        .square_block = mill_square_block_plain,
        .window_sums = mill_window_sums_plain,
        .window_squares = mill_window_squares_plain,
        .window_means = mill_window_means_plain,
        .cross_products = mill_cross_products_plain,
        .dot_block = mill_dot_block_plain,
    },
#ifdef MILL_KERNEL_X86
    {
        .name = "avx2",
        .isa = MILL_ISA_AVX2,
        .sum_block = mill_sum_block_avx2,
        .square_block = mill_square_block_avx2,
        .window_sums = mill_window_sums_avx2,
        .window_squares = mill_window_squares_avx2,
        .window_means = mill_window_means_avx2,
        .cross_products = mill_cross_products_avx2,
        .dot_block = mill_dot_block_avx2,
    },
    {
        .name = "avx512",
        .isa = MILL_ISA_AVX512,
        .sum_block = mill_sum_block_avx512,
        .square_block = mill_square_block_avx512,
        .window_sums = mill_window_sums_avx512,
        .window_squares = mill_window_squares_avx512,
        .window_means = mill_window_means_avx512,
        .cross_products = mill_cross_products_avx512,
        .dot_block = mill_dot_block_avx512,
    },
#endif
#ifdef MILL_KERNEL_NEON
    {
        /* Families with bodies for it keep a table of their own. */
        .name = "neon",
        .isa = MILL_ISA_NEON,
        .sum_block = mill_sum_block_plain,
        .square_block = mill_square_block_plain,
        .window_sums = mill_window_sums_plain,
        .window_squares = mill_window_squares_plain,
        .window_means = mill_window_means_plain,
        .cross_products = mill_cross_products_plain,
        .dot_block = mill_dot_block_plain,
    },
#endif
};

enum { KERNEL_TABLES = sizeof kernel_tables / sizeof *kernel_tables };

/* The only mutable state of the kernels.  Relaxed is enough: what it points to is constant,
 * and two threads that choose at once store the same value. */
static const struct mill_kernel_bodies *_Atomic kernel_choice;

static int kernel_machine_has(int table)
{
#ifdef MILL_KERNEL_X86
    if (table == 1) return __builtin_cpu_supports("avx2") != 0;
    if (table == 2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw");
#endif
#ifdef MILL_KERNEL_NEON
    if (table == 1) return 1; /* every aarch64 has it */
#endif
    return table == 0;
}

static const struct mill_kernel_bodies *kernel_widest(void)
{
    int table = KERNEL_TABLES - 1;
    while (!kernel_machine_has(table)) table--;
    return &kernel_tables[table];
}

/* NULL when the name is unknown or the machine lacks the set. */
static const struct mill_kernel_bodies *kernel_named(const char *name)
{
    for (int table = 0; table < KERNEL_TABLES; table++)
        if (strcmp(kernel_tables[table].name, name) == 0)
            return kernel_machine_has(table) ? &kernel_tables[table] : NULL;
    return NULL;
}

static const struct mill_kernel_bodies *kernel_from_environment(void)
{
    const char *name = getenv("TIDEMILL_ISA");
    return name && *name ? kernel_named(name) : kernel_widest();
}

static const struct mill_kernel_bodies *kernel_choose(void)
{
    const struct mill_kernel_bodies *bodies = kernel_from_environment();
    /* A wish that cannot be met is reported by isa_select, and by whoever opens an engine; a kernel
     * call still has to run. */
    if (!bodies) bodies = kernel_widest();
    const struct mill_kernel_bodies *none = NULL;
    /* An explicit choice made meanwhile by another thread is not overwritten. */
    if (!atomic_compare_exchange_strong_explicit(&kernel_choice, &none, bodies,
                                                 memory_order_relaxed, memory_order_relaxed))
        bodies = none;
    return bodies;
}

int mill_kernel_isa_is_there(void)
{
    return kernel_from_environment() != NULL;
}

const struct mill_kernel_bodies *mill_kernel_bodies(void)
{
    const struct mill_kernel_bodies *bodies =
        atomic_load_explicit(&kernel_choice, memory_order_relaxed);
    return bodies ? bodies : kernel_choose();
}

const char *tidemill_kernel_isa(void)
{
    return mill_kernel_bodies()->name;
}

int64_t tidemill_kernel_isa_select(const char *name)
{
    const struct mill_kernel_bodies *bodies =
        name ? kernel_named(name) : kernel_from_environment();
    if (!bodies) return -1;
    atomic_store_explicit(&kernel_choice, bodies, memory_order_relaxed);
    return 0;
}
