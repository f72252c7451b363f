/* fields: named facts, in lines for people or as a JSON object.  SPDX-License-Identifier: MIT */
#include "bind/fields.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

/* ---- for people ------------------------------------------------------------------------ */

/* In units of 1000, which the settings read back. */
static void show_bytes(int64_t bytes, char *out, size_t room)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(out, room, "%" PRId64 " B", bytes);
        return;
    }
    int unit = 0;
    double size = (double)bytes / 1000;
    while (size >= 999.95 && unit < 5) {
        size /= 1000;
        unit++;
    }
    snprintf(out, room, "%.1f %s", size, units[unit]);
}

static void show_seconds(int64_t micros, char *out, size_t room)
{
    double seconds = (double)micros / 1e6;
    if (micros < 1000)
        snprintf(out, room, "%" PRId64 " us", micros);
    else if (seconds < 1)
        snprintf(out, room, "%.0f ms", seconds * 1e3);
    else if (seconds < 120)
        snprintf(out, room, "%.1f s", seconds);
    else if (seconds < 7200)
        snprintf(out, room, "%.0f min", seconds / 60);
    else if (seconds < 172800)
        snprintf(out, room, "%.1f h", seconds / 3600);
    else
        snprintf(out, room, "%.1f d", seconds / 86400);
}

/* ISO 8601, UTC; false: no time that it could write. */
static bool show_time(int64_t micros, char *out, size_t room)
{
    time_t seconds = (time_t)(micros / 1000000);
    struct tm parts;
    return micros > 0 && gmtime_r(&seconds, &parts) != NULL &&
           strftime(out, room, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0;
}

/* Names of tasks may hold anything; a terminal shall not obey it. */
static void show_text(const char *text, char *out, size_t room)
{
    size_t used = 0;
    for (const char *at = text; *at && used + 1 < room; at++) {
        unsigned char byte = (unsigned char)*at;
        out[used++] = byte < ' ' || byte == 0x7F ? '?' : *at;
    }
    out[used] = '\0';
}

void mill_field_show(const struct mill_field *field, char out[MILL_FIELD_ROOM])
{
    snprintf(out, MILL_FIELD_ROOM, "none");
    switch (field->kind) {
    case MILL_FIELD_TEXT:
        if (field->text) show_text(field->text, out, MILL_FIELD_ROOM);
        break;
    case MILL_FIELD_COUNT:
        snprintf(out, MILL_FIELD_ROOM, "%" PRId64, field->number);
        break;
    case MILL_FIELD_BYTES:
        show_bytes(field->number, out, MILL_FIELD_ROOM);
        break;
    case MILL_FIELD_TIME:
        if (!show_time(field->number, out, MILL_FIELD_ROOM))
            snprintf(out, MILL_FIELD_ROOM, "never");
        break;
    case MILL_FIELD_SECONDS:
        show_seconds(field->number, out, MILL_FIELD_ROOM);
        break;
    case MILL_FIELD_FLAG:
        snprintf(out, MILL_FIELD_ROOM, "%s", field->number ? "yes" : "no");
        break;
    case MILL_FIELD_NONE:
    case MILL_FIELD_JSON:
        break;
    }
}

void mill_fields_lines(FILE *out, const struct mill_field *fields, size_t count)
{
    int width = 0;
    for (size_t i = 0; i < count; i++) {
        int length = (int)strlen(fields[i].label);
        if (fields[i].kind != MILL_FIELD_JSON && length > width) width = length;
    }
    for (size_t i = 0; i < count; i++) {
        char text[MILL_FIELD_ROOM];
        if (fields[i].kind == MILL_FIELD_JSON) continue;
        mill_field_show(&fields[i], text);
        fprintf(out, "%-*s  %s\n", width, fields[i].label, text);
    }
}

/* ---- for programs ---------------------------------------------------------------------- */

void mill_fields_json_text(FILE *out, const char *text)
{
    size_t size = strlen(text);
    char *quoted = malloc(MILL_JSON_ROOM(size));
    if (quoted)
        fwrite(quoted, 1, mill_json_text(quoted, text, size), out);
    else
        fputs("null", out);
    free(quoted);
}

static void json_value(FILE *out, const struct mill_field *field)
{
    char text[MILL_FIELD_ROOM] = "null";
    switch (field->kind) {
    case MILL_FIELD_TEXT:
        if (field->text == NULL) break;
        mill_fields_json_text(out, field->text);
        return;
    case MILL_FIELD_JSON:
        fputs(field->text, out);
        return;
    case MILL_FIELD_COUNT:
    case MILL_FIELD_BYTES:
        snprintf(text, sizeof text, "%" PRId64, field->number);
        break;
    case MILL_FIELD_SECONDS:
        mill_json_number(text, (double)field->number / 1e6);
        break;
    case MILL_FIELD_FLAG:
        snprintf(text, sizeof text, "%s", field->number ? "true" : "false");
        break;
    case MILL_FIELD_TIME:
        if (!show_time(field->number, text, sizeof text)) break;
        fprintf(out, "\"%s\"", text);
        return;
    case MILL_FIELD_NONE:
        break;
    }
    fputs(text, out);
}

static int by_name(const void *a, const void *b)
{
    const struct mill_field *one = a, *other = b;
    return strcmp(one->name, other->name);
}

void mill_fields_json(FILE *out, struct mill_field *fields, size_t count)
{
    qsort(fields, count, sizeof *fields, by_name);
    fputc('{', out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s\"%s\":", i > 0 ? "," : "", fields[i].name);
        json_value(out, &fields[i]);
    }
    fputc('}', out);
}
