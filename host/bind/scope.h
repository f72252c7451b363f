/* scope: what one Lua state builds and waits for: its graph, its runs, its tasks that wait.
 * The script has one, each worker has one; all of it is that thread's alone.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_SCOPE_H
#define MILL_SCOPE_H

#include <lua.h>

#include "bind/history.h"
#include "bind/shortage.h"
#include "cache/lookup.h"
#include "sched/suspended.h"

struct tidemill;
struct mill_visit;

/* A task of a worker's scope that waits; its number is the Lua side's name for it. */
struct mill_parked {
    struct mill_wait *wait; /* NULL: the place is free */
    struct mill_suspended task;
    struct mill_lookup_worker lookup;
    uint32_t next_free;
};

struct mill_scope {
    struct tidemill *engine;
    struct mill_worker *worker; /* NULL: the script's */
    lua_State *L;
    struct mill_visit *visit;       /* what mill_state_call is about to run */
    int handler, visitor;           /* its functions, by their references in the registry */
    struct mill_holdings *holdings; /* the worker's, or `own` */
    struct mill_holdings own;
    struct mill_shortage shortage;
    struct mill_graph graph;
    struct mill_run **left; /* runs that still run and whose handles are gone */
    size_t left_count, left_room;
    struct mill_history history; /* the script's */
    struct mill_parked *parked;
    uint32_t parked_count, first_free; /* from 1; 0: none */
    _Atomic int32_t heap;              /* kilobytes of Lua when many tasks waited */
    uint32_t starts;                   /* of runs by tasks while many wait */
    bool short_of_memory;              /* found at one of them */
};

void mill_scope_init(struct mill_scope *scope, struct tidemill *engine,
                     struct mill_worker *worker);

/* The state is about to get a value of so many bytes, or has given away one that it will not look at
 * again: collects when so many came that most of the heap may be garbage.  LuaJIT's own collector
 * takes steps by the number of values, and is left behind by large ones.  May run finalizers. */
void mill_scope_take_up(lua_State *L, size_t bytes);

/* No worker runs any more. */
void mill_scope_fini(struct mill_scope *scope);

/* A reference of a run is given back: with the last one it is freed, now when it has ended, else by
 * a later sweep. */
void mill_scope_leave(struct mill_scope *scope, struct mill_run *run);
void mill_scope_sweep(struct mill_scope *scope); /* frees those left ones that have ended */

/* A number for a task that will wait; 0: no memory. */
uint32_t mill_scope_reserve(struct mill_scope *scope);
void mill_scope_release(struct mill_scope *scope, uint32_t number);

#endif
