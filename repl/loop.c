/* loop: a session: lines in, tidemill_eval, values and errors out.
 * The text of an input grows line by line until the engine finds it complete.
 * SPDX-License-Identifier: MIT */
#include "loop.h"

#include "line.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char prompt_first[] = "tm> ", prompt_more[] = "..> ";

struct session {
    tidemill *engine;
    struct mill_signals *signals;
    struct mill_line *line;
    bool interactive;
    bool failed;       /* an input failed */
    bool over;         /* leave with `status` */
    int status;        /* exit status */
    double pressed;    /* monotonic seconds of the last Ctrl-C at the prompt; 0: none yet */
    size_t lines;      /* read so far */
    size_t first_line; /* of the input; 0: none begun */
    char *text;        /* the input so far */
    size_t used, capacity;
};

static void complain(const struct session *session, const char *text)
{
    fflush(stdout);
    fprintf(stderr, "%s%s\n", session->interactive ? "" : "tidemill: ", text);
}

static void end(struct session *session, int status)
{
    session->over = true;
    session->status = status;
}

/* ---- The input ---- */

static bool begun(const struct session *session)
{
    return session->first_line != 0;
}

static void forget_input(struct session *session)
{
    session->used = 0;
    session->first_line = 0;
}

static bool append(struct session *session, const char *text, size_t length)
{
    if (session->capacity - session->used <= length) {
        size_t capacity = (session->used + length + 1) * 2;
        char *grown = realloc(session->text, capacity);
        if (grown == NULL) return false;
        session->text = grown;
        session->capacity = capacity;
    }
    memcpy(session->text + session->used, text, length);
    session->used += length;
    session->text[session->used] = '\0';
    return true;
}

/* Adds the line just read.  In front of the input of a pipe stand as many empty lines as it
 * has lines before, so that errors name the line of the whole text. */
static bool append_line(struct session *session, const char *line, size_t length)
{
    if (begun(session)) return append(session, "\n", 1) && append(session, line, length);
    session->first_line = session->lines;
    for (size_t i = 1; i < session->lines && !session->interactive; i++)
        if (!append(session, "\n", 1)) return false;
    return append(session, line, length);
}

/* ---- Evaluating ---- */

static void fail(struct session *session, const char *text)
{
    session->failed = true;
    forget_input(session);
    complain(session, text);
}

/* What a signal means once the work that it met is over. */
static void obey(struct session *session, int signal)
{
    if (signal == 0) return;
    if (signal != SIGINT || !session->interactive) end(session, 128 + signal);
    forget_input(session);
}

static bool is_quit(const struct session *session)
{
    return session->text[strspn(session->text, " \t\r\n")] == ':';
}

/* os.exit has a status of its own; :quit is the end of the input. */
static void leave_session(struct session *session)
{
    if (is_quit(session))
        end(session, session->failed && !session->interactive);
    else
        end(session, tidemill_exit_status(session->engine) & 0xFF);
}

static void evaluate(struct session *session)
{
    mill_signals_work(session->signals);
    tidemill_status status = tidemill_eval(session->engine, session->text);
    int signal = mill_signals_rest(session->signals);
    switch (status) {
    case TIDEMILL_INCOMPLETE:
        break;
    case TIDEMILL_OK:
        forget_input(session);
        break;
    case TIDEMILL_EXIT:
        leave_session(session);
        return;
    case TIDEMILL_CANCELLED:
        // The terminal has just shown "^C".
        if (session->interactive) complain(session, "\ninterrupted");
        forget_input(session);
        break;
    default:
        fail(session, tidemill_error(session->engine));
        break;
    }
    obey(session, signal);
}

/* ---- Lines ---- */

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n")] == '\0';
}

static void take_line(struct session *session, char *line, size_t length)
{
    char text[64];
    session->lines++;
    if (strlen(line) != length) {
        snprintf(text, sizeof text, "stdin:%zu: a zero byte; expected text", session->lines);
        fail(session, text);
        return;
    }
    if (!begun(session) && is_blank(line)) return;
    mill_line_remember(session->line, line);
    if (append_line(session, line, length)) {
        evaluate(session);
    } else {
        fail(session, "out of memory (input)");
    }
}

/* What was pasted into a terminal comes as one text of many lines. */
static void take_text(struct session *session, char *text, size_t length)
{
    char *end = text + length;
    while (session->interactive && !session->over) {
        char *newline = memchr(text, '\n', (size_t)(end - text));
        if (newline == NULL) break;
        *newline = '\0';
        take_line(session, text, (size_t)(newline - text));
        text = newline + 1;
    }
    if (!session->over) take_line(session, text, (size_t)(end - text));
}

static void take_end(struct session *session)
{
    if (begun(session)) {
        char text[128];
        snprintf(text, sizeof text,
                 "stdin:%zu: the input ends inside what begins here; expected the rest of it",
                 session->first_line);
        fail(session, text);
    }
    end(session, session->failed && !session->interactive);
}

static void fail_reading(struct session *session, int number)
{
    char text[128];
    snprintf(text, sizeof text, "stdin: %s", strerror(number));
    fail(session, text);
    end(session, 1);
}

/* Two presses of Ctrl-C at the prompt within a second: somebody wants to leave. */
static void hint_at_quit(struct session *session)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    double now = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    bool again = session->pressed > 0 && now - session->pressed < 1;
    session->pressed = now;
    if (again && !session->over) complain(session, "(:quit or Ctrl-D leaves)");
}

static void step(struct session *session)
{
    char *text = NULL;
    size_t length = 0;
    const char *prompt = begun(session) ? prompt_more : prompt_first;
    switch (mill_line_read(session->line, prompt, &text, &length)) {
    case MILL_LINE_TEXT:
        take_text(session, text, length);
        free(text);
        break;
    case MILL_LINE_END:
        take_end(session);
        break;
    case MILL_LINE_WOKEN:
        obey(session, mill_signals_rest(session->signals));
        hint_at_quit(session);
        break;
    case MILL_LINE_FAILED:
        fail_reading(session, errno);
        break;
    }
}

/* ---- Completion ---- */

/* As mill_completer. */
static char *complete(void *context, const char *before)
{
    struct session *session = context;
    size_t length = strlen(before);
    char *text = malloc(session->used + length + 2), *words = NULL;
    if (text == NULL) return NULL;
    memcpy(text, session->text != NULL ? session->text : "", session->used);
    if (begun(session)) text[session->used] = '\n';
    memcpy(text + session->used + begun(session), before, length + 1);
    if (tidemill_complete(session->engine, text, &words) != TIDEMILL_OK) words = NULL;
    free(text);
    return words;
}

/* ---- The banner ---- */

/* Not all of tidemill_doctor, which opens libraries. */
static void print_banner(tidemill *engine)
{
    char workers[128], cache[512];
    bool known = tidemill_finding(engine, "workers", workers, sizeof workers) == TIDEMILL_OK;
    if (tidemill_finding(engine, "cache", cache, sizeof cache) != TIDEMILL_OK)
        snprintf(cache, sizeof cache, "see tidemill doctor");
    printf("Tidemill %s%s%s\ncache: %s\n:help says how, :quit or Ctrl-D leaves\n",
           tidemill_version(), known ? ", workers: " : "", known ? workers : "", cache);
}

int mill_loop_run(tidemill *engine, struct mill_signals *signals, bool interactive)
{
    struct session session = {.engine = engine, .signals = signals, .interactive = interactive};
    session.line = mill_line_open(interactive, mill_signals_wake(signals));
    if (session.line == NULL) {
        complain(&session, "out of memory (input)");
        return 1;
    }
    mill_line_complete(session.line, complete, &session);
    if (interactive) print_banner(engine);
    obey(&session, mill_signals_rest(signals));
    while (!session.over) step(&session);
    mill_line_close(session.line);
    free(session.text);
    return session.status;
}
