/* roster: the functions of a run by the numbers that nodes carry.  They get their places in the run in
 * the order in which they are met first; each is asked for once.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ROSTER_H
#define MILL_ROSTER_H

#include "sched/run.h"

enum { MILL_ROSTER_EMPTY = UINT32_MAX };

struct mill_roster_slot {
    uint32_t number, place; /* MILL_ROSTER_EMPTY: none */
};

struct mill_roster {
    struct mill_run *run;
    mill_function_of *function_of;
    void *context;
    struct mill_error *error;
    size_t function_room; /* of the run's list */
    struct mill_roster_slot *slots;
    uint32_t room;                   /* a power of two */
    struct mill_roster_slot few[16]; /* the first room */
};

/* A failure is told by `error`, or by function_of. */
void mill_roster_init(struct mill_roster *roster, struct mill_run *run,
                      mill_function_of *function_of, void *context, struct mill_error *error);
void mill_roster_fini(struct mill_roster *roster);

/* The place of a number that is not where it is looked for first: that of a new one; or
 * MILL_ROSTER_EMPTY: there is no such function, or no memory. */
uint32_t mill_roster_enter(struct mill_roster *roster, uint32_t number);

static inline uint32_t mill_roster_home(const struct mill_roster *roster, uint32_t number)
{
    return number * 2654435761u >> 16 & (roster->room - 1);
}

static inline uint32_t mill_roster_place(struct mill_roster *roster, uint32_t number)
{
    const struct mill_roster_slot *slot = &roster->slots[mill_roster_home(roster, number)];
    bool there = slot->number == number && slot->place != MILL_ROSTER_EMPTY;
    return there ? slot->place : mill_roster_enter(roster, number);
}

#endif
