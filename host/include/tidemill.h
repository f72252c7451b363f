/* tidemill.h: the one public header of Tidemill, and its manual.
 *
 * An engine is one value: it owns a LuaJIT state for the script, worker threads with a state
 * each, a work-stealing scheduler and a cache of results.  Two engines in one process do not
 * know of each other.  Nothing here is global.
 *
 *     tidemill_config config = { .size = sizeof config };
 *     tidemill *engine;
 *     if (tidemill_open(&config, &engine) != TIDEMILL_OK) ...
 *     if (tidemill_run_file(engine, "job.lua", 0, NULL) != TIDEMILL_OK)
 *         fprintf(stderr, "%s\n", tidemill_error(engine));
 *     tidemill_close(engine);
 *
 * Threads: any thread may call.  Functions of one engine run one after another, since there is one
 * script's state: who calls while another thread's script runs waits for it.  Those whose comment says
 * "at once" do not wait.  A thread that is in a call (in a function of the host that a script calls) may
 * call again.
 * Forks: in a child that forks off, the engines of its parent are of no use: every call fails with
 * TIDEMILL_UNSUPPORTED, also tidemill_close.  A child opens engines of its own.
 * Errors: functions return a status, 0 is success; the text for people stays in the engine until the next
 * call of the same thread.
 * SPDX-License-Identifier: MIT */
#ifndef TIDEMILL_H
#define TIDEMILL_H

#include <stddef.h>
#include <stdint.h>

#define TIDEMILL_VERSION "0.1.0"

#if defined(_WIN32)
#error "Tidemill runs on Linux"
#endif
#define TIDEMILL_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tidemill tidemill;

typedef enum tidemill_status {
    TIDEMILL_OK = 0,
    TIDEMILL_ERROR = 1,        /* a script or a task raised an error */
    TIDEMILL_USAGE = 2,        /* wrong argument, option or setting */
    TIDEMILL_SYNTAX = 3,       /* Lua text that does not compile */
    TIDEMILL_INCOMPLETE = 4,   /* tidemill_eval: Lua text that more lines could complete */
    TIDEMILL_IO = 5,           /* a file could not be read or written */
    TIDEMILL_DATA = 6,         /* a file was read and its content is wrong */
    TIDEMILL_MEMORY = 7,       /* out of memory */
    TIDEMILL_CANCELLED = 8,    /* tidemill_interrupt was called */
    TIDEMILL_EXIT = 9,         /* the script called os.exit; see tidemill_exit_status */
    TIDEMILL_UNSUPPORTED = 10, /* this build or machine cannot do it */
    TIDEMILL_BUSY = 11,        /* something has not ended yet */
    TIDEMILL_DEADLINE = 12     /* the script has taken longer than tidemill_config's deadline */
} tidemill_status;

/* ---- Opening and closing -------------------------------------------------------------- */

enum { TIDEMILL_SERIAL = -1 };

/* Zero (or NULL) in a field means its default. */
typedef struct tidemill_config {
    size_t size; /* sizeof (tidemill_config): lets an older host use a newer library */
    int workers; /* worker threads; 0: as many CPUs as the process may really use;
                            TIDEMILL_SERIAL: none, tasks run on the calling thread */
    const char
        *cache;    /* cache database; NULL: $XDG_CACHE_HOME/tidemill/cache.db; "off": none */
    int progress;  /* 0: none; 1: plain lines; 2: a live line (a terminal); on stderr */
    int notes;     /* where tm.say, a script's own summary, goes: 0: stdout; 1: stderr;
                      2: nowhere.  Warnings go to `warning` whatever this says */
    uint64_t seed; /* seed of random streams */
    /* Receives warnings, one line without newline each, from any thread, never two at once.
     * NULL: they go to stderr, prefixed "tidemill: ". */
    void (*warning)(void *context, const char *text);
    void *context;
    /* A script in a process of its own: see Limits. */
    double deadline;            /* seconds that each run, call or job may take; 0: no limit */
    uint64_t memory;            /* bytes that the script's process may use; 0: no limit */
    int sandbox;                /* 1: the script is not trusted */
    const char *const *allow;   /* names that are open to it besides, then NULL; NULL: none */
    const char *const *modules; /* modules that its `require` may load, then NULL; NULL: none */
    double
        close_patience; /* seconds that tidemill_close waits for tasks, and again for those that it
                              has cancelled; 0: 10; INFINITY: until they end; negative: not at all */
    const char *worker_program; /* what runs tasks in processes of their own; NULL: the program
                                   tidemill beside the library, see docs/lanes.md */
} tidemill_config;

/* Opens an engine.  Threads start with the first task that needs them.  On failure *engine is
 * still set (unless memory is short: then NULL) so that tidemill_error can be read; close it. */
TIDEMILL_API tidemill_status tidemill_open(const tidemill_config *config, tidemill **engine);

/* Waits for submitted tasks to end, as long as config.close_patience says; cancels those that have not,
 * and waits as long again; then writes what the cache still holds in memory, stops the threads and frees
 * everything.  After tidemill_interrupt it cancels at once; one that comes while it waits ends that
 * wait.  NULL is fine.  When it fails the engine is there as before, threads and all:
 * TIDEMILL_BUSY: a task will not end, such as a compiled endless loop, or another thread's call;
 *     tidemill_error names it and its worker.  Closing again tries again; a program that leaves
 *     without calls tidemill_flush first.
 * TIDEMILL_USAGE: from inside a call, or a callback.
 * TIDEMILL_UNSUPPORTED: from a task, or in a child that has forked off. */
TIDEMILL_API tidemill_status tidemill_close(tidemill *engine);

/* At once.  Text of this thread's last failure with `engine`, with a Lua traceback where there is one; ""
 * after a success.  Belongs to the engine; valid until the thread's next call.  NULL engine: out of
 * memory. */
TIDEMILL_API const char *tidemill_error(tidemill *engine);

/* "0.1.0 (LuaJIT 2.1.0-beta3)": release of the library that runs. */
TIDEMILL_API const char *tidemill_version(void);

/* ---- Values ----------------------------------------------------------------------------- */

/* A Lua value outside of Lua: immutable, of no engine, alive as long as somebody holds it.  All zeros is
 * nil.  It is copied like a number; a copy does not count.  Whoever gets one from a function below or
 * from a call owns a reference, and gives it back by tidemill_release; arguments stay the caller's.
 * All functions of this section: at once, any thread. */
typedef struct tidemill_value {
    uint64_t opaque[2];
} tidemill_value;

typedef enum tidemill_kind {
    TIDEMILL_KIND_NIL = 0,
    TIDEMILL_KIND_BOOLEAN = 1,
    TIDEMILL_KIND_NUMBER = 2, /* a double */
    TIDEMILL_KIND_INT64 = 3,  /* a 64-bit integer of LuaJIT: 1LL */
    TIDEMILL_KIND_UINT64 = 4, /* 1ULL */
    TIDEMILL_KIND_STRING = 5,
    TIDEMILL_KIND_TABLE = 6,
    TIDEMILL_KIND_ARRAY = 7,
    TIDEMILL_KIND_FRAME = 8,    /* named columns of one length */
    TIDEMILL_KIND_FUNCTION = 9, /* a copy, as tasks get them: with the upvalues that it had */
    TIDEMILL_KIND_OTHER = 10    /* a channel, a pool: to be handed on */
} tidemill_kind;

TIDEMILL_API tidemill_kind tidemill_kind_of(tidemill_value value);

/* Another reference, or one less. */
TIDEMILL_API tidemill_value tidemill_retain(tidemill_value value);
TIDEMILL_API void tidemill_release(tidemill_value value);

TIDEMILL_API tidemill_value tidemill_from_boolean(int truth);
TIDEMILL_API tidemill_value tidemill_from_number(double number);
TIDEMILL_API tidemill_value tidemill_from_int64(int64_t integer);
TIDEMILL_API tidemill_value tidemill_from_uint64(uint64_t natural);

/* A string of `size` bytes, which are copied and may be any.  TIDEMILL_MEMORY. */
TIDEMILL_API tidemill_status tidemill_from_string(const char *bytes, size_t size,
                                                  tidemill_value *string);

/* What Lua takes for true: anything but nil and false. */
TIDEMILL_API int tidemill_to_boolean(tidemill_value value);

/* 1: the value is a number, or a 64-bit integer, that the type holds exactly; 0 otherwise, and the
 * place is untouched. */
TIDEMILL_API int tidemill_to_number(tidemill_value value, double *number);
TIDEMILL_API int tidemill_to_int64(tidemill_value value, int64_t *integer);
TIDEMILL_API int tidemill_to_uint64(tidemill_value value, uint64_t *natural);

/* The bytes of a string, *size of them, with no zero behind them: print with "%.*s".  Valid while *value
 * is in place and held.  NULL: it is no string. */
TIDEMILL_API const char *tidemill_to_string(const tidemill_value *value, size_t *size);

/* ---- Tables ------------------------------------------------------------------------------ */

typedef struct tidemill_field {
    const char *name;
    tidemill_value value;
} tidemill_field;

/* A table with the keys 1..count from `list`, and named fields; copies what they are, and their values
 * stay the caller's.  TIDEMILL_USAGE: a nil in the list, a name twice or NULL, tables nested deeper than
 * 200; TIDEMILL_MEMORY.  At once, as all of this section. */
TIDEMILL_API tidemill_status tidemill_from_table(const tidemill_value *list, size_t count,
                                                 const tidemill_field *fields,
                                                 size_t field_count, tidemill_value *table);

/* Elements of a table's list (its keys 1, 2, .. without a gap) or of an array, rows of a frame, bytes of a
 * string; 0 of all else. */
TIDEMILL_API size_t tidemill_length(tidemill_value value);

/* table[position], from 1; nil when there is none, or it is no table.  The time is that of a walk there:
 * to read all use tidemill_next.  The caller releases *element.  TIDEMILL_MEMORY;
 * TIDEMILL_UNSUPPORTED: a function that shares upvalues with another part of the table. */
TIDEMILL_API tidemill_status tidemill_at(tidemill_value table, int64_t position,
                                         tidemill_value *element);

/* table[name], or a column of a frame; else as tidemill_at. */
TIDEMILL_API tidemill_status tidemill_get(tidemill_value table, const char *name,
                                          tidemill_value *value);

/* Where a walk through a table is; all zeros before the first step. */
typedef struct tidemill_cursor {
    uint64_t opaque[4];
} tidemill_cursor;

/* The next key and value: 1, 2, .. first, then number keys in order, strings in order of their bytes,
 * others.  *more is 0, and key and value nil, at the end.  The caller releases both.  Errors as
 * tidemill_at. */
TIDEMILL_API tidemill_status tidemill_next(tidemill_value table, tidemill_cursor *cursor,
                                           int *more, tidemill_value *key,
                                           tidemill_value *value);

/* ---- Arrays ------------------------------------------------------------------------------ */

/* The memory of an array: its elements, row by row, without gaps. */
typedef struct tidemill_array {
    size_t size; /* sizeof (tidemill_array) */
    const char *
        type; /* "float64", "float32", "int8" to "int64", "uint8" to "uint64", "bool" (a byte, 0 or
                         1), "date" (int32 days since 1970-01-01), "timestamp" (int64 microseconds
                         since then, UTC); when read also "utf8" and "dictionary" */
    int dimensions; /* 1 to 8 */
    int64_t shape[8];
    const void *data; /* aligned to the type; utf8: the bytes of all strings; dictionary:
                                 int32 positions from 0 in a list of strings (see Arrow) */
    const uint8_t
        *validity;          /* a bit an element, lowest first, 1: there is one; NULL: all are */
    const int32_t *offsets; /* utf8: where each string begins, and the end of the last */
} tidemill_array;

/* At once.  An array over memory of the host, without a copy.  Nobody may change that until
 * release(context, data) was called (NULL: it stays for good), once, by whichever thread drops the last
 * reference, perhaps after the engine is gone: it must not call this library, but for functions "at
 * once".  Where something else than NaN, or 0 in types without NaN, lies under a missing element, the
 * elements are copied and released at once, so that who reads them does not meet it.  The memory is in no account of the engine.  On failure `release` is not called.
 * TIDEMILL_USAGE: the description is wrong (how, tidemill_error says when an engine is given; it may be
 * NULL); TIDEMILL_UNSUPPORTED: strings, which come by Arrow; TIDEMILL_MEMORY. */
TIDEMILL_API tidemill_status tidemill_from_array(tidemill *engine, const tidemill_array *array,
                                                 void (*release)(void *context, void *data),
                                                 void *context, tidemill_value *value);

/* At once.  Where an array's memory is, to be read in place while the value is held.  Set array->size
 * before.  1; 0: the value is no array, and *array is untouched. */
TIDEMILL_API int tidemill_to_array(tidemill_value value, tidemill_array *array);

/* ---- Arrow ------------------------------------------------------------------------------- */

/* Arrays and frames in place in other engines of the process (pyarrow, DuckDB, Polars), and theirs here, by
 * Arrow's C Data Interface.  Its two structs are those of the specification, "The Arrow C data
 * interface", and another header may have declared them. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE           2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

/* Fills both structs with what an array or a frame is: a frame is a struct of its columns, an array of
 * several axes lists of a fixed size in each other.  Nothing is copied but bools, which are bits there.
 * What they point to stays until both have been released, or what was moved out of them: by any thread,
 * also after the engine was closed.  On failure the `release` of both is NULL.  TIDEMILL_USAGE: it is
 * neither array nor frame, or a script has put other things into the frame; TIDEMILL_MEMORY.  Why,
 * tidemill_error says when an engine is given; it may be NULL.  At once, as all of this section. */
TIDEMILL_API tidemill_status tidemill_to_arrow(tidemill *engine, tidemill_value value,
                                               struct ArrowSchema *schema,
                                               struct ArrowArray *array);

/* The array, or of a struct the frame, of two structs that somebody has filled; the caller releases it
 * like each value.  Takes both structs over, on failure too: their `release` is NULL afterwards.  What
 * the array owns is released once, column by column, when no value and no task has it any more, by
 * any thread.
 *     In place are ints, floats, "u", "tdD", "tsu:", and "i" codes of a dictionary of strings; copied:
 * bools, other codes, "U", "tdm", other times, floats with nulls (which are NaN here), what begins
 * inside a byte of its bitmap or is not aligned.  A zone of times is dropped, they are UTC.
 *     On failure *value is nil, and tidemill_error names column and format.  TIDEMILL_UNSUPPORTED: a type,
 * time or null that there is not here; TIDEMILL_DATA: the structs contradict themselves;
 * TIDEMILL_MEMORY.  Sizes of buffers cannot be checked: the interface does not tell them. */
TIDEMILL_API tidemill_status tidemill_from_arrow(tidemill *engine, struct ArrowSchema *schema,
                                                 struct ArrowArray *array,
                                                 tidemill_value *value);

/* ---- Limits ------------------------------------------------------------------------------- */

/* With `deadline`, `memory` or `sandbox` the script, its tasks and its cache live in a process
 * of their own, which the program `tidemill` is (setting worker_path), and which this engine
 * speaks to: what fails there, loops for ever, takes all memory or crashes ends that process
 * and never this one.  tidemill_run_file, _run_string, _run_shipped, _result, _result_json,
 * _call, _set, _interrupt and _close do what they do elsewhere, and so do jobs and callbacks;
 * sessions, where the script is trusted.  Functions that need the script's state here return
 * TIDEMILL_UNSUPPORTED.
 *
 * A run or call that passes its deadline returns TIDEMILL_DEADLINE, one whose process holds more than
 * `memory` TIDEMILL_MEMORY, one whose process ends TIDEMILL_ERROR, and tidemill_error says which; an
 * interrupt that the script does not heed within 2 seconds ends the process, too.  What the script had
 * defined is gone then: the next run starts a new process, and a call or result before it is TIDEMILL_ERROR.
 *
 * A job's time begins when its task does, not when it is submitted; one whose task does not begin though no other
 * job runs has that long, too.  One that passes its deadline fails with TIDEMILL_DEADLINE at once, and is
 * cancelled; where it has not stopped 2 seconds later the process ends.  Jobs that a process takes along fail
 * with TIDEMILL_ERROR, of too much memory with TIDEMILL_MEMORY, and say why; their results that had come are kept.
 * tidemill_close is never TIDEMILL_BUSY for a job there: the process is ended, and the job counts as cancelled.
 *
 * `sandbox`: the script finds no FFI, io, debug, jit, package, string.dump, bytecode or files, of os clock, date,
 * difftime and time, and of tm what touches no file, network or C code; lua/tidemill/confine.lua has
 * the lists and docs/sandbox.md explains them.  `allow` opens closed names ("read_csv", "array", "io").  A
 * name that there is not is TIDEMILL_USAGE of tidemill_open.  Values that come out are data: functions
 * stay there.
 *
 * Functions of the host are called by message, on the thread that waits for the script, while its deadline
 * goes on; tasks do not have them.  With `sandbox` only those with TIDEMILL_SANDBOX can be registered. */

/* ---- Running Lua ---------------------------------------------------------------------- */

/* Runs a file ("-": stdin) with argv as `...` and `arg` (arg[0] is the path).  The path is
 * tried as given.  What the script returns is kept for tidemill_result_json. */
TIDEMILL_API tidemill_status tidemill_run_file(tidemill *engine, const char *path, int argc,
                                               char **argv);

/* Runs a script shipped inside the library, such as "day_trade"; TIDEMILL_USAGE when there is
 * none of that name. */
TIDEMILL_API tidemill_status tidemill_run_shipped(tidemill *engine, const char *name, int argc,
                                                  char **argv);

/* Calls visit(context, name, summary) for each shipped script, in order of name. */
TIDEMILL_API void tidemill_each_shipped(void (*visit)(void *context, const char *name,
                                                      const char *summary),
                                        void *context);

/* Runs Lua text; `name` is what errors call it.  `tm` is a global there. */
TIDEMILL_API tidemill_status tidemill_run_string(tidemill *engine, const char *code,
                                                 const char *name, int argc, char **argv);

/* The value that the last script returned, as JSON: keys sorted, shortest numbers that
 * round-trip, NaN and infinities null.  *text is malloc'ed; the caller frees it. */
TIDEMILL_API tidemill_status tidemill_result_json(tidemill *engine, char **text);

/* The same as a value, which the caller releases. */
TIDEMILL_API tidemill_status tidemill_result(tidemill *engine, tidemill_value *value);

/* The status given to os.exit after a call returned TIDEMILL_EXIT. */
TIDEMILL_API int tidemill_exit_status(tidemill *engine);

/* Rows dropped, fallbacks taken, batch failures: what --strict turns into exit status 3. */
TIDEMILL_API int64_t tidemill_strict_count(tidemill *engine);

/* ---- Calling Lua ------------------------------------------------------------------------- */

/* Calls a global function of the script, "on_bar", or one inside tables, "strategy.on_bar", as it is now,
 * with `count` arguments; puts `wanted` results into `results`, nil where it returns fewer, which the
 * caller releases.  On failure they are all nil.  Tables and functions cross by value, arrays and
 * frames by reference.  What it submits goes on behind the call; the next run, or the close, waits.
 * TIDEMILL_USAGE: there is no such function, or a result does not cross; TIDEMILL_ERROR, _MEMORY,
 * _CANCELLED, _EXIT as for a run. */
TIDEMILL_API tidemill_status tidemill_call(tidemill *engine, const char *name,
                                           const tidemill_value *arguments, size_t count,
                                           tidemill_value *results, size_t wanted);

/* ---- Functions of the host --------------------------------------------------------------- */

/* One call of a function of the host by a script. */
typedef struct tidemill_invocation tidemill_invocation;

enum {
    TIDEMILL_THREAD_SAFE =
        1, /* tasks may call it too, several at once, from threads of the engine; then
                                it must not call functions of the engine but those "at once" */
    TIDEMILL_SANDBOX = 2 /* a script that is not trusted may call it: see Limits */
};

typedef struct tidemill_function {
    size_t size;      /* sizeof (tidemill_function) */
    const char *name; /* the global it becomes: "quote", or inside tables, "host.quote" */
    /* Types of arguments and results: "string, number? -> number".  Types are nil, boolean, number,
     * integer (a number without fraction, or a 64-bit one), string, table, array, frame, function
     * and any; "?": or nil; "..." behind the last argument: any more of any type.  What a script
     * gives is checked before the function is called.  "" or "->": takes nothing, gives nothing. */
    const char *signature;
    /* `arguments` stay the engine's, `count` is what the signature names at least (nil where the script
     * gave fewer).  `results` has a place for each result, nil at first; their references pass to
     * the engine, on failure too.  Whatever it returns but TIDEMILL_OK becomes a Lua error with the
     * text of tidemill_raise.  It must return: no longjmp, no C++ exception. */
    tidemill_status (*call)(void *context, tidemill_invocation *invocation,
                            const tidemill_value *arguments, size_t count,
                            tidemill_value *results);
    void *context;
    void (*release)(void *context); /* when the engine closes; NULL: nothing to do */
    unsigned flags;
    /* What it returns changes when this does: part of the keys of cached tasks that call it.  NULL: such
     * results are found again by this engine alone. */
    const char *version;
} tidemill_function;

/* Gives scripts a function of the host, now and for good.  The description is copied.
 * TIDEMILL_USAGE: a signature that cannot be read, a name that is taken, no function. */
TIDEMILL_API tidemill_status tidemill_register(tidemill *engine,
                                               const tidemill_function *function);

/* In a call of a function of the host: the text of its failure, which is copied; returns
 * TIDEMILL_ERROR. */
TIDEMILL_API tidemill_status tidemill_raise(tidemill_invocation *invocation, const char *text);

/* The engine whose script, or task, calls. */
TIDEMILL_API tidemill *tidemill_caller(tidemill_invocation *invocation);

/* Gives scripts, and their tasks, a C function over numbers and arrays without anything in between, as
 * tm.kernel gives those of shared objects: `declaration` is "double mean(const double *x, int64_t n);",
 * whose name is the global it becomes.  Pure: no state, any thread, and what it returns depends on
 * arguments alone; `version` as above.  Not for tasks in processes of their own. */
TIDEMILL_API tidemill_status tidemill_register_kernel(tidemill *engine, const char *declaration,
                                                      void (*kernel)(void),
                                                      const char *version);

/* ---- Jobs --------------------------------------------------------------------------------- */

/* A call of a function of the script that runs as a task, beside the script, other jobs and the host.
 * What of it has ended stays readable after the engine is closed; no job's function may be called while
 * that is going on.  Functions of this section are for any thread, and at once where nothing else is
 * said. */
typedef struct tidemill_job tidemill_job;

typedef enum tidemill_state {
    TIDEMILL_JOB_PENDING = 0,
    TIDEMILL_JOB_RUNNING = 1,
    TIDEMILL_JOB_FINISHED = 2, /* from here on it has ended */
    TIDEMILL_JOB_ERROR = 3,
    TIDEMILL_JOB_CANCELLED = 4,
    TIDEMILL_JOB_SKIPPED = 5 /* a task that it needed has failed */
} tidemill_state;

/* Not at once: the script's state copies the function.  Starts name(arguments...), where `name` is as
 * for tidemill_call and may be a delayed function; what it returns is the result.  `options` (NULL:
 * none) is a table of those of a task, docs/tasks.md: timeout, priority, lane, retries, cache... and
 * `name`, which is that of the function otherwise.  The job goes on when it is released.
 * TIDEMILL_USAGE: there is no such function; TIDEMILL_ERROR: an option, or what cannot cross. */
TIDEMILL_API tidemill_status tidemill_submit(tidemill *engine, const tidemill_value *options,
                                             const char *name, const tidemill_value *arguments,
                                             size_t count, tidemill_job **job);

TIDEMILL_API tidemill_state tidemill_job_state(tidemill_job *job);

/* Not at once: waits until it has ended, at most so many seconds; negative: for ever.  Needs neither
 * the script nor its lock, but in a serial engine, where it runs tasks meanwhile.  TIDEMILL_OK;
 * TIDEMILL_BUSY: it has not ended; TIDEMILL_UNSUPPORTED: from a task, or after a fork. */
TIDEMILL_API tidemill_status tidemill_wait(tidemill_job *job, double seconds);

/* What it returned, which the caller releases; nil on failure.  TIDEMILL_BUSY: it has not ended;
 * TIDEMILL_ERROR: it failed, or was skipped; TIDEMILL_CANCELLED.  A result that the cache answered is
 * read from there, for which the first call may wait for the script.  Of a script in a process of its own
 * also TIDEMILL_DEADLINE, TIDEMILL_MEMORY, and TIDEMILL_USAGE: the result does not cross (see Limits). */
TIDEMILL_API tidemill_status tidemill_job_result(tidemill_job *job, tidemill_value *value);

/* Why it failed, with the script's frames; "" when it did not.  Valid until the job is released. */
TIDEMILL_API const char *tidemill_job_error(tidemill_job *job);

/* Keeps it from starting; one that runs ends at its next wait, or by tm.cancelled(), and at once in a
 * process of its own, that is a task of the lane `process`. */
TIDEMILL_API void tidemill_cancel(tidemill_job *job);

/* Gives the handle back.  NULL is fine. */
TIDEMILL_API void tidemill_job_release(tidemill_job *job);

/* ---- Callbacks ---------------------------------------------------------------------------- */

/* All of them are called by tidemill_poll alone, on the thread that calls that, without any lock: they
 * may call every function but tidemill_close. */

/* Once the job has ended, also when it has ended already, and when its handle was given back; `job` is
 * there during the call.  One a job: another takes its place.  At once, any thread. */
TIDEMILL_API tidemill_status tidemill_on_result(
    tidemill_job *job, void (*notify)(void *context, tidemill_job *job), void *context);

/* Tasks, since there were none. */
typedef struct tidemill_progress {
    int64_t done, total; /* total grows while tasks start tasks */
    int64_t running, failed;
} tidemill_progress;

enum { TIDEMILL_LOG_DEBUG, TIDEMILL_LOG_INFO, TIDEMILL_LOG_WARN, TIDEMILL_LOG_ERROR };

typedef struct tidemill_log {
    int level;
    int worker;       /* that has said it; 0: the script */
    const char *task; /* in which; NULL: in none */
    const char *text;
    const char *fields; /* a JSON object */
} tidemill_log;

typedef struct tidemill_listener {
    size_t size; /* sizeof (tidemill_listener) */
    /* What has changed, a few times a second; what came between is left out.  NULL: not wanted.  Of a script
     * in a process of its own both are told a moment after they happen, and a line of more than 32 KiB
     * only that there was one. */
    void (*progress)(void *context, const tidemill_progress *progress);
    /* Lines of tm.log, and of the engine, from the setting log_level on.  Of more than 1,000 that
     * nobody has polled the later ones are left out, and counted in a line that follows. */
    void (*log)(void *context, const tidemill_log *line);
    void *context;
} tidemill_listener;

/* At once, any thread.  In place of the one before; NULL: none. */
TIDEMILL_API tidemill_status tidemill_listen(tidemill *engine,
                                             const tidemill_listener *listener);

/* At once, any thread.  For poll, select or epoll (level or edge): readable when callbacks may be due.
 * The engine's: not to be read, written or closed.  -1: out of descriptors. */
TIDEMILL_API int tidemill_poll_descriptor(tidemill *engine);

/* Any thread.  Calls what is due, and gives how many callbacks that were; when nothing is waits for
 * something, at most so many seconds; 0: does not wait; negative: for ever.  tidemill_interrupt ends
 * the wait.  -1: from a task, after a fork, or out of descriptors. */
TIDEMILL_API int tidemill_poll(tidemill *engine, double seconds);

/* ---- An interactive session ------------------------------------------------------------- */

/* One line or more of it: an expression's values are printed, a statement runs and its locals stay,
 * `:word` is a command; tidemill_help(engine, "repl") tells of them.  TIDEMILL_INCOMPLETE: read
 * another line, append it, call again.  TIDEMILL_EXIT: it was :quit, or os.exit. */
TIDEMILL_API tidemill_status tidemill_eval(tidemill *engine, const char *code);

/* How the last word of `before`, the input up to the cursor, can go on: whole words, one a line, ""
 * when there are none.  Runs nothing of the user's.  *text is malloc'ed; the caller frees it. */
TIDEMILL_API tidemill_status tidemill_complete(tidemill *engine, const char *before,
                                               char **text);

/* What the documentation says of a name ("array:mean", "cache"), in which it finds "/word"; of "" the
 * list of pages.  TIDEMILL_USAGE: nothing.  *text is malloc'ed; the caller frees it. */
TIDEMILL_API tidemill_status tidemill_help(tidemill *engine, const char *word, char **text);

/* ---- Explaining and recording --------------------------------------------------------- */

/* Before a script: which of its tasks are answered from the cache, and why others are not, is taken
 * down.  `dry` not 0: no task runs; the script goes on as long as the cache has what it wants and
 * ends, with TIDEMILL_EXIT, where it does not. */
TIDEMILL_API tidemill_status tidemill_explain(tidemill *engine, int dry);

/* What was taken down so far, in lines, none while no task was looked at; of one task name when `task` is
 * not NULL.  *text is malloc'ed; the caller frees it. */
TIDEMILL_API tidemill_status tidemill_explanation(tidemill *engine, const char *task,
                                                  char **text);

/* Before a script: what a person needs to trust or repeat its run is taken down. */
TIDEMILL_API tidemill_status tidemill_record(tidemill *engine);

/* The record as JSON; `problem` (or NULL) is the error that has ended the script, `json` (or NULL) the
 * text that was written of its result.  *text is malloc'ed; the caller frees it. */
TIDEMILL_API tidemill_status tidemill_record_json(tidemill *engine, int exit_status,
                                                  const char *problem, const char *json,
                                                  char **text);

/* What differs between two files of such records, in lines; "": nothing.  *text is malloc'ed; the
 * caller frees it. */
TIDEMILL_API tidemill_status tidemill_diff(tidemill *engine, const char *first,
                                           const char *second, char **text);

/* ---- Stopping ------------------------------------------------------------------------- */

/* At once, also in a signal handler.  Cancels the tasks of the running call, which returns
 * TIDEMILL_CANCELLED as soon as the script lets it; a compiled Lua loop does not.  In a signal handler
 * on the engine's own thread it ends the interpreted Lua code of tidemill_eval, too. */
TIDEMILL_API void tidemill_interrupt(tidemill *engine);

/* At once.  Commits what the cache's writer holds, waiting at most `seconds`.  After it the
 * process may leave by _exit without losing a finished result. */
TIDEMILL_API tidemill_status tidemill_flush(tidemill *engine, double seconds);

/* ---- Messages ---------------------------------------------------------------------------- */

/* At once.  The one of `count` names that a user who wrote `word` probably meant; NULL when
 * none is near.  For messages about unknown options and commands. */
TIDEMILL_API const char *tidemill_nearest(const char *word, const char *const *names,
                                          size_t count);

/* ---- Looking around ------------------------------------------------------------------- */

/* Sets a setting as the command line does, stronger than the environment, scripts and files; names
 * are those of `tidemill config`, besides "config": a file to read first.  Before what it changes
 * has started; unknown names and wrong values are TIDEMILL_USAGE. */
TIDEMILL_API tidemill_status tidemill_set(tidemill *engine, const char *name,
                                          const char *value);

/* Visits the settings in order of name: value, and where it comes from ("default", "file
 * PATH:LINE", "script", "environment NAME", "command line").  Reads the files of settings, of the
 * folder of `script` too when it is not NULL; nothing is started. */
TIDEMILL_API tidemill_status tidemill_each_setting(
    tidemill *engine, const char *script,
    void (*visit)(void *context, const char *name, const char *value, const char *source),
    void *context);

/* The same as a JSON object.  *text is malloc'ed; the caller frees it. */
TIDEMILL_API tidemill_status tidemill_settings_json(tidemill *engine, const char *script,
                                                    char **text);

/* What this build and machine offer, one visit a line in a fixed order, such as
 * ("LuaJIT", "2.1.0-beta3, GC64, JIT on").  Does not start threads.  */
TIDEMILL_API void tidemill_doctor(tidemill *engine,
                                  void (*visit)(void *context, const char *what,
                                                const char *finding),
                                  void *context);

/* One line of tidemill_doctor, such as "workers", without looking for the rest: `text` gets as much of it
 * as `room` bytes hold, terminated.  TIDEMILL_USAGE when there is no such line. */
TIDEMILL_API tidemill_status tidemill_finding(tidemill *engine, const char *what, char *text,
                                              size_t room);

/* ---- Examples ---------------------------------------------------------------------------- */

/* At once.  Visits the programs to learn from, in order of name ("01_sum_of_squares.lua",
 * "embed/smallest.c"): what each shows, and its text, which ends with what it prints and is there until
 * visit returns.  A text that cannot be unpacked is NULL, and the summary says why. */
TIDEMILL_API void tidemill_each_example(void (*visit)(void *context, const char *name,
                                                      const char *summary, const char *text),
                                        void *context);

/* At once.  The text of a strategy to begin with, which runs as it is and is there to be changed. */
TIDEMILL_API const char *tidemill_starter(void);

/* ---- Looking after the cache ------------------------------------------------------------ */

/* What is asked of the cache that the settings name; zero or NULL where a command takes it not. */
typedef struct tidemill_cache_request {
    size_t size;         /* sizeof (tidemill_cache_request) */
    const char *command; /* one of those that tidemill_each_cache_command visits */
    const char *word;    /* show: a key, or how it begins; export, import: the file */
    const char *task;    /* ls, export: entries of tasks of this name alone */
    int64_t limit;       /* ls: so many, the newest; 0: all */
    int repair;          /* verify: remove what is broken */
    int json; /* text is a JSON object: keys sorted, bytes, seconds, "schema": 1; else it
                            is for people */
    int all; /* clear: the database itself and all files beside it, too, when nobody else uses it */
} tidemill_cache_request;

/* Does it; other processes may use the cache meanwhile, and running tasks of this engine.  *text,
 * malloc'ed, the caller frees it, is what there is to say; NULL when it failed before it had
 * something.  Only "import" makes a cache where none is: TIDEMILL_IO.  TIDEMILL_DATA: no such
 * key, or "verify" has found damage that it was not asked to repair, or cannot. */
TIDEMILL_API tidemill_status tidemill_cache(tidemill *engine,
                                            const tidemill_cache_request *request, char **text);

/* At once.  Visits the commands of tidemill_cache: what each one's `word` is ("KEY"; NULL: it
 * takes none), which of the fields "task", "limit", "repair", "all" it takes, between blanks, and a
 * summary. */
TIDEMILL_API void
tidemill_each_cache_command(void (*visit)(void *context, const char *name, const char *word,
                                          const char *fields, const char *summary),
                            void *context);

/* ---- The process ----------------------------------------------------------------------- */

/* For a program whose process is Tidemill's alone, at its beginning, before anything uses SQLite: makes
 * settings that are the whole process's.  SQLite keeps no account of its memory
 * (sqlite3_memory_used), for which threads that look into the cache wait for each other otherwise:
 * they find a sixth more. */
TIDEMILL_API void tidemill_own_process(void);

/* ---- Worker processes ------------------------------------------------------------------ */

/* For the program tidemill alone, which an engine starts for tasks that run in a process of their
 * own: what `tidemill --worker DESCRIPTOR` does.  Serves the engine at the other end of the socket
 * until that is gone; the exit status. */
TIDEMILL_API int tidemill_worker_main(int descriptor);

#ifdef __cplusplus
}
#endif

#endif
