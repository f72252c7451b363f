/* kernels: pure functions over typed memory, no Lua, no engine.
 * Read by C and by ffi.cdef from this one text: plain declarations only; Lua drops each line
 * that starts with '#' and the word TIDEMILL_KERNEL.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_KERNELS_H
#define TIDEMILL_KERNELS_H
#include <stdint.h>
#define TIDEMILL_KERNEL __attribute__((visibility("default")))

/* What holds for every kernel:
 *
 * - Lengths and windows are int64_t, positions count from 0.  Where a kernel writes or reads
 *   positions it takes `base`, which is added to each: 0 for C, 1 for Lua.
 * - Outputs have the input's length and never overlap an input, a scratch or each other.
 * - No memory is allocated, nothing is kept, any thread may call.  `scratch` is the caller's,
 *   its content means nothing before or after.
 * - A function that can refuse its arguments returns -1, having written nothing.
 * - The same input gives the same bits with every instruction set, thread and call.  A NaN in
 *   an output is always the same NaN.
 * - Indicators are causal: a prefix of the input gives the prefix of the output, bit for bit.
 *   Places before the first full window hold NaN. */

/* ---- Element types ----------------------------------------------------------------------- */

/* The numbers are those of the engine's arrays and of its cache: never renumber. */
enum tidemill_type {
    TIDEMILL_BOOL = 1, /* a byte, 0 or 1 */
    TIDEMILL_INT32 = 4,
    TIDEMILL_INT64 = 5,
    TIDEMILL_UINT8 = 6,
    TIDEMILL_FLOAT32 = 10,
    TIDEMILL_FLOAT64 = 11,
    TIDEMILL_DATE = 14,     /* int32 days since 1970-01-01 */
    TIDEMILL_TIMESTAMP = 15 /* int64 microseconds since 1970-01-01 UTC */
};

/* ---- Which instruction set ------------------------------------------------------------- */

/* "plain", "avx2", "avx512" or "neon".  Chosen at the first call of any kernel: the widest one the
 * machine has, unless the environment variable TIDEMILL_ISA names another. */
TIDEMILL_KERNEL const char *tidemill_kernel_isa(void);

/* Chooses by name for the whole process; NULL asks again for what TIDEMILL_ISA says, or the
 * widest when it is unset or empty.  Returns 0, or -1 and changes nothing when the name is
 * unknown or this machine or build lacks it.  Meant for start-up and for tests. */
TIDEMILL_KERNEL int64_t tidemill_kernel_isa_select(const char *name);

/* ---- Rolling windows ------------------------------------------------------------------- */

/* A window's result depends on the values in the window alone, not on where it stands nor on
 * what came before.  So a NaN or an infinity spoils (makes NaN) only the windows that contain
 * it, and a chunked computation gives the bits of a whole one.  Each window is built by
 * doubling, as the binary digits of its size from the highest say: two halves are joined, and
 * for a digit 1 the next value is appended.  What is joined are sums of differences from the
 * half's oldest value, so an offset of 1e9 costs no digits, a window of equal values has that
 * very mean and variance exactly 0, and a variance is never negative.  Time: n log2(window). */

/* Mean of each window of `window` >= 1 values. */
TIDEMILL_KERNEL int64_t tidemill_kernel_sma(const double *x, int64_t n, int64_t window,
                                            double *out);

/* Standard deviation of each window, divisor window - ddof; ddof 0 is TA-Lib's STDDEV.
 * `window` > `ddof` >= 0.  scratch: n doubles. */
TIDEMILL_KERNEL int64_t tidemill_kernel_stddev(const double *x, int64_t n, int64_t window,
                                               int64_t ddof, double *scratch, double *out);

/* Bollinger bands, TA-Lib: mid is sma, the others are k population deviations away. */
TIDEMILL_KERNEL int64_t tidemill_kernel_bbands(const double *x, int64_t n, int64_t window,
                                               double k, double *upper, double *mid,
                                               double *lower);

/* ---- Recursive indicators -------------------------------------------------------------- */

/* Leading NaNs are skipped: bar 0 below is the first bar that has all its inputs.  A NaN after
 * that makes every later output NaN.  Seeds are plain sums in bar order, as in TA-Lib. */

/* Simple returns x[t] / x[t-1] - 1; out[0] is NaN.  (Not recursive: a NaN spoils two.) */
TIDEMILL_KERNEL void tidemill_kernel_returns(const double *x, int64_t n, double *out);

/* Exponential mean, TA-Lib: alpha 2/(window+1), seeded at bar window-1 by the mean of the
 * first `window` values. */
TIDEMILL_KERNEL int64_t tidemill_kernel_ema(const double *x, int64_t n, int64_t window,
                                            double *out);

/* Relative strength, Wilder, TA-Lib: first value at bar `window`, from the mean gain and loss
 * of the first `window` changes; a series without any change gives 0. */
TIDEMILL_KERNEL int64_t tidemill_kernel_rsi(const double *x, int64_t n, int64_t window,
                                            double *out);

/* Moving average convergence/divergence, TA-Lib: both EMAs start at bar slow-1, the fast one
 * from the mean of the `fast` values that end there; the signal is seeded by the mean of its
 * first `signal` values.  All outputs start at bar slow+signal-2.  1 <= fast <= slow. */
TIDEMILL_KERNEL int64_t tidemill_kernel_macd(const double *x, int64_t n, int64_t fast,
                                             int64_t slow, int64_t signal, double *out_macd,
                                             double *out_signal, double *out_hist);

/* Average true range, Wilder, TA-Lib: true ranges from bar 1, seeded at bar `window` by the
 * mean of the first `window` of them. */
TIDEMILL_KERNEL int64_t tidemill_kernel_atr(const double *high, const double *low,
                                            const double *close, int64_t n, int64_t window,
                                            double *out);

/* ---- Statistics of one series ---------------------------------------------------------- */

/* Order of every sum here: blocks of 1,024 values; in a block value i goes to partial sum
 * i mod 16, and the sixteen are folded in halves (l += l+8, l+4, l+2, l+1); blocks are joined
 * pairwise, neighbours first, what is left over from the newest to the oldest.  A NaN makes
 * the result NaN. */

TIDEMILL_KERNEL double tidemill_kernel_sum(const double *x, int64_t n);  /* 0 of none */
TIDEMILL_KERNEL double tidemill_kernel_mean(const double *x, int64_t n); /* NaN of none */

/* Two passes over x - x[0], so equal values have variance exactly 0.  NaN when n <= ddof and of
 * an infinity; infinite where squared deviations of numbers overflow. */
TIDEMILL_KERNEL double tidemill_kernel_variance(const double *x, int64_t n, int64_t ddof);

/* The least close[t] / (highest close so far) - 1, a negative fraction; 0 when close never
 * fell.  NaNs are passed over. */
TIDEMILL_KERNEL double tidemill_kernel_max_drawdown(const double *close, int64_t n);

/* How many returns are beyond the limit: |returns[i]| > limit.  NaN never counts. */
TIDEMILL_KERNEL int64_t tidemill_kernel_count_moves(const double *returns, int64_t n,
                                                    double limit);

/* ---- Bars ------------------------------------------------------------------------------ */

enum {
    TIDEMILL_BAR_FINE = 0,
    TIDEMILL_BAR_MISSING = 1,      /* one of the five is NaN; wins over inconsistent */
    TIDEMILL_BAR_INCONSISTENT = 2, /* a price <= 0, or open or close outside [low, high] */
};

/* Marks each bar with one of the three; returns how many are not fine. */
TIDEMILL_KERNEL int64_t tidemill_kernel_ohlcv_check(const double *open, const double *high,
                                                    const double *low, const double *close,
                                                    const double *volume, int64_t n,
                                                    uint8_t *fault);

/* ---- Order ----------------------------------------------------------------------------- */

/* Sorting is in order.h, selecting in select.h.  Lengths here are below 2^31. */

/* 1 when keys ascend (equal neighbours are in order), else 0. */
TIDEMILL_KERNEL int64_t tidemill_kernel_is_sorted_int32(const int32_t *keys, int64_t n);

/* Positions by code, a stable counting sort of dictionary codes 0 to groups-1; a negative code
 * is left out.  Those of group g stand in index[offsets[g] - base] up to, not including,
 * index[offsets[g+1] - base]; offsets has groups + 1 entries, index up to n.  Returns how many
 * positions there are, -1 when a code is not below groups (offsets is then undefined). */
TIDEMILL_KERNEL int64_t tidemill_kernel_group_codes(const int32_t *codes, int64_t n,
                                                    int64_t groups, int32_t base,
                                                    int32_t *offsets, int32_t *index);

/* The values that two ascending lists share, each once, ascending; returns how many.  out has
 * room for the shorter one. */
TIDEMILL_KERNEL int64_t tidemill_kernel_intersect_int32(const int32_t *a, int64_t na,
                                                        const int32_t *b, int64_t nb,
                                                        int32_t *out);

/* For each wanted key its first position (plus base) among n ascending keys, or -1.  `wanted`
 * may stand in any order; ascending is fastest.  Returns how many were found. */
TIDEMILL_KERNEL int64_t tidemill_kernel_locate_int32(const int32_t *keys, int64_t n,
                                                     const int32_t *wanted, int64_t m,
                                                     int32_t base, int32_t *out);

/* ---- Sweeps ---------------------------------------------------------------------------- */

/* Total return of every pair (fast, slow) of a moving-average crossing, out[f * ns + s].
 * Bar t has signal 1 when both averages (tidemill_kernel_sma) are defined and fast > slow,
 * else 0.  The simple return of bar t is earned when bar t-2 has signal 1; the total is the
 * product of 1 + earned in bar order, less 1.  NaN for fast >= slow; 0 when the slow average
 * is never defined; an earned NaN makes the total NaN.  Windows are >= 1, else -1 is returned.
 * scratch: tidemill_kernel_sma_cross_scratch(n, nf, ns) doubles. */
TIDEMILL_KERNEL int64_t tidemill_kernel_sma_cross_scratch(int64_t n, int64_t nf, int64_t ns);
TIDEMILL_KERNEL int64_t tidemill_kernel_sma_cross(const double *close, int64_t n,
                                                  const int32_t *fasts, int64_t nf,
                                                  const int32_t *slows, int64_t ns,
                                                  double *scratch, double *out);

/* ---- Matrices -------------------------------------------------------------------------- */

/* Each row (row-major, n wide) less its mean, divided by the root of its sum of squares.  A
 * constant row, or one with a NaN, becomes a row of NaN.  Sums are ordered as above. */
TIDEMILL_KERNEL void tidemill_kernel_standardise(const double *x, int64_t rows, int64_t n,
                                                 double *z);

/* Correlations of rows row_first .. row_first + row_count - 1 with all `rows` rows of a
 * standardised z: out[row_count x rows], dot products clamped to [-1, 1].  Order of a dot
 * product: blocks of 1,024 products; in a block product k goes to partial sum k mod 8, the
 * eight are folded in halves (l += l+4, l+2, l+1); blocks are added in order.  So (i, j) and
 * (j, i) have equal bits.  NaN where n is 0. */
TIDEMILL_KERNEL void tidemill_kernel_correlate_block(const double *z, int64_t rows, int64_t n,
                                                     int64_t row_first, int64_t row_count,
                                                     double *out);

/* The whole matrix out[rows x rows], each pair computed once; the bits of correlate_block. */
TIDEMILL_KERNEL void tidemill_kernel_correlate(const double *z, int64_t rows, int64_t n,
                                               double *out);

#endif
