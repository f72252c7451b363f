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

/* Pushes a module of the library; may raise. */
void mill_state_require(lua_State *L, const char *module);

/* A message handler: an error as text with a traceback. */
int mill_state_describe(lua_State *L);

/* What is to be done with a state: it may raise, and finds and leaves nothing on its stack. */
typedef void mill_body(lua_State *L, void *context);

/* Calls the body with the scope's state; an error becomes *message (malloc'ed: text and traceback; NULL: no memory for it).
 * Whatever may allocate belongs into the body, a push of a string or of a C function too: outside of any
 * protected call LuaJIT ends the process where it finds no memory. */
tidemill_status mill_state_call(struct mill_scope *scope, mill_body *body, void *context,
                                char **message);

#endif
