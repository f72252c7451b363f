/* embed_fork: an engine after a fork: every call of the child fails and says why, and nothing of the
 * parent is touched.  By the public header alone.  SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <sys/wait.h>
#include <tidemill.h>
#include <unistd.h>

#include "check.h"

#ifdef __SANITIZE_THREAD__
enum { CHECK_THREADS = 0 };
#else
enum { CHECK_THREADS = 1 };
#endif

static const char script[] = "return tm.map(function(x) return x * x end, {1, 2, 3})[3]";

static bool is_refused(tidemill *engine, tidemill_status status)
{
    return status == TIDEMILL_UNSUPPORTED && strstr(tidemill_error(engine), "has forked off");
}

static void ignore_setting(void *context, const char *name, const char *value,
                           const char *source)
{
    (void)context, (void)name, (void)value, (void)source;
}

static void ignore_job(void *context, tidemill_job *job)
{
    (void)context, (void)job;
}

/* The same of jobs: `job` is one of the parent's that has not ended, and never will here. */
static int child_with_jobs(tidemill *engine, tidemill_job *job)
{
    tidemill_listener listener = {.size = sizeof listener};
    tidemill_job *other = NULL;
    tidemill_value value;
    int bad = 0;
    bad += !is_refused(engine, tidemill_submit(engine, NULL, "wait", NULL, 0, &other));
    bad += other != NULL;
    bad += !is_refused(engine, tidemill_listen(engine, &listener));
    bad += tidemill_poll_descriptor(engine) != -1;
    bad += tidemill_poll(engine, -1) != -1;
    bad += tidemill_wait(job, -1) != TIDEMILL_UNSUPPORTED;
    bad += tidemill_job_result(job, &value) != TIDEMILL_UNSUPPORTED;
    bad += tidemill_on_result(job, ignore_job, NULL) != TIDEMILL_UNSUPPORTED;
    bad += tidemill_job_error(job)[0] != '\0';
    bad += tidemill_job_state(job) != TIDEMILL_JOB_PENDING;
    tidemill_cancel(job);
    tidemill_job_release(job);
    return bad;
}

/* How many calls of the child were not refused. */
static int child(tidemill *engine, tidemill_job *job)
{
    char *text = NULL;
    int bad = child_with_jobs(engine, job);
    bad += !is_refused(engine, tidemill_call(engine, "wait", NULL, 0, NULL, 0));
    bad += !is_refused(engine, tidemill_run_string(engine, script, "script", 0, NULL));
    bad += !is_refused(engine, tidemill_run_file(engine, "/dev/null", 0, NULL));
    bad += !is_refused(engine, tidemill_run_shipped(engine, "day_trade", 0, NULL));
    bad += !is_refused(engine, tidemill_eval(engine, "1 + 1"));
    bad += !is_refused(engine, tidemill_result_json(engine, &text));
    bad += !is_refused(engine, tidemill_settings_json(engine, NULL, &text));
    bad += !is_refused(engine, tidemill_each_setting(engine, NULL, ignore_setting, NULL));
    bad += !is_refused(engine, tidemill_set(engine, "workers", "1"));
    bad += !is_refused(engine, tidemill_flush(engine, 1));
    bad += text != NULL;
    tidemill_interrupt(engine);
    bad += !is_refused(engine, tidemill_close(engine)); /* nothing hangs */
    /* ThreadSanitizer takes no new threads behind a fork. */
    int workers = CHECK_THREADS ? 1 : TIDEMILL_SERIAL;
    tidemill_config config = {.size = sizeof config, .workers = workers, .cache = "off"};
    tidemill *own;
    bad += tidemill_open(&config, &own) != TIDEMILL_OK;
    bad += tidemill_run_string(own, script, "script", 0, NULL) != TIDEMILL_OK;
    tidemill_close(own);
    return bad;
}

static int exit_status(pid_t process)
{
    int status;
    if (waitpid(process, &status, 0) != process) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void check_result(tidemill *engine)
{
    char *text = NULL;
    tidemill_status status = tidemill_run_string(engine, script, "script", 0, NULL);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    CHECK(tidemill_result_json(engine, &text) == TIDEMILL_OK);
    CHECK_TEXT(text, "9");
    free(text);
}

static void check_fork(int workers, double deadline)
{
    tidemill_config config = {
        .size = sizeof config, .workers = workers, .cache = "off", .deadline = deadline};
    tidemill *engine;
    CHECK(tidemill_open(&config, &engine) == TIDEMILL_OK);
    check_result(engine); /* the threads are there */
    tidemill_job *job;
    tidemill_status status =
        tidemill_run_string(engine, "function wait() tm.sleep(3600) end", "s", 0, NULL);
    if (status == TIDEMILL_OK) status = tidemill_submit(engine, NULL, "wait", NULL, 0, &job);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
    if (workers > 0 || deadline > 0) {
        while (tidemill_job_state(job) != TIDEMILL_JOB_RUNNING) usleep(1000);
        /* AddressSanitizer's allocator, unlike the C library's, stays locked in the child when another
         * thread is in it: let them come to rest. */
        usleep(50000);
    }
    pid_t process = fork();
    if (process == 0) {
        alarm(60);
        _exit(child(engine, job));
    }
    int status_of_child = exit_status(process);
    CHECK_SAYING(status_of_child == 0, "the child's status is %d", status_of_child);
    tidemill_cancel(job);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    tidemill_job_release(job);
    check_result(engine);
    tidemill_close(engine);
}

static void test_threads(void)
{
    check_fork(2, 0);
}

static void test_serial(void)
{
    check_fork(TIDEMILL_SERIAL, 0);
}

static void test_process(void)
{
    check_fork(2, 120);
}

int main(void)
{
    alarm(300);
    RUN(test_threads);
    RUN(test_serial);
    RUN(test_process);
    return check_end();
}
