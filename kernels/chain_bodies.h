/* chain_bodies: arithmetic steps on float64 that follow one another, done in one pass: what a
 * step makes stays in registers for the next.  Private to kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CHAIN_BODIES_H
#define MILL_CHAIN_BODIES_H

#include "kernels/bodies.h"
#include "kernels/elementwise.h"
#include "kernels/fuse.h"

enum {
    MILL_CHAIN_LINKS = 4,      /* at least 2; link 0 is what the chain begins with */
    MILL_CHAIN_DISTANCE = 512, /* places ahead that memory is asked for */
};

/* What a link makes of the value a before it and its own b; with MILL_CHAIN_SHARED added, of a b
 * that all places share. */
enum mill_chain_kind {
    MILL_CHAIN_FIRST, /* b */
    MILL_CHAIN_ADD,   /* a + b */
    MILL_CHAIN_SUB,   /* a - b */
    MILL_CHAIN_MUL,   /* a * b */
    MILL_CHAIN_DIV,   /* a / b */
    MILL_CHAIN_FROM,  /* b - a */
    MILL_CHAIN_INTO,  /* b / a */
    MILL_CHAIN_SHARED
};

struct mill_chain_link {
    const double *with;
    int64_t each;  /* -1: with[place], 0: with[0] for all: place & each */
    int64_t ahead; /* places of `with` that exist and may be asked for; 0: it is near */
    int64_t kind;
};

struct mill_chain {
    int64_t links;
    struct mill_chain_link link[MILL_CHAIN_LINKS];
};

/* The chain from a place on. */
static inline struct mill_chain mill_chain_from(const struct mill_chain *chain, int64_t place)
{
    struct mill_chain from = *chain;
    for (int64_t k = 0; k < from.links; k++) from.link[k].with += place & from.link[k].each;
    return from;
}

/* Places [first, count) of out, which may be what a link reads.  The bits are those of the steps. */
typedef void mill_chain_body(const struct mill_chain *chain, double *out, int64_t first,
                             int64_t count);

mill_chain_body mill_chain_plain, mill_chain_avx2, mill_chain_avx512, mill_chain_neon;

/* The sums of two whole blocks of MILL_SUM_BLOCK values, added in the order of tidemill_kernel_sum:
 * *one of that at place `first`, *two of that `apart` places further on. */
typedef void mill_chain_sums_body(const struct mill_chain *chain, int64_t first, int64_t apart,
                                  double *one, double *two);

mill_chain_sums_body mill_chain_sums_plain, mill_chain_sums_avx2, mill_chain_sums_avx512,
    mill_chain_sums_neon;

mill_chain_body *mill_chain_find(void);
mill_chain_sums_body *mill_chain_sums_find(void);

/* The kind of a link of this step that has its own operand at `with`, or of the first, with a NULL
 * step; `turned`: its operand comes first. */
struct mill_chain_link mill_chain_link_of(const struct tidemill_fuse_step *step, int turned,
                                          const double *with, int64_t each);

/* Whether a chain may have this step. */
int mill_chain_takes(const struct tidemill_fuse_step *step);

/* Marks each step of a program that can be done with the one before it as links of one chain: it
 * takes what that makes, as one operand, and nothing else does. */
void mill_chain_mark(const struct tidemill_fuse_program *program,
                     const struct tidemill_fuse_step *steps,
                     const struct tidemill_fuse_reduction *reductions, uint8_t *follows);

#endif
