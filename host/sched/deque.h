/* deque: the work-stealing deque of one worker (Chase and Lev 2005, after Le, Pop, Cohen and
 * Nardelli, PPoPP 2013).  Where they put a full fence between an access to bottom and one to
 * top, both accesses are sequentially consistent here: the same cost (x86: one locked
 * instruction), and ThreadSanitizer, which does not model fences, can follow.
 *
 *            | push  pop | steal | size
 *     owner  |  yes  yes |  no   | yes
 *     others |  no   no  |  yes  | yes (a guess)
 *
 *     top                   bottom
 *      v                      v
 *    [ a ][ b ][ c ][ d ][ e ]       thieves take a, first in, first out;
 *                                    the owner pushes after e and pops e, last in, first out
 *
 * Items are pointers that the deque never follows; whoever takes one sees all that its pusher
 * wrote before the push.  SPDX-License-Identifier: MIT */
#ifndef MILL_DEQUE_H
#define MILL_DEQUE_H

#include <stdbool.h>
#include <stdint.h>

struct mill_deque_array;

struct mill_deque {
    _Alignas(64) _Atomic int64_t top; /* anybody, by compare-and-swap; only grows */

    /* Written by the owner alone; thieves read bottom and array, hence the common line. */
    _Alignas(64) _Atomic int64_t bottom;
    struct mill_deque_array *_Atomic array; /* grown ones are retired, not freed, until fini */
    int64_t cached_top; /* owner only: no later than top, saves reading it on every push */
};

/* `capacity` is a power of two; the deque doubles it when it is full.  False: no memory. */
bool mill_deque_init(struct mill_deque *deque, int64_t capacity);

/* No other thread may be in a call, or make one afterwards.  Items left are forgotten. */
void mill_deque_fini(struct mill_deque *deque);

/* `item` is not NULL.  False when there is no memory to grow: the deque is as it was. */
bool mill_deque_push(struct mill_deque *deque, void *item);

/* NULL: empty, or a thief won the last item. */
void *mill_deque_pop(struct mill_deque *deque);

/* NULL: empty, or somebody else took the item first.  *lost (may be NULL) tells which: true
 * when the race was lost, so that trying again is worth while. */
void *mill_deque_steal(struct mill_deque *deque, bool *lost);

/* Exact for an owner without thieves; for everybody else a guess, never negative. */
int64_t mill_deque_size(struct mill_deque *deque);

#endif
