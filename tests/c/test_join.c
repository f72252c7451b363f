/* test_join: tasks that stand for results of other runs.  SPDX-License-Identifier: MIT */
#include "sched/await.h"
#include "sched/cancel.h"
#include "sched/join.h"
#include "sched/threads.h"

#include <unistd.h>

#include "fail_check.h"
#include "wait_check.h"

enum { JOINS = 10, READS = 9, PLAIN = 11 };

static const int thread_counts[] = {0, 1, 2, 4};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof thread_counts[0] };

static int released;

static void release(void *context, struct mill_run *run)
{
    (void)context;
    run->refs--;
    released++;
}

static uint32_t plain(uint64_t id)
{
    (void)id;
    return PLAIN;
}

/* Odd ones fail; those with a depth sleep first. */
static bool end_step(struct job *job)
{
    if (job->depth > 0 && job->phase++ == 0 &&
        job_park(job, mill_clock_now() + (int64_t)job->depth * 1000)) {
        return false;
    }
    if (mill_task_function(job->worker->task)->serial == READS + 1) { /* it reads a result */
        uint64_t number = grove_unbox(&job->worker->inputs[0]);
        job_finish(job, MILL_FINISHED, grove_box(job->grove, number + 1));
    } else if (job->id % 2) {
        job_finish(job, MILL_FAILED, mill_number((double)job->id));
    } else {
        job_finish(job, MILL_FINISHED, grove_box(job->grove, job->id));
    }
    return true;
}

static void open_grove(struct grove *grove, int threads)
{
    grove_open(grove, threads, end_step);
    grove->functions[JOINS]->joins = true;
    released = 0;
}

/* A run whose first wanted node joins with the k-th of `other`, and whose second one reads that. */
static struct mill_run *joining_run(struct grove *grove, struct mill_run *other, uint32_t k)
{
    struct bed *bed = grove_script(grove);
    struct mill_join *join = mill_join_new(other, k, release, NULL);
    mill_handle handles[2] = {mill_graph_node(&bed->graph, JOINS, 1),
                              mill_graph_node(&bed->graph, READS, 3)};
    struct mill_value value = {.tag = MILL_TAG_SHARED, .shared = &join->shared};
    mill_graph_argument(&bed->graph, mill_graph_find(&bed->graph, handles[0]), 0, value);
    struct mill_node *reads = mill_graph_find(&bed->graph, handles[1]);
    struct mill_value input = {.tag = MILL_TAG_NODE, .natural = (uint32_t)handles[0]};
    mill_graph_argument(&bed->graph, reads, 0,
                        (struct mill_value){.tag = MILL_TAG_UINT64, .natural = 0});
    mill_graph_argument(&bed->graph, reads, 1, mill_number(0));
    mill_graph_argument(&bed->graph, reads, 2, input);
    uint32_t wanted[2] = {(uint32_t)handles[0], (uint32_t)handles[1]};
    struct mill_run *run = mill_run_new(&bed->graph, wanted, 2, grove_function, grove, NULL);
    for (int i = 0; i < 2; i++) mill_graph_unref(&bed->graph, wanted[i]);
    return run;
}

static void a_join_ends_as_what_it_stands_for(void)
{
    enum { COUNT = 6, TIMES = 3 };
    for (int round = 0; round < 30; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct grove grove;
            struct mill_run *joining[COUNT * TIMES];
            uint64_t ids[COUNT] = {0, 1, 2, 3, 4, 5};
            open_grove(&grove, thread_counts[t]);
            struct mill_run *other =
                bed_run(&grove, grove_script(&grove), plain, ids, COUNT, round % 3 * 50);
            bool late = round % 2;
            if (!late) grove_submit(&grove, other, NULL);
            for (int i = 0; i < COUNT * TIMES; i++) {
                joining[i] = joining_run(&grove, other, (uint32_t)i % COUNT);
                grove_submit(&grove, joining[i], NULL);
            }
            if (late) grove_submit(&grove, other, NULL);
            for (int i = 0; i < COUNT * TIMES; i++) {
                grove_wait(&grove, joining[i]);
                struct mill_task *join = &joining[i]->tasks[joining[i]->wanted[0]];
                struct mill_task *read = &joining[i]->tasks[joining[i]->wanted[1]];
                uint64_t id = (uint64_t)i % COUNT;
                if (id % 2) {
                    CHECK(mill_task_state(join) == MILL_FAILED &&
                          join->result.number == (double)id);
                    CHECK(mill_task_state(read) == MILL_SKIPPED);
                } else {
                    CHECK(mill_task_state(join) == MILL_FINISHED &&
                          grove_unbox(&join->result) == id);
                    CHECK(mill_task_state(read) == MILL_FINISHED &&
                          grove_unbox(&read->result) == id + 1);
                }
                mill_run_free(joining[i]);
            }
            CHECK(released == COUNT * TIMES && other->refs == 1);
            CHECK(mill_run_ended(other));
            mill_run_free(other);
            grove_close(&grove);
        }
    }
}

static void a_join_with_a_cancelled_run_is_cancelled(void)
{
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct grove grove;
        uint64_t id = 2;
        open_grove(&grove, thread_counts[t]);
        struct mill_run *other = bed_run(&grove, grove_script(&grove), plain, &id, 1, 0);
        struct mill_run *run = joining_run(&grove, other, 0);
        mill_run_cancel(other); /* before it has a pool */
        grove_submit(&grove, run, NULL);
        grove_submit(&grove, other, NULL);
        grove_wait(&grove, run);
        CHECK(mill_task_state(&other->tasks[0]) == MILL_CANCELLED);
        CHECK(mill_task_state(&run->tasks[run->wanted[0]]) == MILL_CANCELLED);
        CHECK(mill_task_state(&run->tasks[run->wanted[1]]) == MILL_SKIPPED);
        mill_run_free(run);
        mill_run_free(other);
        grove_close(&grove);
    }
}

/* The pool closes while joins wait for a run that never started. */
static void joins_that_still_wait_go_with_their_runs(void)
{
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct grove grove;
        uint64_t id = 2;
        open_grove(&grove, thread_counts[t]);
        struct mill_run *other = bed_run(&grove, grove_script(&grove), plain, &id, 1, 0);
        struct mill_run *runs[3];
        for (int i = 0; i < 3; i++) {
            runs[i] = joining_run(&grove, other, 0);
            grove_submit(&grove, runs[i], NULL);
        }
        CHECK(!mill_pool_wait(&grove.pool, runs[0], mill_clock_after(0.002)));
        mill_pool_stop(&grove.pool);
        for (int i = 0; i < 3; i++) mill_run_free(runs[i]);
        CHECK(released == 3 && grove_script(&grove)->graph.live == 1);
        mill_run_free(other);
        atomic_store(&grove.pool.running, 0); /* they are gone without an end */
        grove_close(&grove);
    }
}

/* On one thread it looked again for ever. */
static void a_join_without_memory_fails(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    for (int64_t left = 0; left < 2; left++) {
        struct grove grove;
        uint64_t id = 2;
        open_grove(&grove, 0);
        struct mill_run *other = bed_run(&grove, grove_script(&grove), plain, &id, 1, 0);
        struct mill_run *run = joining_run(&grove, other, 0);
        grove_submit(&grove, run, NULL);
        allocations_left = left;
        CHECK(mill_pool_wait(&grove.pool, run, INT64_MAX));
        allocations_left = INT64_MAX;
        struct mill_task *task = &run->tasks[run->wanted[0]];
        size_t size = 0;
        const char *text = mill_value_text(&task->result, &size);
        CHECK(mill_task_state(task) == MILL_FAILED && size == 13 &&
              memcmp(text, "out of memory", 13) == 0);
        CHECK(atomic_load(&other->end.links) == NULL);
        mill_run_free(run);
        mill_run_free(other);
        grove_close(&grove);
    }
}

int main(void)
{
    alarm(240); /* a hang ends here, by SIGALRM */
    RUN(a_join_ends_as_what_it_stands_for);
    RUN(a_join_with_a_cancelled_run_is_cancelled);
    RUN(joins_that_still_wait_go_with_their_runs);
    RUN(a_join_without_memory_fails);
    return check_end();
}
