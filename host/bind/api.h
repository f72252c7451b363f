/* api: what the functions of tidemill.h share.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_H
#define MILL_API_H

#include <string.h>

#include "bind/engine.h"
#include "bind/state.h"

/* A value of tidemill.h is a cell under another name. */
static inline struct mill_value mill_value_in(tidemill_value given)
{
    struct mill_value value;
    memcpy(&value, &given, sizeof value);
    return value;
}

static inline tidemill_value mill_value_out(struct mill_value value)
{
    tidemill_value given;
    memcpy(&given, &value, sizeof given);
    return given;
}

/* tidemill_open of an engine whose script runs in this process, `deadline` and `memory` or not. */
tidemill_status mill_api_open(const tidemill_config *config, struct tidemill **engine);

/* Does something with the script's state, as mill_state_call does; an error becomes the engine's.  Between
 * begin and end. */
tidemill_status mill_api_visit(struct tidemill *engine, mill_body *body, void *context);

/* Makes the library the global `tm`, if there is no such global. */
tidemill_status mill_api_set_tm(struct tidemill *engine);

/* What a call that ran Lua code returns: `status`, unless os.exit or an interrupt has ended it. */
tidemill_status mill_api_outcome(struct tidemill *engine, tidemill_status status);

/* Pushes what the last script has returned. */
void mill_api_push_result(lua_State *L);

#endif
