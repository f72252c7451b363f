/* lookup: the cache's part in a run: the hooks by which tasks are answered from the store
 * instead of run, and their results kept.
 *
 * A hit is not read: it ends its task with a MILL_TAG_STORED
 * result, and whoever needs the value loads it then.  SPDX-License-Identifier: MIT */
#ifndef MILL_LOOKUP_H
#define MILL_LOOKUP_H

#include "cache/files.h"
#include "cache/key.h"
#include "cache/notes.h"
#include "cache/remarks.h"
#include "cache/store.h"
#include "sched/pool.h"

/* What the cache keeps for one worker; its thread's. */
struct mill_lookup_worker {
    struct mill_reader *reader; /* opened by the first lookup */
    struct mill_reads reads;    /* of the running task */
    struct mill_hash key;       /* of the running task */
    struct mill_called called;  /* the same, and what it was made of */
    bool keyed;                 /* the running task has a key */
    int ticket;                 /* of its claim of the key, see cache/board.h; 0: it has none */
    bool noted;                 /* a task with a key has started it, and reads what it reads */
    struct mill_notes *notes;   /* of what the running task has started; NULL: nothing yet */
    char fate;                  /* of the running task, a mill_called_verdict */
    int64_t began;
};

struct mill_lookup {
    struct mill_store *store; /* NULL: no cache; keys are made all the same, for streams */
    struct mill_files *files;
    struct mill_memory *memory;
    double ttl; /* seconds that a result may be used, when its task says nothing; 0: for ever */
    struct mill_lookup_worker *workers;
    int worker_count;
    struct mill_remarks remarks;
    struct mill_ledger *ledger;                    /* NULL: misses cannot be explained */
    void (*warn)(void *context, const char *text); /* any thread */
    /* Says where in a value the first part without content is (bind/anatomy.h). */
    void (*find_opaque)(const struct mill_value *value, char *out, size_t room);
    /* Told what a result that is used again depends on; any thread; NULL: nobody asks. */
    void (*seen)(void *context, char kind, const char *name, struct mill_hash hash);
    /* Told what a task has written that has been sent here by another process, which says what that means
     * for its cache; NULL: this is no such process. */
    void (*wrote)(void *context, const char *path);
    void *context;
};

bool mill_lookup_init(struct mill_lookup *lookup, int workers); /* false: no memory */
void mill_lookup_fini(struct mill_lookup *lookup);              /* no worker runs any more */

/* The same, then for other workers: `workers`, zeroed, is freed with the look-up. */
void mill_lookup_take(struct mill_lookup *lookup, struct mill_lookup_worker *workers,
                      int count);

/* The hooks of a run that has a cache. */
struct mill_hooks mill_lookup_hooks(struct mill_lookup *lookup);

/* Hooks a run, before it is submitted: tasks of it with equal keys run once. */
void mill_lookup_hook(struct mill_lookup *lookup, struct mill_run *run);

/* Whether what the running task of a worker reads matters. */
bool mill_lookup_notes(const struct mill_lookup *lookup, const struct mill_worker *worker);

/* The running task of a worker starts a run: the run's hooks and notes, when what it reads
 * matters. */
void mill_lookup_adopt(struct mill_lookup *lookup, const struct mill_worker *worker,
                       struct mill_run *run);

/* The running task of a worker has learnt what is in no key: its result is not kept. */
void mill_lookup_distrust(struct mill_lookup *lookup, const struct mill_worker *worker);

/* What the running task of a worker reads is noted; nothing when the task has no key. */
void mill_lookup_note(struct mill_lookup *lookup, const struct mill_worker *worker,
                      enum mill_read_kind kind, const char *name, struct mill_hash hash);

/* The same of a task that has run in another process: the bytes of what it has read there. */
void mill_lookup_join(struct mill_lookup *lookup, const struct mill_worker *worker,
                      const void *bytes, size_t size, bool unsound);

/* For a process that runs tasks for another one: what a run's tasks read is gathered in its notes,
 * which are read when it has ended. */
bool mill_lookup_gather(struct mill_lookup *lookup,
                        struct mill_run *run); /* false: no memory */
const struct mill_reads *mill_lookup_gathered(const struct mill_run *run);

/* Puts the value of an ended task in memory, from the store when it is only known by its hash.
 * False when it is not to be had. */
bool mill_lookup_load(struct mill_lookup *lookup, struct mill_reader *reader,
                      struct mill_task *task);

/* The reader of a worker, opened by its first use; NULL: no store. */
struct mill_reader *mill_lookup_reader(struct mill_lookup *lookup,
                                       const struct mill_worker *worker);

/* The worker has nothing to do: its reader keeps nobody waiting. */
void mill_lookup_rest(struct mill_lookup *lookup, const struct mill_worker *worker);

/* The running task is about to wait for others, which may wait for other processes. */
void mill_lookup_awaits(struct mill_lookup *lookup, const struct mill_worker *worker);

/* A task of the worker waits and others run there: what is kept of it meanwhile. */
void mill_lookup_suspend(struct mill_lookup *lookup, const struct mill_worker *worker,
                         struct mill_lookup_worker *kept);
void mill_lookup_resume(struct mill_lookup *lookup, const struct mill_worker *worker,
                        struct mill_lookup_worker *kept);

/* The same as far as it is known: false, too, of a task that has none, and while an input has not
 * finished.  Any thread. */
bool mill_lookup_key_of(struct mill_task *task, struct mill_hash *key);

#endif
