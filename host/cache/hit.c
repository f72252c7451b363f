/* hit: a task that the store has a result for.  SPDX-License-Identifier: MIT */
#include "cache/hit.h"

#include <stdlib.h>
#include <time.h>

#include "base/room.h"
#include "cache/inquiry.h"
#include "data/codec.h"
#include "sched/attempt.h"

struct search {
    struct mill_lookup *lookup;
    bool pure;
    int64_t oldest; /* microseconds since 1970: results made before are too old */
    struct mill_hash content;
    struct mill_reads *reads; /* those of the entry are added; NULL: nobody needs them */
};

static void tell_seen(void *context, char kind, const char *name, struct mill_hash hash,
                      struct mill_hash now)
{
    struct mill_lookup *lookup = context;
    (void)now;
    if (kind != MILL_READ_IMPURE) lookup->seen(lookup->context, kind, name, hash);
}

static bool entry_holds(void *context, const struct mill_entry *entry)
{
    struct search *search = context;
    if (entry->made < search->oldest) return false;
    if (!search->pure && mill_reads_are_impure(entry->reads, entry->reads_size)) return false;
    if (!mill_reads_hold(search->lookup->files, entry->reads, entry->reads_size)) return false;
    if (search->lookup->seen) {
        mill_reads_visit_all(entry->reads, entry->reads_size, tell_seen, search->lookup);
    }
    search->content = entry->content;
    if (search->reads) mill_reads_join(search->reads, entry->reads, entry->reads_size);
    return true;
}

/* The earliest time at which a result may have been made. */
static int64_t oldest_of(const struct mill_lookup *lookup, const struct mill_policy *policy)
{
    double ttl = policy->ttl;
    if (lookup->ttl > 0 && !(ttl > 0 && ttl < lookup->ttl)) ttl = lookup->ttl;
    if (!(ttl > 0)) return INT64_MIN;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double oldest = (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3 - ttl * 1e6;
    return oldest > 0 ? (int64_t)oldest : 0;
}

struct mill_reader *mill_hit_reader(struct mill_lookup *lookup, struct mill_lookup_worker *mine)
{
    if (mine->reader == NULL) mine->reader = mill_reader_open(lookup->store);
    return mine->reader;
}

bool mill_hit_find(struct mill_lookup *lookup, struct mill_lookup_worker *mine,
                   struct mill_task *task)
{
    struct mill_notes *notes = task->run->notes;
    struct search search = {.lookup = lookup,
                            .pure = mill_task_function(task)->policy.pure,
                            .oldest = oldest_of(lookup, &mill_task_function(task)->policy),
                            .reads = notes ? &mine->reads : NULL};
    struct mill_reader *reader = mill_hit_reader(lookup, mine);
    mill_reads_clear(&mine->reads);
    if (reader == NULL || !mill_reader_find(reader, mine->key, entry_holds, &search)) {
        return false;
    }
    if (notes) mill_notes_add(notes, &mine->reads);
    task->run->content[task->index] = search.content;
    atomic_fetch_or_explicit(&task->flags, MILL_TASK_KEPT, memory_order_relaxed);
    return true;
}

void mill_hit_tell(const struct mill_task *task)
{
    struct mill_inquiry *inquiry = task->run->inquiry;
    if (inquiry) {
        mill_inquiry_add(inquiry, MILL_FOUND_HIT, mill_task_function(task)->name, NULL);
    }
}

enum { SMALL = 64 * 1024 }; /* bytes */

/* What a hit ends with.  A small result that somebody has asked for is read here, where others read
 * at the same time, and not one after another by who collects them. */
static struct mill_value wanted_value(struct mill_reader *reader, struct mill_task *task)
{
    struct mill_value value = {.tag = MILL_TAG_STORED};
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (!(flags & MILL_TASK_WANTED)) return value;
    struct mill_value loaded;
    bool there =
        mill_reader_load_small(reader, task->run->content[task->index], SMALL, &loaded);
    return there ? loaded : value;
}

bool mill_hit_end(struct mill_lookup *lookup, struct mill_worker *worker,
                  struct mill_lookup_worker *mine, struct mill_task *task)
{
    if (!mill_hit_find(lookup, mine, task)) return false;
    mill_hit_tell(task);
    mill_worker_hit(worker, task, wanted_value(mine->reader, task));
    return true;
}

/* ---- results that others need ------------------------------------------------------------ */

bool mill_lookup_load(struct mill_lookup *lookup, struct mill_reader *reader,
                      struct mill_task *task)
{
    (void)lookup;
    if (task->run->locks == NULL) return mill_task_has_value(task); /* it has no cache */
    pthread_mutex_t *lock = mill_run_lock(task);
    pthread_mutex_lock(lock);
    bool finished = mill_task_state(task) == MILL_FINISHED; /* else it is being made again */
    if (finished && task->result.tag == MILL_TAG_STORED && reader) {
        struct mill_buffer *bytes = mill_reader_load(reader, task->run->content[task->index]);
        struct mill_value value;
        if (bytes && mill_codec_load(bytes, &value) == TIDEMILL_OK) task->result = value;
        mill_buffer_unref(bytes);
    }
    bool there = finished && mill_task_has_value(task);
    pthread_mutex_unlock(lock);
    return there;
}

bool mill_hit_load_inputs(struct mill_lookup *lookup, struct mill_worker *worker,
                          struct mill_lookup_worker *mine, struct mill_task *task)
{
    struct mill_run *run = task->run;
    struct mill_task *few[16], **lost = few, **more = NULL;
    uint32_t count = 0, room = 16, inputs = mill_task_inputs(task);
    for (uint32_t i = 0; i < inputs; i++) {
        struct mill_task *input = &run->tasks[run->inputs[task->first_input + i]];
        struct mill_reader *reader = lookup->store ? mill_hit_reader(lookup, mine) : NULL;
        if (mill_lookup_load(lookup, reader, input)) continue;
        if (count == room) {
            /* Without memory the rest is found missing the next time. */
            if (!mill_room_set(&more, 2 * (size_t)room, sizeof *lost)) break;
            if (lost == few) memcpy(more, few, sizeof few);
            lost = more;
            room *= 2;
        }
        lost[count++] = input;
    }
    if (count > 0) mill_run_revive(run, worker, lost, count, task, mill_worker_push);
    free(more);
    return count == 0;
}
