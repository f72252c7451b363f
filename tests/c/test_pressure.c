/* test_pressure: a pool while memory is short: it begins nothing new while something else can go on, and
 * ends every graph all the same.  SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "dag_check.h"
#include "sched/await.h"
#include "sched/parked.h"
#include "sched/roots.h"

static const int thread_counts[] = {0, 1, 2, 4, 7};
static const double shares[MILL_PRESSURES] = {0, 0.6, 0.7, 0.8, 0.95};

/* A limit of 100 bytes, of which so many are used; nobody measures. */
static void use(struct mill_memory *memory, int64_t bytes)
{
    atomic_store(&memory->bytes, bytes);
    mill_memory_update(memory);
}

static void limit(struct mill_memory *memory, int64_t bytes)
{
    memset(memory, 0, sizeof *memory);
    mill_memory_set_limit(memory, 100, shares);
    atomic_store(&memory->measured, INT64_MAX / 2);
    use(memory, bytes);
}

static void wait_for(struct mill_pool *pool, struct mill_run *run)
{
    mill_pool_block(pool, run, NULL);
    CHECK(mill_pool_wait(pool, run, INT64_MAX));
    mill_pool_unblock(pool);
}

static void random_graphs_end_right(void)
{
    random_state = check_seed();
    for (int round = 0; round < 60; round++) {
        struct mill_memory memory;
        struct mill_pool pool;
        struct mill_error error;
        struct dag dag;
        int count = 1 + (int)random_below(400), wanted[4];
        limit(&memory, (const int64_t[]){0, 65, 75, 85, 99}[random_below(5)]);
        dag_init(&dag, count);
        dag_grow_random(&dag, count, DAG_CACHED, round % 2 ? 40 : 0);
        struct mill_pool_options options = {
            .threads = thread_counts[round % 5],
            .drive = dag_drive,
            .context = &dag,
            .memory = &memory,
        };
        CHECK(mill_pool_init(&pool, &options, &error) == TIDEMILL_OK);
        if (options.threads > 2) mill_pool_set_active(&pool, 1 + (int)random_below(3));
        for (int k = 0; k < 3; k++) {
            for (int i = 0; i < 4; i++) wanted[i] = (int)random_below((uint32_t)count);
            struct mill_run *run = dag_run(&dag, wanted, 4);
            dag_expect(&dag, run);
            CHECK(mill_pool_submit(&pool, run, NULL, &error) == TIDEMILL_OK);
            if (random_below(2))
                use(&memory, random_below(100)); /* it comes and goes meanwhile */
            wait_for(&pool, run);
            dag_check_run(&dag, run);
            mill_run_free(run);
        }
        mill_pool_fini(&pool);
        dag_fini(&dag);
    }
}

/* ---- how much is begun -------------------------------------------------------------------- */

struct crowd {
    struct mill_memory *memory;
    _Atomic int inside, most, done;
    int relief; /* after so many tasks memory suffices again; 0: never */
};

static void body(void *context, const struct mill_value *arguments, int count,
                 struct mill_value *result)
{
    struct crowd *crowd = context;
    (void)arguments, (void)count;
    int inside = atomic_fetch_add(&crowd->inside, 1) + 1, most = atomic_load(&crowd->most);
    while (inside > most && !atomic_compare_exchange_weak(&crowd->most, &most, inside)) {}
    int64_t until = mill_clock_now() + 200 * 1000;
    while (mill_clock_now() < until) {}
    atomic_fetch_sub(&crowd->inside, 1);
    if (atomic_fetch_add(&crowd->done, 1) + 1 == crowd->relief) use(crowd->memory, 0);
    *result = mill_number(1);
}

static struct mill_function *crowd_function(void *context, uint32_t number)
{
    (void)number;
    return context;
}

/* Many roots, and nothing else; the most that ran at once. */
static int run_roots(int threads, int64_t used, int relief)
{
    enum { ROOTS = 300 };
    struct mill_memory memory;
    struct mill_pool pool;
    struct mill_graph graph;
    struct mill_error error;
    limit(&memory, used);
    struct crowd crowd = {.memory = &memory, .relief = relief};
    struct mill_function *function = mill_function_new("root");
    function->body = body;
    function->context = &crowd;
    mill_graph_init(&graph);
    uint32_t nodes[ROOTS];
    for (int i = 0; i < ROOTS; i++) nodes[i] = (uint32_t)mill_graph_node(&graph, 1, 0);
    struct mill_pool_options options = {
        .threads = threads, .drive = dag_drive, .memory = &memory};
    CHECK(mill_pool_init(&pool, &options, &error) == TIDEMILL_OK);
    struct mill_run *run = mill_run_new(&graph, nodes, ROOTS, crowd_function, function, &error);
    CHECK(run && mill_pool_submit(&pool, run, NULL, &error) == TIDEMILL_OK);
    wait_for(&pool, run);
    CHECK(atomic_load(&crowd.done) == ROOTS);
    mill_run_free(run);
    mill_pool_fini(&pool);
    mill_function_unref(function);
    mill_graph_fini(&graph);
    return atomic_load(&crowd.most);
}

static void one_root_at_a_time_is_let_in(void)
{
    for (int threads = 2; threads <= 4; threads++) {
        int most = run_roots(threads, 90, 0);
        CHECK_SAYING(most == 1, "%d roots at once on %d threads", most, threads);
    }
}

static void below_the_pause_all_workers_take_roots(void)
{
    int most = run_roots(2, 75, 0);
    for (int i = 0; i < 20 && most < 2; i++) most = run_roots(2, 75, 0); /* a busy machine */
    CHECK(most == 2);
}

static void the_others_go_on_when_memory_suffices_again(void)
{
    int most = run_roots(2, 90, 20);
    for (int i = 0; i < 20 && most < 2; i++) most = run_roots(2, 90, 20);
    CHECK(most == 2);
}

int main(void)
{
    RUN(random_graphs_end_right);
    RUN(one_root_at_a_time_is_let_in);
    RUN(below_the_pause_all_workers_take_roots);
    RUN(the_others_go_on_when_memory_suffices_again);
    return check_end();
}
