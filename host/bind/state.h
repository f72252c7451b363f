/* state: Lua states: the script's, and one for each worker.  SPDX-License-Identifier: MIT */
#ifndef MILL_STATE_H
#define MILL_STATE_H

#include "bind/engine.h"

/* A new state with the standard libraries for a scope; NULL and *error on failure. */
lua_State *mill_state_open(struct mill_scope *scope, struct mill_error *error);

/* Makes somebody's state the script's: what `require "tidemill"` does in a stock luajit. */
tidemill_status mill_state_adopt(struct mill_scope *scope, lua_State *L,
                                 struct mill_error *error);

/* Closes the resources that pools keep in the state, while all of Lua still works, then the state. */
void mill_state_close(lua_State *L);

/* Memory is short: collects the garbage of the running state, and of the worker's, which is idle, when
 * it is the script's in a serial pool. */
void mill_state_collect(lua_State *L);

/* A message handler: an error as text with a traceback. */
int mill_state_describe(lua_State *L);

/* Calls the function under `arguments` values on the stack; an error becomes *message
 * (malloc'ed: text and traceback) and the stack is as before the function was pushed. */
tidemill_status mill_state_call(lua_State *L, int arguments, int results, char **message);

#endif
