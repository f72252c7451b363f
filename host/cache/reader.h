/* reader: look-ups of one thread, in the queue of the writer and then in the database.
 * What a reader does is declared in cache/store.h; this is how the store makes one.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_READER_H
#define MILL_READER_H

#include "cache/writer.h"

/* All three outlive the reader; memory may be NULL.  NULL: short of memory. */
struct mill_reader *mill_reader_new(struct mill_database *database, struct mill_writer *writer,
                                    struct mill_memory *memory);

#endif
