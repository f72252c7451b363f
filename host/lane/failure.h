/* failure: the error of a task whose process cannot say anything itself any more.
 * The same fields as errors that lua/tidemill/runner.lua makes.  SPDX-License-Identifier: MIT */
#ifndef MILL_FAILURE_H
#define MILL_FAILURE_H

#include "sched/worker.h"

/* Of the running task of a worker; `key` in the cache, 32 digits, or NULL.  The bare message when
 * memory is short. */
struct mill_value mill_failure_new(const struct mill_worker *worker, const char *message,
                                   const char *key);

#endif
