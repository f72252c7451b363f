/* wait_check: a driver whose tasks wait: they start tasks of their own, sleep, and talk through
 * channels, as those in Lua do (host/bind/lib_wait.c, lua/tidemill/runner.lua), for tests of the
 * scheduler.  SPDX-License-Identifier: MIT */
#ifndef WAIT_CHECK_H
#define WAIT_CHECK_H

#include <math.h>

#include "base/clock.h"
#include "check.h"
#include "sched/attempt.h"
#include "sched/await.h"
#include "sched/channel.h"
#include "sched/parked.h"
#include "sched/pool.h"
#include "sched/roots.h"
#include "sched/suspended.h"
#include "sched/threads.h"

enum { JOB_RUNS = 4, JOB_NODES = 3, GROVE_FUNCTIONS = 12 };

struct grove;

/* A task that has begun. */
struct job {
    struct grove *grove;
    struct mill_worker *worker;
    uint64_t id;
    int depth, phase;
    struct mill_run *runs[JOB_RUNS];
    int run_count, ended;
    struct mill_wait *wait;
    bool waits, nested, ready; /* nested: its frame is on the stack */
    uint32_t reasons;          /* why its last wait ended */
    int64_t until;
    struct mill_suspended kept;
    int count;
    uint64_t sum;
    struct job *next; /* of its worker's */
};

/* What a worker's thread, or the script, owns. */
struct bed {
    struct mill_graph graph;
    struct job *jobs;       /* that wait */
    struct mill_run **left; /* that nobody waits for any more */
    size_t left_count, left_room;
    int nested;
};

struct grove {
    struct mill_pool pool;
    struct bed *beds; /* of the workers; the last one the script's */
    int threads;
    struct mill_function *functions[GROVE_FUNCTIONS];
    struct mill_memory memory;
    _Atomic int64_t begun, stuck, cancelled, waited;
    /* What a task does once it runs or its wait is over; false: it waits. */
    bool (*step)(struct job *job);
    void *context;
};

static struct mill_function *grove_function(void *context, uint32_t number)
{
    struct grove *grove = context;
    return grove->functions[number];
}

static inline struct mill_value grove_box(struct grove *grove, uint64_t number)
{
    struct mill_array *array = mill_array_new(&grove->memory, MILL_UINT64, 1);
    if (array == NULL) abort();
    *(uint64_t *)array->values = number;
    return mill_column(array);
}

static inline uint64_t grove_unbox(const struct mill_value *value)
{
    CHECK(value->tag == MILL_TAG_COLUMN);
    return value->tag == MILL_TAG_COLUMN ? *(const uint64_t *)value->array->values : 0;
}

static inline struct bed *grove_script(struct grove *grove)
{
    return &grove->beds[grove->pool.worker_count];
}

static inline struct bed *job_bed(struct job *job)
{
    return &job->grove->beds[job->worker->index];
}

/* ---- runs ----------------------------------------------------------------------------------- */

static inline mill_handle bed_node(struct bed *bed, uint32_t function, uint64_t id, int depth)
{
    mill_handle handle = mill_graph_node(&bed->graph, function, 2);
    struct mill_node *node = mill_graph_find(&bed->graph, handle);
    if (node == NULL) abort();
    mill_graph_argument(&bed->graph, node, 0,
                        (struct mill_value){.tag = MILL_TAG_UINT64, .natural = id});
    mill_graph_argument(&bed->graph, node, 1, mill_number(depth));
    return handle;
}

/* A run of one node for each id. */
static inline struct mill_run *bed_run(struct grove *grove, struct bed *bed,
                                       uint32_t function_of(uint64_t id), const uint64_t *ids,
                                       int count, int depth)
{
    uint32_t wanted[64] = {0};
    struct mill_error error = {0};
    for (int i = 0; i < count; i++) {
        wanted[i] = (uint32_t)bed_node(bed, function_of(ids[i]), ids[i], depth);
    }
    struct mill_run *run =
        mill_run_new(&bed->graph, wanted, (uint32_t)count, grove_function, grove, &error);
    CHECK_SAYING(run != NULL, "%s", error.text);
    if (run == NULL) abort();
    for (int i = 0; i < count; i++) mill_graph_unref(&bed->graph, wanted[i]);
    return run;
}

static inline void grove_submit(struct grove *grove, struct mill_run *run,
                                struct mill_worker *worker)
{
    struct mill_error error = {0};
    if (worker) mill_run_set_parent(run, worker->task->run->token);
    if (run->strategy == MILL_LOAD_BALANCED) CHECK(mill_run_measure(run));
    CHECK_SAYING(mill_pool_submit(&grove->pool, run, worker, &error) == TIDEMILL_OK, "%s",
                 error.text);
}

static inline void bed_sweep(struct bed *bed, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < bed->left_count; i++) {
        if (all || mill_run_ended(bed->left[i])) {
            mill_run_free(bed->left[i]);
        } else {
            bed->left[kept++] = bed->left[i];
        }
    }
    bed->left_count = kept;
}

static inline void bed_leave(struct bed *bed, struct mill_run *run)
{
    if (bed->left_count == bed->left_room) {
        bed->left_room = bed->left_room * 2 + 8;
        bed->left = realloc(bed->left, bed->left_room * sizeof(struct mill_run *));
        if (bed->left == NULL) abort();
    }
    bed->left[bed->left_count++] = run;
    bed_sweep(bed, false);
}

/* The script waits for ever, as it does in Lua: what can never end is to be noticed. */
static inline void grove_wait(struct grove *grove, struct mill_run *run)
{
    mill_pool_block(&grove->pool, run, NULL);
    CHECK(mill_pool_wait(&grove->pool, run, INT64_MAX));
    mill_pool_unblock(&grove->pool);
}

/* ---- jobs ------------------------------------------------------------------------------------- */

static inline struct mill_wait *job_wait(struct job *job)
{
    if (job->wait == NULL) job->wait = mill_wait_new(mill_worker_resumable, job->worker);
    if (job->wait == NULL) abort();
    return job->wait;
}

static inline void job_take_links(struct job *job)
{
    struct mill_link *link;
    while ((link = mill_wait_take(job->wait)) != NULL) {
        job->ended++;
        free(link);
    }
}

/* True: the task waits and is out of the worker's hands. */
static inline bool job_park(struct job *job, int64_t until)
{
    struct mill_pool *pool = &job->grove->pool;
    struct mill_wait *wait = job_wait(job);
    wait->task = job->worker->task;
    atomic_store(&wait->reasons, 0);
    wait->timer.when = job->until = until;
    if (until != INT64_MAX) CHECK(mill_timers_add(&pool->timers, &wait->timer));
    if (!mill_pool_park(pool, wait)) {
        mill_pool_unpark(pool, wait);
        if (until != INT64_MAX) mill_timers_remove(&pool->timers, &wait->timer);
        job->reasons = atomic_load(&wait->reasons);
        return false;
    }
    atomic_fetch_add_explicit(&job->grove->waited, 1, memory_order_relaxed);
    mill_worker_suspend(job->worker, &job->kept);
    struct bed *bed = job_bed(job);
    job->next = bed->jobs;
    bed->jobs = job;
    job->waits = true;
    return true;
}

/* Its wait has ended; it goes on once its worker has resumed it. */
static inline struct job *job_delivered(struct grove *grove, struct mill_worker *worker)
{
    struct mill_wait *wait = worker->resumed;
    struct job **link = &grove->beds[worker->index].jobs;
    mill_pool_unpark(&grove->pool, wait);
    while (*link && (*link)->wait != wait) link = &(*link)->next;
    struct job *job = *link;
    if (job == NULL) abort();
    *link = job->next;
    if (job->until != INT64_MAX) mill_timers_remove(&grove->pool.timers, &wait->timer);
    job->reasons = atomic_load(&wait->reasons);
    job->waits = false;
    return job;
}

static inline void job_free(struct job *job)
{
    for (int i = 0; i < job->run_count; i++) {
        if (job->runs[i]) bed_leave(job_bed(job), job->runs[i]);
    }
    mill_wait_unref(job->wait);
    free(job);
}

static inline void job_finish(struct job *job, enum mill_state state, struct mill_value result)
{
    mill_worker_finish(job->worker, state, result);
    job_free(job);
}

static void grove_drive(void *context, struct mill_worker *worker);

/* The job waits with its frame on the stack: others run on top of it. */
static inline bool job_park_nested(struct job *job, int64_t until)
{
    struct grove *grove = job->grove;
    struct mill_worker *worker = job->worker;
    if (!job_park(job, until)) return false;
    job->nested = true;
    job->ready = false;
    worker->nested++;
    while (!job->ready) {
        enum mill_next next = mill_worker_next(worker);
        if (next == MILL_NEXT_STOP) {
            CHECK_SAYING(false, "a nested wait ended with the pool");
            abort();
        }
        struct job *other;
        if (next == MILL_NEXT_READY) {
            other = job_delivered(grove, worker);
            if (other->nested) { /* this one, or one below, which waits for this one */
                other->ready = true;
                continue;
            }
            mill_worker_resume(worker, &other->kept);
        } else {
            other = calloc(1, sizeof *other);
            if (other == NULL) abort();
            *other = (struct job){.grove = grove, .worker = worker};
            other->id = worker->call.arguments[0].natural;
            other->depth = (int)worker->call.arguments[1].number;
            atomic_fetch_add_explicit(&grove->begun, 1, memory_order_relaxed);
        }
        grove->step(other);
    }
    worker->nested--;
    job->nested = false;
    mill_worker_resume(worker, &job->kept);
    return false;
}

/* A pool's drive; its context is the grove. */
static void grove_drive(void *context, struct mill_worker *worker)
{
    struct grove *grove = context;
    enum mill_next next;
    while ((next = mill_worker_next(worker)) != MILL_NEXT_STOP) {
        struct job *job;
        if (next == MILL_NEXT_READY) {
            job = job_delivered(grove, worker);
            mill_worker_resume(worker, &job->kept);
        } else {
            job = calloc(1, sizeof *job);
            if (job == NULL) abort();
            *job = (struct job){.grove = grove, .worker = worker};
            job->id = worker->call.arguments[0].natural;
            job->depth = (int)worker->call.arguments[1].number;
            atomic_fetch_add_explicit(&grove->begun, 1, memory_order_relaxed);
        }
        grove->step(job);
    }
}

/* ---- opening and closing ---------------------------------------------------------------------- */

static inline void grove_open(struct grove *grove, int threads, bool (*step)(struct job *job))
{
    memset(grove, 0, sizeof *grove);
    struct mill_pool_options options = {
        .threads = threads, .drive = grove_drive, .context = grove};
    struct mill_error error = {0};
    CHECK_SAYING(mill_pool_init(&grove->pool, &options, &error) == TIDEMILL_OK, "%s",
                 error.text);
    grove->threads = threads;
    grove->step = step;
    grove->beds = calloc((size_t)grove->pool.worker_count + 1, sizeof *grove->beds);
    if (grove->beds == NULL) abort();
    for (int i = 0; i <= grove->pool.worker_count; i++) mill_graph_init(&grove->beds[i].graph);
    for (int i = 0; i < GROVE_FUNCTIONS; i++) {
        grove->functions[i] = mill_function_new("grow");
        if (grove->functions[i] == NULL) abort();
        grove->functions[i]->serial = (uint32_t)i + 1;
    }
}

/* Nothing waits, no run and no result is left. */
static inline void grove_close(struct grove *grove)
{
    CHECK(mill_pool_wait_all(&grove->pool,
                             INT64_MAX)); /* the last run is counted off after its end */
    CHECK(atomic_load(&grove->pool.parked_count) == 0 && grove->pool.parked == NULL);
    CHECK(atomic_load(&grove->pool.running) == 0);
    CHECK(atomic_load(&grove->pool.resources.waiting_count) == 0);
    CHECK(grove->pool.timers.count == 0);
    for (int i = 0; i < grove->pool.resources.count; i++) {
        CHECK(grove->pool.resources.list[i].used == 0);
    }
    for (int i = 0; i < grove->pool.worker_count; i++) {
        CHECK(atomic_load(&grove->pool.workers[i].load) == 0);
    }
    mill_pool_stop(&grove->pool);
    CHECK(!atomic_load(&grove->pool.blocked));
    CHECK(atomic_load(&grove->pool.asleep) == 0 && atomic_load(&grove->pool.spinning) == 0);
    for (int i = 0; i <= grove->pool.worker_count; i++) {
        struct bed *bed = &grove->beds[i];
        bed_sweep(bed, false);
        CHECK_SAYING(bed->left_count == 0, "%zu runs have not ended", bed->left_count);
        CHECK(bed->jobs == NULL);
        CHECK_SAYING(bed->graph.live == 0, "%lld nodes are left", (long long)bed->graph.live);
        mill_graph_fini(&bed->graph);
        free(bed->left);
    }
    CHECK_SAYING(atomic_load(&grove->memory.bytes) == 0, "%lld bytes of results are left",
                 (long long)atomic_load(&grove->memory.bytes));
    for (int i = 0; i < GROVE_FUNCTIONS; i++) {
        CHECK(atomic_load(&grove->functions[i]->refs) == 1);
        mill_function_unref(grove->functions[i]);
    }
    free(grove->beds);
    mill_pool_fini(&grove->pool);
}

#endif
