/* draft: the tasks of a run that is being built.
 *
 * Depth first and without recursion: a node is put on the stack by each that needs it; met the
 * first time it is marked as open and stacked again under its inputs, met again when they are
 * numbered it gets its own number.  So a task comes after its inputs, and after as few others as
 * possible: workers that go through the roots in order keep few results alive.
 *
 * COST.  Of a large run neither nodes nor tasks are in the cache when they are needed again: what is
 * to be done with one is done in three passes, and a graph without edges has no third one.  Marks are
 * not taken away: those of the next run are larger.
 * SPDX-License-Identifier: MIT */
#include "sched/draft.h"

#include <stdlib.h>

#include "base/pages.h"
#include "sched/roster.h"

/* Nodes: a run of so few is built without memory of its own for the building. */
enum { FEW = 32 };

struct draft {
    struct mill_run *run;
    struct mill_graph *graph;
    /* Mark of a node whose inputs are being numbered: with a lower one nobody has seen it, a higher
     * one is its number and what follows `open`. */
    uint32_t open;
    uint32_t *stack;
    size_t stack_size, stack_room;
    uint32_t *nodes; /* by task */
    size_t count, room;
    uint64_t edges;
    bool failed;
    struct mill_roster roster;
    uint32_t few_on_stack[FEW], few_nodes[FEW];
};

/* Marks of that many nodes, and one for those that are open, fit behind those that were given. */
static void make_marks(struct mill_graph *graph)
{
    if (graph->live < (int64_t)(UINT32_MAX - graph->next_mark)) return;
    for (uint32_t i = 0; i < graph->slab_count * MILL_SLAB_NODES; i++) {
        mill_graph_at(graph, i)->mark = 0;
    }
    graph->next_mark = 1;
}

static void draft_init(struct draft *draft, struct mill_run *run)
{
    make_marks(run->graph);
    draft->run = run;
    draft->graph = run->graph;
    draft->open = run->graph->next_mark;
    draft->stack = draft->few_on_stack;
    draft->nodes = draft->few_nodes;
    draft->stack_room = draft->room = FEW;
    draft->stack_size = draft->count = 0;
    draft->edges = 0;
    draft->failed = false;
}

static void draft_fini(struct draft *draft)
{
    draft->graph->next_mark += (uint32_t)draft->count + 1;
    mill_roster_fini(&draft->roster);
    if (draft->nodes != draft->few_nodes) free(draft->nodes);
    if (draft->stack != draft->few_on_stack) free(draft->stack);
}

/* Not for what is kept: `few` is what the list begins with, on the caller's stack. */
static bool grow_indexes(uint32_t **list, size_t wanted, size_t *room, const uint32_t *few)
{
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

static void draft_fail(struct draft *draft)
{
    draft->failed = true;
    mill_no_memory(draft->roster.error, "a run's tasks");
}

static void stack_inputs(struct draft *draft, const struct mill_node *node)
{
    size_t wanted = draft->stack_size + node->inputs;
    if (wanted > draft->stack_room &&
        !grow_indexes(&draft->stack, wanted, &draft->stack_room, draft->few_on_stack)) {
        draft_fail(draft);
        return;
    }
    uint32_t *inputs = draft->stack + draft->stack_size;
    mill_node_inputs(node, inputs);
    for (uint32_t i = 0; i < node->inputs / 2; i++) { /* the first one on top */
        uint32_t swap = inputs[i];
        inputs[i] = inputs[node->inputs - 1 - i];
        inputs[node->inputs - 1 - i] = swap;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->inputs; i++) {
        bool unseen = mill_graph_at(draft->graph, inputs[i])->mark < draft->open;
        if (unseen) inputs[kept++] = inputs[i];
    }
    draft->stack_size += kept;
}

static void number_node(struct draft *draft, uint32_t index, struct mill_node *node)
{
    if ((draft->count == draft->room &&
         !grow_indexes(&draft->nodes, draft->count + 1, &draft->room, draft->few_nodes)) ||
        draft->count >= INT32_MAX - 1) { /* `cause` is an index and signed */
        draft_fail(draft);
        return;
    }
    uint32_t place = mill_roster_place(&draft->roster, node->function);
    if (place == MILL_ROSTER_EMPTY) {
        draft->failed = true;
        return;
    }
    draft->nodes[draft->count] = index;
    node->mark = draft->open + (uint32_t)++draft->count;
    draft->edges += node->inputs;
    if (node->inputs == 0) {
        draft->run->level_end[draft->run->functions[place]->priority + MILL_LEVEL_ZERO]++;
    }
}

/* The number of a node that has one. */
static uint32_t number_of_node(const struct draft *draft, const struct mill_node *node)
{
    return node->mark - draft->open - 1;
}

static void visit(struct draft *draft, uint32_t wanted)
{
    draft->stack[0] = wanted;
    draft->stack_size = 1;
    while (draft->stack_size > 0 && !draft->failed) {
        uint32_t index = draft->stack[draft->stack_size - 1];
        struct mill_node *node = mill_graph_at(draft->graph, index);
        if (node->mark < draft->open && node->inputs > 0) {
            node->mark = draft->open;
            stack_inputs(draft, node);
            continue;
        }
        if (node->mark <= draft->open) number_node(draft, index, node);
        draft->stack_size--;
    }
}

/* First pass: numbers, functions, and how much there is. */
static void visit_wanted(struct draft *draft, const uint32_t *wanted, uint32_t count)
{
    for (uint32_t i = 0; i < count && !draft->failed; i++) {
        visit(draft, wanted[i]);
        struct mill_node *node = mill_graph_at(draft->graph, wanted[i]);
        draft->run->wanted[i] = number_of_node(draft, node);
        node->wanted = true;
    }
}

/* The second pass does it for a run that comes about. */
static void unmark_wanted(struct draft *draft, const uint32_t *wanted, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) mill_graph_at(draft->graph, wanted[i])->wanted = false;
}

/* On huge pages what is large: all of it is gone through three times. */
static bool take_block(struct mill_run *run, size_t size)
{
    if (size < MILL_HUGE_PAGE) {
        run->block = malloc(size); /* aligned_alloc is slow for few bytes */
    } else if (size <= SIZE_MAX / 2) {
        size_t whole = (size + MILL_HUGE_PAGE - 1) / MILL_HUGE_PAGE * MILL_HUGE_PAGE;
        run->memory = run->graph->memory;
        run->pages = mill_memory_take(run->memory, whole);
        run->block = run->pages.data;
    }
    return run->block != NULL;
}

static bool allocate_tasks(struct draft *draft)
{
    struct mill_run *run = draft->run;
    size_t count = draft->count, edges = draft->edges;
    if (edges > UINT32_MAX) return false;
    /* One block.  A task is a cache line; each is written when its turn comes. */
    size_t tasks = (count + 1) * sizeof *run->tasks;
    size_t lists = (2 * edges + count) * sizeof(uint32_t);
    if (!take_block(run, tasks + lists + 63)) return false;
    run->tasks = (struct mill_task *)(((uintptr_t)run->block + 63) & ~(uintptr_t)63);
    run->inputs = (uint32_t *)(run->tasks + count + 1);
    run->dependents = run->inputs + edges;
    run->roots = run->dependents + edges;
    return true;
}

/* What only runs with a cache need. */
static bool add_cache(struct mill_run *run, size_t count)
{
    run->content = calloc(count, sizeof *run->content);
    run->locks = malloc(MILL_RUN_LOCKS * sizeof *run->locks);
    run->revivals = calloc(MILL_RUN_LOCKS, sizeof(struct mill_revival *));
    for (int i = 0; run->locks && i < MILL_RUN_LOCKS; i++) {
        pthread_mutex_init(&run->locks[i], NULL);
    }
    return run->content && run->locks && run->revivals;
}

static bool run_has_cache(const struct mill_run *run)
{
    for (uint32_t i = 0; i < run->function_count; i++) {
        if (run->functions[i]->policy.cached) return true;
    }
    return false;
}

/* What the second pass needs, which does not fail. */
static bool prepare_tasks(struct draft *draft)
{
    if (!allocate_tasks(draft)) {
        draft_fail(draft);
    } else if (run_has_cache(draft->run) && !add_cache(draft->run, draft->count)) {
        mill_no_memory(draft->roster.error, "a run's content hashes");
        draft->failed = true;
    }
    return !draft->failed;
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

/* While only the building thread knows the task. */
static void add_reader(struct mill_task *task, bool hashed)
{
    int32_t readers = atomic_load_explicit(&task->readers, memory_order_relaxed);
    atomic_init(&task->readers, readers + 1);
    if (!hashed) return;
    uint8_t flags = atomic_load_explicit(&task->flags, memory_order_relaxed);
    atomic_init(&task->flags, flags | MILL_TASK_HASHED);
}

static void fill_inputs(struct draft *draft, const struct mill_task *task)
{
    struct mill_run *run = draft->run;
    const struct mill_node *node = task->node;
    uint32_t *inputs = run->inputs + task->first_input;
    bool hashed = mill_task_function(task)->policy.cached;
    mill_node_inputs(node, inputs);
    for (uint32_t k = 0; k < node->inputs; k++) {
        inputs[k] = number_of_node(draft, mill_graph_at(draft->graph, inputs[k]));
        add_reader(&run->tasks[inputs[k]], hashed);
    }
}

/* Second pass: tasks, what they read, roots by level. */
static void fill_tasks(struct draft *draft)
{
    struct mill_run *run = draft->run;
    uint32_t edge = 0, next[MILL_LEVELS];
    place_levels(run, next);
    for (uint32_t i = 0; i < draft->count; i++) {
        struct mill_node *node = mill_graph_at(draft->graph, draft->nodes[i]);
        struct mill_task *task = &run->tasks[i];
        *task =
            (struct mill_task){.missing = (int32_t)node->inputs,
                               .cause = MILL_NO_CAUSE,
                               .flags = node->wanted ? MILL_TASK_WANTED : 0,
                               .function = mill_roster_place(&draft->roster, node->function),
                               .index = i,
                               .first_input = edge,
                               .run = run,
                               .node = node};
        node->wanted = false;
        node->refs++;
        if (node->inputs == 0) {
            run->roots[next[mill_task_level(task)]++] = i;
        } else {
            fill_inputs(draft, task);
            edge += node->inputs;
        }
    }
    run->tasks[draft->count] = (struct mill_task){.first_input = edge};
    run->count = (uint32_t)draft->count;
}

/* Third pass: who reads a task: a counting sort of the edges by their input.  While a list is filled,
 * where it begins is known, and where the next one begins, which is where it ends, tells how far it
 * has come: so it is right in the end. */
static void fill_dependents(struct mill_run *run)
{
    uint32_t begin = 0;
    for (uint32_t i = 0; i < run->count; i++) {
        struct mill_task *task = &run->tasks[i];
        uint32_t first = task->first_input, end = task[1].first_input;
        task[1].first_dependent = begin;
        begin += (uint32_t)atomic_load_explicit(&task->readers, memory_order_relaxed);
        for (uint32_t edge = first; edge < end; edge++) {
            run->dependents[run->tasks[run->inputs[edge] + 1].first_dependent++] = i;
        }
    }
}

bool mill_draft(struct mill_run *run, const uint32_t *wanted, uint32_t wanted_count,
                mill_function_of *function_of, void *context, struct mill_error *error)
{
    struct draft draft;
    draft_init(&draft, run);
    mill_roster_init(&draft.roster, run, function_of, context, error);
    visit_wanted(&draft, wanted, wanted_count);
    bool fine = !draft.failed && prepare_tasks(&draft);
    if (fine) {
        run->wanted_count = wanted_count;
        fill_tasks(&draft);
        if (draft.edges) fill_dependents(run);
    } else {
        unmark_wanted(&draft, wanted, wanted_count);
    }
    draft_fini(&draft);
    return fine;
}
