/* reader: look-ups of one thread, in the queue of the writer and then in the database.
 * SPDX-License-Identifier: MIT */
#include "cache/reader.h"

#include <stdlib.h>
#include <time.h>

#include "cache/object.h"
#include "cache/recall.h"
#include "cache/store.h"
#include "data/codec.h"

struct mill_reader {
    struct mill_database *database;
    struct mill_writer *writer;
    struct mill_memory *memory;
    sqlite3 *connection; /* NULL until the first look-up */
    sqlite3_stmt *find, *load, *load_at, *begin, *end;
    bool
        viewing; /* in a transaction: look-ups of one see the database as it was at its start */
    int looks;   /* in it */
    uint64_t seen;          /* commits of all processes before it began */
    int64_t now;            /* microseconds since 1970, when it began */
    struct mill_hash found; /* content of the entry that was used last, */
    int64_t place;          /* and where that lies, perhaps; 0: it is not known */
    uint8_t name[16];       /* bound to a statement */
    ZSTD_DCtx *decompressor;
    struct mill_uses uses;
};

enum { READER_LOOKS = 4096 }; /* in one transaction, which keeps the log from being moved */

/* A reader that uses more entries than this notes only those that were not used within the last hour:
 * a run of many hits would else end with as many writes. */
enum { READER_USES = 4096 };
static const int64_t READER_LATELY = 3600000000; /* microseconds */

/* ---- life ------------------------------------------------------------------------------- */

struct mill_reader *mill_reader_new(struct mill_database *database, struct mill_writer *writer,
                                    struct mill_memory *memory)
{
    struct mill_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NULL;
    reader->database = database;
    reader->writer = writer;
    reader->memory = memory;
    reader->decompressor = ZSTD_createDCtx();
    if (reader->decompressor) return reader;
    free(reader);
    return NULL;
}

static void reader_disconnect(struct mill_reader *reader)
{
    sqlite3_stmt *all[] = {reader->find, reader->load, reader->load_at, reader->begin,
                           reader->end};
    mill_reader_rest(reader);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
    sqlite3_close(reader->connection);
    reader->find = reader->load = reader->load_at = reader->begin = reader->end = NULL;
    reader->connection = NULL;
}

void mill_reader_close(struct mill_reader *reader)
{
    if (reader == NULL) return;
    reader_disconnect(reader);
    mill_writer_note(reader->writer, &reader->uses);
    ZSTD_freeDCtx(reader->decompressor);
    free(reader);
}

static int reader_prepare(struct mill_reader *reader)
{
    static const char find[] =
        "SELECT reads_name, content, made, reads, used, object FROM entry WHERE key = ?";
    static const char load[] = "SELECT " MILL_OBJECT_COLUMNS " FROM object WHERE content = ?";
    static const char load_at[] = "SELECT " MILL_OBJECT_COLUMNS " FROM object WHERE id = ?";
    const struct {
        sqlite3_stmt **statement;
        const char *text;
    } all[] = {{&reader->find, find},
               {&reader->load, load},
               {&reader->load_at, load_at},
               {&reader->begin, "BEGIN"},
               {&reader->end, "COMMIT"}};
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && code == SQLITE_OK; i++) {
        code = sqlite3_prepare_v3(reader->connection, all[i].text, -1,
                                  SQLITE_PREPARE_PERSISTENT, all[i].statement, NULL);
    }
    return code;
}

void mill_reader_rest(struct mill_reader *reader)
{
    if (reader == NULL || !reader->viewing) return;
    sqlite3_step(reader->end);
    sqlite3_reset(reader->end);
    reader->viewing = false;
}

bool mill_reader_is_stale(const struct mill_reader *reader)
{
    return mill_board_commits(&reader->database->board) != reader->seen;
}

/* A transaction of several look-ups: to begin one costs more than to look.  It ends when anybody
 * has committed, so that what left the queue, or the board, is found. */
static void reader_view(struct mill_reader *reader)
{
    if (reader->viewing && (mill_reader_is_stale(reader) || reader->looks >= READER_LOOKS)) {
        mill_reader_rest(reader);
    }
    reader->looks++;
    if (reader->viewing) return;
    reader->seen = mill_board_commits(&reader->database->board);
    reader->looks = 0;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    reader->now = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    reader->viewing = sqlite3_step(reader->begin) == SQLITE_DONE;
    sqlite3_reset(reader->begin);
}

static enum mill_health reader_health(const struct mill_reader *reader)
{
    return (enum mill_health)atomic_load_explicit(&reader->database->health,
                                                  memory_order_relaxed);
}

/* Whether the database can be asked. */
static bool reader_ready(struct mill_reader *reader)
{
    if (reader_health(reader) == MILL_HEALTH_BROKEN) return false;
    if (reader->connection) {
        reader_view(reader);
        return true;
    }
    int code;
    reader->connection = mill_database_connect(reader->database, &code);
    if (reader->connection == NULL) return false;
    code = reader_prepare(reader);
    if (code == SQLITE_OK) {
        reader_view(reader);
        return true;
    }
    mill_database_fail_reading(reader->database, reader->connection, code);
    reader_disconnect(reader);
    return false;
}

/* Ends a look-up. */
static void reader_reset(struct mill_reader *reader, sqlite3_stmt *statement, int code)
{
    sqlite3_reset(statement);
    if (code == SQLITE_ROW || code == SQLITE_DONE) return;
    mill_reader_rest(reader);
    mill_database_fail_reading(reader->database, reader->connection, code);
}

/* The name lives as long as the statement uses it. */
static int reader_bind(struct mill_reader *reader, sqlite3_stmt *statement,
                       struct mill_hash hash)
{
    mill_object_name(hash, reader->name);
    return sqlite3_bind_blob(statement, 1, reader->name, sizeof reader->name, SQLITE_STATIC);
}

/* ---- loading ---------------------------------------------------------------------------- */

/* The writer looks again and removes. */
static void reader_complain(struct mill_reader *reader, struct mill_hash content)
{
    if (reader_health(reader) != MILL_HEALTH_GOOD) return;
    struct mill_pending *check = mill_pending_new(content, content, NULL, 0, "", NULL, 0);
    if (check) mill_writer_push(reader->writer, check);
}

/* Whether an object that another has followed at its place is still the one that was there. */
static bool reader_is_at(struct mill_reader *reader, struct mill_hash content)
{
    struct mill_hash there;
    if (sqlite3_bind_int64(reader->load_at, 1, reader->place) != SQLITE_OK) return false;
    return sqlite3_step(reader->load_at) == SQLITE_ROW &&
           mill_object_column_hash(reader->load_at, 0, &there) &&
           mill_hash_equal(there, content);
}

/* The statement that stands on the row of the content, or has failed, or found none: with *code.  By its
 * place where that is known: it spares a search. */
static sqlite3_stmt *reader_seek(struct mill_reader *reader, struct mill_hash content,
                                 int *code)
{
    if (reader->place > 0 && mill_hash_equal(reader->found, content)) {
        *code = SQLITE_ROW;
        if (reader_is_at(reader, content)) return reader->load_at;
        sqlite3_reset(reader->load_at);
    }
    *code = reader_bind(reader, reader->load, content);
    if (*code == SQLITE_OK) *code = sqlite3_step(reader->load);
    return reader->load;
}

static struct mill_buffer *reader_decode(struct mill_reader *reader, sqlite3_stmt *row,
                                         bool *damaged)
{
    struct mill_object object;
    *damaged = true;
    if (!mill_object_row(&object, row)) return NULL;
    return mill_object_decode(&object, reader->database->place.folder, reader->decompressor,
                              reader->memory, damaged);
}

static struct mill_buffer *reader_load_stored(struct mill_reader *reader,
                                              struct mill_hash content)
{
    if (!reader_ready(reader)) return NULL;
    struct mill_buffer *buffer = NULL;
    bool damaged = false;
    int code;
    sqlite3_stmt *row = reader_seek(reader, content, &code);
    if (code == SQLITE_ROW) buffer = reader_decode(reader, row, &damaged);
    reader_reset(reader, row, code);
    if (damaged) reader_complain(reader, content);
    return buffer;
}

struct mill_buffer *mill_reader_load(struct mill_reader *reader, struct mill_hash content)
{
    struct mill_buffer *buffer = mill_queue_load(&reader->writer->queue, content);
    return buffer ? buffer : reader_load_stored(reader, content);
}

/* The value of the row that the statement stands on, when it can be had from where SQLite has it. */
static bool reader_decode_value(struct mill_reader *reader, sqlite3_stmt *row,
                                struct mill_value *value, bool *damaged)
{
    struct mill_object object;
    *damaged = !mill_object_row(&object, row);
    if (*damaged || object.in_file || object.coding != MILL_CODING_RAW) return false;
    *damaged = object.size != object.stored || !mill_object_is_sound(&object, object.data);
    return !*damaged && mill_codec_load_copy(object.data, (size_t)object.size, reader->memory,
                                             value) == TIDEMILL_OK;
}

bool mill_reader_load_small(struct mill_reader *reader, struct mill_hash content, int64_t most,
                            struct mill_value *value)
{
    if (!reader_ready(reader)) return false;
    bool there = false, damaged = false, small = false;
    int code;
    sqlite3_stmt *row = reader_seek(reader, content, &code);
    if (code == SQLITE_ROW) small = sqlite3_column_int64(row, 1) <= most;
    if (small) there = reader_decode_value(reader, row, value, &damaged);
    if (small && !there && !damaged) {
        struct mill_buffer *bytes = reader_decode(reader, row, &damaged);
        there = bytes && mill_codec_load(bytes, value) == TIDEMILL_OK;
        mill_buffer_unref(bytes);
    }
    reader_reset(reader, row, code);
    if (damaged) reader_complain(reader, content);
    return there;
}

/* ---- finding ---------------------------------------------------------------------------- */

/* One row, copied, so that no statement is open while the caller looks at it. */
struct reader_row {
    struct mill_hash reads_name, content;
    int64_t made, used, place;
    void *reads; /* malloc'ed; NULL when empty or long */
    size_t reads_size;
    bool long_reads; /* an object under reads_name */
};

/* The answers to one look-up: queued ones first.  Lives on the stack, so a visit may start
 * another. */
struct reader_answers {
    struct mill_pending *few_pending[8], **pending;
    size_t pending_count;
    struct reader_row few_rows[8], *rows;
    size_t row_count, row_room;
};

static void answers_init(struct reader_answers *answers)
{
    answers->pending = answers->few_pending;
    answers->rows = answers->few_rows;
    answers->pending_count = answers->row_count = 0;
    answers->row_room = sizeof answers->few_rows / sizeof *answers->few_rows;
}

static void answers_fini(struct reader_answers *answers)
{
    for (size_t i = 0; i < answers->pending_count; i++) {
        mill_pending_unref(answers->pending[i]);
    }
    for (size_t i = 0; i < answers->row_count; i++) free(answers->rows[i].reads);
    if (answers->pending != answers->few_pending) free(answers->pending);
    if (answers->rows != answers->few_rows) free(answers->rows);
}

/* Asks again with more room when there are more than fit; without memory the newest must do. */
static void answers_add_queued(struct reader_answers *answers, struct mill_queue *queue,
                               struct mill_hash key)
{
    size_t room = sizeof answers->few_pending / sizeof *answers->few_pending;
    for (;;) {
        size_t count = mill_queue_find(queue, key, answers->pending, room);
        answers->pending_count = count < room ? count : room;
        if (count <= room) return;
        struct mill_pending **more = malloc(2 * count * sizeof *more);
        if (more == NULL) return;
        answers_fini(answers);
        answers_init(answers);
        answers->pending = more;
        room = 2 * count;
    }
}

/* A queued answer replaces the stored one to the same reads, or all of them. */
static bool answers_replaced(const struct reader_answers *answers, struct mill_hash reads_name)
{
    for (size_t i = 0; i < answers->pending_count; i++) {
        const struct mill_pending *pending = answers->pending[i];
        if (pending->alone || mill_hash_equal(pending->reads_name, reads_name)) return true;
    }
    return false;
}

static struct reader_row *answers_room(struct reader_answers *answers)
{
    if (answers->row_count == answers->row_room) {
        size_t size = answers->row_room * sizeof *answers->rows;
        struct reader_row *more = malloc(2 * size);
        if (more == NULL) return NULL;
        memcpy(more, answers->rows, size);
        if (answers->rows != answers->few_rows) free(answers->rows);
        answers->rows = more;
        answers->row_room *= 2;
    }
    return &answers->rows[answers->row_count];
}

/* Copies the row that the statement stands on.  One that is damaged (the reads have another
 * hash than their name) is passed over: the result is computed again and replaces it. */
static bool answers_add_row(struct reader_answers *answers, sqlite3_stmt *find)
{
    struct reader_row *row = answers_room(answers);
    if (row == NULL) return false;
    *row = (struct reader_row){.made = sqlite3_column_int64(find, 2),
                               .used = sqlite3_column_int64(find, 4),
                               .place = sqlite3_column_int64(find, 5)};
    if (!mill_object_column_hash(find, 0, &row->reads_name)) return true;
    if (!mill_object_column_hash(find, 1, &row->content)) return true;
    if (answers_replaced(answers, row->reads_name)) return true;
    row->long_reads = sqlite3_column_type(find, 3) == SQLITE_NULL;
    if (!row->long_reads) {
        const void *reads = sqlite3_column_blob(find, 3); /* NULL when empty */
        row->reads_size = (size_t)sqlite3_column_bytes(find, 3);
        if (!mill_hash_equal(mill_hash_bytes(reads, row->reads_size), row->reads_name)) {
            return true;
        }
        if (row->reads_size > 0) {
            row->reads = malloc(row->reads_size);
            if (row->reads == NULL) return false;
            memcpy(row->reads, reads, row->reads_size);
        }
    }
    answers->row_count++;
    return true;
}

static int answers_newer(const void *a, const void *b)
{
    int64_t left = ((const struct reader_row *)a)->made;
    int64_t right = ((const struct reader_row *)b)->made;
    return (left < right) - (left > right);
}

static void answers_add_stored(struct reader_answers *answers, struct mill_reader *reader,
                               struct mill_hash key)
{
    if (!reader_ready(reader)) return;
    int code = reader_bind(reader, reader->find, key);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(reader->find);
        if (code == SQLITE_ROW && !answers_add_row(answers, reader->find)) break;
    }
    reader_reset(reader, reader->find, code);
    if (answers->row_count > 1) {
        qsort(answers->rows, answers->row_count, sizeof *answers->rows, answers_newer);
    }
}

typedef bool reader_visit(void *context, const struct mill_entry *entry);

static bool answers_visit_queued(const struct reader_answers *answers, reader_visit *visit,
                                 void *context)
{
    for (size_t i = 0; i < answers->pending_count; i++) {
        const struct mill_pending *pending = answers->pending[i];
        struct mill_entry entry = {pending->content, pending->reads, pending->reads_size,
                                   pending->made};
        if (visit(context, &entry)) return true;
    }
    return false;
}

/* A long list of reads that is gone or damaged cannot be checked: its entry does not count. */
static bool answers_visit_row(struct mill_reader *reader, const struct reader_row *row,
                              reader_visit *visit, void *context)
{
    struct mill_entry entry = {row->content, row->reads, row->reads_size, row->made};
    if (!row->long_reads) return visit(context, &entry);
    struct mill_buffer *reads = reader_load_stored(reader, row->reads_name);
    if (reads == NULL) return false;
    entry.reads = reads->data;
    entry.reads_size = reads->size;
    bool done = visit(context, &entry);
    mill_buffer_unref(reads);
    return done;
}

static void reader_note(struct mill_reader *reader, struct mill_hash key,
                        const struct reader_row *row)
{
    mill_pins_add(&reader->writer->pins, key);
    reader->found = row->content;
    reader->place = row->place;
    if (reader->uses.count >= READER_USES && reader->now - row->used < READER_LATELY) return;
    mill_uses_add(&reader->uses, key, row->reads_name);
    if (reader->uses.count >= MILL_USES_MOST) mill_writer_note(reader->writer, &reader->uses);
}

bool mill_reader_find(struct mill_reader *reader, struct mill_hash key, reader_visit *visit,
                      void *context)
{
    struct reader_answers answers;
    answers_init(&answers);
    /* In this order: what leaves the queue in between is in the database. */
    answers_add_queued(&answers, &reader->writer->queue, key);
    answers_add_stored(&answers, reader, key);
    bool done = answers_visit_queued(&answers, visit, context);
    for (size_t i = 0; i < answers.row_count && !done; i++) {
        done = answers_visit_row(reader, &answers.rows[i], visit, context);
        if (done) reader_note(reader, key, &answers.rows[i]);
    }
    answers_fini(&answers);
    return done;
}

void *mill_reader_recall(struct mill_reader *reader, const char *task, size_t *size)
{
    *size = 0;
    if (reader == NULL || !reader_ready(reader)) return NULL;
    return mill_recall_read(reader->connection, task, size);
}
