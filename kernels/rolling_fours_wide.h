/* rolling_fours_wide: sums of up to seven fours, in one pass over a series; see rolling_bodies.h.
 * Included by rolling_wide.h.  A vector has four lanes in every set, so that the next four is
 * the next vector, and all of a window but its newest four is still in registers.
 * SPDX-License-Identifier: MIT */

/* The sum of a window of `fours` fours, joined as rolling.h says. */
static inline double MILL_WIDE(window_fours_sum)(const double *x, int64_t fours)
{
    double sum = 0, four[MILL_WINDOW_FOURS];
    for (int64_t k = 0; k < fours; k++)
        four[k] = (x[4 * k] + x[4 * k + 1]) + (x[4 * k + 2] + x[4 * k + 3]);
    if (fours < 4) {
        sum = fours > 1 ? four[0] + four[1] : four[0];
    } else if (fours < 6) {
        sum = (four[0] + four[1]) + (four[2] + four[3]);
    } else {
        sum = ((four[0] + four[1]) + four[2]) + ((four[3] + four[4]) + four[5]);
    }
    return fours > 1 && fours % 2 ? sum + four[fours - 1] : sum;
}

#if MILL_WIDE_BYTES > 8
typedef double MILL_WIDE(window_quad)
    __attribute__((vector_size(32), aligned(sizeof(double)), may_alias));
typedef int64_t MILL_WIDE(window_quad_mask)
    __attribute__((vector_size(32), aligned(sizeof(double)), may_alias));
#define QUAD            MILL_WIDE(window_quad)
#define QUAD_MASK       MILL_WIDE(window_quad_mask)
#define QUAD_AT(place)  (*(const QUAD *)(place))
#define QUAD_SET(place) (*(QUAD *)(place))

/* The newest fours, and where there are more than three the halves that they have made. */
struct MILL_WIDE(window_roll) {
    QUAD four[MILL_WINDOW_FOURS], half[MILL_WINDOW_FOURS / 2 + 1];
};

#define QUAD_FOUR(x) ((QUAD_AT(x) + QUAD_AT((x) + 1)) + (QUAD_AT((x) + 2) + QUAD_AT((x) + 3)))

/* Takes the newest four into the roll. */
#define ROLL_IN(roll, fours, newest)                                                           \
    do {                                                                                       \
        _Pragma("GCC unroll 8") for (int r = 1; r < (fours); r++)(roll).four[r - 1] =          \
            (roll).four[r];                                                                    \
        (roll).four[(fours)-1] = newest;                                                       \
        if ((fours) < 4) break;                                                                \
        _Pragma("GCC unroll 8") for (int r = 1; r <= (fours) / 2; r++)(roll).half[r - 1] =     \
            (roll).half[r];                                                                    \
        (roll).half[(fours) / 2] = (roll).four[(fours) / 2] + (roll).four[(fours) / 2 + 1];    \
        if ((fours) > 5) (roll).half[(fours) / 2] += (roll).four[5];                           \
    } while (0)

/* The sum of the window whose newest four came in last. */
#define ROLL_SUM(sum, roll, fours)                                                             \
    do {                                                                                       \
        (sum) = (roll).four[0];                                                                \
        if ((fours) > 3) (sum) = (roll).half[0] + (roll).half[(fours) / 2];                    \
        if ((fours) == 2 || (fours) == 3) (sum) += (roll).four[1];                             \
        if ((fours) > 1 && (fours) % 2) (sum) += (roll).four[(fours)-1];                       \
    } while (0)
#endif

/* fours is known where these are called. */
MILL_TARGET static inline __attribute__((always_inline)) void
MILL_WIDE(window_fours_of)(int64_t fours, const double *x, double *four, double *to,
                           int64_t count, int keep)
{
    int64_t i = 0, before = 4 * (fours - 1);
#if MILL_WIDE_BYTES > 8
    struct MILL_WIDE(window_roll) roll = {0};
    for (int64_t k = 0; k < before && count >= 4; k += 4) {
        QUAD newest = QUAD_FOUR(x + k);
        if (keep) QUAD_SET(four + k) = newest;
        ROLL_IN(roll, fours, newest);
    }
    for (; i + 4 <= count; i += 4) {
        QUAD newest = QUAD_FOUR(x + before + i), sum;
        if (keep) QUAD_SET(four + before + i) = newest;
        ROLL_IN(roll, fours, newest);
        ROLL_SUM(sum, roll, fours);
        QUAD_SET(to + i) = sum;
    }
#endif
    for (int64_t k = i > 0 ? before + i : 0; keep && k < before + count; k++)
        four[k] = (x[k] + x[k + 1]) + (x[k + 2] + x[k + 3]);
    for (; i < count; i++) to[i] = MILL_WIDE(window_fours_sum)(x + i, fours);
}

MILL_TARGET void MILL_WIDE(mill_window_fours)(int64_t fours, const double *x, double *four,
                                              double *to, int64_t count)
{
#define FOURS(number)                                                                          \
    (four ? MILL_WIDE(window_fours_of)(number, x, four, to, count, 1)                          \
          : MILL_WIDE(window_fours_of)(number, x, four, to, count, 0))
    switch (fours) {
    case 4:
        FOURS(4);
        break;
    case 5:
        FOURS(5);
        break;
    case 6:
        FOURS(6);
        break;
    default:
        FOURS(7);
    }
#undef FOURS
}

MILL_TARGET static inline __attribute__((always_inline)) int
MILL_WIDE(window_few_of)(int64_t fours, const struct mill_window_rest *rest, const double *x,
                         double factor, double *out, int64_t count)
{
    int64_t i = 0, rows = rest->rows;
    const double *oldest = rest->x, *newest = rest->newest;
    int flag = 0;
#if MILL_WIDE_BYTES > 8
    int64_t before = 4 * (fours - 1);
    struct MILL_WIDE(window_roll) roll = {0};
    QUAD_MASK fine = ~(QUAD_MASK){0};
    for (int64_t k = 0; k < before && count >= 4; k += 4)
        ROLL_IN(roll, fours, QUAD_FOUR(x + k));
    for (; i + 4 <= count; i += 4) {
        QUAD sum;
        ROLL_IN(roll, fours, QUAD_FOUR(x + before + i));
        ROLL_SUM(sum, roll, fours);
        if (rows > 0) sum += QUAD_AT(oldest + i);
        if (rows > 1) sum += QUAD_AT(oldest + i - 1);
        if (rows > 2) sum += QUAD_AT(oldest + i - 2);
        QUAD mean = sum * factor, gap = mean - QUAD_AT(newest + i);
        fine &= gap * gap > mean * mean * 0x1p-88;
        QUAD_SET(out + i) = mean;
    }
    for (int k = 0; k < 4; k++) flag |= fine[k] == 0;
#endif
    for (; i < count; i++) {
        double sum = MILL_WIDE(window_fours_sum)(x + i, fours);
        for (int64_t k = 0; k < rows; k++) sum += oldest[i - k];
        double mean = sum * factor, gap = mean - newest[i];
        flag |= !(gap * gap > mean * mean * 0x1p-88);
        out[i] = mean;
    }
    return flag;
}

MILL_TARGET int MILL_WIDE(mill_window_few)(int64_t fours, const struct mill_window_rest *rest,
                                           const double *x, double factor, double *out,
                                           int64_t count)
{
#define FEW(number)                                                                            \
    case number:                                                                               \
        return MILL_WIDE(window_few_of)(number, rest, x, factor, out, count)
    switch (fours) {
        FEW(1);
        FEW(2);
        FEW(3);
        FEW(4);
        FEW(5);
        FEW(6);
    default:
        return MILL_WIDE(window_few_of)(7, rest, x, factor, out, count);
    }
#undef FEW
}

#undef QUAD
#undef QUAD_MASK
#undef QUAD_AT
#undef QUAD_SET
#undef QUAD_FOUR
#undef ROLL_IN
#undef ROLL_SUM
