/* embed_job: calls of the script that run as tasks.  By the public header alone.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine_check.h"

/* Tests are made with the script here, and then in a process of its own, which has so many seconds for each
 * call and job. */
static double deadline;

static atomic_int go_on, entered;
static char gate[64]; /* a file for which tasks wait, without giving their worker back */

static tidemill_status hold(void *context, tidemill_invocation *invocation,
                            const tidemill_value *arguments, size_t count,
                            tidemill_value *results)
{
    (void)context, (void)invocation, (void)arguments, (void)count, (void)results;
    atomic_fetch_add(&entered, 1);
    while (!atomic_load(&go_on)) usleep(1000);
    return TIDEMILL_OK;
}

static const char script[] =
    "local ffi = require 'ffi'\n"
    "function add(a, b) return a + b end\n"
    "function echo(...) return ... end\n"
    "function fails(text) error(text) end\n"
    "function throws() error({ 1, 2 }) end\n"
    "function sleep(n) tm.sleep(n) return n end\n"
    "function wait_for_host() while #tm.glob(gate) == 0 do end return 1 end\n"
    "function wait_here() hold() return 1 end\n"
    "total = 0\n"
    "function assigns() total = total + 1 end\n"
    "function process() ffi.cdef 'int getpid(void);' return ffi.C.getpid() end\n"
    "strategy = { on_bar = function(bar) return bar.close * 2 end }\n"
    "slow = tm.delayed(function(n) tm.sleep(n) return 'slow' end, { name = 'slow one' })\n"
    "function counted(x) return x .. '!' end\n"
    "function nested(n) return tm.map(function(x) return x * x end, { 1, 2, n })[3] end\n";

static void open_gate(void)
{
    FILE *file = fopen(gate, "w");
    CHECK(file != NULL && fclose(file) == 0);
}

static tidemill_status run_script(tidemill *engine)
{
    char line[100];
    snprintf(line, sizeof line, "gate = '%s'", gate);
    tidemill_status status = tidemill_run_string(engine, line, "gate", 0, NULL);
    if (status != TIDEMILL_OK) return status;
    return tidemill_run_string(engine, script, "script", 0, NULL);
}

static tidemill *open_with(int workers, const char *cache)
{
    tidemill_config config = {.workers = workers, .cache = cache, .deadline = deadline};
    tidemill_function function = {.size = sizeof function,
                                  .name = "hold",
                                  .signature = "",
                                  .call = hold,
                                  .flags = TIDEMILL_THREAD_SAFE};
    tidemill *engine = check_open(config, &function);
    tidemill_status status = run_script(engine);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    atomic_store(&go_on, 0);
    atomic_store(&entered, 0);
    unlink(gate);
    return engine;
}

static tidemill *open_engine(int workers)
{
    return open_with(workers, "off");
}

static tidemill_value string(const char *text)
{
    tidemill_value value = {{0}};
    CHECK(tidemill_from_string(text, strlen(text), &value) == TIDEMILL_OK);
    return value;
}

static tidemill_value one_option(const char *name, tidemill_value value)
{
    tidemill_field field = {name, value};
    tidemill_value table = {{0}};
    CHECK(tidemill_from_table(NULL, 0, &field, 1, &table) == TIDEMILL_OK);
    tidemill_release(value);
    return table;
}

static double number_of_job(tidemill_job *job)
{
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    return number_of_ended(job);
}

/* ---- results ------------------------------------------------------------------------------ */

static void check_results(int workers)
{
    tidemill *engine = open_engine(workers);
    tidemill_value two[] = {tidemill_from_number(40), tidemill_from_number(2)};
    tidemill_job *job = submit_with(engine, NULL, "add", two, 2);
    CHECK(number_of_job(job) == 42);
    CHECK(tidemill_job_state(job) == TIDEMILL_JOB_FINISHED);
    CHECK_TEXT(tidemill_job_error(job), "");
    CHECK(number_of_job(job) == 42); /* again */
    tidemill_job_release(job);
    tidemill_value close = tidemill_from_number(21), bar;
    bar = one_option("close", close);
    job = submit_with(engine, NULL, "strategy.on_bar", &bar, 1);
    CHECK(number_of_job(job) == 42);
    tidemill_job_release(job);
    tidemill_release(bar);
    job = submit(engine, "nested", 5);
    CHECK(number_of_job(job) == 25);
    tidemill_job_release(job);
    tidemill_job_release(NULL);
    check_close(engine);
}

static void a_result_is_what_the_function_returned(void)
{
    check_results(2);
}

static void a_serial_engine_runs_jobs_while_somebody_waits(void)
{
    check_results(TIDEMILL_SERIAL);
}

static void many_jobs_give_their_own_results(void)
{
    enum { MANY = 500 };
    static tidemill_job *list[MANY];
    tidemill *engine = open_engine(2);
    for (int i = 0; i < MANY; i++) {
        tidemill_value both[] = {tidemill_from_number(i), tidemill_from_number(i)};
        list[i] = submit_with(engine, NULL, "add", both, 2);
    }
    for (int i = MANY; i-- > 0;) {
        CHECK(number_of_job(list[i]) == 2 * i);
        tidemill_job_release(list[i]);
    }
    check_close(engine);
}

static void an_array_comes_back(void)
{
    static const double data[] = {1, 2, 3};
    tidemill *engine = open_engine(1);
    tidemill_array in = {
        .size = sizeof in, .type = "float64", .dimensions = 1, .shape = {3}, .data = data};
    tidemill_array out = {.size = sizeof out};
    tidemill_value array, result;
    CHECK(tidemill_from_array(engine, &in, NULL, NULL, &array) == TIDEMILL_OK);
    tidemill_job *job = submit_with(engine, NULL, "echo", &array, 1);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    CHECK(tidemill_job_result(job, &result) == TIDEMILL_OK);
    CHECK(tidemill_to_array(result, &out));
    CHECK(memcmp(out.data, data, sizeof data) == 0);
    CHECK(deadline > 0 || out.data == data);
    tidemill_release(result);
    tidemill_release(array);
    tidemill_job_release(job);
    check_close(engine);
}

static void a_result_that_the_cache_answers_is_read_from_there(void)
{
    char path[] = "/tmp/tidemill-job-XXXXXX", cache[100], command[100];
    CHECK(mkdtemp(path) != NULL);
    snprintf(cache, sizeof cache, "%s/cache.db", path);
    for (int round = 0; round < 3; round++) {
        tidemill *engine = open_with(2, cache);
        tidemill_value options = one_option("cache", tidemill_from_boolean(1)), result;
        static char big[100000];
        memset(big, 'a', sizeof big);
        tidemill_value text;
        size_t size = 0;
        tidemill_from_string(big, sizeof big, &text);
        tidemill_job *job = submit_with(engine, &options, "counted", &text, 1);
        CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
        if (round == 2) check_close(engine); /* its result outlives the engine */
        CHECK(tidemill_job_result(job, &result) == TIDEMILL_OK);
        CHECK(tidemill_to_string(&result, &size) && size == sizeof big + 1);
        tidemill_release(result);
        tidemill_release(text);
        tidemill_release(options);
        if (round < 2) check_close(engine);
        CHECK(tidemill_job_state(job) == TIDEMILL_JOB_FINISHED);
        tidemill_job_release(job);
    }
    snprintf(command, sizeof command, "rm -rf %s", path);
    CHECK(system(command) == 0);
}

/* ---- failures ----------------------------------------------------------------------------- */

static void an_error_is_told_with_the_frames_of_the_script(void)
{
    tidemill *engine = open_engine(2);
    tidemill_value text = string("no such bar"), result;
    tidemill_job *job = submit_with(engine, NULL, "fails", &text, 1);
    tidemill_release(text);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    CHECK(tidemill_job_state(job) == TIDEMILL_JOB_ERROR);
    CHECK(tidemill_job_result(job, &result) == TIDEMILL_ERROR);
    CHECK(tidemill_kind_of(result) == TIDEMILL_KIND_NIL);
    const char *error = tidemill_job_error(job);
    CHECK_SAYING(strncmp(error, "script:4: no such bar\nin task \"fails\" on worker ", 48) == 0,
                 "%s", error);
    CHECK_SAYING(strstr(error, "\nstack traceback:\n\tscript:4:"), "%s", error);
    CHECK_SAYING(strstr(error, "[tidemill]") == NULL, "%s", error);
    CHECK_TEXT(tidemill_error(engine), error);
    tidemill_job_release(job);
    job = submit(engine, "throws", 0);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    CHECK(strstr(tidemill_job_error(job), "table") != NULL);
    tidemill_job_release(job);
    /* Nobody else's business: a run goes well afterwards. */
    CHECK(tidemill_run_string(engine, "return 1", "after", 0, NULL) == TIDEMILL_OK);
    check_close(engine);
}

static void refuse(tidemill *engine, tidemill_value *options, const char *name,
                   tidemill_status expected, const char *text)
{
    tidemill_job *job = (tidemill_job *)&job;
    tidemill_status status = tidemill_submit(engine, options, name, NULL, 0, &job);
    CHECK_SAYING(status == expected && job == NULL, "%s: %d", name, status);
    CHECK_SAYING(strstr(tidemill_error(engine), text), "%s", tidemill_error(engine));
    if (options) tidemill_release(*options);
}

static void what_cannot_be_submitted_is_refused(void)
{
    tidemill *engine = open_engine(2);
    refuse(engine, NULL, "nestd", TIDEMILL_USAGE, "did you mean \"nested\"?");
    refuse(engine, NULL, "strategy.on_ba", TIDEMILL_USAGE, "did you mean \"on_bar\"?");
    refuse(engine, NULL, "assigns", TIDEMILL_ERROR, "assigns global total");
    tidemill_value options = one_option("prio", tidemill_from_number(1));
    refuse(engine, &options, "add", TIDEMILL_ERROR, "prio");
    options = one_option("priority", tidemill_from_number(9));
    refuse(engine, &options, "add", TIDEMILL_ERROR, "priority");
    options = tidemill_from_number(3);
    refuse(engine, &options, "add", TIDEMILL_ERROR, "expected options as a table");
    check_close(engine);
}

/* ---- options ------------------------------------------------------------------------------ */

static void options_are_those_of_a_task(void)
{
    tidemill *engine = open_engine(2);
    tidemill_value options = one_option("lane", string("process"));
    tidemill_value nothing = {{0}};
    tidemill_job *job = submit_with(engine, &options, "process", &nothing, 1);
    double process = number_of_job(job);
    CHECK(process > 0 && process != getpid());
    tidemill_release(options);
    tidemill_job_release(job);
    options = one_option("timeout", tidemill_from_number(0.2));
    tidemill_value seconds = tidemill_from_number(3600);
    job = submit_with(engine, &options, "sleep", &seconds, 1);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    CHECK(tidemill_job_state(job) == TIDEMILL_JOB_ERROR);
    CHECK_SAYING(strstr(tidemill_job_error(job), "timeout of 0.2 s"), "%s",
                 tidemill_job_error(job));
    tidemill_release(options);
    tidemill_job_release(job);
    options = one_option("name", string("another"));
    tidemill_value text = string("x");
    job = submit_with(engine, &options, "fails", &text, 1);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    CHECK(strstr(tidemill_job_error(job), "in task \"another\"") != NULL);
    tidemill_release(text);
    tidemill_release(options);
    tidemill_job_release(job);
    check_close(engine);
}

/* ---- waiting and cancelling ---------------------------------------------------------------- */

static void waiting_gives_up_in_time_and_the_job_goes_on(void)
{
    tidemill *engine = open_engine(2);
    tidemill_job *job = submit(engine, "wait_for_host", 0);
    tidemill_value result;
    wait_until_running(job);
    CHECK(tidemill_wait(job, 0) == TIDEMILL_BUSY);
    CHECK(tidemill_wait(job, 0.01) == TIDEMILL_BUSY);
    CHECK(tidemill_job_result(job, &result) == TIDEMILL_BUSY);
    CHECK(strstr(tidemill_error(engine), "has not ended") != NULL);
    open_gate();
    CHECK(tidemill_wait(job, -1) == TIDEMILL_OK);
    CHECK(number_of_job(job) == 1);
    tidemill_job_release(job);
    check_close(engine);
}

static void *call_and_hold(void *engine)
{
    return (void *)(intptr_t)tidemill_call(engine, "wait_here", NULL, 0, NULL, 0);
}

/* The script's lock is another thread's all the time. */
static void waiting_needs_no_script(void)
{
    pthread_t thread;
    void *status;
    tidemill *engine = open_engine(2);
    tidemill_job *quick = submit(engine, "sleep", 0.05);
    tidemill_job *endless = submit(engine, "sleep", 3600);
    CHECK(pthread_create(&thread, NULL, call_and_hold, engine) == 0);
    while (atomic_load(&entered) == 0) usleep(1000);
    CHECK(number_of_job(quick) == 0.05);
    tidemill_cancel(endless);
    CHECK(tidemill_wait(endless, 60) == TIDEMILL_OK);
    CHECK(tidemill_job_state(endless) == TIDEMILL_JOB_CANCELLED);
    tidemill_job_release(quick);
    tidemill_job_release(endless);
    atomic_store(&go_on, 1);
    pthread_join(thread, &status);
    CHECK(status == NULL);
    check_close(engine);
}

static void a_cancelled_job_says_so(void)
{
    tidemill *engine = open_engine(1);
    tidemill_value result;
    tidemill_job *first = submit(engine, "wait_for_host", 0);
    wait_until_running(first);
    tidemill_job *second = submit(engine, "sleep", 0);
    CHECK(tidemill_job_state(second) == TIDEMILL_JOB_PENDING);
    tidemill_cancel(second);
    open_gate();
    CHECK(tidemill_wait(second, 60) == TIDEMILL_OK);
    CHECK(tidemill_job_state(second) == TIDEMILL_JOB_CANCELLED);
    CHECK(tidemill_job_result(second, &result) == TIDEMILL_CANCELLED);
    CHECK(number_of_job(first) == 1);
    tidemill_cancel(first); /* too late, and nothing happens */
    CHECK(number_of_job(first) == 1);
    tidemill_job_release(first);
    tidemill_job_release(second);
    check_close(engine);
}

static void a_delayed_function_brings_its_options(void)
{
    tidemill *engine = open_engine(1);
    tidemill_job *job = submit(engine, "slow", 0);
    tidemill_value result;
    size_t size = 0;
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    CHECK(tidemill_job_result(job, &result) == TIDEMILL_OK);
    CHECK(tidemill_to_string(&result, &size) && size == 4);
    tidemill_release(result);
    tidemill_job_release(job);
    check_close(engine);
}

/* ---- releasing and closing ------------------------------------------------------------------ */

static void a_released_job_goes_on(void)
{
    tidemill *engine = open_engine(2);
    tidemill_job_release(submit(engine, "wait_for_host", 0));
    tidemill_job *job = submit(engine, "wait_for_host", 0);
    wait_until_running(job);
    tidemill_job_release(job);
    open_gate();
    check_close(engine);
}

static void a_job_outlives_its_engine(void)
{
    tidemill_config config = {
        .size = sizeof config, .cache = "off", .close_patience = 0.05, .deadline = deadline};
    tidemill *engine;
    CHECK(tidemill_open(&config, &engine) == TIDEMILL_OK);
    CHECK(run_script(engine) == TIDEMILL_OK);
    tidemill_value text = string("gone"), result;
    tidemill_job *quick = submit(engine, "sleep", 0), *never = submit(engine, "sleep", 3600);
    tidemill_job *bad = submit_with(engine, NULL, "fails", &text, 1);
    tidemill_release(text);
    CHECK(tidemill_wait(quick, 60) == TIDEMILL_OK && tidemill_wait(bad, 60) == TIDEMILL_OK);
    while (tidemill_close(engine) == TIDEMILL_BUSY) {}
    CHECK(number_of_job(quick) == 0);
    CHECK(tidemill_job_state(never) == TIDEMILL_JOB_CANCELLED);
    CHECK(tidemill_wait(never, -1) == TIDEMILL_OK);
    CHECK(tidemill_job_result(never, &result) == TIDEMILL_CANCELLED);
    CHECK(tidemill_job_result(bad, &result) == TIDEMILL_ERROR);
    CHECK(strstr(tidemill_job_error(bad), "gone") != NULL);
    CHECK(tidemill_on_result(bad, NULL, NULL) == TIDEMILL_USAGE);
    tidemill_cancel(never);
    tidemill_job_release(quick);
    tidemill_job_release(never);
    tidemill_job_release(bad);
}

static void run_all(void)
{
    RUN(a_result_is_what_the_function_returned);
    RUN(a_serial_engine_runs_jobs_while_somebody_waits);
    RUN(many_jobs_give_their_own_results);
    RUN(an_array_comes_back);
    RUN(a_result_that_the_cache_answers_is_read_from_there);
    RUN(an_error_is_told_with_the_frames_of_the_script);
    RUN(what_cannot_be_submitted_is_refused);
    RUN(options_are_those_of_a_task);
    RUN(waiting_gives_up_in_time_and_the_job_goes_on);
    RUN(waiting_needs_no_script);
    RUN(a_cancelled_job_says_so);
    RUN(a_delayed_function_brings_its_options);
    RUN(a_released_job_goes_on);
    RUN(a_job_outlives_its_engine);
}

int main(void)
{
    alarm(300);
    snprintf(gate, sizeof gate, "/tmp/tidemill-gate-%d", (int)getpid());
    run_all();
    deadline = 120;
    run_all();
    unlink(gate);
    return check_end();
}
