/* csv: bytes of delimited text become rows and cells.
 * What a quote is depends on what is before it: only text from the start of a row is judged.
 * SPDX-License-Identifier: MIT */
#include "kernels/csv.h"

#include <string.h>

#include "kernels/word.h"

#if defined __SSE2__ && !defined TIDEMILL_SCALAR
#define CSV_SSE2 1
#include <emmintrin.h>
#endif

/* ---- sixty-four bytes at a time -------------------------------------------------------- */

/* Bit i: character i of 64 is `a` or `b`. */
static uint64_t csv_mask(const char *text, char a, char b)
{
    uint64_t mask = 0;
#ifdef CSV_SSE2
    __m128i as = _mm_set1_epi8(a), bs = _mm_set1_epi8(b);
    for (int i = 0; i < 4; i++) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        __m128i equal = _mm_or_si128(_mm_cmpeq_epi8(block, as), _mm_cmpeq_epi8(block, bs));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(equal) << 16 * i;
    }
#else
    for (int i = 0; i < 8; i++) {
        uint64_t word = mill_word_load64(text + 8 * i);
        uint64_t equal = mill_word_zero_bytes(word ^ mill_word_repeat(a));
        equal |= mill_word_zero_bytes(word ^ mill_word_repeat(b));
        /* Gathers the eight high bits into the highest byte. */
        mask |= ((equal >> 7) * 0x0102040810204080u >> 56) << 8 * i;
    }
#endif
    return mask;
}

/* The same for the `size` characters left, of which there may be fewer than 64. */
static uint64_t csv_mask_some(const char *text, size_t size, char a, char b)
{
    if (size >= 64) return csv_mask(text, a, b);
    char block[64] = {0};
    memcpy(block, text, size);
    return csv_mask(block, a, b) & (((uint64_t)1 << size) - 1);
}

/* ---- rows and cells -------------------------------------------------------------------- */

/* Offset of the first `a` or `b` from `at` on, or `size`.  Cells are short: eight characters at
 * a time find their ends sooner than a call of memchr. */
static size_t csv_find_either(const char *text, size_t size, size_t at, char a, char b)
{
    uint64_t as = mill_word_repeat(a), bs = mill_word_repeat(b);
    for (; size - at >= 8; at += 8) {
        uint64_t word = mill_word_load64(text + at);
        uint64_t hits = mill_word_zero_bytes(word ^ as) | mill_word_zero_bytes(word ^ bs);
        if (hits) return at + (size_t)__builtin_ctzll(hits) / 8;
    }
    while (at < size && text[at] != a && text[at] != b) at++;
    return at;
}

/* Offset of the quote that closes the cell whose text starts at `at`, or `size`. */
static size_t csv_closing(const char *text, size_t size, size_t at, int *doubled)
{
    for (;; at += 2) {
        at = csv_find_either(text, size, at, '"', '"');
        if (at + 1 >= size || text[at + 1] != '"') return at;
        *doubled = 1;
    }
}

static size_t csv_without_cr(const char *text, size_t start, size_t end)
{
    return end > start && text[end - 1] == '\r' ? end - 1 : end;
}

/* Text without quotes: every delimiter and LF ends a cell.  64 characters are compared at a
 * time and the hits walked, so that the branches taken depend on the cells alone. */
static int64_t csv_index_plain(const char *text, size_t size, size_t *at, char delimiter,
                               int64_t columns, int64_t room, struct mill_csv_cell *cells,
                               enum mill_csv_fault *fault)
{
    int64_t rows = 0;
    size_t start = *at;
    struct mill_csv_cell *full = cells + columns;
    for (size_t base = *at; base < size; base += 64) {
        uint64_t hits = csv_mask_some(text + base, size - base, delimiter, '\n');
        for (; hits; hits &= hits - 1) {
            size_t end = base + (size_t)__builtin_ctzll(hits);
            cells->start = (uint32_t)start;
            cells->size = (uint32_t)(end - start);
            cells++;
            if (text[end] != '\n') {
                start = end + 1;
                if (cells < full) continue;
                *fault = MILL_CSV_CELL_COUNT;
                return rows;
            }
            cells[-1].size = (uint32_t)(csv_without_cr(text, start, end) - start);
            start = end + 1;
            if (cells != full) {
                *fault = MILL_CSV_CELL_COUNT;
                return rows;
            }
            full += columns;
            *at = start;
            if (++rows == room) return rows;
        }
    }
    if (*at >= size) return rows;
    cells->start = (uint32_t)start;
    cells->size = (uint32_t)(csv_without_cr(text, start, size) - start);
    if (cells + 1 != full) {
        *fault = MILL_CSV_CELL_COUNT;
        return rows;
    }
    *at = size;
    return rows + 1;
}

/* The cell at `at`; returns where it ends: at a delimiter, an LF or the end of the text. */
static size_t csv_quoted_cell(const char *text, size_t size, size_t at, char delimiter,
                              struct mill_csv_cell *cell, enum mill_csv_fault *fault)
{
    int doubled = 0;
    size_t closing = csv_closing(text, size, at + 1, &doubled);
    if (closing == size) {
        *fault = MILL_CSV_UNCLOSED;
        return size;
    }
    cell->start = (uint32_t)at + 1;
    cell->size = (uint32_t)(closing - at - 1) | (doubled ? MILL_CSV_DOUBLED : 0);
    size_t end = closing + 1;
    if (end < size && text[end] == '\r' && (end + 1 == size || text[end + 1] == '\n')) end++;
    if (end < size && text[end] != delimiter && text[end] != '\n') {
        *fault = MILL_CSV_AFTER_QUOTE;
    }
    return end;
}

static size_t csv_any_cell(const char *text, size_t size, size_t at, char delimiter,
                           struct mill_csv_cell *cell, enum mill_csv_fault *fault)
{
    if (at < size && text[at] == '"') {
        return csv_quoted_cell(text, size, at, delimiter, cell, fault);
    }
    size_t end = csv_find_either(text, size, at, delimiter, '\n');
    int last = end == size || text[end] == '\n';
    cell->start = (uint32_t)at;
    cell->size = (uint32_t)((last ? csv_without_cr(text, at, end) : end) - at);
    return end;
}

static int64_t csv_index_quoted(const char *text, size_t size, size_t *at, char delimiter,
                                int64_t columns, int64_t room, struct mill_csv_cell *cells,
                                enum mill_csv_fault *fault, size_t *where)
{
    int64_t rows = 0;
    for (; rows < room && *at < size; rows++) {
        size_t start = *at;
        for (int64_t column = 0; column < columns; column++, cells++) {
            size_t end = csv_any_cell(text, size, start, delimiter, cells, fault);
            if (*fault) {
                *where = start;
                return rows;
            }
            int more = end < size && text[end] == delimiter;
            if (more != (column + 1 < columns)) {
                *fault = MILL_CSV_CELL_COUNT;
                return rows;
            }
            start = end < size ? end + 1 : size;
        }
        *at = start;
    }
    return rows;
}

int64_t mill_csv_index(const char *text, size_t size, size_t *at, char delimiter, int quotes,
                       int64_t columns, int64_t room, struct mill_csv_cell *cells,
                       enum mill_csv_fault *fault, size_t *where)
{
    *fault = MILL_CSV_NO_FAULT;
    *where = 0;
    if (room <= 0) return 0;
    if (quotes) {
        return csv_index_quoted(text, size, at, delimiter, columns, room, cells, fault, where);
    }
    return csv_index_plain(text, size, at, delimiter, columns, room, cells, fault);
}

int64_t mill_csv_count_lines(const char *text, size_t size)
{
    int64_t lines = 0;
    for (size_t at = 0; at < size; at += 64) {
        lines += __builtin_popcountll(csv_mask_some(text + at, size - at, '\n', '\n'));
    }
    return lines;
}

static int csv_opens(const char *text, size_t at, char delimiter)
{
    return at == 0 || text[at - 1] == delimiter || text[at - 1] == '\n';
}

/* Walks over quotes and line ends from the row at `at` to the first row that does not start
 * before `target`, counting the rows it leaves behind; `size` when there is none. */
static size_t csv_walk(const char *text, size_t size, size_t at, size_t target, char delimiter,
                       int64_t *rows)
{
    int quoted = 0;
    size_t row = at, skip = 0; /* hits before `skip` are done with */
    for (size_t base = at; base < size; base += 64) {
        uint64_t hits = csv_mask_some(text + base, size - base, '"', '\n');
        for (; hits; hits &= hits - 1) {
            size_t here = base + (size_t)__builtin_ctzll(hits);
            if (here < skip) continue;
            if (text[here] == '"') {
                int doubled = quoted && here + 1 < size && text[here + 1] == '"';
                if (doubled) {
                    skip = here + 2;
                } else {
                    quoted = !quoted && csv_opens(text, here, delimiter);
                }
            } else if (!quoted) {
                row = here + 1;
                ++*rows;
                if (row >= target) return row;
            }
        }
    }
    *rows += row < size; /* the last line has no end */
    return size;
}

int64_t mill_csv_count_rows(const char *text, size_t size, char delimiter, int quotes)
{
    int64_t rows = 0;
    if (size == 0) return 0;
    if (!quotes) return mill_csv_count_lines(text, size) + (text[size - 1] != '\n');
    csv_walk(text, size, 0, SIZE_MAX, delimiter, &rows);
    return rows;
}

int64_t mill_csv_count_cells(const char *text, size_t size, size_t at, char delimiter)
{
    for (int64_t cells = 1;; cells++) {
        struct mill_csv_cell cell;
        enum mill_csv_fault fault = MILL_CSV_NO_FAULT;
        at = csv_any_cell(text, size, at, delimiter, &cell, &fault);
        if (fault || at >= size || text[at] == '\n') return cells;
        at++;
    }
}

size_t mill_csv_row_start(const char *text, size_t size, size_t at, size_t target,
                          char delimiter, int quotes)
{
    int64_t rows = 0;
    if (target <= at) return at;
    if (quotes) return csv_walk(text, size, at, target, delimiter, &rows);
    const char *end =
        target <= size ? memchr(text + target - 1, '\n', size - target + 1) : NULL;
    return end ? (size_t)(end - text) + 1 : size;
}

size_t mill_csv_unquote(const char *text, size_t size, char *out)
{
    size_t used = 0;
    for (size_t at = 0; at < size; at++) {
        out[used++] = text[at];
        if (text[at] == '"') at++;
    }
    return used;
}

/* ---- UTF-8 ----------------------------------------------------------------------------- */

/* Length of the character at `text`, whose first byte is not ASCII; 0 when it is none. */
static size_t csv_character(const uint8_t *text, size_t size)
{
    uint8_t lead = text[0];
    size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || size < length) return 0;
    /* The second byte's range keeps out overlong forms, surrogates and what is past 10FFFF. */
    uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (text[1] < low || text[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) return 0;
    }
    return length;
}

static int csv_ascii64(const char *text)
{
    uint64_t all = 0;
    for (int i = 0; i < 8; i++) all |= mill_word_load64(text + 8 * i);
    return (all & 0x8080808080808080u) == 0;
}

size_t mill_csv_utf8_prefix(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (size - at >= 64 && csv_ascii64(text + at)) {
            at += 64;
            continue;
        }
        /* On to the next block boundary, character by character. */
        for (size_t stop = size - at > 64 ? at + 64 : size; at < stop;) {
            size_t length = 1;
            if ((uint8_t)text[at] >= 0x80) {
                length = csv_character((const uint8_t *)text + at, size - at);
            }
            if (length == 0) return at;
            at += length;
        }
    }
    return size;
}
