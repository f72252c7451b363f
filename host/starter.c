/* starter: `tidemill new`.  SPDX-License-Identifier: MIT */
#include "starter.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

tidemill_status mill_starter_write(const char *path, struct mill_outfile_error *error)
{
    char whole[PATH_MAX];
    const char *text = tidemill_starter();
    size_t length = strlen(path);
    if (strcmp(path, "-") == 0) {
        fputs(text, stdout);
        return TIDEMILL_OK;
    }
    bool complete = length > 4 && strcmp(path + length - 4, ".lua") == 0;
    if (snprintf(whole, sizeof whole, "%s%s", path, complete ? "" : ".lua") >= PATH_MAX) {
        snprintf(error->text, sizeof error->text, "%s: %s", path, strerror(ENAMETOOLONG));
        return TIDEMILL_USAGE;
    }
    int failure = mill_outfile_create(whole, text, strlen(text), error);
    if (failure != 0) return failure == EEXIST ? TIDEMILL_USAGE : TIDEMILL_IO;
    printf("%s: a strategy that runs, to be changed; tidemill run %s\n", whole, whole);
    return TIDEMILL_OK;
}
