/* loop: files of a corpus, changed at random.  SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

struct input {
    uint8_t *bytes;
    size_t size;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct input read_input(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    struct input input = {0};
    if (file == NULL) return input;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    if (size >= 0 && (input.bytes = malloc((size_t)size + 1)) != NULL) {
        input.size = fread(input.bytes, 1, (size_t)size, file);
    }
    fclose(file);
    return input;
}

/* Numbers at which sizes turn. */
static uint64_t odd_number(uint64_t *random)
{
    static const uint64_t numbers[] = {0,          1,          0x7f,       0x80,
                                       0xff,       0xffff,     0x7fffffff, 0x80000000,
                                       0xffffffff, UINT64_MAX, INT64_MAX,  (uint64_t)1 << 40};
    return numbers[next_random(random) % (sizeof numbers / sizeof *numbers)];
}

/* A copy with some changes: bits, bytes, numbers, a cut, a piece of another. */
static struct input change(struct input from, struct input other, uint64_t *random)
{
    size_t room = from.size + 64;
    struct input made = {calloc(room, 1), from.size};
    if (from.size > 0) memcpy(made.bytes, from.bytes, from.size);
    for (uint64_t count = 1 + next_random(random) % 4; count > 0; count--) {
        size_t at = made.size ? next_random(random) % made.size : 0;
        uint64_t number = odd_number(random);
        switch (next_random(random) % 6) {
        case 0:
            if (made.size) made.bytes[at] ^= (uint8_t)(1 << next_random(random) % 8);
            break;
        case 1:
            if (made.size) made.bytes[at] = (uint8_t)next_random(random);
            break;
        case 2:
            if (made.size >= 8) memcpy(made.bytes + at % (made.size - 7), &number, 8);
            break;
        case 3:
            if (made.size >= 4) memcpy(made.bytes + at % (made.size - 3), &number, 4);
            break;
        case 4:
            made.size = next_random(random) % 8 ? at : made.size;
            break;
        default:
            for (size_t i = 0; i < 16 && i < other.size && at + i < made.size; i++) {
                made.bytes[at + i] = other.bytes[(i + number % 97) % other.size];
            }
        }
    }
    return made;
}

int fuzz_folder(const struct fuzz_target *target, const char *folder, uint64_t seed, int rounds)
{
    struct input inputs[256];
    int count = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL) return 0;
    for (struct dirent *entry; count < 256 && (entry = readdir(entries)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        inputs[count] = read_input(folder, entry->d_name);
        if (inputs[count].bytes) count++;
    }
    closedir(entries);
    for (int i = 0; i < count; i++) target->run(inputs[i].bytes, inputs[i].size);
    uint64_t random = seed * 2654435761u | 1;
    for (int round = 0; round < rounds && count > 0; round++) {
        struct input from = inputs[next_random(&random) % (uint64_t)count];
        struct input other = inputs[next_random(&random) % (uint64_t)count];
        struct input made = change(from, other, &random);
        /* Of just the size, so that a sanitizer sees a byte too far. */
        uint8_t *exact = malloc(made.size ? made.size : 1);
        memcpy(exact, made.bytes, made.size);
        target->run(exact, made.size);
        free(exact);
        free(made.bytes);
    }
    for (int i = 0; i < count; i++) free(inputs[i].bytes);
    return count;
}
