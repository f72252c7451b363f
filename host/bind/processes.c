/* processes: the process lane of an engine.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/processes.h"

#include <dlfcn.h>
#include <luajit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/clock.h"
#include "bind/logline.h"
#include "bind/modules.h"
#include "bind/watch.h"
#include "cache/trust.h"
#include "lane/process.h"

struct mill_processes {
    struct mill_process lane;
    char program[4200];
};

/* ---- the program ---------------------------------------------------------------------------- */

/* Whether this code lies in the process's own program, and not in a library. */
static bool is_in_program(Dl_info *here)
{
    Dl_info program;
    void *entry = (void *)getauxval(AT_ENTRY);
    return dladdr((void *)(uintptr_t)mill_processes_close, here) && dladdr(entry, &program) &&
           here->dli_fbase == program.dli_fbase;
}

/* "tidemill" in a folder, or in the folder bin of one above it: where `make install` puts it. */
static bool find_beside(const char *path, char *out, size_t room)
{
    static const char *const places[] = {"", "/../bin", "/../../bin", "/../../../bin",
                                         "/../../../../bin"};
    const char *slash = strrchr(path, '/');
    int size = slash ? (int)(slash - path) : 1;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(out, room, "%.*s%s/tidemill", size, slash ? path : ".", places[i]);
        if (access(out, X_OK) == 0) return true;
    }
    return false;
}

tidemill_status mill_processes_program(struct tidemill *engine, char *out, size_t room,
                                       struct mill_error *error)
{
    Dl_info here = {.dli_fname = NULL};
    char path[4096];
    if (engine->worker_path) {
        snprintf(out, room, "%s", engine->worker_path);
        if (access(out, X_OK) == 0) return TIDEMILL_OK;
        return mill_fail(error, TIDEMILL_USAGE,
                         "worker_path: %s is no program that can be started", out);
    }
    if (is_in_program(&here)) {
        ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
        path[size > 0 ? size : 0] = '\0';
        const char *slash = strrchr(path, '/');
        if (slash && strcmp(slash, "/tidemill") == 0) {
            snprintf(out, room,
                     "/proc/self/exe"); /* also when the file was replaced meanwhile */
            return TIDEMILL_OK;
        }
    } else {
        snprintf(path, sizeof path, "%s", here.dli_fname ? here.dli_fname : "");
    }
    if (find_beside(path, out, room)) return TIDEMILL_OK;
    return mill_fail(error, TIDEMILL_USAGE,
                     "the process lane needs the program tidemill, which is not beside %.300s; "
                     "name it by the setting worker_path or the variable TIDEMILL_WORKER",
                     path);
}

/* ---- what children are told -------------------------------------------------------------------- */

static void put_string(struct mill_wire *wire, const char *text)
{
    mill_packer_text(&wire->out, text ? text : "", text ? strlen(text) : 0);
}

static void hello(void *context, struct mill_wire *wire)
{
    struct tidemill *engine = context;
    mill_packer_byte(&wire->out, MILL_MESSAGE_VERSION);
    mill_packer_bytes(&wire->out, &engine->seed, sizeof engine->seed);
    put_string(wire, engine->package_path);
    put_string(wire, engine->package_cpath);
    /* Its own limit, at shares of which it spills and collects as an engine does. */
    int64_t limit = engine->limit_setting.worker_bytes;
    if (limit == MILL_LIMIT_OFF) limit = MILL_LIMIT_AUTO;
    mill_packer_bytes(&wire->out, &limit, sizeof limit);
    put_string(wire, engine->limit_setting.folder);
    put_string(wire, engine->blas.wish);
    put_string(wire, engine->store ? mill_store_path(engine->store) : NULL);
}

static void put_module(void *context, const char *name, const char *path, const char *text,
                       size_t size)
{
    struct mill_wire *wire = context;
    put_string(wire, name);
    put_string(wire, path);
    mill_packer_text(&wire->out, text, size);
}

static void put_modules(void *context, size_t *modules, struct mill_wire *wire)
{
    struct tidemill *engine = context;
    size_t there = mill_modules_count(engine);
    mill_packer_size(&wire->out, there - *modules);
    mill_modules_each(engine, *modules, there, put_module, wire);
    *modules = there;
}

static void describe_order(void *context, struct mill_worker *worker, struct mill_order *order)
{
    struct tidemill *engine = context;
    const struct mill_lookup_worker *mine = &engine->lookup.workers[worker->index];
    order->log_level = atomic_load(&engine->log.level);
    if (worker->task->run->hooks.before == NULL) return;
    order->noted = mine->keyed || mine->noted;
    order->keyed = mine->keyed;
    order->key = mine->key;
}

/* ---- tasks that are away ------------------------------------------------------------------------ */

static void *set_aside(void *context, struct mill_worker *worker)
{
    struct tidemill *engine = context;
    struct mill_lookup_worker *kept = calloc(1, sizeof *kept);
    if (kept) mill_lookup_suspend(&engine->lookup, worker, kept);
    return kept;
}

static void take_up(void *context, struct mill_worker *worker, void *kept)
{
    struct tidemill *engine = context;
    mill_lookup_resume(&engine->lookup, worker, kept);
    free(kept);
}

static void drop_reads(void *context, void *kept)
{
    (void)context;
    mill_reads_fini(&((struct mill_lookup_worker *)kept)->reads);
    free(kept);
}

static void note_written(struct tidemill *engine, struct mill_worker *worker,
                         const struct mill_answer *answer)
{
    char path[256];
    snprintf(path, sizeof path, "%.*s", (int)answer->written_size, answer->written);
    mill_trust_writes(&engine->lookup, worker, path);
}

static void answered(void *context, struct mill_worker *worker,
                     const struct mill_answer *answer)
{
    struct tidemill *engine = context;
    atomic_fetch_add(&engine->degraded, (int64_t)answer->degraded);
    if (worker->task->run->hooks.before == NULL) return;
    mill_lookup_join(&engine->lookup, worker, answer->reads, answer->reads_size,
                     answer->unsound);
    if (answer->written_size > 0) note_written(engine, worker, answer);
    if (answer->impure) {
        mill_trust_impure(&engine->lookup, worker, "the time, a program or the like");
    }
}

static void failed(void *context, struct mill_task *task, const struct mill_value *error)
{
    mill_engine_report(context, task, error);
}

/* ---- what children say ---------------------------------------------------------------------------- */

static bool ready(void *context, struct mill_wire_reader *reader, struct mill_error *error)
{
    struct tidemill *engine = context;
    size_t release_size, luajit_size;
    uint8_t version = mill_unpacker_byte(&reader->in);
    const char *release = mill_unpacker_text(&reader->in, &release_size);
    const char *luajit = mill_unpacker_text(&reader->in, &luajit_size);
    if (release == NULL || luajit == NULL) release_size = luajit_size = 0;
    bool same = version == MILL_MESSAGE_VERSION && release_size == strlen(TIDEMILL_VERSION) &&
                memcmp(release, TIDEMILL_VERSION, release_size) == 0 &&
                luajit_size == strlen(LUAJIT_VERSION) &&
                memcmp(luajit, LUAJIT_VERSION, luajit_size) == 0;
    if (same) return true;
    mill_fail(
        error, TIDEMILL_UNSUPPORTED,
        "the worker process %s is of another release (%.*s with %.*s, and the engine is %s "
        "with %s)",
        engine->processes->program, (int)release_size, release ? release : "", (int)luajit_size,
        luajit ? luajit : "", TIDEMILL_VERSION, LUAJIT_VERSION);
    return false;
}

static void take_log_line(struct tidemill *engine, struct mill_worker *worker,
                          const char *bytes, size_t size)
{
    struct mill_log_line line;
    struct mill_unpacker in = {(const uint8_t *)bytes, (const uint8_t *)bytes + size, false};
    if (!mill_logline_take(&in, &line)) return;
    line.worker = worker->call.worker;
    mill_watch_log(engine);
    mill_log_add(&engine->log, &line);
    free((void *)line.fields);
}

static void text(void *context, struct mill_worker *worker, int kind, const char *bytes,
                 size_t size)
{
    struct tidemill *engine = context;
    switch (kind) {
    case MILL_TEXT_OUTPUT:
        mill_output_write(&engine->output, bytes, size);
        break;
    case MILL_TEXT_NOTE:
        mill_output_note(&engine->output, bytes, size);
        break;
    case MILL_TEXT_WARNING:
        mill_output_warn(&engine->output, "%.*s", (int)size, bytes);
        break;
    case MILL_TEXT_LOG:
        take_log_line(engine, worker, bytes, size);
        break;
    default:
        break;
    }
}

static void unasked(void *context, const char *name, size_t size, struct mill_value *error)
{
    mill_engine_add_unasked(context, NULL, strndup(name, size), error);
}

/* ---- what happens to them -------------------------------------------------------------------------- */

static void event(void *context, struct mill_worker *worker, enum mill_process_event what,
                  const char *task, const char *words)
{
    static const struct {
        enum mill_log_level level;
        const char *text;
        bool traced;
    } events[] = {
        [MILL_PROCESS_STARTED] = {MILL_LOG_DEBUG, "started a worker process", false},
        [MILL_PROCESS_CANCELLED] = {MILL_LOG_INFO, "killed a worker process", true},
        [MILL_PROCESS_TIMEOUT] = {MILL_LOG_WARN, "killed a worker process", true},
        [MILL_PROCESS_MEMORY] = {MILL_LOG_WARN, "killed a worker process", true},
        [MILL_PROCESS_DIED] = {MILL_LOG_WARN, "a worker process ended", true},
        [MILL_PROCESS_RESTARTED] = {MILL_LOG_WARN, "a task begins again", false},
    };
    struct tidemill *engine = context;
    if (events[what].traced && engine->trace) {
        int64_t now = mill_clock_now();
        mill_trace_event(engine->trace, worker->call.worker, MILL_TRACE_KILL, now, now, 0);
    }
    if (!mill_log_wants(&engine->log, events[what].level)) return;
    struct mill_log_field field = {
        .name = {"reason", 6}, .text = {words, strlen(words)}, .kind = MILL_LOG_STRING};
    struct mill_log_line line = {
        .level = events[what].level,
        .worker = worker->call.worker,
        .text = {events[what].text, strlen(events[what].text)},
        .task = {task, task ? strlen(task) : 0},
        .fields = &field,
        .field_count = 1,
    };
    mill_watch_log(engine);
    mill_log_add(&engine->log, &line);
}

/* ---- the lane ----------------------------------------------------------------------------------------- */

static const struct mill_process_hooks process_hooks = {
    .hello = hello,
    .before = put_modules,
    .describe = describe_order,
    .set_aside = set_aside,
    .take_up = take_up,
    .drop = drop_reads,
    .ready = ready,
    .text = text,
    .unasked = unasked,
    .answered = answered,
    .failed = failed,
    .event = event,
};

static tidemill_status open_lane(void *context, struct mill_worker *worker,
                                 struct mill_error *error)
{
    (void)worker;
    struct tidemill *engine = context;
    struct mill_processes *processes = calloc(1, sizeof *processes);
    if (processes == NULL) return mill_no_memory(error, "the process lane");
    struct mill_process *lane = &processes->lane;
    lane->bell = -1;
    lane->hooks = process_hooks;
    lane->hooks.context = engine;
    lane->program = processes->program;
    lane->most = engine->processes_most > 0 ? engine->processes_most : engine->workers;
    lane->limit = INT64_MAX;
    const struct mill_limit_setting *limits = &engine->limit_setting;
    if (limits->worker_bytes > 0) {
        double share = limits->shares[MILL_PRESSURE_TERMINATE];
        lane->limit = (int64_t)((double)limits->worker_bytes * share);
    }
    lane->memory = &engine->memory;
    lane->pool = &engine->pool;
    tidemill_status status =
        mill_processes_program(engine, processes->program, sizeof processes->program, error);
    if (status == TIDEMILL_OK) status = mill_process_init(lane, error);
    if (status == TIDEMILL_OK) {
        engine->processes = processes;
    } else {
        free(processes);
    }
    return status;
}

static void drive(void *context, struct mill_worker *worker)
{
    struct tidemill *engine = context;
    mill_process_drive(&engine->processes->lane, worker);
}

static void sleep_over(void *context, struct mill_worker *worker, int64_t deadline)
{
    struct tidemill *engine = context;
    mill_process_sleep(&engine->processes->lane, worker, deadline);
}

static void wake(void *context)
{
    struct tidemill *engine = context;
    mill_process_wake(&engine->processes->lane);
}

struct mill_lane_driver mill_processes_driver(struct tidemill *engine)
{
    return (struct mill_lane_driver){
        .open = open_lane,
        .drive = drive,
        .sleep = sleep_over,
        .wake = wake,
        .context = engine,
    };
}

void mill_processes_close(struct tidemill *engine)
{
    if (engine->processes == NULL) return;
    mill_process_fini(&engine->processes->lane);
    free(engine->processes);
    engine->processes = NULL;
}

static double number_of(_Atomic int64_t *counter)
{
    return (double)atomic_load_explicit(counter, memory_order_relaxed);
}

struct mill_process_counts mill_processes_counts(struct tidemill *engine)
{
    struct mill_processes *processes = engine->processes;
    if (processes == NULL) return (struct mill_process_counts){0};
    return (struct mill_process_counts){
        .children = number_of(&processes->lane.counts.children),
        .started = number_of(&processes->lane.counts.started),
        .restarted = number_of(&processes->lane.counts.restarted),
        .killed = number_of(&processes->lane.counts.killed),
        .timeouts = number_of(&processes->lane.counts.timeouts),
    };
}
