/* dial: a name and a port become an open connection.
 *
 * DESIGN.  A server's kernel queues some thousands of connections that it has not accepted, and drops
 * those beyond; who was dropped tries again after one second, three, seven...  So only so many are
 * begun at once to the same address, and the others wait at its door, which is known by the address's
 * hash.  SPDX-License-Identifier: MIT */
#include "lane/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 256 };

struct mill_dial {
    struct mill_hub *hub;
    mill_dial_done *done; /* NULL: dropped, the name is still being looked up */
    void *context;
    int port;
    uv_getaddrinfo_t name;
    struct addrinfo *found;      /* the list of the look-up */
    const struct addrinfo *next; /* to be tried */
    struct addrinfo own;         /* of an address in numbers */
    struct sockaddr_storage numeric;
    struct mill_tcp *tcp;             /* that is being connected */
    struct mill_door *door;           /* where it is counted, or waits; NULL: nowhere */
    struct mill_dial *before, *after; /* among those that wait there */
    bool waits;
    int failure; /* of the last address */
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

static void end_dial(struct mill_dial *dial, struct mill_tcp *tcp, int failure, bool naming)
{
    mill_dial_done *done = dial->done;
    void *context = dial->context;
    dial_free(dial);
    done(context, tcp, failure, naming);
}

/* ---- doors ------------------------------------------------------------------------------------- */

static struct mill_door *door_of(struct mill_hub *hub, const struct sockaddr *address)
{
    uint32_t hash = 2166136261u; /* FNV-1a, over the address and port */
    bool six = address->sa_family == AF_INET6;
    size_t size = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    for (size_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)address)[i]) * 16777619u;
    return &hub->doors[hash % MILL_DOORS];
}

/* False: it waits there, and is called by go_on when its turn comes. */
static bool enter(struct mill_dial *dial, struct mill_door *door)
{
    dial->door = door;
    if (door->inside < AT_ONCE && (door->first == NULL || door->opening)) {
        door->inside++;
        return true;
    }
    dial->waits = true;
    dial->before = door->last;
    dial->after = NULL;
    if (door->last) {
        door->last->after = dial;
    } else {
        door->first = dial;
    }
    door->last = dial;
    return false;
}

static void unlink_waiting(struct mill_dial *dial)
{
    struct mill_door *door = dial->door;
    if (dial->before) dial->before->after = dial->after;
    if (dial->after) dial->after->before = dial->before;
    if (door->first == dial) door->first = dial->after;
    if (door->last == dial) door->last = dial->before;
    dial->waits = false;
    dial->door = NULL;
}

static void connect_now(struct mill_dial *dial);

/* It waits no more, or is connected or not; others may have their turn, and those that fail at once
 * have theirs in the loop here. */
static void leave_door(struct mill_dial *dial)
{
    struct mill_door *door = dial->door;
    if (dial->waits) {
        unlink_waiting(dial);
        return;
    }
    dial->door = NULL;
    if (door == NULL) return;
    door->inside--;
    if (door->opening || dial->hub->closing) return;
    door->opening = true;
    while (door->first && door->inside < AT_ONCE) {
        struct mill_dial *next = door->first;
        unlink_waiting(next);
        next->door = door;
        door->inside++;
        connect_now(next);
    }
    door->opening = false;
}

/* ---- connecting --------------------------------------------------------------------------------- */

static void try_next(struct mill_dial *dial);

/* Gives up the address that is being tried; the slot stays. */
static void close_tried(struct mill_dial *dial)
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
    free(connect);
    if (dial == NULL) return; /* given up meanwhile */
    leave_door(dial);
    if (status == 0) {
        uv_tcp_nodelay(&tcp->handle, 1);
        dial->tcp = NULL;
        end_dial(dial, tcp, 0, false);
        return;
    }
    dial->failure = status;
    close_tried(dial);
    try_next(dial);
}

/* The request is a block of its own: its call-back comes after the dial has gone, perhaps. */
static int begin_connect(struct mill_dial *dial, const struct sockaddr *address)
{
    int failure;
    uv_connect_t *connect = malloc(sizeof *connect);
    if (connect == NULL) return UV_ENOMEM;
    dial->tcp = mill_tcp_new(dial->hub, MILL_SLOT_OUT, &failure);
    if (dial->tcp) {
        dial->tcp->handle.data = dial;
        failure = uv_tcp_connect(connect, &dial->tcp->handle, address, connected);
        if (failure == 0) return 0;
        close_tried(dial);
    }
    free(connect);
    return failure;
}

/* It is inside of the door of the next address. */
static void connect_now(struct mill_dial *dial)
{
    const struct addrinfo *address = dial->next;
    dial->next = address->ai_next;
    dial->failure = begin_connect(dial, address->ai_addr);
    if (dial->failure == 0) return;
    leave_door(dial);
    if (dial->failure == UV_EMFILE || dial->failure == UV_ENFILE) dial->next = NULL;
    try_next(dial);
}

static void try_next(struct mill_dial *dial)
{
    if (dial->next == NULL) {
        end_dial(dial, NULL, dial->failure ? dial->failure : UV_EAI_NODATA, false);
    } else if (enter(dial, door_of(dial->hub, dial->next->ai_addr))) {
        connect_now(dial);
    }
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
        end_dial(dial, NULL, status, true);
    } else {
        dial->next = found;
        try_next(dial);
    }
}

/* Addresses in numbers need no look-up, and no thread for it. */
static bool is_numeric(struct mill_dial *dial)
{
    dial->own.ai_addr = (struct sockaddr *)&dial->numeric;
    return uv_ip4_addr(dial->host, dial->port, (struct sockaddr_in *)&dial->numeric) == 0 ||
           uv_ip6_addr(dial->host, dial->port, (struct sockaddr_in6 *)&dial->numeric) == 0;
}

void mill_dial_start(struct mill_dial *dial)
{
    if (is_numeric(dial)) {
        dial->next = &dial->own;
        try_next(dial);
        return;
    }
    char port[16];
    snprintf(port, sizeof port, "%d", dial->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int failure =
        uv_getaddrinfo(&dial->hub->loop, &dial->name, looked_up, dial->host, port, &hints);
    if (failure) end_dial(dial, NULL, failure, true);
}

void mill_dial_drop(struct mill_dial *dial)
{
    if (dial->door) {
        close_tried(dial);
        leave_door(dial);
        dial_free(dial);
    } else {
        dial->done = NULL;
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
