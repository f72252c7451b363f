/* child: one worker process of an engine.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lane/spawn.h"

extern char **environ;

enum { CHILD_SOCKET = 3 };

/* waitid's name for a pidfd, which older headers lack. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void close_one(int *descriptor)
{
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

/* ---- starting ----------------------------------------------------------------------------- */

static int spawn_worker(pid_t *pid, const char *program, int socket)
{
    char *arguments[] = {(char *)"tidemill", (char *)"--worker", (char *)"3", NULL};
    struct mill_spawn spawn = {
        .program = program,
        .arguments = arguments,
        .environment = environ,
        .files = {MILL_SPAWN_NULL, MILL_SPAWN_SAME, MILL_SPAWN_SAME, socket},
        .file_count = CHILD_SOCKET + 1,
        .alone = true,
    };
    return mill_spawn(&spawn, pid);
}

/* A process that nobody can watch is no use. */
static tidemill_status watch_child(struct mill_child *child, struct mill_error *error)
{
    child->process = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->process >= 0) return TIDEMILL_OK;
    int reason = errno;
    if (reason == ESRCH) { /* the host program reaps whatever it finds */
        return mill_fail(error, TIDEMILL_IO, "the worker process ended before it was ready");
    }
    kill(-child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    return mill_fail(error, TIDEMILL_IO, "cannot watch a worker process: %s", strerror(reason));
}

static tidemill_status start_process(struct mill_child *child, const char *program,
                                     struct mill_error *error)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        return mill_fail(error, TIDEMILL_IO, "cannot start a worker process: %s",
                         strerror(errno));
    }
    child->socket = sockets[0];
    /* Out of the way of the process's own descriptors. */
    int theirs = fcntl(sockets[1], F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);
    int failure = theirs < 0 ? errno : spawn_worker(&child->pid, program, theirs);
    if (theirs >= 0) close(theirs);
    close(sockets[1]);
    if (failure) {
        return mill_fail(error, TIDEMILL_IO, "cannot start the worker process %s: %s", program,
                         strerror(failure));
    }
    return watch_child(child, error);
}

struct mill_child *mill_child_start(const char *program, struct mill_error *error)
{
    struct mill_child *child = calloc(1, sizeof *child);
    if (child == NULL) {
        mill_no_memory(error, "a worker process");
        return NULL;
    }
    child->process = child->socket = child->status = -1;
    child->began = mill_clock_now();
    if (start_process(child, program, error) == TIDEMILL_OK) return child;
    close_one(&child->socket);
    free(child);
    return NULL;
}

/* ---- ending -------------------------------------------------------------------------------- */

/* What it has started, too.  Until a process is reaped its number is nobody else's; where the host
 * program reaps whatever it finds, a process of that number is another one, and is left alone. */
static void kill_group(pid_t pid, int process)
{
    char path[32];
    if (pid <= 1) return; /* none: with these numbers a signal goes to many */
    bool there = syscall(SYS_pidfd_send_signal, process, 0, NULL, 0) == 0;
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    if (there || access(path, F_OK) != 0) kill(-pid, SIGKILL);
}

void mill_child_kill_at(pid_t pid, int process)
{
    kill_group(pid, process);
    syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
}

void mill_child_kill(struct mill_child *child)
{
    child->state = MILL_CHILD_KILLED;
    mill_child_kill_at(child->pid, child->process);
}

static struct mill_child_end await_end(int process, int options)
{
    siginfo_t info = {.si_pid = 0};
    int result;
    do {
        result = waitid((idtype_t)P_PIDFD, (id_t)process, &info, WEXITED | options);
    } while (result != 0 && errno == EINTR);
    if (result != 0) return (struct mill_child_end){.known = false}; /* somebody else has */
    bool exited = info.si_code == CLD_EXITED;
    return (struct mill_child_end){
        .known = true,
        .signal = exited ? 0 : info.si_status,
        .code = exited ? info.si_status : 0,
    };
}

struct mill_child_end mill_child_reap(struct mill_child *child)
{
    kill_group(child->pid, child->process); /* what it leaves behind there */
    return await_end(child->process, 0);
}

struct mill_child_end mill_child_peek(int process)
{
    return await_end(process, WNOWAIT);
}

void mill_child_free(struct mill_child *child)
{
    close_one(&child->process);
    close_one(&child->socket);
    close_one(&child->status);
    mill_outbox_fini(&child->hello);
    mill_outbox_fini(&child->order);
    while (child->letters) {
        struct mill_letter *letter = child->letters;
        child->letters = letter->next;
        mill_outbox_fini(&letter->outbox);
        free(letter);
    }
    mill_lending_fini(&child->lending);
    mill_inbox_clear(&child->inbox);
    free(child->known.slots);
    free(child);
}

void mill_signal_text(int signal, char *text, size_t room)
{
    const char *name = sigabbrev_np(signal);
    if (name) {
        snprintf(text, room, "signal %d (SIG%s)", signal, name);
    } else {
        snprintf(text, room, "signal %d", signal);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int64_t field_of(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoll(at + strlen(name), NULL, 10) * 1024 : 0;
}

int64_t mill_child_memory(struct mill_child *child)
{
    char text[40];
    if (child->status < 0) {
        snprintf(text, sizeof text, "/proc/%d/status", (int)child->pid);
        child->status = open(text, O_RDONLY | O_CLOEXEC);
        if (child->status < 0) return 0;
    }
    return mill_child_memory_at(child->status);
}

int64_t mill_child_memory_at(int status)
{
    char text[4096];
    ssize_t size = pread(status, text, sizeof text - 1, 0);
    if (size <= 0) return 0;
    text[size] = '\0';
    return field_of(text, "\nRssAnon:") + field_of(text, "\nRssShmem:");
}

/* ---- what it knows ------------------------------------------------------------------------------ */

static bool is_empty(struct mill_hash name)
{
    return name.low == 0 && name.high == 0;
}

static uint32_t known_slot(const struct mill_known *known, struct mill_hash name)
{
    uint32_t at = (uint32_t)((name.low ^ name.high) * 0x9E3779B97F4A7C15u >> 32);
    at &= known->room - 1;
    while (!is_empty(known->slots[at]) && !mill_hash_equal(known->slots[at], name)) {
        at = (at + 1) & (known->room - 1);
    }
    return at;
}

static bool known_grow(struct mill_known *known)
{
    struct mill_known larger = {.room = known->room ? 2 * known->room : 64};
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (larger.slots == NULL) return false;
    for (uint32_t i = 0; i < known->room; i++) {
        if (is_empty(known->slots[i])) continue;
        larger.slots[known_slot(&larger, known->slots[i])] = known->slots[i];
    }
    free(known->slots);
    known->slots = larger.slots;
    known->room = larger.room;
    return true;
}

bool mill_known_add(struct mill_known *known, struct mill_hash name, size_t bytes)
{
    if (2 * known->count >= known->room && !known_grow(known)) return false;
    uint32_t at = known_slot(known, name);
    if (!is_empty(known->slots[at])) return true;
    known->slots[at] = name;
    known->count++;
    known->bytes += bytes;
    return false;
}

void mill_known_clear(struct mill_known *known)
{
    if (known->slots) memset(known->slots, 0, known->room * sizeof *known->slots);
    known->count = 0;
    known->bytes = 0;
}
