/* run: a set of tasks in flight: what some wanted nodes need, each once.
 * SPDX-License-Identifier: MIT */
#include "sched/run.h"

#include <stdlib.h>

#include "base/pages.h"
#include "sched/delay.h"
#include "sched/pool.h"
#include "sched/retry.h"

/* `waiter` is ready but for the result of `lost`, which is made again. */
struct mill_revival {
    struct mill_task *lost, *waiter;
    struct mill_revival *next;
};

/* ---- building -------------------------------------------------------------------------
 * Depth first and without recursion: a node is put on the stack by each that needs it; met the
 * first time it is marked OPEN and stacked again under its inputs, met again when they are
 * numbered it gets its own number.  So a task comes after its inputs, and after as few others as
 * possible: workers that go through the roots in order keep few results alive. */

enum { UNSEEN = 0, OPEN = 1, NUMBERED = 2 };

enum {
    FEW = 32
}; /* nodes: a run of so few is built without memory of its own for the building */

struct builder {
    struct mill_graph *graph;
    uint32_t *stack;
    size_t stack_size, stack_room;
    uint32_t *nodes; /* by task */
    size_t count, room;
    uint64_t edges;
    bool failed;
    uint32_t few_on_stack[FEW], few_nodes[FEW];
};

/* Not for what is kept: `few` is what the list begins with, on the caller's stack. */
static bool grow_indexes(uint32_t **list, size_t wanted, size_t *room, const uint32_t *few)
{
    if (wanted <= *room) return true;
    size_t size = *room * 2;
    while (size < wanted) size *= 2;
    uint32_t *old = *list == few ? NULL : *list;
    uint32_t *grown = realloc(old, size * sizeof *grown);
    if (grown == NULL) return false;
    if (old == NULL) memcpy(grown, few, *room * sizeof *grown);
    *list = grown;
    *room = size;
    return true;
}

static void builder_init(struct builder *builder, struct mill_graph *graph)
{
    builder->graph = graph;
    builder->stack = builder->few_on_stack;
    builder->nodes = builder->few_nodes;
    builder->stack_room = builder->room = FEW;
    builder->stack_size = builder->count = 0;
    builder->edges = 0;
    builder->failed = false;
}

static void builder_fini(struct builder *builder)
{
    if (builder->nodes != builder->few_nodes) free(builder->nodes);
    if (builder->stack != builder->few_on_stack) free(builder->stack);
}

static void stack_inputs(struct builder *builder, struct mill_node *node)
{
    if (!grow_indexes(&builder->stack, builder->stack_size + node->inputs, &builder->stack_room,
                      builder->few_on_stack)) {
        builder->failed = true;
        return;
    }
    uint32_t *inputs = builder->stack + builder->stack_size;
    mill_node_inputs(node, inputs);
    for (uint32_t i = 0; i < node->inputs / 2; i++) { /* the first one on top */
        uint32_t swap = inputs[i];
        inputs[i] = inputs[node->inputs - 1 - i];
        inputs[node->inputs - 1 - i] = swap;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->inputs; i++) {
        bool unseen = mill_graph_at(builder->graph, inputs[i])->mark == UNSEEN;
        if (unseen) inputs[kept++] = inputs[i];
    }
    builder->stack_size += kept;
}

static void number_node(struct builder *builder, uint32_t index, struct mill_node *node)
{
    if (!grow_indexes(&builder->nodes, builder->count + 1, &builder->room,
                      builder->few_nodes) ||
        builder->count >= INT32_MAX - NUMBERED) { /* `cause` is an index and signed */
        builder->failed = true;
        return;
    }
    builder->nodes[builder->count] = index;
    node->mark = (uint32_t)builder->count++ + NUMBERED;
    builder->edges += node->inputs;
}

static void visit(struct builder *builder, uint32_t wanted)
{
    builder->stack[0] = wanted;
    builder->stack_size = 1;
    while (builder->stack_size > 0 && !builder->failed) {
        uint32_t index = builder->stack[builder->stack_size - 1];
        struct mill_node *node = mill_graph_at(builder->graph, index);
        if (node->mark == UNSEEN && node->inputs > 0) {
            node->mark = OPEN;
            stack_inputs(builder, node);
            continue;
        }
        if (node->mark <= OPEN) number_node(builder, index, node);
        if (!builder->failed) builder->stack_size--; /* leave_nodes finds it there */
    }
}

/* `mark` is the graph's scratch: 0 again for every node that was touched.  Those of a run that
 * came about gain a reference. */
static void leave_nodes(struct builder *builder, bool used)
{
    for (size_t i = 0; i < builder->count; i++) {
        struct mill_node *node = mill_graph_at(builder->graph, builder->nodes[i]);
        node->mark = UNSEEN;
        node->refs += used;
    }
    for (size_t i = 0; builder->failed && i < builder->stack_size; i++) {
        mill_graph_at(builder->graph, builder->stack[i])->mark = UNSEEN;
    }
}

static bool allocate(struct mill_run *run, const struct builder *builder, uint32_t wanted)
{
    size_t count = builder->count, edges = builder->edges;
    if (edges > UINT32_MAX) return false;
    /* One block.  A task is a cache line; each is written when its turn comes. */
    size_t tasks = (count + 1) * sizeof *run->tasks;
    size_t lists = (2 * edges + count + wanted) * sizeof(uint32_t);
    size_t size = tasks + lists + 63;
    /* aligned_alloc is slow for few bytes. */
    run->block =
        size < MILL_HUGE_PAGE ? malloc(size) : mill_spare_take(&builder->graph->spare, &size);
    if (run->block == NULL) return false;
    run->block_size = size;
    run->tasks = (struct mill_task *)(((uintptr_t)run->block + 63) & ~(uintptr_t)63);
    run->inputs = (uint32_t *)(run->tasks + count + 1);
    run->dependents = run->inputs + edges;
    run->roots = run->dependents + edges;
    run->wanted = run->roots + count;
    return true;
}

/* Numbers of functions to indexes in the run: nodes of one function tend to stand together, so
 * the last answer is remembered; the rest is looked up in a small hash table. */
struct slot {
    uint32_t number, index; /* index UINT32_MAX: empty */
};

struct function_map {
    struct slot *slots;
    size_t room;
    uint32_t last_number, last_index;
    struct slot few[8]; /* the first room */
};

static void map_init(struct function_map *map)
{
    map->slots = map->few;
    map->room = sizeof map->few / sizeof *map->few;
    map->last_index = UINT32_MAX;
    memset(map->few, 0xFF, sizeof map->few);
}

static void map_fini(struct function_map *map)
{
    if (map->slots != map->few) free(map->slots);
}

static bool map_grow(struct function_map *map)
{
    size_t room = map->room * 2;
    struct slot *slots = malloc(room * sizeof *slots);
    if (slots == NULL) return false;
    memset(slots, 0xFF, room * sizeof *slots);
    for (size_t i = 0; i < map->room; i++) {
        if (map->slots[i].index == UINT32_MAX) continue;
        size_t at = map->slots[i].number * 2654435761u & (room - 1);
        while (slots[at].index != UINT32_MAX) at = (at + 1) & (room - 1);
        slots[at] = map->slots[i];
    }
    map_fini(map);
    map->slots = slots;
    map->room = room;
    return true;
}

static bool grow_functions(struct mill_run *run, size_t *room)
{
    if (run->function_count < *room) return true;
    size_t size = *room ? *room * 2 : 4;
    void *grown = realloc(run->functions, size * sizeof *run->functions);
    if (grown == NULL) return false;
    run->functions = grown;
    *room = size;
    return true;
}

static bool map_function(struct mill_run *run, struct function_map *map, uint32_t number,
                         size_t *room, mill_function_of *function_of, void *context,
                         uint32_t *index)
{
    if (map->last_index != UINT32_MAX && map->last_number == number) {
        *index = map->last_index;
        return true;
    }
    size_t at = number * 2654435761u & (map->room - 1);
    while (map->slots[at].index != UINT32_MAX && map->slots[at].number != number) {
        at = (at + 1) & (map->room - 1);
    }
    if (map->slots[at].index == UINT32_MAX) {
        struct mill_function *function = function_of(context, number);
        if (function == NULL || !grow_functions(run, room)) return false;
        run->functions[run->function_count] = mill_function_ref(function);
        map->slots[at] = (struct slot){number, run->function_count++};
        map->last_index = map->slots[at].index;
        map->last_number = number;
        *index = map->last_index;
        if (run->function_count * 2 < map->room) return true;
        return map_grow(map);
    }
    map->last_number = number;
    *index = map->last_index = map->slots[at].index;
    return true;
}

/* These two while only the building thread knows the task. */
static void add_flag(struct mill_task *task, uint8_t flag)
{
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    atomic_init(&task->flags, flags | flag);
}

static void add_reader(struct mill_task *task, bool hashed)
{
    int32_t readers = atomic_load_explicit(&task->readers, memory_order_relaxed);
    atomic_init(&task->readers, readers + 1);
    if (hashed) add_flag(task, MILL_TASK_HASHED);
}

static bool fill_tasks(struct mill_run *run, struct builder *builder,
                       mill_function_of *function_of, void *context)
{
    struct function_map map;
    size_t room = 0;
    uint32_t edge = 0;
    bool fine = true;
    map_init(&map);
    for (uint32_t i = 0; fine && i < run->count; i++) {
        struct mill_task *task = &run->tasks[i];
        struct mill_node *node = mill_graph_at(builder->graph, builder->nodes[i]);
        *task = (struct mill_task){.run = run, .node = node, .index = i, .first_input = edge};
        atomic_init(&task->missing, (int32_t)node->inputs);
        atomic_init(&task->cause, MILL_NO_CAUSE);
        fine = map_function(run, &map, node->function, &room, function_of, context,
                            &task->function);
        if (fine && node->inputs == 0) run->level_end[mill_task_level(task)]++;
        mill_node_inputs(node, run->inputs + edge);
        for (uint32_t k = 0; k < node->inputs; k++, edge++) {
            uint32_t input = mill_graph_at(builder->graph, run->inputs[edge])->mark - NUMBERED;
            run->inputs[edge] = input;
            add_reader(&run->tasks[input], fine && mill_task_function(task)->policy.cached);
        }
    }
    run->tasks[run->count] = (struct mill_task){.first_input = edge};
    map_fini(&map);
    return fine;
}

/* Where the roots of each level go: those of the highest first. */
static void place_levels(struct mill_run *run, uint32_t next[MILL_LEVELS])
{
    uint32_t at = 0;
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        next[level] = at;
        at += run->level_end[level]; /* how many, until now */
        run->level_end[level] = at;
    }
    run->root_count = at;
}

/* Roots by level, and a counting sort of the edges by their input: `first_dependent` is where a
 * list ends, and falls to where it begins while the list is filled from its end. */
static void fill_lists(struct mill_run *run)
{
    uint32_t at = 0, next[MILL_LEVELS];
    place_levels(run, next);
    for (uint32_t i = 0; i < run->count; i++) {
        struct mill_task *task = &run->tasks[i];
        at += (uint32_t)atomic_load_explicit(&task->readers, memory_order_relaxed);
        task->first_dependent = at;
        if (mill_task_inputs(task) == 0) run->roots[next[mill_task_level(task)]++] = i;
    }
    run->tasks[run->count].first_dependent = at;
    uint32_t edge = run->tasks[run->count].first_input;
    for (uint32_t i = run->count; i-- > 0;) {
        while (edge > run->tasks[i].first_input) {
            run->dependents[--run->tasks[run->inputs[--edge]].first_dependent] = i;
        }
    }
}

static void fill_wanted(struct mill_run *run, struct builder *builder, const uint32_t *wanted,
                        uint32_t wanted_count)
{
    run->wanted_count = wanted_count;
    for (uint32_t i = 0; i < wanted_count; i++) {
        uint32_t index = mill_graph_at(builder->graph, wanted[i])->mark - NUMBERED;
        run->wanted[i] = index;
        add_flag(&run->tasks[index], MILL_TASK_WANTED);
    }
}

static bool run_has_cache(const struct mill_run *run)
{
    for (uint32_t i = 0; i < run->function_count; i++) {
        if (run->functions[i]->policy.cached) return true;
    }
    return false;
}

/* What only runs with a cache need. */
static bool add_cache(struct mill_run *run)
{
    run->content = calloc(run->count, sizeof *run->content);
    run->locks = malloc(MILL_RUN_LOCKS * sizeof *run->locks);
    run->revivals = calloc(MILL_RUN_LOCKS, sizeof(struct mill_revival *));
    for (int i = 0; run->locks && i < MILL_RUN_LOCKS; i++) {
        pthread_mutex_init(&run->locks[i], NULL);
    }
    return run->content && run->locks && run->revivals;
}

struct mill_token *mill_token_new(void)
{
    struct mill_token *token = calloc(1, sizeof *token);
    if (token) atomic_init(&token->refs, 1);
    return token;
}

static struct mill_run *run_alloc(struct mill_graph *graph)
{
    struct mill_run *run = calloc(1, sizeof *run);
    struct mill_token *token = mill_token_new();
    if (run == NULL || token == NULL) {
        free(run);
        free(token);
        return NULL;
    }
    run->graph = graph;
    run->refs = 1;
    run->token = token;
    mill_source_init(&run->end);
    pthread_mutex_init(&run->retry_lock, NULL);
    atomic_init(&run->first_failed, MILL_NO_CAUSE);
    return run;
}

void mill_run_set_parent(struct mill_run *run, struct mill_token *parent)
{
    run->token->parent = parent;
    if (parent) atomic_fetch_add_explicit(&parent->refs, 1, memory_order_relaxed);
}

bool mill_run_cancelled(const struct mill_run *run)
{
    /* Acquire: pairs with the count of a cancel, which comes after its mark. */
    uint32_t now =
        run->pool ? atomic_load_explicit(&run->pool->cancels, memory_order_acquire) + 1 : 0;
    const struct mill_token *token = run->token;
    for (; token; token = token->parent) {
        if (atomic_load_explicit(&token->cancelled, memory_order_relaxed)) return true;
        if (now && atomic_load_explicit(&token->checked, memory_order_relaxed) == now) break;
    }
    atomic_store_explicit(&run->token->checked, now, memory_order_relaxed);
    return false;
}

bool mill_run_measure(struct mill_run *run)
{
    if (run->spans == NULL) run->spans = calloc(run->count + 1, sizeof *run->spans);
    return run->spans != NULL;
}

struct mill_run *mill_run_new(struct mill_graph *graph, const uint32_t *wanted,
                              uint32_t wanted_count, mill_function_of *function_of,
                              void *context, struct mill_error *error)
{
    struct builder builder;
    builder_init(&builder, graph);
    struct mill_run *run = run_alloc(graph);
    bool fine = run != NULL;
    for (uint32_t i = 0; fine && i < wanted_count && !builder.failed; i++) {
        visit(&builder, wanted[i]);
    }
    fine = fine && !builder.failed && allocate(run, &builder, wanted_count);
    if (!fine) mill_no_memory(error, "a run's tasks");
    if (fine) {
        run->count = (uint32_t)builder.count;
        fine = fill_tasks(run, &builder, function_of, context);
    }
    if (fine) {
        fill_lists(run);
        fill_wanted(run, &builder, wanted, wanted_count);
        atomic_init(&run->unfinished, run->count);
        if (run->count == 0) mill_source_close(&run->end);
        if (run_has_cache(run) && !add_cache(run)) {
            mill_no_memory(error, "a run's content hashes");
            fine = false;
        }
    }
    leave_nodes(&builder, fine);
    if (!fine && run) {
        run->count = 0; /* its nodes are not referenced */
        mill_run_free(run);
        run = NULL;
    }
    builder_fini(&builder);
    return run;
}

void mill_token_unref(struct mill_token *token)
{
    while (token) {
        struct mill_token *parent = token->parent;
        /* acq_rel pairs with itself: the last one sees every use before it. */
        if (atomic_fetch_sub_explicit(&token->refs, 1, memory_order_acq_rel) > 1) return;
        free(token);
        token = parent;
    }
}

static void free_revivals(struct mill_run *run)
{
    for (int i = 0; run->revivals && i < MILL_RUN_LOCKS; i++) {
        while (run->revivals[i]) {
            struct mill_revival *next = run->revivals[i]->next;
            free(run->revivals[i]);
            run->revivals[i] = next;
        }
    }
    free(run->revivals);
}

void mill_run_free(struct mill_run *run)
{
    if (run == NULL) return;
    if (run->hooks.release) run->hooks.release(run->hooks.context, run); /* it may look at it */
    for (uint32_t i = 0; i < run->count; i++) {
        mill_value_unref(run->tasks[i].result);
        if (run->graph) mill_graph_unref(run->graph, run->tasks[i].node->index);
    }
    for (uint32_t i = 0; i < run->function_count; i++) mill_function_unref(run->functions[i]);
    for (int i = 0; run->locks && i < MILL_RUN_LOCKS; i++) {
        pthread_mutex_destroy(&run->locks[i]);
    }
    mill_retries_free(run);
    mill_delays_free(run);
    pthread_mutex_destroy(&run->retry_lock);
    mill_source_fini(&run->end);
    mill_token_unref(run->token);
    free_revivals(run);
    if (run->graph) {
        mill_spare_give(&run->graph->spare, run->block, run->block_size);
    } else {
        free(run->block);
    }
    free(run->functions);
    free(run->content);
    free(run->locks);
    free(run->spans);
    free(run);
}

/* ---- ending tasks --------------------------------------------------------------------- */

static void lower(_Atomic int32_t *least, int32_t value)
{
    int32_t now = atomic_load_explicit(least, memory_order_relaxed);
    while (value < now && !atomic_compare_exchange_weak_explicit(
                              least, &now, value, memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* Nobody will read the result any more: it goes, unless it was asked for.  (A task of a run has
 * readers or was asked for.) */
static void drop_result(struct mill_task *task)
{
    if (atomic_load_explicit(&task->flags, memory_order_relaxed) & MILL_TASK_WANTED) return;
    if (mill_task_state(task) != MILL_FINISHED) return; /* an error stays: people want it */
    pthread_mutex_t *lock = task->run->content ? mill_run_lock(task) : NULL;
    if (lock) pthread_mutex_lock(lock);
    /* A revival may have made readers again meanwhile. */
    if (atomic_load_explicit(&task->readers, memory_order_relaxed) == 0) {
        uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
        mill_value_unref(task->result);
        task->result.tag = flags & MILL_TASK_KEPT ? MILL_TAG_STORED : MILL_TAG_GONE;
    }
    if (lock) pthread_mutex_unlock(lock);
}

/* Takes one off a count that only falls while the caller is in it; true when it was the last.
 * Who finds 1 there is alone and needs no locked instruction. */
static bool take_last(_Atomic int32_t *count)
{
    /* Acquire and release: the last one sees what all others did before. */
    if (atomic_load_explicit(count, memory_order_acquire) == 1) {
        atomic_store_explicit(count, 0, memory_order_relaxed);
        return true;
    }
    return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
}

/* One use of `input`'s result is over.  In runs with a cache a revival may add readers. */
static void release_input(struct mill_task *input)
{
    bool last = input->run->content
                    ? atomic_fetch_sub_explicit(&input->readers, 1, memory_order_acq_rel) == 1
                    : take_last(&input->readers);
    if (last) drop_result(input);
}

static void notify(struct mill_worker *worker, struct mill_task *dependent, int32_t cause,
                   void (*push)(struct mill_worker *, struct mill_task *))
{
    if (cause != MILL_NO_CAUSE) lower(&dependent->cause, cause);
    if (take_last(&dependent->missing)) push(worker, dependent);
}

/* Takes the revivals that wait for `lost` out of the run's. */
static struct mill_revival *take_revivals(struct mill_run *run, struct mill_task *lost)
{
    struct mill_revival *found = NULL;
    pthread_mutex_t *lock = mill_run_lock(lost);
    pthread_mutex_lock(lock);
    struct mill_revival **link = &run->revivals[lost->index % MILL_RUN_LOCKS];
    while (*link) {
        struct mill_revival *revival = *link;
        if (revival->lost != lost) {
            link = &revival->next;
            continue;
        }
        *link = revival->next;
        revival->next = found;
        found = revival;
    }
    pthread_mutex_unlock(lock);
    return found;
}

static void notify_waiters(struct mill_run *run, struct mill_worker *worker,
                           struct mill_task *task, int32_t cause,
                           void (*push)(struct mill_worker *, struct mill_task *))
{
    struct mill_revival *found = take_revivals(run, task);
    while (found) {
        struct mill_revival *next = found->next;
        notify(worker, found->waiter, cause, push);
        free(found);
        found = next;
    }
}

/* What a task that ended in `state` passes on to those that read it. */
static int32_t cause_of(struct mill_task *task, enum mill_state state)
{
    if (state == MILL_FINISHED) return MILL_NO_CAUSE;
    if (state != MILL_SKIPPED) return (int32_t)task->index;
    return atomic_load_explicit(&task->cause, memory_order_relaxed);
}

static void set_result(struct mill_task *task, enum mill_state state, struct mill_value result)
{
    pthread_mutex_t *lock = task->run->content ? mill_run_lock(task) : NULL;
    if (lock) pthread_mutex_lock(lock);
    task->result = result; /* it was nil or, before a revival, STORED or GONE */
    /* Release: pairs with mill_task_state. */
    atomic_store_explicit(&task->state, (uint8_t)state, memory_order_release);
    if (lock) pthread_mutex_unlock(lock);
}

void mill_run_complete(struct mill_run *run, struct mill_worker *worker, struct mill_task *task,
                       enum mill_state state, struct mill_value result,
                       void (*push)(struct mill_worker *, struct mill_task *))
{
    /* 1. What it was. */
    bool revived = atomic_load_explicit(&task->flags, memory_order_relaxed) & MILL_TASK_REVIVED;
    int32_t cause = cause_of(task, state);
    if (state == MILL_FAILED) {
        lower(&run->first_failed, cause);
        atomic_fetch_add_explicit(&run->failed, 1, memory_order_relaxed);
    } else if (state == MILL_SKIPPED) {
        atomic_fetch_add_explicit(&run->skipped, 1, memory_order_relaxed);
    }
    uint32_t inputs = mill_task_inputs(task);
    uint32_t first = task->first_dependent, end = task[1].first_dependent;

    /* 2. Its result, for those who read it. */
    set_result(task, state, result);

    /* 3. Those who waited for it.  A revived task's dependents have been told before. */
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    if (flags & MILL_TASK_AWAITED) notify_waiters(run, worker, task, cause, push);
    if (!revived) {
        for (uint32_t i = first; i < end; i++) {
            notify(worker, &run->tasks[run->dependents[i]], cause, push);
        }
    }

    /* 4. What it read. A revived task's own uses were counted again by its revival. */
    for (uint32_t i = 0; i < inputs; i++) {
        release_input(&run->tasks[run->inputs[task->first_input + i]]);
    }
}

bool mill_run_count(struct mill_run *run, int64_t tasks)
{
    atomic_fetch_add_explicit(&run->done, tasks, memory_order_relaxed);
    /* Acquire and release: who counts the last one has seen all the others. */
    if (atomic_fetch_sub_explicit(&run->unfinished, tasks, memory_order_acq_rel) != tasks) {
        return false;
    }
    mill_source_close(&run->end);
    return true;
}

/* ---- making results again --------------------------------------------------------------- */

enum wait { FIRST, QUEUED, NEEDLESS };

/* Puts `revival` behind its lost task.  FIRST: nobody has yet, so that the task is to be started.
 * NEEDLESS: the result came back meanwhile, or the task was made again and did not finish, for
 * which *cause is the reason.  All is decided under the lock under which the task ends, so that
 * it is started once and every waiter is told. */
static enum wait join_revival(struct mill_run *run, struct mill_revival *revival,
                              int32_t *cause)
{
    struct mill_task *lost = revival->lost;
    struct mill_revival **list = &run->revivals[lost->index % MILL_RUN_LOCKS];
    pthread_mutex_t *lock = mill_run_lock(lost);
    enum wait wait = NEEDLESS;
    pthread_mutex_lock(lock);
    enum mill_state state = mill_task_state(lost);
    if (state == MILL_FINISHED && !mill_task_has_value(lost)) {
        atomic_store_explicit(&lost->state, MILL_PENDING, memory_order_relaxed);
        wait = FIRST;
    } else if (state == MILL_PENDING) {
        wait = QUEUED;
    } else {
        *cause = cause_of(lost, state);
    }
    if (wait != NEEDLESS) {
        atomic_fetch_or_explicit(&lost->flags, MILL_TASK_AWAITED, memory_order_relaxed);
        revival->next = *list;
        *list = revival;
    }
    pthread_mutex_unlock(lock);
    return wait;
}

/* It reads its inputs once more and ends once more. */
static void start_again(struct mill_run *run, struct mill_task *lost)
{
    for (uint32_t i = 0; i < mill_task_inputs(lost); i++) {
        atomic_fetch_add_explicit(&run->tasks[run->inputs[lost->first_input + i]].readers, 1,
                                  memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&run->unfinished, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&run->done, 1, memory_order_relaxed);
    atomic_fetch_and_explicit(&lost->flags, (uint8_t)~MILL_TASK_KEPT, memory_order_relaxed);
    atomic_fetch_or_explicit(&lost->flags, MILL_TASK_REVIVED, memory_order_relaxed);
}

void mill_run_revive(struct mill_run *run, struct mill_worker *worker,
                     struct mill_task *const *lost, uint32_t count, struct mill_task *waiter,
                     void (*push)(struct mill_worker *, struct mill_task *))
{
    /* One more than there are, until all are queued: the waiter must not start meanwhile. */
    atomic_store_explicit(&waiter->missing, (int32_t)count + 1, memory_order_relaxed);
    for (uint32_t i = 0; i < count; i++) {
        int32_t cause = (int32_t)lost[i]->index; /* when memory is short: it ends as skipped */
        struct mill_revival *revival = malloc(sizeof *revival);
        if (revival) *revival = (struct mill_revival){lost[i], waiter, NULL};
        enum wait wait = revival ? join_revival(run, revival, &cause) : NEEDLESS;
        if (wait == FIRST) {
            start_again(run, lost[i]);
            push(worker, lost[i]);
        } else if (wait == NEEDLESS) {
            free(revival);
            notify(worker, waiter, cause, push);
        }
    }
    notify(worker, waiter, MILL_NO_CAUSE, push);
}

bool mill_run_follow(struct mill_run *run, struct mill_task *leader, struct mill_task *waiter)
{
    struct mill_revival *revival = malloc(sizeof *revival);
    if (revival == NULL) return false;
    struct mill_revival **list = &run->revivals[leader->index % MILL_RUN_LOCKS];
    pthread_mutex_t *lock = mill_run_lock(leader);
    pthread_mutex_lock(lock);
    bool pending = mill_task_state(leader) == MILL_PENDING;
    if (pending) {
        atomic_store_explicit(&waiter->missing, 1, memory_order_relaxed);
        atomic_fetch_or_explicit(&leader->flags, MILL_TASK_AWAITED, memory_order_relaxed);
        atomic_fetch_add_explicit(&leader->readers, 1, memory_order_relaxed);
        *revival = (struct mill_revival){leader, waiter, *list};
        *list = revival;
    }
    pthread_mutex_unlock(lock);
    if (!pending) free(revival);
    return pending;
}

void mill_run_unfollow(struct mill_task *leader)
{
    release_input(leader);
}
