/* spawn: starts a program as a child, which need not outlive the thread that has started it.
 *
 * Between vfork and exec the child borrows this thread's memory, which waits: it calls nothing but
 * the kernel, and what goes wrong it says through a pipe that exec closes.  (A tool may turn vfork
 * into fork: memory is no way to tell.)  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "lane/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* All signals are blocked until here, and do what they usually do from here on. */
static void reset_signals(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int signal = 1; signal < NSIG; signal++) sigaction(signal, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool set_files(const struct mill_spawn *spawn)
{
    for (int i = 0; i < spawn->file_count; i++) {
        int file = spawn->files[i];
        if (file == MILL_SPAWN_SAME) continue;
        if (file == MILL_SPAWN_NULL) file = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (file < 0 || dup2(file, i) < 0) return false;
        if (file == i) fcntl(i, F_SETFD, 0); /* dup2 onto itself changes nothing */
    }
    return true;
}

/* The descriptors from `first` on are closed by exec. */
static void close_others(int first, int keep)
{
    enum { MANY = 65536, CLOSE_ON_EXEC = 1 << 2 };
    if (syscall(SYS_close_range, first, UINT32_MAX, CLOSE_ON_EXEC) == 0) return;
    for (int file = first; file < MANY; file++) {
        if (file != keep) close(file);
    }
}

static void become(const struct mill_spawn *spawn, pid_t parent, int problem)
{
    bool fine = setpgid(0, 0) == 0;
    if (fine && spawn->dies) {
        fine = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
        if (getppid() != parent) _exit(127); /* it has ended before that was in force */
    }
    fine = fine && (spawn->folder == NULL || chdir(spawn->folder) == 0) && set_files(spawn);
    if (fine) {
        if (spawn->alone) close_others(spawn->file_count, problem);
        reset_signals();
        if (spawn->search) {
            execvpe(spawn->program, spawn->arguments, spawn->environment);
        } else {
            execve(spawn->program, spawn->arguments, spawn->environment);
        }
    }
    int reason = errno;
    ssize_t written = write(problem, &reason, sizeof reason);
    (void)written;
    _exit(127);
}

int mill_spawn(const struct mill_spawn *spawn, pid_t *child)
{
    int problem[2], reason = 0;
    if (pipe2(problem, O_CLOEXEC) != 0) return errno;
    /* Out of the way of the child's own files. */
    int lifted = fcntl(problem[1], F_DUPFD_CLOEXEC, MILL_SPAWN_FILES);
    if (lifted < 0) reason = errno;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t parent = getpid();
    *child = reason ? -1 : vfork();
    if (*child == 0) become(spawn, parent, lifted);
    if (*child < 0 && reason == 0) reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (lifted >= 0) close(lifted);
    close(problem[1]);
    if (reason == 0) {
        ssize_t got;
        do {
            got = read(problem[0], &reason, sizeof reason);
        } while (got < 0 && errno == EINTR);
        if (got != (ssize_t)sizeof reason) reason = 0; /* exec has closed it */
        if (reason) waitpid(*child, NULL, 0);
    }
    close(problem[0]);
    return reason;
}
