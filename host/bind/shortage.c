/* shortage: a worker's Lua state that finds no memory.  SPDX-License-Identifier: MIT */
#include "bind/shortage.h"

#include "sched/mail.h"
#include "sched/worker.h"

static void *allocate(void *data, void *place, size_t before, size_t after)
{
    struct mill_shortage *shortage = data;
    void *got = shortage->allocate(shortage->data, place, before, after);
    if (got == NULL && after > 0) {
        shortage->worker->holdings.due = 1;
        mill_worker_call(shortage->worker);
    }
    return got;
}

void mill_shortage_watch(struct mill_shortage *shortage, lua_State *L,
                         struct mill_worker *worker)
{
    shortage->worker = worker;
    shortage->allocate = lua_getallocf(L, &shortage->data);
    lua_setallocf(L, allocate, shortage);
}

void mill_shortage_leave(struct mill_shortage *shortage, lua_State *L)
{
    if (shortage->allocate == NULL) return;
    lua_setallocf(L, shortage->allocate, shortage->data);
    shortage->allocate = NULL;
}
