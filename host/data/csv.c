/* csv: a delimited text file becomes typed columns: the course of a reading.
 * How the parts fit together is told in csv_reader.h.  SPDX-License-Identifier: MIT */
#include "data/csv.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/csv_reader.h"
#include "data/file.h"

enum { CSV_CHUNK = 1 << 20 };

/* ---- the text -------------------------------------------------------------------------- */

/* One step of decoding: makes room, or skips a byte that does not fit the encoding, keeping
 * where the first one was.  Parsing goes on behind it, for an error before it comes first. */
static bool csv_decode_step(struct csv_reader *reader, int reason, char **in, size_t *in_left,
                            struct mill_buffer **out, size_t *used)
{
    if (reason == E2BIG) {
        struct mill_buffer *larger =
            mill_buffer_new(reader->options->memory, (*out)->size * 2 + 64);
        if (larger == NULL) return false;
        memcpy(larger->data, (*out)->data, *used);
        mill_buffer_unref(*out);
        *out = larger;
        return true;
    }
    if (reader->bad == SIZE_MAX) reader->bad = *used;
    if (*used < (*out)->size) (*out)->data[(*used)++] = '?';
    ++*in;
    --*in_left;
    return true;
}

static tidemill_status csv_decode(struct csv_reader *reader)
{
    const char *encoding = reader->options->encoding;
    iconv_t converter = iconv_open("UTF-8", encoding);
    if (converter == (iconv_t)-1) {
        return mill_fail(reader->error, TIDEMILL_DATA, "%s: unknown encoding \"%s\"",
                         reader->path, encoding);
    }
    char *in = (char *)reader->buffer->data;
    size_t in_left = reader->buffer->size, used = 0;
    struct mill_buffer *out = mill_buffer_new(reader->options->memory, in_left / 2 * 3 + 64);
    bool good = out != NULL;
    while (good) {
        char *next = (char *)out->data + used;
        size_t left = out->size - used;
        /* The call without input writes what a stateful encoding still holds back. */
        bool last = in_left == 0;
        size_t result = iconv(converter, last ? NULL : &in, &in_left, &next, &left);
        int reason = errno;
        used = out->size - left;
        if (result == (size_t)-1) {
            good = csv_decode_step(reader, reason, &in, &in_left, &out, &used);
        } else if (last) {
            break;
        }
    }
    iconv_close(converter);
    if (!good) {
        mill_buffer_unref(out);
        return mill_no_memory(reader->error, reader->path);
    }
    mill_buffer_shrink(out, used);
    mill_buffer_unref(reader->buffer);
    reader->buffer = out;
    return TIDEMILL_OK;
}

static bool csv_is_utf8(const char *encoding)
{
    return encoding == NULL || strcasecmp(encoding, "UTF-8") == 0 ||
           strcasecmp(encoding, "UTF8") == 0;
}

/* Length without blank lines at the end. */
static size_t csv_trim_lines(const char *text, size_t size)
{
    for (;;) {
        size_t end = size;
        if (end > 0 && text[end - 1] == '\n') end--;
        size_t blank = end;
        if (blank > 0 && text[blank - 1] == '\r') blank--;
        if (size == 0 || (blank > 0 && text[blank - 1] != '\n')) return size;
        size = blank;
    }
}

static tidemill_status csv_load(struct csv_reader *reader, struct mill_hash *hash)
{
    tidemill_status status = mill_file_read_unpacked(reader->options->memory, reader->path,
                                                     &reader->buffer, hash, reader->error);
    if (status != TIDEMILL_OK) return status;
    reader->check = csv_is_utf8(reader->options->encoding);
    reader->bad = SIZE_MAX;
    if (!reader->check) {
        status = csv_decode(reader);
        if (status != TIDEMILL_OK) return status;
    }
    reader->text = (const char *)reader->buffer->data;
    reader->size = reader->buffer->size;
    if (reader->size >= 3 && memcmp(reader->text, "\xEF\xBB\xBF", 3) == 0) {
        reader->text += 3;
        reader->size -= 3;
        if (reader->bad != SIZE_MAX) reader->bad -= 3;
    }
    reader->size = csv_trim_lines(reader->text, reader->size);
    if (reader->size > 0 || reader->bad != SIZE_MAX) return TIDEMILL_OK;
    return mill_fail(reader->error, TIDEMILL_DATA, "%s: empty file", reader->path);
}

/* ---- chunks and passes ----------------------------------------------------------------- */

void mill_csv_each_chunk(const struct csv_reader *reader, void *context,
                         void (*body)(void *context, int64_t i))
{
    if (reader->options->parallel && reader->chunk_count > 1) {
        reader->options->parallel(reader->options->with, reader->chunk_count, body, context);
        return;
    }
    for (int64_t i = 0; i < reader->chunk_count; i++) body(context, i);
}

void mill_csv_part_fini(struct csv_part *part)
{
    mill_words_fini(&part->words);
    free(part->absent);
    free(part->bytes);
    memset(part, 0, sizeof *part);
}

/* Cuts the rows into chunks and counts them. */
static tidemill_status csv_plan_chunks(struct csv_reader *reader)
{
    const char *rows = reader->text + reader->body;
    size_t size = reader->size - reader->body, at = 0;
    size_t step = reader->options->chunk ? reader->options->chunk : CSV_CHUNK;
    if (step > (size_t)1 << 28) step = (size_t)1 << 28;
    int64_t count = (int64_t)((size + step - 1) / step);
    reader->quotes = size > 0 && memchr(rows, '"', size) != NULL;
    reader->chunks = calloc((size_t)count + 1, sizeof *reader->chunks);
    if (reader->chunks == NULL) return mill_no_memory(reader->error, reader->path);
    for (int64_t i = 0; i < count; i++) {
        struct csv_chunk *chunk = &reader->chunks[i];
        size_t next = mill_csv_row_start(rows, size, at, (size_t)(i + 1) * step,
                                         reader->delimiter, reader->quotes);
        if (i == count - 1) next = size;
        *chunk = (struct csv_chunk){.start = reader->body + at, .end = reader->body + next};
        chunk->bad = SIZE_MAX;
        chunk->parts = calloc((size_t)reader->column_count + 1, sizeof *chunk->parts);
        reader->chunk_count++;
        if (chunk->parts == NULL) return mill_no_memory(reader->error, reader->path);
        if (next - at > MILL_CSV_CELL_SIZE) {
            return mill_fail(reader->error, TIDEMILL_DATA, "%s:%lld: a row of more than 1 GiB",
                             reader->path, mill_csv_line(reader, chunk->start));
        }
        at = next;
    }
    mill_csv_each_chunk(reader, reader, mill_csv_count_chunk);
    for (int64_t i = 0; i < count; i++) {
        reader->chunks[i].first_row = reader->rows;
        reader->rows += reader->chunks[i].rows;
    }
    return TIDEMILL_OK;
}

/* Room for the values of a column's type, and empty parts to note the rest in. */
static tidemill_status csv_prepare_column(struct csv_reader *reader, int index)
{
    struct csv_column *column = &reader->columns[index];
    struct mill_memory *memory = reader->options->memory;
    size_t rows = (size_t)reader->rows;
    mill_buffer_unref(column->values);
    column->values = NULL;
    if (column->type == MILL_UTF8) {
        column->offsets = mill_buffer_new(memory, (rows + 1) * sizeof(int32_t));
        if (column->offsets == NULL) return mill_no_memory(reader->error, reader->path);
    } else {
        column->values = mill_buffer_new(memory, rows * mill_type_size(column->type));
        if (column->values == NULL) return mill_no_memory(reader->error, reader->path);
    }
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        struct csv_part *part = &reader->chunks[i].parts[index];
        mill_csv_part_fini(part);
        part->possible = column->possible;
    }
    return TIDEMILL_OK;
}

/* The error that stands first in the file, if there is one.  Bytes that are wrong before the
 * end of a cell explain what is wrong with the cell. */
static tidemill_status csv_first_error(struct csv_reader *reader)
{
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        if (reader->chunks[i].no_memory) return mill_no_memory(reader->error, reader->path);
    }
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        const struct csv_chunk *chunk = &reader->chunks[i];
        size_t bad = reader->bad < chunk->end ? reader->bad : chunk->bad;
        if (bad != SIZE_MAX && (!chunk->fault.kind || bad < chunk->fault.end)) {
            return mill_csv_bad_bytes(reader, bad);
        }
        if (chunk->fault.kind) return mill_csv_report(reader, &chunk->fault);
    }
    if (reader->bad != SIZE_MAX) return mill_csv_bad_bytes(reader, reader->bad);
    return TIDEMILL_OK;
}

/* Settles the columns whose guess held everywhere, and guesses again for the others. */
static bool csv_settle(struct csv_reader *reader)
{
    bool again = false;
    for (int i = 0; i < reader->column_count; i++) {
        struct csv_column *column = &reader->columns[i];
        if (!column->active) continue;
        bool held = true;
        for (int64_t c = 0; c < reader->chunk_count; c++) {
            column->possible &= reader->chunks[c].parts[i].possible;
            held &= !reader->chunks[c].parts[i].stopped;
        }
        column->active = !held;
        if (!held) mill_csv_guess(column);
        again |= !held;
    }
    return again;
}

static tidemill_status csv_parse(struct csv_reader *reader)
{
    tidemill_status status = mill_csv_guess_types(reader);
    if (status != TIDEMILL_OK) return status;
    reader->first_pass = true;
    do {
        status = mill_csv_choose_text(reader);
        for (int i = 0; status == TIDEMILL_OK && i < reader->column_count; i++) {
            if (reader->columns[i].active) status = csv_prepare_column(reader, i);
        }
        if (status != TIDEMILL_OK) return status;
        mill_csv_each_chunk(reader, reader, mill_csv_parse_chunk);
        status = csv_first_error(reader);
        if (status != TIDEMILL_OK) return status;
        reader->first_pass = false;
    } while (csv_settle(reader));
    return TIDEMILL_OK;
}

/* ---- reading --------------------------------------------------------------------------- */

static tidemill_status csv_check_options(struct csv_reader *reader)
{
    char delimiter = reader->options->delimiter;
    if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || (delimiter & 0x80)) {
        return mill_fail(reader->error, TIDEMILL_USAGE,
                         "delimiter must be an ASCII character other than a quote or line end");
    }
    const char *format = reader->options->date_format;
    bool year = false, month = false, day = false;
    for (; format && *format; format++) {
        if (*format != '%') continue;
        char letter = *++format;
        if (letter == '\0' || strchr("YmdHMS%", letter) == NULL) {
            return mill_fail(reader->error, TIDEMILL_USAGE,
                             "date_format \"%s\": %%%.1s is not one of %%Y %%m %%d %%H %%M %%S",
                             reader->options->date_format, format);
        }
        year |= letter == 'Y';
        month |= letter == 'm';
        day |= letter == 'd';
        reader->timed |= strchr("HMS", letter) != NULL;
    }
    if (format && !(year && month && day)) {
        return mill_fail(reader->error, TIDEMILL_USAGE,
                         "date_format \"%s\": expected %%Y, %%m and %%d in it",
                         reader->options->date_format);
    }
    return TIDEMILL_OK;
}

/* Moves what was read into *csv. */
static tidemill_status csv_publish(struct csv_reader *reader, struct mill_csv *csv)
{
    int count = reader->column_count;
    csv->names = calloc((size_t)count + 1, sizeof *csv->names);
    csv->arrays = calloc((size_t)count + 1, sizeof *csv->arrays);
    if (csv->names == NULL || csv->arrays == NULL) {
        return mill_no_memory(reader->error, reader->path);
    }
    csv->rows = reader->rows;
    csv->columns = count;
    for (int i = 0; i < count; i++) {
        struct csv_column *column = &reader->columns[i];
        csv->arrays[i] = column->array;
        column->array = NULL;
        csv->names[i] = strdup(reader->names[column->source]);
        if (csv->names[i] == NULL) return mill_no_memory(reader->error, reader->path);
    }
    return TIDEMILL_OK;
}

static void csv_reader_fini(struct csv_reader *reader)
{
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        struct csv_part *parts = reader->chunks[i].parts;
        for (int c = 0; parts && c < reader->column_count; c++) mill_csv_part_fini(&parts[c]);
        free(parts);
    }
    for (int i = 0; i < reader->column_count; i++) {
        mill_buffer_unref(reader->columns[i].values);
        mill_buffer_unref(reader->columns[i].offsets);
        mill_array_unref(reader->columns[i].array);
    }
    for (int i = 0; reader->names && i < reader->width; i++) free(reader->names[i]);
    free(reader->chunks);
    free(reader->columns);
    free(reader->names);
    free(reader->types);
    mill_buffer_unref(reader->buffer);
}

tidemill_status mill_csv_read(const char *path, const struct mill_csv_options *options,
                              struct mill_csv *csv, struct mill_error *error)
{
    struct mill_csv_options own = {0};
    if (options) own = *options;
    struct csv_reader reader = {.path = path, .options = &own, .error = error};
    memset(csv, 0, sizeof *csv);
    mill_csv_set_missing(&reader.missing, reader.options);
    tidemill_status status = csv_check_options(&reader);
    if (status == TIDEMILL_OK) status = csv_load(&reader, &csv->hash);
    if (status == TIDEMILL_OK) status = mill_csv_read_header(&reader);
    if (status == TIDEMILL_OK && own.choose) {
        status = own.choose(own.chooser, &own, reader.names, reader.width);
    }
    if (status == TIDEMILL_OK) status = mill_csv_choose_columns(&reader);
    if (status == TIDEMILL_OK) status = csv_plan_chunks(&reader);
    if (status == TIDEMILL_OK) status = csv_parse(&reader);
    for (int i = 0; status == TIDEMILL_OK && i < reader.column_count; i++) {
        status = mill_csv_finish_column(&reader, i);
    }
    if (status == TIDEMILL_OK) status = csv_publish(&reader, csv);
    csv_reader_fini(&reader);
    if (status != TIDEMILL_OK) mill_csv_fini(csv);
    return status;
}

void mill_csv_fini(struct mill_csv *csv)
{
    for (int i = 0; i < csv->columns; i++) {
        free(csv->names[i]);
        mill_array_unref(csv->arrays[i]);
    }
    free(csv->names);
    free(csv->arrays);
    memset(csv, 0, sizeof *csv);
}
