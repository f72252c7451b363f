/* delay: a ready task that looks again after a while.  SPDX-License-Identifier: MIT */
#include "sched/delay.h"

#include <stdlib.h>

#include "sched/pool.h"

static void unlist(struct mill_delay *delay)
{
    struct mill_run *run = delay->task->run;
    pthread_mutex_lock(&run->retry_lock);
    if (delay->next) delay->next->previous = delay->previous;
    if (delay->previous)
        delay->previous->next = delay->next;
    else
        run->delays = delay->next;
    pthread_mutex_unlock(&run->retry_lock);
}

static void delay_is_due(struct mill_timer *timer)
{
    struct mill_task *task = ((struct mill_delay *)timer)->task;
    unlist((struct mill_delay *)timer);
    free(timer);
    mill_pool_inject(task->run->pool, task);
}

bool mill_delay_is_of(const struct mill_timer *timer)
{
    return timer->fire == delay_is_due;
}

static bool delay_cancelled(const struct mill_timer *timer)
{
    return mill_run_cancelled(((const struct mill_delay *)timer)->task->run);
}

bool mill_delay_start(struct mill_task *task, int64_t when)
{
    struct mill_run *run = task->run;
    struct mill_pool *pool = run->pool; /* the run may end before the last line */
    struct mill_delay *delay = calloc(1, sizeof *delay);
    if (delay == NULL) return false;
    delay->timer.fire = delay_is_due;
    delay->timer.when = when;
    delay->task = task;
    pthread_mutex_lock(&run->retry_lock);
    delay->next = run->delays;
    if (delay->next) delay->next->previous = delay;
    run->delays = delay;
    pthread_mutex_unlock(&run->retry_lock);
    if (!mill_timers_add_unless(&pool->timers, &delay->timer, delay_cancelled)) {
        unlist(delay);
        free(delay);
        return false;
    }
    /* This worker may be long with its next task: a sleeper is to know of the time. */
    mill_pool_wake(pool, 1);
    return true;
}

void mill_delays_free(struct mill_run *run)
{
    while (run->delays) {
        struct mill_delay *next = run->delays->next;
        free(run->delays);
        run->delays = next;
    }
}
