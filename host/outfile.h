/* outfile: an output file that appears whole or not at all.
 * All functions return 0, or an errno with the reason, naming the path, in *error.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_OUTFILE_H
#define MILL_OUTFILE_H

#include <stddef.h>

struct mill_outfile_error {
    char text[512];
};

/* Whether mill_outfile_write could write there now; creates nothing.  Called before hours of
 * work, so that a typing error in the path costs nothing. */
int mill_outfile_check(const char *path, struct mill_outfile_error *error);

/* Writes `text` and a final newline beside the path and renames it; an existing file keeps its
 * mode, a symbolic link stays one.  A device, a pipe or an open file such as /dev/fd/3 is
 * written directly. */
int mill_outfile_write(const char *path, const char *text, size_t length,
                       struct mill_outfile_error *error);

/* Writes a file that is not there yet; EEXIST: something is, and stays as it is. */
int mill_outfile_create(const char *path, const char *text, size_t length,
                        struct mill_outfile_error *error);

#endif
