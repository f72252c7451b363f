/* events: what waits to be told to the host program, and the descriptor that says so.
 *
 * The descriptor is an epoll of two others: a bell, rung by whoever puts something in, and a clock, which
 * runs while tasks may and progress is wanted.  Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_EVENTS_H
#define MILL_EVENTS_H

#include "bind/jobs.h"
#include "watch/log.h"

enum { MILL_EVENTS_LINES = 1000 };

struct mill_events {
    pthread_mutex_t mutex;             /* guards what follows, but for what says otherwise */
    int descriptor, clock;             /* -1: not asked for yet */
    _Atomic int bell;                  /* the same; read by signal handlers */
    _Atomic bool poked;                /* tidemill_interrupt was called */
    struct tidemill_job *first, *last; /* that are due, with a reference each */
    struct mill_log_record **lines;    /* MILL_EVENTS_LINES; NULL: no listener yet */
    int line_count;
    int64_t lines_left_out;
    tidemill_listener listener;
    _Atomic bool progress;         /* the listener wants it; relaxed */
    bool running;                  /* the clock is */
    tidemill_progress told, begun; /* the last one; what there was when nothing ran */
    int64_t told_at;
    bool heard;          /* `told` came from the script's process, and waits */
    _Atomic int polling; /* threads in tidemill_poll, and in its callbacks */
};

/* What is taken out at once. */
struct mill_batch {
    struct tidemill_job *jobs;
    struct mill_log_record **lines;
    int line_count;
    int64_t lines_left_out;
    bool has_progress;
    tidemill_progress progress;
    tidemill_listener listener;
};

void mill_events_init(struct mill_events *events);
void mill_events_fini(struct mill_events *events);

/* Opens the descriptor, once; -1: it cannot be. */
int mill_events_open(struct mill_events *events);

/* The job is due; the reference passes. */
void mill_events_job(struct mill_events *events, struct tidemill_job *job);

/* A line of the log; a mill_log's `tap`. */
void mill_events_line(void *events, struct mill_log_record *record);

/* What the process of a script has told of its tasks. */
void mill_events_progress(struct mill_events *events, const tidemill_progress *progress);

/* Tasks may begin: the clock runs, if progress is wanted. */
void mill_events_begin(struct mill_events *events);

/* Ends a wait.  Any thread, and signal handlers. */
void mill_events_poke(struct mill_events *events);

/* False: no memory for lines.  NULL: none is wanted. */
bool mill_events_listen(struct tidemill *engine, const tidemill_listener *listener);

/* Takes what is due. */
void mill_events_take(struct tidemill *engine, struct mill_batch *batch);

/* Sleeps until something may be due, or the time has come (CLOCK_MONOTONIC nanoseconds). */
void mill_events_wait(struct mill_events *events, int64_t deadline);

#endif
