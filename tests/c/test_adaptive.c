/* test_adaptive: how many workers there should be, and the thread that asks.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sched/adaptive.h"

#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* ---- The rule -------------------------------------------------------------------------- */

/* The rule as a table: rows in order of precedence, the first that fits wins. */
static int oracle(int minimum, int maximum, double cpu, double memory, int64_t queued,
                  int active)
{
    const struct {
        bool fits;
        int step;
    } rows[] = {
        {!isnan(memory) && memory > 0.85, -2},
        {!isnan(cpu) && cpu < 0.5 && queued > 100, +2},
        {!isnan(cpu) && !isnan(memory) && cpu > 0.9 && memory < 0.7, -1},
        {true, 0},
    };
    int row = 0;
    while (!rows[row].fits) row++;
    long long wanted = (long long)active + rows[row].step;
    if (wanted > maximum) wanted = maximum;
    if (wanted < minimum) wanted = minimum;
    return (int)wanted;
}

static const double shares[] = {-1,     0,      0.25, 0.4999, 0.5,     0.5001, 0.6999,
                                0.7,    0.7001, 0.84, 0.85,   0.86,    0.8999, 0.9,
                                0.9001, 1,      2,    NAN,    INFINITY};
static const int64_t queues[] = {0, 1, 99, 100, 101, 1000, INT64_MAX};
static const int counts[] = {INT_MIN, -1, 0, 1, 2, 3, 4, 7, 8, 9, 64, INT_MAX - 1, INT_MAX};
static const int rules[][2] = {{1, 1}, {1, 2}, {1, 8}, {2, 8}, {4, 4}, {3, 64}, {1, INT_MAX}};

enum { SHARES = sizeof shares / sizeof shares[0], QUEUES = sizeof queues / sizeof queues[0] };
enum { COUNTS = sizeof counts / sizeof counts[0], RULES = sizeof rules / sizeof rules[0] };

static void every_step_is_as_the_table_has_it(void)
{
    int64_t cases = 0, changed = 0;
    for (int r = 0; r < RULES; r++) {
        const struct mill_adaptive_rule rule = {rules[r][0], rules[r][1]};
        for (int i = 0; i < SHARES * SHARES * QUEUES * COUNTS; i++) {
            double cpu = shares[i % SHARES], memory = shares[i / SHARES % SHARES];
            int64_t queued = queues[i / (SHARES * SHARES) % QUEUES];
            int active = counts[i / (SHARES * SHARES * QUEUES)];
            int got = mill_adaptive_step(&rule, cpu, memory, queued, active);
            int wanted = oracle(rule.minimum, rule.maximum, cpu, memory, queued, active);
            CHECK_SAYING(got == wanted, "cpu %g, memory %g, %lld queued, %d active: %d, not %d",
                         cpu, memory, (long long)queued, active, got, wanted);
            cases++;
            changed += got != active;
        }
    }
    CHECK(cases == (int64_t)RULES * SHARES * SHARES * QUEUES * COUNTS && changed > 0);
}

static void the_steps_in_words(void)
{
    const struct mill_adaptive_rule rule = {1, 16};
    CHECK(mill_adaptive_step(&rule, 0.30, 0.50, 101, 4) == 6);
    CHECK(mill_adaptive_step(&rule, 0.30, 0.50, 100, 4) == 4);
    CHECK(mill_adaptive_step(&rule, 0.95, 0.50, 101, 4) == 3);
    CHECK(mill_adaptive_step(&rule, 0.95, 0.75, 101, 4) == 4);
    CHECK(mill_adaptive_step(&rule, 0.95, 0.90, 101, 4) == 2);
    CHECK(mill_adaptive_step(&rule, 0.30, 0.90, 101, 4) == 2); /* memory comes first */
    CHECK(mill_adaptive_step(&rule, 0.30, 0.90, 101, 2) == 1); /* and stops at the minimum */
    CHECK(mill_adaptive_step(&rule, 0.30, 0.10, 101, 15) == 16);
}

/* ---- The thread ------------------------------------------------------------------------ */

static struct {
    struct mill_adaptive adaptive;
    _Atomic bool busy;
    _Atomic int left; /* samples until the work is done; < 0: never */
    _Atomic int samples, asked, sets, last_set, thread;
    _Atomic int64_t queued;
    double cpu, memory; /* constant while the thread runs */
    int most;           /* workers that can be had; 0: any */
} fake;

static bool fake_busy(void *context)
{
    CHECK(context == &fake);
    fake.thread = gettid();
    fake.asked++;
    return fake.busy;
}

static void fake_sample(void *context, double *cpu, double *memory)
{
    CHECK(context == &fake);
    *cpu = fake.cpu;
    *memory = fake.memory;
    if (fake.left >= 0 && --fake.left <= 0) fake.busy = false;
    fake.samples++;
}

static int64_t fake_queued(void *context)
{
    CHECK(context == &fake);
    return fake.queued;
}

static int fake_set(void *context, int workers)
{
    CHECK(context == &fake);
    fake.last_set = fake.most > 0 && workers > fake.most ? fake.most : workers;
    fake.sets++;
    return fake.last_set;
}

static struct mill_adaptive_options options_of(int minimum, int maximum, int active)
{
    return (struct mill_adaptive_options){
        .rule = {minimum, maximum},
        .interval = 1000000,
        .active = active,
        .busy = fake_busy,
        .sample = fake_sample,
        .queued = fake_queued,
        .set = fake_set,
        .context = &fake,
    };
}

static void start(const struct mill_adaptive_options *options)
{
    struct mill_error error;
    if (mill_adaptive_start(&fake.adaptive, options, &error) != TIDEMILL_OK) abort();
}

static void fake_init(double cpu, double memory, int64_t queued)
{
    memset(&fake, 0, sizeof fake);
    fake.cpu = cpu;
    fake.memory = memory;
    fake.queued = queued;
    fake.left = -1;
}

static void pause_ms(int ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

/* Waits until the thread sleeps for want of work. */
static void await_sleep(void)
{
    while (atomic_load(&fake.adaptive.work.waiters) == 0 || fake.busy) pause_ms(1);
}

/* Work of this many samples: the one that begins the interval, and as many decisions less one. */
static void work_for(int samples)
{
    int before = fake.samples;
    fake.left = samples;
    fake.busy = true;
    mill_adaptive_poke(&fake.adaptive);
    while (fake.samples < before + samples) pause_ms(1);
    await_sleep();
}

static void each_interval_decides_once(void)
{
    fake_init(0.10, 0.20, 1000);
    struct mill_adaptive_options options = options_of(1, 32, 4);
    start(&options);
    work_for(6);
    CHECK(fake.samples == 6 && fake.sets == 5 && fake.last_set == 14);
    work_for(3);
    CHECK(fake.samples == 9 && fake.sets == 7 && fake.last_set == 18);
    mill_adaptive_stop(&fake.adaptive);
    CHECK(fake.samples == 9 && fake.sets == 7);
}

static void the_first_sample_after_a_sleep_decides_nothing(void)
{
    fake_init(0.10, 0.20, 1000);
    struct mill_adaptive_options options = options_of(1, 32, 4);
    start(&options);
    for (int i = 1; i <= 5; i++) {
        work_for(1); /* done before the interval is over */
        CHECK(fake.samples == i && fake.sets == 0);
    }
    mill_adaptive_stop(&fake.adaptive);
}

static void nothing_is_set_that_is_already_so(void)
{
    fake_init(0.10, 0.20, 1000);
    struct mill_adaptive_options options = options_of(1, 7, 4);
    start(&options);
    work_for(10);
    CHECK(fake.sets == 2 && fake.last_set == 7); /* 6, then 7 */
    mill_adaptive_stop(&fake.adaptive);
}

static void what_cannot_be_had_is_asked_for_again(void)
{
    fake_init(0.10, 0.20, 1000);
    fake.most = 5;
    struct mill_adaptive_options options = options_of(1, 7, 4);
    start(&options);
    work_for(6);
    CHECK(fake.sets == 5 && fake.last_set == 5);
    mill_adaptive_stop(&fake.adaptive);
}

static void too_many_workers_at_the_start_are_sent_away(void)
{
    const int starts[][2] = {{9, 6}, {1, 2}, {2, 2}, {6, 6}};
    for (int i = 0; i < 4; i++) {
        fake_init(0.70, 0.20, 0);
        struct mill_adaptive_options options = options_of(2, 6, starts[i][0]);
        start(&options);
        work_for(2);
        CHECK(fake.sets == (starts[i][0] != starts[i][1]));
        CHECK(fake.sets == 0 || fake.last_set == starts[i][1]);
        mill_adaptive_stop(&fake.adaptive);
    }
}

static void memory_shrinks_to_the_minimum(void)
{
    fake_init(0.10, 0.90, 1000);
    struct mill_adaptive_options options = options_of(1, 32, 8);
    start(&options);
    work_for(8);
    CHECK(fake.sets == 4 && fake.last_set == 1); /* 6, 4, 2, 1 */
    mill_adaptive_stop(&fake.adaptive);
}

/* Voluntary context switches of the controlling thread; -1: not to be read. */
static long switches(void)
{
    char path[64], line[200];
    long count = -1;
    snprintf(path, sizeof path, "/proc/self/task/%d/status", fake.thread);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        sscanf(line, "voluntary_ctxt_switches: %ld", &count);
    }
    if (file) fclose(file);
    return count;
}

static void while_idle_nothing_happens(void)
{
    fake_init(0.10, 0.20, 1000);
    struct mill_adaptive_options options = options_of(1, 32, 4);
    start(&options);
    await_sleep();
    long before = -1;
    for (int i = 0; i < 50 && switches() != before; i++) { /* until it really sleeps */
        before = switches();
        pause_ms(20);
    }
    int asked = fake.asked;
    pause_ms(100); /* a hundred intervals */
    CHECK(switches() == before && fake.asked == asked);
    CHECK(fake.samples == 0 && fake.sets == 0);
    mill_adaptive_stop(&fake.adaptive);
    if (before < 0) SKIP("context switches are not to be read here");
}

static void a_poke_without_work_changes_nothing(void)
{
    fake_init(0.10, 0.20, 1000);
    struct mill_adaptive_options options = options_of(1, 32, 4);
    start(&options);
    await_sleep();
    int asked = fake.asked;
    mill_adaptive_poke(&fake.adaptive);
    while (fake.asked == asked) pause_ms(1);
    await_sleep();
    CHECK(fake.samples == 0 && fake.sets == 0);
    mill_adaptive_stop(&fake.adaptive);
}

static void stopping_waits_for_no_interval(void)
{
    fake_init(0.10, 0.20, 1000);
    struct mill_adaptive_options options = options_of(1, 32, 4);
    const int64_t intervals[] = {INT64_MAX, INT64_C(3600) * 1000000000, 1};
    for (int i = 0; i < 3; i++) { /* main's watchdog ends what hangs */
        options.interval = intervals[i];
        fake.samples = 0;
        fake.busy = true;
        start(&options);
        while (fake.samples == 0) pause_ms(1);
        mill_adaptive_stop(&fake.adaptive);
        fake.busy = false;
        start(&options);
        mill_adaptive_stop(&fake.adaptive);
    }
}

static void a_rule_that_makes_no_sense_is_refused(void)
{
    const struct mill_adaptive_options bad[] = {options_of(0, 4, 2), options_of(-1, 4, 2),
                                                options_of(5, 4, 4)};
    struct mill_error error;
    for (int i = 0; i < 3; i++) {
        CHECK(mill_adaptive_start(&fake.adaptive, &bad[i], &error) == TIDEMILL_USAGE);
        CHECK(strstr(error.text, "minimum") != NULL);
    }
    struct mill_adaptive_options never = options_of(1, 4, 2);
    never.interval = 0;
    CHECK(mill_adaptive_start(&fake.adaptive, &never, &error) == TIDEMILL_USAGE);
}

/* ---- Many pokers ----------------------------------------------------------------------- */

enum { POKERS = 3, ROUNDS = 2000 };

static void *poke_often(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        fake.busy = true;
        mill_adaptive_poke(&fake.adaptive);
        if (i % 16 == 0) fake.busy = false;
    }
    return unused;
}

static void no_poke_is_lost(void)
{
    fake_init(0.10, 0.20, 1000);
    struct mill_adaptive_options options = options_of(1, 32, 4);
    options.interval = 1000;
    start(&options);
    pthread_t pokers[POKERS];
    for (int i = 0; i < POKERS; i++) pthread_create(&pokers[i], NULL, poke_often, NULL);
    for (int i = 0; i < POKERS; i++) pthread_join(pokers[i], NULL);
    for (int i = 0; i < 200; i++) {
        fake.busy = false;
        await_sleep();
        int samples = fake.samples;
        fake.busy = true;
        mill_adaptive_poke(&fake.adaptive);
        while (fake.samples == samples) sched_yield(); /* hangs when the poke was lost */
    }
    mill_adaptive_stop(&fake.adaptive);
    CHECK(fake.samples >= 200);
}

int main(void)
{
    alarm(300); /* a lost wake-up shows as a hang */
    RUN(every_step_is_as_the_table_has_it);
    RUN(the_steps_in_words);
    RUN(each_interval_decides_once);
    RUN(the_first_sample_after_a_sleep_decides_nothing);
    RUN(nothing_is_set_that_is_already_so);
    RUN(what_cannot_be_had_is_asked_for_again);
    RUN(too_many_workers_at_the_start_are_sent_away);
    RUN(memory_shrinks_to_the_minimum);
    RUN(while_idle_nothing_happens);
    RUN(a_poke_without_work_changes_nothing);
    RUN(stopping_waits_for_no_interval);
    RUN(a_rule_that_makes_no_sense_is_refused);
    RUN(no_poke_is_lost);
    return check_end();
}
