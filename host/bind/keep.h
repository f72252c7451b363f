/* keep: what the cache keeps, and for how long: its settings.  SPDX-License-Identifier: MIT */
#ifndef MILL_KEEP_H
#define MILL_KEEP_H

#include "cache/store.h"

struct tidemill;

enum { MILL_KEEP_AUTO = -1 }; /* as cache.limit: by the disk's free room */

/* As set. */
struct mill_keep_setting {
    int64_t bytes;   /* 0: no limit */
    int64_t entries; /* 0: no limit */
    double ttl;      /* seconds; 0: for ever */
    bool all;        /* tasks that say nothing are cached when that is worth it */
};

struct mill_limits mill_keep_limits(const struct tidemill *engine);

/* ---- rows of the table in setting_rows.c ------------------------------------------------- */

tidemill_status mill_keep_take_limit(struct tidemill *engine, const char *text);
char *mill_keep_show_limit(struct tidemill *engine);
tidemill_status mill_keep_take_entries(struct tidemill *engine, const char *text);
char *mill_keep_show_entries(struct tidemill *engine);
tidemill_status mill_keep_take_ttl(struct tidemill *engine, const char *text);
char *mill_keep_show_ttl(struct tidemill *engine);
tidemill_status mill_keep_take_all(struct tidemill *engine, const char *text);
char *mill_keep_show_all(struct tidemill *engine);

#endif
