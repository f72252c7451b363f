/* run: a set of tasks in flight: what some wanted nodes need, each once.
 * A run is built by the thread that owns the graph, executed by the pool's workers, and read by
 * the owner when it has ended.  SPDX-License-Identifier: MIT */
#ifndef MILL_RUN_H
#define MILL_RUN_H

#include <pthread.h>

#include "sched/graph.h"
#include "sched/task.h"
#include "sched/wait.h"

struct mill_pool;
struct mill_worker;

/* What a hook made of a task that is ready. */
enum mill_verdict {
    MILL_RUN_BODY, /* run the body now: every input's value is in memory */
    MILL_TAKEN,    /* the hook completed the task, or it waits for a revived input */
};

/* The cache's way in: a lower floor calls an upper one only through this. */
struct mill_hooks {
    enum mill_verdict (*before)(void *context, struct mill_worker *worker,
                                struct mill_task *task);
    /* The body has returned *value; called before anybody can read it.  It may set
     * MILL_TASK_KEPT and the run's content hash of the task. */
    void (*after)(void *context, struct mill_worker *worker, struct mill_task *task,
                  const struct mill_value *value);
    /* The body has ended, well or not; after `after`. */
    void (*ended)(void *context, struct mill_worker *worker, struct mill_task *task);
    /* The body has failed and the task will be tried again; may be NULL. */
    void (*retried)(void *context, struct mill_worker *worker, struct mill_task *task);
    void (*release)(void *context, struct mill_run *run); /* it is freed */
    void *context;
};

/* Where a ready task runs. */
enum mill_strategy {
    MILL_DYNAMIC,       /* on whichever worker is free: work stealing */
    MILL_ROUND_ROBIN,   /* workers in turn, by the task's place in the run */
    MILL_LOAD_BALANCED, /* where it is predicted to finish first */
    MILL_AFFINITY,      /* same key, same worker; without a key where its inputs were made */
    MILL_STRATEGIES,
    MILL_PINNED = MILL_STRATEGIES, /* each task where its `worker` says */
};

/* Whether a run was cancelled; a run that a task has started is cancelled with its own. */
struct mill_token {
    _Atomic int32_t refs;
    _Atomic bool cancelled;
    _Atomic uint32_t
        checked; /* 1 + the pool's `cancels` when nothing above was cancelled: spares
                                  deep tasks the way up */
    struct mill_token *parent; /* with a reference */
};

/* When a task ran, nanoseconds; before it is placed `begin` is 0, then what it is thought to
 * take. */
struct mill_span {
    int64_t begin, end;
};

struct mill_retry; /* a task that is tried again */
struct mill_delay; /* one that looks again */

enum { MILL_RUN_LOCKS = 32, MILL_RETRY_LISTS = 64 };

struct mill_run {
    struct mill_pool *pool;
    struct mill_graph *graph; /* NULL, at the end: it is gone */
    struct mill_hooks hooks;  /* before == NULL: a run without a cache */
    struct mill_notes *notes; /* the hooks' own, both; NULL: none */
    struct mill_claims *claims;
    struct mill_inquiry *inquiry; /* what somebody wants to know of it; NULL: nothing */
    bool inquired;                /* it was told how it ended */
    bool dry;                     /* no body runs, and skipped tasks do not count */

    /* Fixed once built. */
    void *block;                /* holds `tasks` to `roots`: malloc'ed, or it is in `pages` */
    struct mill_pages pages;    /* length 0: none */
    struct mill_memory *memory; /* to which they go back */
    struct mill_task *tasks;    /* count + 1: the last one ends the lists of the one before */
    uint32_t count;
    uint32_t *inputs; /* indexes of tasks, each task's in the order of its arguments */
    uint32_t *dependents;
    uint32_t *roots; /* tasks without inputs, higher priority first */
    uint32_t root_count;
    uint32_t level_end[MILL_LEVELS]; /* in `roots`: where those of the level end */
    uint32_t *wanted;                /* tasks of the wanted nodes, in the order asked for */
    uint32_t wanted_count;
    struct mill_function **functions; /* owned references */
    uint32_t function_count;
    struct mill_hash *content; /* one a task, in runs with a cache: written before `state` */
    uint64_t seed;
    struct mill_token *token;
    enum mill_strategy strategy;
    bool placed; /* some task is for a certain worker, or for a lane */
    uint32_t
        lane_roots; /* behind the other roots: they do not wait for a thread to take them */
    uint32_t turn;  /* of its first task, when they go round robin */
    struct mill_span *spans; /* one a task, when somebody wants to know; else NULL */
    int refs;                /* of the thread that built it */
    bool nested;             /* a task has started it */
    _Atomic bool asked;      /* somebody wants to know how it ended */
    _Atomic bool reported;   /* an error of it is in the engine's list */

    /* In runs with a cache locks[index % MILL_RUN_LOCKS] guards `state` and `result` of a task
     * that has ended, and who waits for such a task in revivals[..]. */
    pthread_mutex_t *locks; /* MILL_RUN_LOCKS of each */
    struct mill_revival **revivals;

    /* Tasks that failed and are tried again. */
    pthread_mutex_t retry_lock;
    struct mill_retry **retries; /* MILL_RETRY_LISTS, by index; NULL: none yet */
    struct mill_delay *delays;   /* tasks that look again later; the same lock */

    /* The pool's: roots not taken yet; guarded by the pool's mutex. */
    uint32_t next_root;
    struct mill_run *next_queued;

    /* Anybody. */
    _Atomic bool begun;         /* a worker has taken up a task */
    _Atomic int64_t unfinished; /* tasks not counted yet */
    struct mill_source end;     /* closes when the run has ended */
    _Atomic int64_t failed, skipped, retried;
    _Atomic int64_t done;         /* counted tasks; see mill_run_done */
    _Atomic int32_t first_failed; /* least index; MILL_NO_CAUSE: none */
};

/* A function of a run by the number that its nodes carry; the run takes its own reference. On
 * NULL the reason is the caller's to know. */
typedef struct mill_function *mill_function_of(void *context, uint32_t number);

/* Builds the run of `wanted` (indexes of nodes; duplicates are fine).  function_of lends the
 * function of a node's number, one call a number; NULL from it fails the build.  NULL and *error
 * on failure. */
struct mill_run *mill_run_new(struct mill_graph *graph, const uint32_t *wanted,
                              uint32_t wanted_count, mill_function_of *function_of,
                              void *context, struct mill_error *error);

/* The run has ended, or was never started, or its pool is closed. */
void mill_run_free(struct mill_run *run);

static inline bool mill_run_ended(struct mill_run *run)
{
    return mill_source_closed(&run->end);
}

/* NULL: no memory. */
struct mill_token *mill_token_new(void);
void mill_token_unref(struct mill_token *token);

/* The run is cancelled with `parent` (NULL: by itself alone): with the run of the task that starts
 * it, or with everything.  Before it is submitted. */
void mill_run_set_parent(struct mill_run *run, struct mill_token *parent);

/* Room for the times of its tasks; false: no memory.  Before the run is submitted. */
bool mill_run_measure(struct mill_run *run);

/* Whether it was cancelled, itself or above.  A task that starts a moment later is as good as one that
 * started before. */
bool mill_run_cancelled(const struct mill_run *run);

static inline uint32_t mill_task_inputs(const struct mill_task *task)
{
    return task[1].first_input - task->first_input;
}

static inline const struct mill_function *mill_task_function(const struct mill_task *task)
{
    return task->run->functions[task->function];
}

static inline int mill_task_level(const struct mill_task *task)
{
    return mill_task_function(task)->priority + MILL_LEVEL_ZERO;
}

static inline enum mill_state mill_task_state(struct mill_task *task)
{
    /* Pairs with the release store of mill_run_complete: the result is there to read. */
    return (enum mill_state)atomic_load_explicit(&task->state, memory_order_acquire);
}

/* ---- ending tasks: called by workers --------------------------------------------------- */

/* Ends a task; the reference in `result` passes to it.  Tasks that become ready go to
 * push(worker, task).  The run is alive until the task is counted. */
void mill_run_complete(struct mill_run *run, struct mill_worker *worker, struct mill_task *task,
                       enum mill_state state, struct mill_value result,
                       void (*push)(struct mill_worker *, struct mill_task *));

/* Counts tasks that have ended, all by the caller.  True when no other was left: then the run has
 * ended, those who wait for it were told, and it may be gone already. */
bool mill_run_count(struct mill_run *run, int64_t tasks);

/* In runs with a cache: `waiter` is ready but the results of its inputs `lost` are not to be
 * had (gone from the store).  They are pending again and run once more; `waiter` is pushed after
 * them, to end as skipped when one of them does not finish. */
void mill_run_revive(struct mill_run *run, struct mill_worker *worker,
                     struct mill_task *const *lost, uint32_t count, struct mill_task *waiter,
                     void (*push)(struct mill_worker *, struct mill_task *));

/* In runs with a cache: `waiter` is ready, but `leader` is about to have the same result.  True: the
 * waiter is pushed again when the leader has ended, whose result is kept until
 * mill_run_unfollow.  False: the leader has ended, or memory is short. */
bool mill_run_follow(struct mill_run *run, struct mill_task *leader, struct mill_task *waiter);
void mill_run_unfollow(struct mill_task *leader);

/* Whether the result of a finished task is in memory.  Under its lock in runs with a cache. */
static inline bool mill_task_has_value(const struct mill_task *task)
{
    return task->result.tag != MILL_TAG_STORED && task->result.tag != MILL_TAG_GONE;
}

static inline pthread_mutex_t *mill_run_lock(struct mill_task *task)
{
    return &task->run->locks[task->index % MILL_RUN_LOCKS];
}

#endif
