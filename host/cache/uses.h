/* uses: which entries were used, until the writer notes it in the database; and which keys this
 * process has used or made, which eviction spares.  SPDX-License-Identifier: MIT */
#ifndef MILL_USES_H
#define MILL_USES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"

/* ---- uses: a table of one thread ------------------------------------------------------------ */

struct mill_use {
    struct mill_hash key, reads_name;
    int64_t hits; /* 0: an empty place */
};

struct mill_uses {
    struct mill_use *table;
    size_t count, room; /* a power of two */
    struct mill_uses *next;
};

enum { MILL_USES_MOST = 65536 }; /* entries: then it is time to hand them over */

/* Short of memory it is forgotten. */
void mill_uses_add(struct mill_uses *uses, struct mill_hash key, struct mill_hash reads_name);

/* Puts them in order of key, without holes: uses->table[0 .. count - 1].  Nothing is added then. */
void mill_uses_sort(struct mill_uses *uses);

void mill_uses_fini(struct mill_uses *uses); /* may run twice */

/* ---- pins: any thread --------------------------------------------------------------------- */

/* A Bloom filter: a key that was pinned is found, and one in a hundred others with it when there
 * are 800,000 of them. */
struct mill_pins {
    _Atomic uint64_t *words; /* NULL: short of memory, nothing is pinned */
};

void mill_pins_init(struct mill_pins *pins);
void mill_pins_fini(struct mill_pins *pins);
void mill_pins_add(struct mill_pins *pins, struct mill_hash key);
bool mill_pins_have(const struct mill_pins *pins, struct mill_hash key);

#endif
