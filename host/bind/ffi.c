/* ffi: functions that Lua calls through LuaJIT's FFI.  SPDX-License-Identifier: MIT */
#include "bind/ffi.h"

#include "base/clock.h"
#include "sched/attempt.h"

int tidemill__next(struct mill_worker *worker)
{
    return mill_worker_next(worker);
}

void tidemill__nest(struct mill_worker *worker, int change)
{
    worker->nested += change;
}

void tidemill__stream(struct mill_worker *worker, double base, double place)
{
    worker->call.turn = ++worker->turns;
    worker->call.stream[0] = (uint64_t)base;
    worker->call.stream[1] = (uint64_t)place;
    worker->places = 0;
}

void tidemill__finish_number(struct mill_worker *worker, double number)
{
    mill_worker_finish(worker, MILL_FINISHED, mill_number(number));
}

uint64_t tidemill__node_new(struct mill_scope *scope, uint32_t function, uint32_t count)
{
    if (count > MILL_MAX_ARGUMENTS) return 0;
    mill_handle handle = mill_graph_node(&scope->graph, function, count);
    if (handle == 0) return 0;
    struct mill_node *node = mill_graph_at(&scope->graph, (uint32_t)handle);
    node->held = 1;
    /* Inside a task nodes are numbered by that task, whatever else its worker does. */
    if (scope->worker) node->place = ++scope->worker->places;
    return handle;
}

uint64_t tidemill__node_of_number(struct mill_scope *scope, uint32_t function, double number)
{
    uint64_t handle = tidemill__node_new(scope, function, 1);
    if (handle == 0) return 0;
    mill_graph_at(&scope->graph, (uint32_t)handle)->cells[0] = mill_number(number);
    return handle;
}

uint64_t tidemill__node_of_nodes(struct mill_scope *scope, uint32_t function, uint64_t first,
                                 uint64_t second)
{
    struct mill_graph *graph = &scope->graph;
    if (!mill_graph_find(graph, first) || !mill_graph_find(graph, second)) return 1;
    uint64_t handle = tidemill__node_new(scope, function, 2);
    if (handle == 0) return 0;
    struct mill_node *node = mill_graph_at(graph, (uint32_t)handle);
    struct mill_value left = {.tag = MILL_TAG_NODE, .natural = (uint32_t)first};
    struct mill_value right = {.tag = MILL_TAG_NODE, .natural = (uint32_t)second};
    mill_graph_argument(graph, node, 0, left);
    mill_graph_argument(graph, node, 1, right);
    return handle;
}

void tidemill__node_number(struct mill_scope *scope, uint64_t handle, uint32_t i, double number)
{
    struct mill_node *node = mill_graph_find(&scope->graph, handle);
    if (node && i < node->count) {
        mill_graph_argument(&scope->graph, node, i, mill_number(number));
    }
}

bool tidemill__node_node(struct mill_scope *scope, uint64_t handle, uint32_t i, uint64_t input)
{
    struct mill_node *node = mill_graph_find(&scope->graph, handle);
    if (node == NULL || i >= node->count || !mill_graph_find(&scope->graph, input))
        return false;
    struct mill_value value = {.tag = MILL_TAG_NODE, .natural = (uint32_t)input};
    mill_graph_argument(&scope->graph, node, i, value);
    return true;
}

int64_t tidemill__node_live(struct mill_scope *scope)
{
    return scope->graph.live;
}

void tidemill__node_drop(struct mill_scope *scope, uint32_t index)
{
    if (index / MILL_SLAB_NODES >= scope->graph.slab_count) return;
    struct mill_node *node = mill_graph_at(&scope->graph, index);
    if (!node->held) return;
    node->held = 0;
    mill_graph_unref(&scope->graph, index);
}

bool tidemill__node_sweep(struct mill_scope *scope, uint32_t slab,
                          const uint8_t live[MILL_SLAB_NODES])
{
    if (slab >= scope->graph.slab_count) return false;
    mill_graph_sweep(&scope->graph, slab, live);
    return true;
}

void tidemill__node_place(struct mill_scope *scope, uint64_t handle, uint32_t place)
{
    struct mill_node *node = mill_graph_find(&scope->graph, handle);
    if (node == NULL) return;
    /* The number that it had is free again: how items travel must not show in later streams. */
    uint32_t *last = scope->worker ? &scope->worker->places : &scope->graph.next_place;
    if (node->place == *last) --*last;
    node->place = place;
}

double tidemill__clock(void)
{
    return (double)mill_clock_now() / 1e9;
}

uint32_t tidemill__node_function(struct mill_scope *scope, uint64_t handle)
{
    struct mill_node *node = mill_graph_find(&scope->graph, handle);
    return node ? node->function : UINT32_MAX;
}

struct mill_array *tidemill__array_new(struct tidemill *engine, int type, int64_t length)
{
    if (mill_type_size((enum mill_type)type) == 0 || type == MILL_UTF8 ||
        type == MILL_DICTIONARY) {
        return NULL;
    }
    return mill_array_new(&engine->memory, (enum mill_type)type, length);
}

void tidemill__array_filling(struct mill_array *array, int filling)
{
    mill_buffer_set_filling(array->values_buffer, filling != 0);
}

struct mill_array *tidemill__array_slice(struct mill_array *array, int64_t first,
                                         int64_t length)
{
    return mill_array_slice(array, first, length);
}

struct mill_array *tidemill__array_view(struct mill_array *array, int64_t first, int dimensions,
                                        const int64_t *shape)
{
    return mill_array_view(array, first, dimensions, shape);
}

struct mill_array *tidemill__array_text(struct tidemill *engine, int64_t length, int64_t bytes)
{
    return mill_array_text(&engine->memory, length, bytes);
}

/* The codes of a dictionary array as an int32 array over the same memory. */
struct mill_array *tidemill__array_codes(struct mill_array *array)
{
    if (array->type != MILL_DICTIONARY) return NULL;
    struct mill_buffer *validity =
        array->validity_buffer ? mill_buffer_ref(array->validity_buffer) : NULL;
    return mill_array_wrap(MILL_INT32, array->length, mill_buffer_ref(array->values_buffer),
                           NULL, validity, array->nulls, NULL);
}

void tidemill__array_ref(struct mill_array *array)
{
    mill_array_ref(array);
}

void tidemill__array_unref(struct mill_array *array)
{
    mill_array_unref(array);
}

int64_t tidemill__array_bytes(const struct mill_array *array)
{
    struct mill_value value = mill_column((struct mill_array *)array);
    return (int64_t)mill_value_size(&value);
}
