/* session: inputs of an interactive session.  SPDX-License-Identifier: MIT */
#ifndef MILL_BIND_SESSION_H
#define MILL_BIND_SESSION_H

#include "bind/engine.h"

/* Called by tidemill_interrupt, also in a signal handler.  Makes the input that runs end with an
 * error at its next interpreted instruction outside of the library, when the calling thread is the
 * one that runs it; else does nothing. */
void mill_session_stop(struct tidemill *engine);

#endif
