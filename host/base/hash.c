/* hash: XXH3-128 over bytes and over streams of records.  SPDX-License-Identifier: MIT */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct mill_hash mill_hash_bytes(const void *bytes, size_t size)
{
    XXH128_hash_t hash = XXH3_128bits(bytes, size);
    return (struct mill_hash){hash.low64, hash.high64};
}

void mill_hash_text(struct mill_hash hash, char text[33])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t halves[2] = {hash.high, hash.low};
    for (int i = 0; i < 32; i++) {
        text[i] = digits[halves[i / 16] >> (60 - 4 * (i % 16)) & 15];
    }
    text[32] = '\0';
}

static bool parse_half(const char *text, uint64_t *half)
{
    *half = 0;
    for (int i = 0; i < 16; i++) {
        char c = text[i];
        bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
        if (!digit && !letter) return false;
        *half = *half << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    return true;
}

bool mill_hash_parse(const char *text, struct mill_hash *hash)
{
    return parse_half(text, &hash->high) && parse_half(text + 16, &hash->low) &&
           text[32] == '\0';
}

/* ---- records: each field is a one-byte tag, its length, its bytes ---------------------- */

/* A full block is folded into the chain; the chain opens the next block.  So the hash is a
 * fixed function of the fields alone, whatever their lengths. */
static void hasher_fold(struct mill_hasher *hasher)
{
    struct mill_hash block = mill_hash_bytes(hasher->block, hasher->used);
    memcpy(hasher->block, &block.low, 8);
    memcpy(hasher->block + 8, &block.high, 8);
    hasher->used = 16;
}

static void hasher_feed(struct mill_hasher *hasher, const void *bytes, size_t size)
{
    if (size > sizeof hasher->block - hasher->used) hasher_fold(hasher);
    if (size) memcpy(hasher->block + hasher->used, bytes, size); /* NULL is no bytes */
    hasher->used += size;
}

static void hasher_field(struct mill_hasher *hasher, char tag, uint64_t size)
{
    uint8_t head[9] = {(uint8_t)tag};
    memcpy(head + 1, &size, 8);
    hasher_feed(hasher, head, sizeof head);
}

void mill_hasher_init(struct mill_hasher *hasher, const char *domain)
{
    hasher->used = 0;
    mill_hasher_bytes(hasher, domain, strlen(domain));
}

void mill_hasher_bytes(struct mill_hasher *hasher, const void *bytes, size_t size)
{
    hasher_field(hasher, 'b', size);
    if (size <= 256) {
        hasher_feed(hasher, bytes, size);
    } else {
        struct mill_hash hash = mill_hash_bytes(bytes, size);
        hasher_feed(hasher, &hash, sizeof hash);
    }
}

void mill_hasher_number(struct mill_hasher *hasher, uint64_t number)
{
    hasher_field(hasher, 'n', number);
}

void mill_hasher_hash(struct mill_hasher *hasher, struct mill_hash hash)
{
    hasher_field(hasher, 'h', 16);
    hasher_feed(hasher, &hash, sizeof hash);
}

struct mill_hash mill_hasher_end(const struct mill_hasher *hasher)
{
    return mill_hash_bytes(hasher->block, hasher->used);
}
