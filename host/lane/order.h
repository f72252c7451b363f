/* order: a task on its way to another process, and what comes back.  All that the task needs is in
 * it: its function with all that this captures, its arguments, its random stream.
 *
 * A process keeps the functions and shared values that it was sent, until it is told to forget
 * them: a task's function is sent with the first of its tasks.  SPDX-License-Identifier: MIT */
#ifndef MILL_ORDER_H
#define MILL_ORDER_H

#include "data/wire.h"
#include "sched/worker.h"

/* What an order says besides function and arguments. */
struct mill_order {
    bool forget;       /* all functions and shared values that were sent before */
    bool has_function; /* its function is in it */
    bool noted;        /* what the task reads is of interest */
    bool keyed;        /* `key` is one */
    bool retried;      /* its function has retries */
    uint64_t serial;   /* of the function, the sender's number */
    int worker;        /* the task's worker, as errors and the log call it */
    int attempt;       /* from 1 */
    int log_level;     /* the least that is logged */
    uint64_t stream[2];
    struct mill_hash key;
};

/* Writes the order and the running task of a worker, whose call is described. */
void mill_order_put(struct mill_wire *wire, const struct mill_order *order,
                    const struct mill_worker *worker);

/* Writes an order for a call of `function` with one argument, which is no task of a run. */
void mill_order_put_call(struct mill_wire *wire, const struct mill_order *order,
                         const struct mill_value *function, const struct mill_value *argument);

/* The function of an order. */
struct mill_order_function {
    char *name; /* owned */
    bool loops;
    uint16_t outputs;
    struct mill_value code, retry_on; /* owned */
};

void mill_order_function_fini(struct mill_order_function *function);

/* Whether the order at hand begins with forgetting: to be done before it is read. */
static inline bool mill_order_forgets(const struct mill_wire_reader *reader)
{
    return reader->in.end - reader->in.at > 1 && (reader->in.at[1] & 1);
}

/* Reads an order; *function, when it has one (else zeros), and *seconds, what each attempt before has
 * taken (malloc'ed), are the caller's.  The arguments follow: their number, then each with the results
 * of the nodes that it mentions.  False: the reader's status says why. */
bool mill_order_take(struct mill_wire_reader *reader, struct mill_order *order,
                     struct mill_order_function *function, double **seconds);

/* Reads those arguments: the node of a call of `function` with them, and with nodes of function 0
 * where an argument mentions one.  0: there is no memory, or the reader is at something else. */
mill_handle mill_order_node(struct mill_wire_reader *reader, struct mill_graph *graph,
                            uint32_t function);

/* ---- what comes back ------------------------------------------------------------------------- */

struct mill_answer {
    enum mill_state state; /* FINISHED, FAILED or CANCELLED */
    bool worth;        /* of a failed one: its retry_on says that another attempt may help */
    bool unsound;      /* of what it read: the result must not be kept */
    bool impure;       /* likewise, unless its function is pure */
    uint64_t degraded; /* what --strict minds, counted by the task */
    const char *reads; /* as cache/reads.h has them; in the message */
    size_t reads_size;
    const char *
        written; /* the first file that it has written, or what a hit does not do either; in the
                            message; NULL: none */
    size_t written_size;
    struct mill_value value; /* result or error; one reference */
};

void mill_answer_put(struct mill_wire *wire, const struct mill_answer *answer);
bool mill_answer_take(struct mill_wire_reader *reader, struct mill_answer *answer);

#endif
