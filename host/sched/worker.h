/* worker: one thread of a pool: finds ready tasks, describes their calls, ends them.
 *
 * The loop of a worker's thread is somebody else's (host/bind/runner.c): it asks for the next task
 * whose body is Lua, runs it and reports how it ended; everything else (C bodies, cached
 * results, skipped tasks, chunks of fans, timers, sleeping) happens inside mill_worker_next.
 * All functions are the worker's thread's own, where nothing else is said.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WORKER_H
#define MILL_WORKER_H

#include "sched/deque.h"
#include "sched/run.h"

struct mill_pool;

/* What a worker is to run: the part that LuaJIT's FFI reads (lua/tidemill/clib.lua). */
struct mill_call {
    const struct mill_value *arguments;
    int32_t count;
    int32_t worker;     /* its number, from 1 */
    uint32_t serial;    /* of the function */
    uint32_t turn;      /* changes with every task */
    uint64_t stream[2]; /* key of the task's random stream */
};

struct mill_counters { /* each written by one worker, read by anybody: relaxed */
    _Atomic int64_t executed, finished, failed, skipped, steals, sleeps, hits, misses, retries,
        waits;
    _Atomic int64_t idle; /* nanoseconds asleep */
    _Atomic int64_t
        took; /* nanoseconds of attempts, where they are measured: on every lane's worker */
};

/* Ready tasks for this worker alone, the oldest first; linked through result.natural. */
struct mill_tasks {
    struct mill_task *first, *last;
};

struct mill_worker {
    struct mill_call call; /* first: its address is the worker's for the FFI */
    struct mill_pool *pool;
    int index;
    enum mill_lane lane;      /* that it is the worker of */
    uint32_t random;          /* picks victims */
    uint32_t turns;           /* tasks begun */
    uint32_t places;          /* nodes that the running task has built */
    struct mill_task *task;   /* running */
    int64_t began;            /* when, in runs that measure and for tasks that are retried */
    struct mill_value *cells; /* of `call.arguments`, when inputs had to be filled in */
    uint32_t cell_room;
    struct mill_value *held; /* references taken on results, in runs with a cache */
    uint32_t held_count, held_room;
    const struct mill_value *inputs; /* results that the arguments mention, in order */
    uint32_t input_count;
    struct mill_task *next;      /* ready; this worker runs it before anything else */
    struct mill_task *overflow;  /* ready tasks that a deque had no memory for; linked */
    struct mill_tasks *assigned; /* by level: ready tasks for this worker alone */
    int64_t assigned_count;
    int nested;                    /* waits on this thread's stack, see mill_worker_next */
    struct mill_wait *resumed;     /* that mill_worker_next said is ready */
    struct mill_wait *ready;       /* the rest of those taken from `delivered`, in order */
    void *user;                    /* the driver's own: its Lua state, its cache reader */
    struct mill_holdings holdings; /* of its Lua state */
    int looks;                     /* tasks until it looks whether memory is short */
    int64_t looked;                /* when it last did, by the coarse clock */
    pthread_t thread;
    bool has_thread;
    _Alignas(64) struct mill_deque deques[MILL_LEVELS];
    _Alignas(64) struct mill_counters counters;
    /* Of the running task's function: by whose name others may know it; NULL: none runs. */
    struct mill_mean *_Atomic shown;
    /* Tasks of `run` that this worker has ended and not yet counted in it; written by it, read by
     * anybody who wants to know how far a run is: relaxed. */
    struct mill_run *_Atomic run;
    _Atomic int64_t ended;
    _Atomic int64_t asleep_since;                     /* 0: it is awake */
    _Alignas(64) struct mill_wait *_Atomic delivered; /* waits whose tasks can go on; linked */
    struct mill_task *_Atomic inbox; /* tasks for this worker from others; linked */
    _Atomic int64_t load;            /* nanoseconds of work predicted to be queued here */
    _Atomic int64_t pending; /* of a lane: tasks given to it that have not ended; relaxed */
    _Atomic bool called;     /* see mill_worker_call */
};

enum mill_next {
    MILL_NEXT_STOP = 0,   /* the pool stops; in a serial pool also: nothing is ready */
    MILL_NEXT_TASK = 1,   /* worker->call describes one */
    MILL_NEXT_READY = 2,  /* a task that waited can go on: worker->resumed */
    MILL_NEXT_CALLED = 3, /* somebody wants the driver's attention: mill_worker_call */
};

bool mill_worker_init(struct mill_worker *worker, struct mill_pool *pool, int index);
void mill_worker_fini(struct mill_worker *worker);

/* What another worker has counted, but for its idle time, counts as this one's. */
void mill_worker_inherit(struct mill_worker *worker, const struct mill_worker *old);

/* Sleeps until there is something to do.  A driver that calls it on the stack of a task that
 * waits raises worker->nested meanwhile: a serial pool then goes on past its deadline. */
enum mill_next mill_worker_next(struct mill_worker *worker);

/* Any thread: the name of the task that runs there, as long as the means live, which are the engine's;
 * NULL: none does. */
const char *mill_worker_doing(struct mill_worker *worker);

/* Ends the running task; the reference in `result` passes to it.  For a failed one `result` is
 * the error. */
void mill_worker_finish(struct mill_worker *worker, enum mill_state state,
                        struct mill_value result);

/* The running task has failed: puts it back, to be tried again after a while, and returns true,
 * when its function's rule has attempts left. */
bool mill_worker_retry(struct mill_worker *worker);

/* The running task was lost through nobody's fault that can be told: puts it back, to be begun again
 * at once, and returns true, unless that has happened `most` times. */
bool mill_worker_again(struct mill_worker *worker, int most);

/* Number of the running task's attempt, from 1, and how long the earlier ones took (NULL at the
 * first). */
int mill_worker_attempt(const struct mill_worker *worker, const double **seconds);

/* For hooks: ends a task with a result that was there already. */
void mill_worker_hit(struct mill_worker *worker, struct mill_task *task,
                     struct mill_value result);

/* For hooks: ends a task without running it. */
void mill_worker_complete(struct mill_worker *worker, struct mill_task *task,
                          enum mill_state state, struct mill_value result);

/* A task is ready: it runs next. */
void mill_worker_push(struct mill_worker *worker, struct mill_task *task);

/* A task is ready, and the worker goes on with something else: others may steal it at once. */
void mill_worker_add(struct mill_worker *worker, struct mill_task *task);

/* ---- tasks that wait ---------------------------------------------------------------------- */

/* What is kept of a task that waits while its worker runs others. */
struct mill_suspended {
    struct mill_task *task;
    struct mill_call call;
    int64_t began;
    uint32_t places;
    struct mill_value *held;
    uint32_t held_count, held_room;
};

/* The running task's arguments are not kept: it has read them. */
void mill_worker_suspend(struct mill_worker *worker, struct mill_suspended *kept);
void mill_worker_resume(struct mill_worker *worker, struct mill_suspended *kept);
void mill_suspended_fini(struct mill_suspended *kept); /* of one that will not go on */

/* The `deliver` of waits whose owner is a worker: any thread. */
void mill_worker_resumable(struct mill_wait *wait);

/* ---- for the pool, and joins --------------------------------------------------------------------------- */

/* The task is the running one; NULL: none is. */
void mill_worker_take_up(struct mill_worker *worker, struct mill_task *task);

/* Hands a task to a worker for itself alone; any thread. */
void mill_worker_assign(struct mill_worker *worker, struct mill_task *task);

/* The worker's driver is told MILL_NEXT_CALLED between two tasks; any thread.  Calls that it has not
 * been told of yet are one. */
void mill_worker_call(struct mill_worker *worker);

/* The worker, should it sleep, looks again how long it may; any thread. */
void mill_worker_wake(struct mill_worker *worker);
bool mill_worker_has_mail(struct mill_worker *worker);

#endif
