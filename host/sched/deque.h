/* deque: the work-stealing deque of one worker (Chase and Lev 2005; orderings of Le, Pop,
 * Cohen and Nardelli, PPoPP 2013, with the push published by a release store because
 * ThreadSanitizer does not model fences).
 *
 *            | push  pop | steal | size
 *     owner  |  yes  yes |  no   | yes
 *     others |  no   no  |  yes  | yes (a guess)
 *
 * The owner works at the bottom (last in, first out), thieves take from the top (first in,
 * first out).  SPDX-License-Identifier: MIT */
#ifndef MILL_DEQUE_H
#define MILL_DEQUE_H

#include <stdbool.h>
#include <stdint.h>

struct mill_deque_array;

struct mill_deque {
    _Alignas(64) _Atomic int64_t top;
    _Alignas(64) _Atomic int64_t bottom;
    struct mill_deque_array *_Atomic array; /* grown ones are retired, not freed, until fini */
    int64_t cached_top; /* owner only: no later than top, saves reading it on every push */
};

bool mill_deque_init(struct mill_deque *deque, int64_t capacity); /* a power of two */
void mill_deque_fini(struct mill_deque *deque);
bool mill_deque_push(struct mill_deque *deque, void *item); /* false: no memory to grow */
void *mill_deque_pop(struct mill_deque *deque);             /* NULL: empty */

/* NULL: empty.  *lost (may be NULL) is set when another thief won: try again. */
void *mill_deque_steal(struct mill_deque *deque, bool *lost);
int64_t mill_deque_size(struct mill_deque *deque);

#endif
