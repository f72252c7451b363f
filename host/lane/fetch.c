/* fetch: one HTTP request and its answer.  SPDX-License-Identifier: MIT */
#include "lane/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "lane/dial.h"

static void fetch_tcp_closed(struct mill_tcp *tcp)
{
    struct mill_fetch *fetch = tcp->handle.data;
    if (fetch) fetch->tcp = NULL;
}

/* The connection is closed after the end was told: its slot may begin another operation. */
static void end_fetch(struct mill_fetch *fetch, const char *failure)
{
    struct mill_tcp *tcp = fetch->tcp;
    if (tcp) tcp->handle.data = NULL;
    fetch->tcp = NULL;
    mill_operation_end(&fetch->operation, failure ? "%s" : NULL, failure);
    if (tcp) mill_tcp_close(tcp);
}

static void answer_arrived(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct mill_fetch *fetch = stream->data;
    struct mill_response *response = &fetch->response;
    enum mill_response_state state = response->state;
    if (count > 0) {
        state = mill_response_feed(response, bytes->base, (size_t)count);
    } else if (count == UV_EOF) {
        state = mill_response_end(response);
    } else if (count < 0) {
        end_fetch(fetch, uv_strerror((int)count));
        return;
    }
    if (state < MILL_RESPONSE_DONE) return;
    end_fetch(fetch, state == MILL_RESPONSE_FAILED ? response->failure : NULL);
}

/* A request that could not be written whole may have an answer all the same: reading tells. */
static void request_written(uv_write_t *write, int status)
{
    struct mill_fetch *fetch = write->data;
    (void)status;
    mill_operation_unref(&fetch->operation);
}

static void fetch_dialled(void *context, struct mill_tcp *tcp, int failure, bool naming)
{
    struct mill_fetch *fetch = context;
    struct mill_hub *hub = fetch->operation.hub;
    fetch->dial = NULL;
    if (tcp == NULL) {
        bool short_of_files = failure == UV_EMFILE || failure == UV_ENFILE;
        if (short_of_files && mill_hub_requeue(&fetch->operation)) return;
        char text[280];
        mill_dial_explain(text, sizeof text, fetch->host, fetch->port, failure, naming);
        mill_operation_end(&fetch->operation, "%s", text);
        mill_hub_give_slot(hub, MILL_SLOT_OUT);
        return;
    }
    fetch->tcp = tcp;
    tcp->handle.data = fetch;
    tcp->closed = fetch_tcp_closed;
    uv_stream_t *stream = (uv_stream_t *)&tcp->handle;
    uv_buf_t bytes = {.base = fetch->request, .len = fetch->size};
    fetch->write.data = fetch;
    mill_operation_ref(&fetch->operation); /* the write's */
    failure = uv_write(&fetch->write, stream, &bytes, 1, request_written);
    if (failure) mill_operation_unref(&fetch->operation);
    if (failure == 0) failure = uv_read_start(stream, mill_tcp_room, answer_arrived);
    if (failure) end_fetch(fetch, uv_strerror(failure));
}

static void fetch_begin(struct mill_operation *operation)
{
    struct mill_fetch *fetch = (struct mill_fetch *)operation;
    struct mill_hub *hub = operation->hub;
    fetch->dial = mill_dial_new(hub, fetch->host, fetch->port, fetch_dialled, fetch);
    if (fetch->dial) {
        mill_dial_start(fetch->dial);
        return;
    }
    mill_operation_end(operation, "out of memory");
    mill_hub_give_slot(hub, MILL_SLOT_OUT);
}

static void fetch_cancel(struct mill_operation *operation)
{
    struct mill_fetch *fetch = (struct mill_fetch *)operation;
    struct mill_hub *hub = operation->hub;
    if (fetch->dial) {
        mill_dial_drop(fetch->dial);
        fetch->dial = NULL;
        mill_operation_end(operation, "cancelled");
        mill_hub_give_slot(hub, MILL_SLOT_OUT);
    } else {
        end_fetch(fetch, "cancelled");
    }
}

static void fetch_destroy(struct mill_operation *operation)
{
    struct mill_fetch *fetch = (struct mill_fetch *)operation;
    mill_response_fini(&fetch->response);
    free(fetch);
}

static const struct mill_operation_kind fetch_kind = {MILL_SLOT_OUT, fetch_begin, fetch_cancel,
                                                      fetch_destroy};

struct mill_fetch *mill_fetch_new(const char *host, int port, const char *request, size_t size,
                                  size_t most)
{
    size_t length = strlen(host) + 1;
    struct mill_fetch *fetch = calloc(1, sizeof *fetch + length + size);
    if (fetch == NULL) return NULL;
    mill_operation_init(&fetch->operation, &fetch_kind);
    mill_response_init(&fetch->response, most);
    fetch->port = port;
    fetch->size = size;
    fetch->request = fetch->host + length;
    memcpy(fetch->host, host, length);
    memcpy(fetch->request, request, size);
    return fetch;
}
