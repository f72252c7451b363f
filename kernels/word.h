/* word: eight characters in one uint64_t, the first in the lowest byte on any machine.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNELS_WORD_H
#define MILL_KERNELS_WORD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t mill_word_repeat(char byte)
{
    return 0x0101010101010101u * (uint8_t)byte;
}

/* The first character in the lowest byte, on any machine. */
static inline uint64_t mill_word_load64(const char *text)
{
    uint64_t word;
    memcpy(&word, text, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t mill_word_load32(const char *text)
{
    uint32_t word;
    memcpy(&word, text, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap32(word);
#endif
    return word;
}

/* 1 to 8 characters, zero above; reads none outside. */
static inline uint64_t mill_word_load(const char *text, size_t size)
{
    if (size >= 4)
        return mill_word_load32(text) | mill_word_load32(text + size - 4) << 8 * (size - 4);
    uint64_t middle = (uint64_t)(uint8_t)text[size / 2] << 8 * (size / 2);
    uint64_t last = (uint64_t)(uint8_t)text[size - 1] << 8 * (size - 1);
    return (uint8_t)text[0] | middle | last;
}

/* Bit 7 of every byte that is zero, and no other bit. */
static inline uint64_t mill_word_zero_bytes(uint64_t word)
{
    uint64_t low = 0x7F7F7F7F7F7F7F7Fu;
    return ~(((word & low) + low) | word | low);
}

#endif
