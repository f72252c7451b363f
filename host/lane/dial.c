/* dial: a name and a port become an open connection.  SPDX-License-Identifier: MIT */
#include "lane/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mill_dial {
    struct mill_hub *hub;
    mill_dial_done *done; /* NULL: dropped, the name is still being looked up */
    void *context;
    int port;
    uv_getaddrinfo_t name;
    struct addrinfo *found;      /* the list of the look-up */
    const struct addrinfo *next; /* to be tried */
    struct sockaddr_storage numeric;
    struct mill_tcp *tcp; /* that is being connected */
    int failure;          /* of the last address */
    char host[];
};

struct mill_dial *mill_dial_new(struct mill_hub *hub, const char *host, int port,
                                mill_dial_done *done, void *context)
{
    size_t size = strlen(host) + 1;
    struct mill_dial *dial = calloc(1, sizeof *dial + size);
    if (dial == NULL) return NULL;
    dial->hub = hub;
    dial->done = done;
    dial->context = context;
    dial->port = port;
    memcpy(dial->host, host, size);
    return dial;
}

static void dial_free(struct mill_dial *dial)
{
    uv_freeaddrinfo(dial->found);
    free(dial);
}

static void end(struct mill_dial *dial, struct mill_tcp *tcp, int failure, bool naming)
{
    mill_dial_done *done = dial->done;
    void *context = dial->context;
    dial_free(dial);
    done(context, tcp, failure, naming);
}

/* ---- connecting --------------------------------------------------------------------------------- */

static void try_next(struct mill_dial *dial);

/* Closes the connection; the slot stays. */
static void close_line(struct mill_dial *dial)
{
    struct mill_tcp *tcp = dial->tcp;
    dial->tcp = NULL;
    if (tcp == NULL) return;
    tcp->slot = MILL_SLOT_NONE;
    tcp->handle.data = NULL;
    mill_tcp_close(tcp);
}

static void connected(uv_connect_t *connect, int status)
{
    struct mill_tcp *tcp = (struct mill_tcp *)connect->handle;
    struct mill_dial *dial = tcp->handle.data;
    if (dial == NULL) { /* closed meanwhile: the request's memory is its own, see try_address */
        free(connect);
        return;
    }
    free(connect);
    if (status == 0) {
        uv_tcp_nodelay(&tcp->handle, 1);
        tcp->closed = NULL;
        dial->tcp = NULL;
        end(dial, tcp, 0, false);
        return;
    }
    dial->failure = status;
    close_line(dial);
    try_next(dial);
}

/* The request outlives the dial when the connection is closed before its call-back came. */
static int try_address(struct mill_dial *dial, const struct sockaddr *address)
{
    int failure;
    uv_connect_t *connect = malloc(sizeof *connect);
    if (connect == NULL) return UV_ENOMEM;
    dial->tcp = mill_tcp_new(dial->hub, MILL_SLOT_OUT, &failure);
    if (dial->tcp) {
        dial->tcp->handle.data = dial;
        failure = uv_tcp_connect(connect, &dial->tcp->handle, address, connected);
        if (failure == 0) return 0;
        close_line(dial);
    }
    free(connect);
    return failure;
}

static void try_next(struct mill_dial *dial)
{
    while (dial->next) {
        const struct addrinfo *address = dial->next;
        dial->next = address->ai_next;
        dial->failure = try_address(dial, address->ai_addr);
        if (dial->failure == 0) return;
        if (dial->failure == UV_EMFILE || dial->failure == UV_ENFILE) break;
    }
    end(dial, NULL, dial->failure ? dial->failure : UV_EAI_NODATA, false);
}

/* ---- names ---------------------------------------------------------------------------------------- */

static void looked_up(uv_getaddrinfo_t *name, int status, struct addrinfo *found)
{
    struct mill_dial *dial =
        (struct mill_dial *)((char *)name - offsetof(struct mill_dial, name));
    dial->found = found;
    if (dial->done == NULL) {
        dial_free(dial);
    } else if (status != 0) {
        end(dial, NULL, status, true);
    } else {
        dial->next = found;
        try_next(dial);
    }
}

/* Addresses in numbers need no look-up, and no thread for it. */
static bool is_numeric(struct mill_dial *dial)
{
    return uv_ip4_addr(dial->host, dial->port, (struct sockaddr_in *)&dial->numeric) == 0 ||
           uv_ip6_addr(dial->host, dial->port, (struct sockaddr_in6 *)&dial->numeric) == 0;
}

void mill_dial_start(struct mill_dial *dial)
{
    if (is_numeric(dial)) {
        int failure = try_address(dial, (struct sockaddr *)&dial->numeric);
        if (failure) end(dial, NULL, failure, false);
        return;
    }
    char port[16];
    snprintf(port, sizeof port, "%d", dial->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int failure =
        uv_getaddrinfo(&dial->hub->loop, &dial->name, looked_up, dial->host, port, &hints);
    if (failure) end(dial, NULL, failure, true);
}

void mill_dial_drop(struct mill_dial *dial)
{
    dial->done = NULL;
    if (dial->tcp) {
        close_line(dial);
        dial_free(dial);
    } else {
        uv_cancel((uv_req_t *)&dial->name); /* one that has begun goes on to its end */
    }
}

void mill_dial_explain(char *text, size_t size, const char *host, int port, int failure,
                       bool naming)
{
    if (naming) {
        snprintf(text, size, "cannot look up the name \"%.150s\": %s", host,
                 uv_strerror(failure));
    } else {
        snprintf(text, size, "cannot connect to %.150s:%d: %s", host, port,
                 uv_strerror(failure));
    }
}
