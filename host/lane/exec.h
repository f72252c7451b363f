/* exec: a program that runs, with text in and out.
 * It leads a process group of its own, which is killed as a whole.  Children are watched by pidfd:
 * no signal handler, no waiting for any other child than this one.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_EXEC_H
#define MILL_EXEC_H

#include <sys/types.h>

#include "lane/hub.h"

struct mill_exec_output {
    uv_pipe_t pipe;
    char *bytes;
    size_t size, room;
    bool open;
};

struct mill_exec {
    struct mill_operation operation; /* first */

    /* What to run: malloc'ed, also each text; set before the start. */
    char **arguments;   /* ends with NULL; the first is the program */
    char **environment; /* ends with NULL */
    char *folder;       /* NULL: the process's own */
    char *input;        /* NULL: nothing, /dev/null */
    size_t input_size;
    size_t most; /* bytes of an output; more are a failure, and the end of the program */

    /* The results. */
    int status; /* of its exit; -1: it ended by a signal */
    int signal;
    struct mill_exec_output outputs[2]; /* what it wrote to stdout, to stderr */

    /* The hub's thread's. */
    uv_pipe_t in;
    uv_write_t write;
    uv_poll_t exit;
    pid_t child;
    int watch; /* its pidfd */
    bool in_open, watched, exited, killed;
    const char *reason; /* why it was killed */
};

/* NULL: no memory. */
struct mill_exec *mill_exec_new(void);

#endif
