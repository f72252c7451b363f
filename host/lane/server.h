/* server: a port on which connections are accepted.  SPDX-License-Identifier: MIT */
#ifndef MILL_SERVER_H
#define MILL_SERVER_H

#include "lane/socket.h"

struct mill_accept;

struct mill_server {
    _Atomic int32_t refs; /* the script's handle's, operations', the open port's */
    struct mill_hub *hub;
    struct mill_post close_post;
    _Atomic bool closed; /* somebody has asked for it */
    int port;            /* fixed once it listens */

    /* The hub's thread's. */
    uv_tcp_t tcp;
    bool open;
    bool paused;                                      /* a connection waits for a slot */
    struct mill_socket *first_ready, *last_ready;     /* nobody has asked for them yet */
    struct mill_accept *first_waiting, *last_waiting; /* who asks, the longest first */
    struct mill_server *older, *newer;                /* among the hub's */
};

struct mill_server *mill_server_ref(struct mill_server *server);
void mill_server_unref(struct mill_server *server); /* NULL is fine */

/* Any thread: nothing is accepted any more; who waits is told so. */
void mill_server_close(struct mill_server *server);

/* The hub's thread: the same at once. */
void mill_server_shut(struct mill_server *server);

/* The hub's thread: a slot for what is accepted has become free. */
void mill_servers_resume(struct mill_hub *hub);

/* ---- operations: made by any thread; NULL: no memory ------------------------------------------- */

struct mill_listen {
    struct mill_operation operation; /* first */
    struct mill_server *server;      /* the result: whoever takes it sets NULL here */
    struct sockaddr_storage address;
};
/* The address is one in numbers, "localhost" or "*"; *known tells whether it was one of these. */
struct mill_listen *mill_listen_new(const char *address, int port, bool *known);

struct mill_accept {
    struct mill_operation operation; /* first */
    struct mill_server *server;
    struct mill_socket *socket; /* the result: whoever takes it sets NULL here; NULL without a
                                   failure: the server was closed */
    struct mill_accept *before, *after; /* among those that wait */
};
struct mill_accept *mill_accept_new(struct mill_server *server);

#endif
