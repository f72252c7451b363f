/* output: the one place where text of tasks, warnings and the progress line meet a terminal.
 * SPDX-License-Identifier: MIT */
#include "watch/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/room.h"

enum { MAX_WARNED = 256 };
static const int64_t FIRST_AFTER = 300 * 1000000LL, EVERY = 100 * 1000000LL,
                     EVERY_PLAIN = 2000 * 1000000LL;

void mill_output_init(struct mill_output *output)
{
    memset(output, 0, sizeof *output);
    pthread_mutex_init(&output->mutex, NULL);
}

void mill_output_fini(struct mill_output *output)
{
    for (int i = 0; i < output->warned_count; i++) free(output->warned[i]);
    free(output->warned);
    pthread_mutex_destroy(&output->mutex);
}

static void clear_line(struct mill_output *output)
{
    if (!output->live) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    output->live = false;
}

bool mill_output_write(struct mill_output *output, const char *bytes, size_t size)
{
    if (output->divert) return output->divert(output->divert_context, 0, bytes, size);
    pthread_mutex_lock(&output->mutex);
    clear_line(output);
    bool fine = fwrite(bytes, 1, size, stdout) == size;
    if (output->progress == 2) fine = fflush(stdout) == 0 && fine;
    pthread_mutex_unlock(&output->mutex);
    return fine;
}

bool mill_output_note(struct mill_output *output, const char *bytes, size_t size)
{
    if (output->divert) return output->divert(output->divert_context, 1, bytes, size);
    if (output->notes == 0) return mill_output_write(output, bytes, size);
    if (output->notes == 1) mill_output_log(output, bytes, size);
    return true;
}

void mill_output_log(struct mill_output *output, const char *bytes, size_t size)
{
    pthread_mutex_lock(&output->mutex);
    clear_line(output);
    fwrite(bytes, 1, size, stderr);
    pthread_mutex_unlock(&output->mutex);
}

/* Under the mutex. Remembers `text`; false when it was given before. */
static bool is_new(struct mill_output *output, const char *text)
{
    for (int i = 0; i < output->warned_count; i++) {
        if (strcmp(output->warned[i], text) == 0) return false;
    }
    if (output->warned_count == MAX_WARNED) return true;
    size_t count = (size_t)output->warned_count + 1;
    if (!mill_room_set(&output->warned, count, sizeof *output->warned)) return true;
    output->warned[count - 1] = strdup(text);
    if (output->warned[count - 1]) output->warned_count++;
    return true;
}

void mill_output_warn(struct mill_output *output, const char *format, ...)
{
    char text[1200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (output->divert) {
        output->divert(output->divert_context, 2, text, strlen(text));
        return;
    }
    pthread_mutex_lock(&output->mutex);
    if (is_new(output, text)) {
        clear_line(output);
        if (output->warning) {
            output->warning(output->context, text);
        } else {
            fprintf(stderr, "tidemill: %s\n", text);
        }
    }
    pthread_mutex_unlock(&output->mutex);
}

static void show_live(int64_t done, int64_t total, int64_t hits, int64_t failed, double seconds)
{
    enum { WIDTH = 24 };
    char bar[WIDTH + 1];
    int filled = done < total ? (int)(done * WIDTH / total) : WIDTH;
    memset(bar, '.', WIDTH);
    memset(bar, '#', (size_t)(filled < WIDTH ? filled : WIDTH));
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %lld/%lld tasks", bar, (long long)done, (long long)total);
    if (hits > 0) fprintf(stderr, ", %lld from the cache", (long long)hits);
    if (failed > 0) fprintf(stderr, ", %lld failed", (long long)failed);
    fprintf(stderr, ", %.1f s", seconds);
    fflush(stderr);
}

void mill_output_progress(struct mill_output *output, int64_t done, int64_t total, int64_t hits,
                          int64_t failed)
{
    if (output->progress == 0) return;
    int64_t now = mill_clock_now();
    if (output->began == 0) output->began = output->last = now;
    int64_t every = output->progress == 2 ? EVERY : EVERY_PLAIN;
    if (now - output->began < FIRST_AFTER || now - output->last < every) return;
    output->last = now;
    double seconds = (double)(now - output->began) / 1e9;
    pthread_mutex_lock(&output->mutex);
    if (output->progress == 2) {
        show_live(done, total, hits, failed, seconds);
        output->live = true;
    } else {
        fprintf(stderr, "%lld of %lld tasks, %.0f s\n", (long long)done, (long long)total,
                seconds);
    }
    pthread_mutex_unlock(&output->mutex);
}

void mill_output_progress_end(struct mill_output *output)
{
    pthread_mutex_lock(&output->mutex);
    clear_line(output);
    output->began = 0;
    pthread_mutex_unlock(&output->mutex);
}
