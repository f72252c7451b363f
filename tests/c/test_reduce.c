/* test_reduce: an axis folded, beside a plain oracle for one line of elements, with every
 * instruction set, in any pieces, and joined from parts.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/reduce_bodies.h"

static const int32_t kinds[] = {
    TIDEMILL_REDUCE_SUM,       TIDEMILL_REDUCE_PROD,     TIDEMILL_REDUCE_MEAN,
    TIDEMILL_REDUCE_MOMENTS,   TIDEMILL_REDUCE_MIN,      TIDEMILL_REDUCE_MAX,
    TIDEMILL_REDUCE_ARGMIN,    TIDEMILL_REDUCE_ARGMAX,   TIDEMILL_REDUCE_ANY,
    TIDEMILL_REDUCE_ALL,       TIDEMILL_REDUCE_COUNT,    TIDEMILL_REDUCE_NANSUM,
    TIDEMILL_REDUCE_NANPROD,   TIDEMILL_REDUCE_NANMEAN,  TIDEMILL_REDUCE_NANMOMENTS,
    TIDEMILL_REDUCE_NANMIN,    TIDEMILL_REDUCE_NANMAX,   TIDEMILL_REDUCE_NANARGMIN,
    TIDEMILL_REDUCE_NANARGMAX, TIDEMILL_REDUCE_NANCOUNT,
};
static const int32_t types[] = {
    TIDEMILL_BOOL,    TIDEMILL_INT32,   TIDEMILL_INT64, TIDEMILL_UINT8,
    TIDEMILL_FLOAT32, TIDEMILL_FLOAT64, TIDEMILL_DATE,  TIDEMILL_TIMESTAMP,
};
#define EACH(list, element)                                                                    \
    for (const int32_t *element = (list); element < (list) + sizeof(list) / sizeof *(list);    \
         element++)

/* ---- one line of elements, folded as reduce.h says ----------------------------------------- */

struct line {
    int is_float, by_columns;
    int64_t n, base;
    double *f; /* the elements as float64 */
    int64_t *i;
};

/* Values in the order of a block: a row's in sixteen lanes, a column's one after the other. */
static double oracle_fold(const double *x, int64_t count, int by_columns, int multiply)
{
    double lane[16];
    for (int l = 0; l < 16; l++) lane[l] = multiply;
    for (int64_t i = 0; i < count; i++) {
        double *to = &lane[by_columns ? 0 : i % 16];
        *to = multiply ? *to * x[i] : *to + x[i];
    }
    for (int half = 8; half && !by_columns; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] = multiply ? lane[l] * lane[l + half] : lane[l] + lane[l + half];
    return lane[0];
}

/* Blocks joined pairwise, NaNs taken out of each where they are passed over. */
static double oracle_total(const double *x, int64_t n, int by_columns, int multiply, int skip)
{
    int64_t block = by_columns ? 128 : 1024, half = block;
    if (n > block) {
        while (2 * half < n) half *= 2;
        double left = oracle_total(x, half, by_columns, multiply, skip);
        double right = oracle_total(x + half, n - half, by_columns, multiply, skip);
        return multiply ? left * right : left + right;
    }
    double kept[1024];
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        if (!skip || !isnan(x[i])) kept[count++] = x[i];
    return oracle_fold(kept, count, by_columns, multiply);
}

static int64_t oracle_count(const struct line *line, int nan_form)
{
    int64_t count = 0;
    for (int64_t i = 0; i < line->n; i++)
        count += nan_form ? !line->is_float || !isnan(line->f[i])
                          : (line->is_float ? line->f[i] != 0 : line->i[i] != 0);
    return count;
}

/* By long doubles; the squares only near. */
static void oracle_moments(const struct line *line, int skip, union mill_cell *cells)
{
    long double count = 0, sum = 0, squares = 0;
    for (int64_t i = 0; i < line->n; i++)
        if (!skip || !isnan(line->f[i])) sum += line->f[i], count++;
    long double mean = count > 0 ? sum / count : 0;
    for (int64_t i = 0; i < line->n; i++)
        if (!skip || !isnan(line->f[i])) squares += (line->f[i] - mean) * (line->f[i] - mean);
    cells[0].f = (double)mean;
    cells[2].f = (double)squares;
    cells[3].f = (double)count;
}

static int oracle_comes_before(const struct line *line, int64_t i, int64_t best, int least)
{
    if (!line->is_float) return least ? line->i[i] < line->i[best] : line->i[i] > line->i[best];
    if (isnan(line->f[i])) return !isnan(line->f[best]);
    return least ? line->f[i] < line->f[best] : line->f[i] > line->f[best];
}

static void oracle_extreme(const struct line *line, int least, int place, int skip,
                           union mill_cell *cells)
{
    int64_t best = -1, seen = 0;
    for (int64_t i = 0; i < line->n; i++) {
        if (skip && isnan(line->f[i])) continue;
        seen++;
        if (best < 0 || oracle_comes_before(line, i, best, least)) best = i;
    }
    if (line->is_float)
        cells[0].f = best >= 0 ? line->f[best] + 0.0 : least ? INFINITY : -INFINITY;
    else
        cells[0].i = best >= 0 ? line->i[best] : least ? INT64_MAX : INT64_MIN;
    cells[1].i = !place ? seen : best < 0 ? -1 : line->base + best;
}

static int64_t oracle_int(const struct line *line, int multiply)
{
    uint64_t total = multiply;
    for (int64_t i = 0; i < line->n; i++)
        total = multiply ? total * (uint64_t)line->i[i] : total + (uint64_t)line->i[i];
    return (int64_t)total;
}

static void oracle(const struct line *line, int32_t kind, union mill_cell *cells)
{
    int nan = (kind & TIDEMILL_REDUCE_NAN) != 0, skip = nan && line->is_float;
    int32_t plain = kind & ~TIDEMILL_REDUCE_NAN;
    int multiply = plain == TIDEMILL_REDUCE_PROD;
    switch (plain) {
    case TIDEMILL_REDUCE_SUM:
    case TIDEMILL_REDUCE_PROD:
        if (!line->is_float) {
            cells->i = oracle_int(line, multiply);
            break;
        }
        /* fallthrough */
    case TIDEMILL_REDUCE_MEAN:
        cells[0].f = oracle_total(line->f, line->n, line->by_columns, multiply, skip);
        if (plain == TIDEMILL_REDUCE_MEAN) cells[1].i = oracle_count(line, 1);
        if (plain == TIDEMILL_REDUCE_MEAN && !nan) cells[1].i = line->n;
        break;
    case TIDEMILL_REDUCE_MOMENTS:
        oracle_moments(line, skip, cells);
        break;
    case TIDEMILL_REDUCE_COUNT:
        cells->i = oracle_count(line, nan);
        break;
    case TIDEMILL_REDUCE_ANY:
        cells->i = oracle_count(line, 0) > 0;
        break;
    case TIDEMILL_REDUCE_ALL:
        cells->i = oracle_count(line, 0) == line->n;
        break;
    default:
        oracle_extreme(line, plain == TIDEMILL_REDUCE_MIN || plain == TIDEMILL_REDUCE_ARGMIN,
                       plain >= TIDEMILL_REDUCE_ARGMIN, skip, cells);
    }
}

/* ---- arrays of every type ------------------------------------------------------------------ */

struct array {
    int32_t type;
    int64_t outer, n, inner;
    char *whole, *x; /* x stands one element after the start: an odd place */
};

enum flavour { SMALL, WILD, WITH_NAN, FLAVOURS };

static double made_up(enum flavour flavour)
{
    if (flavour == WITH_NAN && random_below(5) == 0) return NAN;
    if (flavour == WILD) return (random_unit() - 0.5) * pow(10, (double)random_below(12));
    return random_below(3) ? (double)(random_below(9) - 4) : random_below(2) ? -0.0 : 0.0;
}

static void put(struct array *a, int64_t at, double value)
{
    switch (a->type) {
    case TIDEMILL_FLOAT64:
        ((double *)a->x)[at] = value;
        return;
    case TIDEMILL_FLOAT32:
        ((float *)a->x)[at] = (float)value;
        return;
    }
    int64_t whole = isnan(value) ? 7 : (int64_t)value;
    if (a->type == TIDEMILL_BOOL)
        ((uint8_t *)a->x)[at] = whole & 1;
    else if (a->type == TIDEMILL_UINT8)
        ((uint8_t *)a->x)[at] = (uint8_t)whole;
    else if (mill_reduce_type_size(a->type) == 4)
        ((int32_t *)a->x)[at] = (int32_t)whole;
    else
        ((int64_t *)a->x)[at] = (int64_t)((uint64_t)whole << random_below(30));
}

static struct array array_make(int32_t type, int64_t outer, int64_t n, int64_t inner,
                               enum flavour flavour)
{
    struct array a = {.type = type, .outer = outer, .n = n, .inner = inner};
    int64_t count = outer * n * inner, size = mill_reduce_type_size(type);
    a.whole = exact_copy(NULL, (size_t)((count + 1) * size));
    a.x = a.whole + size;
    for (int64_t at = 0; at < count; at++) put(&a, at, made_up(flavour));
    return a;
}

static struct line line_of(const struct array *a, int64_t o, int64_t j, int64_t base)
{
    struct line line = {.is_float = mill_is_float_type(a->type),
                        .by_columns = a->inner > 1,
                        .n = a->n,
                        .base = base,
                        .f = exact_doubles(a->n),
                        .i = exact_copy(NULL, (size_t)a->n * sizeof(int64_t))};
    int64_t size = mill_reduce_type_size(a->type);
    for (int64_t k = 0; k < a->n; k++) {
        int64_t at = (o * a->n + k) * a->inner + j;
        if (a->type == TIDEMILL_FLOAT64)
            line.f[k] = ((double *)a->x)[at];
        else if (a->type == TIDEMILL_FLOAT32)
            line.f[k] = ((float *)a->x)[at];
        else
            line.f[k] = (double)(line.i[k] = size == 8   ? ((int64_t *)a->x)[at]
                                             : size == 4 ? ((int32_t *)a->x)[at]
                                                         : ((uint8_t *)a->x)[at]);
    }
    return line;
}

static void *partial_of(int32_t kind, const struct array *a)
{
    int64_t planes = tidemill_kernel_reduce_planes(kind, a->type), m = a->outer * a->inner;
    return exact_doubles(planes * m);
}

static void fold(int32_t kind, const struct array *a, int64_t base, void *partial)
{
    int64_t bytes = tidemill_kernel_reduce_scratch(kind, a->type, a->outer, a->n, a->inner);
    void *scratch = exact_copy(NULL, (size_t)bytes);
    CHECK(tidemill_kernel_reduce(kind, a->type, a->x, a->outer, a->n, a->inner, base, partial,
                                 scratch) == 0);
    free(scratch);
}

static int is_expected(int32_t kind, const struct line *line, const union mill_cell *got,
                       int64_t apart)
{
    union mill_cell want[4];
    oracle(line, kind, want);
    if ((kind & ~TIDEMILL_REDUCE_NAN) == TIDEMILL_REDUCE_MOMENTS) {
        double scale = 0;
        for (int64_t k = 0; k < line->n; k++)
            if (fabs(line->f[k]) > scale) scale = fabs(line->f[k]);
        double mean = got[0].f + got[apart].f;
        int near = isnan(want[0].f) ? isnan(mean) : fabs(mean - want[0].f) <= 1e-14 * scale;
        return near && got[3 * apart].f == want[3].f &&
               is_near(got[2 * apart].f, want[2].f, 1e-11);
    }
    int64_t planes =
        tidemill_kernel_reduce_planes(kind, line->is_float ? TIDEMILL_FLOAT64 : TIDEMILL_INT64);
    for (int64_t p = 0; p < planes; p++)
        if (got[p * apart].i != want[p].i &&
            !(p == 0 && isnan(got->f) && isnan(want->f) && line->is_float))
            return 0;
    return 1;
}

static void check_results(int32_t kind, const struct array *a, int64_t base,
                          const union mill_cell *partial, const char *how)
{
    int64_t m = a->outer * a->inner;
    for (int64_t i = 0; i < m; i++) {
        struct line line = line_of(a, i / a->inner, i % a->inner, base);
        CHECK_SAYING(is_expected(kind, &line, partial + i, m),
                     "%s: kind %d type %d of (%d, %d, %d), result %d", how, kind, a->type,
                     (int)a->outer, (int)a->n, (int)a->inner, (int)i);
        free(line.f);
        free(line.i);
    }
}

/* With each instruction set: the oracle's results, and the plain body's bits. */
static void check_kind(int32_t kind, const struct array *a)
{
    int64_t base = random_below(3);
    int64_t cells = tidemill_kernel_reduce_planes(kind, a->type) * a->outer * a->inner;
    double *plain = partial_of(kind, a);
    EACH_SET(set)
    {
        union mill_cell *partial = partial_of(kind, a);
        fold(kind, a, base, partial);
        if (set == 0) {
            memcpy(plain, partial, (size_t)cells * 8);
            check_results(kind, a, base, partial, "plain");
        }
        CHECK_SAYING(same_bits(plain, (double *)partial, cells),
                     "%s: kind %d type %d of (%d, %d, %d) has other bits", kernel_sets[set],
                     kind, a->type, (int)a->outer, (int)a->n, (int)a->inner);
        free(partial);
    }
    free(plain);
}

static void check_shape(int32_t type, int64_t outer, int64_t n, int64_t inner,
                        enum flavour flavour)
{
    struct array a = array_make(type, outer, n, inner, flavour);
    EACH(kinds, kind) if (tidemill_kernel_reduce_type(*kind, type)) check_kind(*kind, &a);
    free(a.whole);
}

static void every_length_of_every_type_is_folded(void)
{
    EACH(types, type)
    for (int64_t n = 0; n <= 257; n++) check_shape(*type, 1, n, 1, (int)(n % FLAVOURS));
}

static void columns_of_every_number_are_folded(void)
{
    EACH(types, type)
    for (int64_t inner = 2; inner <= 40; inner++)
        check_shape(*type, 1 + inner % 3, random_below(300), inner, (int)(inner % FLAVOURS));
}

static void long_axes_are_folded(void)
{
    static const int64_t lengths[] = {1023, 1024, 1025, 2048, 3072, 5000, 9217};
    for (int k = 0; k < 7; k++)
        for (int flavour = 0; flavour < FLAVOURS; flavour++) {
            check_shape(TIDEMILL_FLOAT64, 2, lengths[k], 1, flavour);
            check_shape(TIDEMILL_FLOAT64, 1, lengths[k] / 8, 5, flavour);
            check_shape(TIDEMILL_FLOAT32, 1, lengths[k], 1, flavour);
            check_shape(TIDEMILL_INT64, 1, lengths[k], 1, flavour);
        }
}

/* Strips of columns, the last of which may be one column. */
static void many_columns_are_folded(void)
{
    static const int64_t widths[] = {33, 512, 1023, 1025, 2100};
    for (int k = 0; k < 5; k++)
        for (int flavour = 0; flavour < FLAVOURS; flavour++) {
            check_shape(TIDEMILL_FLOAT64, 2, 140, widths[k], flavour);
            check_shape(TIDEMILL_INT64, 1, 9, widths[k], flavour);
            check_shape(TIDEMILL_FLOAT32, 1, 131, widths[k], flavour);
            check_shape(TIDEMILL_BOOL, 1, 5, widths[k], flavour);
            check_shape(TIDEMILL_FLOAT64, 2, 0, widths[k], flavour);
        }
}

/* ---- feeding --------------------------------------------------------------------------------- */

/* Pieces as a producer makes them: blocks of a row, or any pieces of columns. */
static void check_feeding(int32_t kind, const struct array *a)
{
    int64_t cells = tidemill_kernel_reduce_planes(kind, a->type) * a->outer * a->inner;
    double *whole = partial_of(kind, a), *fed = partial_of(kind, a);
    fold(kind, a, 1, whole);
    size_t bytes = mill_reducer_bytes(kind, a->type, a->outer, a->n, a->inner);
    void *memory = exact_copy(NULL, bytes);
    mill_reducer_begin(memory, kind, a->type, a->outer, a->n, a->inner, 1, fed);
    int64_t total = a->outer * a->n * a->inner, size = mill_reduce_type_size(a->type);
    for (int64_t at = 0; at < total;) {
        int64_t left = total - at, row_left = a->n - at % a->n;
        int64_t take = a->inner > 1 ? 1 + random_below(left < 2000 ? left : 2000)
                                    : (row_left < 1024 ? row_left : 1024);
        void *piece = exact_copy(a->x + at * size, (size_t)(take * size));
        mill_reducer_feed(memory, piece, take);
        free(piece);
        at += take;
    }
    mill_reducer_end(memory);
    CHECK_SAYING(same_bits(whole, fed, cells), "kind %d type %d of (%d, %d, %d)", kind, a->type,
                 (int)a->outer, (int)a->n, (int)a->inner);
    free(memory);
    free(whole);
    free(fed);
}

static void a_fed_reducer_has_the_bits_of_the_whole(void)
{
    static const int64_t shapes[][3] = {
        {1, 2600, 1}, {3, 1024, 1},  {40, 7, 1},   {1, 0, 1},    {3, 0, 4},     {0, 5, 4},
        {2, 300, 3},  {2, 150, 700}, {1, 3, 2500}, {1, 600, 16}, {2, 129, 1024}};
    EACH(types, type)
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        struct array a =
            array_make(*type, shapes[k][0], shapes[k][1], shapes[k][2], (int)(k % FLAVOURS));
        EACH(kinds, kind)
        if (tidemill_kernel_reduce_type(*kind, *type)) check_feeding(*kind, &a);
        free(a.whole);
    }
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Integers and extremes join to the whole; of small whole numbers float sums do, too. */
static void check_parts(int32_t kind, const struct array *a, int64_t first)
{
    int64_t m = a->outer * a->inner, size = mill_reduce_type_size(a->type);
    union mill_cell *left = partial_of(kind, a), *right = partial_of(kind, a);
    struct array part = *a;
    part.n = first;
    fold(kind, &part, 0, left);
    part.n = a->n - first;
    part.x = a->x + first * a->inner * size;
    fold(kind, &part, first, right);
    CHECK(tidemill_kernel_reduce_join(kind, a->type, left, right, m) == 0);
    check_results(kind, a, 0, left, "joined");
    free(left);
    free(right);
}

static void parts_join_to_the_whole(void)
{
    EACH(types, type)
    for (int round = 0; round < 40; round++) {
        int64_t n = random_below(400), inner = 1 + random_below(6);
        struct array a = array_make(*type, 1, n, inner, round % 2 ? SMALL : WITH_NAN);
        EACH(kinds, kind)
        if (tidemill_kernel_reduce_type(*kind, *type) &&
            (*kind & ~TIDEMILL_REDUCE_NAN) != TIDEMILL_REDUCE_PROD)
            check_parts(*kind, &a, random_below(n + 1));
        free(a.whole);
    }
}

/* ---- answers --------------------------------------------------------------------------------- */

static double answer(int32_t kind, int32_t what, const double *x, int64_t n, int64_t ddof)
{
    struct array a = {
        .type = TIDEMILL_FLOAT64, .outer = 1, .n = n, .inner = 1, .x = (char *)(uintptr_t)x};
    double partial[4], out = -1;
    fold(kind, &a, 1, partial);
    CHECK(tidemill_kernel_reduce_finish(kind, what, TIDEMILL_FLOAT64, partial, 1, ddof, &out) ==
          0);
    return out;
}

static void sums_and_means_have_the_bits_of_the_kernels_of_one_series(void)
{
    double *x = exact_doubles(4000);
    for (int64_t n = 0; n <= 4000; n += 1 + random_below(60)) {
        for (int64_t i = 0; i < n; i++) x[i] = made_up(WILD);
        double sum = tidemill_kernel_sum(x, n), mean = tidemill_kernel_mean(x, n);
        double got = answer(TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_SUM, x, n, 0);
        CHECK(same_bits(&sum, &got, 1));
        got = answer(TIDEMILL_REDUCE_MEAN, TIDEMILL_REDUCE_MEAN, x, n, 0);
        CHECK(same_bits(&mean, &got, 1));
    }
    free(x);
}

static void variance_survives_offsets_and_equal_values(void)
{
    enum { N = 5000, COLUMNS = 5 };
    double *x = exact_doubles(N);
    for (int64_t i = 0; i < N; i++) x[i] = 0.1;
    CHECK(answer(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR, x, N, 1) == 0);
    struct array a = {.type = TIDEMILL_FLOAT64,
                      .outer = 1,
                      .n = N / COLUMNS,
                      .inner = COLUMNS,
                      .x = (char *)x};
    double partial[4 * COLUMNS], out[COLUMNS];
    fold(TIDEMILL_REDUCE_NANMOMENTS, &a, 0, partial);
    for (int j = 0; j < COLUMNS; j++) CHECK(partial[2 * COLUMNS + j] == 0);
    for (int64_t i = 0; i < N; i++) x[i] = 1e9 + random_unit();
    double variance = tidemill_kernel_variance(x, N, 1);
    CHECK(is_near(answer(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR, x, N, 1), variance,
                  1e-12));
    CHECK(is_near(answer(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_STD, x, N, 1), sqrt(variance),
                  1e-12));
    /* Columns: one value far from the others, at any place of its block. */
    for (int64_t at = 0; at < 130; at++) {
        for (int64_t i = 0; i < N; i++) x[i] = random_unit();
        x[at * COLUMNS] = 1e9;
        fold(TIDEMILL_REDUCE_MOMENTS, &a, 0, partial);
        CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR,
                                            TIDEMILL_FLOAT64, partial, COLUMNS, 0, out) == 0);
        struct line line = line_of(&a, 0, 0, 0);
        union mill_cell want[4];
        oracle_moments(&line, 0, want);
        CHECK(is_near(out[0], want[2].f / (double)a.n, 1e-12));
        free(line.f);
        free(line.i);
    }
    free(x);
}

static void answers_have_their_types(void)
{
    int32_t x[] = {3, -1, 2};
    double partial[4], scratch[2000];
    int64_t position;
    int32_t least;
    double mean;
    tidemill_kernel_reduce(TIDEMILL_REDUCE_ARGMIN, TIDEMILL_INT32, x, 1, 3, 1, 1, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_ARGMIN, TIDEMILL_REDUCE_ARGMIN,
                                        TIDEMILL_INT32, partial, 1, 0, &position) == 0);
    CHECK(position == 2);
    tidemill_kernel_reduce(TIDEMILL_REDUCE_MIN, TIDEMILL_INT32, x, 1, 3, 1, 1, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MIN, TIDEMILL_REDUCE_MIN,
                                        TIDEMILL_INT32, partial, 1, 0, &least) == 0);
    CHECK(least == -1);
    tidemill_kernel_reduce(TIDEMILL_REDUCE_MEAN, TIDEMILL_INT32, x, 1, 3, 1, 1, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MEAN, TIDEMILL_REDUCE_MEAN,
                                        TIDEMILL_INT32, partial, 1, 0, &mean) == 0);
    CHECK(mean == 4.0 / 3);
    float f[] = {0.1f, 0.2f}, sum;
    tidemill_kernel_reduce(TIDEMILL_REDUCE_SUM, TIDEMILL_FLOAT32, f, 1, 2, 1, 0, partial,
                           scratch);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_SUM,
                                        TIDEMILL_FLOAT32, partial, 1, 0, &sum) == 0);
    CHECK(sum == (float)((double)f[0] + (double)f[1]));
}

static void nothing_has_a_sum_and_no_least(void)
{
    double partial[4], scratch[2000], out;
    static const struct {
        int32_t kind, what;
        int64_t result;
        double out;
    } cases[] = {
        {TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_SUM, 0, 0},
        {TIDEMILL_REDUCE_PROD, TIDEMILL_REDUCE_PROD, 0, 1},
        {TIDEMILL_REDUCE_MEAN, TIDEMILL_REDUCE_MEAN, 0, NAN},
        {TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_MEAN, 0, NAN},
        {TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_VAR, 0, NAN},
        {TIDEMILL_REDUCE_MIN, TIDEMILL_REDUCE_MIN, -1, 0},
        {TIDEMILL_REDUCE_NANMAX, TIDEMILL_REDUCE_NANMAX, 0, NAN},
        {TIDEMILL_REDUCE_NANARGMAX, TIDEMILL_REDUCE_NANARGMAX, -1, 0},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tidemill_kernel_reduce(cases[k].kind, TIDEMILL_FLOAT64, NULL, 1, 0, 1, 0, partial,
                               scratch);
        int64_t result = tidemill_kernel_reduce_finish(cases[k].kind, cases[k].what,
                                                       TIDEMILL_FLOAT64, partial, 1, 0, &out);
        CHECK_SAYING(result == cases[k].result, "kind %d", cases[k].kind);
        if (result == 0) CHECK(is_near(out, cases[k].out, 0));
    }
}

static void what_does_not_go_together_is_refused(void)
{
    double partial[4] = {0}, scratch[2000];
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_SUM, TIDEMILL_DATE) == -1);
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_MIN, TIDEMILL_DATE) == 2);
    CHECK(tidemill_kernel_reduce_planes(99, TIDEMILL_FLOAT64) == -1);
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_ANY | TIDEMILL_REDUCE_NAN,
                                        TIDEMILL_FLOAT64) == -1);
    CHECK(tidemill_kernel_reduce_planes(TIDEMILL_REDUCE_SUM, 3) == -1);
    CHECK(tidemill_kernel_reduce_scratch(TIDEMILL_REDUCE_SUM, TIDEMILL_INT32, -1, 1, 1) == -1);
    CHECK(tidemill_kernel_reduce(TIDEMILL_REDUCE_SUM, TIDEMILL_FLOAT64, scratch, 1, -1, 1, 0,
                                 partial, scratch) == -1);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_SUM, TIDEMILL_REDUCE_MEAN,
                                        TIDEMILL_FLOAT64, partial, 1, 0, scratch) == -1);
    CHECK(tidemill_kernel_reduce_finish(TIDEMILL_REDUCE_MOMENTS, TIDEMILL_REDUCE_NANVAR,
                                        TIDEMILL_FLOAT64, partial, 1, 0, scratch) == -1);
    CHECK(tidemill_kernel_reduce_kind(TIDEMILL_REDUCE_NANSTD) == TIDEMILL_REDUCE_NANMOMENTS);
    CHECK(tidemill_kernel_reduce_type(TIDEMILL_REDUCE_STD, TIDEMILL_BOOL) == TIDEMILL_FLOAT64);
}

int main(void)
{
    random_state = check_seed();
    RUN(every_length_of_every_type_is_folded);
    RUN(columns_of_every_number_are_folded);
    RUN(long_axes_are_folded);
    RUN(many_columns_are_folded);
    RUN(a_fed_reducer_has_the_bits_of_the_whole);
    RUN(parts_join_to_the_whole);
    RUN(sums_and_means_have_the_bits_of_the_kernels_of_one_series);
    RUN(variance_survives_offsets_and_equal_values);
    RUN(answers_have_their_types);
    RUN(nothing_has_a_sum_and_no_least);
    RUN(what_does_not_go_together_is_refused);
    return check_end();
}
