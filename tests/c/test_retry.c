/* test_retry: tasks that are tried again: how often, when, and never after a cancel.
 * SPDX-License-Identifier: MIT */
#include "sched/attempt.h"
#include "sched/await.h"
#include "sched/cancel.h"
#include "sched/retry.h"

#include <unistd.h>

#include "fail_check.h"
#include "wait_check.h"

static const int thread_counts[] = {0, 1, 2, 4};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof thread_counts[0] };

static uint32_t function_of(uint64_t id)
{
    (void)id;
    return 0;
}

static void open_with(struct grove *grove, int threads, bool (*step)(struct job *job),
                      struct mill_retry_rule rule)
{
    grove_open(grove, threads, step);
    grove->functions[0]->retry = rule;
}

static struct mill_run *start(struct grove *grove, uint64_t id)
{
    struct mill_run *run = bed_run(grove, grove_script(grove), function_of, &id, 1, 0);
    grove_submit(grove, run, NULL);
    return run;
}

/* ---- delays ------------------------------------------------------------------------------------ */

static void delays_grow_up_to_the_longest(void)
{
    struct mill_retry_rule rule = {.delay = 0.5, .factor = 3, .longest = 10, .jitter = 0};
    static const double expected[] = {0.5, 1.5, 4.5, 10, 10};
    for (int i = 0; i < 5; i++) CHECK(mill_retry_delay(&rule, i + 1, 0.9) == expected[i]);
    rule.jitter = 0.5;
    CHECK(mill_retry_delay(&rule, 2, 0) == 1.5);
    CHECK(mill_retry_delay(&rule, 2, 0.5) == 1.125);
    rule.jitter = 1;
    CHECK(mill_retry_delay(&rule, 5, 0.75) == 2.5);
}

/* Nothing times infinity was no number, and infinity no number of nanoseconds. */
static void delays_are_finite(void)
{
    struct mill_retry_rule none = {.delay = 0, .factor = 10, .longest = INFINITY};
    struct mill_retry_rule some = {.delay = 1, .factor = 10, .longest = INFINITY};
    for (int attempts = 1; attempts < 1000; attempts++) {
        CHECK(mill_retry_delay(&none, attempts, 0) == 0);
        double delay = mill_retry_delay(&some, attempts, 0);
        CHECK(delay >= 1 && delay <= 1e9);
    }
}

/* ---- attempts ------------------------------------------------------------------------------------ */

/* The first `id` attempts fail. */
static bool try_step(struct job *job)
{
    const double *seconds;
    int attempt = mill_worker_attempt(job->worker, &seconds);
    CHECK((seconds == NULL) == (attempt == 1));
    for (int i = 0; i < attempt - 1; i++) CHECK(seconds[i] >= 0 && seconds[i] < 600);
    if (attempt > (int)job->id) {
        job_finish(job, MILL_FINISHED, mill_number(attempt));
    } else if (mill_worker_retry(job->worker)) {
        job_free(job);
    } else {
        job_finish(job, MILL_FAILED, mill_number(attempt));
    }
    return true;
}

static void a_task_is_tried_as_often_as_its_rule_says(void)
{
    static const double delays[] = {0, 1e-9, 1e-4};
    for (int t = 0; t < THREAD_COUNTS; t++) {
        for (int d = 0; d < 3; d++) {
            struct grove grove;
            open_with(&grove, thread_counts[t], try_step,
                      (struct mill_retry_rule){3, delays[d], 2, INFINITY, 0.5});
            for (uint64_t failures = 0; failures < 7; failures++) {
                int64_t before = atomic_load(&grove.begun);
                struct mill_run *run = start(&grove, failures);
                grove_wait(&grove, run);
                int attempts = failures < 3 ? (int)failures + 1 : 4;
                struct mill_task *task = &run->tasks[0];
                CHECK(mill_task_state(task) == (failures > 3 ? MILL_FAILED : MILL_FINISHED));
                CHECK(task->result.number == attempts);
                CHECK(atomic_load(&grove.begun) - before == attempts);
                CHECK(atomic_load(&run->retried) == attempts - 1);
                mill_run_free(run);
            }
            grove_close(&grove);
        }
    }
}

/* Who set the timer must not touch the run any more: another worker ends it at once, and it is
 * freed. */
static void runs_are_freed_as_soon_as_their_retried_task_has_ended(void)
{
    struct grove grove;
    open_with(&grove, 3, try_step, (struct mill_retry_rule){2, 1e-9, 1, INFINITY, 0});
    for (int i = 0; i < 3000; i++) {
        struct mill_run *run = start(&grove, 2);
        CHECK(mill_pool_wait(&grove.pool, run, INT64_MAX));
        CHECK(mill_task_state(&run->tasks[0]) == MILL_FINISHED);
        mill_run_free(run);
    }
    grove_close(&grove);
}

static void a_cancel_ends_the_wait_for_the_next_attempt(void)
{
    for (int round = 0; round < 60; round++) {
        for (int t = 0; t < THREAD_COUNTS; t++) {
            struct grove grove;
            struct mill_run *runs[8];
            open_with(&grove, thread_counts[t], try_step,
                      (struct mill_retry_rule){9, 3600, 1, INFINITY, 0.5});
            for (int i = 0; i < 8; i++) runs[i] = start(&grove, 1);
            if (thread_counts[t] == 0)
                mill_pool_wait(&grove.pool, runs[0], mill_clock_now() + 1);
            for (int i = 0; i < round % 10; i++) sched_yield();
            for (int i = 0; i < 8; i++) mill_run_cancel(runs[i]);
            for (int i = 0; i < 8; i++) {
                grove_wait(&grove, runs[i]);
                enum mill_state state = mill_task_state(&runs[i]->tasks[0]);
                CHECK(state == MILL_CANCELLED || state == MILL_FAILED);
                mill_run_free(runs[i]);
            }
            grove_close(&grove);
        }
    }
}

/* ---- a busy worker ------------------------------------------------------------------------------- */

static _Atomic bool tried;

/* The first attempt of task 1 starts task 2, which holds its worker until the second one. */
static bool busy_step(struct job *job)
{
    const double *seconds;
    if (job->id == 2) {
        while (!atomic_load(&tried)) usleep(50);
    } else if (mill_worker_attempt(job->worker, &seconds) == 1) {
        uint64_t id = 2;
        job->runs[0] = bed_run(job->grove, job_bed(job), function_of, &id, 1, 0);
        job->run_count = 1;
        job->runs[0]->strategy = MILL_PINNED; /* here, and nobody else is woken */
        job->runs[0]->tasks[0].worker = (uint16_t)(job->worker->index + 1);
        grove_submit(job->grove, job->runs[0], job->worker);
        while (atomic_load(&job->grove->pool.asleep) < 1) usleep(50);
        usleep(1000); /* from the announcement to the sleep */
        CHECK(mill_worker_retry(job->worker));
        job_free(job);
        return true;
    } else {
        atomic_store(&tried, true);
    }
    job_finish(job, MILL_FINISHED, mill_nil());
    return true;
}

static void the_next_attempt_does_not_wait_for_a_busy_worker(void)
{
    for (int round = 0; round < 50; round++) {
        struct grove grove;
        open_with(&grove, 2, busy_step, (struct mill_retry_rule){1, 1e-3, 1, INFINITY, 0});
        atomic_store(&tried, false);
        struct mill_run *run = start(&grove, 1);
        grove_wait(&grove, run);
        mill_run_free(run);
        grove_close(&grove);
    }
}

/* ---- memory ---------------------------------------------------------------------------------------- */

static int64_t failing_after;
static bool was_retried;

static bool poor_step(struct job *job)
{
    const double *seconds;
    if (mill_worker_attempt(job->worker, &seconds) == 1) {
        allocations_left = failing_after;
        was_retried = mill_worker_retry(job->worker);
        allocations_left = INT64_MAX;
        if (was_retried) {
            job_free(job);
        } else {
            job_finish(job, MILL_FAILED, mill_nil());
        }
        return true;
    }
    job_finish(job, MILL_FINISHED, mill_nil());
    return true;
}

/* It fails, or is tried again at once. */
static void memory_that_fails_at_any_moment_ends_the_task(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    int failed = 0;
    for (failing_after = 0; failing_after < 8; failing_after++) {
        struct grove grove;
        open_with(&grove, 0, poor_step, (struct mill_retry_rule){1, 1e-4, 1, INFINITY, 0});
        struct mill_run *run = start(&grove, 1);
        grove_wait(&grove, run);
        enum mill_state state = mill_task_state(&run->tasks[0]);
        CHECK(state == (was_retried ? MILL_FINISHED : MILL_FAILED));
        failed += !was_retried;
        mill_run_free(run);
        grove_close(&grove);
    }
    CHECK(failed >= 3);
}

int main(void)
{
    alarm(240); /* a hang ends here, by SIGALRM */
    RUN(delays_grow_up_to_the_longest);
    RUN(delays_are_finite);
    RUN(a_task_is_tried_as_often_as_its_rule_says);
    RUN(runs_are_freed_as_soon_as_their_retried_task_has_ended);
    RUN(a_cancel_ends_the_wait_for_the_next_attempt);
    RUN(the_next_attempt_does_not_wait_for_a_busy_worker);
    RUN(memory_that_fails_at_any_moment_ends_the_task);
    return check_end();
}
