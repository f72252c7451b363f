/* embedded: the Lua library, the shipped scripts, kernels.h, pages and examples as text inside the program.
 * What every start reads is there as it is, the rest packed (zlib): whoever reads it unpacks it, and frees
 * it when it is read.  The array is sorted by name (strcmp order) and ends with a NULL name;
 * scripts/dev/embed.lua writes it at build time.  SPDX-License-Identifier: MIT */
#ifndef MILL_EMBEDDED_H
#define MILL_EMBEDDED_H

#include <stddef.h>

#include "base/status.h"

/* Names: "tidemill" is lua/tidemill/init.lua, "tidemill.x.y" lua/tidemill/x/y.lua,
 * "repl.show" repl/show.lua, "script:day_trade" scripts/day_trade.lua, "meta.kernels" the stubs of
 * lua/meta/kernels.lua, "cache.md" docs/cache.md, "kernels.h" itself, "example:embed/smallest.c"
 * examples/embed/smallest.c, "new:strategy" scripts/new/strategy.lua. */
struct mill_embedded {
    const char *name;
    const char *bytes; /* the text and a terminator, or `packed` bytes of it */
    size_t size;       /* of the text */
    size_t packed;     /* 0: it is there as it is */
};

extern const struct mill_embedded mill_embedded[];

/* NULL when there is none of that name. */
const struct mill_embedded *mill_embedded_find(const char *name);

/* Writes the text and a terminator to `room`, which has size + 1 bytes.  TIDEMILL_DATA when what is packed
 * is damaged, TIDEMILL_MEMORY. */
tidemill_status mill_embedded_unpack(const struct mill_embedded *entry, char *room,
                                     struct mill_error *error);

/* The text and a terminator: NULL with the error set where unpacking fails.  *owned is to be freed when it
 * has been read, and is NULL when there is nothing to free. */
const char *mill_embedded_text(const struct mill_embedded *entry, char **owned,
                               struct mill_error *error);

#endif
