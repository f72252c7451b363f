/* file: whole files in memory, plain or gzip.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FILE_H
#define MILL_FILE_H

#include "base/hash.h"
#include "base/status.h"
#include "data/buffer.h"

/* Reads the whole file.  *hash (may be NULL) is the hash of the bytes as they are on disk. */
tidemill_status mill_file_read(struct mill_memory *memory, const char *path,
                               struct mill_buffer **bytes, struct mill_hash *hash,
                               struct mill_error *error);

/* As mill_file_read, and unpacks gzip (any number of members), known by its first bytes. */
tidemill_status mill_file_read_unpacked(struct mill_memory *memory, const char *path,
                                        struct mill_buffer **bytes, struct mill_hash *hash,
                                        struct mill_error *error);

/* Writes beside `path` and renames: the file is old or new, never half. */
tidemill_status mill_file_write(const char *path, const void *bytes, size_t size,
                                struct mill_error *error);

/* The same of bytes that lie in several places, one after the other. */
struct mill_file_part {
    const void *bytes;
    size_t size;
};
tidemill_status mill_file_write_parts(const char *path, const struct mill_file_part *parts,
                                      int count, struct mill_error *error);

#endif
