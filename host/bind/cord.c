/* cord: the second socket to the process of a script.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/cord.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bind/hearing.h"
#include "bind/logline.h"
#include "sched/pool.h"

enum { WARNING_MOST = 1000 };

/* ---- beginning and ending --------------------------------------------------------------- */

static int copy_descriptor(int descriptor)
{
    return descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
}

struct mill_cord *mill_cord_new(struct mill_child *child, uint64_t most, int *theirs,
                                struct mill_error *error)
{
    int sockets[2];
    struct mill_cord *cord = calloc(1, sizeof *cord);
    *theirs = -1;
    if (cord == NULL) {
        mill_no_memory(error, "a script's process");
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        mill_fail(error, TIDEMILL_IO, "cannot talk to the script's process: %s",
                  strerror(errno));
        free(cord);
        return NULL;
    }
    mill_child_memory(child); /* opens its status */
    cord->socket = sockets[0];
    cord->process = copy_descriptor(child->process);
    cord->status = copy_descriptor(child->status);
    cord->pid = child->pid;
    cord->inbox.strict = true;
    cord->inbox.most = most;
    *theirs = sockets[1];
    return cord;
}

void mill_cord_free(struct mill_cord *cord)
{
    if (cord == NULL) return;
    mill_inbox_clear(&cord->inbox);
    if (cord->outbox.full) mill_outbox_fini(&cord->outbox);
    close(cord->socket);
    if (cord->process >= 0) close(cord->process);
    if (cord->status >= 0) close(cord->status);
    free(cord);
}

void mill_cord_end_text(int process, char *text, size_t room)
{
    char signal[64];
    struct mill_child_end end = mill_child_peek(process);
    if (!end.known) {
        snprintf(text, room, "the script's process has ended");
    } else if (end.signal) {
        mill_signal_text(end.signal, signal, sizeof signal);
        snprintf(text, room, "the script's process was killed by %s", signal);
    } else {
        snprintf(text, room, "the script's process has ended with status %d", end.code);
    }
}

/* ---- reading ---------------------------------------------------------------------------- */

/* State and status say the same, or it is no message. */
static bool is_end(int state, int status)
{
    switch (state) {
    case TIDEMILL_JOB_FINISHED:
        return status == TIDEMILL_OK;
    case TIDEMILL_JOB_CANCELLED:
        return status == TIDEMILL_CANCELLED;
    case TIDEMILL_JOB_ERROR:
    case TIDEMILL_JOB_SKIPPED:
        return status == TIDEMILL_ERROR || status == TIDEMILL_USAGE ||
               status == TIDEMILL_MEMORY;
    default:
        return false;
    }
}

static bool read_job_end(struct mill_wire_reader *reader, bool closed, struct mill_news *news)
{
    size_t size;
    news->job = mill_unpacker_size(&reader->in);
    int state = mill_unpacker_byte(&reader->in), status = mill_unpacker_byte(&reader->in);
    const char *text = mill_unpacker_text(&reader->in, &size);
    uint64_t count = mill_unpacker_size(&reader->in);
    bool finished = state == TIDEMILL_JOB_FINISHED;
    if (reader->in.bad || !is_end(state, status) || count != finished) return false;
    news->state = (tidemill_state)state;
    news->status = (tidemill_status)status;
    if (size > 0) news->text = strndup(text, size);
    if (finished) news->value = mill_hearing_value(reader, closed);
    return true;
}

static bool read_logged(struct mill_wire_reader *reader, struct mill_news *news)
{
    size_t size = (size_t)(reader->in.end - reader->in.at);
    uint64_t worker = mill_unpacker_size(&reader->in);
    if (reader->in.bad || worker > MILL_MAX_WORKERS || size > MILL_CORD_LINE) return false;
    if (!mill_logline_take(&reader->in, &news->line)) return false;
    news->line.worker = (int)worker;
    return true;
}

static bool read_progress(struct mill_wire_reader *reader, tidemill_progress *progress)
{
    int64_t *const numbers[] = {&progress->done, &progress->total, &progress->running,
                                &progress->failed};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        *numbers[i] = (int64_t)mill_unpacker_word(&reader->in);
        if (*numbers[i] < 0) return false;
    }
    return progress->done <= progress->total;
}

/* Cut where people would stop reading. */
static bool read_warning(struct mill_wire_reader *reader, struct mill_news *news)
{
    int kind = mill_unpacker_byte(&reader->in);
    size_t size = (size_t)(reader->in.end - reader->in.at);
    if (reader->in.bad || kind != MILL_TEXT_WARNING) return false;
    news->text =
        strndup((const char *)reader->in.at, size < WARNING_MOST ? size : WARNING_MOST);
    reader->in.at = reader->in.end;
    return true;
}

static bool read_body(struct mill_wire_reader *reader, bool closed, struct mill_news *news)
{
    switch (news->kind) {
    case MILL_MESSAGE_JOB_BEGUN:
        news->job = mill_unpacker_size(&reader->in);
        return true;
    case MILL_MESSAGE_JOB_ENDED:
        return read_job_end(reader, closed, news);
    case MILL_MESSAGE_LINE:
        return read_logged(reader, news);
    case MILL_MESSAGE_PROGRESS:
        return read_progress(reader, &news->progress);
    case MILL_MESSAGE_TEXT:
        return read_warning(reader, news);
    default:
        return false;
    }
}

bool mill_news_read(struct mill_inbox *inbox, bool closed, struct mill_news *news)
{
    struct mill_wire_reader reader;
    memset(news, 0, sizeof *news);
    news->kind = (enum mill_message_kind)inbox->head.kind;
    mill_inbox_open(inbox, &reader, NULL);
    bool fine = read_body(&reader, closed, news) && mill_wire_is_read(&reader);
    mill_wire_reader_fini(&reader);
    if (!fine) mill_news_drop(news);
    return fine;
}

void mill_news_drop(struct mill_news *news)
{
    free(news->text);
    free((void *)(uintptr_t)news->line.fields);
    mill_value_unref(news->value);
    memset(news, 0, sizeof *news);
}

enum mill_transfer mill_cord_receive(struct mill_cord *cord, bool closed,
                                     struct mill_news *news)
{
    enum mill_transfer got = mill_inbox_receive(&cord->inbox, cord->socket, false, NULL);
    if (got != MILL_TRANSFER_DONE) return got;
    return mill_news_read(&cord->inbox, closed, news) ? got : MILL_TRANSFER_GARBAGE;
}

void mill_cord_clear(struct mill_cord *cord, struct mill_news *news)
{
    mill_news_drop(news);
    mill_inbox_clear(&cord->inbox);
}
