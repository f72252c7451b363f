/* park: a two-phase event count on a futex.  The rule: waiters announce before they look,
 * wakers publish before they look; with a full fence between on both sides one sees the other.
 *
 * DESIGN.  Write P for the fence in prepare, W for the fence in wake; full fences have one
 * order.
 *
 *     waiter                          waker
 *     waiters += 1                    work = 1
 *     ---- P ----                     ---- W ----
 *     ticket = epoch (acquire)        if (waiters == 0) return
 *     if (work) cancel                epoch += 1 (release)
 *     else sleep while epoch==ticket  futex wake
 *
 * W before P: the waiter's look finds the work.
 * P before W: the waker sees the waiter and moves the epoch.  Then either the ticket is older,
 * and the waiter does not sleep (the kernel compares the epoch with the ticket under the lock
 * that wake takes, so it is woken when it just fell asleep); or the ticket is the new epoch,
 * read with acquire from the release, and the look after it finds the work.
 *
 * COST.  Moving the epoch sends every preparing thread back to its search, also when count is
 * one.  That is allowed: such a thread is awake anyway, it searches once more and prepares
 * again, which costs less than a second word of state on the path of every wake.  Sleepers are
 * not disturbed: the kernel wakes `count` of them and leaves the others asleep, whatever the
 * epoch is by then.
 *
 * The epoch wraps after 2^32 wakes.  To miss one, a thread would have to stand still between
 * prepare and sleep for exactly that many wakes, each a system call: minutes.
 * SPDX-License-Identifier: MIT */
#include "sched/park.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define MILL_PARK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MILL_PARK_SANITIZED 1
#endif
#endif

_Static_assert(sizeof(_Atomic uint32_t) == 4, "the futex word is 32 bits");

/* P and W of DESIGN.  ThreadSanitizer does not model fences; there both are a read-modify-write
 * of the same word, which orders the two sides by the order of that word's changes. */
static void park_fence(struct mill_park *park)
{
#ifdef MILL_PARK_SANITIZED
    atomic_fetch_add_explicit(&park->waiters, 0, memory_order_seq_cst);
#else
    (void)park;
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* 0, or the error number.  FUTEX_WAIT_BITSET because its timeout is a point in time of
 * CLOCK_MONOTONIC; a timeout of NULL is for ever. */
static int park_futex_wait(_Atomic uint32_t *word, uint32_t expected,
                           const struct timespec *until, uint32_t bits)
{
    long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
                          until, NULL, bits);
    return result < 0 ? errno : 0;
}

static void park_futex_wake(_Atomic uint32_t *word, int count, uint32_t bits)
{
    syscall(SYS_futex, word, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, count, NULL, NULL, bits);
}

void mill_park_init(struct mill_park *park)
{
    atomic_init(&park->epoch, 0);
    atomic_init(&park->waiters, 0);
}

uint32_t mill_park_prepare(struct mill_park *park)
{
    /* Relaxed: the fence orders it before the look for work; pairs with the load of waiters in
     * wake. */
    atomic_fetch_add_explicit(&park->waiters, 1, memory_order_relaxed);
    park_fence(park);
    /* Acquire: pairs with the release of epoch in wake.  Who reads the epoch of a wake sees the
     * work that was published before it. */
    return atomic_load_explicit(&park->epoch, memory_order_acquire);
}

void mill_park_cancel(struct mill_park *park)
{
    /* Relaxed: a waker that still counts this thread only makes a wake for nobody. */
    atomic_fetch_sub_explicit(&park->waiters, 1, memory_order_relaxed);
}

/* False when the deadline passed. */
static bool park_sleep(struct mill_park *park, uint32_t ticket, int64_t deadline, uint32_t bits)
{
    int64_t clamped = deadline > 0 ? deadline : 0; /* the kernel refuses negative times */
    struct timespec until = {.tv_sec = clamped / 1000000000, .tv_nsec = clamped % 1000000000};
    /* Acquire: pairs with the release in wake, as in prepare. */
    while (atomic_load_explicit(&park->epoch, memory_order_acquire) == ticket) {
        int error =
            park_futex_wait(&park->epoch, ticket, deadline == INT64_MAX ? NULL : &until, bits);
        if (error == ETIMEDOUT) {
            return atomic_load_explicit(&park->epoch, memory_order_acquire) != ticket;
        }
        /* EAGAIN: the epoch moved before the kernel looked.  EINTR: a signal handler ran. */
        assert((error == 0 || error == EAGAIN || error == EINTR) && "futex wait failed");
    }
    return true;
}

bool mill_park_commit_as(struct mill_park *park, uint32_t ticket, int64_t deadline,
                         uint32_t bits)
{
    bool woken = park_sleep(park, ticket, deadline, bits);
    atomic_fetch_sub_explicit(&park->waiters, 1, memory_order_relaxed); /* as in cancel */
    return woken;
}

bool mill_park_commit(struct mill_park *park, uint32_t ticket, int64_t deadline)
{
    return mill_park_commit_as(park, ticket, deadline, FUTEX_BITSET_MATCH_ANY);
}

void mill_park_wake_some(struct mill_park *park, int count, uint32_t bits)
{
    park_fence(park);
    /* Relaxed: ordered after the caller's publication by the fence; pairs with prepare. */
    if (atomic_load_explicit(&park->waiters, memory_order_relaxed) == 0) return;
    /* Release: pairs with the acquire loads of epoch in prepare and park_sleep. */
    atomic_fetch_add_explicit(&park->epoch, 1, memory_order_release);
    park_futex_wake(&park->epoch, count, bits);
}

void mill_park_wake(struct mill_park *park, int count)
{
    mill_park_wake_some(park, count, FUTEX_BITSET_MATCH_ANY);
}

void mill_park_wake_only(struct mill_park *park, uint32_t bits)
{
    mill_park_wake_some(park, INT_MAX, bits);
}

static void pause_a_little(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void mill_relax(uint32_t round)
{
    for (int i = 0; i < 16; i++) pause_a_little();
    /* The first time at once: two that wait for each other in turns may share a CPU. */
    if (round % 8 == 0) sched_yield();
}
