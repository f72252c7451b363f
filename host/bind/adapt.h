/* adapt: lets the worker set of an engine follow what the machine has to give.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ADAPT_H
#define MILL_ADAPT_H

#include "bind/engine.h"

/* How many of the threads take work before anything was looked at. */
int mill_adapt_first(const struct tidemill *engine);

/* After the pool was opened; nothing when the setting is off. */
tidemill_status mill_adapt_start(struct tidemill *engine, struct mill_error *error);
void mill_adapt_poke(struct tidemill *engine); /* work was submitted */
void mill_adapt_stop(struct tidemill *engine); /* before the pool is closed */

#endif
