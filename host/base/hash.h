/* hash: XXH3-128, the name of everything that is addressed by content.
 * A mill_hasher takes records: every field is preceded by a domain tag and its length,
 * so that two different sequences of fields never feed the same bytes.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_HASH_H
#define MILL_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mill_hash {
    uint64_t low, high;
};

static inline bool mill_hash_equal(struct mill_hash a, struct mill_hash b)
{
    return a.low == b.low && a.high == b.high;
}

/* No content has the hash zero: it stands for what was not there. */
static inline bool mill_hash_is_zero(struct mill_hash hash)
{
    return hash.low == 0 && hash.high == 0;
}

/* memcmp order over (high, low): any total order will do, it must only never change. */
static inline int mill_hash_compare(struct mill_hash a, struct mill_hash b)
{
    if (a.high != b.high) return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

/* Hash of plain bytes. */
struct mill_hash mill_hash_bytes(const void *bytes, size_t size);

/* 32 hexadecimal digits, high half first, and a terminator. */
void mill_hash_text(struct mill_hash hash, char text[33]);

/* The hash that such a text stands for; false: it stands for none. */
bool mill_hash_parse(const char *text, struct mill_hash *hash);

/* A stream of records.  Lives on the stack, allocates nothing, needs no end.  `domain` is a
 * short constant such as "task/1". */
struct mill_hasher {
    size_t used;
    uint8_t block[512]; /* pending input; opens with the hash of the blocks before it */
};

void mill_hasher_init(struct mill_hasher *hasher, const char *domain);
void mill_hasher_bytes(struct mill_hasher *hasher, const void *bytes, size_t size);
void mill_hasher_number(struct mill_hasher *hasher, uint64_t number);
void mill_hasher_hash(struct mill_hasher *hasher, struct mill_hash hash);
struct mill_hash mill_hasher_end(const struct mill_hasher *hasher);

#endif
