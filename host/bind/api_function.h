/* api_function: functions of the host, in Lua states.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_FUNCTION_H
#define MILL_API_FUNCTION_H

#include <lua.h>
#include <stdbool.h>

struct tidemill;

/* Pushes the function that tasks know by this name of a builtin; false: there is none. */
bool mill_host_push(lua_State *L, const char *builtin);

/* The name of a function of the host; NULL: it is none. */
const char *mill_host_name(lua_State *L, int index);

/* No state is left. */
void mill_host_functions_fini(struct tidemill *engine);

/* The engine whose task calls a function of the host on this thread; NULL: none. */
const struct tidemill *mill_task_calling(void);

#endif
