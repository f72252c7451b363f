/* glob: the files that a pattern stands for.  SPDX-License-Identifier: MIT */
#include "data/glob.h"

#include <glob.h>
#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool mill_glob_find(const char *pattern, struct mill_glob *found)
{
    glob_t list = {0};
    found->names = NULL;
    found->count = 0;
    int status = glob(pattern, GLOB_NOSORT, NULL, &list);
    if (status == GLOB_NOSPACE) {
        globfree(&list);
        return false;
    }
    size_t count = status == 0 ? list.gl_pathc : 0;
    bool fine = (found->names = calloc(count + 1, sizeof *found->names)) != NULL;
    for (; fine && found->count < count; found->count++) {
        fine = (found->names[found->count] = strdup(list.gl_pathv[found->count])) != NULL;
    }
    globfree(&list);
    if (!fine) {
        mill_glob_fini(found);
        return false;
    }
    if (count) qsort(found->names, count, sizeof *found->names, by_bytes);
    return true;
}

void mill_glob_fini(struct mill_glob *found)
{
    for (size_t i = 0; i < found->count; i++) free(found->names[i]);
    free(found->names);
    found->names = NULL;
    found->count = 0;
}

struct mill_hash mill_glob_hash(const struct mill_glob *found)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "listing/1");
    for (size_t i = 0; i < found->count; i++) {
        mill_hasher_bytes(&hasher, found->names[i], strlen(found->names[i]));
    }
    return mill_hasher_end(&hasher);
}
