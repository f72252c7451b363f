/* pool: workers that pull tasks.
 *
 * DESIGN.  Ready tasks lie in the deque of the worker that made them ready, one deque a
 * priority.  A run's roots are not pushed by its submitter: workers take them in batches, in
 * order, so that a million leaves cost no queue and few results are alive at once.  A worker
 * looks, from the highest priority to the lowest, at its own deque and then at the roots; then
 * at the others' deques, then at fans; it sleeps when all are empty.  Wake-ups chain: whoever
 * makes or finds more work than it takes itself wakes one sleeper, who does the same.
 *
 * COST.  What all workers would write for each task stays with the worker for a while: it counts
 * the tasks that it ends and tells the run when it turns to something else, and the task that it
 * makes ready last it keeps in a slot and not in its deque, for it runs that one next.
 * SPDX-License-Identifier: MIT */
#include "sched/pool.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"

enum { ROOT_BATCH = 64, STEAL_ROUNDS = 2 };

static void count(_Atomic int64_t *counter)
{
    /* One writer: no read-modify-write is needed. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* ---- opening and closing -------------------------------------------------------------- */

static void worker_fini(struct mill_worker *worker)
{
    for (int level = 0; level < MILL_LEVELS; level++) mill_deque_fini(&worker->deques[level]);
    free(worker->cells);
    free(worker->held);
}

static bool worker_init(struct mill_pool *pool, int index)
{
    struct mill_worker *worker = &pool->workers[index];
    worker->pool = pool;
    worker->index = index;
    worker->random = 2654435769u * (uint32_t)(index + 1) | 1;
    worker->call.worker = index + 1;
    for (int level = 0; level < MILL_LEVELS; level++) {
        if (!mill_deque_init(&worker->deques[level], level == MILL_LEVEL_ZERO ? 1024 : 64)) {
            while (level-- > 0) mill_deque_fini(&worker->deques[level]);
            return false;
        }
    }
    return true;
}

tidemill_status mill_pool_init(struct mill_pool *pool, const struct mill_pool_options *options,
                               struct mill_error *error)
{
    memset(pool, 0, sizeof *pool);
    pool->options = *options;
    int wanted = options->threads > 0 ? options->threads : 1;
    size_t size = (size_t)wanted * sizeof *pool->workers;
    pool->workers = aligned_alloc(64, (size + 63) / 64 * 64);
    if (pool->workers == NULL) return mill_no_memory(error, "workers");
    memset(pool->workers, 0, size);
    pthread_mutex_init(&pool->mutex, NULL);
    mill_fans_init(&pool->fans);
    mill_park_init(&pool->idle);
    mill_park_init(&pool->ended);
    atomic_init(&pool->levels, 1u << MILL_LEVEL_ZERO);
    for (; pool->worker_count < wanted; pool->worker_count++) {
        if (!worker_init(pool, pool->worker_count)) {
            mill_pool_fini(pool);
            return mill_no_memory(error, "a worker's deques");
        }
    }
    return TIDEMILL_OK;
}

void mill_pool_fini(struct mill_pool *pool)
{
    if (pool->workers == NULL) return;
    atomic_store(&pool->stop, true);
    mill_park_wake(&pool->idle, INT_MAX);
    bool threads = atomic_load(&pool->started) && pool->options.threads > 0;
    for (int i = 0; threads && i < pool->worker_count; i++) {
        pthread_join(pool->workers[i].thread, NULL);
    }
    for (int i = 0; i < pool->worker_count; i++) worker_fini(&pool->workers[i]);
    free(pool->workers);
    pool->workers = NULL;
    mill_fans_fini(&pool->fans);
    pthread_mutex_destroy(&pool->mutex);
}

static void *worker_main(void *argument)
{
    struct mill_worker *worker = argument;
    worker->pool->options.drive(worker->pool->options.context, worker);
    return NULL;
}

/* Lua needs C stack for nested callbacks; reserved, not used: pages come when touched. */
enum { STACK_SIZE = 256 << 20, STACK_SIZE_SMALL = 16 << 20 };

static int start_thread(struct mill_worker *worker)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int failure = pthread_create(&worker->thread, &attributes, worker_main, worker);
    if (failure) {
        pthread_attr_setstacksize(&attributes, STACK_SIZE_SMALL);
        failure = pthread_create(&worker->thread, &attributes, worker_main, worker);
    }
    pthread_attr_destroy(&attributes);
    return failure;
}

/* Under the mutex: two threads may submit the first run. */
static tidemill_status pool_start(struct mill_pool *pool, struct mill_error *error)
{
    int threads = pool->options.threads > 0 ? pool->worker_count : 0;
    /* Signals are the host program's business: no engine thread takes one. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int started = 0, failure = 0;
    while (started < threads && !failure) {
        failure = start_thread(&pool->workers[started]);
        if (!failure) started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failure) {
        /* Relaxed: whoever sees it fans out, which needs no thread to be there. */
        atomic_store_explicit(&pool->started, true, memory_order_relaxed);
        return TIDEMILL_OK;
    }
    atomic_store(&pool->stop, true);
    mill_park_wake(&pool->idle, INT_MAX);
    for (int i = 0; i < started; i++) pthread_join(pool->workers[i].thread, NULL);
    atomic_store(&pool->stop, false);
    return mill_fail(error, TIDEMILL_MEMORY, "cannot start worker thread %d of %d: %s",
                     started + 1, pool->worker_count, strerror(failure));
}

uint32_t mill_pool_serial(struct mill_pool *pool)
{
    return atomic_fetch_add_explicit(&pool->next_serial, 1, memory_order_relaxed) + 1;
}

/* ---- runs ----------------------------------------------------------------------------- */

/* Under the mutex, all three. */
static int next_level(const struct mill_run *run)
{
    int level = MILL_LEVELS - 1;
    while (run->next_root >= run->level_end[level]) level--;
    return level;
}

static void enqueue(struct mill_pool *pool, struct mill_run *run)
{
    int level = next_level(run);
    struct mill_queue *queue = &pool->queues[level];
    run->next_queued = NULL;
    if (queue->first) {
        queue->last->next_queued = run;
    } else {
        queue->first = run;
    }
    queue->last = run;
    /* The default order: pairs with the sleeper's second look, see park.h. */
    atomic_fetch_or(&pool->queued, 1u << level);
}

static void dequeue(struct mill_pool *pool, int level)
{
    struct mill_queue *queue = &pool->queues[level];
    queue->first = queue->first->next_queued;
    if (queue->first == NULL) atomic_fetch_and(&pool->queued, ~(1u << level));
}

tidemill_status mill_pool_submit(struct mill_pool *pool, struct mill_run *run,
                                 struct mill_error *error)
{
    tidemill_status status = TIDEMILL_OK;
    int roots = run->root_count < INT_MAX ? (int)run->root_count : INT_MAX;
    run->pool = pool;
    for (uint32_t i = 0; i < run->function_count; i++) {
        /* Relaxed: who gets a task of the run got it after the mutex below. */
        atomic_fetch_or_explicit(&pool->levels,
                                 1u << (run->functions[i]->priority + MILL_LEVEL_ZERO),
                                 memory_order_relaxed);
    }
    pthread_mutex_lock(&pool->mutex);
    if (!atomic_load_explicit(&pool->started, memory_order_relaxed)) {
        status = pool_start(pool, error);
    }
    if (status == TIDEMILL_OK && roots > 0) enqueue(pool, run);
    pthread_mutex_unlock(&pool->mutex);
    if (status == TIDEMILL_OK) mill_park_wake(&pool->idle, roots);
    return status;
}

bool mill_pool_wait(struct mill_pool *pool, struct mill_run *run, int64_t deadline)
{
    if (pool->options.threads == 0 && !mill_run_ended(run)) {
        pool->deadline = deadline;
        pool->options.drive(pool->options.context, &pool->workers[0]);
    }
    for (;;) {
        uint32_t ticket = mill_park_prepare(&pool->ended);
        if (mill_run_ended(run) || atomic_load(&pool->interrupted)) {
            mill_park_cancel(&pool->ended);
            break;
        }
        if (!mill_park_commit(&pool->ended, ticket, deadline)) break;
    }
    return mill_run_ended(run);
}

/* Tells the run which tasks this worker has ended.  Before a worker does anything else than run
 * tasks of that run: a run that has ended must not wait for it. */
static void settle(struct mill_worker *worker)
{
    struct mill_run *run = atomic_load_explicit(&worker->run, memory_order_relaxed);
    if (run == NULL) return;
    int64_t ended = atomic_load_explicit(&worker->ended, memory_order_relaxed);
    atomic_store_explicit(&worker->run, NULL, memory_order_relaxed);
    atomic_store_explicit(&worker->ended, 0, memory_order_relaxed);
    /* After the count the run may be freed. */
    if (mill_run_count(run, ended)) mill_park_wake(&worker->pool->ended, INT_MAX);
}

int64_t mill_run_done(struct mill_run *run)
{
    struct mill_pool *pool = run->pool;
    int64_t done = atomic_load_explicit(&run->done, memory_order_relaxed);
    for (int i = 0; pool && i < pool->worker_count; i++) {
        struct mill_worker *worker = &pool->workers[i];
        if (atomic_load_explicit(&worker->run, memory_order_relaxed) != run) continue;
        done += atomic_load_explicit(&worker->ended, memory_order_relaxed);
    }
    /* Counted while this looked: perhaps twice. */
    return done < run->count ? done : run->count;
}

void mill_pool_interrupt(struct mill_pool *pool)
{
    atomic_store(&pool->interrupted, true);
    mill_park_wake(&pool->ended, INT_MAX);
}

void mill_pool_resume(struct mill_pool *pool)
{
    atomic_store(&pool->interrupted, false);
}

void mill_run_cancel(struct mill_run *run)
{
    atomic_store_explicit(&run->cancelled, true, memory_order_relaxed);
}

static void wake_helpers(void *waker, int64_t chunks)
{
    struct mill_pool *pool = waker;
    mill_park_wake(&pool->idle, chunks < INT_MAX ? (int)chunks : INT_MAX);
}

void mill_pool_fan(void *pool_, int64_t chunks, void (*body)(void *context, int64_t i),
                   void *context)
{
    struct mill_pool *pool = pool_;
    if (pool->options.threads == 0 ||
        !atomic_load_explicit(&pool->started, memory_order_relaxed)) {
        for (int64_t i = 0; i < chunks; i++) body(context, i);
        return;
    }
    mill_fans_run(&pool->fans, chunks, body, context, wake_helpers, pool);
}

/* ---- finding work --------------------------------------------------------------------- */

static bool push_to_deque(struct mill_worker *worker, struct mill_task *task)
{
    if (mill_deque_push(&worker->deques[mill_task_level(task)], task)) return true;
    task->result.natural = (uint64_t)(uintptr_t)worker->overflow;
    worker->overflow = task;
    return false;
}

/* Whether the deques have more than the task that this worker takes itself next. */
static bool has_more(struct mill_worker *worker, uint32_t levels)
{
    int64_t tasks = 0;
    for (int level = 0; levels >> level; level++) {
        if (levels >> level & 1) tasks += mill_deque_size(&worker->deques[level]);
    }
    return tasks > 1;
}

void mill_worker_push(struct mill_worker *worker, struct mill_task *task)
{
    uint32_t levels = atomic_load_explicit(&worker->pool->levels, memory_order_relaxed);
    if (levels & (levels - 1)) { /* several priorities: the deques sort them */
        bool pushed = push_to_deque(worker, task);
        if (pushed && has_more(worker, levels)) mill_park_wake(&worker->pool->idle, 1);
        return;
    }
    struct mill_task *before = worker->next;
    worker->next = task;
    if (before && push_to_deque(worker, before)) mill_park_wake(&worker->pool->idle, 1);
}

static struct mill_task *steal_from(struct mill_worker *worker, struct mill_worker *victim)
{
    uint32_t levels = atomic_load_explicit(&worker->pool->levels, memory_order_relaxed);
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        if (!(levels >> level & 1)) continue;
        bool lost;
        do {
            lost = false;
            struct mill_task *task = mill_deque_steal(&victim->deques[level], &lost);
            if (task == NULL) continue;
            count(&worker->counters.steals);
            if (mill_deque_size(&victim->deques[level]) > 0) {
                mill_park_wake(&worker->pool->idle, 1);
            }
            return task;
        } while (lost);
    }
    return NULL;
}

static uint32_t next_random(struct mill_worker *worker)
{
    uint32_t x = worker->random; /* xorshift32 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return worker->random = x;
}

static struct mill_task *steal(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    int workers = pool->worker_count;
    if (workers == 1) return NULL;
    int first = (int)(next_random(worker) % (uint32_t)workers);
    for (int i = 0; i < workers; i++) {
        struct mill_worker *victim = &pool->workers[(first + i) % workers];
        struct mill_task *task = victim == worker ? NULL : steal_from(worker, victim);
        if (task) return task;
    }
    return NULL;
}

/* Takes the next batch of roots of the oldest run that has some of the level; the batch is
 * smaller towards the end, so that the last roots spread over the workers. */
static struct mill_task *take_roots(struct mill_worker *worker, int level)
{
    struct mill_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    struct mill_run *run = pool->queues[level].first;
    if (run == NULL) {
        pthread_mutex_unlock(&pool->mutex);
        return NULL;
    }
    uint32_t first = run->next_root, left = run->level_end[level] - first;
    uint32_t batch = left / (2 * (uint32_t)pool->worker_count) + 1;
    if (batch > ROOT_BATCH) batch = ROOT_BATCH;
    run->next_root += batch;
    if (batch == left) {
        dequeue(pool, level);
        if (run->next_root < run->root_count) enqueue(pool, run);
    }
    bool more = run->next_root < run->root_count;
    pthread_mutex_unlock(&pool->mutex);
    /* While a root of it is untaken or unfinished the run stays alive. */
    for (uint32_t i = first + batch - 1; i > first; i--) {
        push_to_deque(worker, &run->tasks[run->roots[i]]);
    }
    if (more || batch > 1) mill_park_wake(&pool->idle, 1);
    return &run->tasks[run->roots[first]];
}

/* From what is this worker's own or nobody's yet. */
static struct mill_task *pop(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    struct mill_task *next = worker->next;
    worker->next = NULL;
    if (next) return next;
    /* Relaxed: see mill_pool_submit.  A stale `queued` costs one more search: the second look
     * of a worker that wants to sleep is not stale. */
    uint32_t levels = atomic_load_explicit(&pool->levels, memory_order_relaxed);
    uint32_t queued = atomic_load_explicit(&pool->queued, memory_order_relaxed);
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        if (!(levels >> level & 1)) continue;
        struct mill_task *task = mill_deque_pop(&worker->deques[level]);
        if (task == NULL && queued >> level & 1) task = take_roots(worker, level);
        if (task) return task;
    }
    struct mill_task *task = worker->overflow;
    if (task) worker->overflow = (struct mill_task *)(uintptr_t)task->result.natural;
    return task;
}

static struct mill_task *find(struct mill_worker *worker)
{
    struct mill_task *task = pop(worker);
    if (task == NULL) settle(worker);
    for (int round = 0; task == NULL && round < STEAL_ROUNDS; round++) task = steal(worker);
    return task;
}

static bool anything(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    if (atomic_load(&pool->stop) || atomic_load(&pool->queued) != 0 ||
        atomic_load(&pool->fans.open) > 0) {
        return true;
    }
    for (int i = 0; i < pool->worker_count; i++) {
        for (int level = 0; level < MILL_LEVELS; level++) {
            if (mill_deque_size(&pool->workers[i].deques[level]) > 0) return true;
        }
    }
    return false;
}

/* ---- running -------------------------------------------------------------------------- */

void mill_worker_complete(struct mill_worker *worker, struct mill_task *task,
                          enum mill_state state, struct mill_value result)
{
    if (state == MILL_FAILED) count(&worker->counters.failed);
    if (state == MILL_SKIPPED) count(&worker->counters.skipped);
    mill_run_complete(task->run, worker, task, state, result, mill_worker_push);
    count(&worker->ended);
}

/* In runs with a cache a result may be freed and made again while it is read: hold it. */
static struct mill_value hold(struct mill_worker *worker, struct mill_task *input)
{
    pthread_mutex_t *lock = mill_run_lock(input);
    pthread_mutex_lock(lock);
    struct mill_value value = mill_value_ref(input->result);
    pthread_mutex_unlock(lock);
    worker->held[worker->held_count++] = value;
    return value;
}

static void let_go(struct mill_worker *worker)
{
    for (uint32_t i = 0; i < worker->held_count; i++) mill_value_unref(worker->held[i]);
    worker->held_count = 0;
}

static bool reserve(struct mill_value **cells, uint32_t *room, uint32_t wanted)
{
    if (wanted <= *room) return true;
    void *grown = realloc(*cells, (size_t)wanted * 2 * sizeof **cells);
    if (grown == NULL) return false;
    *cells = grown;
    *room = wanted * 2;
    return true;
}

/* Describes the call in worker->call: arguments that are results of other tasks are put in their
 * places; worker->inputs has all inputs in order, for those inside tables. */
static bool gather(struct mill_worker *worker, struct mill_task *task)
{
    const struct mill_node *node = task->node;
    const struct mill_value *arguments = mill_node_arguments(node);
    struct mill_run *run = task->run;
    worker->call.serial = mill_task_function(task)->serial;
    worker->call.count = (int32_t)node->count;
    worker->call.arguments = arguments;
    worker->input_count = node->inputs;
    if (node->inputs == 0) return true;
    if (!reserve(&worker->cells, &worker->cell_room, node->count + node->inputs) ||
        (run->content && !reserve(&worker->held, &worker->held_room, node->inputs))) {
        return false;
    }
    struct mill_value *inputs = worker->cells + node->count;
    for (uint32_t i = 0; i < node->inputs; i++) {
        struct mill_task *input = &run->tasks[run->inputs[task->first_input + i]];
        inputs[i] = run->content ? hold(worker, input) : input->result;
    }
    worker->inputs = inputs;
    uint32_t next = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        worker->cells[i] = arguments[i].tag == MILL_TAG_NODE ? inputs[next] : arguments[i];
        next += mill_value_nodes(&arguments[i]);
    }
    worker->call.arguments = worker->cells;
    return true;
}

static void run_c_body(struct mill_worker *worker, const struct mill_function *function)
{
    struct mill_value result = mill_nil();
    function->body(function->context, worker->call.arguments, worker->call.count, &result);
    mill_worker_finish(worker, MILL_FINISHED, result);
}

/* The key of the task's random stream: the run's seed, or the function's own, and the place of
 * its node in the order of building. */
static void set_stream(struct mill_worker *worker, const struct mill_task *task,
                       const struct mill_function *function)
{
    worker->call.stream[0] = task->run->seed;
    if (function->seed == function->seed) memcpy(&worker->call.stream[0], &function->seed, 8);
    worker->call.stream[1] = task->node->place;
}

/* True when the worker's driver is to run the body; all else is done here. */
static bool begin(struct mill_worker *worker, struct mill_task *task)
{
    struct mill_run *run = task->run;
    if (atomic_load_explicit(&worker->run, memory_order_relaxed) != run) {
        settle(worker);
        atomic_store_explicit(&worker->run, run, memory_order_relaxed);
    }
    if (atomic_load_explicit(&run->cancelled, memory_order_relaxed)) {
        mill_worker_complete(worker, task, MILL_CANCELLED, mill_nil());
        return false;
    }
    if (atomic_load_explicit(&task->cause, memory_order_relaxed) != MILL_NO_CAUSE) {
        mill_worker_complete(worker, task, MILL_SKIPPED, mill_nil());
        return false;
    }
    const struct mill_function *function = mill_task_function(task);
    set_stream(worker, task, function); /* the hook may set another */
    if (run->hooks.before &&
        run->hooks.before(run->hooks.context, worker, task) == MILL_TAKEN) {
        return false;
    }
    worker->task = task;
    if (!gather(worker, task)) {
        bool failed = false;
        mill_worker_finish(worker, MILL_FAILED, mill_string("out of memory", 13, &failed));
        return false;
    }
    count(&worker->counters.executed);
    worker->call.turn++;
    if (function->body == NULL) return true;
    run_c_body(worker, function);
    return false;
}

/* The driver of a serial pool goes back to its wait, which ends. */
static bool serial_is_over(struct mill_pool *pool)
{
    if (atomic_load_explicit(&pool->interrupted, memory_order_relaxed)) return true;
    return pool->deadline != INT64_MAX && mill_clock_now() >= pool->deadline;
}

bool mill_worker_next(struct mill_worker *worker)
{
    struct mill_pool *pool = worker->pool;
    bool serial = pool->options.threads == 0;
    for (;;) {
        if (atomic_load_explicit(&pool->stop, memory_order_relaxed)) return false;
        if (serial && serial_is_over(pool)) {
            settle(worker);
            return false;
        }
        struct mill_task *task = find(worker);
        if (task) {
            if (begin(worker, task)) return true;
            continue;
        }
        if (serial) return false;
        if (mill_fans_help(&pool->fans)) continue;
        uint32_t ticket = mill_park_prepare(&pool->idle);
        if (anything(worker)) {
            mill_park_cancel(&pool->idle);
            continue;
        }
        count(&worker->counters.sleeps);
        mill_park_commit(&pool->idle, ticket, INT64_MAX);
    }
}

void mill_worker_finish(struct mill_worker *worker, enum mill_state state,
                        struct mill_value result)
{
    struct mill_task *task = worker->task;
    struct mill_run *run = task->run;
    worker->task = NULL;
    if (state == MILL_FINISHED && run->hooks.after) {
        run->hooks.after(run->hooks.context, worker, task, &result);
    }
    let_go(worker);
    mill_worker_complete(worker, task, state, result);
}
