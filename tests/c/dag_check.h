/* dag_check: random graphs of tasks whose results are known beforehand, for tests of the
 * scheduler and of the cache.
 * A task's result is a number that depends on all its inputs in their order, in an array of one
 * element, so that the memory account tells how many results are alive.
 * Each test sets random_state.  SPDX-License-Identifier: MIT */
#ifndef DAG_CHECK_H
#define DAG_CHECK_H

#include <stdatomic.h>

#include "check.h"
#include "data/packed.h"
#include "random_check.h"
#include "sched/attempt.h"
#include "sched/pool.h"

/* A function has a number that says what is special about it. */
enum {
    DAG_PRIORITIES = 5, /* number % 5 - 2 is the priority */
    DAG_DRIVEN = 5,     /* + 5: the body is the driver's, not C; such tasks may fail */
    DAG_CACHED = 10,    /* + 10 */
    DAG_FUNCTIONS = 20,
    DAG_PLAIN = 2, /* priority 0, a C body, not cached */
    DAG_INPUTS = 5,
};

struct dag_node {
    int inputs, input[DAG_INPUTS]; /* lower numbers only */
    int function;
    bool fails; /* DAG_DRIVEN only */
    mill_handle handle;
    /* What must come of it; by dag_expect. */
    enum mill_state state;
    uint64_t number;
    int32_t cause; /* index in the run */
};

struct dag {
    int count;
    struct dag_node *nodes;
    struct mill_graph graph;
    struct mill_function *functions[DAG_FUNCTIONS];
    struct mill_memory memory; /* results */
    _Atomic int *executed;     /* times, by node */
    _Atomic int wrong;         /* arguments that were no results */
};

/* ---- results ---------------------------------------------------------------------------------- */

static inline uint64_t dag_start(int node)
{
    return ((uint64_t)node + 1) * 0x9E3779B97F4A7C15u;
}

static inline uint64_t dag_join(uint64_t number, uint64_t input)
{
    number = (number ^ input) * 0xD6E8FEB86659FD93u;
    return number ^ number >> 32;
}

static inline struct mill_value dag_box(struct dag *dag, uint64_t number)
{
    struct mill_array *array = mill_array_new(&dag->memory, MILL_UINT64, 1);
    if (array == NULL) abort();
    *(uint64_t *)array->values = number;
    return mill_column(array);
}

static inline uint64_t dag_unbox(struct dag *dag, const struct mill_value *value)
{
    if (value->tag == MILL_TAG_COLUMN) return *(const uint64_t *)value->array->values;
    atomic_fetch_add(&dag->wrong, 1);
    return 0;
}

/* How many results are alive. */
static inline int64_t dag_alive(struct dag *dag)
{
    return atomic_load(&dag->memory.bytes) / 8;
}

/* ---- bodies: the first argument is the node's number --------------------------------------------- */

static inline uint64_t dag_compute(struct dag *dag, int node, const struct mill_value *inputs,
                                   int count)
{
    uint64_t number = dag_start(node);
    for (int i = 0; i < count; i++) number = dag_join(number, dag_unbox(dag, &inputs[i]));
    atomic_fetch_add(&dag->executed[node], 1);
    return number;
}

static void dag_body(void *context, const struct mill_value *arguments, int count,
                     struct mill_value *result)
{
    struct dag *dag = context;
    int node = (int)arguments[0].number;
    *result = dag_box(dag, dag_compute(dag, node, arguments + 1, count - 1));
}

/* Ends the task that mill_worker_next gave. */
static inline void dag_finish(struct dag *dag, struct mill_worker *worker)
{
    int node = (int)worker->call.arguments[0].number;
    if (dag->nodes[node].fails) {
        atomic_fetch_add(&dag->executed[node], 1);
        mill_worker_finish(worker, MILL_FAILED, mill_number(node));
        return;
    }
    uint64_t number = dag_compute(dag, node, worker->inputs, (int)worker->input_count);
    mill_worker_finish(worker, MILL_FINISHED, dag_box(dag, number));
}

/* A pool's drive; its context is the dag. */
static inline void dag_drive(void *context, struct mill_worker *worker)
{
    enum mill_next next;
    while ((next = mill_worker_next(worker)) != MILL_NEXT_STOP) {
        if (next == MILL_NEXT_TASK) dag_finish(context, worker);
    }
}

/* ---- making ---------------------------------------------------------------------------------------- */

static inline struct mill_function *dag_function(void *context, uint32_t number)
{
    struct dag *dag = context;
    return dag->functions[number];
}

static inline void dag_make_function(struct dag *dag, int number)
{
    char name[20];
    snprintf(name, sizeof name, "f%d", number);
    struct mill_function *function = mill_function_new(name);
    if (function == NULL) abort();
    function->serial = (uint32_t)number + 1;
    function->priority = number % DAG_PRIORITIES - 2;
    if (number / DAG_DRIVEN % 2 == 0) function->body = dag_body;
    function->context = dag;
    function->policy.cached = number >= DAG_CACHED;
    function->policy.salt = mill_hash_bytes(name, strlen(name));
    dag->functions[number] = function;
}

static inline void dag_init(struct dag *dag, int count)
{
    memset(dag, 0, sizeof *dag);
    mill_graph_init(&dag->graph);
    dag->nodes = calloc((size_t)count + 1, sizeof *dag->nodes);
    dag->executed = calloc((size_t)count + 1, sizeof *dag->executed);
    if (dag->nodes == NULL || dag->executed == NULL) abort();
    for (int i = 0; i < DAG_FUNCTIONS; i++) dag_make_function(dag, i);
}

static inline void dag_drop_handles(struct dag *dag)
{
    for (int i = 0; i < dag->count; i++) {
        if (dag->nodes[i].handle) mill_graph_unref(&dag->graph, (uint32_t)dag->nodes[i].handle);
        dag->nodes[i].handle = 0;
    }
}

/* Checks that nothing of it is left, too. */
static inline void dag_fini(struct dag *dag)
{
    dag_drop_handles(dag);
    CHECK(dag->graph.live == 0);
    CHECK(dag_alive(dag) == 0);
    CHECK(atomic_load(&dag->wrong) == 0);
    mill_graph_fini(&dag->graph);
    for (int i = 0; i < DAG_FUNCTIONS; i++) {
        CHECK(atomic_load(&dag->functions[i]->refs) == 1);
        mill_function_unref(dag->functions[i]);
    }
    free(dag->nodes);
    free((void *)dag->executed);
}

static inline struct mill_value dag_input(const struct dag *dag, int node)
{
    uint32_t index = (uint32_t)dag->nodes[node].handle;
    return (struct mill_value){.tag = MILL_TAG_NODE, .natural = index};
}

static inline struct mill_value dag_table(const struct dag *dag, const struct dag_node *node)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_TABLE);
    mill_packer_size(&packer, (uint64_t)node->inputs);
    mill_packer_size(&packer, 0);
    mill_packer_byte(&packer, 0);
    for (int i = 0; i < node->inputs; i++) {
        mill_packer_node(&packer, (uint32_t)dag->nodes[node->input[i]].handle);
    }
    bool failed = false;
    struct mill_value value = mill_packer_take(&packer, &failed);
    if (failed) abort();
    return value;
}

/* Adds the node that is described at nodes[count].  The driver's bodies take their inputs from a
 * table, bodies in C each as an argument. */
static inline int dag_add(struct dag *dag)
{
    int self = dag->count++;
    struct dag_node *node = &dag->nodes[self];
    bool table = node->function / DAG_DRIVEN % 2 && node->inputs > 0;
    uint32_t count = table ? 2 : 1 + (uint32_t)node->inputs;
    node->handle = mill_graph_node(&dag->graph, (uint32_t)node->function, count);
    struct mill_node *made = mill_graph_find(&dag->graph, node->handle);
    if (made == NULL) abort();
    mill_graph_argument(&dag->graph, made, 0, mill_number(self));
    if (table) {
        mill_graph_argument(&dag->graph, made, 1, dag_table(dag, node));
    } else {
        for (int i = 0; i < node->inputs; i++) {
            mill_graph_argument(&dag->graph, made, 1 + (uint32_t)i,
                                dag_input(dag, node->input[i]));
        }
    }
    return self;
}

/* `count` nodes of random shape: deep, wide, or neither; the same input may come twice.  One of
 * `failing` of the nodes fails (0: none). */
static inline void dag_grow_random(struct dag *dag, int count, int functions, uint32_t failing)
{
    uint32_t window = 1 + random_below(4) * random_below(4) * random_below(8),
             roots = 2 + random_below(8);
    for (int i = 0; i < count; i++) {
        struct dag_node *node = &dag->nodes[dag->count];
        int self = dag->count;
        node->function = functions ? (int)random_below((uint32_t)functions) : DAG_PLAIN;
        node->fails = failing && random_below(failing) == 0 && node->function / DAG_DRIVEN % 2;
        node->inputs =
            self == 0 || random_below(roots) == 0 ? 0 : 1 + (int)random_below(DAG_INPUTS);
        for (int k = 0; k < node->inputs; k++) {
            uint32_t reach =
                random_below(5) == 0 || (uint32_t)self < window ? (uint32_t)self : window;
            node->input[k] = self - 1 - (int)random_below(reach);
        }
        dag_add(dag);
    }
}

/* ---- running ------------------------------------------------------------------------------------------ */

static inline struct mill_run *dag_run(struct dag *dag, const int *wanted, int count)
{
    uint32_t *indexes = malloc(((size_t)count + 1) * sizeof *indexes);
    for (int i = 0; i < count; i++) indexes[i] = (uint32_t)dag->nodes[wanted[i]].handle;
    struct mill_error error = {0};
    struct mill_run *run =
        mill_run_new(&dag->graph, indexes, (uint32_t)count, dag_function, dag, &error);
    CHECK_SAYING(run != NULL, "%s", error.text);
    free(indexes);
    if (run == NULL) abort();
    return run;
}

static inline int dag_node_of(const struct mill_task *task)
{
    return (int)mill_node_arguments(task->node)[0].number;
}

/* What must come of each node of the run, by the plainest evaluation. */
static inline void dag_expect(struct dag *dag, struct mill_run *run)
{
    for (uint32_t t = 0; t < run->count; t++) { /* inputs stand before their readers */
        int self = dag_node_of(&run->tasks[t]);
        struct dag_node *node = &dag->nodes[self];
        node->state = node->fails ? MILL_FAILED : MILL_FINISHED;
        node->number = dag_start(self);
        node->cause = MILL_NO_CAUSE;
        for (int i = 0; i < node->inputs; i++) {
            const struct dag_node *input = &dag->nodes[node->input[i]];
            if (input->state != MILL_FINISHED) node->state = MILL_SKIPPED;
            if (input->cause < node->cause) node->cause = input->cause;
            node->number = dag_join(node->number, input->number);
        }
        if (node->state == MILL_FAILED) node->cause = (int32_t)t;
    }
}

/* Compares what came of an ended run with what had to; results that nobody asked for are gone. */
static inline void dag_check_run(struct dag *dag, struct mill_run *run)
{
    int64_t failed = 0, skipped = 0, kept = 0;
    int32_t first_failed = MILL_NO_CAUSE;
    CHECK(mill_run_ended(run));
    for (uint32_t t = 0; t < run->count; t++) {
        struct mill_task *task = &run->tasks[t];
        const struct dag_node *node = &dag->nodes[dag_node_of(task)];
        bool wanted = atomic_load(&task->flags) & MILL_TASK_WANTED;
        enum mill_state state = mill_task_state(task);
        CHECK_SAYING(state == node->state, "task %u: state %d, expected %d", t, (int)state,
                     (int)node->state);
        CHECK(atomic_load(&task->readers) == 0 && atomic_load(&task->missing) == 0);
        failed += state == MILL_FAILED;
        skipped += state == MILL_SKIPPED;
        kept += state == MILL_FINISHED && wanted;
        if (state == MILL_FAILED && first_failed == MILL_NO_CAUSE) first_failed = (int32_t)t;
        if (state == MILL_FAILED) CHECK((int)task->result.number == dag_node_of(task));
        if (state == MILL_SKIPPED) CHECK(atomic_load(&task->cause) == node->cause);
        if (state == MILL_FINISHED && wanted) {
            CHECK(dag_unbox(dag, &task->result) == node->number);
        } else if (state == MILL_FINISHED) {
            CHECK(task->result.tag == MILL_TAG_GONE);
        }
    }
    CHECK(atomic_load(&run->failed) == failed && atomic_load(&run->skipped) == skipped);
    CHECK(atomic_load(&run->done) == run->count);
    CHECK(atomic_load(&run->first_failed) == first_failed);
    CHECK_SAYING(dag_alive(dag) >= kept, "results that were asked for are gone");
}

#endif
