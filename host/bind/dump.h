/* dump: the bytes of a LuaJIT dump, read from the first to the last.
 * The rule: after the first failure `status` says so, the reader stands at the end, and all that is
 * read are zeros.  SPDX-License-Identifier: MIT */
#ifndef MILL_DUMP_H
#define MILL_DUMP_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum mill_dump_flag {
    MILL_DUMP_BIG_ENDIAN = 1,
    MILL_DUMP_STRIPPED = 2,
    MILL_DUMP_FFI = 4,
    MILL_DUMP_FR2 = 8,           /* frames take two slots: builds with 64-bit references */
    MILL_DUMP_BIT_OPERATORS = 16 /* newer builds: a & b and the like, codes after JMP */
};

struct mill_dump {
    const uint8_t *start, *at, *end; /* whoever reads a part moves the end */
    uint32_t flags;                  /* from mill_dump_header on */
    tidemill_status status;
    struct mill_error *error;
};

/* Keeps the first failure: TIDEMILL_DATA, with the place in front. */
__attribute__((format(printf, 2, 3))) void mill_dump_refuse(struct mill_dump *dump,
                                                            const char *format, ...);

/* What stands before the prototypes.  TIDEMILL_UNSUPPORTED for what another LuaJIT may have written. */
void mill_dump_header(struct mill_dump *dump);

static inline uint8_t mill_dump_byte(struct mill_dump *dump)
{
    if (dump->at < dump->end) return *dump->at++;
    mill_dump_refuse(dump, "ends too early");
    return 0;
}

/* NULL on failure. */
const uint8_t *mill_dump_bytes(struct mill_dump *dump, size_t size);

/* A ULEB128 number below 2^bits; bits is 32 or 33. */
uint64_t mill_dump_uleb(struct mill_dump *dump, int bits);

/* A count of things that take `each` bytes or more, of which so many must still follow: so
 * no loop is longer than the dump. */
size_t mill_dump_count(struct mill_dump *dump, size_t each);

/* Two numbers of 32 bits, the low half first. */
uint64_t mill_dump_halves(struct mill_dump *dump);

#endif
