/* carry: entries of a cache in a file, for another machine: mill_store_export and _import of
 * cache/manage.h.
 *
 *     "tidemill-cache1\n"
 *     records: length (8 bytes), then that many: key, content, made, seconds, task, reads, and the
 *              object as it lies in the cache: size, coding, sum, bytes
 *     0 (8 bytes), hash of all records
 *
 * Numbers are little-endian, hashes as in the database.  SPDX-License-Identifier: MIT */
#include "cache/manage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/aside.h"
#include "cache/session.h"

enum { CARRY_MAGIC = 16, CARRY_HEAD = 16 + 16 + 8 + 8, CARRY_PIECE = 256 };
static const char carry_magic[CARRY_MAGIC + 1] = "tidemill-cache1\n";

/* ---- numbers as bytes ------------------------------------------------------------------- */

static void store64(uint8_t *to, uint64_t number)
{
    for (int i = 0; i < 8; i++) to[i] = (uint8_t)(number >> 8 * i);
}

static uint64_t load64(const uint8_t *from)
{
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--) number = number << 8 | from[i];
    return number;
}

static struct mill_hash load_hash(const uint8_t *from)
{
    struct mill_hash hash = {0};
    for (int i = 0; i < 8; i++) {
        hash.high = hash.high << 8 | from[i];
        hash.low = hash.low << 8 | from[8 + i];
    }
    return hash;
}

/* ---- writing --------------------------------------------------------------------------- */

struct export
{
    struct mill_session *session;
    struct mill_aside *aside;
    sqlite3_stmt *get;
    struct mill_hasher hasher;
    int64_t entries;
    int problem; /* errno */
};

static void put_size(uint8_t **to, uint64_t number)
{
    store64(*to, number);
    *to += 8;
}

static void put_bytes(uint8_t **to, const void *bytes, size_t size)
{
    put_size(to, size);
    if (size > 0) memcpy(*to, bytes, size);
    *to += size;
}

static void put_hash(uint8_t **to, struct mill_hash hash)
{
    mill_object_name(hash, *to);
    *to += 16;
}

/* A file's stored bytes; malloc'ed, NULL: not to be had. */
static void *read_stored(struct mill_session *session, const struct mill_object *object)
{
    char *path = mill_object_path(object->content, session->database->place.folder);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    uint8_t *bytes = NULL;
    struct stat status;
    free(path);
    if (fd < 0) return NULL;
    if (fstat(fd, &status) == 0 && status.st_size == object->stored) {
        bytes = malloc((size_t)object->stored + 1);
    }
    for (int64_t at = 0; bytes && at < object->stored;) {
        ssize_t got = read(fd, bytes + at, (size_t)(object->stored - at));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            free(bytes);
            bytes = NULL;
            break;
        }
        at += got;
    }
    close(fd);
    return bytes;
}

static void export_record(struct export *export, const struct mill_store_row *row,
                          const struct mill_object *object, const void *data)
{
    size_t task = strlen(row->task);
    size_t length =
        CARRY_HEAD + 8 + task + 8 + row->reads_size + 8 + 8 + 16 + 8 + (size_t)object->stored;
    uint8_t *record = malloc(length), *to = record, number[8];
    if (record == NULL) {
        export->problem = ENOMEM;
        return;
    }
    uint64_t seconds;
    double cost = (double)row->cost / 1e6;
    memcpy(&seconds, &cost, sizeof seconds);
    put_hash(&to, row->key);
    put_hash(&to, row->content);
    put_size(&to, (uint64_t)row->made);
    put_size(&to, seconds);
    put_bytes(&to, row->task, task);
    put_bytes(&to, row->reads, row->reads_size);
    put_size(&to, (uint64_t)object->size);
    put_size(&to, (uint64_t)object->coding);
    put_hash(&to, object->sum);
    put_bytes(&to, data, (size_t)object->stored);
    store64(number, length);
    mill_aside_put(export->aside, number, sizeof number);
    mill_aside_put(export->aside, record, length);
    mill_hasher_hash(&export->hasher, mill_hash_bytes(record, length));
    export->entries++;
    free(record);
}

/* What is damaged, or gone meanwhile, is left out. */
static bool export_row(void *context, const struct mill_store_row *row)
{
    struct export *export = context;
    struct mill_object object;
    if (row->size < 0) return true;
    bool there = mill_object_bind_hash(export->get, 1, row->content) == SQLITE_OK &&
                 sqlite3_step(export->get) == SQLITE_ROW &&
                 mill_object_row(&object, export->get);
    void *file = there && object.in_file ? read_stored(export->session, &object) : NULL;
    const void *data = there && object.in_file ? file : there ? object.data : NULL;
    if (there && (data || object.stored == 0) && mill_object_is_sound(&object, data)) {
        export_record(export, row, &object, data);
    }
    free(file);
    sqlite3_reset(export->get);
    return export->problem == 0 && export->aside->reason == 0;
}

tidemill_status mill_store_export(struct mill_store *store,
                                  const struct mill_store_filter *filter, const char *path,
                                  int64_t *entries, struct mill_error *error)
{
    struct mill_session session;
    struct mill_aside *aside = malloc(sizeof *aside);
    *entries = 0;
    if (aside == NULL) return mill_no_memory(error, "export");
    tidemill_status status = mill_session_open(&session, store, error);
    if (status == TIDEMILL_OK) {
        status = mill_aside_open(aside, path, error);
        if (status != TIDEMILL_OK) mill_session_close(&session);
    }
    if (status != TIDEMILL_OK) {
        free(aside);
        return status;
    }
    struct export export = {.session = &session, .aside = aside};
    mill_hasher_init(&export.hasher, "export/1");
    mill_aside_put(aside, carry_magic, CARRY_MAGIC);
    int code = sqlite3_prepare_v2(session.connection, mill_session_get, -1, &export.get, NULL);
    if (code == SQLITE_OK) code = mill_session_visit(&session, filter, export_row, &export);
    sqlite3_finalize(export.get);
    uint8_t end[24] = {0}, *to = end + 8;
    put_hash(&to, mill_hasher_end(&export.hasher));
    mill_aside_put(aside, end, sizeof end);
    if (code == SQLITE_OK && aside->reason == 0) aside->reason = export.problem;
    if (code != SQLITE_OK && aside->reason == 0)
        aside->reason = EIO; /* so that it does not stay */
    status = mill_aside_close(aside, error);
    if (code != SQLITE_OK) status = mill_session_failed(&session, code, error);
    mill_session_close(&session);
    free(aside);
    *entries = export.entries;
    return status;
}

/* ---- reading --------------------------------------------------------------------------- */

struct import {
    struct mill_session session;
    const char *path;
    int fd;
    int64_t left; /* bytes of the file not read yet */
    uint8_t *record;
    size_t length, room;
    ZSTD_DCtx *decompressor;
    sqlite3_stmt *add_entry, *add_object, *has_object;
    int64_t entries;
    struct mill_error *error;
};

static tidemill_status import_broken(struct import *import, const char *what)
{
    return mill_fail(import->error, TIDEMILL_DATA, "%s: %s; nothing was taken from it",
                     import->path, what);
}

static bool import_read(struct import *import, void *bytes, size_t size)
{
    uint8_t *to = bytes;
    if ((int64_t)size > import->left) return false;
    import->left -= (int64_t)size;
    while (size > 0) {
        ssize_t got = read(import->fd, to, size);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

enum step { RECORD, END, CUT, SHORT };

/* The next record.  Its length is believed only as far as the file goes. */
static enum step import_step(struct import *import)
{
    uint8_t number[8];
    if (!import_read(import, number, sizeof number)) return CUT;
    uint64_t length = load64(number);
    if (length == 0) return END;
    if (length > (uint64_t)import->left) return CUT;
    if (length > import->room) {
        free(import->record);
        import->record = malloc((size_t)length);
        import->room = import->record ? (size_t)length : 0;
        if (import->record == NULL) return SHORT;
    }
    import->length = (size_t)length;
    return import_read(import, import->record, (size_t)length) ? RECORD : CUT;
}

/* A record's parts, as they point into it; false: it is no record. */
struct parts {
    struct mill_hash key;
    int64_t made;
    double seconds;
    const char *task;
    const uint8_t *reads;
    size_t task_size, reads_size;
    struct mill_object object;
};

static bool take_bytes(const uint8_t **at, const uint8_t *end, const uint8_t **bytes,
                       size_t *size)
{
    if (end - *at < 8) return false;
    uint64_t length = load64(*at);
    *at += 8;
    if (length > (uint64_t)(end - *at)) return false;
    *bytes = *at;
    *size = (size_t)length;
    *at += length;
    return true;
}

static bool take_parts(struct parts *parts, const uint8_t *at, size_t length)
{
    const uint8_t *end = at + length, *data;
    size_t stored;
    *parts = (struct parts){.made = 0};
    if (length < CARRY_HEAD) return false;
    parts->key = load_hash(at);
    parts->object.content = load_hash(at + 16);
    parts->made = (int64_t)load64(at + 32);
    uint64_t seconds = load64(at + 40);
    memcpy(&parts->seconds, &seconds, sizeof seconds);
    if (!(parts->seconds >= 0 && parts->seconds < 1e12)) parts->seconds = 0;
    at += CARRY_HEAD;
    const uint8_t *task;
    if (!take_bytes(&at, end, &task, &parts->task_size) ||
        !take_bytes(&at, end, &parts->reads, &parts->reads_size) || end - at < 32) {
        return false;
    }
    parts->task = (const char *)task;
    parts->object.size = (int64_t)load64(at);
    parts->object.coding = (int)(load64(at + 8) & 0xff);
    parts->object.sum = load_hash(at + 16);
    at += 32;
    if (!take_bytes(&at, end, &data, &stored) || at != end) return false;
    parts->object.stored = (int64_t)stored;
    parts->object.data = data;
    return parts->object.size >= 0 && parts->made >= 0 &&
           memchr(parts->task, '\0', parts->task_size) == NULL;
}

/* Whether its bytes are what their sum says, and can be had again. */
static bool is_intact(struct import *import, struct parts *parts)
{
    bool damaged = false;
    parts->object.in_file = false;
    struct mill_buffer *bytes =
        mill_object_decode(&parts->object, "", import->decompressor, NULL, &damaged);
    bool sound = bytes != NULL;
    mill_buffer_unref(bytes);
    return sound;
}

/* Looks at the whole file before anything is taken from it. */
static tidemill_status import_check(struct import *import)
{
    char start[CARRY_MAGIC];
    struct mill_hasher hasher;
    struct parts parts;
    uint8_t end[16], sum[16];
    mill_hasher_init(&hasher, "export/1");
    if (!import_read(import, start, sizeof start) ||
        memcmp(start, carry_magic, CARRY_MAGIC) != 0) {
        return import_broken(import, "is not an exported cache");
    }
    enum step step;
    while ((step = import_step(import)) == RECORD) {
        mill_hasher_hash(&hasher, mill_hash_bytes(import->record, import->length));
        if (!take_parts(&parts, import->record, import->length) || !is_intact(import, &parts)) {
            return import_broken(import, "is damaged");
        }
    }
    if (step == SHORT) return mill_no_memory(import->error, "import");
    mill_object_name(mill_hasher_end(&hasher), sum);
    if (step == CUT || !import_read(import, end, sizeof end)) {
        return import_broken(import, "is cut short");
    }
    bool whole = memcmp(end, sum, sizeof sum) == 0 && import->left == 0;
    return whole ? TIDEMILL_OK : import_broken(import, "is damaged");
}

static int step_through(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Adds an object that is not there; the file gets its name before its row is committed. */
static int add_object(struct import *import, struct mill_object *object)
{
    const char *folder = import->session.database->place.folder;
    int code = mill_object_bind_hash(import->has_object, 1, object->content);
    if (code == SQLITE_OK) code = sqlite3_step(import->has_object);
    sqlite3_reset(import->has_object);
    if (code == SQLITE_ROW) return SQLITE_OK;
    if (code != SQLITE_DONE) return code;
    object->in_file = object->stored > MILL_OBJECT_INLINE;
    if (mill_object_write(object, folder) != 0) return SQLITE_IOERR_WRITE;
    code = mill_object_bind(object, import->add_object);
    if (code == SQLITE_OK) code = step_through(import->add_object);
    if (code == SQLITE_OK && mill_object_publish(object, folder) != 0)
        code = SQLITE_IOERR_WRITE;
    mill_object_fini(object, code == SQLITE_OK);
    return code;
}

static int add_entry(struct import *import, struct parts *parts)
{
    sqlite3_stmt *add = import->add_entry;
    struct mill_hash reads_name = mill_hash_bytes(parts->reads, parts->reads_size);
    bool inline_reads = parts->reads_size <= MILL_READS_INLINE;
    int code = SQLITE_OK;
    if (!inline_reads) {
        struct mill_object reads;
        mill_object_encode(&reads, reads_name, parts->reads, parts->reads_size, NULL);
        code = add_object(import, &reads);
    }
    if (code == SQLITE_OK) code = mill_object_bind_hash(add, 1, parts->key);
    if (code == SQLITE_OK) code = mill_object_bind_hash(add, 2, reads_name);
    if (code == SQLITE_OK) code = mill_object_bind_hash(add, 3, parts->object.content);
    if (code == SQLITE_OK) code = sqlite3_bind_int64(add, 4, parts->made);
    if (code == SQLITE_OK) code = sqlite3_bind_double(add, 5, parts->seconds);
    if (code == SQLITE_OK) {
        code = sqlite3_bind_text(add, 6, parts->task, (int)parts->task_size, SQLITE_STATIC);
    }
    if (code == SQLITE_OK && inline_reads) {
        code = sqlite3_bind_blob(add, 7, parts->reads_size ? (const void *)parts->reads : "",
                                 (int)parts->reads_size, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) code = step_through(add);
    if (code == SQLITE_OK) {
        import->entries += sqlite3_changes(import->session.connection);
    }
    return code;
}

/* Up to a piece of records in one commit. */
static int import_piece(struct import *import, bool *more)
{
    sqlite3 *connection = import->session.connection;
    int64_t before = import->entries;
    int code = sqlite3_exec(connection, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (int i = 0; i < CARRY_PIECE && *more && code == SQLITE_OK; i++) {
        struct parts parts;
        *more = import_step(import) == RECORD &&
                take_parts(&parts, import->record, import->length) && is_intact(import, &parts);
        if (!*more) break;
        code = add_object(import, &parts.object);
        if (code == SQLITE_OK) code = add_entry(import, &parts);
    }
    if (code == SQLITE_OK) code = sqlite3_exec(connection, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        sqlite3_exec(connection, "ROLLBACK", NULL, NULL, NULL);
        import->entries = before;
    }
    return code;
}

static tidemill_status import_take(struct import *import)
{
    const struct {
        sqlite3_stmt **statement;
        const char *text;
    } all[] = {
        {&import->add_entry, "INSERT OR IGNORE INTO entry(key, reads_name, content, made,"
                             " seconds, task, reads, object) VALUES(?, ?, ?3, ?, ?, ?, ?,"
                             " coalesce((SELECT id FROM object WHERE content = ?3), 0))"},
        {&import->add_object,
         "INSERT OR IGNORE INTO object(" MILL_OBJECT_COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?)"},
        {&import->has_object, "SELECT 1 FROM object WHERE content = ?"},
    };
    struct mill_sweep sweep = mill_session_sweep(&import->session);
    bool more = lseek(import->fd, CARRY_MAGIC, SEEK_SET) == CARRY_MAGIC;
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && code == SQLITE_OK; i++) {
        code = sqlite3_prepare_v2(import->session.connection, all[i].text, -1, all[i].statement,
                                  NULL);
    }
    while (more && code == SQLITE_OK && sweep.busy == NULL) {
        if (!mill_lock_take(&import->session.lock, 10)) {
            sweep.busy = "another process keeps it locked";
            break;
        }
        mill_lock_begin(&import->session.lock);
        code = import_piece(import, &more);
        mill_lock_end(&import->session.lock);
        mill_lock_drop(&import->session.lock);
    }
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(*all[i].statement);
    return mill_session_swept(&import->session, &sweep, code, import->error);
}

/* Opens the file and looks at the whole of it; *size is its length. */
static tidemill_status import_open(struct import *import, int64_t *size)
{
    struct stat status;
    import->fd = open(import->path, O_RDONLY | O_CLOEXEC);
    if (import->fd < 0) {
        return mill_fail(import->error, TIDEMILL_IO, "%s: %s", import->path, strerror(errno));
    }
    if (fstat(import->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return import_broken(import, "is not a file");
    }
    import->decompressor = ZSTD_createDCtx();
    if (import->decompressor == NULL) return mill_no_memory(import->error, "import");
    *size = import->left = status.st_size;
    return import_check(import);
}

static void import_close(struct import *import)
{
    ZSTD_freeDCtx(import->decompressor);
    free(import->record);
    if (import->fd >= 0) close(import->fd);
}

tidemill_status mill_store_check_import(const char *path, struct mill_error *error)
{
    struct import import = {.path = path, .error = error};
    int64_t size;
    tidemill_status status = import_open(&import, &size);
    import_close(&import);
    return status;
}

tidemill_status mill_store_import(struct mill_store *store, const char *path, int64_t *entries,
                                  struct mill_error *error)
{
    struct import import = {.path = path, .error = error};
    int64_t size;
    *entries = 0;
    tidemill_status status = import_open(&import, &size);
    if (status == TIDEMILL_OK) status = mill_session_open(&import.session, store, error);
    if (status == TIDEMILL_OK) {
        import.left = size - CARRY_MAGIC;
        status = import_take(&import);
        mill_session_close(&import.session);
    }
    import_close(&import);
    *entries = import.entries;
    return status;
}
