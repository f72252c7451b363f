/* proxy_inside: the parts of a proxy, for its own files.  SPDX-License-Identifier: MIT */
#ifndef MILL_PROXY_INSIDE_H
#define MILL_PROXY_INSIDE_H

#include "bind/hearing.h"
#include "bind/proxy.h"

enum { MILL_PROXY_PROGRAM = 4200, MILL_PROXY_MOST = 200 /* arguments or results */ };

struct mill_proxy {
    struct tidemill *engine;
    struct mill_tether tether;
    struct mill_hearing hearing;
    struct mill_errands errands;
    char program[MILL_PROXY_PROGRAM];
    tidemill_config config; /* without its strings, */
    char *cache;            /* but for this copy */
    char **settings;        /* names and values in turn, as set; ends with NULL */
    size_t setting_count;
    int wishes; /* of a listener, as this process was told before a request */
    int depth;  /* requests that wait: more than one when a function of the host calls again */
};

/* Starts the script's process, with all that it is to know. */
tidemill_status mill_proxy_start(struct mill_proxy *proxy);

/* A process that has gone while nobody was in a call. */
void mill_proxy_bury(struct mill_proxy *proxy);

/* Begins a request; `anew`: a process that is not there is started. */
tidemill_status mill_proxy_begin(struct mill_proxy *proxy, enum mill_request what, bool anew,
                                 struct mill_outbox *outbox);

/* Sends it, and waits for the answer. */
tidemill_status mill_proxy_end(struct mill_proxy *proxy, struct mill_outbox *outbox,
                               struct mill_reply_place *place);

/* What requests are made of. */
void mill_proxy_phrase(struct mill_wire *wire, const char *text); /* NULL: none */
void mill_proxy_arguments(struct mill_wire *wire, const struct mill_value *arguments,
                          size_t count);

#endif
