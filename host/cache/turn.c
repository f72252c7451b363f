/* turn: a task that waits for another process to compute its key.  SPDX-License-Identifier: MIT */
#include "cache/turn.h"

#include "base/clock.h"
#include "sched/delay.h"

/* As `worker` of a task that waits: WAITING and how often it has looked.  The greatest number stands
 * for something else in lookup.c. */
enum { WAITING = 0xf000, WAITING_END = 0xfffe };

enum {
    LOOK_LONGEST = 50, /* milliseconds between two looks, from the seventh on */
    LOOKS_SUSPENDED =
        1200,         /* a minute: then a claim whose own task waits is passed over, for it may
                               wait for this one */
    LOOKS_OWN = 3600, /* three minutes for another run of this process */
};

int mill_turn_looks(const struct mill_task *task)
{
    bool waits = task->worker >= WAITING && task->worker <= WAITING_END;
    return waits ? task->worker - WAITING : 0;
}

void mill_turn_end(struct mill_task *task)
{
    if (mill_turn_looks(task) > 0) task->worker = 0;
}

static bool is_worth_waiting(int looks, enum mill_claim claim)
{
    switch (claim) {
    case MILL_CLAIM_OTHERS:
        return true;
    case MILL_CLAIM_MINE:
        return looks < LOOKS_OWN;
    case MILL_CLAIM_WAITING:
        return looks < LOOKS_SUSPENDED;
    case MILL_CLAIM_RESTING: /* it may wait for this very task */
    case MILL_CLAIM_TAKEN:
    case MILL_CLAIM_NONE:
        break;
    }
    return false;
}

bool mill_turn_wait(struct mill_task *task, int looks, enum mill_claim claim)
{
    if (!is_worth_waiting(looks, claim)) return false;
    int64_t pause = looks < 6 ? (int64_t)1 << looks : LOOK_LONGEST;
    if (task->run->strategy != MILL_PINNED) { /* there `worker` says where it runs */
        int next = WAITING + looks + 1;
        task->worker = (uint16_t)(next < WAITING_END ? next : WAITING_END);
    }
    return mill_delay_start(task, mill_clock_now() + pause * 1000000);
}
