/* aside: a big output file that appears whole or not at all.
 * It is written beside its place, through a buffer, and renamed when it is complete: readers see
 * the old file or the new one.  What is no plain file (/dev/null, a pipe) is written as it is.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ASIDE_H
#define MILL_ASIDE_H

#include <stddef.h>

#include "base/status.h"

struct mill_aside {
    const char *path; /* as the user wrote it; the caller's */
    char *target;     /* what is replaced: where links lead; NULL: written as it is */
    char *beside;
    int file;
    int reason; /* errno of the first failure, after which nothing more is written */
    size_t used;
    char buffer[1 << 16];
};

/* On failure there is nothing to close. */
tidemill_status mill_aside_open(struct mill_aside *aside, const char *path,
                                struct mill_error *error);

void mill_aside_put(struct mill_aside *aside, const void *bytes, size_t size);

/* Puts the file in its place, unless something has failed. */
tidemill_status mill_aside_close(struct mill_aside *aside, struct mill_error *error);

#endif
