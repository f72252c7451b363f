/* npy_header: what stands before the elements of a .npy file: a magic word, a version, and a Python
 * dictionary as text: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "data/npy.h"

enum { NPY_MAGIC = 6, NPY_VERSION = 2 };
static const char npy_magic[] = "\x93NUMPY";

/* ---- element types ------------------------------------------------------------------------ */

static const struct {
    const char *name; /* without the mark of the byte order */
    enum mill_type type;
    int64_t multiply, divide;
} npy_kinds[] = {
    {"b1", MILL_BOOL, 1, 1},
    {"i1", MILL_INT8, 1, 1},
    {"i2", MILL_INT16, 1, 1},
    {"i4", MILL_INT32, 1, 1},
    {"i8", MILL_INT64, 1, 1},
    {"u1", MILL_UINT8, 1, 1},
    {"u2", MILL_UINT16, 1, 1},
    {"u4", MILL_UINT32, 1, 1},
    {"u8", MILL_UINT64, 1, 1},
    {"f4", MILL_FLOAT32, 1, 1},
    {"f8", MILL_FLOAT64, 1, 1},
    {"M8[D]", MILL_DATE, 1, 1},
    {"M8[us]", MILL_TIMESTAMP, 1, 1},
    {"M8[W]", MILL_DATE, 7, 1},
    {"M8[h]", MILL_TIMESTAMP, 3600000000, 1},
    {"M8[m]", MILL_TIMESTAMP, 60000000, 1},
    {"M8[s]", MILL_TIMESTAMP, 1000000, 1},
    {"M8[ms]", MILL_TIMESTAMP, 1000, 1},
    {"M8[ns]", MILL_TIMESTAMP, 1, 1000},
};
enum { NPY_KINDS = sizeof npy_kinds / sizeof npy_kinds[0] };

/* ---- reading ------------------------------------------------------------------------------ */

struct npy_cursor {
    const char *path;
    const char *bytes, *at, *end;
    struct mill_error *error;
};

static tidemill_status unexpected(const struct npy_cursor *cursor, const char *expected)
{
    return mill_fail(cursor->error, TIDEMILL_DATA,
                     "%s: byte %zu of the .npy header: expected %s", cursor->path,
                     (size_t)(cursor->at - cursor->bytes), expected);
}

static void npy_skip_blanks(struct npy_cursor *cursor)
{
    while (cursor->at < cursor->end && strchr(" \t\r\n", *cursor->at) && *cursor->at) {
        cursor->at++;
    }
}

/* Passes over a character, with blanks around it, when it is next. */
static bool npy_take(struct npy_cursor *cursor, char wanted)
{
    npy_skip_blanks(cursor);
    if (cursor->at == cursor->end || *cursor->at != wanted) return false;
    cursor->at++;
    npy_skip_blanks(cursor);
    return true;
}

static bool skip_word(struct npy_cursor *cursor, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, word, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

/* A text in single or double quotes, without escapes, shorter than `room`. */
static bool npy_take_text(struct npy_cursor *cursor, char *text, size_t room)
{
    if (cursor->at == cursor->end || (*cursor->at != '\'' && *cursor->at != '"')) return false;
    char quote = *cursor->at;
    const char *first = cursor->at + 1, *last = first;
    while (last < cursor->end && *last != quote && *last != '\\' && (unsigned char)*last >= ' ')
        last++;
    if (last == cursor->end || *last != quote || (size_t)(last - first) >= room) return false;
    memcpy(text, first, (size_t)(last - first));
    text[last - first] = '\0';
    cursor->at = last + 1;
    return true;
}

static tidemill_status take_type(struct npy_cursor *cursor, struct mill_npy_header *header)
{
    char text[32];
    struct npy_cursor start = *cursor;
    if (!npy_take_text(cursor, text, sizeof text)) {
        return unexpected(cursor, "a type such as '<f8' (records are not read)");
    }
    for (int i = 0; i < NPY_KINDS; i++) {
        size_t item = mill_type_size(npy_kinds[i].type);
        if (npy_kinds[i].name[0] == 'M') item = 8;
        if (text[0] == '\0' || strcmp(text + 1, npy_kinds[i].name) != 0) continue;
        if (text[0] != '<' && text[0] != '>' && !(item == 1 && text[0] == '|')) break;
        header->swapped = item > 1 && text[0] == '>';
        header->type = npy_kinds[i].type;
        header->item = item;
        header->multiply = npy_kinds[i].multiply;
        header->divide = npy_kinds[i].divide;
        return TIDEMILL_OK;
    }
    char expected[160];
    snprintf(expected, sizeof expected,
             "a type such as '<f8', '<i4', '|b1' or '<M8[us]', got '%s'", text);
    return unexpected(&start, expected);
}

static tidemill_status take_size(struct npy_cursor *cursor, int64_t *size)
{
    struct npy_cursor start = *cursor;
    int64_t number = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, *cursor->at - '0', &number)) {
            return unexpected(&start, "a size that fits 64 bits");
        }
        cursor->at++;
    }
    if (cursor->at == start.at) return unexpected(cursor, "the size of an axis");
    skip_word(cursor, "L"); /* as Python 2 wrote it */
    *size = number;
    return TIDEMILL_OK;
}

/* (), (3,), (3, 4) */
static tidemill_status take_shape(struct npy_cursor *cursor, struct mill_npy_header *header)
{
    if (!npy_take(cursor, '(')) return unexpected(cursor, "a shape such as (3, 4)");
    header->dimensions = 0;
    bool more = true;
    while (!npy_take(cursor, ')')) {
        if (!more) return unexpected(cursor, "a comma or the end of the shape");
        if (header->dimensions == MILL_MAX_DIMENSIONS)
            return unexpected(cursor, "at most 8 axes");
        tidemill_status status = take_size(cursor, &header->shape[header->dimensions]);
        if (status != TIDEMILL_OK) return status;
        header->dimensions++;
        more = npy_take(cursor, ',');
    }
    return TIDEMILL_OK;
}

static tidemill_status take_order(struct npy_cursor *cursor, struct mill_npy_header *header)
{
    header->fortran = skip_word(cursor, "True");
    if (header->fortran || skip_word(cursor, "False")) return TIDEMILL_OK;
    return unexpected(cursor, "True or False");
}

static tidemill_status take_entry(struct npy_cursor *cursor, struct mill_npy_header *header,
                                  unsigned *seen)
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    static tidemill_status (*const takers[])(struct npy_cursor *, struct mill_npy_header *) = {
        take_type, take_order, take_shape};
    char name[32];
    struct npy_cursor start = *cursor;
    if (!npy_take_text(cursor, name, sizeof name)) return unexpected(&start, "a key in quotes");
    int key = 0;
    while (key < 3 && strcmp(name, names[key]) != 0) key++;
    if (key == 3 || *seen & 1u << key) {
        return unexpected(&start, "each of 'descr', 'fortran_order' and 'shape' once");
    }
    *seen |= 1u << key;
    if (!npy_take(cursor, ':')) return unexpected(cursor, "a colon");
    return takers[key](cursor, header);
}

static tidemill_status take_dictionary(struct npy_cursor *cursor,
                                       struct mill_npy_header *header)
{
    unsigned seen = 0;
    bool more = true;
    if (!npy_take(cursor, '{')) return unexpected(cursor, "a dictionary");
    while (!npy_take(cursor, '}')) {
        if (!more) return unexpected(cursor, "a comma or the end of the dictionary");
        tidemill_status status = take_entry(cursor, header, &seen);
        if (status != TIDEMILL_OK) return status;
        more = npy_take(cursor, ',');
    }
    if (seen != 7)
        return unexpected(cursor, "all of 'descr', 'fortran_order' and 'shape' before");
    npy_skip_blanks(cursor);
    if (cursor->at < cursor->end) return unexpected(cursor, "nothing after the dictionary");
    return TIDEMILL_OK;
}

/* The number of elements, which must have a size in bytes. */
static bool npy_measure(struct mill_npy_header *header)
{
    int64_t length = 1, bytes = 8;
    for (int i = 0; i < header->dimensions; i++) {
        int64_t size = header->shape[i];
        if (__builtin_mul_overflow(bytes, size ? size : 1, &bytes)) return false;
        length *= size;
    }
    header->length = length;
    return true;
}

/* Bytes up to the dictionary, and of it; false: no such file, or one of a later version. */
static bool npy_look(const uint8_t *bytes, size_t size, size_t *before, size_t *text)
{
    if (size < NPY_MAGIC + NPY_VERSION + 2 || memcmp(bytes, npy_magic, NPY_MAGIC) != 0)
        return false;
    const uint8_t *at = bytes + NPY_MAGIC + NPY_VERSION;
    if (bytes[NPY_MAGIC] < 1 || bytes[NPY_MAGIC] > 3) return false;
    *before = NPY_MAGIC + NPY_VERSION + (bytes[NPY_MAGIC] == 1 ? 2 : 4);
    if (size < *before) return false;
    *text = at[0] | (size_t)at[1] << 8;
    if (bytes[NPY_MAGIC] > 1) *text |= (size_t)at[2] << 16 | (size_t)at[3] << 24;
    return true;
}

size_t mill_npy_header_size(const void *bytes, size_t size)
{
    size_t before, text;
    return npy_look(bytes, size, &before, &text) ? before + text : 0;
}

tidemill_status mill_npy_parse(const char *path, const void *bytes, size_t size,
                               struct mill_npy_header *header, struct mill_error *error)
{
    size_t before, text;
    memset(header, 0, sizeof *header);
    if (!npy_look(bytes, size, &before, &text)) {
        return mill_fail(error, TIDEMILL_DATA,
                         "%s: is no .npy file of version 1, 2 or 3: it does not begin with "
                         "\\x93NUMPY and a version",
                         path);
    }
    if (text > MILL_NPY_MOST || text > size - before) {
        return mill_fail(error, TIDEMILL_DATA,
                         "%s: byte %d of the .npy header: expected a size, got %zu, beyond the "
                         "end of the file or above 1 MiB",
                         path, NPY_MAGIC + NPY_VERSION, text);
    }
    const char *first = bytes;
    struct npy_cursor cursor = {path, first, first + before, first + before + text, error};
    tidemill_status status = take_dictionary(&cursor, header);
    if (status != TIDEMILL_OK) return status;
    header->data = before + text;
    if (npy_measure(header)) return TIDEMILL_OK;
    return mill_fail(error, TIDEMILL_DATA, "%s: the shape in the .npy header overflows", path);
}

/* ---- writing ------------------------------------------------------------------------------ */

size_t mill_npy_format(const struct mill_array *array, char bytes[MILL_NPY_ROOM])
{
    int kind = 0;
    while (kind < NPY_KINDS && (int)npy_kinds[kind].type != array->type) kind++;
    if (kind == NPY_KINDS) return 0;
    char shape[MILL_MAX_DIMENSIONS * 22 + 4];
    size_t at = 0;
    for (int i = 0; i < array->dimensions; i++) {
        at += (size_t)snprintf(shape + at, sizeof shape - at, "%s%" PRId64, i ? ", " : "",
                               array->shape[i]);
    }
    char mark = mill_type_size((enum mill_type)array->type) == 1 ? '|' : '<';
    size_t before = NPY_MAGIC + NPY_VERSION + 2;
    memcpy(bytes, npy_magic, NPY_MAGIC);
    bytes[NPY_MAGIC] = 1;
    bytes[NPY_MAGIC + 1] = 0;
    int text = snprintf(bytes + before, MILL_NPY_ROOM - before,
                        "{'descr': '%c%s', 'fortran_order': False, 'shape': (%s%s), }", mark,
                        npy_kinds[kind].name, shape, array->dimensions == 1 ? "," : "");
    size_t size = (before + (size_t)text + 1 + 63) / 64 * 64;
    memset(bytes + before + text, ' ', size - before - (size_t)text);
    bytes[size - 1] = '\n';
    bytes[NPY_MAGIC + NPY_VERSION] = (char)((size - before) & 0xFF);
    bytes[NPY_MAGIC + NPY_VERSION + 1] = (char)((size - before) >> 8);
    return size;
}
