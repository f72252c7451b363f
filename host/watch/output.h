/* output: the one place where text of tasks, warnings and the progress line meet a terminal.
 * Whole lines only; a line from anywhere goes above the progress line.  Any thread.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_OUTPUT_H
#define MILL_OUTPUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mill_output {
    pthread_mutex_t mutex;
    int progress; /* 0 none, 1 plain lines, 2 a live line */
    int notes;    /* 0 stdout, 1 stderr, 2 nowhere */
    bool live;    /* a progress line is on the screen; guarded by mutex */
    int64_t last; /* when progress was last shown, nanoseconds; the waiting thread's */
    int64_t began;
    /* Where all text goes instead: of kind 0 (stdout), 1 (a note), 2 (a warning).  NULL: nowhere else.
     * Not under the mutex. */
    bool (*divert)(void *context, int kind, const char *bytes, size_t size);
    void *divert_context;
    void (*warning)(void *context, const char *text);
    void *context;
    char **warned; /* texts of warnings given once; guarded by mutex */
    int warned_count;
};

void mill_output_init(struct mill_output *output);
void mill_output_fini(struct mill_output *output);

/* Writes bytes (whole lines) to stdout. False when stdout cannot take them (a closed pipe, a full
 * disk): errno says why. */
bool mill_output_write(struct mill_output *output, const char *bytes, size_t size);

/* A line of a script's own summary: stdout, stderr or nowhere. */
bool mill_output_note(struct mill_output *output, const char *bytes, size_t size);

/* Lines of the log for stderr, whatever `notes` says. */
void mill_output_log(struct mill_output *output, const char *bytes, size_t size);

/* A warning: one line, once for each text. */
void mill_output_warn(struct mill_output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Progress of the run that is waited for: called now and then, shows what is due. */
void mill_output_progress(struct mill_output *output, int64_t done, int64_t total, int64_t hits,
                          int64_t failed);
void mill_output_progress_end(struct mill_output *output); /* takes the line away */

#endif
