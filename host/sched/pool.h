/* pool: workers that pull tasks.
 *
 * A worker's thread is a loop of somebody else's (host/bind/runner.c) that asks for the next task
 * whose body is Lua, runs it and reports how it ended; everything else (C bodies, cached
 * results, skipped tasks, chunks of fans, sleeping) happens inside mill_worker_next.
 *
 *                    | any thread | the worker's thread
 *     worker_next,   |            |         x
 *     _finish        |            |
 *     pool_submit,   |     x      |
 *     _wait, _fan    |     x      |         x (fan)
 *     init, fini     |  the owner, with no run in flight
 *
 * With no threads (the serial lane) the pool has one worker, driven by the thread that waits.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_POOL_H
#define MILL_POOL_H

#include "sched/deque.h"
#include "sched/fan.h"
#include "sched/park.h"
#include "sched/run.h"

enum { MILL_MAX_WORKERS = 1024 };

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
    _Atomic int64_t executed, failed, skipped, steals, sleeps, hits, misses;
};

struct mill_worker {
    struct mill_call call; /* first: its address is the worker's for the FFI */
    struct mill_pool *pool;
    int index;
    uint32_t random;          /* picks victims */
    struct mill_task *task;   /* running */
    struct mill_value *cells; /* of `call.arguments`, when inputs had to be filled in */
    uint32_t cell_room;
    struct mill_value *held; /* references taken on results, in runs with a cache */
    uint32_t held_count, held_room;
    const struct mill_value *inputs; /* results that the arguments mention, in order */
    uint32_t input_count;
    struct mill_task *next;     /* ready; this worker runs it before anything else */
    struct mill_task *overflow; /* ready tasks that a deque had no memory for; linked through
                                   result.natural, which is unused until they end */
    void *user;                 /* the driver's own: its Lua state, its cache reader */
    pthread_t thread;
    _Alignas(64) struct mill_deque deques[MILL_LEVELS];
    _Alignas(64) struct mill_counters counters;
    /* Tasks of `run` that this worker has ended and not yet counted in it; written by it, read by
     * anybody who wants to know how far a run is: relaxed. */
    struct mill_run *_Atomic run;
    _Atomic int64_t ended;
};

struct mill_pool_options {
    int threads; /* 0: serial */
    /* The body of a worker's thread: returns when mill_worker_next returns false.  In a serial
     * pool: called by whoever waits. */
    void (*drive)(void *context, struct mill_worker *worker);
    void *context;
};

struct mill_queue { /* runs whose next root is of one level, the oldest first */
    struct mill_run *first, *last;
};

struct mill_pool {
    struct mill_pool_options options;
    struct mill_worker *workers;
    int worker_count; /* threads, or 1 */
    int64_t deadline; /* of the wait that drives a serial pool; that thread's */
    pthread_mutex_t mutex;
    _Atomic bool started;                  /* written under mutex */
    struct mill_queue queues[MILL_LEVELS]; /* guarded by mutex */
    _Atomic uint32_t queued; /* bit per queue that has a run: lets workers look without a lock;
                                written under mutex */
    _Atomic uint32_t levels; /* bit per level that ever had a task */
    _Atomic bool stop;
    _Atomic bool interrupted; /* waits end early */
    _Atomic uint32_t next_serial;
    struct mill_fans fans;
    struct mill_park idle;  /* workers */
    struct mill_park ended; /* threads that wait for runs */
};

tidemill_status mill_pool_init(struct mill_pool *pool, const struct mill_pool_options *options,
                               struct mill_error *error);
void mill_pool_fini(struct mill_pool *pool); /* stops and joins the threads */

/* Queues a run; starts the threads the first time. */
tidemill_status mill_pool_submit(struct mill_pool *pool, struct mill_run *run,
                                 struct mill_error *error);

/* Waits until `run` has ended, `deadline` (CLOCK_MONOTONIC nanoseconds; INT64_MAX: none) has
 * passed or the pool was interrupted; true when it has ended.  Drives the worker of a serial
 * pool. */
bool mill_pool_wait(struct mill_pool *pool, struct mill_run *run, int64_t deadline);

static inline bool mill_run_ended(struct mill_run *run)
{
    /* Pairs with the release in mill_run_count. */
    return atomic_load_explicit(&run->unfinished, memory_order_acquire) == 0;
}

/* How many of a run's tasks have ended, those included that workers have not counted yet. */
int64_t mill_run_done(struct mill_run *run);

/* Any thread and signal handlers: waits end early until mill_pool_resume. */
void mill_pool_interrupt(struct mill_pool *pool);
void mill_pool_resume(struct mill_pool *pool);

/* No further task of `run` starts; those that have begun go on to their end. */
void mill_run_cancel(struct mill_run *run);

/* Runs body(context, i) for i in [0, count) with the help of idle workers: a mill_parallel. */
void mill_pool_fan(void *pool, int64_t count, void (*body)(void *context, int64_t i),
                   void *context);

uint32_t mill_pool_serial(struct mill_pool *pool); /* a new number for a function */

/* ---- the worker's loop ----------------------------------------------------------------- */

/* Sleeps until there is a task whose body is not C, and describes it in worker->call.  False when
 * the pool stops; in a serial pool also when nothing is ready. */
bool mill_worker_next(struct mill_worker *worker);

/* Ends the task that mill_worker_next gave; the reference in `result` passes to it.  For a
 * failed one `result` is the error. */
void mill_worker_finish(struct mill_worker *worker, enum mill_state state,
                        struct mill_value result);

/* For hooks: ends a task without running it. */
void mill_worker_complete(struct mill_worker *worker, struct mill_task *task,
                          enum mill_state state, struct mill_value result);
void mill_worker_push(struct mill_worker *worker, struct mill_task *task);

#endif
