/* total: sums, products and means of a folded axis; the order is said in reduce.h.
 * SPDX-License-Identifier: MIT */
#include "kernels/reduce_bodies.h"

/* ---- plain bodies ------------------------------------------------------------------------ */

/* Integers wrap: unsigned ones do so by the language. */
int64_t mill_sum_int_plain(const int64_t *x, int64_t count)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (uint64_t)x[i];
    return (int64_t)sum;
}

void mill_sum_columns_plain(const struct mill_columns *c)
{
    for (int64_t j = 0; j < c->width; j++) {
        const double *x = (const double *)c->x + j;
        double sum = c->cells[j].f;
        for (int64_t r = 0; r < c->rows; r++) sum += x[r * c->stride];
        c->cells[j].f = sum;
    }
}

void mill_sum_int_columns_plain(const struct mill_columns *c)
{
    for (int64_t j = 0; j < c->width; j++) {
        const int64_t *x = (const int64_t *)c->x + j;
        uint64_t sum = (uint64_t)c->cells[j].i;
        for (int64_t r = 0; r < c->rows; r++) sum += (uint64_t)x[r * c->stride];
        c->cells[j].i = (int64_t)sum;
    }
}

/* Planes: sum, count. */
void mill_nansum_columns_plain(const struct mill_columns *c)
{
    for (int64_t j = 0; j < c->width; j++) {
        const double *x = (const double *)c->x + j;
        union mill_cell *sum = c->cells + j, *count = sum + c->apart;
        for (int64_t r = 0; r < c->rows; r++) {
            double value = x[r * c->stride];
            sum->f += value == value ? value : 0;
            count->i += value == value;
        }
    }
}

/* ---- a block of a row -------------------------------------------------------------------- */

/* Fewer values than lanes: the lanes beyond a power of two are 0 and change nothing. */
static double total_few(const double *x, int64_t count)
{
    double sum[MILL_SUM_LANES] = {0};
    int lanes = 1;
    for (int64_t i = 0; i < count; i++) sum[i] += x[i];
    while (lanes < count) lanes *= 2;
    return mill_fold(sum, lanes);
}

static void total_sum(const void *x, int64_t count, int64_t position, union mill_cell *cells)
{
    (void)position;
    cells->f = count < MILL_SUM_LANES ? total_few(x, count)
                                      : mill_kernel_bodies()->sum_block(x, count, 0);
}

static void total_mean(const void *x, int64_t count, int64_t position, union mill_cell *cells)
{
    total_sum(x, count, position, cells);
    cells[1].i = count;
}

static void total_sum_int(const void *x, int64_t count, int64_t position,
                          union mill_cell *cells)
{
    (void)position;
    uint64_t sum = (uint64_t)mill_reduce_bodies()->sum_int(x, count);
    cells->i = (int64_t)((uint64_t)cells->i + sum);
}

static void total_prod(const void *x, int64_t count, int64_t position, union mill_cell *cells)
{
    (void)position;
    const double *values = x;
    double prod[MILL_SUM_LANES];
    for (int l = 0; l < MILL_SUM_LANES; l++) prod[l] = 1;
    int64_t i = 0;
    for (; i + MILL_SUM_LANES <= count; i += MILL_SUM_LANES)
        for (int l = 0; l < MILL_SUM_LANES; l++) prod[l] *= values[i + l];
    for (int l = 0; i + l < count; l++) prod[l] *= values[i + l];
    for (int half = MILL_SUM_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++) prod[l] *= prod[l + half];
    cells->f = prod[0];
}

static void total_prod_int(const void *x, int64_t count, int64_t position,
                           union mill_cell *cells)
{
    (void)position;
    const int64_t *values = x;
    uint64_t prod = (uint64_t)cells->i;
    for (int64_t i = 0; i < count; i++) prod *= (uint64_t)values[i];
    cells->i = (int64_t)prod;
}

/* ---- columns ----------------------------------------------------------------------------- */

static void total_sum_columns(const struct mill_columns *c)
{
    mill_reduce_bodies()->sum_columns(c);
}

static void total_sum_int_columns(const struct mill_columns *c)
{
    mill_reduce_bodies()->sum_int_columns(c);
}

static void total_nansum_columns(const struct mill_columns *c)
{
    mill_reduce_bodies()->nansum_columns(c);
}

static void total_prod_columns(const struct mill_columns *c)
{
    for (int64_t r = 0; r < c->rows; r++) {
        const double *x = (const double *)c->x + r * c->stride;
        for (int64_t j = 0; j < c->width; j++) c->cells[j].f *= x[j];
    }
}

static void total_nanprod_columns(const struct mill_columns *c)
{
    for (int64_t r = 0; r < c->rows; r++) {
        const double *x = (const double *)c->x + r * c->stride;
        for (int64_t j = 0; j < c->width; j++) c->cells[j].f *= x[j] == x[j] ? x[j] : 1;
    }
}

static void total_prod_int_columns(const struct mill_columns *c)
{
    for (int64_t r = 0; r < c->rows; r++) {
        const int64_t *x = (const int64_t *)c->x + r * c->stride;
        for (int64_t j = 0; j < c->width; j++)
            c->cells[j].i = (int64_t)((uint64_t)c->cells[j].i * (uint64_t)x[j]);
    }
}

static void total_seal_mean(union mill_cell *cells, int64_t apart, int64_t width, int64_t rows)
{
    for (int64_t j = 0; j < width; j++) cells[apart + j].i = rows;
}

/* ---- joins ------------------------------------------------------------------------------- */

static void total_join_sum(union mill_cell *left, int64_t left_apart,
                           const union mill_cell *right, int64_t right_apart, int64_t m)
{
    (void)left_apart, (void)right_apart;
    for (int64_t i = 0; i < m; i++) left[i].f += right[i].f;
}

static void total_join_mean(union mill_cell *left, int64_t left_apart,
                            const union mill_cell *right, int64_t right_apart, int64_t m)
{
    for (int64_t i = 0; i < m; i++) {
        left[i].f += right[i].f;
        left[left_apart + i].i += right[right_apart + i].i;
    }
}

static void total_join_sum_int(union mill_cell *left, int64_t left_apart,
                               const union mill_cell *right, int64_t right_apart, int64_t m)
{
    (void)left_apart, (void)right_apart;
    for (int64_t i = 0; i < m; i++)
        left[i].i = (int64_t)((uint64_t)left[i].i + (uint64_t)right[i].i);
}

static void total_join_prod(union mill_cell *left, int64_t left_apart,
                            const union mill_cell *right, int64_t right_apart, int64_t m)
{
    (void)left_apart, (void)right_apart;
    for (int64_t i = 0; i < m; i++) left[i].f *= right[i].f;
}

static void total_join_prod_int(union mill_cell *left, int64_t left_apart,
                                const union mill_cell *right, int64_t right_apart, int64_t m)
{
    (void)left_apart, (void)right_apart;
    for (int64_t i = 0; i < m; i++)
        left[i].i = (int64_t)((uint64_t)left[i].i * (uint64_t)right[i].i);
}

/* ---- kinds ------------------------------------------------------------------------------- */

static const struct mill_reduction total_float_sums[2] = {
    {.planes = 1,
     .floats = 1,
     .open = 1,
     .none = {{.f = 0}},
     .block = total_sum,
     .columns = total_sum_columns,
     .join = total_join_sum},
    {.planes = 1,
     .floats = 1,
     .open = 2,
     .skips = 1,
     .none = {{.f = 0}, {.i = 0}},
     .block = total_sum,
     .columns = total_nansum_columns,
     .join = total_join_sum},
};

static const struct mill_reduction total_means[2] = {
    {.planes = 2,
     .floats = 1,
     .open = 2,
     .none = {{.f = 0}, {.i = 0}},
     .block = total_mean,
     .columns = total_sum_columns,
     .seal = total_seal_mean,
     .join = total_join_mean},
    {.planes = 2,
     .floats = 1,
     .open = 2,
     .skips = 1,
     .none = {{.f = 0}, {.i = 0}},
     .block = total_mean,
     .columns = total_nansum_columns,
     .join = total_join_mean},
};

static const struct mill_reduction total_float_products[2] = {
    {.planes = 1,
     .floats = 1,
     .open = 1,
     .none = {{.f = 1}},
     .block = total_prod,
     .columns = total_prod_columns,
     .join = total_join_prod},
    {.planes = 1,
     .floats = 1,
     .open = 1,
     .skips = 1,
     .none = {{.f = 1}},
     .block = total_prod,
     .columns = total_nanprod_columns,
     .join = total_join_prod},
};

static const struct mill_reduction total_int_sum = {
    .value = MILL_VALUE_INT,
    .planes = 1,
    .open = 1,
    .running = 1,
    .none = {{.i = 0}},
    .block = total_sum_int,
    .columns = total_sum_int_columns,
    .join = total_join_sum_int,
};

static const struct mill_reduction total_int_product = {
    .value = MILL_VALUE_INT,
    .planes = 1,
    .open = 1,
    .running = 1,
    .none = {{.i = 1}},
    .block = total_prod_int,
    .columns = total_prod_int_columns,
    .join = total_join_prod_int,
};

const struct mill_reduction *mill_reduction_total(int32_t kind, int is_float, int skip_nan)
{
    switch (kind) {
    case TIDEMILL_REDUCE_SUM:
        return is_float ? &total_float_sums[skip_nan] : &total_int_sum;
    case TIDEMILL_REDUCE_PROD:
        return is_float ? &total_float_products[skip_nan] : &total_int_product;
    case TIDEMILL_REDUCE_MEAN:
        return &total_means[skip_nan];
    }
    return NULL;
}
