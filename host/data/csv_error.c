/* csv_error: what a reader says of a file that is wrong: file, line, column, what was expected.
 * SPDX-License-Identifier: MIT */
#include "data/csv_reader.h"

#include <stdio.h>
#include <string.h>

long long mill_csv_line(const struct csv_reader *reader, size_t at)
{
    return 1 + mill_csv_count_lines(reader->text, at);
}

/* What would spoil the line is written \n or \xE4. */
const char *mill_csv_show(char out[CSV_SHOWN], const char *text, size_t size)
{
    size_t shown = size > 40 ? 40 : size, used = 0;
    /* Never half a character. */
    while (shown < size && shown > 0 && ((uint8_t)text[shown] & 0xC0) == 0x80) shown--;
    for (size_t i = 0; i < shown; i++) {
        uint8_t c = (uint8_t)text[i];
        size_t length = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        if (c >= 0x80 && length <= shown - i &&
            mill_csv_utf8_prefix(text + i, length) == length) {
            memcpy(out + used, text + i, length);
            used += length;
            i += length - 1;
        } else if (c == '\n') {
            used += (size_t)sprintf(out + used, "\\n");
        } else if (c < 0x20 || c >= 0x7F) {
            used += (size_t)sprintf(out + used, "\\x%02X", c);
        } else {
            out[used++] = (char)c;
        }
    }
    strcpy(out + used, shown < size ? "..." : "");
    return out;
}

const char *mill_csv_show_name(char out[CSV_SHOWN], const char *name)
{
    return mill_csv_show(out, name, strlen(name));
}

tidemill_status mill_csv_bad_bytes(struct csv_reader *reader, size_t at)
{
    const char *encoding = reader->options->encoding;
    long long line = mill_csv_line(reader, at);
    if (!reader->check) {
        return mill_fail(reader->error, TIDEMILL_DATA, "%s:%lld: bytes that are not %s",
                         reader->path, line, encoding);
    }
    return mill_fail(reader->error, TIDEMILL_DATA,
                     "%s:%lld: bytes that are not UTF-8; give the file's encoding (for example "
                     "encoding = \"GBK\")",
                     reader->path, line);
}

static tidemill_status csv_bad_count(struct csv_reader *reader, size_t at)
{
    char found[48];
    int64_t cells = mill_csv_count_cells(reader->text, reader->size, at, reader->delimiter);
    size_t end = at + (at < reader->size && reader->text[at] == '\r');
    if (end == reader->size || reader->text[end] == '\n') {
        strcpy(found, "an empty line");
    } else {
        snprintf(found, sizeof found, "%lld cell%s", (long long)cells, cells == 1 ? "" : "s");
    }
    return mill_fail(reader->error, TIDEMILL_DATA,
                     "%s:%lld: %s, expected %d (the header has %d column%s)", reader->path,
                     mill_csv_line(reader, at), found, reader->width, reader->width,
                     reader->width == 1 ? "" : "s");
}

static tidemill_status csv_bad_quote(struct csv_reader *reader, const struct csv_fault *fault)
{
    return mill_fail(reader->error, TIDEMILL_DATA, "%s:%lld: %s", reader->path,
                     mill_csv_line(reader, fault->at),
                     fault->kind == CSV_UNCLOSED
                         ? "a quoted cell that is not closed"
                         : "text after the closing quote of a cell (a quote inside a quoted "
                           "cell is written twice)");
}

static const char *csv_expected(enum mill_type type)
{
    switch (type) {
    case MILL_FLOAT32:
    case MILL_FLOAT64:
        return "a number";
    case MILL_BOOL:
        return "true or false";
    case MILL_DATE:
        return "a date";
    case MILL_TIMESTAMP:
        return "a timestamp";
    default:
        return "an integer";
    }
}

static tidemill_status csv_bad_value(struct csv_reader *reader, const struct csv_fault *fault)
{
    char cell[CSV_SHOWN], name[CSV_SHOWN];
    enum mill_type type = reader->types[fault->column];
    mill_csv_show(cell, reader->text + fault->at, fault->end - fault->at);
    mill_csv_show_name(name, reader->names[fault->column]);
    long long line = mill_csv_line(reader, fault->at);
    if (fault->kind == CSV_RANGE) {
        return mill_fail(reader->error, TIDEMILL_DATA,
                         "%s:%lld: column \"%s\": \"%s\" is out of range for %s", reader->path,
                         line, name, cell, mill_type_name(type));
    }
    const char *format = reader->options->date_format;
    bool dated = format && (type == MILL_DATE || type == MILL_TIMESTAMP);
    return mill_fail(reader->error, TIDEMILL_DATA,
                     "%s:%lld: column \"%s\": \"%s\" is not %s%s%s%s", reader->path, line, name,
                     cell, csv_expected(type), dated ? " (date_format \"" : "",
                     dated ? format : "", dated ? "\")" : "");
}

tidemill_status mill_csv_report(struct csv_reader *reader, const struct csv_fault *fault)
{
    switch (fault->kind) {
    case CSV_CELL_COUNT:
        return csv_bad_count(reader, fault->at);
    case CSV_UNCLOSED:
    case CSV_AFTER_QUOTE:
        return csv_bad_quote(reader, fault);
    default:
        return csv_bad_value(reader, fault);
    }
}
