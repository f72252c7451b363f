/* stock: what an engine has sent to its worker process and need not send again: functions, by the
 * engine's number of them, and shared values, by their hash.  The engine has the list of it too
 * (the known of host/lane/child.h), and says when all is to be forgotten.  SPDX-License-Identifier: MIT */
#ifndef MILL_STOCK_H
#define MILL_STOCK_H

#include "data/shared.h"
#include "sched/task.h"

struct mill_stock {
    struct mill_stock_function *functions; /* the first stands for results of nodes */
    uint32_t function_count;
    size_t function_room;
    struct mill_stock_share *shares;
    size_t share_count, share_room;
};

/* The stock, empty but for function 0, which gives its own argument: the body of a node that stands
 * for the result of one.  False: no memory. */
bool mill_stock_init(struct mill_stock *stock);
void mill_stock_fini(struct mill_stock *stock);

/* Drops all but function 0. */
void mill_stock_forget(struct mill_stock *stock);

/* Takes over the function's reference; its number here, 0: the function is NULL, or no memory. */
uint32_t mill_stock_add(struct mill_stock *stock, uint64_t serial,
                        struct mill_function *function);
/* Drops the function that came last. */
void mill_stock_drop_last(struct mill_stock *stock);

/* The number of the function that was sent under this one of the engine's; 0: none was. */
uint32_t mill_stock_number(const struct mill_stock *stock, uint64_t serial);

/* The function of a number; NULL: there is none. */
struct mill_function *mill_stock_function(const struct mill_stock *stock, uint32_t number);

/* The shared value of this content, whose reference stays the stock's; NULL: it was not sent. */
struct mill_shared *mill_stock_find(const struct mill_stock *stock, struct mill_hash hash);
/* Takes a reference; without memory the value is not kept. */
void mill_stock_keep(struct mill_stock *stock, struct mill_hash hash,
                     struct mill_shared *shared);

#endif
