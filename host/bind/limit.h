/* limit: how much memory an engine may take, by its settings, and who is told when that is short.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LIMIT_H
#define MILL_LIMIT_H

#include "data/spill.h"

struct tidemill;

/* Values of memory.limit beside bytes. */
enum { MILL_LIMIT_AUTO = -1, MILL_LIMIT_OFF = 0 };

/* As set. */
struct mill_limit_setting {
    int64_t bytes;        /* of the process; MILL_LIMIT_AUTO: what the machine gives */
    int64_t worker_bytes; /* of a process worker; MILL_LIMIT_OFF: as many as it likes */
    double shares[MILL_PRESSURES]; /* of the limit, from MILL_PRESSURE_TARGET on */
    char *folder;                  /* spill_folder; NULL: TMPDIR or /var/tmp */
};

/* The account of a new engine, which nothing limits yet. */
void mill_limit_init(struct tidemill *engine);
void mill_limit_fini(struct tidemill *engine);

/* Of struct mill_holdings, for each state. */
double mill_limit_room(const struct tidemill *engine);

/* When the workers start: puts the settings in force. */
tidemill_status mill_limit_start(struct tidemill *engine, struct mill_error *error);

/* ---- rows of the table in setting_rows.c ------------------------------------------------- */

tidemill_status mill_limit_take(struct tidemill *engine, const char *text);
char *mill_limit_show(struct tidemill *engine);
tidemill_status mill_limit_take_worker(struct tidemill *engine, const char *text);
char *mill_limit_show_worker(struct tidemill *engine);
tidemill_status mill_limit_take_share(struct tidemill *engine, enum mill_pressure pressure,
                                      const char *text);
char *mill_limit_show_share(struct tidemill *engine, enum mill_pressure pressure);
tidemill_status mill_limit_take_folder(struct tidemill *engine, const char *text);
char *mill_limit_show_folder(struct tidemill *engine);

#endif
