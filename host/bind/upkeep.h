/* upkeep: looking after the engine's cache, for tidemill_cache.  SPDX-License-Identifier: MIT */
#ifndef MILL_UPKEEP_H
#define MILL_UPKEEP_H

#include "base/status.h"

/* What tidemill_cache does, after the files of settings were read. */
tidemill_status mill_upkeep(struct tidemill *engine, const tidemill_cache_request *request,
                            char **text, struct mill_error *error);

#endif
