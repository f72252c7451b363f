/* store: keys, content and bytes of results in one SQLite file.
 * SPDX-License-Identifier: MIT */
#include "cache/store.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cache/reader.h"
#include "cache/recall.h"
#include "cache/writer.h"

struct mill_store {
    struct mill_database database;
    struct mill_writer writer;
    struct mill_memory *memory;
    struct mill_recall recall; /* the closing thread's */
};

/* ---- opening and closing ---------------------------------------------------------------- */

tidemill_status mill_store_open(const struct mill_store_options *options,
                                struct mill_store **result, struct mill_error *error)
{
    *result = NULL;
    struct mill_store *store = calloc(1, sizeof *store);
    if (store == NULL) return mill_no_memory(error, "cache");
    struct mill_database_options database = {.path = options->path,
                                             .make_folder = options->make_folder,
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

void mill_store_put(struct mill_store *store, const struct mill_put *put)
{
    assert(put->bytes && "a result has bytes");
    struct mill_pending *pending = NULL;
    if (store_health(store) == MILL_HEALTH_GOOD) {
        pending = mill_pending_new(put->key, put->content, put->reads, put->reads_size,
                                   put->task ? put->task : "", put->bytes, put->seconds);
    }
    /* Without memory the result is lost to the cache, and computed again by the next run. */
    if (pending)
        mill_writer_push(&store->writer, pending);
    else
        mill_buffer_unref(put->bytes);
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
    const struct mill_database *database = &store->database;
    *numbers = (struct mill_store_numbers){
        .written = atomic_load_explicit(&store->writer.written, memory_order_relaxed),
        .broken = atomic_load_explicit(&store->writer.broken, memory_order_relaxed),
    };
    if (store_health(store) != MILL_HEALTH_BROKEN) {
        numbers->entries = store_count(store);
        numbers->bytes = store_file_size(database->place.file, "") +
                         store_file_size(database->place.file, "-wal") +
                         store_folder_size(database->place.folder);
    }
    numbers->usable = store_health(store) == MILL_HEALTH_GOOD;
}
