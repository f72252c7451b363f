/* limit: how much memory an engine may take.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/units.h"
#include "bind/engine.h"
#include "bind/watch.h"

static const char *const share_names[MILL_PRESSURES] = {NULL, "memory.target", "memory.spill",
                                                        "memory.pause", "memory.terminate"};

/* ---- settings ----------------------------------------------------------------------------- */

/* A share counts of what the process may have at all. */
static tidemill_status bytes_of(const char *text, int64_t *bytes)
{
    struct mill_machine_memory memory = {0};
    if (strchr(text, '%')) mill_machine_memory("", &memory);
    if (!mill_units_bytes(text, memory.total, bytes) || *bytes < 1) return TIDEMILL_USAGE;
    return TIDEMILL_OK;
}

static char *limit_text(int64_t bytes)
{
    char *text;
    if (bytes == MILL_LIMIT_AUTO) return strdup("auto");
    if (bytes == MILL_LIMIT_OFF) return strdup("off");
    return asprintf(&text, "%lld", (long long)bytes) < 0 ? NULL : text;
}

tidemill_status mill_limit_take(struct tidemill *engine, const char *text)
{
    int64_t bytes = MILL_LIMIT_AUTO;
    if (strcmp(text, "off") == 0) {
        bytes = MILL_LIMIT_OFF;
    } else if (strcmp(text, "auto") != 0) {
        if (bytes_of(text, &bytes) != TIDEMILL_OK) return TIDEMILL_USAGE;
    }
    if (engine) engine->limit_setting.bytes = bytes;
    return TIDEMILL_OK;
}

char *mill_limit_show(struct tidemill *engine)
{
    return limit_text(engine->limit_setting.bytes);
}

tidemill_status mill_limit_take_worker(struct tidemill *engine, const char *text)
{
    int64_t bytes = MILL_LIMIT_OFF;
    if (strcmp(text, "off") != 0 && bytes_of(text, &bytes) != TIDEMILL_OK) {
        return TIDEMILL_USAGE;
    }
    if (engine) engine->limit_setting.worker_bytes = bytes;
    return TIDEMILL_OK;
}

char *mill_limit_show_worker(struct tidemill *engine)
{
    return limit_text(engine->limit_setting.worker_bytes);
}

tidemill_status mill_limit_take_share(struct tidemill *engine, enum mill_pressure pressure,
                                      const char *text)
{
    double share;
    if (!mill_units_number(text, &share) || !(share > 0 && share <= 1)) return TIDEMILL_USAGE;
    if (engine) engine->limit_setting.shares[pressure] = share;
    return TIDEMILL_OK;
}

char *mill_limit_show_share(struct tidemill *engine, enum mill_pressure pressure)
{
    char number[MILL_JSON_NUMBER];
    mill_json_number(number, engine->limit_setting.shares[pressure]);
    return strdup(number);
}

tidemill_status mill_limit_take_folder(struct tidemill *engine, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    if (engine == NULL) return TIDEMILL_OK;
    char *copy = strcmp(text, "auto") == 0 ? NULL : strdup(text);
    if (copy == NULL && strcmp(text, "auto") != 0) return TIDEMILL_MEMORY;
    free(engine->limit_setting.folder);
    engine->limit_setting.folder = copy;
    return TIDEMILL_OK;
}

char *mill_limit_show_folder(struct tidemill *engine)
{
    const char *folder = engine->limit_setting.folder;
    return strdup(folder ? folder : "auto");
}

/* ---- telling ------------------------------------------------------------------------------ */

static struct mill_log_text log_text(const char *text)
{
    return (struct mill_log_text){text, strlen(text)};
}

static struct mill_log_field log_number(const char *name, double number)
{
    return (struct mill_log_field){
        .name = log_text(name), .number = number, .kind = MILL_LOG_NUMBER};
}

static void add_line(struct tidemill *engine, const char *text,
                     const struct mill_log_field *fields, int count)
{
    struct mill_log_line line = {
        .level = MILL_LOG_INFO,
        .text = log_text(text),
        .fields = fields,
        .field_count = count,
    };
    if (!mill_log_wants(&engine->log, MILL_LOG_INFO)) return;
    mill_watch_log(engine);
    mill_log_add(&engine->log, &line);
}

static void note_spill(void *context, int64_t blocks, int64_t bytes, int64_t begin, int64_t end)
{
    struct tidemill *engine = context;
    struct mill_log_field fields[] = {
        log_number("blocks", (double)blocks),
        log_number("bytes", (double)bytes),
        log_number("seconds", (double)(end - begin) / 1e9),
    };
    add_line(engine, "spilled to disk", fields, 3);
    if (engine->trace == NULL) return;
    mill_trace_event(engine->trace, MILL_TRACE_SCRIPT, MILL_TRACE_SPILL, begin, end, bytes);
}

static void note_pressure(void *context, enum mill_pressure before, enum mill_pressure after)
{
    struct tidemill *engine = context;
    bool pauses = after >= MILL_PRESSURE_PAUSE;
    if (pauses == (before >= MILL_PRESSURE_PAUSE)) return;
    struct mill_log_field fields[] = {
        log_number("used", (double)mill_memory_used(&engine->memory)),
        log_number("limit", (double)engine->memory.limit),
    };
    add_line(engine, pauses ? "memory is short: nothing new is begun" : "memory suffices again",
             fields, 2);
    if (engine->trace == NULL) return;
    int64_t now = mill_clock_now();
    mill_trace_event(engine->trace, MILL_TRACE_SCRIPT,
                     pauses ? MILL_TRACE_PAUSE : MILL_TRACE_GO_ON, now, now,
                     mill_memory_used(&engine->memory));
}

/* ---- beginning and ending ----------------------------------------------------------------- */

void mill_limit_init(struct tidemill *engine)
{
    engine->limit_setting = (struct mill_limit_setting){
        .bytes = MILL_LIMIT_AUTO,
        .shares = {0, 0.60, 0.70, 0.80, 0.95},
    };
    mill_spill_init(&engine->spill, &engine->memory);
    engine->spill.warn = mill_engine_warn;
    engine->spill.note = note_spill;
    engine->spill.context = engine;
    engine->memory.changed = note_pressure;
    engine->memory.context = engine;
}

void mill_limit_fini(struct tidemill *engine)
{
    mill_memory_close(&engine->memory);
    mill_spill_fini(&engine->spill);
    engine->memory.changed = NULL;
    free(engine->limit_setting.folder);
}

/* What the machine gives: the limit of the control group, which the kernel enforces, else most of the
 * memory that is built in. */
static int64_t limit_of_machine(void)
{
    struct mill_machine_memory memory;
    mill_machine_memory("", &memory);
    return memory.limit > 0 && memory.limit == memory.total ? memory.limit
                                                            : memory.installed / 10 * 9;
}

static tidemill_status check_shares(const struct mill_limit_setting *setting,
                                    struct mill_error *error)
{
    for (int i = MILL_PRESSURE_TARGET + 1; i < MILL_PRESSURES; i++) {
        if (setting->shares[i] >= setting->shares[i - 1]) continue;
        char below[MILL_JSON_NUMBER], above[MILL_JSON_NUMBER];
        mill_json_number(below, setting->shares[i]);
        mill_json_number(above, setting->shares[i - 1]);
        return mill_fail(error, TIDEMILL_USAGE,
                         "%s: %s is below %s, %s; expected memory.target <= memory.spill <= "
                         "memory.pause <= memory.terminate",
                         share_names[i], below, share_names[i - 1], above);
    }
    return TIDEMILL_OK;
}

double mill_limit_room(const struct tidemill *engine)
{
    static const double least = 4 << 20, most = 16 << 20;
    double room = (double)engine->memory.limit / 32;
    if (engine->memory.limit == 0 || room > most) return most;
    return room < least ? least : room;
}

tidemill_status mill_limit_start(struct tidemill *engine, struct mill_error *error)
{
    const struct mill_limit_setting *setting = &engine->limit_setting;
    tidemill_status status = check_shares(setting, error);
    if (status != TIDEMILL_OK) return status;
    if (!mill_spill_set_folder(&engine->spill, setting->folder)) {
        return mill_no_memory(error, "configuration");
    }
    int64_t limit = setting->bytes == MILL_LIMIT_AUTO ? limit_of_machine() : setting->bytes;
    mill_memory_set_limit(&engine->memory, limit, setting->shares);
    engine->scope.own.room = mill_limit_room(engine);
    return TIDEMILL_OK;
}
