/* test_channel: a channel against a plain queue, and under threads: no value lost or doubled, those
 * of one putter in their order, nobody left asleep.  A lost wake-up shows as a hang, which the
 * watchdog of main ends.  SPDX-License-Identifier: MIT */
#include "sched/channel.h"

#include <unistd.h>

#include "check.h"
#include "fail_check.h"
#include "random_check.h"

/* ---- one thread ------------------------------------------------------------------------------------ */

static void random_calls_agree_with_a_queue(void)
{
    for (uint32_t capacity = 1; capacity <= 7; capacity++) {
        struct mill_channel *channel = mill_channel_new(capacity);
        double first = 0, last = 0; /* of the values in the queue */
        for (int step = 0; step < 5000; step++) {
            struct mill_value value;
            bool closed;
            if (random_below(2)) {
                enum mill_channel_state state = mill_channel_put(channel, mill_number(last));
                CHECK(state ==
                      (last - first < capacity ? MILL_CHANNEL_DONE : MILL_CHANNEL_WAIT));
                if (state == MILL_CHANNEL_DONE) last++;
            } else {
                enum mill_channel_state state = mill_channel_take(channel, &value);
                CHECK(state == (last > first ? MILL_CHANNEL_DONE : MILL_CHANNEL_WAIT));
                if (state == MILL_CHANNEL_DONE) CHECK(value.number == first++);
            }
            CHECK(mill_channel_size(channel, &closed) == (uint32_t)(last - first) && !closed);
        }
        mill_channel_close(channel);
        CHECK(mill_channel_put(channel, mill_number(0)) == MILL_CHANNEL_CLOSED);
        struct mill_value value;
        for (; first < last; first++) {
            CHECK(mill_channel_take(channel, &value) == MILL_CHANNEL_DONE);
            CHECK(value.number == first);
        }
        CHECK(mill_channel_take(channel, &value) == MILL_CHANNEL_CLOSED);
        mill_shared_unref(&channel->shared);
    }
}

static int delivered;

static void note_delivery(struct mill_wait *wait)
{
    (void)wait;
    delivered++;
}

static struct mill_wait *parked(struct mill_channel *channel, bool putting)
{
    struct mill_wait *wait = mill_wait_new(note_delivery, NULL);
    CHECK(mill_channel_attach(channel, mill_link_new(wait, 0), putting));
    CHECK(mill_wait_park(wait));
    return wait;
}

/* One value or one place more. */
static void turn(struct mill_channel *channel, bool putting)
{
    struct mill_value value;
    if (putting) {
        CHECK(mill_channel_take(channel, &value) == MILL_CHANNEL_DONE);
    } else {
        CHECK(mill_channel_put(channel, mill_number(1)) == MILL_CHANNEL_DONE);
    }
}

static void as_many_are_told_as_can_go_on(void)
{
    for (int putting = 0; putting <= 1; putting++) {
        struct mill_channel *channel = mill_channel_new(2);
        struct mill_wait *waits[5];
        for (int i = 0; putting && i < 2; i++) mill_channel_put(channel, mill_number(1));
        for (int i = 0; i < 5; i++) waits[i] = parked(channel, putting);
        mill_wait_kick(waits[0],
                       MILL_REASON_TIME); /* on its way, but not out: it does not count */
        delivered = 0;
        turn(channel, putting);
        CHECK(delivered == 1 && atomic_load(&waits[1]->fired) &&
              !atomic_load(&waits[2]->fired));
        turn(channel, putting);
        CHECK(delivered == 3 && !atomic_load(&waits[4]->fired));
        mill_channel_close(channel);
        CHECK(delivered == 4);
        for (int i = 0; i < 5; i++) mill_wait_unref(waits[i]);
        mill_shared_unref(&channel->shared);
    }
}

/* One that was told and gives up passes its turn on. */
static void a_turn_that_was_given_up_goes_to_another(void)
{
    for (int putting = 0; putting <= 1; putting++) {
        struct mill_channel *channel = mill_channel_new(1);
        if (putting) mill_channel_put(channel, mill_number(1));
        struct mill_wait *first = parked(channel, putting), *second = parked(channel, putting);
        delivered = 0;
        turn(channel, putting);
        CHECK(delivered == 1 && atomic_load(&first->fired));
        mill_wait_unref(first); /* cancelled: it does not take its turn */
        mill_channel_nudge(channel);
        CHECK(delivered == 2 && atomic_load(&second->fired));
        mill_wait_unref(second);
        mill_shared_unref(&channel->shared);
    }
}

static void those_who_left_are_not_kept(void)
{
    struct mill_channel *channel = mill_channel_new(1);
    struct mill_wait *wait = parked(channel, false);
    CHECK(atomic_load(&wait->refs) == 2);
    mill_wait_kick(wait, MILL_REASON_TIME);
    mill_channel_nudge(channel);
    CHECK(atomic_load(&wait->refs) == 1);
    mill_wait_unref(wait);
    CHECK(channel->takers.first == NULL);
    mill_shared_unref(&channel->shared);
}

/* Values that nobody took, and those who wait, go with the channel. */
static void a_channel_owns_what_is_in_it(void)
{
    struct mill_memory memory = {0};
    struct mill_channel *channel = mill_channel_new(3);
    for (int i = 0; i < 3; i++) {
        struct mill_array *array = mill_array_new(&memory, MILL_UINT64, 4);
        CHECK(mill_channel_put(channel, mill_column(array)) == MILL_CHANNEL_DONE);
    }
    struct mill_wait *wait = parked(channel, true);
    delivered = 0;
    struct mill_value value;
    CHECK(mill_channel_take(channel, &value) == MILL_CHANNEL_DONE);
    mill_value_unref(value);
    mill_wait_unref(wait);
    CHECK(atomic_load(&memory.bytes) > 0);
    mill_shared_unref(&channel->shared);
    CHECK(atomic_load(&memory.bytes) == 0);
}

static void without_memory_there_is_no_channel(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    allocations_left = 0;
    CHECK(mill_channel_new(3) == NULL);
    allocations_left = INT64_MAX;
}

/* ---- threads ------------------------------------------------------------------------------------------ */

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { VALUES = 4000 };
#else
enum { VALUES = 20000 };
#endif
enum { PUTTERS = 3, TAKERS = 3 };

struct hall {
    struct mill_channel *channel;
    int giving_up; /* one of so many waits is given up at once; 0: none */
    double taken[TAKERS][PUTTERS * VALUES]; /* the history */
    int count[TAKERS];
};

struct visitor {
    struct hall *hall;
    int which;
    uint32_t random;
    _Atomic bool told;
};

static void tell_visitor(struct mill_wait *wait)
{
    struct visitor *visitor = wait->owner;
    atomic_store(&visitor->told, true);
}

static void visitor_waits(struct visitor *visitor, bool putting)
{
    struct hall *hall = visitor->hall;
    struct mill_wait *wait = mill_wait_new(tell_visitor, visitor);
    struct mill_link *link = mill_link_new(wait, 0);
    atomic_store(&visitor->told, false);
    if (!mill_channel_attach(hall->channel, link, putting)) {
        mill_link_drop(link);
        mill_wait_unref(wait);
        return;
    }
    bool parks = mill_wait_park(wait);
    visitor->random = visitor->random * 1664525u + 1013904223u;
    bool gives_up = hall->giving_up && (visitor->random >> 16) % (uint32_t)hall->giving_up == 0;
    if (parks && gives_up) mill_wait_kick(wait, MILL_REASON_CANCELLED);
    while (parks && !atomic_load(&visitor->told)) sched_yield();
    if (gives_up) {
        mill_channel_nudge(hall->channel);
        for (int i = 0; i < 3; i++) sched_yield(); /* away for a while */
    }
    mill_wait_unref(wait);
}

static void *put_all(void *context)
{
    struct visitor *visitor = context;
    for (int i = 0; i < VALUES; i++) {
        struct mill_value value = mill_number((double)visitor->which * VALUES + i);
        while (mill_channel_put(visitor->hall->channel, value) == MILL_CHANNEL_WAIT) {
            visitor_waits(visitor, true);
        }
    }
    return NULL;
}

static void *take_all(void *context)
{
    struct visitor *visitor = context;
    struct hall *hall = visitor->hall;
    for (;;) {
        struct mill_value value;
        enum mill_channel_state state = mill_channel_take(hall->channel, &value);
        if (state == MILL_CHANNEL_CLOSED) return NULL;
        if (state == MILL_CHANNEL_WAIT) {
            visitor_waits(visitor, false);
            continue;
        }
        hall->taken[visitor->which][hall->count[visitor->which]++] = value.number;
    }
}

/* Each taker sees the values of one putter in their order, and all together see each once. */
static void check_history(const struct hall *hall)
{
    static bool seen[PUTTERS * VALUES];
    int total = 0;
    memset(seen, 0, sizeof seen);
    for (int t = 0; t < TAKERS; t++) {
        int last[PUTTERS];
        for (int p = 0; p < PUTTERS; p++) last[p] = -1;
        for (int i = 0; i < hall->count[t]; i++, total++) {
            int value = (int)hall->taken[t][i], putter = value / VALUES;
            CHECK(!seen[value]);
            seen[value] = true;
            CHECK(value > last[putter]);
            last[putter] = value;
        }
    }
    CHECK_SAYING(total == PUTTERS * VALUES, "%d of %d values", total, PUTTERS * VALUES);
}

static void check_hall(uint32_t capacity, int giving_up)
{
    struct hall *hall = calloc(1, sizeof *hall);
    struct visitor putters[PUTTERS], takers[TAKERS];
    pthread_t putting[PUTTERS], taking[TAKERS];
    hall->channel = mill_channel_new(capacity);
    hall->giving_up = giving_up;
    for (int i = 0; i < TAKERS; i++) {
        takers[i] =
            (struct visitor){.hall = hall, .which = i, .random = random_below(1u << 30)};
        pthread_create(&taking[i], NULL, take_all, &takers[i]);
    }
    for (int i = 0; i < PUTTERS; i++) {
        putters[i] =
            (struct visitor){.hall = hall, .which = i, .random = random_below(1u << 30)};
        pthread_create(&putting[i], NULL, put_all, &putters[i]);
    }
    for (int i = 0; i < PUTTERS; i++) pthread_join(putting[i], NULL);
    mill_channel_close(hall->channel);
    for (int i = 0; i < TAKERS; i++) pthread_join(taking[i], NULL);
    check_history(hall);
    mill_shared_unref(&hall->channel->shared);
    free(hall);
}

static void no_value_is_lost_doubled_or_overtaken(void)
{
    static const uint32_t capacities[] = {1, 2, 16};
    for (int i = 0; i < 3; i++) check_hall(capacities[i], 0);
}

static void nor_when_some_give_up_waiting(void)
{
    static const uint32_t capacities[] = {1, 2, 16};
    for (int i = 0; i < 3; i++) check_hall(capacities[i], 3);
}

int main(void)
{
    alarm(240); /* a hang ends here, by SIGALRM */
    random_state = check_seed();
    RUN(random_calls_agree_with_a_queue);
    RUN(as_many_are_told_as_can_go_on);
    RUN(a_turn_that_was_given_up_goes_to_another);
    RUN(those_who_left_are_not_kept);
    RUN(a_channel_owns_what_is_in_it);
    RUN(without_memory_there_is_no_channel);
    RUN(no_value_is_lost_doubled_or_overtaken);
    RUN(nor_when_some_give_up_waiting);
    return check_end();
}
