/* wipe: a cache taken away whole, with every file that lies beside it under its name.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_WIPE_H
#define MILL_WIPE_H

#include <stdbool.h>

#include "base/status.h"

/* Removes the database at `path`, which is ours and closed here, or is not there any more: its log, its
 * lock, the folders of its results and of compiled kernels, and what was set aside.  *there: there was
 * something.  TIDEMILL_IO: somebody else has it open, and nothing is removed; or it cannot be. */
tidemill_status mill_wipe(const char *path, bool *there, struct mill_error *error);

#endif
