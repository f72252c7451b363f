/* database: the SQLite file of the cache.  SPDX-License-Identifier: MIT */
#include "cache/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DATABASE_ID = 0x6d696c6c, /* application_id: "mill" */
    DATABASE_FORMAT = 3,      /* user_version */
    DATABASE_HEADER = 100,    /* bytes of a SQLite header */
    DATABASE_PATIENCE = 10,   /* seconds to wait for the lock while opening */
};

/* Rows of `entry` are small, so they live in the index itself; values inside WITHOUT ROWID
 * tables would be loaded by every comparison, so `object` is an ordinary table.  The first two
 * settings can only be made before the first table, and the log comes last, because a failure
 * to write the file itself is then reported by the statement that meets it. */
static const char database_schema[] =
    "PRAGMA page_size = 8192;"
    "PRAGMA auto_vacuum = INCREMENTAL;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA journal_mode = MEMORY;"
    "BEGIN IMMEDIATE;"
    "PRAGMA application_id = 0x6d696c6c;"
    "PRAGMA user_version = 3;"
    "CREATE TABLE entry("
    "  key BLOB NOT NULL,"
    "  reads_name BLOB NOT NULL," /* hash of the list of what was read */
    "  content BLOB NOT NULL,"
    "  made INTEGER NOT NULL," /* microseconds since 1970 */
    "  seconds REAL NOT NULL,"
    "  task TEXT NOT NULL,"
    "  reads BLOB,"                      /* NULL: long, an object under reads_name */
    "  used INTEGER NOT NULL DEFAULT 0," /* microseconds since 1970; 0: never */
    "  hits INTEGER NOT NULL DEFAULT 0,"
    "  object INTEGER NOT NULL DEFAULT 0," /* where the content lay when it was made; 0: look */
    "  PRIMARY KEY(key, reads_name)) WITHOUT ROWID;"
    "CREATE TABLE object("
    "  id INTEGER PRIMARY KEY,"
    "  content BLOB NOT NULL UNIQUE,"
    "  size INTEGER NOT NULL,"
    "  stored INTEGER NOT NULL,"
    "  coding INTEGER NOT NULL," /* 0 raw, 1 zstd */
    "  in_file INTEGER NOT NULL,"
    "  sum BLOB NOT NULL,"
    "  data BLOB);" /* NULL: a file */
    "CREATE INDEX object_file ON object(stored) WHERE in_file = 1;"
    "COMMIT;"
    "PRAGMA journal_mode = WAL;";

/* To each format from the one before it.  Processes that read and write an older one go on with it: they
 * name their columns. */
static const char *const database_migrations[DATABASE_FORMAT + 1] = {
    /* Uses, and a quick sum of the files' sizes. */
    [2] = "BEGIN IMMEDIATE;"
          "ALTER TABLE entry ADD COLUMN used INTEGER NOT NULL DEFAULT 0;"
          "ALTER TABLE entry ADD COLUMN hits INTEGER NOT NULL DEFAULT 0;"
          "CREATE INDEX object_file ON object(stored) WHERE in_file = 1;"
          "PRAGMA user_version = 2;"
          "COMMIT;",
    /* Where the object of an entry lies. */
    [3] = "BEGIN IMMEDIATE;"
          "ALTER TABLE entry ADD COLUMN object INTEGER NOT NULL DEFAULT 0;"
          "PRAGMA user_version = 3;"
          "COMMIT;",
};

/* Prepared at opening: fails on a table or column that is not there. */
static const char database_probe[] =
    "SELECT entry.key, reads_name, entry.content, made, seconds, task, reads, used, hits,"
    " entry.object, id, size, stored, coding, in_file, sum, data FROM entry, object";

void mill_database_own_process(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* refuses when it comes too late */
}

/* ---- failures --------------------------------------------------------------------------- */

/* The words for a code; `system` is the errno behind an input or output error. */
static const char *database_reason(int code, int system)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "disk full";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another process keeps it locked";
    case SQLITE_READONLY:
        return "read-only";
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (system == ENOSPC || system == EDQUOT) return "disk full";
        if (system != 0) return strerror(system);
        break;
    }
    return sqlite3_errstr(code);
}

/* The errno behind a failure.  A failing commit does not always leave it with the connection:
 * then the log or the database file knows. */
static int database_errno(sqlite3 *connection)
{
    const int pointers[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
    int problem = connection ? sqlite3_system_errno(connection) : 0;
    for (int i = 0; i < 2 && connection && problem == 0; i++) {
        sqlite3_file *file = NULL;
        sqlite3_file_control(connection, "main", pointers[i], &file);
        if (file && file->pMethods) {
            file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &problem);
        }
    }
    return problem;
}

static const char *database_reason_of(sqlite3 *connection, int code)
{
    return database_reason(code, database_errno(connection));
}

static bool database_damage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

static void database_say(struct mill_database *database, const char *text)
{
    if (database->warn) database->warn(database->context, text);
}

void mill_database_fail(struct mill_database *database, enum mill_health health,
                        const char *reason)
{
    /* Relaxed: the state guards no other data. */
    int seen = atomic_load_explicit(&database->health, memory_order_relaxed);
    while (seen < (int)health &&
           !atomic_compare_exchange_weak_explicit(&database->health, &seen, (int)health,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    if (seen != MILL_HEALTH_GOOD) return;
    struct mill_error text;
    if (health == MILL_HEALTH_UNWRITTEN) {
        mill_fail(&text, TIDEMILL_IO,
                  "cache %s cannot be written (%s): results are not kept from here on",
                  database->place.path, reason);
    } else {
        mill_fail(&text, TIDEMILL_IO, "cache %s cannot be read (%s): not used from here on",
                  database->place.path, reason);
    }
    database_say(database, text.text);
}

void mill_database_fail_reading(struct mill_database *database, sqlite3 *connection, int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
        return;
    }
    if (database_damage(code)) mill_lock_suspect(&database->lock);
    mill_database_fail(database, MILL_HEALTH_BROKEN, database_reason_of(connection, code));
}

void mill_database_fail_writing(struct mill_database *database, sqlite3 *connection, int code)
{
    if (database_damage(code)) {
        mill_database_fail_reading(database, connection, code);
    } else {
        mill_database_fail(database, MILL_HEALTH_UNWRITTEN,
                           database_reason_of(connection, code));
    }
}

/* ---- the lock ---------------------------------------------------------------------------- */

int mill_database_open_lock(const struct mill_database *database, struct mill_lock *lock)
{
    lock->fd = -1;
    char *path = mill_place_join(database->place.file, "-lock");
    int problem = path ? mill_lock_open(lock, path) : ENOMEM;
    free(path);
    return problem;
}

static tidemill_status database_open_lock(struct mill_database *database, bool remote,
                                          struct mill_error *error)
{
    int problem = mill_database_open_lock(database, &database->lock);
    if (problem == EACCES || problem == EROFS) {
        return mill_fail(error, TIDEMILL_IO, "cache %s: read-only (%s-lock: %s)",
                         database->place.path, database->place.path, strerror(problem));
    }
    if (problem != 0) {
        return mill_fail(error, TIDEMILL_IO, "cache %s: %s-lock: %s", database->place.path,
                         database->place.path, strerror(problem));
    }
    if (remote || mill_place_remote(database->lock.fd)) {
        return mill_fail(error, TIDEMILL_IO,
                         "cache %s: is on a network file system, where SQLite cannot share it; "
                         "choose a path on a local disk",
                         database->place.path);
    }
    return TIDEMILL_OK;
}

/* ---- connections ------------------------------------------------------------------------ */

/* The file is never opened other than through SQLite: closing any other descriptor of it would
 * drop the locks that SQLite holds for the whole process. */
static int database_connect(const struct mill_database *database, const char *settings,
                            int patience, sqlite3 **connection)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(database->place.file, connection, flags, NULL);
    if (code != SQLITE_OK) return code;
    sqlite3_extended_result_codes(*connection, 1);
    /* Room for the cursors of the statements: what does not fit, or all of it where SQLite was built
     * without, as Debian's, is allocated under a lock of all connections. */
    sqlite3_db_config(*connection, SQLITE_DBCONFIG_LOOKASIDE, NULL, 4096, 64);
    sqlite3_busy_timeout(*connection, patience);
    sqlite3_db_config(*connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(*connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_wal_autocheckpoint(*connection, 0);
    return sqlite3_exec(*connection, settings, NULL, NULL, NULL);
}

sqlite3 *mill_database_connect(struct mill_database *database, int *code)
{
    static const char settings[] = "PRAGMA mmap_size = 0;"
                                   "PRAGMA query_only = 1;"
                                   "PRAGMA cache_size = -20480;";
    sqlite3 *connection = NULL;
    *code = database_connect(database, settings, 100, &connection);
    if (*code == SQLITE_OK) return connection;
    mill_database_fail_reading(database, connection, *code);
    sqlite3_close(connection);
    return NULL;
}

static int database_connect_writer(const struct mill_database *database, sqlite3 **connection)
{
    static const char settings[] = "PRAGMA mmap_size = 0;"
                                   "PRAGMA synchronous = NORMAL;"
                                   "PRAGMA journal_mode = WAL;"
                                   "PRAGMA journal_size_limit = 67108864;"
                                   "PRAGMA secure_delete = OFF;"
                                   "PRAGMA cache_size = -16384;";
    return database_connect(database, settings, 5000, connection);
}

sqlite3 *mill_database_connect_writer(struct mill_database *database, int *code)
{
    sqlite3 *connection = NULL;
    *code = database_connect_writer(database, &connection);
    if (*code == SQLITE_OK) return connection;
    sqlite3_close(connection);
    return NULL;
}

/* ---- making ----------------------------------------------------------------------------- */

static void database_remove(const char *file, const char *suffix)
{
    char *path = mill_place_join(file, suffix);
    if (path) unlink(path);
    free(path);
}

/* Creates an empty file with mode 0600 whatever the umask, over one that was left. */
static int database_create_file(const char *path)
{
    unlink(path);
    database_remove(path, "-wal");
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    int problem = fchmod(fd, 0600) != 0 ? errno : 0;
    close(fd);
    return problem;
}

/* Writes the tables into `path`; 0 or a reason. */
static const char *database_fill(const char *path)
{
    sqlite3 *connection = NULL;
    const char *reason = NULL;
    int code =
        sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(connection, database_schema, NULL, NULL, NULL);
    if (code != SQLITE_OK) reason = database_reason_of(connection, code);
    int closed = sqlite3_close(connection);
    return reason == NULL && closed != SQLITE_OK ? sqlite3_errstr(closed) : reason;
}

static int database_sync(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return errno;
    int problem = fdatasync(fd) != 0 ? errno : 0;
    close(fd);
    return problem;
}

/* Makes the database beside its place and renames it there, so that nobody ever sees half of
 * one.  Called inside the lock.  A log that somebody's deleted database left would be taken for
 * the log of this one: it goes first. */
static tidemill_status database_make(struct mill_database *database, struct mill_error *error)
{
    char *path = mill_place_join(database->place.file, ".new");
    if (path == NULL) return mill_no_memory(error, "cache");
    int problem = database_create_file(path);
    const char *reason = problem ? strerror(problem) : database_fill(path);
    if (reason == NULL && (problem = database_sync(path)) != 0) reason = strerror(problem);
    if (reason == NULL) {
        database_remove(database->place.file, "-wal");
        database_remove(database->place.file, "-shm");
        if (rename(path, database->place.file) != 0) reason = strerror(errno);
    }
    tidemill_status status = TIDEMILL_OK;
    if (reason) {
        unlink(path);
        status = mill_fail(error, TIDEMILL_IO, "cache %s: cannot be made (%s)",
                           database->place.path, reason);
    } else {
        mill_lock_cleared(&database->lock);
    }
    free(path);
    return status;
}

/* ---- judging ---------------------------------------------------------------------------- */

enum database_verdict { DATABASE_FINE, DATABASE_OLD, DATABASE_DAMAGED, DATABASE_REFUSED };

static uint32_t database_number(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* Reads the header through SQLite's own descriptor; the rest of a short file reads as 0. */
static void database_header(sqlite3 *connection, uint8_t header[DATABASE_HEADER])
{
    sqlite3_file *file = NULL;
    memset(header, 0, DATABASE_HEADER);
    sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (file && file->pMethods) file->pMethods->xRead(file, header, DATABASE_HEADER, 0);
}

/* The format, which a log may know better than the file; 0: not to be had. */
static uint32_t database_format(sqlite3 *connection)
{
    sqlite3_stmt *ask = NULL;
    uint32_t format = 0;
    if (sqlite3_prepare_v2(connection, "PRAGMA user_version", -1, &ask, NULL) == SQLITE_OK &&
        sqlite3_step(ask) == SQLITE_ROW) {
        format = (uint32_t)sqlite3_column_int64(ask, 0);
    }
    sqlite3_finalize(ask);
    return format;
}

/* Whose file it is, before SQLite believes anything in it.  Only one that says it is ours and
 * of our format may be found damaged, and be moved. */
static enum database_verdict database_owner(const struct mill_database *database,
                                            sqlite3 *connection, struct mill_error *error)
{
    uint8_t header[DATABASE_HEADER];
    database_header(connection, header);
    uint32_t format = database_number(header + 60);
    bool sqlite = memcmp(header, "SQLite format 3", 16) == 0;
    bool known = format >= 1 && format <= DATABASE_FORMAT;
    if (sqlite && known && database_number(header + 68) == DATABASE_ID) {
        uint32_t logged = database_format(connection);
        if (logged > 0) format = logged;
    }
    if (database_number(header + 68) != DATABASE_ID) {
        mill_fail(error, TIDEMILL_DATA, "cache %s: %s", database->place.path,
                  sqlite ? "is a database of another program" : "not a SQLite database");
        return DATABASE_REFUSED;
    }
    if (sqlite && format > DATABASE_FORMAT) {
        mill_fail(error, TIDEMILL_DATA,
                  "cache %s: is of a newer tidemill (format %u, this one reads %d)",
                  database->place.path, format, DATABASE_FORMAT);
        return DATABASE_REFUSED;
    }
    if (!sqlite || !known) return DATABASE_DAMAGED;
    return format == DATABASE_FORMAT ? DATABASE_FINE : DATABASE_OLD;
}

static enum database_verdict database_refuse(const struct mill_database *database,
                                             const char *reason, struct mill_error *error)
{
    mill_fail(error, TIDEMILL_IO, "cache %s: %s", database->place.path, reason);
    return DATABASE_REFUSED;
}

static enum database_verdict database_judge_code(const struct mill_database *database,
                                                 sqlite3 *connection, int code,
                                                 struct mill_error *error)
{
    if (code == SQLITE_OK) return DATABASE_FINE;
    if (database_damage(code) || (code & 0xff) == SQLITE_ERROR) return DATABASE_DAMAGED;
    return database_refuse(database, database_reason_of(connection, code), error);
}

/* The full check answers one row, "ok" or the first problem: SQLITE_OK or SQLITE_CORRUPT.  That
 * it could not be made (busy, out of memory) says nothing about the database. */
static int database_check(sqlite3 *connection)
{
    sqlite3_stmt *check;
    int code = sqlite3_prepare_v2(connection, "PRAGMA quick_check(1)", -1, &check, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(check);
    if (code == SQLITE_ROW) {
        const char *answer = (const char *)sqlite3_column_text(check, 0);
        if (answer == NULL)
            code = SQLITE_NOMEM;
        else
            code = strcmp(answer, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
    }
    sqlite3_finalize(check);
    return code;
}

/* True when the log holds frames: its last user did not close it, or uses it still. */
static bool database_logged(const struct mill_database *database)
{
    char *path = mill_place_join(database->place.file, "-wal");
    struct stat status;
    bool logged = path && stat(path, &status) == 0 && status.st_size > 0;
    free(path);
    return logged;
}

/* The full check costs about 1.2 ms a megabyte, so it waits for a reason; `doubt` is one. */
static enum database_verdict database_judge(struct mill_database *database, bool doubt,
                                            sqlite3 **connection, struct mill_error *error)
{
    int code = database_connect_writer(database, connection);
    if (*connection == NULL) return database_refuse(database, "out of memory", error);
    if ((code & 0xff) == SQLITE_CANTOPEN) {
        return database_judge_code(database, *connection, code, error);
    }
    enum database_verdict owner = database_owner(database, *connection, error);
    if (owner != DATABASE_FINE) return owner;
    if (sqlite3_db_readonly(*connection, "main") == 1) {
        return database_refuse(database, "read-only", error);
    }
    sqlite3_stmt *probe = NULL;
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(*connection, database_probe, -1, &probe, NULL);
    sqlite3_finalize(probe);
    if (code == SQLITE_OK && doubt) code = database_check(*connection);
    return database_judge_code(database, *connection, code, error);
}

/* ---- setting aside ---------------------------------------------------------------------- */

static void database_move(const char *from, const char *to, const char *suffix)
{
    char *old = mill_place_join(from, suffix), *new = mill_place_join(to, suffix);
    if (old && new) rename(old, new);
    free(old);
    free(new);
}

/* A malloc'ed "PATH.broken-N" that nobody has yet. */
static char *database_broken_name(const char *file)
{
    for (int number = 1; number < 10000; number++) {
        char suffix[32];
        struct stat status;
        snprintf(suffix, sizeof suffix, ".broken-%d", number);
        char *name = mill_place_join(file, suffix);
        if (name == NULL || stat(name, &status) != 0) return name;
        free(name);
    }
    return NULL;
}

/* Renames the database with its log and its files.  Processes that have it open go on with what
 * they opened, under the new name. */
static tidemill_status database_set_aside(struct mill_database *database,
                                          struct mill_error *error)
{
    char *name = database_broken_name(database->place.file);
    if (name == NULL) return mill_no_memory(error, "cache");
    tidemill_status status = TIDEMILL_OK;
    if (rename(database->place.file, name) != 0) {
        status = mill_fail(error, TIDEMILL_IO,
                           "cache %s: is damaged and cannot be renamed to %s (%s)",
                           database->place.path, name, strerror(errno));
    } else {
        database_move(database->place.file, name, "-wal");
        database_move(database->place.file, name, "-shm");
        database_move(database->place.file, name, ".d");
        struct mill_error text;
        mill_fail(&text, TIDEMILL_DATA,
                  "cache %s was damaged: renamed to %s, and a new one was made",
                  database->place.path, name);
        database_say(database, text.text);
    }
    free(name);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------- */

static tidemill_status database_wait(struct mill_database *database, bool *locked,
                                     struct mill_error *error)
{
    if (!*locked) *locked = mill_lock_take(&database->lock, DATABASE_PATIENCE);
    if (*locked) return TIDEMILL_OK;
    return mill_fail(error, TIDEMILL_IO, "cache %s: another process keeps it locked",
                     database->place.path);
}

/* Inside the lock.  What is not to be migrated is damaged. */
static enum database_verdict database_migrate(struct mill_database *database,
                                              sqlite3 *connection, struct mill_error *error)
{
    mill_lock_begin(&database->lock);
    int code = SQLITE_OK;
    for (uint32_t format = database_format(connection);
         format < DATABASE_FORMAT && code == SQLITE_OK;) {
        code = sqlite3_exec(connection, database_migrations[++format], NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
    mill_lock_end(&database->lock);
    return database_judge_code(database, connection, code, error);
}

/* One attempt.  *again asks for another: what was found must be looked at inside the lock, or
 * was set aside. */
static tidemill_status database_attempt(struct mill_database *database, bool *locked,
                                        bool *again, sqlite3 **connection,
                                        struct mill_error *error)
{
    int64_t size;
    *again = false;
    tidemill_status status = mill_place_look(&database->place, &size, error);
    if (status != TIDEMILL_OK) return status;
    if (size == 0) {
        *again = true;
        bool held = *locked;
        status = database_wait(database, locked, error);
        return status == TIDEMILL_OK && held ? database_make(database, error) : status;
    }
    /* Without the lock somebody is committing now, so whatever the record says is his. */
    bool doubt = *locked && mill_lock_doubtful(&database->lock, database_logged(database));
    enum database_verdict verdict = database_judge(database, doubt, connection, error);
    if (verdict == DATABASE_OLD && *locked) {
        verdict = database_migrate(database, *connection, error);
    }
    switch (verdict) {
    case DATABASE_FINE:
        if (*locked) mill_lock_cleared(&database->lock);
        return TIDEMILL_OK;
    case DATABASE_REFUSED:
        status = error ? error->status : TIDEMILL_IO;
        break;
    case DATABASE_OLD:
    case DATABASE_DAMAGED:
        *again = true;
        break;
    }
    sqlite3_close(*connection);
    *connection = NULL;
    if (!*again) return status;
    bool held = *locked;
    status = database_wait(database, locked, error);
    if (status != TIDEMILL_OK || !held) return status;
    return database_set_aside(database, error);
}

static tidemill_status database_settle(struct mill_database *database, sqlite3 **connection,
                                       struct mill_error *error)
{
    bool locked = mill_lock_take(&database->lock, 0), again = true;
    tidemill_status status = TIDEMILL_OK;
    /* The longest way: wait for the lock, find damage, make anew, open. */
    for (int attempt = 0; attempt < 6 && again && status == TIDEMILL_OK; attempt++) {
        status = database_attempt(database, &locked, &again, connection, error);
    }
    if (locked) mill_lock_drop(&database->lock);
    if (status != TIDEMILL_OK || *connection) return status;
    return mill_fail(error, TIDEMILL_DATA, "cache %s: is damaged, and so is what replaced it",
                     database->place.path);
}

static void database_open_board(struct mill_database *database)
{
    char *path = mill_place_join(database->place.file, "-claims");
    if (path) mill_board_open(&database->board, path);
    free(path);
}

static void database_free(struct mill_database *database)
{
    mill_board_close(&database->board);
    mill_lock_close(&database->lock);
    mill_place_free(&database->place);
}

tidemill_status mill_database_open(struct mill_database *database,
                                   const struct mill_database_options *options,
                                   sqlite3 **connection, struct mill_error *error)
{
    struct mill_error unread; /* judging tells apart by the status it finds there */
    if (error == NULL) error = &unread;
    *database = (struct mill_database){.lock = {.fd = -1},
                                       .board = {.fd = -1},
                                       .warn = options->warn,
                                       .context = options->context};
    *connection = NULL;
    int64_t size;
    tidemill_status status =
        mill_place_find(&database->place, options->path, options->make_folder, error);
    if (status == TIDEMILL_OK) status = mill_place_look(&database->place, &size, error);
    if (status == TIDEMILL_OK) status = database_open_lock(database, options->remote, error);
    if (status == TIDEMILL_OK) status = database_settle(database, connection, error);
    if (status == TIDEMILL_OK) database_open_board(database);
    if (status != TIDEMILL_OK) database_free(database);
    return status;
}

/* Only the last connection of all processes to close moves the log into the database and
 * removes it; SQLite finds out which one that is.  It is a checkpoint: it needs the lock. */
void mill_database_close(struct mill_database *database, sqlite3 *connection)
{
    bool broken =
        atomic_load_explicit(&database->health, memory_order_relaxed) == MILL_HEALTH_BROKEN;
    bool locked = mill_lock_take(&database->lock, 1);
    if (locked && !broken) {
        sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    }
    sqlite3_close(connection);
    if (locked) mill_lock_drop(&database->lock);
    database_free(database);
}
