/* wipe: a cache taken away whole.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cache/wipe.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/lock.h"
#include "cache/place.h"

enum { WIPE_PATIENCE = 10, WIPE_DESCRIPTORS = 16 }; /* seconds; of the walk */

/* What may follow the database's name.  The lock goes last: who waits for it finds it gone. */
static const char *const wipe_ends[] = {"",     "-wal",     "-shm",     "-journal", "-claims",
                                        ".new", ".new-wal", ".new-shm", ".d",       "-kernels"};

static int wipe_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path) == 0 || errno == ENOENT ? 0 : errno;
}

/* A file, or a folder with all that is in it; 0 or an errno. */
static int wipe_tree(const char *path, bool *there)
{
    struct stat status;
    if (lstat(path, &status) != 0) return errno == ENOENT ? 0 : errno;
    *there = true;
    int problem = nftw(path, wipe_entry, WIPE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return problem < 0 ? errno : problem;
}

static int wipe_end(const char *file, const char *end, bool *there)
{
    char *path = mill_place_join(file, end);
    if (path == NULL) return ENOMEM;
    int problem = wipe_tree(path, there);
    free(path);
    return problem;
}

/* Leaving the log is for the only user of a database: SQLite says whether that is who asks.  A file that
 * it cannot read is nobody's. */
static bool wipe_is_used(const char *file)
{
    sqlite3 *connection = NULL;
    int code =
        sqlite3_open_v2(file, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(connection, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    sqlite3_close(connection);
    return (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
}

static bool wipe_is_broken_name(const char *name, const char *base)
{
    static const char mark[] = ".broken-";
    size_t size = strlen(base);
    return strncmp(name, base, size) == 0 && strncmp(name + size, mark, sizeof mark - 1) == 0;
}

/* "cache.db.broken-1" and what belongs to it. */
static int wipe_broken(const char *file, bool *there)
{
    char *copy = strdup(file), *other = strdup(file);
    int problem = copy && other ? 0 : ENOMEM;
    const char *folder = problem == 0 ? dirname(copy) : "",
               *base = other ? basename(other) : "";
    DIR *entries = problem == 0 ? opendir(folder) : NULL;
    for (struct dirent *entry; entries && problem == 0 && (entry = readdir(entries)) != NULL;) {
        if (!wipe_is_broken_name(entry->d_name, base)) continue;
        char *path;
        if (asprintf(&path, "%s/%s", folder, entry->d_name) < 0) {
            problem = ENOMEM;
            break;
        }
        problem = wipe_tree(path, there);
        free(path);
    }
    if (entries) closedir(entries);
    free(copy);
    free(other);
    return problem;
}

static int wipe_all(const char *file, bool *there)
{
    int problem = 0;
    for (size_t i = 0; problem == 0 && i < sizeof wipe_ends / sizeof wipe_ends[0]; i++)
        problem = wipe_end(file, wipe_ends[i], there);
    if (problem == 0) problem = wipe_broken(file, there);
    bool lock_there;
    return problem == 0 ? wipe_end(file, "-lock", &lock_there) : problem;
}

static tidemill_status wipe_locked(const struct mill_cache_place *place, struct mill_lock *lock,
                                   bool *there, struct mill_error *error)
{
    if (!mill_lock_take(lock, WIPE_PATIENCE) || wipe_is_used(place->file)) {
        return mill_fail(error, TIDEMILL_IO,
                         "cache %s: is in use by another process; nothing was removed",
                         place->path);
    }
    int problem = wipe_all(place->file, there);
    if (problem == 0) return TIDEMILL_OK;
    return mill_fail(error, TIDEMILL_IO, "cache %s: cannot be removed (%s)", place->path,
                     strerror(problem));
}

tidemill_status mill_wipe(const char *path, bool *there, struct mill_error *error)
{
    struct mill_cache_place place;
    struct mill_lock lock = {.fd = -1};
    *there = false;
    tidemill_status status = mill_place_find(&place, path, false, error);
    if (status != TIDEMILL_OK) return status;
    char *name = mill_place_join(place.file, "-lock");
    int problem = name ? mill_lock_open(&lock, name) : ENOMEM;
    free(name);
    status = problem == 0
                 ? wipe_locked(&place, &lock, there, error)
                 : mill_fail(error, TIDEMILL_IO, "cache %s: %s", path, strerror(problem));
    mill_lock_close(&lock);
    mill_place_free(&place);
    return status;
}
