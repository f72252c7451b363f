/* folders: where a user's own files are.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/folders.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *mill_user_file(const char *variable, const char *beside, const char *name)
{
    char *path = NULL;
    const char *folder = getenv(variable), *home = getenv("HOME");
    if (folder && *folder == '/') {
        return asprintf(&path, "%s/tidemill/%s", folder, name) < 0 ? NULL : path;
    }
    if (home == NULL || *home == '\0') {
        struct passwd *user = getpwuid(getuid());
        home = user ? user->pw_dir : NULL;
    }
    if (home == NULL) return NULL;
    return asprintf(&path, "%s/%s/tidemill/%s", home, beside, name) < 0 ? NULL : path;
}
