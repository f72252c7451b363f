/* test_scan: running sums, products, greatest and least values, beside a plain loop, whole and
 * in parts.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/scan.h"

static const int32_t types[] = {
    TIDEMILL_BOOL,    TIDEMILL_INT32,   TIDEMILL_INT64, TIDEMILL_UINT8,
    TIDEMILL_FLOAT32, TIDEMILL_FLOAT64, TIDEMILL_DATE,  TIDEMILL_TIMESTAMP,
};
enum { TYPES = sizeof types / sizeof *types };

static int64_t size_of(int32_t type)
{
    if (type == TIDEMILL_BOOL || type == TIDEMILL_UINT8) return 1;
    return type == TIDEMILL_INT32 || type == TIDEMILL_DATE || type == TIDEMILL_FLOAT32 ? 4 : 8;
}

static int is_float(int32_t type)
{
    return type == TIDEMILL_FLOAT32 || type == TIDEMILL_FLOAT64;
}

static void put(int32_t type, void *x, int64_t at, double f, int64_t i)
{
    if (type == TIDEMILL_FLOAT64)
        ((double *)x)[at] = f;
    else if (type == TIDEMILL_FLOAT32)
        ((float *)x)[at] = (float)f;
    else if (size_of(type) == 8)
        ((int64_t *)x)[at] = i;
    else if (size_of(type) == 4)
        ((int32_t *)x)[at] = (int32_t)i;
    else
        ((uint8_t *)x)[at] = (uint8_t)i;
}

static double get_float(int32_t type, const void *x, int64_t at)
{
    return type == TIDEMILL_FLOAT64 ? ((const double *)x)[at] : ((const float *)x)[at];
}

static int64_t get_int(int32_t type, const void *x, int64_t at)
{
    return size_of(type) == 8   ? ((const int64_t *)x)[at]
           : size_of(type) == 4 ? ((const int32_t *)x)[at]
                                : ((const uint8_t *)x)[at];
}

static double step_float(int32_t kind, double held, double value)
{
    switch (kind) {
    case TIDEMILL_SCAN_CUMSUM:
        return held + value;
    case TIDEMILL_SCAN_CUMPROD:
        return held * value;
    }
    if (isnan(held) || isnan(value)) return NAN;
    if (kind == TIDEMILL_SCAN_CUMMAX) return value > held ? value : held;
    return value < held ? value : held;
}

static int64_t step_int(int32_t kind, int64_t held, int64_t value)
{
    switch (kind) {
    case TIDEMILL_SCAN_CUMSUM:
        return (int64_t)((uint64_t)held + (uint64_t)value);
    case TIDEMILL_SCAN_CUMPROD:
        return (int64_t)((uint64_t)held * (uint64_t)value);
    case TIDEMILL_SCAN_CUMMAX:
        return value > held ? value : held;
    }
    return value < held ? value : held;
}

/* One line of the array at a time. */
static void oracle(int32_t kind, int32_t type, const void *x, int64_t outer, int64_t n,
                   int64_t inner, void *out)
{
    static const double floats[] = {0, 0, 1, -INFINITY, INFINITY};
    static const int64_t ints[] = {0, 0, 1, INT64_MIN, INT64_MAX};
    int32_t to = tidemill_kernel_scan_type(kind, type);
    for (int64_t line = 0; line < outer * inner; line++) {
        double f = floats[kind];
        int64_t i = ints[kind];
        for (int64_t k = 0; k < n; k++) {
            int64_t at = (line / inner * n + k) * inner + line % inner;
            if (is_float(type)) {
                f = step_float(kind, f, get_float(type, x, at));
                if (isnan(f)) f = NAN; /* the one NaN */
            } else {
                i = step_int(kind, i, get_int(type, x, at));
            }
            put(to, out, at, f, i);
        }
    }
}

static void *made_up(int32_t type, int64_t count)
{
    void *x = exact_copy(NULL, (size_t)(count * size_of(type)));
    for (int64_t at = 0; at < count; at++) {
        double f = (random_unit() - 0.5) * 4;
        if (random_below(60) == 0) f = random_below(2) ? NAN : INFINITY;
        put(type, x, at, f, (int64_t)(random_bits() >> random_below(64)) & 0x7FFFFFFF);
        if (type == TIDEMILL_BOOL) ((uint8_t *)x)[at] &= 1;
    }
    return x;
}

static void scan(int32_t kind, int32_t type, const void *x, int64_t outer, int64_t n,
                 int64_t inner, void *carry, void *out)
{
    CHECK(tidemill_kernel_scan(kind, type, x, outer, n, inner, carry, out) == 0);
}

static void check_scan(int32_t kind, int32_t type, int64_t outer, int64_t n, int64_t inner)
{
    int32_t to = tidemill_kernel_scan_type(kind, type);
    if (!to) return;
    int64_t count = outer * n * inner, m = outer * inner;
    size_t bytes = (size_t)(count * size_of(to));
    void *x = made_up(type, count), *out = exact_copy(NULL, bytes);
    void *expected = exact_copy(NULL, bytes), *carry = exact_doubles(m);
    oracle(kind, type, x, outer, n, inner, expected);
    CHECK(tidemill_kernel_scan_begin(kind, type, m, carry) == 0);
    scan(kind, type, x, outer, n, inner, carry, out);
    CHECK_SAYING(memcmp(out, expected, bytes) == 0, "kind %d type %d of (%d, %d, %d)", kind,
                 type, (int)outer, (int)n, (int)inner);
    if (outer == 1) { /* in two parts */
        int64_t cut = random_below(n + 1) * inner;
        memset(out, 1, bytes);
        tidemill_kernel_scan_begin(kind, type, m, carry);
        scan(kind, type, x, 1, cut / inner, inner, carry, out);
        scan(kind, type, (char *)x + cut * size_of(type), 1, n - cut / inner, inner, carry,
             (char *)out + cut * size_of(to));
        CHECK_SAYING(memcmp(out, expected, bytes) == 0, "parts: kind %d type %d", kind, type);
    }
    free(x), free(out), free(expected), free(carry);
}

static void every_scan_of_every_type_is_that_of_a_loop(void)
{
    for (int32_t kind = TIDEMILL_SCAN_CUMSUM; kind <= TIDEMILL_SCAN_CUMMIN; kind++)
        for (int t = 0; t < TYPES; t++) {
            for (int64_t n = 0; n <= 257; n += 1 + n / 20) check_scan(kind, types[t], 1, n, 1);
            for (int64_t inner = 1; inner < 20; inner++)
                check_scan(kind, types[t], 1 + inner % 3, random_below(40), inner);
        }
}

static void what_has_no_scan_is_refused(void)
{
    double carry[1], x[1] = {0}, out[1];
    CHECK(tidemill_kernel_scan_type(TIDEMILL_SCAN_CUMSUM, TIDEMILL_DATE) == 0);
    CHECK(tidemill_kernel_scan_type(TIDEMILL_SCAN_CUMMAX, TIDEMILL_DATE) == TIDEMILL_DATE);
    CHECK(tidemill_kernel_scan_type(TIDEMILL_SCAN_CUMSUM, TIDEMILL_BOOL) == TIDEMILL_INT64);
    CHECK(tidemill_kernel_scan_type(5, TIDEMILL_FLOAT64) == 0);
    CHECK(tidemill_kernel_scan_begin(0, TIDEMILL_FLOAT64, 1, carry) == -1);
    CHECK(tidemill_kernel_scan(TIDEMILL_SCAN_CUMSUM, TIDEMILL_TIMESTAMP, x, 1, 1, 1, carry,
                               out) == -1);
    CHECK(tidemill_kernel_scan(TIDEMILL_SCAN_CUMSUM, TIDEMILL_FLOAT64, x, 1, -1, 1, carry,
                               out) == -1);
}

int main(void)
{
    random_state = check_seed();
    RUN(every_scan_of_every_type_is_that_of_a_loop);
    RUN(what_has_no_scan_is_refused);
    return check_end();
}
