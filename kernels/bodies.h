/* bodies: the inner loops that exist once per instruction set, as one table per set.
 * Private to kernels/.  The plain body is the specification: every other one gives its bits.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNEL_BODIES_H
#define MILL_KERNEL_BODIES_H

#include <stdint.h>

#ifdef __FAST_MATH__
#error "kernels promise their bits: build them without -ffast-math"
#endif

#if defined(__x86_64__) && !defined(TIDEMILL_SCALAR)
#define MILL_KERNEL_X86 1
#endif
#if defined(__aarch64__) && !defined(TIDEMILL_SCALAR)
#define MILL_KERNEL_NEON 1
#endif

/* Instruction sets, from narrow to wide.  A family with wider bodies of its own keeps a table
 * of pointers with MILL_ISAS places, NULL where this build has none, and asks
 * mill_kernel_isa_number() once a call. */
enum mill_isa { MILL_ISA_PLAIN, MILL_ISA_AVX2, MILL_ISA_AVX512, MILL_ISA_NEON, MILL_ISAS };

enum {
    MILL_SUM_BLOCK = 1024, /* values in one block of a sum */
    MILL_SUM_LANES = 16,   /* interleaved partial sums in a block */
    MILL_DOT_BLOCK = 1024, /* products in one block of a dot product */
    MILL_DOT_LANES = 8,
};

/* sum_block: sum of x[i] - shift over count <= MILL_SUM_BLOCK values, in the order that
 * kernels.h states. */
typedef double mill_sum_block(const double *x, int64_t count, double shift);
/* square_block: sum of ((x[i] - shift) - mean)^2, same order. */
typedef double mill_square_block(const double *x, int64_t count, double shift, double mean);

/* One doubling of every window that ends in [first, end), in place, from the newest down.
 * On entry sum[t] belongs to the window of `half` values that ends at t, on return to the one
 * of 2 half + odd values: the sum of its differences from its oldest value. */
typedef void mill_window_sums(const double *x, double *sum, int64_t first, int64_t end,
                              int64_t half, int64_t odd);
/* The same for the sum and the sum of squared deviations from the window's mean. */
typedef void mill_window_squares(const double *x, double *sum, double *square, int64_t first,
                                 int64_t end, int64_t half, int64_t odd);
/* Turns the finished sums in [first, end) into means; what is not finite becomes NaN. */
typedef void mill_window_means(const double *x, double *sum, int64_t first, int64_t end,
                               int64_t window);

/* out[f * ns + s] = product of factor[t] over t in [2, n), in order, where fast[f][t-2] >
 * slow[s][t-2]; rows are n long. */
typedef void mill_cross_products(const double *factor, const double *fast, int64_t nf,
                                 const double *slow, int64_t ns, int64_t n, double *out);

/* out[i * out_stride + j] += dot of row i of a and row j of b, count <= MILL_DOT_BLOCK long;
 * rows are `stride` apart. */
typedef void mill_dot_block(const double *a, int64_t rows_a, const double *b, int64_t rows_b,
                            int64_t stride, int64_t count, double *out, int64_t out_stride);

struct mill_kernel_bodies {
    const char *name;
    enum mill_isa isa;
    mill_sum_block *sum_block;
    mill_square_block *square_block;
    mill_window_sums *window_sums;
    mill_window_squares *window_squares;
    mill_window_means *window_means;
    mill_cross_products *cross_products;
    mill_dot_block *dot_block;
};

/* The table in use; it stays valid for ever. */
const struct mill_kernel_bodies *mill_kernel_bodies(void);

/* Whether there is what TIDEMILL_ISA asks for, if it asks; kernels called all the same run by the widest. */
int mill_kernel_isa_is_there(void);

static inline enum mill_isa mill_kernel_isa_number(void)
{
    return mill_kernel_bodies()->isa;
}

/* Whether there is an instruction that multiplies and adds with one rounding, which plain bodies
 * that use fma() are then compiled for.  Without it fma() is some thirty times as slow as both
 * apart. */
#ifdef __x86_64__
#define MILL_FUSES __attribute__((target("fma")))
static inline int mill_fuses(void)
{
    return __builtin_cpu_supports("fma") != 0;
}
#else
#define MILL_FUSES
static inline int mill_fuses(void)
{
#if defined(__aarch64__) || defined(__FP_FAST_FMA)
    return 1;
#else
    return 0;
#endif
}
#endif

mill_sum_block mill_sum_block_plain;
mill_square_block mill_square_block_plain;
mill_window_sums mill_window_sums_plain;
mill_window_squares mill_window_squares_plain;
mill_window_means mill_window_means_plain;
mill_cross_products mill_cross_products_plain;
mill_dot_block mill_dot_block_plain;

#ifdef MILL_KERNEL_X86
mill_sum_block mill_sum_block_avx2;
mill_square_block mill_square_block_avx2;
mill_window_sums mill_window_sums_avx2;
mill_window_squares mill_window_squares_avx2;
mill_window_means mill_window_means_avx2;
mill_cross_products mill_cross_products_avx2;
mill_dot_block mill_dot_block_avx2;

mill_sum_block mill_sum_block_avx512;
mill_square_block mill_square_block_avx512;
mill_window_sums mill_window_sums_avx512;
mill_window_squares mill_window_squares_avx512;
mill_window_means mill_window_means_avx512;
mill_cross_products mill_cross_products_avx512;
mill_dot_block mill_dot_block_avx512;
#endif

/* ---- Shared between families ----------------------------------------------------------- */

/* Sums over any length, in the order of kernels.h. */
double mill_sum(const double *x, int64_t n, double shift);
double mill_square_sum(const double *x, int64_t n, double shift, double mean);

/* out[t] = mean of the window that ends at t, NaN before the first; window >= 1. */
void mill_rolling_means(const double *x, int64_t n, int64_t window, double *out);
/* The same, and square[t] = sum of squared deviations from it (not NaN before the first). */
void mill_rolling_squares(const double *x, int64_t n, int64_t window, double *mean,
                          double *square);

/* Adds upper halves of the lanes to lower ones until one is left; lanes is a power of two. */
static inline double mill_fold(double *sum, int lanes)
{
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) sum[l] += sum[l + half];
    return sum[0];
}

/* A result that is not finite is the one NaN. */
static inline double mill_finite_or_nan(double value)
{
    return value - value == 0 ? value : __builtin_nan("");
}

/* A NaN of any kind is the one NaN; infinities stay. */
static inline double mill_one_nan(double value)
{
    return value == value ? value : __builtin_nan("");
}

/* What a sum of squared deviations is of x: one that is not finite is infinite of numbers, which
 * overflow, and NaN where a NaN or an infinity is among them. */
static inline double mill_squares(double squares, const double *x, int64_t n)
{
    if (squares - squares == 0) return squares;
    for (int64_t i = 0; i < n; i++)
        if (x[i] - x[i] != 0) return __builtin_nan("");
    return __builtin_inf();
}

static inline void mill_fill_nan(double *out, int64_t first, int64_t end)
{
    for (int64_t i = first; i < end; i++) out[i] = __builtin_nan("");
}

static inline int64_t mill_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t mill_most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
