/* manage: looking after a cache.  SPDX-License-Identifier: MIT */
#include "cache/manage.h"

#include <stdlib.h>

#include "base/room.h"
#include "cache/reads.h"
#include "cache/session.h"
#include "cache/writer.h"

/* ---- entries --------------------------------------------------------------------------- */

#define WHERE_FILTER                                                                           \
    " WHERE (?1 IS NULL OR task = ?1) AND (?2 IS NULL OR key = ?2)"                            \
    " AND (?3 = 0 OR made < ?3) AND (?4 = 0 OR max(made, used) < ?4)"

static int bind_filter(sqlite3_stmt *statement, const struct mill_store_filter *filter)
{
    static const struct mill_store_filter all = {0};
    if (filter == NULL) filter = &all;
    int code = SQLITE_OK;
    if (filter->task)
        code = sqlite3_bind_text(statement, 1, filter->task, -1, SQLITE_TRANSIENT);
    if (code == SQLITE_OK && filter->key)
        code = mill_object_bind_hash(statement, 2, *filter->key);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 3, filter->made_before);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(statement, 4, filter->used_before);
    return code;
}

static const char each_text[] =
    "SELECT e.key, e.content, e.task, e.reads, e.made, e.used, e.seconds, e.hits, o.size,"
    " o.stored, o.in_file, o.coding, e.reads_name, e.reads IS NULL"
    " FROM (SELECT * FROM entry" WHERE_FILTER ") AS e"
    " LEFT JOIN object AS o ON o.content = e.content ORDER BY e.key, e.made";

/* The microseconds of a column in seconds, which may be anything. */
static int64_t column_cost(sqlite3_stmt *row, int column)
{
    double cost = sqlite3_column_double(row, column) * 1e6;
    return cost > 0 && cost < 9e18 ? (int64_t)cost : 0;
}

static bool read_row(sqlite3_stmt *each, struct mill_store_row *row)
{
    *row = (struct mill_store_row){.task = (const char *)sqlite3_column_text(each, 2),
                                   .reads = sqlite3_column_blob(each, 3),
                                   .reads_size = (size_t)sqlite3_column_bytes(each, 3),
                                   .made = sqlite3_column_int64(each, 4),
                                   .used = sqlite3_column_int64(each, 5),
                                   .cost = column_cost(each, 6),
                                   .hits = sqlite3_column_int64(each, 7),
                                   .size = -1,
                                   .stored = -1};
    if (sqlite3_column_type(each, 8) != SQLITE_NULL) {
        row->size = sqlite3_column_int64(each, 8);
        row->stored = sqlite3_column_int64(each, 9);
        row->in_file = sqlite3_column_int(each, 10) != 0;
        row->compressed = sqlite3_column_int(each, 11) == MILL_CODING_ZSTD;
    }
    if (row->task == NULL) row->task = "";
    return mill_object_column_hash(each, 0, &row->key) &&
           mill_object_column_hash(each, 1, &row->content);
}

int mill_session_visit(struct mill_session *session, const struct mill_store_filter *filter,
                       bool (*visit)(void *context, const struct mill_store_row *row),
                       void *context)
{
    sqlite3_stmt *each = NULL, *get = NULL;
    ZSTD_DCtx *decompressor = ZSTD_createDCtx();
    int code = decompressor ? SQLITE_OK : SQLITE_NOMEM;
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v2(session->connection, each_text, -1, &each, NULL);
    }
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(session->connection, mill_session_get, -1, &get, NULL);
    if (code == SQLITE_OK) code = bind_filter(each, filter);
    bool more = true;
    while ((code == SQLITE_OK || code == SQLITE_ROW) && more) {
        code = sqlite3_step(each);
        if (code != SQLITE_ROW) break;
        struct mill_store_row row;
        struct mill_hash reads_name;
        struct mill_buffer *reads = NULL;
        if (!read_row(each, &row)) continue;
        if (sqlite3_column_int(each, 13) && mill_object_column_hash(each, 12, &reads_name)) {
            reads = mill_session_load(session, get, decompressor, reads_name);
            row.reads = reads ? reads->data : NULL;
            row.reads_size = reads ? reads->size : 0;
        }
        more = visit(context, &row);
        mill_buffer_unref(reads);
    }
    sqlite3_finalize(each);
    sqlite3_finalize(get);
    ZSTD_freeDCtx(decompressor);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

tidemill_status mill_store_each(struct mill_store *store,
                                const struct mill_store_filter *filter,
                                bool (*visit)(void *context, const struct mill_store_row *row),
                                void *context, struct mill_error *error)
{
    struct mill_session session;
    tidemill_status status = mill_session_open(&session, store, error);
    if (status != TIDEMILL_OK) return status;
    int code = mill_session_visit(&session, filter, visit, context);
    if (code != SQLITE_OK) status = mill_session_failed(&session, code, error);
    mill_session_close(&session);
    return status;
}

/* ---- removing -------------------------------------------------------------------------- */

#define VICTIMS "SELECT key, reads_name, content, max(made, used), reads IS NULL"

enum { VICTIM_COLUMNS = 5 };

static bool is_over(sqlite3_stmt *row)
{
    const void *reads = sqlite3_column_blob(row, VICTIM_COLUMNS);
    return mill_reads_are_over(reads, (size_t)sqlite3_column_bytes(row, VICTIM_COLUMNS));
}

/* All entries that a filter lets through, or, with a text that has no filter and gives their reads, those
 * whose time is over; malloc'ed. A SQLite code. */
static int list_victims(struct mill_session *session, const char *text,
                        const struct mill_store_filter *filter,
                        struct mill_sweep_victim **victims, size_t *count)
{
    sqlite3_stmt *scan = NULL;
    size_t room = 0;
    *victims = NULL;
    *count = 0;
    int code = sqlite3_prepare_v2(session->connection, text, -1, &scan, NULL);
    bool timed = code == SQLITE_OK && sqlite3_column_count(scan) > VICTIM_COLUMNS;
    if (code == SQLITE_OK && !timed) code = bind_filter(scan, filter);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(scan);
        if (code != SQLITE_ROW) break;
        if (timed && !is_over(scan)) continue;
        if (!mill_room_for_one(victims, *count, &room, sizeof **victims, 256)) {
            code = SQLITE_NOMEM;
            break;
        }
        *count += mill_sweep_victim_row(scan, *victims + *count);
    }
    sqlite3_finalize(scan);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

tidemill_status mill_store_remove(struct mill_store *store,
                                  const struct mill_store_filter *filter, int64_t *removed,
                                  struct mill_error *error)
{
    struct mill_session session;
    *removed = 0;
    tidemill_status status = mill_session_open(&session, store, error);
    if (status != TIDEMILL_OK) return status;
    struct mill_sweep_victim *victims;
    size_t count;
    struct mill_sweep sweep = mill_session_sweep(&session);
    int code =
        list_victims(&session, VICTIMS " FROM entry" WHERE_FILTER, filter, &victims, &count);
    /* Also what is used at this very moment: it was asked for by name. */
    for (size_t i = 0; i < count; i++) victims[i].until = INT64_MAX;
    if (code == SQLITE_OK) code = mill_sweep_remove(&sweep, victims, count);
    if (code == SQLITE_OK && sweep.busy == NULL) code = mill_sweep_shrink(&sweep);
    free(victims);
    *removed = sweep.entries;
    status = mill_session_swept(&session, &sweep, code, error);
    mill_session_close(&session);
    return status;
}

/* Values whose own time is over (cache/shelf.h). */
static int sweep_over(struct mill_session *session, struct mill_sweep *sweep)
{
    struct mill_sweep_victim *victims;
    size_t count;
    int code = list_victims(session,
                            VICTIMS ", reads FROM entry WHERE length(reads) > 0"
                                    " AND substr(reads, 1, 1) = x'74'",
                            NULL, &victims, &count);
    if (code == SQLITE_OK) code = mill_sweep_remove(sweep, victims, count);
    free(victims);
    return code;
}

tidemill_status mill_store_gc(struct mill_store *store, struct mill_store_swept *swept,
                              struct mill_error *error)
{
    struct mill_session session;
    *swept = (struct mill_store_swept){0};
    tidemill_status status = mill_session_open(&session, store, error);
    if (status != TIDEMILL_OK) return status;
    struct mill_sweep sweep = mill_session_sweep(&session);
    sweep.limits = mill_store_writer(store)->limits;
    int64_t before = mill_store_bytes(store), strays = 0;
    int code = sweep_over(&session, &sweep);
    if (code == SQLITE_OK && sweep.busy == NULL) code = mill_sweep_orphans(&sweep, NULL);
    if (code == SQLITE_OK && sweep.busy == NULL) code = mill_sweep_run(&sweep);
    if (code == SQLITE_OK && sweep.busy == NULL) code = mill_sweep_shrink(&sweep);
    if (code == SQLITE_OK && sweep.busy == NULL) {
        code = mill_session_strays(&session, true, &sweep, &strays, NULL, NULL);
    }
    if (code == SQLITE_OK && sweep.busy == NULL) mill_session_checkpoint(&session);
    swept->entries = sweep.entries;
    int64_t after = mill_store_bytes(store);
    swept->bytes = before > after ? before - after : 0;
    status = mill_session_swept(&session, &sweep, code, error);
    mill_session_close(&session);
    return status;
}

tidemill_status mill_store_clear(struct mill_store *store, int64_t *removed,
                                 struct mill_error *error)
{
    struct mill_store_swept swept;
    tidemill_status status = mill_store_remove(store, NULL, removed, error);
    return status == TIDEMILL_OK ? mill_store_gc(store, &swept, error) : status;
}

/* ---- numbers --------------------------------------------------------------------------- */

tidemill_status mill_store_stats(struct mill_store *store, struct mill_store_stats *stats,
                                 struct mill_error *error)
{
    static const char of_entries[] =
        "SELECT count(*), count(DISTINCT task), total(hits), total(hits * seconds) * 1e6,"
        " coalesce(min(made), 0), coalesce(max(made), 0) FROM entry";
    static const char of_objects[] =
        "SELECT count(*), total(in_file = 1), total(size) FROM object";
    struct mill_session session;
    *stats = (struct mill_store_stats){0};
    tidemill_status status = mill_session_open(&session, store, error);
    if (status != TIDEMILL_OK) return status;
    int64_t *const entries[] = {&stats->entries, &stats->tasks,  &stats->hits,
                                &stats->saved,   &stats->oldest, &stats->newest};
    int64_t *const objects[] = {&stats->objects, &stats->files, &stats->size};
    int code = mill_session_numbers(session.connection, of_entries, entries, 6);
    if (code == SQLITE_OK)
        code = mill_session_numbers(session.connection, of_objects, objects, 3);
    if (code != SQLITE_OK) status = mill_session_failed(&session, code, error);
    mill_session_close(&session);
    struct mill_limits limits = mill_store_limits(store);
    stats->bytes = mill_store_bytes(store);
    stats->limit_bytes = limits.bytes;
    stats->limit_entries = limits.entries;
    stats->ttl = limits.ttl;
    return status;
}
