/* stack: how much of its C stack a thread has left.  Lua bounds its own stacks, but callbacks of
 * string.gsub and coroutines inside coroutines take C stack, too.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_STACK_H
#define MILL_STACK_H

#include <stdbool.h>

/* Whether less is left than one more Lua stack full of callbacks can take.  False where the
 * bounds are not known: on a stack that is not the thread's own. */
bool mill_stack_is_low(void);

#endif
