/* object: the form in which the bytes of a result lie in the cache.
 * SPDX-License-Identifier: MIT */
#include "cache/object.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    OBJECT_LEVEL = 1,         /* of zstd: the cache is written far more often than moved */
    OBJECT_LEAST = 4096,      /* smaller values cost a page whatever their coding */
    OBJECT_PIECE = 4096,      /* the trial compresses three of these */
    OBJECT_RATIO = 64 * 1024, /* no zstd frame grows by more: 128 KB from 4 bytes a block */
};

/* ---- hashes as blobs -------------------------------------------------------------------- */

static void object_store64(uint8_t *to, uint64_t number)
{
    for (int i = 0; i < 8; i++) to[i] = (uint8_t)(number >> (56 - 8 * i));
}

static uint64_t object_load64(const uint8_t *from)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | from[i];
    return number;
}

void mill_object_name(struct mill_hash hash, uint8_t name[16])
{
    object_store64(name, hash.high);
    object_store64(name + 8, hash.low);
}

int mill_object_bind_hash(sqlite3_stmt *statement, int index, struct mill_hash hash)
{
    uint8_t name[16];
    mill_object_name(hash, name);
    return sqlite3_bind_blob(statement, index, name, sizeof name, SQLITE_TRANSIENT);
}

bool mill_object_column_hash(sqlite3_stmt *statement, int column, struct mill_hash *hash)
{
    const uint8_t *name = sqlite3_column_blob(statement, column);
    if (name == NULL || sqlite3_column_bytes(statement, column) != 16) return false;
    hash->high = object_load64(name);
    hash->low = object_load64(name + 8);
    return true;
}

/* ---- encoding --------------------------------------------------------------------------- */

/* Covers the name and the sizes as well, so that a row that a damaged index leads to, or one
 * with a changed size, is found out before any memory is asked for. */
struct mill_hash mill_object_sum(const struct mill_object *object, const void *stored)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "object/1");
    mill_hasher_hash(&hasher, object->content);
    mill_hasher_number(&hasher, (uint64_t)object->size);
    mill_hasher_number(&hasher, (uint64_t)object->coding);
    mill_hasher_hash(&hasher, mill_hash_bytes(stored, (size_t)object->stored));
    return mill_hasher_end(&hasher);
}

/* Whether zstd would save a fifth, judged by the start, the middle and the end. */
static bool object_trial(const uint8_t *bytes, size_t size, ZSTD_CCtx *context)
{
    if (size < 4 * OBJECT_PIECE) return true; /* as cheap to do as to try */
    uint8_t room[OBJECT_PIECE];
    size_t starts[3] = {0, (size - OBJECT_PIECE) / 2, size - OBJECT_PIECE}, total = 0;
    for (int i = 0; i < 3; i++) {
        size_t packed = ZSTD_compressCCtx(context, room, sizeof room, bytes + starts[i],
                                          OBJECT_PIECE, OBJECT_LEVEL);
        total += ZSTD_isError(packed) ? OBJECT_PIECE : packed;
    }
    return total <= 3 * OBJECT_PIECE / 5 * 4;
}

/* The compressed bytes, malloc'ed, and their size; or NULL when they would not save a fifth. */
static void *object_compress(const void *bytes, size_t size, ZSTD_CCtx *context, size_t *stored)
{
    if (context == NULL || size <= OBJECT_LEAST || !object_trial(bytes, size, context)) {
        return NULL;
    }
    size_t room = size / 5 * 4;
    void *data = malloc(room);
    if (data == NULL) return NULL;
    size_t packed = ZSTD_compressCCtx(context, data, room, bytes, size, OBJECT_LEVEL);
    if (ZSTD_isError(packed)) {
        free(data);
        return NULL;
    }
    *stored = packed;
    return data;
}

void mill_object_encode(struct mill_object *object, struct mill_hash content, const void *bytes,
                        size_t size, ZSTD_CCtx *context)
{
    size_t stored = size;
    void *packed = object_compress(bytes, size, context, &stored);
    *object = (struct mill_object){
        .content = content,
        .size = (int64_t)size,
        .stored = (int64_t)stored,
        .coding = packed ? MILL_CODING_ZSTD : MILL_CODING_RAW,
        .in_file = stored > MILL_OBJECT_INLINE,
        .data = packed ? packed : bytes,
        .owned = packed,
    };
    object->sum = mill_object_sum(object, object->data);
}

void mill_object_fini(struct mill_object *object, bool kept)
{
    if (object->written && !kept) unlink(object->written);
    free(object->written);
    free(object->owned);
    object->written = NULL;
    object->owned = NULL;
}

/* ---- files ------------------------------------------------------------------------------ */

char *mill_object_path(struct mill_hash content, const char *folder)
{
    char name[33];
    size_t size = strlen(folder) + 1 + sizeof name;
    char *path = malloc(size);
    if (path == NULL) return NULL;
    mill_hash_text(content, name);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* Creates a file of a name that nobody has; its path is malloc'ed.  -1 and errno. */
static int object_create(const char *folder, char **path)
{
    size_t size = strlen(folder) + 48;
    *path = malloc(size);
    if (*path == NULL) return -1;
    for (int attempt = 0; attempt < 1000; attempt++) {
        snprintf(*path, size, "%s/.new-%ld-%d", folder, (long)getpid(), attempt);
        int fd = open(*path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0) return fd;
        if (errno != EEXIST) break;
    }
    int problem = errno;
    free(*path);
    *path = NULL;
    errno = problem;
    return -1;
}

static int object_fill(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

/* chmod and fchmod, because the umask takes from the modes given at creation. */
int mill_object_write(struct mill_object *object, const char *folder)
{
    if (!object->in_file) return 0;
    if (mkdir(folder, 0700) == 0) chmod(folder, 0700);
    int fd = object_create(folder, &object->written);
    if (fd < 0) return errno;
    int problem = fchmod(fd, 0600) != 0 ? errno : 0;
    if (problem == 0) problem = object_fill(fd, object->data, (size_t)object->stored);
    if (close(fd) != 0 && problem == 0) problem = errno;
    return problem;
}

int mill_object_publish(struct mill_object *object, const char *folder)
{
    if (!object->in_file) return 0;
    char *path = mill_object_path(object->content, folder);
    if (path == NULL) return ENOMEM;
    if (rename(object->written, path) != 0) {
        int problem = errno;
        free(path);
        return problem;
    }
    free(object->written);
    object->written = path;
    return 0;
}

void mill_object_remove(struct mill_hash content, const char *folder)
{
    char *path = mill_object_path(content, folder);
    if (path) unlink(path);
    free(path);
}

void mill_object_sweep(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) return;
    time_t before = time(NULL) - 3600;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        struct stat status;
        if (strncmp(entry->d_name, ".new-", 5) == 0 &&
            fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            status.st_mtime < before) {
            unlinkat(dirfd(entries), entry->d_name, 0);
        }
    }
    closedir(entries);
}

/* ---- rows ------------------------------------------------------------------------------- */

int mill_object_bind(const struct mill_object *object, sqlite3_stmt *statement)
{
    const void *data = object->stored > 0 ? object->data : "";
    int code = mill_object_bind_hash(statement, 1, object->content);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 2, object->size);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 3, object->stored);
    if (code == SQLITE_OK) code = sqlite3_bind_int(statement, 4, object->coding);
    if (code == SQLITE_OK) code = sqlite3_bind_int(statement, 5, object->in_file);
    if (code == SQLITE_OK) code = mill_object_bind_hash(statement, 6, object->sum);
    if (code != SQLITE_OK) return code;
    if (object->in_file) return sqlite3_bind_null(statement, 7);
    return sqlite3_bind_blob64(statement, 7, data, (sqlite3_uint64)object->stored,
                               SQLITE_STATIC);
}

bool mill_object_row(struct mill_object *object, sqlite3_stmt *statement)
{
    *object = (struct mill_object){
        .size = sqlite3_column_int64(statement, 1),
        .stored = sqlite3_column_int64(statement, 2),
        .coding = sqlite3_column_int(statement, 3),
        .in_file = sqlite3_column_int(statement, 4) != 0,
    };
    if (!mill_object_column_hash(statement, 0, &object->content)) return false;
    if (!mill_object_column_hash(statement, 5, &object->sum)) return false;
    if (object->size < 0 || object->stored < 0) return false;
    if (object->in_file) return true;
    object->data = sqlite3_column_blob(statement, 6); /* NULL when empty */
    return sqlite3_column_bytes(statement, 6) == object->stored;
}

/* ---- decoding --------------------------------------------------------------------------- */

bool mill_object_is_sound(const struct mill_object *object, const void *stored)
{
    return mill_hash_equal(mill_object_sum(object, stored), object->sum);
}

/* The sum has been checked, but it protects from accidents only: the memory asked for stays in
 * proportion to the bytes whatever the row says, and zstd must fill it to the end. */
static struct mill_buffer *object_decompress(const struct mill_object *object,
                                             const void *stored, ZSTD_DCtx *context,
                                             struct mill_memory *memory, bool *damaged)
{
    *damaged = true;
    if (object->size / OBJECT_RATIO > object->stored) return NULL;
    struct mill_buffer *buffer = mill_buffer_new(memory, (size_t)object->size);
    *damaged = buffer != NULL;
    if (buffer == NULL) return NULL;
    size_t size = ZSTD_decompressDCtx(context, buffer->data, buffer->size, stored,
                                      (size_t)object->stored);
    if (size == buffer->size) {
        *damaged = false;
        return buffer;
    }
    mill_buffer_unref(buffer);
    return NULL;
}

static struct mill_buffer *object_decode_bytes(const struct mill_object *object,
                                               const void *stored, ZSTD_DCtx *context,
                                               struct mill_memory *memory, bool *damaged)
{
    *damaged = true;
    if (!mill_object_is_sound(object, stored)) return NULL;
    if (object->coding == MILL_CODING_ZSTD) {
        return object_decompress(object, stored, context, memory, damaged);
    }
    if (object->coding != MILL_CODING_RAW || object->size != object->stored) return NULL;
    struct mill_buffer *buffer = mill_buffer_new(memory, (size_t)object->size);
    *damaged = false;
    if (buffer && object->size > 0) memcpy(buffer->data, stored, (size_t)object->size);
    return buffer;
}

/* The file's bytes in a buffer, unless its length is not what the row says. */
static struct mill_buffer *object_read(int fd, int64_t stored, struct mill_memory *memory,
                                       bool *damaged)
{
    struct stat status;
    *damaged = true;
    if (fstat(fd, &status) != 0 || status.st_size != stored) return NULL;
    struct mill_buffer *buffer = mill_buffer_new(memory, (size_t)stored);
    *damaged = buffer != NULL;
    if (buffer == NULL) return NULL;
    size_t filled = 0;
    while (filled < buffer->size) {
        ssize_t got = read(fd, buffer->data + filled, buffer->size - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            mill_buffer_unref(buffer);
            return NULL;
        }
        filled += (size_t)got;
    }
    *damaged = false;
    return buffer;
}

/* A raw file is read straight into the buffer that the caller gets. */
static struct mill_buffer *object_decode_file(const struct mill_object *object, int fd,
                                              ZSTD_DCtx *context, struct mill_memory *memory,
                                              bool *damaged)
{
    struct mill_buffer *file = object_read(fd, object->stored, memory, damaged);
    if (file == NULL) return NULL;
    if (object->coding == MILL_CODING_RAW && object->size == object->stored) {
        *damaged = !mill_object_is_sound(object, file->data);
        if (!*damaged) return file;
        mill_buffer_unref(file);
        return NULL;
    }
    struct mill_buffer *buffer =
        object_decode_bytes(object, file->data, context, memory, damaged);
    mill_buffer_unref(file);
    return buffer;
}

struct mill_buffer *mill_object_decode(const struct mill_object *object, const char *folder,
                                       ZSTD_DCtx *context, struct mill_memory *memory,
                                       bool *damaged)
{
    if (!object->in_file) {
        return object_decode_bytes(object, object->data, context, memory, damaged);
    }
    *damaged = false;
    char *path = mill_object_path(object->content, folder);
    if (path == NULL) return NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *damaged = fd < 0 && errno == ENOENT;
    free(path);
    if (fd < 0) return NULL;
    struct mill_buffer *buffer = object_decode_file(object, fd, context, memory, damaged);
    close(fd);
    return buffer;
}
