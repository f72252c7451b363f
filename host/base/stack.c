/* stack: how much of its C stack a thread has left.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/stack.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* A Lua stack has 65,500 slots: 6,600 callbacks of string.gsub inside one another, each with a
 * buffer of 8 KB, take 60 MB of C stack (measured). */
static const size_t LUA_STACK_FULL = 64 << 20;

/* Asked once a thread: of the first thread the answer is read from a file. */
static _Thread_local struct {
    uintptr_t low, size;
    bool known;
} stack;

static void find_bounds(void)
{
    pthread_attr_t attributes;
    void *low;
    size_t size;
    stack.known = true;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        stack.low = (uintptr_t)low;
        stack.size = size;
    }
    pthread_attr_destroy(&attributes);
}

bool mill_stack_is_low(void)
{
    if (!stack.known) find_bounds();
    size_t left = (uintptr_t)__builtin_frame_address(0) - stack.low;
    size_t least = stack.size / 2 < LUA_STACK_FULL ? stack.size / 2 : LUA_STACK_FULL;
    return left < least; /* elsewhere it is more than the size */
}
