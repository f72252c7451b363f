/* dial: a name and a port become an open connection: the name is looked up, its addresses are tried
 * in their order.  All functions: the hub's thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_DIAL_H
#define MILL_DIAL_H

#include "lane/tcp.h"

struct mill_dial;

/* `done` is called once, now or later: with a connection, which takes over the slot (OUT) that the caller
 * has; or with NULL and a number of libuv's, and the slot stays the caller's.  Then the dial is gone.
 * `naming`: it was the name that could not be looked up.  NULL: no memory, and `done` is not called. */
typedef void mill_dial_done(void *context, struct mill_tcp *tcp, int failure, bool naming);
struct mill_dial *mill_dial_new(struct mill_hub *hub, const char *host, int port,
                                mill_dial_done *done, void *context);

/* Begins. */
void mill_dial_start(struct mill_dial *dial);

/* Nobody waits for it any more: `done` is not called, and the slot is the caller's. */
void mill_dial_drop(struct mill_dial *dial);

/* What `done` was told, as a message: cannot connect to 127.0.0.1:80: connection refused. */
void mill_dial_explain(char *text, size_t size, const char *host, int port, int failure,
                       bool naming);

#endif
