/* test_place: where tasks run: strategies, keys, pinned tasks, and the set of workers that take
 * work.  A lost wake-up shows as a hang, which the watchdog of main ends.
 * SPDX-License-Identifier: MIT */
#include <unistd.h>

#include "random_check.h"
#include "sched/cancel.h"
#include "wait_check.h"

enum { PLAIN = 11, KEY = 7, OTHER_KEY = 6, MOST = 64 };

/* Where each task ran, by id; gates hold their worker until they are opened. */
static _Atomic int ran_on[MOST];
static _Atomic bool open_gates;
static _Atomic int at_gates;

static bool note_step(struct job *job)
{
    if (job->depth == 1) {
        atomic_fetch_add(&at_gates, 1);
        while (!atomic_load(&open_gates)) usleep(50);
    }
    atomic_store(&ran_on[job->id], job->worker->index + 1);
    job_finish(job, MILL_FINISHED, grove_box(job->grove, job->id));
    return true;
}

static uint32_t plain(uint64_t id)
{
    (void)id;
    return PLAIN;
}

static uint32_t keyed(uint64_t id)
{
    return id % 2 ? KEY : OTHER_KEY;
}

static struct mill_run *run_of(struct grove *grove, uint32_t function_of(uint64_t id),
                               int count, int depth, enum mill_strategy strategy)
{
    uint64_t ids[MOST];
    for (int i = 0; i < count; i++) {
        ids[i] = (uint64_t)i;
        atomic_store(&ran_on[i], 0);
    }
    struct mill_run *run = bed_run(grove, grove_script(grove), function_of, ids, count, depth);
    run->strategy = strategy;
    for (uint32_t i = 0; strategy == MILL_PINNED && i < run->wanted_count; i++) {
        run->tasks[run->wanted[i]].worker =
            (uint16_t)(i % (uint32_t)grove->pool.worker_count + 1);
    }
    return run;
}

static void finish_run(struct grove *grove, struct mill_run *run)
{
    grove_wait(grove, run);
    CHECK(atomic_load(&run->failed) == 0);
    mill_run_free(run);
}

/* ---- strategies ------------------------------------------------------------------------------- */

static void pinned_tasks_run_where_they_are_pinned(void)
{
    for (int threads = 1; threads <= 8; threads *= 2) {
        struct grove grove;
        grove_open(&grove, threads, note_step);
        for (int active = threads; active > 0;
             active /= 2) { /* resting workers serve them, too */
            mill_pool_set_active(&grove.pool, active);
            for (int times = 0; times < 20; times++) {
                struct mill_run *run = run_of(&grove, plain, 2 * threads, 0, MILL_PINNED);
                grove_submit(&grove, run, NULL);
                finish_run(&grove, run);
                for (int i = 0; i < 2 * threads; i++) {
                    CHECK(atomic_load(&ran_on[i]) == i % threads + 1);
                }
            }
        }
        grove_close(&grove);
    }
}

static void tasks_go_round_the_workers_in_turn(void)
{
    for (int threads = 1; threads <= 4; threads++) {
        struct grove grove;
        grove_open(&grove, threads, note_step);
        for (int active = 1; active <= threads; active++) {
            mill_pool_set_active(&grove.pool, active);
            struct mill_run *run = run_of(&grove, plain, 20, 0, MILL_ROUND_ROBIN);
            grove_submit(&grove, run, NULL);
            int turn = (int)run->turn; /* runs go on where the one before stopped */
            finish_run(&grove, run);
            for (int i = 0; i < 20; i++) {
                CHECK(atomic_load(&ran_on[i]) == (turn + i) % active + 1);
            }
        }
        grove_close(&grove);
    }
}

static void tasks_of_one_key_run_on_one_worker_whatever_the_strategy(void)
{
    for (int strategy = 0; strategy < MILL_STRATEGIES; strategy++) {
        struct grove grove;
        grove_open(&grove, 3, note_step);
        grove.functions[KEY]->affinity = 7;
        grove.functions[OTHER_KEY]->affinity = 11;
        for (int times = 0; times < 20; times++) {
            struct mill_run *run = run_of(&grove, keyed, 30, 0, (enum mill_strategy)strategy);
            grove_submit(&grove, run, NULL);
            finish_run(&grove, run);
            for (int i = 0; i < 30; i++) {
                CHECK(atomic_load(&ran_on[i]) == (i % 2 ? 7 : 11) % 3 + 1);
            }
        }
        grove_close(&grove);
    }
}

static struct mill_run *close_gates(struct grove *grove)
{
    int threads = grove->pool.worker_count;
    atomic_store(&open_gates, false);
    atomic_store(&at_gates, 0);
    struct mill_run *gates = run_of(grove, plain, threads, 1, MILL_PINNED);
    grove_submit(grove, gates, NULL);
    while (atomic_load(&at_gates) < threads) usleep(50);
    return gates;
}

/* While all workers are held, tasks of one cost are dealt out evenly. */
static void equal_loads_are_dealt_out_evenly(void)
{
    for (int threads = 1; threads <= 4; threads++) {
        struct grove grove;
        grove_open(&grove, threads, note_step);
        grove.functions[PLAIN]->cost = 0.25;
        struct mill_run *gates = close_gates(&grove);
        struct mill_run *run = run_of(&grove, plain, 4 * threads, 0, MILL_LOAD_BALANCED);
        grove_submit(&grove, run, NULL);
        for (int w = 0; w < threads; w++) {
            CHECK(atomic_load(&grove.pool.workers[w].load) == 1000000000);
        }
        atomic_store(&open_gates, true);
        finish_run(&grove, run);
        finish_run(&grove, gates);
        grove_close(&grove); /* checks that no load is left */
    }
}

/* The load of tasks that are not run goes as well. */
static void the_load_of_cancelled_tasks_goes(void)
{
    struct grove grove;
    grove_open(&grove, 2, note_step);
    grove.functions[PLAIN]->cost = 0.25;
    struct mill_run *gates = close_gates(&grove);
    struct mill_run *run = run_of(&grove, plain, 8, 0, MILL_LOAD_BALANCED);
    grove_submit(&grove, run, NULL);
    mill_run_cancel(run);
    atomic_store(&open_gates, true);
    finish_run(&grove, run);
    finish_run(&grove, gates);
    for (int i = 2; i < 8; i++) CHECK(atomic_load(&ran_on[i]) == 0);
    grove_close(&grove);
}

enum { LINKS = 20 };

/* A chain whose first task is a gate. */
static struct mill_run *chain_of(struct grove *grove, enum mill_strategy strategy)
{
    struct bed *bed = grove_script(grove);
    mill_handle last = 0;
    for (int i = 0; i < LINKS; i++) {
        mill_handle handle = mill_graph_node(&bed->graph, PLAIN, 2 + (i > 0));
        struct mill_node *node = mill_graph_find(&bed->graph, handle);
        mill_graph_argument(
            &bed->graph, node, 0,
            (struct mill_value){.tag = MILL_TAG_UINT64, .natural = (uint64_t)i});
        mill_graph_argument(&bed->graph, node, 1, mill_number(i == 0));
        struct mill_value input = {.tag = MILL_TAG_NODE, .natural = (uint32_t)last};
        if (i > 0) mill_graph_argument(&bed->graph, node, 2, input);
        if (i > 0) mill_graph_unref(&bed->graph, (uint32_t)last);
        last = handle;
    }
    uint32_t wanted = (uint32_t)last;
    struct mill_run *run = mill_run_new(&bed->graph, &wanted, 1, grove_function, grove, NULL);
    mill_graph_unref(&bed->graph, wanted);
    run->strategy = strategy;
    return run;
}

/* While the first task is placed the first worker, which would be taken among equals, has much to do;
 * for the others of the chain all have as much. */
static void check_chain(struct grove *grove, enum mill_strategy strategy)
{
    _Atomic int64_t *load = &grove->pool.workers[0].load;
    struct mill_run *run = chain_of(grove, strategy);
    atomic_store(&open_gates, false);
    atomic_store(&at_gates, 0);
    atomic_fetch_add(load, 1000000000);
    grove_submit(grove, run, NULL);
    while (atomic_load(&at_gates) < 1) usleep(50);
    atomic_fetch_sub(load, 1000000000);
    atomic_store(&open_gates, true);
    finish_run(grove, run);
    for (int i = 1; i < LINKS; i++) {
        CHECK(atomic_load(&ran_on[i]) == atomic_load(&ran_on[0]));
    }
}

/* A chain stays where it began: always, or as long as nobody has less to do. */
static void a_task_runs_where_its_input_was_made(void)
{
    struct grove grove;
    grove_open(&grove, 4, note_step);
    for (int times = 0; times < 50; times++) {
        check_chain(&grove, MILL_AFFINITY);
        check_chain(&grove, MILL_LOAD_BALANCED);
    }
    grove_close(&grove);
}

/* ---- the workers that take work ------------------------------------------------------------------ */

static int sleepers(struct mill_pool *pool)
{
    return (int)atomic_load(&pool->asleep);
}

/* A wake that chose a worker that rests was lost, and the run never ended. */
static void work_finds_the_few_that_take_it(void)
{
    struct grove grove;
    grove_open(&grove, 8, note_step);
    for (int active = 1; active <= 3; active++) {
        mill_pool_set_active(&grove.pool, active);
        for (int times = 0; times < 100; times++) {
            struct mill_run *run = run_of(&grove, plain, 1 + times % 5, 0, MILL_DYNAMIC);
            grove_submit(&grove, run, NULL);
            finish_run(&grove, run);
            for (int i = 0; i < 1 + times % 5; i++) {
                CHECK(atomic_load(&ran_on[i]) >= 1 && atomic_load(&ran_on[i]) <= active);
            }
            while (times % 10 == 0 && sleepers(&grove.pool) < 8) usleep(50);
        }
    }
    grove_close(&grove);
}

static bool grow_step(struct job *job)
{
    if (job->phase == 0) {
        job->phase = 1;
        job->run_count = job->depth > 0 ? 2 : 0;
        for (int r = 0; r < job->run_count; r++) {
            uint64_t ids[2] = {job->id * 4 + (uint64_t)r, job->id * 4 + 2 + (uint64_t)r};
            job->runs[r] = bed_run(job->grove, job_bed(job), plain, ids, 2, job->depth - 1);
            grove_submit(job->grove, job->runs[r], job->worker);
        }
    }
    while (job->ended < job->run_count) {
        if (job->wait) job_take_links(job);
        if (job->ended == job->run_count) break;
        if (job->count == job->ended) {
            struct mill_link *link = mill_link_new(job_wait(job), 0);
            job->count++;
            if (!mill_source_attach(&job->runs[job->ended]->end, link)) {
                mill_link_drop(link);
                job->ended++;
                continue;
            }
        }
        if (job_park(job, INT64_MAX)) return false;
        CHECK(job->reasons == 0);
    }
    uint64_t sum = 1;
    for (int r = 0; r < job->run_count; r++) {
        for (uint32_t i = 0; i < 2; i++) {
            sum += grove_unbox(&job->runs[r]->tasks[job->runs[r]->wanted[i]].result);
        }
        mill_run_free(job->runs[r]);
        job->runs[r] = NULL;
    }
    job_finish(job, MILL_FINISHED, grove_box(job->grove, sum));
    return true;
}

static _Atomic bool changing;

static void *change_set(void *context)
{
    struct grove *grove = context;
    for (uint32_t i = 0; atomic_load(&changing); i = i * 1664525u + 1013904223u) {
        mill_pool_set_active(&grove->pool, 1 + (int)(i >> 16) % 8);
        usleep(i % 200);
    }
    return NULL;
}

/* 4^0 + 4^1 + .. + 4^depth tasks: tasks that wait on a worker that rests go on there. */
static void the_set_may_change_while_tasks_run_and_wait(void)
{
    for (int round = 0; round < 10; round++) {
        struct grove grove;
        pthread_t thread;
        uint64_t id = 1;
        grove_open(&grove, 8, grow_step);
        atomic_store(&changing, true);
        pthread_create(&thread, NULL, change_set, &grove);
        for (int times = 0; times < 10; times++) {
            int depth = 1 + (int)random_below(4);
            struct mill_run *run = bed_run(&grove, grove_script(&grove), plain, &id, 1, depth);
            grove_submit(&grove, run, NULL);
            grove_wait(&grove, run);
            uint64_t expected = 0;
            for (int d = 0; d <= depth; d++) expected += (uint64_t)1 << 2 * d;
            CHECK(mill_task_state(&run->tasks[0]) == MILL_FINISHED &&
                  grove_unbox(&run->tasks[0].result) == expected);
            mill_run_free(run);
        }
        atomic_store(&changing, false);
        pthread_join(thread, NULL);
        grove_close(&grove);
    }
}

static void the_set_has_at_least_one_and_at_most_all(void)
{
    struct grove grove;
    grove_open(&grove, 3, note_step);
    static const int asked[] = {-1, 0, 1, 3, 4, 1000}, got[] = {1, 1, 1, 3, 3, 3};
    for (int i = 0; i < 6; i++) {
        mill_pool_set_active(&grove.pool, asked[i]);
        CHECK(atomic_load(&grove.pool.active) == got[i]);
    }
    grove_close(&grove);
}

int main(void)
{
    alarm(240); /* a hang ends here, by SIGALRM */
    random_state = check_seed();
    RUN(pinned_tasks_run_where_they_are_pinned);
    RUN(tasks_go_round_the_workers_in_turn);
    RUN(tasks_of_one_key_run_on_one_worker_whatever_the_strategy);
    RUN(equal_loads_are_dealt_out_evenly);
    RUN(the_load_of_cancelled_tasks_goes);
    RUN(a_task_runs_where_its_input_was_made);
    RUN(work_finds_the_few_that_take_it);
    RUN(the_set_may_change_while_tasks_run_and_wait);
    RUN(the_set_has_at_least_one_and_at_most_all);
    return check_end();
}
