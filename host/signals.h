/* signals: Ctrl-C and its kin, handled by a thread of their own.
 * One value a process.  The owner says what it does (opening, working, reading a line,
 * closing); the thread touches the engine only between mill_signals_attach and
 * mill_signals_detach.
 *
 * SIGINT, SIGTERM, SIGHUP: the first cancels the run; when the work has not ended LEAVE_AFTER
 * later, or at a second signal, the cache is flushed and the process leaves with 128 + signal,
 * whatever the script does.  In an interactive session the first two SIGINTs of a piece of work
 * only cancel it, and a hint follows when that does not help; the third leaves.  A signal
 * that was ignored when the process started stays so.  SIGPIPE ends the process like SIGTERM,
 * without a word, when it is stdout that nobody reads, and is no more than a failed write when
 * it is another file.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SIGNALS_H
#define MILL_SIGNALS_H

#include "tidemill.h"

#include <stdbool.h>

struct mill_signals;

/* NULL when memory or threads are short. */
struct mill_signals *mill_signals_open(void);

/* From here a signal interrupts `engine`.  `patient`: an interactive session. */
void mill_signals_attach(struct mill_signals *signals, tidemill *engine, bool patient);

/* A piece of work begins: a SIGINT that met an earlier one is forgotten. */
void mill_signals_work(struct mill_signals *signals);

/* The work has ended and a line is read next: from here a signal makes mill_signals_wake
 * readable.  Returns the last signal since the work began, or 0; a SIGINT of an interactive
 * session has then done its duty and is forgotten. */
int mill_signals_rest(struct mill_signals *signals);

/* The last signal since the work began, or 0. */
int mill_signals_caught(struct mill_signals *signals);

/* A descriptor to poll together with stdin; mill_signals_rest empties it. */
int mill_signals_wake(const struct mill_signals *signals);

/* The engine is about to be closed.  A signal still leaves the process, without a flush. */
void mill_signals_detach(struct mill_signals *signals);

/* Ends the thread; returns what mill_signals_caught would. */
int mill_signals_close(struct mill_signals *signals);

/* One line on stderr for people; none for SIGPIPE. */
void mill_signals_say(int signal);

/* Whether nobody can read what is written to stdout any more. */
bool mill_signals_stdout_gone(void);

#endif
