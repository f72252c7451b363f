/* worker: one thread of a pool: finds ready tasks, one after the other.  How it begins and ends
 * one is in attempt.h, how one waits in suspended.h, how others reach it in mail.h, how it sleeps
 * in sleep.h.
 *
 * The loop of a worker's thread is somebody else's (host/bind/runner.c): it asks for the next task
 * whose body is Lua, runs it and reports how it ended; everything else (C bodies, cached
 * results, skipped tasks, chunks of fans, timers, sleeping) happens inside mill_worker_next.
 * All functions are the worker's thread's own, where nothing else is said.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WORKER_H
#define MILL_WORKER_H

#include "sched/counters.h"
#include "sched/deque.h"
#include "sched/run.h"
#include "sched/tasks.h"

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
    int64_t since;            /* began, or last went on after a wait; where events are told */
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

/* Sleeps until there is something to do.  A driver that calls it on the stack of a task that
 * waits raises worker->nested meanwhile: a serial pool then goes on past its deadline. */
enum mill_next mill_worker_next(struct mill_worker *worker);

/* A task is ready: it runs next. */
void mill_worker_push(struct mill_worker *worker, struct mill_task *task);

/* A task is ready, and the worker goes on with something else: others may steal it at once. */
void mill_worker_add(struct mill_worker *worker, struct mill_task *task);

/* ---- for the parts of a worker ------------------------------------------------------------ */

/* A task is given to a lane, taken up, run, ended: it is pending before and while it runs. */
static inline void mill_worker_add_pending(struct mill_worker *worker, int64_t tasks)
{
    if (worker->lane == MILL_LANE_THREAD) return;
    atomic_fetch_add_explicit(&worker->pending, tasks, memory_order_relaxed);
}

/* 32 random bits. */
uint32_t mill_worker_random(struct mill_worker *worker);

#endif
