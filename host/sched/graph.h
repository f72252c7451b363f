/* graph: lazy nodes: a function, its arguments, the nodes among them.
 * Nodes live in slabs and are named by index and generation, so that a handle in a script is 8
 * bytes and a stale or forged one is noticed.  A node is immutable once built; its arguments may
 * then be read from any thread.  Everything else is the business of the thread that owns the
 * graph.  SPDX-License-Identifier: MIT */
#ifndef MILL_GRAPH_H
#define MILL_GRAPH_H

#include "base/status.h"
#include "data/memory.h"
#include "data/value.h"

enum { MILL_NODE_CELLS = 2, MILL_SLAB_NODES = 4096, MILL_MAX_ARGUMENTS = 60000 };

/* 64 bytes: one cache line for calls of up to two arguments. */
struct mill_node {
    uint32_t generation; /* odd while the node is in use */
    uint32_t mark;       /* scratch of mill_draft: below the graph's `next_mark`, or a link of
                            nodes that are freed */
    uint32_t function;   /* whatever the owner numbers its functions by */
    int32_t refs;        /* the handle, nodes and runs that use it */
    uint32_t inputs;     /* nodes among the arguments, repetitions counted */
    uint32_t place;      /* order of building, for random streams */
    uint16_t count;      /* arguments */
    uint8_t held;        /* a script has a handle */
    uint8_t wanted;      /* scratch of mill_draft; 0 between calls */
    uint32_t index;      /* its own */
    union {
        struct mill_value cells[MILL_NODE_CELLS];
        struct mill_value *more; /* count > MILL_NODE_CELLS: malloc'ed */
    };
};

struct mill_slab_map; /* which nodes of a slab are free */

struct mill_graph {
    struct mill_node **slabs;
    struct mill_slab_map **maps; /* one a slab */
    struct mill_node *reserve;   /* memory of the next slabs, `reserved` of them */
    uint32_t reserved;
    uint32_t slab_count, slab_room;
    uint32_t cursor; /* slab that new nodes come from */
    int64_t free_count;
    uint32_t next_place;
    uint32_t next_mark; /* no node has a mark from here on */
    int64_t live;
    struct mill_memory *memory; /* for large runs, which it outlives; NULL: none */
};

/* A handle: index in the low half, generation in the high. */
typedef uint64_t mill_handle;

void mill_graph_init(struct mill_graph *graph);
void mill_graph_fini(struct mill_graph *graph);

/* A new node with `count` (up to MILL_MAX_ARGUMENTS) nil arguments and one reference; 0 when memory is short or 2^32
 * nodes are in use. */
mill_handle mill_graph_node(struct mill_graph *graph, uint32_t function, uint32_t count);

/* Sets an argument of a node that is being built; the reference in `value` passes to it. The
 * nodes that `value` mentions gain a reference each. */
void mill_graph_argument(struct mill_graph *graph, struct mill_node *node, uint32_t i,
                         struct mill_value value);

static inline struct mill_node *mill_graph_at(struct mill_graph *graph, uint32_t index)
{
    return &graph->slabs[index / MILL_SLAB_NODES][index % MILL_SLAB_NODES];
}

/* The first node in use from `index` on; UINT32_MAX: there is none. */
uint32_t mill_graph_next(const struct mill_graph *graph, uint32_t index);

/* NULL when the handle does not name a node in use. */
static inline struct mill_node *mill_graph_find(struct mill_graph *graph, mill_handle handle)
{
    uint32_t index = (uint32_t)handle;
    if (index / MILL_SLAB_NODES >= graph->slab_count) return NULL;
    struct mill_node *node = mill_graph_at(graph, index);
    bool same = node->generation == (uint32_t)(handle >> 32) && (node->generation & 1);
    return same ? node : NULL;
}

void mill_graph_free(struct mill_graph *graph, struct mill_node *node); /* without references */

static inline void mill_node_unref(struct mill_graph *graph, struct mill_node *node)
{
    if (--node->refs == 0) mill_graph_free(graph, node);
}

static inline void mill_graph_unref(struct mill_graph *graph, uint32_t index)
{
    mill_node_unref(graph, mill_graph_at(graph, index));
}

/* Lets go of the nodes of a slab that are held although live[place in the slab] is 0. */
void mill_graph_sweep(struct mill_graph *graph, uint32_t slab, const uint8_t *live);

static inline const struct mill_value *mill_node_arguments(const struct mill_node *node)
{
    return node->count > MILL_NODE_CELLS ? node->more : node->cells;
}

/* Indexes of the nodes among the arguments, in order; `out` has room for node->inputs. */
void mill_node_inputs(const struct mill_node *node, uint32_t *out);

#endif
