/* starter: the strategy that `tidemill new` writes.  SPDX-License-Identifier: MIT */
#ifndef MILL_STARTER_H
#define MILL_STARTER_H

#include "outfile.h"
#include "tidemill.h"

/* Writes it to a file that is not there yet, whose name gets ".lua" when it has not got it, and says
 * how to run it; "-" is stdout.  TIDEMILL_USAGE: the file is there already; TIDEMILL_IO: it cannot be
 * written; the reason is in *error. */
tidemill_status mill_starter_write(const char *path, struct mill_outfile_error *error);

#endif
