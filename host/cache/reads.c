/* reads: what a cached task was seen to read besides its arguments.
 * An item is a kind byte, 16 bytes of hash, the name and a zero byte.
 * SPDX-License-Identifier: MIT */
#include "cache/reads.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/room.h"
#include "data/glob.h"

enum { READ_HEAD = 1 + sizeof(struct mill_hash) };

void mill_reads_clear(struct mill_reads *reads)
{
    reads->size = 0;
    reads->unsound = reads->impure = false;
}

void mill_reads_fini(struct mill_reads *reads)
{
    free(reads->bytes);
    memset(reads, 0, sizeof *reads);
}

/* The item at `at`: its name, and where the next one starts; NULL when the bytes end first. */
static const char *item(const char *at, const char *end, const char **next)
{
    if (end - at <= READ_HEAD) return NULL;
    const char *zero = memchr(at + READ_HEAD, '\0', (size_t)(end - at) - READ_HEAD);
    if (zero == NULL) return NULL;
    *next = zero + 1;
    return at + READ_HEAD;
}

static bool has(struct mill_reads *reads, enum mill_read_kind kind, const char *name,
                struct mill_hash hash)
{
    const char *end = reads->bytes + reads->size, *next;
    for (const char *at = reads->bytes; at < end; at = next) {
        const char *other = item(at, end, &next);
        if (other == NULL) break;
        if (*at != (char)kind || strcmp(other, name) != 0) continue;
        if (memcmp(at + 1, &hash, sizeof hash) != 0) reads->unsound = true;
        return true;
    }
    return false;
}

void mill_reads_add(struct mill_reads *reads, enum mill_read_kind kind, const char *name,
                    struct mill_hash hash)
{
    if (has(reads, kind, name, hash)) return;
    size_t length = strlen(name) + 1;
    if (!mill_room_for(&reads->bytes, reads->size, &reads->room, 1, READ_HEAD + length)) {
        reads->unsound = true;
        return;
    }
    char *at = reads->bytes + reads->size;
    *at = (char)kind;
    memcpy(at + 1, &hash, sizeof hash);
    memcpy(at + READ_HEAD, name, length);
    reads->size += READ_HEAD + length;
}

int64_t mill_reads_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void mill_reads_expire(struct mill_reads *reads, double seconds)
{
    double end = (double)mill_reads_time() + seconds * 1e6;
    uint64_t time = end < 9e18 ? (uint64_t)end : INT64_MAX;
    mill_reads_add(reads, MILL_READ_TIME, "", (struct mill_hash){.low = time});
}

void mill_reads_join(struct mill_reads *reads, const void *bytes, size_t size)
{
    const char *at = bytes, *end = at + size, *next;
    while (at < end) {
        const char *name = item(at, end, &next);
        if (name == NULL) {
            reads->unsound = true;
            return;
        }
        struct mill_hash hash;
        memcpy(&hash, at + 1, sizeof hash);
        enum mill_read_kind kind = (enum mill_read_kind) * at;
        if (kind != MILL_READ_IMPURE) mill_reads_add(reads, kind, name, hash);
        at = next;
    }
}

struct mill_hash mill_variable_hash(const char *name)
{
    const char *text = getenv(name);
    struct mill_hash absent = {0, 0};
    return text ? mill_hash_bytes(text, strlen(text)) : absent;
}

struct mill_hash mill_presence_hash(const char *path)
{
    struct stat status;
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "presence/1");
    mill_hasher_number(&hasher, stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0);
    return mill_hasher_end(&hasher);
}

static struct mill_hash listing_hash(const char *pattern)
{
    struct mill_glob glob;
    struct mill_hash hash = {0, 0};
    if (!mill_glob_find(pattern, &glob)) return hash;
    hash = mill_glob_hash(&glob);
    mill_glob_fini(&glob);
    return hash;
}

/* What the item would be noted with now, where it was noted with *now; false: no such kind. */
static bool item_now(struct mill_files *files, char kind, const char *name,
                     struct mill_hash *now)
{
    switch (kind) {
    case MILL_READ_FILE:
        *now = mill_files_hash(files, name);
        return true;
    case MILL_READ_LISTING:
        *now = listing_hash(name);
        return true;
    case MILL_READ_VARIABLE:
        *now = mill_variable_hash(name);
        return true;
    case MILL_READ_PRESENCE:
        *now = mill_presence_hash(name);
        return true;
    case MILL_READ_LIBRARY:
        if (files->library == NULL) return false;
        *now = files->library(files->context, name);
        return true;
    case MILL_READ_TIME:
        if ((uint64_t)mill_reads_time() >= now->low) *now = (struct mill_hash){0, 0};
        return true;
    case MILL_READ_IMPURE:
        *now = (struct mill_hash){0, 0}; /* as it is noted */
        return true;
    default:
        return false;
    }
}

bool mill_reads_compare(struct mill_files *files, const void *bytes, size_t size,
                        mill_reads_visit *changed, void *context)
{
    const char *at = bytes, *end = at + size, *next;
    bool hold = true;
    while (at < end) {
        const char *name = item(at, end, &next);
        if (name == NULL) return false;
        struct mill_hash was, now;
        memcpy(&was, at + 1, sizeof was);
        now = was;
        if (!item_now(files, *at, name, &now) || !mill_hash_equal(now, was)) {
            hold = false;
            if (changed == NULL) return false;
            changed(context, *at, name, was, now);
        }
        at = next;
    }
    return hold;
}

bool mill_reads_hold(struct mill_files *files, const void *bytes, size_t size)
{
    return mill_reads_compare(files, bytes, size, NULL, NULL);
}

void mill_reads_visit_all(const void *bytes, size_t size, mill_reads_visit *visit,
                          void *context)
{
    const char *at = bytes, *end = at + size, *next;
    for (const char *name; at < end && (name = item(at, end, &next)) != NULL; at = next) {
        struct mill_hash hash;
        memcpy(&hash, at + 1, sizeof hash);
        visit(context, *at, name, hash, hash);
    }
}

static void note_over(void *over, char kind, const char *name, struct mill_hash was,
                      struct mill_hash now)
{
    (void)name, (void)now;
    if (kind == MILL_READ_TIME && (uint64_t)mill_reads_time() >= was.low) *(bool *)over = true;
}

bool mill_reads_are_over(const void *bytes, size_t size)
{
    bool over = false;
    mill_reads_visit_all(bytes, size, note_over, &over);
    return over;
}

static void note_impure(void *impure, char kind, const char *name, struct mill_hash was,
                        struct mill_hash now)
{
    (void)name, (void)was, (void)now;
    if (kind == MILL_READ_IMPURE) *(bool *)impure = true;
}

bool mill_reads_are_impure(const void *bytes, size_t size)
{
    bool impure = false;
    mill_reads_visit_all(bytes, size, note_impure, &impure);
    return impure;
}
