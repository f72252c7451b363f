/* bench_deque: the work-stealing deque beside a ring that a mutex guards: what an owner pays for
 * a push and a pop, alone and while a thief is at work.
 *     bench_deque [ITEMS]
 * Prints seconds an item, least of ROUNDS: ours_alone, ring_alone, ours_thief, ring_thief; and
 * the share of the items that the thief got.  SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sched/deque.h"

enum { ROUNDS = 7, BATCH = 64, CAPACITY = 1024 };

/* The baseline: the same face, one lock. */
struct ring {
    pthread_mutex_t mutex;
    int64_t top, bottom;
    void *slots[CAPACITY];
};

static bool ring_push(void *queue, void *item)
{
    struct ring *ring = queue;
    pthread_mutex_lock(&ring->mutex);
    bool room = ring->bottom - ring->top < CAPACITY;
    if (room) ring->slots[ring->bottom++ % CAPACITY] = item;
    pthread_mutex_unlock(&ring->mutex);
    return room;
}

static void *ring_pop(void *queue)
{
    struct ring *ring = queue;
    pthread_mutex_lock(&ring->mutex);
    void *item = ring->bottom > ring->top ? ring->slots[--ring->bottom % CAPACITY] : NULL;
    pthread_mutex_unlock(&ring->mutex);
    return item;
}

static void *ring_steal(void *queue)
{
    struct ring *ring = queue;
    pthread_mutex_lock(&ring->mutex);
    void *item = ring->bottom > ring->top ? ring->slots[ring->top++ % CAPACITY] : NULL;
    pthread_mutex_unlock(&ring->mutex);
    return item;
}

static bool deque_push(void *queue, void *item)
{
    return mill_deque_push(queue, item);
}
static void *deque_pop(void *queue)
{
    return mill_deque_pop(queue);
}
static void *deque_steal(void *queue)
{
    return mill_deque_steal(queue, NULL);
}

struct face {
    bool (*push)(void *queue, void *item);
    void *(*pop)(void *queue);
    void *(*steal)(void *queue);
    void *queue;
};

struct thief {
    const struct face *face;
    _Atomic bool ready, over;
    int64_t stolen;
};

static void *steal_all(void *argument)
{
    struct thief *thief = argument;
    atomic_store(&thief->ready, true);
    while (!atomic_load_explicit(&thief->over, memory_order_relaxed)) {
        if (thief->face->steal(thief->face->queue) != NULL) thief->stolen++;
    }
    return NULL;
}

/* Pushes and pops `items` in batches; how many came back to the owner. */
static int64_t own(const struct face *face, int64_t items)
{
    int64_t popped = 0;
    for (int64_t i = 0; i < items; i += BATCH) {
        for (int64_t k = 0; k < BATCH; k++) {
            if (!face->push(face->queue, (void *)(intptr_t)(i + k + 1))) abort();
        }
        while (face->pop(face->queue) != NULL) popped++;
    }
    return popped;
}

static double seconds_an_item(const struct face *face, int64_t items, double *stolen)
{
    struct thief thief = {.face = face};
    pthread_t thread;
    if (stolen != NULL) {
        if (pthread_create(&thread, NULL, steal_all, &thief) != 0) abort();
        while (!atomic_load(&thief.ready)) sched_yield();
    }
    int64_t start = mill_clock_now(), popped = own(face, items);
    int64_t taken = mill_clock_now() - start;
    if (stolen != NULL) {
        atomic_store(&thief.over, true);
        pthread_join(thread, NULL);
        *stolen = (double)thief.stolen / (double)items;
    }
    if (popped + thief.stolen != items) abort(); /* lost or doubled */
    return (double)taken / (double)items / 1e9;
}

static void report(const char *name, const struct face *face, int64_t items)
{
    double alone = 0, contended = 0, stolen = 0, share = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double time = seconds_an_item(face, items, NULL);
        if (i == 0 || time < alone) alone = time;
        time = seconds_an_item(face, items, &stolen);
        if (i == 0 || time < contended) {
            contended = time;
            share = stolen;
        }
    }
    printf("%s_alone %.12f\n%s_thief %.12f\n", name, alone, name, contended);
    printf("%s_stolen %.4f\n", name, share);
}

int main(int argc, char **argv)
{
    int64_t items = argc > 1 ? atoll(argv[1]) / BATCH * BATCH : 64 * 40000;
    struct mill_deque deque;
    static struct ring ring = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    if (items <= 0 || !mill_deque_init(&deque, CAPACITY)) {
        fprintf(stderr, "usage: bench_deque [ITEMS], %d or more\n", BATCH);
        return 2;
    }
    struct face ours = {deque_push, deque_pop, deque_steal, &deque};
    struct face baseline = {ring_push, ring_pop, ring_steal, &ring};
    report("ours", &ours, items);
    report("ring", &baseline, items);
    mill_deque_fini(&deque);
    return 0;
}
