/* main: `make fuzz`.  fuzz CORPUS ROUNDS SEED [TARGET]: changes of the corpus at random; fuzz seed
 * CORPUS: makes what to begin with.  With -DFUZZ_TARGET=fuzz_value and the like: an entry for
 * libFuzzer instead.  SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#ifdef FUZZ_TARGET

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    FUZZ_TARGET(bytes, size);
    return 0;
}

#else

int main(int count, char **arguments)
{
    if (count == 3 && strcmp(arguments[1], "seed") == 0) {
        fuzz_seed(arguments[2]);
        return 0;
    }
    if (count < 4) return 2;
    int rounds = atoi(arguments[2]);
    uint64_t seed = strtoull(arguments[3], NULL, 10);
    for (int i = 0; i < FUZZ_TARGETS; i++) {
        const struct fuzz_target *target = &fuzz_targets[i];
        char folder[512];
        if (count > 4 && strcmp(arguments[4], target->name) != 0) continue;
        snprintf(folder, sizeof folder, "%s/%s", arguments[1], target->name);
        int files = fuzz_folder(target, folder, seed, rounds);
        printf("fuzz %s: %d files, %d changes, seed %llu\n", target->name, files, rounds,
               (unsigned long long)seed);
        if (files == 0) return 1;
    }
    return 0;
}

#endif
