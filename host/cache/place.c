/* place: the names of a cache database and of what lies beside it.
 * SPDX-License-Identifier: MIT */
#include "cache/place.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

char *mill_place_join(const char *path, const char *suffix)
{
    size_t size = strlen(path) + strlen(suffix) + 1;
    char *joined = malloc(size);
    if (joined) snprintf(joined, size, "%s%s", path, suffix);
    return joined;
}

/* Makes `folder` and what is missing above it; 0 or an errno. */
static int place_make_folder(const char *folder)
{
    char *partial = strdup(folder);
    if (partial == NULL) return ENOMEM;
    int problem = 0;
    for (char *slash = partial; slash && problem == 0;) {
        slash = strchr(slash + 1, '/');
        if (slash) *slash = '\0';
        if (mkdir(partial, 0700) == 0) {
            chmod(partial, 0700); /* the umask may have taken more */
        } else if (errno != EEXIST) {
            problem = errno;
        }
        if (slash) *slash = '/';
    }
    free(partial);
    return problem;
}

/* Checks the folder of `path`, makes it when asked to, and finds its real name: malloc'ed. */
static tidemill_status place_folder(const char *path, bool make_folder, char **resolved,
                                    struct mill_error *error)
{
    char *copy = strdup(path);
    if (copy == NULL) return mill_no_memory(error, "cache");
    const char *folder = dirname(copy);
    tidemill_status status = TIDEMILL_OK;
    int problem = make_folder ? place_make_folder(folder) : 0;
    *resolved = problem == 0 ? realpath(folder, NULL) : NULL;
    if (problem != 0) {
        status = mill_fail(error, TIDEMILL_IO, "cache %s: folder %s cannot be made (%s)", path,
                           folder, strerror(problem));
    } else if (*resolved == NULL && errno == ENOENT) {
        status =
            mill_fail(error, TIDEMILL_IO, "cache %s: folder %s does not exist", path, folder);
    } else if (*resolved == NULL) {
        status = mill_fail(error, TIDEMILL_IO, "cache %s: folder %s: %s", path, folder,
                           strerror(errno));
    }
    free(copy);
    return status;
}

/* The absolute name of the database, whether it exists or not; NULL without memory. */
static char *place_resolve(const char *path, const char *folder)
{
    char *resolved = realpath(path, NULL);
    if (resolved) return resolved;
    char *copy = strdup(path);
    char *start = mill_place_join(folder, strcmp(folder, "/") == 0 ? "" : "/");
    if (copy && start) resolved = mill_place_join(start, basename(copy));
    free(copy);
    free(start);
    return resolved;
}

tidemill_status mill_place_find(struct mill_cache_place *place, const char *path,
                                bool make_folder, struct mill_error *error)
{
    *place = (struct mill_cache_place){0};
    size_t size = strlen(path);
    if (size == 0) return mill_fail(error, TIDEMILL_USAGE, "cache: its path is empty");
    if (path[size - 1] == '/') {
        return mill_fail(error, TIDEMILL_IO, "cache %s: is a folder, expected a file", path);
    }
    char *folder = NULL;
    tidemill_status status = place_folder(path, make_folder, &folder, error);
    if (status != TIDEMILL_OK) return status;
    place->path = strdup(path);
    place->file = place_resolve(path, folder);
    place->folder = place->file ? mill_place_join(place->file, ".d") : NULL;
    free(folder);
    if (place->path && place->folder) return TIDEMILL_OK;
    mill_place_free(place);
    return mill_no_memory(error, "cache");
}

void mill_place_free(struct mill_cache_place *place)
{
    free(place->path);
    free(place->file);
    free(place->folder);
    *place = (struct mill_cache_place){0};
}

tidemill_status mill_place_look(const struct mill_cache_place *place, int64_t *size,
                                struct mill_error *error)
{
    struct stat status;
    *size = 0;
    if (stat(place->file, &status) != 0) {
        if (errno == ENOENT) return TIDEMILL_OK;
        return mill_fail(error, TIDEMILL_IO, "cache %s: %s", place->path, strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return mill_fail(error, TIDEMILL_IO, "cache %s: is a folder, expected a file",
                         place->path);
    }
    if (!S_ISREG(status.st_mode)) {
        return mill_fail(error, TIDEMILL_IO, "cache %s: is not a regular file", place->path);
    }
    *size = status.st_size;
    return TIDEMILL_OK;
}

bool mill_place_remote(int fd)
{
    struct statfs status;
    if (fstatfs(fd, &status) != 0) return false;
    switch ((uint32_t)status.f_type) {
    case 0x6969:     /* NFS */
    case 0x517b:     /* SMB */
    case 0xff534d42: /* CIFS */
    case 0xfe534d42: /* SMB2 */
        return true;
    }
    return false;
}
