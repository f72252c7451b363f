/* walk: the nodes that some nodes need, inputs first.  SPDX-License-Identifier: MIT */
#include "sched/walk.h"

#include <stdlib.h>

#include "base/room.h"

enum { WALK_UNSEEN = 0, WALK_OPEN = UINT32_MAX };

struct walk {
    struct mill_graph *graph;
    mill_walk_visit *visit;
    void *context;
    struct {
        uint32_t state;  /* WALK_UNSEEN, WALK_OPEN, or number of the visit + 1 */
        uint32_t reader; /* the last node that was found to read this one; its number + 1 */
    } * marks;           /* by index; pages that no node below uses are never touched */
    uint32_t *stack, *inputs;
    size_t depth, room, input_room;
    uint32_t visited;
};

static bool walk_push(struct walk *walk, uint32_t index)
{
    if (!mill_room_for_one(&walk->stack, walk->depth, &walk->room, sizeof *walk->stack, 256)) {
        return false;
    }
    walk->stack[walk->depth++] = index;
    return true;
}

/* Fills walk->inputs with the indexes of the node's inputs. */
static bool walk_inputs(struct walk *walk, const struct mill_node *node)
{
    if (node->inputs > walk->input_room) {
        size_t room = (size_t)node->inputs * 2;
        if (!mill_room_set(&walk->inputs, room, sizeof *walk->inputs)) return false;
        walk->input_room = room;
    }
    mill_node_inputs(node, walk->inputs);
    return true;
}

/* The node stays on the stack, below those of its inputs that no one has seen: the first of them
 * on top.  One that is there already, further down, is found visited when its turn comes. */
static bool walk_enter(struct walk *walk, const struct mill_node *node)
{
    walk->marks[node->index].state = WALK_OPEN;
    if (!walk_inputs(walk, node)) return false;
    for (uint32_t i = node->inputs; i-- > 0;) {
        uint32_t input = walk->inputs[i];
        if (walk->marks[input].state == WALK_UNSEEN && !walk_push(walk, input)) return false;
    }
    return true;
}

/* All inputs were visited: their indexes become numbers, each once. */
static bool walk_leave(struct walk *walk, const struct mill_node *node)
{
    uint32_t number = walk->visited++, count = 0;
    if (!walk_inputs(walk, node)) return false;
    for (uint32_t i = 0; i < node->inputs; i++) {
        uint32_t input = walk->inputs[i];
        if (walk->marks[input].reader == number + 1) continue;
        walk->marks[input].reader = number + 1;
        walk->inputs[count++] = walk->marks[input].state - 1;
    }
    walk->marks[node->index].state = number + 1;
    return walk->visit(walk->context, node, number, walk->inputs, count);
}

static bool walk_from(struct walk *walk, uint32_t start)
{
    if (!walk_push(walk, start)) return false;
    while (walk->depth > 0) {
        uint32_t index = walk->stack[walk->depth - 1];
        const struct mill_node *node = mill_graph_at(walk->graph, index);
        uint32_t state = walk->marks[index].state;
        if (state == WALK_UNSEEN) {
            if (!walk_enter(walk, node)) return false;
            continue;
        }
        walk->depth--;
        if (state == WALK_OPEN && !walk_leave(walk, node)) return false;
    }
    return true;
}

tidemill_status mill_walk(struct mill_graph *graph, const uint32_t *starts, uint32_t count,
                          mill_walk_visit *visit, void *context, struct mill_error *error)
{
    struct walk walk = {.graph = graph, .visit = visit, .context = context};
    size_t places = (size_t)graph->slab_count * MILL_SLAB_NODES;
    walk.marks = calloc(places + 1, sizeof *walk.marks);
    bool good = walk.marks != NULL;
    for (uint32_t i = 0; good && i < count; i++) good = walk_from(&walk, starts[i]);
    free(walk.marks);
    free(walk.stack);
    free(walk.inputs);
    return good ? TIDEMILL_OK : mill_no_memory(error, "walking a graph");
}
