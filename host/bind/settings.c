/* settings: what can be set, by whom, until when.  SPDX-License-Identifier: MIT */
#include "bind/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/json.h"
#include "base/nearest.h"
#include "bind/engine.h"
#include "bind/pairs.h"
#include "bind/setting_rows.h"

/* ---- the table --------------------------------------------------------------------------- */

int mill_settings_find(const char *name)
{
    for (int i = 0; i < MILL_SETTING_COUNT; i++) {
        if (strcmp(mill_setting_rows[i].name, name) == 0) return i;
    }
    return -1;
}

int mill_settings_find_variable(const char *name)
{
    for (int i = 0; i < MILL_SETTING_COUNT; i++) {
        const char *at = mill_setting_rows[i].name, *other = name;
        while (*at && (*at == *other || (*at == '.' && *other == '_'))) at++, other++;
        if (*at == '\0' && *other == '\0') return i;
    }
    return -1;
}

const char *mill_settings_name(int number)
{
    return mill_setting_rows[number].name;
}

bool mill_settings_is_path(int number)
{
    return mill_setting_rows[number].path;
}

void mill_settings_init(struct tidemill *engine)
{
    struct mill_cpus cpus;
    pthread_mutex_init(&engine->settings.mutex, NULL);
    mill_cpus_count(&cpus);
    engine->keep.bytes = MILL_KEEP_AUTO;
    engine->workers = cpus.usable;
    engine->lane = -1;
    engine->adaptive_setting = mill_pairs_adaptive();
    engine->trace_events = MILL_TRACE_CAP;
}

void mill_settings_fini(struct tidemill *engine)
{
    for (int i = 0; i < MILL_SETTING_COUNT; i++) free(engine->settings.rows[i].where);
    free(engine->settings.file);
    free(engine->cache_path);
    free(engine->log_path);
    free(engine->trace_path);
    mill_pairs_free(engine->limits, engine->limit_count);
    pthread_mutex_destroy(&engine->settings.mutex);
}

/* ---- setting ----------------------------------------------------------------------------- */

/* Why it is too late; NULL: it is not. */
static const char *started(struct tidemill *engine, enum mill_setting_moment until)
{
    switch (until) {
    case MILL_BEFORE_WORKERS:
        return engine->pool_open ? "the workers have started already" : NULL;
    case MILL_BEFORE_CACHE:
        return engine->cache_tried ? "it is open already" : NULL;
    case MILL_BEFORE_LOG:
        return engine->log_tried ? "the log is open already" : NULL;
    case MILL_BEFORE_BLAS: /* workers may open it at any time */
        if (atomic_load(&engine->blas.state) != MILL_BLAS_UNTRIED) return "it is open already";
        return started(engine, MILL_BEFORE_WORKERS);
    case MILL_ALWAYS:
        break;
    }
    return NULL;
}

const char *mill_settings_nearest(const char *name)
{
    const char *names[MILL_SETTING_COUNT];
    for (int i = 0; i < MILL_SETTING_COUNT; i++) names[i] = mill_setting_rows[i].name;
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
    const struct mill_setting_row *setting = &mill_setting_rows[number];
    const char *late = started(engine, setting->until);
    tidemill_status status = setting->take(NULL, value);
    if (status == TIDEMILL_USAGE) {
        return mill_fail(error, status, "%s: \"%.300s\" is not %s", setting->name, value,
                         setting->expected);
    }
    if (late) return mill_fail(error, TIDEMILL_USAGE, "%s: %s", setting->name, late);
    if (holds(engine->settings.rows[number].source, source)) return TIDEMILL_OK;
    if (status == TIDEMILL_OK)
        status = mill_setting_replace(&engine->settings.rows[number].where, where);
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
    return mill_setting_print("%s%s%s", names[source], where ? " " : "", where ? where : "");
}

bool mill_settings_view(struct tidemill *engine, int number, struct mill_setting_view *view)
{
    pthread_mutex_lock(&engine->settings.mutex);
    *view = (struct mill_setting_view){
        .name = mill_setting_rows[number].name,
        .kind = mill_setting_rows[number].kind,
        .value = mill_setting_rows[number].show(engine),
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
        text = mill_setting_print("%s\"%s\":{\"source\":%s,\"value\":%s}", before, view->name,
                                  source, value);
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
        if (member) longer = mill_setting_print("%s%s", text, member);
        free(member);
        free(text);
        text = longer;
    }
    return text;
}
