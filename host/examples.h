/* examples: the programs to learn from that this one carries: listed, printed, copied.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_EXAMPLES_H
#define MILL_EXAMPLES_H

#include "outfile.h"
#include "tidemill.h"

/* Lists them on stdout, or prints the one that `name` means: "01_sum_of_squares", with or without its
 * end, "sum_of_squares", "1".  With `folder` that one, or all when `name` is NULL, is copied there
 * instead; no file is ever replaced.  TIDEMILL_USAGE: no such example, or a file is there already;
 * TIDEMILL_IO: it cannot be written; the reason is in *error. */
tidemill_status mill_examples_run(const char *name, const char *folder,
                                  struct mill_outfile_error *error);

#endif
