/* blas: a library with BLAS and LAPACK, such as OpenBLAS: opened when it is first asked for, since
 * opening takes some 6 ms, and never for its threads: the engine brings those.
 * Routines are Fortran's: matrices by columns, arguments by address, and for each text its length
 * at the end.  Any thread may call them between mill_blas_enter and mill_blas_leave.  SPDX-License-Identifier: MIT */
#ifndef MILL_BLAS_H
#define MILL_BLAS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define MILL_BLAS_ROUTINES(name, real)                                                         \
    struct mill_blas_##name {                                                                  \
        void (*gemm)(const char *turn_a, const char *turn_b, const int *m, const int *n,       \
                     const int *k, const real *alpha, const real *a, const int *lda,           \
                     const real *b, const int *ldb, const real *beta, real *c, const int *ldc, \
                     size_t, size_t);                                                          \
        void (*gemv)(const char *turn, const int *m, const int *n, const real *alpha,          \
                     const real *a, const int *lda, const real *x, const int *step_x,          \
                     const real *beta, real *y, const int *step_y, size_t);                    \
        void (*syrk)(const char *triangle, const char *turn, const int *n, const int *k,       \
                     const real *alpha, const real *a, const int *lda, const real *beta,       \
                     real *c, const int *ldc, size_t, size_t);                                 \
        void (*trsm)(const char *side, const char *triangle, const char *turn,                 \
                     const char *diagonal, const int *m, const int *n, const real *alpha,      \
                     const real *a, const int *lda, real *b, const int *ldb, size_t, size_t,   \
                     size_t, size_t);                                                          \
        void (*potrf)(const char *triangle, const int *n, real *a, const int *lda, int *info,  \
                      size_t);                                                                 \
        void (*getrf)(const int *m, const int *n, real *a, const int *lda, int *pivots,        \
                      int *info);                                                              \
        void (*getrs)(const char *turn, const int *n, const int *columns, const real *a,       \
                      const int *lda, const int *pivots, real *b, const int *ldb, int *info,   \
                      size_t);                                                                 \
        void (*getri)(const int *n, real *a, const int *lda, const int *pivots, real *work,    \
                      const int *room, int *info);                                             \
        void (*gelqf)(const int *m, const int *n, real *a, const int *lda, real *tau,          \
                      real *work, const int *room, int *info);                                 \
        void (*orglq)(const int *m, const int *n, const int *k, real *a, const int *lda,       \
                      const real *tau, real *work, const int *room, int *info);                \
        void (*gesdd)(const char *job, const int *m, const int *n, real *a, const int *lda,    \
                      real *s, real *u, const int *ldu, real *vt, const int *ldvt, real *work, \
                      const int *room, int *whole_work, int *info, size_t);                    \
        void (*syevd)(const char *job, const char *triangle, const int *n, real *a,            \
                      const int *lda, real *w, real *work, const int *room, int *whole_work,   \
                      const int *whole_room, int *info, size_t, size_t);                       \
        void (*gelsd)(const int *m, const int *n, const int *columns, real *a, const int *lda, \
                      real *b, const int *ldb, real *s, const real *rcond, int *rank,          \
                      real *work, const int *room, int *whole_work, int *info);                \
    }
MILL_BLAS_ROUTINES(f64, double);
MILL_BLAS_ROUTINES(f32, float);

enum mill_blas_state {
    MILL_BLAS_UNTRIED,
    MILL_BLAS_THERE,
    MILL_BLAS_NONE,   /* there is none, or none is wanted */
    MILL_BLAS_FAILED, /* the one that was named cannot be used */
};

struct mill_blas {
    pthread_mutex_t mutex; /* held while it is opened */
    char *wish;            /* setting: "auto", "none", or a path; NULL: auto.  malloc'ed */
    _Atomic int state; /* an enum mill_blas_state; all that follows is fixed once it is set */
    struct mill_blas_f64 f64;
    struct mill_blas_f32 f32;
    char
        text[256]; /* THERE: its version and kernels in its own words; else why there is none */
    char path[1024];  /* THERE: the library's file, as far as that is known */
    bool is_openblas; /* the text tells all versions apart */
    bool alone;       /* one call at a time: built without threads and without locks */
};

void mill_blas_init(struct mill_blas *blas);

/* The library stays open: other engines of the process may use it. */
void mill_blas_fini(struct mill_blas *blas);

/* Opens it at the first call. */
enum mill_blas_state mill_blas_open(struct mill_blas *blas);

/* Around calls of an open one's routines.  A library that is not safe to call from several threads at
 * once, as Debian's serial OpenBLAS (its buffers are handed out without a lock), has one caller at a
 * time in the whole process. */
void mill_blas_enter(struct mill_blas *blas);
void mill_blas_leave(void);

#endif
