/* queue: results on their way to the disk.  SPDX-License-Identifier: MIT */
#include "cache/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "cache/board.h"

/* ---- elements --------------------------------------------------------------------------- */

static int64_t queue_now(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

struct mill_pending *mill_pending_new(struct mill_hash key, struct mill_hash content,
                                      const void *reads, size_t reads_size, const char *task,
                                      struct mill_buffer *bytes, double seconds)
{
    size_t task_size = strlen(task) + 1;
    if (reads_size > SIZE_MAX / 2) return NULL;
    struct mill_pending *pending = calloc(1, sizeof *pending + reads_size + task_size);
    if (pending == NULL) return NULL;
    char *tail = (char *)(pending + 1);
    if (reads_size > 0) memcpy(tail, reads, reads_size);
    memcpy(tail + reads_size, task, task_size);
    pending->key = key;
    pending->content = content;
    pending->reads_name = mill_hash_bytes(tail, reads_size);
    pending->reads = tail;
    pending->reads_size = reads_size;
    pending->task = tail + reads_size;
    pending->bytes = bytes;
    pending->seconds = seconds;
    pending->since = queue_now(CLOCK_MONOTONIC);
    atomic_init(&pending->refs, 1);
    return pending;
}

static void pending_ref(struct mill_pending *pending)
{
    /* Relaxed: whoever hands out a reference holds one. */
    atomic_fetch_add_explicit(&pending->refs, 1, memory_order_relaxed);
}

void mill_pending_unref(struct mill_pending *pending)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (atomic_fetch_sub_explicit(&pending->refs, 1, memory_order_acq_rel) > 1) return;
    mill_buffer_unref(pending->bytes);
    free(pending);
}

/* What an element weighs in the limit. */
static int64_t pending_weight(const struct mill_pending *pending)
{
    size_t bytes = pending->bytes ? pending->bytes->size : 0;
    return (int64_t)(sizeof *pending + pending->reads_size + bytes);
}

/* ---- the tables; the mutex is held ------------------------------------------------------ */

static struct mill_pending **queue_bucket(struct mill_pending **table, struct mill_hash hash)
{
    return &table[hash.low % MILL_QUEUE_BUCKETS];
}

static bool pending_replaces(const struct mill_pending *newer, const struct mill_pending *older)
{
    return mill_hash_equal(newer->key, older->key) &&
           (newer->alone || mill_hash_equal(newer->reads_name, older->reads_name));
}

/* Takes what a new element replaces out of the table of keys. */
static void queue_replace(struct mill_queue *queue, const struct mill_pending *newer)
{
    struct mill_pending **link = queue_bucket(queue->keys, newer->key);
    while (*link) {
        struct mill_pending *older = *link;
        if (pending_replaces(newer, older)) {
            older->replaced = true;
            *link = older->next_key;
        } else {
            link = &older->next_key;
        }
    }
}

static void queue_unlist_key(struct mill_queue *queue, const struct mill_pending *pending)
{
    struct mill_pending **link = queue_bucket(queue->keys, pending->key);
    while (*link != pending) link = &(*link)->next_key;
    *link = pending->next_key;
}

static void queue_list(struct mill_queue *queue, struct mill_pending *pending)
{
    if (pending->bytes == NULL) return;
    queue_replace(queue, pending);
    struct mill_pending **key = queue_bucket(queue->keys, pending->key);
    struct mill_pending **content = queue_bucket(queue->contents, pending->content);
    pending->next_key = *key;
    *key = pending;
    pending->next_content = *content;
    *content = pending;
    atomic_fetch_add_explicit(&queue->pending, 1, memory_order_relaxed);
}

static void queue_unlist(struct mill_queue *queue, struct mill_pending *pending)
{
    if (pending->bytes == NULL) return;
    if (!pending->replaced) queue_unlist_key(queue, pending);
    struct mill_pending **link = queue_bucket(queue->contents, pending->content);
    while (*link != pending) link = &(*link)->next_content;
    *link = pending->next_content;
    /* Release: pairs with queue_empty. */
    atomic_fetch_sub_explicit(&queue->pending, 1, memory_order_release);
}

/* Acquire pairs with the release in queue_unlist: the commit that emptied the queue happened
 * before.  A result that this thread knows of was listed before it came to know of it. */
static bool queue_empty(struct mill_queue *queue)
{
    return atomic_load_explicit(&queue->pending, memory_order_acquire) == 0;
}

/* ---- looking ---------------------------------------------------------------------------- */

size_t mill_queue_find(struct mill_queue *queue, struct mill_hash key,
                       struct mill_pending **found, size_t room)
{
    if (queue_empty(queue)) return 0;
    size_t count = 0;
    pthread_mutex_lock(&queue->mutex);
    for (struct mill_pending *pending = *queue_bucket(queue->keys, key); pending;
         pending = pending->next_key) {
        if (!mill_hash_equal(pending->key, key)) continue;
        if (count < room) {
            pending_ref(pending);
            found[count] = pending;
        }
        count++;
    }
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

struct mill_buffer *mill_queue_load(struct mill_queue *queue, struct mill_hash content)
{
    if (queue_empty(queue)) return NULL;
    pthread_mutex_lock(&queue->mutex);
    struct mill_pending *pending = *queue_bucket(queue->contents, content);
    while (pending && !mill_hash_equal(pending->content, content)) {
        pending = pending->next_content;
    }
    struct mill_buffer *bytes = pending ? mill_buffer_ref(pending->bytes) : NULL;
    pthread_mutex_unlock(&queue->mutex);
    return bytes;
}

/* It is on disk, or lost: others may look for it. */
static void queue_free(struct mill_queue *queue, struct mill_pending *pending)
{
    mill_board_drop(queue->board, pending->key, pending->ticket);
    mill_pending_unref(pending);
}

/* ---- pushing and flushing --------------------------------------------------------------- */

/* The absolute time of pthread_cond_timedwait, at most some thirty years away. */
static struct timespec queue_deadline(int64_t start, double seconds)
{
    if (!(seconds > 0)) seconds = 0;
    if (seconds > 1e9) seconds = 1e9;
    int64_t end = start + (int64_t)(seconds * 1e9);
    return (struct timespec){.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
}

/* Results of one process are never made at the same time, so newest first is an order. */
static int64_t queue_stamp(struct mill_queue *queue)
{
    int64_t now = queue_now(CLOCK_REALTIME) / 1000;
    queue->made = now > queue->made ? now : queue->made + 1;
    return queue->made;
}

static void queue_append(struct mill_queue *queue, struct mill_pending *pending)
{
    int64_t weight = pending_weight(pending);
    pending->made = queue_stamp(queue);
    if (queue->last)
        queue->last->next = pending;
    else
        queue->first = pending;
    queue->last = pending;
    queue->rows++;
    queue->bytes += weight;
    queue->held += weight;
    queue->pushed++;
    queue_list(queue, pending);
    /* The writer sleeps until there is work, and again until a batch is full. */
    if (queue->rows == 1 || queue->rows == MILL_QUEUE_ROWS ||
        (queue->bytes >= MILL_QUEUE_BYTES && queue->bytes - weight < MILL_QUEUE_BYTES)) {
        pthread_cond_signal(&queue->work);
    }
}

bool mill_queue_push(struct mill_queue *queue, struct mill_pending *pending)
{
    pthread_mutex_lock(&queue->mutex);
    while (!queue->closed && queue->held > MILL_QUEUE_LIMIT) {
        pthread_cond_wait(&queue->room, &queue->mutex);
    }
    bool open = !queue->closed;
    if (open) queue_append(queue, pending);
    pthread_mutex_unlock(&queue->mutex);
    if (!open) queue_free(queue, pending);
    return open;
}

bool mill_queue_flush(struct mill_queue *queue, double seconds)
{
    struct timespec deadline = queue_deadline(queue_now(CLOCK_MONOTONIC), seconds);
    pthread_mutex_lock(&queue->mutex);
    int64_t goal = queue->pushed;
    if (queue->hurry < goal) queue->hurry = goal;
    pthread_cond_signal(&queue->work);
    int late = 0;
    while (!queue->closed && queue->done < goal && late == 0) {
        late = pthread_cond_timedwait(&queue->room, &queue->mutex, &deadline);
    }
    bool done = !queue->closed && queue->done >= goal;
    pthread_mutex_unlock(&queue->mutex);
    return done;
}

/* ---- the writer's side ------------------------------------------------------------------ */

static bool queue_ripe(const struct mill_queue *queue)
{
    if (queue->first == NULL) return false;
    if (queue->ending || queue->done < queue->hurry) return true;
    if (queue->rows >= MILL_QUEUE_ROWS || queue->bytes >= MILL_QUEUE_BYTES) return true;
    int64_t age = queue_now(CLOCK_MONOTONIC) - queue->first->since;
    return (double)age >= MILL_QUEUE_SECONDS * 1e9;
}

/* Waits for a change, or for the batch at hand to ripen, or for `idle`; false when that one has
 * passed and there is nothing. */
static bool queue_wait(struct mill_queue *queue, const struct timespec *idle)
{
    if (queue->first) {
        struct timespec ripe = queue_deadline(queue->first->since, MILL_QUEUE_SECONDS);
        pthread_cond_timedwait(&queue->work, &queue->mutex, &ripe);
        return true;
    }
    if (queue->ending) return false;
    if (idle == NULL) {
        pthread_cond_wait(&queue->work, &queue->mutex);
        return true;
    }
    int late = pthread_cond_timedwait(&queue->work, &queue->mutex, idle);
    return late != ETIMEDOUT || queue->first != NULL;
}

size_t mill_queue_take(struct mill_queue *queue, struct mill_pending **batch, size_t room,
                       double seconds)
{
    struct timespec idle = queue_deadline(queue_now(CLOCK_MONOTONIC), seconds);
    size_t count = 0;
    int64_t bytes = 0;
    pthread_mutex_lock(&queue->mutex);
    while (!queue_ripe(queue) && queue_wait(queue, seconds < 0 ? NULL : &idle)) {}
    while (queue->first && count < room && bytes < MILL_QUEUE_BYTES) {
        struct mill_pending *pending = queue->first;
        queue->first = pending->next;
        if (queue->first == NULL) queue->last = NULL;
        bytes += pending_weight(pending);
        batch[count++] = pending;
    }
    queue->rows -= (int64_t)count;
    queue->bytes -= bytes;
    pthread_mutex_unlock(&queue->mutex);
    return count;
}

void mill_queue_done(struct mill_queue *queue, struct mill_pending **batch, size_t count)
{
    pthread_mutex_lock(&queue->mutex);
    for (size_t i = 0; i < count; i++) {
        queue_unlist(queue, batch[i]);
        queue->held -= pending_weight(batch[i]);
    }
    queue->done += (int64_t)count;
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->mutex);
    for (size_t i = 0; i < count; i++) queue_free(queue, batch[i]);
}

void mill_queue_end(struct mill_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->ending = true;
    pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->mutex);
}

bool mill_queue_ended(struct mill_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    bool ended = queue->ending && queue->first == NULL;
    pthread_mutex_unlock(&queue->mutex);
    return ended;
}

void mill_queue_close(struct mill_queue *queue)
{
    struct mill_pending *batch[64];
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    queue->ending = true; /* so that take gives what is left and does not wait */
    pthread_cond_broadcast(&queue->room);
    pthread_mutex_unlock(&queue->mutex);
    for (size_t count; (count = mill_queue_take(queue, batch, 64, 0)) > 0;) {
        mill_queue_done(queue, batch, count);
    }
}

/* ---- life ------------------------------------------------------------------------------- */

/* Waits are measured by the monotonic clock: a change of the time of day must not stretch a
 * flush. */
static bool queue_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(cond, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

static bool queue_init_waiting(struct mill_queue *queue)
{
    if (pthread_mutex_init(&queue->mutex, NULL) != 0) return false;
    if (!queue_cond_init(&queue->work)) goto no_work;
    if (!queue_cond_init(&queue->room)) goto no_room;
    return true;
no_room:
    pthread_cond_destroy(&queue->work);
no_work:
    pthread_mutex_destroy(&queue->mutex);
    return false;
}

bool mill_queue_init(struct mill_queue *queue, struct mill_board *board)
{
    *queue = (struct mill_queue){.board = board};
    queue->keys = calloc(2 * MILL_QUEUE_BUCKETS, sizeof *queue->keys);
    if (queue->keys == NULL) return false;
    queue->contents = queue->keys + MILL_QUEUE_BUCKETS;
    if (queue_init_waiting(queue)) return true;
    free(queue->keys);
    return false;
}

void mill_queue_fini(struct mill_queue *queue)
{
    mill_queue_close(queue);
    pthread_cond_destroy(&queue->room);
    pthread_cond_destroy(&queue->work);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->keys);
}
