/* csv: bytes of delimited text become rows, cells and values.
 * Pure functions: nothing allocates, and nothing reads outside [text, text + size).
 * SPDX-License-Identifier: MIT */
#ifndef MILL_KERNELS_CSV_H
#define MILL_KERNELS_CSV_H

#include <stddef.h>
#include <stdint.h>

/* ---- Rows and cells --------------------------------------------------------------------
 * A row ends at LF, CR LF or the end of the text.  A cell that opens with a quote ends at the
 * next quote that is not doubled; any other quote is an ordinary character. */

struct mill_csv_cell {
    uint32_t start; /* from the text given to mill_csv_index; after the quote */
    uint32_t size;  /* in bytes, without quotes; may carry MILL_CSV_DOUBLED */
};

enum {
    MILL_CSV_DOUBLED = 0x40000000,  /* the cell holds doubled quotes: see mill_csv_unquote */
    MILL_CSV_CELL_SIZE = 0x3FFFFFFF /* mask, and the most that one call may index */
};

enum mill_csv_fault {
    MILL_CSV_NO_FAULT,
    MILL_CSV_CELL_COUNT, /* a row has not as many cells as there are columns */
    MILL_CSV_UNCLOSED,   /* a quoted cell has no end */
    MILL_CSV_AFTER_QUOTE /* text between a closing quote and the end of the cell */
};

/* Cells of whole rows from *at on, `columns` a row, until `room` rows are read, the text ends
 * or a row is at fault.  *at moves to the first row that was not read; after an UNCLOSED or
 * AFTER_QUOTE, *where is the offset of that cell.  `quotes` 0 promises that the text holds no
 * quote.  Returns the rows read. */
int64_t mill_csv_index(const char *text, size_t size, size_t *at, char delimiter, int quotes,
                       int64_t columns, int64_t room, struct mill_csv_cell *cells,
                       enum mill_csv_fault *fault, size_t *where);

int64_t mill_csv_count_rows(const char *text, size_t size, char delimiter, int quotes);
int64_t mill_csv_count_lines(const char *text, size_t size); /* LF bytes */

/* Cells in the row at `at`. */
int64_t mill_csv_count_cells(const char *text, size_t size, size_t at, char delimiter);

/* The first start of a row that is not before `target`, walking from the row at `at`; `size`
 * when there is none. */
size_t mill_csv_row_start(const char *text, size_t size, size_t at, size_t target,
                          char delimiter, int quotes);

/* Writes a cell's text with doubled quotes halved; `out` has room for `size` bytes. */
size_t mill_csv_unquote(const char *text, size_t size, char *out);

/* Length of the longest prefix that is UTF-8. */
size_t mill_csv_utf8_prefix(const char *text, size_t size);

/* ---- Values ----------------------------------------------------------------------------
 * The text is a whole cell without blanks around it.  *value is written when GOOD. */

enum mill_csv_result {
    MILL_CSV_BAD,
    MILL_CSV_GOOD,
    MILL_CSV_RANGE /* an integer, but too large */
};

enum mill_csv_result mill_csv_int64(const char *text, size_t size, int64_t *value);
enum mill_csv_result mill_csv_uint64(const char *text, size_t size, uint64_t *value);

/* Correctly rounded, whatever the locale: 1, -.5, 6.02e+23, inf, infinity, nan in any case. */
enum mill_csv_result mill_csv_float64(const char *text, size_t size, double *value);
enum mill_csv_result mill_csv_float32(const char *text, size_t size, float *value);

enum mill_csv_result mill_csv_bool(const char *text, size_t size, uint8_t *value);

/* Days since 1970-01-01: 2018-02-07, 2018/2/7 or 20180207; years 1 to 9999. */
enum mill_csv_result mill_csv_date(const char *text, size_t size, int32_t *days);

/* Microseconds since 1970-01-01 UTC: a date alone, or with T or a blank and 15:30,
 * 15:30:00.25, 153000 and Z, +08:00, +0800 or +08.  Digits past microseconds are dropped. */
enum mill_csv_result mill_csv_timestamp(const char *text, size_t size, int64_t *microseconds);

/* The same by a format of %Y %m %d %H %M %S %% and literals that names %Y, %m and %d. */
enum mill_csv_result mill_csv_formatted(const char *text, size_t size, const char *format,
                                        int64_t *microseconds);

#endif
