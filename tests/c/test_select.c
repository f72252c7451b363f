/* test_select: values by position and by mask, against one loop of one line.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/select.h"

static const int64_t sizes[] = {1, 4, 8, 24, 3};
enum { SIZES = 5 };

static uint8_t *random_bytes(int64_t n)
{
    uint8_t *bytes = exact_copy(NULL, (size_t)n);
    for (int64_t i = 0; i < n; i++) bytes[i] = (uint8_t)random_bits();
    return bytes;
}

/* About one in `rarity` is chosen. */
static uint8_t *random_mask(int64_t n, int64_t rarity)
{
    uint8_t *mask = exact_copy(NULL, (size_t)n);
    for (int64_t i = 0; i < n; i++)
        mask[i] = random_below(rarity) ? 0 : (uint8_t)(1 + random_below(255));
    return mask;
}

/* m positions of `width` bytes among `length`. */
static void *random_index(int64_t width, int64_t m, int64_t length, int64_t base)
{
    void *index = exact_copy(NULL, (size_t)(m * width));
    for (int64_t i = 0; i < m; i++) {
        if (width == 4)
            ((int32_t *)index)[i] = (int32_t)(random_below(length) + base);
        else
            ((int64_t *)index)[i] = random_below(length) + base;
    }
    return index;
}

static int64_t index_at(const void *index, int64_t width, int64_t i, int64_t base)
{
    return (width == 4 ? ((const int32_t *)index)[i] : ((const int64_t *)index)[i]) - base;
}

static void take_gathers_elements_of_any_size_along_an_axis(void)
{
    for (int64_t m = 0; m <= 257; m++) {
        int64_t size = sizes[m % SIZES], width = m % 2 ? 4 : 8, base = m % 3, outer = m % 4;
        int64_t length = 1 + random_below(100);
        uint8_t *values = random_bytes(outer * length * size);
        uint8_t *out = random_bytes(outer * m * size);
        void *index = random_index(width, m, length, base);
        CHECK(tidemill_kernel_take(size, values, outer, length, index, width, m, base, out) ==
              m);
        for (int64_t o = 0; o < outer; o++)
            for (int64_t i = 0; i < m; i++) {
                int64_t at = o * length + index_at(index, width, i, base);
                CHECK(!memcmp(out + (o * m + i) * size, values + at * size, (size_t)size));
            }
        free(values);
        free(out);
        free(index);
    }
}

static void put_scatters_what_take_gathers(void)
{
    for (int64_t m = 0; m <= 257; m++) {
        int64_t size = sizes[m % SIZES], width = m % 2 ? 4 : 8, base = m % 3, one = m % 5 == 0;
        int64_t length = 1 + random_below(100);
        uint8_t *values = random_bytes(one ? size : m * size),
                *out = random_bytes(length * size);
        uint8_t *expected = exact_copy(out, (size_t)(length * size));
        void *index = random_index(width, m, length, base);
        for (int64_t i = 0; i < m; i++)
            memcpy(expected + index_at(index, width, i, base) * size,
                   values + (one ? 0 : i * size), (size_t)size);
        CHECK(tidemill_kernel_put(size, values, one, index, width, m, base, out, length) == m);
        CHECK(!memcmp(out, expected, (size_t)(length * size)));
        free(values);
        free(out);
        free(expected);
        free(index);
    }
}

static void a_position_outside_is_told_before_anything_is_written(void)
{
    double values[] = {0.5, 1.5, 2.5}, out[3] = {9, 9, 9};
    int32_t high[] = {1, 4, 1}, low[] = {1, 2, 0}, least[] = {INT32_MIN};
    int64_t far[] = {1, INT64_MAX}, farther[] = {INT64_MIN + 1, 1};
    CHECK(tidemill_kernel_take(8, values, 1, 3, high, 4, 3, 1, out) == 1);
    CHECK(tidemill_kernel_take(8, values, 1, 3, low, 4, 3, 1, out) == 2);
    CHECK(tidemill_kernel_take(8, values, 1, 3, least, 4, 1, 1, out) == 0);
    CHECK(tidemill_kernel_take(8, values, 1, 3, far, 8, 2, 1, out) == 1);
    CHECK(tidemill_kernel_put(8, values, 0, farther, 8, 2, 1, out, 3) == 0);
    CHECK(tidemill_kernel_put(8, values, 0, high, 4, 3, 1, out, 3) == 1);
    CHECK(tidemill_kernel_take(8, values, 1, 3, high, 2, 3, 1, out) == -1);
    CHECK(tidemill_kernel_put(8, values, 0, high, 0, 3, 1, out, 3) == -1);
    CHECK(out[0] == 9 && out[1] == 9 && out[2] == 9);
    CHECK(tidemill_kernel_check_index(low, 4, 2, 1, 3) == 2);
    CHECK(tidemill_kernel_take(8, values, 1, 0, NULL, 4, 0, 1, out) == 0);
}

static void masks_choose_what_is_not_zero(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        for (int64_t rarity = 1; rarity <= 8; rarity += 3) {
            int64_t size = sizes[n % SIZES], count = 0, k = 0, base = n % 2;
            uint8_t *mask = random_mask(n, rarity), *x = random_bytes(n * size);
            for (int64_t i = 0; i < n; i++) count += mask[i] != 0;
            CHECK(tidemill_kernel_mask_count(mask, n) == count);
            uint8_t *out = random_bytes(count * size);
            int32_t *narrow = exact_copy(NULL, (size_t)count * sizeof *narrow);
            int64_t *wide = exact_copy(NULL, (size_t)count * sizeof *wide);
            tidemill_kernel_compress(size, x, mask, count, out);
            CHECK(tidemill_kernel_nonzero(mask, count, 4, base, narrow) == 0);
            CHECK(tidemill_kernel_nonzero(mask, count, 8, base, wide) == 0);
            for (int64_t i = 0; i < n; i++) {
                if (!mask[i]) continue;
                CHECK(!memcmp(out + k * size, x + i * size, (size_t)size));
                CHECK(narrow[k] == i + base && wide[k] == i + base);
                k++;
            }
            free(mask);
            free(x);
            free(out);
            free(narrow);
            free(wide);
        }
    }
    CHECK(tidemill_kernel_nonzero(NULL, 0, 2, 0, NULL) == -1);
}

static void long_masks_are_counted(void)
{
    for (int round = 0; round < 60; round++) {
        int64_t n = random_below(20000), count = 0;
        uint8_t *mask = random_mask(n, 1 + round % 3);
        for (int64_t i = 0; i < n; i++) count += mask[i] != 0;
        CHECK(tidemill_kernel_mask_count(mask, n) == count);
        free(mask);
    }
}

static void put_mask_writes_the_chosen_elements_alone(void)
{
    for (int64_t n = 0; n <= 257; n++) {
        int64_t size = sizes[n % SIZES], one = n % 2;
        uint8_t *mask = random_mask(n, 2), *out = random_bytes(n * size);
        int64_t count = tidemill_kernel_mask_count(mask, n), k = 0;
        uint8_t *values = random_bytes(one ? size : count * size);
        uint8_t *expected = exact_copy(out, (size_t)(n * size));
        for (int64_t i = 0; i < n; i++)
            if (mask[i])
                memcpy(expected + i * size, values + (one ? 0 : k++ * size), (size_t)size);
        tidemill_kernel_put_mask(size, values, one, mask, n, out);
        CHECK(!memcmp(out, expected, (size_t)(n * size)));
        free(mask);
        free(out);
        free(values);
        free(expected);
    }
}

int main(void)
{
    random_state = check_seed();
    RUN(take_gathers_elements_of_any_size_along_an_axis);
    RUN(put_scatters_what_take_gathers);
    RUN(a_position_outside_is_told_before_anything_is_written);
    RUN(masks_choose_what_is_not_zero);
    RUN(long_masks_are_counted);
    RUN(put_mask_writes_the_chosen_elements_alone);
    return check_end();
}
