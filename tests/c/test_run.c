/* test_run: how runs are built, and how tasks end, step by step on one thread in random order.
 * SPDX-License-Identifier: MIT */
#include "sched/run.h"

#include "base/pages.h"
#include "dag_check.h"
#include "fail_check.h"

/* ---- building --------------------------------------------------------------------------------- */

static int random_wanted(const struct dag *dag, int *wanted)
{
    int count = (int)random_below(6);
    for (int i = 0; i < count; i++) wanted[i] = (int)random_below((uint32_t)dag->count);
    return count;
}

static void reach(const struct dag *dag, bool *reached, int node)
{
    if (reached[node]) return;
    reached[node] = true;
    for (int i = 0; i < dag->nodes[node].inputs; i++)
        reach(dag, reached, dag->nodes[node].input[i]);
}

static void check_edges(const struct dag *dag, struct mill_run *run, struct mill_task *task)
{
    const struct dag_node *node = &dag->nodes[dag_node_of(task)];
    CHECK(mill_task_inputs(task) == (uint32_t)node->inputs);
    CHECK(atomic_load(&task->missing) == node->inputs);
    for (int i = 0; i < node->inputs; i++) {
        uint32_t input = run->inputs[task->first_input + (uint32_t)i];
        CHECK(input < task->index && dag_node_of(&run->tasks[input]) == node->input[i]);
    }
    uint32_t readers = task[1].first_dependent - task->first_dependent, expected = 0;
    for (uint32_t i = 0; i < readers; i++) {
        uint32_t dependent = run->dependents[task->first_dependent + i];
        CHECK(dependent > task->index && dependent < run->count);
    }
    for (uint32_t i = 0; i < run->tasks[run->count].first_input; i++) {
        expected += run->inputs[i] == task->index;
    }
    CHECK(readers == expected && atomic_load(&task->readers) == (int32_t)expected);
}

static void check_roots(struct mill_run *run)
{
    uint32_t roots = 0;
    for (uint32_t t = 0; t < run->count; t++) roots += mill_task_inputs(&run->tasks[t]) == 0;
    CHECK(run->root_count == roots);
    for (uint32_t i = 1; i < run->root_count; i++) {
        int before = mill_task_level(&run->tasks[run->roots[i - 1]]);
        int level = mill_task_level(&run->tasks[run->roots[i]]);
        CHECK(before > level || (before == level && run->roots[i - 1] < run->roots[i]));
    }
    uint32_t first = 0;
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        for (; first < run->level_end[level]; first++) {
            CHECK(mill_task_level(&run->tasks[run->roots[first]]) == level);
        }
    }
    CHECK(first == run->root_count);
}

static void check_built(const struct dag *dag, struct mill_run *run, const int *wanted,
                        int count)
{
    bool *reached = calloc((size_t)dag->count + 1, sizeof *reached);
    uint32_t expected = 0;
    for (int i = 0; i < count; i++) reach(dag, reached, wanted[i]);
    for (int i = 0; i < dag->count; i++) expected += reached[i];
    CHECK(run->count == expected && run->wanted_count == (uint32_t)count);
    for (uint32_t t = 0; t < run->count; t++) {
        int node = dag_node_of(&run->tasks[t]);
        CHECK_SAYING(reached[node], "node %d twice, or not asked for", node);
        reached[node] = false;
        CHECK(run->tasks[t].index == t && run->tasks[t].run == run);
        CHECK(mill_task_function(&run->tasks[t]) == dag->functions[dag->nodes[node].function]);
        check_edges(dag, run, &run->tasks[t]);
    }
    for (int i = 0; i < count; i++) {
        struct mill_task *task = &run->tasks[run->wanted[i]];
        CHECK(dag_node_of(task) == wanted[i] && atomic_load(&task->flags) & MILL_TASK_WANTED);
    }
    check_roots(run);
    free(reached);
}

static void a_run_has_what_the_wanted_need_each_once_after_its_inputs(void)
{
    for (int round = 0; round < 150; round++) {
        struct dag dag;
        int wanted[6], count = 1 + (int)random_below(80);
        dag_init(&dag, count);
        dag_grow_random(&dag, count, DAG_CACHED, 0);
        for (int again = 0; again < 3; again++) { /* marks in nodes are cleared again */
            int asked = random_wanted(&dag, wanted);
            struct mill_run *run = dag_run(&dag, wanted, asked);
            check_built(&dag, run, wanted, asked);
            mill_run_free(run);
        }
        dag_fini(&dag);
    }
}

static void a_run_keeps_its_nodes_alive(void)
{
    struct dag dag;
    int wanted[6], asked;
    dag_init(&dag, 100);
    dag_grow_random(&dag, 100, DAG_CACHED, 0);
    do asked = random_wanted(&dag, wanted);
    while (asked == 0);
    struct mill_run *run = dag_run(&dag, wanted, asked);
    dag_drop_handles(&dag);
    CHECK(dag.graph.live == run->count);
    mill_run_free(run);
    CHECK(dag.graph.live == 0);
    dag_fini(&dag);
}

static void what_a_cached_task_reads_is_to_be_hashed(void)
{
    struct dag dag;
    dag_init(&dag, 200);
    dag_grow_random(&dag, 200, DAG_FUNCTIONS, 0);
    int wanted[200];
    for (int i = 0; i < 200; i++) wanted[i] = i;
    struct mill_run *run = dag_run(&dag, wanted, 200);
    CHECK(run->content != NULL);
    for (uint32_t t = 0; t < run->count; t++) {
        bool read = false;
        for (uint32_t i = run->tasks[t].first_dependent; i < run->tasks[t + 1].first_dependent;
             i++) {
            read |= mill_task_function(&run->tasks[run->dependents[i]])->policy.cached;
        }
        CHECK(((atomic_load(&run->tasks[t].flags) & MILL_TASK_HASHED) != 0) == read);
    }
    mill_run_free(run);
    dag_fini(&dag);
}

static struct mill_function *no_function(void *context, uint32_t number)
{
    return number == 3 ? NULL : dag_function(context, number);
}

/* No run has, or is about to have, any of the nodes. */
static void check_untouched(const struct dag *dag)
{
    for (int i = 0; i < dag->count; i++) {
        const struct mill_node *node =
            mill_graph_find((struct mill_graph *)&dag->graph, dag->nodes[i].handle);
        int32_t refs = 1;
        for (int k = 0; k < dag->count; k++) {
            for (int j = 0; j < dag->nodes[k].inputs; j++) refs += dag->nodes[k].input[j] == i;
        }
        CHECK(node->mark < dag->graph.next_mark && !node->wanted && node->refs == refs);
    }
}

static void a_function_that_cannot_be_had_fails_the_run_and_nothing_else(void)
{
    struct dag dag;
    dag_init(&dag, 60);
    dag_grow_random(&dag, 60, DAG_CACHED, 0);
    dag.nodes[dag.count] = (struct dag_node){.function = 3};
    uint32_t indexes[2] = {(uint32_t)dag.nodes[59].handle, 0};
    indexes[1] = (uint32_t)dag.nodes[dag_add(&dag)].handle;
    CHECK(mill_run_new(&dag.graph, indexes, 2, no_function, &dag, NULL) == NULL);
    check_untouched(&dag);
    int wanted = 59;
    struct mill_run *run = dag_run(&dag, &wanted, 1);
    check_built(&dag, run, &wanted, 1);
    mill_run_free(run);
    dag_fini(&dag);
}

/* Marks of nodes are numbers that only grow, until there are none left. */
static void when_marks_have_run_out_they_begin_anew(void)
{
    for (int round = 0; round < 50; round++) {
        struct dag dag;
        int wanted[6], count = 1 + (int)random_below(80);
        dag_init(&dag, count);
        dag_grow_random(&dag, count, DAG_CACHED, 0);
        dag.graph.next_mark = UINT32_MAX - random_below(500);
        bool over = false;
        for (int again = 0; again < 500 && !over; again++) {
            int asked = random_wanted(&dag, wanted);
            struct mill_run *run = dag_run(&dag, wanted, asked);
            check_built(&dag, run, wanted, asked);
            over = dag.graph.next_mark < UINT32_MAX / 2;
            mill_run_free(run);
        }
        CHECK(over);
        dag_fini(&dag);
    }
}

enum { NUMBERS = 300 };

/* Functions by number; each knows its number as its serial. */
struct shelf {
    struct mill_function *functions[NUMBERS];
    int asked[NUMBERS];
};

static struct mill_function *from_shelf(void *context, uint32_t number)
{
    struct shelf *shelf = context;
    uint32_t at = number / 1000;
    shelf->asked[at]++;
    if (shelf->functions[at] == NULL) shelf->functions[at] = mill_function_new("f");
    shelf->functions[at]->serial = number;
    return shelf->functions[at];
}

static void a_run_asks_once_for_each_of_many_functions(void)
{
    struct mill_graph graph;
    struct shelf shelf = {0};
    uint32_t wanted[2000];
    mill_graph_init(&graph);
    for (int i = 0; i < 2000; i++) {
        wanted[i] = (uint32_t)mill_graph_node(&graph, 1000 * random_below(NUMBERS), 0);
    }
    struct mill_run *run = mill_run_new(&graph, wanted, 2000, from_shelf, &shelf, NULL);
    for (uint32_t t = 0; t < run->count; t++) {
        CHECK(mill_task_function(&run->tasks[t])->serial == run->tasks[t].node->function);
    }
    mill_run_free(run);
    for (int i = 0; i < NUMBERS; i++) {
        CHECK(shelf.asked[i] <= 1);
        mill_function_unref(shelf.functions[i]);
    }
    for (int i = 0; i < 2000; i++) mill_graph_unref(&graph, wanted[i]);
    CHECK(graph.live == 0);
    mill_graph_fini(&graph);
}

/* An inner node of a walk that was cut short stayed marked as open, and the next run took it for
 * one whose inputs were there. */
static void memory_that_fails_at_any_moment_leaves_the_graph_as_it_was(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    struct dag dag;
    int last = 1199;
    dag_init(&dag, 1200);
    for (int i = 0; i < 1200; i++) { /* all but the first are inner nodes */
        int function = (int)random_below(DAG_FUNCTIONS);
        dag.nodes[i] =
            (struct dag_node){.function = function, .inputs = i > 0, .input = {i - 1}};
        dag_add(&dag);
    }
    uint32_t index = (uint32_t)dag.nodes[last].handle;
    struct mill_run *run = NULL;
    int failures = -1;
    while (run == NULL) {
        struct mill_error error = {0};
        allocations_left = ++failures;
        run = mill_run_new(&dag.graph, &index, 1, dag_function, &dag, &error);
        allocations_left = INT64_MAX;
        CHECK(run || error.status == TIDEMILL_MEMORY);
        if (run == NULL) check_untouched(&dag);
    }
    CHECK(failures > 8);
    check_built(&dag, run, &last, 1);
    mill_run_free(run);
    dag_fini(&dag);
}

static void a_chain_of_a_million_needs_no_stack(void)
{
    struct dag dag;
    int last = 999999;
    dag_init(&dag, 1000000);
    for (int i = 0; i < 1000000; i++) {
        dag.nodes[i] =
            (struct dag_node){.function = DAG_PLAIN, .inputs = i > 0, .input = {i - 1}};
        dag_add(&dag);
    }
    struct mill_run *run = dag_run(&dag, &last, 1);
    CHECK(run->count == 1000000 && run->root_count == 1);
    CHECK(dag_node_of(&run->tasks[run->roots[0]]) == 0);
    dag_drop_handles(&dag);
    mill_run_free(run);
    dag_fini(&dag);
}

/* What a large run has taken up is there for the next one; a small one has no use for it. */
static void the_memory_of_a_large_run_is_kept_for_the_next(void)
{
#ifdef __SANITIZE_ADDRESS__
    SKIP("freed pages are given back at once under AddressSanitizer");
#endif
    enum { COUNT = 50000 };
    struct dag dag;
    static int all[COUNT];
    dag_init(&dag, COUNT);
    dag.graph.memory = &dag.memory;
    for (int i = 0; i < COUNT; i++) {
        dag.nodes[i] = (struct dag_node){.function = DAG_PLAIN};
        dag_add(&dag);
        all[i] = i;
    }
    struct mill_run *large = dag_run(&dag, all, COUNT);
    const struct mill_task *tasks = large->tasks;
    mill_run_free(large);
    int64_t kept = mill_reserve_bytes(&dag.memory.reserve);
    CHECK(kept >= COUNT * (int64_t)sizeof(struct mill_task) && kept % MILL_HUGE_PAGE == 0);
    struct mill_run *small = dag_run(&dag, all, 10);
    large = dag_run(&dag, all, COUNT);
    CHECK(large->tasks == tasks && mill_reserve_bytes(&dag.memory.reserve) == 0);
    CHECK(large->root_count == COUNT && dag_node_of(&large->tasks[COUNT - 1]) == COUNT - 1);
    mill_run_free(small);
    CHECK(mill_reserve_bytes(&dag.memory.reserve) == 0);
    mill_memory_close(&dag.memory);
    mill_run_free(large); /* to nobody */
    CHECK(mill_reserve_bytes(&dag.memory.reserve) == 0);
    dag_drop_handles(&dag);
    dag_fini(&dag);
}

/* Leaves in the order of a walk from left to right keep few results alive: a batch of leaves is
 * read by nodes that soon follow. */
static void roots_come_in_the_order_of_a_walk(void)
{
    enum { DEPTH = 6, COUNT = (1 << (DEPTH + 1)) - 1 };
    struct dag dag;
    int level[1 << DEPTH], root;
    dag_init(&dag, COUNT);
    for (int i = (1 << DEPTH) - 1; i >= 0; i--) { /* built from right to left */
        dag.nodes[dag.count] = (struct dag_node){.function = DAG_PLAIN};
        level[i] = dag_add(&dag);
    }
    for (int width = 1 << (DEPTH - 1); width > 0; width /= 2) {
        for (int i = 0; i < width; i++) {
            dag.nodes[dag.count] = (struct dag_node){
                .function = DAG_PLAIN, .inputs = 2, .input = {level[2 * i], level[2 * i + 1]}};
            level[i] = dag_add(&dag);
        }
    }
    root = level[0];
    struct mill_run *run = dag_run(&dag, &root, 1);
    for (uint32_t i = 0; i < run->root_count; i++) {
        CHECK(dag_node_of(&run->tasks[run->roots[i]]) == (1 << DEPTH) - 1 - (int)i);
    }
    mill_run_free(run);
    dag_fini(&dag);
}

/* ---- ending tasks, one at a time in random order ------------------------------------------------- */

/* A scheduler of one thread: takes any of the ready tasks. */
struct bench {
    struct mill_pool pool;
    struct mill_task *ready[4000];
    int count;
};

static struct bench bench;

static void take_in(struct mill_worker *worker, struct mill_task *task)
{
    (void)worker;
    CHECK(bench.count < 4000);
    bench.ready[bench.count++] = task;
}

static void bench_start(struct mill_run *run)
{
    bench.count = 0;
    run->pool = &bench.pool;
    for (uint32_t i = 0; i < run->root_count; i++) take_in(NULL, &run->tasks[run->roots[i]]);
}

static struct mill_task *bench_next(void)
{
    int i = (int)random_below((uint32_t)bench.count);
    struct mill_task *task = bench.ready[i];
    bench.ready[i] = bench.ready[--bench.count];
    return task;
}

static void end(struct mill_task *task, enum mill_state state, struct mill_value result)
{
    mill_run_complete(task->run, NULL, task, state, result, take_in);
    mill_run_count(task->run, 1);
}

static struct mill_task *input_of(struct mill_task *task, uint32_t i)
{
    return &task->run->tasks[task->run->inputs[task->first_input + i]];
}

static void compute(struct dag *dag, struct mill_task *task)
{
    int node = dag_node_of(task);
    if (atomic_load(&task->cause) != MILL_NO_CAUSE) {
        end(task, MILL_SKIPPED, mill_nil());
        return;
    }
    if (dag->nodes[node].fails) {
        end(task, MILL_FAILED, mill_number(node));
        return;
    }
    uint64_t number = dag_start(node);
    for (uint32_t i = 0; i < mill_task_inputs(task); i++) {
        number = dag_join(number, dag_unbox(dag, &input_of(task, i)->result));
    }
    atomic_fetch_add(&dag->executed[node], 1);
    end(task, MILL_FINISHED, dag_box(dag, number));
}

static void tasks_end_as_a_plain_evaluation_says(void)
{
    for (int round = 0; round < 300; round++) {
        struct dag dag;
        int wanted[6], count = 1 + (int)random_below(200);
        dag_init(&dag, count);
        dag_grow_random(&dag, count, DAG_CACHED, random_below(2) ? 20 : 0);
        struct mill_run *run = dag_run(&dag, wanted, random_wanted(&dag, wanted));
        dag_expect(&dag, run);
        bench_start(run);
        uint32_t ended = 0;
        for (; bench.count > 0; ended++) compute(&dag, bench_next());
        CHECK_SAYING(ended == run->count, "%u of %u tasks ended", ended, run->count);
        dag_check_run(&dag, run);
        mill_run_free(run);
        dag_fini(&dag);
    }
}

static void a_result_is_alive_exactly_while_somebody_will_read_it(void)
{
    for (int round = 0; round < 60; round++) {
        struct dag dag;
        int last = 149;
        dag_init(&dag, 150);
        dag_grow_random(&dag, 150, 0, 0);
        struct mill_run *run = dag_run(&dag, &last, 1);
        bench_start(run);
        while (bench.count > 0) {
            compute(&dag, bench_next());
            int64_t alive = 0;
            for (uint32_t t = 0; t < run->count; t++) {
                bool read = t + 1 == run->count; /* the wanted one is the last */
                for (uint32_t i = run->tasks[t].first_dependent;
                     i < run->tasks[t + 1].first_dependent; i++) {
                    read |= mill_task_state(&run->tasks[run->dependents[i]]) == MILL_PENDING;
                }
                alive += read && mill_task_state(&run->tasks[t]) == MILL_FINISHED;
            }
            CHECK(dag_alive(&dag) == alive);
        }
        mill_run_free(run);
        dag_fini(&dag);
    }
}

/* ---- results that are lost ---------------------------------------------------------------------- */

/* What stands for the store: hits end tasks with a result that is STORED; loading it works or,
 * when the store has lost it, does not. */
struct shop {
    struct dag dag;
    bool hit[400];   /* would be answered by the store the first time */
    bool lost[400];  /* but then is not there */
    int fails_again; /* node that fails when it is made again; -1: none */
    int revived;
};

static bool shop_load(struct shop *shop, struct mill_task *task)
{
    int node = dag_node_of(task);
    if (mill_task_state(task) != MILL_FINISHED) return false;
    if (task->result.tag == MILL_TAG_STORED && !shop->lost[node]) {
        task->result = dag_box(&shop->dag, shop->dag.nodes[node].number);
    }
    return mill_task_has_value(task);
}

/* True when the task waits for inputs that are made again. */
static bool shop_waits(struct shop *shop, struct mill_task *task)
{
    struct mill_task *lost[DAG_INPUTS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < mill_task_inputs(task); i++) { /* perhaps the same one twice */
        struct mill_task *input = input_of(task, i);
        if (!shop_load(shop, input)) lost[count++] = input;
    }
    if (count) mill_run_revive(task->run, NULL, lost, count, task, take_in);
    shop->revived += (int)count;
    return count > 0;
}

static void shop_step(struct shop *shop, struct mill_task *task)
{
    int node = dag_node_of(task);
    uint8_t flags = atomic_load(&task->flags);
    if (atomic_load(&task->cause) == MILL_NO_CAUSE) {
        if (shop->hit[node] && !(flags & MILL_TASK_REVIVED)) {
            atomic_fetch_or(&task->flags, MILL_TASK_KEPT);
            end(task, MILL_FINISHED, (struct mill_value){.tag = MILL_TAG_STORED});
            return;
        }
        if (shop_waits(shop, task)) return;
        if (flags & MILL_TASK_REVIVED && node == shop->fails_again) {
            end(task, MILL_FAILED, mill_number(node));
            return;
        }
    }
    compute(&shop->dag, task);
}

static void shop_open(struct shop *shop, int count)
{
    memset(shop, 0, sizeof *shop);
    shop->fails_again = -1;
    dag_init(&shop->dag, count);
    dag_grow_random(&shop->dag, count, DAG_FUNCTIONS, 0);
    for (int i = 0; i < count; i++) {
        shop->hit[i] = random_below(2);
        shop->lost[i] = random_below(3) == 0;
    }
    shop->dag.nodes[count - 1].function = DAG_CACHED + DAG_PLAIN;
}

static void what_the_store_lost_is_made_again(void)
{
    int revived = 0;
    for (int round = 0; round < 400; round++) {
        struct shop shop;
        int count = 2 + (int)random_below(120), last = count - 1;
        shop_open(&shop, count);
        struct mill_run *run = dag_run(&shop.dag, &last, 1);
        if (run->content) {
            dag_expect(&shop.dag, run);
            shop.hit[last] = false; /* a wanted one is the caller's to load */
            bench_start(run);
            while (bench.count > 0) shop_step(&shop, bench_next());
            CHECK(mill_run_ended(run) && atomic_load(&run->done) == run->count);
            CHECK(dag_unbox(&shop.dag, &run->tasks[run->wanted[0]].result) ==
                  shop.dag.nodes[last].number);
            CHECK_SAYING(dag_alive(&shop.dag) == 1, "%lld results are left",
                         (long long)dag_alive(&shop.dag));
            for (int k = 0; k < MILL_RUN_LOCKS; k++) CHECK(run->revivals[k] == NULL);
            revived += shop.revived;
        }
        mill_run_free(run);
        dag_fini(&shop.dag);
    }
    CHECK_SAYING(revived > 1000, "only %d were made again", revived);
}

/* A reader that became ready after the failure took the error for the result. */
static void what_fails_when_made_again_skips_all_its_readers(void)
{
    int failed = 0;
    for (int round = 0; round < 600; round++) {
        struct shop shop;
        int count = 4 + (int)random_below(100), last = count - 1;
        shop_open(&shop, count);
        struct mill_run *run = dag_run(&shop.dag, &last, 1);
        shop.fails_again = dag_node_of(&run->tasks[random_below(run->count)]);
        shop.hit[shop.fails_again] = shop.lost[shop.fails_again] = true;
        if (run->content) {
            shop.hit[last] = false;
            dag_expect(&shop.dag, run);
            bench_start(run);
            while (bench.count > 0) shop_step(&shop, bench_next());
            CHECK(mill_run_ended(run));
            CHECK(atomic_load(&shop.dag.wrong) == 0);
            struct mill_task *task = &run->tasks[run->wanted[0]];
            enum mill_state state = mill_task_state(task);
            CHECK(state == MILL_FINISHED || atomic_load(&run->failed) > 0);
            if (state == MILL_FINISHED) {
                CHECK(dag_unbox(&shop.dag, &task->result) == shop.dag.nodes[last].number);
            } else if (state == MILL_SKIPPED) {
                CHECK(dag_node_of(&run->tasks[atomic_load(&task->cause)]) == shop.fails_again);
            }
            failed += state != MILL_FINISHED;
        }
        mill_run_free(run);
        dag_fini(&shop.dag);
    }
    CHECK_SAYING(failed > 20, "only %d ended so", failed);
}

int main(void)
{
    random_state = check_seed();
    RUN(a_run_has_what_the_wanted_need_each_once_after_its_inputs);
    RUN(a_run_keeps_its_nodes_alive);
    RUN(what_a_cached_task_reads_is_to_be_hashed);
    RUN(a_function_that_cannot_be_had_fails_the_run_and_nothing_else);
    RUN(when_marks_have_run_out_they_begin_anew);
    RUN(a_run_asks_once_for_each_of_many_functions);
    RUN(memory_that_fails_at_any_moment_leaves_the_graph_as_it_was);
    RUN(a_chain_of_a_million_needs_no_stack);
    RUN(the_memory_of_a_large_run_is_kept_for_the_next);
    RUN(roots_come_in_the_order_of_a_walk);
    RUN(tasks_end_as_a_plain_evaluation_says);
    RUN(a_result_is_alive_exactly_while_somebody_will_read_it);
    RUN(what_the_store_lost_is_made_again);
    RUN(what_fails_when_made_again_skips_all_its_readers);
    return check_end();
}
