/* rolling_wide: the steps of rolling windows, written once for every width; see
 * rolling_bodies.h.  Who includes this has said what LANES is, a double for the plain bodies or
 * a vector (MASK: of integers), and its window_root, window_lesser (a < b ? a : b) and window_greater.
 * Places that do not fill a vector are left to the plain bodies.
 * SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "kernels/rolling_bodies.h"

#define AT(place)  (*(const LANES *)(place))
#define SET(place) (*(LANES *)(place))
#define WIDTH      ((int64_t)(MILL_WIDE_BYTES / sizeof(double)))

/* Runs `plain` on the newest places that keep the wide ones from being aligned, then loops over
 * each t that begins a vector, and `plain` again on what is left. */
#define DOWNWARD(to, from, end, plain, ...)                                                    \
    do {                                                                                       \
        int64_t end_ = (end), t = end_ - MILL_WIDE(window_stray)((to) + end_);                 \
        if (t < (from)) t = (from);                                                            \
        if (t < end_) plain(t, end_);                                                          \
        __VA_ARGS__                                                                            \
        if (WIDTH > 1 && t > (from)) plain((from), t);                                         \
    } while (0)
#define EACH_VECTOR(from, ...)                                                                 \
    while (t - WIDTH >= (from)) {                                                              \
        t -= WIDTH;                                                                            \
        __VA_ARGS__                                                                            \
    }
/* Doubles between the last vector's border and a place. */
static inline int64_t MILL_WIDE(window_stray)(const double *place)
{
    return (int64_t)((uintptr_t)place / sizeof(double) % WIDTH);
}

/* ---- sums ------------------------------------------------------------------------------ */

MILL_TARGET static inline LANES MILL_WIDE(window_total)(const double *x, const double *at,
                                                        int64_t back, int64_t unit, int odd)
{
    if (!odd) return AT(at - back) + AT(at);
    return (AT(at - unit - back) + AT(at - unit)) + AT(x);
}

/* One or two steps; odd and then are known where this is called, so each use is a loop of its
 * own. */
MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(window_totals_of)(const struct mill_window_step *step, const double *x,
                            const double *at, double *to, int64_t from, int64_t end, int odd,
                            int then)
{
    int64_t unit = step->unit, back = step->half * unit;
    int64_t back2 = (2 * step->half + odd) * unit;
#define PLAIN(first, last) mill_window_totals_plain(step, then, x, at, to, first, last)
    if (then < 0) {
        DOWNWARD(to, from, end, PLAIN, EACH_VECTOR(from, {
                     SET(to + t) = MILL_WIDE(window_total)(x + t, at + t, back, unit, odd);
                 }));
        return;
    }
    DOWNWARD(to, from, end, PLAIN, EACH_VECTOR(from, {
                 int64_t newer = then ? t - unit : t, older = newer - back2;
                 LANES sum = MILL_WIDE(window_total)(x + older, at + older, back, unit, odd) +
                             MILL_WIDE(window_total)(x + newer, at + newer, back, unit, odd);
                 if (then) sum += AT(x + t);
                 SET(to + t) = sum;
             }));
#undef PLAIN
}

MILL_TARGET void MILL_WIDE(mill_window_totals)(const struct mill_window_step *step,
                                               int64_t then, const double *x, const double *at,
                                               double *to, int64_t from, int64_t end)
{
#define TOTALS(odd, then) MILL_WIDE(window_totals_of)(step, x, at, to, from, end, odd, then)
    if (step->odd)
        then < 0 ? TOTALS(1, -1) : then ? TOTALS(1, 1) : TOTALS(1, 0);
    else
        then < 0 ? TOTALS(0, -1) : then ? TOTALS(0, 1) : TOTALS(0, 0);
#undef TOTALS
}

/* ---- deviations ------------------------------------------------------------------------ */

/* The newer half's mean less the older's, both ending `back` places apart. */
MILL_TARGET static inline LANES MILL_WIDE(window_gap)(const double *x, const double *above,
                                                      int64_t back, int first)
{
    LANES rise = AT(x) - AT(x - back);
    if (first) return rise;
    return rise - (AT(above) - AT(above - back));
}

struct MILL_WIDE(window_spread) {
    LANES above, square;
};

/* One vector of windows that end at x; odd and first are known where this is called.  What a
 * step gives all windows is taken by value: a store might change it. */
MILL_TARGET static inline __attribute__((always_inline)) struct MILL_WIDE(window_spread)
    MILL_WIDE(window_spread_at)(const double *x, const double *above, const double *square,
                                int64_t last, int64_t back, double weight, double share,
                                int odd, int first)
{
    LANES gap = MILL_WIDE(window_gap)(x + last, above + last, back, first);
    struct MILL_WIDE(window_spread) spread = {gap * 0.5, gap * gap * weight};
    if (!first) spread.square += AT(square + last - back) + AT(square + last);
    if (odd) {
        LANES rise = AT(x) - AT(x + last);
        if (!first) rise += AT(above + last);
        gap = rise + spread.above;
        spread.above = gap * share;
        spread.square += gap * gap * share;
    } else if (!first) {
        spread.above += AT(above + last);
    }
    return spread;
}

MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(window_spread_of)(const struct mill_window_step *step, const double *x, double *above,
                            double *square, int64_t from, int64_t end, int odd, int first)
{
    double size = (double)step->half, weight = size / 2;
    double share = 2 * size / (2 * size + 1);
    int64_t last = odd ? -step->unit : 0, back = step->half * step->unit;
#define PLAIN(low, high) mill_window_spread_plain(step, x, above, square, low, high)
#define SPREAD_AT(place)                                                                       \
    MILL_WIDE(window_spread_at)                                                                \
    (x + (place), above + (place), square + (place), last, back, weight, share, odd, first)
    DOWNWARD(above, from, end, PLAIN, EACH_VECTOR(from, {
                 struct MILL_WIDE(window_spread) spread = SPREAD_AT(t);
                 SET(above + t) = spread.above;
                 SET(square + t) = spread.square;
             }));
#undef SPREAD_AT
#undef PLAIN
}

MILL_TARGET void MILL_WIDE(mill_window_spread)(const struct mill_window_step *step,
                                               const double *x, double *above, double *square,
                                               int64_t from, int64_t end)
{
#define SPREAD(odd, first)                                                                     \
    MILL_WIDE(window_spread_of)(step, x, above, square, from, end, odd, first)
    if (step->half == 1)
        step->odd ? SPREAD(1, 1) : SPREAD(0, 1);
    else
        step->odd ? SPREAD(1, 0) : SPREAD(0, 0);
#undef SPREAD
}

MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(window_cross_of)(const struct mill_window_step *step,
                           const struct mill_window_pair *pair, double *cross, int64_t from,
                           int64_t end, int odd, int first)
{
    const double *x = pair->x, *y = pair->y, *above_x = pair->above_x, *above_y = pair->above_y;
    double size = (double)step->half, weight = size / 2;
    double share = 2 * size / (2 * size + 1);
    int64_t unit = step->unit, back = step->half * unit;
#define PLAIN(low, high) mill_window_cross_plain(step, pair, cross, low, high)
    DOWNWARD(cross, from, end, PLAIN, EACH_VECTOR(from, {
                 int64_t last = odd ? t - unit : t;
                 LANES gap_x = MILL_WIDE(window_gap)(x + last, above_x + last, back, first);
                 LANES gap_y = MILL_WIDE(window_gap)(y + last, above_y + last, back, first);
                 LANES rest = gap_x * gap_y * weight;
                 if (!first) rest += AT(cross + last - back) + AT(cross + last);
                 if (odd) {
                     LANES rise_x = AT(x + t) - AT(x + last), rise_y = AT(y + t) - AT(y + last);
                     if (!first) rise_x += AT(above_x + last), rise_y += AT(above_y + last);
                     rest += (rise_x + gap_x * 0.5) * (rise_y + gap_y * 0.5) * share;
                 }
                 SET(cross + t) = rest;
             }));
#undef PLAIN
}

MILL_TARGET void MILL_WIDE(mill_window_cross)(const struct mill_window_step *step,
                                              const struct mill_window_pair *pair,
                                              double *cross, int64_t from, int64_t end)
{
#define CROSS(odd, first) MILL_WIDE(window_cross_of)(step, pair, cross, from, end, odd, first)
    if (step->half == 1)
        step->odd ? CROSS(1, 1) : CROSS(0, 1);
    else
        step->odd ? CROSS(1, 0) : CROSS(0, 0);
#undef CROSS
}

/* ---- extremes -------------------------------------------------------------------------- */

#define EXTREME(name, better)                                                                  \
    MILL_TARGET void MILL_WIDE(name)(int64_t lag, int four, const double *at, double *to,      \
                                     int64_t from, int64_t end)                                \
    {                                                                                          \
        if (four)                                                                              \
            DOWNWARD(to, from, end, PLAIN, EACH_VECTOR(from, {                                 \
                         LANES older = better(AT(at + t - 3 * lag), AT(at + t - 2 * lag));     \
                         SET(to + t) = better(older, better(AT(at + t - lag), AT(at + t)));    \
                     }));                                                                      \
        else                                                                                   \
            DOWNWARD(to, from, end, PLAIN, EACH_VECTOR(from, {                                 \
                         SET(to + t) = better(AT(at + t - lag), AT(at + t));                   \
                     }));                                                                      \
    }
#define PLAIN(low, high) mill_window_least_plain(lag, four, at, to, low, high)
EXTREME(mill_window_least, MILL_WIDE(window_lesser))
#undef PLAIN
#define PLAIN(low, high) mill_window_greatest_plain(lag, four, at, to, low, high)
EXTREME(mill_window_greatest, MILL_WIDE(window_greater))
#undef PLAIN

/* ---- results --------------------------------------------------------------------------- */

/* What is finite as it is, all else as the one NaN. */
#if MILL_WIDE_BYTES > 8
MILL_TARGET static inline LANES MILL_WIDE(window_known)(LANES value)
{
    const LANES nan = (LANES){0} + __builtin_nan("");
    MASK known = (MASK)(value - value == 0);
    return (LANES)(((MASK)value & known) | ((MASK)nan & ~known));
}
#else
static inline double MILL_WIDE(window_known)(double value)
{
    return mill_finite_or_nan(value);
}
#endif

/* value / divisor; NaN where the divisor has overflown. */
MILL_TARGET static inline LANES MILL_WIDE(window_over)(LANES value, LANES divisor)
{
    return value / divisor + (divisor - divisor);
}

/* Not 0 where a lane of `found` is. */
MILL_TARGET static inline int MILL_WIDE(window_found)(MASK found)
{
    int64_t any = 0;
    for (int64_t k = 0; k < WIDTH; k++) any |= ((const int64_t *)&found)[k];
    return any != 0;
}

/* A loop whose body makes `result` for each vector i, and what it answers; `rest` does what is
 * left from i on. */
#define RESULTS(rest, ...)                                                                     \
    do {                                                                                       \
        MASK unknown = (MASK){0};                                                              \
        int64_t i = 0;                                                                         \
        for (; i + WIDTH <= count; i += WIDTH) {                                               \
            LANES result;                                                                      \
            __VA_ARGS__                                                                        \
            unknown |= result - result != 0;                                                   \
            SET(out + i) = MILL_WIDE(window_known)(result);                                    \
        }                                                                                      \
        int flags = MILL_WIDE(window_found)(unknown) ? MILL_WINDOW_UNKNOWN : 0;                \
        return i < count ? flags | rest : flags;                                               \
    } while (0)

MILL_TARGET int MILL_WIDE(mill_window_scaled)(const double *at, double factor, double *out,
                                              int64_t count)
{
    RESULTS(mill_window_scaled_plain(at + i, factor, out + i, count - i),
            result = AT(at + i) * factor;);
}

MILL_TARGET int MILL_WIDE(mill_window_roots)(const double *at, double factor, double *out,
                                             int64_t count)
{
    RESULTS(mill_window_roots_plain(at + i, factor, out + i, count - i),
            result = MILL_WIDE(window_root)(AT(at + i) * factor););
}

MILL_TARGET int MILL_WIDE(mill_window_scores)(const double *above, const double *square,
                                              double factor, double *out, int64_t count)
{
    RESULTS(mill_window_scores_plain(above + i, square + i, factor, out + i, count - i),
            LANES deviation = MILL_WIDE(window_root)(AT(square + i) * factor);
            result = MILL_WIDE(window_over)(AT(above + i), deviation););
}

/* Within [-1, 1]; NaN passes through both comparisons: it is their second operand. */
MILL_TARGET static inline LANES MILL_WIDE(window_limited)(LANES value)
{
    const LANES one = (LANES){0} + 1;
    return MILL_WIDE(window_greater)(-one, MILL_WIDE(window_lesser)(one, value));
}

MILL_TARGET int MILL_WIDE(mill_window_ratios)(const double *cross, const double *square_x,
                                              const double *square_y, double *out,
                                              int64_t count)
{
    RESULTS(
        mill_window_ratios_plain(cross + i, square_x + i, square_y + i, out + i, count - i), {
            LANES lengths = MILL_WIDE(window_root)(AT(square_x + i)) *
                            MILL_WIDE(window_root)(AT(square_y + i));
            result = MILL_WIDE(window_limited)(MILL_WIDE(window_over)(AT(cross + i), lengths));
        });
}

/* rows is known where this is called.  Squares of what is tiny or huge may compare wrongly: then
 * too much is looked at, no harm. */
MILL_TARGET static inline __attribute__((always_inline)) int
MILL_WIDE(window_average_of)(const struct mill_window_rest *rest, const double *sum,
                             const double *x, double factor, double *out, int64_t count,
                             int rows)
{
    MASK unknown = (MASK){0}, near = (MASK){0};
    int64_t i = 0, back = rest->back, unit = rest->unit;
    for (; i + WIDTH <= count; i += WIDTH) {
        LANES all = AT(sum + i);
        if (rows > 0) all += AT(x + i - back);
        if (rows > 1) all += AT(x + i - back - unit);
        if (rows > 2) all += AT(x + i - back - 2 * unit);
        LANES mean = all * factor, gap = mean - AT(x + i);
        unknown |= mean - mean != 0;
        near |= gap * gap <= AT(x + i) * AT(x + i) * 0x1p-88;
        SET(out + i) = MILL_WIDE(window_known)(mean);
    }
    int flags = (MILL_WIDE(window_found)(unknown) ? MILL_WINDOW_UNKNOWN : 0) |
                (MILL_WIDE(window_found)(near) ? MILL_WINDOW_FLAT : 0);
    if (i == count) return flags;
    return flags | mill_window_average_plain(rest, sum + i, x + i, factor, out + i, count - i);
}

MILL_TARGET int MILL_WIDE(mill_window_average)(const struct mill_window_rest *rest,
                                               const double *sum, const double *x,
                                               double factor, double *out, int64_t count)
{
#define AVERAGE(rows) MILL_WIDE(window_average_of)(rest, sum, x, factor, out, count, rows)
    switch (rest->rows) {
    case 0:
        return AVERAGE(0);
    case 1:
        return AVERAGE(1);
    case 2:
        return AVERAGE(2);
    default:
        return AVERAGE(3);
    }
#undef AVERAGE
}

/* A finite value less itself is 0, and any other makes the sum NaN. */
MILL_TARGET int MILL_WIDE(mill_window_all_finite)(const double *x, int64_t count)
{
    LANES zero[4] = {0};
    int64_t i = 0;
    for (; i + 4 * WIDTH <= count; i += 4 * WIDTH)
        for (int64_t k = 0; k < 4; k++)
            zero[k] += AT(x + i + k * WIDTH) - AT(x + i + k * WIDTH);
    LANES sum = (zero[0] + zero[1]) + (zero[2] + zero[3]);
    double rest = 0;
    for (; i < count; i++) rest += x[i] - x[i];
    for (int64_t k = 0; k < WIDTH; k++) rest += ((const double *)&sum)[k];
    return rest == 0;
}

#include "kernels/rolling_products_wide.h"

#undef AT
#undef SET
#undef WIDTH
#undef DOWNWARD
#undef EACH_VECTOR
#undef EXTREME
#undef RESULTS
#undef LANES
#undef MASK
