/* aside: a big output file that appears whole or not at all.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static tidemill_status fail_aside(struct mill_aside *aside, int reason,
                                  struct mill_error *error)
{
    free(aside->target);
    free(aside->beside);
    return mill_fail(error, TIDEMILL_IO, "%s: %s", aside->path, strerror(reason));
}

/* A new file in the folder of the target, with a name of its own that is short enough anywhere. */
static int open_beside(struct mill_aside *aside)
{
    const char *slash = strrchr(aside->target, '/');
    int folder = slash ? (int)(slash - aside->target) + 1 : 0;
    for (int attempt = 0; attempt < 100; attempt++) {
        free(aside->beside);
        if (asprintf(&aside->beside, "%.*s.tidemill-%ld-%d.tmp", folder, aside->target,
                     (long)getpid(), attempt) < 0) {
            aside->beside = NULL;
            errno = ENOMEM;
            return -1;
        }
        int file = open(aside->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/* Names of open files: what they lead to may be a plain file and yet is not to be replaced. */
static bool is_open_file(const char *path)
{
    return strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/proc/", 6) == 0 ||
           strncmp(path, "/dev/std", 8) == 0;
}

tidemill_status mill_aside_open(struct mill_aside *aside, const char *path,
                                struct mill_error *error)
{
    struct stat old;
    aside->path = path;
    aside->target = aside->beside = NULL;
    aside->reason = 0;
    aside->used = 0;
    bool there = stat(path, &old) == 0;
    if (!there && errno != ENOENT) return fail_aside(aside, errno, error);
    if (there && (!S_ISREG(old.st_mode) || is_open_file(path))) {
        aside->file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        return aside->file < 0 ? fail_aside(aside, errno, error) : TIDEMILL_OK;
    }
    aside->target = there ? realpath(path, NULL) : strdup(path);
    if (aside->target == NULL) return fail_aside(aside, errno, error);
    aside->file = open_beside(aside);
    if (aside->file < 0) return fail_aside(aside, errno, error);
    /* A mode that cannot be kept is no reason to lose the content. */
    if (there && fchmod(aside->file, old.st_mode & 0777) != 0) errno = 0;
    return TIDEMILL_OK;
}

static void flush(struct mill_aside *aside)
{
    const char *bytes = aside->buffer;
    size_t left = aside->used;
    aside->used = 0;
    while (left > 0 && aside->reason == 0) {
        ssize_t written = write(aside->file, bytes, left);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            aside->reason = errno;
            return;
        }
        bytes += written;
        left -= (size_t)written;
    }
}

void mill_aside_put(struct mill_aside *aside, const void *bytes, size_t size)
{
    const char *from = bytes;
    while (size > 0) {
        size_t room = sizeof aside->buffer - aside->used, part = size < room ? size : room;
        memcpy(aside->buffer + aside->used, from, part);
        aside->used += part;
        from += part;
        size -= part;
        if (aside->used == sizeof aside->buffer) flush(aside);
    }
}

tidemill_status mill_aside_close(struct mill_aside *aside, struct mill_error *error)
{
    flush(aside);
    if (close(aside->file) != 0 && aside->reason == 0) aside->reason = errno;
    if (aside->reason == 0 && aside->target && rename(aside->beside, aside->target) != 0) {
        aside->reason = errno;
    }
    if (aside->reason != 0) {
        if (aside->beside) unlink(aside->beside);
        return fail_aside(aside, aside->reason, error);
    }
    free(aside->target);
    free(aside->beside);
    return TIDEMILL_OK;
}
