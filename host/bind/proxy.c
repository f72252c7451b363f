/* proxy: an engine whose script runs in a process of its own.  SPDX-License-Identifier: MIT */
#include "bind/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/api_function.h"
#include "bind/gate.h"
#include "bind/hearing.h"
#include "bind/processes.h"

enum {
    PROGRAM_ROOM = 4200,
    CALL_MOST = 200,
    ANSWER_LEAST = 64 << 20,
    OPEN_WITHIN = 60,
    REST_WITHIN = 15
};

struct mill_proxy {
    struct tidemill *engine;
    struct mill_tether tether;
    struct mill_hearing hearing;
    struct mill_errands errands;
    char program[PROGRAM_ROOM];
    tidemill_config config; /* without its strings, */
    char *cache;            /* but for this copy */
    char **settings;        /* names and values in turn, as set; ends with NULL */
    size_t setting_count;
    int wishes; /* of a listener, as this process was told before a request */
    int depth;  /* requests that wait: more than one when a function of the host calls again */
};

bool mill_proxy_is_wanted(const tidemill_config *config)
{
    return config->sandbox != 0 || config->deadline > 0 || config->memory > 0;
}

/* ---- writing ---------------------------------------------------------------------------- */

static void put_phrase(struct mill_wire *wire, const char *text)
{
    mill_packer_text(&wire->out, text ? text : "", text ? strlen(text) : 0);
}

static void put_setup(struct mill_wire *wire, int64_t number)
{
    mill_packer_bytes(&wire->out, &number, sizeof number);
}

static void put_phrases(struct mill_wire *wire, char *const *words)
{
    size_t count = 0;
    while (words && words[count]) count++;
    mill_packer_size(&wire->out, count);
    for (size_t i = 0; i < count; i++) put_phrase(wire, words[i]);
}

static void put_arguments(struct mill_wire *wire, const struct mill_value *arguments,
                          size_t count)
{
    mill_packer_size(&wire->out, count);
    for (size_t i = 0; i < count; i++) {
        char where[32];
        snprintf(where, sizeof where, "argument %zu", i + 1);
        mill_wire_value(wire, &arguments[i], where);
    }
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
    put_phrase(wire, cache_of(proxy));
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
    put_phrase(&outbox.wire, function->name);
    put_phrase(&outbox.wire, function->signature);
    put_phrase(&outbox.wire, function->version);
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

static tidemill_status start_script(struct mill_proxy *proxy)
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

/* ---- requests --------------------------------------------------------------------------- */

static tidemill_status end_request(struct mill_proxy *proxy, struct mill_outbox *outbox,
                                   struct mill_reply_place *place)
{
    proxy->depth++;
    tidemill_status status = mill_tether_send(&proxy->tether, outbox, MILL_MESSAGE_REQUEST);
    if (status == TIDEMILL_OK) status = mill_hearing_answer(&proxy->hearing, place);
    proxy->depth--;
    return status;
}

/* A process that has gone while nobody was in a call. */
static void bury_lost(struct mill_proxy *proxy)
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
    return end_request(proxy, &outbox, &nothing);
}

/* Begins the time of a request that is in no other. */
static tidemill_status begin_time(struct mill_proxy *proxy, bool anew)
{
    tidemill_status status = TIDEMILL_OK;
    atomic_store(&proxy->engine->interrupted, false);
    bury_lost(proxy);
    if (proxy->tether.child == NULL && anew) status = start_script(proxy);
    mill_tether_allow(&proxy->tether, proxy->config.deadline);
    if (proxy->tether.child && status == TIDEMILL_OK) status = send_wishes(proxy);
    return status;
}

/* Begins one; `anew`: a process that is not there is started. */
static tidemill_status begin_request(struct mill_proxy *proxy, enum mill_request what,
                                     bool anew, struct mill_outbox *outbox)
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

tidemill_status mill_proxy_run(struct tidemill *engine, enum mill_request what,
                               const char *name, const char *code, int argc, char **argv)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    tidemill_status status = begin_request(engine->proxy, what, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    put_phrase(&outbox.wire, name);
    put_phrase(&outbox.wire, code);
    mill_packer_size(&outbox.wire.out, (uint64_t)argc);
    for (int i = 0; i < argc; i++) put_phrase(&outbox.wire, argv[i]);
    return end_request(engine->proxy, &outbox, &nothing);
}

tidemill_status mill_proxy_result(struct tidemill *engine, struct mill_value *value)
{
    struct mill_outbox outbox;
    struct mill_reply_place place = {.values = value, .count = 1};
    tidemill_status status = begin_request(engine->proxy, MILL_REQUEST_RESULT, false, &outbox);
    return status == TIDEMILL_OK ? end_request(engine->proxy, &outbox, &place) : status;
}

/* A request whose answer is a text. */
static tidemill_status ask_for_text(struct mill_proxy *proxy, struct mill_outbox *outbox,
                                    char **text)
{
    struct mill_reply_place place = {.text = text};
    tidemill_status status = end_request(proxy, outbox, &place);
    if (status != TIDEMILL_OK || text == NULL || *text) return status;
    return mill_no_memory(&proxy->engine->error, "text");
}

tidemill_status mill_proxy_result_json(struct tidemill *engine, char **text)
{
    struct mill_outbox outbox;
    tidemill_status status =
        begin_request(engine->proxy, MILL_REQUEST_RESULT_JSON, false, &outbox);
    return status == TIDEMILL_OK ? ask_for_text(engine->proxy, &outbox, text) : status;
}

tidemill_status mill_proxy_session(struct tidemill *engine, enum mill_request what,
                                   const char *text, char **answer)
{
    struct mill_outbox outbox;
    tidemill_status status = begin_request(engine->proxy, what, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    put_phrase(&outbox.wire, text);
    return ask_for_text(engine->proxy, &outbox, answer);
}

tidemill_status mill_proxy_call(struct tidemill *engine, const char *name,
                                const struct mill_value *arguments, size_t count,
                                struct mill_value *results, size_t wanted)
{
    struct mill_outbox outbox;
    struct mill_reply_place place = {.values = results, .count = wanted};
    if (count > CALL_MOST || wanted > CALL_MOST) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "%s: more than 200 arguments or results", name);
    }
    tidemill_status status = begin_request(engine->proxy, MILL_REQUEST_CALL, false, &outbox);
    if (status != TIDEMILL_OK) return status;
    put_phrase(&outbox.wire, name);
    mill_packer_size(&outbox.wire.out, wanted);
    put_arguments(&outbox.wire, arguments, count);
    return end_request(engine->proxy, &outbox, &place);
}

/* ---- jobs ------------------------------------------------------------------------------- */

static tidemill_status send_job(struct mill_proxy *proxy, uint64_t number,
                                const struct mill_value *options, const char *name,
                                const struct mill_value *arguments, size_t count)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    const struct mill_value none = mill_nil();
    tidemill_status status = begin_request(proxy, MILL_REQUEST_SUBMIT, false, &outbox);
    if (status != TIDEMILL_OK) return status;
    mill_packer_size(&outbox.wire.out, number);
    put_phrase(&outbox.wire, name);
    mill_wire_value(&outbox.wire, options ? options : &none, "the options");
    put_arguments(&outbox.wire, arguments, count);
    return end_request(proxy, &outbox, &nothing);
}

tidemill_status mill_proxy_submit(struct tidemill *engine, const struct mill_value *options,
                                  const char *name, const struct mill_value *arguments,
                                  size_t count, struct tidemill_job **out)
{
    struct mill_errands *errands = &engine->proxy->errands;
    if (count > CALL_MOST) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "submit: more than 200 arguments");
    }
    struct tidemill_job *job = mill_jobs_add_apart(engine);
    if (job) job->errand = mill_errands_add(errands, job, name);
    tidemill_status status = job && job->errand ? send_job(engine->proxy, job->errand, options,
                                                           name, arguments, count)
                                                : mill_no_memory(&engine->error, "a job");
    if (status == TIDEMILL_OK) {
        *out = job;
        return status;
    }
    if (job && job->errand) mill_errands_drop(errands, job->errand);
    if (job) mill_job_unref(job);
    return status;
}

void mill_proxy_cancel(struct tidemill *engine, uint64_t errand)
{
    mill_errands_cancel(&engine->proxy->errands, errand);
}

void mill_proxy_listen(struct tidemill *engine, int wishes)
{
    mill_errands_listen(&engine->proxy->errands, wishes);
}

/* So long from now; an interrupt ends the wait, and is used up by it. */
static bool wait_for_jobs(struct mill_proxy *proxy)
{
    double patience = proxy->engine->patience;
    int64_t deadline = patience < 0 ? mill_clock_now() : mill_clock_after(patience);
    bool ended = mill_errands_wait(&proxy->errands, deadline);
    atomic_store(&proxy->engine->interrupted, false);
    return ended;
}

void mill_proxy_end_jobs(struct tidemill *engine)
{
    struct mill_proxy *proxy = engine->proxy;
    bool at_once = engine->patience < 0 || atomic_exchange(&engine->interrupted, false);
    if (!at_once && wait_for_jobs(proxy)) return;
    mill_errands_close(&proxy->errands);
    mill_errands_cancel_all(&proxy->errands);
    if (wait_for_jobs(proxy)) return;
    mill_tether_end(&proxy->tether);
    while (!mill_errands_wait(&proxy->errands, INT64_MAX)) {
        atomic_store(&engine->interrupted, false); /* it takes no time */
    }
}

/* ---- settings --------------------------------------------------------------------------- */

/* For processes to come. */
static tidemill_status keep_setting(struct mill_proxy *proxy, const char *name,
                                    const char *value)
{
    char **grown =
        realloc(proxy->settings, (proxy->setting_count + 3) * sizeof *proxy->settings);
    char *name_copy = strdup(name), *value_copy = strdup(value);
    if (grown) proxy->settings = grown;
    if (grown == NULL || name_copy == NULL || value_copy == NULL) {
        free(name_copy);
        free(value_copy);
        return mill_no_memory(&proxy->engine->error, "a setting");
    }
    grown[proxy->setting_count++] = name_copy;
    grown[proxy->setting_count++] = value_copy;
    grown[proxy->setting_count] = NULL;
    return TIDEMILL_OK;
}

tidemill_status mill_proxy_set(struct tidemill *engine, const char *name, const char *value)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    tidemill_status status = begin_request(engine->proxy, MILL_REQUEST_SET, true, &outbox);
    if (status != TIDEMILL_OK) return status;
    put_phrase(&outbox.wire, name);
    put_phrase(&outbox.wire, value);
    status = end_request(engine->proxy, &outbox, &nothing);
    return status == TIDEMILL_OK ? keep_setting(engine->proxy, name, value) : status;
}

tidemill_status mill_proxy_register(struct tidemill *engine, const tidemill_function *function,
                                    uint64_t number)
{
    struct mill_proxy *proxy = engine->proxy;
    if (proxy->depth == 0) bury_lost(proxy);
    if (proxy->tether.child == NULL) {
        tidemill_status status = start_script(proxy);
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
    return status == TIDEMILL_OK ? start_script(proxy) : status;
}

/* What calls have submitted may end, and what is to be kept is on disk, before the process goes. */
static void let_rest(struct mill_proxy *proxy)
{
    struct mill_outbox outbox;
    struct mill_reply_place nothing = {0};
    double patience = proxy->engine->patience;
    if (proxy->tether.child == NULL || !proxy->tether.begun) return;
    if (begin_request(proxy, MILL_REQUEST_REST, false, &outbox) != TIDEMILL_OK) return;
    mill_packer_bytes(&outbox.wire.out, &patience, sizeof patience);
    mill_tether_allow(&proxy->tether, (patience > 0 ? patience : 0) + REST_WITHIN);
    end_request(proxy, &outbox, &nothing);
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
