/* history: how the tasks of the last runs of a scope went.  SPDX-License-Identifier: MIT */
#include "bind/history.h"

#include <stdlib.h>

#include "base/room.h"

static int by_index(const void *a_, const void *b_)
{
    const struct mill_past *a = a_, *b = b_;
    return a->index < b->index ? -1 : a->index > b->index;
}

static struct mill_past past_of(struct mill_task *task)
{
    const struct mill_span *span = &task->run->spans[task->index];
    enum mill_state state = mill_task_state(task);
    bool ran = span->end > 0;
    return (struct mill_past){
        .index = task->node->index,
        .generation = task->node->generation,
        .seconds = ran ? (float)((double)(span->end - span->begin) / 1e9) : 0,
        .worker = ran ? task->worker : 0,
        .state = (uint8_t)state,
        .hit = state == MILL_FINISHED && !ran,
    };
}

void mill_history_note(struct mill_history *history, struct mill_run *run)
{
    if (run->spans == NULL || run->count == 0) return;
    struct mill_past_run *past = &history->runs[history->next % MILL_HISTORY_RUNS];
    if (!mill_room_set(&past->tasks, run->count, sizeof *past->tasks)) return;
    for (uint32_t i = 0; i < run->count; i++) past->tasks[i] = past_of(&run->tasks[i]);
    if (run->count > 1) qsort(past->tasks, run->count, sizeof *past->tasks, by_index);
    past->count = run->count;
    history->next++;
}

void mill_history_fini(struct mill_history *history)
{
    for (int i = 0; i < MILL_HISTORY_RUNS; i++) free(history->runs[i].tasks);
    memset(history, 0, sizeof *history);
}

const struct mill_past_run *mill_history_find(const struct mill_history *history,
                                              uint32_t index, uint32_t generation)
{
    struct mill_past wanted = {.index = index};
    for (uint32_t i = 1; i <= MILL_HISTORY_RUNS && i <= history->next; i++) {
        const struct mill_past_run *past =
            &history->runs[(history->next - i) % MILL_HISTORY_RUNS];
        const struct mill_past *found =
            past->count ? bsearch(&wanted, past->tasks, past->count, sizeof wanted, by_index)
                        : NULL;
        if (found && found->generation == generation) return past;
    }
    return NULL;
}
