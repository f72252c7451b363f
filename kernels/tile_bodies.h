/* tile_bodies: the inner loop of matrix products, once per instruction set.
 * Private to kernels/.  Every element of c is a sum of its own, in the order that matrix.h
 * states, so that the shape of a tile shows in no bit.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_TILE_BODIES_H
#define MILL_TILE_BODIES_H

#include "kernels/bodies.h"

enum {
    MILL_TILE_DEPTH = 256, /* products that are summed before they are added to c */
    MILL_TILE_ROWS = 6,    /* of every tile */
    MILL_TILE_WIDEST = 32, /* columns of any tile divide this */
};

/* c[i * c_row + j] = alpha * sum + from[i * from_row + j] for a whole tile, where sum is that over
 * p < depth of a[p * MILL_TILE_ROWS + i] * b[p * columns + j].  from may be c. */
typedef void mill_tile_sums_f64(int64_t depth, double alpha, const double *a, const double *b,
                                const double *from, int64_t from_row, double *c, int64_t c_row);
typedef void mill_tile_sums_f32(int64_t depth, float alpha, const float *a, const float *b,
                                const float *from, int64_t from_row, float *c, int64_t c_row);

struct mill_tile_f64 {
    int columns;
    mill_tile_sums_f64 *sums;
};

struct mill_tile_f32 {
    int columns;
    mill_tile_sums_f32 *sums;
};

extern const struct mill_tile_f64 mill_tile_f64_avx2, mill_tile_f64_avx512, mill_tile_f64_neon;
extern const struct mill_tile_f32 mill_tile_f32_avx2, mill_tile_f32_avx512, mill_tile_f32_neon;

#endif
