/* run: a set of tasks in flight: what some wanted nodes need, each once.
 * SPDX-License-Identifier: MIT */
#include "sched/run.h"

#include <stdlib.h>

#include "sched/delay.h"
#include "sched/draft.h"
#include "sched/pool.h"
#include "sched/retry.h"

/* `waiter` is ready but for the result of `lost`, which is made again. */
struct mill_revival {
    struct mill_task *lost, *waiter;
    struct mill_revival *next;
};

/* ---- making and freeing ---------------------------------------------------------------- */

struct mill_token *mill_token_new(void)
{
    struct mill_token *token = calloc(1, sizeof *token);
    if (token) atomic_init(&token->refs, 1);
    return token;
}

/* With room for the list of the wanted behind it. */
static struct mill_run *run_alloc(struct mill_graph *graph, uint32_t wanted)
{
    struct mill_run *run = malloc(sizeof *run + (size_t)wanted * sizeof *run->wanted);
    struct mill_token *token = mill_token_new();
    if (run == NULL || token == NULL) {
        free(run);
        free(token);
        return NULL;
    }
    memset(run, 0, sizeof *run);
    run->graph = graph;
    run->wanted = (uint32_t *)(run + 1);
    run->refs = 1;
    run->token = token;
    mill_source_init(&run->end);
    pthread_mutex_init(&run->retry_lock, NULL);
    atomic_init(&run->first_failed, MILL_NO_CAUSE);
    return run;
}

void mill_run_set_parent(struct mill_run *run, struct mill_token *parent)
{
    run->token->parent = parent;
    if (parent) atomic_fetch_add_explicit(&parent->refs, 1, memory_order_relaxed);
}

bool mill_run_cancelled(const struct mill_run *run)
{
    /* Acquire: pairs with the count of a cancel, which comes after its mark. */
    uint32_t now =
        run->pool ? atomic_load_explicit(&run->pool->cancels, memory_order_acquire) + 1 : 0;
    const struct mill_token *token = run->token;
    for (; token; token = token->parent) {
        if (atomic_load_explicit(&token->cancelled, memory_order_relaxed)) return true;
        if (now && atomic_load_explicit(&token->checked, memory_order_relaxed) == now) break;
    }
    atomic_store_explicit(&run->token->checked, now, memory_order_relaxed);
    return false;
}

bool mill_run_measure(struct mill_run *run)
{
    if (run->spans == NULL) run->spans = calloc(run->count + 1, sizeof *run->spans);
    return run->spans != NULL;
}

struct mill_run *mill_run_new(struct mill_graph *graph, const uint32_t *wanted,
                              uint32_t wanted_count, mill_function_of *function_of,
                              void *context, struct mill_error *error)
{
    struct mill_run *run = run_alloc(graph, wanted_count);
    if (run == NULL) {
        mill_no_memory(error, "a run's tasks");
    } else if (!mill_draft(run, wanted, wanted_count, function_of, context, error)) {
        mill_run_free(run);
        run = NULL;
    } else {
        atomic_init(&run->unfinished, run->count);
        if (run->count == 0) mill_source_close(&run->end);
    }
    return run;
}

void mill_token_unref(struct mill_token *token)
{
    while (token) {
        struct mill_token *parent = token->parent;
        /* acq_rel pairs with itself: the last one sees every use before it. */
        if (atomic_fetch_sub_explicit(&token->refs, 1, memory_order_acq_rel) > 1) return;
        free(token);
        token = parent;
    }
}

static void free_revivals(struct mill_run *run)
{
    for (int i = 0; run->revivals && i < MILL_RUN_LOCKS; i++) {
        while (run->revivals[i]) {
            struct mill_revival *next = run->revivals[i]->next;
            free(run->revivals[i]);
            run->revivals[i] = next;
        }
    }
    free(run->revivals);
}

void mill_run_free(struct mill_run *run)
{
    if (run == NULL) return;
    if (run->hooks.release) run->hooks.release(run->hooks.context, run); /* it may look at it */
    for (uint32_t i = 0; i < run->count; i++) {
        mill_value_unref(run->tasks[i].result);
        if (run->graph) mill_node_unref(run->graph, run->tasks[i].node);
    }
    for (uint32_t i = 0; i < run->function_count; i++) mill_function_unref(run->functions[i]);
    for (int i = 0; run->locks && i < MILL_RUN_LOCKS; i++) {
        pthread_mutex_destroy(&run->locks[i]);
    }
    mill_retries_free(run);
    mill_delays_free(run);
    pthread_mutex_destroy(&run->retry_lock);
    mill_source_fini(&run->end);
    mill_token_unref(run->token);
    free_revivals(run);
    if (run->pages.length) {
        mill_memory_give(run->memory, run->pages);
    } else {
        free(run->block);
    }
    free(run->functions);
    free(run->content);
    free(run->locks);
    free(run->spans);
    free(run);
}

/* ---- ending tasks --------------------------------------------------------------------- */

static void lower(_Atomic int32_t *least, int32_t value)
{
    int32_t now = atomic_load_explicit(least, memory_order_relaxed);
    while (value < now && !atomic_compare_exchange_weak_explicit(
                              least, &now, value, memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* Nobody will read the result any more: it goes, unless it was asked for.  (A task of a run has
 * readers or was asked for.) */
static void drop_result(struct mill_task *task)
{
    if (atomic_load_explicit(&task->flags, memory_order_relaxed) & MILL_TASK_WANTED) return;
    if (mill_task_state(task) != MILL_FINISHED) return; /* an error stays: people want it */
    pthread_mutex_t *lock = task->run->content ? mill_run_lock(task) : NULL;
    if (lock) pthread_mutex_lock(lock);
    /* A revival may have made readers again meanwhile. */
    if (atomic_load_explicit(&task->readers, memory_order_relaxed) == 0) {
        uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
        mill_value_unref(task->result);
        task->result.tag = flags & MILL_TASK_KEPT ? MILL_TAG_STORED : MILL_TAG_GONE;
    }
    if (lock) pthread_mutex_unlock(lock);
}

/* Takes one off a count that only falls while the caller is in it; true when it was the last.
 * Who finds 1 there is alone and needs no locked instruction. */
static bool take_last(_Atomic int32_t *count)
{
    /* Acquire and release: the last one sees what all others did before. */
    if (atomic_load_explicit(count, memory_order_acquire) == 1) {
        atomic_store_explicit(count, 0, memory_order_relaxed);
        return true;
    }
    return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
}

/* One use of `input`'s result is over.  In runs with a cache a revival may add readers. */
static void release_input(struct mill_task *input)
{
    bool last = input->run->content
                    ? atomic_fetch_sub_explicit(&input->readers, 1, memory_order_acq_rel) == 1
                    : take_last(&input->readers);
    if (last) drop_result(input);
}

static void notify(struct mill_worker *worker, struct mill_task *dependent, int32_t cause,
                   void (*push)(struct mill_worker *, struct mill_task *))
{
    if (cause != MILL_NO_CAUSE) lower(&dependent->cause, cause);
    if (take_last(&dependent->missing)) push(worker, dependent);
}

/* Takes the revivals that wait for `lost` out of the run's. */
static struct mill_revival *take_revivals(struct mill_run *run, struct mill_task *lost)
{
    struct mill_revival *found = NULL;
    pthread_mutex_t *lock = mill_run_lock(lost);
    pthread_mutex_lock(lock);
    struct mill_revival **link = &run->revivals[lost->index % MILL_RUN_LOCKS];
    while (*link) {
        struct mill_revival *revival = *link;
        if (revival->lost != lost) {
            link = &revival->next;
            continue;
        }
        *link = revival->next;
        revival->next = found;
        found = revival;
    }
    pthread_mutex_unlock(lock);
    return found;
}

static void notify_waiters(struct mill_run *run, struct mill_worker *worker,
                           struct mill_task *task, int32_t cause,
                           void (*push)(struct mill_worker *, struct mill_task *))
{
    struct mill_revival *found = take_revivals(run, task);
    while (found) {
        struct mill_revival *next = found->next;
        notify(worker, found->waiter, cause, push);
        free(found);
        found = next;
    }
}

/* What a task that ended in `state` passes on to those that read it. */
static int32_t cause_of(struct mill_task *task, enum mill_state state)
{
    if (state == MILL_FINISHED) return MILL_NO_CAUSE;
    if (state != MILL_SKIPPED) return (int32_t)task->index;
    return atomic_load_explicit(&task->cause, memory_order_relaxed);
}

static void set_result(struct mill_task *task, enum mill_state state, struct mill_value result)
{
    pthread_mutex_t *lock = task->run->content ? mill_run_lock(task) : NULL;
    if (lock) pthread_mutex_lock(lock);
    task->result = result; /* it was nil or, before a revival, STORED or GONE */
    /* Release: pairs with mill_task_state. */
    atomic_store_explicit(&task->state, (uint8_t)state, memory_order_release);
    if (lock) pthread_mutex_unlock(lock);
}

void mill_run_complete(struct mill_run *run, struct mill_worker *worker, struct mill_task *task,
                       enum mill_state state, struct mill_value result,
                       void (*push)(struct mill_worker *, struct mill_task *))
{
    /* 1. What it was. */
    bool revived = atomic_load_explicit(&task->flags, memory_order_relaxed) & MILL_TASK_REVIVED;
    int32_t cause = cause_of(task, state);
    if (state == MILL_FAILED) {
        lower(&run->first_failed, cause);
        atomic_fetch_add_explicit(&run->failed, 1, memory_order_relaxed);
    } else if (state == MILL_SKIPPED) {
        atomic_fetch_add_explicit(&run->skipped, 1, memory_order_relaxed);
    }
    uint32_t inputs = mill_task_inputs(task);
    uint32_t first = task->first_dependent, end = task[1].first_dependent;

    /* 2. Its result, for those who read it. */
    set_result(task, state, result);

    /* 3. Those who waited for it.  A revived task's dependents have been told before. */
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (flags & MILL_TASK_AWAITED) notify_waiters(run, worker, task, cause, push);
    if (!revived) {
        for (uint32_t i = first; i < end; i++) {
            notify(worker, &run->tasks[run->dependents[i]], cause, push);
        }
    }

    /* 4. What it read. A revived task's own uses were counted again by its revival. */
    for (uint32_t i = 0; i < inputs; i++) {
        release_input(&run->tasks[run->inputs[task->first_input + i]]);
    }
}

bool mill_run_count(struct mill_run *run, int64_t tasks)
{
    atomic_fetch_add_explicit(&run->done, tasks, memory_order_relaxed);
    /* Acquire and release: who counts the last one has seen all the others. */
    if (atomic_fetch_sub_explicit(&run->unfinished, tasks, memory_order_acq_rel) != tasks) {
        return false;
    }
    mill_source_close(&run->end);
    return true;
}

/* ---- making results again --------------------------------------------------------------- */

enum wait { FIRST, QUEUED, NEEDLESS };

/* Puts `revival` behind its lost task.  FIRST: nobody has yet, so that the task is to be started.
 * NEEDLESS: the result came back meanwhile, or the task was made again and did not finish, for
 * which *cause is the reason.  All is decided under the lock under which the task ends, so that
 * it is started once and every waiter is told. */
static enum wait join_revival(struct mill_run *run, struct mill_revival *revival,
                              int32_t *cause)
{
    struct mill_task *lost = revival->lost;
    struct mill_revival **list = &run->revivals[lost->index % MILL_RUN_LOCKS];
    pthread_mutex_t *lock = mill_run_lock(lost);
    enum wait wait = NEEDLESS;
    pthread_mutex_lock(lock);
    enum mill_state state = mill_task_state(lost);
    if (state == MILL_FINISHED && !mill_task_has_value(lost)) {
        atomic_store_explicit(&lost->state, MILL_PENDING, memory_order_relaxed);
        wait = FIRST;
    } else if (state == MILL_PENDING) {
        wait = QUEUED;
    } else {
        *cause = cause_of(lost, state);
    }
    if (wait != NEEDLESS) {
        atomic_fetch_or_explicit(&lost->flags, MILL_TASK_AWAITED, memory_order_relaxed);
        revival->next = *list;
        *list = revival;
    }
    pthread_mutex_unlock(lock);
    return wait;
}

/* It reads its inputs once more and ends once more. */
static void start_again(struct mill_run *run, struct mill_task *lost)
{
    for (uint32_t i = 0; i < mill_task_inputs(lost); i++) {
        atomic_fetch_add_explicit(&run->tasks[run->inputs[lost->first_input + i]].readers, 1,
                                  memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&run->unfinished, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&run->done, 1, memory_order_relaxed);
    atomic_fetch_and_explicit(&lost->flags, (uint8_t)~MILL_TASK_KEPT, memory_order_relaxed);
    atomic_fetch_or_explicit(&lost->flags, MILL_TASK_REVIVED, memory_order_relaxed);
}

void mill_run_revive(struct mill_run *run, struct mill_worker *worker,
                     struct mill_task *const *lost, uint32_t count, struct mill_task *waiter,
                     void (*push)(struct mill_worker *, struct mill_task *))
{
    /* One more than there are, until all are queued: the waiter must not start meanwhile. */
    atomic_store_explicit(&waiter->missing, (int32_t)count + 1, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        int32_t cause = (int32_t)lost[i]->index; /* when memory is short: it ends as skipped */
        struct mill_revival *revival = malloc(sizeof *revival);
        if (revival) *revival = (struct mill_revival){lost[i], waiter, NULL};
        enum wait wait = revival ? join_revival(run, revival, &cause) : NEEDLESS;
        if (wait == FIRST) {
            start_again(run, lost[i]);
            push(worker, lost[i]);
        } else if (wait == NEEDLESS) {
            free(revival);
            notify(worker, waiter, cause, push);
        }
    }
    notify(worker, waiter, MILL_NO_CAUSE, push);
}

bool mill_run_follow(struct mill_run *run, struct mill_task *leader, struct mill_task *waiter)
{
    struct mill_revival *revival = malloc(sizeof *revival);
    if (revival == NULL) return false;
    struct mill_revival **list = &run->revivals[leader->index % MILL_RUN_LOCKS];
    pthread_mutex_t *lock = mill_run_lock(leader);
    pthread_mutex_lock(lock);
    bool pending = mill_task_state(leader) == MILL_PENDING;
    if (pending) {
        atomic_store_explicit(&waiter->missing, 1, memory_order_relaxed);
        atomic_fetch_or_explicit(&leader->flags, MILL_TASK_AWAITED, memory_order_relaxed);
        atomic_fetch_add_explicit(&leader->readers, 1, memory_order_relaxed);
        *revival = (struct mill_revival){leader, waiter, *list};
        *list = revival;
    }
    pthread_mutex_unlock(lock);
    if (!pending) free(revival);
    return pending;
}

void mill_run_unfollow(struct mill_task *leader)
{
    release_input(leader);
}
