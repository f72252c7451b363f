/* hearing: what the process of a script says: answers, warnings, calls of functions of the host.  It may have
 * been written by anybody: sizes are bounded, tags are checked, values of a sandbox are data alone.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_HEARING_H
#define MILL_HEARING_H

#include "bind/engine.h"
#include "bind/tether.h"

struct mill_hearing {
    struct tidemill *engine;
    struct mill_tether *tether;
    bool closed; /* a sandbox */
};

/* What an answer is to fill. */
struct mill_reply_place {
    struct mill_value *values; /* all nil */
    size_t count;
    char **text; /* malloc'ed; NULL: none is wanted */
};

/* Waits for the answer to what was sent; meanwhile warnings are told, and functions of the host called, which
 * may send more.  On failure the values are nil. */
tidemill_status mill_hearing_answer(struct mill_hearing *hearing,
                                    struct mill_reply_place *place);

/* Reads a value; `closed`: of a sandbox, nothing but data, or reader->status is TIDEMILL_DATA. */
struct mill_value mill_hearing_value(struct mill_wire_reader *reader, bool closed);

/* Reads one message, which is dropped but for the place; -1: it is none.  For tests. */
int mill_hearing_read(struct mill_hearing *hearing, struct mill_inbox *inbox,
                      struct mill_reply_place *place);

#endif
