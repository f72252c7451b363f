/* socket: a connection that is read and written piece by piece.
 * The handle that a script has, operations and the open connection hold a reference each.  At most one
 * read and one write go on at a time.  Nothing is taken from the kernel while nobody reads: what
 * arrives then stays there, and holds the other side back.  SPDX-License-Identifier: MIT */
#ifndef MILL_SOCKET_H
#define MILL_SOCKET_H

#include "lane/tcp.h"

struct mill_dial;

struct mill_socket {
    _Atomic int32_t refs;
    struct mill_hub *hub;
    struct mill_post close_post;
    _Atomic bool closed;      /* somebody has asked for it */
    char peer[80];            /* address and port of the other side; fixed once connected */
    struct mill_socket *next; /* of those that a server has ready; the hub's thread's */

    /* The hub's thread's. */
    struct mill_tcp *tcp; /* NULL: closed */
    struct mill_read *reader;
    struct mill_write *writer;
    char *bytes; /* read and not yet taken: from `first` to `last` */
    size_t first, last, room;
    int ended; /* why nothing more comes: UV_EOF, or another number of libuv's; 0: more may */
};

struct mill_socket *mill_socket_ref(struct mill_socket *socket);
void mill_socket_unref(struct mill_socket *socket); /* NULL is fine */

/* Any thread: reads and writes end with a failure from here on. */
void mill_socket_close(struct mill_socket *socket);

/* The hub's thread: a socket on an open connection, which it takes over.  NULL: no memory. */
struct mill_socket *mill_socket_new(struct mill_tcp *tcp);

/* ---- operations: made by any thread; NULL: no memory ------------------------------------------- */

struct mill_connect {
    struct mill_operation operation; /* first */
    struct mill_dial *dial;
    struct mill_socket *socket; /* the result: whoever takes it sets NULL here */
    int port;
    char host[];
};
struct mill_connect *mill_connect_new(const char *host, int port);

/* So many bytes, at the end fewer; what there is, but one at least; or all to the end. */
enum mill_read_mode { MILL_READ_COUNT, MILL_READ_SOME, MILL_READ_ALL };

struct mill_read {
    struct mill_operation operation; /* first */
    struct mill_socket *socket;
    enum mill_read_mode mode;
    size_t count; /* wanted; of ALL: more are a failure */
    char *bytes;  /* the result, malloc'ed */
    size_t size;
    bool at_end; /* there was nothing more */
};
struct mill_read *mill_read_new(struct mill_socket *socket, enum mill_read_mode mode,
                                size_t count);

struct mill_write {
    struct mill_operation operation; /* first */
    struct mill_socket *socket;
    uv_write_t request;
    size_t size;
    char bytes[];
};
/* Ends when the kernel has all bytes.  Cancelling it closes the connection, of which nobody could
 * tell any more what the other side has got. */
struct mill_write *mill_write_new(struct mill_socket *socket, const char *bytes, size_t size);

#endif
