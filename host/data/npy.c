/* npy: arrays in files as NumPy writes them.  SPDX-License-Identifier: MIT */
#include "data/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct npy_source {
    const char *path;
    int fd;
    size_t size;
    struct mill_npy_header header;
    int64_t rows, columns; /* sizes of the first axis, and of a row */
    int64_t first, taken;  /* the rows that are wanted */
    struct mill_error *error;
};

static tidemill_status source_fail(const struct npy_source *source)
{
    return mill_fail(source->error, TIDEMILL_IO, "%s: %s", source->path, strerror(errno));
}

static tidemill_status npy_fetch(const struct npy_source *source, size_t at, void *bytes,
                                 size_t size)
{
    static const size_t most = (size_t)1
                               << 30; /* Linux takes a little less than 2 GiB a call */
    uint8_t *to = bytes;
    while (size > 0) {
        ssize_t count = pread(source->fd, to, size < most ? size : most, (off_t)at);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return source_fail(source);
        if (count == 0) {
            return mill_fail(source->error, TIDEMILL_DATA, "%s: ends at byte %zu", source->path,
                             at);
        }
        to += count;
        at += (size_t)count;
        size -= (size_t)count;
    }
    return TIDEMILL_OK;
}

/* ---- opening ------------------------------------------------------------------------------ */

static tidemill_status read_header(struct npy_source *source)
{
    uint8_t start[MILL_NPY_START];
    size_t known = source->size < sizeof start ? source->size : sizeof start;
    tidemill_status status = npy_fetch(source, 0, start, known);
    if (status != TIDEMILL_OK) return status;
    size_t size = mill_npy_header_size(start, known);
    if (size < known) size = known;
    if (size > source->size || size > MILL_NPY_MOST) size = known; /* the parser says so */
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL) return mill_no_memory(source->error, source->path);
    status = npy_fetch(source, 0, bytes, size);
    if (status == TIDEMILL_OK) {
        status = mill_npy_parse(source->path, bytes, size, &source->header, source->error);
    }
    free(bytes);
    return status;
}

/* The file has exactly the elements that its header tells of. */
static tidemill_status check_size(const struct npy_source *source)
{
    const struct mill_npy_header *header = &source->header;
    size_t wanted = (size_t)header->length * header->item;
    size_t found = source->size - header->data;
    if (wanted == found) return TIDEMILL_OK;
    return mill_fail(source->error, TIDEMILL_DATA,
                     "%s: expected %zu bytes of elements (%" PRId64
                     " of %zu) after byte %zu, got %zu",
                     source->path, wanted, header->length, header->item, header->data, found);
}

static tidemill_status open_source(struct npy_source *source)
{
    struct stat info;
    source->fd = open(source->path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &info) != 0) return source_fail(source);
    if (S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return source_fail(source);
    }
    if (!S_ISREG(info.st_mode)) {
        return mill_fail(source->error, TIDEMILL_UNSUPPORTED,
                         "%s: a .npy file has to be a regular file", source->path);
    }
    source->size = (size_t)info.st_size;
    tidemill_status status = read_header(source);
    if (status != TIDEMILL_OK) return status;
    const struct mill_npy_header *header = &source->header;
    source->rows = header->dimensions ? header->shape[0] : 1;
    source->columns = 1;
    for (int i = 1; i < header->dimensions; i++) source->columns *= header->shape[i];
    return check_size(source);
}

/* ---- the other order of axes -------------------------------------------------------------- */

enum { NPY_SCRATCH = 4 << 20, NPY_GROUP = 4096, NPY_TILE = 32 };

/* A part of a file in which the first axis is the fastest: `count` columns of `pitch` elements, of
 * which `rows` from `skip` on go to rows `first` and following. */
struct npy_stripe {
    const uint8_t *bytes;
    int64_t column, count, pitch, skip, first, rows;
};

/* Where column `column` of the file, whose second axis is the fastest, is within a row. */
static int64_t npy_place(const struct mill_npy_header *header, int64_t column)
{
    int64_t place = 0, step = 1;
    for (int i = 1; i < header->dimensions; i++) step *= header->shape[i];
    for (int i = 1; i < header->dimensions; i++) {
        step /= header->shape[i];
        place += column % header->shape[i] * step;
        column /= header->shape[i];
    }
    return place;
}

static void npy_spread(uint8_t *to, size_t step, const uint8_t *from, int64_t count,
                       size_t item)
{
    switch (item) {
    case 1:
        for (int64_t i = 0; i < count; i++) to[(size_t)i * step] = from[i];
        break;
    case 2:
        for (int64_t i = 0; i < count; i++) memcpy(to + (size_t)i * step, from + 2 * i, 2);
        break;
    case 4:
        for (int64_t i = 0; i < count; i++) memcpy(to + (size_t)i * step, from + 4 * i, 4);
        break;
    default:
        for (int64_t i = 0; i < count; i++) memcpy(to + (size_t)i * step, from + 8 * i, 8);
    }
}

/* In tiles, so that lines of the cache are written whole. */
static void npy_scatter(const struct npy_source *source, const struct npy_stripe *stripe,
                        uint8_t *out)
{
    int64_t places[NPY_GROUP];
    size_t item = source->header.item, step = (size_t)source->columns * item;
    for (int64_t k = 0; k < stripe->count; k++) {
        places[k] = npy_place(&source->header, stripe->column + k);
    }
    for (int64_t i = 0; i < stripe->rows; i += NPY_TILE) {
        int64_t rows = stripe->rows - i < NPY_TILE ? stripe->rows - i : NPY_TILE;
        for (int64_t k = 0; k < stripe->count; k++) {
            int64_t to = (stripe->first + i) * source->columns + places[k];
            int64_t from = k * stripe->pitch + stripe->skip + i;
            npy_spread(out + (size_t)to * item, step, stripe->bytes + (size_t)from * item, rows,
                       item);
        }
    }
}

/* Columns that are short are read several at a time and whole, of long ones pieces. */
static tidemill_status read_columns(const struct npy_source *source, uint8_t *out,
                                    uint8_t *scratch)
{
    int64_t first = source->first, rows = source->taken;
    size_t item = source->header.item, column = (size_t)source->rows * item;
    int64_t room = NPY_SCRATCH / (int64_t)item, group = room / source->rows;
    if (group > NPY_GROUP) group = NPY_GROUP;
    for (int64_t j = 0; j < source->columns; j += group ? group : 1) {
        struct npy_stripe stripe = {scratch, j, 1, 0, 0, 0, rows};
        size_t at = source->header.data + (size_t)j * column;
        if (group) {
            stripe.count = source->columns - j < group ? source->columns - j : group;
            stripe.pitch = source->rows;
            stripe.skip = first;
            tidemill_status status =
                npy_fetch(source, at, scratch, (size_t)stripe.count * column);
            if (status != TIDEMILL_OK) return status;
            npy_scatter(source, &stripe, out);
        }
        for (int64_t i = 0; !group && i < rows; i += room) {
            stripe.first = i;
            stripe.rows = rows - i < room ? rows - i : room;
            tidemill_status status = npy_fetch(source, at + (size_t)(first + i) * item, scratch,
                                               (size_t)stripe.rows * item);
            if (status != TIDEMILL_OK) return status;
            npy_scatter(source, &stripe, out);
        }
    }
    return TIDEMILL_OK;
}

static tidemill_status read_rows(const struct npy_source *source, uint8_t *out)
{
    const struct mill_npy_header *header = &source->header;
    size_t row = (size_t)source->columns * header->item;
    if (source->taken == 0 || source->columns == 0) return TIDEMILL_OK;
    if (!header->fortran || header->dimensions < 2) {
        return npy_fetch(source, header->data + (size_t)source->first * row, out,
                         (size_t)source->taken * row);
    }
    uint8_t *scratch = malloc(NPY_SCRATCH);
    if (scratch == NULL) return mill_no_memory(source->error, source->path);
    tidemill_status status = read_columns(source, out, scratch);
    free(scratch);
    return status;
}

/* ---- elements that are not stored as we have them ------------------------------------------- */

static void swap_bytes(uint8_t *values, int64_t length, size_t item)
{
    for (int64_t i = 0; i < length; i++, values += item) {
        for (size_t k = 0; k < item / 2; k++) {
            uint8_t byte = values[k];
            values[k] = values[item - 1 - k];
            values[item - 1 - k] = byte;
        }
    }
}

static void make_bools(uint8_t *values, int64_t length)
{
    for (int64_t i = 0; i < length; i++) values[i] = values[i] != 0;
}

static int64_t divided(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Times in the file's unit become ours, in place; the bits of those that are not there are cleared. */
static tidemill_status make_times(const struct npy_source *source, struct mill_buffer *values,
                                  int64_t length, uint8_t *validity)
{
    const struct mill_npy_header *header = &source->header;
    int64_t *wide = (int64_t *)(void *)values->data;
    int32_t *narrow = (int32_t *)(void *)values->data;
    bool date = header->type == MILL_DATE;
    for (int64_t i = 0; i < length; i++) {
        int64_t value;
        memcpy(&value, &wide[i], 8); /* dates have overwritten those before */
        if (value == INT64_MIN) {
            validity[i >> 3] &= (uint8_t) ~(1u << (i & 7));
            value = 0;
        }
        if (__builtin_mul_overflow(divided(value, header->divide), header->multiply, &value) ||
            (date && value != (int32_t)value)) {
            return mill_fail(source->error, TIDEMILL_DATA,
                             "%s: element %" PRId64 " is beyond what a %s can hold",
                             source->path, i + 1, mill_type_name(header->type));
        }
        if (date) {
            int32_t day = (int32_t)value;
            memcpy(&narrow[i], &day, 4);
        } else {
            memcpy(&wide[i], &value, 8);
        }
    }
    return TIDEMILL_OK;
}

/* Takes over `values`. */
static tidemill_status wrap_times(const struct npy_source *source, struct mill_buffer *values,
                                  int64_t length, struct mill_array **array)
{
    size_t size = ((size_t)length + 7) / 8;
    struct mill_buffer *validity = mill_buffer_new(values->memory, size);
    tidemill_status status =
        validity ? TIDEMILL_OK : mill_no_memory(source->error, source->path);
    if (validity) {
        memset(validity->data, 0xFF, size);
        status = make_times(source, values, length, validity->data);
    }
    if (status != TIDEMILL_OK) {
        mill_buffer_unref(values);
        mill_buffer_unref(validity);
        return status;
    }
    if (source->header.type == MILL_DATE) mill_buffer_shrink(values, (size_t)length * 4);
    int64_t nulls = mill_bitmap_count_zeros(validity->data, length);
    if (nulls == 0) {
        mill_buffer_unref(validity);
        validity = NULL;
    }
    *array = mill_array_wrap(source->header.type, length, values, NULL, validity, nulls, NULL);
    return *array ? TIDEMILL_OK : mill_no_memory(source->error, source->path);
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool is_time(const struct mill_npy_header *header)
{
    return header->type == MILL_DATE || header->type == MILL_TIMESTAMP;
}

static tidemill_status copy_rows(const struct npy_source *source, struct mill_memory *memory,
                                 struct mill_array **array)
{
    const struct mill_npy_header *header = &source->header;
    int64_t length = source->taken * source->columns;
    struct mill_buffer *values = mill_buffer_new(memory, (size_t)length * header->item);
    if (values == NULL) return mill_no_memory(source->error, source->path);
    tidemill_status status = read_rows(source, values->data);
    if (status != TIDEMILL_OK) {
        mill_buffer_unref(values);
        return status;
    }
    if (header->swapped) swap_bytes(values->data, length, header->item);
    if (is_time(header)) return wrap_times(source, values, length, array);
    if (header->type == MILL_BOOL) make_bools(values->data, length);
    *array = mill_array_wrap(header->type, length, values, NULL, NULL, 0, NULL);
    return *array ? TIDEMILL_OK : mill_no_memory(source->error, source->path);
}

/* Why the file's bytes cannot be the array's; NULL: they can. */
static const char *why_not_mapped(const struct npy_source *source)
{
    const struct mill_npy_header *header = &source->header;
    if (is_time(header) || header->type == MILL_BOOL) return "are looked at one by one";
    if (header->swapped) return "are big-endian";
    if (header->fortran && header->dimensions > 1) return "are in Fortran's order";
    if (header->data % header->item != 0) return "are not aligned";
    if (header->length == 0) return "are none";
    return NULL;
}

/* The descriptor passes to the mapping. */
static tidemill_status map_whole(struct npy_source *source, struct mill_array **array)
{
    const struct mill_npy_header *header = &source->header;
    int fd = source->fd;
    source->fd = -1;
    struct mill_buffer *file = mill_buffer_map_file(fd, source->size, source->error);
    if (file == NULL) return TIDEMILL_MEMORY;
    struct mill_buffer *values =
        mill_buffer_slice(file, header->data, (size_t)header->length * header->item);
    mill_buffer_unref(file);
    *array = values ? mill_array_wrap(header->type, header->length, values, NULL, NULL, 0, NULL)
                    : NULL;
    return *array ? TIDEMILL_OK : mill_no_memory(source->error, source->path);
}

static tidemill_status pick_rows(struct npy_source *source,
                                 const struct mill_npy_options *options)
{
    int64_t from = options->first, to = options->last;
    if (from < 0) from += source->rows + 1;
    if (to < 0) to += source->rows + 1;
    if (from < 1 || to > source->rows || from > to + 1) {
        return mill_fail(source->error, TIDEMILL_USAGE,
                         "%s: rows %" PRId64 "..%" PRId64 " are outside 1..%" PRId64,
                         source->path, options->first, options->last, source->rows);
    }
    source->first = from - 1;
    source->taken = to - from + 1;
    return TIDEMILL_OK;
}

static tidemill_status read_source(struct npy_source *source,
                                   const struct mill_npy_options *options,
                                   struct mill_array **array)
{
    source->taken = source->rows;
    if (options->rows) {
        tidemill_status status = pick_rows(source, options);
        if (status != TIDEMILL_OK) return status;
    } else if (options->map != MILL_NPY_COPY) {
        const char *reason = why_not_mapped(source);
        if (reason && options->map == MILL_NPY_MAP) {
            return mill_fail(source->error, TIDEMILL_UNSUPPORTED,
                             "%s: cannot be mapped: its elements %s", source->path, reason);
        }
        bool large = source->size >= MILL_NPY_LARGE;
        if (!reason && (large || options->map == MILL_NPY_MAP)) return map_whole(source, array);
    }
    return copy_rows(source, options->memory, array);
}

tidemill_status mill_npy_read(const char *path, const struct mill_npy_options *options,
                              struct mill_array **array, struct mill_error *error)
{
    struct npy_source source = {.path = path, .fd = -1, .error = error};
    tidemill_status status = open_source(&source);
    if (status == TIDEMILL_OK) status = read_source(&source, options, array);
    if (source.fd >= 0) close(source.fd);
    if (status != TIDEMILL_OK) return status;
    const struct mill_npy_header *header = &source.header;
    if (header->dimensions > 0) {
        (*array)->dimensions = header->dimensions;
        memcpy((*array)->shape, header->shape, sizeof header->shape);
        (*array)->shape[0] = source.taken;
    }
    return TIDEMILL_OK;
}
