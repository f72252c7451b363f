/* api_call: functions of the script, as the host names them.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_CALL_H
#define MILL_API_CALL_H

#include <lua.h>

#include "base/status.h"

/* Pushes the function of the script by that name, as tidemill_call finds it; else nothing that counts, and
 * the error.  May raise. */
tidemill_status mill_call_push(lua_State *L, const char *name, struct mill_error *error);

#endif
