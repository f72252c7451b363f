/* graph: lazy nodes: a function, its arguments, the nodes among them.
 *
 * DESIGN.  New nodes come from one slab after another, lowest index first: nodes that were built
 * together lie together, also when they take the places of old ones, for a run goes through all
 * of its nodes several times.  A list of free nodes would give them back in the order in which
 * they died, which for a large graph costs more than all the rest.
 * SPDX-License-Identifier: MIT */
#include "sched/graph.h"

#include <stdlib.h>

#include "base/pages.h"
#include "base/room.h"

enum { WORDS = MILL_SLAB_NODES / 64, FULL = 8 };

/* The first slabs have blocks of their own; later ones share one, which is a huge page. */
enum { BLOCK_SLABS = MILL_HUGE_PAGE / (MILL_SLAB_NODES * (int)sizeof(struct mill_node)) };

struct mill_slab_map {
    uint64_t free[WORDS]; /* a bit is set: the node is free */
    uint32_t count;       /* of these */
    uint32_t word;        /* those before it have no free node, unless one was freed since */
};

static bool begins_block(uint32_t slab)
{
    return slab < BLOCK_SLABS || slab % BLOCK_SLABS == 0;
}

void mill_graph_init(struct mill_graph *graph)
{
    memset(graph, 0, sizeof *graph);
    graph->next_mark = 1; /* new nodes have 0 */
}

static void node_drop_arguments(struct mill_node *node)
{
    const struct mill_value *arguments = mill_node_arguments(node);
    for (uint32_t i = 0; i < node->count; i++) mill_value_unref(arguments[i]);
    if (node->count > MILL_NODE_CELLS) free(node->more);
    node->count = 0;
}

/* An argument may be the last to hold a run, which then looks at its nodes, wherever they are. */
void mill_graph_fini(struct mill_graph *graph)
{
    for (uint32_t s = 0; s < graph->slab_count; s++) {
        for (int i = 0; i < MILL_SLAB_NODES; i++) {
            if (graph->slabs[s][i].generation & 1) node_drop_arguments(&graph->slabs[s][i]);
        }
    }
    for (uint32_t s = 0; s < graph->slab_count; s++) {
        if (begins_block(s)) free(graph->slabs[s]);
        free(graph->maps[s]);
    }
    free(graph->slabs);
    free(graph->maps);
    mill_graph_init(graph);
}

static bool lists_grow(struct mill_graph *graph)
{
    uint32_t room = graph->slab_room ? graph->slab_room * 2 : 16;
    if (!mill_room_set(&graph->slabs, room, sizeof *graph->slabs)) return false;
    if (!mill_room_set(&graph->maps, room, sizeof *graph->maps)) return false;
    graph->slab_room = room;
    return true;
}

static bool reserve_slabs(struct mill_graph *graph)
{
    if (graph->reserved > 0) return true;
    uint32_t count = graph->slab_count < BLOCK_SLABS ? 1 : BLOCK_SLABS;
    graph->reserve = mill_pages_new(count * MILL_SLAB_NODES * sizeof *graph->reserve);
    if (graph->reserve) graph->reserved = count;
    return graph->reserve != NULL;
}

static bool graph_grow(struct mill_graph *graph)
{
    if (graph->slab_count == UINT32_MAX / MILL_SLAB_NODES) return false;
    if (graph->slab_count == graph->slab_room && !lists_grow(graph)) return false;
    struct mill_slab_map *map = malloc(sizeof *map);
    if (map == NULL || !reserve_slabs(graph)) {
        free(map);
        return false;
    }
    struct mill_node *slab = graph->reserve;
    graph->reserve += MILL_SLAB_NODES;
    graph->reserved--;
    memset(slab, 0, MILL_SLAB_NODES * sizeof *slab);
    memset(map->free, 0xFF, sizeof map->free);
    map->count = MILL_SLAB_NODES;
    map->word = 0;
    graph->slabs[graph->slab_count] = slab;
    graph->maps[graph->slab_count] = map;
    graph->cursor = graph->slab_count++;
    graph->free_count += MILL_SLAB_NODES;
    return true;
}

/* Lets the cursor stand on a slab with a free node.  When few are free a new slab is better than a
 * search for single ones. */
static bool find_slab(struct mill_graph *graph)
{
    if (graph->slab_count && graph->maps[graph->cursor]->count) return true;
    int64_t all = (int64_t)graph->slab_count * MILL_SLAB_NODES;
    if (graph->free_count <= all / FULL && graph_grow(graph)) return true;
    if (graph->free_count == 0) return false;
    do {
        graph->cursor = graph->cursor + 1 < graph->slab_count ? graph->cursor + 1 : 0;
    } while (graph->maps[graph->cursor]->count == 0);
    return true;
}

/* The next free index; the cursor's slab has one. It is not taken yet. */
static uint32_t free_index(struct mill_graph *graph)
{
    struct mill_slab_map *map = graph->maps[graph->cursor];
    while (map->free[map->word] == 0) map->word++;
    uint32_t bit = (uint32_t)__builtin_ctzll(map->free[map->word]);
    return graph->cursor * MILL_SLAB_NODES + map->word * 64 + bit;
}

static void take_place(struct mill_graph *graph, uint32_t index)
{
    struct mill_slab_map *map = graph->maps[index / MILL_SLAB_NODES];
    uint32_t place = index % MILL_SLAB_NODES;
    map->free[place / 64] &= ~(1ULL << place % 64);
    map->count--;
    graph->free_count--;
    graph->live++;
}

static void give_place_back(struct mill_graph *graph, uint32_t index)
{
    struct mill_slab_map *map = graph->maps[index / MILL_SLAB_NODES];
    uint32_t place = index % MILL_SLAB_NODES;
    map->free[place / 64] |= 1ULL << place % 64;
    map->count++;
    if (place / 64 < map->word) map->word = place / 64;
    graph->free_count++;
    graph->live--;
}

uint32_t mill_graph_next(const struct mill_graph *graph, uint32_t index)
{
    uint32_t slab = index / MILL_SLAB_NODES, word = index % MILL_SLAB_NODES / 64;
    uint64_t wanted = UINT64_MAX << index % 64;
    for (; slab < graph->slab_count; slab++, word = 0) {
        for (; word < WORDS; word++, wanted = UINT64_MAX) {
            uint64_t used = ~graph->maps[slab]->free[word] & wanted;
            if (used) {
                return slab * MILL_SLAB_NODES + word * 64 + (uint32_t)__builtin_ctzll(used);
            }
        }
    }
    return UINT32_MAX;
}

mill_handle mill_graph_node(struct mill_graph *graph, uint32_t function, uint32_t count)
{
    if (!find_slab(graph)) return 0;
    uint32_t index = free_index(graph);
    struct mill_node *node = mill_graph_at(graph, index);
    if (count > MILL_NODE_CELLS) {
        struct mill_value *more = calloc(count, sizeof *more);
        if (more == NULL) return 0;
        node->more = more;
    } else {
        memset(node->cells, 0, sizeof node->cells);
    }
    take_place(graph, index);
    node->generation++;
    node->function = function;
    node->refs = 1;
    node->inputs = 0;
    node->place = ++graph->next_place;
    node->count = (uint16_t)count;
    node->held = 0;
    node->index = index;
    return (uint64_t)node->generation << 32 | index;
}

void mill_graph_argument(struct mill_graph *graph, struct mill_node *node, uint32_t i,
                         struct mill_value value)
{
    struct mill_value *arguments = (struct mill_value *)mill_node_arguments(node);
    arguments[i] = value;
    node->inputs += mill_value_nodes(&value);
    if (value.tag == MILL_TAG_NODE) {
        mill_graph_at(graph, (uint32_t)value.natural)->refs++;
    } else if (value.tag == MILL_TAG_PACKED) {
        for (uint32_t k = 0; k < value.packed->node_count; k++) {
            mill_graph_at(graph, value.packed->nodes[k])->refs++;
        }
    }
}

void mill_node_inputs(const struct mill_node *node, uint32_t *out)
{
    const struct mill_value *arguments = mill_node_arguments(node);
    for (uint32_t i = 0; i < node->count; i++) {
        if (arguments[i].tag == MILL_TAG_NODE) {
            *out++ = (uint32_t)arguments[i].natural;
        } else if (arguments[i].tag == MILL_TAG_PACKED && arguments[i].packed->node_count) {
            uint32_t count = arguments[i].packed->node_count;
            memcpy(out, arguments[i].packed->nodes, count * sizeof *out);
            out += count;
        }
    }
}

/* Freeing a node frees the inputs that only it used.  A chain of a million nodes must not
 * recurse: nodes whose turn has come are linked through `mark` (index + 1). */
void mill_graph_free(struct mill_graph *graph, struct mill_node *first)
{
    first->mark = 0;
    uint32_t todo = first->index + 1;
    while (todo) {
        uint32_t self = todo - 1;
        struct mill_node *node = mill_graph_at(graph, self);
        todo = node->mark;
        node->mark = 0;
        const struct mill_value *arguments = mill_node_arguments(node);
        for (uint32_t i = 0; node->inputs && i < node->count; i++) {
            const struct mill_value *value = &arguments[i];
            uint32_t one = (uint32_t)value->natural;
            const uint32_t *nodes = value->tag == MILL_TAG_NODE ? &one : NULL;
            if (value->tag == MILL_TAG_PACKED) nodes = value->packed->nodes;
            for (uint32_t k = 0; k < mill_value_nodes(value); k++) {
                struct mill_node *input = mill_graph_at(graph, nodes[k]);
                if (--input->refs == 0) {
                    input->mark = todo;
                    todo = nodes[k] + 1;
                }
            }
        }
        node_drop_arguments(node);
        node->generation++;
        give_place_back(graph, self);
    }
}

void mill_graph_sweep(struct mill_graph *graph, uint32_t slab, const uint8_t *live)
{
    for (int word = 0; word < WORDS; word++) {
        uint64_t used = ~graph->maps[slab]->free[word];
        for (; used; used &= used - 1) {
            uint32_t place = (uint32_t)(word * 64 + __builtin_ctzll(used));
            struct mill_node *node = &graph->slabs[slab][place];
            if (!node->held || live[place]) continue;
            node->held = 0;
            mill_node_unref(graph, node);
        }
    }
}
