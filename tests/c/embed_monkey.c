/* A sandboxed script that does everything with everything (tests/data/monkey.lua) never ends its process: what the
 * library lends it cannot be bent until C code breaks.  TIDEMILL_TEST_SEED repeats one.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tidemill.h"

enum { ROUNDS = 40 };

static char script[8192];

static void read_script(void)
{
    FILE *file = fopen("tests/data/monkey.lua", "r");
    size_t size = file ? fread(script, 1, sizeof script - 1, file) : 0;
    if (size == 0 || fclose(file) != 0) {
        printf("not ok tests/data/monkey.lua is there\n");
        exit(1);
    }
}

int main(void)
{
    const char *given = getenv("TIDEMILL_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    tidemill_config config = {
        .size = sizeof config, .workers = 2, .sandbox = 1, .deadline = 10, .notes = 2};
    tidemill *engine;
    int failed = 0;
    printf("seed %u (repeat with TIDEMILL_TEST_SEED=%u)\n", seed, seed);
    read_script();
    if (tidemill_open(&config, &engine) != TIDEMILL_OK) return 1;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char number[16], *words[] = {number};
        snprintf(number, sizeof number, "%u", seed + i);
        tidemill_status status = tidemill_run_string(engine, script, "monkey", 1, words);
        /* It may wait for ever, or throw; it may not crash. */
        int fine = status == TIDEMILL_OK || status == TIDEMILL_DEADLINE ||
                   strstr(tidemill_error(engine), "the script's process") == NULL;
        if (!fine) printf("not ok seed %u: %s\n", seed + i, tidemill_error(engine));
        failed += !fine;
    }
    tidemill_close(engine);
    printf("%d passed, %d failed, 0 skipped\n", ROUNDS - failed, failed);
    return failed != 0;
}
