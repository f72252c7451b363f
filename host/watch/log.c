/* log: lines that scripts and tasks leave for people.  SPDX-License-Identifier: MIT */
#include "watch/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/room.h"

const char *const mill_log_level_names[MILL_LOG_LEVELS] = {"debug", "info", "warn", "error"};

struct mill_log_lane {
    pthread_mutex_t mutex;
    struct mill_log_record *ring[MILL_LOG_KEPT];
    size_t next; /* lines so far */
};

/* ---- opening and closing ----------------------------------------------------------------- */

bool mill_log_init(struct mill_log *log, int workers, struct mill_output *output)
{
    memset(log, 0, sizeof *log);
    atomic_init(&log->level, MILL_LOG_INFO);
    log->output = output;
    log->file = -1;
    log->lane_count = workers + 1;
    log->lanes = calloc((size_t)log->lane_count, sizeof *log->lanes);
    pthread_mutex_init(&log->mutex, NULL);
    return log->lanes != NULL;
}

static void unref(struct mill_log_record *record)
{
    if (record == NULL) return;
    /* Acquires what others did with the record before it is freed. */
    if (atomic_fetch_sub_explicit(&record->refs, 1, memory_order_acq_rel) == 1) free(record);
}

static void free_log_lane(struct mill_log_lane *lane)
{
    if (lane == NULL) return;
    for (int i = 0; i < MILL_LOG_KEPT; i++) unref(lane->ring[i]);
    pthread_mutex_destroy(&lane->mutex);
    free(lane);
}

void mill_log_fini(struct mill_log *log)
{
    for (int i = 0; log->lanes && i < log->lane_count; i++) {
        free_log_lane(atomic_load(&log->lanes[i]));
    }
    free(log->lanes);
    log->lanes = NULL;
    if (log->file >= 0) close(log->file);
    log->file = -1;
    free(log->path);
    log->path = NULL;
    pthread_mutex_destroy(&log->mutex);
}

static bool ends_with(const char *path, const char *end)
{
    size_t size = strlen(path), part = strlen(end);
    return size >= part && strcmp(path + size - part, end) == 0;
}

tidemill_status mill_log_open(struct mill_log *log, const char *path,
                              enum mill_log_format format, struct mill_error *error)
{
    bool to_output = strcmp(path, "-") == 0;
    char *copy = strdup(path);
    if (copy == NULL) return mill_no_memory(error, "the log's name");
    int file = -1;
    if (!to_output) file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (!to_output && file < 0) {
        free(copy);
        return mill_fail(error, TIDEMILL_IO, "%s: %s", path, strerror(errno));
    }
    pthread_mutex_lock(&log->mutex);
    if (log->file >= 0) close(log->file);
    free(log->path);
    log->path = copy;
    log->file = file;
    log->to_output = to_output;
    log->open = true;
    log->failed = false;
    bool named_json = ends_with(path, ".json") || ends_with(path, ".jsonl");
    log->json = format == MILL_LOG_JSON || (format == MILL_LOG_AUTO && named_json);
    pthread_mutex_unlock(&log->mutex);
    return TIDEMILL_OK;
}

/* ---- a line as text ---------------------------------------------------------------------- */

/* A piece of text that grows; `failed` once there was no memory. */
struct text {
    char *bytes;
    size_t size, room;
    bool failed;
};

static char *text_room(struct text *text, size_t more)
{
    text->failed =
        text->failed || !mill_room_for(&text->bytes, text->size, &text->room, 1, more);
    return text->failed ? NULL : text->bytes + text->size;
}

static void add_bytes(struct text *text, const char *bytes, size_t size)
{
    char *at = text_room(text, size);
    if (at == NULL) return;
    memcpy(at, bytes, size);
    text->size += size;
}

static void add_text(struct text *text, const char *bytes)
{
    add_bytes(text, bytes, strlen(bytes));
}

static void add_quoted(struct text *text, struct mill_log_text quoted)
{
    char *at = text_room(text, MILL_JSON_ROOM(quoted.size));
    if (at) text->size += mill_json_text(at, quoted.bytes, quoted.size);
}

/* The text as it is, as far as it is plain; control characters escaped, so that one record is one
 * line. */
static void add_message(struct text *text, struct mill_log_text message)
{
    char *at = text_room(text, MILL_JSON_ROOM(message.size));
    if (at == NULL) return;
    char *end = at;
    for (size_t i = 0; i < message.size; i++) {
        char quoted[MILL_JSON_ROOM(1)], c = message.bytes[i];
        if ((c >= 0 && c < 0x20) || c == 0x7F) {
            size_t size = mill_json_text(quoted, &c, 1) - 2;
            memcpy(end, quoted + 1, size);
            end += size;
        } else {
            *end++ = c;
        }
    }
    text->size += (size_t)(end - at);
}

/* A value behind `name=`: in quotes unless it is a plain word. */
static void add_word(struct text *text, struct mill_log_text word)
{
    bool plain = word.size > 0;
    for (size_t i = 0; i < word.size && plain; i++) {
        unsigned char c = (unsigned char)word.bytes[i];
        plain = c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
    }
    if (plain) {
        add_bytes(text, word.bytes, word.size);
    } else {
        add_quoted(text, word);
    }
}

static void add_time(struct text *text, int64_t time)
{
    char when[40], line[64];
    time_t seconds = (time_t)(time / 1000000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(line, sizeof line, "%s.%06dZ", when, (int)(time % 1000000000 / 1000));
    add_text(text, line);
}

static void add_number(struct text *text, double number)
{
    char digits[MILL_JSON_NUMBER];
    mill_json_number(digits, number);
    add_text(text, digits);
}

static void add_value(struct text *text, const struct mill_log_field *field, bool json)
{
    if (field->kind == MILL_LOG_BOOL) {
        add_text(text, field->number != 0 ? "true" : "false");
    } else if (field->kind == MILL_LOG_NUMBER && !json && field->number != field->number) {
        add_text(text, "nan");
    } else if (field->kind == MILL_LOG_NUMBER && !json && field->number - field->number != 0) {
        add_text(text, field->number > 0 ? "inf" : "-inf");
    } else if (field->kind == MILL_LOG_NUMBER) {
        add_number(text, field->number);
    } else if (json) {
        add_quoted(text, field->text);
    } else {
        add_word(text, field->text);
    }
}

/* TIME RUN LEVEL [who] text name=value ... */
static void write_text(struct text *text, const struct mill_log_line *line)
{
    char words[64];
    add_time(text, line->time);
    if (line->run.bytes) {
        add_text(text, " ");
        add_message(text, line->run);
    }
    snprintf(words, sizeof words, " %-5s ", mill_log_level_names[line->level]);
    add_text(text, words);
    if (line->worker > 0) {
        snprintf(words, sizeof words, "[worker %d", line->worker);
        add_text(text, words);
    } else {
        add_text(text, "[script");
    }
    if (line->task.bytes) {
        add_text(text, ", ");
        add_message(text, line->task);
    }
    if (line->attempt > 1) {
        snprintf(words, sizeof words, ", attempt %d", line->attempt);
        add_text(text, words);
    }
    if (line->key.bytes) {
        add_text(text, ", key ");
        add_message(text, line->key);
    }
    add_text(text, "] ");
    add_message(text, line->text);
    for (int i = 0; i < line->field_count; i++) {
        add_text(text, " ");
        add_word(text, line->fields[i].name);
        add_text(text, "=");
        add_value(text, &line->fields[i], false);
    }
    add_text(text, "\n");
}

static void add_member(struct text *text, const char *name, struct mill_log_text value)
{
    if (value.bytes == NULL) return;
    add_text(text, ",\"");
    add_text(text, name);
    add_text(text, "\":");
    add_quoted(text, value);
}

static void write_fields(struct text *text, const struct mill_log_line *line)
{
    add_text(text, "{");
    for (int i = 0; i < line->field_count; i++) {
        if (i > 0) add_text(text, ",");
        add_quoted(text, line->fields[i].name);
        add_text(text, ":");
        add_value(text, &line->fields[i], true);
    }
    add_text(text, "}");
}

static void write_json(struct text *text, const struct mill_log_line *line)
{
    char words[64];
    add_text(text, "{\"time\":\"");
    add_time(text, line->time);
    add_text(text, "\",\"level\":\"");
    add_text(text, mill_log_level_names[line->level]);
    snprintf(words, sizeof words, "\",\"worker\":%d", line->worker);
    add_text(text, words);
    add_member(text, "run", line->run);
    add_member(text, "task", line->task);
    add_member(text, "key", line->key);
    if (line->attempt > 0) {
        snprintf(words, sizeof words, ",\"attempt\":%d", line->attempt);
        add_text(text, words);
    }
    add_member(text, "text", line->text);
    if (line->field_count > 0) {
        add_text(text, ",\"fields\":");
        write_fields(text, line);
    }
    add_text(text, "}\n");
}

char *mill_log_fields_json(const struct mill_log_line *line)
{
    struct text text = {0};
    write_fields(&text, line);
    add_bytes(&text, "", 1);
    if (!text.failed) return text.bytes;
    free(text.bytes);
    return NULL;
}

/* ---- adding ------------------------------------------------------------------------------ */

static char *move_text(char *at, struct mill_log_text *text)
{
    if (text->bytes == NULL) return at;
    memcpy(at, text->bytes, text->size);
    text->bytes = at;
    return at + text->size;
}

/* One block: the record, its fields, the bytes of its texts. */
static struct mill_log_record *new_record(const struct mill_log_line *line)
{
    size_t fields = (size_t)line->field_count * sizeof *line->fields;
    size_t size = line->text.size + line->task.size + line->key.size + line->run.size;
    for (int i = 0; i < line->field_count; i++) {
        size += line->fields[i].name.size + line->fields[i].text.size;
    }
    struct mill_log_record *record = malloc(sizeof *record + fields + size);
    if (record == NULL) return NULL;
    struct mill_log_field *copies = (struct mill_log_field *)(record + 1);
    char *at = (char *)copies + fields;
    if (fields > 0) memcpy(copies, line->fields, fields);
    atomic_init(&record->refs, 1);
    record->line = *line;
    record->line.fields = copies;
    at = move_text(at, &record->line.text);
    at = move_text(at, &record->line.task);
    at = move_text(at, &record->line.key);
    at = move_text(at, &record->line.run);
    for (int i = 0; i < line->field_count; i++) {
        at = move_text(at, &copies[i].name);
        at = move_text(at, &copies[i].text);
    }
    return record;
}

static struct mill_log_lane *lane_of(struct mill_log *log, int worker)
{
    struct mill_log_lane *_Atomic *place = &log->lanes[worker];
    struct mill_log_lane *lane = atomic_load_explicit(place, memory_order_acquire);
    if (lane) return lane;
    pthread_mutex_lock(&log->mutex);
    lane = atomic_load_explicit(place, memory_order_relaxed);
    if (lane == NULL) lane = calloc(1, sizeof *lane);
    if (lane && atomic_load_explicit(place, memory_order_relaxed) == NULL) {
        pthread_mutex_init(&lane->mutex, NULL);
        atomic_store_explicit(place, lane, memory_order_release);
    }
    pthread_mutex_unlock(&log->mutex);
    return lane;
}

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

/* Under the log's mutex; O_APPEND keeps lines of several processes whole as well. */
static void write_line(struct mill_log *log, const struct mill_log_line *line)
{
    struct text text = {0};
    if (log->json) {
        write_json(&text, line);
    } else {
        write_text(&text, line);
    }
    bool fine = !text.failed;
    errno = ENOMEM;
    if (fine && log->to_output) {
        mill_output_log(log->output, text.bytes, text.size);
    } else if (fine) {
        fine = write_all(log->file, text.bytes, text.size);
    }
    if (!fine && !log->failed) {
        log->failed = true;
        mill_output_warn(log->output, "log %s: %s; lines are missing from it", log->path,
                         strerror(errno));
    }
    free(text.bytes);
}

void mill_log_tap(struct mill_log *log,
                  void (*tap)(void *context, struct mill_log_record *record), void *context)
{
    pthread_mutex_lock(&log->mutex);
    log->tap = tap;
    log->tap_context = context;
    pthread_mutex_unlock(&log->mutex);
}

void mill_log_retain(struct mill_log_record *record)
{
    atomic_fetch_add_explicit(&record->refs, 1, memory_order_relaxed);
}

bool mill_log_add(struct mill_log *log, const struct mill_log_line *line)
{
    struct mill_log_lane *lane = lane_of(log, line->worker);
    struct mill_log_record *record = lane ? new_record(line) : NULL;
    if (record == NULL) return false;
    record->line.time = mill_clock_wall();
    record->number = atomic_fetch_add_explicit(&log->next, 1, memory_order_relaxed);
    pthread_mutex_lock(&log->mutex);
    if (log->open) write_line(log, &record->line);
    if (log->tap) log->tap(log->tap_context, record);
    pthread_mutex_unlock(&log->mutex);
    pthread_mutex_lock(&lane->mutex);
    struct mill_log_record **place = &lane->ring[lane->next++ % MILL_LOG_KEPT];
    struct mill_log_record *oldest = *place;
    *place = record;
    pthread_mutex_unlock(&lane->mutex);
    unref(oldest);
    return true;
}

bool mill_log_tell(struct mill_log *log, const struct mill_log_line *line)
{
    struct mill_log_record *record = new_record(line);
    if (record == NULL) return false;
    record->line.time = mill_clock_wall();
    record->number = atomic_fetch_add_explicit(&log->next, 1, memory_order_relaxed);
    pthread_mutex_lock(&log->mutex);
    if (log->tap) log->tap(log->tap_context, record);
    pthread_mutex_unlock(&log->mutex);
    unref(record);
    return true;
}

/* ---- looking back ------------------------------------------------------------------------ */

static bool passes(const struct mill_log_filter *filter, const struct mill_log_line *line)
{
    if (line->level < filter->level) return false;
    if (filter->worker >= 0 && line->worker != filter->worker) return false;
    if (filter->task.bytes == NULL) return true;
    return line->task.bytes && line->task.size == filter->task.size &&
           memcmp(line->task.bytes, filter->task.bytes, filter->task.size) == 0;
}

static int by_number(const void *left, const void *right)
{
    const struct mill_log_record *a = *(struct mill_log_record *const *)left;
    const struct mill_log_record *b = *(struct mill_log_record *const *)right;
    if (a->line.time != b->line.time) return a->line.time < b->line.time ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

static size_t collect_lane(struct mill_log_lane *lane, const struct mill_log_filter *filter,
                           struct mill_log_record **out)
{
    size_t count = 0;
    pthread_mutex_lock(&lane->mutex);
    for (int i = 0; i < MILL_LOG_KEPT && lane->ring[i]; i++) {
        struct mill_log_record *record = lane->ring[i];
        if (!passes(filter, &record->line)) continue;
        atomic_fetch_add_explicit(&record->refs, 1, memory_order_relaxed);
        out[count++] = record;
    }
    pthread_mutex_unlock(&lane->mutex);
    return count;
}

bool mill_log_collect(struct mill_log *log, const struct mill_log_filter *filter,
                      struct mill_log_record ***records, size_t *count)
{
    struct mill_log_record **list = NULL;
    size_t used = 0;
    for (int i = 0; i < log->lane_count; i++) {
        struct mill_log_lane *lane = atomic_load_explicit(&log->lanes[i], memory_order_acquire);
        if (lane == NULL) continue;
        if (!mill_room_set(&list, used + MILL_LOG_KEPT, sizeof *list)) {
            mill_log_release(list, used);
            return false;
        }
        used += collect_lane(lane, filter, list + used);
    }
    if (used > 0) qsort(list, used, sizeof *list, by_number);
    size_t over = filter->limit > 0 && used > filter->limit ? used - filter->limit : 0;
    for (size_t i = 0; i < over; i++) unref(list[i]);
    if (over > 0) memmove(list, list + over, (used - over) * sizeof *list);
    *records = list;
    *count = used - over;
    return true;
}

void mill_log_release(struct mill_log_record **records, size_t count)
{
    for (size_t i = 0; i < count; i++) unref(records[i]);
    free(records);
}
