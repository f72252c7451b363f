/* line: lines of an interactive session, or of a pipe.
 * With a terminal on both sides readline edits them, when the machine has it; its history is
 * $XDG_STATE_HOME/tidemill/history.  One value a process, because readline is.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LINE_H
#define MILL_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct mill_line;

enum mill_line_got {
    MILL_LINE_TEXT,
    MILL_LINE_END,
    MILL_LINE_WOKEN, /* the wake descriptor became readable; what was typed is dropped */
    MILL_LINE_FAILED /* errno has the reason */
};

/* `wake` is only polled.  NULL when memory is short. */
struct mill_line *mill_line_open(bool interactive, int wake);

/* How the last word of a text can go on: whole words, each in a line of its own; malloc'ed, the caller
 * frees it.  NULL or "": it cannot. */
typedef char *mill_completer(void *context, const char *before);

/* Tab asks `completer` from now on. */
void mill_line_complete(struct mill_line *line, mill_completer *completer, void *context);

/* The next line without its newline; *text belongs to the caller, who frees it. */
enum mill_line_got mill_line_read(struct mill_line *line, const char *prompt, char **text,
                                  size_t *length);

/* Adds to the history, of this session and of later ones. */
void mill_line_remember(struct mill_line *line, const char *text);

void mill_line_close(struct mill_line *line);

#endif
