/* status: result codes and the text that goes with them.
 * A function that can fail returns a tidemill_status and writes its reason into the
 * struct mill_error it was handed (which may be NULL).  SPDX-License-Identifier: MIT */
#ifndef MILL_STATUS_H
#define MILL_STATUS_H

#include "tidemill.h"

struct mill_error {
    tidemill_status status;
    char text[1024]; /* always terminated; cut at a character, marked by "..." */
};

/* Fills *error (when not NULL) and returns `status`, so that a caller can write
 * `return mill_fail(error, TIDEMILL_IO, "%s: %s", path, strerror(errno));` */
tidemill_status mill_fail(struct mill_error *error, tidemill_status status, const char *format,
                          ...) __attribute__((format(printf, 3, 4)));

tidemill_status mill_no_memory(struct mill_error *error, const char *what);

#endif
