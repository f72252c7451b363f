/* test_suspend: tasks that start tasks and wait for them, in random trees, against a plain
 * recursion; what can never end is ended, and nothing else is.  A lost wake-up shows as a hang,
 * which the watchdog of main ends.  `test_suspend ROUNDS` repeats the random part that often.
 * SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "fail_check.h"
#include "random_check.h"
#include "sched/attempt.h"
#include "sched/await.h"
#include "sched/cancel.h"
#include "sched/parked.h"
#include "wait_check.h"

static int rounds = 10;
static const int thread_counts[] = {0, 1, 2, 4, 8};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof thread_counts[0] };

/* ---- trees ------------------------------------------------------------------------------------
 * All about a task follows from its id. */

static uint64_t tree_seed;
static int tree_depth;
static bool tree_fails, tree_sleeps;

static uint64_t mix(uint64_t number)
{
    number = (number ^ tree_seed) * 0xD6E8FEB86659FD93u;
    number = (number ^ number >> 32) * 0xD6E8FEB86659FD93u;
    return number ^ number >> 32;
}

static uint32_t trait(uint64_t id, uint32_t which, uint32_t limit)
{
    return (uint32_t)(mix(id * 16 + which) >> 20) % limit;
}

enum { RUNS, NODES, FUNCTION, FAILS, SLEEPS, NESTED, AT_ONCE, TRIES, STRATEGY, LEAVES };

static int runs_of(uint64_t id, int depth)
{
    return depth == 0 || trait(id, LEAVES, 4) == 0 ? 0 : (int)trait(id, RUNS, JOB_RUNS);
}

static uint64_t child_of(uint64_t id, int run, int node)
{
    return mix(id * 64 + (uint64_t)run * 8 + (uint64_t)node + 1);
}

static int nodes_of(uint64_t id, int run)
{
    return 1 + (int)trait(id + (uint64_t)run, NODES, JOB_NODES);
}

static bool fails(uint64_t id)
{
    return tree_fails && trait(id, FAILS, 40) == 0;
}

/* Functions: 0 to 4 by priority, 5 and 6 are tried again, 7 has a place of its own, 8 to 10 need
 * resources (their tasks start no others), 11 is plain. */
static uint32_t function_of(uint64_t id)
{
    return trait(id, FUNCTION, GROVE_FUNCTIONS);
}

static bool needs_resources(uint64_t id)
{
    return function_of(id) >= 8 && function_of(id) <= 10;
}

/* The oracle: false when the task fails. */
static bool tree_expect(uint64_t id, int depth, uint64_t *number, int64_t *tasks)
{
    bool fine = !fails(id);
    int runs = needs_resources(id) ? 0 : runs_of(id, depth);
    *number = mix(id);
    ++*tasks;
    for (int r = 0; r < runs; r++) {
        for (int n = 0; n < nodes_of(id, r); n++) {
            uint64_t child;
            if (!tree_expect(child_of(id, r, n), depth - 1, &child, tasks)) fine = false;
            *number = mix(*number ^ child);
        }
    }
    return fine;
}

static void tree_start_children(struct job *job)
{
    static const enum mill_strategy strategies[] = {MILL_DYNAMIC,       MILL_DYNAMIC,
                                                    MILL_ROUND_ROBIN,   MILL_AFFINITY,
                                                    MILL_LOAD_BALANCED, MILL_DYNAMIC};
    job->run_count = needs_resources(job->id) ? 0 : runs_of(job->id, job->depth);
    for (int r = 0; r < job->run_count; r++) {
        uint64_t ids[JOB_NODES];
        int nodes = nodes_of(job->id, r);
        for (int n = 0; n < nodes; n++) ids[n] = child_of(job->id, r, n);
        struct mill_run *run =
            bed_run(job->grove, job_bed(job), function_of, ids, nodes, job->depth - 1);
        run->strategy = strategies[trait(job->id + (uint64_t)r, STRATEGY, 6)];
        grove_submit(job->grove, run, job->worker);
        job->runs[r] = run;
    }
}

/* True: the job waits, its frame is gone. */
static bool tree_park(struct job *job, int64_t until)
{
    /* One below on the stack that holds a resource could not give it back to one on top. */
    bool nested =
        trait(job->id, NESTED, 6) == 0 && job->worker->nested < 20 && !needs_resources(job->id);
    return nested ? job_park_nested(job, until) : job_park(job, until);
}

static struct mill_link *tree_link(struct job *job, uint32_t tag)
{
    struct mill_link *link = mill_link_new(job_wait(job), tag);
    if (link == NULL) abort();
    return link;
}

/* Waits for one run after another, or for all of them at once; false: it waits. */
static bool tree_wait(struct job *job)
{
    bool at_once = trait(job->id, AT_ONCE, 2) == 0;
    for (; at_once && job->count < job->run_count; job->count++) {
        struct mill_link *link = tree_link(job, (uint32_t)job->count);
        if (mill_source_attach(&job->runs[job->count]->end, link)) continue;
        mill_link_drop(link);
        job->ended++;
    }
    for (;;) {
        if (job->wait) job_take_links(job);
        if (job->ended == job->run_count || job->reasons) return true;
        struct mill_run *run = job->runs[job->ended];
        if (!at_once && job->count == job->ended) {
            struct mill_link *link = tree_link(job, 0);
            job->count++;
            if (!mill_source_attach(&run->end, link)) {
                mill_link_drop(link);
                job->ended++;
                continue;
            }
        }
        if (tree_park(job, INT64_MAX)) return false;
    }
}

/* Fails when a child has; the runs are freed at once. */
static bool tree_collect(struct job *job)
{
    bool fine = true;
    job->sum = mix(job->id);
    for (int r = 0; r < job->run_count; r++) {
        struct mill_run *run = job->runs[r];
        CHECK(mill_run_ended(run));
        for (uint32_t n = 0; n < run->wanted_count; n++) {
            struct mill_task *task = &run->tasks[run->wanted[n]];
            if (mill_task_state(task) != MILL_FINISHED) {
                fine = false;
            } else {
                job->sum = mix(job->sum ^ grove_unbox(&task->result));
            }
        }
        mill_run_free(run);
        job->runs[r] = NULL;
    }
    return fine;
}

static bool tree_step(struct job *job)
{
    struct mill_worker *worker = job->worker;
    if (job->phase == 0) {
        const double *seconds;
        int attempt = mill_worker_attempt(worker, &seconds);
        uint32_t tries = 1 + trait(job->id, TRIES, 3);
        bool tried = function_of(job->id) == 5 || function_of(job->id) == 6;
        if (tried && attempt < (int)tries && mill_worker_retry(worker)) {
            job_free(job);
            return true;
        }
        CHECK(!tried || attempt == (int)tries || mill_run_cancelled(worker->task->run));
        job->phase = 1;
        bool sleeps = tree_sleeps && trait(job->id, SLEEPS, 8) == 0;
        if (sleeps) {
            int64_t until = mill_clock_now() + trait(job->id, SLEEPS, 300) * 1000;
            if (tree_park(job, until)) return false;
            if (job->reasons == 0) CHECK(false);
        }
    }
    if (job->phase == 1) {
        if (!(job->reasons & MILL_REASON_CANCELLED) && job->until && job->until != INT64_MAX) {
            CHECK(job->reasons & MILL_REASON_TIME && mill_clock_now() >= job->until);
        }
        job->reasons &= ~(uint32_t)MILL_REASON_TIME;
        job->phase = 2;
        tree_start_children(job);
    }
    if (!tree_wait(job)) return false;
    if (job->reasons & MILL_REASON_STUCK) atomic_fetch_add(&job->grove->stuck, 1);
    if (job->ended < job->run_count) {
        CHECK(job->reasons & MILL_REASON_CANCELLED || job->reasons & MILL_REASON_STUCK);
        CHECK(!(job->reasons & MILL_REASON_CANCELLED) || mill_run_cancelled(worker->task->run));
        atomic_fetch_add(&job->grove->cancelled, 1);
        job_finish(job, MILL_FAILED, mill_number(1));
        return true;
    }
    bool fine = tree_collect(job) && !fails(job->id);
    if (fine) {
        job_finish(job, MILL_FINISHED, grove_box(job->grove, job->sum));
    } else {
        job_finish(job, MILL_FAILED, mill_number(2));
    }
    return true;
}

static void tree_functions(struct grove *grove, bool priorities)
{
    struct mill_error error = {0};
    mill_resources_limit(&grove->pool.resources, "pumps", 1, &error);
    mill_resources_limit(&grove->pool.resources, "sluices", 2, &error);
    for (int i = 0; priorities && i < 5; i++) grove->functions[i]->priority = i - 2;
    for (int i = 5; i < 7; i++) {
        grove->functions[i]->retry = (struct mill_retry_rule){5, (i - 5) * 1e-5, 2, 1e-4, 0.5};
    }
    grove->functions[7]->affinity = 12345;
    for (int i = 8; i < 11; i++) {
        struct mill_need *needs = calloc(2, sizeof *needs);
        if (needs == NULL) abort();
        needs[0] = (struct mill_need){i % 2, MILL_RESOURCE_UNIT};
        needs[1] = (struct mill_need){1 - i % 2, MILL_RESOURCE_UNIT / 2};
        grove->functions[i]->needs = needs;
        grove->functions[i]->need_count = i == 10 ? 2 : 1;
    }
}

/* `cancelling`: runs are cancelled while they run, and what comes of them is anything that can
 * come of it. */
static void check_trees(int threads, bool cancelling)
{
    enum { ROOTS = 6 };
    struct grove grove;
    struct mill_run *runs[ROOTS];
    uint64_t ids[ROOTS], number;
    int64_t tasks = 0;
    tree_seed = ((uint64_t)random_below(1u << 30) << 30) | random_below(1u << 30);
    tree_depth = 2 + (int)random_below(4);
    tree_fails = random_below(3) == 0;
    tree_sleeps = random_below(2);
    grove_open(&grove, threads, tree_step);
    tree_functions(&grove, random_below(2));
    for (int i = 0; i < ROOTS; i++) {
        ids[i] = mix((uint64_t)i + 1);
        runs[i] = bed_run(&grove, grove_script(&grove), function_of, &ids[i], 1, tree_depth);
        grove_submit(&grove, runs[i], NULL);
    }
    for (int i = 0; cancelling && i < ROOTS; i++) {
        if (random_below(2)) continue;
        while (threads > 0 && random_below(3)) usleep(random_below(200));
        if (threads == 0)
            mill_pool_wait(&grove.pool, runs[i], mill_clock_now() + random_below(30000));
        mill_run_cancel(runs[i]);
    }
    for (int i = 0; i < ROOTS; i++) {
        grove_wait(&grove, runs[i]);
        struct mill_task *task = &runs[i]->tasks[0];
        enum mill_state state = mill_task_state(task);
        bool fine = tree_expect(ids[i], tree_depth, &number, &tasks);
        if (!mill_run_cancelled(runs[i])) {
            CHECK_SAYING(state == (fine ? MILL_FINISHED : MILL_FAILED), "root %d: state %d", i,
                         (int)state);
        }
        if (state == MILL_FINISHED) CHECK(fine && grove_unbox(&task->result) == number);
        mill_run_free(runs[i]);
    }
    CHECK(mill_pool_wait_all(&grove.pool, INT64_MAX));
    CHECK(atomic_load(&grove.stuck) == 0);
    CHECK(cancelling || atomic_load(&grove.cancelled) == 0);
    if (!cancelling) CHECK(atomic_load(&grove.begun) >= tasks);
    grove_close(&grove);
}

static void trees_of_tasks_that_wait_give_the_results_of_a_recursion(void)
{
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) check_trees(thread_counts[t], false);
    }
}

static void trees_cancelled_at_any_moment_end_and_leave_nothing(void)
{
    for (int round = 0; round < 3 * rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) check_trees(thread_counts[t], true);
    }
}

/* ---- what could never end, and what only seems so ---------------------------------------------- */

struct mill_rooms {
    struct mill_channel *channels[8];
    _Atomic int64_t told; /* tasks that were told that they never end */
};

static uint32_t plain(uint64_t id)
{
    (void)id;
    return 11;
}

/* False: it waits; else job->reasons, or a value was taken. */
static bool take_from(struct job *job, struct mill_channel *channel, struct mill_value *value)
{
    for (;;) {
        enum mill_channel_state state = mill_channel_take(channel, value);
        if (state != MILL_CHANNEL_WAIT) return true;
        struct mill_link *link = mill_link_new(job_wait(job), 0);
        if (!mill_channel_attach(channel, link, false)) {
            mill_link_drop(link);
            continue;
        }
        if (job_park(job, INT64_MAX)) return false;
        if (job->reasons) return true;
    }
}

/* Task i takes from channel i and puts what it got into channel i + 1. */
static bool take_step(struct job *job)
{
    struct mill_rooms *rooms = job->grove->context;
    struct mill_value value = mill_nil();
    if (job->wait) job_take_links(job);
    if (job->reasons == 0 && !take_from(job, rooms->channels[job->id], &value)) return false;
    if (job->reasons) {
        if (job->reasons & MILL_REASON_STUCK) atomic_fetch_add(&rooms->told, 1);
        mill_channel_nudge(rooms->channels[job->id]);
        job_finish(job, MILL_FAILED, mill_number(1));
        return true;
    }
    if (rooms->channels[job->id + 1]) {
        CHECK(mill_channel_put(rooms->channels[job->id + 1], value) == MILL_CHANNEL_DONE);
    }
    job_finish(job, MILL_FINISHED, value);
    return true;
}

static void rooms_open(struct mill_rooms *rooms, int count)
{
    memset(rooms, 0, sizeof *rooms);
    for (int i = 0; i < count; i++) rooms->channels[i] = mill_channel_new(4);
}

static void rooms_close(struct mill_rooms *rooms)
{
    for (int i = 0; rooms->channels[i]; i++) mill_shared_unref(&rooms->channels[i]->shared);
}

/* Each waits for what the one before it would put, the first one for what nobody puts. */
static void tasks_that_could_never_go_on_are_told_one_by_one(void)
{
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct grove grove;
            struct mill_rooms rooms;
            uint64_t ids[] = {0, 1, 2, 3, 4};
            rooms_open(&rooms, 5);
            grove_open(&grove, thread_counts[t], take_step);
            grove.context = &rooms;
            struct mill_run *run = bed_run(&grove, grove_script(&grove), plain, ids, 5, 0);
            grove_submit(&grove, run, NULL);
            grove_wait(&grove, run);
            for (int i = 0; i < 5; i++) {
                CHECK(mill_task_state(&run->tasks[i]) == MILL_FAILED);
            }
            CHECK(atomic_load(&rooms.told) == 5);
            mill_run_free(run);
            grove_close(&grove);
            rooms_close(&rooms);
        }
    }
}

static bool nothing_step(struct job *job)
{
    if (job->depth > 0) return take_step(job);
    job_finish(job, MILL_FINISHED, mill_nil());
    return true;
}

/* The script waits for one task, then does what another waits for.  Between the end of the one and
 * the script's waking all workers sleep. */
static void a_task_that_waits_for_the_script_is_not_told_so(void)
{
    for (int round = 0; round < 40 * rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct grove grove;
            struct mill_rooms rooms;
            uint64_t ids[] = {0};
            rooms_open(&rooms, 2);
            grove_open(&grove, thread_counts[t], nothing_step);
            grove.pool.spin = round % 2 ? grove.pool.spin : 0;
            grove.context = &rooms;
            struct mill_run *waits = bed_run(&grove, grove_script(&grove), plain, ids, 1, 1);
            struct mill_run *ends = bed_run(&grove, grove_script(&grove), plain, ids, 1, 0);
            grove_submit(&grove, waits, NULL);
            grove_submit(&grove, ends, NULL);
            grove_wait(&grove, ends);
            CHECK(mill_channel_put(rooms.channels[0], mill_number(7)) == MILL_CHANNEL_DONE);
            grove_wait(&grove, waits);
            CHECK(mill_task_state(&waits->tasks[0]) == MILL_FINISHED &&
                  waits->tasks[0].result.number == 7);
            CHECK(atomic_load(&rooms.told) == 0);
            mill_run_free(waits);
            mill_run_free(ends);
            grove_close(&grove);
            rooms_close(&rooms);
        }
    }
}

/* The same with a wait of the script's own: it takes what a task puts. */
static void a_task_that_waits_for_an_answer_of_the_script_is_not_told_so(void)
{
    for (int round = 0; round < 10 * rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct grove grove;
            struct mill_rooms rooms;
            uint64_t ids[] = {0, 2, 4};
            rooms_open(&rooms, 6);
            grove_open(&grove, thread_counts[t], take_step);
            grove.context = &rooms;
            struct mill_run *run = bed_run(&grove, grove_script(&grove), plain, ids, 3, 0);
            grove_submit(&grove, run, NULL);
            for (int i = 0; i < 3; i++) {
                struct mill_channel *answers = rooms.channels[2 * i + 1];
                struct mill_value value;
                struct mill_pool *pool = &grove.pool;
                mill_channel_put(rooms.channels[2 * i], mill_number(i));
                while (mill_channel_take(answers, &value) == MILL_CHANNEL_WAIT) {
                    struct mill_wait *wait = mill_wait_new(mill_pool_wake_script, pool);
                    struct mill_link *link = mill_link_new(wait, 0);
                    if (mill_channel_attach(answers, link, false)) {
                        bool parked = mill_pool_park(pool, wait);
                        if (parked) mill_pool_block(pool, NULL, wait);
                        if (parked) CHECK(mill_pool_wait_for(pool, wait, INT64_MAX));
                        if (parked) mill_pool_unblock(pool);
                        mill_pool_unpark(pool, wait);
                        CHECK(atomic_load(&wait->reasons) == 0);
                    } else {
                        mill_link_drop(link);
                    }
                    mill_wait_unref(wait);
                }
                CHECK(value.number == i);
            }
            grove_wait(&grove, run);
            CHECK(atomic_load(&rooms.told) == 0 && atomic_load(&run->failed) == 0);
            mill_run_free(run);
            grove_close(&grove);
            rooms_close(&rooms);
        }
    }
}

/* A wait of the script that nobody will end: it is told itself, when no task is to be. */
static void the_script_is_told_when_nothing_runs(void)
{
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct grove grove;
        struct mill_rooms rooms;
        uint64_t id = 0;
        rooms_open(&rooms, 2);
        grove_open(&grove, thread_counts[t], nothing_step);
        struct mill_run *run = bed_run(&grove, grove_script(&grove), plain, &id, 1, 0);
        grove_submit(&grove, run, NULL);
        struct mill_wait *wait = mill_wait_new(mill_pool_wake_script, &grove.pool);
        CHECK(mill_channel_attach(rooms.channels[0], mill_link_new(wait, 0), false));
        CHECK(mill_pool_park(&grove.pool, wait));
        mill_pool_block(&grove.pool, NULL, wait);
        CHECK(mill_pool_wait_for(&grove.pool, wait, INT64_MAX));
        mill_pool_unblock(&grove.pool);
        mill_pool_unpark(&grove.pool, wait);
        CHECK(atomic_load(&wait->reasons) == MILL_REASON_STUCK);
        mill_wait_unref(wait);
        grove_wait(&grove, run);
        mill_run_free(run);
        grove_close(&grove);
        rooms_close(&rooms);
    }
}

/* ---- resources held while waiting ---------------------------------------------------------------- */

static uint32_t by_id(uint64_t id)
{
    return (uint32_t)id;
}

/* Task 8 holds the only pump and waits for a task that needs it. */
static bool hold_step(struct job *job)
{
    if (job->id == 8 && job->depth > 0) {
        uint64_t child = 8;
        if (job->phase++ == 0) {
            job->runs[0] = bed_run(job->grove, job_bed(job), by_id, &child, 1, job->depth - 1);
            job->run_count = 1;
            grove_submit(job->grove, job->runs[0], job->worker);
            CHECK(mill_source_attach(&job->runs[0]->end, mill_link_new(job_wait(job), 0)));
            if (job_park(job, INT64_MAX)) return false;
        }
        CHECK(job->reasons == MILL_REASON_STUCK);
        atomic_fetch_add(&job->grove->stuck, 1);
        job_finish(job, MILL_FAILED, mill_number(1));
        return true;
    }
    job_finish(job, MILL_FINISHED, mill_nil());
    return true;
}

static void one_that_waits_for_what_needs_its_own_resource_gives_it_back(void)
{
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct grove grove;
            uint64_t id = 8;
            grove_open(&grove, thread_counts[t], hold_step);
            tree_functions(&grove, false);
            struct mill_run *run = bed_run(&grove, grove_script(&grove), by_id, &id, 1, 3);
            grove_submit(&grove, run, NULL);
            grove_wait(&grove, run);
            mill_pool_block(&grove.pool, NULL, NULL);
            CHECK(mill_pool_wait_all(&grove.pool, INT64_MAX));
            mill_pool_unblock(&grove.pool);
            CHECK(atomic_load(&grove.stuck) == 3);
            mill_run_free(run);
            grove_close(&grove);
        }
    }
}

/* ---- cancelling ------------------------------------------------------------------------------------ */

static _Atomic int asleep, woken;

/* Tasks of an odd depth start one below and wait for it; the last one sleeps for an hour. */
static bool nap_step(struct job *job)
{
    if (job->phase++ == 0 && job->depth > 0) {
        uint64_t child = job->id + 1;
        job->runs[0] = bed_run(job->grove, job_bed(job), plain, &child, 1, job->depth - 1);
        job->run_count = 1;
        CHECK(mill_source_attach(&job->runs[0]->end, mill_link_new(job_wait(job), 0)));
        grove_submit(job->grove, job->runs[0], job->worker);
        if (job_park(job, INT64_MAX)) return false;
    } else if (job->phase == 1) {
        atomic_fetch_add(&asleep, 1);
        if (job_park(job, mill_clock_after(3600))) return false;
    }
    /* Or the one below it has ended first. */
    CHECK(job->reasons & MILL_REASON_CANCELLED || mill_run_ended(job->runs[0]));
    CHECK(mill_run_cancelled(job->worker->task->run));
    atomic_fetch_add(&woken, 1);
    job_finish(job, MILL_FAILED, mill_nil());
    return true;
}

static void a_run_that_a_task_started_is_cancelled_with_that_of_the_task(void)
{
    enum { DEPTH = 5 };
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct grove grove;
            uint64_t ids[2] = {0, 100};
            atomic_store(&asleep, 0);
            atomic_store(&woken, 0);
            grove_open(&grove, thread_counts[t], nap_step);
            struct mill_run *runs[2];
            for (int i = 0; i < 2; i++) {
                runs[i] = bed_run(&grove, grove_script(&grove), plain, &ids[i], 1, DEPTH);
                grove_submit(&grove, runs[i], NULL);
            }
            if (thread_counts[t] == 0) {
                while (atomic_load(&asleep) < 2) {
                    mill_pool_wait(&grove.pool, runs[0], mill_clock_after(0.001));
                }
            }
            while (atomic_load(&asleep) < 2) usleep(100);
            mill_run_cancel(runs[0]);
            grove_wait(&grove, runs[0]);
            /* Those below it end as well; the other one and those below it go on. */
            while (atomic_load(&woken) < DEPTH + 1) {
                mill_pool_wait(&grove.pool, runs[1], mill_clock_after(0.001));
            }
            CHECK(!mill_run_ended(runs[1]) && atomic_load(&woken) == DEPTH + 1);
            mill_run_cancel(runs[1]);
            grove_wait(&grove, runs[1]);
            CHECK(mill_pool_wait_all(&grove.pool, INT64_MAX));
            CHECK(atomic_load(&woken) == 2 * (DEPTH + 1));
            for (int i = 0; i < 2; i++) mill_run_free(runs[i]);
            grove_close(&grove);
        }
    }
}

/* A task that starts many while there is no memory for a larger deque. */
static bool poor_step(struct job *job)
{
    enum { WIDE = 3000 };
    if (job->depth > 0 && job->phase++ == 0) {
        uint32_t *wanted = malloc(WIDE * sizeof *wanted);
        struct bed *bed = job_bed(job);
        for (uint32_t i = 0; i < WIDE; i++) {
            wanted[i] = (uint32_t)bed_node(bed, i % 3 ? 11 : i % 5, i, 0);
        }
        job->runs[0] =
            mill_run_new(&bed->graph, wanted, WIDE, grove_function, job->grove, NULL);
        for (int i = 0; i < WIDE; i++) mill_graph_unref(&bed->graph, wanted[i]);
        free(wanted);
        job->run_count = 1;
        struct mill_link *link = mill_link_new(job_wait(job), 0);
        CHECK(mill_source_attach(&job->runs[0]->end, link));
        allocations_left = 0;
        grove_submit(job->grove, job->runs[0], job->worker);
        bool waits = job_park(job, INT64_MAX);
        allocations_left = INT64_MAX;
        if (waits) return false;
    }
    CHECK(job->reasons == 0);
    if (job->depth > 0) {
        for (uint32_t i = 0; i < WIDE; i++) {
            CHECK(mill_task_state(&job->runs[0]->tasks[i]) == MILL_FINISHED);
        }
    }
    job_finish(job, MILL_FINISHED, mill_nil());
    return true;
}

static void without_memory_a_task_starts_tasks_and_waits_all_the_same(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct grove grove;
        uint64_t id = 0;
        grove_open(&grove, thread_counts[t], poor_step);
        tree_functions(&grove, true);
        struct mill_run *run = bed_run(&grove, grove_script(&grove), plain, &id, 1, 1);
        grove_submit(&grove, run, NULL);
        grove_wait(&grove, run);
        CHECK(mill_task_state(&run->tasks[0]) == MILL_FINISHED);
        mill_run_free(run);
        grove_close(&grove);
    }
}

/* A wait for all runs is one that may never end. */
static void a_wait_for_all_ends_what_could_never_end(void)
{
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct grove grove;
        struct mill_rooms rooms;
        uint64_t ids[] = {0, 1, 2};
        rooms_open(&rooms, 3);
        grove_open(&grove, thread_counts[t], take_step);
        grove.context = &rooms;
        struct mill_run *run = bed_run(&grove, grove_script(&grove), plain, ids, 3, 0);
        grove_submit(&grove, run, NULL);
        mill_pool_block(&grove.pool, NULL, NULL);
        CHECK(mill_pool_wait_all(&grove.pool, INT64_MAX));
        mill_pool_unblock(&grove.pool);
        CHECK(mill_run_ended(run) && atomic_load(&rooms.told) == 3);
        mill_run_free(run);
        grove_close(&grove);
        rooms_close(&rooms);
    }
}

/* ---- depth ----------------------------------------------------------------------------------------- */

/* A task that starts one that starts one: as deep as it goes, and no worker is held. */
static bool deep_step(struct job *job)
{
    if (job->depth > 0 && job->phase++ == 0) {
        uint64_t child = job->id + 1;
        job->runs[0] = bed_run(job->grove, job_bed(job), plain, &child, 1, job->depth - 1);
        job->run_count = 1;
        grove_submit(job->grove, job->runs[0], job->worker);
        struct mill_link *link = mill_link_new(job_wait(job), 0);
        if (!mill_source_attach(&job->runs[0]->end, link)) {
            mill_link_drop(link);
        } else if (job_park(job, INT64_MAX)) {
            return false;
        }
    }
    CHECK(job->reasons == 0);
    double sum = 1;
    if (job->run_count) {
        CHECK(mill_run_ended(job->runs[0]));
        sum += job->runs[0]->tasks[0].result.number;
        mill_run_free(job->runs[0]);
        job->run_count = 0;
    }
    job_finish(job, MILL_FINISHED, mill_number(sum));
    return true;
}

static void tasks_wait_for_tasks_to_any_depth(void)
{
    enum { DEPTH = 2000 };
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct grove grove;
        uint64_t id = 1;
        grove_open(&grove, thread_counts[t], deep_step);
        struct mill_run *run = bed_run(&grove, grove_script(&grove), plain, &id, 1, DEPTH);
        grove_submit(&grove, run, NULL);
        grove_wait(&grove, run);
        CHECK(run->tasks[0].result.number == DEPTH + 1);
        mill_run_free(run);
        grove_close(&grove);
    }
}

/* ---- the serial lane ---------------------------------------------------------------------------------- */

static bool doze_step(struct job *job)
{
    if (job->depth > 0 && job->phase++ == 0) {
        if (job_park(job, mill_clock_now() + (int64_t)job->depth * 1000000)) return false;
    }
    job_finish(job, MILL_FINISHED, mill_nil());
    return true;
}

/* A wait of the serial lane ends with its run, however long a task of another one sleeps. */
static void a_serial_wait_does_not_sleep_for_the_timers_of_others(void)
{
    struct grove grove;
    uint64_t id = 1;
    grove_open(&grove, 0, doze_step);
    struct mill_run *long_one = bed_run(&grove, grove_script(&grove), plain, &id, 1, 3600000);
    struct mill_run *short_one = bed_run(&grove, grove_script(&grove), plain, &id, 1, 2);
    grove_submit(&grove, long_one, NULL);
    grove_submit(&grove, short_one, NULL);
    grove_wait(&grove, short_one);
    CHECK(!mill_run_ended(long_one));
    CHECK(!mill_pool_wait(&grove.pool, long_one, mill_clock_after(0.003)));
    mill_run_cancel(long_one);
    grove_wait(&grove, long_one);
    mill_run_free(long_one);
    mill_run_free(short_one);
    grove_close(&grove);
}

int main(int argc, char **argv)
{
    bool only_random = argc > 1;
    if (argc > 1) rounds = atoi(argv[1]);
    alarm(only_random ? 0 : 600); /* the watchdog */
    random_state = check_seed();
    RUN(trees_of_tasks_that_wait_give_the_results_of_a_recursion);
    RUN(trees_cancelled_at_any_moment_end_and_leave_nothing);
    RUN(tasks_that_could_never_go_on_are_told_one_by_one);
    RUN(a_task_that_waits_for_the_script_is_not_told_so);
    RUN(a_task_that_waits_for_an_answer_of_the_script_is_not_told_so);
    RUN(one_that_waits_for_what_needs_its_own_resource_gives_it_back);
    RUN(a_run_that_a_task_started_is_cancelled_with_that_of_the_task);
    if (only_random) return check_end();
    RUN(the_script_is_told_when_nothing_runs);
    RUN(a_wait_for_all_ends_what_could_never_end);
    RUN(without_memory_a_task_starts_tasks_and_waits_all_the_same);
    RUN(tasks_wait_for_tasks_to_any_depth);
    RUN(a_serial_wait_does_not_sleep_for_the_timers_of_others);
    return check_end();
}
