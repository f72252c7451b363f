/* test_timer: the heap of timers against a plain list, and under threads.
 * SPDX-License-Identifier: MIT */
#include "sched/timer.h"

#include "check.h"
#include "fail_check.h"
#include "random_check.h"

/* ---- against a list ---------------------------------------------------------------------------- */

enum { COUNT = 400 };

struct bell {
    struct mill_timer timer; /* first */
    bool runs;               /* the oracle */
    int rung;
    int64_t order;
};

static int64_t rung;

static void ring(struct mill_timer *timer)
{
    struct bell *bell = (struct bell *)timer;
    bell->rung++;
    bell->order = ++rung;
}

static bool is_odd(void *context, struct mill_timer *timer)
{
    return ((struct bell *)timer - (struct bell *)context) % 2;
}

static void check_heap(struct mill_timers *timers, struct bell *bells)
{
    size_t running = 0;
    int64_t next = INT64_MAX;
    for (int i = 0; i < COUNT; i++) {
        CHECK(bells[i].runs == (bells[i].timer.place > 0));
        if (!bells[i].runs) continue;
        running++;
        if (bells[i].timer.when < next) next = bells[i].timer.when;
        CHECK(timers->heap[bells[i].timer.place] == &bells[i].timer);
    }
    CHECK(timers->count == running && mill_timers_next(timers) == next);
    for (size_t i = 2; i <= timers->count; i++) {
        CHECK(timers->heap[i / 2]->when <= timers->heap[i]->when);
    }
}

/* What was due has rung once, the earliest first; nothing else has. */
static void check_rung(struct bell *bells, const bool *due, int64_t before)
{
    int64_t count = 0;
    for (int i = 0; i < COUNT; i++) {
        CHECK(bells[i].rung == due[i]);
        bells[i].rung = 0;
        if (!due[i]) continue;
        bells[i].runs = false;
        count++;
    }
    CHECK(rung - before == count);
}

static void random_calls_agree_with_a_list(void)
{
    struct mill_timers timers;
    struct bell *bells = calloc(COUNT, sizeof *bells);
    mill_timers_init(&timers);
    for (int step = 0; step < 20000; step++) {
        struct bell *bell = &bells[random_below(COUNT)];
        uint32_t choice = random_below(100);
        bool due[COUNT] = {false};
        int64_t before = rung;
        if (choice < 60 && !bell->runs) {
            bell->timer.when =
                random_below(50) ? random_below(1000) : (int64_t)random_below(3) - 1;
            bell->timer.fire = ring;
            CHECK(mill_timers_add(&timers, &bell->timer));
            bell->runs = true;
        } else if (choice < 90) {
            CHECK(mill_timers_remove(&timers, &bell->timer) == bell->runs);
            bell->runs = false;
        } else if (choice < 97) {
            int64_t now = (int64_t)random_below(1100) - 50, last = INT64_MIN;
            for (int i = 0; i < COUNT; i++) {
                due[i] = bells[i].runs && bells[i].timer.when <= now;
            }
            mill_timers_run(&timers, now);
            for (int64_t order = before + 1; order <= rung; order++) {
                for (int i = 0; i < COUNT; i++) {
                    if (!due[i] || bells[i].order != order) continue;
                    CHECK(bells[i].timer.when >= last);
                    last = bells[i].timer.when;
                }
            }
            check_rung(bells, due, before);
        } else {
            for (int i = 0; i < COUNT; i++) due[i] = bells[i].runs && i % 2;
            mill_timers_hurry(&timers, is_odd, bells);
            check_rung(bells, due, before);
        }
        if (step % 20 == 0) check_heap(&timers, bells);
    }
    check_heap(&timers, bells);
    mill_timers_fini(&timers);
    free(bells);
}

static bool refused;

static bool refuse(const struct mill_timer *timer)
{
    CHECK(timer->place == 0);
    return refused;
}

static void a_refused_timer_does_not_run(void)
{
    struct mill_timers timers;
    struct bell bell = {.timer = {.when = 5, .fire = ring}};
    mill_timers_init(&timers);
    refused = true;
    CHECK(!mill_timers_add_unless(&timers, &bell.timer, refuse));
    CHECK(mill_timers_next(&timers) == INT64_MAX && !mill_timers_remove(&timers, &bell.timer));
    refused = false;
    CHECK(mill_timers_add_unless(&timers, &bell.timer, refuse));
    CHECK(mill_timers_next(&timers) == 5 && mill_timers_remove(&timers, &bell.timer));
    mill_timers_fini(&timers);
}

static void no_memory_leaves_the_heap_as_it_was(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    struct mill_timers timers;
    struct bell *bells = calloc(COUNT, sizeof *bells);
    int failures = 0;
    mill_timers_init(&timers);
    for (int i = 0; i < COUNT; i++) {
        bells[i].timer = (struct mill_timer){.when = (int64_t)random_below(1000), .fire = ring};
        allocations_left = 0;
        bells[i].runs = mill_timers_add(&timers, &bells[i].timer);
        allocations_left = INT64_MAX;
        failures += !bells[i].runs;
        check_heap(&timers, bells);
        if (!bells[i].runs) bells[i].runs = mill_timers_add(&timers, &bells[i].timer);
    }
    CHECK(failures >= 3);
    check_heap(&timers, bells);
    mill_timers_fini(&timers);
    free(bells);
}

/* ---- threads ------------------------------------------------------------------------------------ */

enum { THREADS = 3, ROUNDS = 20000 };

struct tower {
    struct mill_timers timers;
    _Atomic bool done;
    _Atomic int64_t fired, stopped;
};

struct chime {
    struct mill_timer timer; /* first */
    struct tower *tower;
    int64_t payload; /* plain: the timers' mutex orders it */
};

static void strike(struct mill_timer *timer)
{
    struct chime *chime = (struct chime *)timer;
    if (chime->payload != chime->timer.when) abort();
    chime->payload = -1;
    atomic_fetch_add(&chime->tower->fired, 1);
}

static void *run_timers(void *context)
{
    struct tower *tower = context;
    for (int64_t now = 0; !atomic_load(&tower->done); now = (now + 1) % 100) {
        if (mill_timers_next(&tower->timers) <= now) mill_timers_run(&tower->timers, now);
    }
    return NULL;
}

/* After remove the memory is the caller's again, whether it has fired or not. */
static void *start_and_stop(void *context)
{
    struct tower *tower = context;
    for (int i = 0; i < ROUNDS; i++) {
        struct chime *chime = malloc(sizeof *chime);
        *chime = (struct chime){{.when = i % 100, .fire = strike}, tower, i % 100};
        if (!mill_timers_add(&tower->timers, &chime->timer)) abort();
        bool stopped = mill_timers_remove(&tower->timers, &chime->timer);
        if (stopped != (chime->payload >= 0)) abort();
        if (stopped) atomic_fetch_add(&tower->stopped, 1);
        free(chime);
    }
    return NULL;
}

static void a_timer_is_either_stopped_or_fired(void)
{
    struct tower tower = {.done = false};
    pthread_t threads[THREADS], runner;
    mill_timers_init(&tower.timers);
    pthread_create(&runner, NULL, run_timers, &tower);
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, start_and_stop, &tower);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    atomic_store(&tower.done, true);
    pthread_join(runner, NULL);
    CHECK(atomic_load(&tower.fired) + atomic_load(&tower.stopped) == THREADS * ROUNDS);
    CHECK(tower.timers.count == 0);
    mill_timers_fini(&tower.timers);
}

int main(void)
{
    random_state = check_seed();
    RUN(random_calls_agree_with_a_list);
    RUN(a_refused_timer_does_not_run);
    RUN(no_memory_leaves_the_heap_as_it_was);
    RUN(a_timer_is_either_stopped_or_fired);
    return check_end();
}
