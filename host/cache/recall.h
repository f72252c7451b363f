/* recall: records of task names beside the results, see cache/ledger.h.
 * A table of its own, made when the first record is written: a database without it has none.
 * Explanations only, so that failures say nothing.  SPDX-License-Identifier: MIT */
#ifndef MILL_RECALL_H
#define MILL_RECALL_H

#include "cache/database.h"

struct mill_recall { /* records on their way; one thread at a time */
    struct mill_record *first;
};

/* Copies the record; without memory it is lost. */
void mill_recall_add(struct mill_recall *recall, const char *task, const void *bytes,
                     size_t size);

/* Writes what was added by a connection that nobody else uses, and forgets it. */
void mill_recall_write(struct mill_recall *recall, struct mill_database *database,
                       sqlite3 *connection);

/* The record of a task name, for free(); NULL: there is none. */
void *mill_recall_read(sqlite3 *connection, const char *task, size_t *size);

#endif
