/* test_park: nobody who was told sleeps on, nobody who sleeps uses the CPU.
 * A lost wake-up shows as a hang, which the watchdog of main ends.
 * SPDX-License-Identifier: MIT */
#include "sched/park.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void pause_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static uint32_t waiters(struct mill_park *park)
{
    return atomic_load(&park->waiters);
}

/* ---- one thread ------------------------------------------------------------------------ */

static void a_deadline_passes_no_earlier_than_it_should(void)
{
    struct mill_park park;
    mill_park_init(&park);
    for (int i = 0; i < 20; i++) {
        int64_t deadline = now() + i * 500000;
        uint32_t ticket = mill_park_prepare(&park);
        CHECK(!mill_park_commit(&park, ticket, deadline));
        CHECK(now() >= deadline);
    }
    CHECK(waiters(&park) == 0);
}

static void a_deadline_of_long_ago_returns_at_once(void)
{
    static const int64_t past[] = {0, 1, -1, INT64_MIN};
    struct mill_park park;
    mill_park_init(&park);
    for (int i = 0; i < 4; i++) {
        CHECK(!mill_park_commit(&park, mill_park_prepare(&park), past[i]));
    }
    CHECK(waiters(&park) == 0);
}

static void a_wake_between_prepare_and_commit_is_not_lost(void)
{
    struct mill_park park;
    mill_park_init(&park);
    for (int count = 1; count <= 3; count++) {
        uint32_t ticket = mill_park_prepare(&park);
        mill_park_wake(&park, count);
        CHECK(mill_park_commit(&park, ticket, INT64_MAX));
    }
    CHECK(waiters(&park) == 0);
}

static void a_wake_counts_also_when_the_deadline_has_passed(void)
{
    struct mill_park park;
    mill_park_init(&park);
    uint32_t ticket = mill_park_prepare(&park);
    mill_park_wake(&park, 1);
    CHECK(mill_park_commit(&park, ticket, 1));
}

static void a_wake_before_prepare_is_not_kept(void)
{
    struct mill_park park;
    mill_park_init(&park);
    mill_park_wake(&park, INT_MAX);
    CHECK(!mill_park_commit(&park, mill_park_prepare(&park), now() + 1000000));
}

static void waking_nobody_changes_nothing(void)
{
    struct mill_park park;
    mill_park_init(&park);
    mill_park_prepare(&park);
    mill_park_cancel(&park);
    uint32_t epoch = atomic_load(&park.epoch);
    for (int i = 0; i < 1000; i++) mill_park_wake(&park, INT_MAX);
    CHECK(atomic_load(&park.epoch) == epoch);
    CHECK(waiters(&park) == 0);
}

/* ---- sleepers -------------------------------------------------------------------------- */

enum { SLEEPERS = 4 };

struct dormitory {
    struct mill_park park;
    _Atomic int awake; /* how often somebody returned from commit */
    _Atomic long tid;  /* of the last to lie down */
};

static void *sleep_once(void *context)
{
    struct dormitory *dormitory = context;
    uint32_t ticket = mill_park_prepare(&dormitory->park);
    atomic_store(&dormitory->tid, syscall(SYS_gettid));
    if (mill_park_commit(&dormitory->park, ticket, INT64_MAX)) {
        atomic_fetch_add(&dormitory->awake, 1);
    }
    return NULL;
}

/* What follows "name:" in the status of a thread of this process; "" when nothing does. */
static void thread_status(long tid, const char *name, char value[64])
{
    char path[64], line[256], format[64];
    value[0] = '\0';
    snprintf(path, sizeof path, "/proc/self/task/%ld/status", tid);
    snprintf(format, sizeof format, "%s: %%63s", name);
    FILE *file = fopen(path, "r");
    if (file == NULL) return;
    while (fgets(line, sizeof line, file) && sscanf(line, format, value) != 1) continue;
    fclose(file);
}

/* Waits until the thread sleeps in the kernel. */
static void await_sleep(long tid)
{
    char state[64];
    for (;;) {
        thread_status(tid, "State", state);
        if (state[0] == 'S') return;
        pause_ms(1);
    }
}

static void start_sleepers(struct dormitory *dormitory, pthread_t *threads)
{
    for (int i = 0; i < SLEEPERS; i++) {
        atomic_store(&dormitory->tid, 0);
        CHECK(pthread_create(&threads[i], NULL, sleep_once, dormitory) == 0);
        long tid;
        while ((tid = atomic_load(&dormitory->tid)) == 0) pause_ms(1);
        await_sleep(tid);
    }
}

static void await_count(_Atomic int *counter, int expected)
{
    while (atomic_load(counter) < expected) pause_ms(1);
}

static void wake_of_one_wakes_one_sleeper(void)
{
    struct dormitory dormitory = {.awake = 0};
    pthread_t threads[SLEEPERS];
    mill_park_init(&dormitory.park);
    start_sleepers(&dormitory, threads);
    for (int i = 1; i <= SLEEPERS; i++) {
        mill_park_wake(&dormitory.park, 1);
        await_count(&dormitory.awake, i);
        pause_ms(5);
        CHECK_SAYING(atomic_load(&dormitory.awake) == i, "wake %d of one left %d awake", i,
                     atomic_load(&dormitory.awake));
    }
    for (int i = 0; i < SLEEPERS; i++) pthread_join(threads[i], NULL);
    CHECK(waiters(&dormitory.park) == 0);
}

static void wake_of_all_wakes_all_sleepers(void)
{
    struct dormitory dormitory = {.awake = 0};
    pthread_t threads[SLEEPERS];
    mill_park_init(&dormitory.park);
    start_sleepers(&dormitory, threads);
    mill_park_wake(&dormitory.park, INT_MAX);
    for (int i = 0; i < SLEEPERS; i++) pthread_join(threads[i], NULL);
    CHECK(atomic_load(&dormitory.awake) == SLEEPERS);
    CHECK(waiters(&dormitory.park) == 0);
}

/* ---- sleepers with names --------------------------------------------------------------- */

struct named {
    struct dormitory *dormitory;
    uint32_t bits;
    _Atomic int awake;
};

static void *sleep_as(void *context)
{
    struct named *named = context;
    struct mill_park *park = &named->dormitory->park;
    uint32_t ticket = mill_park_prepare(park);
    atomic_store(&named->dormitory->tid, syscall(SYS_gettid));
    if (mill_park_commit_as(park, ticket, INT64_MAX, named->bits)) {
        atomic_fetch_add(&named->awake, 1);
    }
    return NULL;
}

static void start_named(struct named *named, struct dormitory *dormitory, const uint32_t *bits,
                        pthread_t *threads)
{
    mill_park_init(&dormitory->park);
    for (int i = 0; i < SLEEPERS; i++) {
        named[i] = (struct named){.dormitory = dormitory, .bits = bits[i]};
        atomic_store(&dormitory->tid, 0);
        CHECK(pthread_create(&threads[i], NULL, sleep_as, &named[i]) == 0);
        long tid;
        while ((tid = atomic_load(&dormitory->tid)) == 0) pause_ms(1);
        await_sleep(tid);
    }
}

static void check_awake(struct named *named, const char *expected)
{
    for (int i = 0; i < SLEEPERS; i++) {
        if (expected[i] == '1') await_count(&named[i].awake, 1);
    }
    pause_ms(5);
    for (int i = 0; i < SLEEPERS; i++) {
        CHECK_SAYING(atomic_load(&named[i].awake) == expected[i] - '0', "%s: sleeper %d",
                     expected, i);
    }
}

static void wake_only_wakes_all_that_share_a_bit_and_no_other(void)
{
    static const uint32_t bits[SLEEPERS] = {1, 2, 5, 1u << 31};
    struct dormitory dormitory = {.awake = 0};
    struct named named[SLEEPERS];
    pthread_t threads[SLEEPERS];
    start_named(named, &dormitory, bits, threads);
    mill_park_wake_only(&dormitory.park, 8);
    check_awake(named, "0000");
    mill_park_wake_only(&dormitory.park, 1);
    check_awake(named, "1010");
    mill_park_wake_only(&dormitory.park, 1u << 31);
    check_awake(named, "1011");
    mill_park_wake(&dormitory.park, 1); /* whoever it is */
    check_awake(named, "1111");
    for (int i = 0; i < SLEEPERS; i++) pthread_join(threads[i], NULL);
    CHECK(waiters(&dormitory.park) == 0);
}

/* One that does not share the bit does not use up the wake. */
static void wake_some_counts_only_those_that_share_a_bit(void)
{
    static const uint32_t bits[SLEEPERS] = {1, 1, 3, 1};
    struct dormitory dormitory = {.awake = 0};
    struct named named[SLEEPERS];
    pthread_t threads[SLEEPERS];
    start_named(named, &dormitory, bits, threads);
    mill_park_wake_some(&dormitory.park, 1, 2);
    check_awake(named, "0010");
    mill_park_wake_some(&dormitory.park, 5, 2);
    check_awake(named, "0010");
    mill_park_wake_some(&dormitory.park, INT_MAX, 1);
    check_awake(named, "1111");
    for (int i = 0; i < SLEEPERS; i++) pthread_join(threads[i], NULL);
}

static void a_wake_of_others_sends_back_who_has_only_prepared(void)
{
    struct mill_park park;
    mill_park_init(&park);
    uint32_t ticket = mill_park_prepare(&park);
    mill_park_wake_only(&park, 2);
    CHECK(mill_park_commit_as(&park, ticket, INT64_MAX, 1));
    CHECK(!mill_park_commit_as(&park, mill_park_prepare(&park), now() + 1000000, 1));
    CHECK(waiters(&park) == 0);
}

static void a_parked_thread_does_not_run(void)
{
    struct dormitory dormitory = {.awake = 0};
    pthread_t thread;
    mill_park_init(&dormitory.park);
    CHECK(pthread_create(&thread, NULL, sleep_once, &dormitory) == 0);
    long tid;
    while ((tid = atomic_load(&dormitory.tid)) == 0) pause_ms(1);
    await_sleep(tid);
    char before[64], after[64], forced_before[64], forced_after[64];
    thread_status(tid, "voluntary_ctxt_switches", before);
    thread_status(tid, "nonvoluntary_ctxt_switches", forced_before);
    pause_ms(300);
    thread_status(tid, "voluntary_ctxt_switches", after);
    thread_status(tid, "nonvoluntary_ctxt_switches", forced_after);
    CHECK(before[0] != '\0' && forced_before[0] != '\0');
    CHECK_TEXT(after, before);
    CHECK_TEXT(forced_after, forced_before);
    mill_park_wake(&dormitory.park, 1);
    pthread_join(thread, NULL);
    CHECK(atomic_load(&dormitory.awake) == 1);
}

/* ---- many rounds ----------------------------------------------------------------------- */

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 50000 };
#else
enum { ROUNDS = 200000 };
#endif

/* Two threads hand a ball to and fro.  The release of `turn` is all that orders the store with
 * the look of the other side: whether the sleeper is told depends on park alone. */
struct court {
    struct mill_park parks[2];
    _Atomic int turn;
    _Atomic int missed;
    int ball;
};

struct player {
    struct court *court;
    int side;
};

static bool my_turn(struct player *player)
{
    return atomic_load_explicit(&player->court->turn, memory_order_acquire) == player->side;
}

static void await_turn(struct player *player)
{
    struct mill_park *park = &player->court->parks[player->side];
    while (!my_turn(player)) {
        uint32_t ticket = mill_park_prepare(park);
        if (my_turn(player)) {
            mill_park_cancel(park);
        } else {
            mill_park_commit(park, ticket, INT64_MAX);
        }
    }
}

static void *play(void *context)
{
    struct player *player = context;
    struct court *court = player->court;
    for (int i = 0; i < ROUNDS; i++) {
        await_turn(player);
        if (court->ball != 2 * i + player->side) atomic_fetch_add(&court->missed, 1);
        court->ball++;
        atomic_store_explicit(&court->turn, 1 - player->side, memory_order_release);
        mill_park_wake(&court->parks[1 - player->side], 1);
    }
    return NULL;
}

static void two_threads_hand_a_ball_to_and_fro_without_a_hang(void)
{
    struct court court = {.ball = 0};
    struct player players[2] = {{&court, 0}, {&court, 1}};
    pthread_t thread;
    mill_park_init(&court.parks[0]);
    mill_park_init(&court.parks[1]);
    CHECK(pthread_create(&thread, NULL, play, &players[1]) == 0);
    play(&players[0]);
    pthread_join(thread, NULL);
    CHECK(atomic_load(&court.missed) == 0);
    CHECK(court.ball == 2 * ROUNDS);
    CHECK(waiters(&court.parks[0]) == 0 && waiters(&court.parks[1]) == 0);
}

/* Makers add tokens one by one and wake one sleeper for each; takers take them.  A lost wake
 * leaves a token and a sleeper for ever. */
struct market {
    struct mill_park park;
    _Atomic int tokens;
    _Atomic int taken;
    _Atomic bool closed;
};

static bool take_token(struct market *market)
{
    int tokens = atomic_load_explicit(&market->tokens, memory_order_relaxed);
    while (tokens > 0) {
        if (atomic_compare_exchange_weak_explicit(&market->tokens, &tokens, tokens - 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            atomic_fetch_add_explicit(&market->taken, 1, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

static void *take_tokens(void *context)
{
    struct market *market = context;
    for (;;) {
        if (take_token(market)) continue;
        uint32_t ticket = mill_park_prepare(&market->park);
        if (take_token(market)) {
            mill_park_cancel(&market->park);
        } else if (atomic_load_explicit(&market->closed, memory_order_relaxed)) {
            mill_park_cancel(&market->park);
            return NULL;
        } else {
            mill_park_commit(&market->park, ticket, INT64_MAX);
        }
    }
}

static void *make_tokens(void *context)
{
    struct market *market = context;
    for (int i = 0; i < ROUNDS; i++) {
        atomic_fetch_add_explicit(&market->tokens, 1, memory_order_relaxed);
        mill_park_wake(&market->park, 1);
        /* Every so often the takers run dry and go to sleep. */
        while (i % 64 == 0 && atomic_load(&market->tokens) > 0) sched_yield();
    }
    return NULL;
}

static void every_token_finds_a_taker(void)
{
    struct market market = {.tokens = 0};
    pthread_t takers[3], makers[2];
    mill_park_init(&market.park);
    for (int i = 0; i < 3; i++) pthread_create(&takers[i], NULL, take_tokens, &market);
    for (int i = 0; i < 2; i++) pthread_create(&makers[i], NULL, make_tokens, &market);
    for (int i = 0; i < 2; i++) pthread_join(makers[i], NULL);
    while (atomic_load(&market.tokens) > 0) pause_ms(1);
    atomic_store_explicit(&market.closed, true, memory_order_relaxed);
    mill_park_wake(&market.park, INT_MAX);
    for (int i = 0; i < 3; i++) pthread_join(takers[i], NULL);
    CHECK(atomic_load(&market.taken) == 2 * ROUNDS);
    CHECK(waiters(&market.park) == 0);
}

/* Both threads leave a spinning barrier at the same moment: one publishes and wakes, the other
 * prepares and looks.  Without a full fence on both sides each can miss the other.  A missed
 * wake shows as a deadline that passed. */
struct duel {
    struct mill_park park;
    _Atomic int work;
    _Atomic int arrived;
};

static void duel_meet(struct duel *duel, int round)
{
    int arrivals = atomic_fetch_add(&duel->arrived, 1) + 1;
    for (int spins = 0; arrivals < 2 * round; spins++) {
        if (spins % 1000 == 999) sched_yield();
        arrivals = atomic_load_explicit(&duel->arrived, memory_order_relaxed);
    }
}

/* A delay that differs from round to round and between the two sides. */
static void duel_stagger(int round, int modulus)
{
    for (volatile int i = round % modulus; i > 0; i--) continue;
}

static void *duel_wake(void *context)
{
    struct duel *duel = context;
    for (int round = 1; round <= ROUNDS; round++) {
        duel_meet(duel, round);
        duel_stagger(round, 17);
        atomic_store_explicit(&duel->work, round, memory_order_relaxed);
        mill_park_wake(&duel->park, 1);
    }
    return NULL;
}

static bool duel_wait(struct duel *duel, int round)
{
    while (atomic_load_explicit(&duel->work, memory_order_relaxed) != round) {
        uint32_t ticket = mill_park_prepare(&duel->park);
        if (atomic_load_explicit(&duel->work, memory_order_relaxed) == round) {
            mill_park_cancel(&duel->park);
        } else if (!mill_park_commit(&duel->park, ticket, now() + INT64_C(20000000000))) {
            return false;
        }
    }
    return true;
}

static void waiter_and_waker_that_start_together_do_not_miss_each_other(void)
{
    struct duel duel = {.work = 0};
    pthread_t thread;
    int missed = 0;
    mill_park_init(&duel.park);
    CHECK(pthread_create(&thread, NULL, duel_wake, &duel) == 0);
    for (int round = 1; round <= ROUNDS; round++) {
        duel_meet(&duel, round);
        duel_stagger(round, 13);
        missed += !duel_wait(&duel, round);
    }
    pthread_join(thread, NULL);
    CHECK_SAYING(missed == 0, "%d wakes were missed", missed);
    CHECK(waiters(&duel.park) == 0);
}

int main(void)
{
    alarm(240); /* a hang ends here, by SIGALRM */
    RUN(a_deadline_passes_no_earlier_than_it_should);
    RUN(a_deadline_of_long_ago_returns_at_once);
    RUN(a_wake_between_prepare_and_commit_is_not_lost);
    RUN(a_wake_counts_also_when_the_deadline_has_passed);
    RUN(a_wake_before_prepare_is_not_kept);
    RUN(waking_nobody_changes_nothing);
    RUN(wake_of_one_wakes_one_sleeper);
    RUN(wake_of_all_wakes_all_sleepers);
    RUN(wake_only_wakes_all_that_share_a_bit_and_no_other);
    RUN(wake_some_counts_only_those_that_share_a_bit);
    RUN(a_wake_of_others_sends_back_who_has_only_prepared);
    RUN(a_parked_thread_does_not_run);
    RUN(two_threads_hand_a_ball_to_and_fro_without_a_hang);
    RUN(every_token_finds_a_taker);
    RUN(waiter_and_waker_that_start_together_do_not_miss_each_other);
    return check_end();
}
