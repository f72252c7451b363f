/* embed_shortage: engines whose memory runs out, in any thread, at any allocation: what was asked for
 * fails or comes, and the engine goes on.  By the public header alone.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#define FAIL_IN_ALL_THREADS
#include <dlfcn.h>
#include <stdatomic.h>

#include "engine_check.h"
#include "fail_check.h"

#if CAN_FAIL_MEMORY
/* The compiler's library, which LuaJIT tells of its machine code, does not look whether it got memory. */
__attribute__((visibility("default"))) void __register_frame(void *frame)
{
    void (*inner)(void *);
    *(void **)&inner = dlsym(RTLD_NEXT, "__register_frame");
    int64_t left = atomic_exchange(&allocations_left, INT64_MAX);
    inner(frame);
    atomic_store(&allocations_left, left);
}
#endif

static const char script[] =
    "local tm = require 'tidemill'\n"
    "function same(x) return x end\n"
    "function map(x) return tm.map(same, { 1, 2, x })[3] end\n"
    "function pool(x)\n"
    "  local pool = tm.pool { max = 1, create = function() return {} end }\n"
    "  local future = tm.submit(function() return pool:with(function() return x end) end)\n"
    "  return tm.submit(same, future):result()\n"
    "end\n";

/* Every third number of allocations is granted, in another run others. */
enum { STRIDE = 3 };
static int64_t first_granted;

/* TIDEMILL_OK: what was asked for came, and is right. */
typedef tidemill_status action(tidemill *engine, const char *name);

static tidemill_status check_seven(tidemill_value value)
{
    double number = -1;
    CHECK(tidemill_to_number(value, &number) && number == 7);
    tidemill_release(value);
    return TIDEMILL_OK;
}

static tidemill_status call(tidemill *engine, const char *name)
{
    tidemill_value seven = tidemill_from_number(7), result;
    tidemill_status status = tidemill_call(engine, name, &seven, 1, &result, 1);
    return status == TIDEMILL_OK ? check_seven(result) : status;
}

static tidemill_status submit_and_wait(tidemill *engine, const char *name)
{
    tidemill_value seven = tidemill_from_number(7), result;
    tidemill_job *job;
    tidemill_status status = tidemill_submit(engine, NULL, name, &seven, 1, &job);
    if (status != TIDEMILL_OK) return status;
    status = tidemill_wait(job, 60);
    if (status == TIDEMILL_OK) status = tidemill_job_result(job, &result);
    tidemill_job_release(job);
    return status == TIDEMILL_OK ? check_seven(result) : status;
}

static tidemill_status open_and_run(const tidemill_config *config, tidemill **engine)
{
    tidemill_status status = tidemill_open(config, engine);
    if (status != TIDEMILL_OK) return status;
    return tidemill_run_string(*engine, script, "script", 0, NULL);
}

/* Whether memory has been short since it was limited. */
static int restore(void)
{
    return atomic_exchange(&allocations_left, INT64_MAX) < 0;
}

static void act_short_of_memory(action *act, const char *name)
{
    int was_short = 1;
    for (int64_t granted = first_granted; was_short; granted += STRIDE) {
        tidemill *engine = check_open((tidemill_config){.workers = 2, .cache = "off"}, NULL);
        check_script(engine, script);
        atomic_store(&allocations_left, granted);
        tidemill_status status = act(engine, name);
        was_short = restore();
        CHECK_SAYING(status == TIDEMILL_OK || was_short, "%s", tidemill_error(engine));
        status = act(engine, name);
        CHECK_SAYING(status == TIDEMILL_OK, "%s, after %d allocations: %s", name, (int)granted,
                     tidemill_error(engine));
        check_close(engine);
    }
}

static void a_call_that_starts_the_workers_fails_alone(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    act_short_of_memory(call, "map");
    act_short_of_memory(call, "pool");
}

static void so_does_a_job(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    act_short_of_memory(submit_and_wait, "same");
}

static void check_opening(tidemill_config config)
{
    int was_short = 1;
    config.size = sizeof config;
    config.cache = "off";
    for (int64_t granted = first_granted; was_short; granted += STRIDE) {
        tidemill *engine = NULL;
        atomic_store(&allocations_left, granted);
        tidemill_status status = open_and_run(&config, &engine);
        if (status == TIDEMILL_OK) status = call(engine, "same");
        if (status == TIDEMILL_OK) status = submit_and_wait(engine, "same");
        if (engine) tidemill_close(engine);
        was_short = restore();
        CHECK(status == TIDEMILL_OK || was_short);
    }
}

static void an_engine_opens_or_is_refused(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    check_opening((tidemill_config){.workers = 2});
    check_opening(
        (tidemill_config){.workers = 2, .deadline = 60}); /* in a process of its own */
}

int main(void)
{
    first_granted = (int64_t)(check_seed() % STRIDE);
    RUN(a_call_that_starts_the_workers_fails_alone);
    RUN(so_does_a_job);
    RUN(an_engine_opens_or_is_refused);
    return check_end();
}
