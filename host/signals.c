/* signals: Ctrl-C and its kin, handled by a thread of their own.
 * A handler writes the signal's number into a pipe that the thread reads.  Blocking the signals
 * for sigwait would be simpler, but programs that a script starts inherit the blocked mask and
 * could not be stopped; handlers are reset by exec.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE 1 // pipe2
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__ // gcc
#define UNDER_THREAD_SANITIZER
#elif defined __has_feature // clang
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER
#endif
#endif

/* Milliseconds from a signal to leaving, and the part of the cache's flush in it: together less
 * than the second that is promised. */
enum { LEAVE_AFTER = 700 };

/* Presses of Ctrl-C that a session's work may survive. */
enum { PATIENT_PRESSES = 2 };

static const double FLUSH_SECONDS = 0.2;

enum doing { OPENING, WORKING, READING, CLOSING };

struct mill_signals {
    pthread_t thread;
    int pipe[2]; /* handler -> thread; a zero byte ends the thread */
    int held;    /* signalfd, see hold_signals; -1: none */
    int wake;    /* thread -> owner, while it reads a line */

    pthread_mutex_t lock; /* guards what follows, and that the engine stays open meanwhile */
    enum doing doing;
    tidemill *engine;
    bool patient;
    unsigned read;    /* signals that the thread has read from the pipe, and dealt with */
    int caught;       /* the last signal since the work began */
    int64_t deadline; /* monotonic milliseconds; 0: none */
    int asked;        /* so many signals asked the work to end */
    bool leaving;     /* at the deadline the process leaves; else a hint is due then */
};

/* Handlers belong to the process and get no context: these are the variables that they need.  Set
 * before they are installed; -1 after the pipe is closed. */
static atomic_int pipe_end = -1;

/* And the engine whose session runs an input: the handler itself must stop its Lua code, which is
 * the thread that it interrupts.  NULL: none does. */
static tidemill *_Atomic working;

/* Signals that the handler has written into the pipe: what it stops may end before the thread has
 * read of it. */
static atomic_uint raised;

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

enum { WATCHED_COUNT = sizeof watched / sizeof watched[0] };

static void handle(int signal)
{
    int number = errno;
    unsigned char byte = (unsigned char)signal;
    // A full pipe holds presses enough; losing one more changes nothing.
    if (write(atomic_load(&pipe_end), &byte, 1) == 1) atomic_fetch_add(&raised, 1);
    tidemill *engine = atomic_load(&working);
    if (engine != NULL && signal != SIGPIPE) tidemill_interrupt(engine);
    errno = number;
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool mill_signals_stdout_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static void say(const char *text)
{
    // The terminal has just shown "^C", perhaps behind a progress line.
    if (isatty(STDERR_FILENO)) (void)!write(STDERR_FILENO, "\n", 1);
    (void)!write(STDERR_FILENO, text, strlen(text));
}

void mill_signals_say(int signal)
{
    const char *text = signal == SIGTERM  ? "tidemill: terminated\n"
                       : signal == SIGHUP ? "tidemill: hung up\n"
                                          : "tidemill: interrupted\n";
    if (signal != SIGPIPE) say(text);
}

/* Hands on what the script has printed, unless that could block: the thread that is stuck may
 * hold the stream, and a pipe may be full. */
static void flush_stdout(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0) return;
    if (ftrylockfile(stdout) != 0) return;
    fflush_unlocked(stdout);
    funlockfile(stdout);
}

/* The lock is held, so the owner cannot close the engine under the flush. */
static void leave(struct mill_signals *signals)
{
    if (signals->doing == WORKING || signals->doing == READING)
        tidemill_flush(signals->engine, FLUSH_SECONDS);
    flush_stdout();
    mill_signals_say(signals->caught);
    _exit(128 + signals->caught);
}

/* One more signal for work that should end.  The first SIGINTs of a session ask the work to stop,
 * and the third leaves at once; else the first starts the clock, and one more leaves at once. */
static void press(struct mill_signals *signals)
{
    bool patient = signals->patient && signals->doing == WORKING && signals->caught == SIGINT;
    bool may_stay = patient && signals->asked < PATIENT_PRESSES;
    bool enough = signals->leaving || (patient && !may_stay);
    signals->asked++;
    if (enough && signals->caught != SIGPIPE) leave(signals);
    if (signals->leaving) return;
    signals->leaving = !may_stay;
    signals->deadline = now() + LEAVE_AFTER;
}

static void arrive(struct mill_signals *signals, int signal)
{
    if (signal == SIGPIPE && (signals->caught == SIGPIPE || !mill_signals_stdout_gone()))
        return;
    signals->caught = signal;
    switch (signals->doing) {
    case OPENING:
        leave(signals);
        break;
    case WORKING:
        tidemill_interrupt(signals->engine);
        press(signals);
        break;
    case READING:
        if (signal != SIGINT || !signals->patient) press(signals);
        eventfd_write(signals->wake, 1);
        break;
    case CLOSING:
        press(signals);
        break;
    }
}

/* The deadline has come. */
static void expire(struct mill_signals *signals)
{
    if (signals->leaving) leave(signals);
    signals->deadline = 0;
    say(signals->asked < PATIENT_PRESSES
            ? "tidemill: the work goes on; Ctrl-C twice more leaves\n"
            : "tidemill: the work goes on, perhaps in a compiled function; Ctrl-C leaves\n");
}

static int milliseconds_left(struct mill_signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    int64_t left = signals->deadline == 0 ? -1 : signals->deadline - now();
    if (signals->deadline != 0 && left <= 0) {
        expire(signals);
        left = -1;
    }
    pthread_mutex_unlock(&signals->lock);
    return (int)left;
}

/* Waits until a signal came, or the next deadline; -1: nothing yet.  *piped: it came through the
 * pipe. */
static int next_signal(struct mill_signals *signals, bool *piped)
{
    struct pollfd inputs[2] = {{.fd = signals->pipe[0], .events = POLLIN},
                               {.fd = signals->held, .events = POLLIN}};
    struct signalfd_siginfo info;
    unsigned char byte;
    if (poll(inputs, 2, milliseconds_left(signals)) <= 0) return -1;
    *piped = read(signals->pipe[0], &byte, 1) == 1;
    if (*piped) return byte;
    if (read(signals->held, &info, sizeof info) == sizeof info) return (int)info.ssi_signo;
    return -1;
}

static void *watch(void *context)
{
    struct mill_signals *signals = context;
    for (;;) {
        bool piped = false;
        int signal = next_signal(signals, &piped);
        if (signal == 0) return NULL;
        if (signal < 0) continue;
        pthread_mutex_lock(&signals->lock);
        arrive(signals, signal);
        signals->read += piped;
        pthread_mutex_unlock(&signals->lock);
    }
}

/* ThreadSanitizer runs a handler when its thread next makes a system call, which a Lua loop
 * never does.  Under it the signals are blocked and read from a descriptor. */
static int hold_signals(void)
{
#ifdef UNDER_THREAD_SANITIZER
    sigset_t held;
    sigemptyset(&held);
    for (int i = 0; i < WATCHED_COUNT; i++)
        if (watched[i] != SIGPIPE) sigaddset(&held, watched[i]);
    pthread_sigmask(SIG_BLOCK, &held, NULL);
    return signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
#else
    return -1;
#endif
}

/* The thread blocks every signal: handlers run on the threads of the owner. */
static int start_thread(struct mill_signals *signals)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int number = pthread_create(&signals->thread, NULL, watch, signals);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return number;
}

static void install_handlers(void)
{
    for (int i = 0; i < WATCHED_COUNT; i++) {
        struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART}, old;
        sigaction(watched[i], NULL, &old);
        // nohup and background jobs of a shell script start us with signals ignored.
        if (old.sa_handler == SIG_IGN && watched[i] != SIGPIPE) continue;
        sigemptyset(&action.sa_mask);
        sigaction(watched[i], &action, NULL);
    }
}

static void remove_handlers(void)
{
    for (int i = 0; i < WATCHED_COUNT; i++) {
        struct sigaction old;
        sigaction(watched[i], NULL, &old);
        if (old.sa_handler == handle) signal(watched[i], SIG_DFL);
    }
    signal(SIGPIPE, SIG_IGN);
}

static void discard(struct mill_signals *signals)
{
    int files[] = {signals->pipe[0], signals->pipe[1], signals->wake, signals->held};
    for (int i = 0; i < 4; i++)
        if (files[i] >= 0) close(files[i]);
    pthread_mutex_destroy(&signals->lock);
    free(signals);
}

struct mill_signals *mill_signals_open(void)
{
    struct mill_signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL) return NULL;
    pthread_mutex_init(&signals->lock, NULL);
    if (pipe2(signals->pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        signals->pipe[0] = signals->pipe[1] = -1;
    signals->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    signals->held = hold_signals();
    if (signals->pipe[0] < 0 || signals->wake < 0 || start_thread(signals) != 0) {
        discard(signals);
        return NULL;
    }
    atomic_store(&pipe_end, signals->pipe[1]);
    install_handlers();
    return signals;
}

void mill_signals_attach(struct mill_signals *signals, tidemill *engine, bool patient)
{
    pthread_mutex_lock(&signals->lock);
    signals->engine = engine;
    signals->patient = patient;
    signals->doing = WORKING;
    pthread_mutex_unlock(&signals->lock);
}

/* Forgets what was caught, unless the process is to end by it: then its clock runs on. */
static void forget(struct mill_signals *signals)
{
    if (signals->caught != 0 && !(signals->patient && signals->caught == SIGINT)) return;
    signals->caught = 0;
    signals->deadline = 0;
    signals->asked = 0;
    signals->leaving = false;
}

void mill_signals_work(struct mill_signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    signals->doing = WORKING;
    forget(signals);
    if (signals->engine != NULL) atomic_store(&working, signals->engine);
    pthread_mutex_unlock(&signals->lock);
}

/* Takes the lock, once the thread has dealt with every signal that the handler has seen.  Not for
 * ever: a signal may have come to a thread that has not gone on yet. */
static void lock_current(struct mill_signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    for (int i = 0; i < 1000 && signals->read != atomic_load(&raised); i++) {
        pthread_mutex_unlock(&signals->lock);
        usleep(500);
        pthread_mutex_lock(&signals->lock);
    }
}

int mill_signals_rest(struct mill_signals *signals)
{
    eventfd_t dropped;
    lock_current(signals);
    signals->doing = READING;
    atomic_store(&working, NULL);
    int caught = signals->caught;
    forget(signals);
    eventfd_read(signals->wake, &dropped);
    pthread_mutex_unlock(&signals->lock);
    return caught;
}

int mill_signals_caught(struct mill_signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    int caught = signals->caught;
    pthread_mutex_unlock(&signals->lock);
    return caught;
}

int mill_signals_wake(const struct mill_signals *signals)
{
    return signals->wake;
}

void mill_signals_detach(struct mill_signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    signals->doing = CLOSING;
    atomic_store(&working, NULL);
    pthread_mutex_unlock(&signals->lock);
}

int mill_signals_close(struct mill_signals *signals)
{
    static const unsigned char end = 0;
    remove_handlers();
    atomic_store(&pipe_end, -1);
    // The pipe may be full of signals for a moment; the thread empties it.
    while (write(signals->pipe[1], &end, 1) != 1) usleep(1000);
    pthread_join(signals->thread, NULL);
    int caught = signals->caught;
    discard(signals);
    return caught;
}
