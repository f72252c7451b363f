/* dump: the bytes of a LuaJIT dump, read from the first to the last.
 * SPDX-License-Identifier: MIT */
#include "bind/dump.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DUMP_VERSION = 2 };
static const uint32_t DUMP_KNOWN = 31 | 0x80000000u; /* the top bit: constants were sorted */

void mill_dump_refuse(struct mill_dump *dump, const char *format, ...)
{
    char text[256];
    size_t at = (size_t)(dump->at - dump->start);
    dump->at = dump->end;
    if (dump->status != TIDEMILL_OK) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dump->status = mill_fail(dump->error, TIDEMILL_DATA, "bytecode, byte %zu: %s", at, text);
}

const uint8_t *mill_dump_bytes(struct mill_dump *dump, size_t size)
{
    const uint8_t *bytes = dump->at;
    if (size > (size_t)(dump->end - bytes)) {
        mill_dump_refuse(dump, "ends too early, %zu bytes expected", size);
    }
    if (dump->status != TIDEMILL_OK) return NULL;
    dump->at += size;
    return bytes;
}

uint64_t mill_dump_uleb(struct mill_dump *dump, int bits)
{
    uint64_t number = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        uint8_t byte = mill_dump_byte(dump);
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) break;
        if (shift == 28) number = UINT64_MAX;
    }
    if (number >> bits == 0) return number;
    mill_dump_refuse(dump, "a number of more than %d bits", bits);
    return 0;
}

size_t mill_dump_count(struct mill_dump *dump, size_t each)
{
    uint64_t number = mill_dump_uleb(dump, 32);
    if (number <= (size_t)(dump->end - dump->at) / each) return (size_t)number;
    mill_dump_refuse(dump, "%llu items announced, more than the bytes left can hold",
                     (unsigned long long)number);
    return 0;
}

uint64_t mill_dump_halves(struct mill_dump *dump)
{
    uint64_t low = mill_dump_uleb(dump, 32);
    return mill_dump_uleb(dump, 32) << 32 | low;
}

void mill_dump_header(struct mill_dump *dump)
{
    if (dump->end - dump->at < 5 || memcmp(dump->at, "\x1bLJ", 3) != 0) {
        mill_dump_refuse(dump, "not a dump of LuaJIT (ESC L J expected)");
        return;
    }
    if (dump->at[3] != DUMP_VERSION) {
        dump->status = mill_fail(dump->error, TIDEMILL_UNSUPPORTED,
                                 "bytecode: version %d of LuaJIT's format, %d is understood",
                                 dump->at[3], DUMP_VERSION);
        return;
    }
    dump->at += 4;
    dump->flags = (uint32_t)mill_dump_uleb(dump, 32);
    if (dump->flags & ~DUMP_KNOWN) {
        dump->status = mill_fail(dump->error, TIDEMILL_UNSUPPORTED,
                                 "bytecode: header flags 0x%x, of which 0x%x are understood",
                                 dump->flags, DUMP_KNOWN);
        return;
    }
    if (!(dump->flags & MILL_DUMP_STRIPPED)) mill_dump_bytes(dump, mill_dump_count(dump, 1));
}
