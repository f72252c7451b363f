/* proxy_request: what the process of a script is asked.  SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "bind/proxy_inside.h"

/* ---- writing ---------------------------------------------------------------------------- */

void mill_proxy_phrase(struct mill_wire *wire, const char *text)
{
    mill_packer_text(&wire->out, text ? text : "", text ? strlen(text) : 0);
}

void mill_proxy_arguments(struct mill_wire *wire, const struct mill_value *arguments,
                          size_t count)
{
    mill_packer_size(&wire->out, count);
    for (size_t i = 0; i < count; i++) {
        char where[32];
        snprintf(where, sizeof where, "argument %zu", i + 1);
        mill_wire_value(wire, &arguments[i], where);
    }
}

/* ---- asking ----------------------------------------------------------------------------- */

void mill_proxy_bury(struct mill_proxy *proxy)
{
    bool lost = proxy->tether.child && atomic_load(&proxy->errands.lost);
    if (lost) mill_tether_bury(&proxy->tether);
}

static void put_request(struct mill_proxy *proxy, enum mill_request what,
                        struct mill_outbox *outbox)
{
    mill_outbox_begin(outbox);
    outbox->wire.whole =
        proxy->config.sandbox != 0; /* memory that is shared could be changed */
    mill_packer_byte(&outbox->wire.out, (uint8_t)what);
}

tidemill_status mill_proxy_end(struct mill_proxy *proxy, struct mill_outbox *outbox,
                               struct mill_reply_place *place)
{
    proxy->depth++;
    tidemill_status status = mill_tether_send(&proxy->tether, outbox, MILL_MESSAGE_REQUEST);
    if (status == TIDEMILL_OK) status = mill_hearing_answer(&proxy->hearing, place);
    proxy->depth--;
    return status;
}

/* What is asked next is told of, if that is wanted. */
static tidemill_status send_wishes(struct mill_proxy *proxy)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    int wishes = atomic_load(&proxy->errands.wishes);
    if (wishes == proxy->wishes) return TIDEMILL_OK;
    proxy->wishes = wishes;
    put_request(proxy, MILL_REQUEST_LISTEN, &outbox);
    mill_packer_byte(&outbox.wire.out, (uint8_t)wishes);
    return mill_proxy_end(proxy, &outbox, &nothing);
}

/* Begins the time of a request that is in no other. */
static tidemill_status begin_time(struct mill_proxy *proxy, bool anew)
{
    tidemill_status status = TIDEMILL_OK;
    atomic_store(&proxy->engine->interrupted, false);
    mill_proxy_bury(proxy);
    if (proxy->tether.child == NULL && anew) status = mill_proxy_start(proxy);
    mill_tether_allow(&proxy->tether, proxy->config.deadline);
    if (proxy->tether.child && status == TIDEMILL_OK) status = send_wishes(proxy);
    return status;
}

tidemill_status mill_proxy_begin(struct mill_proxy *proxy, enum mill_request what, bool anew,
                                 struct mill_outbox *outbox)
{
    tidemill_status status = proxy->depth == 0 ? begin_time(proxy, anew) : TIDEMILL_OK;
    if (status != TIDEMILL_OK) return status;
    if (proxy->tether.child == NULL) {
        return mill_fail(&proxy->engine->error, TIDEMILL_ERROR,
                         "there is no script any more: %s; run one", proxy->tether.lost);
    }
    proxy->tether.begun = true;
    put_request(proxy, what, outbox);
    return TIDEMILL_OK;
}

/* ---- what is asked ---------------------------------------------------------------------- */

tidemill_status mill_proxy_run(struct tidemill *engine, enum mill_request what,
                               const char *name, const char *code, int argc, char **argv)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    tidemill_status status = mill_proxy_begin(engine->proxy, what, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    mill_proxy_phrase(&outbox.wire, name);
    mill_proxy_phrase(&outbox.wire, code);
    mill_packer_size(&outbox.wire.out, (uint64_t)argc);
    for (int i = 0; i < argc; i++) mill_proxy_phrase(&outbox.wire, argv[i]);
    return mill_proxy_end(engine->proxy, &outbox, &nothing);
}

tidemill_status mill_proxy_result(struct tidemill *engine, struct mill_value *value)
{
    struct mill_outbox outbox;
    struct mill_reply_place place = {.values = value, .count = 1};
    tidemill_status status =
        mill_proxy_begin(engine->proxy, MILL_REQUEST_RESULT, false, &outbox);
    return status == TIDEMILL_OK ? mill_proxy_end(engine->proxy, &outbox, &place) : status;
}

/* A request whose answer is a text. */
static tidemill_status ask_for_text(struct mill_proxy *proxy, struct mill_outbox *outbox,
                                    char **text)
{
    struct mill_reply_place place = {.text = text};
    tidemill_status status = mill_proxy_end(proxy, outbox, &place);
    if (status != TIDEMILL_OK || text == NULL || *text) return status;
    return mill_no_memory(&proxy->engine->error, "text");
}

tidemill_status mill_proxy_result_json(struct tidemill *engine, char **text)
{
    struct mill_outbox outbox;
    tidemill_status status =
        mill_proxy_begin(engine->proxy, MILL_REQUEST_RESULT_JSON, false, &outbox);
    return status == TIDEMILL_OK ? ask_for_text(engine->proxy, &outbox, text) : status;
}

tidemill_status mill_proxy_session(struct tidemill *engine, enum mill_request what,
                                   const char *text, char **answer)
{
    struct mill_outbox outbox;
    tidemill_status status = mill_proxy_begin(engine->proxy, what, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    mill_proxy_phrase(&outbox.wire, text);
    return ask_for_text(engine->proxy, &outbox, answer);
}

tidemill_status mill_proxy_call(struct tidemill *engine, const char *name,
                                const struct mill_value *arguments, size_t count,
                                struct mill_value *results, size_t wanted)
{
    struct mill_outbox outbox;
    struct mill_reply_place place = {.values = results, .count = wanted};
    if (count > MILL_PROXY_MOST || wanted > MILL_PROXY_MOST) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "%s: more than 200 arguments or results", name);
    }
    tidemill_status status = mill_proxy_begin(engine->proxy, MILL_REQUEST_CALL, false, &outbox);
    if (status != TIDEMILL_OK) return status;
    mill_proxy_phrase(&outbox.wire, name);
    mill_packer_size(&outbox.wire.out, wanted);
    mill_proxy_arguments(&outbox.wire, arguments, count);
    return mill_proxy_end(engine->proxy, &outbox, &place);
}
