/* ffi: functions that Lua calls through LuaJIT's FFI.  SPDX-License-Identifier: MIT */
#include "bind/ffi.h"

bool tidemill__next(struct mill_worker *worker)
{
    return mill_worker_next(worker);
}

void tidemill__finish_number(struct mill_worker *worker, double number)
{
    mill_worker_finish(worker, MILL_FINISHED, mill_number(number));
}

uint64_t tidemill__node_new(struct tidemill *engine, uint32_t function, uint32_t count)
{
    if (count > MILL_MAX_ARGUMENTS) return 0;
    mill_handle handle = mill_graph_node(&engine->graph, function, count);
    if (handle) mill_graph_find(&engine->graph, handle)->held = 1;
    return handle;
}

void tidemill__node_number(struct tidemill *engine, uint64_t handle, uint32_t i, double number)
{
    struct mill_node *node = mill_graph_find(&engine->graph, handle);
    if (node && i < node->count) {
        mill_graph_argument(&engine->graph, node, i, mill_number(number));
    }
}

bool tidemill__node_node(struct tidemill *engine, uint64_t handle, uint32_t i, uint64_t input)
{
    struct mill_node *node = mill_graph_find(&engine->graph, handle);
    if (node == NULL || i >= node->count || !mill_graph_find(&engine->graph, input))
        return false;
    struct mill_value value = {.tag = MILL_TAG_NODE, .natural = (uint32_t)input};
    mill_graph_argument(&engine->graph, node, i, value);
    return true;
}

int64_t tidemill__node_live(struct tidemill *engine)
{
    return engine->graph.live;
}

void tidemill__node_drop(struct tidemill *engine, uint32_t index)
{
    if (index / MILL_SLAB_NODES >= engine->graph.slab_count) return;
    struct mill_node *node = mill_graph_at(&engine->graph, index);
    if (!node->held) return;
    node->held = 0;
    mill_graph_unref(&engine->graph, index);
}

uint32_t tidemill__node_held(struct tidemill *engine, uint32_t index)
{
    uint32_t end = engine->graph.slab_count * MILL_SLAB_NODES;
    for (; index < end; index++) {
        if (mill_graph_at(&engine->graph, index)->held) return index;
    }
    return UINT32_MAX;
}

uint32_t tidemill__node_function(struct tidemill *engine, uint64_t handle)
{
    struct mill_node *node = mill_graph_find(&engine->graph, handle);
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

struct mill_array *tidemill__array_slice(struct mill_array *array, int64_t first,
                                         int64_t length)
{
    return mill_array_slice(array, first, length);
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
