/* fail_check: memory that fails: after `allocations_left` further allocations of the thread that
 * set it, or with FAIL_IN_ALL_THREADS of all threads, there is none.  For one file of a test program.
 * SPDX-License-Identifier: MIT */
#ifndef FAIL_CHECK_H
#define FAIL_CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef FAIL_IN_ALL_THREADS
static _Atomic int64_t allocations_left = INT64_MAX;
#else
static _Thread_local int64_t allocations_left = INT64_MAX;
#endif

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_FAIL_MEMORY 1
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *old, size_t size);

static bool memory_fails(void)
{
    if (allocations_left-- > 0) return false;
    errno = ENOMEM; /* the C library asserts it */
    return true;
}

#ifdef FAIL_IN_ALL_THREADS /* and in shared libraries */
#pragma GCC visibility push(default)
#endif
void *calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : __libc_calloc(count, size);
}
void *malloc(size_t size)
{
    return memory_fails() ? NULL : __libc_malloc(size);
}
void *realloc(void *old, size_t size)
{
    return memory_fails() ? NULL : __libc_realloc(old, size);
}
#ifdef FAIL_IN_ALL_THREADS
#pragma GCC visibility pop
#endif
#else
#define CAN_FAIL_MEMORY 0
#endif

#endif
