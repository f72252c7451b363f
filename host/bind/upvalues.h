/* upvalues: names of a function's upvalues, out of its dump.  SPDX-License-Identifier: MIT */
#ifndef MILL_UPVALUES_H
#define MILL_UPVALUES_H

#include <stdbool.h>
#include <stddef.h>

struct mill_upvalues { /* a cursor over the names, in order */
    const char *at, *end;
};

/* Of the outermost function of a dump that mill_bytecode_read understands; without debug information
 * there are no names. */
struct mill_upvalues mill_upvalues_of(const void *dump, size_t size);

/* The next name; "" when there is none. */
const char *mill_upvalues_next(struct mill_upvalues *upvalues);

#endif
