/* frame: named columns of one length, for who has no Lua state.  As a value a frame is the table of
 * lua/tidemill/frame.lua in packed form; this file alone knows how that looks.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FRAME_H
#define MILL_FRAME_H

#include "data/value.h"

struct mill_frame {
    int64_t rows;
    size_t count;
    char **names;               /* owned, in the order of the columns */
    struct mill_array **arrays; /* a reference each */
};

/* Whether a value is a frame. */
bool mill_frame_is(const struct mill_value *value);

/* Room for columns without names and arrays, which the caller fills in; also on failure (false: no
 * memory) mill_frame_fini is fine. */
bool mill_frame_init(struct mill_frame *frame, size_t count, int64_t rows);
void mill_frame_fini(struct mill_frame *frame);

/* The parts of a value that is a frame.  TIDEMILL_USAGE: a script has put something else into it;
 * TIDEMILL_MEMORY.  On success the caller ends it by mill_frame_fini. */
tidemill_status mill_frame_read(const struct mill_value *value, struct mill_frame *frame,
                                struct mill_error *error);

/* The value of a frame, whose arrays gain references.  TIDEMILL_USAGE: two columns of one name;
 * TIDEMILL_MEMORY. */
tidemill_status mill_frame_value(const struct mill_frame *frame, struct mill_value *value,
                                 struct mill_error *error);

#endif
