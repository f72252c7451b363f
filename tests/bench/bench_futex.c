/* bench_futex: what the kernel takes to wake a thread and to be woken by it: the least that any
 * submit -> result costs whose worker sleeps.  Two threads pass a word to and fro.
 *     bench_futex ROUNDS IDLE_ROUNDS MILLISECONDS
 * Prints the median round trip in seconds: "hot" one after another, "idle" after a pause, "apart"
 * after a pause with each thread on a CPU of its own, if there are two.
 *
 * After a pause the kernel keeps two threads on one CPU that were there before, and then only
 * switches between them.  That is quick, and they cannot work at the same time: a thread that is
 * woken so to work for 5 ms, while the one that woke it does as well, ends after 8 to 10 ms.  A worker
 * is there to work beside the script, so what its waking costs at least is "apart": a CPU that
 * sleeps has to be woken, and on a virtual machine its host has to give it time again.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* Whose turn it is; each waits for a value of its own on a word of its own. */
struct court {
    _Alignas(64) _Atomic uint32_t there; /* odd: the other thread is asked */
    _Alignas(64) _Atomic uint32_t back;  /* follows `there` */
    _Atomic bool over;
};

static void await(_Atomic uint32_t *word, uint32_t old)
{
    while (atomic_load(word) == old) {
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
    }
}

static void tell(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store(word, value);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer(void *argument)
{
    struct court *court = argument;
    for (uint32_t turn = 0;; turn++) {
        await(&court->there, turn);
        if (atomic_load(&court->over)) return NULL;
        tell(&court->back, turn + 1);
    }
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double median(struct court *court, uint32_t *turn, int rounds, int milliseconds)
{
    int64_t *times = calloc((size_t)rounds, sizeof *times);
    if (times == NULL) abort();
    for (int i = 0; i < rounds; i++, (*turn)++) {
        if (milliseconds > 0) poll(NULL, 0, milliseconds);
        int64_t start = mill_clock_now();
        tell(&court->there, *turn + 1);
        await(&court->back, *turn);
        times[i] = mill_clock_now() - start;
    }
    qsort(times, (size_t)rounds, sizeof *times, ascending);
    double middle = (double)times[rounds / 2] / 1e9;
    free(times);
    return middle;
}

/* The first two CPUs that this process may use; false when there is one. */
static bool two_cpus(int cpus[2])
{
    cpu_set_t usable;
    int count = 0;
    if (sched_getaffinity(0, sizeof usable, &usable) != 0) return false;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < 2; cpu++) {
        if (CPU_ISSET(cpu, &usable)) cpus[count++] = cpu;
    }
    return count == 2;
}

static bool stay_on(pthread_t thread, int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return pthread_setaffinity_np(thread, sizeof one, &one) == 0;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10000;
    int idle_rounds = argc > 2 ? atoi(argv[2]) : 50;
    int milliseconds = argc > 3 ? atoi(argv[3]) : 20;
    if (rounds < 1 || idle_rounds < 1 || milliseconds < 1) {
        fprintf(stderr, "usage: bench_futex ROUNDS IDLE_ROUNDS MILLISECONDS, all above 0\n");
        return 2;
    }
    static struct court shared;
    struct court *court = &shared;
    uint32_t turn = 0;
    pthread_t other;
    if (pthread_create(&other, NULL, answer, court) != 0) abort();
    printf("hot %.9f\n", median(court, &turn, rounds, 0));
    printf("idle %.9f\n", median(court, &turn, idle_rounds, milliseconds));
    int cpus[2];
    if (two_cpus(cpus) && stay_on(pthread_self(), cpus[0]) && stay_on(other, cpus[1])) {
        printf("apart %.9f\n", median(court, &turn, idle_rounds, milliseconds));
    }
    atomic_store(&court->over, true);
    tell(&court->there, turn + 1);
    pthread_join(other, NULL);
    return 0;
}
