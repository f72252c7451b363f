/* timer: things that are due at a time.  SPDX-License-Identifier: MIT */
#include "sched/timer.h"

#include <stdlib.h>

#include "base/room.h"

void mill_timers_init(struct mill_timers *timers)
{
    pthread_mutex_init(&timers->mutex, NULL);
    timers->heap = NULL;
    timers->count = timers->room = 0;
    atomic_init(&timers->next, INT64_MAX);
}

void mill_timers_fini(struct mill_timers *timers)
{
    free(timers->heap);
    pthread_mutex_destroy(&timers->mutex);
}

/* ---- the heap, under the mutex ------------------------------------------------------------ */

/* Room for one more. */
static bool heap_reserve(struct mill_timers *timers)
{
    return mill_room_for_one(&timers->heap, timers->count + 1, &timers->room,
                             sizeof *timers->heap, 64);
}

static void heap_set(struct mill_timers *timers, size_t place, struct mill_timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void heap_rise(struct mill_timers *timers, struct mill_timer *timer, size_t place)
{
    while (place > 1 && timers->heap[place / 2]->when > timer->when) {
        heap_set(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    heap_set(timers, place, timer);
}

static void heap_sink(struct mill_timers *timers, struct mill_timer *timer, size_t place)
{
    for (;;) {
        size_t child = place * 2;
        if (child > timers->count) break;
        if (child < timers->count &&
            timers->heap[child + 1]->when < timers->heap[child]->when) {
            child++;
        }
        if (timers->heap[child]->when >= timer->when) break;
        heap_set(timers, place, timers->heap[child]);
        place = child;
    }
    heap_set(timers, place, timer);
}

static void heap_remove(struct mill_timers *timers, struct mill_timer *timer)
{
    size_t place = timer->place;
    struct mill_timer *last = timers->heap[timers->count--];
    timer->place = 0;
    if (last == timer) return;
    if (place > 1 && timers->heap[place / 2]->when > last->when) {
        heap_rise(timers, last, place);
    } else {
        heap_sink(timers, last, place);
    }
}

static void publish_next(struct mill_timers *timers)
{
    atomic_store(&timers->next, timers->count ? timers->heap[1]->when : INT64_MAX);
}

/* ---- what others call ----------------------------------------------------------------------- */

bool mill_timers_add_unless(struct mill_timers *timers, struct mill_timer *timer,
                            bool (*refuse)(const struct mill_timer *timer))
{
    pthread_mutex_lock(&timers->mutex);
    bool fine = !(refuse && refuse(timer)) && heap_reserve(timers);
    if (fine) heap_rise(timers, timer, ++timers->count);
    publish_next(timers);
    pthread_mutex_unlock(&timers->mutex);
    return fine;
}

bool mill_timers_add(struct mill_timers *timers, struct mill_timer *timer)
{
    return mill_timers_add_unless(timers, timer, NULL);
}

bool mill_timers_remove(struct mill_timers *timers, struct mill_timer *timer)
{
    pthread_mutex_lock(&timers->mutex);
    bool running = timer->place > 0;
    if (running) {
        heap_remove(timers, timer);
        publish_next(timers);
    }
    pthread_mutex_unlock(&timers->mutex);
    return running;
}

void mill_timers_run(struct mill_timers *timers, int64_t now)
{
    pthread_mutex_lock(&timers->mutex);
    while (timers->count && timers->heap[1]->when <= now) {
        struct mill_timer *timer = timers->heap[1];
        heap_remove(timers, timer);
        publish_next(timers);
        timer->fire(timer);
    }
    pthread_mutex_unlock(&timers->mutex);
}

void mill_timers_hurry(struct mill_timers *timers,
                       bool (*which)(void *context, struct mill_timer *timer), void *context)
{
    pthread_mutex_lock(&timers->mutex);
    for (size_t i = timers->count; i > 0;) {
        struct mill_timer *timer = i <= timers->count ? timers->heap[i] : NULL;
        if (timer == NULL || !which(context, timer)) {
            i--;
            continue;
        }
        /* Another one stands at i now: one from below, which was asked, or the one from above it,
         * which was not.  All others that were not asked are still before i. */
        heap_remove(timers, timer);
        timer->fire(timer);
    }
    publish_next(timers);
    pthread_mutex_unlock(&timers->mutex);
}
