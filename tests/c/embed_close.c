/* embed_close: closing an engine with work in flight.  By the public header alone.
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine_check.h"

static atomic_int go_on, entered;

/* Blocks its caller, as a call of a database would. */
static tidemill_status hold(void *context, tidemill_invocation *invocation,
                            const tidemill_value *arguments, size_t count,
                            tidemill_value *results)
{
    (void)context, (void)invocation, (void)arguments, (void)count, (void)results;
    atomic_store(&entered, 1);
    while (!atomic_load(&go_on)) usleep(1000);
    return TIDEMILL_OK;
}

static tidemill_status close_inside(void *context, tidemill_invocation *invocation,
                                    const tidemill_value *arguments, size_t count,
                                    tidemill_value *results)
{
    (void)context, (void)arguments, (void)count;
    tidemill *engine = tidemill_caller(invocation);
    results[0] = tidemill_from_number(tidemill_close(engine));
    return tidemill_from_string(tidemill_error(engine), strlen(tidemill_error(engine)),
                                &results[1]);
}

static const char script[] =
    "local function loop() local i = 0 while true do i = i + 1 end end\n"
    "function start_loop() tm.submit(tm.delayed(loop, { name = 'loop for ever' })) end\n"
    "function start_hold() tm.submit(tm.delayed(function() hold() end, { name = 'held' })) "
    "end\n"
    "function start_sleep(n)\n"
    "  for i = 1, n do tm.submit(function() tm.sleep(3600) end) end\n"
    "end\n"
    "function start_work(folder, n)\n"
    "  for i = 1, n do\n"
    "    tm.submit(function()\n"
    "      tm.sleep(0.05)\n"
    "      io.open(folder .. '/' .. i, 'w'):close()\n"
    "    end)\n"
    "  end\n"
    "end\n"
    "function parallel() return tm.map(function(x) return x * x end, { 1, 2, 3 })[3] end\n"
    "function make(n) return tm.ones(n):compute(), ('x'):rep(50000), { 1, 2, 3 } end\n"
    "function sum(a) return tm.kernels.sum(a) end\n"
    "function start_stuck()\n"
    "  local channel = tm.channel(1)\n"
    "  tm.submit(function() return channel:take() end)\n"
    "end\n";

static void give(tidemill *engine, const char *name, const char *signature, unsigned flags,
                 tidemill_status (*call)(void *, tidemill_invocation *, const tidemill_value *,
                                         size_t, tidemill_value *))
{
    tidemill_function function = {.size = sizeof function,
                                  .name = name,
                                  .signature = signature,
                                  .call = call,
                                  .flags = flags};
    CHECK(tidemill_register(engine, &function) == TIDEMILL_OK);
}

static tidemill *open_engine(int workers, double patience)
{
    tidemill_config config = {.workers = workers, .cache = "off", .close_patience = patience};
    tidemill *engine = check_open(config, NULL);
    atomic_store(&go_on, 0);
    atomic_store(&entered, 0);
    give(engine, "hold", "", TIDEMILL_THREAD_SAFE, hold);
    give(engine, "close_inside", "-> number, string", 0, close_inside);
    check_script(engine, script);
    return engine;
}

static void call(tidemill *engine, const char *name, tidemill_value argument)
{
    tidemill_status status = tidemill_call(engine, name, &argument, 1, NULL, 0);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
}

/* As often as it takes, however slow the machine is. */
static void check_close_in_the_end(tidemill *engine)
{
    tidemill_status status;
    do {
        status = tidemill_close(engine);
    } while (status == TIDEMILL_BUSY);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
}

static void check_usable(tidemill *engine)
{
    tidemill_value result;
    double number = 0;
    tidemill_status status = tidemill_call(engine, "parallel", NULL, 0, &result, 1);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    CHECK(tidemill_to_number(result, &number) && number == 9);
}

/* ---- what is waited for ------------------------------------------------------------------ */

static int count_files(const char *folder)
{
    int count = 0;
    DIR *list = opendir(folder);
    for (struct dirent *entry; list && (entry = readdir(list));) {
        if (entry->d_name[0] == '.') continue;
        char path[600];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
        count++;
    }
    if (list) closedir(list);
    return count;
}

static void check_submitted_is_done(int workers)
{
    char folder[] = "/tmp/tidemill-close-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    tidemill *engine = open_engine(workers, 60);
    tidemill_value arguments[2] = {{{0}}, tidemill_from_number(20)};
    tidemill_from_string(folder, strlen(folder), &arguments[0]);
    CHECK(tidemill_call(engine, "start_work", arguments, 2, NULL, 0) == TIDEMILL_OK);
    tidemill_release(arguments[0]);
    check_close(engine);
    CHECK(count_files(folder) == 20);
    rmdir(folder);
}

static void submitted_tasks_end_before_the_engine(void)
{
    check_submitted_is_done(2);
}

static void submitted_tasks_of_a_serial_engine_end_before_it(void)
{
    check_submitted_is_done(TIDEMILL_SERIAL);
}

static void tasks_that_wait_are_cancelled_after_the_patience(void)
{
    tidemill *engine = open_engine(2, 0.05);
    call(engine, "start_sleep", tidemill_from_number(100));
    check_close_in_the_end(engine);
}

static void an_interrupt_cancels_at_once(void)
{
    tidemill *engine = open_engine(2, INFINITY);
    call(engine, "start_sleep", tidemill_from_number(100));
    tidemill_interrupt(engine);
    check_close(engine);
}

static void a_wait_that_could_never_end_is_not_waited_for(void)
{
    tidemill *engine = open_engine(2, INFINITY);
    call(engine, "start_stuck", tidemill_from_number(0));
    check_close(engine);
}

/* ---- what does not end ------------------------------------------------------------------- */

static void check_busy(tidemill *engine, const char *task)
{
    tidemill_status status = tidemill_close(engine);
    const char *text = tidemill_error(engine);
    CHECK_SAYING(status == TIDEMILL_BUSY, "status %d", status);
    CHECK_SAYING(strstr(text, task) && strstr(text, "worker "), "%s", text);
}

/* The loop has to have begun: else it is cancelled before. */
static void wait_until_entered(void)
{
    while (!atomic_load(&entered)) usleep(1000);
}

static void a_task_of_the_host_that_blocks_is_named_and_can_be_closed_later(void)
{
    tidemill *engine = open_engine(2, 0.05);
    call(engine, "start_hold", tidemill_from_number(0));
    wait_until_entered();
    check_busy(engine, "\"held\"");
    check_busy(engine, "\"held\"");
    check_usable(engine);
    check_busy(engine, "\"held\"");
    atomic_store(&go_on, 1);
    check_close_in_the_end(engine);
}

static void impatience_cancels_and_does_not_wait(void)
{
    tidemill *engine = open_engine(1, -1);
    call(engine, "start_hold", tidemill_from_number(0));
    wait_until_entered();
    check_busy(engine, "\"held\"");
    atomic_store(&go_on, 1);
    check_close_in_the_end(engine);
}

/* The last test of the program: that thread never ends. */
static void a_compiled_endless_loop_is_named(void)
{
    tidemill *engine = open_engine(2, 0.3);
    call(engine, "start_loop", tidemill_from_number(0));
    check_busy(engine, "\"loop for ever\"");
    check_busy(engine, "\"loop for ever\"");
    check_usable(engine); /* the other worker and the script go on */
}

/* ---- calls of other threads --------------------------------------------------------------- */

static void *call_hold(void *engine)
{
    tidemill_status status = tidemill_call(engine, "hold", NULL, 0, NULL, 0);
    return (void *)(intptr_t)(status != TIDEMILL_OK && status != TIDEMILL_CANCELLED);
}

static void a_call_of_another_thread_makes_it_busy(void)
{
    pthread_t thread;
    void *wrong = NULL;
    tidemill *engine = open_engine(1, 0.05);
    CHECK(pthread_create(&thread, NULL, call_hold, engine) == 0);
    wait_until_entered();
    CHECK(tidemill_close(engine) == TIDEMILL_BUSY);
    CHECK_SAYING(strstr(tidemill_error(engine), "another thread"), "%s",
                 tidemill_error(engine));
    atomic_store(&go_on, 1);
    pthread_join(thread, &wrong);
    CHECK(wrong == NULL);
    check_close_in_the_end(engine);
}

static void closing_from_inside_a_call_is_refused(void)
{
    tidemill *engine = open_engine(1, 1);
    tidemill_value results[2];
    double status = -1;
    size_t size = 0;
    CHECK(tidemill_call(engine, "close_inside", NULL, 0, results, 2) == TIDEMILL_OK);
    CHECK(tidemill_to_number(results[0], &status) && status == TIDEMILL_USAGE);
    const char *text = tidemill_to_string(&results[1], &size);
    CHECK_SAYING(text && size > 10 && memcmp(text, "close: not", 10) == 0, "%.*s", (int)size,
                 text ? text : "");
    tidemill_release(results[1]);
    check_close(engine);
}

/* ---- values that are kept ------------------------------------------------------------------ */

/* Large and small ones, whose memory the engine's account has. */
static void values_outlive_their_engine(void)
{
    enum { ROWS = 100000, BYTES = 50000 };
    tidemill *engine = open_engine(2, 1), *other = open_engine(1, 1);
    tidemill_value results[3], length = tidemill_from_number(ROWS), sum;
    tidemill_array array = {.size = sizeof array};
    double number = 0;
    size_t size = 0;
    CHECK(tidemill_call(engine, "make", &length, 1, results, 3) == TIDEMILL_OK);
    check_close(engine);
    CHECK(tidemill_to_array(results[0], &array) && array.shape[0] == ROWS);
    CHECK(((const double *)array.data)[ROWS - 1] == 1);
    CHECK(tidemill_to_string(&results[1], &size) && size == BYTES);
    CHECK(tidemill_length(results[2]) == 3);
    CHECK(tidemill_call(other, "sum", results, 1, &sum, 1) == TIDEMILL_OK);
    CHECK(tidemill_to_number(sum, &number) && number == ROWS);
    for (int i = 0; i < 3; i++) tidemill_release(results[i]);
    check_close(other);
}

/* ---- configurations ----------------------------------------------------------------------- */

static void a_patience_that_is_no_number_is_refused(void)
{
    tidemill_config config = {.size = sizeof config, .close_patience = NAN};
    tidemill *engine;
    CHECK(tidemill_open(&config, &engine) == TIDEMILL_USAGE);
    CHECK_SAYING(strstr(tidemill_error(engine), "close_patience"), "%s",
                 tidemill_error(engine));
    check_close(engine);
    CHECK(tidemill_close(NULL) == TIDEMILL_OK);
}

int main(void)
{
    alarm(300);
    RUN(submitted_tasks_end_before_the_engine);
    RUN(submitted_tasks_of_a_serial_engine_end_before_it);
    RUN(tasks_that_wait_are_cancelled_after_the_patience);
    RUN(an_interrupt_cancels_at_once);
    RUN(a_wait_that_could_never_end_is_not_waited_for);
    RUN(a_task_of_the_host_that_blocks_is_named_and_can_be_closed_later);
    RUN(impatience_cancels_and_does_not_wait);
    RUN(a_call_of_another_thread_makes_it_busy);
    RUN(closing_from_inside_a_call_is_refused);
    RUN(values_outlive_their_engine);
    RUN(a_patience_that_is_no_number_is_refused);
    RUN(a_compiled_endless_loop_is_named);
    int failed = check_end();
    fflush(stdout);
    _exit(failed); /* the loop's thread is there, and its engine: no leak to be told of */
}
