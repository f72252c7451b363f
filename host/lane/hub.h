/* hub: one thread with a libuv loop that does the engine's input and output.
 *
 * Any thread makes an operation, starts it and waits for its end, which is a source (sched/wait.h);
 * the hub's thread does all between.  No Lua in here, and no file of this floor touches the loop
 * from another thread.
 *
 *                                | any thread | the hub's thread
 *     hub_open, _close           |  the owner, one at a time
 *     operation_start, _cancel,  |     x      |
 *     _ended, hub_post, ref,     |     x      |
 *     unref                      |     x      |        x
 *     all the rest               |            |        x
 *
 * In somebody's process: the thread blocks all signals, so that a write to a connection that is
 * gone raises no SIGPIPE anywhere; the loop watches no signals and starts no processes.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_HUB_H
#define MILL_HUB_H

#include <pthread.h>
#include <uv.h>

#include "base/birth.h"
#include "base/status.h"
#include "lane/guard.h"
#include "sched/pool.h"

struct mill_hub;
struct mill_operation;

/* ---- messages to the hub's thread ----------------------------------------------------------- */

struct mill_post { /* inside of what it is about, which lives until it was run */
    struct mill_post *next;
    void (*run)(struct mill_hub *hub, struct mill_post *post);
};

/* False: the hub has closed, or is another process's, and nothing will be run. */
bool mill_hub_post(struct mill_hub *hub, struct mill_post *post);

/* ---- operations -------------------------------------------------------------------------------- */

/* Descriptors are few: who needs one takes a slot first, and gives it back.  Those of connections
 * that were accepted are counted apart, so that requests of a process to itself leave room for
 * their answers. */
enum mill_slot { MILL_SLOT_NONE, MILL_SLOT_OUT, MILL_SLOT_ACCEPTED, MILL_SLOTS };

struct mill_operation_kind {
    enum mill_slot slot; /* it waits for one before it begins; OUT or NONE */
    /* Begins it; mill_operation_end is called now or later.  It ends what it was given a slot for by
     * mill_hub_give_slot. */
    void (*begin)(struct mill_operation *operation);
    /* It has begun and is to end soon. */
    void (*cancel)(struct mill_operation *operation);
    void (*destroy)(struct mill_operation *operation); /* frees it; any thread */
};

struct mill_operation {
    const struct mill_operation_kind *kind;
    _Atomic int32_t refs;
    struct mill_hub *hub;   /* with a reference from its start on */
    struct mill_source end; /* closes when it has ended; then the results are there to read */
    char failure[300];      /* "": it went well; written before the end */
    _Atomic bool cancelled; /* somebody has asked for it */
    struct mill_post start_post, cancel_post;

    /* The hub's thread's. */
    enum { MILL_OPERATION_NEW, MILL_OPERATION_QUEUED, MILL_OPERATION_BEGUN } phase;
    bool cancelling;                      /* its kind was told */
    struct mill_operation *older, *newer; /* in flight; or before and after in the queue */
};

/* One reference: the caller's. */
void mill_operation_init(struct mill_operation *operation,
                         const struct mill_operation_kind *kind);
struct mill_operation *mill_operation_ref(struct mill_operation *operation);
void mill_operation_unref(struct mill_operation *operation); /* NULL is fine */

/* Hands it to the hub; when that has closed it ends at once, with a failure. */
void mill_operation_start(struct mill_operation *operation, struct mill_hub *hub);

/* Nobody waits for it any more: it ends soon, and what it holds is closed. */
void mill_operation_cancel(struct mill_operation *operation);

static inline bool mill_operation_ended(struct mill_operation *operation)
{
    return mill_source_closed(&operation->end);
}

/* The operation has ended; `failure` (NULL: it went well) is its message.  The caller's last access,
 * unless he holds a reference. */
void mill_operation_end(struct mill_operation *operation, const char *failure, ...)
    __attribute__((format(printf, 2, 3)));

/* Where connections to one address are begun, a few at once: lane/dial.c. */
struct mill_door {
    struct mill_dial *first, *last; /* who waits, the longest first */
    int inside;
    bool opening;
};

enum { MILL_DOORS = 64 };

/* ---- the hub ------------------------------------------------------------------------------------- */

struct mill_hub {
    _Atomic int32_t refs;   /* the engine's; those of operations and connections */
    struct mill_pool *pool; /* until the hub has closed */
    struct mill_birth birth;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct mill_post *first, *last; /* guarded by mutex */
    bool closed;                    /* guarded by mutex */

    /* The hub's thread's. */
    uv_loop_t loop;
    uv_async_t async;
    bool closing;
    struct mill_operation *flying;                     /* the newest first */
    struct mill_operation *first_queued, *last_queued; /* wait for a slot */
    bool starting;                                     /* queued ones are being begun */
    int slots[MILL_SLOTS], used[MILL_SLOTS];
    struct mill_tcp *tcps;       /* open ones, the newest first */
    struct mill_server *servers; /* open ones, the newest first */
    struct mill_guard guard;     /* of programs that run */
    struct mill_door doors[MILL_DOORS];
    char scratch[1 << 16]; /* where bytes arrive before they are somebody's */
};

/* Starts the thread.  `descriptors`: how many it may use in all; 0: what the process's limit
 * leaves. */
tidemill_status mill_hub_open(struct mill_pool *pool, int descriptors, struct mill_hub **hub,
                              struct mill_error *error);

/* Cancels what is in flight, ends the thread and gives the owner's reference back.  A look-up of a
 * name, and work on a file, that have begun are waited for.  No operation's waiter is left out: all
 * sources close. */
void mill_hub_close(struct mill_hub *hub);

struct mill_hub *mill_hub_ref(struct mill_hub *hub);
void mill_hub_unref(struct mill_hub *hub);

/* False: there is none. */
bool mill_hub_take_slot(struct mill_hub *hub, enum mill_slot slot);
void mill_hub_give_slot(struct mill_hub *hub, enum mill_slot slot);

/* A descriptor could not be had although there was a slot: the process has others open.  Lowers the
 * bound to what is in use and puts the operation, which has a slot of its own and gives it back,
 * into the queue again; false: nothing is in use whose end could be waited for. */
bool mill_hub_requeue(struct mill_operation *operation);

#endif
