/* test_spill: the coldest results on disk: with the same bytes at the same place, while others read
 * them, when the disk is full, and with nothing left behind.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/spill.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "fail_check.h"

enum { MB = 1 << 20 };

static const double shares[MILL_PRESSURES] = {0, 0.6, 0.7, 0.8, 0.95};

struct fixture {
    struct mill_memory memory;
    struct mill_spill spill;
    char folder[64];
    int warnings, notes;
    char warning[200];
    int64_t noted;
};

static void warned(void *context, const char *text)
{
    struct fixture *fixture = context;
    fixture->warnings++;
    snprintf(fixture->warning, sizeof fixture->warning, "%s", text);
}

static void noted(void *context, int64_t blocks, int64_t bytes, int64_t begin, int64_t end)
{
    struct fixture *fixture = context;
    fixture->notes++;
    fixture->noted += bytes;
    CHECK(blocks > 0 && end >= begin);
}

/* What the process has besides does not count here: nobody measures. */
static void open_fixture(struct fixture *fixture, int64_t limit)
{
    memset(fixture, 0, sizeof *fixture);
    mill_spill_init(&fixture->spill, &fixture->memory);
    fixture->spill.warn = warned;
    fixture->spill.note = noted;
    fixture->spill.context = fixture;
    mill_memory_set_limit(&fixture->memory, limit, shares);
    atomic_store(&fixture->memory.measured, INT64_MAX / 2);
    snprintf(fixture->folder, sizeof fixture->folder, "/var/tmp/tidemill-test-XXXXXX");
    CHECK(mkdtemp(fixture->folder) != NULL);
    CHECK(mill_spill_set_folder(&fixture->spill, fixture->folder));
}

static void close_fixture(struct fixture *fixture)
{
    CHECK(atomic_load(&fixture->memory.bytes) == 0);
    CHECK(atomic_load(&fixture->memory.spilled) == 0);
    CHECK(fixture->spill.oldest == NULL && fixture->spill.newest == NULL);
    CHECK(rmdir(fixture->folder) == 0); /* nothing is left in it */
    mill_spill_fini(&fixture->spill);
}

static int64_t held(struct fixture *fixture)
{
    return atomic_load(&fixture->memory.bytes);
}

static int64_t spilled(struct fixture *fixture)
{
    return atomic_load(&fixture->memory.spilled);
}

static bool is_on_disk(const struct mill_buffer *buffer)
{
    return atomic_load(&buffer->origin) == MILL_ORIGIN_FILE;
}

static uint32_t word(uint32_t seed, size_t i)
{
    return (uint32_t)(i * 2654435761u) ^ seed;
}

static struct mill_buffer *filled(struct fixture *fixture, size_t size, uint32_t seed)
{
    struct mill_buffer *buffer = mill_buffer_new(&fixture->memory, size);
    uint32_t *words = (uint32_t *)(void *)buffer->data;
    for (size_t i = 0; i < size / 4; i++) words[i] = word(seed, i);
    return buffer;
}

static size_t wrong_words(const struct mill_buffer *buffer, uint32_t seed)
{
    const uint32_t *words = (const uint32_t *)(const void *)buffer->data;
    size_t wrong = 0;
    for (size_t i = 0; i < buffer->size / 4; i++) wrong += words[i] != word(seed, i);
    return wrong;
}

static void the_oldest_published_go_first(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 10 * MB);
    struct mill_buffer *writable = filled(&fixture, MB, 100), *buffers[12];
    for (uint32_t i = 0; i < 12; i++) {
        buffers[i] = filled(&fixture, MB, i);
        mill_buffer_publish(buffers[i]);
        CHECK(held(&fixture) <= 7 * MB);
    }
    CHECK(held(&fixture) + spilled(&fixture) == 13 * MB);
    CHECK(!is_on_disk(writable) && is_on_disk(buffers[0]) && !is_on_disk(buffers[11]));
    for (int i = 1; i < 12; i++) CHECK(is_on_disk(buffers[i - 1]) || !is_on_disk(buffers[i]));
    for (uint32_t i = 0; i < 12; i++) CHECK(wrong_words(buffers[i], i) == 0);
    CHECK(wrong_words(writable, 100) == 0);
    CHECK(fixture.notes > 0 && fixture.noted == spilled(&fixture) && fixture.warnings == 0);
    CHECK(atomic_load(&fixture.spill.count) * MB == spilled(&fixture));
    for (int i = 0; i < 12; i++) mill_buffer_unref(buffers[i]);
    mill_buffer_unref(writable);
    close_fixture(&fixture);
}

static void a_slice_publishes_and_keeps_its_block(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 4 * MB);
    struct mill_buffer *whole = filled(&fixture, 2 * MB, 5);
    struct mill_buffer *slice = mill_buffer_slice(whole, 4096, 8);
    mill_buffer_publish(slice);
    mill_buffer_publish(slice);
    mill_spill_make_room(&fixture.memory, 2 * MB);
    CHECK(is_on_disk(whole) && held(&fixture) == 0);
    mill_buffer_unref(whole);
    CHECK(((uint32_t *)(void *)slice->data)[1] == word(5, 1025));
    CHECK(spilled(&fixture) == 2 * MB);
    mill_buffer_unref(slice);
    close_fixture(&fixture);
}

static void one_that_tasks_fill_stays_in_memory(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 10 * MB);
    struct mill_buffer *whole = mill_buffer_new(&fixture.memory, 5 * MB);
    CHECK(whole != NULL);
    mill_buffer_set_filling(whole, true);
    struct mill_buffer *part = mill_buffer_slice(whole, MB, MB);
    mill_buffer_publish(whole); /* as the tasks' arguments are */
    mill_buffer_publish(part);
    mill_spill_make_room(&fixture.memory, 4 * MB);
    CHECK(!is_on_disk(whole) && spilled(&fixture) == 0);
    memset(part->data, 7, part->size); /* it may be written */

    mill_buffer_set_filling(whole, false);
    mill_buffer_publish(whole);
    mill_spill_make_room(&fixture.memory, 4 * MB);
    CHECK(is_on_disk(whole));
    CHECK(part->data[0] == 7 && part->data[MB - 1] == 7);
    mill_buffer_unref(part);
    mill_buffer_unref(whole);
    close_fixture(&fixture);
}

static void without_a_limit_nothing_spills(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 0);
    struct mill_buffer *buffer = filled(&fixture, 8 * MB, 1);
    mill_buffer_publish(buffer);
    mill_spill_make_room(&fixture.memory, (size_t)1 << 40);
    CHECK(!is_on_disk(buffer) && mill_memory_pressure(&fixture.memory) == MILL_PRESSURE_NONE);
    mill_buffer_unref(buffer);
    close_fixture(&fixture);
}

static void one_that_spills_may_be_shared_before_and_after(void)
{
    struct fixture fixture;
    struct mill_error error;
    size_t offset;
    open_fixture(&fixture, 4 * MB);
    struct mill_buffer *before = filled(&fixture, MB, 1), *after = filled(&fixture, MB, 2);
    int fd = mill_buffer_share(before, &offset, &error);
    mill_buffer_publish(after);
    mill_spill_make_room(&fixture.memory, 3 * MB);
    CHECK(is_on_disk(before) && is_on_disk(after) && held(&fixture) == 0);
    /* The descriptor is as good as ever. */
    CHECK(mill_buffer_share(before, &offset, &error) == fd && fcntl(fd, F_GETFD) >= 0);
    struct mill_buffer *mapped = mill_buffer_map(NULL, dup(fd), MB, &error);
    CHECK(mapped && wrong_words(mapped, 1) == 0);
    mill_buffer_unref(mapped);
    CHECK(mill_buffer_share(after, &offset, &error) >= 0);
    CHECK(!is_on_disk(after) && held(&fixture) == MB && spilled(&fixture) == MB);
    mill_spill_make_room(&fixture.memory, 3 * MB);
    CHECK(is_on_disk(after) && held(&fixture) == 0); /* and again */
    CHECK(wrong_words(before, 1) == 0 && wrong_words(after, 2) == 0);
    mill_buffer_unref(before);
    mill_buffer_unref(after);
    close_fixture(&fixture);
}

/* ---- trouble ----------------------------------------------------------------------------- */

static void a_full_disk_is_told_once_and_rests(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 4 * MB);
    struct mill_buffer *buffer = filled(&fixture, 2 * MB, 9);
    mill_buffer_publish(buffer);
    struct rlimit all, few;
    getrlimit(RLIMIT_FSIZE, &all);
    few = all;
    few.rlim_cur = MB;
    setrlimit(RLIMIT_FSIZE, &few);
    mill_spill_make_room(&fixture.memory, 2 * MB);
    mill_spill_make_room(&fixture.memory, 2 * MB);
    setrlimit(RLIMIT_FSIZE, &all);
    CHECK(fixture.warnings == 1 && strstr(fixture.warning, "File too large"));
    CHECK(strstr(fixture.warning, fixture.folder) != NULL);
    CHECK(!is_on_disk(buffer) && wrong_words(buffer, 9) == 0 && held(&fixture) == 2 * MB);
    CHECK(atomic_load(&fixture.spill.rests_until) > 0);
    atomic_store(&fixture.spill.rests_until, 0); /* a while later */
    mill_spill_make_room(&fixture.memory, 2 * MB);
    CHECK(is_on_disk(buffer) && wrong_words(buffer, 9) == 0 && fixture.warnings == 1);
    mill_buffer_unref(buffer);
    close_fixture(&fixture);
}

static void a_folder_that_is_not_there_is_told(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 4 * MB);
    CHECK(mill_spill_set_folder(&fixture.spill, "/nowhere/at/all"));
    struct mill_buffer *buffer = filled(&fixture, 2 * MB, 9);
    mill_buffer_publish(buffer);
    mill_spill_make_room(&fixture.memory, 2 * MB);
    CHECK(fixture.warnings == 1 && strstr(fixture.warning, "/nowhere/at/all: No such file"));
    CHECK(!is_on_disk(buffer));
    mill_buffer_unref(buffer);
    close_fixture(&fixture);
}

static void memory_that_fails_leaves_the_account_right(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has its own allocator");
    struct fixture fixture;
    open_fixture(&fixture, 4 * MB);
    for (int64_t left = 0; left < 6; left++) {
        allocations_left = left;
        struct mill_buffer *buffer = mill_buffer_new(&fixture.memory, MB);
        mill_buffer_publish(buffer);
        mill_spill_make_room(&fixture.memory, 3 * MB);
        allocations_left = INT64_MAX;
        CHECK(held(&fixture) + spilled(&fixture) == (buffer ? MB : 0));
        mill_buffer_unref(buffer);
        CHECK(held(&fixture) + spilled(&fixture) == 0);
    }
    close_fixture(&fixture);
}

/* ---- pressure ---------------------------------------------------------------------------- */

static void pressure_follows_what_is_used(void)
{
    struct mill_memory memory = {0};
    mill_memory_set_limit(&memory, 1000, shares);
    atomic_store(&memory.measured, INT64_MAX / 2);
    static const struct {
        int used;
        enum mill_pressure pressure;
    } steps[] = {{600, MILL_PRESSURE_NONE},      {601, MILL_PRESSURE_TARGET},
                 {701, MILL_PRESSURE_SPILL},     {801, MILL_PRESSURE_PAUSE},
                 {951, MILL_PRESSURE_TERMINATE}, {760, MILL_PRESSURE_PAUSE},
                 {750, MILL_PRESSURE_SPILL},     {790, MILL_PRESSURE_SPILL},
                 {900, MILL_PRESSURE_PAUSE},     {10, MILL_PRESSURE_NONE}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        atomic_store(&memory.bytes, steps[i].used);
        mill_memory_update(&memory);
        CHECK_SAYING(mill_memory_pressure(&memory) == steps[i].pressure, "step %zu: %d", i,
                     (int)mill_memory_pressure(&memory));
    }
    CHECK(atomic_load(&memory.pauses) == 2);
}

static void what_is_measured_is_what_the_process_has(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("a sanitizer's own memory counts, too");
    struct mill_memory memory = {0};
    mill_memory_set_limit(&memory, INT64_MAX / 4, shares);
    mill_memory_look(&memory, INT64_MAX / 2);
    int64_t before = mill_memory_used(&memory);
    CHECK(before > 0);
    struct mill_buffer *buffer = mill_buffer_new(&memory, 32 * MB);
    memset(buffer->data, 1, buffer->size);
    CHECK(mill_memory_used(&memory) == before + 32 * MB);
    atomic_store(&memory.measured, 0);
    mill_memory_look(&memory, INT64_MAX / 2);
    int64_t after = mill_memory_used(&memory);
    CHECK_SAYING(after - before > 30 * MB && after - before < 40 * MB, "%lld more",
                 (long long)(after - before));
    mill_buffer_unref(buffer);
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { READERS = 3, BLOCKS = 8 };

struct reading {
    struct mill_buffer *buffers[BLOCKS];
    _Atomic bool stop;
    _Atomic size_t wrong, rounds;
};

static void *read_all(void *argument)
{
    struct reading *reading = argument;
    do {
        for (uint32_t i = 0; i < BLOCKS; i++) {
            atomic_fetch_add(&reading->wrong, wrong_words(reading->buffers[i], i));
        }
        atomic_fetch_add(&reading->rounds, 1);
    } while (!atomic_load(&reading->stop));
    return NULL;
}

static void readers_notice_nothing(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 16 * MB);
    struct mill_error error;
    for (int round = 0; round < 10; round++) {
        struct reading reading = {.stop = false};
        pthread_t threads[READERS];
        for (uint32_t i = 0; i < BLOCKS; i++) {
            reading.buffers[i] = filled(&fixture, MB, i);
            mill_buffer_publish(reading.buffers[i]);
        }
        for (int i = 0; i < READERS; i++) {
            pthread_create(&threads[i], NULL, read_all, &reading);
        }
        while (atomic_load(&reading.rounds) == 0) sched_yield();
        size_t offset;
        for (int i = 0; i < BLOCKS; i += 3) {
            CHECK(mill_buffer_share(reading.buffers[i], &offset, &error) >= 0);
        }
        mill_spill_make_room(&fixture.memory, 16 * MB);
        CHECK(held(&fixture) == 0);
        size_t seen = atomic_load(&reading.rounds);
        while (atomic_load(&reading.rounds) <= seen + READERS) sched_yield();
        atomic_store(&reading.stop, true);
        for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
        CHECK(atomic_load(&reading.wrong) == 0);
        for (int i = 0; i < BLOCKS; i++) mill_buffer_unref(reading.buffers[i]);
    }
    close_fixture(&fixture);
}

static void *make_and_drop(void *argument)
{
    struct fixture *fixture = argument;
    struct mill_buffer *kept[16] = {NULL};
    for (uint32_t i = 0; i < 400; i++) {
        struct mill_buffer **place = &kept[i * 7 % 16];
        mill_buffer_unref(*place);
        *place = filled(fixture, MILL_BUFFER_MAPPED * (1 + i % 4), i);
        mill_buffer_publish(*place);
        CHECK(wrong_words(*place, i) == 0);
    }
    for (int i = 0; i < 16; i++) mill_buffer_unref(kept[i]);
    return NULL;
}

static void many_threads_stay_below_the_mark(void)
{
    struct fixture fixture;
    open_fixture(&fixture, 4 * MB);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, make_and_drop, &fixture);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK(atomic_load(&fixture.spill.count) > 0);
    CHECK(atomic_load(&fixture.memory.peak) <= 4 * MB);
    close_fixture(&fixture);
}

int main(void)
{
    RUN(the_oldest_published_go_first);
    RUN(a_slice_publishes_and_keeps_its_block);
    RUN(one_that_tasks_fill_stays_in_memory);
    RUN(without_a_limit_nothing_spills);
    RUN(one_that_spills_may_be_shared_before_and_after);
    RUN(a_full_disk_is_told_once_and_rests);
    RUN(a_folder_that_is_not_there_is_told);
    RUN(memory_that_fails_leaves_the_account_right);
    RUN(pressure_follows_what_is_used);
    RUN(what_is_measured_is_what_the_process_has);
    RUN(readers_notice_nothing);
    RUN(many_threads_stay_below_the_mark);
    return check_end();
}
