/* walk: the nodes that some nodes need, inputs first.
 * Changes nothing in the graph and does not recurse, so that a chain of a million nodes is as
 * good as any other graph.  Called by the thread that owns the graph.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WALK_H
#define MILL_WALK_H

#include "sched/graph.h"

/* One visit.  Nodes are numbered from 0 in the order of their visits, inputs before what needs
 * them; `inputs` are the numbers of the nodes among the arguments, each once, in their order.
 * False ends the walk: memory is short. */
typedef bool mill_walk_visit(void *context, const struct mill_node *node, uint32_t number,
                             const uint32_t *inputs, uint32_t count);

/* Visits each of the `count` nodes `starts` (indexes) and of the nodes below them once.
 * TIDEMILL_MEMORY, with some of them visited, when memory is short. */
tidemill_status mill_walk(struct mill_graph *graph, const uint32_t *starts, uint32_t count,
                          mill_walk_visit *visit, void *context, struct mill_error *error);

#endif
