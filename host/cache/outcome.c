/* outcome: what becomes of a task's result.  SPDX-License-Identifier: MIT */
#include "cache/outcome.h"

#include <stdio.h>

#include "base/clock.h"
#include "cache/ledger.h"
#include "cache/worth.h"
#include "data/codec.h"
#include "data/packed.h"

static bool outcome_has_flag(struct mill_task *task, enum mill_task_flags flag)
{
    return atomic_load_explicit(&task->flags, memory_order_relaxed) & flag;
}

/* The run's content of a task names its first result and is written once, before anybody can
 * read it.  A task that ran again and came to another result is marked instead: its readers had
 * a key from the first and the value of the second, so what they make belongs to no key.
 * Relaxed: the flag comes before the result, which is handed over under a lock. */
static void outcome_note(struct mill_task *task, struct mill_hash hash)
{
    struct mill_hash *content = &task->run->content[task->index];
    if (!outcome_has_flag(task, MILL_TASK_REVIVED)) {
        *content = hash;
    } else if (!mill_hash_equal(*content, hash)) {
        atomic_fetch_or_explicit(&task->flags, MILL_TASK_CHANGED, memory_order_relaxed);
    }
}

static bool outcome_of_changed(const struct mill_task *task)
{
    const struct mill_run *run = task->run;
    for (uint32_t i = 0; i < mill_task_inputs(task); i++) {
        if (outcome_has_flag(&run->tasks[run->inputs[task->first_input + i]],
                             MILL_TASK_CHANGED)) {
            return true;
        }
    }
    return false;
}

/* Whether all that it has used is known, and as it was then. */
static bool outcome_is_as_read(struct mill_lookup *lookup,
                               const struct mill_lookup_worker *mine,
                               const struct mill_task *task)
{
    const struct mill_policy *policy = &mill_task_function(task)->policy;
    if (mine->reads.unsound || (mine->reads.impure && !policy->pure)) return false;
    return mill_reads_hold(lookup->files, policy->files, policy->files_size) &&
           mill_reads_hold(lookup->files, mine->reads.bytes, mine->reads.size);
}

static void outcome_keep(struct mill_lookup *lookup, struct mill_lookup_worker *mine,
                         struct mill_task *task, const struct mill_value *value,
                         struct mill_hash hash)
{
    const struct mill_function *function = mill_task_function(task);
    if (value->tag == MILL_TAG_SHARED ||
        (value->tag == MILL_TAG_PACKED && !mill_packed_check(value->packed))) {
        char text[300];
        snprintf(
            text, sizeof text,
            "task \"%.200s\" is not cached: its result holds a function or a shared object",
            function->name);
        if (!function->policy.automatic) lookup->warn(lookup->context, text);
        return;
    }
    double seconds = (double)(mill_clock_now() - mine->began) / 1e9;
    mill_worth_note(function, seconds);
    if (!mill_worth_keeping(function, seconds, 0)) return;
    struct mill_buffer *bytes = mill_codec_save(value, lookup->memory);
    if (bytes == NULL) return;
    if (!mill_worth_keeping(function, seconds, bytes->size)) {
        mill_buffer_unref(bytes);
        return;
    }
    if (mine->reads.impure) {
        mill_reads_add(&mine->reads, MILL_READ_IMPURE, "", (struct mill_hash){0, 0});
    }
    struct mill_put put = {
        .key = mine->key,
        .content = hash,
        .reads = mine->reads.bytes,
        .reads_size = mine->reads.size,
        .bytes = bytes,
        .task = function->name,
        .seconds = seconds,
        .ticket = mine->ticket,
    };
    mine->ticket = 0;
    mill_store_put(lookup->store, &put);
    mine->fate = MILL_CALLED_STORED;
    if (outcome_has_flag(task, MILL_TASK_CHANGED))
        return; /* the store has it under another name */
    atomic_fetch_or_explicit(&task->flags, MILL_TASK_KEPT, memory_order_relaxed);
}

void mill_outcome_take(struct mill_lookup *lookup, struct mill_lookup_worker *mine,
                       struct mill_task *task, const struct mill_value *value)
{
    if (!mine->keyed && !outcome_has_flag(task, MILL_TASK_HASHED)) return;
    /* A result without content gives its readers a key that nothing has twice: they are not kept. */
    if (mill_value_is_opaque(value)) {
        atomic_fetch_or_explicit(&task->flags, MILL_TASK_CHANGED, memory_order_relaxed);
    }
    struct mill_hash hash = mill_value_hash(value, NULL);
    outcome_note(task, hash);
    mine->fate = MILL_CALLED_LOST;
    if (task->run->dry) return; /* it leaves nothing behind */
    if (lookup->store && mine->keyed && !outcome_of_changed(task) &&
        !mill_value_is_opaque(value) && outcome_is_as_read(lookup, mine, task)) {
        outcome_keep(lookup, mine, task, value, hash);
    }
}
