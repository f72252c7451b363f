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

/* Rows and columns of a block: their pages, read and written, stay known to the processor. */
enum { TRANSPOSE_BLOCK = 128 };

/* SIDE elements are a cache line, or for bytes a part of one; TRANSPOSE_BLOCK is a multiple. */
#define TRANSPOSE(bytes, type, SIDE)                                                           \
    static void transpose_tile_##bytes(const type *x, int64_t stride, type *out,               \
                                       int64_t out_stride)                                     \
    {                                                                                          \
        type tile[SIDE][SIDE];                                                                 \
        for (int i = 0; i < SIDE; i++)                                                         \
            for (int j = 0; j < SIDE; j++) tile[j][i] = x[i * stride + j];                     \
        for (int j = 0; j < SIDE; j++)                                                         \
            __builtin_memcpy(out + j * out_stride, tile[j], sizeof tile[j]);                   \
    }                                                                                          \
    static void transpose_rest_##bytes(const type *x, int64_t rows, int64_t columns,           \
                                       int64_t stride, type *out, int64_t out_stride)          \
    {                                                                                          \
        for (int64_t j = 0; j < columns; j++)                                                  \
            for (int64_t i = 0; i < rows; i++) out[j * out_stride + i] = x[i * stride + j];    \
    }                                                                                          \
    static void transpose_block_##bytes(const type *x, int64_t rows, int64_t columns,          \
                                        int64_t stride, type *out, int64_t out_stride)         \
    {                                                                                          \
        int64_t high = rows - rows % SIDE, wide = columns - columns % SIDE;                    \
        for (int64_t j = 0; j < wide; j += SIDE)                                               \
            for (int64_t i = 0; i < high; i += SIDE)                                           \
                transpose_tile_##bytes(x + i * stride + j, stride, out + j * out_stride + i,   \
                                       out_stride);                                            \
        transpose_rest_##bytes(x + high * stride, rows - high, columns, stride, out + high,    \
                               out_stride);                                                    \
        transpose_rest_##bytes(x + wide, high, columns - wide, stride,                         \
                               out + wide * out_stride, out_stride);                           \
    }                                                                                          \
    int64_t tidemill_kernel_transpose_##bytes(const void *from, int64_t rows, int64_t columns, \
                                              int64_t stride, void *to, int64_t out_stride)    \
    {                                                                                          \
        const type *x = from;                                                                  \
        type *out = to;                                                                        \
        if (transpose_refused(rows, columns, stride, out_stride)) return -1;                   \
        for (int64_t j = 0; j < columns; j += TRANSPOSE_BLOCK)                                 \
            for (int64_t i = 0; i < rows; i += TRANSPOSE_BLOCK)                                \
                transpose_block_##bytes(x + i * stride + j,                                    \
                                        mill_least(TRANSPOSE_BLOCK, rows - i),                 \
                                        mill_least(TRANSPOSE_BLOCK, columns - j), stride,      \
                                        out + j * out_stride + i, out_stride);                 \
        return 0;                                                                              \
    }
TRANSPOSE(1, uint8_t, 16)
TRANSPOSE(4, uint32_t, 16)
TRANSPOSE(8, uint64_t, 8)
#undef TRANSPOSE
