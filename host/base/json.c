/* json: texts and numbers as JSON writes them.  SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length by the first byte, and the least and greatest second byte: neither overlong forms nor
 * surrogates, nothing above U+10FFFF. */
static size_t shape_of(uint8_t first, uint8_t *least, uint8_t *most)
{
    *least = 0x80;
    *most = 0xBF;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first == 0xE0) *least = 0xA0;
    if (first == 0xED) *most = 0x9F;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first == 0xF0) *least = 0x90;
    if (first == 0xF4) *most = 0x8F;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

size_t mill_utf8_length(const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    uint8_t least, most;
    if (size == 0) return 0;
    size_t length = shape_of(bytes[0], &least, &most);
    if (length == 0 || length > size) return 0;
    if (length > 1 && (bytes[1] < least || bytes[1] > most)) return 0;
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) return 0;
    }
    return length;
}

/* One character below 0x80. */
static size_t write_ascii(char *out, char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *at = short_forms; *at; at += 2) {
        if (c != *at) continue;
        out[0] = '\\';
        out[1] = at[1];
        return 2;
    }
    if (c >= 0x20 && c < 0x7F) {
        *out = c;
        return 1;
    }
    static const char digits[] = "0123456789abcdef";
    memcpy(out, "\\u00", 4);
    out[4] = digits[c >> 4];
    out[5] = digits[c & 15];
    return 6;
}

size_t mill_json_text(char *out, const char *text, size_t size)
{
    char *at = out;
    *at++ = '"';
    for (size_t i = 0; i < size;) {
        size_t length = mill_utf8_length(text + i, size - i);
        if (length == 1) {
            at += write_ascii(at, text[i]);
        } else if (length == 0) {
            memcpy(at, "\xEF\xBF\xBD", 3);
            at += 3;
        } else {
            memcpy(at, text + i, length);
            at += length;
        }
        i += length > 0 ? length : 1;
    }
    *at++ = '"';
    return (size_t)(at - out);
}

size_t mill_json_number(char out[MILL_JSON_NUMBER], double number)
{
    if (!isfinite(number)) return (size_t)snprintf(out, MILL_JSON_NUMBER, "null");
    if (number == floor(number) && fabs(number) < 9007199254740992.0) {
        bool minus_zero = number == 0 && signbit(number);
        return (size_t)snprintf(out, MILL_JSON_NUMBER, "%s%lld", minus_zero ? "-" : "",
                                (long long)number);
    }
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(out, MILL_JSON_NUMBER, "%.*g", digits, number);
        if (strtod(out, NULL) == number) break;
    }
    char *comma = memchr(out, ',', (size_t)length); /* the host program's locale may have one */
    if (comma) *comma = '.';
    return (size_t)length;
}
