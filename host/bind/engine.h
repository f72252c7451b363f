/* engine: what one tidemill is made of; everything that is not on a stack hangs from here.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ENGINE_H
#define MILL_ENGINE_H

#include <lua.h>

#include "base/birth.h"
#include "bind/confine.h"
#include "bind/events.h"
#include "bind/gate.h"
#include "bind/identity.h"
#include "bind/keep.h"
#include "bind/limit.h"
#include "bind/scope.h"
#include "bind/settings.h"
#include "cache/inquiry.h"
#include "cache/ledger.h"
#include "cache/lookup.h"
#include "data/blas.h"
#include "sched/mean.h"
#include "watch/log.h"
#include "watch/output.h"
#include "watch/trace.h"

struct tidemill {
    struct mill_gate gate;   /* its lock guards what follows, but for what says otherwise */
    struct mill_error error; /* of the call that runs */
    char *message;           /* its long text; malloc'ed, or NULL */
    struct mill_birth birth; /* its process's: in a child that has forked off it is of no use */
    struct mill_jobs jobs;
    struct mill_events events;
    lua_State *L;                                      /* the script's state */
    struct mill_host_function *_Atomic host_functions; /* pushed at the front, by registering */
    struct mill_host_kernel *_Atomic host_kernels;     /* the same */
    struct mill_confine confine;                       /* that and the workers' states */
    struct mill_proxy *proxy; /* the script runs there, and L is NULL; NULL: it runs here */
    bool borrowed;            /* it belongs to the host program: `require "tidemill"` */
    struct mill_memory memory;
    struct mill_spill spill;
    struct mill_output output;
    struct mill_scope scope; /* the script's */
    struct mill_pool pool;
    _Atomic bool pool_open; /* read by tidemill_interrupt */
    pthread_mutex_t hub_lock;
    struct mill_hub *hub; /* guarded by hub_lock; NULL: nothing has asked for it yet */
    struct mill_store *_Atomic store; /* NULL: no cache; read by tidemill_flush */
    struct mill_files files;
    struct mill_blas blas; /* and its setting */
    struct mill_lookup lookup;
    struct mill_identity identity;
    struct mill_hash salt;          /* of the identity: part of every key */
    struct mill_inquiry *inquiry;   /* into all runs; NULL: nobody asks */
    struct mill_recorder *recorder; /* of what is read, for a record; NULL: none is kept */
    char *dry_stop; /* where a dry run of the script has ended, and why; NULL: it has not */
    uint64_t seed;
    int workers;      /* threads; 0: serial */
    char *cache_path; /* setting: NULL default, "off" */
    struct mill_keep_setting keep;
    bool cache_tried; /* whether mill_engine_open_cache was called */
    _Atomic bool interrupted;
    _Atomic bool typing; /* an input of a session runs, on the thread `typist` */
    pthread_t typist;
    int exit_status;
    bool exiting;    /* os.exit was called */
    double patience; /* seconds that closing waits, each time; negative: not at all */
    _Atomic int64_t degraded;
    struct mill_token *token;    /* of all that the script starts; NULL: memory was short */
    struct mill_means means;     /* of tasks' times, by name */
    struct mill_scope *scopes;   /* of the workers, by number; there while the pool is open */
    enum mill_strategy strategy; /* of runs that name none */
    int processes_most;          /* worker processes at once; 0: as many as workers */
    char *worker_path;           /* their program; NULL: found */
    struct mill_processes *processes; /* NULL: the lane has not started */
    struct mill_serve *serve;         /* in a worker process; NULL: this is none */
    int lane;                         /* of tasks that name none: a mill_lane; -1: as it fits */
    _Atomic bool serial_warned;       /* that a task's time-out and the like are not kept */
    pthread_mutex_t unasked_lock;
    struct mill_unasked *unasked; /* errors of tasks of tasks that nobody has asked for yet, the
                                     oldest first; guarded by unasked_lock */
    int unasked_count;
    pthread_mutex_t modules_lock;
    struct mill_module *modules; /* guarded by modules_lock: text of Lua modules by name */
    struct mill_reader *reader;  /* the script's thread's */
    char *package_path, *package_cpath; /* of the script, for workers; fixed at the first run */

    struct mill_settings settings; /* where the values come from that follow */
    struct mill_limit_setting limit_setting;
    struct mill_adaptive_setting adaptive_setting;
    struct mill_adapt *adapt;  /* NULL: the worker set is fixed */
    struct mill_limit *limits; /* of named resources */
    size_t limit_count;
    struct mill_log log;
    char run[9]; /* tells lines of the log from those of other engines; 8 hexadecimal digits */
    char *log_path; /* NULL: none */
    enum mill_log_format log_format;
    _Atomic bool log_tried;   /* whether the log's file was opened */
    struct mill_trace *trace; /* NULL: none; fixed when the workers start */
    char *trace_path;
    int64_t trace_events; /* of a worker, at most */
    bool trace_due;       /* something ran since it was written */
};

/* Whether this process is the engine's, and not a child that has forked off since. */
bool mill_engine_is_here(const struct tidemill *engine, struct mill_error *error);

/* Opens the pool and the cache when they are not.  Called before the first run. */
tidemill_status mill_engine_start(struct tidemill *engine, struct mill_error *error);

/* The thread for input and output, started by its first use; it is there until the engine stops.
 * Any thread, while the engine runs. */
struct mill_hub *mill_engine_hub(struct tidemill *engine, struct mill_error *error);

/* Opens the cache as set; once. A cache that cannot be used is a warning. */
void mill_engine_open_cache(struct tidemill *engine);

/* Threads for the largest set of workers that there may be by the settings; 0: serial. */
int mill_engine_threads(const struct tidemill *engine);

/* Stops the workers; tasks that run are waited for.  Then frees pool and cache. */
void mill_engine_stop(struct tidemill *engine);

/* A task of a run that a task has started has failed with `error`: kept until somebody asks how the
 * run ended, or the script ends. */
void mill_engine_report(struct tidemill *engine, struct mill_task *task,
                        const struct mill_value *error);

/* Somebody wants to know how the run ended: its errors are his business. */
void mill_engine_asked(struct tidemill *engine, struct mill_run *run);

/* The same of an error known by the task's name, malloc'ed, which is taken over; `run` NULL: of a task
 * in another process.  False: there are too many. */
bool mill_engine_add_unasked(struct tidemill *engine, struct mill_run *run, char *task,
                             const struct mill_value *error);

/* Sets the part of every key that stands for the engine; L: any of its states. */
void mill_engine_salt(struct tidemill *engine, lua_State *L);

/* The run is freed. */
void mill_engine_forget(struct tidemill *engine, struct mill_run *run);

/* Whether there are errors that nobody has asked for yet. */
bool mill_engine_has_unasked(struct tidemill *engine);

/* Takes the first error that nobody has asked for, with its task's name, malloc'ed; false: there is
 * none.  The others are dropped. */
bool mill_engine_unasked(struct tidemill *engine, char **task, struct mill_value *error);

/* Cancels everything that was started so far. */
void mill_engine_cancel_all(struct tidemill *engine);

/* Waits for all runs that nobody holds any more, and for those that tasks have started; false when
 * interrupted. */
bool mill_engine_wait(struct tidemill *engine);

/* A warning, said once; `context` is the engine. */
void mill_engine_warn(void *context, const char *text);

/* The engine and, in a worker's state, the worker of a Lua state. */
struct tidemill *mill_engine_of(lua_State *L);
struct mill_worker *mill_worker_of(lua_State *L); /* NULL in the script's state */
struct mill_scope *mill_scope_of(lua_State *L);

#endif
