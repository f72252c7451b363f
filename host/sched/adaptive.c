/* adaptive: how many workers there should be.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sched/adaptive.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"

/* ---- The rule -------------------------------------------------------------------------- */

static int clamp(const struct mill_adaptive_rule *rule, int64_t workers)
{
    if (workers < rule->minimum) return rule->minimum;
    return workers > rule->maximum ? rule->maximum : (int)workers;
}

static int change(double cpu, double memory, int64_t queued)
{
    if (memory > 0.85) return -2;
    if (cpu < 0.50 && queued > 100) return 2;
    if (cpu > 0.90 && memory < 0.70) return -1;
    return 0;
}

int mill_adaptive_step(const struct mill_adaptive_rule *rule, double cpu, double memory,
                       int64_t queued, int active)
{
    return clamp(rule, (int64_t)active + change(cpu, memory, queued));
}

/* ---- The thread ------------------------------------------------------------------------ */

static bool stopping(struct mill_adaptive *adaptive)
{
    /* Acquire: pairs with the release in stop. */
    return atomic_load_explicit(&adaptive->stopping, memory_order_acquire);
}

static bool busy(struct mill_adaptive *adaptive)
{
    return adaptive->options.busy(adaptive->options.context);
}

static void sample(struct mill_adaptive *adaptive, double *cpu, double *memory)
{
    adaptive->options.sample(adaptive->options.context, cpu, memory);
}

static void set_workers(struct mill_adaptive *adaptive, int workers)
{
    struct mill_adaptive_options *options = &adaptive->options;
    if (workers != options->active) options->active = options->set(options->context, workers);
}

/* Until there is work; false when it is the end that came. */
static bool wait_for_work(struct mill_adaptive *adaptive)
{
    for (;;) {
        uint32_t ticket = mill_park_prepare(&adaptive->work);
        bool ended = stopping(adaptive);
        if (ended || busy(adaptive)) {
            mill_park_cancel(&adaptive->work);
            return !ended;
        }
        mill_park_commit(&adaptive->work, ticket, INT64_MAX);
    }
}

/* False when the end came before. */
static bool wait_an_interval(struct mill_adaptive *adaptive)
{
    const int64_t now = mill_clock_now(), interval = adaptive->options.interval;
    const int64_t deadline = interval < INT64_MAX - now ? now + interval : INT64_MAX;
    for (;;) {
        uint32_t ticket = mill_park_prepare(&adaptive->end);
        if (stopping(adaptive)) {
            mill_park_cancel(&adaptive->end);
            return false;
        }
        if (!mill_park_commit(&adaptive->end, ticket, deadline)) return !stopping(adaptive);
    }
}

static void decide(struct mill_adaptive *adaptive)
{
    const struct mill_adaptive_options *options = &adaptive->options;
    double cpu, memory;
    sample(adaptive, &cpu, &memory);
    int64_t queued = options->queued(options->context);
    set_workers(adaptive,
                mill_adaptive_step(&options->rule, cpu, memory, queued, options->active));
}

static void *control(void *context)
{
    struct mill_adaptive *adaptive = context;
    set_workers(adaptive, clamp(&adaptive->options.rule, adaptive->options.active));
    while (wait_for_work(adaptive)) {
        double cpu, memory;
        sample(adaptive, &cpu, &memory); /* begins the interval */
        /* A whole interval, also when the work is done before: else short runs, one after
         * another, would each have to wake this thread. */
        for (;;) {
            if (!wait_an_interval(adaptive)) return NULL;
            if (!busy(adaptive)) break;
            decide(adaptive);
        }
    }
    return NULL;
}

/* Signals are the program's: its own threads take them. */
static int start_adapting(struct mill_adaptive *adaptive)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&adaptive->thread, NULL, control, adaptive);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0) pthread_setname_np(adaptive->thread, "tm-adaptive");
    return failure;
}

tidemill_status mill_adaptive_start(struct mill_adaptive *adaptive,
                                    const struct mill_adaptive_options *options,
                                    struct mill_error *error)
{
    const struct mill_adaptive_rule *rule = &options->rule;
    if (rule->minimum < 1 || rule->maximum < rule->minimum || options->interval <= 0) {
        return mill_fail(error, TIDEMILL_USAGE,
                         "adaptive: expected 1 <= minimum <= maximum and an interval > 0, got "
                         "%d, %d and %lld ns",
                         rule->minimum, rule->maximum, (long long)options->interval);
    }
    adaptive->options = *options;
    mill_park_init(&adaptive->work);
    mill_park_init(&adaptive->end);
    atomic_init(&adaptive->stopping, false);
    int failure = start_adapting(adaptive);
    if (failure == 0) return TIDEMILL_OK;
    return mill_fail(error, TIDEMILL_MEMORY, "cannot start the adaptive thread: %s",
                     strerror(failure));
}

void mill_adaptive_poke(struct mill_adaptive *adaptive)
{
    mill_park_wake(&adaptive->work, 1);
}

void mill_adaptive_stop(struct mill_adaptive *adaptive)
{
    /* Release: pairs with the acquire in stopping. */
    atomic_store_explicit(&adaptive->stopping, true, memory_order_release);
    mill_park_wake(&adaptive->work, 1);
    mill_park_wake(&adaptive->end, 1);
    pthread_join(adaptive->thread, NULL);
}
