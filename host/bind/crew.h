/* crew: another number of workers between two inputs of a session.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CREW_H
#define MILL_CREW_H

#include "bind/engine.h"

/* Sets the setting "workers", also after they have started: when nothing runs they stop, and the next
 * run starts so many.  `text` as for the setting; stronger than the command line.  The script's thread,
 * outside of every wait.  TIDEMILL_USAGE: why not now. */
tidemill_status mill_crew_set(struct tidemill *engine, const char *text,
                              struct mill_error *error);

#endif
