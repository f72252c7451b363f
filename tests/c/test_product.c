/* test_product: products, transposing, triangles and covariance, to the bit and against long double.
 * SPDX-License-Identifier: MIT */
#include <stdbool.h>

#include "kernel_check.h"
#include "kernels/matrix.h"

/* Numbers of both signs, now and then a zero. */
static double *made_up(int64_t n)
{
    double *x = exact_doubles(n);
    for (int64_t i = 0; i < n; i++) x[i] = random_below(9) ? 2 * random_unit() - 1 : 0;
    return x;
}

static float *as_floats(const double *x, int64_t n)
{
    float *out = exact_copy(NULL, (size_t)n * sizeof *out);
    for (int64_t i = 0; i < n; i++) out[i] = (float)x[i];
    return out;
}

/* ---- products ---------------------------------------------------------------------------- */

/* Whether this machine multiplies and adds in one instruction, as kernels/product.c sees it. */
static bool fuses(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("fma");
#elif defined(__aarch64__) || defined(__FP_FAST_FMA)
    return true;
#else
    return false;
#endif
}

static double step_f64(double x, double y, double z)
{
    return fuses() ? fma(x, y, z) : x * y + z;
}

static float step_f32(float x, float y, float z)
{
    return fuses() ? fmaf(x, y, z) : x * y + z;
}

/* The order of additions as matrix.h states it. */
#define ORACLE(name, real)                                                                     \
    static real oracle_##name(int64_t k, real alpha, const real *a, int64_t a_column,          \
                              const real *b, int64_t b_row, real beta, real c)                 \
    {                                                                                          \
        real total = beta == 0 ? 0 : beta * c;                                                 \
        for (int64_t block = 0; block < k; block += 256) {                                     \
            real sum = 0;                                                                      \
            for (int64_t p = block; p < k && p < block + 256; p++)                             \
                sum = step_##name(a[p * a_column], b[p * b_row], sum);                         \
            total = step_##name(alpha, sum, total);                                            \
        }                                                                                      \
        return isnan(total) ? (real)NAN : total;                                               \
    }
ORACLE(f64, double)
ORACLE(f32, float)

struct shape {
    int64_t m, n, k;
    int turned; /* 1: a is stored transposed, 2: b */
    double alpha, beta;
};

static int64_t end_of(int64_t rows, int64_t apart, int64_t columns)
{
    return rows > 0 ? (rows - 1) * apart + columns : 0;
}

#define CHECK_PRODUCT(name, real, convert)                                                     \
    static void check_##name(struct shape s)                                                   \
    {                                                                                          \
        int64_t lda = (s.turned & 1 ? s.m : s.k) + random_below(3);                            \
        int64_t ldb = (s.turned & 2 ? s.k : s.n) + random_below(3), ldc = s.n;                 \
        int64_t size_a = s.turned & 1 ? end_of(s.k, lda, s.m) : end_of(s.m, lda, s.k);         \
        int64_t size_b = s.turned & 2 ? end_of(s.n, ldb, s.k) : end_of(s.k, ldb, s.n);         \
        int64_t ar = s.turned & 1 ? 1 : lda, ac = s.turned & 1 ? lda : 1;                      \
        int64_t br = s.turned & 2 ? 1 : ldb, bc = s.turned & 2 ? ldb : 1;                      \
        double *from_a = made_up(size_a), *from_b = made_up(size_b);                           \
        double *from_c = made_up(s.m * s.n);                                                   \
        real *a = convert(from_a, size_a), *b = convert(from_b, size_b);                       \
        real *before = convert(from_c, s.m * s.n);                                             \
        int64_t room = tidemill_kernel_matmul_scratch(s.m, s.n, s.k);                          \
        real *scratch = exact_copy(NULL, (size_t)room * sizeof *scratch);                      \
        EACH_SET(set)                                                                          \
        {                                                                                      \
            real *c = exact_copy(before, (size_t)(s.m * s.n) * sizeof *c);                     \
            CHECK(tidemill_kernel_matmul_##name(s.m, s.n, s.k, (real)s.alpha, a, ar, ac, b,    \
                                                br, bc, (real)s.beta, c, ldc, scratch) == 0);  \
            for (int64_t i = 0; i < s.m; i++)                                                  \
                for (int64_t j = 0; j < s.n; j++) {                                            \
                    real expected =                                                            \
                        oracle_##name(s.k, (real)s.alpha, a + i * ar, ac, b + j * bc, br,      \
                                      (real)s.beta, before[i * s.n + j]);                      \
                    CHECK_SAYING(memcmp(&c[i * s.n + j], &expected, sizeof expected) == 0,     \
                                 "%s %d x %d x %d (%d, %d): %.17g, not %.17g",                 \
                                 kernel_sets[set], (int)s.m, (int)s.n, (int)s.k, (int)i,       \
                                 (int)j, (double)c[i * s.n + j], (double)expected);            \
                }                                                                              \
            free(c);                                                                           \
        }                                                                                      \
        free(from_a), free(from_b), free(from_c), free(scratch);                               \
        free(a), free(b), free(before);                                                        \
    }

static double *as_doubles(const double *x, int64_t n)
{
    return exact_copy(x, (size_t)n * sizeof *x);
}
CHECK_PRODUCT(f64, double, as_doubles)
CHECK_PRODUCT(f32, float, as_floats)

static void check_shape(int64_t m, int64_t n, int64_t k)
{
    static const double factors[] = {1, 0, -0.75, 1, 3};
    struct shape shape = {
        m, n, k, (int)random_below(4), factors[random_below(5)], factors[random_below(5)]};
    check_f64(shape);
    check_f32(shape);
}

static void every_shape_of_a_product_has_the_stated_bits(void)
{
    for (int64_t n = 0; n <= 257; n++) check_shape(random_below(9), n, random_below(9));
    for (int64_t n = 0; n <= 257; n++) check_shape(n, random_below(20), random_below(9));
    for (int64_t n = 0; n <= 257; n++) check_shape(random_below(9), random_below(35), n);
    for (int64_t m = 1; m <= 14; m++)
        for (int64_t n = 1; n <= 34; n += 3) check_shape(m, n, 5);
    check_shape(97, 33, 513);
    check_shape(3, 1025, 7);
    check_shape(200, 70, 300);
}

#define CHECK_SYRK(name, real, convert)                                                        \
    static void check_syrk_##name(int64_t n, int64_t k, int turned, real beta)                 \
    {                                                                                          \
        int64_t ldc = n + random_below(3), size = n * k, end = end_of(n, ldc, n);              \
        int64_t row = turned ? 1 : k, column = turned ? n : 1;                                 \
        double *from_a = made_up(size), *from_c = made_up(end);                                \
        real *a = convert(from_a, size), *before = convert(from_c, end);                       \
        int64_t room = tidemill_kernel_matmul_scratch(n, n, k);                                \
        real *scratch = exact_copy(NULL, (size_t)room * sizeof *scratch);                      \
        EACH_SET(set)                                                                          \
        {                                                                                      \
            real *c = exact_copy(before, (size_t)end * sizeof *c);                             \
            real *whole = exact_copy(before, (size_t)end * sizeof *c);                         \
            CHECK(tidemill_kernel_syrk_##name(n, k, a, row, column, beta, c, ldc, scratch) ==  \
                  0);                                                                          \
            tidemill_kernel_matmul_##name(n, n, k, 1, a, row, column, a, column, row, beta,    \
                                          whole, ldc, scratch);                                \
            for (int64_t i = 0; i < n; i++)                                                    \
                for (int64_t j = 0; j < n; j++) {                                              \
                    int64_t same = i < j ? i * ldc + j : j * ldc + i;                          \
                    CHECK_SAYING(memcmp(&c[i * ldc + j], &whole[same], sizeof *c) == 0,        \
                                 "%s %d x %d (%d, %d): %.17g, not %.17g", kernel_sets[set],    \
                                 (int)n, (int)k, (int)i, (int)j, (double)c[i * ldc + j],       \
                                 (double)whole[same]);                                         \
                }                                                                              \
            for (int64_t i = 0; i + 1 < n; i++) /* what lies between the rows */               \
                CHECK(same_bytes(c + i * ldc + n, before + i * ldc + n,                        \
                                 (size_t)(ldc - n) * sizeof *c));                              \
            free(c), free(whole);                                                              \
        }                                                                                      \
        free(from_a), free(from_c), free(a), free(before), free(scratch);                      \
    }

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}
CHECK_SYRK(f64, double, as_doubles)
CHECK_SYRK(f32, float, as_floats)

static void a_product_with_itself_has_the_bits_of_the_product_and_is_symmetric(void)
{
    static const int64_t sizes[] = {0, 1, 2, 5, 6, 7, 31, 33, 95, 97, 130};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int turned = 0; turned < 2; turned++) {
            check_syrk_f64(sizes[i], random_below(9), turned, 0);
            check_syrk_f32(sizes[i], random_below(300), turned, -0.75f);
            check_syrk_f64(sizes[i], random_below(300), turned, 1);
        }
    }
    check_syrk_f64(1030, 2, 0, 0); /* more than one panel of columns */
}

/* (1 + e)(1 - e) - 1 is -e^2, or 0 when the product is rounded to 1 first: as a sum of two products,
 * and as what is added to c. */
#define CHECK_ONE_ROUNDING(name, real, e)                                                      \
    static void check_one_rounding_##name(void)                                                \
    {                                                                                          \
        enum { M = 13, N = 35 };                                                               \
        const real small = (real)(e), factor = 1 + small, left = fuses() ? -small * small : 0; \
        const real row[] = {-1, factor}, one = 1;                                              \
        real columns[2 * N], c[M * N], scratch[4096];                                          \
        CHECK(tidemill_kernel_matmul_scratch(M, N, 2) <= 4096);                                \
        for (int j = 0; j < N; j++) columns[j] = 1, columns[N + j] = 1 - small;                \
        EACH_SET(set)                                                                          \
        {                                                                                      \
            tidemill_kernel_matmul_##name(M, N, 2, 1, row, 0, 1, columns, N, 1, 0, c, N,       \
                                          scratch);                                            \
            for (int i = 0; i < M * N; i++)                                                    \
                CHECK_SAYING(c[i] == left, "%s: %g, not %g", kernel_sets[set], (double)c[i],   \
                             (double)left);                                                    \
            for (int i = 0; i < M * N; i++) c[i] = -1;                                         \
            tidemill_kernel_matmul_##name(M, N, 1, factor, &one, 0, 1, columns + N, N, 1, 1,   \
                                          c, N, scratch);                                      \
            for (int i = 0; i < M * N; i++)                                                    \
                CHECK_SAYING(c[i] == left, "%s: %g, not %g, by alpha", kernel_sets[set],       \
                             (double)c[i], (double)left);                                      \
        }                                                                                      \
    }
CHECK_ONE_ROUNDING(f64, double, 0x1p-30)
CHECK_ONE_ROUNDING(f32, float, 0x1p-14)

static void a_product_and_its_addition_are_rounded_once(void)
{
    if (!fuses()) printf("note: this processor multiplies and adds apart\n");
    check_one_rounding_f64();
    check_one_rounding_f32();
}

/* The error of a sum of k products, each step rounded once, is at most k u / (1 - k u) of the sum of
 * their sizes: of blocks of 256 still less. */
static void a_product_is_as_near_as_its_roundings_allow(void)
{
    enum { M = 7, N = 9 };
    for (int round = 0; round < 20; round++) {
        int64_t k = 1 + random_below(2000);
        double *a = made_up(M * k), *b = made_up(k * N), c[M * N];
        int64_t room = tidemill_kernel_matmul_scratch(M, N, k);
        double *scratch = exact_doubles(room);
        tidemill_kernel_matmul_f64(M, N, k, 1, a, k, 1, b, N, 1, 0, c, N, scratch);
        for (int i = 0; i < M * N; i++) {
            long double sum = 0, size = 0;
            for (int64_t p = 0; p < k; p++) {
                long double product = (long double)a[i / N * k + p] * b[p * N + i % N];
                sum += product;
                size += fabsl(product);
            }
            double steps = (double)(k < 256 ? k : 256 + k / 256) + (fuses() ? 1 : 2);
            CHECK(fabsl(c[i] - sum) <= steps * 0x1p-53L * size);
        }
        free(a), free(b), free(scratch);
    }
}

static void a_nan_spoils_its_row_and_its_column_alone(void)
{
    double a[7 * 9], b[9 * 11], c[7 * 11], scratch[4096], nan = NAN, infinity = -INFINITY;
    CHECK(tidemill_kernel_matmul_scratch(7, 11, 9) <= 4096);
    EACH_SET(set)
    {
        for (int i = 0; i < 7 * 9; i++) a[i] = random_unit();
        for (int i = 0; i < 9 * 11; i++) b[i] = random_unit();
        a[2 * 9 + 4] = -NAN;
        b[5 * 11 + 3] = -INFINITY;
        a[0 * 9 + 5] = 0;
        CHECK(tidemill_kernel_matmul_f64(7, 11, 9, 1, a, 9, 1, b, 11, 1, 0, c, 11, scratch) ==
              0);
        for (int i = 0; i < 7; i++)
            for (int j = 0; j < 11; j++) {
                const double *got = &c[i * 11 + j];
                if (i == 2 || (i == 0 && j == 3))
                    CHECK(same_bits(got, &nan, 1));
                else if (j == 3)
                    CHECK(same_bits(got, &infinity, 1));
                else
                    CHECK(isfinite(*got));
            }
    }
}

static void what_beta_0_finds_is_not_read(void)
{
    double a = 2, b = 3, c = NAN, scratch[64];
    CHECK(tidemill_kernel_matmul_scratch(1, 1, 1) <= 64);
    CHECK(tidemill_kernel_matmul_f64(1, 1, 1, 1, &a, 1, 1, &b, 1, 1, 0, &c, 1, scratch) == 0);
    CHECK(c == 6);
    c = NAN;
    CHECK(tidemill_kernel_matmul_f64(1, 1, 0, 1, &a, 1, 1, &b, 1, 1, 0, &c, 1, scratch) == 0);
    CHECK(c == 0);
}

static void a_product_refuses_what_makes_no_sense(void)
{
    double x[4] = {1, 2, 3, 4}, c = 42, scratch[64];
    CHECK(tidemill_kernel_matmul_f64(-1, 1, 1, 1, x, 1, 1, x, 1, 1, 0, &c, 1, scratch) == -1);
    CHECK(tidemill_kernel_matmul_f64(1, 2, 1, 1, x, 1, 1, x, 2, 1, 0, &c, 1, scratch) == -1);
    CHECK(tidemill_kernel_matmul_scratch(1, -1, 1) == -1);
    CHECK(c == 42);
}

static void outer_products_are_those_of_pairs(void)
{
    for (int64_t m = 0; m < 20; m++) {
        int64_t n = random_below(20);
        double *a = made_up(m), *b = made_up(n), *out = exact_doubles(m * n);
        float *fa = as_floats(a, m), *fb = as_floats(b, n), *fout = as_floats(out, m * n);
        tidemill_kernel_outer_f64(a, m, b, n, out);
        tidemill_kernel_outer_f32(fa, m, fb, n, fout);
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                CHECK(out[i * n + j] == a[i] * b[j]);
                CHECK(fout[i * n + j] == fa[i] * fb[j]);
            }
        free(a), free(b), free(out), free(fa), free(fb), free(fout);
    }
}

static void dot_products_have_the_stated_order(void)
{
    for (int64_t n = 0; n < 1300; n += n < 258 ? 1 : 97) {
        double *a = made_up(n), *b = made_up(n), sums[2] = {0, 0};
        float *fa = as_floats(a, n), *fb = as_floats(b, n);
        for (int64_t block = 0; block < n; block += 1024) {
            double lanes[2][8] = {{0}};
            for (int64_t i = block; i < n && i < block + 1024; i++) {
                lanes[0][(i - block) % 8] += a[i] * b[i];
                lanes[1][(i - block) % 8] += (double)fa[i] * fb[i];
            }
            for (int half = 4; half; half /= 2)
                for (int l = 0; l < half; l++) {
                    lanes[0][l] += lanes[0][l + half];
                    lanes[1][l] += lanes[1][l + half];
                }
            sums[0] += lanes[0][0];
            sums[1] += lanes[1][0];
        }
        EACH_SET(set)
        {
            double got[2] = {tidemill_kernel_dot_f64(a, b, n),
                             tidemill_kernel_dot_f32(fa, fb, n)};
            CHECK_SAYING(same_bits(got, sums, 2), "%s, %d", kernel_sets[set], (int)n);
        }
        free(a), free(b), free(fa), free(fb);
    }
}

/* ---- signs ------------------------------------------------------------------------------- */

static void the_largest_of_a_vector_becomes_positive(void)
{
    double u[] = {1, -5, 5, 2, -3, 0},
           v[] = {1, 0, 2, 3}; /* vectors {1, 5, -3} and {-5, 2, 0} */
    double vectors[] = {u[0], u[1], u[2], u[3], u[4], u[5]};
    tidemill_kernel_orient_f64(2, vectors, 3, 1, 2, v, 2, 2, 1);
    double expected[] = {1, 5, 5, -2, -3, 0}, expected_v[] = {1, 0, -2, -3};
    CHECK(same_bits(vectors, expected, 6) && same_bits(v, expected_v, 4));
    float tied[] = {-2, 2, 0, 2, -2, 0}, of_tied[] = {0, -2, 2};
    tidemill_kernel_orient_f32(2, tied, 3, 3, 1, NULL, 0, 0, 0);
    CHECK(tied[0] == 2 && tied[1] == -2 && !signbit(tied[2]) && tied[3] == 2);
    tidemill_kernel_orient_f32(1, of_tied, 3, 3, 1, NULL, 0, 0, 0);
    CHECK(of_tied[0] == 0 && of_tied[1] == 2 && of_tied[2] == -2);
}

static void a_negative_diagonal_becomes_positive(void)
{
    double r[] = {-1, 2, 0, 0, 3, -4}, q[] = {1, 2, 3, 4};
    double turned[] = {1, -2, 0, 0, 3, -4}, turned_q[] = {-1, 2, -3, 4};
    tidemill_kernel_orient_diagonal_f64(2, r, 3, 3, q, 2, 2);
    CHECK(same_bits(r, turned, 6) && same_bits(q, turned_q, 4));
    float single[] = {-2}, its_q[] = {1};
    tidemill_kernel_orient_diagonal_f32(1, single, 1, 1, its_q, 1, 1);
    CHECK(single[0] == 2 && its_q[0] == -1);
}

/* ---- transposing ------------------------------------------------------------------------- */

typedef int64_t transpose(const void *x, int64_t rows, int64_t columns, int64_t stride,
                          void *out, int64_t out_stride);

static void check_transposed(transpose *kernel, int64_t bytes, int64_t rows, int64_t columns)
{
    int64_t stride = columns + random_below(3), out_stride = rows + random_below(3);
    int64_t size = end_of(rows, stride, columns) * bytes;
    int64_t out_size = end_of(columns, out_stride, rows) * bytes;
    uint8_t *x = exact_copy(NULL, (size_t)size), *out = exact_copy(NULL, (size_t)out_size);
    for (int64_t i = 0; i < size; i++) x[i] = (uint8_t)random_bits();
    memset(out, 77, (size_t)out_size);
    CHECK(kernel(x, rows, columns, stride, out, out_stride) == 0);
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < out_stride; i++) {
            uint8_t *got = out + (j * out_stride + i) * bytes;
            if (i < rows)
                CHECK(memcmp(got, x + (i * stride + j) * bytes, (size_t)bytes) == 0);
            else if (j < columns - 1)
                CHECK(*got == 77); /* between rows nothing is written */
        }
    free(x), free(out);
}

static void every_shape_is_transposed(void)
{
    static transpose *const kernels[] = {
        tidemill_kernel_transpose_1, tidemill_kernel_transpose_4, tidemill_kernel_transpose_8};
    static const int64_t bytes[] = {1, 4, 8};
    for (int64_t n = 0; n <= 257; n++)
        for (int i = 0; i < 3; i++) {
            check_transposed(kernels[i], bytes[i], n, random_below(40));
            check_transposed(kernels[i], bytes[i], random_below(40), n);
        }
    double x = 1, out = 42;
    CHECK(tidemill_kernel_transpose_8(&x, 1, 2, 1, &out, 1) == -1);
    CHECK(tidemill_kernel_transpose_8(&x, 2, 1, 1, &out, 1) == -1);
    CHECK(tidemill_kernel_transpose_8(&x, -1, 1, 1, &out, 1) == -1);
    CHECK(out == 42);
}

/* ---- triangles --------------------------------------------------------------------------- */

static void check_triangle(int64_t n, int64_t m, int64_t upper, int64_t unit)
{
    double *t = made_up(n * n), *b = made_up(n * m);
    for (int64_t i = 0; i < n; i++) t[i * n + i] = unit ? NAN : 2 + random_unit();
    int64_t turned = random_below(2); /* the other triangle of what is stored */
    int64_t row = turned ? 1 : n, column = turned ? n : 1;
    double *x = exact_copy(b, (size_t)(n * m) * sizeof *b);
    float *ft = as_floats(t, n * n), *fx = as_floats(b, n * m);
    CHECK(tidemill_kernel_solve_triangular_f64(n, m, t, row, column, upper, unit, x, m) == n);
    CHECK(tidemill_kernel_solve_triangular_f32(n, m, ft, row, column, upper, unit, fx, m) == n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
            long double sum = 0, size = 1;
            for (int64_t p = upper ? i : 0; p < (upper ? n : i + 1); p++) {
                long double factor = p == i && unit ? 1 : t[i * row + p * column];
                sum += factor * x[p * m + j];
                size += fabsl(factor * x[p * m + j]);
            }
            CHECK(fabsl(sum - b[i * m + j]) < 1e-14L * size);
            /* rounded t and b move x by as much as a few roundings of what went into it */
            if (n <= 8) CHECK(fabsl(fx[i * m + j] - x[i * m + j]) < 1e-4L * size);
        }
    free(t), free(b), free(x), free(ft), free(fx);
}

static void triangular_systems_are_solved(void)
{
    for (int64_t n = 0; n <= 33; n++)
        for (int form = 0; form < 4; form++)
            check_triangle(n, random_below(6), form & 1, form >> 1);
}

static void a_zero_in_the_diagonal_is_named(void)
{
    double t[9] = {1, 5, 5, 5, 2, 5, 5, 5, 0}, b[3] = {1, 2, 3};
    CHECK(tidemill_kernel_solve_triangular_f64(3, 1, t, 3, 1, 0, 0, b, 1) == 2);
    CHECK(b[0] == 1 && b[1] == 2 && b[2] == 3);
    CHECK(tidemill_kernel_solve_triangular_f64(-1, 1, t, 3, 1, 0, 0, b, 1) == -1);
    CHECK(tidemill_kernel_solve_triangular_f64(3, 2, t, 3, 1, 0, 1, b, 1) == -1);
}

/* ---- covariance -------------------------------------------------------------------------- */

static long double oracle_covariance(const double *a, const double *b, int64_t n, int64_t ddof)
{
    long double mean_a = 0, mean_b = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) {
        mean_a += a[i] / (long double)n;
        mean_b += b[i] / (long double)n;
    }
    for (int64_t i = 0; i < n; i++) sum += (a[i] - mean_a) * (b[i] - mean_b);
    return sum / (long double)(n - ddof);
}

static void check_covariance(int64_t rows, int64_t n, int64_t ddof)
{
    double *x = made_up(rows * n), *z = exact_doubles(rows * n), *first = NULL;
    for (int64_t i = 0; i < rows * n; i++) x[i] += i / n % 3 ? 1e6 : 0;
    double *whole = exact_doubles(rows * rows);
    int64_t from = random_below(rows), count = random_below(rows - from + 1);
    double *block = exact_doubles(count * rows);
    EACH_SET(set)
    {
        tidemill_kernel_centre(x, rows, n, z);
        tidemill_kernel_covariance(z, rows, n, ddof, whole);
        tidemill_kernel_covariance_block(z, rows, n, ddof, from, count, block);
        CHECK(same_bits(block, whole + from * rows, count * rows));
        if (first == NULL) first = exact_copy(whole, (size_t)(rows * rows) * sizeof *whole);
        CHECK_SAYING(same_bits(first, whole, rows * rows), "%s differs", kernel_sets[set]);
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < rows; j++) {
            long double expected = oracle_covariance(x + i * n, x + j * n, n, ddof);
            if (n > ddof) CHECK(fabsl(whole[i * rows + j] - expected) < 1e-10L);
            if (n <= ddof) CHECK(isnan(whole[i * rows + j]));
        }
    free(x), free(z), free(first), free(whole), free(block);
}

static void covariances_match_a_two_pass_oracle(void)
{
    for (int64_t rows = 1; rows <= 28; rows++)
        check_covariance(rows, 1 + random_below(80), random_below(3));
    check_covariance(5, 1, 1);
    check_covariance(6, 1500, 1);
}

static void a_constant_row_has_no_covariance_and_a_nan_spoils_its_own(void)
{
    double x[3][5] = {{0.1, 0.1, 0.1, 0.1, 0.1}, {1, 2, 3, 4, 5}, {1, 2, INFINITY, 4, 5}};
    double z[15], out[9], nan = NAN;
    tidemill_kernel_centre(&x[0][0], 3, 5, z);
    tidemill_kernel_covariance(z, 3, 5, 1, out);
    CHECK(out[0] == 0 && out[1] == 0 && out[4] == 2.5);
    for (int i = 0; i < 3; i++) CHECK(same_bits(&out[3 * i + 2], &nan, 1));
}

/* ---- finding ----------------------------------------------------------------------------- */

static void what_is_not_finite_is_found(void)
{
    static const double wrong[] = {NAN, INFINITY, -INFINITY};
    for (int64_t n = 0; n < 40; n++) {
        double *x = made_up(n);
        float *f = as_floats(x, n);
        CHECK(tidemill_kernel_first_not_finite_f64(x, n) == n);
        CHECK(tidemill_kernel_first_not_finite_f32(f, n) == n);
        int64_t at = n > 0 ? random_below(n) : 0;
        if (n > 0) f[at] = (float)(x[at] = wrong[n % 3]);
        CHECK(tidemill_kernel_first_not_finite_f64(x, n) == (n > 0 ? at : 0));
        CHECK(tidemill_kernel_first_not_finite_f32(f, n) == (n > 0 ? at : 0));
        free(x), free(f);
    }
}

int main(void)
{
    random_state = check_seed();
    RUN(every_shape_of_a_product_has_the_stated_bits);
    RUN(a_product_with_itself_has_the_bits_of_the_product_and_is_symmetric);
    RUN(a_product_and_its_addition_are_rounded_once);
    RUN(a_product_is_as_near_as_its_roundings_allow);
    RUN(a_nan_spoils_its_row_and_its_column_alone);
    RUN(what_beta_0_finds_is_not_read);
    RUN(a_product_refuses_what_makes_no_sense);
    RUN(outer_products_are_those_of_pairs);
    RUN(dot_products_have_the_stated_order);
    RUN(the_largest_of_a_vector_becomes_positive);
    RUN(a_negative_diagonal_becomes_positive);
    RUN(every_shape_is_transposed);
    RUN(triangular_systems_are_solved);
    RUN(a_zero_in_the_diagonal_is_named);
    RUN(covariances_match_a_two_pass_oracle);
    RUN(a_constant_row_has_no_covariance_and_a_nan_spoils_its_own);
    RUN(what_is_not_finite_is_found);
    return check_end();
}
