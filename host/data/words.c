/* words: distinct texts, numbered from 0 in order of first appearance.
 * SPDX-License-Identifier: MIT */
#include "data/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/room.h"

void mill_words_fini(struct mill_words *words)
{
    free(words->bytes);
    free(words->ends);
    free(words->hashes);
    free(words->slots);
    memset(words, 0, sizeof *words);
}

/* Room for one word more, with at most half of the slots taken. */
static bool words_reserve(struct mill_words *words)
{
    if (words->count < words->capacity) return true;
    if (words->capacity > INT32_MAX / 4) return false;
    int32_t capacity = words->capacity ? words->capacity * 2 : 64;
    size_t slot_count = (size_t)capacity * 2;
    int32_t *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL || !mill_room_set(&words->ends, (size_t)capacity, sizeof *words->ends) ||
        !mill_room_set(&words->hashes, (size_t)capacity, sizeof *words->hashes)) {
        free(slots);
        return false;
    }
    for (int32_t i = 0; i < words->count; i++) {
        size_t slot = words->hashes[i] & (slot_count - 1);
        while (slots[slot]) slot = (slot + 1) & (slot_count - 1);
        slots[slot] = i + 1;
    }
    free(words->slots);
    words->slots = slots;
    words->slot_count = slot_count;
    words->capacity = capacity;
    return true;
}

static bool words_append(struct mill_words *words, const char *text, size_t size)
{
    size_t used = words->count ? (size_t)words->ends[words->count - 1] : 0;
    if (size > INT32_MAX - used) return false;
    if (used + size >= words->room) {
        size_t room = (used + size) * 2 + 256;
        if (!mill_room_set(&words->bytes, room, 1)) return false;
        words->room = room;
    }
    if (size) memcpy(words->bytes + used, text, size);
    words->ends[words->count++] = (int32_t)(used + size);
    return true;
}

int32_t mill_words_add(struct mill_words *words, const char *text, size_t size)
{
    if (!words_reserve(words)) return -1;
    uint64_t hash = mill_hash_bytes(text, size).low;
    size_t slot = hash & (words->slot_count - 1);
    for (; words->slots[slot]; slot = (slot + 1) & (words->slot_count - 1)) {
        int32_t word = words->slots[slot] - 1;
        int32_t start = mill_words_start(words, word);
        if (words->hashes[word] == hash && (size_t)(words->ends[word] - start) == size &&
            memcmp(words->bytes + start, text, size) == 0) {
            return word;
        }
    }
    words->hashes[words->count] = hash;
    if (!words_append(words, text, size)) return -1;
    words->slots[slot] = words->count;
    return words->count - 1;
}
