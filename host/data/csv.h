/* csv: a delimited text file becomes typed columns.
 * The work on bytes is in kernels/csv.c; this file plans it: encoding, delimiter, header,
 * types, chunks, errors that name file, line and column.  SPDX-License-Identifier: MIT */
#ifndef MILL_CSV_H
#define MILL_CSV_H

#include "base/status.h"
#include "data/array.h"

/* Runs body(context, i) for i in [0, count), perhaps on several threads, and returns when all
 * are done. */
typedef void mill_parallel(void *with, int64_t count, void (*body)(void *context, int64_t i),
                           void *context);

struct mill_csv_type {
    const char *column;
    enum mill_type type;
};

struct mill_csv_options {
    const char *encoding;       /* an iconv name; NULL: UTF-8, checked */
    char delimiter;             /* 0: comma, semicolon or tab, whichever the header shows */
    const char *const *columns; /* read only these, in this order; NULL: all, in file order */
    int column_count;
    const struct mill_csv_type *types; /* the others are inferred */
    int type_count;
    const char *const *missing; /* NULL: "", NA, N/A, NaN, nan, null, None; in columns asked for
                                   as utf8 or dictionary "" alone */
    int missing_count;
    const char *date_format; /* of date and timestamp columns: %Y %m %d %H %M %S and literals */
    bool ignore_case;        /* column names of `columns` and `types` match in any case */
    struct mill_memory *memory;
    mill_parallel *parallel; /* NULL: on this thread */
    void *with;
    /* Called when the file's columns are known; may set `columns` and `types` of its copy of
     * these options.  When it returns another status than TIDEMILL_OK the reading ends with
     * that, and what *error says is the caller's business.  NULL: nobody asks. */
    tidemill_status (*choose)(void *chooser, struct mill_csv_options *options,
                              char *const *names, int count);
    void *chooser;
    size_t chunk; /* bytes parsed at a time; 0: 1 MiB.  The result does not depend on it */
};

struct mill_csv {
    int64_t rows;
    int columns;
    char **names;               /* as in the file's header */
    struct mill_array **arrays; /* one a column, with nulls where a cell was missing */
    struct mill_hash hash;      /* of the file's bytes */
};

/* Reads `path` (plain or gzip).  Types chosen when not given, over the whole column: int64,
 * else float64, else bool (true/false in any case), else date, else timestamp, else utf8
 * (dictionary when under a quarter of the first 10,000 cells are distinct); float64 when every
 * cell is missing.  On success the caller frees *csv. */
tidemill_status mill_csv_read(const char *path, const struct mill_csv_options *options,
                              struct mill_csv *csv, struct mill_error *error);
void mill_csv_fini(struct mill_csv *csv);

#endif
