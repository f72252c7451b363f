/* room: blocks of elements that grow at their end.  The block belongs to the pointer at `block`, of
 * whatever type, which is NULL while there is none; where a function gives false, there was no memory
 * and all is as it was.  SPDX-License-Identifier: MIT */
#ifndef MILL_ROOM_H
#define MILL_ROOM_H

#include <stdbool.h>
#include <stddef.h>

/* Makes it a block of `count` elements, not 0, of `size` bytes. */
bool mill_room_set(void *block, size_t count, size_t size);

/* Makes it twice as large as *room, which follows; `least` elements when there was none. */
bool mill_room_grow(void *block, size_t *room, size_t size, size_t least);

/* Makes it twice as large as *room, or as large as `wanted` elements when that is more; *room follows. */
bool mill_room_reach(void *block, size_t *room, size_t size, size_t wanted);

/* Sees to it that there is room behind `count` elements for `more`. */
static inline bool mill_room_for(void *block, size_t count, size_t *room, size_t size,
                                 size_t more)
{
    return more <= *room - count || mill_room_reach(block, room, size, count + more);
}

/* The same for one more. */
static inline bool mill_room_for_one(void *block, size_t count, size_t *room, size_t size,
                                     size_t least)
{
    return count < *room || mill_room_grow(block, room, size, least);
}

#endif
