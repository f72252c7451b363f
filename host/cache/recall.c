/* recall: records of task names beside the results.  SPDX-License-Identifier: MIT */
#include "cache/recall.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct mill_record {
    struct mill_record *next;
    char *task;
    size_t size;
    unsigned char bytes[];
};

enum { RECALL_PATIENCE = 1 }; /* seconds to wait for the lock: records can do without */

static const char recall_table[] = "CREATE TABLE IF NOT EXISTS ledger("
                                   "  id INTEGER PRIMARY KEY,"
                                   "  task TEXT NOT NULL UNIQUE,"
                                   "  made INTEGER NOT NULL," /* seconds since 1970 */
                                   "  record BLOB NOT NULL);";

/* Names that are made of lines change with every edit: the oldest go. */
static const char recall_sweep[] =
    "DELETE FROM ledger WHERE id IN"
    " (SELECT id FROM ledger ORDER BY made DESC LIMIT -1 OFFSET 4096);";

void mill_recall_add(struct mill_recall *recall, const char *task, const void *bytes,
                     size_t size)
{
    struct mill_record *record = malloc(sizeof *record + size);
    if (record == NULL) return;
    record->task = strdup(task);
    if (record->task == NULL) {
        free(record);
        return;
    }
    memcpy(record->bytes, bytes, size);
    record->size = size;
    record->next = recall->first;
    recall->first = record;
}

static bool insert_record(sqlite3_stmt *statement, const struct mill_record *record)
{
    sqlite3_bind_text(statement, 1, record->task, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)time(NULL));
    sqlite3_bind_blob(statement, 3, record->bytes, (int)record->size, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE;
}

/* Inside a transaction. */
static bool insert_all(const struct mill_recall *recall, sqlite3 *connection)
{
    static const char text[] = "INSERT OR REPLACE INTO ledger(task, made, record)"
                               " VALUES(?, ?, ?)";
    sqlite3_stmt *statement = NULL;
    bool fine = sqlite3_exec(connection, recall_table, NULL, NULL, NULL) == SQLITE_OK &&
                sqlite3_prepare_v2(connection, text, -1, &statement, NULL) == SQLITE_OK;
    for (const struct mill_record *record = recall->first; record && fine;
         record = record->next) {
        fine = insert_record(statement, record);
    }
    sqlite3_finalize(statement);
    return fine && sqlite3_exec(connection, recall_sweep, NULL, NULL, NULL) == SQLITE_OK;
}

static void write_locked(const struct mill_recall *recall, sqlite3 *connection)
{
    if (sqlite3_exec(connection, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) return;
    bool fine = insert_all(recall, connection) &&
                sqlite3_exec(connection, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
    if (!fine) sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
}

void mill_recall_write(struct mill_recall *recall, struct mill_database *database,
                       sqlite3 *connection)
{
    bool good =
        atomic_load_explicit(&database->health, memory_order_relaxed) == MILL_HEALTH_GOOD;
    if (recall->first && good && mill_lock_take(&database->lock, RECALL_PATIENCE)) {
        mill_lock_begin(&database->lock);
        write_locked(recall, connection);
        mill_lock_end(&database->lock);
        mill_lock_drop(&database->lock);
    }
    while (recall->first) {
        struct mill_record *next = recall->first->next;
        free(recall->first->task);
        free(recall->first);
        recall->first = next;
    }
}

void *mill_recall_read(sqlite3 *connection, const char *task, size_t *size)
{
    static const char text[] = "SELECT record FROM ledger WHERE task = ?";
    sqlite3_stmt *statement = NULL;
    void *copy = NULL;
    *size = 0;
    if (sqlite3_prepare_v2(connection, text, -1, &statement, NULL) != SQLITE_OK) return NULL;
    sqlite3_bind_text(statement, 1, task, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(statement, 0);
        *size = (size_t)sqlite3_column_bytes(statement, 0);
        copy = bytes ? malloc(*size) : NULL;
        if (copy) memcpy(copy, bytes, *size);
    }
    sqlite3_finalize(statement);
    return copy;
}
