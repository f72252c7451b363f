/* files: content hashes of files, remembered.  SPDX-License-Identifier: MIT */
#include "cache/files.h"

#include <stdlib.h>
#include <time.h>

#include "base/room.h"
#include "data/file.h"

/* Clocks of file systems step by up to 2 s: younger times prove nothing. */
enum { YOUNG_SECONDS = 3 };

struct mill_file_memo {
    char *path;
    struct stat identity;
    struct mill_hash hash;
};

void mill_files_init(struct mill_files *files)
{
    memset(files, 0, sizeof *files);
    pthread_mutex_init(&files->mutex, NULL);
}

void mill_files_fini(struct mill_files *files)
{
    for (size_t i = 0; i < files->count; i++) free(files->memos[i].path);
    free(files->memos);
    pthread_mutex_destroy(&files->mutex);
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_identity(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           same_time(a->st_mtim, b->st_mtim) && same_time(a->st_ctim, b->st_ctim);
}

static bool is_young(const struct stat *identity)
{
    time_t now = time(NULL);
    return identity->st_mtim.tv_sec > now - YOUNG_SECONDS ||
           identity->st_ctim.tv_sec > now - YOUNG_SECONDS;
}

/* Under the mutex: where `path` is, or belongs, in the sorted list. */
static size_t path_position(const struct mill_files *files, const char *path)
{
    size_t first = 0, end = files->count;
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (strcmp(files->memos[middle].path, path) < 0) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

static bool recall(struct mill_files *files, const char *path, const struct stat *identity,
                   struct mill_hash *hash)
{
    pthread_mutex_lock(&files->mutex);
    size_t at = path_position(files, path);
    bool found = at < files->count && strcmp(files->memos[at].path, path) == 0 &&
                 same_identity(&files->memos[at].identity, identity);
    if (found) *hash = files->memos[at].hash;
    pthread_mutex_unlock(&files->mutex);
    return found;
}

/* Under the mutex. */
static bool make_room(struct mill_files *files, size_t at, const char *path)
{
    if (!mill_room_for_one(&files->memos, files->count, &files->room, sizeof *files->memos,
                           64)) {
        return false;
    }
    char *copy = strdup(path);
    if (copy == NULL) return false;
    memmove(files->memos + at + 1, files->memos + at,
            (files->count - at) * sizeof *files->memos);
    files->memos[at].path = copy;
    files->count++;
    return true;
}

static void remember(struct mill_files *files, const char *path, const struct stat *identity,
                     struct mill_hash hash)
{
    pthread_mutex_lock(&files->mutex);
    size_t at = path_position(files, path);
    bool there = at < files->count && strcmp(files->memos[at].path, path) == 0;
    if (there || make_room(files, at, path)) {
        files->memos[at].identity = *identity;
        files->memos[at].hash = hash;
    }
    pthread_mutex_unlock(&files->mutex);
}

struct mill_hash mill_files_hash(struct mill_files *files, const char *path)
{
    struct stat before;
    struct mill_hash hash = {0, 0}; /* of absence */
    if (stat(path, &before) != 0 || recall(files, path, &before, &hash)) return hash;
    if (!S_ISREG(before.st_mode)) return hash; /* it might have no end */
    struct mill_buffer *bytes;
    if (mill_file_read(NULL, path, &bytes, &hash, NULL) != TIDEMILL_OK) {
        return (struct mill_hash){0, 0};
    }
    mill_buffer_unref(bytes);
    struct stat after;
    bool settled = stat(path, &after) == 0 && same_identity(&before, &after);
    if (settled && !is_young(&after)) remember(files, path, &after, hash);
    return hash;
}

struct mill_file_look mill_files_look(const char *path)
{
    struct mill_file_look look;
    look.there = stat(path, &look.identity) == 0;
    return look;
}

void mill_files_learn(struct mill_files *files, const char *path,
                      const struct mill_file_look *look, struct mill_hash hash)
{
    struct stat now;
    if (!look->there || stat(path, &now) != 0 || !same_identity(&look->identity, &now)) return;
    if (!is_young(&now)) remember(files, path, &now, hash);
}
