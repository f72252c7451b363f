/* serve: what a worker process does.
 *
 * A second thread does nothing but wait for the engine to go: then the process ends at once,
 * whatever its task does.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/serve.h"

#include <luajit.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bind/logline.h"
#include "bind/modules.h"
#include "bind/remote.h"
#include "bind/runner.h"
#include "bind/stock.h"
#include "lane/message.h"
#include "sched/await.h"
#include "sched/roots.h"

static const double PUT_PATIENCE = 10; /* seconds for what a task has put to come on disk */

struct mill_serve {
    struct tidemill *engine;
    int socket;
    struct mill_stock stock;
    struct mill_order order; /* the running task's */
    double *seconds;
    const struct mill_task *task;
    bool worth;
    char *written; /* by the running task: the first; NULL: nothing */
    struct mill_inbox inbox;
    struct mill_remotes remotes;
};

/* ---- the engine's end ------------------------------------------------------------------------- */

static void *watch(void *argument)
{
    int socket = (int)(intptr_t)argument;
    struct pollfd end = {.fd = socket, .events = POLLRDHUP};
    while (poll(&end, 1, -1) < 0 || !(end.revents & (POLLRDHUP | POLLHUP | POLLERR))) {}
    if (getpgrp() == getpid()) kill(0, SIGKILL); /* with all that the task has started */
    _exit(0);
}

static bool start_watching(int socket)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failure = pthread_create(&thread, &attributes, watch, (void *)(intptr_t)socket);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failure == 0;
}

/* ---- sending ------------------------------------------------------------------------------------ */

/* False: the engine has gone, or the message could not be made. */
static bool send_off(struct mill_serve *serve, struct mill_outbox *outbox,
                     enum mill_message_kind kind)
{
    bool fine = mill_wire_is_fine(&outbox->wire);
    if (fine) {
        mill_outbox_close(outbox, kind);
        fine = mill_outbox_send(outbox, serve->socket, true) == MILL_TRANSFER_DONE;
    }
    mill_outbox_fini(outbox);
    return fine;
}

static bool say(void *context, int kind, const char *bytes, size_t size)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_byte(&outbox.wire.out, (uint8_t)kind);
    mill_packer_bytes(&outbox.wire.out, bytes, size);
    return send_off(context, &outbox, MILL_MESSAGE_TEXT);
}

void mill_serve_log(struct tidemill *engine, const struct mill_log_line *line)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_byte(&outbox.wire.out, MILL_TEXT_LOG);
    mill_logline_put(&outbox.wire.out, line);
    send_off(engine->serve, &outbox, MILL_MESSAGE_TEXT);
}

/* ---- what orders mention ------------------------------------------------------------------------- */

static struct mill_function *function_of(void *context, uint32_t number)
{
    return mill_stock_function(&((struct mill_serve *)context)->stock, number);
}

static struct mill_shared *find_share(void *context, struct mill_hash hash)
{
    return mill_stock_find(&((struct mill_serve *)context)->stock, hash);
}

static void keep_share(void *context, struct mill_hash hash, struct mill_shared *shared)
{
    mill_stock_keep(&((struct mill_serve *)context)->stock, hash, shared);
}

static struct mill_shared *borrow(void *context, uint64_t number, uint64_t size)
{
    struct mill_serve *serve = context;
    return mill_remotes_borrow(&serve->remotes, number, size);
}

static uint64_t lend(void *context, struct mill_shared *shared, uint64_t *size)
{
    struct mill_serve *serve = context;
    *size = 0;
    return mill_remotes_lend(&serve->remotes, shared);
}

/* ---- orders ------------------------------------------------------------------------------------- */

/* The function of an order, made of what came with it or found; 0: failed. */
static uint32_t take_function(struct mill_serve *serve, const struct mill_order *order,
                              struct mill_order_function *given)
{
    if (!order->has_function) return mill_stock_number(&serve->stock, order->serial);
    struct mill_function *function = mill_function_new(given->name);
    if (function) {
        function->serial = mill_pool_serial(&serve->engine->pool);
        function->loops = given->loops;
        function->outputs = given->outputs;
        function->code = given->code;
        function->retry_on = given->retry_on;
        given->code = given->retry_on = mill_nil();
    }
    return mill_stock_add(&serve->stock, order->serial, function);
}

/* Modules of the script that are new since the last order. */
static bool take_modules(struct mill_serve *serve, struct mill_wire_reader *reader)
{
    uint64_t count = mill_unpacker_size(&reader->in);
    for (uint64_t i = 0; i < count && !reader->in.bad; i++) {
        const char *parts[3];
        size_t sizes[3];
        for (int k = 0; k < 3; k++) parts[k] = mill_unpacker_text(&reader->in, &sizes[k]);
        if (reader->in.bad) break;
        char *name = strndup(parts[0], sizes[0]), *path = strndup(parts[1], sizes[1]);
        bool kept =
            name && path && mill_modules_keep(serve->engine, name, path, parts[2], sizes[2]);
        free(name);
        free(path);
        if (!kept) return false;
    }
    return !reader->in.bad;
}

/* ---- running a task --------------------------------------------------------------------------------- */

/* The hook before a task's body: the stream of its random numbers is the one it was sent with. */
static enum mill_verdict before(void *context, struct mill_worker *worker,
                                struct mill_task *task)
{
    struct mill_lookup *lookup = context;
    struct tidemill *engine =
        (struct tidemill *)(void *)((char *)lookup - offsetof(struct tidemill, lookup));
    struct mill_serve *serve = engine->serve;
    enum mill_verdict verdict = mill_lookup_hooks(lookup).before(context, worker, task);
    if (task->node->function == 0) return verdict;
    worker->call.stream[0] = serve->order.stream[0];
    worker->call.stream[1] = serve->order.stream[1];
    worker->call.worker = serve->order.worker;
    serve->task = task;
    return verdict;
}

const struct mill_order *mill_serve_order(const struct mill_worker *worker,
                                          struct tidemill *engine)
{
    const struct mill_serve *serve = engine->serve;
    return serve && worker->task && worker->task == serve->task ? &serve->order : NULL;
}

const double *mill_serve_seconds(const struct tidemill *engine)
{
    return engine->serve->seconds;
}

void mill_serve_note_worth(struct tidemill *engine)
{
    engine->serve->worth = true;
}

static struct mill_value text_value(const char *text)
{
    bool failed = false;
    return mill_string(text, strlen(text), &failed);
}

/* The run of one node and what it needs, to its end and that of all that it has started. */
static struct mill_run *run_node(struct mill_serve *serve, mill_handle handle,
                                 struct mill_error *error)
{
    struct tidemill *engine = serve->engine;
    uint32_t wanted = (uint32_t)handle;
    struct mill_run *run =
        mill_run_new(&engine->scope.graph, &wanted, 1, function_of, serve, error);
    if (run == NULL) return NULL;
    if (!mill_lookup_gather(&engine->lookup, run)) {
        mill_no_memory(error, "a run");
        mill_run_free(run);
        return NULL;
    }
    run->hooks.before = before;
    mill_run_set_parent(run, engine->token);
    if (mill_pool_submit(&engine->pool, run, NULL, error) != TIDEMILL_OK) {
        mill_run_free(run);
        return NULL;
    }
    mill_pool_wait(&engine->pool, run, INT64_MAX);
    mill_pool_wait_all(&engine->pool, INT64_MAX);
    return run;
}

static bool send_unasked(struct mill_serve *serve)
{
    char *task;
    struct mill_value error;
    if (!mill_engine_unasked(serve->engine, &task, &error)) return true;
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_text(&outbox.wire.out, task, strlen(task));
    mill_wire_value(&outbox.wire, &error, "an error");
    free(task);
    mill_value_unref(error);
    return send_off(serve, &outbox, MILL_MESSAGE_UNASKED);
}

tidemill_status mill_serve_check(struct tidemill *engine, const struct mill_value *value,
                                 const char *where, struct mill_error *error)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    outbox.wire.lend = lend;
    outbox.wire.context = engine->serve;
    mill_wire_value(&outbox.wire, value, where);
    tidemill_status status = TIDEMILL_OK;
    if (!mill_wire_is_fine(&outbox.wire)) {
        status = mill_fail(error, TIDEMILL_USAGE, "%s", outbox.wire.error.text);
    }
    mill_outbox_fini(&outbox);
    return status;
}

/* A result that cannot be sent is an error of the task. */
static bool send_answer(struct mill_serve *serve, const struct mill_answer *answer)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    outbox.wire.lend = lend;
    outbox.wire.context = serve;
    mill_answer_put(&outbox.wire, answer);
    if (mill_wire_is_fine(&outbox.wire)) {
        return send_off(serve, &outbox, MILL_MESSAGE_RESULT);
    }
    struct mill_answer failed = *answer;
    failed.state = MILL_FAILED;
    failed.worth = false;
    failed.value = text_value(outbox.wire.error.text);
    mill_outbox_fini(&outbox);
    mill_outbox_begin(&outbox);
    mill_answer_put(&outbox.wire, &failed);
    mill_value_unref(failed.value);
    return send_off(serve, &outbox, MILL_MESSAGE_RESULT);
}

static bool answer_run(struct mill_serve *serve, struct mill_run *run)
{
    struct mill_task *task = &run->tasks[run->wanted[0]];
    const struct mill_reads *reads = mill_lookup_gathered(run);
    struct mill_answer answer = {
        .state = mill_task_state(task),
        .worth = serve->worth,
        .unsound = reads->unsound,
        .impure = reads->impure,
        .degraded = (uint64_t)atomic_exchange(&serve->engine->degraded, 0),
        .reads = reads->bytes,
        .reads_size = reads->size,
        .written = serve->written,
        .written_size = serve->written ? strlen(serve->written) : 0,
        .value = task->result,
    };
    return send_unasked(serve) && send_answer(serve, &answer);
}

static bool answer_error(struct mill_serve *serve, const char *text)
{
    struct mill_answer answer = {.state = MILL_FAILED, .value = text_value(text)};
    bool sent = send_answer(serve, &answer);
    mill_value_unref(answer.value);
    return sent;
}

static bool run_order(struct mill_serve *serve, struct mill_wire_reader *reader,
                      uint32_t function)
{
    struct tidemill *engine = serve->engine;
    struct mill_graph *graph = &engine->scope.graph;
    mill_handle handle = mill_order_node(reader, graph, function);
    if (handle == 0) return answer_error(serve, "out of memory (a task's arguments)");
    serve->worth = false;
    atomic_store(&engine->log.level, serve->order.log_level);
    struct mill_error error;
    struct mill_run *run = run_node(serve, handle, &error);
    /* From here on the engine may end this process at any time. */
    if (engine->store) mill_store_flush(engine->store, PUT_PATIENCE);
    bool sent = run ? answer_run(serve, run) : answer_error(serve, error.text);
    serve->task = NULL;
    free(serve->written);
    serve->written = NULL;
    mill_remotes_leave(&serve->remotes);
    if (run) mill_run_free(run);
    mill_graph_unref(graph, (uint32_t)handle);
    return sent;
}

/* False: the engine has gone, or has sent what is no order. */
static bool obey(struct mill_serve *serve)
{
    struct mill_wire_reader reader;
    struct mill_order_function given;
    mill_inbox_open(&serve->inbox, &reader, &serve->engine->memory);
    reader.find = find_share;
    reader.keep = keep_share;
    reader.borrow = borrow;
    reader.context = serve;
    bool fine = take_modules(serve, &reader);
    /* What is to be forgotten is, before anything is read that takes its place. */
    if (fine && mill_order_forgets(&reader)) mill_stock_forget(&serve->stock);
    fine = fine && mill_order_take(&reader, &serve->order, &given, &serve->seconds);
    if (fine) {
        uint32_t function = take_function(serve, &serve->order, &given);
        mill_order_function_fini(&given);
        fine = function != 0 && run_order(serve, &reader, function);
        /* One that is asked for once only is not kept. */
        if (function != 0 && serve->order.serial == 0) mill_stock_drop_last(&serve->stock);
        free(serve->seconds);
        serve->seconds = NULL;
    }
    mill_wire_reader_fini(&reader);
    return fine;
}

/* ---- the beginning ------------------------------------------------------------------------------------ */

static char *take_copy(struct mill_wire_reader *reader)
{
    size_t size;
    const char *text = mill_unpacker_text(&reader->in, &size);
    return text ? strndup(text, size) : NULL;
}

/* The engine's setting, of which this process has the default, NULL; that of an empty text. */
static char *read_setting(struct mill_wire_reader *reader)
{
    char *text = take_copy(reader);
    if (text && *text) return text;
    free(text);
    return NULL;
}

static void wrote(void *context, const char *path)
{
    struct mill_serve *serve = ((struct tidemill *)context)->serve;
    if (serve->written == NULL) serve->written = strdup(path);
}

/* The engine's cache, for values that tasks put there themselves (tm.cache): opened when the first does.
 * The engine sees to its size. */
static void open_cache(struct tidemill *engine, char *path)
{
    engine->cache_path = path;
    engine->keep.bytes = 0;
    engine->cache_tried = path[0] == '\0';
}

static bool start_engine(struct mill_serve *serve, struct mill_wire_reader *reader)
{
    struct tidemill *engine = serve->engine;
    struct mill_error error;
    if (mill_unpacker_byte(&reader->in) != MILL_MESSAGE_VERSION) return false;
    engine->seed = mill_unpacker_word(&reader->in);
    engine->package_path = take_copy(reader);
    engine->package_cpath = take_copy(reader);
    engine->limit_setting.bytes = (int64_t)mill_unpacker_word(&reader->in);
    engine->limit_setting.folder = read_setting(reader);
    engine->blas.wish = read_setting(reader);
    engine->workers = 0;
    char *cache = take_copy(reader);
    engine->cache_tried = true; /* its tasks were looked for by the engine */
    if (cache == NULL || reader->in.bad) {
        free(cache);
        return false;
    }
    if (mill_engine_start(engine, &error) != TIDEMILL_OK ||
        !mill_runner_open(engine, &engine->pool.workers[0], &error)) {
        fprintf(stderr, "tidemill --worker: %s\n", error.text);
        free(cache);
        return false;
    }
    open_cache(engine, cache);
    engine->lookup.wrote = wrote;
    mill_engine_salt(engine, engine->scopes[0].L);
    return mill_stock_init(&serve->stock);
}

/* Says who this is: both sides must be of one kind. */
static bool send_ready(struct mill_serve *serve)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_byte(&outbox.wire.out, MILL_MESSAGE_VERSION);
    mill_packer_text(&outbox.wire.out, TIDEMILL_VERSION, strlen(TIDEMILL_VERSION));
    mill_packer_text(&outbox.wire.out, LUAJIT_VERSION, strlen(LUAJIT_VERSION));
    return send_off(serve, &outbox, MILL_MESSAGE_READY);
}

static bool greet(struct mill_serve *serve)
{
    struct mill_wire_reader reader;
    mill_inbox_open(&serve->inbox, &reader, &serve->engine->memory);
    bool fine = start_engine(serve, &reader);
    mill_wire_reader_fini(&reader);
    return fine && send_ready(serve);
}

static bool receive(struct mill_serve *serve, enum mill_message_kind kind)
{
    struct mill_memory *memory = &serve->engine->memory;
    while (mill_inbox_receive(&serve->inbox, serve->socket, true, memory) ==
           MILL_TRANSFER_DONE) {
        /* A notice may come for a task that has ended. */
        if (serve->inbox.head.kind != MILL_MESSAGE_NOTICE) {
            return serve->inbox.head.kind == kind;
        }
        mill_remotes_count(&serve->remotes);
        mill_inbox_clear(&serve->inbox);
    }
    return false;
}

static void close_serve(struct mill_serve *serve)
{
    mill_stock_fini(&serve->stock);
    mill_inbox_clear(&serve->inbox);
}

void mill_serve_sleep(void *engine, struct mill_worker *worker, int64_t until)
{
    (void)worker;
    mill_remotes_sleep(&((struct tidemill *)engine)->serve->remotes, until);
}

void mill_serve_wake(void *engine)
{
    mill_remotes_wake(&((struct tidemill *)engine)->serve->remotes);
}

int mill_serve_run(struct tidemill *engine, int socket)
{
    struct mill_serve serve = {.engine = engine, .socket = socket};
    signal(SIGPIPE, SIG_IGN); /* as in the command line: a write that fails says so */
    prctl(PR_SET_NAME, "tidemill worker");
    if (!start_watching(socket)) return 1;
    serve.remotes = (struct mill_remotes){
        .socket = socket, .pool = &engine->pool, .memory = &engine->memory};
    mill_remotes_init(&serve.remotes);
    engine->serve = &serve;
    engine->output.divert = say;
    engine->output.divert_context = &serve;
    bool fine = receive(&serve, MILL_MESSAGE_HELLO) && greet(&serve);
    mill_inbox_clear(&serve.inbox);
    while (fine) {
        fine = receive(&serve, MILL_MESSAGE_TASK) && obey(&serve);
        mill_inbox_clear(&serve.inbox);
    }
    close_serve(&serve);
    mill_engine_stop(engine); /* nobody rings the bell from here on */
    mill_remotes_fini(&serve.remotes);
    engine->serve = NULL;
    return 1;
}
