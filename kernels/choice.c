/* choice: positions drawn by weight, and random orders; see kernels/random.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/random_bodies.h"

int64_t tidemill_kernel_choice_table(const double *weights, int64_t length, double *cumulative)
{
    double sum = 0;
    for (int64_t i = 0; i < length; i++) {
        if (!(weights[i] >= 0)) return -1;
        sum += weights[i];
    }
    if (!(sum > 0 && sum <= 0x1.fffffffffffffp1023)) return -1;
    sum = 0;
    for (int64_t i = 0; i < length; i++) cumulative[i] = sum += weights[i];
    return 0;
}

/* The first place whose value is above x; the last one is taken to be.  Without branches: the
 * answer is in [at, at + length). */
static int64_t choice_place(const double *cumulative, int64_t length, double x)
{
    int64_t at = 0;
    while (length > 1) {
        int64_t half = length / 2;
        at = cumulative[at + half - 1] <= x ? at + half : at;
        length -= half;
    }
    return at;
}

void tidemill_kernel_random_choice(uint64_t seed, uint64_t stream, uint64_t first, int64_t n,
                                   const double *cumulative, int64_t length, int64_t base,
                                   int64_t *out)
{
    enum { PART = 512 };
    double x[PART], sum = cumulative[length - 1];
    /* A last weight of 0 is never drawn, even where u times the sum rounds up to the sum. */
    while (length > 1 && cumulative[length - 2] == sum) length--;
    for (int64_t i = 0; i < n; i += PART) {
        int64_t part = mill_least(n - i, PART);
        tidemill_kernel_uniform(seed, stream, first + (uint64_t)i, part, x);
        for (int64_t k = 0; k < part; k++)
            out[i + k] = base + choice_place(cumulative, length, x[k] * sum);
    }
}

enum { CHOICE_PART = 256 }; /* swaps whose places are worked out, and fetched, ahead */

/* Where places first .. first + CHOICE_PART - 1 of `length` go; first is even. */
static void choice_places(uint64_t seed, uint64_t stream, int64_t first, int64_t n,
                          int64_t length, const int64_t *order, int64_t *place)
{
    uint64_t number[CHOICE_PART];
    mill_random()->numbers(seed, stream, (uint64_t)first / 2, CHOICE_PART / 2, number);
    for (int64_t k = 0; k < n; k++) {
        uint64_t span = (uint64_t)(length - first - k);
        unsigned __int128 product = (unsigned __int128)number[k] * span;
        uint64_t below = (uint64_t)(product >> 64);
        /* Few have to be tried again: these are begun anew, one by one. */
        if ((uint64_t)product < span)
            below = mill_draw_below(seed, stream, (uint64_t)(first + k), span);
        place[k] = first + k + (int64_t)below;
        __builtin_prefetch(order + place[k], 1);
    }
}

/* The first n places of the permutation of `length`, in place. */
static void choice_shuffle(uint64_t seed, uint64_t stream, int64_t length, int64_t n,
                           int64_t *order)
{
    int64_t place[CHOICE_PART];
    for (int64_t first = 0; first < n; first += CHOICE_PART) {
        int64_t part = mill_least(n - first, CHOICE_PART);
        choice_places(seed, stream, first, part, length, order, place);
        for (int64_t k = 0; k < part; k++) {
            int64_t kept = order[first + k];
            order[first + k] = order[place[k]];
            order[place[k]] = kept;
        }
    }
}

int64_t tidemill_kernel_random_permutation(uint64_t seed, uint64_t stream, int64_t length,
                                           int64_t base, int64_t *out)
{
    if (length < 0) return -1;
    for (int64_t i = 0; i < length; i++) out[i] = base + i;
    choice_shuffle(seed, stream, length, length, out);
    return 0;
}

int64_t tidemill_kernel_random_sample(uint64_t seed, uint64_t stream, int64_t length, int64_t n,
                                      int64_t base, int64_t *scratch, int64_t *out)
{
    if (n < 0 || n > length) return -1;
    for (int64_t i = 0; i < length; i++) scratch[i] = base + i;
    choice_shuffle(seed, stream, length, n, scratch);
    for (int64_t i = 0; i < n; i++) out[i] = scratch[i];
    return 0;
}
