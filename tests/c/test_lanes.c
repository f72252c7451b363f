/* test_lanes: tasks of several lanes in one graph: each runs on its lane's worker and nowhere else,
 * with the results that the plainest evaluation gives; a lane that cannot start is an error, or is done
 * without.  SPDX-License-Identifier: MIT */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "dag_check.h"
#include "sched/attempt.h"
#include "sched/await.h"
#include "sched/parked.h"
#include "sched/roots.h"
#include "sched/suspended.h"

static const int thread_counts[] = {0, 1, 2, 4};

/* A lane that sleeps in poll, and whose tasks end some while after they were taken up, as those in
 * other processes do. */
struct far {
    struct dag *dag;
    struct mill_pool *pool;
    int wakes; /* an eventfd */
    bool refuses;
    int opened;
    struct mill_suspended kept[64];
    int count;
};

static tidemill_status far_open(void *context, struct mill_worker *worker,
                                struct mill_error *error)
{
    struct far *far = context;
    CHECK(worker->lane == MILL_LANE_PROCESS);
    far->opened++;
    if (far->refuses) return mill_fail(error, TIDEMILL_UNSUPPORTED, "not today");
    return TIDEMILL_OK;
}

static void far_wake(void *context)
{
    struct far *far = context;
    uint64_t one = 1;
    CHECK(write(far->wakes, &one, sizeof one) == sizeof one);
}

/* Ends one task that was taken up before. */
static void far_answer(struct far *far, struct mill_worker *worker)
{
    int i = (int)(mill_clock_now() % far->count);
    struct mill_suspended kept = far->kept[i];
    far->kept[i] = far->kept[--far->count];
    mill_worker_resume(worker, &kept);
    int node = dag_node_of(worker->task);
    struct dag *dag = far->dag;
    atomic_fetch_add(&dag->executed[node], 1);
    if (dag->nodes[node].fails) {
        mill_worker_finish(worker, MILL_FAILED, mill_number(node));
    } else {
        mill_worker_finish(worker, MILL_FINISHED, dag_box(dag, dag->nodes[node].number));
    }
    atomic_fetch_sub(&far->pool->outside, 1);
}

static void far_sleep(void *context, struct mill_worker *worker, int64_t deadline)
{
    struct far *far = context;
    uint64_t wakes;
    struct pollfd file = {far->wakes, POLLIN, 0};
    poll(&file, 1, far->count > 0 || deadline != INT64_MAX ? 1 : -1);
    if (read(far->wakes, &wakes, sizeof wakes) < 0) wakes = 0;
    if (far->count > 0) far_answer(far, worker);
}

static void far_drive(void *context, struct mill_worker *worker)
{
    struct far *far = context;
    enum mill_next next;
    while ((next = mill_worker_next(worker)) != MILL_NEXT_STOP) {
        if (next != MILL_NEXT_TASK) continue;
        CHECK(mill_task_function(worker->task)->lane == MILL_LANE_PROCESS);
        atomic_fetch_add(&far->pool->outside, 1);
        mill_worker_suspend(worker, &far->kept[far->count++]);
        if (far->count == 64 || (mill_clock_now() & 1)) far_answer(far, worker);
    }
    for (int i = 0; i < far->count; i++) mill_suspended_fini(&far->kept[i]);
}

static struct mill_pool_options options_of(struct dag *dag, struct far *far, int threads)
{
    return (struct mill_pool_options){
        .threads = threads,
        .drive = dag_drive,
        .context = dag,
        .lanes[MILL_LANE_LOOP] = {.drive = dag_drive, .context = dag},
        .lanes[MILL_LANE_PROCESS] = {far_open, far_drive, far_sleep, far_wake, far},
    };
}

/* Functions with a driver's body take all lanes; a third of them each. */
static void spread(struct dag *dag)
{
    for (int i = 0; i < DAG_FUNCTIONS; i++) {
        if (dag->functions[i]->body) continue;
        dag->functions[i]->lane = (enum mill_lane)(i % MILL_LANES);
        dag->functions[i]->lane_asked = true;
    }
}

static void check_places(struct mill_pool *pool, struct mill_run *run)
{
    for (uint32_t t = 0; t < run->count; t++) {
        struct mill_task *task = &run->tasks[t];
        enum mill_lane lane = mill_task_function(task)->lane;
        if (mill_task_state(task) == MILL_SKIPPED || task->worker == 0) continue;
        if (lane == MILL_LANE_THREAD || pool->options.threads == 0) {
            CHECK(task->worker <= pool->worker_count);
        } else {
            CHECK_SAYING(task->worker == pool->worker_count + (int)lane, "lane %d: worker %d",
                         (int)lane, task->worker);
        }
    }
}

static void check_graph(int threads, uint32_t failing, enum mill_strategy strategy)
{
    struct dag dag;
    struct mill_pool pool;
    struct mill_error error;
    int count = 1 + (int)random_below(400), wanted[4];
    dag_init(&dag, count);
    struct far far = {.dag = &dag, .pool = &pool, .wakes = eventfd(0, EFD_NONBLOCK)};
    spread(&dag);
    dag_grow_random(&dag, count, DAG_CACHED, failing);
    struct mill_pool_options options = options_of(&dag, &far, threads);
    CHECK(mill_pool_init(&pool, &options, &error) == TIDEMILL_OK);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++) wanted[i] = (int)random_below((uint32_t)count);
        struct mill_run *run = dag_run(&dag, wanted, 4);
        run->strategy = strategy;
        dag_expect(&dag, run);
        CHECK(mill_pool_submit(&pool, run, NULL, &error) == TIDEMILL_OK);
        mill_pool_block(&pool, run, NULL);
        CHECK(mill_pool_wait(&pool, run, INT64_MAX));
        mill_pool_unblock(&pool);
        dag_check_run(&dag, run);
        check_places(&pool, run);
        mill_run_free(run);
    }
    for (int i = 0; i < pool.worker_total; i++) {
        CHECK(atomic_load(&pool.workers[i].pending) == 0);
    }
    CHECK(far.count == 0 && atomic_load(&pool.outside) == 0);
    CHECK(threads > 0 || far.opened == 0);
    mill_pool_fini(&pool);
    close(far.wakes);
    dag_fini(&dag);
}

static void test_random(void)
{
    uint64_t seed = check_seed();
    random_state = seed;
    for (int round = 0; round < 20; round++) {
        for (size_t t = 0; t < sizeof thread_counts / sizeof *thread_counts; t++) {
            check_graph(thread_counts[t], round % 2 ? 30 : 0, (enum mill_strategy)(round % 4));
        }
    }
}

/* One task of the process lane, in a lane that refuses to open. */
static void check_refusal(bool asked)
{
    struct dag dag;
    struct mill_pool pool;
    struct mill_error error = {0};
    dag_init(&dag, 1);
    struct far far = {.dag = &dag, .pool = &pool, .wakes = -1, .refuses = true};
    dag.nodes[0] = (struct dag_node){.function = DAG_DRIVEN};
    dag.functions[DAG_DRIVEN]->lane = MILL_LANE_PROCESS;
    dag.functions[DAG_DRIVEN]->lane_asked = asked;
    int node = dag_add(&dag);
    struct mill_pool_options options = options_of(&dag, &far, 1);
    CHECK(mill_pool_init(&pool, &options, &error) == TIDEMILL_OK);
    for (int i = 0; i < 2; i++) {
        struct mill_run *run = dag_run(&dag, &node, 1);
        dag_expect(&dag, run);
        tidemill_status status = mill_pool_submit(&pool, run, NULL, &error);
        if (asked) {
            CHECK(status == TIDEMILL_UNSUPPORTED && strcmp(error.text, "not today") == 0);
            CHECK(atomic_load(&pool.running) == 0);
        } else {
            CHECK(status == TIDEMILL_OK && mill_pool_wait(&pool, run, INT64_MAX));
            CHECK(run->tasks[0].worker == 1);
            dag_check_run(&dag, run);
        }
        mill_run_free(run);
    }
    CHECK(far.opened == (asked ? 2 : 1));
    mill_pool_fini(&pool);
    dag_fini(&dag);
}

static void test_refusal(void)
{
    check_refusal(true);
    check_refusal(false);
}

int main(void)
{
    alarm(300);
    RUN(test_random);
    RUN(test_refusal);
    return check_end();
}
