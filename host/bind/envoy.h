/* envoy: the thread of a host that hears the process of a script while nobody is in a call: what comes by the
 * cord becomes the ends of jobs (bind/errands.h), lines, progress and warnings; and it looks after the deadlines
 * of jobs, and the memory of the process while there are some.  SPDX-License-Identifier: MIT */
#ifndef MILL_ENVOY_H
#define MILL_ENVOY_H

#include "bind/errands.h"

/* The thread, until the errands are stopping and no process is left; its argument are they. */
void *mill_envoy_run(void *errands);

#endif
