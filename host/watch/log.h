/* log: lines that scripts and tasks leave for people: the last ones of each worker are kept, and
 * all of them may go to a file.
 * Any thread; lanes are told apart by worker, so that busy ones do not push out others' lines.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LOG_H
#define MILL_LOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "watch/output.h"

enum mill_log_level { MILL_LOG_DEBUG, MILL_LOG_INFO, MILL_LOG_WARN, MILL_LOG_ERROR };
enum { MILL_LOG_LEVELS = 4, MILL_LOG_KEPT = 1000 /* lines of a worker */ };

extern const char *const mill_log_level_names[MILL_LOG_LEVELS];

enum mill_log_format { MILL_LOG_AUTO, MILL_LOG_TEXT, MILL_LOG_JSON }; /* auto: by the name */

struct mill_log_text {
    const char *bytes; /* NULL: there is none */
    size_t size;
};

enum mill_log_kind { MILL_LOG_STRING, MILL_LOG_NUMBER, MILL_LOG_BOOL };

struct mill_log_field {
    struct mill_log_text name, text; /* text: of a string */
    double number;                   /* of a number; of a bool 0 or 1 */
    enum mill_log_kind kind;
};

struct mill_log_line {
    int64_t time; /* nanoseconds since 1970, UTC */
    enum mill_log_level level;
    int worker;  /* 0: the script */
    int attempt; /* of the task; 0: no task */
    struct mill_log_text text, task, key, run;
    const struct mill_log_field *fields; /* in the order they are shown in */
    int field_count;
};

/* A line that is kept: immutable, counted. */
struct mill_log_record {
    _Atomic int refs;
    uint64_t number; /* of lines of one time the one said first has the lower */
    struct mill_log_line line;
};

struct mill_log_lane;

struct mill_log {
    /* First, and a plain int32 in memory: LuaJIT's FFI reads it, before anything is built. */
    _Atomic int32_t level;
    struct mill_output *output;
    pthread_mutex_t mutex; /* guards making a lane, and what follows it here */
    int file;              /* -1: none, or the output's stderr */
    bool open, to_output, json, failed;
    char *path;
    struct mill_log_lane *_Atomic *lanes; /* made when first written to */
    int lane_count;
    _Atomic uint64_t next;
    void (*tap)(void *context, struct mill_log_record *record); /* told of each; NULL: nobody */
    void *tap_context;
};

/* For workers 1 to `workers`; false: no memory. `output` takes lines for the terminal, and the
 * warning that a line could not be written. */
bool mill_log_init(struct mill_log *log, int workers, struct mill_output *output);
void mill_log_fini(struct mill_log *log);

/* From now on lines go to a file too, appended; "-" is stderr. */
tidemill_status mill_log_open(struct mill_log *log, const char *path,
                              enum mill_log_format format, struct mill_error *error);

static inline bool mill_log_wants(struct mill_log *log, enum mill_log_level level)
{
    return (int32_t)level >= atomic_load_explicit(&log->level, memory_order_relaxed);
}

/* From now on `tap` is called with each line that is added, under the log's mutex. */
void mill_log_tap(struct mill_log *log,
                  void (*tap)(void *context, struct mill_log_record *record), void *context);

/* Keeps a copy of the line, and writes it.  Its time is filled in.  False: no memory. */
bool mill_log_add(struct mill_log *log, const struct mill_log_line *line);

/* Tells the tap of a line that is kept elsewhere.  False: no memory. */
bool mill_log_tell(struct mill_log *log, const struct mill_log_line *line);

struct mill_log_filter {
    enum mill_log_level level; /* this one and above */
    int worker;                /* -1: all */
    struct mill_log_text task; /* NULL: all */
    size_t limit;              /* the last ones; 0: all */
};

/* The kept lines that pass, in order of time; mill_log_release takes them back.  False: no
 * memory. */
bool mill_log_collect(struct mill_log *log, const struct mill_log_filter *filter,
                      struct mill_log_record ***records, size_t *count);
void mill_log_release(struct mill_log_record **records, size_t count);
void mill_log_retain(struct mill_log_record *record); /* another reference, for the same */

/* The fields as a JSON object, malloc'ed; NULL: no memory. */
char *mill_log_fields_json(const struct mill_log_line *line);

#endif
