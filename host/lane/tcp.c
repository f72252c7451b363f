/* tcp: one connection of the hub's, with the slot that it takes.
 * SPDX-License-Identifier: MIT */
#include "lane/tcp.h"

#include <stdlib.h>

struct mill_tcp *mill_tcp_new(struct mill_hub *hub, enum mill_slot slot, int *failure)
{
    struct mill_tcp *tcp = calloc(1, sizeof *tcp);
    *failure = tcp ? uv_tcp_init(&hub->loop, &tcp->handle) : UV_ENOMEM;
    if (*failure) {
        free(tcp);
        return NULL;
    }
    tcp->hub = hub;
    tcp->slot = slot;
    tcp->older = hub->tcps;
    if (hub->tcps) hub->tcps->newer = tcp;
    hub->tcps = tcp;
    return tcp;
}

static void free_line(uv_handle_t *handle)
{
    free(handle); /* the first member */
}

void mill_tcp_close(struct mill_tcp *tcp)
{
    if (tcp->closing) return;
    struct mill_hub *hub = tcp->hub;
    tcp->closing = true;
    if (tcp->newer) tcp->newer->older = tcp->older;
    if (tcp->older) tcp->older->newer = tcp->newer;
    if (hub->tcps == tcp) hub->tcps = tcp->older;
    uv_close((uv_handle_t *)&tcp->handle, free_line);
    if (tcp->closed) tcp->closed(tcp);
    mill_hub_give_slot(hub, tcp->slot);
}

void mill_tcp_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    struct mill_hub *hub = handle->loop->data;
    (void)wanted;
    *room = uv_buf_init(hub->scratch, sizeof hub->scratch);
}
