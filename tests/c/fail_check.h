/* fail_check: memory that fails: after `allocations_left` further allocations of the thread that
 * set it there is none.  For one file of a test program.  SPDX-License-Identifier: MIT */
#ifndef FAIL_CHECK_H
#define FAIL_CHECK_H

#include <stdint.h>
#include <stdlib.h>

static _Thread_local int64_t allocations_left = INT64_MAX;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define CAN_FAIL_MEMORY 1
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *calloc(size_t count, size_t size)
{
    return allocations_left-- > 0 ? __libc_calloc(count, size) : NULL;
}
void *malloc(size_t size)
{
    return allocations_left-- > 0 ? __libc_malloc(size) : NULL;
}
void *realloc(void *old, size_t size)
{
    return allocations_left-- > 0 ? __libc_realloc(old, size) : NULL;
}
#else
#define CAN_FAIL_MEMORY 0
#endif

#endif
