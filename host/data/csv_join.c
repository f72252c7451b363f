/* csv_join: what the chunks kept apart becomes whole columns.
 * SPDX-License-Identifier: MIT */
#include "data/csv_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Chunks share bytes of the bitmap, so it is made here, on one thread, and only where a cell
 * is missing.  NULL with *nulls 0: none is. */
static tidemill_status csv_join_validity(struct csv_reader *reader, int index,
                                         struct mill_buffer **validity, int64_t *nulls)
{
    *validity = NULL;
    *nulls = 0;
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        *nulls += reader->chunks[i].parts[index].nulls;
    }
    if (*nulls == 0) return TIDEMILL_OK;
    size_t size = (size_t)reader->rows / 8 + (reader->rows % 8 != 0);
    *validity = mill_buffer_new(reader->options->memory, size);
    if (*validity == NULL) return mill_no_memory(reader->error, reader->path);
    memset((*validity)->data, 0xFF, size);
    if (reader->rows % 8) (*validity)->data[size - 1] = (uint8_t)((1u << reader->rows % 8) - 1);
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        const struct csv_chunk *chunk = &reader->chunks[i];
        const uint8_t *absent = chunk->parts[index].absent;
        for (int64_t byte = 0; absent && byte <= chunk->rows / 8; byte++) {
            for (unsigned bits = absent[byte]; bits; bits &= bits - 1) {
                int64_t row = chunk->first_row + byte * 8 + __builtin_ctz(bits);
                (*validity)->data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
            }
        }
    }
    return TIDEMILL_OK;
}

/* What the threads need that put a column together. */
struct csv_join {
    const struct csv_reader *reader;
    const struct csv_column *column;
    int index;
    int64_t *bases;  /* of each chunk's text in the column's */
    int32_t **codes; /* of each chunk's words in the column's dictionary */
};

static void csv_join_chunk_text(void *context, int64_t i)
{
    const struct csv_join *join = context;
    const struct csv_chunk *chunk = &join->reader->chunks[i];
    const struct csv_part *part = &chunk->parts[join->index];
    int32_t *ends = (int32_t *)(void *)join->column->offsets->data + chunk->first_row + 1;
    if (part->used) {
        memcpy(join->column->values->data + join->bases[i], part->bytes, part->used);
    }
    for (int64_t row = 0; row < chunk->rows; row++) ends[row] += (int32_t)join->bases[i];
}

static tidemill_status csv_join_text(struct csv_reader *reader, int index)
{
    struct csv_column *column = &reader->columns[index];
    int64_t *bases = calloc((size_t)reader->chunk_count + 1, sizeof *bases);
    if (bases == NULL) return mill_no_memory(reader->error, reader->path);
    int64_t used = 0;
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        bases[i] = used;
        used += (int64_t)reader->chunks[i].parts[index].used;
    }
    tidemill_status status = TIDEMILL_OK;
    if (used > INT32_MAX) {
        char name[CSV_SHOWN];
        status = mill_fail(reader->error, TIDEMILL_DATA,
                           "%s: column \"%s\": more than 2 GiB of text", reader->path,
                           mill_csv_show_name(name, reader->names[column->source]));
    } else {
        column->values = mill_buffer_new(reader->options->memory, (size_t)used);
        if (column->values == NULL) status = mill_no_memory(reader->error, reader->path);
    }
    if (status == TIDEMILL_OK) {
        *(int32_t *)(void *)column->offsets->data = 0;
        struct csv_join join = {reader, column, index, bases, NULL};
        mill_csv_each_chunk(reader, &join, csv_join_chunk_text);
    }
    free(bases);
    return status;
}

/* A chunk's codes number its own words; they change into those of the whole column. */
static void csv_join_chunk_codes(void *context, int64_t i)
{
    const struct csv_join *join = context;
    const struct csv_chunk *chunk = &join->reader->chunks[i];
    const struct csv_part *part = &chunk->parts[join->index];
    const int32_t *map = join->codes[i];
    if (part->words.count == 0) return;
    int32_t *codes = (int32_t *)(void *)join->column->values->data + chunk->first_row;
    for (int64_t row = 0; row < chunk->rows; row++) {
        bool missing = part->absent && (part->absent[row >> 3] >> (row & 7) & 1);
        if (!missing) codes[row] = map[codes[row]];
    }
}

/* Adds the words of all chunks in their order; codes[i] maps those of chunk i. */
static bool csv_join_words(struct csv_reader *reader, int index, struct mill_words *all,
                           int32_t **codes)
{
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        const struct mill_words *words = &reader->chunks[i].parts[index].words;
        codes[i] = malloc((size_t)words->count * sizeof **codes + 1);
        if (codes[i] == NULL) return false;
        for (int32_t word = 0; word < words->count; word++) {
            int32_t start = mill_words_start(words, word);
            codes[i][word] =
                mill_words_add(all, words->bytes + start, (size_t)(words->ends[word] - start));
            if (codes[i][word] < 0) return false;
        }
    }
    return true;
}

static struct mill_array *csv_words_array(struct mill_memory *memory,
                                          const struct mill_words *words)
{
    size_t count = (size_t)words->count, used = count ? (size_t)words->ends[count - 1] : 0;
    struct mill_buffer *bytes = mill_buffer_new(memory, used);
    struct mill_buffer *offsets = mill_buffer_new(memory, (count + 1) * sizeof(int32_t));
    if (bytes == NULL || offsets == NULL) {
        mill_buffer_unref(bytes);
        mill_buffer_unref(offsets);
        return NULL;
    }
    memset(offsets->data, 0, sizeof(int32_t));
    if (count) {
        memcpy(bytes->data, words->bytes, used);
        memcpy(offsets->data + sizeof(int32_t), words->ends, count * sizeof(int32_t));
    }
    return mill_array_wrap(MILL_UTF8, (int64_t)count, bytes, offsets, NULL, 0, NULL);
}

static tidemill_status csv_join_dictionary(struct csv_reader *reader, int index,
                                           struct mill_array **dictionary)
{
    struct mill_words all = {0};
    int32_t **codes = calloc((size_t)reader->chunk_count + 1, sizeof *codes);
    *dictionary = NULL;
    if (codes && csv_join_words(reader, index, &all, codes)) {
        struct csv_join join = {reader, &reader->columns[index], index, NULL, codes};
        mill_csv_each_chunk(reader, &join, csv_join_chunk_codes);
        *dictionary = csv_words_array(reader->options->memory, &all);
    }
    for (int64_t i = 0; codes && i < reader->chunk_count; i++) free(codes[i]);
    free(codes);
    mill_words_fini(&all);
    return *dictionary ? TIDEMILL_OK : mill_no_memory(reader->error, reader->path);
}

tidemill_status mill_csv_finish_column(struct csv_reader *reader, int index)
{
    struct csv_column *column = &reader->columns[index];
    struct mill_buffer *validity;
    struct mill_array *dictionary = NULL;
    tidemill_status status = TIDEMILL_OK;
    int64_t nulls;
    if (column->type == MILL_UTF8) status = csv_join_text(reader, index);
    if (column->type == MILL_DICTIONARY) {
        status = csv_join_dictionary(reader, index, &dictionary);
    }
    if (status != TIDEMILL_OK) return status;
    status = csv_join_validity(reader, index, &validity, &nulls);
    if (status != TIDEMILL_OK) {
        mill_array_unref(dictionary);
        return status;
    }
    /* The first guess holds where every cell is missing; NaN is the friendlier nothing. */
    if (!column->given && column->type == MILL_INT64 && nulls == reader->rows) {
        column->type = MILL_FLOAT64;
        double *values = (double *)(void *)column->values->data;
        for (int64_t i = 0; i < reader->rows; i++) values[i] = NAN;
    }
    column->array = mill_array_wrap(column->type, reader->rows, column->values, column->offsets,
                                    validity, nulls, dictionary);
    column->values = column->offsets = NULL;
    for (int64_t i = 0; i < reader->chunk_count; i++) {
        mill_csv_part_fini(&reader->chunks[i].parts[index]);
    }
    return column->array ? TIDEMILL_OK : mill_no_memory(reader->error, reader->path);
}
