/* test_blas: how the BLAS is found, and that it may be called from many threads at once.
 * SPDX-License-Identifier: MIT */
#include "check.h"
#include "data/blas.h"

static struct mill_blas blas;

static enum mill_blas_state open_as(const char *wish)
{
    mill_blas_init(&blas);
    blas.wish = wish ? strdup(wish) : NULL;
    return mill_blas_open(&blas);
}

/* Ends a test that needs one. */
#define NEED_BLAS()                                                                            \
    do {                                                                                       \
        if (open_as(NULL) != MILL_BLAS_THERE) {                                                \
            mill_blas_fini(&blas);                                                             \
            SKIP("no BLAS on this machine");                                                   \
        }                                                                                      \
    } while (0)

static void none_is_none(void)
{
    CHECK(open_as("none") == MILL_BLAS_NONE);
    CHECK_TEXT(blas.text, "the setting blas is none");
    mill_blas_fini(&blas);
}

static void a_library_that_is_not_there_is_named(void)
{
    CHECK(open_as("/nowhere/libblas.so") == MILL_BLAS_FAILED);
    CHECK(strstr(blas.text, "/nowhere/libblas.so: cannot open") == blas.text);
    CHECK(mill_blas_open(&blas) == MILL_BLAS_FAILED);
    mill_blas_fini(&blas);
}

static void a_library_without_the_routines_is_refused(void)
{
    CHECK(open_as("libm.so.6") == MILL_BLAS_FAILED);
    CHECK_TEXT(blas.text, "libm.so.6: it has no dgemm_");
    mill_blas_fini(&blas);
}

static void the_one_that_is_found_tells_its_version_and_file(void)
{
    NEED_BLAS();
    CHECK(*blas.text != '\0' && strchr(blas.path, '/') == blas.path);
    CHECK(!blas.is_openblas || strstr(blas.text, "OpenBLAS") == blas.text);
    char path[sizeof blas.path], text[sizeof blas.text];
    memcpy(path, blas.path, sizeof path);
    memcpy(text, blas.text, sizeof text);
    mill_blas_fini(&blas);
    CHECK(open_as(path) == MILL_BLAS_THERE); /* by its path, too */
    CHECK_TEXT(blas.text, text);
    mill_blas_fini(&blas);
}

static void routines_are_those_of_their_names(void)
{
    NEED_BLAS();
    double a[] = {4, 2, 2, 5};
    float half = 0.5f, single = 8, sum = 1;
    int two = 2, one = 1, info = -1;
    blas.f64.potrf("L", &two, a, &two, &info, 1); /* by columns: 2, 1 above 2 */
    CHECK(info == 0 && a[0] == 2 && a[1] == 1 && a[3] == 2);
    blas.f32.gemm("N", "N", &one, &one, &one, &half, &single, &one, &single, &one, &half, &sum,
                  &one, 1, 1);
    CHECK(sum == 32.5f);
    mill_blas_fini(&blas);
}

/* ---- many threads ------------------------------------------------------------------------- */

enum { THREADS = 24, SIDE = 61, ROUNDS = 40, PRODUCTS = 25 };

static double left[SIDE * SIDE], right[SIDE * SIDE], product[SIDE * SIDE];
static _Atomic int differences;

static void multiply(double *out)
{
    const int n = SIDE;
    const double one = 1, zero = 0;
    mill_blas_enter(&blas);
    blas.f64.gemm("N", "T", &n, &n, &n, &one, left, &n, right, &n, &zero, out, &n, 1, 1);
    mill_blas_leave();
}

static void factorise(double *a, double *s, double *work, int *whole_work, int room)
{
    const int n = SIDE, one = 1;
    int info;
    memcpy(a, left, sizeof left);
    mill_blas_enter(&blas);
    blas.f64.gesdd("N", &n, &n, a, &n, s, NULL, &one, NULL, &one, work, &room, whole_work,
                   &info, 1);
    mill_blas_leave();
}

static void *compute_again(void *expected)
{
    enum { ROOM = 20 * SIDE };
    double *out = malloc(sizeof product), s[SIDE], work[ROOM];
    int whole_work[8 * SIDE];
    for (int round = 0; round < ROUNDS && out; round++) {
        if (mill_blas_open(&blas) != MILL_BLAS_THERE) break; /* all open it at once */
        for (int i = 0; i < PRODUCTS; i++) { /* without turns some hundred of these differ */
            multiply(out);
            if (memcmp(out, product, sizeof product) != 0) differences++;
        }
        factorise(out, s, work, whole_work, ROOM);
        if (memcmp(s, expected, sizeof s) != 0) differences++;
    }
    free(out);
    return NULL;
}

static void calls_from_many_threads_give_the_bits_of_one(void)
{
    NEED_BLAS();
    double s[SIDE], work[20 * SIDE], copy[SIDE * SIDE];
    int whole_work[8 * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) {
        left[i] = (double)(i * 7919 % 1009) / 1009 - 0.5;
        right[i] = (double)(i * 104729 % 997) / 997 - 0.5;
    }
    multiply(product);
    factorise(copy, s, work, whole_work, 20 * SIDE);
    mill_blas_fini(&blas);
    mill_blas_init(&blas); /* not open yet */
    pthread_t threads[THREADS];
    int started = 0;
    while (started < THREADS &&
           pthread_create(&threads[started], NULL, compute_again, s) == 0) {
        started++;
    }
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    CHECK(started > 1 && differences == 0);
    mill_blas_fini(&blas);
}

int main(void)
{
    RUN(none_is_none);
    RUN(a_library_that_is_not_there_is_named);
    RUN(a_library_without_the_routines_is_refused);
    RUN(the_one_that_is_found_tells_its_version_and_file);
    RUN(routines_are_those_of_their_names);
    RUN(calls_from_many_threads_give_the_bits_of_one);
    return check_end();
}
