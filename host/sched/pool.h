/* pool: workers that pull tasks, the runs that they come from, and all that they share.
 *
 *                                           | any thread | the worker's thread
 *     worker_*                              |            |         x
 *     pool_submit (roots.h), _wait (await.h)|     x      |         (_submit: x)
 *     _cancel (cancel.h), park (parked.h)   |     x      |         x
 *     _fan                                  |     x      |         x
 *     init, fini, stop (threads.h)          |  the owner, with no run in flight
 *
 * With no threads (the serial lane) the pool has one worker, driven by the thread that waits.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_POOL_H
#define MILL_POOL_H

#include "data/memory.h"
#include "sched/fan.h"
#include "sched/park.h"
#include "sched/resource.h"
#include "sched/worker.h"

enum { MILL_MAX_WORKERS = 1024 };

/* What happened on a worker; what trace and history are made of. */
enum mill_event {
    MILL_EVENT_TASK,
    MILL_EVENT_HIT, /* a task was answered by the cache */
    MILL_EVENT_STEAL,
    MILL_EVENT_SLEEP,
    MILL_EVENT_WAIT,  /* a task of a thread ran until it began to wait */
    MILL_EVENT_RETRY, /* an attempt that failed and will be followed by another */
};

/* The worker of a lane beside the threads: it runs what is placed on it, and nothing else. */
struct mill_lane_driver {
    /* Before its thread starts, under the pool's mutex; NULL: nothing to do. */
    tidemill_status (*open)(void *context, struct mill_worker *worker,
                            struct mill_error *error);
    void (*drive)(void *context,
                  struct mill_worker *worker); /* as the pool's; NULL: no such lane */
    /* In place of the pool's sleep: until `deadline`, until wake was called since the last sleep, or
     * until the lane has something to do; called by mill_worker_next.  NULL: sleeps as others do. */
    void (*sleep)(void *context, struct mill_worker *worker, int64_t deadline);
    void (*wake)(void *context); /* any thread, after `open`; with `sleep` */
    void *context;
};

struct mill_pool_options {
    int threads; /* 0: serial, and without lanes */
    /* Of that of threads only `sleep` counts, and in a serial pool alone: how its worker sleeps. */
    struct mill_lane_driver lanes[MILL_LANES];
    /* The body of a worker's thread: returns when mill_worker_next returns MILL_NEXT_STOP.  In a
     * serial pool: called by whoever waits. */
    void (*drive)(void *context, struct mill_worker *worker);
    void *context;
    struct mill_memory *memory; /* whose limit the tasks keep to; NULL: there is none */
    /* Puts the value of a finished task of a run with a cache in memory; false: it is lost.  NULL
     * when no run has one. */
    bool (*load)(void *context, struct mill_worker *worker, struct mill_task *task);
    /* The worker has found nothing to do.  NULL: nobody wants to know. */
    void (*rest)(void *context, struct mill_worker *worker);
    /* The lane cannot start, for that reason, and tasks that it would have been right for run on
     * threads; once a lane.  NULL: nobody wants to know. */
    void (*lost)(void *context, enum mill_lane lane, const struct mill_error *reason);
    /* Told of what happens, with times in nanoseconds; `task` is NULL for sleeps; the argument is
     * a task's mill_state, a steal's victim from 1, the attempt that a retry follows.  A task's time
     * is what its thread ran of it since it last waited, and on a lane all of its attempt.  NULL:
     * nobody wants to know. */
    void (*event)(void *context, struct mill_worker *worker, enum mill_event event,
                  struct mill_task *task, int argument, int64_t begin, int64_t end);
};

struct mill_run_queue { /* runs whose next root is of one level, the oldest first */
    struct mill_run *first, *last;
};

struct mill_pool {
    struct mill_pool_options options;
    struct mill_worker *workers;
    int worker_count; /* threads at most, or 1 */
    int worker_total; /* with the workers of lanes, which come last, by number of the lane */
    _Atomic uint32_t lost; /* bit per lane that could not start; written under mutex, relaxed */
    _Atomic int thread_count; /* threads that have started; written under mutex */
    _Atomic int active;       /* workers below it take work; the others finish what is theirs */
    int64_t deadline;         /* of the wait that drives a serial pool; that thread's */
    struct mill_run *awaited_run; /* by that thread */
    struct mill_wait *awaited;    /* by that thread; NULL: the end of a run */
    int cpus;                     /* that the process may use */
    int64_t spin; /* nanoseconds that a thread looks for work before it sleeps */
    pthread_mutex_t mutex;
    _Atomic bool started;                      /* written under mutex */
    int64_t began;                             /* when the threads started; before `started` */
    struct mill_run_queue queues[MILL_LEVELS]; /* guarded by mutex */
    _Atomic uint32_t queued; /* bit per queue that has a run: lets workers look without a lock;
                                written under mutex */
    _Atomic uint32_t levels; /* bit per level that ever had a task */
    _Atomic bool stop;
    _Atomic bool interrupted; /* waits end early */
    _Atomic uint32_t next_serial;
    _Atomic uint32_t next_turn; /* of tasks that go round robin */
    struct mill_fans fans;
    struct mill_timers timers;
    struct mill_resources resources;
    struct mill_park idle;  /* workers */
    struct mill_park ended; /* threads that wait for runs */

    _Atomic int64_t running;            /* runs that have not ended */
    _Atomic int64_t submitted, counted; /* tasks ever; of those the ended ones */
    _Atomic int64_t
        outside; /* operations in flight outside the pool: nothing is stuck meanwhile.
                                Raised before anybody waits for one, lowered after it was told. */
    struct mill_task *_Atomic injected; /* ready tasks from outside; linked */
    _Atomic int spinning;               /* workers that look for work instead of sleeping */
    _Atomic int asleep;                 /* workers that sleep, or are about to */
    _Atomic int64_t collected;          /* when workers were last asked to */
    _Atomic bool held_back;   /* some do though there are roots: memory is short; relaxed */
    _Atomic uint32_t wakes;   /* changes whenever one of them goes on */
    _Atomic bool blocked;     /* the script waits for ever */
    _Atomic uint32_t cancels; /* runs ever cancelled: 0 spares every task a look */

    /* Waits that are parked, the newest first: to be cancelled with their task, and ended when
     * they never could. */
    pthread_mutex_t parked_mutex;
    struct mill_wait *parked;
    struct mill_run *blocked_run; /* what the script waits for; under parked_mutex */
    struct mill_wait *blocked_wait;
    _Atomic int64_t parked_count;
};

tidemill_status mill_pool_init(struct mill_pool *pool, const struct mill_pool_options *options,
                               struct mill_error *error);
void mill_pool_fini(struct mill_pool *pool); /* stops, too */

/* Gives a stopped pool, whose runs have all ended, another number of threads, which start with the
 * next run.  Numbers of functions and resources stay what they are.  On failure it has as many as before. */
tidemill_status mill_pool_resize(struct mill_pool *pool, int threads, struct mill_error *error);

/* How many of a run's tasks have ended, those included that workers have not counted yet. */
int64_t mill_run_done(struct mill_run *run);

/* Runs body(context, i) for i in [0, count) with the help of idle workers: a mill_parallel. */
void mill_pool_fan(void *pool, int64_t count, void (*body)(void *context, int64_t i),
                   void *context);

uint32_t mill_pool_serial(struct mill_pool *pool); /* a new number for a function */

/* The worker of a lane; NULL in a serial pool, and where the lane has no driver. */
struct mill_worker *mill_pool_lane(struct mill_pool *pool, enum mill_lane lane);

/* Lets `active` workers (1 to worker_count) take work. */
void mill_pool_set_active(struct mill_pool *pool, int active);

/* Memory is short, says a worker: calls them all (mill_worker_call), for what garbage their states hold.
 * Not more often than that helps. */
void mill_pool_ask_to_collect(struct mill_pool *pool, int64_t now);

/* Ready tasks that nobody has begun: a guess. */
int64_t mill_pool_queued(struct mill_pool *pool);

/* ---- for workers ------------------------------------------------------------------------------ */

/* Wakes at most `count` of the sleeping workers that take work: another one would not do it. */
#define MILL_TAKES_WORK (1u << 31) /* their bit in pool->idle */
void mill_pool_wake(struct mill_pool *pool, int count);

/* A task is ready, says no worker of the pool: any thread. */
void mill_pool_inject(struct mill_pool *pool, struct mill_task *task);

/* The same of a task that is for no certain worker. */
void mill_pool_offer(struct mill_pool *pool, struct mill_task *task);

/* How near the limit of memory is. */
static inline enum mill_pressure mill_pool_pressure(const struct mill_pool *pool)
{
    const struct mill_memory *memory = pool->options.memory;
    return memory ? mill_memory_pressure(memory) : MILL_PRESSURE_NONE;
}

static inline bool mill_worker_is_active(const struct mill_worker *worker)
{
    /* Relaxed: one that notices late takes one task more. */
    return worker->index < atomic_load_explicit(&worker->pool->active, memory_order_relaxed);
}

/* Tells the hook of the pool's options, when there is one. */
void mill_worker_tell(struct mill_worker *worker, enum mill_event event, struct mill_task *task,
                      int argument, int64_t begin, int64_t end);

/* Whether a worker that is awake may begin a root: while memory is short only when nobody else does
 * anything, which could free some. */
bool mill_pool_may_begin(struct mill_pool *pool);

#endif
