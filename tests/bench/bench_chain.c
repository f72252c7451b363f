/* bench_chain: what this machine's memory gives a plain C program: threads that sum (x * 2 + 1) - y
 * over their parts of two arrays, which reads 16 bytes an element, and threads that copy one.
 *     bench_chain ELEMENTS THREADS
 * Prints seconds, the best of 9 in turns: "chain" and "copy" (memcpy).
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"

enum { LANES = 4, UNROLLED = 4, STEP = LANES * UNROLLED, THREADS = 64, ROUNDS = 9 };
typedef double lanes __attribute__((vector_size(LANES * 8), aligned(8), may_alias));

struct part {
    pthread_t thread;
    double *x, *y;
    int64_t count;
    double sum;
};

static void *chain(void *context)
{
    struct part *part = context;
    lanes sum[UNROLLED] = {0};
    for (int64_t i = 0; i + STEP <= part->count; i += STEP)
        for (int k = 0; k < UNROLLED; k++) {
            lanes x = *(lanes *)(part->x + i + LANES * k),
                  y = *(lanes *)(part->y + i + LANES * k);
            sum[k] += (x * 2 + 1) - y;
        }
    lanes all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    part->sum = (all[0] + all[1]) + (all[2] + all[3]);
    return NULL;
}

static void *copy(void *context)
{
    struct part *part = context;
    memcpy(part->y, part->x, (size_t)part->count * sizeof *part->x);
    return NULL;
}

/* Seconds that all threads take. */
static double timed(void *(*body)(void *), struct part *parts, int threads)
{
    int64_t began = mill_clock_now();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&parts[i].thread, NULL, body, &parts[i]) != 0) exit(1);
    for (int i = 0; i < threads; i++) pthread_join(parts[i].thread, NULL);
    return (double)(mill_clock_now() - began) * 1e-9;
}

static double *numbers(int64_t count, double first)
{
    size_t bytes = (size_t)count * sizeof(double);
    double *x = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (x == MAP_FAILED) exit(1);
    madvise(x, bytes, MADV_HUGEPAGE);
    for (int64_t i = 0; i < count; i++) x[i] = first + (double)(i % 1000);
    return x;
}

int main(int argc, char **argv)
{
    int64_t count = argc > 1 ? atoll(argv[1]) : 0;
    int threads = argc > 2 ? atoi(argv[2]) : 0;
    if (count < 1 || threads < 1 || threads > THREADS) {
        fputs("usage: bench_chain ELEMENTS THREADS\n", stderr);
        return 2;
    }
    double *x = numbers(count, 0), *y = numbers(count, 1), best[2] = {1e9, 1e9};
    struct part parts[THREADS];
    for (int i = 0; i < threads; i++) {
        int64_t from = count / threads * i / STEP * STEP;
        int64_t to = i + 1 < threads ? count / threads * (i + 1) / STEP * STEP : count;
        parts[i] = (struct part){.x = x + from, .y = y + from, .count = to - from};
    }
    for (int round = 0; round < 2 * ROUNDS; round++) {
        double seconds = timed(round % 2 ? copy : chain, parts, threads);
        if (seconds < best[round % 2]) best[round % 2] = seconds;
    }
    printf("chain %.9f\ncopy %.9f\n", best[0], best[1]);
    return parts[0].sum == 0.5; /* it is used */
}
