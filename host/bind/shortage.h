/* shortage: a worker's Lua state that finds no memory.  LuaJIT does not collect then, and a task may catch the
 * error and leave a heap full of garbage behind: the tasks after it would find none either, on every worker.
 * So the worker is to collect before its next task.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SHORTAGE_H
#define MILL_SHORTAGE_H

#include <lua.h>

struct mill_worker;

struct mill_shortage {
    struct mill_worker *worker;
    lua_Alloc allocate; /* of the state itself; NULL: it is not watched */
    void *data;
};

/* Watches a worker's state from now on. */
void mill_shortage_watch(struct mill_shortage *shortage, lua_State *L,
                         struct mill_worker *worker);

/* Before the state is closed: LuaJIT frees its heap only where it knows the allocator as its own. */
void mill_shortage_leave(struct mill_shortage *shortage, lua_State *L);

#endif
