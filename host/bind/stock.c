/* stock: what an engine has sent to its worker process and need not send again.
 * SPDX-License-Identifier: MIT */
#include "bind/stock.h"

#include <stdlib.h>

#include "base/room.h"

struct mill_stock_function {
    uint64_t serial; /* the engine's number */
    struct mill_function *function;
};

struct mill_stock_share {
    struct mill_hash hash;
    struct mill_shared *shared;
};

/* ---- functions -------------------------------------------------------------------------------- */

uint32_t mill_stock_add(struct mill_stock *stock, uint64_t serial,
                        struct mill_function *function)
{
    if (function == NULL ||
        !mill_room_for_one(&stock->functions, stock->function_count, &stock->function_room,
                           sizeof *stock->functions, 16)) {
        mill_function_unref(function);
        return 0;
    }
    stock->functions[stock->function_count] = (struct mill_stock_function){serial, function};
    return stock->function_count++;
}

void mill_stock_drop_last(struct mill_stock *stock)
{
    mill_function_unref(stock->functions[--stock->function_count].function);
}

uint32_t mill_stock_number(const struct mill_stock *stock, uint64_t serial)
{
    for (uint32_t i = stock->function_count; i-- > 1;) {
        if (stock->functions[i].serial == serial) return i;
    }
    return 0;
}

struct mill_function *mill_stock_function(const struct mill_stock *stock, uint32_t number)
{
    return number < stock->function_count ? stock->functions[number].function : NULL;
}

/* ---- shared values ---------------------------------------------------------------------------- */

struct mill_shared *mill_stock_find(const struct mill_stock *stock, struct mill_hash hash)
{
    for (size_t i = 0; i < stock->share_count; i++) {
        if (mill_hash_equal(stock->shares[i].hash, hash)) return stock->shares[i].shared;
    }
    return NULL;
}

void mill_stock_keep(struct mill_stock *stock, struct mill_hash hash,
                     struct mill_shared *shared)
{
    if (!mill_room_for_one(&stock->shares, stock->share_count, &stock->share_room,
                           sizeof *stock->shares, 16)) {
        return; /* the order after the next that names it fails, and is sent again */
    }
    stock->shares[stock->share_count++] =
        (struct mill_stock_share){hash, mill_shared_ref(shared)};
}

/* ---- the whole -------------------------------------------------------------------------------- */

static void pass_on(void *context, const struct mill_value *arguments, int count,
                    struct mill_value *result)
{
    (void)context;
    if (count == 1) *result = mill_value_ref(arguments[0]);
}

bool mill_stock_init(struct mill_stock *stock)
{
    *stock = (struct mill_stock){0};
    struct mill_function *standing = mill_function_new("a result");
    if (standing) standing->body = pass_on;
    mill_stock_add(stock, 0, standing);
    return stock->function_count == 1;
}

void mill_stock_forget(struct mill_stock *stock)
{
    while (stock->function_count > 1) mill_stock_drop_last(stock);
    while (stock->share_count > 0)
        mill_shared_unref(stock->shares[--stock->share_count].shared);
}

void mill_stock_fini(struct mill_stock *stock)
{
    mill_stock_forget(stock);
    if (stock->function_count > 0) mill_stock_drop_last(stock);
    free(stock->functions);
    free(stock->shares);
}
