/* roster: the functions of a run by the numbers that nodes carry: an open hash table.
 * SPDX-License-Identifier: MIT */
#include "sched/roster.h"

#include <stdlib.h>

#include "base/room.h"

void mill_roster_init(struct mill_roster *roster, struct mill_run *run,
                      mill_function_of *function_of, void *context, struct mill_error *error)
{
    roster->run = run;
    roster->function_of = function_of;
    roster->context = context;
    roster->error = error;
    roster->function_room = 0;
    roster->slots = roster->few;
    roster->room = sizeof roster->few / sizeof *roster->few;
    memset(roster->few, 0xFF, sizeof roster->few);
}

void mill_roster_fini(struct mill_roster *roster)
{
    if (roster->slots != roster->few) free(roster->slots);
}

/* Where the number is, or would be. */
static struct mill_roster_slot *roster_slot(struct mill_roster *roster, uint32_t number)
{
    uint32_t at = mill_roster_home(roster, number);
    while (roster->slots[at].place != MILL_ROSTER_EMPTY && roster->slots[at].number != number) {
        at = (at + 1) & (roster->room - 1);
    }
    return &roster->slots[at];
}

static bool grow_roster(struct mill_roster *roster)
{
    struct mill_roster before = *roster;
    size_t size = 2 * (size_t)roster->room * sizeof *roster->slots;
    roster->slots = malloc(size);
    if (roster->slots == NULL) {
        roster->slots = before.slots;
        return false;
    }
    memset(roster->slots, 0xFF, size);
    roster->room *= 2;
    const struct mill_roster_slot *old =
        before.slots == roster->few ? before.few : before.slots;
    for (uint32_t i = 0; i < before.room; i++) {
        if (old[i].place != MILL_ROSTER_EMPTY) *roster_slot(roster, old[i].number) = old[i];
    }
    if (old == before.slots) free(before.slots);
    return true;
}

static bool make_place(struct mill_roster *roster)
{
    struct mill_run *run = roster->run;
    if (2 * (run->function_count + 1) > roster->room && !grow_roster(roster)) return false;
    return mill_room_for_one(&run->functions, run->function_count, &roster->function_room,
                             sizeof *run->functions, 4);
}

uint32_t mill_roster_enter(struct mill_roster *roster, uint32_t number)
{
    struct mill_roster_slot *slot = roster_slot(roster, number);
    if (slot->place != MILL_ROSTER_EMPTY) return slot->place;
    struct mill_run *run = roster->run;
    struct mill_function *function = roster->function_of(roster->context, number);
    if (function == NULL) return MILL_ROSTER_EMPTY;
    if (!make_place(roster)) {
        mill_no_memory(roster->error, "a run's functions");
        return MILL_ROSTER_EMPTY;
    }
    uint32_t place = run->function_count++;
    run->functions[place] = mill_function_ref(function);
    *roster_slot(roster, number) = (struct mill_roster_slot){number, place};
    return place;
}
