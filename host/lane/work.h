/* work: a whole file read or written by one of libuv's threads, so that the lane goes on meanwhile.
 * What has begun goes on to its end, whoever gives up.  SPDX-License-Identifier: MIT */
#ifndef MILL_WORK_H
#define MILL_WORK_H

#include "base/hash.h"
#include "data/buffer.h"
#include "lane/hub.h"

struct mill_work {
    struct mill_operation operation; /* first */
    uv_work_t request;
    struct mill_memory *memory;
    bool writes;
    size_t size; /* of what is written */
    char *path;
    tidemill_status status; /* the result, with `error` where it failed; and of a reading: */
    struct mill_error error;
    struct mill_buffer *bytes; /* the file's, unpacked where it is gzip */
    struct mill_hash hash;     /* of its bytes as they are on disk */
    char text[];               /* what is written, then the path */
};

/* Made by any thread; NULL: no memory. */
struct mill_work *mill_work_read(struct mill_memory *memory, const char *path);
struct mill_work *mill_work_write(const char *path, const char *text, size_t size);

#endif
