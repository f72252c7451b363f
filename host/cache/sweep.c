/* sweep: keeps a cache within its limits.  SPDX-License-Identifier: MIT */
#include "cache/sweep.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/room.h"
#include "cache/object.h"

enum {
    SWEEP_PIECE = 16384, /* entries removed in one commit */
    SWEEP_PAGES = 2048,  /* given back in one: 16 MB */
    SWEEP_ROW = 160,     /* bytes that an entry takes besides its object, about */
    SWEEP_PATIENCE = 10, /* seconds to wait for the lock */
};

/* ---- small things ---------------------------------------------------------------------- */

static int64_t sweep_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int sweep_number(sqlite3 *connection, const char *text, int64_t *number)
{
    sqlite3_stmt *ask = NULL;
    *number = 0;
    int code = sqlite3_prepare_v2(connection, text, -1, &ask, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(ask);
    if (code == SQLITE_ROW) *number = sqlite3_column_int64(ask, 0);
    sqlite3_finalize(ask);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

int mill_sweep_measure(sqlite3 *connection, int64_t *bytes, int64_t *entries)
{
    int64_t pages = 0, free_pages = 0, page = 0, files = 0;
    int code = sweep_number(connection, "PRAGMA page_count", &pages);
    if (code == SQLITE_OK)
        code = sweep_number(connection, "PRAGMA freelist_count", &free_pages);
    if (code == SQLITE_OK) code = sweep_number(connection, "PRAGMA page_size", &page);
    if (code == SQLITE_OK) {
        code = sweep_number(connection,
                            "SELECT coalesce(sum(stored), 0) FROM object WHERE in_file = 1",
                            &files);
    }
    if (code == SQLITE_OK && entries) {
        code = sweep_number(connection, "SELECT count(*) FROM entry", entries);
    }
    *bytes = (pages - free_pages) * page + files;
    return code;
}

static bool sweep_lock(struct mill_sweep *sweep)
{
    if (mill_lock_take(sweep->lock, SWEEP_PATIENCE)) {
        mill_lock_begin(sweep->lock);
        return true;
    }
    sweep->busy = "another process keeps it locked";
    return false;
}

static void sweep_unlock(struct mill_sweep *sweep)
{
    mill_lock_end(sweep->lock);
    mill_lock_drop(sweep->lock);
}

static int sweep_exec(struct mill_sweep *sweep, const char *text)
{
    return sqlite3_exec(sweep->connection, text, NULL, NULL, NULL);
}

/* ---- which objects nobody needs -------------------------------------------------------- */

/* Contents that may have lost their last entry, in order. */
struct contents {
    struct mill_hash *items;
    bool *needed;
    size_t count;
};

static int compare_hashes(const void *a, const void *b)
{
    const struct mill_hash *x = a, *y = b;
    if (x->high != y->high) return x->high < y->high ? -1 : 1;
    return (x->low > y->low) - (x->low < y->low);
}

static void contents_fini(struct contents *contents)
{
    free(contents->items);
    free(contents->needed);
}

static bool contents_of(struct contents *contents, const struct mill_sweep_victim *victims,
                        size_t count)
{
    *contents = (struct contents){.items = malloc(2 * count * sizeof *contents->items),
                                  .needed = calloc(2 * count, sizeof *contents->needed)};
    if (contents->items == NULL || contents->needed == NULL) return false;
    for (size_t i = 0; i < count; i++) {
        contents->items[contents->count++] = victims[i].content;
        if (victims[i].long_reads) contents->items[contents->count++] = victims[i].reads_name;
    }
    qsort(contents->items, contents->count, sizeof *contents->items, compare_hashes);
    size_t kept = 0;
    for (size_t i = 0; i < contents->count; i++) {
        if (i > 0 && mill_hash_equal(contents->items[i], contents->items[kept - 1])) continue;
        contents->items[kept++] = contents->items[i];
    }
    contents->count = kept;
    return true;
}

static void contents_need(struct contents *contents, sqlite3_stmt *row, int column)
{
    struct mill_hash hash;
    if (!mill_object_column_hash(row, column, &hash)) return;
    struct mill_hash *found = bsearch(&hash, contents->items, contents->count,
                                      sizeof *contents->items, compare_hashes);
    if (found) contents->needed[found - contents->items] = true;
}

/* Marks those that an entry needs: one way through all entries. */
static int contents_mark(struct contents *contents, sqlite3 *connection)
{
    sqlite3_stmt *scan = NULL;
    int code = sqlite3_prepare_v2(
        connection, "SELECT content, reads_name, reads IS NULL FROM entry", -1, &scan, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(scan);
        if (code != SQLITE_ROW) break;
        contents_need(contents, scan, 0);
        if (sqlite3_column_int(scan, 2)) contents_need(contents, scan, 1);
    }
    sqlite3_finalize(scan);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* In a transaction: removes the rows of those that nobody needs. */
static int contents_drop(struct contents *contents, sqlite3 *connection)
{
    sqlite3_stmt *drop = NULL;
    int code =
        sqlite3_prepare_v2(connection, "DELETE FROM object WHERE content = ?", -1, &drop, NULL);
    for (size_t i = 0; i < contents->count && code == SQLITE_OK; i++) {
        if (contents->needed[i]) continue;
        code = mill_object_bind_hash(drop, 1, contents->items[i]);
        if (code == SQLITE_OK) code = sqlite3_step(drop);
        sqlite3_reset(drop);
        if (code == SQLITE_DONE) code = SQLITE_OK;
    }
    sqlite3_finalize(drop);
    return code;
}

/* After the commit: a file without a row is a stray, a row without its file would be damage. */
static void contents_unlink(struct contents *contents, const char *folder)
{
    for (size_t i = 0; i < contents->count; i++) {
        if (!contents->needed[i]) mill_object_remove(contents->items[i], folder);
    }
}

/* ---- removing --------------------------------------------------------------------------- */

static int drop_entries(struct mill_sweep *sweep, const struct mill_sweep_victim *victims,
                        size_t count, int64_t *removed)
{
    static const char text[] =
        "DELETE FROM entry WHERE key = ? AND reads_name = ? AND max(made, used) <= ?";
    sqlite3_stmt *drop = NULL;
    int code = sqlite3_prepare_v2(sweep->connection, text, -1, &drop, NULL);
    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        code = mill_object_bind_hash(drop, 1, victims[i].key);
        if (code == SQLITE_OK) code = mill_object_bind_hash(drop, 2, victims[i].reads_name);
        if (code == SQLITE_OK) code = sqlite3_bind_int64(drop, 3, victims[i].until);
        if (code == SQLITE_OK) code = sqlite3_step(drop);
        if (code == SQLITE_DONE) *removed += sqlite3_changes(sweep->connection);
        sqlite3_reset(drop);
        if (code == SQLITE_DONE) code = SQLITE_OK;
    }
    sqlite3_finalize(drop);
    return code;
}

/* Inside the lock.  Files go inside it, too: a writer that finds no row makes the file anew, and
 * gives it its name inside its own. */
static int remove_piece(struct mill_sweep *sweep, const struct mill_sweep_victim *victims,
                        size_t count, struct contents *contents)
{
    int64_t removed = 0;
    int code = sweep_exec(sweep, "BEGIN IMMEDIATE");
    if (code == SQLITE_OK) code = drop_entries(sweep, victims, count, &removed);
    if (code == SQLITE_OK) code = contents_mark(contents, sweep->connection);
    if (code == SQLITE_OK) code = contents_drop(contents, sweep->connection);
    if (code == SQLITE_OK) code = sweep_exec(sweep, "COMMIT");
    if (code == SQLITE_OK) {
        contents_unlink(contents, sweep->folder);
        sweep->entries += removed;
    } else {
        sweep_exec(sweep, "ROLLBACK");
    }
    return code;
}

int mill_sweep_remove(struct mill_sweep *sweep, struct mill_sweep_victim *victims, size_t count)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK && sweep->busy == NULL;) {
        size_t piece = count - i < SWEEP_PIECE ? count - i : SWEEP_PIECE;
        struct contents contents;
        if (!contents_of(&contents, victims + i, piece)) {
            code = SQLITE_NOMEM;
        } else if (sweep_lock(sweep)) {
            code = remove_piece(sweep, victims + i, piece, &contents);
            sweep_unlock(sweep);
        }
        contents_fini(&contents);
        i += piece;
    }
    return code;
}

/* ---- what is too old ------------------------------------------------------------------- */

struct victims {
    struct mill_sweep_victim *items;
    size_t count, room;
};

static struct mill_sweep_victim *victims_add(struct victims *list)
{
    if (!mill_room_for_one(&list->items, list->count, &list->room, sizeof *list->items, 256)) {
        return NULL;
    }
    return &list->items[list->count++];
}

bool mill_sweep_victim_row(sqlite3_stmt *row, struct mill_sweep_victim *victim)
{
    victim->until = sqlite3_column_int64(row, 3);
    victim->long_reads = sqlite3_column_int(row, 4) != 0;
    return mill_object_column_hash(row, 0, &victim->key) &&
           mill_object_column_hash(row, 1, &victim->reads_name) &&
           mill_object_column_hash(row, 2, &victim->content);
}

static int sweep_expired(struct mill_sweep *sweep)
{
    static const char text[] =
        "SELECT key, reads_name, content, max(made, used), reads IS NULL FROM entry"
        " WHERE made < ?";
    if (!(sweep->limits.ttl > 0)) return SQLITE_OK;
    double age = sweep->limits.ttl * 1e6;
    int64_t now = sweep_now();
    sqlite3_stmt *scan = NULL;
    struct victims list = {0};
    int code = sqlite3_prepare_v2(sweep->connection, text, -1, &scan, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(scan, 1, age < (double)now ? now - (int64_t)age : 0);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(scan);
        if (code != SQLITE_ROW) break;
        struct mill_sweep_victim *victim = victims_add(&list);
        if (victim == NULL) break; /* the rest goes the next time */
        if (!mill_sweep_victim_row(scan, victim)) list.count--;
    }
    sqlite3_finalize(scan);
    if (code == SQLITE_DONE || code == SQLITE_ROW) {
        code = mill_sweep_remove(sweep, list.items, list.count);
    }
    free(list.items);
    return code;
}

/* ---- what is too much ------------------------------------------------------------------ */

static int64_t nine_tenths(int64_t limit)
{
    return limit / 10 * 9 + limit % 10 * 9 / 10;
}

/* What an object takes on disk. */
static int64_t stored_size(sqlite3_stmt *size, struct mill_hash content)
{
    int64_t stored = 0;
    if (mill_object_bind_hash(size, 1, content) == SQLITE_OK &&
        sqlite3_step(size) == SQLITE_ROW) {
        stored = sqlite3_column_int64(size, 0);
    }
    sqlite3_reset(size);
    return stored;
}

/* The entries that go so that `bytes` and `entries` are freed, the least recently used first; those
 * that share an object with others free less than is counted here. */
static int find_victims(struct mill_sweep *sweep, int64_t bytes, int64_t entries,
                        struct victims *list)
{
    static const char text[] =
        "SELECT key, reads_name, content, max(made, used) AS last, reads IS NULL FROM entry"
        " ORDER BY last";
    sqlite3_stmt *scan = NULL, *size = NULL;
    int code = sqlite3_prepare_v2(sweep->connection, text, -1, &scan, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v2(
            sweep->connection, "SELECT stored FROM object WHERE content = ?", -1, &size, NULL);
    }
    while ((code == SQLITE_OK || code == SQLITE_ROW) && (bytes > 0 || entries > 0)) {
        code = sqlite3_step(scan);
        if (code != SQLITE_ROW) break;
        struct mill_sweep_victim victim;
        if (!mill_sweep_victim_row(scan, &victim)) continue;
        if (sweep->pins && mill_pins_have(sweep->pins, victim.key)) continue;
        struct mill_sweep_victim *added = victims_add(list);
        if (added == NULL) break;
        *added = victim;
        bytes -= stored_size(size, victim.content) + SWEEP_ROW;
        entries--;
    }
    sqlite3_finalize(scan);
    sqlite3_finalize(size);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int sweep_excess(struct mill_sweep *sweep)
{
    const struct mill_limits *limits = &sweep->limits;
    /* A second round, and a third, when what went had shared its bytes. */
    for (int round = 0; round < 16; round++) {
        int64_t bytes = 0, entries = 0;
        int code =
            mill_sweep_measure(sweep->connection, &bytes, limits->entries ? &entries : NULL);
        if (code != SQLITE_OK) return code;
        bool large = limits->bytes > 0 && bytes > limits->bytes;
        bool many = limits->entries > 0 && entries > limits->entries;
        sweep->full = large || many;
        if (round > 0 && !sweep->full) {
            large = limits->bytes > 0 && bytes > nine_tenths(limits->bytes);
        }
        if (!large && !many) return SQLITE_OK;
        struct victims list = {0};
        code = find_victims(sweep, large ? bytes - nine_tenths(limits->bytes) : 0,
                            many ? entries - nine_tenths(limits->entries) : 0, &list);
        size_t found = list.count;
        if (code == SQLITE_OK) code = mill_sweep_remove(sweep, list.items, found);
        free(list.items);
        if (code != SQLITE_OK || found == 0 || sweep->busy) return code;
    }
    return SQLITE_OK;
}

int mill_sweep_orphans(struct mill_sweep *sweep, int64_t *objects)
{
    static const char text[] =
        "SELECT content FROM object WHERE content NOT IN (SELECT content FROM entry)"
        " AND content NOT IN (SELECT reads_name FROM entry WHERE reads IS NULL)";
    sqlite3_stmt *scan = NULL;
    struct victims list = {0};
    int code = sqlite3_prepare_v2(sweep->connection, text, -1, &scan, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(scan);
        if (code != SQLITE_ROW) break;
        struct mill_sweep_victim *victim = victims_add(&list);
        if (victim == NULL) break;
        *victim = (struct mill_sweep_victim){.until = -1}; /* it has no entry to remove */
        if (!mill_object_column_hash(scan, 0, &victim->content)) list.count--;
    }
    sqlite3_finalize(scan);
    if (objects) *objects = (int64_t)list.count;
    if (code == SQLITE_DONE || code == SQLITE_ROW) {
        code = mill_sweep_remove(sweep, list.items, list.count);
    }
    free(list.items);
    return code;
}

int mill_sweep_shrink(struct mill_sweep *sweep)
{
    char text[64];
    sqlite3_snprintf(sizeof text, text, "PRAGMA incremental_vacuum(%d)", SWEEP_PAGES);
    int64_t free_pages = 0, before = 0;
    int code = sweep_number(sweep->connection, "PRAGMA freelist_count", &free_pages);
    while (code == SQLITE_OK && free_pages > 0 && free_pages != before) {
        if (!sweep_lock(sweep)) return SQLITE_OK;
        code = sweep_exec(sweep, text);
        sweep_unlock(sweep);
        before = free_pages;
        if (code == SQLITE_OK) {
            code = sweep_number(sweep->connection, "PRAGMA freelist_count", &free_pages);
        }
    }
    return code;
}

int mill_sweep_run(struct mill_sweep *sweep)
{
    int64_t before = 0, after = 0;
    int code = mill_sweep_measure(sweep->connection, &before, NULL);
    if (code == SQLITE_OK) code = sweep_expired(sweep);
    if (code == SQLITE_OK && sweep->busy == NULL) code = sweep_excess(sweep);
    if (code == SQLITE_OK && sweep->entries > 0 && sweep->busy == NULL) {
        code = mill_sweep_shrink(sweep);
    }
    if (code == SQLITE_OK) code = mill_sweep_measure(sweep->connection, &after, NULL);
    sweep->bytes = before > after ? before - after : 0;
    return code;
}
