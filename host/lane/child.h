/* child: one worker process of an engine: started, talked to, looked at, killed, reaped.
 * A child is one thread's, that of the process lane.  No signal handler is used: a descriptor of
 * the process (pidfd) tells when it has ended.  SPDX-License-Identifier: MIT */
#ifndef MILL_CHILD_H
#define MILL_CHILD_H

#include <sys/types.h>

#include "lane/lend.h"
#include "lane/message.h"
#include "sched/suspended.h"

struct mill_memory;

enum mill_child_state {
    MILL_CHILD_STARTING, /* has not said yet that it is ready */
    MILL_CHILD_READY,
    MILL_CHILD_KILLED, /* by us, or gone: to be reaped */
};

/* What a child was sent and keeps: names of 128 bits. */
struct mill_known {
    struct mill_hash *slots; /* {0, 0}: empty */
    uint32_t count, room;
    size_t bytes; /* roughly what the child keeps for it */
};

/* A task in a child, or on its way there. */
struct mill_flight {
    struct mill_suspended task;
    void *kept;             /* the upper floors', of the task while it is suspended */
    bool judged;            /* the child is asked whether `error` is worth another attempt */
    bool sent;              /* the order has gone: the attempt has begun */
    struct mill_wait *wait; /* parked while all of it waits for channels; else NULL */
    int64_t deadline;       /* nanoseconds; INT64_MAX: none, or not begun */
    int64_t limit;          /* bytes; INT64_MAX: none */
    struct mill_value error;
};

struct mill_letter { /* a message that waits to be sent while a task runs */
    struct mill_letter *next;
    struct mill_outbox outbox;
};

struct mill_child {
    struct mill_child *next;
    enum mill_child_state state;
    pid_t pid;
    int process, socket, status; /* descriptors; status: of /proc/PID/status, -1 */
    int64_t began;
    int64_t closed;          /* when its end of the socket was seen to be; 0: it is not */
    bool may_end, may_speak; /* its descriptors say so; until that was looked at */
    bool isolated;           /* for one task alone */
    bool busy;               /* `flight` is one */
    bool forget;             /* it is to forget what it knows with the next order */
    size_t modules;          /* of the script, that it was sent; the upper floors' */
    struct mill_known known;
    struct mill_flight flight;
    struct mill_outbox hello, order;
    struct mill_letter *letters; /* the oldest first */
    struct mill_lending lending;
    struct mill_inbox inbox;
};

/* Starts `program --worker 3`, in a process group of its own, with the other end of its socket as
 * descriptor 3, stdin from /dev/null and no other descriptor but stdout and stderr.  NULL and
 * *error. */
struct mill_child *mill_child_start(const char *program, struct mill_error *error);

/* Kills the process and all of its group. */
void mill_child_kill(struct mill_child *child);
void mill_child_kill_at(pid_t pid, int process); /* any thread, until it was reaped */

/* How a process has ended. */
struct mill_child_end {
    bool known;
    int signal; /* 0: it ended by itself, with */
    int code;
};

/* Waits until the process has ended, which it has or is about to.  Once. */
struct mill_child_end mill_child_reap(struct mill_child *child);

/* The same of a process by its descriptor, which is left to be reaped.  Any thread. */
struct mill_child_end mill_child_peek(int process);

/* After mill_child_reap; its flight has been looked after. */
void mill_child_free(struct mill_child *child);

/* Bytes of memory that are the process's own (RssAnon and RssShmem); 0: not known. */
int64_t mill_child_memory(struct mill_child *child);
int64_t mill_child_memory_at(int status); /* by the descriptor of its status */

/* Whether the name is known; from now on it is, if memory allows. */
bool mill_known_add(struct mill_known *known, struct mill_hash name, size_t bytes);
void mill_known_clear(struct mill_known *known);

/* "signal 11 (SIGSEGV)" */
void mill_signal_text(int signal, char *text, size_t room);

#endif
