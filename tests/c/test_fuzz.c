/* test_fuzz: a bounded run of what `make fuzz` runs without end: bytes of every kind, changed at
 * random, given to what reads values, value files, exported caches, arrays, Arrow's
 * structures, fused programs and messages of a script's process.
 * Sanitizers see the most.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "../fuzz/fuzz.h"

#include "../fuzz/arrow.c"
#include "../fuzz/loop.c"
#include "../fuzz/message.c"
#include "../fuzz/targets.c"
#include "check.h"

static uint64_t seed;

static void run_target(int number, int rounds)
{
    char folder[128];
    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s", fuzz_targets[number].name);
    CHECK_SAYING(fuzz_folder(&fuzz_targets[number], folder, seed, rounds) >= 2,
                 "%s has no files", folder);
}

static void values_of_any_bytes_load_or_do_not(void)
{
    run_target(0, 20000);
}

static void files_of_any_bytes_are_read_or_are_not(void)
{
    run_target(1, 20000);
}

static void exports_of_any_bytes_are_imported_or_are_not(void)
{
    run_target(2, 100);
}

static void arrays_of_any_bytes_are_read_or_are_not(void)
{
    run_target(3, 20000);
}

static void programs_of_any_bytes_run_or_are_refused(void)
{
    run_target(4, 20000);
}

static void structures_of_any_bytes_are_imported_or_are_not(void)
{
    run_target(5, 20000);
}

static void messages_of_any_bytes_are_answers_or_are_none(void)
{
    run_target(6, 20000);
}

static void news_of_any_bytes_are_news_or_are_none(void)
{
    run_target(7, 20000);
}

int main(void)
{
    seed = check_seed();
    RUN(values_of_any_bytes_load_or_do_not);
    RUN(files_of_any_bytes_are_read_or_are_not);
    RUN(exports_of_any_bytes_are_imported_or_are_not);
    RUN(arrays_of_any_bytes_are_read_or_are_not);
    RUN(programs_of_any_bytes_run_or_are_refused);
    RUN(structures_of_any_bytes_are_imported_or_are_not);
    RUN(messages_of_any_bytes_are_answers_or_are_none);
    RUN(news_of_any_bytes_are_news_or_are_none);
    return check_end();
}
