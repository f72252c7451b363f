/* test_pool: workers and runs, against a plain evaluation: every task once, the right results,
 * nothing left, nobody asleep who should not be.  A lost wake-up shows as a hang, which the
 * watchdog of main ends.  `test_pool ROUNDS` repeats the random part that many times.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sched/await.h"
#include "sched/cancel.h"
#include "sched/pool.h"
#include "sched/roots.h"
#include "sched/threads.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "dag_check.h"

static int rounds = 12;
static const int thread_counts[] = {0, 1, 2, 4, 8};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof thread_counts[0] };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MANY = 100000 };
#else
enum { MANY = 1000000 };
#endif

/* ---- memory that fails for large blocks: the deques' ---------------------------------------- */

static _Atomic bool refuse_large;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_FAIL_MEMORY 1
extern void *__libc_malloc(size_t size);

void *malloc(size_t size)
{
    bool refused = size >= 16384 && atomic_load_explicit(&refuse_large, memory_order_relaxed);
    return refused ? NULL : __libc_malloc(size);
}
#else
#define CAN_FAIL_MEMORY 0
#endif

/* ---- pools ------------------------------------------------------------------------------------ */

/* A pool whose driver runs the bodies of a dag. */
static void pool_open(struct mill_pool *pool, int threads, struct dag *dag)
{
    struct mill_pool_options options = {.threads = threads, .drive = dag_drive, .context = dag};
    struct mill_error error = {0};
    CHECK_SAYING(mill_pool_init(pool, &options, &error) == TIDEMILL_OK, "%s", error.text);
}

static void submit(struct mill_pool *pool, struct mill_run *run)
{
    struct mill_error error = {0};
    CHECK_SAYING(mill_pool_submit(pool, run, NULL, &error) == TIDEMILL_OK, "%s", error.text);
}

static void run_to_its_end(struct mill_pool *pool, struct mill_run *run)
{
    submit(pool, run);
    CHECK(mill_pool_wait(pool, run, INT64_MAX));
}

/* Starts the threads with a run of one task and waits until all of them sleep, so that a test
 * sees who is woken, not who happens to be still awake. */
static void put_to_sleep(struct mill_pool *pool)
{
    struct dag dag;
    int node = 0;
    dag_init(&dag, 1);
    dag.nodes[0] = (struct dag_node){.function = DAG_PLAIN};
    dag_add(&dag);
    struct mill_run *run = dag_run(&dag, &node, 1);
    run_to_its_end(pool, run);
    mill_run_free(run);
    dag_fini(&dag);
    while (atomic_load(&pool->idle.waiters) < (uint32_t)pool->worker_count) usleep(100);
    usleep(1000); /* from the announcement to the sleep */
}

static int64_t executed_by_workers(struct mill_pool *pool)
{
    int64_t executed = 0;
    for (int i = 0; i < pool->worker_count; i++) {
        executed += atomic_load(&pool->workers[i].counters.executed);
    }
    return executed;
}

/* A flag that a body waits for, as a task would wait for something slow. */
static void await(_Atomic bool *flag)
{
    while (!atomic_load(flag)) usleep(100);
}

/* ---- results ------------------------------------------------------------------------------- */

static void check_random_dag(int threads, uint32_t failing)
{
    struct dag dag;
    struct mill_pool pool;
    int wanted[8], asked = (int)random_below(8), count = 1 + (int)random_below(1500);
    dag_init(&dag, count);
    dag_grow_random(&dag, count, DAG_FUNCTIONS, failing);
    for (int i = 0; i < asked; i++) wanted[i] = (int)random_below((uint32_t)count);
    pool_open(&pool, threads, &dag);
    int64_t before = 0;
    for (int again = 1; again <= 2; again++) {
        struct mill_run *run = dag_run(&dag, wanted, asked);
        dag_expect(&dag, run);
        run_to_its_end(&pool, run);
        dag_check_run(&dag, run);
        int64_t expected = 0;
        for (uint32_t t = 0; t < run->count; t++) {
            int node = dag_node_of(&run->tasks[t]),
                runs = dag.nodes[node].state != MILL_SKIPPED;
            expected += runs;
            CHECK(atomic_load(&dag.executed[node]) == again * runs);
        }
        CHECK(executed_by_workers(&pool) - before == expected);
        before += expected;
        mill_run_free(run);
    }
    mill_pool_fini(&pool);
    dag_fini(&dag);
}

static void every_task_runs_once_and_gives_the_right_result(void)
{
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) check_random_dag(thread_counts[t], 0);
    }
}

static void exactly_what_is_below_a_failed_task_is_skipped(void)
{
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            check_random_dag(thread_counts[t], 3 + random_below(200));
        }
    }
}

static void a_run_of_nothing_has_ended(void)
{
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct dag dag;
        struct mill_pool pool;
        dag_init(&dag, 0);
        pool_open(&pool, thread_counts[t], &dag);
        struct mill_run *run = dag_run(&dag, NULL, 0);
        run_to_its_end(&pool, run);
        mill_run_free(run);
        mill_pool_fini(&pool);
        dag_fini(&dag);
    }
}

/* ---- shapes ----------------------------------------------------------------------------------- */

static void add(struct dag *dag, int inputs, int first, int second)
{
    dag->nodes[dag->count] =
        (struct dag_node){.function = DAG_PLAIN, .inputs = inputs, .input = {first, second}};
    dag_add(dag);
}

static void check_shape(struct dag *dag, const int *wanted, int asked, int threads)
{
    struct mill_pool pool;
    pool_open(&pool, threads, dag);
    struct mill_run *run = dag_run(dag, wanted, asked);
    dag_expect(dag, run);
    run_to_its_end(&pool, run);
    dag_check_run(dag, run);
    mill_run_free(run);
    mill_pool_fini(&pool);
    dag_fini(dag);
}

static void a_long_chain_runs_with_two_results_alive(void)
{
    for (int threads = 0; threads <= 2; threads++) {
        struct dag dag;
        int last = MANY - 1;
        dag_init(&dag, MANY);
        for (int i = 0; i < MANY; i++) add(&dag, i > 0, i - 1, 0);
        struct mill_memory *memory = &dag.memory;
        check_shape(&dag, &last, 1, threads);
        CHECK(atomic_load(&memory->peak) <= 16);
    }
}

static void many_independent_tasks_run(void)
{
    enum { COUNT = 100000 };
    int *wanted = malloc(COUNT * sizeof *wanted);
    for (int i = 0; i < COUNT; i++) wanted[i] = COUNT - 1 - i;
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct dag dag;
        dag_init(&dag, COUNT);
        for (int i = 0; i < COUNT; i++) add(&dag, 0, 0, 0);
        check_shape(&dag, wanted, COUNT, thread_counts[t]);
    }
    free(wanted);
}

/* One task makes ten thousand ready, all of which one task reads. */
static void wide_fans_of_tasks_run(void)
{
    enum { WIDE = 10000 };
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct dag dag;
        int last = WIDE + WIDE / 2;
        dag_init(&dag, 2 * WIDE);
        add(&dag, 0, 0, 0);
        for (int i = 0; i < WIDE; i++) add(&dag, 1, 0, 0);
        for (int i = 0; i < WIDE / 2; i++) add(&dag, 2, 1 + i, 1 + WIDE - 1 - i);
        check_shape(&dag, &last, 1, thread_counts[t]);
    }
}

static void tasks_that_a_deque_has_no_memory_for_run_all_the_same(void)
{
    enum { WIDE = 20000 };
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    int *wanted = malloc(WIDE * sizeof *wanted);
    for (int threads = 0; threads <= 2; threads++) {
        struct dag dag;
        struct mill_pool pool;
        dag_init(&dag, WIDE + 1);
        add(&dag, 0, 0, 0);
        for (int i = 0; i < WIDE; i++) {
            add(&dag, 1, 0, 0);
            wanted[i] = 1 + i;
        }
        pool_open(&pool, threads, &dag);
        struct mill_run *run = dag_run(&dag, wanted, WIDE);
        dag_expect(&dag, run);
        atomic_store(&refuse_large, true);
        run_to_its_end(&pool, run);
        atomic_store(&refuse_large, false);
        dag_check_run(&dag, run);
        mill_run_free(run);
        mill_pool_fini(&pool);
        dag_fini(&dag);
    }
    free(wanted);
}

static void a_tree_keeps_few_results_alive_on_one_worker(void)
{
    enum { DEPTH = 12, LEAVES = 1 << DEPTH };
    struct dag dag;
    struct mill_pool pool;
    int level[LEAVES];
    dag_init(&dag, 2 * LEAVES);
    for (int i = 0; i < LEAVES; i++) {
        level[i] = dag.count;
        add(&dag, 0, 0, 0);
    }
    for (int width = LEAVES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) {
            int self = dag.count;
            add(&dag, 2, level[2 * i], level[2 * i + 1]);
            level[i] = self;
        }
    }
    pool_open(&pool, 1, &dag);
    struct mill_run *run = dag_run(&dag, level, 1);
    run_to_its_end(&pool, run);
    CHECK_SAYING(atomic_load(&dag.memory.peak) / 8 < 100, "%lld results alive of %d",
                 (long long)(atomic_load(&dag.memory.peak) / 8), run->count);
    mill_run_free(run);
    mill_pool_fini(&pool);
    dag_fini(&dag);
}

/* ---- several runs --------------------------------------------------------------------------------- */

static void runs_in_flight_together_end_each_for_itself(void)
{
    enum { RUNS = 40, NODES = 400 };
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct dag dag;
            struct mill_pool pool;
            struct mill_run *runs[RUNS];
            dag_init(&dag, NODES);
            dag_grow_random(&dag, NODES, DAG_FUNCTIONS, 300);
            pool_open(&pool, thread_counts[t], &dag);
            for (int i = 0; i < RUNS; i++) {
                int wanted[2] = {(int)random_below(NODES), (int)random_below(NODES)};
                runs[i] = dag_run(&dag, wanted, 2);
                submit(&pool, runs[i]);
            }
            while (random_below(4)) usleep(random_below(200));
            for (int left = RUNS; left > 0; left--) { /* waited for in any order */
                int i = (int)random_below((uint32_t)left);
                CHECK(mill_pool_wait(&pool, runs[i], INT64_MAX));
                dag_expect(&dag, runs[i]);
                dag_check_run(&dag, runs[i]);
                mill_run_free(runs[i]); /* at once: nobody touches it after its last task */
                runs[i] = runs[left - 1];
            }
            mill_pool_fini(&pool);
            dag_fini(&dag);
        }
    }
}

static void small_runs_one_after_another_are_freed_at_once(void)
{
    struct dag dag;
    struct mill_pool pool;
    dag_init(&dag, 3);
    add(&dag, 0, 0, 0);
    add(&dag, 0, 0, 0);
    add(&dag, 2, 0, 1);
    pool_open(&pool, 3, &dag);
    int last = 2;
    for (int i = 0; i < 300 * rounds; i++) {
        struct mill_run *run = dag_run(&dag, &last, 1);
        run_to_its_end(&pool, run);
        mill_run_free(run);
    }
    CHECK(atomic_load(&dag.executed[2]) == 300 * rounds);
    mill_pool_fini(&pool);
    dag_fini(&dag);
}

static void *submit_and_wait(void *argument)
{
    struct mill_pool *pool = argument;
    struct dag dag;
    int last = 99;
    dag_init(&dag, 100);
    for (int i = 0; i < 100; i++) add(&dag, i > 0, i - 1, 0);
    for (int i = 0; i < 20; i++) {
        struct mill_run *run = dag_run(&dag, &last, 1);
        run_to_its_end(pool, run);
        mill_run_free(run);
    }
    CHECK(atomic_load(&dag.executed[99]) == 20);
    dag_fini(&dag);
    return NULL;
}

/* The first submit starts the threads: two at once started them twice. */
static void several_threads_may_submit(void)
{
    for (int round = 0; round < rounds; round++) {
        struct mill_pool pool;
        pthread_t threads[4];
        pool_open(&pool, 2, NULL);
        for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, submit_and_wait, &pool);
        for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
        mill_pool_fini(&pool);
    }
}

/* ---- bodies that say in which order they ran -------------------------------------------------------- */

struct log {
    _Atomic int count;
    int entries[64];
    _Atomic bool go, begun;
    struct mill_pool *pool;
};

static void note_body(void *context, const struct mill_value *arguments, int count,
                      struct mill_value *result)
{
    (void)count;
    struct log *log = context;
    log->entries[atomic_fetch_add(&log->count, 1)] = (int)arguments[0].number;
    *result = mill_nil();
}

static void gate_body(void *context, const struct mill_value *arguments, int count,
                      struct mill_value *result)
{
    struct log *log = context;
    atomic_store(&log->begun, true);
    await(&log->go);
    note_body(context, arguments, count, result);
}

typedef void body_of(void *, const struct mill_value *, int, struct mill_value *);

/* Functions of a test with bodies of its own: node i has function i. */
struct plan {
    struct mill_graph graph;
    struct mill_function *functions[64];
    mill_handle nodes[64];
    int count;
};

static struct mill_function *plan_function(void *context, uint32_t number)
{
    struct plan *plan = context;
    return plan->functions[number];
}

static int plan_add(struct plan *plan, body_of *body, void *context, int priority, int input)
{
    int self = plan->count++;
    struct mill_function *function = mill_function_new("body");
    function->body = body;
    function->context = context;
    function->priority = priority;
    plan->functions[self] = function;
    plan->nodes[self] = mill_graph_node(&plan->graph, (uint32_t)self, 1 + (input >= 0));
    struct mill_node *node = mill_graph_find(&plan->graph, plan->nodes[self]);
    mill_graph_argument(&plan->graph, node, 0, mill_number(self));
    if (input >= 0) {
        struct mill_value value = {.tag = MILL_TAG_NODE,
                                   .natural = (uint32_t)plan->nodes[input]};
        mill_graph_argument(&plan->graph, node, 1, value);
    }
    return self;
}

static struct mill_run *plan_run(struct plan *plan, int first, int end)
{
    uint32_t wanted[64];
    for (int i = first; i < end; i++) wanted[i - first] = (uint32_t)plan->nodes[i];
    return mill_run_new(&plan->graph, wanted, (uint32_t)(end - first), plan_function, plan,
                        NULL);
}

static void plan_fini(struct plan *plan)
{
    for (int i = 0; i < plan->count; i++) {
        mill_graph_unref(&plan->graph, (uint32_t)plan->nodes[i]);
        mill_function_unref(plan->functions[i]);
    }
    CHECK(plan->graph.live == 0);
    mill_graph_fini(&plan->graph);
}

/* ---- how far a run is ------------------------------------------------------------------------------- */

/* A worker counts what it has ended for itself for a while; that must not show. */
static void a_run_says_how_far_it_is_while_a_task_takes_long(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct log log = {0};
        struct plan plan = {0};
        struct mill_pool pool;
        mill_graph_init(&plan.graph);
        for (int i = 0; i < 5; i++) plan_add(&plan, note_body, &log, 0, i - 1);
        int gate = plan_add(&plan, gate_body, &log, 0, 4);
        for (int i = 0; i < 3; i++) plan_add(&plan, note_body, &log, 0, gate + i);
        pool_open(&pool, threads, NULL);
        struct mill_run *run = plan_run(&plan, 0, plan.count);
        CHECK(mill_run_done(run) == 0);
        submit(&pool, run);
        await(&log.begun);
        CHECK_SAYING(mill_run_done(run) == 5, "%lld", (long long)mill_run_done(run));
        atomic_store(&log.go, true);
        CHECK(mill_pool_wait(&pool, run, INT64_MAX));
        CHECK(mill_run_done(run) == 9);
        mill_run_free(run);
        mill_pool_fini(&pool);
        plan_fini(&plan);
    }
}

static void a_run_ends_though_its_worker_has_gone_on_to_a_long_task_of_another(void)
{
    struct log log = {0};
    struct plan plan = {0};
    struct mill_pool pool;
    mill_graph_init(&plan.graph);
    for (int i = 0; i < 5; i++) plan_add(&plan, note_body, &log, 0, i - 1);
    int gate = plan_add(&plan, gate_body, &log, 0, -1);
    pool_open(&pool, 1, NULL);
    struct mill_run *quick = plan_run(&plan, 0, gate), *slow = plan_run(&plan, gate, gate + 1);
    submit(&pool, quick);
    submit(&pool, slow);
    CHECK(mill_pool_wait(&pool, quick, mill_clock_after(60)));
    mill_run_free(quick);
    CHECK(!mill_run_ended(slow));
    atomic_store(&log.go, true);
    CHECK(mill_pool_wait(&pool, slow, INT64_MAX));
    mill_run_free(slow);
    mill_pool_fini(&pool);
    plan_fini(&plan);
}

/* ---- priorities ----------------------------------------------------------------------------------------- */

static void one_worker_takes_the_higher_priority_first(void)
{
    for (int threads = 0; threads <= 1; threads++) {
        struct log log = {0};
        struct plan plan = {0};
        struct mill_pool pool;
        int priority[40];
        mill_graph_init(&plan.graph);
        for (int i = 0; i < 40; i++) {
            priority[i] = (int)random_below(5) - 2;
            plan_add(&plan, note_body, &log, priority[i], -1);
        }
        pool_open(&pool, threads, NULL);
        struct mill_run *run = plan_run(&plan, 0, 40);
        run_to_its_end(&pool, run);
        CHECK(atomic_load(&log.count) == 40);
        for (int i = 1; i < 40; i++) {
            int before = log.entries[i - 1], after = log.entries[i];
            CHECK(priority[before] > priority[after] ||
                  (priority[before] == priority[after] && before < after));
        }
        mill_run_free(run);
        mill_pool_fini(&pool);
        plan_fini(&plan);
    }
}

/* Roots were taken run by run: an urgent one waited until an earlier run had no more. */
static void an_urgent_run_overtakes_one_that_came_before(void)
{
    struct log log = {0};
    struct plan plan = {0};
    struct mill_pool pool;
    mill_graph_init(&plan.graph);
    plan_add(&plan, gate_body, &log, 0, -1);
    for (int i = 1; i < 40; i++) plan_add(&plan, note_body, &log, 0, -1);
    for (int i = 40; i < 44; i++) plan_add(&plan, note_body, &log, i % 2 ? 2 : -2, -1);
    pool_open(&pool, 1, NULL);
    struct mill_run *early = plan_run(&plan, 0, 40), *late = plan_run(&plan, 40, 44);
    submit(&pool, early);
    await(&log.begun);
    submit(&pool, late);
    atomic_store(&log.go, true);
    CHECK(mill_pool_wait(&pool, early, INT64_MAX) && mill_pool_wait(&pool, late, INT64_MAX));
    CHECK(log.entries[0] == 0 && log.entries[1] == 41 && log.entries[2] == 43);
    CHECK(log.entries[42] == 40 && log.entries[43] == 42);
    mill_run_free(early);
    mill_run_free(late);
    mill_pool_fini(&pool);
    plan_fini(&plan);
}

static void opening_body(void *context, const struct mill_value *arguments, int count,
                         struct mill_value *result)
{
    struct log *log = context;
    atomic_store(&log->go, true);
    note_body(context, arguments, count, result);
}

/* Two tasks that one makes ready lie in two deques, each alone in its own: nobody was woken for
 * the second, and here the first waits for it. */
static void the_second_of_two_ready_tasks_wakes_a_sleeper_whatever_its_priority(void)
{
    for (int round = 0; round < rounds; round++) {
        struct log log = {0};
        struct plan plan = {0};
        struct mill_pool pool;
        mill_graph_init(&plan.graph);
        int root = plan_add(&plan, note_body, &log, 0, -1);
        plan_add(&plan, gate_body, &log, 1, root);
        plan_add(&plan, opening_body, &log, -1, root);
        pool_open(&pool, 2, NULL);
        put_to_sleep(&pool);
        struct mill_run *run = plan_run(&plan, 0, 3);
        submit(&pool, run);
        bool ended = mill_pool_wait(&pool, run, mill_clock_after(20));
        CHECK_SAYING(ended, "one worker slept while a task was ready");
        atomic_store(&log.go, true);
        CHECK(mill_pool_wait(&pool, run, INT64_MAX));
        mill_run_free(run);
        mill_pool_fini(&pool);
        plan_fini(&plan);
    }
}

/* As many tasks as workers, each of which waits for all others to have begun. */
struct party {
    _Atomic int here;
    int expected;
};

static void party_body(void *context, const struct mill_value *arguments, int count,
                       struct mill_value *result)
{
    (void)arguments, (void)count;
    struct party *party = context;
    atomic_fetch_add(&party->here, 1);
    int64_t end = mill_clock_after(20);
    while (atomic_load(&party->here) < party->expected && mill_clock_now() < end) usleep(50);
    *result = mill_number(atomic_load(&party->here) >= party->expected);
}

static void check_party(int threads, bool below_one_root, int priorities)
{
    struct party party = {.expected = threads};
    struct log log = {0};
    struct plan plan = {0};
    struct mill_pool pool;
    mill_graph_init(&plan.graph);
    int root = below_one_root ? plan_add(&plan, note_body, &log, 0, -1) : -1;
    for (int i = 0; i < threads; i++) plan_add(&plan, party_body, &party, i % priorities, root);
    pool_open(&pool, threads, NULL);
    put_to_sleep(&pool);
    struct mill_run *run = plan_run(&plan, root + 1, plan.count);
    run_to_its_end(&pool, run);
    for (uint32_t i = 0; i < run->wanted_count; i++) {
        CHECK_SAYING(run->tasks[run->wanted[i]].result.number == 1,
                     "%d workers did not come together", threads);
    }
    mill_run_free(run);
    mill_pool_fini(&pool);
    plan_fini(&plan);
}

static void as_many_tasks_as_workers_run_at_once(void)
{
    for (int round = 0; round < rounds; round++) {
        for (int threads = 2; threads <= 8; threads *= 2) {
            for (int priorities = 1; priorities <= 3; priorities++) {
                check_party(threads, false, priorities);
                check_party(threads, true, priorities);
            }
        }
    }
}

/* ---- cancel, interrupt, deadlines ---------------------------------------------------------------------------- */

static void a_cancelled_run_ends_without_starting_more(void)
{
    for (int threads = 1; threads <= 2; threads++) {
        struct log log = {0};
        struct plan plan = {0};
        struct mill_pool pool;
        mill_graph_init(&plan.graph);
        for (int i = 0; i < threads; i++) plan_add(&plan, gate_body, &log, 2, -1);
        for (int i = threads; i < 50; i++)
            plan_add(&plan, note_body, &log, 0, i % 2 ? i - 1 : -1);
        pool_open(&pool, threads, NULL);
        struct mill_run *run = plan_run(&plan, 0, 50);
        submit(&pool, run);
        await(&log.begun);
        mill_run_cancel(run);
        atomic_store(&log.go, true);
        CHECK(mill_pool_wait(&pool, run, INT64_MAX));
        int finished = 0, cancelled = 0;
        for (uint32_t t = 0; t < run->count; t++) {
            finished += mill_task_state(&run->tasks[t]) == MILL_FINISHED;
            cancelled += mill_task_state(&run->tasks[t]) == MILL_CANCELLED;
        }
        CHECK(finished == atomic_load(&log.count) && finished >= 1 && finished <= threads);
        CHECK(finished + cancelled == 50);
        mill_run_free(run);
        mill_pool_fini(&pool);
        plan_fini(&plan);
    }
}

static void runs_cancelled_at_any_moment_end_and_leave_nothing(void)
{
    for (int round = 0; round < 3 * rounds; round++) {
        struct dag dag;
        struct mill_pool pool;
        int last = 1999;
        dag_init(&dag, 2000);
        dag_grow_random(&dag, 2000, DAG_FUNCTIONS, 100);
        pool_open(&pool, thread_counts[random_below(THREAD_COUNTS)], &dag);
        struct mill_run *run = dag_run(&dag, &last, 1);
        submit(&pool, run);
        usleep(random_below(300));
        mill_run_cancel(run);
        CHECK(mill_pool_wait(&pool, run, INT64_MAX));
        CHECK(dag_alive(&dag) <= 1);
        for (int i = 0; i < dag.count; i++) CHECK(atomic_load(&dag.executed[i]) <= 1);
        mill_run_free(run);
        mill_pool_fini(&pool);
        dag_fini(&dag);
    }
}

static void *interrupt_soon(void *pool)
{
    usleep(2000);
    mill_pool_interrupt(pool);
    return NULL;
}

static void an_interrupt_ends_the_wait_and_not_the_run(void)
{
    struct log log = {0};
    struct plan plan = {0};
    struct mill_pool pool;
    pthread_t thread;
    mill_graph_init(&plan.graph);
    plan_add(&plan, gate_body, &log, 0, -1);
    pool_open(&pool, 1, NULL);
    struct mill_run *run = plan_run(&plan, 0, 1);
    submit(&pool, run);
    pthread_create(&thread, NULL, interrupt_soon, &pool);
    CHECK(!mill_pool_wait(&pool, run, INT64_MAX));
    CHECK(!mill_pool_wait(&pool, run, INT64_MAX)); /* until it is resumed */
    pthread_join(thread, NULL);
    mill_pool_resume(&pool);
    CHECK(!mill_pool_wait(&pool, run, mill_clock_after(0.005)));
    atomic_store(&log.go, true);
    CHECK(mill_pool_wait(&pool, run, INT64_MAX));
    mill_run_free(run);
    mill_pool_fini(&pool);
    plan_fini(&plan);
}

static void interrupt_body(void *context, const struct mill_value *arguments, int count,
                           struct mill_value *result)
{
    struct log *log = context;
    if (arguments[0].number == 3) mill_pool_interrupt(log->pool);
    note_body(context, arguments, count, result);
}

/* The thread that waits drives the serial lane: it went on to the end of the run. */
static void an_interrupt_ends_the_wait_of_a_serial_pool_too(void)
{
    struct plan plan = {0};
    struct mill_pool pool;
    struct log log = {.pool = &pool};
    mill_graph_init(&plan.graph);
    for (int i = 0; i < 10; i++) plan_add(&plan, interrupt_body, &log, 0, -1);
    pool_open(&pool, 0, NULL);
    struct mill_run *run = plan_run(&plan, 0, 10);
    submit(&pool, run);
    CHECK(!mill_pool_wait(&pool, run, INT64_MAX));
    CHECK(atomic_load(&log.count) == 4);
    mill_pool_resume(&pool);
    CHECK(mill_pool_wait(&pool, run, INT64_MAX));
    CHECK(atomic_load(&log.count) == 10);
    mill_run_free(run);
    mill_pool_fini(&pool);
    plan_fini(&plan);
}

static void a_deadline_ends_the_wait_of_a_serial_pool_too(void)
{
    struct plan plan = {0};
    struct mill_pool pool;
    struct log log = {0};
    mill_graph_init(&plan.graph);
    for (int i = 0; i < 10; i++) plan_add(&plan, note_body, &log, 0, -1);
    pool_open(&pool, 0, NULL);
    struct mill_run *run = plan_run(&plan, 0, 10);
    submit(&pool, run);
    CHECK(!mill_pool_wait(&pool, run, mill_clock_now() - 1));
    CHECK(atomic_load(&log.count) == 0);
    CHECK(mill_pool_wait(&pool, run, mill_clock_after(60)));
    mill_run_free(run);
    mill_pool_fini(&pool);
    plan_fini(&plan);
}

/* ---- fans ------------------------------------------------------------------------------------------------------- */

struct sheet {
    struct mill_pool *pool;
    int64_t count, inner;
    _Atomic int *times; /* by chunk */
};

static void mark_chunk(void *context, int64_t i)
{
    struct sheet *sheet = context;
    atomic_fetch_add(&sheet->times[i], 1);
}

static void mark_row(void *context, int64_t i)
{
    struct sheet *sheet = context;
    struct sheet row = {sheet->pool, sheet->inner, 0, sheet->times + i * sheet->inner};
    mill_pool_fan(sheet->pool, sheet->inner, mark_chunk, &row);
    for (int64_t k = 0; k < sheet->inner; k++) CHECK(atomic_load(&row.times[k]) == 1);
}

/* Every chunk of a fan of fans is done once, and done when the call returns. */
static void check_fan(struct mill_pool *pool)
{
    struct sheet sheet = {pool, random_below(40), random_below(20), NULL};
    size_t chunks = (size_t)(sheet.count * sheet.inner);
    sheet.times = calloc(chunks + 1, sizeof *sheet.times);
    mill_pool_fan(pool, sheet.count, mark_row, &sheet);
    for (size_t i = 0; i < chunks; i++) CHECK(atomic_load(&sheet.times[i]) == 1);
    free((void *)sheet.times);
}

static void fan_body(void *context, const struct mill_value *arguments, int count,
                     struct mill_value *result)
{
    (void)arguments, (void)count;
    struct sheet sheet = {context, 30, 10, calloc(300, sizeof(_Atomic int))};
    mill_pool_fan(context, 30, mark_row, &sheet);
    for (int i = 0; i < 300; i++) CHECK(atomic_load(&sheet.times[i]) == 1);
    free((void *)sheet.times);
    *result = mill_nil();
}

static void fans_do_every_chunk_once_from_outside_and_from_tasks(void)
{
    for (int round = 0; round < rounds; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct plan plan = {0};
            struct mill_pool pool;
            mill_graph_init(&plan.graph);
            pool_open(&pool, thread_counts[t], NULL);
            check_fan(&pool); /* before any thread has started */
            for (int i = 0; i < 40; i++) {
                plan_add(&plan, fan_body, &pool, 0, i % 3 == 2 ? i - 1 : -1);
            }
            struct mill_run *run = plan_run(&plan, 0, 40);
            submit(&pool, run);
            for (int i = 0; i < 10; i++) check_fan(&pool);
            CHECK(mill_pool_wait(&pool, run, INT64_MAX));
            mill_run_free(run);
            for (int i = 0; i < 10; i++) check_fan(&pool);
            mill_pool_fini(&pool);
            plan_fini(&plan);
        }
    }
}

static void *fan_from_a_thread(void *pool)
{
    for (int i = 0; i < 30; i++) {
        _Atomic int times[50] = {0};
        struct sheet sheet = {pool, 50, 0, times};
        mill_pool_fan(pool, 50, mark_chunk, &sheet);
        for (int k = 0; k < 50; k++) CHECK(atomic_load(&times[k]) == 1);
    }
    return NULL;
}

static void fans_of_several_threads_do_not_mix(void)
{
    for (int round = 0; round < rounds; round++) {
        struct dag dag;
        struct mill_pool pool;
        pthread_t threads[3];
        int node = 0;
        dag_init(&dag, 1);
        add(&dag, 0, 0, 0);
        pool_open(&pool, 3, &dag);
        for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, fan_from_a_thread, &pool);
        struct mill_run *run = dag_run(&dag, &node, 1); /* starts the workers meanwhile */
        run_to_its_end(&pool, run);
        for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
        mill_run_free(run);
        mill_pool_fini(&pool);
        dag_fini(&dag);
    }
}

/* Chunks that wait for one another need as many threads as there are chunks. */
static void meet(void *context, int64_t i)
{
    (void)i;
    struct mill_value result;
    party_body(context, NULL, 0, &result);
}

static void idle_workers_help_with_a_fan(void)
{
    for (int round = 0; round < rounds; round++) {
        struct mill_pool pool;
        pool_open(&pool, 3, NULL);
        put_to_sleep(&pool);
        for (int i = 0; i < 10; i++) {
            struct party party = {.expected = 4}; /* three workers and the caller */
            mill_pool_fan(&pool, 4, meet, &party);
            CHECK(atomic_load(&party.here) == 4);
        }
        mill_pool_fini(&pool);
    }
}

/* ---- opening, closing, idling -------------------------------------------------------------------------------------- */

static void pools_open_and_close_a_thousand_times(void)
{
    struct dag dag;
    int node = 0;
    dag_init(&dag, 1);
    add(&dag, 0, 0, 0);
    int used = 0;
    for (int i = 0; i < 1000; i++) {
        struct mill_pool pool;
        pool_open(&pool, i % 4, &dag);
        if (i % 3) {
            struct mill_run *run = dag_run(&dag, &node, 1);
            run_to_its_end(&pool, run);
            mill_run_free(run);
            used++;
        }
        mill_pool_fini(&pool);
    }
    CHECK(atomic_load(&dag.executed[0]) == used);
    dag_fini(&dag);
}

static void another_number_of_threads_runs_what_the_one_before_has_run(void)
{
    struct dag dag;
    struct mill_pool pool;
    struct mill_error error;
    int last = 999;
    int64_t expected = 0;
    dag_init(&dag, 1000);
    dag_grow_random(&dag, 1000, DAG_FUNCTIONS, 0);
    pool_open(&pool, 2, &dag);
    uint32_t serial = mill_pool_serial(&pool);
    struct mill_run *first = NULL;
    for (int round = 0; round < 4 * THREAD_COUNTS; round++) {
        struct mill_run *run = dag_run(&dag, &last, 1);
        dag_expect(&dag, run);
        run_to_its_end(&pool, run);
        dag_check_run(&dag, run);
        expected += run->count;
        CHECK(executed_by_workers(&pool) == expected);
        if (first) {
            mill_run_free(run);
        } else {
            first = run;
        }
        int threads = thread_counts[(round * 2) % THREAD_COUNTS];
        mill_pool_stop(&pool);
        CHECK(mill_pool_resize(&pool, threads, &error) == TIDEMILL_OK);
        CHECK(pool.worker_count == (threads > 0 ? threads : 1));
        CHECK(executed_by_workers(&pool) == expected);
        CHECK(mill_pool_serial(&pool) == ++serial);
    }
    dag_check_run(&dag, first);
    mill_run_free(first);
    mill_pool_fini(&pool);
    dag_fini(&dag);
}

static void a_pool_closes_with_tasks_still_to_run(void)
{
    for (int round = 0; round < 3 * rounds; round++) {
        struct dag dag;
        struct mill_pool pool;
        int last = 4999;
        dag_init(&dag, 5000);
        dag_grow_random(&dag, 5000, DAG_FUNCTIONS, 0);
        pool_open(&pool, 1 + round % 4, &dag);
        struct mill_run *run = dag_run(&dag, &last, 1);
        submit(&pool, run);
        mill_run_cancel(run);
        mill_pool_fini(&pool);
        mill_run_free(run);
        dag_fini(&dag);
    }
}

static long voluntary_switches(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
}

static int64_t sleeps(struct mill_pool *pool)
{
    int64_t total = 0;
    for (int i = 0; i < pool->worker_count; i++) {
        total += atomic_load(&pool->workers[i].counters.sleeps);
    }
    return total;
}

static void an_idle_pool_sleeps_without_waking(void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    SKIP("a sanitizer has threads of its own");
#endif
    struct mill_pool pool;
    pool_open(&pool, 4, NULL);
    put_to_sleep(&pool);
    usleep(20000);
    int64_t slept = sleeps(&pool);
    long before = voluntary_switches();
    int64_t end = mill_clock_after(0.2);
    while (mill_clock_now() < end) {} /* this thread must not sleep itself */
    CHECK_SAYING(voluntary_switches() == before, "%ld switches", voluntary_switches() - before);
    CHECK(sleeps(&pool) == slept);
    mill_pool_fini(&pool);
}

static void mask_body(void *context, const struct mill_value *arguments, int count,
                      struct mill_value *result)
{
    (void)arguments, (void)count;
    pthread_sigmask(SIG_BLOCK, NULL, context);
    *result = mill_nil();
}

static void workers_take_no_signals_and_the_caller_keeps_its_own(void)
{
    struct plan plan = {0};
    struct mill_pool pool;
    sigset_t before, after, of_worker;
    mill_graph_init(&plan.graph);
    plan_add(&plan, mask_body, &of_worker, 0, -1);
    pool_open(&pool, 1, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    struct mill_run *run = plan_run(&plan, 0, 1);
    run_to_its_end(&pool, run);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int signal = 1; signal < 32; signal++) {
        bool always = signal == SIGKILL || signal == SIGSTOP;
        CHECK(sigismember(&of_worker, signal) == !always);
        CHECK(sigismember(&after, signal) == sigismember(&before, signal));
    }
    mill_run_free(run);
    mill_pool_fini(&pool);
    plan_fini(&plan);
}

static void serials_are_unique(void)
{
    struct mill_pool pool;
    pool_open(&pool, 0, NULL);
    CHECK(mill_pool_serial(&pool) == 1 && mill_pool_serial(&pool) == 2);
    mill_pool_fini(&pool);
}

int main(int argc, char **argv)
{
    bool only_random = argc > 1;
    if (argc > 1) rounds = atoi(argv[1]);
    alarm(only_random ? 0 : 900); /* the watchdog */
    random_state = check_seed();
    RUN(every_task_runs_once_and_gives_the_right_result);
    RUN(exactly_what_is_below_a_failed_task_is_skipped);
    RUN(runs_in_flight_together_end_each_for_itself);
    RUN(small_runs_one_after_another_are_freed_at_once);
    RUN(several_threads_may_submit);
    RUN(as_many_tasks_as_workers_run_at_once);
    RUN(the_second_of_two_ready_tasks_wakes_a_sleeper_whatever_its_priority);
    RUN(runs_cancelled_at_any_moment_end_and_leave_nothing);
    RUN(fans_do_every_chunk_once_from_outside_and_from_tasks);
    RUN(fans_of_several_threads_do_not_mix);
    RUN(idle_workers_help_with_a_fan);
    RUN(a_pool_closes_with_tasks_still_to_run);
    if (only_random) return check_end();
    RUN(a_run_of_nothing_has_ended);
    RUN(a_long_chain_runs_with_two_results_alive);
    RUN(many_independent_tasks_run);
    RUN(wide_fans_of_tasks_run);
    RUN(tasks_that_a_deque_has_no_memory_for_run_all_the_same);
    RUN(a_run_says_how_far_it_is_while_a_task_takes_long);
    RUN(a_run_ends_though_its_worker_has_gone_on_to_a_long_task_of_another);
    RUN(a_tree_keeps_few_results_alive_on_one_worker);
    RUN(one_worker_takes_the_higher_priority_first);
    RUN(an_urgent_run_overtakes_one_that_came_before);
    RUN(a_cancelled_run_ends_without_starting_more);
    RUN(an_interrupt_ends_the_wait_and_not_the_run);
    RUN(an_interrupt_ends_the_wait_of_a_serial_pool_too);
    RUN(a_deadline_ends_the_wait_of_a_serial_pool_too);
    RUN(pools_open_and_close_a_thousand_times);
    RUN(another_number_of_threads_runs_what_the_one_before_has_run);
    RUN(an_idle_pool_sleeps_without_waking);
    RUN(workers_take_no_signals_and_the_caller_keeps_its_own);
    RUN(serials_are_unique);
    return check_end();
}
