/* test_graph: lazy nodes: handles that notice when they are stale, and lifetimes against a plain
 * model.  SPDX-License-Identifier: MIT */
#include "sched/graph.h"

#include "check.h"
#include "data/packed.h"
#include "random_check.h"

static struct mill_value input(mill_handle handle)
{
    return (struct mill_value){.tag = MILL_TAG_NODE, .natural = (uint32_t)handle};
}

/* A node whose arguments are other nodes. */
static mill_handle node_of(struct mill_graph *graph, const mill_handle *inputs, uint32_t count)
{
    mill_handle handle = mill_graph_node(graph, 1, count);
    for (uint32_t i = 0; i < count; i++) {
        mill_graph_argument(graph, mill_graph_find(graph, handle), i, input(inputs[i]));
    }
    return handle;
}

static void drop(struct mill_graph *graph, mill_handle handle)
{
    mill_graph_unref(graph, (uint32_t)handle);
}

/* ---- handles ---------------------------------------------------------------------------- */

static void a_new_node_has_nil_arguments_and_one_reference(void)
{
    struct mill_graph graph;
    mill_graph_init(&graph);
    for (uint32_t count = 0; count < 10; count++) {
        mill_handle handle = mill_graph_node(&graph, 7, count);
        struct mill_node *node = mill_graph_find(&graph, handle);
        CHECK(node && node->count == count && node->function == 7 && node->refs == 1);
        CHECK(node->inputs == 0 && mill_graph_at(&graph, (uint32_t)handle) == node);
        for (uint32_t i = 0; i < count; i++) {
            CHECK(mill_node_arguments(node)[i].tag == MILL_TAG_NIL);
        }
    }
    CHECK(graph.live == 10);
    mill_graph_fini(&graph);
}

static void a_node_is_a_cache_line(void)
{
    CHECK(sizeof(struct mill_node) == 64);
}

static void a_stale_handle_is_noticed(void)
{
    struct mill_graph graph;
    mill_graph_init(&graph);
    mill_handle first = mill_graph_node(&graph, 1, 0);
    drop(&graph, first);
    CHECK(mill_graph_find(&graph, first) == NULL);
    mill_handle second = mill_graph_node(&graph, 1, 0);
    CHECK((uint32_t)first == (uint32_t)second); /* the place is used again */
    CHECK(mill_graph_find(&graph, first) == NULL && mill_graph_find(&graph, second) != NULL);
    mill_graph_fini(&graph);
}

static void forged_handles_are_noticed(void)
{
    struct mill_graph graph;
    mill_graph_init(&graph);
    CHECK(mill_graph_find(&graph, 0) == NULL);
    mill_handle handle = mill_graph_node(&graph, 1, 0);
    for (int bit = 0; bit < 64; bit++) {
        CHECK(mill_graph_find(&graph, handle ^ UINT64_C(1) << bit) == NULL);
    }
    CHECK(mill_graph_find(&graph, UINT64_MAX) == NULL);
    CHECK(mill_graph_find(&graph, 0) == NULL);
    mill_graph_fini(&graph);
}

static void places_count_in_the_order_of_building(void)
{
    struct mill_graph graph;
    mill_graph_init(&graph);
    for (uint32_t i = 1; i < 20; i++) {
        mill_handle handle = mill_graph_node(&graph, 1, 0);
        CHECK(mill_graph_find(&graph, handle)->place == i);
        if (i % 3) drop(&graph, handle);
    }
    mill_graph_fini(&graph);
}

/* ---- arguments -------------------------------------------------------------------------------- */

static struct mill_value table_of(const mill_handle *nodes, uint32_t count)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_TABLE);
    mill_packer_size(&packer, count);
    mill_packer_size(&packer, 0);
    mill_packer_byte(&packer, 0);
    for (uint32_t i = 0; i < count; i++) mill_packer_node(&packer, (uint32_t)nodes[i]);
    bool failed = false;
    return mill_packer_take(&packer, &failed);
}

static void inputs_are_listed_in_order_tables_and_repetitions_included(void)
{
    struct mill_graph graph;
    mill_graph_init(&graph);
    mill_handle leaf[3];
    for (int i = 0; i < 3; i++) leaf[i] = mill_graph_node(&graph, 1, 0);
    mill_handle handle = mill_graph_node(&graph, 1, 4);
    struct mill_node *node = mill_graph_find(&graph, handle);
    mill_graph_argument(&graph, node, 0, input(leaf[1]));
    mill_graph_argument(&graph, node, 1, mill_number(5));
    mill_graph_argument(&graph, node, 2,
                        table_of((mill_handle[]){leaf[2], leaf[0], leaf[2]}, 3));
    mill_graph_argument(&graph, node, 3, input(leaf[1]));
    uint32_t inputs[5], expected[5] = {(uint32_t)leaf[1], (uint32_t)leaf[2], (uint32_t)leaf[0],
                                       (uint32_t)leaf[2], (uint32_t)leaf[1]};
    CHECK(node->inputs == 5);
    mill_node_inputs(node, inputs);
    CHECK(memcmp(inputs, expected, sizeof inputs) == 0);
    for (int i = 0; i < 3; i++) drop(&graph, leaf[i]);
    CHECK(graph.live == 4);
    drop(&graph, handle);
    CHECK(graph.live == 0);
    mill_graph_fini(&graph);
}

static void arguments_are_released_with_their_node_or_the_graph(void)
{
    struct mill_memory memory = {0};
    struct mill_graph graph;
    mill_graph_init(&graph);
    mill_handle handles[2];
    for (int i = 0; i < 2; i++) {
        handles[i] = mill_graph_node(&graph, 1, 3);
        struct mill_array *array = mill_array_new(&memory, MILL_INT64, 100);
        mill_graph_argument(&graph, mill_graph_find(&graph, handles[i]), 2, mill_column(array));
    }
    CHECK(atomic_load(&memory.bytes) == 1600);
    drop(&graph, handles[0]);
    CHECK(atomic_load(&memory.bytes) == 800);
    mill_graph_fini(&graph);
    CHECK(atomic_load(&memory.bytes) == 0);
}

/* ---- lifetimes ---------------------------------------------------------------------------------- */

static void a_chain_of_a_million_is_freed_without_recursion(void)
{
    struct mill_graph graph;
    mill_graph_init(&graph);
    mill_handle last = mill_graph_node(&graph, 1, 0);
    for (int i = 1; i < 1000000; i++) {
        mill_handle next = node_of(&graph, &last, 1);
        drop(&graph, last);
        last = next;
    }
    CHECK(graph.live == 1000000);
    drop(&graph, last);
    CHECK(graph.live == 0);
    uint32_t slabs = graph.slab_count;
    for (int i = 0; i < 1000000; i++) CHECK(mill_graph_node(&graph, 1, 0) != 0);
    /* Nearly full, it takes new slabs rather than search the old ones for single places. */
    CHECK_SAYING(graph.slab_count <= slabs + slabs / 4, "freed places were not used again");
    mill_graph_fini(&graph);
}

enum { MODEL = 300 };

/* What the graph should know, in the plainest form. */
struct model {
    struct {
        mill_handle handle;
        bool held;
        int inputs, input[6];
    } nodes[MODEL];
    int count;
};

static bool model_reaches(const struct model *model, bool alive[MODEL], int i)
{
    if (alive[i]) return true;
    alive[i] = true;
    for (int k = 0; k < model->nodes[i].inputs; k++) {
        model_reaches(model, alive, model->nodes[i].input[k]);
    }
    return true;
}

static void check_model(struct mill_graph *graph, const struct model *model)
{
    bool alive[MODEL] = {false};
    int64_t live = 0;
    for (int i = 0; i < model->count; i++) {
        if (model->nodes[i].held) model_reaches(model, alive, i);
    }
    for (int i = 0; i < model->count; i++) {
        live += alive[i];
        CHECK((mill_graph_find(graph, model->nodes[i].handle) != NULL) == alive[i]);
    }
    CHECK(graph->live == live);
}

/* Builds on nodes that a handle still holds, as a script would. */
static void model_build(struct mill_graph *graph, struct model *model)
{
    int self = model->count++, inputs = 0;
    mill_handle handles[6];
    for (uint32_t i = random_below(7); i > 0 && self > 0; i--) {
        int other = (int)random_below((uint32_t)self);
        if (!model->nodes[other].held) continue;
        model->nodes[self].input[inputs] = other;
        handles[inputs++] = model->nodes[other].handle;
    }
    model->nodes[self].inputs = inputs;
    model->nodes[self].held = true;
    if (random_below(2) && inputs) {
        model->nodes[self].handle = mill_graph_node(graph, 1, 1);
        mill_graph_argument(graph, mill_graph_find(graph, model->nodes[self].handle), 0,
                            table_of(handles, (uint32_t)inputs));
    } else {
        model->nodes[self].handle = node_of(graph, handles, (uint32_t)inputs);
    }
}

static void nodes_live_as_long_as_something_reaches_them(void)
{
    for (int round = 0; round < 60; round++) {
        struct mill_graph graph;
        struct model *model = calloc(1, sizeof *model);
        mill_graph_init(&graph);
        while (model->count < MODEL) {
            int other = model->count ? (int)random_below((uint32_t)model->count) : 0;
            if (random_below(3) == 0 && model->nodes[other].held) {
                model->nodes[other].held = false;
                drop(&graph, model->nodes[other].handle);
            } else {
                model_build(&graph, model);
            }
            if (model->count % 10 == 0) check_model(&graph, model);
        }
        for (int i = 0; i < MODEL; i++) {
            if (model->nodes[i].held) drop(&graph, model->nodes[i].handle);
        }
        CHECK(graph.live == 0);
        mill_graph_fini(&graph);
        free(model);
    }
}

/* As a script's state does after a collection: all that lost their handles go at once. */
static void a_sweep_drops_what_is_held_and_not_live(void)
{
    for (int round = 0; round < 60; round++) {
        struct mill_graph graph;
        struct model *model = calloc(1, sizeof *model);
        uint8_t live[MILL_SLAB_NODES] = {0};
        mill_graph_init(&graph);
        mill_graph_unref(&graph, (uint32_t)mill_graph_node(&graph, 1, 0));
        for (uint32_t i = random_below(3) ? 0 : MILL_SLAB_NODES - MODEL / 2; i > 0; i--) {
            mill_graph_node(&graph, 1,
                            0); /* not held by a handle; so that two slabs are used */
        }
        int64_t others = graph.live;
        while (model->count < MODEL) model_build(&graph, model);
        for (int i = 0; i < MODEL; i++) {
            uint32_t index = (uint32_t)model->nodes[i].handle;
            mill_graph_at(&graph, index)->held = 1;
            model->nodes[i].held = random_below(4) == 0;
            live[index % MILL_SLAB_NODES] = model->nodes[i].held;
        }
        for (uint32_t s = 0; s < graph.slab_count; s++) mill_graph_sweep(&graph, s, live);
        graph.live -= others;
        check_model(&graph, model);
        graph.live += others;
        for (int i = 0; i < MODEL; i++) {
            const struct mill_node *node = mill_graph_find(&graph, model->nodes[i].handle);
            CHECK(node == NULL || (node->held != 0) == model->nodes[i].held);
        }
        mill_graph_fini(&graph);
        free(model);
    }
}

static void the_nodes_in_use_are_found_one_after_another(void)
{
    struct mill_graph graph;
    mill_graph_init(&graph);
    CHECK(mill_graph_next(&graph, 0) == UINT32_MAX);
    for (int i = 0; i < 2 * MILL_SLAB_NODES + 100; i++) mill_graph_node(&graph, 1, 0);
    for (int i = 0; i < 8000; i++) {
        uint32_t index = random_below(2 * MILL_SLAB_NODES + 100);
        if (mill_graph_at(&graph, index)->generation & 1) mill_graph_unref(&graph, index);
    }
    uint32_t all = graph.slab_count * MILL_SLAB_NODES, found = mill_graph_next(&graph, 0);
    for (uint32_t i = 0; i < all; i++) {
        bool used = mill_graph_at(&graph, i)->generation & 1;
        CHECK(used == (found == i));
        if (used) found = mill_graph_next(&graph, i + 1);
    }
    CHECK(found == UINT32_MAX && mill_graph_next(&graph, all) == UINT32_MAX);
    mill_graph_fini(&graph);
}

int main(void)
{
    random_state = check_seed();
    RUN(a_node_is_a_cache_line);
    RUN(a_new_node_has_nil_arguments_and_one_reference);
    RUN(a_stale_handle_is_noticed);
    RUN(forged_handles_are_noticed);
    RUN(places_count_in_the_order_of_building);
    RUN(inputs_are_listed_in_order_tables_and_repetitions_included);
    RUN(arguments_are_released_with_their_node_or_the_graph);
    RUN(a_chain_of_a_million_is_freed_without_recursion);
    RUN(a_sweep_drops_what_is_held_and_not_live);
    RUN(the_nodes_in_use_are_found_one_after_another);
    RUN(nodes_live_as_long_as_something_reaches_them);
    return check_end();
}
