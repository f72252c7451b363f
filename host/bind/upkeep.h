/* upkeep: looking after the engine's cache, for tidemill_cache.  SPDX-License-Identifier: MIT */
#ifndef MILL_UPKEEP_H
#define MILL_UPKEEP_H

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"
#include "cache/manage.h"

/* A command that runs. */
struct mill_upkeep {
    struct tidemill *engine;
    const tidemill_cache_request *request;
    const char *path;
    struct mill_store *store;
    FILE *out;
    struct mill_store_stats stats; /* before everything is removed */
    bool set_aside;                /* the database was found damaged when it was opened */
    struct mill_error *error;
};

/* What tidemill_cache does, after the files of settings were read. */
tidemill_status mill_upkeep_run(struct tidemill *engine, const tidemill_cache_request *request,
                                char **text, struct mill_error *error);

#endif
