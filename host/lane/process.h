/* process: the lane whose tasks run in processes of their own, which can be killed.
 *
 * Its worker runs no task itself: it takes one, writes it to an idle child, and goes on; what the
 * child answers ends the task.  It sleeps over the sockets and pidfds of its children.  Children
 * are started by need, up to `most` busy ones, and kept; they know no Lua state of this process.
 *
 *                     | any thread | the lane's thread | nobody runs
 *     wake            |      x     |         x         |
 *     counts          |      x     |         x         |
 *     drive, sleep    |            |         x         |
 *     init, fini      |            |                   |      x
 *
 * SPDX-License-Identifier: MIT */
#ifndef MILL_PROCESS_H
#define MILL_PROCESS_H

#include <poll.h>

#include "lane/child.h"
#include "lane/order.h"
#include "sched/pool.h"

/* What became of a child, for log and trace. */
enum mill_process_event {
    MILL_PROCESS_STARTED,
    MILL_PROCESS_CANCELLED, /* killed: its task was cancelled */
    MILL_PROCESS_TIMEOUT,   /* killed: its task took too long */
    MILL_PROCESS_MEMORY,    /* killed: it took too much */
    MILL_PROCESS_DIED,      /* by itself, or by somebody else's signal */
    MILL_PROCESS_RESTARTED, /* its task begins again in another */
};

/* The upper floors' part; all are called on the lane's thread. */
struct mill_process_hooks {
    /* What every child is told first: how its states are to be. */
    void (*hello)(void *context, struct mill_wire *wire);
    /* What a child is told before each order; *modules is the child's, 0 at first. */
    void (*before)(void *context, size_t *modules, struct mill_wire *wire);
    /* noted, keyed, key, log_level of the worker's running task. */
    void (*describe)(void *context, struct mill_worker *worker, struct mill_order *order);
    /* The running task is about to be suspended; what is kept of it, NULL: no memory. */
    void *(*set_aside)(void *context, struct mill_worker *worker);
    void (*take_up)(void *context, struct mill_worker *worker, void *kept); /* it goes on */
    void (*drop)(void *context, void *kept);                                /* it never will */
    /* What READY has said is read from `reader`; false and *error: it is another release. */
    bool (*ready)(void *context, struct mill_wire_reader *reader, struct mill_error *error);
    /* Text of a task: of kind mill_text_kind. */
    void (*text)(void *context, struct mill_worker *worker, int kind, const char *bytes,
                 size_t size);
    /* A task of a task has failed, and nobody asked. */
    void (*unasked)(void *context, const char *name, size_t size, struct mill_value *error);
    /* The running task has been answered: what it has read. */
    void (*answered)(void *context, struct mill_worker *worker,
                     const struct mill_answer *answer);
    void (*failed)(void *context, struct mill_task *task, const struct mill_value *error);
    void (*event)(void *context, struct mill_worker *worker, enum mill_process_event event,
                  const char *task, const char *text);
    void *context;
};

struct mill_process {
    struct mill_process_hooks hooks;
    const char *program; /* of a child; the owner's */
    int most;            /* children that are busy at once */
    int64_t limit;       /* bytes that a child may take; INT64_MAX: any number */
    struct mill_memory *memory;
    struct mill_pool *pool;
    struct mill_child *children;
    int child_count, busy;
    int waiting; /* of the busy ones, those whose task waits for channels: another may run */
    int bell;    /* eventfd; -1: not open */
    struct pollfd *polled; /* the bell's, then two a child, in their order */
    int polled_room;
    _Atomic bool woken, sleeping; /* see wake */
    _Atomic bool noticed;         /* a channel has something for a child */
    int64_t looked;               /* when memory was looked at */
    struct {                      /* any thread reads: relaxed */
        _Atomic int64_t children, started, restarted, killed, timeouts;
    } counts;
};

/* `process` is zeros but for hooks, program, most, limit, memory, pool. */
tidemill_status mill_process_init(struct mill_process *process, struct mill_error *error);
void mill_process_fini(struct mill_process *process);

/* For mill_lane_driver; the context is the process lane. */
void mill_process_drive(void *process, struct mill_worker *worker);
void mill_process_sleep(void *process, struct mill_worker *worker, int64_t deadline);
void mill_process_wake(void *process);

#endif
