/* bench_trace: what an event of the trace costs beside the two clock reads that it needs.
 *     bench_trace [EVENTS]
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "watch/trace.h"

enum { ROUNDS = 5, FUNCTIONS = 50 };

static double least(double a, double b)
{
    return a < b ? a : b;
}

/* Nanoseconds an event; a new trace each time, so that its memory is paid for. */
static double add_events(int64_t count, char names[FUNCTIONS][16])
{
    struct mill_trace *trace = mill_trace_new(1, count);
    if (trace == NULL) abort();
    int64_t begin = mill_clock_now();
    for (int64_t i = 0; i < count; i++) {
        uint32_t function = (uint32_t)(i % FUNCTIONS);
        mill_trace_task(trace, 1, function + 1, names[function], MILL_TRACE_TASK, i, i + 1, 1);
    }
    int64_t end = mill_clock_now();
    if (mill_trace_count(trace) != count) abort();
    mill_trace_free(trace);
    return (double)(end - begin) / (double)count;
}

static double read_clocks(int64_t count)
{
    int64_t begin = mill_clock_now(), last = begin;
    for (int64_t i = 0; i < 2 * count; i++) last = mill_clock_now();
    return (double)(last - begin) / (double)count;
}

int main(int argc, char **argv)
{
    int64_t count = argc > 1 ? atoll(argv[1]) : 1000000;
    char names[FUNCTIONS][16];
    for (int i = 0; i < FUNCTIONS; i++) snprintf(names[i], sizeof names[i], "task %d", i);
    double event = 1e9, clocks = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        event = least(event, add_events(count, names));
        clocks = least(clocks, read_clocks(count));
    }
    printf("%lld events: %.1f ns each, beside %.1f ns for two clock reads\n", (long long)count,
           event, clocks);
    return 0;
}
