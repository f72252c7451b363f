/* jobs: what a host program has submitted, until it gives the handle back.
 *
 * A job watches the end of its run by a link, takes what came of it on the thread that ends it, and has
 * no need of the run any more, but for a value that lies in the cache alone.  The run is freed by the
 * next thread that has the engine's lock.  Nothing else here takes that lock.
 *
 * A job whose script is in a process of its own has no run: host/bind/errands.c ends it.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_JOBS_H
#define MILL_JOBS_H

#include <pthread.h>

#include "base/birth.h"
#include "sched/run.h"

struct tidemill;
struct mill_reader;

struct tidemill_job {
    _Atomic int refs; /* the host's, the run's link, one while it is due */
    struct mill_birth birth;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t ended;
    struct tidemill *engine; /* NULL: closed */
    struct mill_run *run;    /* NULL: given back, or in another process */
    uint64_t errand;         /* its number there; 0: it is here */
    bool begun;              /* there: its task runs */
    tidemill_state state;    /* of one that has not ended: pending */
    tidemill_status failure; /* of one that has failed; OK: TIDEMILL_ERROR */
    bool stored;             /* `result` is in the cache alone: the run can bring it */
    struct mill_value result;
    char *error;
    void (*notify)(void *context,
                   struct tidemill_job *job); /* once it has ended; NULL: nobody */
    void *context;
    bool due;                           /* it is among the events' */
    struct tidemill_job *newer, *older; /* among the engine's; under the lock of those */
    struct tidemill_job *next_due;      /* the events' */
};

struct mill_jobs {
    pthread_mutex_t mutex;       /* taken before a job's */
    struct tidemill_job *newest; /* that have a run, or may get one back */
    struct mill_run
        *_Atomic spent; /* to be freed with the engine's lock; linked by next_queued */
};

void mill_jobs_init(struct mill_jobs *jobs);

/* All runs have ended, and the caller has the engine's lock: what is left of jobs is the host's alone. */
void mill_jobs_close(struct tidemill *engine);
void mill_jobs_fini(struct mill_jobs *jobs);

/* The job of a run that was started, with the run's reference, which passes to it.  The caller has the
 * engine's lock.  NULL: no memory, and the run goes on without. */
struct tidemill_job *mill_jobs_add(struct tidemill *engine, struct mill_run *run);

/* A job of a script that is in another process, with a reference for the caller; NULL: no memory.  With the
 * engine's lock. */
struct tidemill_job *mill_jobs_add_apart(struct tidemill *engine);

/* How such a job has ended. */
struct mill_outcome {
    tidemill_state state;
    tidemill_status failure; /* of one that has failed */
    struct mill_value result;
    char *error; /* malloc'ed, or NULL */
};

/* Its task runs.  It has ended: takes over what is in *outcome.  Any thread; the first end counts. */
void mill_job_begin(struct tidemill_job *job);
void mill_job_end(struct tidemill_job *job, struct mill_outcome *outcome);

/* Frees runs that no job needs any more.  With the engine's lock. */
void mill_jobs_sweep(struct tidemill *engine);

void mill_job_unref(struct tidemill_job *job);

/* Under the job's mutex: it has ended, as far as the engine is concerned. */
static inline bool mill_job_ended(const struct tidemill_job *job)
{
    return job->state > TIDEMILL_JOB_RUNNING;
}

/* Brings a value that lies in the cache alone, by a reader of the calling thread's, which is opened when it is
 * NULL.  That of the engine: with its lock. */
void mill_job_load(struct tidemill *engine, struct tidemill_job *job,
                   struct mill_reader **reader);

#endif
