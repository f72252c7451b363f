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

/* Places [first, count) of out, which may be what a link reads.  The bits are those of the steps. */
typedef void mill_chain_body(const struct mill_chain *chain, double *out, int64_t first,
                             int64_t count);

mill_chain_body mill_chain_plain, mill_chain_avx2, mill_chain_avx512, mill_chain_neon;

mill_chain_body *mill_chain_find(void);

/* The kind of a link of this step that has its own operand at `with`, or of the first, with a NULL
 * step; `turned`: its operand comes first. */
struct mill_chain_link mill_chain_link_of(const struct tidemill_fuse_step *step, int turned,
                                          const double *with, int64_t each);

/* Marks each step of a program that can be done with the one before it as links of one chain: it
 * takes what that makes, as one operand, and nothing else does. */
void mill_chain_mark(const struct tidemill_fuse_program *program,
                     const struct tidemill_fuse_step *steps,
                     const struct tidemill_fuse_reduction *reductions, uint8_t *follows);

#endif
