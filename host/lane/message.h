/* message: what an engine and its worker processes tell each other over a socket: a head, then a
 * body that data/wire.h has written, with descriptors beside it.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_MESSAGE_H
#define MILL_MESSAGE_H

#include "data/wire.h"

/* Raised when any message changes: both sides must be of one release. */
enum { MILL_MESSAGE_VERSION = 3 };

enum mill_message_kind {
    MILL_MESSAGE_HELLO = 1, /* to the process: how it is to be */
    MILL_MESSAGE_TASK,      /* to the process: lane/order.h */
    MILL_MESSAGE_READY,     /* from it: who it is; it takes tasks from here on */
    MILL_MESSAGE_TEXT,      /* from it: a kind (mill_text_kind) and text of the running task */
    MILL_MESSAGE_UNASKED,   /* from it: name of a task of the running task, and its error */
    MILL_MESSAGE_RESULT,    /* from it: lane/order.h */
    MILL_MESSAGE_CALL,      /* from it: its task does something with a channel: lane/lend.h */
    MILL_MESSAGE_REPLY,     /* to the process: what a CALL has done */
    MILL_MESSAGE_NOTICE,    /* to the process: who waits for a channel is to look again */
    /* Of a process that runs a script, not tasks: bind/hosted.h. */
    MILL_MESSAGE_OPEN,    /* to the process, in place of HELLO: how its engine is to be */
    MILL_MESSAGE_REQUEST, /* to the process: what to do; one at a time, but while it asks */
    MILL_MESSAGE_ANSWER,  /* from it: what has become of OPEN or REQUEST */
    MILL_MESSAGE_ASK,     /* from it: a function of the host is called */
    MILL_MESSAGE_TOLD,    /* to the process: what that gives */
    /* The same over its second socket: bind/cord.h. */
    MILL_MESSAGE_JOB_BEGUN,  /* from it: a job's task runs */
    MILL_MESSAGE_JOB_ENDED,  /* from it: how */
    MILL_MESSAGE_JOB_CANCEL, /* to the process */
    MILL_MESSAGE_LISTEN,     /* to the process: what the host wants to hear of */
    MILL_MESSAGE_LINE,       /* from it: one of the log */
    MILL_MESSAGE_PROGRESS,   /* from it */
    MILL_MESSAGE_LAST = MILL_MESSAGE_PROGRESS,
};

enum mill_text_kind {
    MILL_TEXT_OUTPUT, /* whole lines for stdout */
    MILL_TEXT_NOTE,   /* lines of a script's own summary */
    MILL_TEXT_WARNING,
    MILL_TEXT_LOG, /* a line of the log, as bytes */
};

struct mill_message_head {
    uint32_t kind, descriptors;
    uint64_t size; /* of the body */
};

enum mill_transfer {
    MILL_TRANSFER_DONE,
    MILL_TRANSFER_AGAIN,   /* the socket takes, or has, no more for now */
    MILL_TRANSFER_GONE,    /* nobody is at the other end any more */
    MILL_TRANSFER_GARBAGE, /* what came is no message */
    MILL_TRANSFER_MEMORY,  /* there is none for it */
};

/* ---- out: one message at a time ---------------------------------------------------------------- */

struct mill_outbox {
    struct mill_message_head head;
    struct mill_wire wire; /* the body */
    size_t sent;           /* of head and body */
    bool full;             /* there is a message, not all of it sent */
};

/* Begins a message; its body is written to outbox->wire. */
void mill_outbox_begin(struct mill_outbox *outbox);
void mill_outbox_fini(struct mill_outbox *outbox);

/* The body is complete, and well. */
void mill_outbox_close(struct mill_outbox *outbox, enum mill_message_kind kind);

/* Sends what is left; `wait`: until all is sent. */
enum mill_transfer mill_outbox_send(struct mill_outbox *outbox, int socket, bool wait);

/* ---- in ------------------------------------------------------------------------------------------ */

struct mill_inbox {
    struct mill_message_head head;
    size_t got; /* of head and body */
    int descriptors[MILL_WIRE_DESCRIPTORS];
    int descriptor_count;
    bool strict;   /* one with a larger body than `most`, or with descriptors, is GARBAGE */
    uint64_t most; /* bytes, when `strict` */
    struct mill_buffer *body; /* owned; NULL: nothing of it has come */
};

/* Reads on; DONE: head and body are a message, until mill_inbox_clear.  `wait`: until there is one. */
enum mill_transfer mill_inbox_receive(struct mill_inbox *inbox, int socket, bool wait,
                                      struct mill_memory *memory);
void mill_inbox_clear(
    struct mill_inbox
        *inbox); /* all but what makes it strict; closes descriptors that nobody took */

/* A reader of the message, which takes over its descriptors. */
void mill_inbox_open(struct mill_inbox *inbox, struct mill_wire_reader *reader,
                     struct mill_memory *memory);

#endif
