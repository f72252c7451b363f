/* fetch: one HTTP request and its answer, on a connection of its own.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FETCH_H
#define MILL_FETCH_H

#include "lane/hub.h"
#include "lane/response.h"

struct mill_dial;

struct mill_fetch {
    struct mill_operation operation; /* first */
    struct mill_dial *dial;
    struct mill_tcp *tcp; /* while it is open */
    uv_write_t write;
    int port;
    char *request; /* its text; lies behind `host` */
    size_t size;
    struct mill_response response; /* the result */
    char host[];
};

/* Sends `request`, and reads the answer to its end, a body of at most `most` bytes.  Made by any
 * thread; NULL: no memory. */
struct mill_fetch *mill_fetch_new(const char *host, int port, const char *request, size_t size,
                                  size_t most);

#endif
