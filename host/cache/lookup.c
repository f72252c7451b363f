/* lookup: the cache's part in a run.  SPDX-License-Identifier: MIT */
#include "cache/lookup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cache/claim.h"
#include "cache/hit.h"
#include "cache/ledger.h"
#include "cache/miss.h"
#include "cache/outcome.h"
#include "cache/turn.h"
#include "cache/worth.h"
#include "sched/attempt.h"

/* ---- what tasks of tasks read ------------------------------------------------------------ */

/* The running task takes over what those have read that it has started. */
static void take_notes(struct mill_lookup_worker *mine)
{
    struct mill_notes *notes = mine->notes;
    mine->notes = NULL;
    if (notes == NULL) return;
    mill_notes_give(notes, &mine->reads);
    mill_notes_unref(notes);
}

void mill_lookup_adopt(struct mill_lookup *lookup, const struct mill_worker *worker,
                       struct mill_run *run)
{
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    if (!mine->keyed && !mine->noted) return;
    if (mine->notes == NULL) mine->notes = mill_notes_new();
    if (mine->notes == NULL) {
        mine->reads.unsound = true;
        return;
    }
    mill_notes_ref(mine->notes);
    run->notes = mine->notes;
    run->hooks = mill_lookup_hooks(lookup);
}

bool mill_lookup_init(struct mill_lookup *lookup, int workers)
{
    lookup->workers = calloc((size_t)workers, sizeof *lookup->workers);
    lookup->worker_count = lookup->workers ? workers : 0;
    if (lookup->workers) mill_remarks_init(&lookup->remarks);
    return lookup->workers != NULL;
}

void mill_lookup_fini(struct mill_lookup *lookup)
{
    for (int i = 0; i < lookup->worker_count; i++) {
        mill_reader_close(lookup->workers[i].reader);
        mill_reads_fini(&lookup->workers[i].reads);
        mill_notes_unref(lookup->workers[i].notes);
    }
    if (lookup->workers) mill_remarks_fini(&lookup->remarks);
    free(lookup->workers);
    lookup->workers = NULL;
    lookup->worker_count = 0;
}

void mill_lookup_take(struct mill_lookup *lookup, struct mill_lookup_worker *workers, int count)
{
    mill_lookup_fini(lookup);
    lookup->workers = workers;
    lookup->worker_count = count;
    mill_remarks_init(&lookup->remarks);
}

/* ---- before ---------------------------------------------------------------------------- */

static void count_one(_Atomic int64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* ---- claims: see cache/turn.h ------------------------------------------------------------ */

/* The key's claim is given back, when there is one still. */
static void unclaim(struct mill_lookup *lookup, struct mill_lookup_worker *mine)
{
    if (mine->ticket == 0) return;
    mill_store_unclaim(lookup->store, mine->key, mine->ticket);
    mine->ticket = 0;
}

/* True: another computes the key, and the task waits for it, or has ended with what came while it
 * was being asked. */
static bool leave_to_others(struct mill_lookup *lookup, struct mill_worker *worker,
                            struct mill_lookup_worker *mine, struct mill_task *task, int looks)
{
    /* With what it needs in hand it is called again. */
    bool granted = atomic_load_explicit(&task->flags, memory_order_relaxed) & MILL_TASK_GRANTED;
    if (mill_task_function(task)->need_count > 0 && !granted) return false;
    enum mill_claim claim = mill_store_claim(lookup->store, mine->key, &mine->ticket);
    if (mill_turn_wait(task, looks, claim)) return true;
    mill_turn_end(task);
    /* Who had it before may have put the result there since the look-up. */
    if (mine->ticket == 0 || !mill_reader_is_stale(mine->reader)) return false;
    if (!mill_hit_end(lookup, worker, mine, task)) return false;
    unclaim(lookup, mine);
    return true;
}

/* Whether the claim that the task waits for still stands, and it waits on. */
static bool waits_on(struct mill_lookup *lookup, struct mill_lookup_worker *mine,
                     struct mill_task *task, int looks)
{
    if (looks == 0) return false;
    enum mill_claim claim = mill_store_claimed(lookup->store, mine->key);
    /* A result of this process can be had before it is on disk. */
    return claim != MILL_CLAIM_MINE && mill_turn_wait(task, looks, claim);
}

/* ---- equal keys in one run ----------------------------------------------------------------- */

enum { FOLLOWING = UINT16_MAX }; /* as `worker` of a task that waits for its leader */

/* Ends the task with its leader's result, which is the same; false: that is not there any more. */
static bool copy_result(struct mill_worker *worker, struct mill_task *task,
                        struct mill_task *leader)
{
    struct mill_run *run = task->run;
    pthread_mutex_t *lock = mill_run_lock(leader);
    pthread_mutex_lock(lock);
    uint8_t flags = atomic_load_explicit(&leader->flags, memory_order_relaxed);
    bool there = mill_task_state(leader) == MILL_FINISHED &&
                 leader->result.tag != MILL_TAG_GONE && !(flags & MILL_TASK_CHANGED);
    struct mill_value value = there ? mill_value_ref(leader->result) : mill_nil();
    struct mill_hash content = run->content[leader->index];
    pthread_mutex_unlock(lock);
    if (!there) return false;
    run->content[task->index] = content;
    if (flags & MILL_TASK_KEPT) {
        atomic_fetch_or_explicit(&task->flags, MILL_TASK_KEPT, memory_order_relaxed);
    }
    mill_hit_tell(task);
    mill_worker_hit(worker, task, value);
    return true;
}

/* True: another task of the run computes the same key, or has; this one waits for it or has ended
 * with its result. */
static bool leave_to_leader(struct mill_worker *worker, struct mill_lookup_worker *mine,
                            struct mill_task *task)
{
    struct mill_run *run = task->run;
    if (run->claims == NULL || run->strategy == MILL_PINNED) return false;
    struct mill_task *leader = mill_claims_take(run->claims, mine->key, task);
    if (leader == task) return false;
    bool followed = task->worker == FOLLOWING;
    if (!followed) {
        task->worker = FOLLOWING;
        if (mill_run_follow(run, leader, task)) return true;
    }
    task->worker = 0;
    bool ended = copy_result(worker, task, leader);
    if (followed) mill_run_unfollow(leader);
    return ended;
}

/* The first argument without content, from 1; 0: all have some. */
static uint32_t opaque_argument(const struct mill_task *task)
{
    const struct mill_value *arguments = mill_node_arguments(task->node);
    for (uint32_t i = 0; i < task->node->count; i++) {
        if (mill_value_is_opaque(&arguments[i])) return i + 1;
    }
    return 0;
}

/* What a task's function and arguments name must have content. */
static bool is_keyable(struct mill_lookup *lookup, const struct mill_task *task)
{
    const struct mill_function *function = mill_task_function(task);
    char text[440];
    uint32_t opaque = function->policy.refusal ? 0 : opaque_argument(task);
    if (function->policy.refusal) {
        snprintf(text, sizeof text, "task \"%.120s\" is not cached: %.150s", function->name,
                 function->policy.refusal);
    } else if (opaque) {
        char where[120] = "";
        const struct mill_value *argument = &mill_node_arguments(task->node)[opaque - 1];
        if (lookup->find_opaque) lookup->find_opaque(argument, where, sizeof where);
        snprintf(text, sizeof text,
                 "task \"%.120s\" is not cached: argument %u%s holds a channel or the like, "
                 "which has no content to tell it by",
                 function->name, opaque, where);
    } else {
        return true;
    }
    if (!function->policy.automatic) lookup->warn(lookup->context, text);
    struct mill_inquiry *inquiry = task->run->inquiry;
    if (inquiry) {
        const char *why = strstr(text, "is not cached: ");
        mill_inquiry_add(inquiry, MILL_FOUND_NO_KEY, function->name,
                         why ? why + strlen("is not cached: ") : text);
    }
    return false;
}

bool mill_lookup_key_of(struct mill_task *task, struct mill_hash *key)
{
    struct mill_run *run = task->run;
    const struct mill_policy *policy = &mill_task_function(task)->policy;
    if (run->content == NULL || !policy->cached || policy->refusal || opaque_argument(task)) {
        return false;
    }
    for (uint32_t i = 0; i < mill_task_inputs(task); i++) {
        struct mill_task *input = &run->tasks[run->inputs[task->first_input + i]];
        if (mill_task_state(input) != MILL_FINISHED) return false;
    }
    return mill_task_key(task, key);
}

/* In a dry run: what the task would be.  Its result is known when it is in the store; else it ends as
 * cancelled, and what depends on it is skipped. */
static void look_up(struct mill_lookup *lookup, struct mill_worker *worker,
                    struct mill_lookup_worker *mine, struct mill_task *task)
{
    const struct mill_function *function = mill_task_function(task);
    struct mill_inquiry *inquiry = task->run->inquiry;
    struct mill_reader *reader = lookup->store ? mill_hit_reader(lookup, mine) : NULL;
    if (!function->policy.cached) {
        mill_inquiry_add(inquiry, MILL_FOUND_PLAIN, function->name, NULL);
    } else if (mine->keyed && reader && !function->policy.refresh &&
               mill_hit_find(lookup, mine, task)) {
        mill_inquiry_add(inquiry, MILL_FOUND_HIT, function->name, NULL);
        mill_worker_complete(worker, task, MILL_FINISHED,
                             (struct mill_value){.tag = MILL_TAG_STORED});
        return;
    } else if (mine->keyed) {
        mill_miss_note(lookup, reader, task, &mine->called, false);
    }
    mill_worker_complete(worker, task, MILL_CANCELLED, mill_nil());
}

/* The task runs: what an inquiry of its run wants to know of that. */
static void tell_run(struct mill_lookup *lookup, struct mill_lookup_worker *mine,
                     struct mill_task *task, bool again)
{
    const struct mill_function *function = mill_task_function(task);
    if (!function->policy.cached) {
        mill_inquiry_add(task->run->inquiry, MILL_FOUND_PLAIN, function->name, NULL);
    } else if (mine->keyed) {
        struct mill_reader *reader = lookup->store ? mill_hit_reader(lookup, mine) : NULL;
        mill_miss_note(lookup, reader, task, &mine->called, again);
    }
}

/* Nothing of the task that the worker had before is this one's. */
static void turn_to(struct mill_lookup_worker *mine, const struct mill_task *task)
{
    mill_notes_unref(mine->notes); /* of one that has failed before it could take them */
    mine->notes = NULL;
    mine->ticket = 0;
    mine->keyed = false;
    mine->noted = task->run->notes != NULL;
    mill_reads_clear(&mine->reads);
}

static enum mill_verdict before_body(void *context, struct mill_worker *worker,
                                     struct mill_task *task)
{
    struct mill_lookup *lookup = context;
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    const struct mill_policy *policy = &mill_task_function(task)->policy;
    bool again = atomic_load_explicit(&task->flags, memory_order_relaxed) & MILL_TASK_REVIVED;
    turn_to(mine, task);
    mine->keyed = policy->cached && is_keyable(lookup, task) &&
                  mill_key_of(task, policy->salt, &mine->called);
    mine->key = mine->called.key;
    mine->fate = MILL_CALLED_FAILED;
    struct mill_inquiry *inquiry = task->run->inquiry;
    if (task->run->dry && mill_task_function(task)->body == NULL) {
        look_up(lookup, worker, mine, task);
        return MILL_TAKEN;
    }
    bool looked = mine->keyed && !policy->refresh && !again &&
                  mill_worth_looking(mill_task_function(task));
    bool stored = looked && lookup->store && mill_hit_reader(lookup, mine);
    int looks = mill_turn_looks(task);
    if (stored && waits_on(lookup, mine, task, looks)) return MILL_TAKEN;
    mill_turn_end(task);
    if (stored && mill_hit_end(lookup, worker, mine, task)) return MILL_TAKEN;
    if (looked && leave_to_leader(worker, mine, task)) return MILL_TAKEN;
    if (!mill_hit_load_inputs(lookup, worker, mine, task)) return MILL_TAKEN;
    if (stored && leave_to_others(lookup, worker, mine, task, looks)) return MILL_TAKEN;
    if (inquiry) tell_run(lookup, mine, task, again);
    mill_reader_rest(mine->reader);
    if (policy->cached && lookup->store && (looked || !policy->automatic)) {
        count_one(&worker->counters.misses);
    }
    if (mine->keyed) { /* also without a store: the same numbers, cached or not */
        worker->call.stream[0] = mine->key.low;
        worker->call.stream[1] = mine->key.high;
    }
    mill_reads_clear(&mine->reads);
    mine->began = mill_clock_now();
    return MILL_RUN_BODY;
}

/* ---- after ----------------------------------------------------------------------------- */

static void after_body(void *context, struct mill_worker *worker, struct mill_task *task,
                       const struct mill_value *value)
{
    struct mill_lookup *lookup = context;
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    if (mill_task_function(task)->joins) turn_to(mine, task); /* no body was begun */
    take_notes(mine);
    mill_outcome_take(lookup, mine, task, value);
}

static void ended(void *context, struct mill_worker *worker, struct mill_task *task)
{
    struct mill_lookup *lookup = context;
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    if (mill_task_function(task)->joins) turn_to(mine, task);
    take_notes(mine);
    if (mill_task_function(task)->policy.pure) mine->reads.impure = false;
    if (mine->keyed && lookup->store && lookup->ledger && !task->run->dry &&
        !mill_run_cancelled(task->run)) {
        mill_ledger_note(lookup->ledger, mill_hit_reader(lookup, mine), task, &mine->called,
                         (enum mill_called_verdict)mine->fate);
    }
    if (task->run->notes) mill_notes_add(task->run->notes, &mine->reads);
    unclaim(lookup, mine);
}

/* Another process may try meanwhile. */
static void retried(void *context, struct mill_worker *worker, struct mill_task *task)
{
    struct mill_lookup *lookup = context;
    (void)task;
    unclaim(lookup, &lookup->workers[worker->index]);
}

static void release(void *context, struct mill_run *run)
{
    (void)context;
    mill_notes_unref(run->notes);
    mill_claims_free(run->claims);
    if (run->inquiry) mill_inquiry_close(run->inquiry, run);
    if (run->inquiry && run->inquiry->owned) mill_inquiry_free(run->inquiry);
}

struct mill_reader *mill_lookup_reader(struct mill_lookup *lookup,
                                       const struct mill_worker *worker)
{
    return lookup->store ? mill_hit_reader(lookup, &lookup->workers[worker->index]) : NULL;
}

void mill_lookup_rest(struct mill_lookup *lookup, const struct mill_worker *worker)
{
    mill_reader_rest(lookup->workers[worker->index].reader);
}

void mill_lookup_awaits(struct mill_lookup *lookup, const struct mill_worker *worker)
{
    const struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    if (mine->ticket) mill_store_claim_waits(lookup->store, mine->key, mine->ticket, true);
}

void mill_lookup_suspend(struct mill_lookup *lookup, const struct mill_worker *worker,
                         struct mill_lookup_worker *kept)
{
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    *kept = *mine;
    *mine = (struct mill_lookup_worker){.reader = mine->reader};
}

void mill_lookup_resume(struct mill_lookup *lookup, const struct mill_worker *worker,
                        struct mill_lookup_worker *kept)
{
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    struct mill_reader *reader = mine->reader;
    mill_reads_fini(&mine->reads);
    *mine = *kept;
    mine->reader = reader;
    if (mine->ticket) mill_store_claim_waits(lookup->store, mine->key, mine->ticket, false);
}

struct mill_hooks mill_lookup_hooks(struct mill_lookup *lookup)
{
    return (struct mill_hooks){before_body, after_body, ended, retried, release, lookup};
}

void mill_lookup_hook(struct mill_lookup *lookup, struct mill_run *run)
{
    run->hooks = mill_lookup_hooks(lookup);
    run->claims = mill_claims_new();
}

bool mill_lookup_notes(const struct mill_lookup *lookup, const struct mill_worker *worker)
{
    const struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    return mine->keyed || mine->noted;
}

void mill_lookup_distrust(struct mill_lookup *lookup, const struct mill_worker *worker)
{
    lookup->workers[worker->index].reads.unsound = true;
}

void mill_lookup_note(struct mill_lookup *lookup, const struct mill_worker *worker,
                      enum mill_read_kind kind, const char *name, struct mill_hash hash)
{
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    if (mine->keyed || mine->noted) mill_reads_add(&mine->reads, kind, name, hash);
}

void mill_lookup_join(struct mill_lookup *lookup, const struct mill_worker *worker,
                      const void *bytes, size_t size, bool unsound)
{
    struct mill_lookup_worker *mine = &lookup->workers[worker->index];
    if (!mine->keyed && !mine->noted) return;
    mill_reads_join(&mine->reads, bytes, size);
    mine->reads.unsound |= unsound;
}

bool mill_lookup_gather(struct mill_lookup *lookup, struct mill_run *run)
{
    run->hooks = mill_lookup_hooks(lookup);
    run->notes = mill_notes_new();
    return run->notes != NULL;
}

const struct mill_reads *mill_lookup_gathered(const struct mill_run *run)
{
    return mill_notes_reads(run->notes);
}
