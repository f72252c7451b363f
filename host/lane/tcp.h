/* tcp: one connection of the hub's, with the slot that it takes.
 * All functions: the hub's thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_TCP_H
#define MILL_TCP_H

#include "lane/hub.h"

struct mill_tcp {
    uv_tcp_t handle; /* first; its `data` is the owner's */
    struct mill_hub *hub;
    enum mill_slot slot;
    void (*closed)(struct mill_tcp *tcp); /* told when it is closed by the hub or by its owner,
                                               before its memory goes; may be NULL */
    struct mill_tcp *older, *newer;       /* among the hub's */
    bool closing;
};

/* A connection that has a slot of the kind already, and gives it back when it is closed.  NULL, with a
 * number of libuv's in *failure: the slot stays the caller's. */
struct mill_tcp *mill_tcp_new(struct mill_hub *hub, enum mill_slot slot, int *failure);

/* The descriptor is closed at once; the memory goes later.  Again: does nothing. */
void mill_tcp_close(struct mill_tcp *tcp);

/* Room for what arrives: an alloc_cb of uv_read_start. */
void mill_tcp_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room);

#endif
