/* request: what a script's process does for its host: requests become calls of the engine here, and functions of
 * the host questions to it.  SPDX-License-Identifier: MIT */
#ifndef MILL_REQUEST_H
#define MILL_REQUEST_H

#include "bind/duties.h"
#include "bind/hosted.h"
#include "lane/message.h"

enum { MILL_REQUEST_VALUES = 200 };

struct mill_hosted {
    int socket, signals;
    pthread_mutex_t lock; /* of what is sent: tasks warn, too */
    tidemill *engine;
    pthread_t watcher;
    struct mill_duties duties;
    _Atomic bool serving; /* somebody reads what is sent over the first socket */
};

struct mill_reply {
    tidemill_status status;
    const char *problem; /* NULL: what the engine says */
    tidemill_value values[MILL_REQUEST_VALUES];
    size_t count;
    char *text; /* malloc'ed, or NULL */
};

/* Sends a message, and ends the outbox; false: the host has gone, or the message could not be made. */
bool mill_hosted_send(struct mill_hosted *hosted, struct mill_outbox *outbox,
                      enum mill_message_kind kind);

/* A text that was sent, malloc'ed; NULL: there is none, or no memory. */
char *mill_request_text(struct mill_wire_reader *reader);

/* A list of them that ends with NULL; NULL: no memory, or none was sent. */
char **mill_request_texts(struct mill_wire_reader *reader, size_t *count);
void mill_request_free(char **texts);

/* Values of a message; `closed`: nothing but data may go. */
void mill_request_put(struct mill_wire *wire, const char *what, const tidemill_value *values,
                      size_t count, bool closed);

/* A count and that many values, for which there is room; false: it is none, or there is no memory. */
bool mill_request_take(struct mill_wire_reader *reader,
                       tidemill_value values[MILL_REQUEST_VALUES], size_t *taken);

/* Answers, and ends the reply.  False: the host has gone. */
bool mill_request_answer(struct mill_hosted *hosted, struct mill_reply *reply);

/* Fulfils the request that has come, and clears the inbox; false: it is none, or the host has gone. */
bool mill_request_serve(struct mill_hosted *hosted, struct mill_inbox *inbox);

#endif
