/* response_check: what must hold of the reader of HTTP answers for any bytes whatever: it ends, and
 * it comes to the same however the bytes are cut.  For the test and for a fuzzer.
 * SPDX-License-Identifier: MIT */
#ifndef RESPONSE_CHECK_H
#define RESPONSE_CHECK_H

#include <stdlib.h>
#include <string.h>

#include "lane/response.h"

/* Pieces of at most `piece` bytes, each in a block of its own size, so that a sanitizer sees a read
 * past its end. */
static inline void response_read(struct mill_response *response, size_t most,
                                 const uint8_t *bytes, size_t size, size_t piece)
{
    mill_response_init(response, most);
    for (size_t at = 0; at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        char *copy = malloc(length);
        if (copy == NULL) abort();
        memcpy(copy, bytes + at, length);
        enum mill_response_state state = mill_response_feed(response, copy, length);
        free(copy);
        if (state >= MILL_RESPONSE_DONE) return;
    }
    mill_response_end(response);
}

static inline bool response_same(const struct mill_response *a, const struct mill_response *b)
{
    if (a->state != b->state) return false;
    if (a->state == MILL_RESPONSE_FAILED) return strcmp(a->failure, b->failure) == 0;
    if (a->status != b->status || strcmp(a->reason, b->reason) != 0 || a->size != b->size ||
        a->field_count != b->field_count || (a->size && memcmp(a->body, b->body, a->size))) {
        return false;
    }
    for (size_t i = 0; i < a->field_count; i++) {
        if (strcmp(a->fields[i].name, b->fields[i].name) != 0) return false;
        if (strcmp(a->fields[i].value, b->fields[i].value) != 0) return false;
    }
    return true;
}

/* False: the pieces matter, or it goes on for ever, or past what it may. */
static inline bool response_holds(const uint8_t *bytes, size_t size, size_t most, size_t piece)
{
    struct mill_response whole, cut;
    response_read(&whole, most, bytes, size, size ? size : 1);
    response_read(&cut, most, bytes, size, piece);
    bool fine =
        response_same(&whole, &cut) && whole.state >= MILL_RESPONSE_DONE && whole.size <= most;
    mill_response_fini(&whole);
    mill_response_fini(&cut);
    return fine;
}

#endif
