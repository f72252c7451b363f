/* engine_check: engines and jobs of test programs that know tidemill.h alone: what must go well is CHECKed.
 * SPDX-License-Identifier: MIT */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include <tidemill.h>

#include "check.h"

static inline void check_close(tidemill *engine)
{
    tidemill_status status = tidemill_close(engine);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
}

static inline tidemill_job *submit_with(tidemill *engine, tidemill_value *options,
                                        const char *name, const tidemill_value *arguments,
                                        size_t count)
{
    tidemill_job *job;
    tidemill_status status = tidemill_submit(engine, options, name, arguments, count, &job);
    CHECK_SAYING(status == TIDEMILL_OK && job, "%s: %s", name, tidemill_error(engine));
    if (job == NULL) exit(check_end() + 1); /* nothing that follows would mean anything */
    return job;
}

static inline tidemill_job *submit(tidemill *engine, const char *name, double argument)
{
    tidemill_value value = tidemill_from_number(argument);
    return submit_with(engine, NULL, name, &value, 1);
}

#endif
