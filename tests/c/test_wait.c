/* test_wait: parking, firing and kicking: in every interleaving of a model, and under threads;
 * sources that close under those who attach.  A lost wake-up shows as a hang, which the watchdog
 * of main ends.  SPDX-License-Identifier: MIT */
#include "sched/wait.h"

#include <unistd.h>

#include "check.h"
#include "fail_check.h"

/* ---- one thread ---------------------------------------------------------------------------------- */

static int delivered;

static void note_delivery(struct mill_wait *wait)
{
    (void)wait;
    delivered++;
}

static void a_wait_that_nothing_has_fired_parks_and_is_delivered_once(void)
{
    struct mill_wait *wait = mill_wait_new(note_delivery, NULL);
    struct mill_link *first = mill_link_new(wait, 1), *second = mill_link_new(wait, 2);
    delivered = 0;
    CHECK(mill_wait_park(wait));
    mill_link_fire(first);
    CHECK(delivered == 1);
    mill_link_fire(second);
    CHECK(delivered == 1);
    CHECK(atomic_load(&wait->refs) == 1);
    uint32_t tags = 0;
    for (int i = 0; i < 2; i++) {
        struct mill_link *link = mill_wait_take(wait);
        tags += link->tag;
        free(link);
    }
    CHECK(tags == 3 && mill_wait_take(wait) == NULL);
    mill_wait_unref(wait);
}

static void a_wait_that_something_has_fired_does_not_park(void)
{
    struct mill_wait *wait = mill_wait_new(note_delivery, NULL);
    delivered = 0;
    mill_link_fire(mill_link_new(wait, 0));
    CHECK(!mill_wait_park(wait));
    free(mill_wait_take(wait));
    CHECK(mill_wait_park(wait));
    mill_wait_kick(wait, MILL_REASON_TIME);
    CHECK(delivered == 1 && atomic_load(&wait->reasons) == MILL_REASON_TIME);
    mill_wait_kick(wait, MILL_REASON_CANCELLED);
    CHECK(delivered == 1 && !mill_wait_park(wait));
    mill_wait_unref(wait);
}

static void links_that_nobody_took_go_with_their_wait(void)
{
    struct mill_source source;
    struct mill_wait *wait = mill_wait_new(note_delivery, NULL);
    mill_source_init(&source);
    for (uint32_t i = 0; i < 5; i++) {
        CHECK(mill_source_attach(&source, mill_link_new(wait, i)));
    }
    CHECK(atomic_load(&wait->refs) == 6 && !mill_source_closed(&source));
    mill_source_close(&source);
    CHECK(mill_source_closed(&source) && atomic_load(&wait->refs) == 1);
    struct mill_link *late = mill_link_new(wait, 9);
    CHECK(!mill_source_attach(&source, late));
    mill_link_drop(late);
    for (uint32_t i = 5; i-- > 3;) { /* fired in the order of attaching */
        struct mill_link *link = mill_wait_take(wait);
        CHECK(link->tag == i);
        free(link);
    }
    mill_source_fini(&source);
    mill_wait_unref(wait);
}

static void a_source_that_never_closes_drops_its_links(void)
{
    struct mill_source source;
    struct mill_wait *wait = mill_wait_new(note_delivery, NULL);
    mill_source_init(&source);
    delivered = 0;
    for (uint32_t i = 0; i < 5; i++) {
        CHECK(mill_source_attach(&source, mill_link_new(wait, i)));
    }
    CHECK(mill_wait_park(wait));
    mill_source_fini(&source);
    CHECK(delivered == 0 && atomic_load(&wait->refs) == 1 && mill_wait_take(wait) == NULL);
    mill_wait_unref(wait);
}

static void without_memory_there_is_no_wait_and_no_link(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("the sanitizer has an allocator of its own");
    allocations_left = 0;
    CHECK(mill_wait_new(note_delivery, NULL) == NULL);
    allocations_left = 1;
    struct mill_wait *wait = mill_wait_new(note_delivery, NULL);
    CHECK(wait && mill_link_new(wait, 0) == NULL && atomic_load(&wait->refs) == 1);
    allocations_left = INT64_MAX;
    mill_wait_unref(wait);
    mill_wait_unref(NULL);
}

/* ---- every interleaving ---------------------------------------------------------------------------
 * The protocol of wait.h as a machine of atomic steps, one shared access each: a waiter that parks
 * and takes until it has all that comes, and threads that fire a link or kick.  A world in which
 * nothing can move and the waiter is parked is a lost wake-up.  Variants with a known mistake must
 * be caught, else the checker checks nothing. */

enum { FIRERS = 3 };

enum variant {
    CORRECT,
    PARK_LOOKS_FIRST,         /* before it says that it is parked */
    PARK_FORGETS_WHO_TOOK_IT, /* returns false although somebody will deliver */
    FIRE_DELIVERS_FIRST,      /* looks whether it is parked before it pushes */
    FIRE_ALWAYS_DELIVERS,     /* without taking `parked` */
};

struct world {
    uint8_t parked, fired, reasons, delivered; /* fired: links on the list */
    uint8_t waiter, wanted; /* where the waiter stands; what it still waits for */
    uint8_t seen, sleeps;
    uint8_t firers[FIRERS], took[FIRERS];
};

struct search {
    enum variant variant;
    const char *kinds; /* of the firers: "f" fires, "k" kicks */
    const char *violation;
    int64_t worlds, ends;
    struct world *seen;
    size_t count, room;
};

/* One step of a waiter: 0 sets parked, 1 looks, 2 takes parked back, 3 sleeps until it is
 * delivered, 4 takes what has fired, 5 has all. */
static bool step_waiter(struct search *search, struct world *world)
{
    bool hasty = search->variant == PARK_LOOKS_FIRST;
    switch (world->waiter) {
    case 0:
        if (hasty) {
            world->seen = world->fired || world->reasons;
        } else {
            world->parked = 1;
        }
        world->waiter = 1;
        return true;
    case 1:
        if (hasty) {
            world->parked = 1;
        } else {
            world->seen = world->fired || world->reasons;
        }
        world->waiter = world->seen ? 2 : 3;
        return true;
    case 2: {
        bool mine = world->parked;
        world->parked = 0;
        world->waiter = mine || search->variant == PARK_FORGETS_WHO_TOOK_IT ? 4 : 3;
        return true;
    }
    case 3:
        if (!world->delivered) return false;
        world->delivered--;
        world->waiter = 4;
        return true;
    case 4: /* the next round, until everybody has come */
        world->wanted = (uint8_t)(world->wanted - world->fired - world->reasons);
        world->fired = world->reasons = 0;
        world->waiter = world->wanted ? 0 : 5;
        return true;
    default:
        return false;
    }
}

static bool step_firer(struct search *search, struct world *world, int i)
{
    bool kicks = search->kinds[i] == 'k', early = search->variant == FIRE_DELIVERS_FIRST;
    switch (world->firers[i]) {
    case 0:
    case 1:
        if ((world->firers[i]++ == 0) != early) {
            if (kicks) {
                world->reasons++;
            } else {
                world->fired++;
            }
            return true;
        }
        world->took[i] = world->parked || search->variant == FIRE_ALWAYS_DELIVERS;
        world->parked = 0;
        return true;
    case 2:
        world->firers[i]++;
        if (!world->took[i]) return true;
        if (++world->delivered > 1) search->violation = "delivered twice";
        if (world->waiter == 5) search->violation = "delivered to one who has left";
        return true;
    default:
        return false;
    }
}

static bool enter(struct search *search, const struct world *world)
{
    for (size_t i = 0; i < search->count; i++) {
        if (memcmp(&search->seen[i], world, sizeof *world) == 0) return false;
    }
    if (search->count == search->room) {
        search->room = search->room * 2 + 1024;
        search->seen = realloc(search->seen, search->room * sizeof *search->seen);
    }
    search->seen[search->count++] = *world;
    return true;
}

static void search_from(struct search *search, const struct world *world)
{
    if (search->violation || !enter(search, world)) return;
    bool moved = false;
    struct world next = *world;
    if (step_waiter(search, &next)) {
        moved = true;
        search_from(search, &next);
    }
    for (int i = 0; search->kinds[i]; i++) {
        next = *world;
        if (!step_firer(search, &next, i)) continue;
        moved = true;
        search_from(search, &next);
    }
    if (moved) return;
    search->ends++;
    if (world->waiter != 5) search->violation = "a wake-up was lost";
    if (world->waiter == 5 && world->delivered) search->violation = "delivered to nobody";
}

static const char *explore(enum variant variant, const char *kinds)
{
    struct search search = {.variant = variant, .kinds = kinds};
    struct world world;
    memset(&world, 0, sizeof world);
    world.wanted = (uint8_t)strlen(kinds);
    search_from(&search, &world);
    if (search.violation == NULL && search.ends == 0) search.violation = "no end reached";
    free(search.seen);
    return search.violation;
}

/* A firer that comes late to `parked` may wake a wait of a later round (or one that was left): that
 * is a round for nothing, never a lost one. */
static void no_interleaving_loses_a_wake_up(void)
{
    static const char *const kinds[] = {"f", "k", "ff", "fk", "kk", "fff", "ffk", "fkk"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *violation = explore(CORRECT, kinds[i]);
        CHECK_SAYING(violation == NULL, "%s: %s", kinds[i], violation);
    }
}

static void the_search_finds_known_mistakes(void)
{
    CHECK(explore(PARK_LOOKS_FIRST, "f") != NULL);
    CHECK(explore(PARK_FORGETS_WHO_TOOK_IT, "ff") != NULL);
    CHECK(explore(FIRE_DELIVERS_FIRST, "f") != NULL);
    CHECK(explore(FIRE_ALWAYS_DELIVERS, "ff") != NULL);
}

/* ---- threads ---------------------------------------------------------------------------------------- */

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { ROUNDS = 3000 };
#else
enum { ROUNDS = 20000 };
#endif
enum { SOURCES = 3 };

/* A waiter attaches to sources that others close meanwhile, and frees each as soon as it sees it
 * closed. */
struct meeting {
    struct mill_source *_Atomic sources[SOURCES];
    _Atomic bool told;
    _Atomic int arrived;
};

static void tell_waiter(struct mill_wait *wait)
{
    struct meeting *meeting = wait->owner;
    atomic_store(&meeting->told, true);
}

static void meet(struct meeting *meeting, int round)
{
    atomic_fetch_add(&meeting->arrived, 1);
    for (int spins = 0; atomic_load(&meeting->arrived) < (SOURCES + 1) * round; spins++) {
        if (spins % 100 == 99) sched_yield();
    }
}

struct closer {
    struct meeting *meeting;
    int which;
};

static void *close_sources(void *context)
{
    struct closer *closer = context;
    for (int round = 1; round <= ROUNDS; round++) {
        meet(closer->meeting, 2 * round - 1);
        for (volatile int i = (round * 7 + closer->which * 13) % 60; i > 0; i--) continue;
        mill_source_close(atomic_load(&closer->meeting->sources[closer->which]));
        meet(closer->meeting, 2 * round);
    }
    return NULL;
}

static void wait_for_all(struct meeting *meeting, struct mill_wait *wait)
{
    int open = 0;
    for (int i = 0; i < SOURCES; i++) {
        struct mill_link *link = mill_link_new(wait, (uint32_t)i);
        if (mill_source_attach(atomic_load(&meeting->sources[i]), link)) {
            open++;
        } else {
            mill_link_drop(link);
            free(atomic_load(&meeting->sources[i])); /* at once: its closer has left it */
        }
    }
    while (open > 0) {
        struct mill_link *link = mill_wait_take(wait);
        if (link) {
            CHECK(mill_source_closed(atomic_load(&meeting->sources[link->tag])));
            free(atomic_load(&meeting->sources[link->tag]));
            free(link);
            open--;
            continue;
        }
        atomic_store(&meeting->told, false);
        if (!mill_wait_park(wait)) continue;
        while (!atomic_load(&meeting->told)) sched_yield();
    }
}

static void a_waiter_is_told_of_each_of_several_sources(void)
{
    struct meeting meeting = {.told = false};
    struct closer closers[SOURCES];
    pthread_t threads[SOURCES];
    for (int i = 0; i < SOURCES; i++) {
        closers[i] = (struct closer){&meeting, i};
        pthread_create(&threads[i], NULL, close_sources, &closers[i]);
    }
    for (int round = 1; round <= ROUNDS; round++) {
        struct mill_wait *wait = mill_wait_new(tell_waiter, &meeting);
        for (int i = 0; i < SOURCES; i++) {
            struct mill_source *source = malloc(sizeof *source);
            mill_source_init(source);
            atomic_store(&meeting.sources[i], source);
        }
        meet(&meeting, 2 * round - 1);
        wait_for_all(&meeting, wait);
        mill_wait_unref(wait); /* a firer may be in it still */
        meet(&meeting, 2 * round);
    }
    for (int i = 0; i < SOURCES; i++) pthread_join(threads[i], NULL);
}

int main(void)
{
    alarm(240); /* a hang ends here, by SIGALRM */
    RUN(a_wait_that_nothing_has_fired_parks_and_is_delivered_once);
    RUN(a_wait_that_something_has_fired_does_not_park);
    RUN(links_that_nobody_took_go_with_their_wait);
    RUN(a_source_that_never_closes_drops_its_links);
    RUN(without_memory_there_is_no_wait_and_no_link);
    RUN(no_interleaving_loses_a_wake_up);
    RUN(the_search_finds_known_mistakes);
    RUN(a_waiter_is_told_of_each_of_several_sources);
    return check_end();
}
