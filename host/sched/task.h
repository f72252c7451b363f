/* task: one execution of one node in one run, and the function that it runs.
 * No Lua in here: a body is either a C function or code that whoever drives a worker knows how
 * to run.  SPDX-License-Identifier: MIT */
#ifndef MILL_TASK_H
#define MILL_TASK_H

#include <stdatomic.h>

#include "data/value.h"

struct mill_run;
struct mill_node;

/* How results of a function are kept; the cache's business, carried by the scheduler. */
struct mill_policy {
    bool cached;
    bool refresh;          /* do not look up, do store */
    bool pure;             /* the author's word */
    bool automatic;        /* cached when that is worth it; nobody asked for it by name, so that
                              nothing is said when it cannot be */
    double ttl;            /* seconds that a result may be used; 0: as the cache says */
    struct mill_hash salt; /* identity of the function, version, seed: all of the key but the
                              arguments */
    char *refusal;         /* why there is no key although `cached` was asked; NULL: none */
    char *files; /* those that were declared, with their hashes (cache/reads.h); owned */
    size_t files_size;
    uint8_t *said; /* parts (cache/parts.h) of version, seed and files; owned */
    size_t said_size;
};

/* Priorities are -2 to 2; a level is a priority counted from 0. */
enum { MILL_LEVELS = 5, MILL_LEVEL_ZERO = 2 };

/* Where a task runs: on one of the pool's threads, or on a worker that is a lane of its own. */
enum mill_lane {
    MILL_LANE_THREAD,
    MILL_LANE_LOOP,    /* tasks that mostly wait: a thread of their own, with a Lua state */
    MILL_LANE_PROCESS, /* tasks that may be stopped: in processes of their own */
    MILL_LANES,
};

/* As `affinity`: on the first worker, one after another. */
static const uint64_t MILL_FIRST_WORKER = UINT64_MAX;

/* How often and when a task that failed is tried again. */
struct mill_retry_rule {
    int retries;    /* attempts after the first */
    double delay;   /* seconds before the second attempt */
    double factor;  /* each further delay is so many times longer */
    double longest; /* seconds; INFINITY: no cap */
    double jitter;  /* 0 to 1: this share of a delay is drawn at random */
};

/* What tasks of one name have taken so far; any thread. */
struct mill_mean {
    _Atomic int64_t count, nanoseconds;
};

/* A share of a named resource that a task needs while it runs. */
struct mill_need {
    int resource;   /* number in the pool's resources */
    int64_t amount; /* millionths */
};

/* What a task runs; immutable once made, counted. */
struct mill_function {
    _Atomic int64_t refs;
    uint32_t serial;        /* unique in its pool: workers know loaded code by it */
    char *name;             /* owned */
    struct mill_value code; /* for a body in Lua */
    bool loops;             /* which has loops, or calls what has */
    bool decoded; /* of a function that a task was given: a worker may have it already */
    void (*body)(void *context, const struct mill_value *arguments, int count,
                 struct mill_value *result); /* a body in C; NULL: in Lua */
    void *context;
    struct mill_value retry_on; /* a predicate in Lua; nil: every error */
    struct mill_retry_rule retry;
    struct mill_need *needs; /* owned */
    int need_count;
    int priority;           /* -2 to 2 */
    double seed;            /* of its random stream; NaN: by place */
    uint64_t affinity;      /* tasks with the same number run on the same worker; 0: anywhere */
    double cost;            /* seconds that it is thought to take; NaN: nobody said */
    struct mill_mean *mean; /* of its name; NULL: not measured */
    enum mill_lane lane;
    const char *lane_reason; /* what has decided that; static text, NULL: nothing did */
    bool lane_asked;         /* it is no guess: another lane would not do */
    double timeout;          /* seconds that an attempt may take; 0: any time */
    int64_t memory;          /* bytes that its process may take; 0: as any other */
    bool isolate;            /* in a process that runs nothing else */
    uint16_t outputs;        /* > 0: returns so many values, each the result of a node */
    bool joins;              /* its tasks stand for those of other runs, see join.h */
    struct mill_policy policy;
};

struct mill_function *mill_function_new(const char *name); /* NULL: no memory */
struct mill_function *mill_function_ref(struct mill_function *function);
void mill_function_unref(struct mill_function *function);

enum mill_state {
    MILL_PENDING, /* waits for inputs, or for a worker */
    MILL_FINISHED,
    MILL_FAILED,  /* `result` is the error */
    MILL_SKIPPED, /* an input failed or was skipped; `cause` says which failed task */
    MILL_CANCELLED,
};

enum mill_task_flags {
    MILL_TASK_WANTED = 1,   /* somebody asked for the result: it outlives its readers */
    MILL_TASK_HASHED = 2,   /* a cached task reads it: its content hash is needed */
    MILL_TASK_KEPT = 4,     /* its bytes are in the store under its content hash */
    MILL_TASK_REVIVED = 8,  /* runs again, because the store lost its result */
    MILL_TASK_CHANGED = 16, /* came to another result when it ran again */
    MILL_TASK_GRANTED = 32, /* holds the resources that its function needs */
    MILL_TASK_AWAITED = 64, /* others wait in the run's revivals for it to end */
    MILL_TASK_TRIED = 128,  /* failed before; the run's retries tell how often */
};

enum { MILL_NO_CAUSE = INT32_MAX };

struct mill_task {
    _Atomic int32_t missing; /* inputs that have not ended; who takes it to 0 pushes the task */
    _Atomic int32_t readers; /* uses of the result still to come; who takes it to 0 frees it */
    _Atomic int32_t cause;   /* least index of a failed task above; MILL_NO_CAUSE: none */
    _Atomic uint8_t state;   /* stored with release after `result`, read with acquire */
    _Atomic uint8_t flags;
    uint16_t worker;                       /* that it is for or ran on, from 1; 0: any, none */
    uint32_t function;                     /* index in the run's functions */
    uint32_t index;                        /* in the run */
    uint32_t first_input, first_dependent; /* in the run's lists; the next task's end them */
    struct mill_run *run;
    struct mill_node *node;   /* its arguments */
    struct mill_value result; /* written by the worker that ends the task; in runs with a
                                 cache, guarded by the run's locks afterwards */
};

#endif
