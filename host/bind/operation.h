/* operation: what Lua holds of an operation of the hub's.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_BIND_OPERATION_H
#define MILL_BIND_OPERATION_H

#include "bind/lib.h"
#include "lane/hub.h"

/* Pushes the results of one that has ended well; how many. */
typedef int mill_operation_push(lua_State *L, struct mill_operation *operation);

/* Starts the operation and pushes its handle, which takes over the reference; that it uses what is in
 * no key (NULL: it does not) is said of a task that is to be kept.  `operation` NULL: raises that
 * there is no memory. */
int mill_operation_push_started(lua_State *L, struct mill_operation *operation,
                                mill_operation_push *push, const char *used);

/* The running task, should it be cached, has used `what`: its result is not kept, unless it is pure.
 * Said once for each task name. */
void mill_operation_distrust(lua_State *L, const char *what);

#endif
