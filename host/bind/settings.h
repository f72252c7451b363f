/* settings: what can be set, by whom, until when.
 * Rows of one table in setting_rows.c, which the command line, the environment, files, tm.config and
 * `tidemill config` all read.  A value holds against those of sources below its own; of one
 * source the later holds, but of files the earlier.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SETTINGS_H
#define MILL_SETTINGS_H

#include <pthread.h>
#include <stdbool.h>

#include "base/status.h"

enum mill_setting_source { /* the stronger, the later */
                           MILL_FROM_DEFAULT,
                           MILL_FROM_FILE,
                           MILL_FROM_SCRIPT,
                           MILL_FROM_ENVIRONMENT,
                           MILL_FROM_COMMAND, /* also the host program */
};

enum mill_setting_kind {
    MILL_SETTING_NUMBER,
    MILL_SETTING_TEXT,
    MILL_SETTING_PAIRS, /* "a=1,b=2", or a word */
};

enum { MILL_SETTING_COUNT = 26 };

struct mill_adaptive_setting { /* value of `adaptive` */
    bool enabled;
    int minimum, maximum; /* workers */
    int64_t interval_ns;
};

struct mill_limit { /* one of `resources` */
    char *name;
    double most; /* that may be in use at once */
};

struct mill_settings {
    pthread_mutex_t mutex; /* guards the rest, and the values, while workers may read them */
    struct {
        enum mill_setting_source source;
        char *where; /* "PATH:LINE", a variable's name; or NULL */
    } rows[MILL_SETTING_COUNT];
    char *file; /* --config */
    bool files_read;
};

struct tidemill;

void mill_settings_init(struct tidemill *engine); /* every setting has its default */
void mill_settings_fini(struct tidemill *engine);

/* Sets by name, with a text as people write it.  A right value that a stronger source has set
 * already is left alone.  `where` tells a file's line or a variable, or is NULL. */
tidemill_status mill_settings_set(struct tidemill *engine, const char *name, const char *value,
                                  enum mill_setting_source source, const char *where,
                                  struct mill_error *error);

/* Reads TIDEMILL_*.  Wrong values are errors, unknown names warnings. */
tidemill_status mill_settings_environment(struct tidemill *engine, struct mill_error *error);

/* Reads tidemill.conf wherever it is, once; `script` (or NULL) is the path of the script, whose
 * folder may have one. */
tidemill_status mill_settings_files(struct tidemill *engine, const char *script,
                                    struct mill_error *error);

/* What the table says, for who reads settings. */
const char *mill_settings_name(int number);
bool mill_settings_is_path(int number);
const char *mill_settings_nearest(const char *name);                  /* NULL: none is near */
void mill_settings_unknown(const char *name, char *out, size_t room); /* what to tell of it */

/* A setting as it is now. */
struct mill_setting_view {
    const char *name;
    enum mill_setting_kind kind;
    char *value;  /* malloc'ed */
    char *source; /* "default", "file PATH:LINE", ..; malloc'ed */
};

/* The setting of a number from 0, in order of name; false: no memory. */
bool mill_settings_view(struct tidemill *engine, int number, struct mill_setting_view *view);
void mill_settings_view_free(struct mill_setting_view *view);

/* All of them as a JSON object; malloc'ed; NULL: no memory. */
char *mill_settings_json(struct tidemill *engine);

int mill_settings_find(const char *name); /* its number; -1: there is none */

/* The same of a variable's name in small letters, which has "_" for a point. */
int mill_settings_find_variable(const char *name);

/* Where the value of a setting comes from. */
enum mill_setting_source mill_settings_source(struct tidemill *engine, const char *name);

#endif
