/* tether: the process of a script, and how long it is let run: whole messages to it and from it, while
 * deadline, memory, an interrupt and its own death are looked after.  Whatever ends the process fails with a
 * text that says why.  One thread at a time.  SPDX-License-Identifier: MIT */
#ifndef MILL_TETHER_H
#define MILL_TETHER_H

#include "bind/errands.h"

struct mill_tether {
    struct mill_error *error; /* where failures go */
    double deadline;          /* seconds, for the text of it */
    uint64_t memory;          /* bytes that the process may hold; 0: no limit */
    struct mill_child *child; /* NULL: has ended, or not begun */
    int bell;
    int64_t until;     /* nanoseconds: the deadline */
    int64_t heeded_by; /* when an interrupt must have been heeded; INT64_MAX: there is none */
    bool begun;        /* it is the script that takes the time */
    char lost[300];    /* how the last process has ended */
    struct mill_errands *errands; /* is told of the end; NULL: nobody */
};

/* Zeros but for `error`, deadline and memory.  False: no descriptor; fini all the same. */
bool mill_tether_init(struct mill_tether *tether);
void mill_tether_fini(struct mill_tether *tether);

/* Starts `program --worker`, of which no message may be longer than `most` bytes. */
tidemill_status mill_tether_start(struct mill_tether *tether, const char *program,
                                  uint64_t most);

/* Ends the process, if there is one. */
void mill_tether_end(struct mill_tether *tether);

/* The same of one that has ended without this thread. */
void mill_tether_bury(struct mill_tether *tether);

/* So long from now (0: for ever), and with no interrupt yet. */
void mill_tether_allow(struct mill_tether *tether, double seconds);

/* Somebody wants the script to stop.  Any thread, also in a signal handler. */
void mill_tether_ring(struct mill_tether *tether);

/* Sends a message, and ends the outbox, on failure too. */
tidemill_status mill_tether_send(struct mill_tether *tether, struct mill_outbox *outbox,
                                 enum mill_message_kind kind);

/* Waits until a whole message lies in the child's inbox. */
tidemill_status mill_tether_receive(struct mill_tether *tether);

/* What it has sent is no message: it ends. */
tidemill_status mill_tether_refuse(struct mill_tether *tether);

#endif
