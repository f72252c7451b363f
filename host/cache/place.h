/* place: the names of a cache database and of what lies beside it.
 * Only names: nothing here opens the database.  SPDX-License-Identifier: MIT */
#ifndef MILL_PLACE_H
#define MILL_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

struct mill_cache_place {
    char *path;   /* as the user gave it: what messages say */
    char *file;   /* absolute, links resolved: the folder of the process may change */
    char *folder; /* file with ".d" */
};

/* Finds the names; `make_folder` makes the folder (0700) with what is missing above it.  After a
 * failure there is nothing to free. */
tidemill_status mill_place_find(struct mill_cache_place *place, const char *path,
                                bool make_folder, struct mill_error *error);
void mill_place_free(struct mill_cache_place *place); /* may run twice */

/* The size of the file, 0 when there is none.  Fails on what is no regular file. */
tidemill_status mill_place_look(const struct mill_cache_place *place, int64_t *size,
                                struct mill_error *error);

/* Whether an open file lies on a network: the log of the database needs memory shared by all
 * its users, so one machine. */
bool mill_place_remote(int fd);

/* `path` and `suffix` in one; malloc'ed, NULL without memory. */
char *mill_place_join(const char *path, const char *suffix);

#endif
