/* keep: what the cache keeps, and for how long.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "bind/engine.h"

static const int64_t LEAST_CACHE = 1000000; /* bytes: an empty database takes some */

struct mill_limits mill_keep_limits(const struct tidemill *engine)
{
    const struct mill_keep_setting *keep = &engine->keep;
    return (struct mill_limits){.bytes = keep->bytes == MILL_KEEP_AUTO ? 0 : keep->bytes,
                                .entries = keep->entries,
                                .ttl = keep->ttl};
}

static char *show_number(int64_t number)
{
    char *text;
    if (number == MILL_KEEP_AUTO) return strdup("auto");
    if (number == 0) return strdup("off");
    return asprintf(&text, "%lld", (long long)number) < 0 ? NULL : text;
}

tidemill_status mill_keep_take_limit(struct tidemill *engine, const char *text)
{
    int64_t bytes = 0;
    if (strcmp(text, "auto") == 0) {
        bytes = MILL_KEEP_AUTO;
    } else if (strcmp(text, "off") != 0 &&
               (!mill_units_bytes(text, 0, &bytes) || bytes < LEAST_CACHE)) {
        return TIDEMILL_USAGE;
    }
    if (engine) engine->keep.bytes = bytes;
    return TIDEMILL_OK;
}

char *mill_keep_show_limit(struct tidemill *engine)
{
    return show_number(engine->keep.bytes);
}

tidemill_status mill_keep_take_entries(struct tidemill *engine, const char *text)
{
    int64_t entries = 0;
    if (strcmp(text, "off") != 0 && !mill_units_whole(text, 1, INT64_MAX / 2, &entries)) {
        return TIDEMILL_USAGE;
    }
    if (engine) engine->keep.entries = entries;
    return TIDEMILL_OK;
}

char *mill_keep_show_entries(struct tidemill *engine)
{
    return show_number(engine->keep.entries);
}

tidemill_status mill_keep_take_ttl(struct tidemill *engine, const char *text)
{
    double ttl = 0;
    if (strcmp(text, "off") != 0 && (!mill_units_seconds(text, &ttl) || !(ttl > 0))) {
        return TIDEMILL_USAGE;
    }
    if (engine) engine->keep.ttl = ttl;
    return TIDEMILL_OK;
}

char *mill_keep_show_ttl(struct tidemill *engine)
{
    char *text;
    if (engine->keep.ttl == 0) return strdup("off");
    return asprintf(&text, "%.17g", engine->keep.ttl) < 0 ? NULL : text;
}

tidemill_status mill_keep_take_all(struct tidemill *engine, const char *text)
{
    bool on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0) return TIDEMILL_USAGE;
    if (engine) engine->keep.all = on;
    return TIDEMILL_OK;
}

char *mill_keep_show_all(struct tidemill *engine)
{
    return strdup(engine->keep.all ? "on" : "off");
}
