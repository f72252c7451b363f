/* linear_bodies: BLAS and LAPACK of one element type, for bind/linear.c, which says which: REAL,
 * LINEAR(name) for what is made of it, LIBRARY and ROUTINES for its routines, TURN for the kernel that
 * transposes.
 * LAPACK is asked for the size of its work space first.  SPDX-License-Identifier: MIT */

/* 0 and the routines, or why they cannot be called for these sizes.  The routines, once there, are
 * HELD: entered, and left at the end of the scope. */
static int LINEAR(begin_linear)(struct tidemill *engine, const LIBRARY **routines, int64_t a,
                                int64_t b, int64_t c, int64_t d)
{
    if (mill_blas_open(&engine->blas) != MILL_BLAS_THERE) return MILL_LINEAR_NO_BLAS;
    mill_blas_enter(&engine->blas);
    *routines = &engine->blas.ROUTINES;
    return fits_int(a, b, c, d) ? 0 : MILL_LINEAR_TOO_LARGE;
}

/* ---- BLAS --------------------------------------------------------------------------------- */

int LINEAR(tidemill__blas_gemm)(struct tidemill *engine, int64_t m, int64_t n, int64_t k,
                                REAL alpha, const REAL *a, int64_t lda, bool turn_a,
                                const REAL *b, int64_t ldb, bool turn_b, REAL beta, REAL *c,
                                int64_t ldc)
{
    HELD const LIBRARY *blas = NULL;
    int status = LINEAR(begin_linear)(engine, &blas, m, n, k, ldc);
    if (status == 0 && !fits_int(lda, ldb, 0, 0)) status = MILL_LINEAR_TOO_LARGE;
    if (status != 0 || m == 0 || n == 0) return status;
    int rows = (int)m, columns = (int)n, depth = (int)k;
    int apart_a = distance_of(lda), apart_b = distance_of(ldb), apart_c = distance_of(ldc);
    blas->gemm(turn_b ? "T" : "N", turn_a ? "T" : "N", &columns, &rows, &depth, &alpha, b,
               &apart_b, a, &apart_a, &beta, c, &apart_c, 1, 1);
    return 0;
}

int LINEAR(tidemill__blas_gemv)(struct tidemill *engine, int64_t m, int64_t n, const REAL *a,
                                int64_t lda, bool turn, const REAL *x, REAL *y)
{
    HELD const LIBRARY *blas = NULL;
    int status = LINEAR(begin_linear)(engine, &blas, m, n, lda, 0);
    if (status != 0 || m == 0) return status;
    int high = (int)(turn ? m : n), wide = (int)(turn ? n : m), apart = distance_of(lda);
    const REAL whole = 1, nothing = 0;
    memset(y, 0, (size_t)m * sizeof *y); /* 0 times what was there may be NaN */
    if (n == 0) return 0;
    blas->gemv(turn ? "N" : "T", &high, &wide, &whole, a, &apart, x, &linear_one, &nothing, y,
               &linear_one, 1);
    return 0;
}

/* Writes the triangle below the diagonal as the one above it is. */
static void LINEAR(mirror_triangle)(REAL *c, int64_t n, int64_t ldc)
{
    enum { SIDE = 128 };
    for (int64_t i = 0; i < n; i += SIDE) {
        int64_t high = n - i < SIDE ? n - i : SIDE, rest = i + high;
        for (int64_t y = i; y < rest; y++)
            for (int64_t x = y + 1; x < rest; x++) c[x * ldc + y] = c[y * ldc + x];
        TURN(c + i * ldc + rest, high, n - rest, ldc, c + rest * ldc + i, ldc);
    }
}

int LINEAR(tidemill__blas_syrk)(struct tidemill *engine, int64_t n, int64_t k, const REAL *a,
                                int64_t lda, REAL *c, int64_t ldc)
{
    HELD const LIBRARY *blas = NULL;
    int status = LINEAR(begin_linear)(engine, &blas, n, k, lda, ldc);
    if (status != 0 || n == 0) return status;
    int side = (int)n, depth = (int)k, apart = distance_of(lda), apart_c = distance_of(ldc);
    const REAL whole = 1, nothing = 0;
    blas->syrk("L", "T", &side, &depth, &whole, a, &apart, &nothing, c, &apart_c, 1, 1);
    LINEAR(mirror_triangle)(c, n, ldc);
    return 0;
}

int LINEAR(tidemill__blas_trsm)(struct tidemill *engine, int64_t n, int64_t m, const REAL *t,
                                int64_t ldt, bool upper, bool turn, bool unit, REAL *b,
                                int64_t ldb)
{
    HELD const LIBRARY *blas = NULL;
    int status = LINEAR(begin_linear)(engine, &blas, n, m, ldt, ldb);
    if (status != 0 || n == 0 || m == 0) return status;
    int side = (int)n, columns = (int)m, apart = distance_of(ldt), apart_b = distance_of(ldb);
    const REAL whole = 1;
    /* The triangle that is meant is that of t as stored. */
    blas->trsm("R", upper ? "L" : "U", turn ? "T" : "N", unit ? "U" : "N", &columns, &side,
               &whole, t, &apart, b, &apart_b, 1, 1, 1, 1);
    return 0;
}

/* ---- systems of equations ----------------------------------------------------------------- */

int LINEAR(tidemill__blas_cholesky)(struct tidemill *engine, int64_t n, REAL *a)
{
    HELD const LIBRARY *blas = NULL;
    int status = LINEAR(begin_linear)(engine, &blas, n, 0, 0, 0), side = (int)n;
    if (status != 0 || n == 0) return status;
    blas->potrf("U", &side, a, &side, &status, 1);
    for (int64_t i = 0; i < n && status == 0; i++)
        for (int64_t j = i + 1; j < n; j++) a[i * n + j] = 0;
    return status;
}

int LINEAR(tidemill__blas_solve)(struct tidemill *engine, int64_t n, int64_t m, const REAL *a,
                                 REAL *b)
{
    HELD const LIBRARY *blas = NULL;
    struct linear_room room;
    int status = LINEAR(begin_linear)(engine, &blas, n, m, 0, 0), side = (int)n,
        columns = (int)m;
    if (status != 0 || n == 0) return status;
    size_t size_a = (size_t)(n * n) * sizeof *a, size_b = (size_t)(n * m) * sizeof *b;
    if (!take_room(engine, &room, size_a + size_b + (size_t)n * sizeof(int)))
        return MILL_LINEAR_MEMORY;
    REAL *left = part_of_room(&room, size_a), *right = part_of_room(&room, size_b);
    int *pivots = part_of_room(&room, (size_t)n * sizeof(int));
    TURN(a, n, n, n, left, n);
    TURN(b, n, m, m, right, n);
    blas->getrf(&side, &side, left, &side, pivots, &status);
    if (status == 0) {
        blas->getrs("N", &side, &columns, left, &side, pivots, right, &side, &status, 1);
        TURN(right, m, n, n, b, m);
    }
    mill_buffer_unref(room.buffer);
    return status;
}

int LINEAR(tidemill__blas_lu)(struct tidemill *engine, int64_t n, REAL *a, int32_t *pivots)
{
    HELD const LIBRARY *blas = NULL;
    int status = LINEAR(begin_linear)(engine, &blas, n, 0, 0, 0), side = (int)n;
    if (status == 0 && n > 0) blas->getrf(&side, &side, a, &side, pivots, &status);
    return status;
}

int LINEAR(tidemill__blas_inv)(struct tidemill *engine, int64_t n, REAL *a)
{
    HELD const LIBRARY *blas = NULL;
    struct linear_room room;
    int status = LINEAR(begin_linear)(engine, &blas, n, 0, 0, 0), side = (int)n, info = 0;
    if (status != 0 || n == 0) return status;
    REAL answer = 0;
    blas->getri(&side, a, &side, &info, &answer, &linear_ask, &info);
    int size = asked_room((double)answer);
    if (size < 0) return MILL_LINEAR_TOO_LARGE;
    if (!take_room(engine, &room, (size_t)size * sizeof *a + (size_t)n * sizeof(int)))
        return MILL_LINEAR_MEMORY;
    REAL *work = part_of_room(&room, (size_t)size * sizeof *a);
    int *pivots = part_of_room(&room, (size_t)n * sizeof(int));
    blas->getrf(&side, &side, a, &side, pivots, &status);
    if (status == 0) blas->getri(&side, a, &side, pivots, work, &size, &status);
    mill_buffer_unref(room.buffer);
    return status;
}

/* ---- factors ------------------------------------------------------------------------------ */

/* To Fortran a is the transposed one, n x m: its L Q are r and q transposed. */
int LINEAR(tidemill__blas_qr)(struct tidemill *engine, int64_t m, int64_t n, REAL *a, REAL *q,
                              REAL *r)
{
    HELD const LIBRARY *blas = NULL;
    struct linear_room room;
    int status = LINEAR(begin_linear)(engine, &blas, m, n, 0, 0), high = (int)n, wide = (int)m;
    if (status != 0 || m == 0 || n == 0) return status;
    int64_t k = m < n ? m : n;
    int least = (int)k, info;
    REAL answer[2] = {0, 0};
    blas->gelqf(&high, &wide, a, &high, q, &answer[0], &linear_ask, &info);
    blas->orglq(&least, &wide, &least, a, &high, q, &answer[1], &linear_ask, &info);
    int size = asked_room((double)(answer[0] > answer[1] ? answer[0] : answer[1]));
    if (size < 0) return MILL_LINEAR_TOO_LARGE;
    if (!take_room(engine, &room, (size_t)(size + k) * sizeof *a)) return MILL_LINEAR_MEMORY;
    REAL *tau = part_of_room(&room, (size_t)k * sizeof *a);
    REAL *work = part_of_room(&room, (size_t)size * sizeof *a);
    blas->gelqf(&high, &wide, a, &high, tau, work, &size, &status);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < n; j++) r[i * n + j] = j < i ? 0 : a[i * n + j];
    if (status == 0) blas->orglq(&least, &wide, &least, a, &high, tau, work, &size, &status);
    for (int64_t i = 0; i < m; i++) memcpy(q + i * k, a + i * n, (size_t)k * sizeof *a);
    mill_buffer_unref(room.buffer);
    return status;
}

/* The transposed one has the same values, and the vectors of the one are the other's. */
int LINEAR(tidemill__blas_svd)(struct tidemill *engine, int64_t m, int64_t n, REAL *a, REAL *u,
                               REAL *s, REAL *vt)
{
    HELD const LIBRARY *blas = NULL;
    struct linear_room room;
    int status = LINEAR(begin_linear)(engine, &blas, m, n, 0, 0), high = (int)n, wide = (int)m;
    if (status != 0 || m == 0 || n == 0) return status;
    size_t k = (size_t)(m < n ? m : n);
    int apart_u = u ? high : 1, apart_vt = u ? (int)k : 1, whole = 0;
    const char *job = u ? "S" : "N";
    REAL answer = 0;
    blas->gesdd(job, &high, &wide, a, &high, s, vt, &apart_u, u, &apart_vt, &answer,
                &linear_ask, &whole, &status, 1);
    int size = asked_room((double)answer);
    if (size < 0) return MILL_LINEAR_TOO_LARGE;
    if (!take_room(engine, &room, (size_t)size * sizeof *a + 8 * k * sizeof(int)))
        return MILL_LINEAR_MEMORY;
    REAL *work = part_of_room(&room, (size_t)size * sizeof *a);
    int *whole_work = part_of_room(&room, 8 * k * sizeof(int));
    blas->gesdd(job, &high, &wide, a, &high, s, vt, &apart_u, u, &apart_vt, work, &size,
                whole_work, &status, 1);
    mill_buffer_unref(room.buffer);
    return status;
}

int LINEAR(tidemill__blas_eigh)(struct tidemill *engine, int64_t n, REAL *a, REAL *w)
{
    HELD const LIBRARY *blas = NULL;
    struct linear_room room;
    int status = LINEAR(begin_linear)(engine, &blas, n, 0, 0, 0), side = (int)n;
    if (status != 0 || n == 0) return status;
    REAL answer = 0;
    int whole_size = 0;
    blas->syevd("V", "U", &side, a, &side, w, &answer, &linear_ask, &whole_size, &linear_ask,
                &status, 1, 1);
    int size = asked_room((double)answer);
    if (size < 0) return MILL_LINEAR_TOO_LARGE;
    size_t whole_bytes = (size_t)whole_size * sizeof(int);
    if (!take_room(engine, &room, (size_t)size * sizeof *a + whole_bytes))
        return MILL_LINEAR_MEMORY;
    REAL *work = part_of_room(&room, (size_t)size * sizeof *a);
    int *whole_work = part_of_room(&room, whole_bytes);
    blas->syevd("V", "U", &side, a, &side, w, work, &size, whole_work, &whole_size, &status, 1,
                1);
    mill_buffer_unref(room.buffer);
    return status;
}

int LINEAR(tidemill__blas_lstsq)(struct tidemill *engine, int64_t m, int64_t n, int64_t columns,
                                 const REAL *a, const REAL *b, REAL *x, REAL *s, REAL rcond,
                                 int32_t *rank)
{
    HELD const LIBRARY *blas = NULL;
    struct linear_room room;
    int status = LINEAR(begin_linear)(engine, &blas, m, n, columns, 0), high = (int)m,
        wide = (int)n;
    if (status != 0 || m == 0 || n == 0) return status;
    int64_t most = m > n ? m : n;
    int apart = (int)most, sides = (int)columns, whole_size = 0;
    REAL answer = 0;
    blas->gelsd(&high, &wide, &sides, x, &high, x, &apart, s, &rcond, rank, &answer,
                &linear_ask, &whole_size, &status);
    int size = asked_room((double)answer);
    if (size < 0) return MILL_LINEAR_TOO_LARGE;
    size_t size_a = (size_t)(m * n) * sizeof *a, size_b = (size_t)(most * columns) * sizeof *b;
    size_t work_bytes = (size_t)size * sizeof *a,
           whole_bytes = (size_t)whole_size * sizeof(int);
    if (!take_room(engine, &room, size_a + size_b + work_bytes + whole_bytes))
        return MILL_LINEAR_MEMORY;
    REAL *left = part_of_room(&room, size_a), *right = part_of_room(&room, size_b);
    REAL *work = part_of_room(&room, work_bytes);
    int *whole_work = part_of_room(&room, whole_bytes);
    TURN(a, m, n, n, left, m);
    TURN(b, m, columns, columns, right, most);
    blas->gelsd(&high, &wide, &sides, left, &high, right, &apart, s, &rcond, rank, work, &size,
                whole_work, &status);
    TURN(right, columns, n, most, x, columns);
    mill_buffer_unref(room.buffer);
    return status;
}
