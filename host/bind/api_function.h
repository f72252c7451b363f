/* api_function: functions of the host, in Lua states.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_FUNCTION_H
#define MILL_API_FUNCTION_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/value.h"

struct tidemill;

/* Pushes the function that tasks know by this name of a builtin; false: there is none. */
bool mill_host_push(lua_State *L, const char *builtin);

/* The name of a function of the host; NULL: it is none. */
const char *mill_host_name(lua_State *L, int index);

/* ---- of a script in another process: bind/proxy.c ------------------------------------------- */

/* The function with that number, counted from 0 in the order of registering; NULL: there is none. */
const tidemill_function *mill_host_at(const struct tidemill *engine, uint64_t number);

enum { MILL_HOST_ARGUMENTS = 32 };

/* One call of it, whose arguments may be anything; `arguments` and `results` have room for MILL_HOST_ARGUMENTS,
 * and results[0..*wanted] are the caller's.  Else the text that the script is told. */
tidemill_status mill_host_answer(struct tidemill *engine, uint64_t number,
                                 struct mill_value *arguments, size_t count,
                                 struct mill_value *results, size_t *wanted,
                                 struct mill_error *error);

/* No state is left. */
void mill_host_functions_fini(struct tidemill *engine);

/* The engine whose task calls a function of the host on this thread; NULL: none. */
const struct tidemill *mill_task_calling(void);

#endif
