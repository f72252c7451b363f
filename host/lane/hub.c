/* hub: one thread with a libuv loop that does the engine's input and output.
 * SPDX-License-Identifier: MIT */
#include "lane/hub.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lane/server.h"
#include "lane/tcp.h"
#include "sched/parked.h"

/* ---- operations, any thread ------------------------------------------------------------------ */

struct mill_hub *mill_hub_ref(struct mill_hub *hub)
{
    /* Relaxed: whoever hands out a reference already holds one. */
    atomic_fetch_add_explicit(&hub->refs, 1, memory_order_relaxed);
    return hub;
}

void mill_hub_unref(struct mill_hub *hub)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (hub == NULL || atomic_fetch_sub_explicit(&hub->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    mill_birth_fini(&hub->birth);
    pthread_mutex_destroy(&hub->mutex);
    free(hub);
}

void mill_operation_init(struct mill_operation *operation,
                         const struct mill_operation_kind *kind)
{
    memset(operation, 0, sizeof *operation);
    operation->kind = kind;
    atomic_init(&operation->refs, 1);
    mill_source_init(&operation->end);
}

struct mill_operation *mill_operation_ref(struct mill_operation *operation)
{
    atomic_fetch_add_explicit(&operation->refs, 1, memory_order_relaxed); /* as mill_hub_ref */
    return operation;
}

void mill_operation_unref(struct mill_operation *operation)
{
    /* acq_rel: as mill_hub_unref. */
    if (operation == NULL ||
        atomic_fetch_sub_explicit(&operation->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    struct mill_hub *hub = operation->hub;
    mill_source_fini(&operation->end);
    operation->kind->destroy(operation);
    mill_hub_unref(hub);
}

/* `counts`: it is an operation, which the pool is told of before it can end. */
static bool post_counted(struct mill_hub *hub, struct mill_post *post, bool counts)
{
    if (!mill_birth_is_here(&hub->birth)) return false; /* nobody would ever unlock the mutex */
    pthread_mutex_lock(&hub->mutex);
    bool open = !hub->closed; /* else the pool may be gone */
    if (open) {
        if (counts) mill_pool_enter_outside(hub->pool);
        post->next = NULL;
        if (hub->last) {
            hub->last->next = post;
        } else {
            hub->first = post;
        }
        hub->last = post;
        uv_async_send(
            &hub->async); /* under the mutex: the loop is there while `closed` is not */
    }
    pthread_mutex_unlock(&hub->mutex);
    return open;
}

bool mill_hub_post(struct mill_hub *hub, struct mill_post *post)
{
    return post_counted(hub, post, false);
}

static void begin_operation(struct mill_hub *hub, struct mill_operation *operation);

static void run_start(struct mill_hub *hub, struct mill_post *post)
{
    begin_operation(
        hub,
        (struct mill_operation *)((char *)post - offsetof(struct mill_operation, start_post)));
}

void mill_operation_start(struct mill_operation *operation, struct mill_hub *hub)
{
    operation->hub = mill_hub_ref(hub);
    operation->start_post.run = run_start;
    mill_operation_ref(operation); /* the hub's, until the end */
    if (post_counted(hub, &operation->start_post, true)) return;
    snprintf(operation->failure, sizeof operation->failure, "the engine is closing");
    mill_source_close(&operation->end);
    mill_operation_unref(operation);
}

static void run_cancel(struct mill_hub *hub, struct mill_post *post);

void mill_operation_cancel(struct mill_operation *operation)
{
    if (operation->hub == NULL || mill_operation_ended(operation) ||
        atomic_exchange(&operation->cancelled, true)) {
        return;
    }
    operation->cancel_post.run = run_cancel;
    mill_operation_ref(operation); /* the message's */
    if (!mill_hub_post(operation->hub, &operation->cancel_post)) {
        mill_operation_unref(operation);
    }
}

/* ---- operations, the hub's thread --------------------------------------------------------------- */

static void add_flying(struct mill_hub *hub, struct mill_operation *operation)
{
    operation->older = hub->flying;
    operation->newer = NULL;
    if (hub->flying) hub->flying->newer = operation;
    hub->flying = operation;
}

static void remove_flying(struct mill_hub *hub, struct mill_operation *operation)
{
    if (operation->newer) operation->newer->older = operation->older;
    if (operation->older) operation->older->newer = operation->newer;
    if (hub->flying == operation) hub->flying = operation->older;
}

/* `first`: before all others. */
static void enqueue_operation(struct mill_hub *hub, struct mill_operation *operation,
                              bool first)
{
    operation->phase = MILL_OPERATION_QUEUED;
    operation->older = first ? NULL : hub->last_queued;
    operation->newer = first ? hub->first_queued : NULL;
    if (operation->older) operation->older->newer = operation;
    if (operation->newer) operation->newer->older = operation;
    if (operation->older == NULL) hub->first_queued = operation;
    if (operation->newer == NULL) hub->last_queued = operation;
}

static void dequeue_operation(struct mill_hub *hub, struct mill_operation *operation)
{
    if (operation->older) operation->older->newer = operation->newer;
    if (operation->newer) operation->newer->older = operation->older;
    if (hub->first_queued == operation) hub->first_queued = operation->newer;
    if (hub->last_queued == operation) hub->last_queued = operation->older;
}

void mill_operation_end(struct mill_operation *operation, const char *failure, ...)
{
    if (failure) {
        va_list arguments;
        va_start(arguments, failure);
        vsnprintf(operation->failure, sizeof operation->failure, failure, arguments);
        va_end(arguments);
    }
    if (operation->phase == MILL_OPERATION_QUEUED) dequeue_operation(operation->hub, operation);
    if (operation->phase == MILL_OPERATION_BEGUN) remove_flying(operation->hub, operation);
    struct mill_pool *pool = operation->hub->pool;
    mill_source_close(&operation->end);
    mill_pool_leave_outside(
        pool); /* after its waiter was told: nothing counts as stuck between */
    mill_operation_unref(operation);
}

static void cancel(struct mill_operation *operation)
{
    if (operation->cancelling) return;
    operation->cancelling = true;
    operation->kind->cancel(operation);
}

static void begin_now(struct mill_hub *hub, struct mill_operation *operation)
{
    operation->phase = MILL_OPERATION_BEGUN;
    add_flying(hub, operation);
    operation->kind->begin(operation);
}

static void begin_operation(struct mill_hub *hub, struct mill_operation *operation)
{
    if (hub->closing || atomic_load(&operation->cancelled)) {
        mill_operation_end(operation, "cancelled");
        return;
    }
    enum mill_slot slot = operation->kind->slot;
    if (slot != MILL_SLOT_NONE && (hub->first_queued || !mill_hub_take_slot(hub, slot))) {
        enqueue_operation(hub, operation, false);
    } else {
        begin_now(hub, operation);
    }
}

static void run_cancel(struct mill_hub *hub, struct mill_post *post)
{
    struct mill_operation *operation =
        (struct mill_operation *)((char *)post - offsetof(struct mill_operation, cancel_post));
    (void)hub;
    if (!mill_operation_ended(operation)) {
        if (operation->phase == MILL_OPERATION_BEGUN) {
            cancel(operation);
        } else {
            mill_operation_end(operation, "cancelled");
        }
    }
    mill_operation_unref(operation);
}

bool mill_hub_take_slot(struct mill_hub *hub, enum mill_slot slot)
{
    if (hub->used[slot] >= hub->slots[slot]) return false;
    hub->used[slot]++;
    return true;
}

/* One that ends at once gives its slot back while this runs: the loop here goes on, and nothing
 * nests. */
static void begin_queued(struct mill_hub *hub)
{
    if (hub->starting) return;
    hub->starting = true;
    while (hub->first_queued && mill_hub_take_slot(hub, MILL_SLOT_OUT)) {
        struct mill_operation *operation = hub->first_queued;
        dequeue_operation(hub, operation);
        begin_now(hub, operation);
    }
    hub->starting = false;
}

void mill_hub_give_slot(struct mill_hub *hub, enum mill_slot slot)
{
    if (slot == MILL_SLOT_NONE) return;
    hub->used[slot]--;
    if (hub->closing) return;
    if (slot == MILL_SLOT_OUT) begin_queued(hub);
    if (slot == MILL_SLOT_ACCEPTED) mill_servers_resume(hub);
}

bool mill_hub_requeue(struct mill_operation *operation)
{
    struct mill_hub *hub = operation->hub;
    if (hub->used[MILL_SLOT_OUT] < 2) return false;
    remove_flying(hub, operation);
    enqueue_operation(hub, operation, true);
    hub->used[MILL_SLOT_OUT]--;
    hub->slots[MILL_SLOT_OUT] = hub->used[MILL_SLOT_OUT];
    return true;
}

/* ---- the thread ----------------------------------------------------------------------------------- */

static void cancel_all(struct mill_hub *hub)
{
    while (hub->first_queued) mill_operation_end(hub->first_queued, "the engine is closing");
    struct mill_operation *operation = hub->flying;
    while (operation) {
        /* It may end, and others of its connection with it: from the start again. */
        if (operation->cancelling) {
            operation = operation->older;
        } else {
            cancel(operation);
            operation = hub->flying;
        }
    }
    while (hub->servers) mill_server_shut(hub->servers);
    while (hub->tcps) mill_tcp_close(hub->tcps);
}

static void read_posts(uv_async_t *async)
{
    struct mill_hub *hub = async->data;
    pthread_mutex_lock(&hub->mutex);
    struct mill_post *post = hub->first;
    hub->first = hub->last = NULL;
    bool closed = hub->closed;
    pthread_mutex_unlock(&hub->mutex);
    while (post) {
        struct mill_post *next = post->next;
        post->run(hub, post);
        post = next;
    }
    if (!closed || hub->closing) return;
    hub->closing = true;
    cancel_all(hub);
    uv_close((uv_handle_t *)&hub->async, NULL);
}

static void *hub_main(void *argument)
{
    struct mill_hub *hub = argument;
    uv_run(&hub->loop, UV_RUN_DEFAULT); /* until `async` and all else are closed */
    mill_guard_fini(&hub->guard);
    return NULL;
}

/* Half of the descriptors that are left to the process for what goes out, half for what comes in. */
static void set_slots(struct mill_hub *hub, int descriptors)
{
    enum { OTHERS = 64, LEAST = 8, MOST = 1 << 20 };
    struct rlimit limit;
    if (descriptors == 0) {
        bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0;
        rlim_t most = known && limit.rlim_cur < MOST ? limit.rlim_cur : MOST;
        descriptors = known ? (int)most - OTHERS : 0;
    }
    int half = descriptors / 2 > LEAST ? descriptors / 2 : LEAST;
    hub->slots[MILL_SLOT_OUT] = hub->slots[MILL_SLOT_ACCEPTED] = half;
}

static int start_loop(struct mill_hub *hub)
{
    /* Signals are the host program's business; see the head of hub.h for SIGPIPE. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(&hub->thread, NULL, hub_main, hub);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure;
}

/* A loop that has no thread yet, or none any more. */
static void close_loop(struct mill_hub *hub)
{
    uv_run(&hub->loop, UV_RUN_DEFAULT);
    uv_loop_close(&hub->loop);
}

tidemill_status mill_hub_open(struct mill_pool *pool, int descriptors, struct mill_hub **out,
                              struct mill_error *error)
{
    struct mill_hub *hub = calloc(1, sizeof *hub);
    if (hub == NULL) return mill_no_memory(error, "the thread for input and output");
    atomic_init(&hub->refs, 1);
    hub->pool = pool;
    mill_birth_init(&hub->birth);
    pthread_mutex_init(&hub->mutex, NULL);
    set_slots(hub, descriptors);
    int failure = uv_loop_init(&hub->loop);
    if (failure == 0) {
        hub->loop.data = hub;
        failure = uv_async_init(&hub->loop, &hub->async, read_posts);
        hub->async.data = hub;
        if (failure == 0) {
            failure = -start_loop(hub);
            if (failure) uv_close((uv_handle_t *)&hub->async, NULL);
        }
        if (failure) close_loop(hub);
    }
    if (failure == 0) {
        *out = hub;
        return TIDEMILL_OK;
    }
    mill_hub_unref(hub);
    return mill_fail(error, TIDEMILL_ERROR, "cannot start the thread for input and output: %s",
                     uv_strerror(failure));
}

void mill_hub_close(struct mill_hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub->closed = true;
    uv_async_send(&hub->async);
    pthread_mutex_unlock(&hub->mutex);
    pthread_join(hub->thread, NULL);
    uv_loop_close(&hub->loop);
    mill_hub_unref(hub);
}
