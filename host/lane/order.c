/* order: a task on its way to another process, and what comes back.
 * SPDX-License-Identifier: MIT */
#include "lane/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/attempt.h"

enum { MAX_ATTEMPTS = 100000 };

enum order_flags {
    ORDER_FORGET = 1, /* mill_order_forgets */
    ORDER_FUNCTION = 2,
    ORDER_NOTED = 4,
    ORDER_KEYED = 8,
    ORDER_RETRIED = 16,
    ORDER_FLAGS = 31,
};

static void put_bits(struct mill_wire *wire, uint64_t word)
{
    mill_packer_bytes(&wire->out, &word, sizeof word);
}

static void put_head(struct mill_wire *wire, const struct mill_order *order,
                     const double *seconds)
{
    uint8_t flags = (order->forget ? ORDER_FORGET : 0) |
                    (order->has_function ? ORDER_FUNCTION : 0) |
                    (order->noted ? ORDER_NOTED : 0) | (order->keyed ? ORDER_KEYED : 0) |
                    (order->retried ? ORDER_RETRIED : 0);
    mill_packer_byte(&wire->out, MILL_WIRE_VERSION);
    mill_packer_byte(&wire->out, flags);
    mill_packer_byte(&wire->out, (uint8_t)order->log_level);
    mill_packer_size(&wire->out, order->serial);
    mill_packer_size(&wire->out, (uint64_t)order->worker);
    put_bits(wire, order->stream[0]);
    put_bits(wire, order->stream[1]);
    if (order->keyed) mill_packer_bytes(&wire->out, &order->key, sizeof order->key);
    mill_packer_size(&wire->out, (uint64_t)order->attempt);
    for (int i = 1; i < order->attempt; i++) {
        uint64_t bits;
        memcpy(&bits, &seconds[i - 1], sizeof bits);
        put_bits(wire, bits);
    }
}

static void put_function(struct mill_wire *wire, const struct mill_function *function)
{
    mill_packer_text(&wire->out, function->name, strlen(function->name));
    mill_packer_byte(&wire->out, function->loops);
    mill_packer_size(&wire->out, function->outputs);
    char where[160];
    snprintf(where, sizeof where, "the function of task \"%.120s\"", function->name);
    mill_wire_value(wire, &function->code, where);
    mill_wire_value(wire, &function->retry_on, "option \"retry_on\"");
}

/* The results that an argument mentions inside a table; one that is a node is its result already. */
static uint32_t put_argument(struct mill_wire *wire, const struct mill_worker *worker, int i,
                             uint32_t next)
{
    const struct mill_value *built = &mill_node_arguments(worker->task->node)[i];
    uint32_t nodes = mill_value_nodes(built);
    char where[32];
    snprintf(where, sizeof where, "argument %d", i + 1);
    mill_wire_value(wire, &worker->call.arguments[i], where);
    for (uint32_t k = 0; built->tag == MILL_TAG_PACKED && k < nodes; k++) {
        mill_wire_value(wire, &worker->inputs[next + k], where);
    }
    return next + nodes;
}

void mill_order_put(struct mill_wire *wire, const struct mill_order *order,
                    const struct mill_worker *worker)
{
    const double *seconds;
    struct mill_order full = *order;
    full.retried = mill_task_function(worker->task)->retry.retries > 0;
    full.attempt = mill_worker_attempt(worker, &seconds);
    put_head(wire, &full, seconds);
    if (order->has_function) put_function(wire, mill_task_function(worker->task));
    mill_packer_size(&wire->out, (uint64_t)worker->call.count);
    uint32_t next = 0;
    for (int i = 0; i < worker->call.count && wire->status == TIDEMILL_OK; i++) {
        next = put_argument(wire, worker, i, next);
    }
}

void mill_order_put_call(struct mill_wire *wire, const struct mill_order *order,
                         const struct mill_value *code, const struct mill_value *argument)
{
    struct mill_function function = {.name = (char *)"retry_on", .code = *code};
    put_head(wire, order, NULL);
    put_function(wire, &function);
    mill_packer_size(&wire->out, 1);
    mill_wire_value(wire, argument, "an error");
}

void mill_order_function_fini(struct mill_order_function *function)
{
    free(function->name);
    mill_value_unref(function->code);
    mill_value_unref(function->retry_on);
    memset(function, 0, sizeof *function);
}

/* A count, which must not be above `most`. */
static uint64_t take_count(struct mill_wire_reader *reader, uint64_t most)
{
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count <= most) return count;
    reader->in.bad = true;
    return 0;
}

static void take_order_function(struct mill_wire_reader *reader,
                                struct mill_order_function *function)
{
    size_t size;
    const char *name = mill_unpacker_text(&reader->in, &size);
    function->name = name ? strndup(name, size) : NULL;
    function->loops = mill_unpacker_byte(&reader->in) != 0;
    function->outputs = (uint16_t)take_count(reader, UINT16_MAX);
    function->code = mill_wire_read(reader, false);
    function->retry_on = mill_wire_read(reader, false);
    if (function->name == NULL) reader->status = TIDEMILL_MEMORY;
}

static void take_seconds(struct mill_wire_reader *reader, int attempt, double **seconds)
{
    const void *bytes =
        mill_unpacker_bytes(&reader->in, (size_t)(attempt - 1) * sizeof **seconds);
    if (bytes == NULL || attempt == 1) return;
    *seconds = malloc((size_t)(attempt - 1) * sizeof **seconds);
    if (*seconds == NULL) {
        reader->status = TIDEMILL_MEMORY;
    } else {
        memcpy(*seconds, bytes, (size_t)(attempt - 1) * sizeof **seconds);
    }
}

bool mill_order_take(struct mill_wire_reader *reader, struct mill_order *order,
                     struct mill_order_function *function, double **seconds)
{
    memset(order, 0, sizeof *order);
    memset(function, 0, sizeof *function);
    *seconds = NULL;
    uint8_t version = mill_unpacker_byte(&reader->in);
    uint8_t flags = mill_unpacker_byte(&reader->in);
    if (version != MILL_WIRE_VERSION || flags > ORDER_FLAGS) reader->in.bad = true;
    order->forget = flags & ORDER_FORGET;
    order->has_function = flags & ORDER_FUNCTION;
    order->noted = flags & ORDER_NOTED;
    order->keyed = flags & ORDER_KEYED;
    order->retried = flags & ORDER_RETRIED;
    order->log_level = mill_unpacker_byte(&reader->in);
    order->serial = mill_unpacker_size(&reader->in);
    order->worker = (int)take_count(reader, INT32_MAX);
    order->stream[0] = mill_unpacker_word(&reader->in);
    order->stream[1] = mill_unpacker_word(&reader->in);
    if (order->keyed) {
        const void *key = mill_unpacker_bytes(&reader->in, sizeof order->key);
        if (key) memcpy(&order->key, key, sizeof order->key);
    }
    order->attempt = (int)take_count(reader, MAX_ATTEMPTS);
    if (order->attempt < 1) reader->in.bad = true;
    if (!reader->in.bad) take_seconds(reader, order->attempt, seconds);
    if (!reader->in.bad && order->has_function) take_order_function(reader, function);
    if (reader->in.bad && reader->status == TIDEMILL_OK) reader->status = TIDEMILL_DATA;
    if (reader->status == TIDEMILL_OK) return true;
    mill_order_function_fini(function);
    free(*seconds);
    *seconds = NULL;
    return false;
}

/* A node that stands for a result inside an argument; UINT32_MAX: no memory. */
static uint32_t stand_in(struct mill_graph *graph, struct mill_value value)
{
    mill_handle handle = mill_graph_node(graph, 0, 1);
    if (handle == 0) {
        mill_value_unref(value);
        return UINT32_MAX;
    }
    mill_graph_argument(graph, mill_graph_find(graph, handle), 0, value);
    return (uint32_t)handle;
}

/* Reads an argument of the node, with the results of the nodes that it mentions. */
static bool take_argument(struct mill_wire_reader *reader, struct mill_graph *graph,
                          struct mill_node *node, uint32_t i)
{
    struct mill_value value = mill_wire_read(reader, true);
    uint32_t nodes = mill_value_nodes(&value), made = 0;
    uint32_t *standing = nodes ? calloc(nodes, sizeof *standing) : NULL;
    bool fine = reader->status == TIDEMILL_OK && (nodes == 0 || standing);
    for (; fine && made < nodes; made++) {
        standing[made] = stand_in(graph, mill_wire_read(reader, false));
        if (standing[made] == UINT32_MAX) reader->status = TIDEMILL_MEMORY;
        fine = reader->status == TIDEMILL_OK;
        if (standing[made] == UINT32_MAX) break;
    }
    if (fine && nodes) {
        memcpy(value.packed->nodes, standing, nodes * sizeof *standing);
        mill_graph_argument(graph, node, i, value); /* which holds them from here on */
    } else if (fine) {
        mill_graph_argument(graph, node, i, value);
    } else {
        mill_value_unref(value);
    }
    for (uint32_t k = 0; k < made; k++) mill_graph_unref(graph, standing[k]);
    free(standing);
    return fine;
}

mill_handle mill_order_node(struct mill_wire_reader *reader, struct mill_graph *graph,
                            uint32_t function)
{
    uint64_t count = mill_unpacker_size(&reader->in);
    if (count > MILL_MAX_ARGUMENTS || reader->in.bad) return 0;
    mill_handle handle = mill_graph_node(graph, function, (uint32_t)count);
    if (handle == 0) return 0;
    bool fine = true;
    for (uint32_t i = 0; fine && i < count; i++) {
        fine = take_argument(reader, graph, mill_graph_find(graph, handle), i);
    }
    if (fine && mill_wire_is_read(reader)) return handle;
    mill_graph_unref(graph, (uint32_t)handle);
    return 0;
}

/* ---- what comes back ------------------------------------------------------------------------- */

void mill_answer_put(struct mill_wire *wire, const struct mill_answer *answer)
{
    mill_packer_byte(&wire->out, MILL_WIRE_VERSION);
    mill_packer_byte(&wire->out, (uint8_t)answer->state);
    mill_packer_byte(&wire->out, answer->worth);
    mill_packer_byte(&wire->out, (uint8_t)(answer->unsound | answer->impure << 1));
    mill_packer_size(&wire->out, answer->degraded);
    mill_packer_text(&wire->out, answer->reads, answer->reads_size);
    mill_packer_text(&wire->out, answer->written, answer->written_size);
    mill_wire_value(wire, &answer->value, "the task's result");
}

bool mill_answer_take(struct mill_wire_reader *reader, struct mill_answer *answer)
{
    memset(answer, 0, sizeof *answer);
    uint8_t version = mill_unpacker_byte(&reader->in);
    uint8_t state = mill_unpacker_byte(&reader->in);
    answer->worth = mill_unpacker_byte(&reader->in) != 0;
    uint8_t doubts = mill_unpacker_byte(&reader->in);
    answer->unsound = doubts & 1;
    answer->impure = doubts & 2;
    answer->degraded = mill_unpacker_size(&reader->in);
    answer->reads = mill_unpacker_text(&reader->in, &answer->reads_size);
    answer->written = mill_unpacker_text(&reader->in, &answer->written_size);
    bool known = state == MILL_FINISHED || state == MILL_FAILED || state == MILL_CANCELLED;
    if (version != MILL_WIRE_VERSION || !known) reader->in.bad = true;
    answer->state = (enum mill_state)state;
    answer->value = mill_wire_read(reader, false);
    if (mill_wire_is_read(reader)) return true;
    if (reader->status == TIDEMILL_OK) reader->status = TIDEMILL_DATA;
    mill_value_unref(answer->value);
    answer->value = mill_nil();
    return false;
}
