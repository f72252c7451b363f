/* test_lookup: the cache's part in a run, with a real store: what hits, what runs, what is kept,
 * and what comes of results that the store loses under way.  Results are compared with a plain
 * evaluation.  `test_lookup ROUNDS` repeats the random part that many times.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cache/inside.h"
#include "cache/lookup.h"
#include "sched/await.h"
#include "sched/roots.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cache/object.h"
#include "dag_check.h"
#include "data/glob.h"
#include "folder_check.h"
#include "sched/attempt.h"

static int rounds = 6;
static const int thread_counts[] = {0, 1, 2, 4};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof thread_counts[0] };

/* ---- a store, a pool, the hooks ------------------------------------------------------------- */

struct cache {
    char path[200];
    struct mill_store *store;
    struct mill_reader *reader; /* of the test's own thread */
    struct mill_files files;
    struct mill_memory memory; /* what was loaded */
    struct mill_lookup lookup;
    struct mill_pool pool;
    _Atomic int warnings;
    /* Removes stored results just before they are loaded: one in `lose_one_in` (0: none), or
     * those of the node `lose_node`. */
    struct mill_hooks hooks;
    pthread_mutex_t mutex;
    sqlite3 *database; /* guarded by mutex */
    uint32_t lose_one_in;
    int lose_node;
    _Atomic int lost;
};

static void warn(void *context, const char *text)
{
    struct cache *cache = context;
    CHECK(strlen(text) > 10);
    atomic_fetch_add(&cache->warnings, 1);
}

static void remove_object(struct cache *cache, struct mill_hash content)
{
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&cache->mutex);
    sqlite3_prepare_v2(cache->database, "DELETE FROM object WHERE content = ?", -1, &statement,
                       NULL);
    mill_object_bind_hash(statement, 1, content);
    int code = sqlite3_step(statement);
    CHECK_SAYING(code == SQLITE_DONE, "%s", sqlite3_errmsg(cache->database));
    atomic_fetch_add(&cache->lost, sqlite3_changes(cache->database));
    sqlite3_finalize(statement);
    mill_board_commit(&mill_store_database(cache->store)->board);
    pthread_mutex_unlock(&cache->mutex);
}

static bool is_stored(struct mill_task *task)
{
    if (task->run->locks == NULL) return false; /* a run without a cache */
    pthread_mutex_lock(mill_run_lock(task));
    bool stored = task->result.tag == MILL_TAG_STORED;
    pthread_mutex_unlock(mill_run_lock(task));
    return stored;
}

/* A roll that depends on the task alone, whichever thread asks. */
static bool unlucky(const struct cache *cache, const struct mill_task *task)
{
    if (cache->lose_node >= 0 && dag_node_of(task) == cache->lose_node) return true;
    uint64_t mixed = dag_join(random_state, (uint64_t)dag_node_of(task));
    return cache->lose_one_in && mixed % cache->lose_one_in == 0;
}

static enum mill_verdict lose_and_look(void *context, struct mill_worker *worker,
                                       struct mill_task *task)
{
    struct cache *cache = context;
    for (uint32_t i = 0; i < mill_task_inputs(task); i++) {
        struct mill_task *input = &task->run->tasks[task->run->inputs[task->first_input + i]];
        if (unlucky(cache, input) && is_stored(input)) {
            remove_object(cache, task->run->content[input->index]);
        }
    }
    return cache->hooks.before(cache->hooks.context, worker, task);
}

static void after(void *context, struct mill_worker *worker, struct mill_task *task,
                  const struct mill_value *value)
{
    struct cache *cache = context;
    cache->hooks.after(cache->hooks.context, worker, task, value);
}

static void ended(void *context, struct mill_worker *worker, struct mill_task *task)
{
    struct cache *cache = context;
    cache->hooks.ended(cache->hooks.context, worker, task);
}

static void cache_open(struct cache *cache, const char *name, int threads,
                       void (*drive)(void *, struct mill_worker *), void *context)
{
    memset(cache, 0, sizeof *cache);
    cache->lose_node = -1;
    snprintf(cache->path, sizeof cache->path, "%s/%s-%d.db", folder, name,
             (int)random_below(1 << 30));
    struct mill_store_options options = {
        .path = cache->path, .memory = &cache->memory, .warn = warn, .context = cache};
    struct mill_error error = {0};
    CHECK_SAYING(mill_store_open(&options, &cache->store, &error) == TIDEMILL_OK, "%s",
                 error.text);
    cache->reader = mill_reader_open(cache->store);
    mill_files_init(&cache->files);
    cache->lookup = (struct mill_lookup){.store = cache->store,
                                         .files = &cache->files,
                                         .memory = &cache->memory,
                                         .warn = warn,
                                         .context = cache};
    struct mill_pool_options pool = {.threads = threads, .drive = drive, .context = context};
    CHECK(mill_pool_init(&cache->pool, &pool, &error) == TIDEMILL_OK);
    CHECK(mill_lookup_init(&cache->lookup, cache->pool.worker_count));
    cache->hooks = mill_lookup_hooks(&cache->lookup);
    pthread_mutex_init(&cache->mutex, NULL);
    CHECK(sqlite3_open(cache->path, &cache->database) == SQLITE_OK);
    sqlite3_busy_timeout(cache->database, 20000);
    sqlite3_exec(cache->database, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
}

static void cache_close(struct cache *cache)
{
    mill_pool_fini(&cache->pool);
    mill_lookup_fini(&cache->lookup);
    mill_reader_close(cache->reader);
    mill_store_close(cache->store);
    sqlite3_close(cache->database);
    mill_files_fini(&cache->files);
    pthread_mutex_destroy(&cache->mutex);
    CHECK_SAYING(atomic_load(&cache->memory.bytes) == 0, "%lld bytes are left",
                 (long long)atomic_load(&cache->memory.bytes));
}

static void execute(struct cache *cache, struct mill_run *run)
{
    struct mill_error error = {0};
    run->hooks = (struct mill_hooks){
        .before = lose_and_look, .after = after, .ended = ended, .context = cache};
    CHECK_SAYING(mill_pool_submit(&cache->pool, run, NULL, &error) == TIDEMILL_OK, "%s",
                 error.text);
    CHECK(mill_pool_wait(&cache->pool, run, INT64_MAX));
    CHECK(atomic_load(&run->done) == run->count);
}

static int64_t hits(struct cache *cache)
{
    int64_t total = 0;
    for (int i = 0; i < cache->pool.worker_count; i++) {
        total += atomic_load(&cache->pool.workers[i].counters.hits);
    }
    return total;
}

/* ---- random graphs ------------------------------------------------------------------------------ */

static void forget_executions(struct dag *dag)
{
    for (int i = 0; i < dag->count; i++) atomic_store(&dag->executed[i], 0);
}

/* Every wanted result is right, and nothing else is in memory.  Returns how many are only in the
 * store and not there any more: those the caller runs again. */
static int check_results(struct cache *cache, struct dag *dag, struct mill_run *run)
{
    int lost = 0;
    dag_expect(dag, run);
    for (uint32_t t = 0; t < run->count; t++) {
        struct mill_task *task = &run->tasks[t];
        const struct dag_node *node = &dag->nodes[dag_node_of(task)];
        CHECK(mill_task_state(task) == node->state);
        CHECK(atomic_load(&task->readers) == 0);
        if (node->state != MILL_FINISHED) continue;
        if (!(atomic_load(&task->flags) & MILL_TASK_WANTED)) {
            CHECK(!mill_task_has_value(task));
        } else if (mill_lookup_load(&cache->lookup, cache->reader, task)) {
            CHECK(dag_unbox(dag, &task->result) == node->number);
        } else {
            lost++;
        }
    }
    for (int k = 0; run->revivals && k < MILL_RUN_LOCKS; k++) CHECK(run->revivals[k] == NULL);
    return lost;
}

static int run_and_check(struct cache *cache, struct dag *dag, const int *wanted, int asked)
{
    forget_executions(dag);
    struct mill_run *run = dag_run(dag, wanted, asked);
    execute(cache, run);
    int lost = check_results(cache, dag, run);
    mill_run_free(run);
    return lost;
}

static bool is_cached(const struct dag *dag, int node)
{
    return dag->nodes[node].function >= DAG_CACHED;
}

static void a_second_run_runs_only_what_is_not_cached(void)
{
    for (int round = 0; round < rounds; round++) {
        struct cache cache;
        struct dag dag;
        int wanted[3], count = 1 + (int)random_below(300);
        dag_init(&dag, count);
        dag_grow_random(&dag, count, DAG_FUNCTIONS, 0);
        cache_open(&cache, "second", thread_counts[round % THREAD_COUNTS], dag_drive, &dag);
        for (int i = 0; i < 3; i++) wanted[i] = (int)random_below((uint32_t)count);
        CHECK(run_and_check(&cache, &dag, wanted, 3) == 0);
        int ran[300];
        for (int i = 0; i < count; i++) {
            ran[i] = atomic_load(&dag.executed[i]);
            CHECK(ran[i] <= 1);
        }
        if (round % 2) mill_store_flush(cache.store, 60); /* else from the queue */
        int64_t before = hits(&cache), cached = 0;
        CHECK(run_and_check(&cache, &dag, wanted, 3) == 0);
        for (int i = 0; i < count; i++) {
            CHECK_SAYING(atomic_load(&dag.executed[i]) == (is_cached(&dag, i) ? 0 : ran[i]),
                         "node %d ran %d times", i, atomic_load(&dag.executed[i]));
            cached += is_cached(&dag, i) && ran[i];
        }
        CHECK(hits(&cache) - before == cached);
        cache_close(&cache);
        dag_fini(&dag);
    }
}

static void failed_tasks_are_not_kept_and_what_is_below_them_is_skipped_again(void)
{
    for (int round = 0; round < rounds; round++) {
        struct cache cache;
        struct dag dag;
        int wanted[3], count = 1 + (int)random_below(300);
        dag_init(&dag, count);
        dag_grow_random(&dag, count, DAG_FUNCTIONS, 10);
        cache_open(&cache, "failed", thread_counts[round % THREAD_COUNTS], dag_drive, &dag);
        for (int i = 0; i < 3; i++) wanted[i] = (int)random_below((uint32_t)count);
        for (int again = 0; again < 3; again++) run_and_check(&cache, &dag, wanted, 3);
        cache_close(&cache);
        dag_fini(&dag);
    }
}

static int all_nodes(const struct dag *dag, int *wanted)
{
    for (int i = 0; i < dag->count; i++) wanted[i] = i;
    return dag->count;
}

static void what_is_lost_before_it_is_loaded_is_made_again(void)
{
    int lost = 0;
    for (int round = 0; round < 4 * rounds; round++) {
        struct cache cache;
        struct dag dag;
        int wanted[200], count = 2 + (int)random_below(150);
        dag_init(&dag, count);
        dag_grow_random(&dag, count, DAG_FUNCTIONS, 0);
        cache_open(&cache, "lost", thread_counts[round % THREAD_COUNTS], dag_drive, &dag);
        run_and_check(&cache, &dag, wanted, all_nodes(&dag, wanted));
        mill_store_flush(cache.store, 60);
        cache.lose_one_in = 1 + random_below(4);
        int last = count - 1;
        while (run_and_check(&cache, &dag, &last, 1) > 0) cache.lose_one_in = 0;
        lost += atomic_load(&cache.lost);
        /* What was made again is kept again. */
        cache.lose_one_in = 0;
        mill_store_flush(cache.store, 60);
        if (run_and_check(&cache, &dag, &last, 1) == 0) {
            for (int i = 0; i < count; i++) {
                CHECK(!is_cached(&dag, i) || atomic_load(&dag.executed[i]) == 0);
            }
        }
        cache_close(&cache);
        dag_fini(&dag);
    }
    CHECK_SAYING(lost > 10 * rounds, "only %d were lost", lost);
}

static int add(struct dag *dag, int function, int inputs, int first, int second)
{
    dag->nodes[dag->count] =
        (struct dag_node){.function = function, .inputs = inputs, .input = {first, second}};
    return dag_add(dag);
}

static void a_reader_that_is_ready_later_is_skipped_too(void)
{
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct cache cache;
        struct dag dag;
        dag_init(&dag, 20);
        int lost = add(&dag, DAG_CACHED + DAG_DRIVEN, 0, 0, 0);
        int early = add(&dag, DAG_PLAIN, 1, lost, 0), chain = add(&dag, DAG_PLAIN, 0, 0, 0);
        for (int i = 0; i < 10; i++) chain = add(&dag, DAG_PLAIN, 1, chain, 0);
        int late = add(&dag, DAG_PLAIN, 2, lost, chain);
        int last = add(&dag, DAG_PLAIN, 2, early, late);
        cache_open(&cache, "later", thread_counts[t], dag_drive, &dag);
        run_and_check(&cache, &dag, &last, 1);
        mill_store_flush(cache.store, 60);
        cache.lose_node = lost;
        dag.nodes[lost].fails = true;
        CHECK(run_and_check(&cache, &dag, &last, 1) == 0);
        CHECK(atomic_load(&dag.wrong) == 0);
        cache_close(&cache);
        dag_fini(&dag);
    }
}

/* A driven node that is cached; -1 when there is none. */
static int any_driven(const struct dag *dag)
{
    int first = (int)random_below((uint32_t)dag->count);
    for (int i = 0; i < dag->count; i++) {
        int node = (first + i) % dag->count;
        if (dag->nodes[node].function >= DAG_CACHED + DAG_DRIVEN) return node;
    }
    return -1;
}

/* The task hits, is lost, and fails when it runs again: whoever reads it is skipped, also a task
 * that becomes ready later, and nothing is kept that was made of the error. */
static void what_fails_when_made_again_skips_its_readers(void)
{
    int failed = 0;
    for (int round = 0; round < 10 * rounds; round++) {
        struct cache cache;
        struct dag dag;
        int wanted[60], last = 59;
        dag_init(&dag, 60);
        dag_grow_random(&dag, 60, DAG_FUNCTIONS, 0);
        cache_open(&cache, "again", thread_counts[round % THREAD_COUNTS], dag_drive, &dag);
        run_and_check(&cache, &dag, wanted, all_nodes(&dag, wanted));
        mill_store_flush(cache.store, 60);
        cache.lose_node = any_driven(&dag);
        if (cache.lose_node >= 0) dag.nodes[cache.lose_node].fails = true;
        struct mill_run *run = dag_run(&dag, &last, 1);
        execute(&cache, run);
        CHECK(atomic_load(&dag.wrong) == 0); /* nobody took the error for a result */
        failed += atomic_load(&run->skipped) > 1;
        mill_run_free(run);
        if (cache.lose_node >= 0) dag.nodes[cache.lose_node].fails = false;
        cache.lose_node = -1;
        while (run_and_check(&cache, &dag, &last, 1) > 0) {}
        cache_close(&cache);
        dag_fini(&dag);
    }
    CHECK_SAYING(failed > 0, "in no run were several skipped");
}

static void it_may_be_lost_at_every_position(void)
{
    enum { COUNT = 40 };
    for (int t = 0; t < THREAD_COUNTS; t++) {
        struct cache cache;
        struct dag dag;
        int wanted[COUNT], last = COUNT - 1;
        dag_init(&dag, COUNT);
        dag_grow_random(&dag, COUNT, DAG_FUNCTIONS, 0);
        cache_open(&cache, "position", thread_counts[t], dag_drive, &dag);
        for (int node = 0; node < COUNT; node++) {
            run_and_check(&cache, &dag, wanted, all_nodes(&dag, wanted));
            mill_store_flush(cache.store, 60);
            cache.lose_node = node;
            CHECK(run_and_check(&cache, &dag, &last, 1) == 0);
            cache.lose_node = -1;
        }
        cache_close(&cache);
        dag_fini(&dag);
    }
}

static void damaged_results_are_made_again(void)
{
    for (int round = 0; round < rounds; round++) {
        struct cache cache;
        struct dag dag;
        int wanted[100], last = 99;
        dag_init(&dag, 100);
        dag_grow_random(&dag, 100, DAG_FUNCTIONS, 0);
        cache_open(&cache, "damaged", thread_counts[round % THREAD_COUNTS], dag_drive, &dag);
        run_and_check(&cache, &dag, wanted, all_nodes(&dag, wanted));
        mill_store_flush(cache.store, 60);
        CHECK(sqlite3_exec(cache.database,
                           "UPDATE object SET data = zeroblob(length(data)) WHERE id % 2", NULL,
                           NULL, NULL) == SQLITE_OK);
        run_and_check(&cache, &dag, &last, 1); /* the last one itself may be lost */
        mill_store_flush(cache.store, 60);
        run_and_check(&cache, &dag, &last, 1);
        run_and_check(&cache, &dag, &last, 1);
        CHECK(run_and_check(&cache, &dag, &last, 1) == 0);
        cache_close(&cache);
        dag_fini(&dag);
    }
}

/* ---- small graphs, known node by node --------------------------------------------------------------- */

enum { CACHED = DAG_CACHED + DAG_PLAIN, OTHER_CACHED = CACHED + 1 };

static int executed(struct dag *dag, int node)
{
    return atomic_load(&dag->executed[node]);
}

static void new_salt(struct dag *dag, int function, const char *text)
{
    dag->functions[function]->policy.salt = mill_hash_bytes(text, strlen(text));
}

/* cached -> not cached -> cached: the middle one runs, and its result is what counts. */
static void an_uncached_node_between_cached_ones_runs_and_the_last_one_hits(void)
{
    struct cache cache;
    struct dag dag;
    dag_init(&dag, 3);
    int first = add(&dag, CACHED, 0, 0, 0), middle = add(&dag, DAG_PLAIN, 1, first, 0);
    int last = add(&dag, OTHER_CACHED, 1, middle, 0);
    cache_open(&cache, "between", 0, dag_drive, &dag);
    run_and_check(&cache, &dag, &last, 1);
    run_and_check(&cache, &dag, &last, 1);
    CHECK(executed(&dag, first) == 0 && executed(&dag, middle) == 1 &&
          executed(&dag, last) == 0);
    cache_close(&cache);
    dag_fini(&dag);
}

static void another_function_with_the_same_result_costs_nothing_below(void)
{
    struct cache cache;
    struct dag dag;
    dag_init(&dag, 2);
    int first = add(&dag, CACHED, 0, 0, 0), last = add(&dag, OTHER_CACHED, 1, first, 0);
    cache_open(&cache, "cutoff", 0, dag_drive, &dag);
    run_and_check(&cache, &dag, &last, 1);
    new_salt(&dag, CACHED, "edited");
    run_and_check(&cache, &dag, &last, 1);
    CHECK(executed(&dag, first) == 1 && executed(&dag, last) == 0);
    new_salt(&dag, OTHER_CACHED, "edited, too");
    run_and_check(&cache, &dag, &last, 1);
    CHECK(executed(&dag, first) == 0 && executed(&dag, last) == 1);
    cache_close(&cache);
    dag_fini(&dag);
}

static void refresh_runs_again_and_keeps(void)
{
    struct cache cache;
    struct dag dag;
    dag_init(&dag, 1);
    int node = add(&dag, CACHED, 0, 0, 0);
    cache_open(&cache, "refresh", 0, dag_drive, &dag);
    dag.functions[CACHED]->policy.refresh = true;
    for (int i = 0; i < 2; i++) {
        run_and_check(&cache, &dag, &node, 1);
        CHECK(executed(&dag, node) == 1);
    }
    dag.functions[CACHED]->policy.refresh = false;
    run_and_check(&cache, &dag, &node, 1);
    CHECK(executed(&dag, node) == 0);
    cache_close(&cache);
    dag_fini(&dag);
}

static void a_function_without_a_key_is_not_cached(void)
{
    struct cache cache;
    struct dag dag;
    dag_init(&dag, 1);
    int node = add(&dag, CACHED, 0, 0, 0);
    cache_open(&cache, "refusal", 0, dag_drive, &dag);
    dag.functions[CACHED]->policy.refusal = strdup("upvalue f is a file");
    for (int i = 0; i < 2; i++) {
        run_and_check(&cache, &dag, &node, 1);
        CHECK(executed(&dag, node) == 1);
    }
    cache_close(&cache);
    dag_fini(&dag);
}

static void a_chain_of_hits_loads_nothing_but_what_was_asked_for(void)
{
    struct cache cache;
    struct dag dag;
    int last = 199;
    dag_init(&dag, 200);
    for (int i = 0; i < 200; i++) add(&dag, CACHED, i > 0, i - 1, 0);
    cache_open(&cache, "chain", 0, dag_drive, &dag);
    run_and_check(&cache, &dag, &last, 1);
    mill_store_flush(cache.store, 60);
    CHECK(sqlite3_exec(cache.database,
                       "DELETE FROM object WHERE id <> (SELECT max(id) FROM object)", NULL,
                       NULL, NULL) == SQLITE_OK);
    CHECK(run_and_check(&cache, &dag, &last, 1) == 0); /* the others are not missed */
    for (int i = 0; i < 200; i++) CHECK(executed(&dag, i) == 0);
    cache_close(&cache);
    dag_fini(&dag);
}

static void a_key_is_that_of_function_arguments_and_results_of_inputs(void)
{
    struct dag dag;
    dag_init(&dag, 3);
    int one = add(&dag, CACHED, 0, 0, 0), two = add(&dag, CACHED, 0, 0, 0);
    int sum = add(&dag, OTHER_CACHED, 2, one, two);
    struct mill_run *run = dag_run(&dag, &sum, 1);
    struct mill_task *task = &run->tasks[run->wanted[0]];
    struct mill_hash *first = &run->content[run->inputs[task->first_input]];
    struct mill_hash before, after_edit, swapped = {0}, key = {0};
    *first = mill_hash_bytes("1", 1);
    first[1] = mill_hash_bytes("2", 1);
    CHECK(mill_task_key(task, &before) && mill_task_key(task, &key));
    CHECK(mill_hash_equal(before, key));
    new_salt(&dag, OTHER_CACHED, "edited");
    CHECK(mill_task_key(task, &after_edit) && !mill_hash_equal(before, after_edit));
    *first = mill_hash_bytes("2", 1);
    first[1] = mill_hash_bytes("1", 1);
    CHECK(mill_task_key(task, &swapped) && !mill_hash_equal(swapped, after_edit));
    /* The same function, another number as argument. */
    struct mill_hash key_one = {0}, key_two = {0};
    CHECK(mill_task_key(&run->tasks[0], &key_one) && mill_task_key(&run->tasks[1], &key_two));
    CHECK(!mill_hash_equal(key_one, key_two));
    mill_run_free(run);
    dag_fini(&dag);
}

/* ---- bodies of the tests' own -------------------------------------------------------------------------- */

/* What the driven tasks of a test return, and what they are seen to read. */
struct play {
    struct dag dag;
    struct cache cache;
    int runs; /* of the body */
    struct mill_value result;
    int notes;
    struct {
        enum mill_read_kind kind;
        const char *name;
        struct mill_hash hash;
    } note[4];
};

static void play_drive(void *context, struct mill_worker *worker)
{
    struct play *play = context;
    while (mill_worker_next(worker)) {
        play->runs++;
        for (int i = 0; i < play->notes; i++) {
            mill_lookup_note(&play->cache.lookup, worker, play->note[i].kind,
                             play->note[i].name, play->note[i].hash);
        }
        mill_worker_finish(worker, MILL_FINISHED, mill_value_ref(play->result));
    }
}

static void play_open(struct play *play)
{
    memset(play, 0, sizeof *play);
    play->result = mill_number(1);
    dag_init(&play->dag, 4);
    add(&play->dag, CACHED + DAG_DRIVEN, 0, 0, 0);
    cache_open(&play->cache, "play", 0, play_drive, play);
}

static void play_close(struct play *play)
{
    mill_value_unref(play->result);
    cache_close(&play->cache);
    dag_fini(&play->dag);
}

/* Whether the node 0 was answered without running. */
static bool play_hits(struct play *play)
{
    int node = 0, before = play->runs;
    struct mill_run *run = dag_run(&play->dag, &node, 1);
    execute(&play->cache, run);
    struct mill_task *task = &run->tasks[0];
    CHECK(mill_lookup_load(&play->cache.lookup, play->cache.reader, task));
    CHECK(mill_hash_equal(mill_value_hash(&task->result, NULL),
                          mill_value_hash(&play->result, NULL)));
    mill_run_free(run);
    return play->runs == before;
}

/* The play's body reads a file: notes it as it is now, and returns its text. */
static void reads_file(struct play *play, const char *path, const char *text)
{
    bool failed = false;
    play->notes = 1;
    play->note[0].kind = MILL_READ_FILE;
    play->note[0].name = path;
    play->note[0].hash = mill_files_hash(&play->cache.files, path);
    mill_value_unref(play->result);
    play->result = mill_string(text, strlen(text), &failed);
}

static void a_file_that_was_read_decides(void)
{
    struct play play;
    char path[128];
    snprintf(path, sizeof path, "%s", in_folder("input.txt"));
    play_open(&play);
    write_file(path, "one");
    reads_file(&play, path, "one");
    CHECK(!play_hits(&play) && play_hits(&play));
    write_file(path, "two");
    reads_file(&play, path, "two");
    CHECK(!play_hits(&play) && play_hits(&play));
    write_file(path, "one"); /* both answers are known */
    reads_file(&play, path, "one");
    CHECK(play_hits(&play));
    unlink(path);
    reads_file(&play, path, "none");
    CHECK(!play_hits(&play) && play_hits(&play)); /* that it is absent is an answer, too */
    write_file(path, "two");
    reads_file(&play, path, "two");
    CHECK(play_hits(&play));
    unlink(path);
    play_close(&play);
}

static void a_variable_that_was_read_decides(void)
{
    struct play play;
    play_open(&play);
    static const char *texts[] = {"a", "b", NULL, ""};
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < 4; i++) {
            if (texts[i]) {
                setenv("TIDEMILL_TEST_LOOKUP", texts[i], 1);
            } else {
                unsetenv("TIDEMILL_TEST_LOOKUP");
            }
            play.notes = 1;
            play.note[0].kind = MILL_READ_VARIABLE;
            play.note[0].name = "TIDEMILL_TEST_LOOKUP";
            play.note[0].hash = mill_variable_hash("TIDEMILL_TEST_LOOKUP");
            play.result = mill_number(i);
            CHECK(play_hits(&play) == (again == 1));
        }
    }
    play_close(&play);
}

static struct mill_hash listing(const char *pattern)
{
    struct mill_glob glob;
    CHECK(mill_glob_find(pattern, &glob));
    struct mill_hash hash = mill_glob_hash(&glob);
    mill_glob_fini(&glob);
    return hash;
}

static void a_listing_that_was_read_decides(void)
{
    struct play play;
    char pattern[128], added[128];
    snprintf(pattern, sizeof pattern, "%s", in_folder("list*.csv"));
    snprintf(added, sizeof added, "%s", in_folder("list2.csv"));
    play_open(&play);
    for (int i = 0; i < 6; i++) {
        if (i % 2) {
            write_file(added, "x");
        } else {
            unlink(added);
        }
        play.notes = 1;
        play.note[0].kind = MILL_READ_LISTING;
        play.note[0].name = pattern;
        play.note[0].hash = listing(pattern);
        play.result = mill_number(i % 2);
        CHECK(play_hits(&play) == (i >= 2));
    }
    unlink(added);
    play_close(&play);
}

static void what_changed_while_it_was_read_is_not_kept(void)
{
    struct play play;
    play_open(&play);
    play.notes = 2;
    for (int i = 0; i < 2; i++) {
        play.note[i].kind = MILL_READ_VARIABLE;
        play.note[i].name = "TIDEMILL_TEST_LOOKUP";
        play.note[i].hash = mill_hash_bytes(&i, sizeof i);
    }
    CHECK(!play_hits(&play) && !play_hits(&play));
    struct mill_store_numbers numbers;
    mill_store_flush(play.cache.store, 60);
    mill_store_numbers(play.cache.store, &numbers);
    CHECK(numbers.entries == 0);
    play_close(&play);
}

static void the_list_of_one_task_is_not_that_of_the_next(void)
{
    struct play play;
    play_open(&play);
    play.notes = 1;
    play.note[0].kind = MILL_READ_VARIABLE;
    play.note[0].name = "TIDEMILL_TEST_LOOKUP";
    play.note[0].hash = mill_hash_bytes("never", 5);
    CHECK(!play_hits(&play) && !play_hits(&play)); /* what it noted does not hold */
    play.notes = 0;
    new_salt(&play.dag, CACHED + DAG_DRIVEN, "another");
    CHECK(!play_hits(&play) && play_hits(&play));
    play_close(&play);
}

/* A dump: what a function is in packed form. */
static struct mill_value function_value(void)
{
    char canonical[16] = {0};
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_FUNCTION);
    mill_packer_bytes(&packer, canonical, 16);
    for (int i = 0; i < 4; i++) mill_packer_size(&packer, 0);
    bool failed = false;
    return mill_packer_take(&packer, &failed);
}

static void a_result_that_holds_a_function_is_not_kept_and_that_is_said(void)
{
    struct play play;
    play_open(&play);
    play.result = function_value();
    CHECK(!play_hits(&play) && !play_hits(&play));
    CHECK(atomic_load(&play.cache.warnings) == 2);
    play_close(&play);
}

/* A task that is lost and gives another result the second time: whoever read it had a key from
 * the first result and the value of the second, and was kept under that key. */
static void what_was_made_of_a_changed_result_is_not_kept(void)
{
    struct play play;
    play_open(&play);
    int top = add(&play.dag, CACHED, 0, 0, 0);
    int sum = add(&play.dag, OTHER_CACHED, 2, 0, top);
    play.result = dag_box(&play.dag, 100);
    run_and_check(&play.cache, &play.dag, &top, 1);
    struct mill_run *run = dag_run(&play.dag, &sum, 1);
    execute(&play.cache, run);
    uint64_t right = dag_unbox(&play.dag, &run->tasks[run->wanted[0]].result);
    mill_run_free(run);
    mill_store_flush(play.cache.store, 60);
    /* The sum has to be made anew; its first input hits, is lost, and comes to 200. */
    mill_value_unref(play.result);
    play.result = dag_box(&play.dag, 200);
    new_salt(&play.dag, OTHER_CACHED, "edited");
    play.cache.lose_node = 0;
    run = dag_run(&play.dag, &sum, 1);
    execute(&play.cache, run);
    CHECK_SAYING(atomic_load(&play.cache.lost) == 1 && play.runs == 2, "lost %d, ran %d",
                 atomic_load(&play.cache.lost), play.runs);
    CHECK(dag_unbox(&play.dag, &run->tasks[run->wanted[0]].result) != right);
    mill_run_free(run);
    /* With 100 again the sum must be that of 100. */
    play.cache.lose_node = -1;
    mill_value_unref(play.result);
    play.result = dag_box(&play.dag, 100);
    play.dag.functions[CACHED + DAG_DRIVEN]->policy.refresh = true;
    run = dag_run(&play.dag, &sum, 1);
    execute(&play.cache, run);
    struct mill_task *task = &run->tasks[run->wanted[0]];
    CHECK(mill_lookup_load(&play.cache.lookup, play.cache.reader, task));
    CHECK(dag_unbox(&play.dag, &task->result) == right);
    mill_run_free(run);
    play_close(&play);
}

/* ---- lists of what was read -------------------------------------------------------------------------------- */

static void reads_of_any_bytes_are_safe(void)
{
    struct mill_files files;
    mill_files_init(&files);
    struct mill_reads reads = {0};
    mill_reads_add(&reads, MILL_READ_VARIABLE, "TIDEMILL_TEST_LOOKUP_NONE",
                   (struct mill_hash){0, 0});
    mill_reads_add(&reads, MILL_READ_VARIABLE, "HOME", mill_variable_hash("HOME"));
    mill_reads_add(&reads, MILL_READ_VARIABLE, "HOME", mill_variable_hash("HOME"));
    CHECK(!reads.unsound && mill_reads_hold(&files, reads.bytes, reads.size));
    CHECK(mill_reads_hold(&files, NULL, 0));
    for (size_t size = 1; size < reads.size; size++) {
        char *exact = malloc(size); /* a sanitizer sees a read past it */
        memcpy(exact, reads.bytes, size);
        bool whole = size == 1 + 16 + sizeof "TIDEMILL_TEST_LOOKUP_NONE";
        CHECK(mill_reads_hold(&files, exact, size) == whole);
        free(exact);
    }
    for (int i = 0; i < 2000; i++) {
        size_t size = 1 + random_below(60);
        char *bytes = malloc(size);
        for (size_t k = 0; k < size; k++) bytes[k] = (char)random_below(256);
        bytes[0] = "flvx"[random_below(4)];
        mill_reads_hold(&files, bytes, size);
        free(bytes);
    }
    mill_reads_clear(&reads);
    CHECK(reads.size == 0);
    mill_reads_fini(&reads);
    mill_files_fini(&files);
}

/* ---- hashes of files ------------------------------------------------------------------------------------------ */

static bool hash_is_of(struct mill_files *files, const char *path, const char *text)
{
    return mill_hash_equal(mill_files_hash(files, path), mill_hash_bytes(text, strlen(text)));
}

static void young_files_are_not_remembered(void)
{
    struct mill_files files;
    const char *path = in_folder("young.txt");
    mill_files_init(&files);
    write_file(path, "one");
    CHECK(hash_is_of(&files, path, "one"));
    CHECK(files.count == 0);
    write_file(path, "two"); /* the same size, and perhaps the same time */
    CHECK(hash_is_of(&files, path, "two"));
    unlink(path);
    CHECK(mill_hash_equal(mill_files_hash(&files, path), (struct mill_hash){0, 0}));
    CHECK(mill_hash_equal(mill_files_hash(&files, folder), (struct mill_hash){0, 0}));
    mill_files_fini(&files);
}

static int64_t written_at; /* when `old_file` was */
static char old_file[128];

static void old_files_are_remembered_until_anything_about_them_changes(void)
{
    while (mill_clock_now() < written_at + INT64_C(4200000000)) usleep(50000);
    struct mill_files files;
    mill_files_init(&files);
    CHECK(hash_is_of(&files, old_file, "old"));
    CHECK(files.count == 1);
    CHECK(hash_is_of(&files, old_file, "old"));
    CHECK(files.count == 1);
    struct stat before;
    CHECK(stat(old_file, &before) == 0);
    struct timespec times[2] = {before.st_atim, before.st_mtim};
    write_file(old_file, "new"); /* the same size, and the time put back */
    CHECK(utimensat(AT_FDCWD, old_file, times, 0) == 0);
    CHECK(hash_is_of(&files, old_file, "new"));
    const char *other = in_folder("other.txt");
    write_file(other, "OLD");
    CHECK(utimensat(AT_FDCWD, other, times, 0) == 0);
    CHECK(rename(other, old_file) == 0);
    CHECK(hash_is_of(&files, old_file, "OLD"));
    unlink(old_file);
    CHECK(mill_hash_equal(mill_files_hash(&files, old_file), (struct mill_hash){0, 0}));
    mill_files_fini(&files);
}

static char shared_file[128];

static void *hash_many(void *argument)
{
    struct mill_files *files = argument;
    for (int i = 0; i < 2000; i++) {
        CHECK(hash_is_of(files, shared_file, "shared"));
        mill_files_hash(files, "/etc/passwd");
        mill_files_hash(files, "/etc/hostname");
        mill_files_hash(files, "/etc/hosts");
    }
    return NULL;
}

static void any_thread_may_ask(void)
{
    struct mill_files files;
    pthread_t threads[3];
    mill_files_init(&files);
    snprintf(shared_file, sizeof shared_file, "%s/shared.txt", folder);
    write_file(shared_file, "shared");
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, hash_many, &files);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    mill_files_fini(&files);
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atoi(argv[1]);
    alarm(argc > 1 ? 0 : 900); /* the watchdog */
    random_state = check_seed();
    folder_make();
    snprintf(old_file, sizeof old_file, "%s/old.txt", folder);
    write_file(old_file, "old");
    written_at = mill_clock_now();
    RUN(a_second_run_runs_only_what_is_not_cached);
    RUN(failed_tasks_are_not_kept_and_what_is_below_them_is_skipped_again);
    RUN(what_is_lost_before_it_is_loaded_is_made_again);
    RUN(what_fails_when_made_again_skips_its_readers);
    RUN(a_reader_that_is_ready_later_is_skipped_too);
    RUN(it_may_be_lost_at_every_position);
    RUN(damaged_results_are_made_again);
    RUN(an_uncached_node_between_cached_ones_runs_and_the_last_one_hits);
    RUN(another_function_with_the_same_result_costs_nothing_below);
    RUN(refresh_runs_again_and_keeps);
    RUN(a_function_without_a_key_is_not_cached);
    RUN(a_chain_of_hits_loads_nothing_but_what_was_asked_for);
    RUN(a_key_is_that_of_function_arguments_and_results_of_inputs);
    RUN(a_file_that_was_read_decides);
    RUN(a_variable_that_was_read_decides);
    RUN(a_listing_that_was_read_decides);
    RUN(what_changed_while_it_was_read_is_not_kept);
    RUN(the_list_of_one_task_is_not_that_of_the_next);
    RUN(a_result_that_holds_a_function_is_not_kept_and_that_is_said);
    RUN(what_was_made_of_a_changed_result_is_not_kept);
    RUN(reads_of_any_bytes_are_safe);
    RUN(young_files_are_not_remembered);
    RUN(old_files_are_remembered_until_anything_about_them_changes);
    RUN(any_thread_may_ask);
    folder_remove();
    return check_end();
}
