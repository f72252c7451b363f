/* object: the form in which the bytes of a result lie in the cache.
 * Small ones are a row, large ones a file of FOLDER named by their content; either is raw or
 * zstd, and a sum over bytes, name, sizes and coding is checked before anything is believed.
 *
 *     writing     encode  ->  write  ->  bind and step  ->  publish  ->  (commit)  ->  fini
 *     reading     row  ->  decode
 *
 * Files are not synced: after a power cut the sum of one that was lost does not match, and the
 * result is computed again.  SPDX-License-Identifier: MIT */
#ifndef MILL_OBJECT_H
#define MILL_OBJECT_H

#include <sqlite3.h>
#include <zstd.h>

#include "base/hash.h"
#include "data/buffer.h"

enum mill_coding { MILL_CODING_RAW = 0, MILL_CODING_ZSTD = 1 };

enum {
    MILL_OBJECT_INLINE = 128 * 1024, /* stored bytes; more go to a file */
    MILL_READS_INLINE = 768,         /* a longer list of reads is an object: rows stay small */
};

struct mill_object {
    struct mill_hash content; /* its name: the hash of a value, not of these bytes */
    struct mill_hash sum;
    int64_t size;   /* of the bytes that were put */
    int64_t stored; /* of the bytes as they lie in the cache */
    int coding;     /* enum mill_coding; a row may say anything */
    bool in_file;
    const void *data; /* stored bytes: of the caller, of `owned`, of the row; NULL in a file */
    void *owned;
    char *written; /* path of the file as long as fini would remove it */
};

/* Never fails: what cannot be compressed, for whatever reason, is stored as it is.  `bytes`
 * must outlive the object.  `context` may be NULL (no compression). */
void mill_object_encode(struct mill_object *object, struct mill_hash content, const void *bytes,
                        size_t size, ZSTD_CCtx *context);

/* Writes the file of a large object under a passing name; 0 or an errno. */
int mill_object_write(struct mill_object *object, const char *folder);

/* Gives the file its name, over one that is there; before its row is committed.  0 or an
 * errno. */
int mill_object_publish(struct mill_object *object, const char *folder);

/* Frees.  `kept`: the row was committed, so the file stays; otherwise it is removed. */
void mill_object_fini(struct mill_object *object, bool kept);

/* Columns of table object, in the order of both functions below. */
#define MILL_OBJECT_COLUMNS "content, size, stored, coding, in_file, sum, data"

/* Binds the columns to parameters 1 to 7; the bytes must live until the statement is reset. */
int mill_object_bind(const struct mill_object *object, sqlite3_stmt *statement);

/* Reads the columns; data points into the row.  False when a column has the wrong shape. */
bool mill_object_row(struct mill_object *object, sqlite3_stmt *statement);

/* A new buffer with the bytes that were put, or NULL: *damaged tells damage (or a file that is
 * gone) from a shortage of memory. */
struct mill_buffer *mill_object_decode(const struct mill_object *object, const char *folder,
                                       ZSTD_DCtx *context, struct mill_memory *memory,
                                       bool *damaged);

/* What the sum of a row must be. */
struct mill_hash mill_object_sum(const struct mill_object *object, const void *stored);

/* Whether stored bytes are what the row's sum says. */
bool mill_object_is_sound(const struct mill_object *object, const void *stored);

/* The path of the file of `content`; malloc'ed, NULL: no memory. */
char *mill_object_path(struct mill_hash content, const char *folder);

/* Removes the file of `content`, if there is one. */
void mill_object_remove(struct mill_hash content, const char *folder);

/* Removes what processes that were killed while writing left in `folder`, when older than an
 * hour. */
void mill_object_sweep(const char *folder);

/* Hashes in the database: 16 bytes, high half first. */
void mill_object_name(struct mill_hash hash, uint8_t name[16]);
int mill_object_bind_hash(sqlite3_stmt *statement, int index, struct mill_hash hash);
bool mill_object_column_hash(sqlite3_stmt *statement, int column, struct mill_hash *hash);

#endif
