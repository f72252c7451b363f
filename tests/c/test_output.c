/* test_output: text of tasks, warnings and the progress line on one terminal.
 * stdout and stderr of the test are one file while it speaks, as they are one terminal.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watch/output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"

/* ---- what was written ------------------------------------------------------------------- */

static int said_fd, saved[2];
static char said[1 << 20];

static void redirect(int fd)
{
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        saved[i] = dup(1 + i);
        dup2(fd, 1 + i);
    }
}

static void restore(void)
{
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], 1 + i);
        close(saved[i]);
    }
}

static void listen(void)
{
    said_fd = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
    if (said_fd < 0) abort();
    redirect(said_fd);
}

/* What was said since listen. */
static const char *heard(void)
{
    restore();
    ssize_t size = pread(said_fd, said, sizeof said - 1, 0);
    said[size > 0 ? size : 0] = '\0';
    close(said_fd);
    return said;
}

/* As a terminal shows it: a carriage return goes back to the start of the line, ESC [ K erases
 * to its end. */
static const char *screen(const char *text)
{
    static char shown[1 << 16];
    size_t line = 0, at = 0, end = 0;
    for (; *text; text++) {
        if (*text == '\r') {
            at = line;
        } else if (strncmp(text, "\033[K", 3) == 0) {
            end = at;
            text += 2;
        } else {
            shown[at++] = *text;
            if (at > end || *text == '\n') end = at;
            if (*text == '\n') line = at;
        }
    }
    shown[end] = '\0';
    return shown;
}

static void say(struct mill_output *output, const char *text)
{
    CHECK(mill_output_write(output, text, strlen(text)));
}

/* As if it had begun long ago and were due. */
static void make_due(struct mill_output *output)
{
    output->began = output->last = mill_clock_now() - INT64_C(60000000000);
}

/* ---- lines and the live line ------------------------------------------------------------- */

static void lines_go_above_the_live_line(void)
{
    struct mill_output output;
    mill_output_init(&output);
    output.progress = 2;
    listen();
    make_due(&output);
    mill_output_progress(&output, 5, 10, 0, 0);
    say(&output, "one\n");
    make_due(&output);
    mill_output_progress(&output, 6, 10, 2, 1);
    mill_output_warn(&output, "careful");
    make_due(&output);
    mill_output_progress(&output, 7, 10, 0, 0);
    mill_output_note(&output, "two\n", 4);
    CHECK_TEXT(screen(heard()), "one\ntidemill: careful\ntwo\n");
    mill_output_fini(&output);
}

static void the_live_line_says_how_far_it_is(void)
{
    struct mill_output output;
    mill_output_init(&output);
    output.progress = 2;
    listen();
    make_due(&output);
    mill_output_progress(&output, 5, 10, 3, 1);
    const char *shown = screen(heard());
    CHECK_SAYING(strstr(shown, "5/10 tasks, 3 from the cache, 1 failed, 60."), "%s", shown);
    CHECK(strstr(shown, "[############............]") && strchr(shown, '\n') == NULL);
    mill_output_fini(&output);
}

static void the_live_line_goes_away(void)
{
    struct mill_output output;
    mill_output_init(&output);
    output.progress = 2;
    listen();
    make_due(&output);
    mill_output_progress(&output, 10, 10, 0, 0);
    mill_output_progress_end(&output);
    mill_output_progress_end(&output);
    CHECK_TEXT(screen(heard()), "");
    CHECK(output.began == 0);
    mill_output_fini(&output);
}

static void odd_numbers_stay_inside_the_bar(void)
{
    static const int64_t numbers[][2] = {{0, 0}, {7, 0}, {12, 10}, {0, 10}, {90, 1}};
    for (int i = 0; i < 5; i++) {
        struct mill_output output;
        mill_output_init(&output);
        output.progress = 2;
        listen();
        make_due(&output);
        mill_output_progress(&output, numbers[i][0], numbers[i][1], 0, 0);
        const char *shown = screen(heard());
        CHECK_SAYING(shown[0] == '[' && shown[25] == ']', "%s", shown);
        mill_output_fini(&output);
    }
}

static void progress_is_shown_only_when_it_is_due_and_asked_for(void)
{
    for (int progress = 0; progress < 3; progress++) {
        struct mill_output output;
        mill_output_init(&output);
        output.progress = progress;
        listen();
        mill_output_progress(&output, 1, 2, 0, 0); /* begins now */
        mill_output_progress(&output, 1, 2, 0, 0);
        if (progress == 0) make_due(&output);
        if (progress == 0) mill_output_progress(&output, 1, 2, 0, 0);
        CHECK_TEXT(heard(), "");
        mill_output_fini(&output);
    }
}

static void without_a_terminal_progress_is_plain_lines(void)
{
    struct mill_output output;
    mill_output_init(&output);
    output.progress = 1;
    listen();
    make_due(&output);
    mill_output_progress(&output, 1, 2, 0, 0);
    mill_output_progress(&output, 2, 2, 0, 0); /* not due again */
    say(&output, "result\n");
    mill_output_progress_end(&output);
    const char *text = heard();
    CHECK_SAYING(strstr(text, "1 of 2 tasks, 60 s\n") && !strstr(text, "2 of 2"), "%s", text);
    CHECK(strchr(text, '\r') == NULL && strchr(text, '\033') == NULL);
    mill_output_fini(&output);
}

/* ---- warnings ------------------------------------------------------------------------------ */

static void a_warning_is_given_once_for_each_text(void)
{
    struct mill_output output;
    mill_output_init(&output);
    listen();
    for (int i = 0; i < 3; i++) {
        mill_output_warn(&output, "task %d", 1);
        mill_output_warn(&output, "task %d", 2);
    }
    CHECK_TEXT(heard(), "tidemill: task 1\ntidemill: task 2\n");
    mill_output_fini(&output);
}

static void very_many_and_very_long_warnings_are_given(void)
{
    struct mill_output output;
    char text[5000];
    mill_output_init(&output);
    listen();
    for (int i = 0; i < 400; i++) mill_output_warn(&output, "warning number %d", i);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    mill_output_warn(&output, "%s", text);
    const char *all = heard();
    int lines = 0;
    for (const char *at = all; *at; at++) lines += *at == '\n';
    CHECK_SAYING(lines == 401, "%d lines", lines);
    CHECK(strstr(all, "number 399\n") != NULL);
    mill_output_fini(&output);
}

struct listener {
    int count;
    char last[100];
};

static void listener_hears(void *context, const char *text)
{
    struct listener *listener = context;
    listener->count++;
    snprintf(listener->last, sizeof listener->last, "%s", text);
}

static void a_host_may_take_the_warnings(void)
{
    struct mill_output output;
    struct listener listener = {0};
    mill_output_init(&output);
    output.warning = listener_hears;
    output.context = &listener;
    listen();
    mill_output_warn(&output, "a %s", "b");
    mill_output_warn(&output, "a %s", "b");
    CHECK_TEXT(heard(), "");
    CHECK(listener.count == 1);
    CHECK_TEXT(listener.last, "a b");
    mill_output_fini(&output);
}

/* ---- notes, closed pipes, threads ------------------------------------------------------------ */

static void notes_go_where_they_are_sent(void)
{
    for (int notes = 0; notes < 3; notes++) {
        struct mill_output output;
        int ends[2];
        char text[20] = "";
        mill_output_init(&output);
        output.notes = notes;
        if (pipe(ends) != 0) abort();
        fflush(stdout);
        fflush(stderr);
        int fd = 2 - (notes == 0),
            before = dup(fd); /* the pipe takes the stream that is meant */
        dup2(ends[1], fd);
        close(ends[1]);
        CHECK(mill_output_note(&output, "note\n", 5));
        fflush(stdout);
        fflush(stderr);
        dup2(before, fd);
        close(before);
        CHECK(read(ends[0], text, sizeof text - 1) == (notes == 2 ? 0 : 5));
        CHECK_TEXT(text, notes == 2 ? "" : "note\n");
        close(ends[0]);
        mill_output_fini(&output);
    }
}

static void a_stream_that_takes_nothing_is_reported(void)
{
    struct mill_output output;
    mill_output_init(&output);
    output.progress = 2; /* each line is flushed */
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) SKIP("no /dev/full");
    redirect(full);
    errno = 0;
    bool fine = mill_output_write(&output, "text\n", 5);
    int reason = errno;
    restore();
    clearerr(stdout);
    close(full);
    CHECK(!fine && reason == ENOSPC);
    mill_output_fini(&output);
}

enum { THREADS = 4, LINES = 500 };

static void *write_lines(void *argument)
{
    struct mill_output *output = argument;
    for (int i = 0; i < LINES; i++) {
        mill_output_write(output, "a line of one thread\n", 21);
        if (i % 50 == 0) mill_output_warn(output, "warning %d", i);
    }
    return NULL;
}

static void lines_of_many_threads_stay_whole(void)
{
    struct mill_output output;
    pthread_t threads[THREADS];
    mill_output_init(&output);
    output.progress = 2;
    listen();
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, write_lines, &output);
    for (int i = 0; i < 200; i++) {
        make_due(&output);
        mill_output_progress(&output, i, 200, 0, 0);
    }
    mill_output_progress_end(&output);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    int lines = 0, warnings = 0, others = 0;
    char *rest = (char *)screen(heard());
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        bool plain = strcmp(line, "a line of one thread") == 0;
        bool warning = strncmp(line, "tidemill: warning ", 18) == 0;
        lines += plain;
        warnings += warning;
        others += !plain && !warning && *line;
    }
    CHECK_SAYING(lines == THREADS * LINES && warnings == LINES / 50 && others == 0,
                 "%d lines, %d warnings, %d others", lines, warnings, others);
    mill_output_fini(&output);
}

int main(void)
{
    RUN(lines_go_above_the_live_line);
    RUN(the_live_line_says_how_far_it_is);
    RUN(the_live_line_goes_away);
    RUN(odd_numbers_stay_inside_the_bar);
    RUN(progress_is_shown_only_when_it_is_due_and_asked_for);
    RUN(without_a_terminal_progress_is_plain_lines);
    RUN(a_warning_is_given_once_for_each_text);
    RUN(very_many_and_very_long_warnings_are_given);
    RUN(a_host_may_take_the_warnings);
    RUN(notes_go_where_they_are_sent);
    RUN(a_stream_that_takes_nothing_is_reported);
    RUN(lines_of_many_threads_stay_whole);
    return check_end();
}
