/* spill: published blocks of memory, and how the coldest of them go to disk.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"

/* After a failure: a full disk does not become empty at once. */
static const int64_t REST = INT64_C(5000000000);

void mill_spill_init(struct mill_spill *spill, struct mill_memory *memory)
{
    memset(spill, 0, sizeof *spill);
    pthread_mutex_init(&spill->mutex, NULL);
    pthread_mutex_init(&spill->turn, NULL);
    spill->memory = memory;
    memory->spill = spill;
}

void mill_spill_fini(struct mill_spill *spill)
{
    if (spill->memory == NULL) return;
    free(spill->folder);
    free(spill->place);
    pthread_mutex_destroy(&spill->mutex);
    pthread_mutex_destroy(&spill->turn);
    spill->memory->spill = NULL;
    spill->memory = NULL;
}

bool mill_spill_set_folder(struct mill_spill *spill, const char *folder)
{
    char *copy = folder ? strdup(folder) : NULL;
    if (folder && copy == NULL) return false;
    pthread_mutex_lock(&spill->turn);
    free(spill->folder);
    free(spill->place);
    spill->folder = copy;
    spill->place = NULL;
    spill->looked = false;
    atomic_store_explicit(&spill->rests_until, 0, memory_order_relaxed);
    pthread_mutex_unlock(&spill->turn);
    return true;
}

static void warn(struct mill_spill *spill, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void warn(struct mill_spill *spill, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    if (spill->warn == NULL) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    spill->warn(spill->context, text);
}

/* ---- the list ----------------------------------------------------------------------------- */

/* Both under the mutex. */
static void list_block(struct mill_spill *spill, struct mill_block *block)
{
    block->listed = true;
    block->older = spill->newest;
    block->newer = NULL;
    *(spill->newest ? &spill->newest->newer : &spill->oldest) = block;
    spill->newest = block;
}

static void unlist_block(struct mill_spill *spill, struct mill_block *block)
{
    block->listed = false;
    *(block->older ? &block->older->newer : &spill->oldest) = block->newer;
    *(block->newer ? &block->newer->older : &spill->newest) = block->older;
    block->older = block->newer = NULL;
}

static struct mill_spill *spill_of(const struct mill_block *block)
{
    return block->buffer.memory ? block->buffer.memory->spill : NULL;
}

void mill_spill_add(struct mill_block *block)
{
    struct mill_spill *spill = spill_of(block);
    if (spill == NULL) return;
    pthread_mutex_lock(&spill->mutex);
    if (!block->listed) list_block(spill, block);
    pthread_mutex_unlock(&spill->mutex);
}

void mill_spill_remove(struct mill_block *block)
{
    struct mill_spill *spill = spill_of(block);
    /* Relaxed: whoever published it did so before its last reference went. */
    if (spill == NULL || !atomic_load_explicit(&block->published, memory_order_relaxed)) return;
    pthread_mutex_lock(&spill->mutex);
    if (block->listed) unlist_block(spill, block);
    pthread_mutex_unlock(&spill->mutex);
}

void mill_spill_came_back(struct mill_block *block)
{
    struct mill_memory *memory = block->buffer.memory;
    if (memory == NULL) return;
    int64_t size = (int64_t)block->buffer.size;
    atomic_fetch_sub_explicit(&memory->spilled, size, memory_order_relaxed);
    mill_memory_add(memory, size);
    mill_spill_add(block);
}

/* Takes the oldest block off the list, with a reference; NULL: there is none.  One whose last
 * reference has gone waits for the mutex, to be freed: it is left alone. */
static struct mill_block *take_oldest(struct mill_spill *spill)
{
    struct mill_block *found = NULL;
    pthread_mutex_lock(&spill->mutex);
    while (spill->oldest && found == NULL) {
        struct mill_block *block = spill->oldest;
        int64_t refs = atomic_load_explicit(&block->buffer.refs, memory_order_relaxed);
        while (refs > 0 && !atomic_compare_exchange_weak_explicit(
                               &block->buffer.refs, &refs, refs + 1, memory_order_relaxed,
                               memory_order_relaxed)) {}
        if (refs > 0) found = block;
        unlist_block(spill, block);
    }
    pthread_mutex_unlock(&spill->mutex);
    return found;
}

/* ---- files -------------------------------------------------------------------------------- */

static bool is_in_memory(const char *folder)
{
    struct statfs info;
    if (statfs(folder, &info) != 0) return false; /* opening a file there will tell */
    return info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC;
}

/* A file without a name; -1: errno. */
static int open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return fd;
    char path[4096]; /* a file system that cannot: one with a name, for a moment */
    int size = snprintf(path, sizeof path, "%s/tidemill-XXXXXX", folder);
    if (size < 0 || (size_t)size >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

/* The folder for files, once; NULL: there is none, which was said. */
static const char *find_place(struct mill_spill *spill)
{
    if (spill->looked) return spill->place;
    spill->looked = true;
    const char *named = getenv("TMPDIR");
    const char *folder = spill->folder;
    if (folder == NULL && named && *named == '/' && !is_in_memory(named)) folder = named;
    if (folder == NULL && !is_in_memory("/var/tmp")) folder = "/var/tmp";
    if (folder == NULL) {
        warn(spill,
             "memory is short, and there is no disk to spill to: TMPDIR and /var/tmp are "
             "in memory (spill_folder names another folder)");
        return NULL;
    }
    spill->place = strdup(folder);
    return spill->place;
}

/* ---- spilling ----------------------------------------------------------------------------- */

/* Under the block's mutex. */
static bool put_file(struct mill_block *block, int file)
{
    if (!mill_block_move(block, file, 0)) return false;
    /* Begins to write: so much less is to be written when the kernel wants the pages. */
    sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
    if (block->fd >= 0) {
        /* A descriptor that was given to somebody stays, with the same bytes. */
        dup3(file, block->fd, O_CLOEXEC);
    }
    return true;
}

/* False: it failed, and errno says why. */
static bool spill_block(struct mill_spill *spill, struct mill_block *block, const char *place)
{
    int file = open_nameless(place);
    if (file < 0) return false;
    pthread_mutex_lock(&block->mutex);
    bool fine = put_file(block, file);
    int failure = errno;
    if (fine) {
        int64_t size = (int64_t)block->buffer.size;
        atomic_store_explicit(&block->buffer.origin, MILL_ORIGIN_FILE, memory_order_relaxed);
        mill_memory_add(spill->memory, -size);
        atomic_fetch_add_explicit(&spill->memory->spilled, size, memory_order_relaxed);
        atomic_fetch_add_explicit(&spill->count, 1, memory_order_relaxed);
    }
    pthread_mutex_unlock(&block->mutex);
    close(file);
    errno = failure;
    return fine;
}

static void stop_spilling(struct mill_spill *spill, const char *place, int failure)
{
    atomic_store_explicit(&spill->rests_until, mill_clock_now() + REST, memory_order_relaxed);
    warn(spill, "cannot spill to %s: %s; results stay in memory", place, strerror(failure));
}

/* Under `turn`. */
static void spill_down(struct mill_spill *spill, int64_t size)
{
    struct mill_memory *memory = spill->memory;
    /* A little more than asked for: not with every block that is made. */
    int64_t mark = memory->marks[MILL_PRESSURE_SPILL] - memory->limit / 32 - size;
    int64_t begin = mill_clock_now();
    int64_t blocks = 0, bytes = 0;
    while (mill_memory_used(memory) > mark) {
        struct mill_block *block = take_oldest(spill);
        if (block == NULL) break;
        const char *place = find_place(spill);
        bool fine = place && spill_block(spill, block, place);
        if (!fine) {
            int failure = errno;
            mill_spill_add(block);
            if (place) stop_spilling(spill, place, failure);
            if (!place)
                atomic_store_explicit(&spill->rests_until, INT64_MAX, memory_order_relaxed);
        } else {
            blocks++;
            bytes += (int64_t)block->buffer.size;
        }
        mill_buffer_unref(&block->buffer);
        if (!fine) break;
    }
    if (blocks && spill->note) {
        spill->note(spill->context, blocks, bytes, begin, mill_clock_now());
    }
}

void mill_spill_make_room(struct mill_memory *memory, size_t size)
{
    struct mill_spill *spill = memory ? memory->spill : NULL;
    if (spill == NULL || memory->limit == 0) return;
    int64_t wanted = size < INT64_MAX / 4 ? (int64_t)size : INT64_MAX / 4;
    int64_t used = mill_memory_used(memory) + wanted;
    if (used > memory->marks[MILL_PRESSURE_TARGET]) {
        mill_memory_look(memory, mill_clock_now());
        used = mill_memory_used(memory) + wanted;
    }
    if (used <= memory->marks[MILL_PRESSURE_SPILL]) return;
    if (atomic_load_explicit(&spill->rests_until, memory_order_relaxed) > mill_clock_now())
        return;
    /* Who would come near the limit waits for his turn, others leave it to whoever has it. */
    if (used > memory->marks[MILL_PRESSURE_PAUSE]) {
        pthread_mutex_lock(&spill->turn);
    } else if (pthread_mutex_trylock(&spill->turn) != 0) {
        return;
    }
    spill_down(spill, wanted);
    pthread_mutex_unlock(&spill->turn);
    mill_memory_update(memory);
}
