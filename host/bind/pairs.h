/* pairs: settings that are pairs, name=value,name=value: how the number of workers adapts, and how
 * much of each named resource tasks may use at once.  SPDX-License-Identifier: MIT */
#ifndef MILL_PAIRS_H
#define MILL_PAIRS_H

#include "bind/settings.h"

/* What `adaptive` is by default: off. */
struct mill_adaptive_setting mill_pairs_adaptive(void);

void mill_pairs_free(struct mill_limit *limits, size_t count);

/* ---- rows of the table in setting_rows.c ------------------------------------------------ */

tidemill_status mill_pairs_take_adaptive(struct tidemill *engine, const char *text);
char *mill_pairs_show_adaptive(struct tidemill *engine);
tidemill_status mill_pairs_take_resources(struct tidemill *engine, const char *text);
char *mill_pairs_show_resources(struct tidemill *engine);

#endif
