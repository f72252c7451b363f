/* cord: the second socket to the process of a script, over which that says what nobody waits for: how jobs
 * fare, lines of its log, progress, warnings.  It trusts nothing that comes from there: sizes are bounded, tags
 * and counts are checked, values of a sandbox are data alone.  The other side is host/bind/duties.c.
 *
 *     JOB_BEGUN   number of the job
 *     JOB_ENDED   number; state, status; text of the error; count of values (1 when it has finished), values
 *     LINE        worker, host/bind/logline.h; MILL_CORD_LINE bytes at most
 *     PROGRESS    done, total, running, failed as 8 bytes each
 *     TEXT        2, a warning
 *     JOB_CANCEL  to the process: a count, numbers of jobs
 *     LISTEN      to the process: a byte of mill_wish
 *
 * One thread's, that of host/bind/errands.c.  SPDX-License-Identifier: MIT */
#ifndef MILL_CORD_H
#define MILL_CORD_H

#include "lane/child.h"
#include "watch/log.h"

enum { MILL_CORD_LINE = 32 << 10 };

/* What a listener of the host wants. */
enum mill_wish { MILL_WISH_LINES = 1, MILL_WISH_PROGRESS = 2 };

struct mill_cord {
    struct mill_cord *next;
    uint64_t number;             /* of the process, in the order of their starting */
    int socket, process, status; /* descriptors; process and status are our own copies */
    pid_t pid;
    bool
        ended; /* the process has gone, or is about to; the caller's lock guards this and why */
    tidemill_status why;
    char text[300];
    int wishes; /* as it was told */
    struct mill_inbox inbox;
    struct mill_outbox outbox;
};

/* What a message says. */
struct mill_news {
    enum mill_message_kind kind;
    uint64_t job;
    tidemill_state state;
    tidemill_status status; /* OK when it has finished, CANCELLED when it was cancelled */
    char *text;             /* malloc'ed, or NULL */
    struct mill_value value;
    struct mill_log_line line; /* whose texts stay in the message */
    tidemill_progress progress;
};

/* The cord of a process, and in *theirs the socket that it is to get, which is the caller's to close.
 * `most`: no message may be longer.  NULL and *error. */
struct mill_cord *mill_cord_new(struct mill_child *child, uint64_t most, int *theirs,
                                struct mill_error *error);
void mill_cord_free(struct mill_cord *cord);

/* Receives without waiting.  DONE: *news is there, until mill_cord_clear; GARBAGE: what came is no message. */
enum mill_transfer mill_cord_receive(struct mill_cord *cord, bool closed,
                                     struct mill_news *news);
void mill_cord_clear(struct mill_cord *cord, struct mill_news *news);

/* Reads a message that has come; false: it is none.  For mill_cord_receive, and tests.  `closed`: a sandbox. */
bool mill_news_read(struct mill_inbox *inbox, bool closed, struct mill_news *news);
void mill_news_drop(struct mill_news *news);

/* How the process has ended, which it has, or is about to: for people. */
void mill_cord_end_text(int process, char *text, size_t room);

#endif
