/* histogram: values counted by bins; see histogram.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/histogram.h"

#include "kernels/bodies.h"

struct histogram_bins {
    double low, high, step, per_step;
    int64_t bins;
};

static double histogram_edge(const struct histogram_bins *h, int64_t i)
{
    return i == h->bins ? h->high : h->low + (double)i * h->step;
}

/* The last bin whose lower edge is not above the value, from all of them. */
static int64_t histogram_search(const struct histogram_bins *h, double value)
{
    int64_t bin = 0;
    for (int64_t left = h->bins; left > 1;) {
        int64_t half = left / 2;
        bin += histogram_edge(h, bin + half) <= value ? half : 0;
        left -= half;
    }
    return bin;
}

/* The bin of a value in [low, high]: guessed by a product, then held against the edges.  Where these
 * are hardly apart many may be equal, and where they are subnormal per_step is infinite, so that the
 * guess is far off or no number: such a value is searched for. */
static int64_t histogram_bin(const struct histogram_bins *h, double value)
{
    double place = (value - h->low) * h->per_step;
    int64_t last = h->bins - 1, bin = place < (double)last ? (int64_t)place : last;
    if (bin > 0 && value < histogram_edge(h, bin))
        return value >= histogram_edge(h, bin - 1) ? bin - 1 : histogram_search(h, value);
    if (bin < last && value >= histogram_edge(h, bin + 1))
        return bin + 1 == last || value < histogram_edge(h, bin + 2)
                   ? bin + 1
                   : histogram_search(h, value);
    return bin;
}

/* 0 when the arguments are refused. */
static int histogram_start(struct histogram_bins *h, int64_t n, double low, double high,
                           int64_t bins)
{
    double width = high - low;
    if (n < 0 || bins < 1 || !(low < high) || width - width != 0) return 0;
    *h = (struct histogram_bins){.low = low, .high = high, .step = width / (double)bins};
    h->per_step = (double)bins / width;
    h->bins = bins;
    return 1;
}

int64_t tidemill_kernel_histogram(const double *x, int64_t n, double low, double high,
                                  int64_t bins, int64_t *counts)
{
    struct histogram_bins h;
    if (!histogram_start(&h, n, low, high, bins)) return -1;
    for (int64_t i = 0; i < n; i++)
        if (x[i] >= low && x[i] <= high) counts[histogram_bin(&h, x[i])]++;
    return 0;
}

int64_t tidemill_kernel_histogram_weights(const double *x, const double *weights, int64_t n,
                                          double low, double high, int64_t bins, double *sums)
{
    struct histogram_bins h;
    if (!histogram_start(&h, n, low, high, bins)) return -1;
    for (int64_t i = 0; i < n; i++)
        if (x[i] >= low && x[i] <= high) sums[histogram_bin(&h, x[i])] += weights[i];
    for (int64_t b = 0; b < bins; b++) sums[b] = mill_one_nan(sums[b]);
    return 0;
}

/* ---- between edges ----------------------------------------------------------------------- */

static int histogram_edges_fit(int64_t n, const double *edges, int64_t bins)
{
    if (n < 0 || bins < 1 || !(edges[0] == edges[0])) return 0;
    for (int64_t b = 0; b < bins; b++)
        if (!(edges[b] <= edges[b + 1])) return 0;
    return 1;
}

/* The last bin whose lower edge is not above the value, which is inside; without a branch that
 * depends on it. */
static int64_t histogram_between(const double *edges, int64_t bins, double value)
{
    int64_t bin = 0;
    for (int64_t left = bins; left > 1;) {
        int64_t half = left / 2;
        bin += edges[bin + half] <= value ? half : 0;
        left -= half;
    }
    return bin;
}

int64_t tidemill_kernel_histogram_edges(const double *x, int64_t n, const double *edges,
                                        int64_t bins, int64_t *counts)
{
    if (!histogram_edges_fit(n, edges, bins)) return -1;
    for (int64_t i = 0; i < n; i++)
        if (x[i] >= edges[0] && x[i] <= edges[bins])
            counts[histogram_between(edges, bins, x[i])]++;
    return 0;
}

int64_t tidemill_kernel_histogram_edges_weights(const double *x, const double *weights,
                                                int64_t n, const double *edges, int64_t bins,
                                                double *sums)
{
    if (!histogram_edges_fit(n, edges, bins)) return -1;
    for (int64_t i = 0; i < n; i++)
        if (x[i] >= edges[0] && x[i] <= edges[bins])
            sums[histogram_between(edges, bins, x[i])] += weights[i];
    for (int64_t b = 0; b < bins; b++) sums[b] = mill_one_nan(sums[b]);
    return 0;
}

/* ---- small integers ---------------------------------------------------------------------- */

int64_t tidemill_kernel_bincount(const int32_t *x, int64_t n, int64_t bins, int64_t *counts)
{
    if (n < 0 || bins < 0) return -1;
    for (int64_t i = 0; i < n; i++)
        if (x[i] < 0 || x[i] >= bins) return -1;
    for (int64_t i = 0; i < n; i++) counts[x[i]]++;
    return 0;
}
