/* logline: a line of the log as bytes, on its way from a worker process to its engine.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LOGLINE_H
#define MILL_LOGLINE_H

#include "data/packed.h"
#include "watch/log.h"

void mill_logline_put(struct mill_packer *packer, const struct mill_log_line *line);

/* Reads a line, whose texts stay in the bytes and whose fields are malloc'ed, the caller's.  False for
 * bytes that are none, or for want of memory: nothing is to be freed. */
bool mill_logline_take(struct mill_unpacker *unpacker, struct mill_log_line *line);

#endif
