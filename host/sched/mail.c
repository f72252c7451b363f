/* mail: what other threads hand to one worker.
 * SPDX-License-Identifier: MIT */
#include "sched/mail.h"

#include "sched/sleep.h"

void mill_worker_assign(struct mill_worker *worker, struct mill_task *task)
{
    mill_worker_add_pending(worker, 1);
    mill_tasks_post(&worker->inbox, task);
    mill_worker_wake(worker);
}

bool mill_worker_has_mail(struct mill_worker *worker)
{
    return atomic_load(&worker->inbox) != NULL || atomic_load(&worker->delivered) != NULL ||
           atomic_load(&worker->called);
}

void mill_worker_call(struct mill_worker *worker)
{
    /* The default order: pairs with the sleeper's second look, see park.h. */
    atomic_store(&worker->called, true);
    mill_worker_wake(worker);
}
