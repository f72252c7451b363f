/* retry: tasks that failed and are tried again after a while.
 * SPDX-License-Identifier: MIT */
#include "sched/retry.h"

#include <math.h>
#include <stdlib.h>

#include "base/room.h"
#include "sched/pool.h"

static const double LONGEST_DELAY = 1e9; /* seconds: 31 years fit into nanoseconds */

static struct mill_retry **list_of(struct mill_task *task)
{
    return &task->run->retries[task->index % MILL_RETRY_LISTS];
}

static struct mill_retry *search(struct mill_task *task)
{
    struct mill_retry *retry = task->run->retries ? *list_of(task) : NULL;
    while (retry && retry->task != task) retry = retry->next;
    return retry;
}

struct mill_retry *mill_retry_find(struct mill_task *task)
{
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (!(flags & MILL_TASK_TRIED)) return NULL;
    pthread_mutex_lock(&task->run->retry_lock);
    struct mill_retry *retry = search(task);
    pthread_mutex_unlock(&task->run->retry_lock);
    return retry;
}

/* Under the lock. */
static struct mill_retry *add_retry(struct mill_task *task)
{
    struct mill_run *run = task->run;
    if (run->retries == NULL) {
        run->retries = calloc(MILL_RETRY_LISTS, sizeof(struct mill_retry *));
        if (run->retries == NULL) return NULL;
    }
    struct mill_retry *retry = calloc(1, sizeof *retry);
    if (retry == NULL) return NULL;
    retry->task = task;
    retry->next = *list_of(task);
    *list_of(task) = retry;
    atomic_fetch_or_explicit(&task->flags, MILL_TASK_TRIED, memory_order_relaxed);
    return retry;
}

struct mill_retry *mill_retry_note(struct mill_task *task, double seconds)
{
    pthread_mutex_lock(&task->run->retry_lock);
    struct mill_retry *retry = search(task);
    if (retry == NULL) retry = add_retry(task);
    pthread_mutex_unlock(&task->run->retry_lock);
    if (retry == NULL) return NULL;
    size_t count = (size_t)retry->attempts + 1;
    if (!mill_room_set(&retry->seconds, count, sizeof *retry->seconds)) return NULL;
    retry->seconds[retry->attempts++] = seconds;
    return retry;
}

int mill_retry_note_lost(struct mill_task *task)
{
    pthread_mutex_lock(&task->run->retry_lock);
    struct mill_retry *retry = search(task);
    if (retry == NULL) retry = add_retry(task);
    pthread_mutex_unlock(&task->run->retry_lock);
    return retry ? ++retry->lost : 0;
}

static void retry_is_due(struct mill_timer *timer)
{
    struct mill_task *task = ((struct mill_retry *)timer)->task;
    mill_pool_inject(task->run->pool, task);
}

bool mill_retry_is_of(const struct mill_timer *timer)
{
    return timer->fire == retry_is_due;
}

static bool retry_cancelled(const struct mill_timer *timer)
{
    return mill_run_cancelled(((const struct mill_retry *)timer)->task->run);
}

bool mill_retry_start(struct mill_retry *retry, int64_t when)
{
    struct mill_pool *pool = retry->task->run->pool;
    retry->timer.fire = retry_is_due;
    retry->timer.when = when;
    if (!mill_timers_add_unless(&pool->timers, &retry->timer, retry_cancelled)) return false;
    /* This worker may be long with its next task: a sleeper is to know of the time. */
    mill_pool_wake(pool, 1);
    return true;
}

double mill_retry_delay(const struct mill_retry_rule *rule, int attempts, double draw)
{
    if (!(rule->delay > 0)) return 0; /* and not nothing times infinity */
    double delay = rule->delay * pow(rule->factor, attempts - 1);
    if (!(delay < rule->longest)) delay = rule->longest;
    if (!(delay < LONGEST_DELAY)) delay = LONGEST_DELAY;
    return delay * (1 - rule->jitter * draw);
}

void mill_retries_free(struct mill_run *run)
{
    for (int i = 0; run->retries && i < MILL_RETRY_LISTS; i++) {
        while (run->retries[i]) {
            struct mill_retry *next = run->retries[i]->next;
            free(run->retries[i]->seconds);
            free(run->retries[i]);
            run->retries[i] = next;
        }
    }
    free(run->retries);
    run->retries = NULL;
}
