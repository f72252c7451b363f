/* embed_poll: callbacks, on the thread that asks for them and no other.  By the public header alone.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine_check.h"

/* Tests are made with the script here, and then in a process of its own, which has so many seconds for each
 * call and job. */
static double deadline;

static const char script[] =
    "function double(x) return 2 * x end\n"
    "function sleep(n) tm.sleep(n) return n end\n"
    "function fails() error('no') end\n"
    "function log(n) for i = 1, n do tm.log.info('line ' .. i, { i = i }) end end\n"
    "function say(text) tm.log.warn(text, { from = 'a task' }) end\n"
    "function many(n)\n"
    "  local f = tm.delayed(function(i) tm.sleep(0.01) return i end)\n"
    "  for i = 1, n do tm.submit(f, i) end\n"
    "end\n"
    "function some(n)\n"
    "  local nodes, f = {}, tm.delayed(function(i) assert(i > 2) end)\n"
    "  for i = 1, n do nodes[i] = f(i) end\n"
    "  pcall(tm.compute, nodes)\n"
    "end\n";

static tidemill *open_engine(int workers)
{
    tidemill_config config = {.workers = workers, .cache = "off", .deadline = deadline};
    tidemill *engine = check_open(config, NULL);
    check_script(engine, script);
    return engine;
}

static void call(tidemill *engine, const char *name, double argument)
{
    tidemill_value value = tidemill_from_number(argument);
    tidemill_status status = tidemill_call(engine, name, &value, 1, NULL, 0);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
}

static bool is_readable(int descriptor)
{
    struct pollfd one = {descriptor, POLLIN, 0};
    return poll(&one, 1, 0) == 1;
}

/* ---- results ------------------------------------------------------------------------------ */

struct seen {
    pthread_t thread;
    tidemill *engine;
    int calls;
    double sum;
    tidemill_job *again; /* submitted by the callback */
};

static void note_result(void *context, tidemill_job *job)
{
    struct seen *seen = context;
    CHECK(pthread_equal(seen->thread, pthread_self()));
    seen->calls++;
    seen->sum += number_of_ended(job);
}

static void results_are_told_by_poll_and_nobody_else(void)
{
    tidemill *engine = open_engine(2);
    struct seen seen = {.thread = pthread_self(), .engine = engine};
    int descriptor = tidemill_poll_descriptor(engine);
    CHECK(descriptor >= 0 && descriptor == tidemill_poll_descriptor(engine));
    CHECK(!is_readable(descriptor));
    CHECK(tidemill_poll(engine, 0) == 0);
    tidemill_job *job = submit(engine, "double", 21);
    CHECK(tidemill_on_result(job, note_result, &seen) == TIDEMILL_OK);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    struct pollfd one = {descriptor, POLLIN, 0};
    CHECK(poll(&one, 1, 60000) == 1);
    CHECK(is_readable(descriptor)); /* until it is polled */
    CHECK(seen.calls == 0);
    CHECK(tidemill_poll(engine, 0) == 1);
    CHECK(seen.calls == 1 && seen.sum == 42);
    CHECK(!is_readable(descriptor));
    CHECK(tidemill_poll(engine, 0) == 0);
    CHECK(tidemill_on_result(job, note_result, &seen) ==
          TIDEMILL_OK); /* it has ended already */
    CHECK(tidemill_poll(engine, -1) == 1);
    CHECK(seen.calls == 2);
    tidemill_job_release(job);
    check_close(engine);
}

static void a_released_job_is_told_all_the_same(void)
{
    tidemill *engine = open_engine(2);
    struct seen seen = {.thread = pthread_self(), .engine = engine};
    for (int i = 0; i < 50; i++) {
        tidemill_job *job = submit(engine, "double", i);
        tidemill_on_result(job, note_result, &seen);
        tidemill_job_release(job);
    }
    while (seen.calls < 50) CHECK(tidemill_poll(engine, 60) > 0);
    CHECK(seen.sum == 50 * 49);
    check_close(engine);
}

static void note_state(void *context, tidemill_job *job)
{
    *(tidemill_state *)context = tidemill_job_state(job);
}

static void failures_and_cancellations_are_told(void)
{
    tidemill *engine = open_engine(2);
    tidemill_state failed = TIDEMILL_JOB_PENDING, cancelled = TIDEMILL_JOB_PENDING;
    tidemill_job *bad = submit(engine, "fails", 0), *slow = submit(engine, "sleep", 3600);
    tidemill_on_result(bad, note_state, &failed);
    tidemill_on_result(slow, note_state, &cancelled);
    tidemill_cancel(slow);
    int calls = 0;
    while (calls < 2) calls += tidemill_poll(engine, 60);
    CHECK(calls == 2 && failed == TIDEMILL_JOB_ERROR && cancelled == TIDEMILL_JOB_CANCELLED);
    tidemill_job_release(bad);
    tidemill_job_release(slow);
    check_close(engine);
}

/* ---- what a callback may do ----------------------------------------------------------------- */

static void go_round(void *context, tidemill_job *job)
{
    struct seen *seen = context;
    double number = number_of_ended(job);
    CHECK(tidemill_close(seen->engine) == TIDEMILL_USAGE);
    CHECK(strstr(tidemill_error(seen->engine), "callback") != NULL);
    tidemill_job_release(seen->again);
    call(seen->engine, "double", 1);
    CHECK(tidemill_poll(seen->engine, 0) >= 0);
    seen->again = NULL;
    if (++seen->calls == 5) return;
    seen->again = submit(seen->engine, "double", number);
    tidemill_on_result(seen->again, go_round, seen);
}

static void a_callback_may_call_everything_but_close(void)
{
    tidemill *engine = open_engine(1);
    struct seen seen = {.engine = engine};
    seen.again = submit(engine, "double", 1);
    tidemill_on_result(seen.again, go_round, &seen);
    while (seen.calls < 5) tidemill_poll(engine, 60);
    CHECK(seen.again == NULL);
    check_close(engine);
}

static void *poke(void *engine)
{
    usleep(20000);
    tidemill_interrupt(engine);
    return NULL;
}

static void an_interrupt_ends_the_wait(void)
{
    pthread_t thread;
    tidemill *engine = open_engine(1);
    CHECK(tidemill_poll(engine, 0.01) == 0);
    CHECK(pthread_create(&thread, NULL, poke, engine) == 0);
    CHECK(tidemill_poll(engine, -1) == 0);
    pthread_join(thread, NULL);
    check_close(engine);
}

static void what_nobody_has_polled_is_dropped_with_the_engine(void)
{
    tidemill *engine = open_engine(2);
    struct seen seen = {.engine = engine};
    for (int i = 0; i < 10; i++) {
        tidemill_job *job = submit(engine, "double", i);
        tidemill_on_result(job, note_result, &seen);
        tidemill_job_release(job);
    }
    check_close(engine);
    CHECK(seen.calls == 0);
}

/* ---- somebody's epoll loop ------------------------------------------------------------------ */

static void check_loop(uint32_t mode)
{
    enum { JOBS = 200 };
    tidemill *engine = open_engine(2);
    struct seen seen = {.thread = pthread_self(), .engine = engine};
    struct epoll_event event = {.events = EPOLLIN | mode};
    int set = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll_ctl(set, EPOLL_CTL_ADD, tidemill_poll_descriptor(engine), &event) == 0);
    for (int i = 0; i < JOBS; i++) {
        tidemill_job *job = submit(engine, "double", 1);
        tidemill_on_result(job, note_result, &seen);
        tidemill_job_release(job);
    }
    while (seen.calls < JOBS) {
        CHECK(epoll_wait(set, &event, 1, 60000) == 1);
        if (tidemill_poll(engine, 0) < 0) break;
    }
    CHECK(seen.calls == JOBS && seen.sum == 2 * JOBS);
    close(set);
    check_close(engine);
}

static void a_loop_with_level_triggered_epoll_misses_nothing(void)
{
    check_loop(0);
}

static void a_loop_with_edge_triggered_epoll_misses_nothing(void)
{
    check_loop(EPOLLET);
}

/* ---- the log ------------------------------------------------------------------------------ */

struct lines {
    int calls;
    long long left_out;
    tidemill_log last;
    char text[100], task[100], fields[100];
};

static void note_line(void *context, const tidemill_log *line)
{
    struct lines *lines = context;
    lines->calls++;
    lines->last = *line;
    snprintf(lines->text, sizeof lines->text, "%s", line->text);
    snprintf(lines->task, sizeof lines->task, "%s", line->task ? line->task : "");
    snprintf(lines->fields, sizeof lines->fields, "%s", line->fields);
    sscanf(line->fields, "{\"count\":%lld}", &lines->left_out);
}

/* Lines that a call has said are there.  Those of a process come in the order in which it says things, the
 * ends of jobs too. */
static void let_arrive(tidemill *engine)
{
    if (deadline == 0) return;
    tidemill_job *job = submit(engine, "double", 1);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    tidemill_job_release(job);
}

static void lines_of_the_log_are_told(void)
{
    tidemill *engine = open_engine(2);
    struct lines lines = {0};
    tidemill_listener listener = {.size = sizeof listener, .log = note_line, .context = &lines};
    call(engine, "log", 3); /* before anybody listens */
    CHECK(tidemill_listen(engine, &listener) == TIDEMILL_OK);
    call(engine, "log", 2);
    CHECK(lines.calls == 0);
    let_arrive(engine);
    CHECK(tidemill_poll(engine, 0) == 2);
    CHECK_TEXT(lines.text, "line 2");
    CHECK_TEXT(lines.fields, "{\"i\":2}");
    CHECK(lines.last.level == TIDEMILL_LOG_INFO && lines.last.worker == 0 && !lines.last.task);
    tidemill_value text;
    tidemill_from_string("odd \"quotes\"", 12, &text);
    tidemill_job *job;
    CHECK(tidemill_submit(engine, NULL, "say", &text, 1, &job) == TIDEMILL_OK);
    CHECK(tidemill_wait(job, 60) == TIDEMILL_OK);
    let_arrive(engine);
    CHECK(tidemill_poll(engine, 0) == 1);
    CHECK_TEXT(lines.text, "odd \"quotes\"");
    CHECK_TEXT(lines.task, "say");
    CHECK_TEXT(lines.fields, "{\"from\":\"a task\"}");
    CHECK(lines.last.level == TIDEMILL_LOG_WARN && lines.last.worker > 0);
    tidemill_release(text);
    tidemill_job_release(job);
    call(engine, "log", 5000);
    let_arrive(engine);
    CHECK(tidemill_poll(engine, 0) == 1001);
    CHECK_SAYING(lines.left_out == 4000, "%lld", lines.left_out);
    CHECK_TEXT(lines.text, "4000 lines of the log were left out");
    CHECK(tidemill_listen(engine, NULL) == TIDEMILL_OK);
    call(engine, "log", 5);
    CHECK(tidemill_poll(engine, 0) == 0);
    check_close(engine);
}

/* ---- progress ------------------------------------------------------------------------------ */

struct course {
    int calls;
    bool fine;
    tidemill_progress last;
};

static void note_progress(void *context, const tidemill_progress *now)
{
    struct course *course = context;
    course->fine = course->fine && now->done <= now->total && now->failed <= now->total &&
                   now->running >= 0 && now->done >= 0;
    course->calls++;
    course->last = *now;
}

static void *work(void *engine)
{
    call(engine, "many", 200);
    return NULL;
}

static void progress_is_told_up_to_the_end(void)
{
    pthread_t thread;
    tidemill *engine = open_engine(2);
    struct course course = {.fine = true};
    call(engine, "some", 3); /* not of interest later */
    tidemill_listener listener = {
        .size = sizeof listener, .progress = note_progress, .context = &course};
    CHECK(tidemill_listen(engine, &listener) == TIDEMILL_OK);
    CHECK(pthread_create(&thread, NULL, work, engine) == 0);
    do {
        CHECK(tidemill_poll(engine, 60) == 1);
    } while (course.last.done < course.last.total || course.last.running > 0);
    CHECK_SAYING(course.last.total == 200, "%d of %d", (int)course.last.done,
                 (int)course.last.total);
    CHECK(course.fine && course.last.failed == 0 && course.calls > 0);
    pthread_join(thread, NULL);
    memset(&course.last, 0, sizeof course.last);
    call(engine, "some", 4); /* counted anew */
    while (course.last.done < 4) tidemill_poll(engine, 60);
    CHECK_SAYING(course.last.total == 4 && course.last.failed == 2, "%d, %d failed",
                 (int)course.last.total, (int)course.last.failed);
    CHECK(tidemill_poll(engine, 0) == 0);
    check_close(engine);
}

static void nothing_ticks_while_nothing_runs(void)
{
    tidemill *engine = open_engine(2);
    struct course course = {.fine = true};
    tidemill_listener listener = {
        .size = sizeof listener, .progress = note_progress, .context = &course};
    CHECK(tidemill_listen(engine, &listener) == TIDEMILL_OK);
    call(engine, "some", 4);
    while (course.last.done < 4) tidemill_poll(engine, 60);
    tidemill_poll(engine, 0);
    int calls = course.calls;
    CHECK(tidemill_poll(engine, 0.5) == 0);
    CHECK(!is_readable(tidemill_poll_descriptor(engine)));
    CHECK(course.calls == calls);
    check_close(engine);
}

static void run_all(void)
{
    RUN(results_are_told_by_poll_and_nobody_else);
    RUN(a_released_job_is_told_all_the_same);
    RUN(failures_and_cancellations_are_told);
    RUN(a_callback_may_call_everything_but_close);
    RUN(an_interrupt_ends_the_wait);
    RUN(what_nobody_has_polled_is_dropped_with_the_engine);
    RUN(a_loop_with_level_triggered_epoll_misses_nothing);
    RUN(a_loop_with_edge_triggered_epoll_misses_nothing);
    RUN(lines_of_the_log_are_told);
    RUN(progress_is_told_up_to_the_end);
    RUN(nothing_ticks_while_nothing_runs);
}

int main(void)
{
    alarm(300);
    run_all();
    deadline = 120;
    run_all();
    return check_end();
}
