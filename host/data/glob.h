/* glob: the files that a pattern stands for, sorted by bytes whatever the locale.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_GLOB_H
#define MILL_GLOB_H

#include <stddef.h>

#include "base/hash.h"

struct mill_glob {
    char **names; /* NULL-terminated list */
    size_t count;
};

/* A pattern that matches nothing, or a folder that cannot be read, gives an empty list; false
 * only when memory is short. */
bool mill_glob_find(const char *pattern, struct mill_glob *glob);
void mill_glob_fini(struct mill_glob *glob);
struct mill_hash mill_glob_hash(const struct mill_glob *glob);

#endif
