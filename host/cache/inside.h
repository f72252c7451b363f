/* inside: the parts of a store, for those who look after it.  SPDX-License-Identifier: MIT */
#ifndef MILL_INSIDE_H
#define MILL_INSIDE_H

#include "cache/database.h"
#include "cache/store.h"

struct mill_writer;

struct mill_database *mill_store_database(struct mill_store *store);
struct mill_writer *mill_store_writer(struct mill_store *store);

int64_t mill_store_bytes(const struct mill_store *store); /* on disk: database, log and files */

#endif
