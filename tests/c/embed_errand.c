/* embed_errand: jobs of a script in a process of its own, and what ends them.  By the public header alone.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine_check.h"

static const char script[] =
    "function sleep(n) tm.sleep(n) return n end\n"
    "function double(n) return 2 * n end\n"
    "function loop() local i = 0 while true do i = i + 1 end end\n"
    "function start_loops() for i = 1, 2 do tm.submit(loop) end end\n"
    "function hunger() local t = {} while true do t[#t + 1] = {} end end\n"
    "function give() return print end\n"
    "local function foreign(text)\n"
    "  local ffi = require('ffi')\n"
    "  ffi.cdef(text)\n"
    "  return ffi.C\n"
    "end\n"
    "function process() return foreign('int getpid(void);').getpid() end\n"
    "function crash() require('ffi').cast('int *', 0)[0] = 1 end\n"
    "function garbage()\n"
    "  local text = ('garbage!'):rep(10)\n"
    "  local C = foreign('long write(int, const void *, size_t);')\n"
    "  for file = 4, 40 do C.write(file, text, #text) end\n"
    "  tm.sleep(3600)\n"
    "end\n"
    "function ask(n) return ask_host(n) end\n";

static const char *const ffi[] = {"ffi", NULL};

/* ---- engines and jobs ----------------------------------------------------------------------- */

/* Calls the engine from inside a call of the script. */
static tidemill_status ask_host(void *context, tidemill_invocation *invocation,
                                const tidemill_value *arguments, size_t count,
                                tidemill_value *results)
{
    (void)context, (void)count;
    tidemill *engine = tidemill_caller(invocation);
    tidemill_job *job;
    if (tidemill_submit(engine, NULL, "double", arguments, 1, &job) != TIDEMILL_OK) {
        return tidemill_raise(invocation, tidemill_error(engine));
    }
    tidemill_status status = tidemill_wait(job, 60);
    if (status == TIDEMILL_OK) status = tidemill_job_result(job, &results[0]);
    tidemill_job_release(job);
    return status;
}

static tidemill_status load(tidemill *engine)
{
    return tidemill_run_string(engine, script, "script", 0, NULL);
}

static tidemill *open_engine(tidemill_config config)
{
    tidemill_function function = {.size = sizeof function,
                                  .name = "ask_host",
                                  .signature = "number -> number",
                                  .call = ask_host,
                                  .flags = TIDEMILL_SANDBOX};
    config.cache = "off";
    if (config.workers == 0) config.workers = 2;
    tidemill *engine = check_open(config, &function);
    check_script(engine, script);
    return engine;
}

/* Releases the job. */
static void check_failed(tidemill_job *job, tidemill_status expected, const char *text)
{
    tidemill_value value;
    CHECK(tidemill_wait(job, 120) == TIDEMILL_OK);
    tidemill_status status = tidemill_job_result(job, &value);
    CHECK_SAYING(status == expected, "status %d: %s", status, tidemill_job_error(job));
    CHECK(tidemill_kind_of(value) == TIDEMILL_KIND_NIL);
    CHECK_SAYING(strstr(tidemill_job_error(job), text), "%s", tidemill_job_error(job));
    CHECK(tidemill_job_state(job) ==
          (expected == TIDEMILL_CANCELLED ? TIDEMILL_JOB_CANCELLED : TIDEMILL_JOB_ERROR));
    tidemill_job_release(job);
}

/* Releases the job. */
static double number_of_job(tidemill_job *job)
{
    CHECK(tidemill_wait(job, 120) == TIDEMILL_OK);
    double number = number_of_ended(job);
    tidemill_job_release(job);
    return number;
}

/* The script is the one that was there. */
static void check_kept(tidemill *engine)
{
    CHECK(number_of_job(submit(engine, "double", 21)) == 42);
}

/* The process has gone, with what the script had defined; a run begins another. */
static void check_anew(tidemill *engine, const char *why)
{
    tidemill_job *job;
    CHECK(tidemill_submit(engine, NULL, "double", NULL, 0, &job) == TIDEMILL_ERROR && !job);
    CHECK_SAYING(strstr(tidemill_error(engine), "no script any more: ") &&
                     strstr(tidemill_error(engine), why),
                 "%s", tidemill_error(engine));
    CHECK_SAYING(load(engine) == TIDEMILL_OK, "%s", tidemill_error(engine));
    check_kept(engine);
}

/* ---- the deadline --------------------------------------------------------------------------- */

static void a_job_that_heeds_its_deadline_ends_alone(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .deadline = 0.5});
    tidemill_job *slow = submit(engine, "sleep", 3600);
    check_kept(engine);
    check_failed(slow, TIDEMILL_DEADLINE,
                 "the job \"sleep\" took longer than its deadline of 0.5 s");
    check_kept(engine);
    check_close(engine);
}

static void one_that_does_not_ends_the_process_and_the_other_jobs(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .deadline = 4});
    tidemill_job *endless = submit(engine, "loop", 0);
    check_failed(endless, TIDEMILL_DEADLINE, "took longer than its deadline of 4 s");
    tidemill_job *other = submit(engine, "sleep", 3600); /* it has 4 s, the loop 2 more */
    check_failed(other, TIDEMILL_ERROR,
                 "the job ended with its process: the job \"loop\" passed its deadline");
    check_anew(engine, "did not stop");
    check_close(engine);
}

static void waiting_for_other_jobs_takes_no_time(void)
{
    enum { MANY = 20 };
    tidemill_job *jobs[MANY];
    tidemill *engine = open_engine((tidemill_config){.deadline = 1.5, .workers = 1});
    /* 0.2 s each and one after the other, for they wait without giving the worker back. */
    const char *busy = "function busy(n) local t = tm.clock() + n repeat until tm.clock() > t "
                       "return n end";
    CHECK(tidemill_run_string(engine, busy, "busy", 0, NULL) == TIDEMILL_OK);
    for (int i = 0; i < MANY; i++) jobs[i] = submit(engine, "busy", 0.2);
    for (int i = 0; i < MANY; i++) CHECK(number_of_job(jobs[i]) == 0.2);
    check_close(engine);
}

static void a_job_that_the_script_does_not_let_begin_meets_its_deadline(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .deadline = 1});
    CHECK(tidemill_call(engine, "start_loops", NULL, 0, NULL, 0) == TIDEMILL_OK);
    check_failed(submit(engine, "double", 1), TIDEMILL_DEADLINE,
                 "the job \"double\" was not begun within its deadline of 1 s");
    check_close(engine);
}

/* ---- memory and crashes --------------------------------------------------------------------- */

static void hunger_ends_all_jobs(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .memory = 256 << 20});
    tidemill_job *other = submit(engine, "sleep", 3600), *hungry = submit(engine, "hunger", 0);
    check_failed(hungry, TIDEMILL_MEMORY, "more than its 256 MiB of memory");
    check_failed(other, TIDEMILL_MEMORY, "more than its 256 MiB of memory");
    check_anew(engine, "256 MiB");
    check_close(engine);
}

static void a_crash_ends_all_jobs(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .allow = ffi});
    tidemill_job *other = submit(engine, "sleep", 3600), *bad = submit(engine, "crash", 0);
    check_failed(bad, TIDEMILL_ERROR, "the job ended with its process: the script's process");
    check_failed(other, TIDEMILL_ERROR, "the job ended with its process: the script's process");
    check_anew(engine, "the script's process");
    check_close(engine);
}

static void a_crash_of_a_call_does_too(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .allow = ffi});
    tidemill_job *other = submit(engine, "sleep", 3600);
    CHECK(tidemill_call(engine, "crash", NULL, 0, NULL, 0) == TIDEMILL_ERROR);
    check_failed(other, TIDEMILL_ERROR, "the job ended with its process: the script's process");
    check_anew(engine, "the script's process");
    check_close(engine);
}

static void a_process_that_somebody_kills_is_noticed_by_itself(void)
{
    tidemill *engine = open_engine((tidemill_config){.deadline = 60});
    pid_t process = (pid_t)number_of_job(submit(engine, "process", 0));
    tidemill_job *job = submit(engine, "sleep", 3600);
    wait_until_running(job);
    CHECK(process > 1); /* no other is killed: 0 and -1 are whole groups */
    if (process > 1) kill(process, SIGKILL);
    check_failed(job, TIDEMILL_ERROR, "was killed by signal 9 (SIGKILL)");
    check_anew(engine, "signal 9 (SIGKILL)");
    check_close(engine);
}

static void what_is_no_message_ends_the_process(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .allow = ffi});
    check_failed(submit(engine, "garbage", 0), TIDEMILL_ERROR,
                 "the job ended with its process");
    check_anew(engine, "the script's process");
    check_close(engine);
}

static void a_function_does_not_come_out_of_a_sandbox(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1});
    check_failed(submit(engine, "give", 0), TIDEMILL_USAGE, "a sandbox gives data alone");
    check_kept(engine);
    check_close(engine);
}

/* ---- interrupts and calls ------------------------------------------------------------------- */

static void *interrupt_soon(void *engine)
{
    usleep(200000);
    tidemill_interrupt(engine);
    return NULL;
}

static void an_interrupt_without_a_call_leaves_jobs_alone(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1});
    tidemill_job *job = submit(engine, "sleep", 0.3);
    tidemill_interrupt(engine);
    CHECK(number_of_job(job) == 0.3);
    check_close(engine);
}

static void one_that_a_call_heeds_does_too(void)
{
    pthread_t thread;
    tidemill_value hour = tidemill_from_number(3600), result;
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1});
    tidemill_job *job = submit(engine, "sleep", 0.5);
    pthread_create(&thread, NULL, interrupt_soon, engine);
    CHECK(tidemill_call(engine, "sleep", &hour, 1, &result, 1) == TIDEMILL_CANCELLED);
    pthread_join(thread, NULL);
    CHECK(number_of_job(job) == 0.5);
    check_close(engine);
}

static void one_that_ends_the_process_ends_jobs(void)
{
    pthread_t thread;
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1});
    tidemill_job *job = submit(engine, "sleep", 3600);
    pthread_create(&thread, NULL, interrupt_soon, engine);
    CHECK(tidemill_call(engine, "loop", NULL, 0, NULL, 0) == TIDEMILL_CANCELLED);
    pthread_join(thread, NULL);
    check_failed(job, TIDEMILL_ERROR, "the job ended with its process: interrupted");
    check_anew(engine, "interrupted");
    check_close(engine);
}

static void check_inside(int workers)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .workers = workers});
    tidemill_value number = tidemill_from_number(21), result;
    tidemill_job *beside = submit(engine, "sleep", 0.2);
    double got = 0;
    tidemill_status status = tidemill_call(engine, "ask", &number, 1, &result, 1);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    CHECK(tidemill_to_number(result, &got) && got == 42);
    CHECK(number_of_job(beside) == 0.2);
    tidemill_job *job; /* tasks have no function of the host */
    status = tidemill_submit(engine, NULL, "ask", &number, 1, &job);
    CHECK(status == TIDEMILL_ERROR && job == NULL);
    CHECK_SAYING(strstr(tidemill_error(engine), "ask_host"), "%s", tidemill_error(engine));
    check_close(engine);
}

static void a_function_of_the_host_may_submit_and_wait(void)
{
    check_inside(2);
    check_inside(TIDEMILL_SERIAL);
}

static void one_that_has_not_begun_is_cancelled_at_once(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .workers = 1});
    tidemill_job *first = submit(engine, "loop", 0);
    wait_until_running(first);
    tidemill_job *second = submit(engine, "loop", 0);
    tidemill_cancel(second);
    CHECK(tidemill_job_state(second) == TIDEMILL_JOB_CANCELLED);
    tidemill_cancel(first); /* it does not heed that */
    CHECK(tidemill_wait(first, 0.1) == TIDEMILL_BUSY);
    tidemill_interrupt(engine);
    check_close(engine);
    check_failed(first, TIDEMILL_CANCELLED, "");
    check_failed(second, TIDEMILL_CANCELLED, "");
}

/* ---- closing -------------------------------------------------------------------------------- */

static void check_closing(double patience, int interrupt)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .close_patience = patience});
    tidemill_job *asleep = submit(engine, "sleep", 3600), *endless = submit(engine, "loop", 0),
                 *waiting = submit(engine, "loop", 0), *quick = submit(engine, "double", 4);
    wait_until_running(endless);
    if (interrupt) tidemill_interrupt(engine);
    check_close(engine);
    check_failed(asleep, TIDEMILL_CANCELLED, "");
    check_failed(endless, TIDEMILL_CANCELLED, "");
    check_failed(waiting, TIDEMILL_CANCELLED, "");
    CHECK(tidemill_job_state(quick) == TIDEMILL_JOB_FINISHED ||
          tidemill_job_state(quick) == TIDEMILL_JOB_CANCELLED);
    tidemill_job_release(quick);
}

static void closing_cancels_jobs_and_ends_the_process_of_those_that_do_not_end(void)
{
    check_closing(0.1, 0);
    check_closing(-1, 0);
    check_closing(0.5, 1);
}

static void closing_lets_jobs_end(void)
{
    tidemill *engine = open_engine((tidemill_config){.sandbox = 1, .close_patience = 60});
    tidemill_job *job = submit(engine, "sleep", 0.3);
    check_close(engine);
    CHECK(number_of_job(job) == 0.3);
}

int main(void)
{
    alarm(300);
    RUN(a_job_that_heeds_its_deadline_ends_alone);
    RUN(one_that_does_not_ends_the_process_and_the_other_jobs);
    RUN(waiting_for_other_jobs_takes_no_time);
    RUN(a_job_that_the_script_does_not_let_begin_meets_its_deadline);
    RUN(hunger_ends_all_jobs);
    RUN(a_crash_ends_all_jobs);
    RUN(a_crash_of_a_call_does_too);
    RUN(a_process_that_somebody_kills_is_noticed_by_itself);
    RUN(what_is_no_message_ends_the_process);
    RUN(a_function_does_not_come_out_of_a_sandbox);
    RUN(an_interrupt_without_a_call_leaves_jobs_alone);
    RUN(one_that_a_call_heeds_does_too);
    RUN(one_that_ends_the_process_ends_jobs);
    RUN(a_function_of_the_host_may_submit_and_wait);
    RUN(one_that_has_not_begun_is_cancelled_at_once);
    RUN(closing_cancels_jobs_and_ends_the_process_of_those_that_do_not_end);
    RUN(closing_lets_jobs_end);
    return check_end();
}
