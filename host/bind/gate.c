/* gate: how a function of tidemill.h enters an engine and leaves it.  SPDX-License-Identifier: MIT */
#include "bind/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bind/api_function.h"
#include "bind/engine.h"
#include "bind/watch.h"
#include "sched/await.h"

bool mill_gate_init(struct mill_gate *gate)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes) != 0) return false;
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    bool fine = pthread_mutex_init(&gate->lock, &attributes) == 0;
    pthread_mutexattr_destroy(&attributes);
    return fine;
}

void mill_gate_fini(struct mill_gate *gate)
{
    struct mill_fault *fault = atomic_load_explicit(&gate->faults, memory_order_relaxed);
    while (fault) {
        struct mill_fault *next = fault->next;
        free(fault->message);
        free(fault);
        fault = next;
    }
    pthread_mutex_destroy(&gate->lock);
}

/* ---- errors, by thread ------------------------------------------------------------------ */

/* The acquire pairs with the release of keep_fault: the thread's own fault is whole anyway, those
 * before it in the list are of others. */
static struct mill_fault *find_fault(struct mill_gate *gate)
{
    struct mill_fault *fault = atomic_load_explicit(&gate->faults, memory_order_acquire);
    while (fault && !pthread_equal(fault->thread, pthread_self())) fault = fault->next;
    return fault;
}

static void clear_fault(struct mill_gate *gate)
{
    struct mill_fault *fault = find_fault(gate);
    if (fault == NULL) return;
    free(fault->message);
    fault->message = NULL;
    fault->error.text[0] = '\0';
}

static struct mill_fault *own_fault(struct mill_gate *gate)
{
    struct mill_fault *fault = find_fault(gate);
    if (fault) return fault;
    fault = calloc(1, sizeof *fault);
    if (fault == NULL) return NULL;
    fault->thread = pthread_self();
    fault->next = atomic_load_explicit(&gate->faults, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&gate->faults, &fault->next, fault,
                                                  memory_order_release, memory_order_relaxed)) {
    }
    return fault;
}

static void clear_error(struct tidemill *engine)
{
    free(engine->message);
    engine->message = NULL;
    engine->error.text[0] = '\0';
    engine->error.status = TIDEMILL_OK;
}

/* What the engine has said becomes the thread's. */
static void keep_fault(struct tidemill *engine)
{
    struct mill_fault *fault = own_fault(&engine->gate);
    if (fault == NULL) return;
    free(fault->message);
    fault->message = engine->message;
    engine->message = NULL;
    fault->error = engine->error;
}

tidemill_status mill_api_say(struct tidemill *engine, const struct mill_error *error)
{
    struct mill_fault *fault = engine ? own_fault(&engine->gate) : NULL;
    if (fault == NULL) return error->status;
    free(fault->message);
    fault->message = NULL;
    fault->error = *error;
    return error->status;
}

const char *tidemill_error(tidemill *engine)
{
    if (engine == NULL) return "out of memory";
    struct mill_fault *fault = find_fault(&engine->gate);
    if (fault == NULL) return "";
    return fault->message ? fault->message : fault->error.text;
}

tidemill_status mill_api_fail(struct tidemill *engine, tidemill_status status, char *message)
{
    clear_error(engine);
    engine->message = message;
    engine->error.status = status;
    return status;
}

/* ---- entering and leaving --------------------------------------------------------------- */

/* Whether this thread may not enter, for reasons that do not change while it would be inside. */
static bool is_refused(struct tidemill *engine, struct mill_error *error)
{
    if (!mill_engine_is_here(engine, error)) return true;
    if (mill_task_calling() != engine) return false; /* whose script may wait for the task */
    mill_fail(error, TIDEMILL_UNSUPPORTED,
              "not from a task: functions of its engine would wait for the script");
    return true;
}

tidemill_status mill_api_check(struct tidemill *engine)
{
    struct mill_error error;
    return is_refused(engine, &error) ? mill_api_say(engine, &error) : TIDEMILL_OK;
}

/* By the wall clock, which may be set: in short pieces.  (ThreadSanitizer does not know of the function
 * that would wait by the other one.) */
static bool lock_until(pthread_mutex_t *lock, int64_t deadline)
{
    static const int64_t SECOND = 1000000000;
    if (deadline == INT64_MAX) return pthread_mutex_lock(lock) == 0;
    for (;;) {
        int64_t left = deadline - mill_clock_now();
        if (left <= 0) return pthread_mutex_trylock(lock) == 0;
        struct timespec when;
        clock_gettime(CLOCK_REALTIME, &when);
        when.tv_nsec += left < SECOND / 10 ? left : SECOND / 10;
        when.tv_sec += when.tv_nsec / SECOND;
        when.tv_nsec %= SECOND;
        if (pthread_mutex_timedlock(lock, &when) == 0) return true;
    }
}

tidemill_status mill_api_enter_until(struct tidemill *engine, int64_t deadline)
{
    struct mill_error error;
    if (is_refused(engine, &error)) return mill_api_say(engine, &error);
    if (!lock_until(&engine->gate.lock, deadline)) {
        mill_fail(&error, TIDEMILL_BUSY, "the call of another thread has not returned");
        return mill_api_say(engine, &error);
    }
    if (engine->gate.depth++ == 0) {
        atomic_store_explicit(&engine->gate.entered, true, memory_order_relaxed);
        mill_jobs_sweep(engine);
        mill_events_begin(&engine->events);
    }
    if (engine->error.text[0] || engine->message) clear_error(engine);
    clear_fault(&engine->gate);
    return TIDEMILL_OK;
}

tidemill_status mill_api_enter(struct tidemill *engine)
{
    return mill_api_enter_until(engine, INT64_MAX);
}

tidemill_status mill_api_prepare(struct tidemill *engine, const char *script)
{
    if (engine->proxy) {
        return mill_fail(
            &engine->error, TIDEMILL_UNSUPPORTED,
            "this is not there for a script in a process of its own (deadline, sandbox)");
    }
    if (engine->L == NULL) {
        return mill_fail(&engine->error, TIDEMILL_USAGE, "the engine was not opened");
    }
    if (engine->gate.depth > 1)
        return TIDEMILL_OK; /* from inside a call: its interrupt counts */
    engine->exiting = false;
    if (atomic_exchange(&engine->interrupted, false) && engine->pool_open) {
        mill_pool_resume(&engine->pool);
    }
    tidemill_status status = mill_settings_files(engine, script, &engine->error);
    return status == TIDEMILL_OK ? mill_watch_begin(engine, &engine->error) : status;
}

tidemill_status mill_api_begin(struct tidemill *engine)
{
    tidemill_status status = mill_api_enter(engine);
    return status == TIDEMILL_OK ? mill_api_prepare(engine, NULL) : status;
}

tidemill_status mill_api_end(struct tidemill *engine, tidemill_status status)
{
    if (is_refused(engine, NULL)) return status;
    if (status != TIDEMILL_OK) keep_fault(engine);
    if (--engine->gate.depth == 0) {
        atomic_store_explicit(&engine->gate.entered, false, memory_order_relaxed);
    }
    pthread_mutex_unlock(&engine->gate.lock);
    return status;
}
