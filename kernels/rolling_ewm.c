/* rolling_ewm: means and variances whose weights decay; rolling.h has the formulas.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "kernels/bodies.h"
#include "kernels/rolling.h"

/* What is kept of a column.  `pairs` is the square of the sum of the weights less the sum of
 * their squares, which would cancel where one weight is nearly all. */
struct ewm_state {
    double mean, var;
    double weight, pairs;
    int64_t count;
};

struct ewm {
    double keep, enters; /* 1 - alpha; the weight of a new value */
    int scaled;          /* to a sum of 1 after each value */
};

static inline void ewm_step(const struct ewm *ewm, double x, struct ewm_state *state)
{
    state->weight *= ewm->keep;
    state->pairs *= ewm->keep * ewm->keep;
    if (!isfinite(x)) return;
    if (state->count == 0) state->mean = x;
    double enters = state->count++ == 0 ? 1 : ewm->enters;
    double weight = state->weight + enters, gap = x - state->mean;
    double share = enters / weight, rest = state->weight / weight;
    state->mean += gap * share;
    state->var = rest * (state->var + share * gap * gap);
    state->pairs += 2 * enters * state->weight;
    state->weight = weight;
    if (!ewm->scaled) return;
    state->pairs /= weight * weight;
    state->weight = 1;
}

static double ewm_mean_of(const struct ewm_state *state)
{
    return mill_finite_or_nan(state->mean);
}

static double ewm_var_of(const struct ewm_state *state)
{
    if (!(state->pairs > 0)) return NAN;
    return mill_finite_or_nan(state->var * (state->weight * state->weight / state->pairs));
}

static double ewm_std_of(const struct ewm_state *state)
{
    return sqrt(ewm_var_of(state));
}

typedef double ewm_result(const struct ewm_state *state);

/* Rows of one column that are done at once, with the state in registers. */
enum { EWM_ROWS = 64 };

/* Inlined with each result: a call a value would cost as much as the value. */
static inline __attribute__((always_inline)) int64_t
ewm_run(const double *x, int64_t n, int64_t inner, double alpha, int64_t adjust,
        int64_t min_count, double *scratch, double *out, ewm_result *result)
{
    if (n < 0 || inner < 0 || !(alpha > 0 && alpha <= 1) || min_count < 1) return -1;
    const struct ewm ewm = {1 - alpha, adjust ? 1 : alpha, !adjust};
    struct ewm_state *states = (struct ewm_state *)(void *)scratch;
    for (int64_t c = 0; c < inner; c++) states[c] = (struct ewm_state){.count = 0};
    for (int64_t first = 0; first < n; first += EWM_ROWS) {
        int64_t end = mill_least(n, first + EWM_ROWS);
        for (int64_t c = 0; c < inner; c++) {
            struct ewm_state state = states[c];
            for (int64_t t = first; t < end; t++) {
                ewm_step(&ewm, x[t * inner + c], &state);
                out[t * inner + c] = state.count < min_count ? NAN : result(&state);
            }
            states[c] = state;
        }
    }
    return 0;
}

int64_t tidemill_kernel_ewm_mean(const double *x, int64_t n, int64_t inner, double alpha,
                                 int64_t adjust, int64_t min_count, double *scratch,
                                 double *out)
{
    return ewm_run(x, n, inner, alpha, adjust, min_count, scratch, out, ewm_mean_of);
}

int64_t tidemill_kernel_ewm_var(const double *x, int64_t n, int64_t inner, double alpha,
                                int64_t adjust, int64_t min_count, double *scratch, double *out)
{
    return ewm_run(x, n, inner, alpha, adjust, min_count, scratch, out, ewm_var_of);
}

int64_t tidemill_kernel_ewm_std(const double *x, int64_t n, int64_t inner, double alpha,
                                int64_t adjust, int64_t min_count, double *scratch, double *out)
{
    return ewm_run(x, n, inner, alpha, adjust, min_count, scratch, out, ewm_std_of);
}
