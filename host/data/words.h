/* words: distinct texts, numbered from 0 in order of first appearance.
 * A zeroed struct is an empty set; nothing here is shared between threads.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WORDS_H
#define MILL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mill_words {
    char *bytes;   /* of all words, one after another */
    int32_t *ends; /* of word i in bytes: with a 0 before them, the offsets of a utf8 array */
    uint64_t *hashes;
    int32_t *slots; /* open addressing: number + 1, or 0 */
    size_t room;    /* of bytes */
    size_t slot_count;
    int32_t count, capacity;
};

/* The number of a word, which is new or not; -1 when memory is short or all words together
 * would pass 2 GiB. */
int32_t mill_words_add(struct mill_words *words, const char *text, size_t size);
void mill_words_fini(struct mill_words *words);

static inline int32_t mill_words_start(const struct mill_words *words, int32_t word)
{
    return word ? words->ends[word - 1] : 0;
}

#endif
