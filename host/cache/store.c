/* store: keys, content and bytes of results in one SQLite file.
 * SPDX-License-Identifier: MIT */
#include "cache/store.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "cache/inside.h"
#include "cache/reader.h"
#include "cache/recall.h"
#include "cache/writer.h"

struct mill_store {
    struct mill_database database;
    struct mill_writer writer;
    struct mill_memory *memory;
    struct mill_recall recall; /* the closing thread's */
};

struct mill_database *mill_store_database(struct mill_store *store)
{
    return &store->database;
}

struct mill_writer *mill_store_writer(struct mill_store *store)
{
    return &store->writer;
}

/* ---- sizes ------------------------------------------------------------------------------ */

static int64_t store_file_size(const char *file, const char *suffix)
{
    struct stat status;
    char *path = mill_place_join(file, suffix);
    int64_t bytes = path && stat(path, &status) == 0 ? status.st_size : 0;
    free(path);
    return bytes;
}

static int64_t store_folder_size(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) return 0;
    int64_t bytes = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        struct stat status;
        if (fstatat(dirfd(entries), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode)) {
            bytes += status.st_size;
        }
    }
    closedir(entries);
    return bytes;
}

int64_t mill_store_bytes(const struct mill_store *store)
{
    const struct mill_cache_place *place = &store->database.place;
    return store_file_size(place->file, "") + store_file_size(place->file, "-wal") +
           store_folder_size(place->folder);
}

/* What the cache has already counts as free: it would else shrink as it fills. */
static int64_t store_default_limit(struct mill_store *store)
{
    struct statvfs disk;
    const int64_t most = 10000000000;
    if (statvfs(store->database.place.file, &disk) != 0) return most;
    double room =
        (double)disk.f_bavail * (double)disk.f_frsize + (double)mill_store_bytes(store);
    return room / 10 < (double)most ? (int64_t)(room / 10) : most;
}

/* ---- opening and closing ---------------------------------------------------------------- */

tidemill_status mill_store_open(const struct mill_store_options *options,
                                struct mill_store **result, struct mill_error *error)
{
    *result = NULL;
    struct mill_store *store = calloc(1, sizeof *store);
    if (store == NULL) return mill_no_memory(error, "cache");
    struct mill_database_options database = {.path = options->path,
                                             .make_folder = options->make_folder,
                                             .remote = options->remote,
                                             .warn = options->warn,
                                             .context = options->context};
    sqlite3 *connection;
    tidemill_status status =
        mill_database_open(&store->database, &database, &connection, error);
    if (status != TIDEMILL_OK) {
        free(store);
        return status;
    }
    if (!mill_writer_init(&store->writer, &store->database, connection)) {
        mill_database_close(&store->database, connection);
        free(store);
        return mill_no_memory(error, "cache");
    }
    store->memory = options->memory;
    store->writer.limits = options->limits;
    if (options->default_limit) store->writer.limits.bytes = store_default_limit(store);
    *result = store;
    return TIDEMILL_OK;
}

void mill_store_close(struct mill_store *store)
{
    if (store == NULL) return;
    mill_writer_stop(&store->writer);
    mill_recall_write(&store->recall, &store->database, store->writer.connection);
    mill_database_close(&store->database, store->writer.connection);
    mill_writer_fini(&store->writer);
    free(store);
}

const char *mill_store_path(const struct mill_store *store)
{
    return store->database.place.path;
}

static enum mill_health store_health(struct mill_store *store)
{
    return (enum mill_health)atomic_load_explicit(&store->database.health,
                                                  memory_order_relaxed);
}

/* ---- putting ---------------------------------------------------------------------------- */

bool mill_store_put(struct mill_store *store, const struct mill_put *put)
{
    assert(put->bytes && "a result has bytes");
    struct mill_pending *pending = NULL;
    int64_t limit = store->writer.limits.bytes;
    bool fits = limit == 0 || put->bytes->size <= (uint64_t)limit;
    /* Relaxed: one that comes too late is one too many. */
    bool full = atomic_load_explicit(&store->writer.full, memory_order_relaxed);
    if (store_health(store) == MILL_HEALTH_GOOD && fits && !full) {
        pending = mill_pending_new(put->key, put->content, put->reads, put->reads_size,
                                   put->task ? put->task : "", put->bytes, put->seconds);
    }
    /* Without memory the result is lost to the cache, and computed again by the next run. */
    if (pending) {
        pending->ticket = put->ticket;
        pending->alone = put->alone;
        mill_pins_add(&store->writer.pins, put->key);
        mill_writer_push(&store->writer, pending);
        return true;
    }
    mill_buffer_unref(put->bytes);
    mill_store_unclaim(store, put->key, put->ticket);
    return false;
}

/* ---- claims ----------------------------------------------------------------------------- */

/* Only what will be written is worth waiting for. */
enum mill_claim mill_store_claim(struct mill_store *store, struct mill_hash key, int *ticket)
{
    *ticket = 0;
    if (store_health(store) != MILL_HEALTH_GOOD) return MILL_CLAIM_NONE;
    return mill_board_take(&store->database.board, key, ticket);
}

enum mill_claim mill_store_claimed(struct mill_store *store, struct mill_hash key)
{
    return mill_board_look(&store->database.board, key);
}

void mill_store_unclaim(struct mill_store *store, struct mill_hash key, int ticket)
{
    mill_board_drop(&store->database.board, key, ticket);
}

void mill_store_claim_waits(struct mill_store *store, struct mill_hash key, int ticket,
                            bool waits)
{
    mill_board_wait(&store->database.board, key, ticket, waits);
}

struct mill_limits mill_store_limits(const struct mill_store *store)
{
    return store->writer.limits;
}

void mill_store_remember(struct mill_store *store, const char *task, const void *bytes,
                         size_t size)
{
    mill_recall_add(&store->recall, task, bytes, size);
}

bool mill_store_flush(struct mill_store *store, double seconds)
{
    return mill_queue_flush(&store->writer.queue, seconds);
}

struct mill_reader *mill_reader_open(struct mill_store *store)
{
    return mill_reader_new(&store->database, &store->writer, store->memory);
}

/* ---- numbers ---------------------------------------------------------------------------- */

static int64_t store_count(struct mill_store *store)
{
    int code;
    sqlite3 *connection = mill_database_connect(&store->database, &code);
    if (connection == NULL) return 0;
    sqlite3_stmt *count = NULL;
    int64_t entries = 0;
    code = sqlite3_prepare_v2(connection, "SELECT count(*) FROM entry", -1, &count, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(count);
    if (code == SQLITE_ROW)
        entries = sqlite3_column_int64(count, 0);
    else
        mill_database_fail_reading(&store->database, connection, code);
    sqlite3_finalize(count);
    sqlite3_close(connection);
    return entries;
}

void mill_store_numbers(struct mill_store *store, struct mill_store_numbers *numbers)
{
    *numbers = (struct mill_store_numbers){
        .written = atomic_load_explicit(&store->writer.written, memory_order_relaxed),
        .broken = atomic_load_explicit(&store->writer.broken, memory_order_relaxed),
    };
    if (store_health(store) != MILL_HEALTH_BROKEN) {
        numbers->entries = store_count(store);
        numbers->bytes = mill_store_bytes(store);
    }
    numbers->usable = store_health(store) == MILL_HEALTH_GOOD;
}
