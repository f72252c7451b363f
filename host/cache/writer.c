/* writer: the one thread of a process that writes to the cache.
 * SPDX-License-Identifier: MIT */
#include "cache/writer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cache/object.h"

enum {
    WRITER_LOG_PAGES = 8192, /* 64 MB: then the log is moved even when there is work */
    WRITER_PATIENCE = 10,    /* seconds to wait for the lock */
    WRITER_USES = 2048,      /* noted in one commit */
};
#define WRITER_IDLE_SECONDS 0.5 /* without work before the log is moved */

/* ---- failures --------------------------------------------------------------------------- */

static bool writer_failed(struct mill_writer *writer, int code)
{
    mill_database_fail_writing(writer->database, writer->connection, code);
    return false;
}

static bool writer_failed_file(struct mill_writer *writer, int problem)
{
    const char *reason =
        problem == ENOSPC || problem == EDQUOT ? "disk full" : strerror(problem);
    mill_database_fail(writer->database, MILL_HEALTH_UNWRITTEN, reason);
    return false;
}

/* ---- statements ------------------------------------------------------------------------- */

static bool writer_prepare(struct mill_writer *writer)
{
    const struct {
        sqlite3_stmt **statement;
        const char *text;
    } all[] = {
        {&writer->begin, "BEGIN IMMEDIATE"},
        {&writer->commit, "COMMIT"},
        {&writer->rollback, "ROLLBACK"},
        {&writer->add_entry, "INSERT OR REPLACE INTO entry(key, reads_name, content, made,"
                             " seconds, task, reads, object) VALUES(?, ?, ?3, ?, ?, ?, ?,"
                             " coalesce((SELECT id FROM object WHERE content = ?3), 0))"},
        {&writer->add_object,
         "INSERT OR IGNORE INTO object(" MILL_OBJECT_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?)"},
        {&writer->has_object, "SELECT 1 FROM object WHERE content = ?"},
        {&writer->get_object, "SELECT " MILL_OBJECT_COLUMNS " FROM object WHERE content = ?"},
        {&writer->drop_object, "DELETE FROM object WHERE content = ?"},
        {&writer->drop_entries, "DELETE FROM entry WHERE content = ?1 OR reads_name = ?1"},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        int code = sqlite3_prepare_v3(writer->connection, all[i].text, -1,
                                      SQLITE_PREPARE_PERSISTENT, all[i].statement, NULL);
        if (code != SQLITE_OK) return writer_failed(writer, code);
    }
    int code = mill_leftovers_prepare(&writer->leftovers, writer->connection);
    return code == SQLITE_OK || writer_failed(writer, code);
}

static void writer_finalize(struct mill_writer *writer)
{
    sqlite3_stmt *all[] = {writer->begin,      writer->commit,      writer->rollback,
                           writer->add_entry,  writer->add_object,  writer->has_object,
                           writer->get_object, writer->drop_object, writer->drop_entries};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
    mill_leftovers_fini(&writer->leftovers);
}

/* Runs a statement to its end and lets go of what was bound. */
static bool writer_run(struct mill_writer *writer, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW || writer_failed(writer, code);
}

static bool writer_run_hash(struct mill_writer *writer, sqlite3_stmt *statement,
                            struct mill_hash hash)
{
    int code = mill_object_bind_hash(statement, 1, hash);
    return code == SQLITE_OK ? writer_run(writer, statement) : writer_failed(writer, code);
}

/* An answer of "no" for want of memory or the like only costs an encoding. */
static bool writer_has(struct mill_writer *writer, struct mill_hash content)
{
    if (mill_object_bind_hash(writer->has_object, 1, content) != SQLITE_OK) return false;
    int code = sqlite3_step(writer->has_object);
    sqlite3_reset(writer->has_object);
    return code == SQLITE_ROW;
}

/* ---- one result ------------------------------------------------------------------------- */

/* What a result becomes: the object of its bytes and, where the list of what it read is long,
 * the object of that. */
struct writer_item {
    const struct mill_pending *pending;
    struct mill_object value, reads;
    bool value_made, reads_made; /* else it was in the database already */
};

static bool writer_encode(struct mill_writer *writer, struct mill_object *object, bool *made,
                          struct mill_hash content, const void *bytes, size_t size)
{
    if (*made || writer_has(writer, content)) return true;
    mill_object_encode(object, content, bytes, size, writer->compressor);
    *made = true;
    int problem = mill_object_write(object, writer->database->place.folder);
    return problem == 0 || writer_failed_file(writer, problem);
}

static bool writer_encode_item(struct mill_writer *writer, struct writer_item *item)
{
    const struct mill_pending *pending = item->pending;
    if (pending->bytes == NULL) return true;
    if (pending->reads_size > MILL_READS_INLINE &&
        !writer_encode(writer, &item->reads, &item->reads_made, pending->reads_name,
                       pending->reads, pending->reads_size)) {
        return false;
    }
    return writer_encode(writer, &item->value, &item->value_made, pending->content,
                         pending->bytes->data, pending->bytes->size);
}

/* The file gets its name before its row is committed, and only when the row is new: the file
 * of a row that is there belongs to that row. */
static bool writer_insert_object(struct mill_writer *writer, struct mill_object *object)
{
    int code = mill_object_bind(object, writer->add_object);
    if (code != SQLITE_OK) return writer_failed(writer, code);
    if (!writer_run(writer, writer->add_object)) return false;
    if (sqlite3_changes(writer->connection) == 0) {
        mill_object_fini(object, false);
        return true;
    }
    int problem = mill_object_publish(object, writer->database->place.folder);
    return problem == 0 || writer_failed_file(writer, problem);
}

static bool writer_insert_entry(struct mill_writer *writer, const struct mill_pending *pending)
{
    sqlite3_stmt *add = writer->add_entry;
    bool inline_reads = pending->reads_size <= MILL_READS_INLINE;
    int code = mill_object_bind_hash(add, 1, pending->key);
    if (code == SQLITE_OK) code = mill_object_bind_hash(add, 2, pending->reads_name);
    if (code == SQLITE_OK) code = mill_object_bind_hash(add, 3, pending->content);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(add, 4, pending->made);
    if (code == SQLITE_OK) code = sqlite3_bind_double(add, 5, pending->seconds);
    if (code == SQLITE_OK) code = sqlite3_bind_text(add, 6, pending->task, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && inline_reads) {
        code =
            sqlite3_bind_blob(add, 7, pending->reads, (int)pending->reads_size, SQLITE_STATIC);
    }
    return code == SQLITE_OK ? writer_run(writer, add) : writer_failed(writer, code);
}

/* Looks again before it removes: the reader that complained may have read a file in the moment
 * in which it was replaced, or others may have complained too. */
static bool writer_check(struct mill_writer *writer, struct mill_hash content)
{
    struct mill_object object;
    bool damaged = false;
    int code = mill_object_bind_hash(writer->get_object, 1, content);
    if (code == SQLITE_OK) code = sqlite3_step(writer->get_object);
    if (code == SQLITE_ROW) {
        damaged = true;
        if (mill_object_row(&object, writer->get_object)) {
            mill_buffer_unref(mill_object_decode(&object, writer->database->place.folder,
                                                 writer->decompressor, NULL, &damaged));
        }
    }
    sqlite3_reset(writer->get_object);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return writer_failed(writer, code);
    if (!damaged) return true;
    atomic_fetch_add_explicit(&writer->broken, 1, memory_order_relaxed);
    mill_object_remove(content, writer->database->place.folder);
    return writer_run_hash(writer, writer->drop_object, content) &&
           writer_run_hash(writer, writer->drop_entries, content);
}

/* Of a result that is to be its key's only one, the others go. */
static bool writer_replace(struct mill_writer *writer, const struct mill_pending *pending)
{
    if (!pending->alone) return true;
    int code = mill_leftovers_replace(&writer->leftovers, pending->key);
    return code == SQLITE_OK || writer_failed(writer, code);
}

/* Encodes what another process removed since the item was encoded. */
static bool writer_insert(struct mill_writer *writer, struct writer_item *item)
{
    if (item->pending->bytes == NULL) return writer_check(writer, item->pending->content);
    return writer_encode_item(writer, item) &&
           (!item->reads_made || writer_insert_object(writer, &item->reads)) &&
           (!item->value_made || writer_insert_object(writer, &item->value)) &&
           writer_replace(writer, item->pending) && writer_insert_entry(writer, item->pending);
}

/* ---- batches ---------------------------------------------------------------------------- */

static bool writer_lock(struct mill_writer *writer)
{
    if (mill_lock_take(&writer->database->lock, WRITER_PATIENCE)) return true;
    mill_database_fail(writer->database, MILL_HEALTH_UNWRITTEN,
                       "another process keeps it locked");
    return false;
}

/* The lock is held. */
static bool writer_transact(struct mill_writer *writer, size_t count)
{
    if (!writer_run(writer, writer->begin)) return false;
    bool good = true;
    for (size_t i = 0; i < count && good; i++) good = writer_insert(writer, &writer->items[i]);
    if (good && writer_run(writer, writer->commit)) return true;
    /* SQLite may have rolled back by itself: then this one fails, and may. */
    sqlite3_step(writer->rollback);
    sqlite3_reset(writer->rollback);
    return false;
}

static bool writer_commit(struct mill_writer *writer, size_t count)
{
    if (!writer_lock(writer)) return false;
    mill_lock_begin(&writer->database->lock);
    bool good = writer_transact(writer, count);
    if (good) mill_board_commit(&writer->database->board);
    mill_lock_end(&writer->database->lock);
    mill_lock_drop(&writer->database->lock);
    return good;
}

/* Moves the log into the database.  Nobody waits for it, so it does not wait either. */
static void writer_checkpoint(struct mill_writer *writer, int mode)
{
    if (writer->log_pages == 0 || !mill_lock_take(&writer->database->lock, 0)) return;
    mill_lock_begin(&writer->database->lock);
    int code = sqlite3_wal_checkpoint_v2(writer->connection, NULL, mode, NULL, NULL);
    mill_lock_end(&writer->database->lock);
    mill_lock_drop(&writer->database->lock);
    if (code == SQLITE_OK)
        writer->log_pages = 0;
    else if ((code & 0xff) != SQLITE_BUSY)
        writer_failed(writer, code);
}

/* Writes the first `count` of the batch. */
static void writer_write(struct mill_writer *writer, size_t count)
{
    size_t encoded = 0;
    int64_t results = 0;
    bool good = true;
    while (encoded < count && good) {
        struct writer_item *item = &writer->items[encoded];
        *item = (struct writer_item){.pending = writer->batch[encoded]};
        good = writer_encode_item(writer, item);
        writer->unswept_bytes += item->value.stored + item->reads.stored;
        writer->unswept_rows += item->pending->bytes != NULL;
        results += item->pending->bytes != NULL;
        encoded++;
    }
    good = good && writer_commit(writer, count);
    for (size_t i = 0; i < encoded; i++) {
        mill_object_fini(&writer->items[i].value, good);
        mill_object_fini(&writer->items[i].reads, good);
    }
    if (good) atomic_fetch_add_explicit(&writer->written, results, memory_order_relaxed);
}

/* ---- uses ------------------------------------------------------------------------------- */

void mill_writer_note(struct mill_writer *writer, struct mill_uses *uses)
{
    struct mill_uses *kept = uses->count > 0 ? malloc(sizeof *kept) : NULL;
    if (kept == NULL) {
        mill_uses_fini(uses);
        return;
    }
    *kept = *uses;
    *uses = (struct mill_uses){0};
    pthread_mutex_lock(&writer->uses_mutex);
    kept->next = writer->uses;
    writer->uses = kept;
    writer->use_count += kept->count;
    pthread_mutex_unlock(&writer->uses_mutex);
}

/* All that were handed over, when they are many or `all`. */
static struct mill_uses *writer_take_uses(struct mill_writer *writer, bool all)
{
    struct mill_uses *taken = NULL;
    pthread_mutex_lock(&writer->uses_mutex);
    if (all || writer->use_count >= MILL_USES_MOST) {
        taken = writer->uses;
        writer->uses = NULL;
        writer->use_count = 0;
    }
    pthread_mutex_unlock(&writer->uses_mutex);
    return taken;
}

static int writer_note_use(sqlite3_stmt *note, const struct mill_use *use, int64_t now)
{
    int code = mill_object_bind_hash(note, 1, use->key);
    if (code == SQLITE_OK) code = mill_object_bind_hash(note, 2, use->reads_name);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(note, 3, now);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(note, 4, use->hits);
    if (code == SQLITE_OK) code = sqlite3_step(note);
    sqlite3_reset(note);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* In order of key, so that neighbours share pages. */
static int writer_note_uses(struct mill_writer *writer, sqlite3_stmt *note,
                            struct mill_uses *uses, size_t from, size_t to)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    int64_t now = (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
    int code = sqlite3_exec(writer->connection, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (size_t i = from; i < to && code == SQLITE_OK; i++) {
        code = writer_note_use(note, &uses->table[i], now);
    }
    if (code == SQLITE_OK) code = sqlite3_exec(writer->connection, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK) sqlite3_exec(writer->connection, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

static void free_uses(struct mill_uses *list)
{
    while (list) {
        struct mill_uses *next = list->next;
        mill_uses_fini(list);
        free(list);
        list = next;
    }
}

/* That uses cannot be noted, because the disk is full or somebody has the lock, is no failure: what
 * was used looks older than it is. */
static void writer_flush_uses(struct mill_writer *writer, struct mill_uses *list)
{
    static const char text[] = "UPDATE entry SET used = max(used, ?3), hits = hits + ?4"
                               " WHERE key = ?1 AND reads_name = ?2";
    sqlite3_stmt *note = NULL;
    int code = list ? sqlite3_prepare_v2(writer->connection, text, -1, &note, NULL) : SQLITE_OK;
    while (list) {
        struct mill_uses *next = list->next;
        mill_uses_sort(list);
        for (size_t i = 0; i < list->count && code == SQLITE_OK; i += WRITER_USES) {
            size_t to = list->count - i < WRITER_USES ? list->count : i + WRITER_USES;
            if (!mill_lock_take(&writer->database->lock, 1)) break;
            mill_lock_begin(&writer->database->lock);
            code = writer_note_uses(writer, note, list, i, to);
            mill_lock_end(&writer->database->lock);
            mill_lock_drop(&writer->database->lock);
        }
        mill_uses_fini(list);
        free(list);
        list = next;
    }
    sqlite3_finalize(note);
}

/* ---- limits ----------------------------------------------------------------------------- */

static void writer_say_full(struct mill_writer *writer)
{
    bool no = false;
    if (!atomic_compare_exchange_strong(&writer->full, &no, true)) return;
    struct mill_error text;
    mill_fail(&text, TIDEMILL_IO,
              "cache %s has reached its limit, and all of it was used by this run: further "
              "results are not kept (settings cache.limit and cache.entries)",
              writer->database->place.path);
    if (writer->database->warn) writer->database->warn(writer->database->context, text.text);
}

static bool writer_has_limits(const struct mill_writer *writer)
{
    return writer->limits.bytes > 0 || writer->limits.entries > 0 || writer->limits.ttl > 0;
}

/* A sixteenth of a limit may be written before it is looked at again. */
static bool writer_must_sweep(const struct mill_writer *writer)
{
    const struct mill_limits *limits = &writer->limits;
    return (limits->bytes > 0 && writer->unswept_bytes > limits->bytes / 16) ||
           (limits->entries > 0 && writer->unswept_rows > limits->entries / 16);
}

static struct mill_sweep writer_sweep_of(struct mill_writer *writer)
{
    return (struct mill_sweep){.connection = writer->connection,
                               .folder = writer->database->place.folder,
                               .lock = &writer->database->lock,
                               .limits = writer->limits,
                               .pins = &writer->pins};
}

static void writer_swept(struct mill_writer *writer, int code)
{
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) writer_failed(writer, code);
}

static void writer_sweep(struct mill_writer *writer)
{
    if (!writer_has_limits(writer)) return;
    struct mill_sweep sweep = writer_sweep_of(writer);
    writer->unswept_bytes = writer->unswept_rows = 0;
    writer_swept(writer, mill_sweep_run(&sweep));
    if (sweep.full) writer_say_full(writer);
}

static void writer_sweep_leftovers(struct mill_writer *writer)
{
    if (writer->leftovers.count == 0) return;
    struct mill_sweep sweep = writer_sweep_of(writer);
    writer_swept(writer, mill_leftovers_sweep(&writer->leftovers, &sweep));
}

/* ---- the thread ------------------------------------------------------------------------- */

static bool writer_usable(struct mill_writer *writer)
{
    return atomic_load_explicit(&writer->database->health, memory_order_relaxed) ==
           MILL_HEALTH_GOOD;
}

/* SQLite calls this after each commit with the pages in the log. */
static int writer_logged(void *context, sqlite3 *connection, const char *name, int pages)
{
    struct mill_writer *writer = context;
    (void)connection;
    (void)name;
    writer->log_pages = pages;
    return SQLITE_OK;
}

static void writer_work(struct mill_writer *writer)
{
    while (writer_usable(writer)) {
        double patience = writer->log_pages > 0 ? WRITER_IDLE_SECONDS : -1;
        size_t count =
            mill_queue_take(&writer->queue, writer->batch, MILL_QUEUE_BATCH, patience);
        if (count > 0) {
            if (writer_usable(writer)) writer_write(writer, count);
            mill_queue_done(&writer->queue, writer->batch, count);
            if (writer_must_sweep(writer) && writer_usable(writer)) writer_sweep(writer);
            writer_flush_uses(writer, writer_take_uses(writer, false));
        } else if (mill_queue_ended(&writer->queue)) {
            return;
        }
        if (count == 0 || writer->leftovers.count >= MILL_LEFTOVERS_MOST) {
            writer_sweep_leftovers(writer);
        }
        if (count == 0 || writer->log_pages >= WRITER_LOG_PAGES) {
            writer_checkpoint(writer, SQLITE_CHECKPOINT_PASSIVE);
        }
    }
}

/* Without a compressor nothing is compressed; the rest it cannot do without. */
static bool writer_equip(struct mill_writer *writer)
{
    writer->compressor = ZSTD_createCCtx();
    writer->decompressor = ZSTD_createDCtx();
    writer->batch = malloc(MILL_QUEUE_BATCH * sizeof *writer->batch);
    writer->items = malloc(MILL_QUEUE_BATCH * sizeof *writer->items);
    if (writer->decompressor && writer->batch && writer->items) return writer_prepare(writer);
    mill_database_fail(writer->database, MILL_HEALTH_UNWRITTEN, "out of memory");
    return false;
}

static void writer_release(struct mill_writer *writer)
{
    writer_finalize(writer);
    ZSTD_freeCCtx(writer->compressor);
    ZSTD_freeDCtx(writer->decompressor);
    free(writer->batch);
    free(writer->items);
}

static void *writer_main(void *context)
{
    struct mill_writer *writer = context;
    sqlite3_wal_hook(writer->connection, writer_logged, writer);
    mill_object_sweep(writer->database->place.folder);
    if (writer_equip(writer)) writer_work(writer);
    mill_queue_close(&writer->queue);
    return NULL;
}

/* The signals of the process are for the threads of whoever embeds the engine. */
static int writer_start(struct mill_writer *writer)
{
    sigset_t all, old;
    sigfillset(&all);
    int problem = pthread_sigmask(SIG_SETMASK, &all, &old);
    if (problem != 0) return problem;
    problem = pthread_create(&writer->thread, NULL, writer_main, writer);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    writer->running = problem == 0;
    return problem;
}

void mill_writer_push(struct mill_writer *writer, struct mill_pending *pending)
{
    if (!mill_queue_push(&writer->queue, pending)) return;
    /* Relaxed: pthread_create orders what the thread sees; losers need nothing of the winner. */
    if (atomic_load_explicit(&writer->started, memory_order_relaxed)) return;
    bool no = false;
    if (!atomic_compare_exchange_strong_explicit(&writer->started, &no, true,
                                                 memory_order_relaxed, memory_order_relaxed)) {
        return;
    }
    int problem = writer_start(writer);
    if (problem == 0) return;
    writer_failed_file(writer, problem);
    mill_queue_close(&writer->queue);
}

/* ---- life ------------------------------------------------------------------------------- */

bool mill_writer_init(struct mill_writer *writer, struct mill_database *database,
                      sqlite3 *connection)
{
    *writer = (struct mill_writer){.database = database, .connection = connection};
    if (!mill_queue_init(&writer->queue, &database->board)) return false;
    pthread_mutex_init(&writer->uses_mutex, NULL);
    mill_pins_init(&writer->pins);
    return true;
}

void mill_writer_stop(struct mill_writer *writer)
{
    bool ran = writer->running;
    if (ran) {
        mill_queue_end(&writer->queue);
        pthread_join(writer->thread, NULL);
        writer->running = false;
    }
    struct mill_uses *uses = writer_take_uses(writer, true);
    if (uses && !ran) sqlite3_wal_hook(writer->connection, writer_logged, writer);
    if (writer_usable(writer)) {
        writer_flush_uses(writer, uses);
    } else {
        free_uses(uses);
    }
    if (!ran && writer->log_pages == 0) return;
    /* Another process may be reading: the log is then left to it. */
    sqlite3_busy_timeout(writer->connection, 20);
    if (writer_usable(writer)) {
        writer_sweep_leftovers(writer);
        if (writer->unswept_rows > 0) writer_sweep(writer);
        writer_checkpoint(writer, SQLITE_CHECKPOINT_TRUNCATE);
    }
    if (ran) writer_release(writer);
}

void mill_writer_fini(struct mill_writer *writer)
{
    mill_queue_fini(&writer->queue);
    free_uses(writer->uses);
    mill_pins_fini(&writer->pins);
    pthread_mutex_destroy(&writer->uses_mutex);
}
