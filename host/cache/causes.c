/* causes: why a task is not answered from the cache, in words.  SPDX-License-Identifier: MIT */
#include "cache/causes.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

void mill_causes_add(struct mill_causes *causes, const char *kind, const char *detail,
                     const char *format, ...)
{
    if (causes->count == 0) causes->kind = kind;
    if (causes->count++ >= MILL_CAUSES) return;
    struct mill_cause *cause = &causes->list[causes->count - 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cause->label, sizeof cause->label, format, arguments);
    va_end(arguments);
    snprintf(cause->detail, sizeof cause->detail, "%s", detail);
}

static void write_causes(const struct mill_causes *causes, char *out, size_t room, bool details)
{
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < causes->count && i < MILL_CAUSES && used < room; i++) {
        const struct mill_cause *cause = &causes->list[i];
        bool told = details && cause->detail[0];
        used += (size_t)snprintf(out + used, room - used, "%s%s%s%s", i ? ", " : "",
                                 cause->label, told ? ": " : "", told ? cause->detail : "");
    }
    if (causes->count > MILL_CAUSES && used < room) {
        snprintf(out + used, room - used, " and %d more", causes->count - MILL_CAUSES);
    }
}

void mill_causes_label(const struct mill_causes *causes, char *out, size_t room)
{
    write_causes(causes, out, room, false);
}

void mill_causes_text(const struct mill_causes *causes, char *out, size_t room)
{
    write_causes(causes, out, room, true);
}
