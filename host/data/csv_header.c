/* csv_header: delimiter and names of a file, and which of its columns are read as what.
 * SPDX-License-Identifier: MIT */
#include "base/nearest.h"
#include "data/csv_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the header ------------------------------------------------------------------------ */

/* Comma, semicolon or tab: the most frequent outside quotes on the first line, the earlier in
 * this list when equal. */
static char csv_detect(const char *text, size_t size)
{
    static const char candidates[] = ",;\t";
    int counts[3] = {0};
    bool quoted = false;
    for (size_t i = 0; i < size && (quoted || text[i] != '\n'); i++) {
        bool opens = i == 0 || strchr(candidates, text[i - 1]) != NULL;
        if (text[i] == '"' && (quoted || opens)) quoted = !quoted;
        const char *found = quoted || text[i] == '\0' ? NULL : strchr(candidates, text[i]);
        if (found) counts[found - candidates]++;
    }
    int best = 0;
    for (int i = 1; i < 3; i++) {
        if (counts[i] > counts[best]) best = i;
    }
    return candidates[best];
}

/* A copy of a header cell; NULL when memory is short. */
static char *csv_name(const char *text, const struct mill_csv_cell *cell)
{
    size_t size = cell->size & MILL_CSV_CELL_SIZE;
    char *name = malloc(size + 1);
    if (name == NULL) return NULL;
    if (cell->size & MILL_CSV_DOUBLED) {
        size = mill_csv_unquote(text + cell->start, size, name);
    } else {
        memcpy(name, text + cell->start, size);
    }
    name[size] = '\0';
    return name;
}

static tidemill_status csv_name_columns(struct csv_reader *reader,
                                        const struct mill_csv_cell *cells)
{
    reader->names = calloc((size_t)reader->width, sizeof *reader->names);
    reader->types = calloc((size_t)reader->width, sizeof *reader->types);
    if (reader->names == NULL || reader->types == NULL) {
        return mill_no_memory(reader->error, reader->path);
    }
    for (int i = 0; i < reader->width; i++) {
        reader->names[i] = csv_name(reader->text, &cells[i]);
        if (reader->names[i] == NULL) return mill_no_memory(reader->error, reader->path);
    }
    return TIDEMILL_OK;
}

/* What a name or a line end cannot hold, told before it breaks every later line. */
static tidemill_status csv_check_header(struct csv_reader *reader, size_t size)
{
    size_t good = reader->check ? mill_csv_utf8_prefix(reader->text, size) : reader->bad;
    if (good < size || reader->size == 0) return mill_csv_bad_bytes(reader, good);
    if (memchr(reader->text, '\0', size)) {
        return mill_fail(reader->error, TIDEMILL_DATA, "%s:1: a NUL byte in the header",
                         reader->path);
    }
    if (reader->text[0] == '\n' || reader->text[0] == '\r') {
        return mill_fail(reader->error, TIDEMILL_DATA,
                         "%s:1: an empty line, expected the header", reader->path);
    }
    const char *cr = memchr(reader->text, '\r', size);
    if (cr && cr + 1 < reader->text + size && cr[1] != '\n' &&
        memchr(reader->text, '"', size) == NULL) {
        return mill_fail(reader->error, TIDEMILL_DATA,
                         "%s:1: a carriage return alone; lines end in LF or CR LF",
                         reader->path);
    }
    return TIDEMILL_OK;
}

tidemill_status mill_csv_read_header(struct csv_reader *reader)
{
    const char *text = reader->text;
    size_t size = mill_csv_indexable(reader->size), at = 0, where;
    reader->delimiter = reader->options->delimiter;
    if (reader->delimiter == 0) reader->delimiter = csv_detect(text, size);
    int64_t width = size ? mill_csv_count_cells(text, size, 0, reader->delimiter) : 0;
    if (width > 1000000) {
        return mill_fail(reader->error, TIDEMILL_DATA, "%s:1: more than 1000000 columns",
                         reader->path);
    }
    reader->width = (int)width;
    struct mill_csv_cell *cells = calloc((size_t)width + 1, sizeof *cells);
    if (cells == NULL) return mill_no_memory(reader->error, reader->path);
    enum mill_csv_fault fault = MILL_CSV_NO_FAULT;
    mill_csv_index(text, size, &at, reader->delimiter, 1, width, width > 0, cells, &fault,
                   &where);
    const char *line = size ? memchr(text, '\n', size) : NULL;
    size_t length = fault == MILL_CSV_NO_FAULT ? at : line ? (size_t)(line - text) : size;
    tidemill_status status = csv_check_header(reader, length);
    if (status == TIDEMILL_OK && fault) {
        bool unclosed = fault == MILL_CSV_UNCLOSED;
        struct csv_fault quote = {unclosed ? CSV_UNCLOSED : CSV_AFTER_QUOTE, 0, where, where};
        status = mill_csv_report(reader, &quote);
    }
    if (status == TIDEMILL_OK) status = csv_name_columns(reader, cells);
    reader->body = at;
    free(cells);
    return status;
}

/* ---- which columns, and of what type --------------------------------------------------- */

/* ASCII letters alone have a case here, in any locale. */
static char csv_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static tidemill_status csv_no_column(struct csv_reader *reader, const char *name)
{
    char list[400] = "", shown[CSV_SHOWN], wanted[CSV_SHOWN], near[CSV_SHOWN] = "";
    size_t used = 0;
    int listed = 0;
    for (; listed < reader->width && used < 150; listed++) {
        mill_csv_show_name(shown, reader->names[listed]);
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", listed ? ", " : "",
                                 shown[0] ? shown : "\"\"");
    }
    const char *nearest =
        mill_nearest(name, (const char *const *)reader->names, (size_t)reader->width);
    if (nearest) mill_csv_show_name(near, nearest);
    return mill_fail(reader->error, TIDEMILL_DATA, "%s: no column \"%s\"%s%s%s; it has %s%s",
                     reader->path, mill_csv_show_name(wanted, name),
                     nearest ? ", perhaps \"" : "", near, nearest ? "\"" : "", list,
                     listed < reader->width ? ", ..." : "");
}

static bool csv_same_name(const char *a, const char *b, bool ignore_case)
{
    if (!ignore_case) return strcmp(a, b) == 0;
    while (*a && csv_lower(*a) == csv_lower(*b)) {
        a++;
        b++;
    }
    return csv_lower(*a) == csv_lower(*b);
}

/* The one column of that name; with ignore_case an exact match goes before others. */
static tidemill_status csv_find(struct csv_reader *reader, const char *name, int *found)
{
    for (int loose = 0; loose <= (reader->options->ignore_case ? 1 : 0); loose++) {
        *found = -1;
        for (int i = 0; i < reader->width; i++) {
            if (!csv_same_name(reader->names[i], name, loose)) continue;
            if (*found >= 0) {
                char shown[CSV_SHOWN];
                return mill_fail(reader->error, TIDEMILL_DATA,
                                 "%s: column \"%s\" is there twice (columns %d and %d)",
                                 reader->path, mill_csv_show_name(shown, name), *found + 1,
                                 i + 1);
            }
            *found = i;
        }
        if (*found >= 0) return TIDEMILL_OK;
    }
    return csv_no_column(reader, name);
}

static tidemill_status csv_give_types(struct csv_reader *reader)
{
    for (int i = 0; i < reader->options->type_count; i++) {
        const struct mill_csv_type *type = &reader->options->types[i];
        int source;
        if (mill_type_name(type->type) == NULL) {
            return mill_fail(reader->error, TIDEMILL_USAGE, "unknown type %d of column \"%s\"",
                             (int)type->type, type->column);
        }
        tidemill_status status = csv_find(reader, type->column, &source);
        if (status != TIDEMILL_OK) return status;
        reader->types[source] = type->type;
    }
    return TIDEMILL_OK;
}

tidemill_status mill_csv_choose_columns(struct csv_reader *reader)
{
    tidemill_status status = csv_give_types(reader);
    if (status != TIDEMILL_OK) return status;
    const char *const *asked = reader->options->columns;
    int count = asked ? reader->options->column_count : reader->width;
    reader->columns = calloc((size_t)count + 1, sizeof *reader->columns);
    if (reader->columns == NULL) return mill_no_memory(reader->error, reader->path);
    reader->column_count = count;
    for (int i = 0; i < count; i++) {
        struct csv_column *column = &reader->columns[i];
        column->source = i;
        if (asked) status = csv_find(reader, asked[i], &column->source);
        if (status != TIDEMILL_OK) return status;
        column->type = reader->types[column->source];
        column->given = column->type != 0;
        column->sampled = column->given;
        column->active = true;
        for (int t = 0; t < CSV_TYPES; t++) column->possible |= 1u << mill_csv_order[t];
    }
    return TIDEMILL_OK;
}
