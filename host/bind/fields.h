/* fields: named facts, in lines for people or as a JSON object.
 * Texts belong to the caller.  SPDX-License-Identifier: MIT */
#ifndef MILL_FIELDS_H
#define MILL_FIELDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum mill_field_kind {
    MILL_FIELD_TEXT,    /* text; NULL: null, for people "none" */
    MILL_FIELD_COUNT,   /* number */
    MILL_FIELD_BYTES,   /* number */
    MILL_FIELD_TIME,    /* number: microseconds since 1970, UTC; 0: null, for people "never" */
    MILL_FIELD_SECONDS, /* number: microseconds that something took; JSON has seconds */
    MILL_FIELD_FLAG,    /* number: 0 or 1 */
    MILL_FIELD_NONE,    /* null, for people "none" */
    MILL_FIELD_JSON,    /* text: JSON; not for people */
};

struct mill_field {
    const char *name;  /* in JSON */
    const char *label; /* for people */
    enum mill_field_kind kind;
    int64_t number;
    const char *text;
};

enum { MILL_FIELD_ROOM = 512 };

/* The value for people: 1.2 MB, 35 ms, 2026-03-01T12:00:00Z.  Control characters of texts are "?". */
void mill_field_show(const struct mill_field *field, char out[MILL_FIELD_ROOM]);

/* One line a field, values below each other. */
void mill_fields_lines(FILE *out, const struct mill_field *fields, size_t count);

/* An object with its keys sorted; sorts the fields. */
void mill_fields_json(FILE *out, struct mill_field *fields, size_t count);

/* A text as JSON writes it; null without memory. */
void mill_fields_json_text(FILE *out, const char *text);

#endif
