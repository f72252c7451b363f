/* socket: a connection that is read and written piece by piece.  SPDX-License-Identifier: MIT */
#include "lane/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "lane/dial.h"

/* ---- life ------------------------------------------------------------------------------------- */

struct mill_socket *mill_socket_ref(struct mill_socket *socket)
{
    /* Relaxed: whoever hands out a reference already holds one. */
    atomic_fetch_add_explicit(&socket->refs, 1, memory_order_relaxed);
    return socket;
}

void mill_socket_unref(struct mill_socket *socket)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (socket == NULL ||
        atomic_fetch_sub_explicit(&socket->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    struct mill_hub *hub = socket->hub;
    free(socket->bytes);
    free(socket);
    mill_hub_unref(hub);
}

static void end_reader(struct mill_socket *socket, const char *failure)
{
    struct mill_read *reader = socket->reader;
    socket->reader = NULL;
    if (reader) mill_operation_end(&reader->operation, failure ? "%s" : NULL, failure);
}

/* The open connection's own reference goes with it.  A write ends by its call-back. */
static void socket_tcp_closed(struct mill_tcp *tcp)
{
    struct mill_socket *socket = tcp->handle.data;
    socket->tcp = NULL;
    end_reader(socket, "the connection was closed");
    mill_socket_unref(socket);
}

static void run_socket_close(struct mill_hub *hub, struct mill_post *post)
{
    struct mill_socket *socket =
        (struct mill_socket *)((char *)post - offsetof(struct mill_socket, close_post));
    (void)hub;
    if (socket->tcp) mill_tcp_close(socket->tcp);
    mill_socket_unref(socket);
}

void mill_socket_close(struct mill_socket *socket)
{
    if (atomic_exchange(&socket->closed, true)) return;
    socket->close_post.run = run_socket_close;
    mill_socket_ref(socket); /* the message's */
    if (!mill_hub_post(socket->hub, &socket->close_post)) mill_socket_unref(socket);
}

static void set_peer(struct mill_socket *socket)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    char host[64] = "?";
    struct sockaddr *any = (struct sockaddr *)&address;
    if (uv_tcp_getpeername(&socket->tcp->handle, any, &size) != 0) return;
    uint16_t port = 0;
    if (address.ss_family == AF_INET6) {
        port = ((struct sockaddr_in6 *)&address)->sin6_port;
        uv_ip6_name((struct sockaddr_in6 *)&address, host, sizeof host);
    } else {
        port = ((struct sockaddr_in *)&address)->sin_port;
        uv_ip4_name((struct sockaddr_in *)&address, host, sizeof host);
    }
    bool six = address.ss_family == AF_INET6;
    snprintf(socket->peer, sizeof socket->peer, six ? "[%s]:%d" : "%s:%d", host, ntohs(port));
}

struct mill_socket *mill_socket_new(struct mill_tcp *tcp)
{
    struct mill_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL) return NULL;
    atomic_init(&socket->refs, 2); /* the caller's and the open connection's */
    socket->hub = mill_hub_ref(tcp->hub);
    socket->tcp = tcp;
    tcp->handle.data = socket;
    tcp->closed = socket_tcp_closed;
    set_peer(socket);
    return socket;
}

/* ---- connecting ---------------------------------------------------------------------------------- */

static void connect_dialled(void *context, struct mill_tcp *tcp, int failure, bool naming)
{
    struct mill_connect *connect = context;
    struct mill_hub *hub = connect->operation.hub;
    connect->dial = NULL;
    if (tcp) {
        connect->socket = mill_socket_new(tcp);
        if (connect->socket == NULL) mill_tcp_close(tcp);
        mill_operation_end(&connect->operation, connect->socket ? NULL : "out of memory");
        return;
    }
    bool short_of_files = failure == UV_EMFILE || failure == UV_ENFILE;
    if (short_of_files && mill_hub_requeue(&connect->operation)) return;
    char text[280];
    mill_dial_explain(text, sizeof text, connect->host, connect->port, failure, naming);
    mill_operation_end(&connect->operation, "%s", text);
    mill_hub_give_slot(hub, MILL_SLOT_OUT);
}

static void connect_begin(struct mill_operation *operation)
{
    struct mill_connect *connect = (struct mill_connect *)operation;
    struct mill_hub *hub = operation->hub;
    connect->dial = mill_dial_new(hub, connect->host, connect->port, connect_dialled, connect);
    if (connect->dial) {
        mill_dial_start(connect->dial);
        return;
    }
    mill_operation_end(operation, "out of memory");
    mill_hub_give_slot(hub, MILL_SLOT_OUT);
}

static void connect_cancel(struct mill_operation *operation)
{
    struct mill_connect *connect = (struct mill_connect *)operation;
    struct mill_hub *hub = operation->hub;
    mill_dial_drop(connect->dial);
    mill_operation_end(operation, "cancelled");
    mill_hub_give_slot(hub, MILL_SLOT_OUT);
}

static void connect_destroy(struct mill_operation *operation)
{
    struct mill_connect *connect = (struct mill_connect *)operation;
    if (connect->socket) { /* nobody has come for it */
        mill_socket_close(connect->socket);
        mill_socket_unref(connect->socket);
    }
    free(connect);
}

static const struct mill_operation_kind connect_kind = {MILL_SLOT_OUT, connect_begin,
                                                        connect_cancel, connect_destroy};

struct mill_connect *mill_connect_new(const char *host, int port)
{
    size_t size = strlen(host) + 1;
    struct mill_connect *connect = calloc(1, sizeof *connect + size);
    if (connect == NULL) return NULL;
    mill_operation_init(&connect->operation, &connect_kind);
    connect->port = port;
    memcpy(connect->host, host, size);
    return connect;
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* The first `size` bytes are the result. */
static const char *take_first(struct mill_read *read, size_t size)
{
    struct mill_socket *socket = read->socket;
    size_t there = socket->last - socket->first;
    read->size = size;
    if (size == there && socket->first == 0 && size > 0) { /* the whole block */
        read->bytes = socket->bytes;
        socket->bytes = NULL;
        socket->last = socket->room = 0;
        return NULL;
    }
    read->bytes = malloc(size + 1);
    if (read->bytes == NULL) return "out of memory";
    if (size) memcpy(read->bytes, socket->bytes + socket->first, size);
    socket->first += size;
    if (socket->first == socket->last) socket->first = socket->last = 0;
    return NULL;
}

/* True: the read is over, well or with *failure. */
static bool satisfy(struct mill_read *read, const char **failure)
{
    struct mill_socket *socket = read->socket;
    size_t there = socket->last - socket->first;
    *failure = NULL;
    if (read->mode == MILL_READ_ALL && there > read->count) {
        *failure = "there are more bytes than max_bytes";
    } else if (read->mode == MILL_READ_COUNT && there >= read->count) {
        *failure = take_first(read, read->count);
    } else if (read->mode == MILL_READ_SOME && there > 0) {
        *failure = take_first(read, there);
    } else if (!socket->ended) {
        return false;
    } else if (socket->ended != UV_EOF) {
        *failure = uv_strerror(socket->ended);
    } else {
        read->at_end = there == 0;
        *failure = take_first(read, there);
    }
    return true;
}

static bool append_bytes(struct mill_socket *socket, const char *bytes, size_t size)
{
    if (socket->first > 0 && socket->last + size > socket->room) {
        memmove(socket->bytes, socket->bytes + socket->first, socket->last - socket->first);
        socket->last -= socket->first;
        socket->first = 0;
    }
    if (!mill_room_for(&socket->bytes, socket->last, &socket->room, 1, size)) return false;
    memcpy(socket->bytes + socket->last, bytes, size);
    socket->last += size;
    return true;
}

static void bytes_arrived(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct mill_socket *socket = stream->data;
    const char *failure;
    if (count < 0) socket->ended = (int)count;
    if (count > 0 && !append_bytes(socket, bytes->base, (size_t)count))
        socket->ended = UV_ENOMEM;
    if (!satisfy(socket->reader, &failure)) return;
    uv_read_stop(stream);
    end_reader(socket, failure);
}

/* What the kernel has already is had without asking the loop for it. */
static void look_now(struct mill_socket *socket)
{
    int file;
    if (socket->ended || !socket->tcp ||
        uv_fileno((uv_handle_t *)&socket->tcp->handle, &file)) {
        return;
    }
    char *scratch = socket->hub->scratch;
    ssize_t count = recv(file, scratch, sizeof socket->hub->scratch, MSG_DONTWAIT);
    if (count == 0) socket->ended = UV_EOF; /* other failures are told by the loop */
    if (count > 0 && !append_bytes(socket, scratch, (size_t)count)) socket->ended = UV_ENOMEM;
}

static void read_begin(struct mill_operation *operation)
{
    struct mill_read *read = (struct mill_read *)operation;
    struct mill_socket *socket = read->socket;
    const char *failure = NULL;
    int reason = 0;
    if (socket->reader) {
        failure = "another read of this connection is under way";
    } else if (!satisfy(read, &failure) && (look_now(socket), !satisfy(read, &failure))) {
        socket->reader = read;
        if (socket->tcp == NULL) {
            failure = "the connection is closed";
        } else {
            reason = uv_read_start((uv_stream_t *)&socket->tcp->handle, mill_tcp_room,
                                   bytes_arrived);
            if (reason == 0) return;
            failure = uv_strerror(reason);
        }
        socket->reader = NULL;
    }
    mill_operation_end(operation, failure ? "%s" : NULL, failure);
}

static void read_cancel(struct mill_operation *operation)
{
    struct mill_socket *socket = ((struct mill_read *)operation)->socket;
    if (socket->tcp) uv_read_stop((uv_stream_t *)&socket->tcp->handle);
    end_reader(socket, "cancelled");
}

static void read_destroy(struct mill_operation *operation)
{
    struct mill_read *read = (struct mill_read *)operation;
    free(read->bytes);
    mill_socket_unref(read->socket);
    free(read);
}

static const struct mill_operation_kind read_kind = {MILL_SLOT_NONE, read_begin, read_cancel,
                                                     read_destroy};

struct mill_read *mill_read_new(struct mill_socket *socket, enum mill_read_mode mode,
                                size_t count)
{
    struct mill_read *read = calloc(1, sizeof *read);
    if (read == NULL) return NULL;
    mill_operation_init(&read->operation, &read_kind);
    read->socket = mill_socket_ref(socket);
    read->mode = mode;
    read->count = count;
    return read;
}

/* ---- writing ------------------------------------------------------------------------------------------ */

static void bytes_written(uv_write_t *request, int status)
{
    struct mill_write *write = request->data;
    write->socket->writer = NULL;
    const char *failure = status == UV_ECANCELED ? "the connection was closed"
                          : status               ? uv_strerror(status)
                                                 : NULL;
    mill_operation_end(&write->operation, failure ? "%s" : NULL, failure);
}

static void write_begin(struct mill_operation *operation)
{
    struct mill_write *write = (struct mill_write *)operation;
    struct mill_socket *socket = write->socket;
    const char *failure = NULL;
    if (socket->writer) {
        failure = "another write to this connection is under way";
    } else if (socket->tcp == NULL) {
        failure = "the connection is closed";
    } else {
        uv_buf_t bytes = {.base = write->bytes, .len = write->size};
        write->request.data = write;
        int reason = uv_write(&write->request, (uv_stream_t *)&socket->tcp->handle, &bytes, 1,
                              bytes_written);
        if (reason == 0) {
            socket->writer = write;
            return;
        }
        failure = uv_strerror(reason);
    }
    mill_operation_end(operation, "%s", failure);
}

static void write_cancel(struct mill_operation *operation)
{
    struct mill_socket *socket = ((struct mill_write *)operation)->socket;
    if (socket->tcp) mill_tcp_close(socket->tcp); /* the call-back follows */
}

static void write_destroy(struct mill_operation *operation)
{
    struct mill_write *write = (struct mill_write *)operation;
    mill_socket_unref(write->socket);
    free(write);
}

static const struct mill_operation_kind write_kind = {MILL_SLOT_NONE, write_begin, write_cancel,
                                                      write_destroy};

struct mill_write *mill_write_new(struct mill_socket *socket, const char *bytes, size_t size)
{
    struct mill_write *write = malloc(sizeof *write + size);
    if (write == NULL) return NULL;
    memset(write, 0, sizeof *write);
    mill_operation_init(&write->operation, &write_kind);
    write->socket = mill_socket_ref(socket);
    write->size = size;
    memcpy(write->bytes, bytes, size);
    return write;
}
