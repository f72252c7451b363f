/* test_resource: resources against a plain simulation: never above a limit, the older of a level
 * first, higher levels first, nothing lost with cancelled tasks.  SPDX-License-Identifier: MIT */
#include "sched/resource.h"

#include "check.h"
#include "random_check.h"

enum { TASKS = 200, KINDS = 12, RESOURCES = 4, RUNS = 3 };

enum place { OUTSIDE, WAITING, HOLDING };

/* Tasks of made-up runs: resources look at no more of them. */
struct shop {
    struct mill_resources resources;
    struct mill_function *functions[KINDS];
    struct mill_token tokens[RUNS];
    struct mill_run runs[RUNS];
    struct mill_task tasks[TASKS];
    /* The oracle: what each task does, who waits in which order. */
    enum place places[TASKS];
    int queue[TASKS], queued;
    int64_t limits[RESOURCES];
    int pushed[TASKS], push_count;
};

static void shop_open(struct shop *shop)
{
    static const char *const names[RESOURCES] = {"a", "b", "c", "d"};
    struct mill_error error = {0};
    memset(shop, 0, sizeof *shop);
    mill_resources_init(&shop->resources);
    for (int i = 0; i < RESOURCES; i++) {
        double limit = 1 + random_below(4) / 2.0;
        shop->limits[i] = (int64_t)(limit * MILL_RESOURCE_UNIT);
        CHECK(mill_resources_limit(&shop->resources, names[i], limit, &error) == TIDEMILL_OK);
        CHECK(mill_resources_find(&shop->resources, names[i]) == i);
        CHECK(mill_resources_of(&shop->resources, i) == limit);
    }
    for (int k = 0; k < KINDS; k++) {
        struct mill_function *function = shop->functions[k] = mill_function_new("shop");
        function->priority = k % MILL_LEVELS - 2;
        function->need_count = 1 + (int)random_below(2);
        function->needs = calloc(2, sizeof *function->needs);
        int first = (int)random_below(RESOURCES);
        for (int i = 0; i < 2; i++) { /* two different ones */
            int resource = (first + i) % RESOURCES;
            int64_t amount = (int64_t)(1 + random_below(4)) * MILL_RESOURCE_UNIT / 4;
            function->needs[i] = (struct mill_need){resource, amount};
        }
    }
    for (int r = 0; r < RUNS; r++) {
        shop->runs[r].functions = shop->functions;
        shop->runs[r].token = &shop->tokens[r];
    }
    for (int t = 0; t < TASKS; t++) {
        shop->tasks[t].run = &shop->runs[random_below(RUNS)];
        shop->tasks[t].function = random_below(KINDS);
    }
}

static void shop_close(struct shop *shop)
{
    mill_resources_fini(&shop->resources);
    for (int k = 0; k < KINDS; k++) mill_function_unref(shop->functions[k]);
    free(shop);
}

static void note_push(void *context, struct mill_task *task)
{
    struct shop *shop = context;
    shop->pushed[shop->push_count++] = (int)(task - shop->tasks);
}

static bool has_grant(struct mill_task *task)
{
    return atomic_load(&task->flags) & MILL_TASK_GRANTED;
}

/* What is left of each resource when all before `task` in its queue are served first. */
static bool may_go(const struct shop *shop, int task, const bool *reserved)
{
    int64_t used[RESOURCES] = {0};
    for (int t = 0; t < TASKS; t++) {
        if (shop->places[t] != HOLDING && !reserved[t]) continue;
        const struct mill_function *function = shop->functions[shop->tasks[t].function];
        for (int i = 0; i < function->need_count; i++) {
            used[function->needs[i].resource] += function->needs[i].amount;
        }
    }
    const struct mill_function *function = shop->functions[shop->tasks[task].function];
    for (int i = 0; i < function->need_count; i++) {
        const struct mill_need *need = &function->needs[i];
        if (used[need->resource] + need->amount > shop->limits[need->resource]) return false;
    }
    return true;
}

static void take_from_queue(struct shop *shop, int at)
{
    shop->queued--;
    memmove(&shop->queue[at], &shop->queue[at + 1],
            (size_t)(shop->queued - at) * sizeof shop->queue[0]);
}

static int level_of(const struct shop *shop, int task)
{
    return mill_task_level(&shop->tasks[task]);
}

/* Serves the queue as it must be; the tasks in the order in which they are to be pushed. */
static int serve(struct shop *shop, int *served)
{
    bool reserved[TASKS] = {false};
    int count = 0;
    for (int level = MILL_LEVELS - 1; level >= 0; level--) {
        for (int i = 0; i < shop->queued;) {
            int task = shop->queue[i];
            if (level_of(shop, task) != level) {
                i++;
            } else if (may_go(shop, task, reserved)) {
                shop->places[task] = HOLDING;
                served[count++] = task;
                take_from_queue(shop, i);
            } else {
                reserved[task] = true;
                i++;
            }
        }
    }
    return count;
}

static void check_used(struct shop *shop)
{
    int64_t used[RESOURCES] = {0}, waiting = 0;
    for (int t = 0; t < TASKS; t++) {
        CHECK(has_grant(&shop->tasks[t]) == (shop->places[t] == HOLDING));
        waiting += shop->places[t] == WAITING;
        const struct mill_function *function = shop->functions[shop->tasks[t].function];
        for (int i = 0; shop->places[t] == HOLDING && i < function->need_count; i++) {
            used[function->needs[i].resource] += function->needs[i].amount;
        }
    }
    for (int i = 0; i < RESOURCES; i++) {
        CHECK(shop->resources.list[i].used == used[i] && used[i] <= shop->limits[i]);
    }
    CHECK(atomic_load(&shop->resources.waiting_count) == waiting);
}

static void shop_take(struct shop *shop, int task)
{
    bool reserved[TASKS] = {false};
    for (int i = 0; i < shop->queued; i++) {
        reserved[shop->queue[i]] = level_of(shop, shop->queue[i]) >= level_of(shop, task);
    }
    bool expected = may_go(shop, task, reserved);
    CHECK(mill_resources_take(&shop->resources, &shop->tasks[task]) == expected);
    shop->places[task] = expected ? HOLDING : WAITING;
    if (!expected) shop->queue[shop->queued++] = task;
}

static void shop_give(struct shop *shop, int task)
{
    int served[TASKS];
    shop->push_count = 0;
    shop->places[task] = OUTSIDE;
    int count = serve(shop, served);
    mill_resources_give(&shop->resources, &shop->tasks[task], note_push, shop);
    CHECK(shop->push_count == count);
    for (int i = 0; i < count; i++) CHECK(shop->pushed[i] == served[i]);
}

static void random_calls_agree_with_a_simulation(void)
{
    for (int round = 0; round < 20; round++) {
        struct shop *shop = malloc(sizeof *shop);
        shop_open(shop);
        uint32_t busy = 30 + random_below(40);
        for (int step = 0; step < 2000; step++) {
            int task = (int)random_below(TASKS);
            if (shop->places[task] == OUTSIDE && random_below(100) < busy)
                shop_take(shop, task);
            if (shop->places[task] == HOLDING && random_below(100) >= busy)
                shop_give(shop, task);
            check_used(shop);
        }
        for (bool any = true;
             any;) { /* whoever holds gives back: all waiting come to their turn */
            any = false;
            for (int t = 0; t < TASKS; t++) {
                if (shop->places[t] != HOLDING) continue;
                shop_give(shop, t);
                any = true;
            }
        }
        check_used(shop);
        CHECK_SAYING(shop->queued == 0, "%d wait for ever", shop->queued);
        for (int t = 0; t < TASKS; t++) CHECK(shop->places[t] == OUTSIDE);
        shop_close(shop);
    }
}

static void cancelled_tasks_stop_waiting_and_take_nothing(void)
{
    for (int round = 0; round < 50; round++) {
        struct shop *shop = malloc(sizeof *shop);
        shop_open(shop);
        for (int t = 0; t < TASKS; t++) shop_take(shop, t);
        struct mill_run *run = &shop->runs[0];
        atomic_store(&run->token->cancelled, true);
        shop->push_count = 0;
        mill_resources_let_go(&shop->resources, note_push, shop);
        int expected = 0;
        for (int t = 0; t < TASKS; t++) {
            expected += shop->places[t] == WAITING && shop->tasks[t].run == run;
        }
        CHECK(shop->push_count == expected);
        for (int i = 0; i < shop->push_count; i++) {
            struct mill_task *task = &shop->tasks[shop->pushed[i]];
            CHECK(task->run == run && !has_grant(task));
            /* When it begins before it hears of it: it does not wait again. */
            CHECK(mill_resources_take(&shop->resources, task) && !has_grant(task));
            shop->places[shop->pushed[i]] = OUTSIDE;
        }
        for (int i = shop->queued; i-- > 0;) {
            if (shop->places[shop->queue[i]] == OUTSIDE) take_from_queue(shop, i);
        }
        check_used(shop);
        for (int t = 0; t < TASKS; t++) {
            if (shop->places[t] == HOLDING) shop_give(shop, t);
        }
        check_used(shop);
        for (bool any = true; any;) {
            any = false;
            for (int t = 0; t < TASKS; t++) {
                if (shop->places[t] != HOLDING) continue;
                shop_give(shop, t);
                any = true;
            }
        }
        CHECK(shop->queued == 0);
        shop_close(shop);
    }
}

static void limits_are_numbers_above_nothing(void)
{
    struct mill_resources resources;
    struct mill_error error = {0};
    mill_resources_init(&resources);
    static const double wrong[] = {0, -1, 2e9};
    for (int i = 0; i < 3; i++) {
        CHECK(mill_resources_limit(&resources, "x", wrong[i], &error) == TIDEMILL_USAGE);
        CHECK(strstr(error.text, "\"x\"") && strstr(error.text, "above 0"));
    }
    CHECK(mill_resources_find(&resources, "x") == -1);
    for (int i = 0; i < MILL_MAX_RESOURCES; i++) {
        char name[20];
        snprintf(name, sizeof name, "r%d", i);
        CHECK(mill_resources_limit(&resources, name, i + 1, &error) == TIDEMILL_OK);
    }
    CHECK(mill_resources_limit(&resources, "more", 1, &error) == TIDEMILL_USAGE);
    CHECK(mill_resources_limit(&resources, "r5", 0.25, &error) == TIDEMILL_OK);
    CHECK(mill_resources_of(&resources, 5) == 0.25);
    mill_resources_fini(&resources);
}

int main(void)
{
    random_state = check_seed();
    RUN(random_calls_agree_with_a_simulation);
    RUN(cancelled_tasks_stop_waiting_and_take_nothing);
    RUN(limits_are_numbers_above_nothing);
    return check_end();
}
