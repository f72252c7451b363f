/* partition: the k smallest values moved to the front: quickselect, with a heap sort of what is
 * left when pivots are bad for too long, so that the time is at most n log n.
 * SPDX-License-Identifier: MIT */
#include "kernels/quantile_bodies.h"

enum { PARTITION_FEW = 24, PARTITION_NINTHER = 512 };

static void partition_swap(double *x, int64_t i, int64_t j)
{
    double value = x[i];
    x[i] = x[j];
    x[j] = value;
}

static void partition_sort_few(double *x, int64_t n)
{
    for (int64_t i = 1; i < n; i++) {
        double value = x[i];
        int64_t j = i;
        for (; j > 0 && value < x[j - 1]; j--) x[j] = x[j - 1];
        x[j] = value;
    }
}

/* ---- heap sort --------------------------------------------------------------------------- */

static void partition_sink(double *x, int64_t at, int64_t n)
{
    double value = x[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && x[child] < x[child + 1]) child++;
        if (!(value < x[child])) break;
        x[at] = x[child];
    }
    x[at] = value;
}

static void partition_heap_sort(double *x, int64_t n)
{
    for (int64_t i = n / 2 - 1; i >= 0; i--) partition_sink(x, i, n);
    for (int64_t end = n - 1; end > 0; end--) {
        partition_swap(x, 0, end);
        partition_sink(x, 0, end);
    }
}

/* ---- pivots ------------------------------------------------------------------------------ */

static double partition_middle(double a, double b, double c)
{
    if (a < b) return b < c ? b : a < c ? c : a;
    return a < c ? a : b < c ? c : b;
}

/* The middle of three, or of three such middles. */
static double partition_pivot(const double *x, int64_t n)
{
    int64_t step = n / 8, middle = n / 2;
    if (n < PARTITION_NINTHER) return partition_middle(x[0], x[middle], x[n - 1]);
    double a = partition_middle(x[0], x[step], x[2 * step]);
    double b = partition_middle(x[middle - step], x[middle], x[middle + step]);
    double c = partition_middle(x[n - 1 - 2 * step], x[n - 1 - step], x[n - 1]);
    return partition_middle(a, b, c);
}

/* Values below the pivot to the front, without a branch that depends on them; how many. */
static int64_t partition_below(double *x, int64_t n, double pivot)
{
    int64_t below = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = x[i];
        x[i] = x[below];
        x[below] = value;
        below += value < pivot;
    }
    return below;
}

/* The same of values that equal it, where none is below. */
static int64_t partition_equal(double *x, int64_t n, double pivot)
{
    int64_t equal = 0;
    for (int64_t i = 0; i < n; i++) {
        double value = x[i];
        x[i] = x[equal];
        x[equal] = value;
        equal += value == pivot;
    }
    return equal;
}

void mill_partition(double *x, int64_t n, int64_t k)
{
    int patience = 4;
    for (int64_t left = n; left > 1; left >>= 1) patience += 2;
    while (n > PARTITION_FEW) {
        if (patience-- == 0) {
            partition_heap_sort(x, n);
            return;
        }
        double pivot = partition_pivot(x, n);
        int64_t below = partition_below(x, n, pivot);
        if (k < below) {
            n = below;
            continue;
        }
        x += below, n -= below, k -= below;
        int64_t equal = partition_equal(x, n, pivot);
        if (k < equal) return;
        x += equal, n -= equal, k -= equal;
    }
    partition_sort_few(x, n);
}

int64_t tidemill_kernel_partition(double *x, int64_t n, int64_t k)
{
    if (k < 0 || k >= n) return -1;
    int64_t numbers = 0;
    for (int64_t i = 0; i < n; i++)
        if (x[i] == x[i]) partition_swap(x, i, numbers++);
    if (k < numbers) mill_partition(x, numbers, k);
    return 0;
}
