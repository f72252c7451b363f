/* outfile: an output file that appears whole or not at all.
 * Written beside, then renamed: readers see the old file or the new one.
 * SPDX-License-Identifier: MIT */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct mill_outfile_error *error, const char *path, const char *reason,
                  int number)
{
    snprintf(error->text, sizeof error->text, "%s: %s", path, reason);
    return number != 0 ? number : EIO;
}

static int refuse_number(struct mill_outfile_error *error, const char *path, int number)
{
    return refuse(error, path, strerror(number), number);
}

/* The folder of a path, "." when it names none; false when it does not fit. */
static bool folder_of(const char *path, char folder[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    if (length >= PATH_MAX) return false;
    if (slash == NULL)
        strcpy(folder, ".");
    else if (length == 0)
        strcpy(folder, "/");
    else
        snprintf(folder, PATH_MAX, "%.*s", (int)length, path);
    return true;
}

static int check_folder(const char *path, struct mill_outfile_error *error)
{
    char folder[PATH_MAX];
    struct stat facts;
    if (!folder_of(path, folder)) return refuse_number(error, path, ENAMETOOLONG);
    if (stat(folder, &facts) != 0)
        return refuse(error, path,
                      errno == ENOENT ? "its folder does not exist" : strerror(errno), errno);
    if (!S_ISDIR(facts.st_mode))
        return refuse(error, path, "what should be its folder is a file", ENOTDIR);
    if (access(folder, W_OK | X_OK) != 0)
        return refuse(error, path,
                      errno == EACCES ? "its folder may not be written" : strerror(errno),
                      errno);
    return 0;
}

/* Names of open files: what they lead to may be a plain file and yet is not to be replaced. */
static bool is_open_file(const char *path)
{
    return strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/proc/", 6) == 0 ||
           strcmp(path, "/dev/stderr") == 0;
}

int mill_outfile_check(const char *path, struct mill_outfile_error *error)
{
    struct stat facts;
    char target[PATH_MAX];
    if (stat(path, &facts) != 0) {
        if (errno != ENOENT) return refuse_number(error, path, errno);
        size_t length = strlen(path);
        if (length > 0 && path[length - 1] == '/')
            return refuse(error, path, "names a folder; expected a file", EISDIR);
        return check_folder(path, error);
    }
    if (S_ISDIR(facts.st_mode)) return refuse(error, path, "is a folder", EISDIR);
    if (access(path, W_OK) != 0) return refuse_number(error, path, errno);
    if (!S_ISREG(facts.st_mode) || is_open_file(path)) return 0;
    if (realpath(path, target) == NULL) return refuse_number(error, path, errno);
    return check_folder(target, error);
}

static bool write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text += written;
        length -= (size_t)written;
    }
    return true;
}

/* Closes the file in any case; false with errno of the first thing that failed. */
static bool write_and_close(int file, const char *text, size_t length)
{
    bool newline = length == 0 || text[length - 1] != '\n';
    bool good = write_all(file, text, length) && (!newline || write_all(file, "\n", 1));
    int number = errno;
    if (close(file) != 0 && good) return false;
    errno = number;
    return good;
}

/* A new file in the folder of `target`.  Its name is short, so that it fits wherever the
 * target's does; what an earlier process with our id left behind is stepped over. */
static int open_beside(const char *target, char beside[PATH_MAX])
{
    char folder[PATH_MAX];
    if (!folder_of(target, folder)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (int attempt = 0; attempt < 100; attempt++) {
        int size = snprintf(beside, PATH_MAX, "%s/.tidemill-%ld-%d.tmp", folder, (long)getpid(),
                            attempt);
        if (size >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

static int replace(const char *path, const char *target, const struct stat *old,
                   const char *text, size_t length, struct mill_outfile_error *error)
{
    char beside[PATH_MAX];
    int file = open_beside(target, beside);
    if (file < 0) return refuse_number(error, path, errno);
    // A mode that cannot be kept is no reason to lose the result.
    if (old != NULL) (void)!fchmod(file, old->st_mode & 0777);
    if (write_and_close(file, text, length) && rename(beside, target) == 0) return 0;
    int number = errno;
    unlink(beside);
    return refuse_number(error, path, number);
}

int mill_outfile_write(const char *path, const char *text, size_t length,
                       struct mill_outfile_error *error)
{
    struct stat old;
    char target[PATH_MAX];
    if (stat(path, &old) != 0) {
        if (errno != ENOENT) return refuse_number(error, path, errno);
        return replace(path, path, NULL, text, length, error);
    }
    if (S_ISREG(old.st_mode) && !is_open_file(path)) {
        if (realpath(path, target) == NULL) return refuse_number(error, path, errno);
        return replace(path, target, &old, text, length, error);
    }
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0 || !write_and_close(file, text, length))
        return refuse_number(error, path, errno);
    return 0;
}

int mill_outfile_create(const char *path, const char *text, size_t length,
                        struct mill_outfile_error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST)
        return refuse(error, path, "is there already, and is not replaced", EEXIST);
    if (file < 0)
        return errno == ENOENT ? check_folder(path, error) : refuse_number(error, path, errno);
    if (write_and_close(file, text, length)) return 0;
    int number = errno;
    unlink(path);
    return refuse_number(error, path, number);
}
