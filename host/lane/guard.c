/* guard: a small process that outlives this one by a moment.
 *
 * It is a shell that reads from a socket whose other end nobody but this process has.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/guard.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lane/spawn.h"

/* waitid's name for a pidfd, which older headers lack. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* "+ GROUP" and "- GROUP", a line each.  A group is removed before its number can be another's. */
static char script[] = "groups=' '\n"
                       "while read -r what group; do\n"
                       "  case $what in\n"
                       "  +) groups=\"$groups$group \" ;;\n"
                       "  -) groups=\"${groups%% $group *} ${groups#* $group }\" ;;\n"
                       "  esac\n"
                       "done\n"
                       "for group in $groups; do kill -s KILL -- -$group; done 2>/dev/null\n";

static void start_guard(struct mill_guard *guard)
{
    int ends[2];
    guard->tried = true;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    char *arguments[] = {(char *)"tidemill-guard", (char *)"-c", script, NULL};
    char *environment[] = {NULL};
    struct mill_spawn spawn = {
        .program = "/bin/sh",
        .arguments = arguments,
        .environment = environment,
        .folder = "/",
        .files = {ends[1], MILL_SPAWN_NULL, MILL_SPAWN_NULL},
        .file_count = 3,
        .alone = true,
    };
    int failure = mill_spawn(&spawn, &guard->process);
    close(ends[1]);
    if (failure) {
        guard->process = 0;
        close(ends[0]);
        return;
    }
    guard->line = ends[0];
    guard->watch = (int)syscall(SYS_pidfd_open, guard->process, 0);
}

static void tell_guard(struct mill_guard *guard, char what, pid_t group)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%c %ld\n", what, (long)group);
    if (guard->process == 0) return;
    /* One that is gone, or does not read, is done without. */
    if (send(guard->line, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) == size) return;
    mill_guard_fini(guard);
    guard->tried = true;
}

void mill_guard_add(struct mill_guard *guard, pid_t group)
{
    if (!guard->tried) start_guard(guard);
    tell_guard(guard, '+', group);
}

void mill_guard_remove(struct mill_guard *guard, pid_t group)
{
    tell_guard(guard, '-', group);
}

void mill_guard_fini(struct mill_guard *guard)
{
    if (guard->process == 0) return;
    close(guard->line);
    siginfo_t info;
    /* One that was reaped already, by a host program that reaps whatever it finds, is not waited for. */
    while (guard->watch >= 0 &&
           waitid((idtype_t)P_PIDFD, (id_t)guard->watch, &info, WEXITED) != 0 &&
           errno == EINTR) {}
    if (guard->watch >= 0) close(guard->watch);
    *guard = (struct mill_guard){0};
}
