/* loop: a session: lines in, tidemill_eval, values and errors out.
 * On a terminal it prompts and Ctrl-C keeps it alive; from a pipe it is silent and remembers
 * that something failed.  SPDX-License-Identifier: MIT */
#ifndef MILL_LOOP_H
#define MILL_LOOP_H

#include "signals.h"
#include "tidemill.h"

/* Runs until the input ends, :quit, os.exit or a signal, which the caller asks
 * mill_signals_close for.  Returns the exit status of the process.  `signals` must be attached
 * to the engine, patient when `interactive`. */
int mill_loop_run(tidemill *engine, struct mill_signals *signals, bool interactive);

#endif
