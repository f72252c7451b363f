/* queue: results on their way to the disk, and the tables by which readers find them there.
 * Any thread pushes and looks; one thread (the writer) takes, and says when it is done.
 *
 *     push -> [ first ... last ] -> take -> (commit) -> done
 *              `------ found by key and by content ------'
 *
 * A result leaves the tables only after its commit, so a reader that looks here first and into
 * the database second never misses it.  SPDX-License-Identifier: MIT */
#ifndef MILL_QUEUE_H
#define MILL_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "data/buffer.h"

/* One result, or (bytes NULL) the request to check the object `content` and remove it when it
 * is damaged.  Immutable once pushed, but for the fields marked. */
struct mill_pending {
    struct mill_hash key, reads_name, content;
    struct mill_buffer *bytes; /* owned */
    const void *reads;         /* this and task: in the same allocation */
    size_t reads_size;
    const char *task;
    double seconds;
    int64_t made;  /* microseconds since 1970; later for every next result of a process */
    int64_t since; /* monotonic nanoseconds */
    int ticket; /* set before it is pushed: of the claim of its key, which goes when it is done */
    bool alone; /* the same: all other results of the key go */
    _Atomic int refs;

    /* Guarded by the mutex of the queue. */
    struct mill_pending *next;         /* in order of pushing */
    struct mill_pending *next_key;     /* in a bucket, newest first */
    struct mill_pending *next_content; /* likewise */
    bool replaced;                     /* no longer among the keys: a newer one is */
};

enum {
    MILL_QUEUE_ROWS = 256,      /* a batch is due with this many, */
    MILL_QUEUE_BYTES = 4 << 20, /* with this many bytes, */
    MILL_QUEUE_BATCH = 4096,    /* most rows of a batch: one that is late catches up */
    MILL_QUEUE_BUCKETS = 8192,
    MILL_QUEUE_LIMIT = 256 << 20, /* bytes queued before push blocks */
};
#define MILL_QUEUE_SECONDS 0.02 /* or with its oldest result this old. */

struct mill_board;

struct mill_queue {
    struct mill_board *board;
    pthread_mutex_t mutex;
    pthread_cond_t work; /* for the writer */
    pthread_cond_t room; /* for push and flush: something was done, or all was dropped */

    /* Results in the tables; written under the mutex, read without it.  The release of a
     * decrease pairs with the acquire in find and load: who sees 0 sees the commits too. */
    _Atomic int64_t pending;

    /* Guarded by the mutex. */
    struct mill_pending *first, *last; /* not yet taken */
    int64_t rows, bytes;               /* not yet taken */
    int64_t held;                      /* bytes not yet done */
    int64_t pushed, done;              /* counts since the start */
    int64_t hurry;                     /* flush waits for this many to be done */
    int64_t made;
    bool ending; /* no more will be pushed */
    bool closed; /* writing failed: push refuses */
    struct mill_pending **keys, **contents;
};

bool mill_queue_init(struct mill_queue *queue, struct mill_board *board); /* false: no memory */
void mill_queue_fini(struct mill_queue *queue); /* frees what is still queued */

/* A new element with one reference; reads and task are copied, the reference to `bytes` is
 * taken.  NULL without memory: `bytes` is still the caller's. */
struct mill_pending *mill_pending_new(struct mill_hash key, struct mill_hash content,
                                      const void *reads, size_t reads_size, const char *task,
                                      struct mill_buffer *bytes, double seconds);
void mill_pending_unref(struct mill_pending *pending);

/* Takes the reference.  Blocks while too much is queued.  False when the queue is closed. */
bool mill_queue_push(struct mill_queue *queue, struct mill_pending *pending);

/* The queued results of `key`, newest first, one for each list of what was read; each gains a
 * reference.  Returns how many there are, which may exceed `room`. */
size_t mill_queue_find(struct mill_queue *queue, struct mill_hash key,
                       struct mill_pending **found, size_t room);

/* The queued bytes of `content` with a reference, or NULL. */
struct mill_buffer *mill_queue_load(struct mill_queue *queue, struct mill_hash content);

/* For the writer: waits for a batch.  0 when nothing came for `seconds` (negative: no limit) or
 * the queue is ending and empty.  The queue still owns what it gives. */
size_t mill_queue_take(struct mill_queue *queue, struct mill_pending **batch, size_t room,
                       double seconds);

/* For the writer: what was taken is on disk, or lost. */
void mill_queue_done(struct mill_queue *queue, struct mill_pending **batch, size_t count);

/* Waits until all that was pushed before is done; false when `seconds` passed first, or the
 * queue was closed. */
bool mill_queue_flush(struct mill_queue *queue, double seconds);

void mill_queue_end(struct mill_queue *queue);   /* take gives what is left, then 0 */
bool mill_queue_ended(struct mill_queue *queue); /* and nothing is left */
void mill_queue_close(struct mill_queue *queue); /* for the writer: drops what is queued */

#endif
