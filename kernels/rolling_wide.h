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

/* Loops over each i that begins a vector below count, and does what is left by `plain`. */
#define EACH_VECTOR(plain, ...)                                                                \
    do {                                                                                       \
        int64_t i = 0;                                                                         \
        for (; i + WIDTH <= count; i += WIDTH) __VA_ARGS__                                     \
        if (i < count) plain;                                                                  \
    } while (0)

/* ---- sums ------------------------------------------------------------------------------ */

/* What a join makes of the windows at `at`; it is known where this is called, so each use is a
 * loop of its own. */
MILL_TARGET static inline __attribute__((always_inline)) LANES
MILL_WIDE(window_totals_at)(const double *items, const double *at, int64_t back, int parts,
                            int more)
{
    LANES sum = AT(at);
    if (parts > 1) sum += AT(at + back);
    if (parts == 3) sum += AT(at + 2 * back);
    if (parts > 3) sum += AT(at + 2 * back) + AT(at + 3 * back);
    if (parts > 4) sum += AT(at + 4 * back);
    if (more) sum += AT(items + parts * back);
    return sum;
}

/* Calls for each kind of join: use(parts, more). */
#define JOIN_KIND(parts, use)                                                                  \
    case parts:                                                                                \
        more ? use(parts, 1) : use(parts, 0);                                                  \
        break
#define EACH_KIND(join, use)                                                                   \
    do {                                                                                       \
        int more = (join)->more;                                                               \
        switch ((join)->parts) {                                                               \
            JOIN_KIND(2, use);                                                                 \
            JOIN_KIND(3, use);                                                                 \
            JOIN_KIND(4, use);                                                                 \
            JOIN_KIND(5, use);                                                                 \
        default:                                                                               \
            use(1, 0);                                                                         \
        }                                                                                      \
    } while (0)

MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(window_totals_of)(const struct mill_window_join *join, const double *items,
                            const double *at, double *to, int64_t count, int parts, int more)
{
    int64_t back = join->size * join->unit;
    EACH_VECTOR(mill_window_totals_plain(join, items + i, at + i, to + i, count - i), {
        SET(to + i) = MILL_WIDE(window_totals_at)(items + i, at + i, back, parts, more);
    });
}

MILL_TARGET void MILL_WIDE(mill_window_totals)(const struct mill_window_join *join,
                                               const double *items, const double *at,
                                               double *to, int64_t count)
{
#define TOTALS(parts, more) MILL_WIDE(window_totals_of)(join, items, at, to, count, parts, more)
    EACH_KIND(join, TOTALS);
#undef TOTALS
}

/* ---- deviations ------------------------------------------------------------------------ */

/* The newer half's mean less the older's; `newest` is the older half's newest value, `back`
 * places before the newer's. */
MILL_TARGET static inline LANES MILL_WIDE(window_gap)(const double *newest, const double *above,
                                                      int64_t back, int first)
{
    LANES rise = AT(newest + back) - AT(newest);
    if (first) return rise;
    return rise - (AT(above + back) - AT(above));
}

struct MILL_WIDE(window_spread) {
    LANES above, square;
};

/* One vector of windows that begin at x; odd and first are known where this is called.  What a
 * step gives all windows is taken by value: a store might change it. */
MILL_TARGET static inline __attribute__((always_inline)) struct MILL_WIDE(window_spread)
    MILL_WIDE(window_spread_at)(const double *x, const double *above, const double *square,
                                int64_t unit, int64_t back, double weight, double share,
                                int odd, int first)
{
    const double *newest = x + back - unit;
    LANES gap = MILL_WIDE(window_gap)(newest, above, back, first);
    struct MILL_WIDE(window_spread) spread = {gap * 0.5, gap * gap * weight};
    if (!first) spread.square += AT(square) + AT(square + back);
    if (odd) {
        LANES rise = AT(newest + back + unit) - AT(newest + back);
        if (!first) rise += AT(above + back);
        gap = rise + spread.above;
        spread.above = gap * share;
        spread.square += gap * gap * share;
    } else if (!first) {
        spread.above += AT(above + back);
    }
    return spread;
}

#define SPREAD_AT                                                                              \
    MILL_WIDE(window_spread_at)                                                                \
    (x + i, above + i, square + i, unit, back, weight, share, odd, first)

MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(window_spread_of)(const struct mill_window_step *step, const double *x, double *above,
                            double *square, int64_t count, int odd, int first)
{
    double size = (double)step->half, weight = size / 2;
    double share = 2 * size / (2 * size + 1);
    int64_t unit = step->unit, back = step->half * unit;
    EACH_VECTOR(mill_window_spread_plain(step, x + i, above + i, square + i, count - i), {
        struct MILL_WIDE(window_spread) spread = SPREAD_AT;
        SET(above + i) = spread.above;
        SET(square + i) = spread.square;
    });
}

MILL_TARGET void MILL_WIDE(mill_window_spread)(const struct mill_window_step *step,
                                               const double *x, double *above, double *square,
                                               int64_t count)
{
#define SPREAD(odd, first)                                                                     \
    MILL_WIDE(window_spread_of)(step, x, above, square, count, odd, first)
    if (step->half == 1)
        step->odd ? SPREAD(1, 1) : SPREAD(0, 1);
    else
        step->odd ? SPREAD(1, 0) : SPREAD(0, 0);
#undef SPREAD
}

MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(window_cross_of)(const struct mill_window_step *step,
                           const struct mill_window_pair *pair, double *cross, int64_t count,
                           int odd, int first)
{
    double size = (double)step->half, weight = size / 2;
    double share = 2 * size / (2 * size + 1);
    int64_t unit = step->unit, back = step->half * unit;
    struct mill_window_pair at = *pair;
#define ADVANCED(n)                                                                            \
    (&(struct mill_window_pair){at.x + (n), at.y + (n), at.above_x + (n), at.above_y + (n)})
    EACH_VECTOR(mill_window_cross_plain(step, ADVANCED(i), cross + i, count - i), {
        const double *x = at.x + i + back - unit, *y = at.y + i + back - unit;
        const double *above_x = at.above_x + i, *above_y = at.above_y + i;
        LANES gap_x = MILL_WIDE(window_gap)(x, above_x, back, first);
        LANES gap_y = MILL_WIDE(window_gap)(y, above_y, back, first);
        LANES rest = gap_x * gap_y * weight;
        if (!first) rest += AT(cross + i) + AT(cross + i + back);
        if (odd) {
            LANES rise_x = AT(x + back + unit) - AT(x + back);
            LANES rise_y = AT(y + back + unit) - AT(y + back);
            if (!first) rise_x += AT(above_x + back), rise_y += AT(above_y + back);
            rest += (rise_x + gap_x * 0.5) * (rise_y + gap_y * 0.5) * share;
        }
        SET(cross + i) = rest;
    });
#undef ADVANCED
}

MILL_TARGET void MILL_WIDE(mill_window_cross)(const struct mill_window_step *step,
                                              const struct mill_window_pair *pair,
                                              double *cross, int64_t count)
{
#define CROSS(odd, first) MILL_WIDE(window_cross_of)(step, pair, cross, count, odd, first)
    if (step->half == 1)
        step->odd ? CROSS(1, 1) : CROSS(0, 1);
    else
        step->odd ? CROSS(1, 0) : CROSS(0, 0);
#undef CROSS
}

/* ---- extremes -------------------------------------------------------------------------- */

#define EXTREME(name, better)                                                                  \
    MILL_TARGET void MILL_WIDE(name)(int64_t lag, int four, const double *at, double *to,      \
                                     int64_t count)                                            \
    {                                                                                          \
        if (four)                                                                              \
            EACH_VECTOR(PLAIN, {                                                               \
                LANES older = better(AT(at + i), AT(at + i + lag));                            \
                LANES newer = better(AT(at + i + 2 * lag), AT(at + i + 3 * lag));              \
                SET(to + i) = better(older, newer);                                            \
            });                                                                                \
        else                                                                                   \
            EACH_VECTOR(PLAIN, { SET(to + i) = better(AT(at + i), AT(at + i + lag)); });       \
    }
#define PLAIN mill_window_least_plain(lag, four, at + i, to + i, count - i)
EXTREME(mill_window_least, MILL_WIDE(window_lesser))
#undef PLAIN
#define PLAIN mill_window_greatest_plain(lag, four, at + i, to + i, count - i)
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

MILL_TARGET static inline __attribute__((always_inline)) int
MILL_WIDE(window_finish_of)(const struct mill_window_step *step, const double *x,
                            const double *above, const double *square, double factor, int root,
                            double *out, int64_t count, int odd, int first)
{
    double size = (double)step->half, weight = size / 2;
    double share = 2 * size / (2 * size + 1);
    int64_t unit = step->unit, back = step->half * unit;
    RESULTS(mill_window_finish_plain(step, x + i, above + i, square + i, factor, root, out + i,
                                     count - i),
            {
                result = SPREAD_AT.square * factor;
                if (root) result = MILL_WIDE(window_root)(result);
            });
}

MILL_TARGET int MILL_WIDE(mill_window_finish)(const struct mill_window_step *step,
                                              const double *x, const double *above,
                                              const double *square, double factor, int root,
                                              double *out, int64_t count)
{
#define FINISH(odd, first)                                                                     \
    (root ? MILL_WIDE(window_finish_of)(step, x, above, square, factor, 1, out, count, odd,    \
                                        first)                                                 \
          : MILL_WIDE(window_finish_of)(step, x, above, square, factor, 0, out, count, odd,    \
                                        first))
    if (step->half == 1) return step->odd ? FINISH(1, 1) : FINISH(0, 1);
    return step->odd ? FINISH(1, 0) : FINISH(0, 0);
#undef FINISH
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

/* One comparison finds a mean that is not finite, which is not beyond its own square, and one
 * near the newest value.  Squares of what is tiny or huge may compare wrongly: then too much is
 * looked at, no harm. */
MILL_TARGET static inline __attribute__((always_inline)) int
MILL_WIDE(window_average_of)(const struct mill_window_join *join,
                             const struct mill_window_rest *rest, const double *items,
                             const double *at, double factor, double *out, int64_t count,
                             int parts, int more)
{
    MASK fine = ~(MASK){0};
    int64_t i = 0, back = join->size * join->unit, rows = rest->rows;
    const double *x = rest->x, *second = x - rest->unit, *third = second - rest->unit;
    const double *newest = rest->newest;
    for (; i + WIDTH <= count; i += WIDTH) {
        LANES sum = MILL_WIDE(window_totals_at)(items + i, at + i, back, parts, more);
        if (rows > 0) sum += AT(x + i);
        if (rows > 1) sum += AT(second + i);
        if (rows > 2) sum += AT(third + i);
        LANES mean = sum * factor, gap = mean - AT(newest + i);
        fine &= gap * gap > mean * mean * 0x1p-88;
        SET(out + i) = mean;
    }
    int flag = MILL_WIDE(window_found)(~fine);
    if (i == count) return flag;
    struct mill_window_rest left = {rows, rest->unit, x + i, newest + i};
    return flag | mill_window_average_plain(join, &left, items + i, at + i, factor, out + i,
                                            count - i);
}

MILL_TARGET int MILL_WIDE(mill_window_average)(const struct mill_window_join *join,
                                               const struct mill_window_rest *rest,
                                               const double *items, const double *at,
                                               double factor, double *out, int64_t count)
{
    int flag = 0;
#define AVERAGE(parts, more)                                                                   \
    (flag =                                                                                    \
         MILL_WIDE(window_average_of)(join, rest, items, at, factor, out, count, parts, more))
    EACH_KIND(join, AVERAGE);
#undef AVERAGE
    return flag;
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

#include "kernels/rolling_fours_wide.h"
#include "kernels/rolling_group_wide.h"

#undef AT
#undef SET
#undef WIDTH
#undef EACH_VECTOR
#undef EACH_KIND
#undef JOIN_KIND
#undef SPREAD_AT
#undef EXTREME
#undef RESULTS
#undef LANES
#undef MASK
