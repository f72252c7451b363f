/* options: what the command line asks for.
 * Strings belong to argv; mill_options_free frees only the two lists.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_OPTIONS_H
#define MILL_OPTIONS_H

#include "tidemill.h"

#include <stdbool.h>
#include <stdio.h>

enum mill_command {
    MILL_COMMAND_REPL,
    MILL_COMMAND_LIST,    /* the shipped scripts */
    MILL_COMMAND_FILE,    /* script is a path, "-" is stdin */
    MILL_COMMAND_SHIPPED, /* script is the name of a shipped script */
    MILL_COMMAND_STRING,  /* script is Lua text */
    MILL_COMMAND_DOCTOR,
    MILL_COMMAND_CONFIG, /* script: the path of one whose folder is looked into; or NULL */
    MILL_COMMAND_DIFF,   /* script and other: paths of two records */
    MILL_COMMAND_CACHE,
    MILL_COMMAND_CACHE_HELP,
    MILL_COMMAND_EXAMPLES, /* script: the name of one; or NULL */
    MILL_COMMAND_NEW,      /* script: the path of the file to write */
    MILL_COMMAND_VERSION,
    MILL_COMMAND_HELP,
    MILL_COMMAND_ABOUT /* script: the word that help is asked of */
};

enum mill_progress { MILL_PROGRESS_AUTO, MILL_PROGRESS_PLAIN, MILL_PROGRESS_OFF };

struct mill_setting {
    const char *name, *value;
};

struct mill_options {
    enum mill_command command;
    const char *script;
    tidemill_cache_request cache; /* without json, which is below */
    char **arguments;             /* of the script, without its name; ends with NULL */
    int argument_count;
    struct mill_setting *settings; /* in the order given; options that are settings too */
    int setting_count;
    const char *json;        /* NULL: not asked for */
    const char *record;      /* likewise */
    const char *other;       /* of MILL_COMMAND_DIFF */
    const char *copy;        /* of MILL_COMMAND_EXAMPLES: the folder to copy to; or NULL */
    const char *task;        /* that is to be explained; NULL: all */
    bool explain;            /* what came from the cache, and why the rest did not */
    bool dry;                /* the same, and no task runs */
    const char *trace, *log; /* of their options, which are settings too; or NULL */
    enum mill_progress progress;
    bool quiet, strict;
    char error[1024]; /* why mill_options_parse failed */
};

/* TIDEMILL_USAGE or TIDEMILL_MEMORY with the reason in options->error.  Cuts the arguments of
 * --set in place.  Free the options in either case. */
tidemill_status mill_options_parse(struct mill_options *options, int argc, char **argv);

void mill_options_free(struct mill_options *options);

void mill_options_help(FILE *out);

#endif
