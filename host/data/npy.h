/* npy: arrays in files as NumPy writes them: read whole, by rows, or mapped; and written.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_NPY_H
#define MILL_NPY_H

#include "data/array.h"

/* What stands before the elements. */
struct mill_npy_header {
    enum mill_type type;      /* of the array that the file becomes */
    size_t item;              /* bytes of an element in the file */
    int64_t multiply, divide; /* times: what makes days or microseconds of the file's units */
    bool fortran;             /* the first axis is the fastest */
    bool swapped;             /* bytes of an element stand the other way round: big-endian */
    int dimensions;           /* 0: one element */
    int64_t shape[MILL_MAX_DIMENSIONS];
    int64_t length; /* elements in all */
    size_t data;    /* bytes before the elements */
};

/* Reads a header, versions 1 to 3, from the first bytes of a file.  Any bytes are safe.  Errors
 * name the path and the byte. */
tidemill_status mill_npy_parse(const char *path, const void *bytes, size_t size,
                               struct mill_npy_header *header, struct mill_error *error);

/* Bytes that mill_npy_parse needs, known by a file's first MILL_NPY_START; 0: it is no such file. */
enum { MILL_NPY_START = 12, MILL_NPY_MOST = 1 << 20 };
size_t mill_npy_header_size(const void *bytes, size_t size);

/* The header of an array, padded so that the elements after it are aligned; its size, 0 when the
 * type is none that such files have. */
enum { MILL_NPY_ROOM = 512 };
size_t mill_npy_format(const struct mill_array *array, char bytes[MILL_NPY_ROOM]);

enum mill_npy_map {
    MILL_NPY_AUTO, /* files of MILL_NPY_LARGE and more, as far as they can be */
    MILL_NPY_COPY,
    MILL_NPY_MAP, /* or it is an error that says why not */
};
enum { MILL_NPY_LARGE = 64 << 20 };

struct mill_npy_options {
    struct mill_memory *memory;
    enum mill_npy_map map;
    bool rows;           /* some rows alone, which are never mapped: */
    int64_t first, last; /* from 1, both included; negative ones count from the end */
};

/* The array in a file.  A mapped one has the file's pages, unaccounted: who cuts the file short
 * meanwhile ends the process by SIGBUS, who writes into it may change what others read.  Times that
 * are not there (NaT) are missing elements. */
tidemill_status mill_npy_read(const char *path, const struct mill_npy_options *options,
                              struct mill_array **array, struct mill_error *error);

/* Writes beside and renames.  Missing elements become NaN and NaT; in other types they are an error. */
tidemill_status mill_npy_write(const char *path, const struct mill_array *array,
                               struct mill_error *error);

#endif
