/* entries: those of a cache, listed and shown: two commands of upkeep.h.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ENTRIES_H
#define MILL_ENTRIES_H

#include "bind/upkeep.h"

tidemill_status mill_entries_list(struct mill_upkeep *upkeep);
tidemill_status mill_entries_show(struct mill_upkeep *upkeep);

#endif
