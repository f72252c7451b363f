/* line: lines of an interactive session, or of a pipe.
 * readline is found at run time, so that the binary starts without it and carries no licence
 * but its own; its declarations come from its headers.  SPDX-License-Identifier: MIT */
#include "line.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/readline.h>

#include <readline/history.h>

enum { HISTORY_LINES = 1000, CHUNK = 1 << 16 };

/* The parts of readline in use: X(name). */
#define READLINE_PARTS(X)                                                                      \
    X(rl_readline_name)                                                                        \
    X(rl_attempted_completion_function)                                                        \
    X(rl_attempted_completion_over)                                                            \
    X(rl_basic_word_break_characters)                                                          \
    X(rl_completer_quote_characters)                                                           \
    X(rl_completion_append_character)                                                          \
    X(rl_completion_matches)                                                                   \
    X(rl_basic_quote_characters)                                                               \
    X(rl_line_buffer)                                                                          \
    X(rl_persistent_signal_handlers)                                                           \
    X(rl_callback_handler_install)                                                             \
    X(rl_callback_handler_remove)                                                              \
    X(rl_callback_read_char)                                                                   \
    X(rl_callback_sigcleanup)                                                                  \
    X(rl_free_line_state)                                                                      \
    X(rl_check_signals)                                                                        \
    X(using_history)                                                                           \
    X(stifle_history)                                                                          \
    X(read_history)                                                                            \
    X(add_history)                                                                             \
    X(append_history)                                                                          \
    X(history_truncate_file)

struct readline {
    void *library; /* NULL: not in use */
#define X(name) __typeof__(name) *name;
    READLINE_PARTS(X)
#undef X
};

struct mill_line {
    bool interactive;
    int wake;

    struct readline readline;
    char *history; /* path of its file; NULL: none */
    char *last;    /* remembered last; NULL: none yet */
    bool accepted; /* the handler was called with `typed` */
    char *typed;   /* malloc'ed by readline; NULL at the end of input */

    mill_completer *completer; /* NULL: none */
    void *context;             /* its own */
    char *words, *next;        /* what it has found, while readline takes it over */

    // Without readline: what was read from stdin and not yet handed out.
    char *data;
    size_t start, used, capacity;
    bool ended;
};

/* The value that readline's handler fills: a handler gets no context of its own. */
static struct mill_line *reading;

/* ---- Files of the history ---- */

/* "FIRST/SECOND", malloc'ed; NULL without memory. */
static char *join(const char *first, const char *second)
{
    size_t size = strlen(first) + strlen(second) + 2;
    char *path = malloc(size);
    if (path != NULL) snprintf(path, size, "%s/%s", first, second);
    return path;
}

/* Makes every folder on the way to the file; those that it makes are the user's alone. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool good = mkdir(path, 0700) == 0 || errno == EEXIST;
        *slash = '/';
        if (!good) return false;
    }
    return true;
}

/* The path of the history; NULL when there is no place for one.  XDG says to ignore a path
 * that is not absolute. */
static char *find_history(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state != NULL && state[0] == '/') return join(state, "tidemill/history");
    if (home != NULL && home[0] == '/') return join(home, ".local/state/tidemill/history");
    return NULL;
}

/* append_history needs the file to be there. */
static bool create_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return file >= 0 && close(file) == 0;
}

/* A session without a history is better than none: failures only leave it out. */
static void open_history(struct mill_line *line)
{
    struct readline *readline = &line->readline;
    readline->using_history();
    readline->stifle_history(HISTORY_LINES);
    line->history = find_history();
    if (line->history != NULL && make_folders(line->history) && create_file(line->history)) {
        readline->read_history(line->history);
        readline->history_truncate_file(line->history, HISTORY_LINES);
        return;
    }
    free(line->history);
    line->history = NULL;
}

/* ---- readline ---- */

static bool find_parts(struct readline *readline)
{
#define X(part)                                                                                \
    readline->part = (__typeof__(readline->part))dlsym(readline->library, #part);              \
    if (readline->part == NULL) return false;
    READLINE_PARTS(X)
#undef X
    return true;
}

/* ---- Completion ---- */

/* One word after another of `reading->words`; readline frees them. */
static char *next_word(const char *text, int state)
{
    (void)text;
    if (state == 0) reading->next = reading->words;
    if (reading->next == NULL || *reading->next == '\0') return NULL;
    size_t length = strcspn(reading->next, "\n");
    char *word = strndup(reading->next, length);
    reading->next += length + (reading->next[length] == '\n');
    return word;
}

/* Words in place of what stands from `start` to `end`, where the cursor is.  The completer breaks
 * words at the same bytes. */
static char **find_words(const char *text, int start, int end)
{
    struct readline *readline = &reading->readline;
    (void)start;
    *readline->rl_attempted_completion_over = 1; // names of files are words like others
    *readline->rl_completion_append_character = '\0';
    if (reading->completer == NULL) return NULL;
    char *before = strndup(*readline->rl_line_buffer, (size_t)end);
    if (before == NULL) return NULL;
    reading->words = reading->completer(reading->context, before);
    char **found = readline->rl_completion_matches(text, next_word);
    free(before);
    free(reading->words);
    reading->words = NULL;
    return found;
}

static void open_readline(struct mill_line *line)
{
    struct readline *readline = &line->readline;
    readline->library = dlopen("libreadline.so.8", RTLD_NOW | RTLD_LOCAL);
    if (readline->library == NULL)
        readline->library = dlopen("libreadline.so", RTLD_NOW | RTLD_LOCAL);
    if (readline->library == NULL) return;
    if (!find_parts(readline)) {
        dlclose(readline->library);
        readline->library = NULL;
        return;
    }
    *readline->rl_readline_name = "tidemill";
    *readline->rl_attempted_completion_function = find_words;
    *readline->rl_basic_word_break_characters = " \t\n\"'`@$><=;|&{}()[]+*%^#,";
    // A string is no word to readline, which would close it; the completer sees to strings.
    *readline->rl_basic_quote_characters = "";
    *readline->rl_completer_quote_characters = "";
    // Its handlers must stand while this file polls, so that a suspended terminal is put in
    // order first.  They pass every signal on to the handlers that were there before.
    *readline->rl_persistent_signal_handlers = 1;
    open_history(line);
}

enum ready { READY_INPUT, READY_WOKEN, READY_SIGNAL, READY_FAILED };

static enum ready wait_input(const struct mill_line *line)
{
    struct pollfd files[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = line->wake, .events = POLLIN}};
    if (poll(files, 2, -1) < 0) return errno == EINTR ? READY_SIGNAL : READY_FAILED;
    return files[1].revents != 0 ? READY_WOKEN : READY_INPUT;
}

/* Removing the handler gives the terminal back in the state in which a script expects it. */
static void accept_typed(char *typed)
{
    reading->typed = typed;
    reading->accepted = true;
    reading->readline.rl_callback_handler_remove();
}

static void drop_typed(struct readline *readline)
{
    readline->rl_callback_sigcleanup();
    readline->rl_free_line_state();
    readline->rl_callback_handler_remove();
}

static enum mill_line_got read_edited(struct mill_line *line, const char *prompt, char **text,
                                      size_t *length)
{
    struct readline *readline = &line->readline;
    reading = line;
    line->accepted = false;
    readline->rl_callback_handler_install(prompt, accept_typed);
    while (!line->accepted) {
        switch (wait_input(line)) {
        case READY_INPUT:
            readline->rl_callback_read_char();
            break;
        case READY_SIGNAL:
            readline->rl_check_signals();
            break;
        case READY_WOKEN:
            drop_typed(readline);
            return MILL_LINE_WOKEN;
        case READY_FAILED:
            readline->rl_callback_handler_remove();
            return MILL_LINE_FAILED;
        }
    }
    if (line->typed == NULL) return MILL_LINE_END;
    *text = line->typed;
    *length = strlen(line->typed);
    return MILL_LINE_TEXT;
}

/* ---- Plain input ---- */

/* Room for a chunk behind what is there. */
static bool make_room(struct mill_line *line)
{
    if (line->start > 0) {
        memmove(line->data, line->data + line->start, line->used - line->start);
        line->used -= line->start;
        line->start = 0;
    }
    if (line->capacity - line->used >= CHUNK) return true;
    size_t capacity = line->capacity * 2 + CHUNK;
    char *data = realloc(line->data, capacity);
    if (data == NULL) return false;
    line->data = data;
    line->capacity = capacity;
    return true;
}

static bool read_chunk(struct mill_line *line)
{
    if (!make_room(line)) return false;
    ssize_t count = read(STDIN_FILENO, line->data + line->used, CHUNK);
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    line->used += (size_t)count;
    line->ended = count == 0;
    return true;
}

/* Hands out the bytes up to `end`, which is a newline or the end of the data. */
static enum mill_line_got hand_out(struct mill_line *line, size_t end, char **text,
                                   size_t *length)
{
    *length = end - line->start;
    *text = malloc(*length + 1);
    if (*text == NULL) return MILL_LINE_FAILED;
    memcpy(*text, line->data + line->start, *length);
    (*text)[*length] = '\0';
    line->start = end < line->used ? end + 1 : end;
    return MILL_LINE_TEXT;
}

static enum mill_line_got read_plain(struct mill_line *line, char **text, size_t *length)
{
    size_t seen = 0; // bytes from the start that hold no newline
    for (;;) {
        char *from = line->data + line->start + seen, *newline = NULL;
        size_t left = line->used - line->start - seen;
        if (left > 0) newline = memchr(from, '\n', left);
        if (newline != NULL)
            return hand_out(line, (size_t)(newline - line->data), text, length);
        seen += left;
        if (line->ended && seen > 0) return hand_out(line, line->used, text, length);
        if (line->ended) return MILL_LINE_END;
        enum ready ready = wait_input(line);
        if (ready == READY_WOKEN) return MILL_LINE_WOKEN;
        if (ready == READY_FAILED) return MILL_LINE_FAILED;
        if (ready == READY_INPUT && !read_chunk(line)) return MILL_LINE_FAILED;
    }
}

/* ---- What the loop calls ---- */

struct mill_line *mill_line_open(bool interactive, int wake)
{
    struct mill_line *line = calloc(1, sizeof *line);
    if (line == NULL) return NULL;
    line->interactive = interactive;
    line->wake = wake;
    if (interactive && isatty(STDOUT_FILENO)) open_readline(line);
    return line;
}

enum mill_line_got mill_line_read(struct mill_line *line, const char *prompt, char **text,
                                  size_t *length)
{
    bool edited = line->readline.library != NULL;
    fflush(stdout);
    if (line->interactive && !edited) fputs(prompt, stderr);
    enum mill_line_got got =
        edited ? read_edited(line, prompt, text, length) : read_plain(line, text, length);
    // Neither Ctrl-D nor Ctrl-C moves the cursor to a new line.
    if (line->interactive && (got == MILL_LINE_END || got == MILL_LINE_WOKEN))
        fputs("\n", edited ? stdout : stderr);
    return got;
}

void mill_line_complete(struct mill_line *line, mill_completer *completer, void *context)
{
    line->completer = completer;
    line->context = context;
}

void mill_line_remember(struct mill_line *line, const char *text)
{
    if (line->readline.library == NULL) return;
    if (line->last != NULL && strcmp(line->last, text) == 0) return;
    free(line->last);
    line->last = strdup(text);
    line->readline.add_history(text);
    // At once: the process may leave by a signal, and other sessions append to the same file.
    if (line->history != NULL) line->readline.append_history(1, line->history);
}

void mill_line_close(struct mill_line *line)
{
    if (line == NULL) return;
    // readline stays loaded: its history and key maps live until the process ends.
    free(line->history);
    free(line->last);
    free(line->data);
    free(line);
}
