/* files: content hashes of files, remembered, since many tasks may read one file.
 * Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_FILES_H
#define MILL_FILES_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/hash.h"

struct mill_files {
    /* What stands for a library, or a part of the engine, that results depend on
     * (MILL_READ_LIBRARY); NULL: none is known.  Fixed before the first use. */
    struct mill_hash (*library)(void *context, const char *name);
    void *context;
    pthread_mutex_t mutex;
    struct mill_file_memo *memos; /* guarded by mutex */
    size_t count, room;
};

void mill_files_init(struct mill_files *files);
void mill_files_fini(struct mill_files *files);

/* Hash of the bytes of `path` as they are now; a file that is not there, or cannot be read, or is a
 * folder, a pipe or a device, has the hash of its absence.  The answer is remembered with the file's identity, size and times,
 * unless these are so young that the file could change and keep them. */
struct mill_hash mill_files_hash(struct mill_files *files, const char *path);

/* Spares mill_files_hash the reading of a file that somebody is about to read whole: look before,
 * then learn the hash of what was read, which is remembered if the file is still the same. */
struct mill_file_look {
    struct stat identity;
    bool there;
};

struct mill_file_look mill_files_look(const char *path);
void mill_files_learn(struct mill_files *files, const char *path,
                      const struct mill_file_look *look, struct mill_hash hash);

#endif
