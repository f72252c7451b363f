/* reads: what a cached task was seen to read besides its arguments: files, listings, variables
 * of the environment, each with the hash of what was found.  Kept with the result as bytes, and
 * checked before the result is used again.  SPDX-License-Identifier: MIT */
#ifndef MILL_READS_H
#define MILL_READS_H

#include "cache/files.h"

enum mill_read_kind {
    MILL_READ_FILE = 'f',
    MILL_READ_LISTING = 'l',  /* names that a pattern stands for */
    MILL_READ_VARIABLE = 'v', /* of the environment */
    MILL_READ_PRESENCE = 'p', /* whether a path is a file, a folder, something else, nothing */
    MILL_READ_LIBRARY = 'b',  /* version and instruction set of one, such as libm */
    MILL_READ_IMPURE = 'i',   /* something of which only `pure` says that it does not matter */
    MILL_READ_TIME = 't',     /* that it is not yet the time that stands for the hash */
};

struct mill_reads { /* one thread's */
    char *bytes;
    size_t size, room;
    bool unsound; /* memory was short, or something changed while the task ran: do not keep
                     the result */
    bool impure;  /* something was used that is on no list, such as the time */
};

void mill_reads_clear(struct mill_reads *reads);
void mill_reads_fini(struct mill_reads *reads);

/* Adds an item unless the list has it; the same name with another hash makes it unsound. */
void mill_reads_add(struct mill_reads *reads, enum mill_read_kind kind, const char *name,
                    struct mill_hash hash);

/* Adds that it is not yet so many seconds from now: until then the list holds. */
void mill_reads_expire(struct mill_reads *reads, double seconds);

/* Whether that time has come. */
bool mill_reads_are_over(const void *bytes, size_t size);

/* Microseconds since 1970, UTC. */
int64_t mill_reads_time(void);

/* Adds all items of another list but impure ones, as its bytes; what is no list makes it
 * unsound. */
void mill_reads_join(struct mill_reads *reads, const void *bytes, size_t size);

/* Whether everything on the list is now as it was.  Any thread; safe on any bytes. */
bool mill_reads_hold(struct mill_files *files, const void *bytes, size_t size);

/* What an item is noted with, and what it would be now; absence is a hash of zeros. */
typedef void mill_reads_visit(void *context, char kind, const char *name, struct mill_hash was,
                              struct mill_hash now);

/* The same, and `changed` (may be NULL) is told each item that is not as it was. */
bool mill_reads_compare(struct mill_files *files, const void *bytes, size_t size,
                        mill_reads_visit *changed, void *context);

/* Tells each item of the list; nothing is looked at. */
void mill_reads_visit_all(const void *bytes, size_t size, mill_reads_visit *visit,
                          void *context);

/* Whether the list has an impure item. */
bool mill_reads_are_impure(const void *bytes, size_t size);

struct mill_hash mill_variable_hash(const char *name);
struct mill_hash mill_presence_hash(const char *path);

#endif
