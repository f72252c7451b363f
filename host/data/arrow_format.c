/* arrow_format: what a format string of Arrow's C Data Interface says of a column.
 * SPDX-License-Identifier: MIT */
#include "data/arrow_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    struct mill_arrow_format format;
} known[] = {
    {"n", {.form = MILL_ARROW_NOTHING, .type = MILL_FLOAT64}},
    {"b", {.form = MILL_ARROW_BITS, .type = MILL_BOOL}},
    {"c", {.type = MILL_INT8}},
    {"s", {.type = MILL_INT16}},
    {"i", {.type = MILL_INT32}},
    {"l", {.type = MILL_INT64}},
    {"C", {.type = MILL_UINT8}},
    {"S", {.type = MILL_UINT16}},
    {"I", {.type = MILL_UINT32}},
    {"L", {.type = MILL_UINT64}},
    {"f", {.type = MILL_FLOAT32}},
    {"g", {.type = MILL_FLOAT64}},
    {"u", {.form = MILL_ARROW_TEXT, .type = MILL_UTF8}},
    {"U", {.form = MILL_ARROW_LARGE, .type = MILL_UTF8}},
    {"tdD", {.type = MILL_DATE}},
    {"tdm", {MILL_ARROW_SCALED, MILL_DATE, 1, 86400000, 0}},
    {"+s", {.form = MILL_ARROW_STRUCT}},
};

/* "tss:ZONE" and the like.  With a zone the numbers are UTC and the zone is for showing them; without
 * they are taken for UTC, as everywhere. */
static bool parse_timestamp(const char *text, struct mill_arrow_format *format)
{
    if (strncmp(text, "ts", 2) != 0 || text[2] == '\0' || text[3] != ':') return false;
    *format = (struct mill_arrow_format){MILL_ARROW_SCALED, MILL_TIMESTAMP, 1, 1, 0};
    switch (text[2]) {
    case 's':
        format->times = 1000000;
        return true;
    case 'm':
        format->times = 1000;
        return true;
    case 'u':
        format->form = MILL_ARROW_PLAIN;
        return true;
    case 'n':
        format->divide = 1000;
        return true;
    default:
        return false;
    }
}

static bool parse_list(const char *text, struct mill_arrow_format *format)
{
    if (strncmp(text, "+w:", 3) != 0 || text[3] < '0' || text[3] > '9') return false;
    char *end;
    errno = 0;
    long long size = strtoll(text + 3, &end, 10);
    *format = (struct mill_arrow_format){.form = MILL_ARROW_LIST, .size = size};
    return errno == 0 && *end == '\0';
}

bool mill_arrow_parse(const char *text, struct mill_arrow_format *format)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].text, text) != 0) continue;
        *format = known[i].format;
        return true;
    }
    return parse_timestamp(text, format) || parse_list(text, format);
}

const char *mill_arrow_describe(const char *text)
{
    static const struct {
        const char *start, *words;
    } others[] = {
        {"e", "floats of 16 bits"},
        {"z", "binary"},
        {"Z", "binary"},
        {"w:", "binary"},
        {"vz", "binary"},
        {"vu", "views of strings"},
        {"d:", "decimal numbers"},
        {"tt", "times of day"},
        {"tD", "durations"},
        {"ti", "intervals"},
        {"+l", "lists"},
        {"+L", "lists"},
        {"+vl", "views of lists"},
        {"+vL", "views of lists"},
        {"+s", "structs"},
        {"+m", "maps"},
        {"+u", "unions"},
        {"+r", "run-end encoded"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strncmp(others[i].start, text, strlen(others[i].start)) == 0) {
            return others[i].words;
        }
    }
    return "";
}
