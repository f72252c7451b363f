/* test_buffer: counted memory: alignment, slices, foreign memory, and the account.
 * SPDX-License-Identifier: MIT */
#include "data/buffer.h"

#include <pthread.h>
#include <stdbool.h>

#include "check.h"

static int64_t held(struct mill_memory *memory)
{
    return atomic_load(&memory->bytes);
}

static void memory_is_aligned_and_may_be_read_past_its_end(void)
{
    for (size_t size = 0; size < 300; size++) {
        struct mill_buffer *buffer = mill_buffer_new(NULL, size);
        CHECK((uintptr_t)buffer->data % 64 == 0);
        CHECK(buffer->size == size);
        memset(buffer->data, 0, size + 64); /* a sanitizer would tell */
        mill_buffer_unref(buffer);
    }
}

static void the_account_follows_what_is_held(void)
{
    struct mill_memory memory = {0};
    struct mill_buffer *one = mill_buffer_new(&memory, 1000),
                       *two = mill_buffer_new(&memory, 50);
    CHECK(held(&memory) == 1050);
    mill_buffer_shrink(one, 10);
    CHECK(held(&memory) == 60);
    mill_buffer_unref(mill_buffer_ref(one));
    CHECK(held(&memory) == 60);
    mill_buffer_unref(one);
    CHECK(held(&memory) == 50);
    mill_buffer_unref(two);
    CHECK(held(&memory) == 0);
    CHECK(atomic_load(&memory.peak) == 1050);
}

static void a_size_that_no_memory_has_gives_null(void)
{
    struct mill_memory memory = {0};
    CHECK(mill_buffer_new(&memory, SIZE_MAX) == NULL);
    CHECK(mill_buffer_new(&memory, SIZE_MAX / 2 + 1) == NULL);
    CHECK(held(&memory) == 0);
}

static void a_slice_keeps_its_parent_alive(void)
{
    struct mill_memory memory = {0};
    struct mill_buffer *whole = mill_buffer_new(&memory, 100);
    for (int i = 0; i < 100; i++) whole->data[i] = (uint8_t)i;
    struct mill_buffer *part = mill_buffer_slice(whole, 40, 60);
    struct mill_buffer *empty = mill_buffer_slice(whole, 100, 0);
    mill_buffer_unref(whole);
    CHECK(held(&memory) == 100);
    CHECK(part->size == 60 && part->data[0] == 40 && part->data[59] == 99);
    CHECK(empty->size == 0);
    mill_buffer_unref(part);
    mill_buffer_unref(empty);
    CHECK(held(&memory) == 0);
}

/* Each of a million slices held the one before it: freeing the last one recursed. */
static void slices_of_slices_are_freed_without_recursion(void)
{
    struct mill_memory memory = {0};
    struct mill_buffer *slice = mill_buffer_new(&memory, 1000000);
    memset(slice->data, 0, 1000000);
    slice->data[999999] = 7;
    for (size_t size = 999999; size > 0; size--) {
        struct mill_buffer *next = mill_buffer_slice(slice, 1, size);
        mill_buffer_unref(slice);
        slice = next;
    }
    CHECK(slice->size == 1 && slice->data[0] == 7);
    mill_buffer_unref(slice);
    CHECK(held(&memory) == 0);
}

struct given_back {
    int times;
    void *data;
    size_t size;
};

static void give_back(void *context, void *data, size_t size)
{
    struct given_back *back = context;
    *back = (struct given_back){back->times + 1, data, size};
}

static void foreign_memory_is_given_back_once(void)
{
    char bytes[30] = "";
    struct given_back back = {0};
    struct mill_buffer *buffer = mill_buffer_foreign(bytes, 30, give_back, &back);
    struct mill_buffer *slice = mill_buffer_slice(buffer, 10, 5);
    mill_buffer_unref(buffer);
    CHECK(back.times == 0);
    mill_buffer_unref(slice);
    CHECK(back.times == 1 && back.data == bytes && back.size == 30);
    mill_buffer_unref(mill_buffer_foreign(bytes, 30, NULL, NULL));
}

static void null_may_be_released(void)
{
    mill_buffer_unref(NULL);
    mill_memory_add(NULL, 5);
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 20000 };

static void *take_and_drop(void *argument)
{
    struct mill_buffer *buffer = argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct mill_buffer *slice = mill_buffer_slice(buffer, 1, 2);
        mill_buffer_unref(mill_buffer_ref(slice));
        mill_buffer_unref(slice);
    }
    buffer->data[0] |= 0; /* the last use, before the reference goes */
    mill_buffer_unref(buffer);
    return NULL;
}

static void the_last_of_many_threads_frees(void)
{
    struct mill_memory memory = {0};
    struct mill_buffer *buffers[THREADS];
    pthread_t threads[THREADS];
    struct mill_buffer *shared = mill_buffer_new(&memory, 64);
    for (int i = 0; i < THREADS; i++) {
        buffers[i] = mill_buffer_slice(shared, (size_t)i * 4, 4);
        memset(buffers[i]->data, 0, 4);
    }
    mill_buffer_unref(shared);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, take_and_drop, buffers[i]);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CHECK(held(&memory) == 0);
}

static void *add_and_take(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        mill_memory_add(argument, 3);
        mill_memory_add(argument, -3);
    }
    return NULL;
}

static void the_peak_is_never_below_what_one_thread_held(void)
{
    struct mill_memory memory = {0};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, add_and_take, &memory);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CHECK(held(&memory) == 0);
    CHECK(atomic_load(&memory.peak) >= 3 && atomic_load(&memory.peak) <= 3 * THREADS);
}

int main(void)
{
    RUN(memory_is_aligned_and_may_be_read_past_its_end);
    RUN(the_account_follows_what_is_held);
    RUN(a_size_that_no_memory_has_gives_null);
    RUN(a_slice_keeps_its_parent_alive);
    RUN(slices_of_slices_are_freed_without_recursion);
    RUN(foreign_memory_is_given_back_once);
    RUN(null_may_be_released);
    RUN(the_last_of_many_threads_frees);
    RUN(the_peak_is_never_below_what_one_thread_held);
    return check_end();
}
