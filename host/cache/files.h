/* files: content hashes of files, remembered, since many tasks may read one file.
 * Any thread.  SPDX-License-Identifier: MIT */
#ifndef MILL_FILES_H
#define MILL_FILES_H

#include <pthread.h>
#include <stdbool.h>

#include "base/hash.h"

struct mill_files {
    pthread_mutex_t mutex;
    struct mill_file_memo *memos; /* guarded by mutex */
    size_t count, room;
};

void mill_files_init(struct mill_files *files);
void mill_files_fini(struct mill_files *files);

/* Hash of the bytes of `path` as they are now; a file that is not there, or cannot be read, has
 * the hash of its absence.  The answer is remembered with the file's identity, size and times,
 * unless these are so young that the file could change and keep them. */
struct mill_hash mill_files_hash(struct mill_files *files, const char *path);

#endif
