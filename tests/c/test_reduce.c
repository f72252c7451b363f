/* test_reduce: an axis folded, with every instruction set, in any pieces, and joined from parts.
 * SPDX-License-Identifier: MIT */
#include "reduce_check.h"

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

int main(void)
{
    random_state = check_seed();
    RUN(every_length_of_every_type_is_folded);
    RUN(columns_of_every_number_are_folded);
    RUN(long_axes_are_folded);
    RUN(many_columns_are_folded);
    RUN(a_fed_reducer_has_the_bits_of_the_whole);
    RUN(parts_join_to_the_whole);
    return check_end();
}
