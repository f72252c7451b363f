/* compile: C text becomes a shared object in a folder, by a compiler of the machine's.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_COMPILE_H
#define MILL_COMPILE_H

#include <stdbool.h>

#include "base/status.h"

struct mill_compile {
    const char *const
        *words;         /* the compiler and its flags, ended by NULL; the first is looked for
                                 on PATH unless it has a slash */
    const char *folder; /* made, for its owner alone, when it is not there */
    const char *name;   /* of the text, for the compiler's messages: NAME.c */
    const char *source;
    const char *target;             /* name in the folder */
    bool (*stopped)(void *context); /* asked while the compiler runs, in the calling thread */
    void *context;
};

enum { MILL_COMPILE_LOG = 16 << 10 };

/* Compiles beside and renames: others see no object or a whole one, and may do the same at once.
 * `log` gets what the compiler says, cut to MILL_COMPILE_LOG, "" when it could not be run.  Waits in
 * the calling thread; where `stopped` says so the compiler is ended, its files go, and the status is
 * TIDEMILL_CANCELLED. */
tidemill_status mill_compile(const struct mill_compile *job, char log[MILL_COMPILE_LOG],
                             struct mill_error *error);

#endif
