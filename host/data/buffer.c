/* buffer: a counted block of memory, 64-byte aligned, immutable once published.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/buffer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/pages.h"
#include "data/spill.h"

enum { ALIGNMENT = 64, PADDING = 64 };

static enum mill_origin origin_of(const struct mill_buffer *buffer)
{
    return (enum mill_origin)atomic_load_explicit(&buffer->origin, memory_order_relaxed);
}

static void buffer_init(struct mill_buffer *buffer, enum mill_origin origin, void *data,
                        size_t size)
{
    atomic_init(&buffer->refs, 1);
    atomic_init(&buffer->origin, (uint8_t)origin);
    buffer->data = data;
    buffer->size = size;
}

static struct mill_buffer *buffer_make(enum mill_origin origin, void *data, size_t size)
{
    struct mill_buffer *buffer = calloc(1, sizeof *buffer);
    if (buffer) buffer_init(buffer, origin, data, size);
    return buffer;
}

/* ---- blocks ------------------------------------------------------------------------------- */

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Of the mapping for `size` bytes: the padding lies in it. */
static size_t length_for(size_t size)
{
    size_t page = page_size();
    return (size + PADDING + page - 1) / page * page;
}

/* NULL: no memory; the mapping stays the caller's. */
static struct mill_buffer *block_make(enum mill_origin origin, void *data, size_t size,
                                      size_t length, int fd)
{
    struct mill_block *block = calloc(1, sizeof *block);
    if (block == NULL) return NULL;
    buffer_init(&block->buffer, origin, data, size);
    pthread_mutex_init(&block->mutex, NULL);
    block->length = length;
    block->fd = fd;
    return &block->buffer;
}

static struct mill_buffer *block_new(struct mill_memory *memory, size_t size)
{
    struct mill_pages pages = {.length = length_for(size)};
    if (memory) {
        struct mill_pages kept = mill_reserve_take(&memory->reserve, pages.length);
        if (kept.data) pages = kept;
    }
    if (pages.data == NULL) {
        mill_spill_make_room(memory, size);
        pages.data = mill_pages_map(pages.length);
    }
    if (pages.data == NULL) return NULL;
    struct mill_buffer *buffer =
        block_make(MILL_ORIGIN_MAPPED, pages.data, size, pages.length, -1);
    if (buffer == NULL) munmap(pages.data, pages.length);
    return buffer;
}

static void block_free(struct mill_block *block)
{
    struct mill_buffer *buffer = &block->buffer;
    mill_spill_remove(block);
    if (buffer->memory && origin_of(buffer) == MILL_ORIGIN_FILE) {
        atomic_fetch_sub_explicit(&buffer->memory->spilled, (int64_t)buffer->size,
                                  memory_order_relaxed);
    } else {
        mill_memory_add(buffer->memory, -(int64_t)buffer->size);
    }
    if (buffer->memory && origin_of(buffer) == MILL_ORIGIN_MAPPED) {
        struct mill_pages pages = {buffer->data, block->length};
        mill_memory_give(buffer->memory, pages);
    } else {
        munmap(buffer->data, block->length);
    }
    if (block->fd >= 0) close(block->fd);
    pthread_mutex_destroy(&block->mutex);
    if (buffer->memory && mill_memory_pressure(buffer->memory))
        mill_memory_update(buffer->memory);
}

/* ---- buffers ------------------------------------------------------------------------------ */

struct mill_buffer *mill_buffer_new(struct mill_memory *memory, size_t size)
{
    if (size > SIZE_MAX / 2) return NULL;
    struct mill_buffer *buffer = NULL;
    if (size >= MILL_BUFFER_MAPPED) buffer = block_new(memory, size);
    if (buffer == NULL) { /* there may be too many mappings, and memory yet */
        size_t room = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + PADDING;
        void *data = aligned_alloc(ALIGNMENT, room);
        buffer = data ? buffer_make(MILL_ORIGIN_HEAP, data, size) : NULL;
        if (buffer == NULL) free(data);
    }
    if (buffer == NULL) return NULL;
    buffer->memory = memory;
    mill_memory_hold(memory);
    mill_memory_add(memory, (int64_t)size);
    return buffer;
}

static void set_size(struct mill_buffer *buffer, size_t size)
{
    mill_memory_add(buffer->memory, (int64_t)size - (int64_t)buffer->size);
    buffer->size = size;
}

void mill_buffer_shrink(struct mill_buffer *buffer, size_t size)
{
    assert(size <= buffer->size && "a buffer only shrinks");
    if (origin_of(buffer) == MILL_ORIGIN_MAPPED) {
        struct mill_block *block = (struct mill_block *)buffer;
        size_t length = length_for(size);
        if (length < block->length &&
            munmap(buffer->data + length, block->length - length) == 0) {
            block->length = length;
        }
    }
    set_size(buffer, size);
}

static bool block_grow(struct mill_block *block, size_t size)
{
    size_t length = length_for(size);
    if (length > block->length) {
        mill_spill_make_room(block->buffer.memory, length - block->length);
        void *data = mremap(block->buffer.data, block->length, length, MREMAP_MAYMOVE);
        if (data == MAP_FAILED) return false;
        block->buffer.data = data;
        block->length = length;
    }
    return true;
}

bool mill_buffer_grow(struct mill_buffer *buffer, size_t size)
{
    if (size > SIZE_MAX / 2) return false;
    if (origin_of(buffer) == MILL_ORIGIN_MAPPED) {
        if (!block_grow((struct mill_block *)buffer, size)) return false;
    } else {
        assert(origin_of(buffer) == MILL_ORIGIN_HEAP && "a buffer of one's own grows");
        size_t room = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + PADDING;
        void *data = aligned_alloc(ALIGNMENT, room);
        if (data == NULL) return false;
        memcpy(data, buffer->data, buffer->size < size ? buffer->size : size);
        free(buffer->data);
        buffer->data = data;
    }
    set_size(buffer, size);
    return true;
}

struct mill_buffer *mill_buffer_slice(struct mill_buffer *parent, size_t offset, size_t size)
{
    assert(offset <= parent->size && size <= parent->size - offset &&
           "slice inside its parent");
    struct mill_buffer *buffer = buffer_make(MILL_ORIGIN_SLICE, parent->data + offset, size);
    /* A slice of a slice of a slice keeps one block alive and is freed without recursion. */
    if (buffer) buffer->parent = mill_buffer_ref(mill_buffer_whole(parent));
    return buffer;
}

struct mill_buffer *mill_buffer_foreign(void *data, size_t size,
                                        void (*release)(void *, void *, size_t), void *context)
{
    struct mill_buffer *buffer = buffer_make(MILL_ORIGIN_FOREIGN, data, size);
    if (buffer == NULL) return NULL;
    buffer->release = release;
    buffer->context = context;
    return buffer;
}

struct mill_buffer *mill_buffer_ref(struct mill_buffer *buffer)
{
    /* Relaxed: whoever hands out a reference already holds one. */
    atomic_fetch_add_explicit(&buffer->refs, 1, memory_order_relaxed);
    return buffer;
}

void mill_buffer_unref(struct mill_buffer *buffer)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (buffer == NULL ||
        atomic_fetch_sub_explicit(&buffer->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    struct mill_memory *memory = buffer->memory;
    switch (origin_of(buffer)) {
    case MILL_ORIGIN_HEAP:
        mill_memory_add(memory, -(int64_t)buffer->size);
        free(buffer->data);
        break;
    case MILL_ORIGIN_SLICE:
        mill_buffer_unref(buffer->parent);
        break;
    case MILL_ORIGIN_FOREIGN:
        if (buffer->release) buffer->release(buffer->context, buffer->data, buffer->size);
        break;
    default:
        block_free((struct mill_block *)buffer);
        break;
    }
    free(buffer);
    mill_memory_leave(memory);
}

void mill_buffer_publish(struct mill_buffer *buffer)
{
    if (buffer == NULL) return;
    buffer = mill_buffer_whole(buffer);
    if (!mill_buffer_is_block(buffer)) return;
    struct mill_block *block = (struct mill_block *)buffer;
    if (atomic_load_explicit(&block->filling, memory_order_relaxed)) return;
    /* Relaxed both: who publishes first has written the bytes or was handed them. */
    if (atomic_load_explicit(&block->published, memory_order_relaxed) ||
        atomic_exchange_explicit(&block->published, true, memory_order_relaxed)) {
        return;
    }
    mill_spill_add(block);
}

/* Relaxed: the run of the tasks that write orders their beginning and end with this. */
void mill_buffer_set_filling(struct mill_buffer *buffer, bool filling)
{
    buffer = mill_buffer_whole(buffer);
    if (!mill_buffer_is_block(buffer)) return;
    atomic_store_explicit(&((struct mill_block *)buffer)->filling, filling,
                          memory_order_relaxed);
}

/* ---- moving ------------------------------------------------------------------------------- */

static bool write_whole(int fd, const uint8_t *bytes, size_t size)
{
    off_t at = 0;
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, at);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            if (written == 0) errno = ENOSPC;
            return false;
        }
        bytes += written;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

/* The kernel exchanges what lies behind the addresses in one step: others read on meanwhile.  By a bare
 * system call, since the sanitizers' mmap takes the memory for new, to which readers would be a
 * race. */
static bool map_over(void *at, size_t length, int fd)
{
    /* Private: a mapping that shares may not be of a file whose bytes are sealed. */
    return syscall(SYS_mmap, at, length, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) != -1;
}

bool mill_block_move(struct mill_block *block, int fd, int seals)
{
    struct mill_buffer *buffer = &block->buffer;
    struct rlimit limit; /* beyond which a write is a signal */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        block->length > limit.rlim_cur) {
        errno = EFBIG;
        return false;
    }
    /* Room first, so that no page of the file is ever missing: that would be SIGBUS.  Not all
     * file systems can tell; there the write does.  What is padding is a hole. */
    if (fallocate(fd, 0, 0, (off_t)buffer->size) != 0 && errno != EOPNOTSUPP &&
        errno != ENOSYS) {
        return false;
    }
    return ftruncate(fd, (off_t)block->length) == 0 &&
           write_whole(fd, buffer->data, buffer->size) &&
           (seals == 0 || fcntl(fd, F_ADD_SEALS, seals) == 0) &&
           map_over(buffer->data, block->length, fd);
}

static int share_block(struct mill_block *block, struct mill_error *error)
{
    struct mill_buffer *buffer = &block->buffer;
    if (block->fd >= 0) return block->fd;
    int fd = memfd_create("tidemill", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    /* Nobody can change the bytes, or take them away, under the other process. */
    if (fd < 0 ||
        !mill_block_move(block, fd, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)) {
        mill_fail(error, errno == ENOMEM || errno == ENOSPC ? TIDEMILL_MEMORY : TIDEMILL_IO,
                  "cannot share %zu bytes of memory with another process: %s", buffer->size,
                  strerror(errno));
        if (fd >= 0) close(fd);
        return -1;
    }
    block->fd = fd;
    bool was_file = origin_of(buffer) == MILL_ORIGIN_FILE;
    atomic_store_explicit(&buffer->origin, MILL_ORIGIN_MEMFD, memory_order_relaxed);
    if (was_file) mill_spill_came_back(block);
    return fd;
}

int mill_buffer_share(struct mill_buffer *buffer, size_t *offset, struct mill_error *error)
{
    struct mill_buffer *whole = mill_buffer_whole(buffer);
    *offset = (size_t)(buffer->data - whole->data);
    if (!mill_buffer_is_block(whole)) {
        mill_fail(error, TIDEMILL_UNSUPPORTED,
                  "memory of less than %d KB, or of the host "
                  "program, cannot be shared with another process",
                  MILL_BUFFER_MAPPED / 1024);
        return -1;
    }
    struct mill_block *block = (struct mill_block *)whole;
    mill_buffer_publish(whole);
    pthread_mutex_lock(&block->mutex);
    int fd = share_block(block, error);
    pthread_mutex_unlock(&block->mutex);
    return fd;
}

struct mill_buffer *mill_buffer_map(struct mill_memory *memory, int fd, size_t size,
                                    struct mill_error *error)
{
    struct stat file;
    size_t length = size > SIZE_MAX / 2 ? 0 : length_for(size);
    struct mill_buffer *buffer = NULL;
    void *data = MAP_FAILED;
    if (length == 0 || fstat(fd, &file) != 0 || (uint64_t)file.st_size < size) {
        close(fd);
        mill_fail(error, TIDEMILL_DATA, "a file of shared memory that has no %zu bytes", size);
        return NULL;
    }
    mill_spill_make_room(memory, size);
    /* Pages beyond the end of the file, which padding may need, cannot be touched: they stay
     * anonymous. */
    data = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t page = page_size();
    size_t whole = ((size_t)file.st_size + page - 1) / page * page;
    if (whole > length) whole = length;
    if (data != MAP_FAILED && (whole == 0 || map_over(data, whole, fd))) {
        buffer = block_make(MILL_ORIGIN_MEMFD, data, size, length, fd);
    }
    if (buffer == NULL) {
        mill_no_memory(error, "shared memory");
        if (data != MAP_FAILED) munmap(data, length);
        close(fd);
        return NULL;
    }
    buffer->memory = memory;
    mill_memory_hold(memory);
    mill_memory_add(memory, (int64_t)size);
    mill_buffer_publish(buffer);
    return buffer;
}

struct mill_buffer *mill_buffer_map_file(int fd, size_t size, struct mill_error *error)
{
    struct mill_buffer *buffer = mill_buffer_map(NULL, fd, size, error);
    if (buffer == NULL) return NULL;
    /* Nobody has it yet.  Without a descriptor it is copied into a memory file when it is shared:
     * others may not cut that short. */
    struct mill_block *block = (struct mill_block *)buffer;
    close(block->fd);
    block->fd = -1;
    atomic_store_explicit(&buffer->origin, MILL_ORIGIN_FILE, memory_order_relaxed);
    return buffer;
}
