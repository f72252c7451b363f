/* embedded: the Lua library, the shipped scripts, kernels.h, pages and examples as text inside the program.
 * The array is sorted by name (strcmp order) and ends with a NULL name; scripts/dev/embed.lua
 * writes it at build time.  SPDX-License-Identifier: MIT */
#ifndef MILL_EMBEDDED_H
#define MILL_EMBEDDED_H

#include <stddef.h>

/* Names: "tidemill" is lua/tidemill/init.lua, "tidemill.x.y" lua/tidemill/x/y.lua,
 * "repl.show" repl/show.lua, "script:day_trade" scripts/day_trade.lua, "meta.kernels" the stubs of
 * lua/meta/kernels.lua, "cache.md" docs/cache.md, "kernels.h" itself, "example:embed/smallest.c"
 * examples/embed/smallest.c, "new:strategy" scripts/new/strategy.lua. */
struct mill_embedded {
    const char *name;
    const char *text; /* `size` bytes and a terminator */
    size_t size;
};

extern const struct mill_embedded mill_embedded[];

/* NULL when there is none of that name. */
const struct mill_embedded *mill_embedded_find(const char *name);

#endif
