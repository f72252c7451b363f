/* pairs: settings that are pairs, name=value,name=value.  SPDX-License-Identifier: MIT */
#include "bind/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpus.h"
#include "base/json.h"
#include "base/units.h"
#include "bind/engine.h"
#include "bind/setting_rows.h"

/* ---- reading them ----------------------------------------------------------------------- */

enum { MAX_RESOURCE_NAME = 63 };
static const double MAX_INTERVAL = 1e9; /* seconds */
static const double LEAST_LIMIT = 1e-6, MOST_LIMIT = 1e9;

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

/* ---- adaptive --------------------------------------------------------------------------- */

static tidemill_status take_adaptive_pair(struct mill_adaptive_setting *adaptive,
                                          const struct pair *pair)
{
    static const char *const names[] = {"minimum", "maximum", "interval"};
    int64_t number;
    double seconds;
    int name = mill_setting_word(pair->name, names, 3);
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

struct mill_adaptive_setting mill_pairs_adaptive(void)
{
    struct mill_cpus cpus;
    mill_cpus_count(&cpus);
    return (struct mill_adaptive_setting){
        .minimum = 1, .maximum = cpus.usable, .interval_ns = INT64_C(5000000000)};
}

tidemill_status mill_pairs_take_adaptive(struct tidemill *engine, const char *text)
{
    struct mill_adaptive_setting adaptive = mill_pairs_adaptive();
    const int cpus = adaptive.maximum;
    adaptive.enabled = strcmp(text, "off") != 0;
    if (adaptive.enabled && strcmp(text, "on") != 0) {
        adaptive.maximum = 0;
        do {
            struct pair pair;
            if (!next_pair(&text, &pair)) return TIDEMILL_USAGE;
            tidemill_status status = take_adaptive_pair(&adaptive, &pair);
            if (status != TIDEMILL_OK) return status;
        } while (*text);
        if (adaptive.maximum == 0) { /* the CPUs, on whatever machine the minimum was written */
            adaptive.maximum = adaptive.minimum > cpus ? adaptive.minimum : cpus;
        }
        if (adaptive.minimum > adaptive.maximum) return TIDEMILL_USAGE;
    }
    if (engine) engine->adaptive_setting = adaptive;
    return TIDEMILL_OK;
}

char *mill_pairs_show_adaptive(struct tidemill *engine)
{
    const struct mill_adaptive_setting *adaptive = &engine->adaptive_setting;
    if (!adaptive->enabled) return strdup("off");
    char seconds[MILL_JSON_NUMBER];
    mill_json_number(seconds, (double)adaptive->interval_ns / 1e9);
    return mill_setting_print("minimum=%d,maximum=%d,interval=%s", adaptive->minimum,
                              adaptive->maximum, seconds);
}

/* ---- resources -------------------------------------------------------------------------- */

void mill_pairs_free(struct mill_limit *limits, size_t count)
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

tidemill_status mill_pairs_take_resources(struct tidemill *engine, const char *text)
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
        mill_pairs_free(engine->limits, engine->limit_count);
        engine->limits = limits;
        engine->limit_count = count;
    } else {
        mill_pairs_free(limits, count);
    }
    return status;
}

char *mill_pairs_show_resources(struct tidemill *engine)
{
    char *text = strdup(engine->limit_count == 0 ? "off" : "");
    for (size_t i = 0; i < engine->limit_count && text; i++) {
        char number[MILL_JSON_NUMBER];
        mill_json_number(number, engine->limits[i].most);
        char *longer =
            mill_setting_print("%s%s%s=%s", text, i ? "," : "", engine->limits[i].name, number);
        free(text);
        text = longer;
    }
    return text;
}
