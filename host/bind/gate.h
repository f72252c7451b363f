/* gate: how a function of tidemill.h enters an engine and leaves it: one thread at a time, each with the
 * text of its own last error.  SPDX-License-Identifier: MIT */
#ifndef MILL_GATE_H
#define MILL_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/status.h"

struct tidemill;

/* The last error of one thread.  Never freed before the engine, and taken over by a later thread of the
 * same name, so there are no more of them than threads at one time. */
struct mill_fault {
    pthread_t thread;
    struct mill_error error;
    char *message; /* a long text, malloc'ed, or NULL */
    struct mill_fault *next;
};

struct mill_gate {
    pthread_mutex_t lock;              /* recursive: a function of the host may call again */
    int depth;                         /* calls of the thread that has the lock */
    _Atomic bool entered;              /* there are some; read without the lock: relaxed */
    struct mill_fault *_Atomic faults; /* pushed at the front */
};

bool mill_gate_init(struct mill_gate *gate);
void mill_gate_fini(struct mill_gate *gate);

/* Takes the lock of an engine of this process, and forgets the thread's last error.  In a child that has
 * forked off it fails with TIDEMILL_UNSUPPORTED and takes nothing. */
tidemill_status mill_api_enter(struct tidemill *engine);

/* The same, but waits for the lock until then (CLOCK_MONOTONIC nanoseconds; INT64_MAX: for ever) only:
 * TIDEMILL_BUSY, and nothing is taken. */
tidemill_status mill_api_enter_until(struct tidemill *engine, int64_t deadline);

/* mill_api_enter; then forgets an interrupt that met nothing, and reads the settings: before every
 * function that uses the script's state. */
tidemill_status mill_api_begin(struct tidemill *engine);

/* What mill_api_begin does behind mill_api_enter; `script`: the path of a file that is about to run, when
 * there is one. */
tidemill_status mill_api_prepare(struct tidemill *engine, const char *script);

/* Ends what one of those has begun, also when that has failed: keeps the text of a failure for the
 * thread, gives the lock back and returns `status`. */
tidemill_status mill_api_end(struct tidemill *engine, tidemill_status status);

/* Fails with a text, which is malloc'ed and passes to the engine.  Between begin and end. */
tidemill_status mill_api_fail(struct tidemill *engine, tidemill_status status, char *message);

/* For functions that do not take the lock: TIDEMILL_OK, or the reason why mill_api_enter would fail. */
tidemill_status mill_api_check(struct tidemill *engine);

/* For functions that do not take the lock: the error is the thread's last one; `engine` may be NULL.
 * Returns its status. */
tidemill_status mill_api_say(struct tidemill *engine, const struct mill_error *error);

#endif
