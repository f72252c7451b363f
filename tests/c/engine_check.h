/* engine_check: engines and jobs of test programs that know tidemill.h alone: what must go well is CHECKed.
 * SPDX-License-Identifier: MIT */
#ifndef ENGINE_CHECK_H
#define ENGINE_CHECK_H

#include <tidemill.h>
#include <unistd.h>

#include "check.h"

/* An engine that knows a function of the test's; NULL: none. */
static inline tidemill *check_open(tidemill_config config, const tidemill_function *function)
{
    tidemill *engine;
    config.size = sizeof config;
    tidemill_status status = tidemill_open(&config, &engine);
    if (status == TIDEMILL_OK && function) status = tidemill_register(engine, function);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    return engine;
}

static inline void check_script(tidemill *engine, const char *script)
{
    tidemill_status status = tidemill_run_string(engine, script, "script", 0, NULL);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
}

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

static inline void wait_until_running(tidemill_job *job)
{
    while (tidemill_job_state(job) == TIDEMILL_JOB_PENDING) usleep(1000);
    CHECK(tidemill_job_state(job) == TIDEMILL_JOB_RUNNING);
}

/* The number that a job has returned which has ended. */
static inline double number_of_ended(tidemill_job *job)
{
    tidemill_value value;
    double number = -1;
    tidemill_status status = tidemill_job_result(job, &value);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_job_error(job));
    tidemill_to_number(value, &number);
    tidemill_release(value);
    return number;
}

#endif
