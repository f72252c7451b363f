/* response: reads an HTTP/1.1 response as its bytes arrive.
 * Strict: what is not well-formed is a failure, never a guess.  No Lua, no input or output.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_RESPONSE_H
#define MILL_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MILL_RESPONSE_HEAD = 1 << 16 }; /* bytes of the head, and of the trailer, at most */

enum mill_response_state {
    MILL_RESPONSE_STATUS, /* what comes next: the first line */
    MILL_RESPONSE_HEADER,
    MILL_RESPONSE_LENGTH, /* a body of a known length */
    MILL_RESPONSE_CLOSE,  /* one that ends with the connection */
    MILL_RESPONSE_SIZE,   /* the size of a chunk */
    MILL_RESPONSE_CHUNK,
    MILL_RESPONSE_BREAK, /* the line end behind a chunk */
    MILL_RESPONSE_TRAILER,
    MILL_RESPONSE_DONE,
    MILL_RESPONSE_FAILED,
};

struct mill_response_field {
    char *name;  /* in lower case; `value` lies in the same block */
    char *value; /* fields of one name are one, their values joined by ", " */
};

struct mill_response {
    enum mill_response_state state;
    int status;
    char *reason; /* NULL: none */
    struct mill_response_field *fields;
    size_t field_count, field_room;
    char *body; /* `size` bytes; NULL: none yet */
    size_t size, room, most;
    uint64_t left; /* of the body or chunk */
    bool chunked, sized;
    char *line; /* that has not ended yet */
    size_t line_size, line_room, head;
    char failure[160];
};

/* A body of more than `most` bytes is a failure. */
void mill_response_init(struct mill_response *response, size_t most);
void mill_response_fini(struct mill_response *response);

/* The next bytes; the new state: DONE, FAILED with `failure`, or another one that wants more.  Bytes
 * behind the end are left alone. */
enum mill_response_state mill_response_feed(struct mill_response *response, const char *bytes,
                                            size_t size);

/* The connection has ended: DONE or FAILED. */
enum mill_response_state mill_response_end(struct mill_response *response);

/* NULL: there is no such field. */
const char *mill_response_field(const struct mill_response *response, const char *name);

#endif
