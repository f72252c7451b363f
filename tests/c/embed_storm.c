/* Eight threads at one engine, engines beside each other, and many opened one after another.
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expect.h"

enum { THREADS = 8, ROUNDS = 300, LENGTH = 1000 };

static atomic_int released;

static void give_back(void *context, void *data)
{
    (void)context;
    free(data);
    atomic_fetch_add(&released, 1);
}

static tidemill_status half(void *context, tidemill_invocation *invocation,
                            const tidemill_value *arguments, size_t count,
                            tidemill_value *results)
{
    double number = 0;
    (void)context, (void)invocation, (void)count;
    tidemill_to_number(arguments[0], &number);
    results[0] = tidemill_from_number(number / 2);
    return TIDEMILL_OK;
}

static const char script[] =
    "function add(a, b) return a + b end\n"
    "function fill(t) t.more = #t return t end\n"
    "function halves(n) return tm.map(half, { n, n + 2, n + 4 })[3] end\n"
    "function sum(a) return tm.kernels.sum(a) end\n"
    "function fails(text) error(text, 0) end\n";

struct thread {
    pthread_t thread;
    tidemill *engine;
    unsigned seed;
    int number, wrong;
};

static unsigned next(struct thread *thread)
{
    return (thread->seed = thread->seed * 1664525u + 1013904223u) >> 8;
}

static int try_call(struct thread *thread, double x)
{
    tidemill_value both[] = {tidemill_from_number(x), tidemill_from_number(1)}, result;
    return tidemill_call(thread->engine, "add", both, 2, &result, 1) == TIDEMILL_OK &&
           number_of(result) == x + 1;
}

static int try_table(struct thread *thread, double x)
{
    tidemill_value list[] = {tidemill_from_number(x), tidemill_from_number(x)};
    tidemill_value table, result, more;
    if (tidemill_from_table(list, 2, NULL, 0, &table) != TIDEMILL_OK) return 0;
    int fine = tidemill_call(thread->engine, "fill", &table, 1, &result, 1) == TIDEMILL_OK;
    tidemill_release(table);
    tidemill_get(result, "more", &more);
    tidemill_release(result);
    return fine && number_of(more) == 2;
}

static int try_tasks(struct thread *thread, double x)
{
    tidemill_value argument = tidemill_from_number(x), result;
    return tidemill_call(thread->engine, "halves", &argument, 1, &result, 1) == TIDEMILL_OK &&
           number_of(result) == (x + 4) / 2;
}

static int try_array(struct thread *thread, double x)
{
    double *data = malloc(LENGTH * sizeof *data);
    for (int i = 0; i < LENGTH; i++) data[i] = x;
    tidemill_array array = {.size = sizeof array,
                            .type = "float64",
                            .dimensions = 1,
                            .shape = {LENGTH},
                            .data = data};
    tidemill_value value, result;
    if (tidemill_from_array(thread->engine, &array, give_back, NULL, &value) != TIDEMILL_OK)
        return 0;
    int fine = tidemill_call(thread->engine, "sum", &value, 1, &result, 1) == TIDEMILL_OK;
    tidemill_release(value);
    return fine && number_of(result) == LENGTH * x;
}

static int try_failure(struct thread *thread, double x)
{
    char text[32];
    tidemill_value argument;
    int size = snprintf(text, sizeof text, "%d says %g", thread->number, x);
    tidemill_from_string(text, (size_t)size, &argument);
    tidemill_status status = tidemill_call(thread->engine, "fails", &argument, 1, NULL, 0);
    tidemill_release(argument);
    return status == TIDEMILL_ERROR &&
           strncmp(tidemill_error(thread->engine), text, (size_t)size) == 0;
}

static int try_run(struct thread *thread, double x)
{
    char code[64];
    snprintf(code, sizeof code, "local x = %.17g return x", x);
    return tidemill_run_string(thread->engine, code, "run", 0, NULL) == TIDEMILL_OK;
}

static void *storm(void *context)
{
    struct thread *thread = context;
    static int (*const tries[])(struct thread *, double) = {try_call,  try_table,   try_tasks,
                                                            try_array, try_failure, try_run};
    for (int i = 0; i < ROUNDS; i++) {
        unsigned which = next(thread) % (sizeof tries / sizeof tries[0]);
        if (!tries[which](thread, (double)(next(thread) % 1000))) thread->wrong++;
    }
    return NULL;
}

static tidemill *open_engine(void)
{
    tidemill_config config = {.size = sizeof config, .workers = 2, .cache = "off"};
    tidemill_function function = {.size = sizeof function,
                                  .name = "half",
                                  .signature = "number -> number",
                                  .call = half,
                                  .flags = TIDEMILL_THREAD_SAFE};
    tidemill *engine;
    expect(tidemill_open(&config, &engine) == TIDEMILL_OK, "an engine opens");
    expect(tidemill_register(engine, &function) == TIDEMILL_OK, "takes a function");
    expect(tidemill_run_string(engine, script, "script", 0, NULL) == TIDEMILL_OK, "runs");
    return engine;
}

/* The threads are shared out among the engines. */
static void check_storm(int engine_count, unsigned seed)
{
    struct thread threads[THREADS];
    tidemill *engines[THREADS];
    for (int i = 0; i < engine_count; i++) engines[i] = open_engine();
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){
            .engine = engines[i % engine_count], .seed = seed + (unsigned)i, .number = i};
        pthread_create(&threads[i].thread, NULL, storm, &threads[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].thread, NULL);
        expect(threads[i].wrong == 0, "a thread's calls are all answered rightly");
    }
    for (int i = 0; i < engine_count; i++) tidemill_close(engines[i]);
}

/* TIDEMILL_TEST_OPENS asks for more. */
static void check_opens(void)
{
    const char *wanted = getenv("TIDEMILL_TEST_OPENS");
    int count = wanted ? atoi(wanted) : 200, fine = 0;
    for (int i = 0; i < count; i++) {
        tidemill_config config = {.size = sizeof config, .workers = 1 + i % 2, .cache = "off"};
        tidemill *engine;
        if (tidemill_open(&config, &engine) != TIDEMILL_OK) break;
        const char *code = i % 10 ? "return 1" : "tm.map(function(x) return x end, {1, 2})";
        fine += tidemill_run_string(engine, code, "run", 0, NULL) == TIDEMILL_OK;
        tidemill_close(engine);
    }
    expect(fine == count, "engines open, run and close one after another");
}

int main(void)
{
    const char *given = getenv("TIDEMILL_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20261127u;
    printf("# TIDEMILL_TEST_SEED=%u\n", seed);
    check_storm(1, seed);
    check_storm(3, seed + 100);
    check_opens();
    return expect_end();
}
