/* settings: what can be set, by whom, until when.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cpus.h"
#include "base/folders.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/units.h"
#include "bind/engine.h"

enum { MAX_RESOURCE_NAME = 63 };
static const double MAX_INTERVAL = 1e9; /* seconds */
static const double LEAST_LIMIT = 1e-6, MOST_LIMIT = 1e9;

/* Until when a setting can be set. */
enum moment { ALWAYS, BEFORE_WORKERS, BEFORE_CACHE, BEFORE_LOG, BEFORE_BLAS };

struct setting {
    const char *name;
    enum mill_setting_kind kind;
    bool path; /* it names a file: in tidemill.conf counted from the folder of that */
    enum moment until;
    const char *expected; /* completes: "x" is not ... */
    /* Reads the text: TIDEMILL_USAGE when it is wrong.  `engine` NULL: only looks. */
    tidemill_status (*take)(struct tidemill *engine, const char *text);
    char *(*show)(
        struct tidemill *engine); /* malloc'ed text that `take` reads; NULL: no memory */
};

static char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *print(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    return size < 0 ? NULL : text;
}

static tidemill_status replace(char **place, const char *text)
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
    return replace(place, strcmp(text, "off") == 0 ? NULL : text);
}

/* The number of a word among `count`; -1: none of them. */
static int word_of(const char *text, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) return i;
    }
    return -1;
}

/* ---- name=value,name=value --------------------------------------------------------------- */

struct pair {
    char name[MAX_RESOURCE_NAME + 1], value[64];
};

static const char *after_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

/* Copies `size` bytes without the blanks around them; false: they are none, or too many. */
static bool copy_word(char *out, size_t room, const char *from, size_t size)
{
    while (size > 0 && strchr(" \t", from[size - 1])) size--;
    if (size == 0 || size >= room) return false;
    memcpy(out, from, size);
    out[size] = '\0';
    return true;
}

/* Takes the first pair off the text; false: it does not begin with one. */
static bool next_pair(const char **text, struct pair *pair)
{
    const char *name = after_blanks(*text);
    size_t size = strcspn(name, "=,");
    if (name[size] != '=' || !copy_word(pair->name, sizeof pair->name, name, size))
        return false;
    const char *value = after_blanks(name + size + 1);
    size = strcspn(value, ",");
    if (!copy_word(pair->value, sizeof pair->value, value, size)) return false;
    *text = value + size;
    if (**text == ',') {
        ++*text;
        return *after_blanks(*text) != '\0'; /* a comma promises another one */
    }
    return true;
}

/* ---- one pair of functions a setting ----------------------------------------------------- */

static tidemill_status take_adaptive_pair(struct mill_adaptive_setting *adaptive,
                                          const struct pair *pair)
{
    static const char *const names[] = {"minimum", "maximum", "interval"};
    int64_t number;
    double seconds;
    int name = word_of(pair->name, names, 3);
    if (name < 0) return TIDEMILL_USAGE;
    if (name == 2) {
        if (!mill_units_seconds(pair->value, &seconds)) return TIDEMILL_USAGE;
        if (seconds < 0.001 || seconds > MAX_INTERVAL) return TIDEMILL_USAGE;
        adaptive->interval_ns = (int64_t)(seconds * 1e9);
        return TIDEMILL_OK;
    }
    if (!mill_units_whole(pair->value, 1, MILL_MAX_WORKERS, &number)) return TIDEMILL_USAGE;
    *(name == 0 ? &adaptive->minimum : &adaptive->maximum) = (int)number;
    return TIDEMILL_OK;
}

static struct mill_adaptive_setting default_adaptive(void)
{
    struct mill_cpus cpus;
    mill_cpus_count(&cpus);
    return (struct mill_adaptive_setting){
        .minimum = 1, .maximum = cpus.usable, .interval_ns = INT64_C(5000000000)};
}

static tidemill_status take_adaptive(struct tidemill *engine, const char *text)
{
    struct mill_adaptive_setting adaptive = default_adaptive();
    adaptive.enabled = strcmp(text, "off") != 0;
    if (adaptive.enabled && strcmp(text, "on") != 0) {
        do {
            struct pair pair;
            if (!next_pair(&text, &pair)) return TIDEMILL_USAGE;
            tidemill_status status = take_adaptive_pair(&adaptive, &pair);
            if (status != TIDEMILL_OK) return status;
        } while (*text);
        if (adaptive.minimum > adaptive.maximum) return TIDEMILL_USAGE;
    }
    if (engine) engine->adaptive_setting = adaptive;
    return TIDEMILL_OK;
}

static char *show_adaptive(struct tidemill *engine)
{
    const struct mill_adaptive_setting *adaptive = &engine->adaptive_setting;
    if (!adaptive->enabled) return strdup("off");
    char seconds[MILL_JSON_NUMBER];
    mill_json_number(seconds, (double)adaptive->interval_ns / 1e9);
    return print("minimum=%d,maximum=%d,interval=%s", adaptive->minimum, adaptive->maximum,
                 seconds);
}

static tidemill_status take_blas(struct tidemill *engine, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    return engine ? replace(&engine->blas.wish, text) : TIDEMILL_OK;
}

static char *show_blas(struct tidemill *engine)
{
    return strdup(engine->blas.wish ? engine->blas.wish : "auto");
}

static tidemill_status take_cache(struct tidemill *engine, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    return engine ? replace(&engine->cache_path, text) : TIDEMILL_OK;
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
    int number = word_of(text, distribution_names, 4);
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
    int number = word_of(text, lane_choices, 4);
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
    int number = word_of(text, formats, 3);
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
    int number = word_of(text, mill_log_level_names, MILL_LOG_LEVELS);
    if (number < 0) return TIDEMILL_USAGE;
    if (engine) atomic_store(&engine->log.level, number);
    return TIDEMILL_OK;
}

static char *show_log_level(struct tidemill *engine)
{
    return strdup(mill_log_level_names[atomic_load(&engine->log.level)]);
}

static void free_limits(struct mill_limit *limits, size_t count)
{
    for (size_t i = 0; i < count; i++) free(limits[i].name);
    free(limits);
}

static bool is_resource_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                                  "0123456789.-";
    return name[strspn(name, letters)] == '\0' && strcspn(name, "0123456789.-") > 0;
}

/* Adds one to a list that has room for it. */
static tidemill_status take_limit(struct mill_limit *limits, size_t *count,
                                  const struct pair *pair)
{
    double most;
    if (!is_resource_name(pair->name)) return TIDEMILL_USAGE;
    if (!mill_units_number(pair->value, &most)) return TIDEMILL_USAGE;
    if (most < LEAST_LIMIT || most > MOST_LIMIT) return TIDEMILL_USAGE;
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(limits[i].name, pair->name) == 0) return TIDEMILL_USAGE;
    }
    limits[*count].name = strdup(pair->name);
    if (limits[*count].name == NULL) return TIDEMILL_MEMORY;
    limits[(*count)++].most = most;
    return TIDEMILL_OK;
}

static tidemill_status take_resources(struct tidemill *engine, const char *text)
{
    size_t count = 0, room = 1;
    for (const char *at = text; *at; at++) room += *at == ',';
    struct mill_limit *limits = calloc(room, sizeof *limits);
    tidemill_status status = limits ? TIDEMILL_OK : TIDEMILL_MEMORY;
    bool none = strcmp(text, "off") == 0;
    while (status == TIDEMILL_OK && !none) {
        struct pair pair;
        status = next_pair(&text, &pair) ? take_limit(limits, &count, &pair) : TIDEMILL_USAGE;
        if (*text == '\0') break;
    }
    if (status == TIDEMILL_OK && engine) {
        free_limits(engine->limits, engine->limit_count);
        engine->limits = limits;
        engine->limit_count = count;
    } else {
        free_limits(limits, count);
    }
    return status;
}

static char *show_resources(struct tidemill *engine)
{
    char *text = strdup(engine->limit_count == 0 ? "off" : "");
    for (size_t i = 0; i < engine->limit_count && text; i++) {
        char number[MILL_JSON_NUMBER];
        mill_json_number(number, engine->limits[i].most);
        char *longer = print("%s%s%s=%s", text, i ? "," : "", engine->limits[i].name, number);
        free(text);
        text = longer;
    }
    return text;
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
    return print("%llu", (unsigned long long)engine->seed);
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
    return print("%lld", (long long)engine->trace_events);
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
    return print("%d", engine->workers);
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
    return engine->processes_most ? print("%d", engine->processes_most) : strdup("auto");
}

static tidemill_status take_worker_path(struct tidemill *engine, const char *text)
{
    if (*text == '\0') return TIDEMILL_USAGE;
    if (engine == NULL) return TIDEMILL_OK;
    return replace(&engine->worker_path, strcmp(text, "auto") == 0 ? NULL : text);
}

static char *show_worker_path(struct tidemill *engine)
{
    return strdup(engine->worker_path ? engine->worker_path : "auto");
}

/* ---- the table --------------------------------------------------------------------------- */

static const char a_share[] = "a share of the limit: a number above 0, at most 1";

static const struct setting settings[] = {
    {"adaptive", MILL_SETTING_PAIRS, false, BEFORE_WORKERS,
     "on, off, or of minimum=WORKERS,maximum=WORKERS,interval=TIME", take_adaptive,
     show_adaptive},
    {"blas", MILL_SETTING_TEXT, true, BEFORE_BLAS, "auto, none, or a library's file", take_blas,
     show_blas},
    {"cache", MILL_SETTING_TEXT, true, BEFORE_CACHE, "a file's name, or off", take_cache,
     show_cache},
    {"cache.all", MILL_SETTING_TEXT, false, BEFORE_WORKERS,
     "off, or on: tasks that say nothing have cache = \"auto\"", mill_keep_take_all,
     mill_keep_show_all},
    {"cache.entries", MILL_SETTING_NUMBER, false, BEFORE_CACHE, "off, or a whole number from 1",
     mill_keep_take_entries, mill_keep_show_entries},
    {"cache.limit", MILL_SETTING_TEXT, false, BEFORE_CACHE,
     "auto, off, or a size of at least 1MB, such as 512MB or 20GiB", mill_keep_take_limit,
     mill_keep_show_limit},
    {"cache.ttl", MILL_SETTING_TEXT, false, BEFORE_CACHE, "off, or a time such as 12h or 30d",
     mill_keep_take_ttl, mill_keep_show_ttl},
    {"distribution", MILL_SETTING_TEXT, false, BEFORE_WORKERS,
     "dynamic, round_robin, load_balanced or affinity", take_distribution, show_distribution},
    {"lane", MILL_SETTING_TEXT, false, BEFORE_WORKERS,
     "auto, thread, loop or process (the serial lane is workers = 0)", take_lane, show_lane},
    {"log", MILL_SETTING_TEXT, true, BEFORE_LOG, "a file's name, - for stderr, or off",
     take_log, show_log},
    {"log_format", MILL_SETTING_TEXT, false, BEFORE_LOG,
     "text, json, or auto: by the file's name", take_log_format, show_log_format},
    {"log_level", MILL_SETTING_TEXT, false, ALWAYS, "debug, info, warn or error",
     take_log_level, show_log_level},
    {"memory.limit", MILL_SETTING_TEXT, false, BEFORE_WORKERS,
     "auto, off, or a size such as 512MB, 2GiB or 50%", mill_limit_take, mill_limit_show},
    {"memory.pause", MILL_SETTING_NUMBER, false, BEFORE_WORKERS, a_share, take_memory_pause,
     show_memory_pause},
    {"memory.spill", MILL_SETTING_NUMBER, false, BEFORE_WORKERS, a_share, take_memory_spill,
     show_memory_spill},
    {"memory.target", MILL_SETTING_NUMBER, false, BEFORE_WORKERS, a_share, take_memory_target,
     show_memory_target},
    {"memory.terminate", MILL_SETTING_NUMBER, false, BEFORE_WORKERS, a_share,
     take_memory_terminate, show_memory_terminate},
    {"memory.worker_limit", MILL_SETTING_TEXT, false, BEFORE_WORKERS,
     "off, or a size such as 512MB, 2GiB or 50%", mill_limit_take_worker,
     mill_limit_show_worker},
    {"processes", MILL_SETTING_NUMBER, false, BEFORE_WORKERS,
     "auto (as many as workers) or 1 to 1024", take_processes, show_processes},
    {"resources", MILL_SETTING_PAIRS, false, BEFORE_WORKERS,
     "off, or NAME=LIMIT,NAME=LIMIT with limits above 0", take_resources, show_resources},
    {"seed", MILL_SETTING_NUMBER, false, BEFORE_WORKERS, "a whole number from 0, or random",
     take_seed, show_seed},
    {"spill_folder", MILL_SETTING_TEXT, true, BEFORE_WORKERS, "a folder's name, or auto",
     mill_limit_take_folder, mill_limit_show_folder},
    {"trace", MILL_SETTING_TEXT, true, BEFORE_WORKERS, "a file's name, or off", take_trace,
     show_trace},
    {"trace_events", MILL_SETTING_NUMBER, false, BEFORE_WORKERS, "a whole number from 1",
     take_trace_events, show_trace_events},
    {"worker_path", MILL_SETTING_TEXT, true, BEFORE_WORKERS,
     "auto, or the file of the program tidemill", take_worker_path, show_worker_path},
    {"workers", MILL_SETTING_NUMBER, false, BEFORE_WORKERS, "auto, 0 (serial) or 1 to 1024",
     take_workers, show_workers},
};

_Static_assert(sizeof settings / sizeof settings[0] == MILL_SETTING_COUNT, "rows of the table");

int mill_settings_find(const char *name)
{
    for (int i = 0; i < MILL_SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, name) == 0) return i;
    }
    return -1;
}

int mill_settings_find_variable(const char *name)
{
    for (int i = 0; i < MILL_SETTING_COUNT; i++) {
        const char *at = settings[i].name, *other = name;
        while (*at && (*at == *other || (*at == '.' && *other == '_'))) at++, other++;
        if (*at == '\0' && *other == '\0') return i;
    }
    return -1;
}

const char *mill_settings_name(int number)
{
    return settings[number].name;
}

bool mill_settings_is_path(int number)
{
    return settings[number].path;
}

void mill_settings_init(struct tidemill *engine)
{
    struct mill_cpus cpus;
    pthread_mutex_init(&engine->settings.mutex, NULL);
    mill_cpus_count(&cpus);
    engine->keep.bytes = MILL_KEEP_AUTO;
    engine->workers = cpus.usable;
    engine->lane = -1;
    engine->adaptive_setting = default_adaptive();
    engine->trace_events = MILL_TRACE_CAP;
}

void mill_settings_fini(struct tidemill *engine)
{
    for (int i = 0; i < MILL_SETTING_COUNT; i++) free(engine->settings.rows[i].where);
    free(engine->settings.file);
    free(engine->cache_path);
    free(engine->log_path);
    free(engine->trace_path);
    free_limits(engine->limits, engine->limit_count);
    pthread_mutex_destroy(&engine->settings.mutex);
}

/* ---- setting ----------------------------------------------------------------------------- */

/* Why it is too late; NULL: it is not. */
static const char *started(struct tidemill *engine, enum moment until)
{
    switch (until) {
    case BEFORE_WORKERS:
        return engine->pool_open ? "the workers have started already" : NULL;
    case BEFORE_CACHE:
        return engine->cache_tried ? "it is open already" : NULL;
    case BEFORE_LOG:
        return engine->log_tried ? "the log is open already" : NULL;
    case BEFORE_BLAS: /* workers may open it at any time */
        if (atomic_load(&engine->blas.state) != MILL_BLAS_UNTRIED) return "it is open already";
        return started(engine, BEFORE_WORKERS);
    case ALWAYS:
        break;
    }
    return NULL;
}

const char *mill_settings_nearest(const char *name)
{
    const char *names[MILL_SETTING_COUNT];
    for (int i = 0; i < MILL_SETTING_COUNT; i++) names[i] = settings[i].name;
    return mill_nearest(name, names, MILL_SETTING_COUNT);
}

void mill_settings_unknown(const char *name, char *out, size_t room)
{
    const char *meant = mill_settings_nearest(name);
    if (meant) {
        snprintf(out, room, "unknown setting \"%.200s\", did you mean \"%s\"?", name, meant);
    } else {
        snprintf(out, room, "unknown setting \"%.200s\"; tidemill config lists them all", name);
    }
}

static bool holds(enum mill_setting_source held, enum mill_setting_source source)
{
    return held > source || (held == source && source == MILL_FROM_FILE);
}

/* Under the mutex. */
static tidemill_status set_row(struct tidemill *engine, int number, const char *value,
                               enum mill_setting_source source, const char *where,
                               struct mill_error *error)
{
    const struct setting *setting = &settings[number];
    const char *late = started(engine, setting->until);
    tidemill_status status = setting->take(NULL, value);
    if (status == TIDEMILL_USAGE) {
        return mill_fail(error, status, "%s: \"%.300s\" is not %s", setting->name, value,
                         setting->expected);
    }
    if (late) return mill_fail(error, TIDEMILL_USAGE, "%s: %s", setting->name, late);
    if (holds(engine->settings.rows[number].source, source)) return TIDEMILL_OK;
    if (status == TIDEMILL_OK) status = replace(&engine->settings.rows[number].where, where);
    if (status == TIDEMILL_OK) status = setting->take(engine, value);
    if (status == TIDEMILL_UNSUPPORTED) {
        return mill_fail(error, status, "%s: the system gives no random numbers",
                         setting->name);
    }
    if (status != TIDEMILL_OK) return mill_no_memory(error, "configuration");
    engine->settings.rows[number].source = source;
    return TIDEMILL_OK;
}

tidemill_status mill_settings_set(struct tidemill *engine, const char *name, const char *value,
                                  enum mill_setting_source source, const char *where,
                                  struct mill_error *error)
{
    int number = mill_settings_find(name);
    if (number < 0) {
        char text[400];
        mill_settings_unknown(name, text, sizeof text);
        return mill_fail(error, TIDEMILL_USAGE, "%s", text);
    }
    pthread_mutex_lock(&engine->settings.mutex);
    tidemill_status status = set_row(engine, number, value, source, where, error);
    pthread_mutex_unlock(&engine->settings.mutex);
    return status;
}

enum mill_setting_source mill_settings_source(struct tidemill *engine, const char *name)
{
    pthread_mutex_lock(&engine->settings.mutex);
    enum mill_setting_source source = engine->settings.rows[mill_settings_find(name)].source;
    pthread_mutex_unlock(&engine->settings.mutex);
    return source;
}

/* ---- looking ----------------------------------------------------------------------------- */

static char *source_text(enum mill_setting_source source, const char *where)
{
    static const char *const names[] = {"default", "file", "script", "environment",
                                        "command line"};
    return print("%s%s%s", names[source], where ? " " : "", where ? where : "");
}

bool mill_settings_view(struct tidemill *engine, int number, struct mill_setting_view *view)
{
    pthread_mutex_lock(&engine->settings.mutex);
    *view = (struct mill_setting_view){
        .name = settings[number].name,
        .kind = settings[number].kind,
        .value = settings[number].show(engine),
        .source = source_text(engine->settings.rows[number].source,
                              engine->settings.rows[number].where),
    };
    pthread_mutex_unlock(&engine->settings.mutex);
    if (view->value && view->source) return true;
    mill_settings_view_free(view);
    return false;
}

void mill_settings_view_free(struct mill_setting_view *view)
{
    free(view->value);
    free(view->source);
    view->value = view->source = NULL;
}

static char *json_text(const char *text)
{
    size_t size = strlen(text);
    char *out = malloc(MILL_JSON_ROOM(size) + 1);
    if (out) out[mill_json_text(out, text, size)] = '\0';
    return out;
}

/* A setting that counts may be a word, "off" or "auto". */
static bool is_number(const struct mill_setting_view *view)
{
    char first = view->value[0];
    return view->kind == MILL_SETTING_NUMBER &&
           (first == '-' || (first >= '0' && first <= '9'));
}

/* One member of the object; malloc'ed, NULL: no memory. */
static char *json_member(const struct mill_setting_view *view, const char *before)
{
    char *source = json_text(view->source);
    char *value = is_number(view) ? strdup(view->value) : json_text(view->value);
    char *text = NULL;
    if (source && value) {
        text =
            print("%s\"%s\":{\"source\":%s,\"value\":%s}", before, view->name, source, value);
    }
    free(source);
    free(value);
    return text;
}

char *mill_settings_json(struct tidemill *engine)
{
    char *text = strdup("{\"schema\":1,\"settings\":{");
    for (int i = 0; i <= MILL_SETTING_COUNT && text; i++) {
        struct mill_setting_view view;
        char *member = NULL, *longer = NULL;
        if (i == MILL_SETTING_COUNT) {
            member = strdup("}}");
        } else if (mill_settings_view(engine, i, &view)) {
            member = json_member(&view, i > 0 ? "," : "");
            mill_settings_view_free(&view);
        }
        if (member) longer = print("%s%s", text, member);
        free(member);
        free(text);
        text = longer;
    }
    return text;
}
