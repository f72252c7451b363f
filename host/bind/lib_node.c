/* lib_node: lazy nodes: their arguments, and which are still needed.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "bind/encode.h"
#include "bind/lib.h"

/* core.set_argument(node, i, value): argument i, from 0, of a node that is being built. */
static int node_set_argument(lua_State *L)
{
    struct mill_graph *graph = &mill_scope_of(L)->graph;
    mill_handle handle;
    memcpy(&handle, lua_topointer(L, 1), sizeof handle);
    struct mill_node *node = mill_graph_find(graph, handle);
    uint32_t i = (uint32_t)luaL_checkinteger(L, 2);
    if (node == NULL || i >= node->count)
        return luaL_error(L, "not a node that is being built");
    char where[32];
    snprintf(where, sizeof where, "argument %u", i + 1);
    struct mill_value value;
    struct mill_error error;
    lua_settop(L, 3);
    if (mill_encode(L, 3, where, true, &value, &error) != TIDEMILL_OK) {
        return mill_lib_raise(L, &error);
    }
    mill_graph_argument(graph, node, i, value);
    return 0;
}

/* core.functions_in_use() -> {number of a function = true} for all nodes alive */
static int node_functions_in_use(lua_State *L)
{
    struct mill_graph *graph = &mill_scope_of(L)->graph;
    uint32_t index = mill_graph_next(graph, 0), last = UINT32_MAX;
    lua_newtable(L);
    for (; index != UINT32_MAX; index = mill_graph_next(graph, index + 1)) {
        const struct mill_node *node = mill_graph_at(graph, index);
        if (node->function == last) continue;
        last = node->function;
        lua_pushboolean(L, 1);
        lua_rawseti(L, -2, (int)last);
    }
    return 1;
}

static const luaL_Reg node_functions[] = {
    {"functions_in_use", node_functions_in_use},
    {"set_argument", node_set_argument},
    {NULL, NULL},
};

void mill_lib_node(lua_State *L)
{
    luaL_register(L, NULL, node_functions);
}
