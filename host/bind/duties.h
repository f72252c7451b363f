/* duties: jobs that the host of a script's process has submitted, as that process knows of them.
 *
 * Each is a job of the engine here, with the host's number.  A thread of its own polls that engine, tells the
 * host by the second socket how jobs fare, what they log and how far they are, and takes from there what is to
 * be cancelled; it never needs the script.  The other side is host/bind/errands.c; messages: host/bind/cord.h.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_DUTIES_H
#define MILL_DUTIES_H

#include "bind/engine.h"
#include "lane/message.h"

struct mill_duty;
struct mill_reply;

struct mill_duties {
    int socket, bell;
    struct tidemill *engine;
    struct mill_reader *reader; /* the thread's: results that the cache holds */
    pthread_mutex_t sending;
    pthread_mutex_t mutex; /* guards what follows */
    struct mill_duty *newest;
    int waiting; /* that have not begun */
    int wishes;  /* of the host's listener */
};

/* Zeros but for the socket. */
void mill_duties_init(struct mill_duties *duties);
bool mill_duties_start(struct mill_duties *duties, struct tidemill *engine);

/* Sends a message by the cord, and ends the outbox.  Any thread. */
bool mill_duties_send(struct mill_duties *duties, struct mill_outbox *outbox,
                      enum mill_message_kind kind);

/* What the host wants to hear of: mill_wish. */
void mill_duties_listen(struct mill_duties *duties, int wishes);

/* Submits what a request asks for. */
void mill_duties_submit(struct mill_duties *duties, struct mill_wire_reader *reader,
                        struct mill_reply *reply);

/* Waits for a message on a socket; a serial engine runs jobs meanwhile.  False: the host has gone. */
bool mill_duties_receive(struct mill_duties *duties, struct mill_inbox *inbox, int socket,
                         struct mill_memory *memory);

#endif
