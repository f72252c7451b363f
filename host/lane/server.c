/* server: a port on which connections are accepted.  SPDX-License-Identifier: MIT */
#include "lane/server.h"

#include <stdlib.h>
#include <string.h>

enum { BACKLOG = 4096 };

struct mill_server *mill_server_ref(struct mill_server *server)
{
    /* Relaxed: whoever hands out a reference already holds one. */
    atomic_fetch_add_explicit(&server->refs, 1, memory_order_relaxed);
    return server;
}

void mill_server_unref(struct mill_server *server)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (server == NULL ||
        atomic_fetch_sub_explicit(&server->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    struct mill_hub *hub = server->hub;
    free(server);
    mill_hub_unref(hub);
}

/* ---- accepting --------------------------------------------------------------------------------- */

static void unlink_accept(struct mill_accept *accept)
{
    struct mill_server *server = accept->server;
    if (accept->before) accept->before->after = accept->after;
    if (accept->after) accept->after->before = accept->before;
    if (server->first_waiting == accept) server->first_waiting = accept->after;
    if (server->last_waiting == accept) server->last_waiting = accept->before;
}

static void hand_out(struct mill_server *server, struct mill_socket *socket)
{
    struct mill_accept *accept = server->first_waiting;
    if (accept) {
        unlink_accept(accept);
        accept->socket = socket;
        mill_operation_end(&accept->operation, NULL);
        return;
    }
    socket->next = NULL;
    if (server->last_ready) {
        server->last_ready->next = socket;
    } else {
        server->first_ready = socket;
    }
    server->last_ready = socket;
}

/* Takes the connection that the port has; there is a slot for it. */
static void accept_one(struct mill_server *server)
{
    int failure;
    struct mill_hub *hub = server->hub;
    struct mill_tcp *tcp = mill_tcp_new(hub, MILL_SLOT_ACCEPTED, &failure);
    if (tcp == NULL) { /* it stays where it is */
        server->paused = true;
        hub->used[MILL_SLOT_ACCEPTED]--;
        return;
    }
    struct mill_socket *socket = NULL;
    if (uv_accept((uv_stream_t *)&server->tcp, (uv_stream_t *)&tcp->handle) == 0) {
        uv_tcp_nodelay(&tcp->handle, 1);
        socket = mill_socket_new(tcp);
    }
    if (socket) {
        hand_out(server, socket);
    } else {
        mill_tcp_close(tcp);
    }
}

static void come(uv_stream_t *stream, int status)
{
    struct mill_server *server = stream->data;
    if (status != 0) return; /* it was gone before it could be accepted */
    if (mill_hub_take_slot(server->hub, MILL_SLOT_ACCEPTED)) {
        accept_one(server);
    } else {
        server->paused = true; /* libuv takes no further one until this one is accepted */
    }
}

void mill_servers_resume(struct mill_hub *hub)
{
    for (struct mill_server *server = hub->servers; server; server = server->older) {
        if (!server->paused) continue;
        if (!mill_hub_take_slot(hub, MILL_SLOT_ACCEPTED)) return;
        server->paused = false;
        accept_one(server);
    }
}

/* ---- closing --------------------------------------------------------------------------------------- */

static void port_closed(uv_handle_t *handle)
{
    mill_server_unref(handle->data);
}

void mill_server_shut(struct mill_server *server)
{
    if (!server->open) return;
    struct mill_hub *hub = server->hub;
    server->open = server->paused = false;
    if (server->newer) server->newer->older = server->older;
    if (server->older) server->older->newer = server->newer;
    if (hub->servers == server) hub->servers = server->older;
    while (server->first_waiting) {
        struct mill_accept *accept = server->first_waiting;
        unlink_accept(accept);
        mill_operation_end(&accept->operation, NULL);
    }
    struct mill_socket *socket = server->first_ready;
    server->first_ready = server->last_ready = NULL;
    while (socket) {
        struct mill_socket *next = socket->next;
        if (socket->tcp) mill_tcp_close(socket->tcp);
        mill_socket_unref(socket);
        socket = next;
    }
    uv_close((uv_handle_t *)&server->tcp, port_closed);
}

static void run_server_close(struct mill_hub *hub, struct mill_post *post)
{
    struct mill_server *server =
        (struct mill_server *)((char *)post - offsetof(struct mill_server, close_post));
    (void)hub;
    mill_server_shut(server);
    mill_server_unref(server);
}

void mill_server_close(struct mill_server *server)
{
    if (atomic_exchange(&server->closed, true)) return;
    server->close_post.run = run_server_close;
    mill_server_ref(server); /* the message's */
    if (!mill_hub_post(server->hub, &server->close_post)) mill_server_unref(server);
}

/* ---- listening ------------------------------------------------------------------------------------- */

static int port_of(const uv_tcp_t *tcp)
{
    struct sockaddr_storage address = {0};
    int size = sizeof address;
    uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &size);
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static void free_server(uv_handle_t *handle)
{
    mill_server_unref(handle->data);
}

static void listen_begin(struct mill_operation *operation)
{
    struct mill_listen *listen = (struct mill_listen *)operation;
    struct mill_hub *hub = operation->hub;
    struct mill_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        mill_operation_end(operation, "out of memory");
        return;
    }
    atomic_init(&server->refs, 1);
    server->hub = mill_hub_ref(hub);
    int failure = uv_tcp_init(&hub->loop, &server->tcp);
    if (failure) {
        mill_server_unref(server);
        mill_operation_end(operation, "%s", uv_strerror(failure));
        return;
    }
    server->tcp.data = server;
    failure = uv_tcp_bind(&server->tcp, (struct sockaddr *)&listen->address, 0);
    if (failure == 0) failure = uv_listen((uv_stream_t *)&server->tcp, BACKLOG, come);
    if (failure) {
        uv_close((uv_handle_t *)&server->tcp, free_server);
        mill_operation_end(operation, "%s", uv_strerror(failure));
        return;
    }
    server->port = port_of(&server->tcp);
    server->open = true;
    server->older = hub->servers;
    if (hub->servers) hub->servers->newer = server;
    hub->servers = server;
    listen->server = mill_server_ref(server);
    mill_operation_end(operation, NULL);
}

static void listen_cancel(struct mill_operation *operation)
{
    (void)operation; /* it ends while it begins */
}

static void listen_destroy(struct mill_operation *operation)
{
    struct mill_listen *listen = (struct mill_listen *)operation;
    if (listen->server) {
        mill_server_close(listen->server);
        mill_server_unref(listen->server);
    }
    free(listen);
}

static const struct mill_operation_kind listen_kind = {MILL_SLOT_NONE, listen_begin,
                                                       listen_cancel, listen_destroy};

struct mill_listen *mill_listen_new(const char *address, int port, bool *known)
{
    struct mill_listen *listen = calloc(1, sizeof *listen);
    *known = true;
    if (listen == NULL) return NULL;
    mill_operation_init(&listen->operation, &listen_kind);
    if (strcmp(address, "localhost") == 0) address = "127.0.0.1";
    if (strcmp(address, "*") == 0) address = "0.0.0.0";
    *known = uv_ip4_addr(address, port, (struct sockaddr_in *)&listen->address) == 0 ||
             uv_ip6_addr(address, port, (struct sockaddr_in6 *)&listen->address) == 0;
    if (*known) return listen;
    mill_operation_unref(&listen->operation);
    return NULL;
}

/* ---- asking for a connection ------------------------------------------------------------------------ */

static void accept_begin(struct mill_operation *operation)
{
    struct mill_accept *accept = (struct mill_accept *)operation;
    struct mill_server *server = accept->server;
    if (server->first_ready) {
        accept->socket = server->first_ready;
        server->first_ready = accept->socket->next;
        if (server->first_ready == NULL) server->last_ready = NULL;
    }
    if (accept->socket || !server->open) {
        mill_operation_end(operation, NULL);
        return;
    }
    accept->before = server->last_waiting;
    if (server->last_waiting) {
        server->last_waiting->after = accept;
    } else {
        server->first_waiting = accept;
    }
    server->last_waiting = accept;
}

static void accept_cancel(struct mill_operation *operation)
{
    unlink_accept((struct mill_accept *)operation);
    mill_operation_end(operation, "cancelled");
}

static void accept_destroy(struct mill_operation *operation)
{
    struct mill_accept *accept = (struct mill_accept *)operation;
    if (accept->socket) {
        mill_socket_close(accept->socket);
        mill_socket_unref(accept->socket);
    }
    mill_server_unref(accept->server);
    free(accept);
}

static const struct mill_operation_kind accept_kind = {MILL_SLOT_NONE, accept_begin,
                                                       accept_cancel, accept_destroy};

struct mill_accept *mill_accept_new(struct mill_server *server)
{
    struct mill_accept *accept = calloc(1, sizeof *accept);
    if (accept == NULL) return NULL;
    mill_operation_init(&accept->operation, &accept_kind);
    accept->server = mill_server_ref(server);
    return accept;
}
