/* fan: a loop over independent chunks that idle workers help with.
 * SPDX-License-Identifier: MIT */
#include "sched/fan.h"

#include <stddef.h>

void mill_fans_init(struct mill_fans *fans)
{
    pthread_mutex_init(&fans->mutex, NULL);
    pthread_cond_init(&fans->left, NULL);
    fans->first = NULL;
    atomic_init(&fans->open, 0);
}

void mill_fans_fini(struct mill_fans *fans)
{
    pthread_cond_destroy(&fans->left);
    pthread_mutex_destroy(&fans->mutex);
}

static void take_chunks(struct mill_fan *fan)
{
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&fan->next, 1, memory_order_relaxed);
        if (i >= fan->count) return;
        fan->body(fan->context, i);
    }
}

/* Under the mutex: takes the fan off the list so that nobody joins it any more. */
static void fans_remove(struct mill_fans *fans, struct mill_fan *fan)
{
    for (struct mill_fan **link = &fans->first; *link; link = &(*link)->link) {
        if (*link == fan) {
            *link = fan->link;
            atomic_fetch_sub_explicit(&fans->open, 1, memory_order_relaxed);
            return;
        }
    }
}

void mill_fans_run(struct mill_fans *fans, int64_t count,
                   void (*body)(void *context, int64_t i), void *context,
                   void (*wake)(void *waker, int64_t count), void *waker)
{
    struct mill_fan fan = {.body = body, .context = context, .count = count};
    if (count > 1) {
        pthread_mutex_lock(&fans->mutex);
        fan.link = fans->first;
        fans->first = &fan;
        /* seq_cst with the sleeper's second look: see park.h. */
        atomic_fetch_add(&fans->open, 1);
        pthread_mutex_unlock(&fans->mutex);
        wake(waker, count - 1);
    }
    take_chunks(&fan);
    if (count <= 1) return;
    pthread_mutex_lock(&fans->mutex);
    fans_remove(fans, &fan);
    while (fan.helpers > 0) pthread_cond_wait(&fans->left, &fans->mutex);
    pthread_mutex_unlock(&fans->mutex);
}

bool mill_fans_help(struct mill_fans *fans)
{
    if (atomic_load(&fans->open) == 0) return false;
    pthread_mutex_lock(&fans->mutex);
    struct mill_fan *fan = fans->first;
    if (fan) fan->helpers++;
    pthread_mutex_unlock(&fans->mutex);
    if (fan == NULL) return false;
    take_chunks(fan);
    pthread_mutex_lock(&fans->mutex);
    fans_remove(fans, fan);
    if (--fan->helpers == 0) pthread_cond_broadcast(&fans->left);
    pthread_mutex_unlock(&fans->mutex);
    return true;
}
