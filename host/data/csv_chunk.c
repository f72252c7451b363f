/* csv_chunk: the cells of one chunk of rows go to their columns.
 * Runs on any thread; it writes its own chunk's rows and parts and nothing else.
 * SPDX-License-Identifier: MIT */
#include "base/room.h"
#include "data/csv_reader.h"

#include <stdlib.h>
#include <string.h>

static void csv_note_fault(struct csv_chunk *chunk, enum csv_fault_kind kind, int column,
                           size_t at, size_t end)
{
    if (chunk->fault.kind && chunk->fault.at <= at) return;
    chunk->fault = (struct csv_fault){kind, column, at, end};
}

const char *mill_csv_unquoted(struct csv_job *job, const struct mill_csv_cell *cell,
                              size_t *size)
{
    *size = cell->size & MILL_CSV_CELL_SIZE;
    if (*size > job->scratch_room) {
        if (!mill_room_set(&job->scratch, *size, 1)) return NULL;
        job->scratch_room = *size;
    }
    *size = mill_csv_unquote(job->text + cell->start, *size, job->scratch);
    return job->scratch;
}

static bool csv_note_missing(struct csv_job *job, struct csv_part *part, int64_t row)
{
    if (part->absent == NULL) {
        part->absent = calloc((size_t)job->chunk->rows / 8 + 1, 1);
        if (part->absent == NULL) return false;
    }
    part->absent[row >> 3] |= (uint8_t)(1u << (row & 7));
    part->nulls++;
    return true;
}

/* What a cell that is not of its column's type means: an error, or a wrong guess. */
static void csv_mismatch(struct csv_job *job, const struct csv_column *column,
                         struct csv_part *part, const struct mill_csv_cell *cell,
                         const char *text, size_t size, enum mill_csv_result result)
{
    if (column->given) {
        size_t at = job->chunk->start + cell->start;
        csv_note_fault(job->chunk, result == MILL_CSV_RANGE ? CSV_RANGE : CSV_VALUE,
                       column->source, at, at + (cell->size & MILL_CSV_CELL_SIZE));
    } else {
        part->possible &= mill_csv_accepted(job->reader, text, size);
    }
    part->stopped = true;
}

/* False when memory is short; so are the two functions below. */
static bool csv_parse_values(struct csv_job *job, const struct csv_column *column,
                             struct csv_part *part)
{
    const struct csv_reader *reader = job->reader;
    const struct mill_csv_cell *cell = job->cells + column->source;
    size_t step = mill_type_size(column->type);
    uint8_t *value = column->values->data + (size_t)(job->chunk->first_row + job->done) * step;
    for (int64_t i = 0; i < job->rows; i++, cell += reader->width, value += step) {
        size_t size;
        const char *text = mill_csv_cell_text(job, cell, &size);
        if (text == NULL) return false;
        mill_csv_trim(&text, &size);
        if (mill_csv_is_missing(&reader->missing, text, size)) {
            mill_csv_store_missing(column->type, value);
            if (!csv_note_missing(job, part, job->done + i)) return false;
            continue;
        }
        enum mill_csv_result result =
            mill_csv_store(reader, column->type, column->given, text, size, value);
        if (result == MILL_CSV_GOOD) continue;
        csv_mismatch(job, column, part, cell, text, size, result);
        return true;
    }
    return true;
}

/* In a column that was asked for as text "NA" is a word (a ticker, a country), unless the caller
 * has said what counts as missing. */
static bool csv_is_absent_text(const struct csv_reader *reader, const struct csv_column *column,
                               const char *text, size_t size)
{
    if (column->given && reader->options->missing == NULL) return size == 0;
    return mill_csv_is_missing(&reader->missing, text, size);
}

static bool csv_parse_words(struct csv_job *job, const struct csv_column *column,
                            struct csv_part *part)
{
    const struct csv_reader *reader = job->reader;
    const struct mill_csv_cell *cell = job->cells + column->source;
    int32_t *codes = (int32_t *)(void *)column->values->data + job->chunk->first_row;
    int32_t last = -1, start = 0;
    for (int64_t i = job->done; i < job->done + job->rows; i++, cell += reader->width) {
        size_t size;
        const char *text = mill_csv_cell_text(job, cell, &size);
        if (text == NULL) return false;
        if (csv_is_absent_text(reader, column, text, size)) {
            codes[i] = 0;
            if (!csv_note_missing(job, part, i)) return false;
            continue;
        }
        /* Files are often sorted: the same word again needs no look-up. */
        bool again = last >= 0 && (size_t)(part->words.ends[last] - start) == size &&
                     memcmp(part->words.bytes + start, text, size) == 0;
        if (!again) {
            last = mill_words_add(&part->words, text, size);
            if (last < 0) return false;
            start = mill_words_start(&part->words, last);
        }
        codes[i] = last;
    }
    return true;
}

/* Offsets are those within the chunk until csv_join_text moves them. */
static bool csv_parse_text(struct csv_job *job, const struct csv_column *column,
                           struct csv_part *part)
{
    const struct csv_reader *reader = job->reader;
    const struct mill_csv_cell *cell = job->cells + column->source;
    int32_t *ends = (int32_t *)(void *)column->offsets->data + job->chunk->first_row + 1;
    for (int64_t i = job->done; i < job->done + job->rows; i++, cell += reader->width) {
        size_t size;
        const char *text = mill_csv_cell_text(job, cell, &size);
        if (text == NULL) return false;
        if (csv_is_absent_text(reader, column, text, size)) {
            if (!csv_note_missing(job, part, i)) return false;
        } else if (size > 0) {
            if (part->used + size > part->room) {
                size_t room = (part->used + size) * 2 + 256;
                if (!mill_room_set(&part->bytes, room, 1)) return false;
                part->room = room;
            }
            memcpy(part->bytes + part->used, text, size);
            part->used += size;
        }
        ends[i] = (int32_t)part->used;
    }
    return true;
}

static bool csv_parse_batch(struct csv_job *job)
{
    for (int i = 0; i < job->reader->column_count; i++) {
        const struct csv_column *column = &job->reader->columns[i];
        struct csv_part *part = &job->chunk->parts[i];
        bool good = true;
        if (!column->active || part->stopped) continue;
        if (column->type == MILL_UTF8) {
            good = csv_parse_text(job, column, part);
        } else if (column->type == MILL_DICTIONARY) {
            good = csv_parse_words(job, column, part);
        } else {
            good = csv_parse_values(job, column, part);
        }
        if (!good) return false;
    }
    return true;
}

/* The rows of a chunk, batch by batch, up to its end or its first fault. */
static bool csv_parse_rows(struct csv_job *job)
{
    const struct csv_reader *reader = job->reader;
    struct csv_chunk *chunk = job->chunk;
    size_t size = chunk->end - chunk->start, at = 0, where;
    int64_t room = reader->width < CSV_BATCH ? CSV_BATCH / reader->width : 1;
    int quotes = reader->quotes && memchr(job->text, '"', size) != NULL;
    enum mill_csv_fault fault = MILL_CSV_NO_FAULT;
    job->cells = malloc((size_t)room * (size_t)reader->width * sizeof *job->cells);
    if (job->cells == NULL) return false;
    while (job->done < chunk->rows && fault == MILL_CSV_NO_FAULT && !chunk->fault.kind) {
        int64_t left = chunk->rows - job->done;
        job->rows =
            mill_csv_index(job->text, size, &at, reader->delimiter, quotes, reader->width,
                           left < room ? left : room, job->cells, &fault, &where);
        if (!csv_parse_batch(job)) return false;
        job->done += job->rows;
    }
    if (fault == MILL_CSV_CELL_COUNT) {
        csv_note_fault(chunk, CSV_CELL_COUNT, 0, chunk->start + at, chunk->start + at);
    } else if (fault != MILL_CSV_NO_FAULT) {
        csv_note_fault(chunk, fault == MILL_CSV_UNCLOSED ? CSV_UNCLOSED : CSV_AFTER_QUOTE, 0,
                       chunk->start + where, chunk->start + where);
    }
    return true;
}

void mill_csv_parse_chunk(void *context, int64_t i)
{
    const struct csv_reader *reader = context;
    struct csv_chunk *chunk = &reader->chunks[i];
    struct csv_job job = {
        .reader = reader, .chunk = chunk, .text = reader->text + chunk->start};
    if (reader->first_pass && reader->check) {
        size_t size = chunk->end - chunk->start;
        size_t good = mill_csv_utf8_prefix(job.text, size);
        if (good < size) chunk->bad = chunk->start + good;
    }
    if (!csv_parse_rows(&job)) chunk->no_memory = true;
    free(job.cells);
    free(job.scratch);
}

void mill_csv_count_chunk(void *context, int64_t i)
{
    const struct csv_reader *reader = context;
    struct csv_chunk *chunk = &reader->chunks[i];
    chunk->rows = mill_csv_count_rows(reader->text + chunk->start, chunk->end - chunk->start,
                                      reader->delimiter, reader->quotes);
}
