/* join: a task of one run that stands for the result of a task of another.
 * SPDX-License-Identifier: MIT */
#include "sched/join.h"

#include <stdlib.h>

#include "base/clock.h"
#include "sched/attempt.h"
#include "sched/pool.h"

static void join_destroy(struct mill_shared *shared)
{
    struct mill_join *join = (struct mill_join *)shared;
    join->release(join->context, join->run);
    free(join);
}

static const struct mill_shared_kind join_kind = {"a future", join_destroy, NULL, false};

struct mill_join *mill_join_new(struct mill_run *run, uint32_t wanted,
                                void (*release)(void *context, struct mill_run *run),
                                void *context)
{
    struct mill_join *join = calloc(1, sizeof *join);
    if (join == NULL) return NULL;
    mill_shared_init(&join->shared, &join_kind);
    join->run = run;
    join->wanted = wanted;
    join->release = release;
    join->context = context;
    run->refs++;
    return join;
}

/* The other run has ended: the joining task is ready, for any worker. */
static void other_has_ended(struct mill_wait *wait)
{
    mill_pool_inject(wait->owner, wait->task);
}

enum outcome { ENDED, WAITS, NO_MEMORY };

/* WAITS: the task is put behind the other run, whose link alone keeps the wait. */
static enum outcome wait_for_end(struct mill_worker *worker, struct mill_task *task,
                                 struct mill_run *other)
{
    struct mill_wait *wait = mill_wait_new(other_has_ended, worker->pool);
    struct mill_link *link = wait ? mill_link_new(wait, 0) : NULL;
    enum outcome outcome = link ? ENDED : NO_MEMORY;
    if (link) {
        wait->task = task;
        if (!mill_source_attach(&other->end, link)) {
            mill_link_drop(link);
        } else if (mill_wait_park(wait)) {
            outcome = WAITS;
        }
    }
    mill_wait_unref(wait);
    return outcome;
}

/* The task whose error stands for one that did not finish. */
static struct mill_task *reason_of(struct mill_task *source)
{
    if (mill_task_state(source) != MILL_SKIPPED) return source;
    return &source->run->tasks[atomic_load_explicit(&source->cause, memory_order_relaxed)];
}

/* It has run nothing, and so counts as no task of the worker. */
static void finish(struct mill_worker *worker, struct mill_task *task, enum mill_state state,
                   struct mill_value value)
{
    mill_worker_take_up(worker, task);
    mill_worker_add_pending(worker, 1); /* as one that begins has it until it ends */
    worker->began = worker->since = mill_clock_now();
    mill_worker_conclude(worker, state, value);
}

static void end_alike(struct mill_worker *worker, struct mill_task *task,
                      struct mill_task *source)
{
    enum mill_state state = mill_task_state(source);
    struct mill_value value = mill_nil();
    if (state == MILL_FINISHED) {
        const struct mill_pool_options *options = &worker->pool->options;
        bool fine = source->run->content == NULL ||
                    (options->load && options->load(options->context, worker, source));
        pthread_mutex_t *lock = source->run->content ? mill_run_lock(source) : NULL;
        if (lock) pthread_mutex_lock(lock);
        fine = fine && mill_task_has_value(source);
        if (fine) value = mill_value_ref(source->result);
        if (lock) pthread_mutex_unlock(lock);
        static const char lost[] = "a result that the cache held could not be read back";
        bool failed = false;
        if (!fine) {
            state = MILL_FAILED;
            value = mill_string(lost, sizeof lost - 1, &failed);
        }
    } else if (state == MILL_FAILED || state == MILL_SKIPPED) {
        struct mill_task *reason = reason_of(source);
        state = mill_task_state(reason) == MILL_FAILED ? MILL_FAILED : MILL_CANCELLED;
        if (state == MILL_FAILED) value = mill_value_ref(reason->result);
    }
    finish(worker, task, state, value);
}

void mill_join_begin(struct mill_worker *worker, struct mill_task *task)
{
    struct mill_join *join = (struct mill_join *)mill_node_arguments(task->node)[0].shared;
    enum outcome outcome =
        mill_run_ended(join->run) ? ENDED : wait_for_end(worker, task, join->run);
    if (outcome == ENDED) {
        end_alike(worker, task, &join->run->tasks[join->run->wanted[join->wanted]]);
    } else if (outcome == NO_MEMORY) {
        bool failed = false;
        finish(worker, task, MILL_FAILED, mill_string("out of memory", 13, &failed));
    }
}
