/* lib: what Lua sees of the engine: the module "tidemill.core", one table of C functions.
 * Each lib_*.c adds the functions of one subject; the Lua library in lua/tidemill is the only
 * caller.  SPDX-License-Identifier: MIT */
#ifndef MILL_LIB_H
#define MILL_LIB_H

#include "bind/engine.h"
#include "bind/handle.h"

/* lua_CFunction: opens "tidemill.core" for the state it is called in. */
int mill_open_core(lua_State *L);

/* Add functions to the table on top of the stack. */
void mill_lib_io(lua_State *L);      /* text in and out, files, CSV, environment */
void mill_lib_machine(lua_State *L); /* the machine's CPUs and memory */
void mill_lib_cache(lua_State *L);   /* values that users put into the cache */
void mill_lib_stats(lua_State *L);   /* what has happened so far */
void mill_lib_node(lua_State *L);    /* nodes */
void mill_lib_graph(lua_State *L);   /* starting runs */
void mill_lib_run(lua_State *L);     /* runs and results */
void mill_lib_view(lua_State *L);    /* graphs looked at */
void mill_lib_wait(lua_State *L);    /* how tasks and the script wait */
void mill_lib_channel(lua_State *L); /* channels and shared values */
void mill_lib_lease(lua_State *L);   /* who has a resource of a pool */
void mill_lib_task(lua_State *L);    /* the running task; workers' states */
void mill_lib_watch(lua_State *L);   /* the log, settings */
void mill_lib_record(lua_State *L);  /* what a run has read, for its record */
void mill_lib_explain(lua_State *L); /* what hits and what does not */
void mill_lib_operation(
    lua_State *L); /* what the hub does: waiting for it, HTTP, programs, files */
void mill_lib_socket(lua_State *L); /* connections and servers */
void mill_lib_array(lua_State *L);  /* arrays in files */
void mill_lib_kernel(lua_State *L); /* kernels of the user's */

/* Raises the text as a Lua error without a position. */
int mill_lib_raise(lua_State *L, const struct mill_error *error);

/* Raises in a child that has forked off the engine's process, where nothing would ever come. */
void mill_lib_check_here(lua_State *L);

/* Something was read: for the record of the run, and for the running task when it is cached. */
void mill_lib_note(lua_State *L, enum mill_read_kind kind, const char *name,
                   struct mill_hash hash);

/* Whether anybody wants that: spares a hash. */
bool mill_lib_notes(lua_State *L);

/* Pushes an array, with a reference of its own. */
void mill_lib_push_array(lua_State *L, struct mill_array *array);

/* Set a field of the table on top of the stack. */
static inline void mill_lib_set_number(lua_State *L, const char *name, double number)
{
    lua_pushnumber(L, number);
    lua_setfield(L, -2, name);
}

static inline void mill_lib_set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

/* What Lua holds of a run. */
struct mill_run_box {
    struct mill_run *run;
    struct mill_wait *wait; /* attached to its end; NULL: nobody has waited in a task yet */
};

/* Pushes a new one, without a run. */
struct mill_run_box *mill_lib_run_box(lua_State *L);

/* The run of a handle; raises. */
struct mill_run *mill_check_run(lua_State *L, int index);

/* In a dry run of the script: raises, and ends the script, when what was wanted of the run is not known
 * because tasks would have to run. */
void mill_lib_stop_dry(lua_State *L, struct mill_run *run);

/* Until when to wait: seconds of core.clock as nanoseconds; none: INT64_MAX.  Raises as
 * mill_lib_check_here. */
int64_t mill_lib_deadline(lua_State *L, int index);

/* Waits in a task: pushes "ended" or "waiting", or "park" and a number, with which the Lua side
 * lets other tasks run until it is told to go on. */
int mill_lib_wait_run(lua_State *L, struct mill_scope *scope, struct mill_run_box *box,
                      int64_t deadline);

/* Waits in any state for a source that closes once, which has one waiter; *wait is made by the first
 * call, and the caller's to unref.  Pushes "done", "waiting", "interrupted", an error's message, or
 * "park" and a number, and gives how many.  Raises. */
int mill_lib_wait_source(lua_State *L, struct mill_scope *scope, struct mill_source *source,
                         struct mill_wait **wait, int64_t deadline);

/* The engine runs from here on: what waits needs its pool.  Raises. */
void mill_lib_need_pool(lua_State *L);

/* A new wait of the scope's state, and a link to it for a source; NULL: no memory, for either. */
struct mill_wait *mill_lib_wait_linked(struct mill_scope *scope, struct mill_link **link);

/* Waits until a link of it fires, and takes over its reference.  Pushes "waiting", "interrupted", an
 * error's message, or "park" and a number, and gives how many; 0: look again; -1: an error, its
 * message is on the stack. */
int mill_lib_wait_for(lua_State *L, struct mill_scope *scope, struct mill_wait *wait,
                      int64_t deadline);

#endif
