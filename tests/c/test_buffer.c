/* test_buffer: counted memory: alignment, slices, foreign memory, and the account.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* ---- blocks ------------------------------------------------------------------------------ */

enum { LARGE = 5 * MILL_BUFFER_MAPPED + 13 };

static struct mill_buffer *numbered(struct mill_memory *memory, size_t size)
{
    struct mill_buffer *buffer = mill_buffer_new(memory, size);
    for (size_t i = 0; i < size; i++) buffer->data[i] = (uint8_t)(i * 7 + i / 256);
    return buffer;
}

static size_t wrong_bytes(const uint8_t *data, size_t size)
{
    size_t wrong = 0;
    for (size_t i = 0; i < size; i++) wrong += data[i] != (uint8_t)(i * 7 + i / 256);
    return wrong;
}

static int open_files(void)
{
    int count = 0;
    for (int fd = 0; fd < 1000; fd++) count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static void large_ones_are_padded_mappings(void)
{
    struct mill_memory memory = {0};
    for (size_t size = MILL_BUFFER_MAPPED; size < (size_t)9 << 20; size += size / 3 + 4097) {
        struct mill_buffer *buffer = mill_buffer_new(&memory, size);
        CHECK(atomic_load(&buffer->origin) == MILL_ORIGIN_MAPPED);
        CHECK((uintptr_t)buffer->data % 4096 == 0);
        memset(buffer->data, 1, size + 64);
        CHECK(held(&memory) == (int64_t)size);
        mill_buffer_unref(buffer);
    }
    CHECK(held(&memory) == 0);
    struct mill_buffer *small = mill_buffer_new(NULL, MILL_BUFFER_MAPPED - 1);
    CHECK(atomic_load(&small->origin) == MILL_ORIGIN_HEAP);
    mill_buffer_unref(small);
}

static void pages_of_a_freed_one_are_used_again(void)
{
#ifdef __SANITIZE_ADDRESS__
    SKIP("freed pages are given back at once under AddressSanitizer");
#endif
    static struct mill_memory memory;
    enum { SIZE = 1 << 20 };
    struct mill_buffer *first = mill_buffer_new(&memory, SIZE);
    CHECK(first != NULL);
    uint8_t *data = first->data;
    mill_buffer_unref(first);
    CHECK(mill_reserve_bytes(&memory.reserve) >= SIZE);
    CHECK(atomic_load(&memory.bytes) == 0);
    struct mill_buffer *smaller = mill_buffer_new(&memory, SIZE / 2); /* would waste a half */
    CHECK(smaller->data != data);
    struct mill_buffer *second = mill_buffer_new(&memory, SIZE - 4096);
    CHECK(second->data == data);
    CHECK(mill_reserve_bytes(&memory.reserve) == 0);
    memset(second->data, 1, SIZE - 4096);
    mill_buffer_unref(second);
    mill_buffer_unref(smaller);
    mill_memory_close(&memory);
    CHECK(mill_reserve_bytes(&memory.reserve) == 0);
    mill_buffer_unref(mill_buffer_new(&memory, SIZE));
    CHECK(mill_reserve_bytes(&memory.reserve) == 0);
}

static void kept_pages_are_bounded_and_go_when_memory_is_short(void)
{
#ifdef __SANITIZE_ADDRESS__
    SKIP("freed pages are given back at once under AddressSanitizer");
#endif
    static struct mill_memory memory;
    enum { SIZE = 4 << 20, COUNT = 100 };
    static struct mill_buffer *buffers[COUNT];
    for (int i = 0; i < COUNT; i++) buffers[i] = mill_buffer_new(&memory, SIZE);
    for (int i = 0; i < COUNT; i++) mill_buffer_unref(buffers[i]);
    CHECK(mill_reserve_bytes(&memory.reserve) > MILL_RESERVE_BYTES / 2);
    CHECK(mill_reserve_bytes(&memory.reserve) <= MILL_RESERVE_BYTES);
    mill_buffer_unref(mill_buffer_new(&memory, MILL_RESERVE_BYTES + 1)); /* too large */
    CHECK(mill_reserve_bytes(&memory.reserve) <= MILL_RESERVE_BYTES);
    static const double shares[MILL_PRESSURES] = {0, 0.6, 0.7, 0.8, 0.95};
    int64_t limit = mill_reserve_bytes(&memory.reserve) + SIZE;
    mill_memory_set_limit(&memory, limit, shares);
    CHECK(mill_memory_reserve(&memory) == limit / 16);
    mill_memory_update(&memory); /* what is kept counts, and is the first to go */
    CHECK(mill_reserve_bytes(&memory.reserve) == 0);
    CHECK(mill_memory_pressure(&memory) == MILL_PRESSURE_NONE);
    mill_memory_close(&memory);
}

static void growing_and_shrinking_keep_the_bytes(void)
{
    struct mill_memory memory = {0};
    for (size_t from = 10; from < 100 * (size_t)MILL_BUFFER_MAPPED; from *= 90) {
        struct mill_buffer *buffer = numbered(&memory, from);
        CHECK(mill_buffer_grow(buffer, from * 10));
        CHECK(buffer->size == from * 10 && held(&memory) == (int64_t)from * 10);
        CHECK(wrong_bytes(buffer->data, from) == 0);
        memset(buffer->data + from, 0, from * 9 + 64);
        mill_buffer_shrink(buffer, from / 2);
        CHECK(wrong_bytes(buffer->data, from / 2) == 0 && held(&memory) == (int64_t)from / 2);
        mill_buffer_unref(buffer);
    }
    CHECK(held(&memory) == 0);
}

static void a_shared_one_has_the_same_bytes_at_the_same_place(void)
{
    struct mill_memory memory = {0};
    struct mill_error error;
    int before = open_files();
    struct mill_buffer *buffer = numbered(&memory, LARGE);
    struct mill_buffer *slice = mill_buffer_slice(buffer, 1000, 5);
    const uint8_t *data = buffer->data;
    size_t offset = 7;
    int fd = mill_buffer_share(buffer, &offset, &error);
    CHECK(fd >= 0 && offset == 0 && buffer->data == data);
    CHECK(wrong_bytes(data, LARGE) == 0);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK(mill_buffer_share(slice, &offset, &error) == fd && offset == 1000);
    CHECK(held(&memory) == LARGE);
    char byte = 0;
    CHECK(pwrite(fd, &byte, 1, 0) == -1 && errno == EPERM); /* nobody changes it any more */
    CHECK(ftruncate(fd, 0) == -1);
    mill_buffer_unref(buffer);
    CHECK(wrong_bytes(slice->data - 1000, 1005) == 0);
    mill_buffer_unref(slice);
    CHECK(held(&memory) == 0 && open_files() == before);
}

static void another_process_maps_what_is_shared(void)
{
    struct mill_memory memory = {0};
    struct mill_error error;
    struct mill_buffer *buffer = numbered(&memory, LARGE);
    size_t offset;
    int fd = mill_buffer_share(buffer, &offset, &error), status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct mill_memory own = {0};
        int before = open_files();
        struct mill_buffer *mapped = mill_buffer_map(&own, dup(fd), LARGE, &error);
        if (mapped == NULL || wrong_bytes(mapped->data, LARGE) > 0) _exit(1);
        volatile uint8_t beyond = mapped->data[LARGE + 63]; /* the padding is there */
        (void)beyond;
        if (held(&own) != LARGE) _exit(2);
        int again = mill_buffer_share(mapped, &offset, &error);
        if (again < 0) _exit(3);
        mill_buffer_unref(mapped);
        _exit(open_files() == before && held(&own) == 0 ? 0 : 4);
    }
    waitpid(child, &status, 0);
    CHECK_SAYING(status == 0, "the other process ended with %d", status);
    mill_buffer_unref(buffer);
}

static void a_file_that_is_too_short_is_refused(void)
{
    struct mill_error error = {TIDEMILL_OK, ""};
    int before = open_files();
    int fd = memfd_create("test", MFD_CLOEXEC);
    CHECK(ftruncate(fd, 100) == 0);
    CHECK(mill_buffer_map(NULL, fd, 101, &error) == NULL && error.status == TIDEMILL_DATA);
    CHECK(mill_buffer_map(NULL, -1, 10, &error) == NULL);
    fd = memfd_create("test", MFD_CLOEXEC); /* and one whose padding would lie behind its end */
    CHECK(ftruncate(fd, 4096) == 0);
    struct mill_buffer *buffer = mill_buffer_map(NULL, fd, 4096, &error);
    CHECK(buffer && buffer->data[4095] == 0 && buffer->data[4096 + 63] == 0);
    mill_buffer_unref(buffer);
    CHECK(open_files() == before);
}

static void what_cannot_be_shared_stays_as_it_was(void)
{
    struct mill_memory memory = {0};
    struct mill_error error;
    size_t offset;
    struct mill_buffer *small = numbered(&memory, 100);
    CHECK(mill_buffer_share(small, &offset, &error) == -1 &&
          error.status == TIDEMILL_UNSUPPORTED);
    mill_buffer_unref(small);
    struct mill_buffer *buffer = numbered(&memory, LARGE);
    struct rlimit files, few;
    getrlimit(RLIMIT_NOFILE, &files);
    few = files;
    few.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &few);
    CHECK(mill_buffer_share(buffer, &offset, &error) == -1);
    setrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_FSIZE, &files);
    few = files;
    few.rlim_cur = MILL_BUFFER_MAPPED;
    setrlimit(RLIMIT_FSIZE, &few);
    CHECK(mill_buffer_share(buffer, &offset, &error) == -1);
    setrlimit(RLIMIT_FSIZE, &files);
    CHECK(atomic_load(&buffer->origin) == MILL_ORIGIN_MAPPED);
    CHECK(wrong_bytes(buffer->data, LARGE) == 0 && held(&memory) == LARGE);
    CHECK(mill_buffer_share(buffer, &offset, &error) >= 0); /* now there is room */
    CHECK(wrong_bytes(buffer->data, LARGE) == 0);
    mill_buffer_unref(buffer);
    CHECK(held(&memory) == 0);
}

static void *share_once(void *argument)
{
    struct mill_error error;
    size_t offset;
    return (void *)(intptr_t)mill_buffer_share(argument, &offset, &error);
}

static void threads_that_share_one_get_one_descriptor(void)
{
    enum { SHARERS = 4 };
    int before = open_files();
    for (int round = 0; round < 20; round++) {
        struct mill_buffer *buffer = numbered(NULL, LARGE);
        pthread_t threads[SHARERS];
        void *fds[SHARERS];
        for (int i = 0; i < SHARERS; i++) {
            pthread_create(&threads[i], NULL, share_once, buffer);
        }
        CHECK(wrong_bytes(buffer->data, LARGE) == 0); /* while it moves */
        for (int i = 0; i < SHARERS; i++) pthread_join(threads[i], &fds[i]);
        for (int i = 1; i < SHARERS; i++) CHECK(fds[i] == fds[0]);
        mill_buffer_unref(buffer);
    }
    CHECK(open_files() == before);
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
    RUN(large_ones_are_padded_mappings);
    RUN(pages_of_a_freed_one_are_used_again);
    RUN(kept_pages_are_bounded_and_go_when_memory_is_short);
    RUN(growing_and_shrinking_keep_the_bytes);
    RUN(a_shared_one_has_the_same_bytes_at_the_same_place);
    RUN(another_process_maps_what_is_shared);
    RUN(a_file_that_is_too_short_is_refused);
    RUN(what_cannot_be_shared_stays_as_it_was);
    RUN(threads_that_share_one_get_one_descriptor);
    RUN(the_last_of_many_threads_frees);
    RUN(the_peak_is_never_below_what_one_thread_held);
    return check_end();
}
