/* csv_guess: types from the first rows; parsing finds out whether they hold.
 * SPDX-License-Identifier: MIT */
#include "data/csv_reader.h"

#include <stdlib.h>

enum {
    CSV_TYPE_SAMPLE = 64,   /* rows of the first guess */
    CSV_WORD_SAMPLE = 10000 /* rows that decide between utf8 and dictionary */
};

const enum mill_type mill_csv_order[CSV_TYPES] = {MILL_INT64, MILL_FLOAT64,   MILL_BOOL,
                                                  MILL_DATE,  MILL_TIMESTAMP, MILL_UTF8};

void mill_csv_guess(struct csv_column *column)
{
    int i = 0;
    while (!(column->possible & 1u << mill_csv_order[i])) i++;
    column->type = mill_csv_order[i];
}

typedef bool csv_visit(struct csv_job *job, struct csv_column *column,
                       struct mill_words *words);

/* Calls visit with batches of the first `rows` rows for each column whose type is inferred,
 * and the column's element of `words` (which may be NULL); it returns false when memory is
 * short.  A row at fault ends the sample silently: parsing will meet it again. */
static tidemill_status csv_sample(struct csv_reader *reader, int64_t rows, csv_visit *visit,
                                  struct mill_words *words)
{
    struct csv_job job = {.reader = reader, .text = reader->text + reader->body};
    size_t size = mill_csv_indexable(reader->size - reader->body), at = 0, where;
    int64_t room = reader->width < CSV_BATCH ? CSV_BATCH / reader->width : 1;
    enum mill_csv_fault fault = MILL_CSV_NO_FAULT;
    job.cells = malloc((size_t)room * (size_t)reader->width * sizeof *job.cells);
    bool good = job.cells != NULL;
    while (good && rows > 0 && at < size && !fault) {
        job.rows =
            mill_csv_index(job.text, size, &at, reader->delimiter, reader->quotes,
                           reader->width, rows < room ? rows : room, job.cells, &fault, &where);
        for (int i = 0; good && i < reader->column_count; i++) {
            struct csv_column *column = &reader->columns[i];
            if (!column->given) good = visit(&job, column, words ? &words[i] : NULL);
        }
        rows -= job.rows;
    }
    free(job.cells);
    free(job.scratch);
    return good ? TIDEMILL_OK : mill_no_memory(reader->error, reader->path);
}

static bool csv_sample_types(struct csv_job *job, struct csv_column *column,
                             struct mill_words *words)
{
    (void)words;
    const struct mill_csv_cell *cell = job->cells + column->source;
    for (int64_t i = 0; i < job->rows; i++, cell += job->reader->width) {
        size_t size;
        const char *text = mill_csv_cell_text(job, cell, &size);
        if (text == NULL) return false;
        mill_csv_trim(&text, &size);
        if (mill_csv_is_missing(&job->reader->missing, text, size)) continue;
        column->possible &= mill_csv_accepted(job->reader, text, size);
    }
    return true;
}

static bool csv_sample_words(struct csv_job *job, struct csv_column *column,
                             struct mill_words *words)
{
    if (column->type != MILL_UTF8 || column->sampled) return true;
    const struct mill_csv_cell *cell = job->cells + column->source;
    for (int64_t i = 0; i < job->rows; i++, cell += job->reader->width) {
        size_t size;
        const char *text = mill_csv_cell_text(job, cell, &size);
        if (text == NULL) return false;
        if (mill_csv_is_missing(&job->reader->missing, text, size)) continue;
        column->cells++;
        /* A quarter of the sample decides; more words change nothing. */
        if (words->count >= CSV_WORD_SAMPLE / 4) continue;
        if (mill_words_add(words, text, size) < 0) return false;
    }
    return true;
}

tidemill_status mill_csv_guess_types(struct csv_reader *reader)
{
    tidemill_status status = csv_sample(reader, CSV_TYPE_SAMPLE, csv_sample_types, NULL);
    if (status != TIDEMILL_OK) return status;
    for (int i = 0; i < reader->column_count; i++) {
        if (!reader->columns[i].given) mill_csv_guess(&reader->columns[i]);
    }
    return TIDEMILL_OK;
}

tidemill_status mill_csv_choose_text(struct csv_reader *reader)
{
    bool wanted = false;
    for (int i = 0; i < reader->column_count; i++) {
        wanted |= reader->columns[i].type == MILL_UTF8 && !reader->columns[i].sampled;
    }
    if (!wanted) return TIDEMILL_OK;
    struct mill_words *words = calloc((size_t)reader->column_count, sizeof *words);
    if (words == NULL) return mill_no_memory(reader->error, reader->path);
    tidemill_status status = csv_sample(reader, CSV_WORD_SAMPLE, csv_sample_words, words);
    for (int i = 0; i < reader->column_count; i++) {
        struct csv_column *column = &reader->columns[i];
        if (column->type == MILL_UTF8 && !column->sampled) {
            column->sampled = true;
            if ((int64_t)words[i].count * 4 < column->cells) column->type = MILL_DICTIONARY;
        }
        mill_words_fini(&words[i]);
    }
    free(words);
    return status;
}
