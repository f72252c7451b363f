/* proxy: an engine whose script runs in a process of its own.  SPDX-License-Identifier: MIT */
#include "bind/proxy.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/room.h"
#include "bind/api_function.h"
#include "bind/processes.h"
#include "bind/proxy_inside.h"

enum { ANSWER_LEAST = 64 << 20, OPEN_WITHIN = 60, REST_WITHIN = 15 };

bool mill_proxy_is_wanted(const tidemill_config *config)
{
    return config->sandbox != 0 || config->deadline > 0 || config->memory > 0;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void put_setup(struct mill_wire *wire, int64_t number)
{
    mill_packer_bytes(&wire->out, &number, sizeof number);
}

static void put_phrases(struct mill_wire *wire, char *const *words)
{
    size_t count = 0;
    while (words && words[count]) count++;
    mill_packer_size(&wire->out, count);
    for (size_t i = 0; i < count; i++) mill_proxy_phrase(wire, words[i]);
}

/* ---- beginning -------------------------------------------------------------------------- */

/* A script that may not touch files has no cache unless it is allowed. */
static const char *cache_of(const struct mill_proxy *proxy)
{
    return mill_confine_allows(&proxy->engine->confine, "cache") ? proxy->cache : "off";
}

/* The other end of the cord goes with it. */
static tidemill_status send_open(struct mill_proxy *proxy, int cord)
{
    struct mill_outbox outbox;
    const tidemill_config *config = &proxy->config;
    mill_outbox_begin(&outbox);
    struct mill_wire *wire = &outbox.wire;
    mill_packer_byte(&wire->out, MILL_MESSAGE_VERSION);
    put_setup(wire, config->workers);
    put_setup(wire, (int64_t)config->seed);
    put_setup(wire, config->progress);
    put_setup(wire, config->notes);
    put_setup(wire, config->sandbox);
    mill_proxy_phrase(wire, cache_of(proxy));
    put_phrases(wire, proxy->engine->confine.allow);
    put_phrases(wire, proxy->engine->confine.modules);
    put_phrases(wire, proxy->settings);
    wire->descriptors[wire->descriptor_count++] = cord;
    return mill_tether_send(&proxy->tether, &outbox, MILL_MESSAGE_OPEN);
}

static tidemill_status send_function(struct mill_proxy *proxy,
                                     const tidemill_function *function, uint64_t number)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    mill_outbox_begin(&outbox);
    mill_packer_byte(&outbox.wire.out, MILL_REQUEST_REGISTER);
    mill_proxy_phrase(&outbox.wire, function->name);
    mill_proxy_phrase(&outbox.wire, function->signature);
    mill_proxy_phrase(&outbox.wire, function->version);
    mill_packer_size(&outbox.wire.out, number);
    tidemill_status status = mill_tether_send(&proxy->tether, &outbox, MILL_MESSAGE_REQUEST);
    return status == TIDEMILL_OK ? mill_hearing_answer(&proxy->hearing, &nothing) : status;
}

static tidemill_status send_functions(struct mill_proxy *proxy)
{
    const tidemill_function *function;
    tidemill_status status = TIDEMILL_OK;
    for (uint64_t i = 0; status == TIDEMILL_OK; i++) {
        function = mill_host_at(proxy->engine, i);
        if (function == NULL) break;
        status = send_function(proxy, function, i);
    }
    return status;
}

/* The most that a script can mean to answer. */
static uint64_t most_of(const struct mill_proxy *proxy)
{
    uint64_t memory = proxy->config.memory;
    if (memory == 0) return UINT64_C(1) << 30;
    return memory < ANSWER_LEAST ? ANSWER_LEAST : memory;
}

tidemill_status mill_proxy_start(struct mill_proxy *proxy)
{
    struct mill_reply_place nothing = {0};
    tidemill_status status = mill_tether_start(&proxy->tether, proxy->program, most_of(proxy));
    if (status != TIDEMILL_OK) return status;
    proxy->wishes = 0;
    mill_tether_allow(&proxy->tether, OPEN_WITHIN);
    int cord;
    status = mill_errands_begin(&proxy->errands, proxy->tether.child, most_of(proxy), &cord,
                                &proxy->engine->error);
    if (status == TIDEMILL_OK) status = send_open(proxy, cord);
    if (cord >= 0) close(cord);
    if (status == TIDEMILL_OK) status = mill_hearing_answer(&proxy->hearing, &nothing);
    if (status == TIDEMILL_OK) status = send_functions(proxy);
    if (status != TIDEMILL_OK) mill_tether_end(&proxy->tether);
    return status;
}

/* ---- settings --------------------------------------------------------------------------- */

/* For processes to come. */
static tidemill_status keep_setting(struct mill_proxy *proxy, const char *name,
                                    const char *value)
{
    bool room =
        mill_room_set(&proxy->settings, proxy->setting_count + 3, sizeof *proxy->settings);
    char *name_copy = strdup(name), *value_copy = strdup(value);
    if (!room || name_copy == NULL || value_copy == NULL) {
        free(name_copy);
        free(value_copy);
        return mill_no_memory(&proxy->engine->error, "a setting");
    }
    proxy->settings[proxy->setting_count++] = name_copy;
    proxy->settings[proxy->setting_count++] = value_copy;
    proxy->settings[proxy->setting_count] = NULL;
    return TIDEMILL_OK;
}

tidemill_status mill_proxy_set(struct tidemill *engine, const char *name, const char *value)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    tidemill_status status = mill_proxy_begin(engine->proxy, MILL_REQUEST_SET, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    mill_proxy_phrase(&outbox.wire, name);
    mill_proxy_phrase(&outbox.wire, value);
    status = mill_proxy_end(engine->proxy, &outbox, &nothing);
    return status == TIDEMILL_OK ? keep_setting(engine->proxy, name, value) : status;
}

tidemill_status mill_proxy_register(struct tidemill *engine, const tidemill_function *function,
                                    uint64_t number)
{
    struct mill_proxy *proxy = engine->proxy;
    if (proxy->depth == 0) mill_proxy_bury(proxy);
    if (proxy->tether.child == NULL) {
        tidemill_status status = mill_proxy_start(proxy);
        if (status != TIDEMILL_OK) return status;
    }
    if (proxy->depth == 0) mill_tether_allow(&proxy->tether, OPEN_WITHIN);
    return send_function(proxy, function, number);
}

void mill_proxy_ring(struct mill_proxy *proxy)
{
    mill_tether_ring(&proxy->tether);
    mill_errands_ring(&proxy->errands);
}

/* ---- opening and closing ---------------------------------------------------------------- */

tidemill_status mill_proxy_open(struct tidemill *engine, const tidemill_config *config)
{
    struct mill_error *error = &engine->error;
    struct mill_proxy *proxy = engine->proxy = calloc(1, sizeof *proxy);
    if (proxy == NULL) return mill_no_memory(error, "a script's process");
    proxy->engine = engine;
    proxy->config = *config;
    proxy->tether = (struct mill_tether){.error = error,
                                         .deadline = config->deadline,
                                         .memory = config->memory,
                                         .errands = &proxy->errands};
    proxy->errands = (struct mill_errands){.engine = engine,
                                           .closed = config->sandbox != 0,
                                           .deadline = config->deadline,
                                           .memory = config->memory};
    tidemill_status status = mill_errands_init(&proxy->errands, error);
    proxy->hearing = (struct mill_hearing){engine, &proxy->tether, config->sandbox != 0};
    proxy->cache = config->cache ? strdup(config->cache) : NULL;
    if (!mill_tether_init(&proxy->tether) || (config->cache && proxy->cache == NULL)) {
        return mill_no_memory(error, "a script's process");
    }
    if (status == TIDEMILL_OK)
        status = mill_processes_program(engine, proxy->program, sizeof proxy->program, error);
    return status == TIDEMILL_OK ? mill_proxy_start(proxy) : status;
}

/* What calls have submitted may end, and what is to be kept is on disk, before the process goes. */
static void let_rest(struct mill_proxy *proxy)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    double patience = proxy->engine->patience;
    if (proxy->tether.child == NULL || !proxy->tether.begun) return;
    if (mill_proxy_begin(proxy, MILL_REQUEST_REST, false, &outbox) != TIDEMILL_OK) return;
    mill_packer_bytes(&outbox.wire.out, &patience, sizeof patience);
    mill_tether_allow(&proxy->tether, (patience > 0 ? patience : 0) + REST_WITHIN);
    mill_proxy_end(proxy, &outbox, &nothing);
}

void mill_proxy_close(struct tidemill *engine)
{
    struct mill_proxy *proxy = engine->proxy;
    if (proxy == NULL) return;
    let_rest(proxy);
    mill_tether_fini(&proxy->tether);
    mill_errands_fini(&proxy->errands);
    for (size_t i = 0; i < proxy->setting_count; i++) free(proxy->settings[i]);
    free(proxy->settings);
    free(proxy->cache);
    free(proxy);
    engine->proxy = NULL;
}
