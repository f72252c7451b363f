/* room: blocks of elements that grow at their end.  SPDX-License-Identifier: MIT */
#include "base/room.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool mill_room_set(void *block, size_t count, size_t size)
{
    void *old;
    memcpy(&old, block, sizeof old); /* it is no void * to the compiler */
    if (count > SIZE_MAX / 2 / size) return false;
    void *larger = realloc(old, count * size);
    if (larger == NULL) return false;
    memcpy(block, &larger, sizeof larger);
    return true;
}

bool mill_room_reach(void *block, size_t *room, size_t size, size_t wanted)
{
    if (*room > SIZE_MAX / 2) return false;
    if (wanted < *room * 2) wanted = *room * 2;
    if (!mill_room_set(block, wanted, size)) return false;
    *room = wanted;
    return true;
}

bool mill_room_grow(void *block, size_t *room, size_t size, size_t least)
{
    return mill_room_reach(block, room, size, *room ? *room * 2 : least);
}
