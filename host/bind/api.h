/* api: what the functions of tidemill.h share.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_H
#define MILL_API_H

#include "bind/engine.h"

/* Before every function that uses the script's state: forgets the last error, reads the settings. */
tidemill_status mill_api_begin(struct tidemill *engine);

/* Fails with a text, which is malloc'ed and passes to the engine. */
tidemill_status mill_api_fail(struct tidemill *engine, tidemill_status status, char *message);

/* Makes the library the global `tm`, if there is no such global. */
tidemill_status mill_api_set_tm(struct tidemill *engine);

/* What a call that ran Lua code returns: `status`, unless os.exit or an interrupt has ended it. */
tidemill_status mill_api_outcome(struct tidemill *engine, tidemill_status status);

/* Pushes what the last script has returned. */
void mill_api_push_result(lua_State *L);

#endif
