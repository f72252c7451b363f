/* test_lease: who has one of a limited number of things: never more than the limit, nobody waits
 * while he could have one, everybody has his turn; step by step against a plain simulation, and by
 * threads that play Lua states.  `test_lease ROUNDS` repeats the random parts that many times.
 * SPDX-License-Identifier: MIT */
#include "sched/lease.h"

#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "random_check.h"
#include "sched/pool.h"

enum { SLICE = 100 * 1000 }; /* nanoseconds: of what took no time to make */

static int rounds = 200;
/* A pool whose threads are never started: the test is its workers. */
static void open_pool(struct mill_pool *pool, int workers)
{
    struct mill_pool_options options = {.threads = workers};
    struct mill_error error = {0};
    CHECK(mill_pool_init(pool, &options, &error) == TIDEMILL_OK);
}

static struct mill_worker *worker_of(struct mill_pool *pool, uint32_t side)
{
    return side ? &pool->workers[side - 1] : NULL;
}

static bool take_call(struct mill_pool *pool, uint32_t side)
{
    return side && atomic_exchange(&pool->workers[side - 1].called, false);
}

/* ---- step by step ------------------------------------------------------------------------------- */

static void what_is_kept_is_had_again_and_the_limit_holds(void)
{
    struct mill_pool pool;
    open_pool(&pool, 2);
    struct mill_lease *lease = mill_lease_new(2);
    struct mill_worker *a = worker_of(&pool, 1);
    struct mill_lease_place place = {0};
    CHECK(mill_lease_acquire(lease, a, &place, 0) == MILL_LEASE_MAKE);
    CHECK(mill_lease_acquire(lease, a, &place, 0) == MILL_LEASE_MAKE);
    CHECK(mill_lease_release(lease, a, true, 0) == 0);
    CHECK(mill_lease_acquire(lease, a, &place, 0) == MILL_LEASE_OWN);
    CHECK(mill_lease_acquire(lease, a, &place, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_counts(lease).waiting == 1);
    CHECK(mill_lease_release(lease, a, true, 0) == 0);
    CHECK(mill_lease_take(lease, &place) == MILL_LEASE_OWN);
    CHECK(mill_lease_counts(lease).waiting == 0);
    /* A broken one makes room for another. */
    CHECK(mill_lease_release(lease, a, false, 0) == 1);
    CHECK(mill_lease_counts(lease).made == 2);
    mill_lease_gone(lease, a, 0);
    CHECK(mill_lease_counts(lease).made == 1);
    CHECK(mill_lease_acquire(lease, a, &place, 0) == MILL_LEASE_MAKE);
    for (uint32_t left = 2; left > 0; left--) {
        CHECK(mill_lease_release(lease, a, false, 0) == 1);
        mill_lease_gone(lease, a, 0);
    }
    mill_shared_unref(&lease->shared);
    mill_pool_fini(&pool);
}

static void an_idle_one_moves_when_its_slice_is_over(void)
{
    struct mill_pool pool;
    open_pool(&pool, 2);
    struct mill_lease *lease = mill_lease_new(1);
    struct mill_worker *a = worker_of(&pool, 1), *b = worker_of(&pool, 2);
    struct mill_lease_place place = {0};
    CHECK(mill_lease_acquire(lease, a, &place, 1000) == MILL_LEASE_MAKE);
    mill_lease_made(lease, a, 0, 1000);
    CHECK(mill_lease_release(lease, a, true, 1000) == 0);
    CHECK(mill_lease_acquire(lease, b, &place, 2000) == MILL_LEASE_WAIT);
    /* Not yet: a may use it again, and keeps it when it gives it back in time. */
    CHECK(!take_call(&pool, 1));
    CHECK(mill_timers_next(&pool.timers) == 1000 + SLICE);
    struct mill_lease_place again = {0};
    CHECK(mill_lease_acquire(lease, a, &again, 3000) == MILL_LEASE_OWN);
    CHECK(mill_lease_release(lease, a, true, 4000) == 0);
    /* The timer calls a, which is to close it. */
    mill_timers_run(&pool.timers, 1000 + SLICE);
    CHECK(take_call(&pool, 1));
    CHECK(mill_lease_look(lease, a, 1000 + SLICE) == 1);
    CHECK(mill_lease_take(lease, &place) == MILL_LEASE_WAIT);
    CHECK(mill_lease_acquire(lease, a, &again, 1000 + SLICE) == MILL_LEASE_WAIT);
    mill_lease_gone(lease, a, 1000 + SLICE);
    CHECK(mill_lease_take(lease, &place) == MILL_LEASE_MAKE);
    mill_lease_made(lease, b, 50 * 1000 * 1000, 2000000);
    CHECK(mill_timers_next(&pool.timers) == INT64_MAX);
    /* Ten times what it cost, this time; from then on the next one given back goes. */
    CHECK(mill_lease_release(lease, b, true, 400 * 1000 * 1000) == 0);
    CHECK(mill_timers_next(&pool.timers) == 502 * 1000 * 1000);
    CHECK(mill_lease_acquire(lease, b, &place, 501 * 1000 * 1000) == MILL_LEASE_OWN);
    CHECK(mill_lease_release(lease, b, true, 502 * 1000 * 1000) == 1);
    mill_lease_gone(lease, b, 502 * 1000 * 1000);
    CHECK(mill_lease_take(lease, &again) == MILL_LEASE_MAKE);
    CHECK(mill_lease_release(lease, a, false, 0) == 1);
    mill_lease_gone(lease, a, 0);
    CHECK(mill_timers_next(&pool.timers) == INT64_MAX);
    mill_shared_unref(&lease->shared);
    mill_pool_fini(&pool);
}

static void the_script_keeps_nothing_that_others_want(void)
{
    struct mill_pool pool;
    open_pool(&pool, 1);
    struct mill_lease *lease = mill_lease_new(1);
    struct mill_worker *a = worker_of(&pool, 1);
    struct mill_lease_place place = {0}, other = {0};
    CHECK(mill_lease_acquire(lease, NULL, &other, 0) == MILL_LEASE_MAKE);
    mill_lease_made(lease, NULL, 1000000, 0);
    CHECK(mill_lease_acquire(lease, NULL, &other, 0) == MILL_LEASE_NEVER);
    CHECK(mill_lease_acquire(lease, a, &place, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_release(lease, NULL, true, 0) == 1);
    mill_lease_gone(lease, NULL, 0);
    CHECK(mill_lease_take(lease, &place) == MILL_LEASE_MAKE);
    CHECK(mill_lease_acquire(lease, NULL, &other, 0) == MILL_LEASE_WAIT);
    mill_lease_leave(lease, &other, 0);
    CHECK(mill_lease_release(lease, a, true, 0) == 0);
    CHECK(mill_lease_withdraw(lease, a) == 1);
    mill_lease_gone(lease, a, 0);
    CHECK(mill_lease_acquire(lease, NULL, &other, 0) == MILL_LEASE_MAKE);
    CHECK(mill_lease_release(lease, NULL, true, 0) == 0);
    CHECK(mill_lease_withdraw(lease, NULL) == 1);
    mill_lease_gone(lease, NULL, 0);
    mill_shared_unref(&lease->shared);
    mill_pool_fini(&pool);
}

static void who_gives_up_passes_on_what_he_was_given(void)
{
    struct mill_pool pool;
    open_pool(&pool, 2);
    struct mill_lease *lease = mill_lease_new(1);
    struct mill_worker *a = worker_of(&pool, 1), *b = worker_of(&pool, 2);
    struct mill_lease_place first = {0}, second = {0}, third = {0};
    CHECK(mill_lease_acquire(lease, a, &first, 0) == MILL_LEASE_MAKE);
    CHECK(mill_lease_acquire(lease, a, &first, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_acquire(lease, a, &second, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_acquire(lease, b, &third, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_release(lease, a, true, 0) == 0);
    mill_lease_leave(lease, &first, 0); /* it had OWN */
    CHECK(mill_lease_take(lease, &second) == MILL_LEASE_OWN);
    CHECK(mill_lease_acquire(lease, a, &second, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_release(lease, a, false, 0) == 1);
    mill_lease_gone(lease, a, 0);
    mill_lease_leave(lease, &third, 0); /* it had MAKE */
    CHECK(mill_lease_take(lease, &second) == MILL_LEASE_MAKE);
    mill_lease_leave(lease, &second, 0); /* done with: nothing */
    mill_lease_leave(lease, &third, 0);
    CHECK(mill_lease_counts(lease).made == 1);
    CHECK(mill_lease_release(lease, a, false, 0) == 1);
    mill_lease_gone(lease, a, 0);
    mill_shared_unref(&lease->shared);
    mill_pool_fini(&pool);
}

static void on_a_stack_the_topmost_is_served_first(void)
{
    struct mill_pool pool;
    open_pool(&pool, 1);
    struct mill_lease *lease = mill_lease_new(1);
    struct mill_worker *a = worker_of(&pool, 1);
    struct mill_lease_place low = {.depth = 1}, free = {0}, high = {.depth = 2},
                            top = {.depth = 3};
    CHECK(mill_lease_acquire(lease, a, &free, 0) == MILL_LEASE_MAKE);
    CHECK(mill_lease_acquire(lease, a, &low, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_acquire(lease, a, &high, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_acquire(lease, a, &free, 0) == MILL_LEASE_WAIT);
    CHECK(mill_lease_release(lease, a, true, 0) == 0);
    CHECK(low.answer == MILL_LEASE_WAIT && high.answer == MILL_LEASE_OWN);
    /* One on top of it that finds nothing takes it over. */
    CHECK(mill_lease_acquire(lease, a, &top, 0) == MILL_LEASE_OWN);
    CHECK(mill_lease_take(lease, &high) == MILL_LEASE_WAIT);
    CHECK(mill_lease_release(lease, a, false, 0) == 1);
    mill_lease_gone(lease, a, 0);
    CHECK(low.answer == MILL_LEASE_WAIT);
    CHECK(mill_lease_take(lease, &high) == MILL_LEASE_MAKE);
    CHECK(mill_lease_release(lease, a, true, 0) == 0);
    mill_lease_leave(lease, &low, 0); /* it had OWN */
    CHECK(mill_lease_take(lease, &free) == MILL_LEASE_OWN);
    CHECK(mill_lease_release(lease, a, false, 0) == 1);
    mill_lease_gone(lease, a, 0);
    mill_shared_unref(&lease->shared);
    mill_pool_fini(&pool);
}

static void closing_tells_who_waits_and_every_state(void)
{
    struct mill_pool pool;
    open_pool(&pool, 3);
    struct mill_lease *lease = mill_lease_new(2);
    struct mill_worker *a = worker_of(&pool, 1), *b = worker_of(&pool, 2);
    struct mill_lease_place place = {0}, closer = {0}, other = {0};
    CHECK(mill_lease_acquire(lease, a, &place, 0) == MILL_LEASE_MAKE);
    mill_lease_made(lease, a, 0, 0);
    CHECK(mill_lease_acquire(lease, b, &place, 0) == MILL_LEASE_MAKE);
    CHECK(mill_lease_release(lease, a, true, 0) == 0);
    CHECK(mill_lease_acquire(lease, worker_of(&pool, 3), &place, 0) == MILL_LEASE_WAIT);
    mill_lease_close(lease);
    CHECK(mill_timers_next(&pool.timers) == INT64_MAX);
    CHECK(mill_lease_take(lease, &place) == MILL_LEASE_CLOSED);
    CHECK(mill_lease_acquire(lease, b, &place, 0) == MILL_LEASE_CLOSED);
    CHECK(take_call(&pool, 1) && !take_call(&pool, 3));
    CHECK(mill_lease_drain(lease, &closer) == MILL_LEASE_WAIT);
    CHECK(mill_lease_drain(lease, &other) == MILL_LEASE_WAIT);
    mill_lease_leave(lease, &other, 0);
    CHECK(mill_lease_look(lease, a, 0) == 1);
    mill_lease_gone(lease, a, 0);
    CHECK(mill_lease_take(lease, &closer) == MILL_LEASE_CLOSED);
    CHECK(mill_lease_counts(lease).made == 1 && mill_lease_counts(lease).closed);
    CHECK(mill_lease_release(lease, b, true, 0) == 1); /* what is given back now is closed */
    mill_lease_gone(lease, b, 0);
    CHECK(mill_lease_drain(lease, &closer) == MILL_LEASE_CLOSED);
    mill_shared_unref(&lease->shared);
    mill_pool_fini(&pool);
}

static void one_that_is_dropped_lives_until_the_last_is_closed(void)
{
    struct mill_pool pool;
    open_pool(&pool, 2);
    struct mill_lease *lease = mill_lease_new(2);
    struct mill_lease_place place = {0};
    for (uint32_t side = 1; side <= 2; side++) {
        struct mill_worker *worker = worker_of(&pool, side);
        CHECK(mill_lease_acquire(lease, worker, &place, 0) == MILL_LEASE_MAKE);
        CHECK(mill_lease_release(lease, worker, true, 0) == 0);
    }
    mill_shared_unref(&lease->shared);
    for (uint32_t side = 1; side <= 2; side++) {
        CHECK(take_call(&pool, side));
        CHECK(mill_lease_look(lease, worker_of(&pool, side), 0) == 1);
        mill_lease_gone(lease, worker_of(&pool, side),
                        0); /* asan sees whether it is freed once */
    }
    mill_pool_fini(&pool);
}

/* ---- against a plain simulation ------------------------------------------------------------------- */

enum { SIDES = 4, PLACES = 12 };

/* All that there is to know, in arrays; every question is answered by looking at all of it. */
struct model {
    uint32_t max, lent[SIDES], idle[SIDES], leaving[SIDES];
    int64_t until[SIDES];
    int queue[PLACES]; /* numbers of places, the oldest first */
    int count;
    uint32_t side[PLACES];
    uint32_t depth[PLACES];
    int given[PLACES],
        given_count; /* those on a stack with an answer not taken, the oldest first */
    enum mill_lease_answer answer[PLACES];
    bool called[SIDES]; /* must have been, since its last look */
};

static uint32_t sum(const uint32_t *numbers)
{
    uint32_t all = 0;
    for (int i = 0; i < SIDES; i++) all += numbers[i];
    return all;
}

static uint32_t model_made(const struct model *model)
{
    return sum(model->lent) + sum(model->idle) + sum(model->leaving);
}

static void model_remove(struct model *model, int at)
{
    model->count--;
    for (int i = at; i < model->count; i++) model->queue[i] = model->queue[i + 1];
}

/* To the one at that place in the queue, or to the topmost of those on the stack with him. */
static void model_give(struct model *model, int at, enum mill_lease_answer answer)
{
    uint32_t side = model->side[model->queue[at]];
    for (int i = 0; i < model->count && model->depth[model->queue[at]]; i++) {
        int other = model->queue[i];
        if (model->side[other] != side) continue;
        if (model->depth[other] >= model->depth[model->queue[at]]) at = i;
    }
    int place = model->queue[at];
    model_remove(model, at);
    model->answer[place] = answer;
    model->lent[side]++;
    if (model->depth[place]) model->given[model->given_count++] = place;
}

static void model_forget_given(struct model *model, int place)
{
    int kept = 0;
    for (int i = 0; i < model->given_count; i++) {
        if (model->given[i] != place) model->given[kept++] = model->given[i];
    }
    model->given_count = kept;
}

/* The topmost one of the side that has not taken what it was given; -1: none. */
static int model_below(const struct model *model, uint32_t side)
{
    int below = -1;
    for (int i = 0; i < model->given_count; i++) {
        int place = model->given[i];
        if (model->side[place] != side) continue;
        if (below < 0 || model->depth[place] >= model->depth[below]) below = place;
    }
    return below;
}

static void model_send_away(struct model *model, uint32_t side, uint32_t self)
{
    model->idle[side]--;
    model->leaving[side]++;
    if (side != self) model->called[side] = true;
}

/* Somebody waits for whom nothing is on its way: idle ones whose time is over go. */
static void model_ask(struct model *model, uint32_t self, int64_t now)
{
    for (uint32_t side = 0; side < SIDES; side++) {
        while (model->count > (int)sum(model->leaving) && model->idle[side] > 0 &&
               model->until[side] <= now) {
            model_send_away(model, side, self);
        }
    }
}

static void model_put(struct model *model, uint32_t side, uint32_t self, int64_t now)
{
    int waits = (int)sum(model->leaving), here = 0;
    model->idle[side]++;
    if (waits < model->count && model->side[model->queue[waits]] != side &&
        now >= model->until[side]) {
        model_send_away(model, side, self);
    } else {
        while (here < model->count && model->side[model->queue[here]] != side) here++;
        if (here < model->count) {
            model->idle[side]--;
            model_give(model, here, MILL_LEASE_OWN);
        }
    }
    model_ask(model, self, now);
}

static void model_make_more(struct model *model, int64_t now)
{
    if (model->count > 0) model_give(model, 0, MILL_LEASE_MAKE);
    model_ask(model, SIDES, now);
}

static enum mill_lease_answer model_acquire(struct model *model, uint32_t side, int place,
                                            int64_t now)
{
    if (model->idle[side] > 0) {
        model->idle[side]--;
        model->lent[side]++;
        return MILL_LEASE_OWN;
    }
    if (model_made(model) < model->max) {
        model->lent[side]++;
        return MILL_LEASE_MAKE;
    }
    if (side == 0 && model->lent[0] == model->max) return MILL_LEASE_NEVER;
    int below = model_below(model, side);
    if (model->depth[place] && below >= 0) {
        enum mill_lease_answer answer = model->answer[below];
        model_forget_given(model, below);
        for (int i = model->count++; i > 0; i--) model->queue[i] = model->queue[i - 1];
        model->queue[0] = below;
        model->answer[below] = MILL_LEASE_WAIT;
        model_ask(model, side, now);
        return answer;
    }
    model->queue[model->count++] = place;
    model->side[place] = side;
    model->answer[place] = MILL_LEASE_WAIT;
    model_ask(model, side, now);
    return MILL_LEASE_WAIT;
}

static void model_leave(struct model *model, int place, int64_t now)
{
    uint32_t side = model->side[place];
    model_forget_given(model, place);
    if (model->answer[place] == MILL_LEASE_WAIT) {
        int at = 0;
        while (model->queue[at] != place) at++;
        model_remove(model, at);
        model_ask(model, SIDES, now);
    } else if (model->answer[place] == MILL_LEASE_OWN) {
        model->lent[side]--;
        model_put(model, side, SIDES, now);
    } else if (model->answer[place] == MILL_LEASE_MAKE) {
        model->lent[side]--;
        model_make_more(model, now);
    }
    model->answer[place] = MILL_LEASE_NONE;
}

/* The same steps for both. */
struct play {
    struct mill_pool pool;
    struct mill_lease *lease;
    struct mill_lease_place places[PLACES];
    struct model model;
    uint32_t held[SIDES]; /* lent and not waited for any more: can be given back */
    int64_t now;
};

static void compare(struct play *play)
{
    struct model *model = &play->model;
    struct mill_lease_counts counts = mill_lease_counts(play->lease);
    CHECK(counts.made == model_made(model) && counts.made <= model->max);
    CHECK(counts.idle == sum(model->idle) + sum(model->leaving));
    CHECK(counts.waiting == (uint32_t)model->count);
    CHECK(model->count == 0 || counts.made == model->max); /* nobody waits who could make one */
    for (int i = 0; i < model->count; i++) {               /* or who has one in his own state */
        CHECK(model->idle[model->side[model->queue[i]]] == 0);
    }
    for (uint32_t side = 1; side < SIDES; side++) {
        if (model->called[side]) CHECK(atomic_load(&play->pool.workers[side - 1].called));
    }
    for (uint32_t side = 0; side < play->lease->side_count; side++) {
        CHECK(play->lease->sides[side].lent == model->lent[side]);
        CHECK(play->lease->sides[side].idle == model->idle[side]);
        CHECK(play->lease->sides[side].leaving == model->leaving[side]);
    }
    for (int i = 0; i < PLACES; i++) CHECK(play->places[i].answer == model->answer[i]);
}

/* What an answer allows is had; one that is to be made takes so long. */
static void receive(struct play *play, uint32_t side, enum mill_lease_answer answer)
{
    if (answer != MILL_LEASE_OWN && answer != MILL_LEASE_MAKE) return;
    play->held[side]++;
    if (answer == MILL_LEASE_OWN) return;
    int64_t cost = random_below(1000) * 100;
    mill_lease_made(play->lease, worker_of(&play->pool, side), cost, play->now);
    if (side) play->model.until[side] = play->now + (cost * 10 > SLICE ? cost * 10 : SLICE);
}

static void step_acquire(struct play *play, uint32_t side)
{
    struct model *model = &play->model;
    int place = 0;
    while (place < PLACES && model->answer[place] != MILL_LEASE_NONE) place++;
    if (place == PLACES) return;
    model->depth[place] = play->places[place].depth = random_below(3) ? 0 : 1 + random_below(4);
    enum mill_lease_answer answer = mill_lease_acquire(
        play->lease, worker_of(&play->pool, side), &play->places[place], play->now);
    CHECK(answer == model_acquire(model, side, place, play->now));
    receive(play, side, answer);
}

static void step_release(struct play *play, uint32_t side)
{
    struct model *model = &play->model;
    if (play->held[side] == 0) return;
    bool keep = random_below(8) > 0;
    play->held[side]--;
    model->lent[side]--;
    if (keep) {
        model_put(model, side, side, play->now);
    } else {
        model->leaving[side]++;
    }
    CHECK(mill_lease_release(play->lease, worker_of(&play->pool, side), keep, play->now) ==
          model->leaving[side]);
}

static void step_place(struct play *play, int place)
{
    struct model *model = &play->model;
    enum mill_lease_answer answer = model->answer[place];
    if (answer == MILL_LEASE_NONE) return;
    if (random_below(4) == 0) {
        mill_lease_leave(play->lease, &play->places[place], play->now);
        model_leave(model, place, play->now);
        return;
    }
    CHECK(mill_lease_take(play->lease, &play->places[place]) == answer);
    if (answer == MILL_LEASE_WAIT) return;
    model->answer[place] = MILL_LEASE_NONE;
    model_forget_given(model, place);
    receive(play, model->side[place], answer);
}

/* A state that was called, or looks by itself, closes what it is to close. */
static void step_look(struct play *play, uint32_t side)
{
    struct model *model = &play->model;
    struct mill_worker *worker = worker_of(&play->pool, side);
    if (side >= play->lease->side_count) return;
    take_call(&play->pool, side);
    model->called[side] = false;
    bool withdraws = random_below(8) == 0;
    uint32_t leaving;
    if (withdraws) {
        leaving = mill_lease_withdraw(play->lease, worker);
        model->leaving[side] += model->idle[side];
        model->idle[side] = 0;
    } else {
        leaving = mill_lease_look(play->lease, worker, play->now);
        model_ask(model, side, play->now);
    }
    CHECK(leaving == model->leaving[side]);
    for (; leaving > 0; leaving--) {
        mill_lease_gone(play->lease, worker, play->now);
        model->leaving[side]--;
        model_make_more(model, play->now);
    }
}

static void step(struct play *play)
{
    uint32_t side = random_below(SIDES);
    switch (random_below(6)) {
    case 0:
    case 1:
        step_acquire(play, side);
        break;
    case 2:
        step_release(play, side);
        break;
    case 3:
        step_place(play, (int)random_below(PLACES));
        break;
    case 4:
        play->now += random_below(200) * 1000;
        mill_timers_run(&play->pool.timers, play->now);
        break;
    default:
        step_look(play, side);
    }
}

static void end_play(struct play *play)
{
    for (int i = 0; i < PLACES; i++) {
        mill_lease_leave(play->lease, &play->places[i], play->now);
    }
    CHECK(mill_timers_next(&play->pool.timers) == INT64_MAX);
    mill_lease_close(play->lease);
    for (uint32_t side = 0; side < play->lease->side_count; side++) {
        struct mill_worker *worker = worker_of(&play->pool, side);
        for (; play->held[side] > 0; play->held[side]--) {
            mill_lease_release(play->lease, worker, true, play->now);
        }
        uint32_t leaving = mill_lease_look(play->lease, worker, play->now);
        for (; leaving > 0; leaving--) mill_lease_gone(play->lease, worker, play->now);
    }
    CHECK(mill_lease_counts(play->lease).made == 0);
    mill_shared_unref(&play->lease->shared);
    mill_pool_fini(&play->pool);
}

static void it_does_what_a_plain_simulation_does(void)
{
    for (int round = 0; round < rounds; round++) {
        struct play play = {.now = 1};
        open_pool(&play.pool, SIDES - 1);
        play.model.max = 1 + random_below(4);
        play.lease = mill_lease_new(play.model.max);
        for (int i = 0; i < 400; i++) {
            step(&play);
            compare(&play);
        }
        end_play(&play);
    }
}

/* ---- by threads ------------------------------------------------------------------------------------ */

enum { THREADS = 4 };

struct state_of_lua { /* as much of it as a lease sees */
    struct mill_pool *pool;
    struct mill_lease *lease;
    struct mill_worker *worker;
    _Atomic int *open, *most;
    int kept, made, uses, wanted;
    uint32_t random;
};

static void tell(struct mill_wait *wait)
{
    (void)wait; /* the thread looks by itself */
}

static void open_one(struct state_of_lua *self)
{
    int open = atomic_fetch_add(self->open, 1) + 1, most = atomic_load(self->most);
    while (open > most && !atomic_compare_exchange_weak(self->most, &most, open)) {}
    self->made++;
    mill_lease_made(self->lease, self->worker, 0, mill_clock_now());
}

static void close_some(struct state_of_lua *self, uint32_t count)
{
    for (; count > 0; count--) {
        self->kept--;
        atomic_fetch_sub(self->open, 1);
        mill_lease_gone(self->lease, self->worker, mill_clock_now());
    }
}

/* What a worker does between its tasks. */
static void look_around(struct state_of_lua *self)
{
    mill_timers_run(&self->pool->timers, mill_clock_now());
    if (!atomic_exchange(&self->worker->called, false)) return;
    close_some(self, mill_lease_look(self->lease, self->worker, mill_clock_now()));
}

/* Waits for a place's answer; now and then gives it up. */
static enum mill_lease_answer stand(struct state_of_lua *self, struct mill_lease_place *place)
{
    struct mill_wait *wait = mill_wait_new(tell, NULL);
    struct mill_link *link = mill_link_new(wait, 0);
    bool gives_up = (self->random = self->random * 1664525 + 1013904223) >> 28 == 0;
    enum mill_lease_answer answer = MILL_LEASE_WAIT;
    if (mill_lease_attach(self->lease, place, link)) {
        while (atomic_load(&wait->fired) == NULL && !gives_up) look_around(self);
    } else {
        mill_link_drop(link);
    }
    if (!gives_up) answer = mill_lease_take(self->lease, place);
    if (answer == MILL_LEASE_WAIT) mill_lease_leave(self->lease, place, mill_clock_now());
    mill_wait_unref(wait);
    return answer;
}

static void *play_a_state(void *argument)
{
    struct state_of_lua *self = argument;
    while (self->uses < self->wanted) {
        struct mill_lease_place place = {0};
        look_around(self);
        enum mill_lease_answer answer =
            mill_lease_acquire(self->lease, self->worker, &place, mill_clock_now());
        if (answer == MILL_LEASE_WAIT) answer = stand(self, &place);
        if (answer == MILL_LEASE_WAIT) continue; /* given up */
        if (answer == MILL_LEASE_OWN) self->kept--;
        if (answer == MILL_LEASE_MAKE) open_one(self);
        self->uses++;
        bool keep = self->uses % 16 != 0;
        self->kept++;
        uint32_t leaving =
            mill_lease_release(self->lease, self->worker, keep, mill_clock_now());
        close_some(self, leaving);
    }
    close_some(self, mill_lease_withdraw(self->lease, self->worker));
    return NULL;
}

static void threads_share_without_ever_having_too_many(void)
{
    for (uint32_t max = 1; max <= 3; max++) {
        struct mill_pool pool;
        open_pool(&pool, THREADS);
        struct mill_lease *lease = mill_lease_new(max);
        struct state_of_lua states[THREADS];
        pthread_t threads[THREADS];
        _Atomic int open = 0, most = 0;
        for (int i = 0; i < THREADS; i++) {
            states[i] = (struct state_of_lua){
                .pool = &pool,
                .lease = lease,
                .worker = &pool.workers[i],
                .open = &open,
                .most = &most,
                .wanted = 5 * rounds,
                .random = random_below(1u << 30),
            };
            CHECK(pthread_create(&threads[i], NULL, play_a_state, &states[i]) == 0);
        }
        int made = 0;
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            CHECK(states[i].uses == 5 * rounds && states[i].kept == 0);
            made += states[i].made;
        }
        CHECK(atomic_load(&most) <= (int)max && made >= THREADS);
        CHECK(atomic_load(&open) == 0 && mill_lease_counts(lease).made == 0);
        CHECK(mill_timers_next(&pool.timers) == INT64_MAX);
        mill_shared_unref(&lease->shared);
        mill_pool_fini(&pool);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atoi(argv[1]);
    random_state = check_seed();
    alarm(300);
    RUN(what_is_kept_is_had_again_and_the_limit_holds);
    RUN(an_idle_one_moves_when_its_slice_is_over);
    RUN(the_script_keeps_nothing_that_others_want);
    RUN(who_gives_up_passes_on_what_he_was_given);
    RUN(on_a_stack_the_topmost_is_served_first);
    RUN(closing_tells_who_waits_and_every_state);
    RUN(one_that_is_dropped_lives_until_the_last_is_closed);
    RUN(it_does_what_a_plain_simulation_does);
    RUN(threads_share_without_ever_having_too_many);
    return check_end();
}
