/* test_strided: copies of strided views against one loop that knows nothing but the definition.
 * SPDX-License-Identifier: MIT */
#include "kernel_check.h"
#include "kernels/strided.h"

enum { MOST_AXES = 5 };

/* A view of random shape into memory of its exact size. */
struct view {
    int64_t dims, shape[MOST_AXES], strides[MOST_AXES];
    int64_t elements; /* of the view */
    int64_t first,
        length; /* of the memory: where element (0, 0, ..) lies, and how long it is */
};

/* Lays the axes out in a random order, so that fast ones become slow; some reversed, some with
 * gaps, and when `repeats` some with no distance. */
static void lay_out(struct view *view, int repeats)
{
    int64_t order[MOST_AXES], distance = 1;
    for (int64_t a = 0; a < view->dims; a++) order[a] = a;
    for (int64_t a = view->dims - 1; a > 0; a--) {
        int64_t other = random_below(a + 1), kept = order[a];
        if (random_below(3) == 0) continue;
        order[a] = order[other];
        order[other] = kept;
    }
    view->first = 0;
    view->length = 1;
    for (int64_t a = view->dims - 1; a >= 0; a--) {
        int64_t axis = order[a], last = (view->shape[axis] - 1);
        if (repeats && random_below(4) == 0) {
            view->strides[axis] = 0;
            continue;
        }
        if (random_below(4) == 0) distance *= 1 + random_below(3);
        view->strides[axis] = random_below(4) ? distance : -distance;
        if (view->strides[axis] < 0) view->first += last * distance;
        view->length += last * distance;
        distance *= view->shape[axis];
    }
}

static void random_shape(struct view *view, int64_t dims, int64_t most)
{
    view->dims = dims;
    view->elements = 1;
    for (int64_t a = 0; a < dims; a++) {
        view->shape[a] = random_below(5) ? 1 + random_below(most) : 1;
        view->elements *= view->shape[a];
    }
}

/* Where element number i of the view, in row-major order, lies. */
static int64_t place_of(const struct view *view, int64_t i)
{
    int64_t place = view->first;
    for (int64_t a = view->dims - 1; a >= 0; a--) {
        place += i % view->shape[a] * view->strides[a];
        i /= view->shape[a];
    }
    return place;
}

static unsigned char *random_bytes(int64_t n)
{
    unsigned char *bytes = exact_copy(NULL, (size_t)n);
    for (int64_t i = 0; i < n; i++) bytes[i] = (unsigned char)random_bits();
    return bytes;
}

static void check_copy(int64_t size, const struct view *view)
{
    unsigned char *memory = random_bytes(view->length * size);
    unsigned char *out = random_bytes(view->elements * size);
    CHECK(tidemill_kernel_copy_strided(size, view->dims, view->shape, view->strides,
                                       memory + view->first * size, out) == 0);
    int equal = 1;
    for (int64_t i = 0; i < view->elements; i++)
        equal &= !memcmp(out + i * size, memory + place_of(view, i) * size, (size_t)size);
    CHECK_SAYING(equal, "size %d, %d axes, %d elements", (int)size, (int)view->dims,
                 (int)view->elements);
    free(memory);
    free(out);
}

/* Every element of the view is written, and nothing between them. */
static void check_paste(int64_t size, const struct view *view)
{
    unsigned char *memory = random_bytes(view->length * size);
    unsigned char *expected = exact_copy(memory, (size_t)(view->length * size));
    unsigned char *in = random_bytes(view->elements * size);
    for (int64_t i = 0; i < view->elements; i++)
        memcpy(expected + place_of(view, i) * size, in + i * size, (size_t)size);
    CHECK(tidemill_kernel_paste(size, view->dims, view->shape, in, memory + view->first * size,
                                view->strides) == 0);
    CHECK_SAYING(!memcmp(memory, expected, (size_t)(view->length * size)),
                 "size %d, %d axes, %d elements", (int)size, (int)view->dims,
                 (int)view->elements);
    free(memory);
    free(expected);
    free(in);
}

static void views_of_any_layout_are_copied_element_by_element(void)
{
    static const int64_t sizes[] = {1, 2, 4, 8}, most[] = {1, 600, 90, 12, 6, 4};
    for (int round = 0; round < 4000; round++) {
        struct view view;
        random_shape(&view, round % (MOST_AXES + 1), most[round % (MOST_AXES + 1)]);
        lay_out(&view, 1);
        check_copy(sizes[random_below(4)], &view);
        lay_out(&view, 0);
        check_paste(sizes[random_below(4)], &view);
    }
}

static void transposes_of_every_small_size_are_exact(void)
{
    for (int64_t rows = 1; rows <= 40; rows++) {
        for (int64_t columns = 1; columns <= 40; columns++) {
            struct view view = {.dims = 2, .shape = {rows, columns}, .strides = {1, rows}};
            view.elements = view.length = rows * columns;
            for (int64_t size = 1; size <= 8; size *= 2) {
                check_copy(size, &view);
                check_paste(size, &view);
            }
        }
    }
}

static void rows_of_every_length_are_copied_reversed_and_repeated(void)
{
    for (int64_t n = 1; n <= 257; n++) {
        for (int64_t stride = -2; stride <= 2; stride++) {
            struct view view = {.dims = 1, .shape = {n}, .strides = {stride}, .elements = n};
            int64_t span = (stride < 0 ? -stride : stride) * (n - 1);
            view.length = span + 1;
            view.first = stride < 0 ? span : 0;
            for (int64_t size = 1; size <= 8; size *= 2) check_copy(size, &view);
        }
    }
}

static void between_two_views_each_element_keeps_its_indexes(void)
{
    for (int round = 0; round < 1000; round++) {
        struct view from, to;
        random_shape(&from, 1 + random_below(4), 11);
        to = from;
        lay_out(&from, 1);
        lay_out(&to, 0);
        int32_t *in = (int32_t *)random_bytes(from.length * 4);
        int32_t *out = (int32_t *)random_bytes(to.length * 4);
        CHECK(tidemill_kernel_copy_view(4, from.dims, from.shape, in + from.first, from.strides,
                                        out + to.first, to.strides) == 0);
        for (int64_t i = 0; i < from.elements; i++)
            CHECK(out[place_of(&to, i)] == in[place_of(&from, i)]);
        free(in);
        free(out);
    }
}

static void nothing_is_copied_of_an_empty_view_and_one_element_of_a_view_without_axes(void)
{
    int64_t shape[] = {3, 0, 2}, strides[] = {0, 2, 1};
    double in[] = {1.5, 2.5}, out = 0;
    CHECK(tidemill_kernel_copy_strided(8, 3, shape, strides, in, &out) == 0 && out == 0);
    CHECK(tidemill_kernel_paste(8, 3, shape, in, &out, strides) == 0 && out == 0);
    CHECK(tidemill_kernel_copy_strided(8, 0, NULL, NULL, in, &out) == 0 && out == 1.5);
    CHECK(tidemill_kernel_paste(8, 0, NULL, in + 1, &out, NULL) == 0 && out == 2.5);
}

static void odd_sizes_too_many_axes_and_negative_lengths_are_refused(void)
{
    int64_t shape[17], strides[17] = {0}, negative[] = {-1};
    double in = 1, out = 2;
    for (int a = 0; a < 17; a++) shape[a] = 1;
    CHECK(tidemill_kernel_copy_strided(3, 1, shape, strides, &in, &out) == -1);
    CHECK(tidemill_kernel_copy_strided(16, 1, shape, strides, &in, &out) == -1);
    CHECK(tidemill_kernel_copy_strided(8, 17, shape, strides, &in, &out) == -1);
    CHECK(tidemill_kernel_copy_strided(8, 1, negative, strides, &in, &out) == -1);
    CHECK(tidemill_kernel_paste(0, 1, shape, &in, &out, strides) == -1);
    CHECK(tidemill_kernel_paste(8, -1, shape, &in, &out, strides) == -1);
    CHECK(out == 2);
    CHECK(tidemill_kernel_copy_strided(8, 16, shape, strides, &in, &out) == 0 && out == 1);
}

int main(void)
{
    random_state = check_seed();
    RUN(views_of_any_layout_are_copied_element_by_element);
    RUN(transposes_of_every_small_size_are_exact);
    RUN(rows_of_every_length_are_copied_reversed_and_repeated);
    RUN(between_two_views_each_element_keeps_its_indexes);
    RUN(nothing_is_copied_of_an_empty_view_and_one_element_of_a_view_without_axes);
    RUN(odd_sizes_too_many_axes_and_negative_lengths_are_refused);
    return check_end();
}
