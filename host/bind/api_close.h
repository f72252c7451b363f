/* api_close: how an engine ends.  SPDX-License-Identifier: MIT */
#ifndef MILL_API_CLOSE_H
#define MILL_API_CLOSE_H

#include "bind/engine.h"

/* The configuration's close_patience. */
tidemill_status mill_api_set_patience(struct tidemill *engine, double seconds);

/* Frees an engine where nothing runs that would not end by itself. */
void mill_api_free(struct tidemill *engine);

/* The host program's Lua state ends: what runs is cancelled; an engine that is busy then is left as it
 * is, with a warning.  NULL, or in a child that has forked off: does nothing. */
void mill_api_leave(struct tidemill *engine);

#endif
