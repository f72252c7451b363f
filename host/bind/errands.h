/* errands: jobs of a script that runs in a process of its own, as its host knows of them.
 *
 * A job is the host's (bind/jobs.h) with an errand here, by whose number the process knows it, and a duty there
 * (bind/duties.h).  It is begun by a request like any other (bind/proxy.c), under the engine's lock, and its
 * errand is here before that is sent.  All else travels by the second socket (bind/cord.h): one thread of the
 * host, bind/envoy.c, reads it, whether or not somebody is in a call, so that jobs end, deadlines pass and
 * descriptors become readable by themselves; one thread of the process writes what has become of jobs and reads
 * what is to be cancelled.  The first socket stays the caller's: calls go on beside jobs, and functions of the
 * host run on the thread that is in a call, never here; a job is a task, and has none.
 *     The process may send anything: an errand's number counts only while that is of this process, and the first
 * end of a job is the one that counts.  Whoever finds that the process has ended, or ends it, says why here
 * first; this thread then reads what had come and fails the jobs that are left.
 *
 * Locks: the engine's, this one, those of jobs and events, in this order.  SPDX-License-Identifier: MIT */
#ifndef MILL_ERRANDS_H
#define MILL_ERRANDS_H

#include <pthread.h>

#include "bind/cord.h"
#include "bind/jobs.h"

struct tidemill;

enum { MILL_ERRAND_NAME = 60 };

struct mill_errand {
    uint64_t number; /* its place and a serial number; 0: there is none in this place */
    struct tidemill_job *job; /* with a reference; NULL: has ended, as far as the host knows */
    uint64_t process;
    bool begun, cancel, told; /* told: that it is to be cancelled */
    int64_t added;
    int64_t until;   /* its deadline, once it has begun; else INT64_MAX */
    int64_t stop_by; /* when a cancelled one must have ended; INT64_MAX: never */
    uint32_t next;   /* vacant one */
    char name[MILL_ERRAND_NAME];
};

struct mill_errands {
    struct tidemill *engine;
    bool closed;     /* a sandbox */
    double deadline; /* seconds; 0: none */
    uint64_t memory; /* bytes that the process may hold; 0: no limit */
    int bell;        /* an eventfd; -1: not begun */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t fewer;  /* jobs, or an interrupt */
    bool started, stopping, closing;
    struct mill_cord *cords; /* the oldest first; all but the last have ended */
    uint64_t processes;      /* there were so many */
    struct mill_errand *list;
    uint32_t room, vacant; /* vacant: the first free one, counted from 1; 0: none */
    uint64_t serial;       /* of errands */
    size_t open;           /* jobs that have not ended */
    int64_t since;         /* when a job has last ended, or there was none */
    int64_t look_at;       /* when a deadline may have passed; INT64_MAX: never */
    bool cancels;          /* some are to be sent */
    _Atomic int wishes;    /* of a listener; read without the mutex, too */
    _Atomic bool lost;     /* the process has ended without the thread that asks it knowing: */
    tidemill_status lost_status;
    char lost_text[300];
};

/* Zeros but for engine, closed, deadline and memory.  Starts the thread. */
tidemill_status mill_errands_init(struct mill_errands *errands, struct mill_error *error);

/* The process has ended. */
void mill_errands_fini(struct mill_errands *errands);

/* A process begins; *theirs is the socket that it is to get, the caller's to close. */
tidemill_status mill_errands_begin(struct mill_errands *errands, struct mill_child *child,
                                   uint64_t most, int *theirs, struct mill_error *error);

/* The process is about to be ended, or has ended, for that reason; the first one said counts. */
void mill_errands_end(struct mill_errands *errands, tidemill_status status, const char *text);

/* Whether it has ended, or was ended by a job's deadline or hunger, before anybody has asked it; why. */
bool mill_errands_lost(struct mill_errands *errands, tidemill_status *status, char *text,
                       size_t room);

/* The number of a job that is about to be sent, 0: no memory.  Holds a reference of it until it has ended. */
uint64_t mill_errands_add(struct mill_errands *errands, struct tidemill_job *job,
                          const char *name);

/* It was refused. */
void mill_errands_drop(struct mill_errands *errands, uint64_t number);

void mill_errands_cancel(struct mill_errands *errands, uint64_t number);
void mill_errands_cancel_all(struct mill_errands *errands);

/* What the host wants to hear of. */
void mill_errands_listen(struct mill_errands *errands, int wishes);

/* Waits until all jobs have ended, until then, or for an interrupt; whether they have. */
bool mill_errands_wait(struct mill_errands *errands, int64_t deadline);

/* The engine closes: jobs that end with the process count as cancelled. */
void mill_errands_close(struct mill_errands *errands);

/* ---- for the thread, bind/envoy.c: all under the mutex -------------------------------------- */

/* By a number that anybody may have made up; NULL: there is none. */
struct mill_errand *mill_errand_find(const struct mill_errands *errands, uint64_t number);
void mill_errand_free(struct mill_errands *errands, struct mill_errand *errand);

/* The job of an errand ends, and is let go; the errand stays until the process has said its own. */
void mill_errand_end(struct mill_errands *errands, struct mill_errand *errand,
                     struct mill_outcome *outcome);
void mill_errand_fail(struct mill_errands *errands, struct mill_errand *errand,
                      tidemill_status status, const char *text);
void mill_errand_cancel(struct mill_errands *errands, struct mill_errand *errand);

/* When what began at that time has passed the deadline; INT64_MAX: there is none. */
int64_t mill_errands_due(const struct mill_errands *errands, int64_t time);

/* Something began at that time: the thread is to look then. */
void mill_errands_look(struct mill_errands *errands, int64_t now);

/* The process of the cord is no more: its jobs fail. */
void mill_errands_fail(struct mill_errands *errands, const struct mill_cord *cord);
void mill_errands_say(struct mill_cord *cord, tidemill_status status, const char *text);

/* Wakes the thread.  Signal handlers, too. */
void mill_errands_ring(struct mill_errands *errands);

#endif
