/* resource: named things of which only so many may be in use at once: connections, licences.
 * A task takes all that its function needs before its body starts, or none and waits its turn;
 * it keeps them while it waits for other tasks.  SPDX-License-Identifier: MIT */
#ifndef MILL_RESOURCE_H
#define MILL_RESOURCE_H

#include "base/status.h"
#include "sched/run.h"

enum { MILL_MAX_RESOURCES = 64, MILL_RESOURCE_UNIT = 1000000 };

struct mill_resource {
    char *name;          /* owned */
    int64_t limit, used; /* in units */
};

struct mill_resources {
    pthread_mutex_t mutex; /* guards all */
    struct mill_resource list[MILL_MAX_RESOURCES];
    int count;
    struct { /* tasks that wait, by level, the oldest first; linked by result.natural */
        struct mill_task *first, *last;
        int64_t amounts[MILL_MAX_RESOURCES]; /* what they need together */
    } waiting[MILL_LEVELS];
    _Atomic int64_t waiting_count;
};

void mill_resources_init(struct mill_resources *resources);
void mill_resources_fini(struct mill_resources *resources);

/* Sets how much of `name` there is. */
tidemill_status mill_resources_limit(struct mill_resources *resources, const char *name,
                                     double limit, struct mill_error *error);

/* The number of a resource; -1: nobody has set its limit. */
int mill_resources_find(struct mill_resources *resources, const char *name);

/* How much there is of it. */
double mill_resources_of(struct mill_resources *resources, int resource);

/* True: the task has what it needs, and MILL_TASK_GRANTED; or, without that, its run was cancelled.
 * False: it waits; push gets it later, with its share. */
bool mill_resources_take(struct mill_resources *resources, struct mill_task *task);

/* The task gives back its share; those that now have theirs go to push(context, task). */
void mill_resources_give(struct mill_resources *resources, struct mill_task *task,
                         void (*push)(void *context, struct mill_task *task), void *context);

/* Tasks of cancelled runs stop waiting and go to push, with nothing. */
void mill_resources_let_go(struct mill_resources *resources,
                           void (*push)(void *context, struct mill_task *task), void *context);

/* Says in `text` for which resource which task waits; false: none does. */
bool mill_resources_explain(struct mill_resources *resources, char *text, size_t room);

#endif
