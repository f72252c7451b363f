/* json_check: a strict reader of JSON for tests of what writes it.
 *     CHECK(json_is_good(text, size));
 *     json_member("{\"a\":\"b\\n\"}", "a", out, sizeof out)  ->  "b\n"
 * SPDX-License-Identifier: MIT */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json_reader {
    const char *at, *end;
    char *out; /* what the last string said; NULL: not wanted */
    size_t room;
    int depth;
};

static void json_blanks(struct json_reader *r)
{
    while (r->at < r->end && strchr(" \n\r\t", *r->at) && *r->at) r->at++;
}

static bool json_take(struct json_reader *r, char c)
{
    if (r->at >= r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static void json_say(struct json_reader *r, unsigned code)
{
    char bytes[4];
    size_t size = 0;
    if (code < 0x80) {
        bytes[size++] = (char)code;
    } else if (code < 0x800) {
        bytes[size++] = (char)(0xC0 | code >> 6);
        bytes[size++] = (char)(0x80 | (code & 63));
    } else {
        bytes[size++] = (char)(0xE0 | code >> 12);
        bytes[size++] = (char)(0x80 | (code >> 6 & 63));
        bytes[size++] = (char)(0x80 | (code & 63));
    }
    for (size_t i = 0; i < size && r->out && r->room > 1; i++) {
        *r->out++ = bytes[i];
        r->room--;
    }
}

static bool json_escape(struct json_reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->at >= r->end) return false;
    char c = *r->at++;
    const char *known = c ? strchr(from, c) : NULL;
    if (known) {
        json_say(r, (unsigned char)to[known - from]);
        return true;
    }
    if (c != 'u' || r->end - r->at < 4) return false;
    char digits[5] = {r->at[0], r->at[1], r->at[2], r->at[3], 0}, *rest;
    unsigned long code = strtoul(digits, &rest, 16);
    if (rest != digits + 4) return false;
    r->at += 4;
    json_say(r, (unsigned)code);
    return true;
}

/* Follows the table of well-formed sequences in the Unicode standard. */
static int json_utf8(const unsigned char *s, ptrdiff_t left)
{
#define TAIL(i) (left > (i) && s[i] >= 0x80 && s[i] <= 0xBF)
    if (s[0] < 0x80) return 1;
    if (s[0] >= 0xC2 && s[0] <= 0xDF && TAIL(1)) return 2;
    if (s[0] == 0xE0 && TAIL(1) && s[1] >= 0xA0 && TAIL(2)) return 3;
    if (s[0] == 0xED && TAIL(1) && s[1] <= 0x9F && TAIL(2)) return 3;
    if (s[0] >= 0xE1 && s[0] <= 0xEF && s[0] != 0xED && TAIL(1) && TAIL(2)) return 3;
    if (s[0] == 0xF0 && TAIL(1) && s[1] >= 0x90 && TAIL(2) && TAIL(3)) return 4;
    if (s[0] >= 0xF1 && s[0] <= 0xF3 && TAIL(1) && TAIL(2) && TAIL(3)) return 4;
    if (s[0] == 0xF4 && TAIL(1) && s[1] <= 0x8F && TAIL(2) && TAIL(3)) return 4;
    return 0;
#undef TAIL
}

static bool json_string(struct json_reader *r)
{
    if (!json_take(r, '"')) return false;
    while (r->at < r->end) {
        unsigned char c = (unsigned char)*r->at;
        if (c == '"') {
            r->at++;
            if (r->out) *r->out = '\0';
            return true;
        }
        if (c < 0x20) return false;
        if (c == '\\') {
            r->at++;
            if (!json_escape(r)) return false;
            continue;
        }
        int length = json_utf8((const unsigned char *)r->at, r->end - r->at);
        if (length == 0) return false;
        for (; length > 0; length--, r->at++) {
            if (r->out && r->room > 1) *r->out++ = *r->at, r->room--;
        }
    }
    return false;
}

static bool json_digits(struct json_reader *r)
{
    const char *from = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9') r->at++;
    return r->at > from;
}

static bool json_number(struct json_reader *r)
{
    json_take(r, '-');
    if (!json_take(r, '0') && !json_digits(r)) return false;
    if (json_take(r, '.') && !json_digits(r)) return false;
    if (!json_take(r, 'e') && !json_take(r, 'E')) return true;
    if (!json_take(r, '+')) json_take(r, '-');
    return json_digits(r);
}

static bool json_word(struct json_reader *r, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0) return false;
    r->at += size;
    return true;
}

static bool json_value(struct json_reader *r);

static bool json_members(struct json_reader *r, char close, bool named)
{
    json_blanks(r);
    if (json_take(r, close)) return true;
    do {
        json_blanks(r);
        if (named && !json_string(r)) return false;
        json_blanks(r);
        if (named && !json_take(r, ':')) return false;
        if (!json_value(r)) return false;
        json_blanks(r);
    } while (json_take(r, ','));
    return json_take(r, close);
}

static bool json_value(struct json_reader *r)
{
    json_blanks(r);
    if (r->at >= r->end || r->depth > 50) return false;
    r->depth++;
    bool good;
    switch (*r->at) {
    case '{':
        r->at++;
        good = json_members(r, '}', true);
        break;
    case '[':
        r->at++;
        good = json_members(r, ']', false);
        break;
    case '"':
        good = json_string(r);
        break;
    default:
        good = json_word(r, "true") || json_word(r, "false") || json_word(r, "null") ||
               json_number(r);
    }
    r->depth--;
    return good;
}

/* Whether the bytes are one JSON value and blanks. */
static inline bool json_is_good(const char *text, size_t size)
{
    struct json_reader r = {.at = text, .end = text + size};
    if (!json_value(&r)) return false;
    json_blanks(&r);
    return r.at == r.end;
}

/* Text of a member of the object that `text` begins with: a string's content, the source of any
 * other value; false: there is none of that name. */
static inline bool json_member(const char *text, const char *name, char *out, size_t room)
{
    struct json_reader r = {.at = text, .end = text + strlen(text)};
    *out = '\0';
    if (!json_take(&r, '{')) return false;
    do {
        char found[64] = "";
        json_blanks(&r);
        r.out = found;
        r.room = sizeof found;
        if (!json_string(&r)) return false;
        r.out = NULL;
        json_blanks(&r);
        if (!json_take(&r, ':')) return false;
        json_blanks(&r);
        const char *from = r.at;
        bool wanted = strcmp(found, name) == 0;
        if (wanted && *from == '"') {
            r.out = out;
            r.room = room;
            return json_string(&r);
        }
        if (!json_value(&r)) return false;
        if (wanted) {
            snprintf(out, room, "%.*s", (int)(r.at - from), from);
            return true;
        }
        json_blanks(&r);
    } while (json_take(&r, ','));
    return false;
}

#endif
