/* test_deque: the work-stealing deque against dumb oracles, under threads, and step by step.
 * SPDX-License-Identifier: MIT */
#include "sched/deque.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "check.h"

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void *item_of(uintptr_t number)
{
    return (void *)(number * 8 + 8);
}
static uintptr_t number_of(void *item)
{
    return (uintptr_t)item / 8 - 1;
}

/* ---- one thread ------------------------------------------------------------------------ */

static void owner_takes_the_newest_and_thieves_the_oldest(void)
{
    struct mill_deque deque;
    CHECK(mill_deque_init(&deque, 8));
    for (uintptr_t i = 0; i < 4; i++) CHECK(mill_deque_push(&deque, item_of(i)));
    CHECK(mill_deque_size(&deque) == 4);
    CHECK(mill_deque_pop(&deque) == item_of(3));
    CHECK(mill_deque_steal(&deque, NULL) == item_of(0));
    CHECK(mill_deque_pop(&deque) == item_of(2));
    CHECK(mill_deque_pop(&deque) == item_of(1));
    CHECK(mill_deque_pop(&deque) == NULL);
    CHECK(mill_deque_size(&deque) == 0);
    mill_deque_fini(&deque);
}

static void an_empty_deque_stays_empty_however_often_it_is_asked(void)
{
    struct mill_deque deque;
    CHECK(mill_deque_init(&deque, 1));
    for (int i = 0; i < 5; i++) {
        bool lost = true;
        CHECK(mill_deque_pop(&deque) == NULL);
        CHECK(mill_deque_steal(&deque, &lost) == NULL && !lost);
        CHECK(mill_deque_size(&deque) == 0);
    }
    CHECK(mill_deque_push(&deque, item_of(7)));
    CHECK(mill_deque_steal(&deque, NULL) == item_of(7));
    mill_deque_fini(&deque);
}

static void growth_keeps_order_and_content(void)
{
    struct mill_deque deque;
    CHECK(mill_deque_init(&deque, 1));
    for (uintptr_t i = 0; i < 5000; i++) CHECK(mill_deque_push(&deque, item_of(i)));
    for (uintptr_t i = 0; i < 2000; i++) CHECK(mill_deque_steal(&deque, NULL) == item_of(i));
    for (uintptr_t i = 5000; i < 9000; i++) CHECK(mill_deque_push(&deque, item_of(i)));
    CHECK(mill_deque_size(&deque) == 7000);
    for (uintptr_t i = 9000; i-- > 2000;) CHECK(mill_deque_pop(&deque) == item_of(i));
    CHECK(mill_deque_pop(&deque) == NULL);
    mill_deque_fini(&deque);
}

static void a_deque_that_never_holds_more_than_its_capacity_does_not_grow(void)
{
    struct mill_deque deque;
    CHECK(mill_deque_init(&deque, 4));
    struct mill_deque_array *array = atomic_load(&deque.array);
    for (uintptr_t i = 0; i < 1000; i++) {
        CHECK(mill_deque_push(&deque, item_of(i)));
        if (i >= 3) CHECK(mill_deque_steal(&deque, NULL) == item_of(i - 3));
    }
    CHECK(atomic_load(&deque.array) == array);
    mill_deque_fini(&deque);
}

/* The oracle: a plain list with a first and a last index. */
static void random_calls_agree_with_a_plain_list(void)
{
    enum { CALLS = 200000 };
    static uintptr_t list[CALLS];
    uint64_t random = check_seed() * 2 + 1;
    struct mill_deque deque;
    CHECK(mill_deque_init(&deque, 2));
    size_t first = 0, last = 0;
    for (uintptr_t i = 0; i < CALLS; i++) {
        /* Long phases of filling and of draining, so that growth and emptiness both happen. */
        unsigned pushes = i / 5000 % 2 ? 7 : 12;
        unsigned choice = (unsigned)(next_random(&random) >> 32) % 20;
        if (choice < pushes) {
            CHECK(mill_deque_push(&deque, item_of(i)));
            list[last++] = i;
        } else if (choice % 2) {
            void *expected = first < last ? item_of(list[--last]) : NULL;
            CHECK(mill_deque_pop(&deque) == expected);
        } else {
            void *expected = first < last ? item_of(list[first++]) : NULL;
            CHECK(mill_deque_steal(&deque, NULL) == expected);
        }
        CHECK(mill_deque_size(&deque) == (int64_t)(last - first));
    }
    mill_deque_fini(&deque);
}

static void a_capacity_that_no_memory_can_hold_is_refused(void)
{
    struct mill_deque deque;
    CHECK(!mill_deque_init(&deque, INT64_C(1) << 61));
}

/* ---- one owner, three thieves ---------------------------------------------------------- */

enum { THIEVES = 3, ITEMS = 300000 };

struct stress {
    struct mill_deque deque;
    _Atomic uint8_t seen[ITEMS]; /* the oracle: how often each item was taken */
    uint32_t payload[ITEMS];     /* plain memory: written before the push, read by the taker */
    _Atomic uint32_t taken;
    _Atomic bool done;
    _Atomic uint32_t wrong;
};

static void stress_take(struct stress *stress, void *item)
{
    uintptr_t number = number_of(item);
    if (number >= ITEMS || stress->payload[number] != (uint32_t)number * 2654435761u) {
        atomic_fetch_add(&stress->wrong, 1);
        return;
    }
    atomic_fetch_add_explicit(&stress->seen[number], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&stress->taken, 1, memory_order_relaxed);
}

static void *stress_thief(void *context)
{
    struct stress *stress = context;
    for (;;) {
        bool lost;
        void *item = mill_deque_steal(&stress->deque, &lost);
        if (item != NULL) {
            stress_take(stress, item);
        } else if (!lost) {
            if (atomic_load(&stress->done)) return NULL;
            sched_yield();
        }
    }
}

/* Pushes all items in bursts, and pops in between: often down to the last item, where owner
 * and thieves race. */
static void stress_own(struct stress *stress, uint64_t random)
{
    uint32_t pushed = 0;
    while (pushed < ITEMS) {
        unsigned burst = 1 + (unsigned)(next_random(&random) >> 32) % (pushed % 4096 ? 3 : 200);
        for (; burst > 0 && pushed < ITEMS; burst--, pushed++) {
            stress->payload[pushed] = pushed * 2654435761u;
            if (!mill_deque_push(&stress->deque, item_of(pushed))) {
                atomic_fetch_add(&stress->wrong, 1);
            }
        }
        for (unsigned pops = (unsigned)(next_random(&random) >> 32) % 4; pops > 0; pops--) {
            void *item = mill_deque_pop(&stress->deque);
            if (item != NULL) stress_take(stress, item);
        }
    }
    void *item;
    while ((item = mill_deque_pop(&stress->deque)) != NULL) stress_take(stress, item);
}

static void every_item_is_taken_exactly_once_by_owner_or_thief(void)
{
    struct stress *stress = calloc(1, sizeof *stress);
    CHECK(stress != NULL && mill_deque_init(&stress->deque, 2));
    pthread_t threads[THIEVES];
    for (int i = 0; i < THIEVES; i++) {
        CHECK(pthread_create(&threads[i], NULL, stress_thief, stress) == 0);
    }
    stress_own(stress, check_seed() * 2 + 1);
    atomic_store(&stress->done, true);
    for (int i = 0; i < THIEVES; i++) pthread_join(threads[i], NULL);
    CHECK(atomic_load(&stress->wrong) == 0);
    CHECK_SAYING(atomic_load(&stress->taken) == ITEMS, "%u of %d items were taken",
                 atomic_load(&stress->taken), ITEMS);
    for (int i = 0; i < ITEMS; i++) {
        int times = atomic_load_explicit(&stress->seen[i], memory_order_relaxed);
        CHECK_SAYING(times == 1, "item %d was taken %d times", i, times);
    }
    CHECK(mill_deque_pop(&stress->deque) == NULL);
    mill_deque_fini(&stress->deque);
    free(stress);
}

/* ---- every interleaving ---------------------------------------------------------------- */

/* A copy of the algorithm as a machine of atomic steps, one shared access each, run through
 * all interleavings of one owner and two thieves.  It checks the order of the steps, under
 * sequential consistency; it says nothing about the memory orders in deque.c.  Variants with
 * a known mistake must be caught, else the checker checks nothing. */

enum { MACHINES = 3, PUSHES = 8, SLOTS = 8, ARRAYS = 3, NONE = 0xFF };

enum variant {
    CORRECT,
    POP_READS_TOP_FIRST, /* before it lowers bottom */
    POP_TAKES_LAST_WITHOUT_SWAP,
    STEAL_READS_SLOT_LAST, /* after its swap */
    STEAL_READS_BOTTOM_FIRST,
    PUSH_RAISES_BOTTOM_FIRST, /* before it fills the slot */
    GROWTH_REUSES_OLD_SLOTS   /* the old array is overwritten, as if freed and used again */
};

/* One thread: its script ("+" push, "-" pop, "s" steal), where it stands, its registers. */
struct machine {
    uint8_t call, step;
    uint8_t top, bottom, array, item;
};

struct world {
    uint8_t top, bottom, array, cached_top, pushed;
    uint8_t slots[ARRAYS][SLOTS];
    uint8_t taken[PUSHES];
    struct machine machines[MACHINES];
};

struct search {
    enum variant variant;
    uint8_t capacity; /* of array 0; each further one has twice as many slots */
    const char *scripts[MACHINES];
    struct world *seen; /* open addressing; an entry is used where `used` says so */
    uint8_t *used;
    size_t room, count;
    const char *violation;
    size_t ends;
};

static uint8_t *world_slot(struct search *search, struct world *world, uint8_t array,
                           uint8_t index)
{
    return &world->slots[array][index & ((search->capacity << array) - 1)];
}

static void machine_end(struct machine *machine)
{
    *machine = (struct machine){.call = (uint8_t)(machine->call + 1)};
}

static void world_take(struct search *search, struct world *world, uint8_t item)
{
    if (item >= PUSHES) {
        search->violation = "took a slot that holds nothing";
    } else if (++world->taken[item] > 1) {
        search->violation = "took an item twice";
    }
}

static bool world_swap_top(struct world *world, uint8_t expected)
{
    if (world->top != expected) return false;
    world->top++;
    return true;
}

/* The owner alone writes cached_top and the arrays, so growth is one step up to its
 * publication. */
static void step_grow(struct search *search, struct world *world, struct machine *me)
{
    uint8_t old = world->array;
    uint8_t grown = (uint8_t)(old + 1);
    for (uint8_t i = world->cached_top; i < world->bottom; i++) {
        *world_slot(search, world, grown, i) = *world_slot(search, world, old, i);
    }
    if (search->variant == GROWTH_REUSES_OLD_SLOTS) memset(world->slots[old], NONE, SLOTS);
    me->array = grown;
}

static void step_push(struct search *search, struct world *world, struct machine *me)
{
    bool hasty = search->variant == PUSH_RAISES_BOTTOM_FIRST;
    switch (me->step++) {
    case 0: /* refresh cached_top when the array looks full */
        me->array = world->array;
        if (world->bottom - world->cached_top >= search->capacity << me->array) {
            world->cached_top = world->top;
        }
        break;
    case 1:
        if (world->bottom - world->cached_top >= search->capacity << me->array) {
            step_grow(search, world, me);
        }
        break;
    case 2:
        world->array = me->array;
        break;
    case 3:
        if (hasty) {
            world->bottom++;
        } else {
            *world_slot(search, world, me->array, world->bottom) = world->pushed;
        }
        break;
    default:
        if (hasty) {
            *world_slot(search, world, me->array, (uint8_t)(world->bottom - 1)) = world->pushed;
        } else {
            world->bottom++;
        }
        world->pushed++;
        machine_end(me);
    }
}

static void step_pop(struct search *search, struct world *world, struct machine *me)
{
    bool hasty = search->variant == POP_READS_TOP_FIRST;
    switch (me->step++) {
    case 0:
        me->bottom = (uint8_t)(world->bottom - 1);
        if (hasty) {
            me->top = world->top;
        } else {
            world->bottom = me->bottom;
        }
        break;
    case 1:
        if (hasty) {
            world->bottom = me->bottom;
        } else {
            me->top = world->top;
        }
        break;
    case 2: { /* signed, as in deque.c: bottom may be one less than 0 */
        int left = (int8_t)(me->bottom - me->top);
        me->item = NONE;
        if (left < 0) break;
        me->item = *world_slot(search, world, world->array, me->bottom);
        if (left > 0) {
            world_take(search, world, me->item);
            machine_end(me);
        }
        break;
    }
    case 3:
        if (me->item == NONE) break;
        if (search->variant == POP_TAKES_LAST_WITHOUT_SWAP) {
            world->top = (uint8_t)(me->top + 1);
            world_take(search, world, me->item);
        } else if (world_swap_top(world, me->top)) {
            world_take(search, world, me->item);
        }
        break;
    default:
        world->bottom = (uint8_t)(me->bottom + 1);
        machine_end(me);
    }
}

static void step_steal(struct search *search, struct world *world, struct machine *me)
{
    bool swapped = search->variant == STEAL_READS_BOTTOM_FIRST;
    bool late = search->variant == STEAL_READS_SLOT_LAST;
    switch (me->step++) {
    case 0:
        if (swapped) {
            me->bottom = world->bottom;
        } else {
            me->top = world->top;
        }
        break;
    case 1:
        if (swapped) {
            me->top = world->top;
        } else {
            me->bottom = world->bottom;
        }
        if ((int8_t)(me->bottom - me->top) <= 0) machine_end(me);
        break;
    case 2:
        me->array = world->array;
        break;
    case 3:
        if (!late) {
            me->item = *world_slot(search, world, me->array, me->top);
        } else if (!world_swap_top(world, me->top)) {
            machine_end(me);
        }
        break;
    default:
        if (late) {
            world_take(search, world, *world_slot(search, world, me->array, me->top));
        } else if (world_swap_top(world, me->top)) {
            world_take(search, world, me->item);
        }
        machine_end(me);
    }
}

/* True the first time that this world is met. */
static bool search_enter(struct search *search, const struct world *world)
{
    size_t i = (size_t)mill_hash_bytes(world, sizeof *world).low & (search->room - 1);
    while (search->used[i]) {
        if (memcmp(&search->seen[i], world, sizeof *world) == 0) return false;
        i = (i + 1) & (search->room - 1);
    }
    if (search->count * 4 > search->room * 3) {
        search->violation = "the table of worlds is too small";
        return false;
    }
    search->used[i] = 1;
    search->seen[i] = *world;
    search->count++;
    return true;
}

/* Nothing runs any more: what was pushed was taken, or lies between top and bottom. */
static void search_check_end(struct search *search, struct world *world)
{
    uint8_t there[PUSHES] = {0};
    search->ends++;
    for (int8_t i = (int8_t)world->top; i < (int8_t)world->bottom; i++) {
        uint8_t item = *world_slot(search, world, world->array, (uint8_t)i);
        if (item < PUSHES) there[item]++;
    }
    for (int i = 0; i < world->pushed; i++) {
        int count = world->taken[i] + there[i];
        if (count == 0) search->violation = "lost an item";
        if (count > 1) search->violation = "an item is taken and still there";
    }
}

static void search_from(struct search *search, const struct world *world)
{
    if (search->violation != NULL || !search_enter(search, world)) return;
    bool ended = true;
    for (int i = 0; i < MACHINES; i++) {
        char call = search->scripts[i][world->machines[i].call];
        if (call == '\0') continue;
        ended = false;
        struct world next = *world;
        struct machine *me = &next.machines[i];
        if (call == '+') step_push(search, &next, me);
        if (call == '-') step_pop(search, &next, me);
        if (call == 's') step_steal(search, &next, me);
        search_from(search, &next);
    }
    struct world end = *world;
    if (ended) search_check_end(search, &end);
}

/* What went wrong in some interleaving; NULL: nothing did, in any. */
static const char *explore(enum variant variant, uint8_t capacity, const char *owner,
                           const char *thief, const char *other)
{
    struct search search = {
        .variant = variant, .capacity = capacity, .scripts = {owner, thief, other}};
    search.room = (size_t)1 << 20;
    search.seen = malloc(search.room * sizeof *search.seen);
    search.used = calloc(search.room, 1);
    if (search.seen == NULL || search.used == NULL) {
        search.violation = "no memory for the search";
    } else {
        struct world world;
        memset(&world, 0, sizeof world);
        memset(world.slots, NONE, sizeof world.slots);
        search_from(&search, &world);
        if (search.violation == NULL && search.ends == 0) search.violation = "no end reached";
    }
    free(search.seen);
    free(search.used);
    return search.violation;
}

static void no_interleaving_loses_or_doubles_an_item(void)
{
    static const struct {
        const char *owner, *thief, *other;
    } cases[] = {
        {"++--+-", "ss", "s"},   {"+-+-+-", "ss", "ss"},   {"+++---", "ss", "ss"},
        {"+-++-+-", "ss", "s"},  {"++++----", "sss", "s"}, {"-+-", "ss", "ss"},
        {"++-+++--", "sss", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint8_t capacity = 1; capacity <= 2; capacity++) {
            const char *violation =
                explore(CORRECT, capacity, cases[i].owner, cases[i].thief, cases[i].other);
            CHECK_SAYING(violation == NULL, "%s | %s | %s: %s", cases[i].owner, cases[i].thief,
                         cases[i].other, violation);
        }
    }
}

static void the_search_finds_known_mistakes(void)
{
    CHECK(explore(POP_READS_TOP_FIRST, 2, "++--+-", "ss", "s") != NULL);
    CHECK(explore(POP_TAKES_LAST_WITHOUT_SWAP, 2, "++--+-", "ss", "s") != NULL);
    CHECK(explore(STEAL_READS_SLOT_LAST, 1, "+-+-+-", "ss", "s") != NULL);
    CHECK(explore(STEAL_READS_BOTTOM_FIRST, 2, "++--+-", "ss", "s") != NULL);
    CHECK(explore(PUSH_RAISES_BOTTOM_FIRST, 2, "++--+-", "ss", "s") != NULL);
    CHECK(explore(GROWTH_REUSES_OLD_SLOTS, 1, "++--+-", "ss", "s") != NULL);
}

int main(void)
{
    RUN(owner_takes_the_newest_and_thieves_the_oldest);
    RUN(an_empty_deque_stays_empty_however_often_it_is_asked);
    RUN(growth_keeps_order_and_content);
    RUN(a_deque_that_never_holds_more_than_its_capacity_does_not_grow);
    RUN(random_calls_agree_with_a_plain_list);
    RUN(a_capacity_that_no_memory_can_hold_is_refused);
    RUN(every_item_is_taken_exactly_once_by_owner_or_thief);
    RUN(no_interleaving_loses_or_doubles_an_item);
    RUN(the_search_finds_known_mistakes);
    return check_end();
}
