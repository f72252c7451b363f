/* library: shared objects that the process opens while it runs.  SPDX-License-Identifier: MIT */
#ifndef MILL_LIBRARY_H
#define MILL_LIBRARY_H

#include "base/status.h"

/* Opens a shared object with all that it needs, for good: functions of it may run in any thread.  NULL: it
 * cannot be opened, as `error` says.  One that is cut short, as it is while somebody writes it, is refused:
 * dlopen would map what is not there, and the process end by SIGBUS. */
void *mill_library_open(const char *path, struct mill_error *error);

#endif
