/* session: what one who looks after a cache works with.  SPDX-License-Identifier: MIT */
#include "cache/session.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cache/writer.h"

enum { SESSION_FLUSH = 30 }; /* seconds that what is queued may take to reach the disk */

const char mill_session_get[] = "SELECT " MILL_OBJECT_COLUMNS " FROM object WHERE content = ?";

/* ---- a session: a connection and a lock of its own --------------------------------------- */

tidemill_status mill_session_failed(const struct mill_session *session, int code,
                                    struct mill_error *error)
{
    tidemill_status status = (code & 0xff) == SQLITE_NOMEM ? TIDEMILL_MEMORY : TIDEMILL_IO;
    return mill_fail(error, status, "cache %s: %s", mill_store_path(session->store),
                     code == SQLITE_OK || session->connection == NULL
                         ? sqlite3_errstr(code)
                         : sqlite3_errmsg(session->connection));
}

tidemill_status mill_session_open(struct mill_session *session, struct mill_store *store,
                                  struct mill_error *error)
{
    *session = (struct mill_session){
        .store = store, .database = mill_store_database(store), .lock = {.fd = -1}};
    int health = atomic_load_explicit(&session->database->health, memory_order_relaxed);
    if (health == MILL_HEALTH_BROKEN) {
        return mill_fail(error, TIDEMILL_IO, "cache %s: cannot be read",
                         mill_store_path(store));
    }
    mill_store_flush(store, SESSION_FLUSH); /* what is lost would have been lost anyway */
    int problem = mill_database_open_lock(session->database, &session->lock);
    if (problem != 0) {
        return mill_fail(error, TIDEMILL_IO, "cache %s: %s-lock: %s", mill_store_path(store),
                         mill_store_path(store), strerror(problem));
    }
    int code;
    session->connection = mill_database_connect_writer(session->database, &code);
    if (session->connection) return TIDEMILL_OK;
    tidemill_status status = mill_session_failed(session, code, error);
    mill_lock_close(&session->lock);
    return status;
}

void mill_session_close(struct mill_session *session)
{
    sqlite3_close(session->connection);
    mill_lock_close(&session->lock);
    session->connection = NULL;
}

struct mill_sweep mill_session_sweep(struct mill_session *session)
{
    return (struct mill_sweep){.connection = session->connection,
                               .folder = session->database->place.folder,
                               .lock = &session->lock};
}

/* Ends a sweep: those who look see what it has done. */
tidemill_status mill_session_swept(struct mill_session *session, const struct mill_sweep *sweep,
                                   int code, struct mill_error *error)
{
    mill_board_commit(&session->database->board);
    atomic_store_explicit(&mill_store_writer(session->store)->full, false,
                          memory_order_relaxed);
    if (code != SQLITE_OK) return mill_session_failed(session, code, error);
    if (sweep->busy == NULL) return TIDEMILL_OK;
    return mill_fail(error, TIDEMILL_IO, "cache %s: %s", mill_store_path(session->store),
                     sweep->busy);
}

/* ---- small steps ------------------------------------------------------------------------ */

/* The bytes of an object; NULL: damaged, or not there. */
struct mill_buffer *mill_session_load(struct mill_session *session, sqlite3_stmt *get,
                                      ZSTD_DCtx *context, struct mill_hash content)
{
    struct mill_buffer *bytes = NULL;
    struct mill_object object;
    bool damaged;
    if (mill_object_bind_hash(get, 1, content) == SQLITE_OK &&
        sqlite3_step(get) == SQLITE_ROW && mill_object_row(&object, get)) {
        bytes = mill_object_decode(&object, session->database->place.folder, context, NULL,
                                   &damaged);
    }
    sqlite3_reset(get);
    return bytes;
}

int mill_session_numbers(sqlite3 *connection, const char *text, int64_t *const *numbers,
                         int count)
{
    sqlite3_stmt *ask = NULL;
    int code = sqlite3_prepare_v2(connection, text, -1, &ask, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(ask);
    for (int i = 0; i < count && code == SQLITE_ROW; i++) {
        *numbers[i] = sqlite3_column_int64(ask, i);
    }
    sqlite3_finalize(ask);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Moves the log into the database, as far as those who read allow. */
void mill_session_checkpoint(struct mill_session *session)
{
    if (!mill_lock_take(&session->lock, 1)) return;
    mill_lock_begin(&session->lock);
    sqlite3_busy_timeout(session->connection, 20);
    sqlite3_wal_checkpoint_v2(session->connection, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                              NULL);
    mill_lock_end(&session->lock);
    mill_lock_drop(&session->lock);
}

/* Files in the folder that no object needs; each is told and, with `repair`, removed inside the lock. */
static int sweep_strays(struct mill_session *session, bool repair, int64_t *strays,
                        void (*tell)(void *context, const char *text), void *context)
{
    DIR *entries = opendir(session->database->place.folder);
    sqlite3_stmt *has = NULL;
    if (entries == NULL) return SQLITE_OK;
    int code = sqlite3_prepare_v2(session->connection,
                                  "SELECT 1 FROM object WHERE content = ? AND in_file = 1", -1,
                                  &has, NULL);
    for (struct dirent *entry; code == SQLITE_OK && (entry = readdir(entries)) != NULL;) {
        struct mill_hash content;
        if (strlen(entry->d_name) != 32 || !mill_hash_parse(entry->d_name, &content)) continue;
        code = mill_object_bind_hash(has, 1, content);
        int found = code == SQLITE_OK ? sqlite3_step(has) : code;
        sqlite3_reset(has);
        if (found == SQLITE_ROW || code != SQLITE_OK) continue;
        if (found != SQLITE_DONE) code = found;
        ++*strays;
        if (tell) {
            char text[300];
            snprintf(text, sizeof text, "file %s: no result needs it", entry->d_name);
            tell(context, text);
        }
        if (repair) unlinkat(dirfd(entries), entry->d_name, 0);
    }
    sqlite3_finalize(has);
    closedir(entries);
    return code;
}

/* Removing happens inside the lock, so that no writer is about to make a row for a file that is there
 * already. */
int mill_session_strays(struct mill_session *session, bool repair, struct mill_sweep *sweep,
                        int64_t *strays, void (*tell)(void *context, const char *text),
                        void *context)
{
    if (repair && !mill_lock_take(&session->lock, 10)) {
        sweep->busy = "another process keeps it locked";
        return SQLITE_OK;
    }
    int code = sweep_strays(session, repair, strays, tell, context);
    if (repair) mill_lock_drop(&session->lock);
    return code;
}
