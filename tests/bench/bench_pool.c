/* bench_pool: what a task costs whose body is C: a tree of a million additions, built, scheduled,
 * run and freed, on one worker and on several; and what a waiting task holds in memory.
 *     bench_pool [DEPTH [WORKERS]]      2^DEPTH leaves; 19 and the CPUs there are
 * Ends with lines "name number" of the last measurement: task (seconds) and bytes.
 * SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/cpus.h"
#include "sched/await.h"
#include "sched/pool.h"
#include "sched/roots.h"

enum { ROUNDS = 5 };

static void add(void *context, const struct mill_value *arguments, int count,
                struct mill_value *result)
{
    (void)context, (void)count;
    *result = mill_number(arguments[0].number + arguments[1].number);
}

/* The same with results that are counted: arrays of one element. */
static struct mill_memory memory;

static double number_of(const struct mill_value *value)
{
    return value->tag == MILL_TAG_NUMBER ? value->number : *(double *)value->array->values;
}

static void add_boxed(void *context, const struct mill_value *arguments, int count,
                      struct mill_value *result)
{
    (void)context, (void)count;
    struct mill_array *array = mill_array_new(&memory, MILL_FLOAT64, 1);
    if (array == NULL) abort();
    *(double *)array->values = number_of(&arguments[0]) + number_of(&arguments[1]);
    *result = mill_column(array);
}

static void drive(void *context, struct mill_worker *worker)
{
    (void)context;
    while (mill_worker_next(worker)) {}
}

static struct mill_function *function_of(void *context, uint32_t number)
{
    (void)number;
    return context;
}

static size_t bytes_held(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static mill_handle node(struct mill_graph *graph, struct mill_value left,
                        struct mill_value right)
{
    mill_handle handle = mill_graph_node(graph, 0, 2);
    struct mill_node *made = mill_graph_find(graph, handle);
    if (made == NULL) abort();
    mill_graph_argument(graph, made, 0, left);
    mill_graph_argument(graph, made, 1, right);
    return handle;
}

static struct mill_value result_of(mill_handle handle)
{
    return (struct mill_value){.tag = MILL_TAG_NODE, .natural = (uint32_t)handle};
}

/* A tree of 2^depth leaves, each 1 + 1; its handles stay with the caller. */
static uint32_t grow(struct mill_graph *graph, int depth, mill_handle *handles)
{
    uint32_t leaves = 1u << depth, count = 0, below = 0;
    for (; count < leaves; count++) {
        handles[count] = node(graph, mill_number(1), mill_number(1));
    }
    for (uint32_t width = leaves / 2; width > 0; width /= 2) {
        for (uint32_t i = 0; i < width; i++, below += 2) {
            struct mill_value left = result_of(handles[below]);
            handles[count++] = node(graph, left, result_of(handles[below + 1]));
        }
    }
    return count;
}

struct times {
    double build, plan, run, free, bytes; /* nanoseconds and bytes a task */
    double alive;                         /* results at once, at most */
};

static void lower(double *least, double value)
{
    if (*least == 0 || value < *least) *least = value;
}

/* Runs it for the results that are alive at once, which memory.peak tells. */
static void measure_alive(struct mill_pool *pool, struct mill_graph *graph,
                          struct mill_run *run, mill_handle *handles, uint32_t count)
{
    if (mill_pool_submit(pool, run, NULL, NULL) != TIDEMILL_OK) abort();
    mill_pool_wait(pool, run, INT64_MAX);
    mill_run_free(run);
    for (uint32_t i = 0; i < count; i++) mill_graph_unref(graph, (uint32_t)handles[i]);
    free(handles);
}

static void measure(struct mill_pool *pool, struct mill_graph *graph,
                    struct mill_function *function, int depth, struct times *best)
{
    mill_handle *handles = calloc((size_t)2 << depth, sizeof *handles);
    if (handles == NULL) abort();
    size_t before = bytes_held();
    int64_t start = mill_clock_now();
    uint32_t count = grow(graph, depth, handles);
    int64_t built = mill_clock_now();
    uint32_t root = (uint32_t)handles[count - 1];
    struct mill_run *run = mill_run_new(graph, &root, 1, function_of, function, NULL);
    if (run == NULL) abort();
    if (function->body == add_boxed) {
        measure_alive(pool, graph, run, handles, count);
        return;
    }
    double tasks = run->count, bytes = (double)(bytes_held() - before);
    int64_t planned = mill_clock_now();
    if (mill_pool_submit(pool, run, NULL, NULL) != TIDEMILL_OK) abort();
    mill_pool_wait(pool, run, INT64_MAX);
    int64_t ran = mill_clock_now();
    if (run->tasks[run->wanted[0]].result.number != (double)(2u << depth)) abort();
    mill_run_free(run);
    for (uint32_t i = 0; i < count; i++) mill_graph_unref(graph, (uint32_t)handles[i]);
    int64_t freed = mill_clock_now();
    free(handles);
    lower(&best->build, (double)(built - start) / tasks);
    lower(&best->plan, (double)(planned - built) / tasks);
    lower(&best->run, (double)(ran - planned) / tasks);
    lower(&best->free, (double)(freed - ran) / tasks);
    if (bytes / tasks > best->bytes) best->bytes = bytes / tasks; /* the first: nodes, too */
}

static struct times report(int workers, int depth)
{
    struct mill_pool_options options = {.threads = workers, .drive = drive, .context = NULL};
    struct mill_pool pool;
    struct mill_graph graph;
    struct mill_function *function = mill_function_new("add");
    struct times best = {0};
    if (function == NULL || mill_pool_init(&pool, &options, NULL) != TIDEMILL_OK) abort();
    function->body = add;
    mill_graph_init(&graph);
    for (int i = 0; i < ROUNDS; i++) measure(&pool, &graph, function, depth, &best);
    printf("%2d worker%s  build %5.1f  plan %5.1f  run %5.1f  free %5.1f  all %6.1f ns a task,"
           "  %.0f bytes a task\n",
           workers, workers == 1 ? " " : "s", best.build, best.plan, best.run, best.free,
           best.build + best.plan + best.run + best.free, best.bytes);
    function->body = add_boxed;
    memset(&memory, 0, sizeof memory);
    measure(&pool, &graph, function, depth, &best);
    best.alive = (double)atomic_load(&memory.peak) / sizeof(double);
    printf("           results alive at once: %.0f of %u\n", best.alive, (2u << depth) - 1);
    mill_pool_fini(&pool);
    mill_graph_fini(&graph);
    mill_function_unref(function);
    return best;
}

int main(int argc, char **argv)
{
    struct mill_cpus cpus;
    mill_cpus_count(&cpus);
    int depth = argc > 1 ? atoi(argv[1]) : 19;
    int most = argc > 2 ? atoi(argv[2]) : cpus.usable;
    printf("tree of %u additions, best of %d\n", (2u << depth) - 1, ROUNDS);
    for (int workers = 1; workers < most; workers *= 2) report(workers, depth);
    struct times last = report(most, depth);
    printf("task %.12f\nbytes %.0f\nalive %.0f\n",
           (last.build + last.plan + last.run + last.free) / 1e9, last.bytes, last.alive);
    return 0;
}
