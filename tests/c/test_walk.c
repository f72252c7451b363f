/* test_walk: every node below some nodes once, inputs first, against a recursive model.
 * SPDX-License-Identifier: MIT */
#include "sched/walk.h"

#include "check.h"
#include "data/packed.h"
#include "random_check.h"

static struct mill_value input(uint32_t index)
{
    return (struct mill_value){.tag = MILL_TAG_NODE, .natural = index};
}

/* {a, b}: the nodes as a table. */
static struct mill_value table_of(uint32_t a, uint32_t b)
{
    struct mill_packer packer;
    bool failed = false;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_TABLE);
    mill_packer_size(&packer, 2);
    mill_packer_size(&packer, 0);
    mill_packer_byte(&packer, 0);
    mill_packer_node(&packer, a);
    mill_packer_node(&packer, b);
    struct mill_value value = mill_packer_take(&packer, &failed);
    CHECK(!failed);
    return value;
}

/* ---- the model: which nodes are below, and what was visited ---------------------------------- */

enum { MOST_NODES = 400 };

struct model {
    int count;
    int input_count[MOST_NODES];
    uint32_t inputs[MOST_NODES][8]; /* indexes, in order, repetitions too */
    uint32_t index[MOST_NODES];
    bool below[MOST_NODES];
    /* visits */
    uint32_t visited;
    uint32_t order[MOST_NODES]; /* indexes */
};

static int model_find(const struct model *model, uint32_t index)
{
    for (int i = 0; i < model->count; i++) {
        if (model->index[i] == index) return i;
    }
    return -1;
}

static void model_mark(struct model *model, int i)
{
    if (model->below[i]) return;
    model->below[i] = true;
    for (int k = 0; k < model->input_count[i]; k++) {
        model_mark(model, model_find(model, model->inputs[i][k]));
    }
}

/* The inputs of a visit are the model's, each once, in the order of their first mention. */
static bool model_visit(void *context, const struct mill_node *node, uint32_t number,
                        const uint32_t *inputs, uint32_t count)
{
    struct model *model = context;
    int i = model_find(model, node->index);
    CHECK(i >= 0 && number == model->visited);
    if (i < 0 || number >= MOST_NODES) return false;
    uint32_t expected = 0;
    for (int k = 0; k < model->input_count[i]; k++) {
        bool seen = false;
        for (int earlier = 0; earlier < k; earlier++) {
            seen = seen || model->inputs[i][earlier] == model->inputs[i][k];
        }
        if (seen) continue;
        CHECK(expected < count && inputs[expected] < number &&
              model->order[inputs[expected]] == model->inputs[i][k]);
        expected++;
    }
    CHECK(expected == count);
    model->order[model->visited++] = node->index;
    return true;
}

/* Nodes with up to 8 inputs, as arguments or in pairs as tables. */
static void model_build(struct model *model, struct mill_graph *graph, int count)
{
    memset(model, 0, sizeof *model);
    for (int i = 0; i < count; i++) {
        int wanted = i == 0 ? 0 : (int)random_below(5);
        mill_handle handle = mill_graph_node(graph, 1, (uint32_t)wanted);
        struct mill_node *node = mill_graph_find(graph, handle);
        for (int k = 0; k < wanted; k++) {
            uint32_t a = model->index[random_below((uint32_t)i)];
            uint32_t b = model->index[random_below((uint32_t)i)];
            bool table = random_below(3) == 0;
            mill_graph_argument(graph, node, (uint32_t)k, table ? table_of(a, b) : input(a));
            model->inputs[i][model->input_count[i]++] = a;
            if (table) model->inputs[i][model->input_count[i]++] = b;
        }
        model->index[i] = (uint32_t)handle;
        model->count = i + 1;
    }
}

static void check_walk(struct model *model, struct mill_graph *graph)
{
    uint32_t starts[3], below = 0;
    for (int i = 0; i < 3; i++) {
        int start = (int)random_below((uint32_t)model->count);
        starts[i] = model->index[start];
        model_mark(model, start);
    }
    for (int i = 0; i < model->count; i++) below += model->below[i];
    struct mill_error error;
    CHECK(mill_walk(graph, starts, 3, model_visit, model, &error) == TIDEMILL_OK);
    CHECK(model->visited == below);
    for (int i = 0; i < model->count; i++) {
        CHECK(mill_graph_at(graph, model->index[i])->mark == 0);
    }
}

static void random_graphs_are_walked_as_the_model_says(void)
{
    for (int round = 0; round < 300; round++) {
        static struct model model;
        struct mill_graph graph;
        mill_graph_init(&graph);
        model_build(&model, &graph, 1 + (int)random_below(MOST_NODES - 1));
        check_walk(&model, &graph);
        mill_graph_fini(&graph);
    }
}

/* ---- shapes ----------------------------------------------------------------------------------- */

struct counts {
    uint32_t visits, edges, stop_at;
};

static bool count_visit(void *context, const struct mill_node *node, uint32_t number,
                        const uint32_t *inputs, uint32_t count)
{
    struct counts *counts = context;
    (void)node, (void)number, (void)inputs;
    counts->visits++;
    counts->edges += count;
    return counts->visits != counts->stop_at;
}

static void a_chain_of_a_million_does_not_recurse(void)
{
    struct mill_graph graph;
    struct mill_error error;
    struct counts counts = {0};
    mill_graph_init(&graph);
    uint32_t last = 0;
    for (uint32_t i = 0; i < 1000000; i++) {
        mill_handle handle = mill_graph_node(&graph, 1, i > 0);
        if (i) mill_graph_argument(&graph, mill_graph_find(&graph, handle), 0, input(last));
        last = (uint32_t)handle;
    }
    CHECK(mill_walk(&graph, &last, 1, count_visit, &counts, &error) == TIDEMILL_OK);
    CHECK(counts.visits == 1000000 && counts.edges == 999999);
    mill_graph_fini(&graph);
}

static void nothing_is_visited_from_no_nodes(void)
{
    struct mill_graph graph;
    struct counts counts = {0};
    mill_graph_init(&graph);
    CHECK(mill_walk(&graph, NULL, 0, count_visit, &counts, NULL) == TIDEMILL_OK);
    CHECK(counts.visits == 0);
    mill_graph_fini(&graph);
}

static void a_visit_that_fails_ends_the_walk(void)
{
    struct mill_graph graph;
    struct mill_error error = {0};
    struct counts counts = {.stop_at = 2};
    mill_graph_init(&graph);
    uint32_t starts[3];
    for (int i = 0; i < 3; i++) starts[i] = (uint32_t)mill_graph_node(&graph, 1, 0);
    CHECK(mill_walk(&graph, starts, 3, count_visit, &counts, &error) == TIDEMILL_MEMORY);
    CHECK(counts.visits == 2);
    CHECK_TEXT(error.text, "out of memory (walking a graph)");
    mill_graph_fini(&graph);
}

int main(void)
{
    random_state = check_seed();
    RUN(random_graphs_are_walked_as_the_model_says);
    RUN(a_chain_of_a_million_does_not_recurse);
    RUN(nothing_is_visited_from_no_nodes);
    RUN(a_visit_that_fails_ends_the_walk);
    return check_end();
}
