/* file: whole files in memory, plain or gzip, and files replaced in one step.
 * Files are read, never mapped: one that shrinks meanwhile gives fewer bytes, not a signal.
 * SPDX-License-Identifier: MIT */
#include "data/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux reads and writes a little less than 2 GiB a call; stay below. */
static const size_t file_most = (size_t)1 << 30;

static tidemill_status file_fail(struct mill_error *error, const char *path)
{
    return mill_fail(error, TIDEMILL_IO, "%s: %s", path, strerror(errno));
}

/* ---- reading --------------------------------------------------------------------------- */

/* Replaces *bytes by a buffer of `size` bytes that begins with its first `used` ones. */
static bool file_resize(struct mill_memory *memory, struct mill_buffer **bytes, size_t used,
                        size_t size)
{
    struct mill_buffer *larger = mill_buffer_new(memory, size);
    if (larger == NULL) return false;
    memcpy(larger->data, (*bytes)->data, used);
    mill_buffer_unref(*bytes);
    *bytes = larger;
    return true;
}

/* Bytes read, 0 at the end, -1 with errno. */
static ssize_t file_read_some(int fd, void *bytes, size_t size)
{
    for (;;) {
        ssize_t count = read(fd, bytes, size < file_most ? size : file_most);
        if (count >= 0 || errno != EINTR) return count;
    }
}

/* Reads to the end of the file whatever its size was said to be: files grow, and those of
 * /proc say 0.  Only a full buffer is followed by a look whether there is more. */
static tidemill_status file_fill(struct mill_memory *memory, int fd, const char *path,
                                 struct mill_buffer **bytes, struct mill_error *error)
{
    size_t used = 0;
    for (;;) {
        char next[512];
        bool full = used == (*bytes)->size;
        ssize_t count = full ? file_read_some(fd, next, sizeof next)
                             : file_read_some(fd, (*bytes)->data + used, (*bytes)->size - used);
        if (count < 0) return file_fail(error, path);
        if (count == 0) break;
        if (full) {
            if (!file_resize(memory, bytes, used, used * 2 + 65536)) {
                return mill_no_memory(error, path);
            }
            memcpy((*bytes)->data + used, next, (size_t)count);
        }
        used += (size_t)count;
    }
    mill_buffer_shrink(*bytes, used);
    return TIDEMILL_OK;
}

static tidemill_status file_read_open(struct mill_memory *memory, int fd, const char *path,
                                      struct mill_buffer **bytes, struct mill_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return file_fail(error, path);
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return file_fail(error, path);
    }
    struct mill_buffer *buffer = mill_buffer_new(memory, (size_t)info.st_size);
    if (buffer == NULL) return mill_no_memory(error, path);
    tidemill_status status = file_fill(memory, fd, path, &buffer, error);
    if (status != TIDEMILL_OK) {
        mill_buffer_unref(buffer);
        return status;
    }
    *bytes = buffer;
    return TIDEMILL_OK;
}

tidemill_status mill_file_read(struct mill_memory *memory, const char *path,
                               struct mill_buffer **bytes, struct mill_hash *hash,
                               struct mill_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return file_fail(error, path);
    tidemill_status status = file_read_open(memory, fd, path, bytes, error);
    close(fd);
    if (status == TIDEMILL_OK && hash) *hash = mill_hash_bytes((*bytes)->data, (*bytes)->size);
    return status;
}

/* ---- gzip ------------------------------------------------------------------------------ */

static bool file_is_gzip(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0x1F && bytes[1] == 0x8B && bytes[2] == 8;
}

/* Room for the unpacked bytes.  The last four bytes give their number modulo 2^32, if there is
 * one member and nobody lies; deflate packs at most 1032 to 1.  A wrong guess costs time. */
static size_t file_guess(const uint8_t *bytes, size_t size)
{
    if (size < 18) return 4096; /* no whole member */
    const uint8_t *tail = bytes + size - 4;
    size_t hint =
        tail[0] | (size_t)tail[1] << 8 | (size_t)tail[2] << 16 | (size_t)tail[3] << 24;
    return hint >= size / 2 && hint / 1032 <= size ? hint : 4 * size;
}

/* Padding of zeros after the last member is common on block devices and tapes. */
static bool file_is_padding(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

/* Unpacks member after member into *out, which doubles while it is too small. */
static tidemill_status file_unpack_members(struct mill_memory *memory, const char *path,
                                           struct libdeflate_decompressor *decompressor,
                                           const struct mill_buffer *packed,
                                           struct mill_buffer **out, struct mill_error *error)
{
    size_t at = 0, used = 0;
    while (at < packed->size &&
           !(at > 0 && file_is_padding(packed->data + at, packed->size - at))) {
        size_t taken, made;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            decompressor, packed->data + at, packed->size - at, (*out)->data + used,
            (*out)->size - used, &taken, &made);
        if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
            if (!file_resize(memory, out, used, (*out)->size * 2 + 4096)) {
                return mill_no_memory(error, path);
            }
            continue;
        }
        if (result != LIBDEFLATE_SUCCESS) {
            return mill_fail(error, TIDEMILL_DATA,
                             "%s: broken gzip data (truncated or damaged)", path);
        }
        at += taken;
        used += made;
    }
    mill_buffer_shrink(*out, used);
    return TIDEMILL_OK;
}

/* Replaces *bytes by what they unpack to; on failure they are given back. */
static tidemill_status file_unpack(struct mill_memory *memory, const char *path,
                                   struct mill_buffer **bytes, struct mill_error *error)
{
    struct mill_buffer *packed = *bytes;
    struct mill_buffer *out = mill_buffer_new(memory, file_guess(packed->data, packed->size));
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    tidemill_status status = out && decompressor ? TIDEMILL_OK : mill_no_memory(error, path);
    if (status == TIDEMILL_OK) {
        status = file_unpack_members(memory, path, decompressor, packed, &out, error);
    }
    if (decompressor) libdeflate_free_decompressor(decompressor);
    mill_buffer_unref(packed);
    if (status != TIDEMILL_OK) {
        mill_buffer_unref(out);
        out = NULL;
    }
    *bytes = out;
    return status;
}

tidemill_status mill_file_read_unpacked(struct mill_memory *memory, const char *path,
                                        struct mill_buffer **bytes, struct mill_hash *hash,
                                        struct mill_error *error)
{
    struct mill_buffer *read = NULL;
    tidemill_status status = mill_file_read(memory, path, &read, hash, error);
    if (status != TIDEMILL_OK) return status;
    if (file_is_gzip(read->data, read->size)) {
        status = file_unpack(memory, path, &read, error);
        if (status != TIDEMILL_OK) return status;
    }
    *bytes = read;
    return TIDEMILL_OK;
}

/* ---- writing --------------------------------------------------------------------------- */

static bool file_write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size < file_most ? size : file_most);
        if (count < 0 && errno != EINTR) return false;
        if (count > 0) {
            bytes += count;
            size -= (size_t)count;
        }
    }
    return true;
}

static bool file_write_parts(int fd, const struct mill_file_part *parts, int count)
{
    for (int i = 0; i < count; i++) {
        if (!file_write_all(fd, parts[i].bytes, parts[i].size)) return false;
    }
    return true;
}

/* Devices and pipes cannot be replaced: they take the bytes as they come. */
static tidemill_status file_write_through(const char *path, const struct mill_file_part *parts,
                                          int count, struct mill_error *error)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return file_fail(error, path);
    bool good = file_write_parts(fd, parts, count);
    int reason = errno;
    if (close(fd) != 0 && good) {
        good = false;
        reason = errno;
    }
    errno = reason;
    return good ? TIDEMILL_OK : file_fail(error, path);
}

/* A new file for writing whose name is `temporary` with a free number at its end; -1 with
 * errno when there is none. */
static int file_create(char *temporary, size_t size)
{
    size_t folder = strlen(temporary);
    for (int number = 0; number < 10000; number++) {
        snprintf(temporary + folder, size - folder, ".tidemill-%ld-%d", (long)getpid(), number);
        int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* Writes a new file and renames it to `path`; on failure errno tells why and nothing is left
 * behind.  `temporary` holds the folder, with room for a name. */
static bool file_replace(char *temporary, size_t room, const char *path, mode_t mode,
                         const struct mill_file_part *parts, int count)
{
    int fd = file_create(temporary, room);
    if (fd < 0) return false;
    bool good = file_write_parts(fd, parts, count) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (good && rename(temporary, path) != 0) {
        good = false;
        reason = errno;
    }
    if (!good) unlink(temporary);
    errno = reason;
    return good;
}

tidemill_status mill_file_write(const char *path, const void *bytes, size_t size,
                                struct mill_error *error)
{
    struct mill_file_part whole = {bytes, size};
    return mill_file_write_parts(path, &whole, 1, error);
}

tidemill_status mill_file_write_parts(const char *path, const struct mill_file_part *parts,
                                      int count, struct mill_error *error)
{
    struct stat info;
    bool exists = stat(path, &info) == 0;
    if (exists && S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return file_fail(error, path);
    }
    if (exists && !S_ISREG(info.st_mode)) return file_write_through(path, parts, count, error);

    /* A link stays a link: its target is replaced.  A new file is readable by all whatever
     * the umask, an old one keeps its mode. */
    char *resolved = exists ? realpath(path, NULL) : NULL;
    const char *target = resolved ? resolved : path;
    const char *slash = strrchr(target, '/');
    size_t folder = slash ? (size_t)(slash - target) + 1 : 0, room = folder + 48;
    char *temporary = calloc(1, room);
    if (temporary == NULL) {
        free(resolved);
        return mill_no_memory(error, path);
    }
    memcpy(temporary, target, folder);
    mode_t mode = exists ? info.st_mode & 07777 : 0644;
    tidemill_status status = TIDEMILL_OK;
    if (!file_replace(temporary, room, target, mode, parts, count)) {
        status = file_fail(error, path);
    }
    free(temporary);
    free(resolved);
    return status;
}
