/* embed_jobstorm: eight threads submit, wait, cancel, poll and call at random at one engine, again and
 * again.  By the public header alone.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <tidemill.h>
#include <unistd.h>

#include "check.h"
#include "random_check.h"

enum { THREADS = 8, ROUNDS = 3, STEPS = 150, HELD = 8 };

static const char script[] =
    "function double(x) return 2 * x end\n"
    "function fails(x) error('no ' .. x, 0) end\n"
    "function sleep(x) tm.sleep(x / 1e5) return 2 * x end\n"
    "function endless(x) while not tm.cancelled() do tm.sleep(0.01) end return x end\n"
    "function nested(x) return tm.map(function(i) return i + x end, { 1, 2, 3 })[3] end\n"
    "function logs(x) tm.log.info('storm', { x = x }) return x end\n";

struct held {
    tidemill_job *job;
    double x;
    int kind; /* index in `kinds` */
};

struct thread {
    pthread_t thread;
    tidemill *engine;
    uint64_t random;
    struct held held[HELD];
    int wrong;
};

static const struct {
    const char *name;
    double factor, more;
} kinds[] = {{"double", 2, 0},  {"fails", 0, 0},  {"sleep", 2, 0},
             {"endless", 1, 0}, {"nested", 1, 3}, {"logs", 1, 0}};
enum { FAILS = 1, ENDLESS = 3 };

static atomic_int submitted, told, lines, progress;

static uint32_t pick(struct thread *thread, uint32_t below)
{
    return random_of(&thread->random, below);
}

static void note_end(void *context, tidemill_job *job)
{
    (void)context;
    if (tidemill_job_state(job) >= TIDEMILL_JOB_FINISHED) atomic_fetch_add(&told, 1);
}

static void note_line(void *context, const tidemill_log *line)
{
    (void)context, (void)line;
    atomic_fetch_add(&lines, 1);
}

static void note_progress(void *context, const tidemill_progress *now)
{
    (void)context;
    if (now->done <= now->total) atomic_fetch_add(&progress, 1);
}

static int is_right(const struct held *held, tidemill_status status, tidemill_value value)
{
    double number = 0;
    if (status == TIDEMILL_CANCELLED) return 1;
    if (held->kind == FAILS) {
        char text[40];
        snprintf(text, sizeof text, "no %g", held->x);
        return status == TIDEMILL_ERROR && strstr(tidemill_job_error(held->job), text);
    }
    /* One that was cancelled while it slept has an error of its own, or goes on and returns. */
    if (status == TIDEMILL_ERROR) return held->kind == ENDLESS;
    return status == TIDEMILL_OK && tidemill_to_number(value, &number) &&
           number == kinds[held->kind].factor * held->x + kinds[held->kind].more;
}

static void let_go(struct thread *thread, struct held *held, int look)
{
    if (held->job == NULL) return;
    if (look) {
        tidemill_value value;
        if (held->kind == ENDLESS) tidemill_cancel(held->job);
        thread->wrong += tidemill_wait(held->job, 60) != TIDEMILL_OK;
        tidemill_status status = tidemill_job_result(held->job, &value);
        thread->wrong += !is_right(held, status, value);
        tidemill_release(value);
    } else if (held->kind == ENDLESS) {
        tidemill_cancel(held->job);
    }
    tidemill_job_release(held->job);
    held->job = NULL;
}

static void submit_one(struct thread *thread, struct held *held)
{
    let_go(thread, held, (int)pick(thread, 2));
    held->kind = (int)pick(thread, sizeof kinds / sizeof kinds[0]);
    held->x = pick(thread, 1000);
    tidemill_value x = tidemill_from_number(held->x);
    tidemill_status status =
        tidemill_submit(thread->engine, NULL, kinds[held->kind].name, &x, 1, &held->job);
    thread->wrong += status != TIDEMILL_OK;
    if (status != TIDEMILL_OK) return;
    tidemill_on_result(held->job, note_end, NULL);
    atomic_fetch_add(&submitted, 1);
}

static void step(struct thread *thread)
{
    struct held *held = &thread->held[pick(thread, HELD)];
    tidemill_value x = tidemill_from_number(1), result;
    switch (pick(thread, 8)) {
    case 0:
        tidemill_poll(thread->engine, pick(thread, 3) / 1000.0);
        break;
    case 1:
        if (held->job) tidemill_cancel(held->job);
        break;
    case 2:
        if (held->job) tidemill_wait(held->job, pick(thread, 3) / 1000.0);
        break;
    case 3:
        let_go(thread, held, 1);
        break;
    case 4:
        thread->wrong +=
            tidemill_call(thread->engine, "double", &x, 1, &result, 1) != TIDEMILL_OK;
        break;
    default:
        submit_one(thread, held);
    }
}

static void *storm(void *argument)
{
    struct thread *thread = argument;
    for (int i = 0; i < STEPS; i++) step(thread);
    for (int i = 0; i < HELD; i++) let_go(thread, &thread->held[i], i % 2);
    return NULL;
}

static void check_round(uint64_t seed, double deadline)
{
    static struct thread threads[THREADS];
    tidemill_config config = {
        .size = sizeof config, .workers = 3, .cache = "off", .deadline = deadline};
    tidemill_listener listener = {
        .size = sizeof listener, .progress = note_progress, .log = note_line};
    tidemill *engine;
    CHECK(tidemill_open(&config, &engine) == TIDEMILL_OK);
    CHECK(tidemill_run_string(engine, script, "script", 0, NULL) == TIDEMILL_OK);
    CHECK(tidemill_listen(engine, &listener) == TIDEMILL_OK);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.engine = engine, .random = seed + (uint64_t)i};
        CHECK(pthread_create(&threads[i].thread, NULL, storm, &threads[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].thread, NULL);
        CHECK_SAYING(threads[i].wrong == 0, "thread %d: %d were wrong", i, threads[i].wrong);
    }
    while (atomic_load(&told) < atomic_load(&submitted)) {
        if (tidemill_poll(engine, 60) < 0) break;
    }
    CHECK(atomic_load(&told) == atomic_load(&submitted));
    tidemill_status status = tidemill_close(engine);
    CHECK_SAYING(status == TIDEMILL_OK, "%s", tidemill_error(engine));
}

static void check_storm(double deadline)
{
    uint64_t seed = check_seed();
    atomic_store(&submitted, 0);
    atomic_store(&told, 0);
    atomic_store(&lines, 0);
    atomic_store(&progress, 0);
    for (int i = 0; i < ROUNDS; i++) {
        check_round(seed * 1000 + (uint64_t)i * THREADS, deadline);
    }
    CHECK(atomic_load(&submitted) > THREADS * STEPS / 2);
    CHECK(atomic_load(&lines) > 0 && atomic_load(&progress) > 0);
}

static void a_storm_of_jobs_keeps_results_and_callbacks_apart(void)
{
    check_storm(0);
}

static void so_it_does_where_the_script_has_its_own_process(void)
{
    check_storm(120);
}

int main(void)
{
    alarm(300);
    RUN(a_storm_of_jobs_keeps_results_and_callbacks_apart);
    RUN(so_it_does_where_the_script_has_its_own_process);
    return check_end();
}
