/* csv_reader: what the files csv*.c share while a file is read.  Nobody else includes it.
 * Everything is split by data alone: types, codes and the error reported do not depend on
 * chunks or threads.  SPDX-License-Identifier: MIT
 *
 * The text is cut into chunks at starts of rows.  One pass counts the rows of each chunk, so
 * that the next can parse straight into the columns: every chunk writes its own rows of each
 * column, and keeps apart (struct csv_part) what has no place of its own yet, namely missing
 * cells, text, and the words of dictionaries.  A type that was inferred is a guess from the
 * first rows; a chunk that meets a cell which contradicts it notes the types that cell can
 * have and leaves the column alone.  Such a column is parsed again as the next type that no
 * chunk has ruled out: at most six times, in practice once or twice.
 *
 *     csv.c         load, cut, count, parse until the guesses hold, publish
 *     csv_header.c  delimiter, names, which columns are read
 *     csv_guess.c   types from the first rows
 *     csv_chunk.c   one chunk's cells into columns and parts (any thread)
 *     csv_value.c   one cell into one value
 *     csv_join.c    parts into arrays
 *     csv_error.c   the texts of errors */
#ifndef MILL_CSV_READER_H
#define MILL_CSV_READER_H

#include "data/csv.h"
#include "data/words.h"
#include "kernels/csv.h"

enum {
    CSV_BATCH = 8192, /* cells indexed at a time: they and their text stay in cache */
    CSV_TYPES = 6     /* that may be inferred */
};

/* In the order in which they are tried; the last takes every cell. */
extern const enum mill_type mill_csv_order[CSV_TYPES];

/* What one chunk knows of one column. */
struct csv_part {
    unsigned possible; /* bit 1 << type: no cell seen rules the type out */
    bool stopped;      /* the guess was wrong here */
    int64_t nulls;
    uint8_t *absent; /* a bit a row, 1 = missing; NULL: none */
    struct mill_words words;
    char *bytes; /* text of a utf8 column */
    size_t used, room;
};

enum csv_fault_kind {
    CSV_NO_FAULT,
    CSV_CELL_COUNT,
    CSV_UNCLOSED,
    CSV_AFTER_QUOTE,
    CSV_VALUE,
    CSV_RANGE
};

struct csv_fault {
    enum csv_fault_kind kind;
    int column;     /* of the file */
    size_t at, end; /* the cell, or the start of the row; from the start of the text */
};

struct csv_chunk {
    size_t start, end; /* from the start of the text */
    int64_t first_row, rows;
    bool no_memory;
    size_t bad; /* the first byte that is not UTF-8, or SIZE_MAX */
    struct csv_fault fault;
    struct csv_part *parts; /* one a column read */
};

struct csv_column {
    int source; /* which column of the file */
    bool given; /* the type was asked for */
    bool active;
    bool sampled;  /* utf8 or dictionary is decided */
    int32_t cells; /* not missing ones of that sample */
    unsigned possible;
    enum mill_type type;
    struct mill_buffer *values, *offsets; /* being filled */
    struct mill_array *array;             /* done */
};

struct csv_missing {
    const char *const *tokens;
    int count;
    size_t longest;
    bool first[256]; /* some token begins so */
    bool empty;      /* the empty text is one of them */
};

struct csv_reader {
    const char *path;
    const struct mill_csv_options *options;
    struct mill_error *error;

    struct mill_buffer *buffer; /* holds the text */
    const char *text;           /* UTF-8 without BOM and blank lines at the end */
    size_t size;
    size_t bad;  /* the first byte that could not be decoded, or SIZE_MAX */
    size_t body; /* where the rows begin */
    bool check;  /* the bytes may not be UTF-8 */
    char delimiter;
    bool quotes;
    bool timed; /* date_format holds hours, minutes or seconds */
    struct csv_missing missing;

    char **names; /* of the file's columns */
    enum mill_type *types;
    int width;

    struct csv_column *columns; /* that are read */
    int column_count;
    struct csv_chunk *chunks;
    int64_t chunk_count;
    int64_t rows;
    bool first_pass;
};

/* ---- csv.c ----------------------------------------------------------------------------- */

/* Runs body(context, i) for every chunk, in parallel when there are several and
 * the options say how. */
void mill_csv_each_chunk(const struct csv_reader *reader, void *context,
                         void (*body)(void *context, int64_t i));
void mill_csv_part_fini(struct csv_part *part);

/* As much of `size` bytes as one call of mill_csv_index takes. */
static inline size_t mill_csv_indexable(size_t size)
{
    return size < MILL_CSV_CELL_SIZE ? size : MILL_CSV_CELL_SIZE;
}

/* ---- csv_header.c ---------------------------------------------------------------------- */

tidemill_status mill_csv_read_header(struct csv_reader *reader);
tidemill_status mill_csv_choose_columns(struct csv_reader *reader);

/* ---- csv_guess.c ----------------------------------------------------------------------- */

/* A first type for each column that was given none. */
tidemill_status mill_csv_guess_types(struct csv_reader *reader);

/* The first type in order that nothing rules out. */
void mill_csv_guess(struct csv_column *column);

/* Makes dictionaries of those text columns in which few words repeat. */
tidemill_status mill_csv_choose_text(struct csv_reader *reader);

/* ---- csv_chunk.c ----------------------------------------------------------------------- */

/* The thread's view of the chunk it parses. */
struct csv_job {
    const struct csv_reader *reader;
    struct csv_chunk *chunk;
    const char *text; /* of the chunk */
    struct mill_csv_cell *cells;
    int64_t rows;  /* in cells */
    int64_t done;  /* rows of the chunk before them */
    char *scratch; /* for cells with doubled quotes */
    size_t scratch_room;
};

/* The text of a cell with doubled quotes; NULL when memory is short. */
const char *mill_csv_unquoted(struct csv_job *job, const struct mill_csv_cell *cell,
                              size_t *size);

/* A cell's text, valid until the next call; NULL when memory is short. */
static inline const char *mill_csv_cell_text(struct csv_job *job,
                                             const struct mill_csv_cell *cell, size_t *size)
{
    if (cell->size & MILL_CSV_DOUBLED) return mill_csv_unquoted(job, cell, size);
    *size = cell->size;
    return job->text + cell->start;
}

/* Bodies for mill_csv_each_chunk; `context` is the reader. */
void mill_csv_count_chunk(void *context, int64_t i);
void mill_csv_parse_chunk(void *context, int64_t i);

/* ---- csv_value.c ----------------------------------------------------------------------- */

void mill_csv_set_missing(struct csv_missing *missing, const struct mill_csv_options *options);
bool mill_csv_is_token(const struct csv_missing *missing, const char *text, size_t size);

/* Whether a cell says that it has no value; most cells are done with their first byte. */
static inline bool mill_csv_is_missing(const struct csv_missing *missing, const char *text,
                                       size_t size)
{
    if (size == 0) return missing->empty;
    return missing->first[(uint8_t)text[0]] && mill_csv_is_token(missing, text, size);
}

/* Cuts blanks off both ends: of every cell but those of text. */
static inline void mill_csv_trim(const char **text, size_t *size)
{
    while (*size > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        --*size;
    }
    while (*size > 0 && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t')) --*size;
}

/* Stores one trimmed cell as a type other than text; `given` says that the type was asked for,
 * which lets it be read more generously. */
enum mill_csv_result mill_csv_store(const struct csv_reader *reader, enum mill_type type,
                                    bool given, const char *text, size_t size, void *value);

/* What stands in the place of a missing cell: NaN or zero. */
void mill_csv_store_missing(enum mill_type type, void *value);

/* The types, bit 1 << type each, that a trimmed cell can have. */
unsigned mill_csv_accepted(const struct csv_reader *reader, const char *text, size_t size);

/* ---- csv_join.c ------------------------------------------------------------------------ */

/* Turns the filled buffers and parts of a column into its array. */
tidemill_status mill_csv_finish_column(struct csv_reader *reader, int index);

/* ---- csv_error.c ----------------------------------------------------------------------- */

enum { CSV_SHOWN = 200 };

/* A cell or a name on one line, cut after 40 bytes; returns `out`. */
const char *mill_csv_show(char out[CSV_SHOWN], const char *text, size_t size);
const char *mill_csv_show_name(char out[CSV_SHOWN], const char *name);

/* The line of the file, from 1, of an offset in the text. */
long long mill_csv_line(const struct csv_reader *reader, size_t at);

tidemill_status mill_csv_bad_bytes(struct csv_reader *reader, size_t at);
tidemill_status mill_csv_report(struct csv_reader *reader, const struct csv_fault *fault);

#endif
