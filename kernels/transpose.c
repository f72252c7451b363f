/* transpose: rows become columns, in tiles that stay in the first-level cache.
 * A tile goes through a small buffer: it is read by whole cache lines and written by whole ones,
 * also where rows stand a power of two apart and share a set of the cache.
 * SPDX-License-Identifier: MIT */
#include "kernels/bodies.h"
#include "kernels/matrix.h"

static int transpose_refused(int64_t rows, int64_t columns, int64_t stride, int64_t out_stride)
{
    return rows < 0 || columns < 0 || stride < columns || out_stride < rows;
}

/* SIDE elements are a cache line.  Tiles go down a band of columns, so that lines of the output
 * are written one after the other. */
#define TRANSPOSE(bytes, type, SIDE)                                                           \
    static void transpose_whole_##bytes(const type *x, int64_t stride, type *out,              \
                                        int64_t out_stride)                                    \
    {                                                                                          \
        type tile[SIDE][SIDE];                                                                 \
        for (int i = 0; i < SIDE; i++)                                                         \
            for (int j = 0; j < SIDE; j++) tile[j][i] = x[i * stride + j];                     \
        for (int j = 0; j < SIDE; j++)                                                         \
            __builtin_memcpy(out + j * out_stride, tile[j], sizeof tile[j]);                   \
    }                                                                                          \
    static void transpose_part_##bytes(const type *x, int64_t rows, int64_t columns,           \
                                       int64_t stride, type *out, int64_t out_stride)          \
    {                                                                                          \
        for (int64_t j = 0; j < columns; j++)                                                  \
            for (int64_t i = 0; i < rows; i++) out[j * out_stride + i] = x[i * stride + j];    \
    }                                                                                          \
    int64_t tidemill_kernel_transpose_##bytes(const void *from, int64_t rows, int64_t columns, \
                                              int64_t stride, void *to, int64_t out_stride)    \
    {                                                                                          \
        const type *x = from;                                                                  \
        type *out = to;                                                                        \
        if (transpose_refused(rows, columns, stride, out_stride)) return -1;                   \
        for (int64_t j = 0; j < columns; j += SIDE) {                                          \
            int64_t wide = mill_least(SIDE, columns - j), i = 0;                               \
            for (; wide == SIDE && i + SIDE <= rows; i += SIDE)                                \
                transpose_whole_##bytes(x + i * stride + j, stride, out + j * out_stride + i,  \
                                        out_stride);                                           \
            transpose_part_##bytes(x + i * stride + j, rows - i, wide, stride,                 \
                                   out + j * out_stride + i, out_stride);                      \
        }                                                                                      \
        return 0;                                                                              \
    }
TRANSPOSE(1, uint8_t, 16)
TRANSPOSE(4, uint32_t, 16)
TRANSPOSE(8, uint64_t, 8)
