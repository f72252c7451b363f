/* lease: who may have one of a limited number of things that belong to Lua states.
 *
 * MOVING.  When all are made, and one state has an idle one while a task of another state waits,
 * the first has to close it, so that the second can make its own.  The lease tells the first's
 * worker to look (mill_worker_call), which it does before its next task, or now when it sleeps.
 * A task could be sent there just as well, but it would be counted, traced and cancelled with
 * whoever sent it, and would have to be built by a thread that may have no graph; and a call works
 * on a worker that takes no tasks because the set was made smaller.
 *
 * SLICES.  A state that runs one small task after the other would lose its thing with each of them
 * to somebody who waits elsewhere, and connections would be made for every task.  So what a state
 * has made stays there for ten times as long as the making took: moving costs at most a tenth.
 * From then on the oldest of those who wait gets the next one that is given back, wherever it is;
 * and a timer sees to it that one is asked for which nobody gives back, because it is idle.
 * SPDX-License-Identifier: MIT */
#include "sched/lease.h"

#include <stdlib.h>

#include "base/room.h"
#include "sched/mail.h"
#include "sched/pool.h"
#include "sched/sleep.h"

enum { SLICE_FACTOR = 10 };
static const int64_t SLICE_MIN = 100 * 1000, SLICE_MAX = 1000 * 1000 * 1000;

/* ---- places ------------------------------------------------------------------------------------ */

/* Before another one; NULL: at the end. */
static void places_add(struct mill_places *places, struct mill_lease_place *place, int among,
                       struct mill_lease_place *after)
{
    struct mill_lease_place *before = after ? after->before[among] : places->last;
    place->before[among] = before;
    place->after[among] = after;
    if (before) {
        before->after[among] = place;
    } else {
        places->first = place;
    }
    if (after) {
        after->before[among] = place;
    } else {
        places->last = place;
    }
    places->count++;
}

static void places_remove(struct mill_places *places, struct mill_lease_place *place, int among)
{
    struct mill_lease_place *before = place->before[among], *after = place->after[among];
    if (before) {
        before->after[among] = after;
    } else {
        places->first = after;
    }
    if (after) {
        after->before[among] = before;
    } else {
        places->last = before;
    }
    places->count--;
}

/* Those who wait for the end stand on no side.  Under the mutex, as all from here to the waiting. */
static bool is_closer(const struct mill_lease_place *place)
{
    return place->side == UINT32_MAX;
}

static void stand(struct mill_lease *lease, struct mill_lease_place *place, uint32_t side)
{
    place->side = side;
    place->answer = MILL_LEASE_WAIT;
    place->link = NULL;
    places_add(is_closer(place) ? &lease->closers : &lease->queue, place, MILL_AMONG_ALL, NULL);
    if (is_closer(place)) return;
    places_add(&lease->sides[side].queue, place, MILL_AMONG_SIDE, NULL);
}

static void step_out(struct mill_lease *lease, struct mill_lease_place *place)
{
    places_remove(is_closer(place) ? &lease->closers : &lease->queue, place, MILL_AMONG_ALL);
    if (is_closer(place)) return;
    places_remove(&lease->sides[place->side].queue, place, MILL_AMONG_SIDE);
}

/* The waiter may go on at once, but asks for the mutex before it looks at the place. */
static void answer_place(struct mill_lease *lease, struct mill_lease_place *place,
                         enum mill_lease_answer what)
{
    step_out(lease, place);
    place->answer = what;
    if (place->link) mill_link_fire(place->link);
    place->link = NULL;
}

/* The one that goes on in the stead of this one, see lease.h. */
static struct mill_lease_place *topmost(const struct mill_places *places)
{
    struct mill_lease_place *top = places->first;
    for (struct mill_lease_place *place = top; place; place = place->after[MILL_AMONG_SIDE]) {
        if (place->depth >= top->depth) top = place;
    }
    return top;
}

static struct mill_lease_place *instead_of(struct mill_lease *lease,
                                           struct mill_lease_place *place)
{
    return place->depth ? topmost(&lease->sides[place->side].queue) : place;
}

/* Gives a place one; it is counted as lent from here. */
static void give(struct mill_lease *lease, struct mill_lease_place *place,
                 enum mill_lease_answer what)
{
    struct mill_lease_side *side = &lease->sides[place->side];
    side->lent++;
    answer_place(lease, place, what);
    if (place->depth) places_add(&side->given, place, MILL_AMONG_SIDE, NULL);
}

/* The answer is the waiter's from here. */
static enum mill_lease_answer take_given(struct mill_lease *lease,
                                         struct mill_lease_place *place)
{
    enum mill_lease_answer what = place->answer;
    if (place->depth && (what == MILL_LEASE_OWN || what == MILL_LEASE_MAKE)) {
        places_remove(&lease->sides[place->side].given, place, MILL_AMONG_SIDE);
    }
    place->answer = MILL_LEASE_NONE;
    return what;
}

/* Takes what was given to one below on the stack, who waits again, as the oldest. */
static enum mill_lease_answer take_over(struct mill_lease *lease, struct mill_lease_side *side)
{
    struct mill_lease_place *below = topmost(&side->given);
    enum mill_lease_answer what = take_given(lease, below);
    below->answer = MILL_LEASE_WAIT;
    places_add(&lease->queue, below, MILL_AMONG_ALL, lease->queue.first);
    places_add(&side->queue, below, MILL_AMONG_SIDE, side->queue.first);
    return what;
}

/* ---- what a change leads to ------------------------------------------------------------------- */

static uint32_t index_of(const struct mill_worker *worker)
{
    return worker ? (uint32_t)worker->index + 1 : 0;
}

static struct mill_lease_side *side_of(struct mill_lease *lease,
                                       const struct mill_worker *worker)
{
    return &lease->sides[index_of(worker)];
}

static bool reserve_side(struct mill_lease *lease, struct mill_worker *worker)
{
    uint32_t count = index_of(worker) + 1;
    if (count > lease->side_count) {
        if (!mill_room_set(&lease->sides, count, sizeof *lease->sides)) return false;
        for (uint32_t i = lease->side_count; i < count; i++) {
            lease->sides[i] = (struct mill_lease_side){0};
        }
        lease->side_count = count;
    }
    side_of(lease, worker)->worker = worker;
    return true;
}

/* The script's thread cannot be called: it looks before it waits. */
static void send_away(struct mill_lease *lease, struct mill_lease_side *side,
                      const struct mill_worker *self)
{
    side->idle--;
    side->leaving++;
    lease->leaving++;
    if (side->worker && side->worker != self) mill_worker_call(side->worker);
}

static void send_all_away(struct mill_lease *lease, const struct mill_worker *self)
{
    for (uint32_t i = 0; i < lease->side_count; i++) {
        while (lease->sides[i].idle > 0) send_away(lease, &lease->sides[i], self);
    }
}

/* Called under the timers' mutex, which is taken inside the lease's: it may not take that. */
static void lease_timer_fires(struct mill_timer *timer)
{
    struct mill_lease *lease =
        (struct mill_lease *)((char *)timer - offsetof(struct mill_lease, timer));
    mill_worker_call(lease->timed);
}

static void set_timer(struct mill_lease *lease, struct mill_worker *worker, int64_t when)
{
    if (lease->timed == worker && (worker == NULL || lease->timer.when == when)) return;
    if (lease->timed) mill_timers_remove(&lease->timed->pool->timers, &lease->timer);
    lease->timed = worker;
    if (worker == NULL) return;
    lease->timer.when = when;
    if (mill_timers_add(&worker->pool->timers, &lease->timer)) {
        mill_worker_wake(worker); /* it sleeps until then, or is busy and looks by itself */
    } else {
        lease->timed = NULL; /* no memory: it has to go at once */
        mill_worker_call(worker);
    }
}

/* Asks for idle ones that somebody waits for and that are not on their way already. */
static void ask_for_idle(struct mill_lease *lease, const struct mill_worker *self, int64_t now)
{
    uint32_t wanted =
        lease->queue.count > lease->leaving ? lease->queue.count - lease->leaving : 0;
    struct mill_lease_side *next = NULL;
    for (uint32_t i = 0; i < lease->side_count && wanted > 0; i++) {
        struct mill_lease_side *side = &lease->sides[i];
        if (side->idle > 0 && side->until > now) {
            if (next == NULL || side->until < next->until) next = side;
            continue;
        }
        for (; side->idle > 0 && wanted > 0; wanted--) send_away(lease, side, self);
    }
    if (wanted == 0) next = NULL;
    set_timer(lease, next ? next->worker : NULL, next ? next->until : 0);
}

/* The oldest place that nothing is on its way for. */
static struct mill_lease_place *first_without(struct mill_lease *lease)
{
    struct mill_lease_place *place = lease->queue.first;
    for (uint32_t i = 0; place && i < lease->leaving; i++) place = place->after[MILL_AMONG_ALL];
    return place;
}

/* A side has one more idle. */
static void put_idle(struct mill_lease *lease, struct mill_lease_side *side,
                     const struct mill_worker *self, int64_t now)
{
    side->idle++;
    if (lease->closed) {
        send_away(lease, side, self);
        return;
    }
    if (lease->queue.count == 0) return;
    struct mill_lease_place *oldest = first_without(lease), *here = side->queue.first;
    if (oldest && oldest->side != (uint32_t)(side - lease->sides) && now >= side->until) {
        send_away(lease, side, self);
    } else if (here) {
        side->idle--;
        give(lease, instead_of(lease, here), MILL_LEASE_OWN);
    }
    ask_for_idle(lease, self, now);
}

/* There is one less: the oldest may make one. */
static void lose(struct mill_lease *lease, int64_t now)
{
    lease->made--;
    struct mill_lease_place *oldest = lease->queue.first;
    if (oldest == NULL) return;
    lease->made++;
    give(lease, instead_of(lease, oldest), MILL_LEASE_MAKE);
    ask_for_idle(lease, NULL, now);
}

static bool is_drained(const struct mill_lease *lease)
{
    return lease->leaving == (lease->side_count ? lease->sides[0].leaving : 0);
}

/* ---- beginning and end ------------------------------------------------------------------------- */

static void lease_free(struct mill_lease *lease)
{
    pthread_mutex_destroy(&lease->mutex);
    free(lease->sides);
    free(lease);
}

/* Nobody has a handle any more, and so nobody waits or has one lent. */
static void lease_destroy(struct mill_shared *shared)
{
    struct mill_lease *lease = (struct mill_lease *)shared;
    pthread_mutex_lock(&lease->mutex);
    lease->closed = lease->dropped = true;
    send_all_away(lease, NULL);
    bool last = lease->made == 0;
    pthread_mutex_unlock(&lease->mutex);
    if (last) lease_free(lease);
}

const struct mill_shared_kind mill_lease_kind = {"a pool of resources", lease_destroy, NULL,
                                                 false};

struct mill_lease *mill_lease_new(uint32_t max)
{
    struct mill_lease *lease = calloc(1, sizeof *lease);
    if (lease == NULL) return NULL;
    mill_shared_init(&lease->shared, &mill_lease_kind);
    pthread_mutex_init(&lease->mutex, NULL);
    lease->max = max;
    lease->timer.fire = lease_timer_fires;
    return lease;
}

/* ---- having one --------------------------------------------------------------------------------- */

static enum mill_lease_answer acquire(struct mill_lease *lease, struct mill_worker *worker,
                                      struct mill_lease_place *place, int64_t now)
{
    if (lease->closed) return MILL_LEASE_CLOSED;
    if (!reserve_side(lease, worker)) return MILL_LEASE_MEMORY;
    struct mill_lease_side *side = side_of(lease, worker);
    if (side->idle > 0) {
        side->idle--;
        side->lent++;
        return MILL_LEASE_OWN;
    }
    if (lease->made < lease->max) {
        lease->made++;
        side->lent++;
        return MILL_LEASE_MAKE;
    }
    if (worker == NULL && side->lent == lease->max) return MILL_LEASE_NEVER;
    enum mill_lease_answer what = MILL_LEASE_WAIT;
    if (place->depth && side->given.last) {
        what = take_over(lease, side);
    } else {
        stand(lease, place, index_of(worker));
    }
    ask_for_idle(lease, worker, now);
    return what;
}

enum mill_lease_answer mill_lease_acquire(struct mill_lease *lease, struct mill_worker *worker,
                                          struct mill_lease_place *place, int64_t now)
{
    pthread_mutex_lock(&lease->mutex);
    enum mill_lease_answer what = acquire(lease, worker, place, now);
    pthread_mutex_unlock(&lease->mutex);
    return what;
}

void mill_lease_made(struct mill_lease *lease, struct mill_worker *worker, int64_t cost,
                     int64_t now)
{
    int64_t slice = cost < SLICE_MAX / SLICE_FACTOR ? cost * SLICE_FACTOR : SLICE_MAX;
    pthread_mutex_lock(&lease->mutex);
    /* In the script nobody looks when a slice is over. */
    if (worker) {
        side_of(lease, worker)->until = now + (slice > SLICE_MIN ? slice : SLICE_MIN);
    }
    pthread_mutex_unlock(&lease->mutex);
}

uint32_t mill_lease_release(struct mill_lease *lease, struct mill_worker *worker, bool keep,
                            int64_t now)
{
    pthread_mutex_lock(&lease->mutex);
    struct mill_lease_side *side = side_of(lease, worker);
    side->lent--;
    if (keep) {
        put_idle(lease, side, worker, now);
    } else {
        side->leaving++;
        lease->leaving++;
    }
    uint32_t leaving = side->leaving;
    pthread_mutex_unlock(&lease->mutex);
    return leaving;
}

uint32_t mill_lease_look(struct mill_lease *lease, struct mill_worker *worker, int64_t now)
{
    pthread_mutex_lock(&lease->mutex);
    ask_for_idle(lease, worker, now);
    uint32_t leaving = side_of(lease, worker)->leaving;
    pthread_mutex_unlock(&lease->mutex);
    return leaving;
}

uint32_t mill_lease_withdraw(struct mill_lease *lease, struct mill_worker *worker)
{
    pthread_mutex_lock(&lease->mutex);
    struct mill_lease_side *side = side_of(lease, worker);
    while (side->idle > 0) send_away(lease, side, worker);
    uint32_t leaving = side->leaving;
    pthread_mutex_unlock(&lease->mutex);
    return leaving;
}

void mill_lease_gone(struct mill_lease *lease, struct mill_worker *worker, int64_t now)
{
    pthread_mutex_lock(&lease->mutex);
    side_of(lease, worker)->leaving--;
    lease->leaving--;
    lose(lease, now);
    while (lease->closers.first && is_drained(lease)) {
        answer_place(lease, lease->closers.first, MILL_LEASE_CLOSED);
    }
    bool last = lease->dropped && lease->made == 0;
    pthread_mutex_unlock(&lease->mutex);
    if (last) lease_free(lease);
}

/* ---- waiting ------------------------------------------------------------------------------------- */

bool mill_lease_attach(struct mill_lease *lease, struct mill_lease_place *place,
                       struct mill_link *link)
{
    struct mill_link *old = NULL;
    pthread_mutex_lock(&lease->mutex);
    bool waits = place->answer == MILL_LEASE_WAIT;
    if (waits) {
        old = place->link;
        place->link = link;
    }
    pthread_mutex_unlock(&lease->mutex);
    if (old) mill_link_drop(old);
    return waits;
}

enum mill_lease_answer mill_lease_take(struct mill_lease *lease, struct mill_lease_place *place)
{
    pthread_mutex_lock(&lease->mutex);
    enum mill_lease_answer what = place->answer;
    if (what != MILL_LEASE_WAIT) take_given(lease, place);
    pthread_mutex_unlock(&lease->mutex);
    return what;
}

static void give_place_up(struct mill_lease *lease, struct mill_lease_place *place, int64_t now)
{
    if (place->answer == MILL_LEASE_WAIT) step_out(lease, place);
    switch (take_given(lease, place)) {
    case MILL_LEASE_WAIT:
        ask_for_idle(lease, NULL, now); /* which takes back the timer */
        break;
    case MILL_LEASE_OWN:
        lease->sides[place->side].lent--;
        put_idle(lease, &lease->sides[place->side], NULL, now);
        break;
    case MILL_LEASE_MAKE:
        lease->sides[place->side].lent--;
        lose(lease, now);
        break;
    default:
        break;
    }
}

void mill_lease_leave(struct mill_lease *lease, struct mill_lease_place *place, int64_t now)
{
    pthread_mutex_lock(&lease->mutex);
    give_place_up(lease, place, now);
    struct mill_link *link = place->link;
    place->link = NULL;
    pthread_mutex_unlock(&lease->mutex);
    if (link) mill_link_drop(link);
}

/* ---- closing ------------------------------------------------------------------------------------- */

void mill_lease_close(struct mill_lease *lease)
{
    pthread_mutex_lock(&lease->mutex);
    lease->closed = true;
    while (lease->queue.first) answer_place(lease, lease->queue.first, MILL_LEASE_CLOSED);
    set_timer(lease, NULL, 0);
    send_all_away(lease, NULL);
    pthread_mutex_unlock(&lease->mutex);
}

enum mill_lease_answer mill_lease_drain(struct mill_lease *lease,
                                        struct mill_lease_place *place)
{
    enum mill_lease_answer what = MILL_LEASE_CLOSED;
    pthread_mutex_lock(&lease->mutex);
    if (!is_drained(lease)) {
        what = MILL_LEASE_WAIT;
        stand(lease, place, UINT32_MAX);
    }
    pthread_mutex_unlock(&lease->mutex);
    return what;
}

struct mill_lease_counts mill_lease_counts(struct mill_lease *lease)
{
    pthread_mutex_lock(&lease->mutex);
    struct mill_lease_counts counts = {
        .made = lease->made,
        .idle = lease->leaving,
        .waiting = lease->queue.count,
        .closed = lease->closed,
    };
    for (uint32_t i = 0; i < lease->side_count; i++) counts.idle += lease->sides[i].idle;
    pthread_mutex_unlock(&lease->mutex);
    return counts;
}
