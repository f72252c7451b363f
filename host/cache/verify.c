/* verify: whether what lies in a cache is what was put there: mill_store_verify of cache/manage.h.
 * SPDX-License-Identifier: MIT */
#include "base/room.h"
#include "cache/manage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/session.h"

struct check {
    struct mill_session *session;
    struct mill_store_findings *findings;
    void (*tell)(void *context, const char *text);
    void *context;
    struct mill_hash *broken; /* contents; malloc'ed */
    size_t count, room;
};

static void check_tell(struct check *check, const char *what, struct mill_hash hash,
                       const char *finding)
{
    char text[128], name[33];
    if (check->tell == NULL) return;
    mill_hash_text(hash, name);
    snprintf(text, sizeof text, "%s %s: %s", what, name, finding);
    check->tell(check->context, text);
}

static bool check_note(struct check *check, struct mill_hash content)
{
    if (!mill_room_for_one(&check->broken, check->count, &check->room, sizeof *check->broken,
                           64)) {
        return false;
    }
    check->broken[check->count++] = content;
    return true;
}

static int check_objects(struct check *check)
{
    static const char text[] = "SELECT " MILL_OBJECT_COLUMNS " FROM object";
    const char *folder = check->session->database->place.folder;
    sqlite3_stmt *scan = NULL;
    ZSTD_DCtx *decompressor = ZSTD_createDCtx();
    int code = decompressor
                   ? sqlite3_prepare_v2(check->session->connection, text, -1, &scan, NULL)
                   : SQLITE_NOMEM;
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(scan);
        if (code != SQLITE_ROW) break;
        struct mill_object object = {0};
        bool damaged = true;
        if (mill_object_row(&object, scan)) {
            mill_buffer_unref(
                mill_object_decode(&object, folder, decompressor, NULL, &damaged));
        }
        check->findings->objects++;
        if (!damaged) continue;
        check->findings->broken++;
        check_tell(check, "result", object.content,
                   object.in_file ? "its file is damaged or not there" : "is damaged");
        if (!check_note(check, object.content)) break;
    }
    sqlite3_finalize(scan);
    ZSTD_freeDCtx(decompressor);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Entries without an object, and objects without an entry. */
static int check_pairs(struct check *check)
{
    static const char of_entries[] = "SELECT count(*) FROM entry";
    static const char lacking[] =
        "SELECT key FROM entry WHERE content NOT IN (SELECT content FROM object)"
        " OR (reads IS NULL AND reads_name NOT IN (SELECT content FROM object))";
    static const char orphans[] =
        "SELECT content FROM object WHERE content NOT IN (SELECT content FROM entry)"
        " AND content NOT IN (SELECT reads_name FROM entry WHERE reads IS NULL)";
    const struct {
        const char *text, *what, *finding;
        int64_t *count;
    } checks[] = {{lacking, "key", "its result is not there", &check->findings->lacking},
                  {orphans, "result", "no key needs it", &check->findings->orphans}};
    sqlite3 *connection = check->session->connection;
    int64_t *const entries[] = {&check->findings->entries};
    int code = mill_session_numbers(connection, of_entries, entries, 1);
    for (int i = 0; i < 2 && code == SQLITE_OK; i++) {
        sqlite3_stmt *scan = NULL;
        code = sqlite3_prepare_v2(connection, checks[i].text, -1, &scan, NULL);
        while (code == SQLITE_OK || code == SQLITE_ROW) {
            struct mill_hash hash = {0};
            code = sqlite3_step(scan);
            if (code != SQLITE_ROW) break;
            ++*checks[i].count;
            mill_object_column_hash(scan, 0, &hash);
            check_tell(check, checks[i].what, hash, checks[i].finding);
        }
        sqlite3_finalize(scan);
        if (code == SQLITE_DONE) code = SQLITE_OK;
    }
    return code;
}

/* Entries of broken objects go with them, as after a look-up. */
static int remove_broken(struct check *check, struct mill_sweep *sweep)
{
    static const char text[] = "DELETE FROM entry WHERE content = ?1 OR reads_name = ?1";
    static const char lacking[] =
        "DELETE FROM entry WHERE content NOT IN (SELECT content FROM object)"
        " OR (reads IS NULL AND reads_name NOT IN (SELECT content FROM object))";
    sqlite3 *connection = check->session->connection;
    sqlite3_stmt *drop = NULL;
    if (!mill_lock_take(sweep->lock, 10)) {
        sweep->busy = "another process keeps it locked";
        return SQLITE_OK;
    }
    mill_lock_begin(sweep->lock);
    int code = sqlite3_exec(connection, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(connection, text, -1, &drop, NULL);
    for (size_t i = 0; i < check->count && code == SQLITE_OK; i++) {
        code = mill_object_bind_hash(drop, 1, check->broken[i]);
        if (code == SQLITE_OK) code = sqlite3_step(drop);
        sqlite3_reset(drop);
        if (code == SQLITE_DONE) code = SQLITE_OK;
    }
    sqlite3_finalize(drop);
    if (code == SQLITE_OK) code = sqlite3_exec(connection, lacking, NULL, NULL, NULL);
    code =
        sqlite3_exec(connection, code == SQLITE_OK ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
    mill_lock_end(sweep->lock);
    mill_lock_drop(sweep->lock);
    /* Then they are orphans. */
    return code == SQLITE_OK ? mill_sweep_orphans(sweep, NULL) : code;
}

static bool check_database(struct check *check)
{
    sqlite3_stmt *ask = NULL;
    sqlite3 *connection = check->session->connection;
    int code = sqlite3_prepare_v2(connection, "PRAGMA quick_check(1)", -1, &ask, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(ask);
    const char *answer =
        code == SQLITE_ROW ? (const char *)sqlite3_column_text(ask, 0) : sqlite3_errstr(code);
    bool good = code == SQLITE_ROW && answer && strcmp(answer, "ok") == 0;
    if (!good && check->tell) {
        char text[300];
        snprintf(text, sizeof text, "database: %.250s", answer ? answer : "out of memory");
        check->tell(check->context, text);
    }
    sqlite3_finalize(ask);
    return good;
}

tidemill_status mill_store_verify(struct mill_store *store, bool repair,
                                  struct mill_store_findings *findings,
                                  void (*tell)(void *context, const char *text), void *context,
                                  struct mill_error *error)
{
    struct mill_session session;
    *findings = (struct mill_store_findings){0};
    tidemill_status status = mill_session_open(&session, store, error);
    if (status != TIDEMILL_OK) return status;
    struct check check = {
        .session = &session, .findings = findings, .tell = tell, .context = context};
    struct mill_sweep sweep = mill_session_sweep(&session);
    findings->damaged = !check_database(&check);
    if (findings->damaged) {
        mill_lock_suspect(&session.lock);
        mill_session_close(&session);
        return TIDEMILL_OK;
    }
    int code = check_objects(&check);
    if (code == SQLITE_OK) code = check_pairs(&check);
    if (code == SQLITE_OK && repair &&
        (check.count > 0 || findings->lacking || findings->orphans)) {
        code = remove_broken(&check, &sweep);
    }
    if (code == SQLITE_OK && sweep.busy == NULL) {
        code = mill_session_strays(&session, repair, &sweep, &findings->strays, tell, context);
    }
    free(check.broken);
    status = mill_session_swept(&session, &sweep, code, error);
    mill_session_close(&session);
    return status;
}
