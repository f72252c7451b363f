/* hosted: what the process does in which an engine lets a script run that it does not trust, or that may
 * take only so long: it opens a whole engine of its own and does with it what it is asked.
 * The other side is host/bind/proxy.c.
 *
 *     OPEN      version; workers, seed, progress, notes, sandbox as 8 bytes each; cache; lists of allowed
 *               names and modules; settings, names and values in turn; with the descriptor of the cord
 *     REQUEST   a mill_request; RUN: name, code, arguments; CALL: name, wanted, values; SET: name, value;
 *               REGISTER: name, signature, version, number; REST: seconds as 8 bytes; SUBMIT:
 *               number of the job, name, options or nil, values; LISTEN: a byte, as by the cord, so
 *               that what is asked next is told of; EVAL, COMPLETE, HELP: a text
 *     ANSWER    status, text of the error; exit status, rows dropped and the like as 8 bytes each; values;
 *               text
 *     ASK       number of a function of the host; values
 *     TOLD      status, text of the error; values
 *     TEXT      2, a warning
 *
 * Between ASK and TOLD the host may send REQUESTs, and has their ANSWERs.
 *
 * Lists are a count and what they hold; texts and counts are data/packed.h's, values data/wire.h's.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_HOSTED_H
#define MILL_HOSTED_H

#include "bind/engine.h"

enum mill_request {
    MILL_REQUEST_RUN_FILE = 1,
    MILL_REQUEST_RUN_STRING,
    MILL_REQUEST_RUN_SHIPPED,
    MILL_REQUEST_RESULT,
    MILL_REQUEST_RESULT_JSON,
    MILL_REQUEST_CALL,
    MILL_REQUEST_SET,
    MILL_REQUEST_REGISTER,
    MILL_REQUEST_REST, /* before the end */
    MILL_REQUEST_SUBMIT,
    MILL_REQUEST_LISTEN,
    MILL_REQUEST_EVAL, /* a session: not of a sandbox, whose globals are not the session's */
    MILL_REQUEST_COMPLETE,
    MILL_REQUEST_HELP,
};

/* Serves over the socket, whose first message is OPEN, until its other end is closed; the exit status of the
 * process.  Which signal interrupts it. */
int mill_hosted_run(int socket);
enum { MILL_HOSTED_SIGNAL = 10 /* SIGUSR1 */ };

#endif
