/* response: reads an HTTP/1.1 response as its bytes arrive (RFC 9112).
 * SPDX-License-Identifier: MIT */
#include "lane/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "base/units.h"

enum { MOST_FIELDS = 1000 };

void mill_response_init(struct mill_response *response, size_t most)
{
    memset(response, 0, sizeof *response);
    response->most = most;
}

static void clear_fields(struct mill_response *response)
{
    for (size_t i = 0; i < response->field_count; i++) free(response->fields[i].name);
    response->field_count = 0;
    free(response->reason);
    response->reason = NULL;
}

void mill_response_fini(struct mill_response *response)
{
    clear_fields(response);
    free(response->fields);
    free(response->body);
    free(response->line);
    memset(response, 0, sizeof *response);
}

static bool fail(struct mill_response *response, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(struct mill_response *response, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(response->failure, sizeof response->failure, format, arguments);
    va_end(arguments);
    response->state = MILL_RESPONSE_FAILED;
    return false;
}

/* Room for `wanted` bytes in a block that grows by doubling. */
static bool reserve_bytes(char **bytes, size_t *room, size_t wanted)
{
    if (wanted <= *room) return true;
    size_t more = *room ? *room * 2 : 512;
    if (more < wanted) more = wanted;
    if (!mill_room_set(bytes, more, 1)) return false;
    *room = more;
    return true;
}

/* ---- the head --------------------------------------------------------------------------------- */

static bool is_token(char c)
{
    return mill_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* Text that a message may hold: no control characters but the tab. */
static bool is_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 0x7F) return false;
    }
    return true;
}

static char *copy_string(const char *text, size_t size)
{
    char *made = malloc(size + 1);
    if (made == NULL) return NULL;
    memcpy(made, text, size);
    made[size] = 0;
    return made;
}

/* HTTP/1.1 200 OK */
static bool read_status(struct mill_response *response, const char *line, size_t size)
{
    if (size < 12 || memcmp(line, "HTTP/1.", 7) != 0 || !mill_is_digit(line[7]) ||
        line[8] != ' ' || !mill_is_digit(line[9]) || !mill_is_digit(line[10]) ||
        !mill_is_digit(line[11]) || (size > 12 && line[12] != ' ') || !is_text(line, size)) {
        return fail(response, "the answer is not HTTP/1.1");
    }
    response->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (response->status < 100) return fail(response, "the answer is not HTTP/1.1");
    size_t skip = size > 12 ? 13 : 12;
    response->reason = copy_string(line + skip, size - skip);
    if (response->reason == NULL) return fail(response, "out of memory");
    response->state = MILL_RESPONSE_HEADER;
    return true;
}

static struct mill_response_field *find_field(const struct mill_response *response,
                                              const char *name, size_t size)
{
    for (size_t i = 0; i < response->field_count; i++) {
        const char *known = response->fields[i].name;
        if (strncmp(known, name, size) == 0 && known[size] == 0) return &response->fields[i];
    }
    return NULL;
}

const char *mill_response_field(const struct mill_response *response, const char *name)
{
    const struct mill_response_field *field = find_field(response, name, strlen(name));
    return field ? field->value : NULL;
}

/* One block holds name and value; `before` (NULL: none) comes before the value. */
static bool set_field(struct mill_response_field *field, const char *name, size_t name_size,
                      const char *before, const char *value, size_t size)
{
    size_t first = before ? strlen(before) + 2 : 0;
    char *block = malloc(name_size + first + size + 2);
    if (block == NULL) return false;
    memcpy(block, name, name_size);
    block[name_size] = 0;
    char *to = block + name_size + 1;
    if (before) {
        memcpy(to, before, first - 2);
        memcpy(to + first - 2, ", ", 2);
    }
    memcpy(to + first, value, size);
    to[first + size] = 0;
    free(field->name);
    *field = (struct mill_response_field){block, to};
    return true;
}

static bool add_field(struct mill_response *response, const char *name, size_t name_size,
                      const char *value, size_t size)
{
    struct mill_response_field *field = find_field(response, name, name_size);
    if (field) {
        if (set_field(field, name, name_size, field->value, value, size)) return true;
        return fail(response, "out of memory");
    }
    if (response->field_count == MOST_FIELDS) {
        return fail(response, "more than %d header fields", MOST_FIELDS);
    }
    if (!mill_room_for_one(&response->fields, response->field_count, &response->field_room,
                           sizeof *response->fields, 16)) {
        return fail(response, "out of memory");
    }
    field = &response->fields[response->field_count];
    field->name = NULL;
    if (!set_field(field, name, name_size, NULL, value, size)) {
        return fail(response, "out of memory");
    }
    response->field_count++;
    return true;
}

/* Digits alone, of one number or of the same one several times: 12, or 12, 12. */
static bool read_length(struct mill_response *response, const char *text)
{
    bool first = true;
    for (;;) {
        uint64_t length = 0;
        if (!mill_is_digit(*text)) return false;
        for (; mill_is_digit(*text); text++) {
            if (length > (uint64_t)1 << 58) return false;
            length = length * 10 + (uint64_t)(*text - '0');
        }
        if (!first && length != response->left) return false;
        response->left = length;
        first = false;
        if (*text == 0) return true;
        if (*text++ != ',') return false;
        while (*text == ' ') text++;
    }
}

static bool check_fields(struct mill_response *response)
{
    const char *encoding = mill_response_field(response, "transfer-encoding");
    const char *length = mill_response_field(response, "content-length");
    response->chunked = response->sized = false;
    if (encoding) {
        for (const char *c = encoding, *want = "chunked"; *c || *want; c++, want++) {
            if ((*c | 0x20) == *want && *c && *want) continue;
            return fail(response, "the transfer encoding \"%.60s\" is not known; chunked is",
                        encoding);
        }
        response->chunked = true; /* it wins over a length, RFC 9112 6.3 */
    } else if (length) {
        if (!read_length(response, length)) {
            return fail(response, "the content length \"%.60s\" is no number of bytes", length);
        }
        response->sized = true;
    }
    return true;
}

static bool too_large(struct mill_response *response)
{
    return fail(response, "the body has more than %zu bytes (max_bytes)", response->most);
}

static bool end_head(struct mill_response *response)
{
    if (response->status == 101) return fail(response, "the server wants to switch protocols");
    if (response->status < 200) { /* an interim answer; the real one follows */
        clear_fields(response);
        response->state = MILL_RESPONSE_STATUS;
        return true;
    }
    if (!check_fields(response)) return false;
    if (response->status == 204 || response->status == 304) {
        response->state = MILL_RESPONSE_DONE;
    } else if (response->chunked) {
        response->state = MILL_RESPONSE_SIZE;
    } else if (response->sized) {
        if (response->left > response->most) return too_large(response);
        response->state = response->left ? MILL_RESPONSE_LENGTH : MILL_RESPONSE_DONE;
    } else {
        response->state = MILL_RESPONSE_CLOSE;
    }
    return true;
}

/* name: value, with the name made lower case. */
static bool read_field(struct mill_response *response, char *line, size_t size, bool keep)
{
    size_t name = 0;
    while (name < size && is_token(line[name])) {
        if (line[name] >= 'A' && line[name] <= 'Z') line[name] |= 0x20;
        name++;
    }
    if (name == 0 || name == size || line[name] != ':' || !is_text(line, size)) {
        return fail(response, "a header field is not \"name: value\"");
    }
    size_t first = name + 1;
    while (first < size && (line[first] == ' ' || line[first] == '\t')) first++;
    while (size > first && (line[size - 1] == ' ' || line[size - 1] == '\t')) size--;
    return !keep || add_field(response, line, name, line + first, size - first);
}

/* ---- chunks -------------------------------------------------------------------------------------- */

static bool read_size(struct mill_response *response, const char *line, size_t size)
{
    uint64_t length = 0;
    size_t at = 0;
    for (; at < size; at++) {
        char c = line[at] | 0x20;
        int digit = mill_is_digit(line[at]) ? line[at] - '0'
                    : c >= 'a' && c <= 'f'  ? c - 'a' + 10
                                            : -1;
        if (digit < 0) break;
        if (length >> 56) return fail(response, "the size of a chunk is too large");
        length = length << 4 | (uint64_t)digit;
    }
    size_t digits = at;
    while (at < size && (line[at] == ' ' || line[at] == '\t')) at++;
    if (digits == 0 || (at < size && line[at] != ';') || !is_text(line, size)) {
        return fail(response, "the size of a chunk is not a hexadecimal number");
    }
    if (length > response->most - response->size) return too_large(response);
    response->left = length;
    response->head = 0;
    response->state = length ? MILL_RESPONSE_CHUNK : MILL_RESPONSE_TRAILER;
    return true;
}

/* ---- lines and bodies ------------------------------------------------------------------------------ */

static bool read_line(struct mill_response *response, char *line, size_t size)
{
    if (size > 0 && line[size - 1] == '\r') size--;
    switch (response->state) {
    case MILL_RESPONSE_STATUS:
        return read_status(response, line, size);
    case MILL_RESPONSE_HEADER:
        return size ? read_field(response, line, size, true) : end_head(response);
    case MILL_RESPONSE_SIZE:
        return read_size(response, line, size);
    case MILL_RESPONSE_BREAK:
        if (size) return fail(response, "a chunk is longer than its size");
        response->state = MILL_RESPONSE_SIZE;
        return true;
    default: /* MILL_RESPONSE_TRAILER */
        if (size) return read_field(response, line, size, false);
        response->state = MILL_RESPONSE_DONE;
        return true;
    }
}

/* How many of the bytes were used: a line, or all. */
static size_t take_line(struct mill_response *response, const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size);
    size_t taken = end ? (size_t)(end - bytes) + 1 : size;
    response->head += taken;
    if (response->head > MILL_RESPONSE_HEAD) {
        fail(response, "the header has more than %d bytes", MILL_RESPONSE_HEAD);
        return taken;
    }
    if (!reserve_bytes(&response->line, &response->line_room, response->line_size + taken)) {
        fail(response, "out of memory");
        return taken;
    }
    memcpy(response->line + response->line_size, bytes, taken);
    response->line_size += taken;
    if (end) {
        size_t length = response->line_size - 1;
        response->line_size = 0;
        read_line(response, response->line, length);
    }
    return taken;
}

static size_t take_body(struct mill_response *response, const char *bytes, size_t size)
{
    bool open = response->state == MILL_RESPONSE_CLOSE;
    size_t taken = open || size < response->left ? size : (size_t)response->left;
    if (taken > response->most - response->size) {
        too_large(response);
        return taken;
    }
    if (!reserve_bytes(&response->body, &response->room, response->size + taken)) {
        fail(response, "out of memory");
        return taken;
    }
    memcpy(response->body + response->size, bytes, taken);
    response->size += taken;
    if (open) return taken;
    response->left -= taken;
    if (response->left == 0) {
        response->state =
            response->state == MILL_RESPONSE_CHUNK ? MILL_RESPONSE_BREAK : MILL_RESPONSE_DONE;
    }
    return taken;
}

enum mill_response_state mill_response_feed(struct mill_response *response, const char *bytes,
                                            size_t size)
{
    while (size > 0 && response->state < MILL_RESPONSE_DONE) {
        bool body = response->state == MILL_RESPONSE_LENGTH ||
                    response->state == MILL_RESPONSE_CLOSE ||
                    response->state == MILL_RESPONSE_CHUNK;
        size_t taken =
            body ? take_body(response, bytes, size) : take_line(response, bytes, size);
        bytes += taken;
        size -= taken;
    }
    return response->state;
}

enum mill_response_state mill_response_end(struct mill_response *response)
{
    if (response->state == MILL_RESPONSE_CLOSE) {
        response->state = MILL_RESPONSE_DONE;
    } else if (response->state == MILL_RESPONSE_STATUS && response->head == 0) {
        fail(response, "the server closed the connection without an answer");
    } else if (response->state < MILL_RESPONSE_DONE) {
        fail(response, "the server closed the connection before the end of its answer");
    }
    return response->state;
}
