/* fuse: a chain of elementwise operations over a box of elements, in one pass.
 * Read by C and by ffi.cdef; see kernels.h.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_FUSE_H
#define TIDEMILL_FUSE_H
#include <stdint.h>
#ifndef TIDEMILL_KERNEL
#define TIDEMILL_KERNEL __attribute__((visibility("default")))
#endif

/* A program computes some arrays, or reductions, of one box of elements from its leaves.  The
 * box is walked in row-major order, a block of at most 1,024 elements at a time, and each step
 * works on a block: what the steps pass to each other stays in the first-level cache, or in
 * registers, and no temporary of the box's size exists.  The values are those of the steps done
 * one after the other over whole arrays: the bits of tidemill_kernel_apply, _cast and _reduce.
 *
 * Operands are slots: the leaves first, then the registers, then the outputs that are stored,
 * from 0 in that order.  A program is one string of bytes: the struct below, then its leaves,
 * its steps and its reductions. */

enum {
    TIDEMILL_FUSE_AXES = 8,    /* at most, of a box */
    TIDEMILL_FUSE_SLOTS = 256, /* at most, in all */
    TIDEMILL_FUSE_CAST = 1000  /* an operation: from `type` to `to` */
};

enum tidemill_fuse_kind {
    TIDEMILL_FUSE_MEMORY = 1,   /* elements of an input, wherever its strides lead */
    TIDEMILL_FUSE_CONSTANT = 2, /* one value: `a`, or `offset` for integers and bool */
    TIDEMILL_FUSE_INDEX = 3,    /* a + b * position */
    TIDEMILL_FUSE_RANDOM = 4    /* element number `position` of a random stream */
};

/* The element at place (i, j, ..) of the box has the position
 * offset + i * stride[0] + j * stride[1] + .. */
struct tidemill_fuse_leaf {
    int32_t kind;
    int32_t type;
    int32_t input;        /* MEMORY: which input, from 0 */
    int32_t distribution; /* RANDOM: enum tidemill_distribution */
    int64_t offset;
    int64_t stride[8];
    uint64_t seed;
    uint64_t stream;
    double a;
    double b;
};

struct tidemill_fuse_step {
    int32_t op;    /* enum tidemill_op, or TIDEMILL_FUSE_CAST */
    int32_t type;  /* of the operands */
    int32_t to;    /* CAST: the type it makes */
    int32_t out;   /* slot of a register or an output */
    int32_t in[3]; /* slots; -1: none */
    int32_t unused;
};

struct tidemill_fuse_reduction {
    int32_t kind; /* enum tidemill_reduction */
    int32_t type;
    int32_t slot;
    int32_t unused;
    int64_t base; /* of positions */
};

struct tidemill_fuse_program {
    int32_t dimensions;
    int32_t leaves;
    int32_t steps;
    int32_t registers;
    int32_t outputs; /* stored arrays; the reductions' partial results come after them */
    int32_t reductions;
    int64_t shape[8];
    int64_t outer; /* how the reductions see the box: (outer, n, inner), n goes */
    int64_t n;
    int64_t inner;
    int32_t output_type[8]; /* of the stored arrays, at most eight */
};

/* 0 when a program of `size` bytes is sound and its memory leaves stay inside inputs of these
 * lengths (in elements of the leaf's type); else -1.  A box has at most 2^53 places, an empty
 * axis counted as one of them; positions are below 2^62 in size, those of random elements not
 * negative; integers of an INDEX and what leads to them are, too.  A CONSTANT is any, without
 * strides. */
TIDEMILL_KERNEL int64_t tidemill_kernel_fuse_check(const void *program, int64_t size,
                                                   const int64_t *lengths, int64_t inputs);

/* Bytes of scratch, which is to be aligned to 64. */
TIDEMILL_KERNEL int64_t tidemill_kernel_fuse_scratch(const void *program);

/* Runs a program that was checked.  outputs: row-major arrays of the box's shape, then the
 * partial results of the reductions (see reduce.h).  Returns 0, or for a cast that is refused
 * 1 + the place in the box (row-major) of the first element that does not fit: outputs are
 * then undefined. */
TIDEMILL_KERNEL int64_t tidemill_kernel_fuse(const void *program, const void *const *inputs,
                                             void *const *outputs, void *scratch);

#endif
