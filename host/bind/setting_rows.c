/* setting_rows: the table of settings, and how each reads and shows its value.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/setting_rows.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cpus.h"
#include "base/folders.h"
#include "base/units.h"
#include "bind/engine.h"
#include "bind/pairs.h"

char *mill_setting_print(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    return size < 0 ? NULL : text;
}

tidemill_status mill_setting_replace(char **place, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && copy == NULL) return TIDEMILL_MEMORY;
    free(*place);
    *place = copy;
    return TIDEMILL_OK;
}

/* A file's name, or off. */
static tidemill_status take_path(char **place, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    if (place == NULL) return TIDEMILL_OK;
    return mill_setting_replace(place, strcmp(text, "off") == 0 ? NULL : text);
}

int mill_setting_word(const char *text, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) return i;
    }
    return -1;
}

/* ---- one pair of functions a setting ----------------------------------------------------- */

static tidemill_status take_blas(struct tidemill *engine, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    return engine ? mill_setting_replace(&engine->blas.wish, text) : TIDEMILL_OK;
}

static char *show_blas(struct tidemill *engine)
{
    return strdup(engine->blas.wish ? engine->blas.wish : "auto");
}

static tidemill_status take_cache(struct tidemill *engine, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    return engine ? mill_setting_replace(&engine->cache_path, text) : TIDEMILL_OK;
}

static char *show_cache(struct tidemill *engine)
{
    if (engine->cache_path) return strdup(engine->cache_path);
    char *path = mill_user_file("XDG_CACHE_HOME", ".cache", "cache.db");
    return path ? path : strdup("off");
}

static const char *const distribution_names[] = {"dynamic", "round_robin", "load_balanced",
                                                 "affinity"};

static tidemill_status take_distribution(struct tidemill *engine, const char *text)
{
    int number = mill_setting_word(text, distribution_names, 4);
    if (number < 0) return TIDEMILL_USAGE;
    if (engine) engine->strategy = (enum mill_strategy)number;
    return TIDEMILL_OK;
}

static char *show_distribution(struct tidemill *engine)
{
    return strdup(distribution_names[engine->strategy]);
}

static const char *const lane_choices[] = {"auto", "thread", "loop", "process"};

static tidemill_status take_lane(struct tidemill *engine, const char *text)
{
    int number = mill_setting_word(text, lane_choices, 4);
    if (number < 0) return TIDEMILL_USAGE;
    if (engine) engine->lane = number - 1;
    return TIDEMILL_OK;
}

static char *show_lane(struct tidemill *engine)
{
    return strdup(lane_choices[engine->lane + 1]);
}

static tidemill_status take_log(struct tidemill *engine, const char *text)
{
    return take_path(engine ? &engine->log_path : NULL, text);
}

static char *show_log(struct tidemill *engine)
{
    return strdup(engine->log_path ? engine->log_path : "off");
}

static const char *const formats[] = {"auto", "text", "json"};

static tidemill_status take_log_format(struct tidemill *engine, const char *text)
{
    int number = mill_setting_word(text, formats, 3);
    if (number < 0) return TIDEMILL_USAGE;
    if (engine) engine->log_format = number;
    return TIDEMILL_OK;
}

static char *show_log_format(struct tidemill *engine)
{
    return strdup(formats[engine->log_format]);
}

static tidemill_status take_log_level(struct tidemill *engine, const char *text)
{
    int number = mill_setting_word(text, mill_log_level_names, MILL_LOG_LEVELS);
    if (number < 0) return TIDEMILL_USAGE;
    if (engine) atomic_store(&engine->log.level, number);
    return TIDEMILL_OK;
}

static char *show_log_level(struct tidemill *engine)
{
    return strdup(mill_log_level_names[atomic_load(&engine->log.level)]);
}

static tidemill_status take_seed(struct tidemill *engine, const char *text)
{
    char *end;
    uint64_t seed;
    errno = 0;
    if (strcmp(text, "random") == 0) {
        if (getrandom(&seed, sizeof seed, 0) != sizeof seed) return TIDEMILL_UNSUPPORTED;
        seed >>= 11; /* a Lua number holds it */
    } else {
        seed = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || errno) return TIDEMILL_USAGE;
    }
    if (engine) engine->seed = seed;
    return TIDEMILL_OK;
}

static char *show_seed(struct tidemill *engine)
{
    return mill_setting_print("%llu", (unsigned long long)engine->seed);
}

/* One pair of functions for each share of the memory's limit. */
#define SHARE(name, pressure)                                                                  \
    static tidemill_status take_##name(struct tidemill *engine, const char *text)              \
    {                                                                                          \
        return mill_limit_take_share(engine, pressure, text);                                  \
    }                                                                                          \
    static char *show_##name(struct tidemill *engine)                                          \
    {                                                                                          \
        return mill_limit_show_share(engine, pressure);                                        \
    }

SHARE(memory_target, MILL_PRESSURE_TARGET)
SHARE(memory_spill, MILL_PRESSURE_SPILL)
SHARE(memory_pause, MILL_PRESSURE_PAUSE)
SHARE(memory_terminate, MILL_PRESSURE_TERMINATE)
#undef SHARE

static tidemill_status take_trace(struct tidemill *engine, const char *text)
{
    return take_path(engine ? &engine->trace_path : NULL, text);
}

static char *show_trace(struct tidemill *engine)
{
    return strdup(engine->trace_path ? engine->trace_path : "off");
}

static tidemill_status take_trace_events(struct tidemill *engine, const char *text)
{
    int64_t number;
    if (!mill_units_whole(text, 1, INT32_MAX, &number)) return TIDEMILL_USAGE;
    if (engine) engine->trace_events = number;
    return TIDEMILL_OK;
}

static char *show_trace_events(struct tidemill *engine)
{
    return mill_setting_print("%lld", (long long)engine->trace_events);
}

static tidemill_status take_workers(struct tidemill *engine, const char *text)
{
    int64_t number;
    struct mill_cpus cpus;
    bool automatic = strcmp(text, "auto") == 0;
    if (!automatic && !mill_units_whole(text, 0, MILL_MAX_WORKERS, &number)) {
        return TIDEMILL_USAGE;
    }
    mill_cpus_count(&cpus);
    if (engine) engine->workers = automatic ? cpus.usable : (int)number;
    return TIDEMILL_OK;
}

static char *show_workers(struct tidemill *engine)
{
    return mill_setting_print("%d", engine->workers);
}

static tidemill_status take_processes(struct tidemill *engine, const char *text)
{
    int64_t number = 0;
    bool automatic = strcmp(text, "auto") == 0;
    if (!automatic && !mill_units_whole(text, 1, MILL_MAX_WORKERS, &number)) {
        return TIDEMILL_USAGE;
    }
    if (engine) engine->processes_most = (int)number;
    return TIDEMILL_OK;
}

static char *show_processes(struct tidemill *engine)
{
    return engine->processes_most ? mill_setting_print("%d", engine->processes_most)
                                  : strdup("auto");
}

static tidemill_status take_worker_path(struct tidemill *engine, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    if (engine == NULL) return TIDEMILL_OK;
    return mill_setting_replace(&engine->worker_path, strcmp(text, "auto") == 0 ? NULL : text);
}

static char *show_worker_path(struct tidemill *engine)
{
    return strdup(engine->worker_path ? engine->worker_path : "auto");
}

/* ---- the table --------------------------------------------------------------------------- */

static const char a_share[] = "a share of the limit: a number above 0, at most 1";

const struct mill_setting_row mill_setting_rows[] = {
    {"adaptive", MILL_SETTING_PAIRS, false, MILL_BEFORE_WORKERS,
     "on, off, or of minimum=WORKERS,maximum=WORKERS,interval=TIME, "
     "with 1 <= minimum <= maximum <= 1024",
     mill_pairs_take_adaptive, mill_pairs_show_adaptive},
    {"blas", MILL_SETTING_TEXT, true, MILL_BEFORE_BLAS, "auto, none, or a library's file",
     take_blas, show_blas},
    {"cache", MILL_SETTING_TEXT, true, MILL_BEFORE_CACHE, "a file's name, or off", take_cache,
     show_cache},
    {"cache.all", MILL_SETTING_TEXT, false, MILL_BEFORE_WORKERS,
     "off, or on: tasks that say nothing have cache = \"auto\"", mill_keep_take_all,
     mill_keep_show_all},
    {"cache.entries", MILL_SETTING_NUMBER, false, MILL_BEFORE_CACHE,
     "off, or a whole number from 1", mill_keep_take_entries, mill_keep_show_entries},
    {"cache.limit", MILL_SETTING_TEXT, false, MILL_BEFORE_CACHE,
     "auto, off, or a size of at least 1MB, such as 512MB or 20GiB", mill_keep_take_limit,
     mill_keep_show_limit},
    {"cache.ttl", MILL_SETTING_TEXT, false, MILL_BEFORE_CACHE,
     "off, or a time such as 12h or 30d", mill_keep_take_ttl, mill_keep_show_ttl},
    {"distribution", MILL_SETTING_TEXT, false, MILL_BEFORE_WORKERS,
     "dynamic, round_robin, load_balanced or affinity", take_distribution, show_distribution},
    {"lane", MILL_SETTING_TEXT, false, MILL_BEFORE_WORKERS,
     "auto, thread, loop or process (the serial lane is workers = 0)", take_lane, show_lane},
    {"log", MILL_SETTING_TEXT, true, MILL_BEFORE_LOG, "a file's name, - for stderr, or off",
     take_log, show_log},
    {"log_format", MILL_SETTING_TEXT, false, MILL_BEFORE_LOG,
     "text, json, or auto: by the file's name", take_log_format, show_log_format},
    {"log_level", MILL_SETTING_TEXT, false, MILL_ALWAYS, "debug, info, warn or error",
     take_log_level, show_log_level},
    {"memory.limit", MILL_SETTING_TEXT, false, MILL_BEFORE_WORKERS,
     "auto, off, or a size such as 512MB, 2GiB or 50%", mill_limit_take, mill_limit_show},
    {"memory.pause", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS, a_share,
     take_memory_pause, show_memory_pause},
    {"memory.spill", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS, a_share,
     take_memory_spill, show_memory_spill},
    {"memory.target", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS, a_share,
     take_memory_target, show_memory_target},
    {"memory.terminate", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS, a_share,
     take_memory_terminate, show_memory_terminate},
    {"memory.worker_limit", MILL_SETTING_TEXT, false, MILL_BEFORE_WORKERS,
     "off, or a size such as 512MB, 2GiB or 50%", mill_limit_take_worker,
     mill_limit_show_worker},
    {"processes", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS,
     "auto (as many as workers) or 1 to 1024", take_processes, show_processes},
    {"resources", MILL_SETTING_PAIRS, false, MILL_BEFORE_WORKERS,
     "off, or NAME=LIMIT,NAME=LIMIT with limits above 0", mill_pairs_take_resources,
     mill_pairs_show_resources},
    {"seed", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS,
     "a whole number from 0, or random", take_seed, show_seed},
    {"spill_folder", MILL_SETTING_TEXT, true, MILL_BEFORE_WORKERS, "a folder's name, or auto",
     mill_limit_take_folder, mill_limit_show_folder},
    {"trace", MILL_SETTING_TEXT, true, MILL_BEFORE_WORKERS, "a file's name, or off", take_trace,
     show_trace},
    {"trace_events", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS, "a whole number from 1",
     take_trace_events, show_trace_events},
    {"worker_path", MILL_SETTING_TEXT, true, MILL_BEFORE_WORKERS,
     "auto, or the file of the program tidemill", take_worker_path, show_worker_path},
    {"workers", MILL_SETTING_NUMBER, false, MILL_BEFORE_WORKERS,
     "auto, 0 (serial) or 1 to 1024", take_workers, show_workers},
};

_Static_assert(sizeof mill_setting_rows / sizeof mill_setting_rows[0] == MILL_SETTING_COUNT,
               "rows of the table");
