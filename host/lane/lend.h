/* lend: channels of the engine that tasks in a child use.  They stay where they are: the child is given
 * a number, asks by CALL messages, and is told by NOTICE when a channel that made it wait may let
 * it go on.  The lane's thread alone, but for channels themselves.
 *
 *     CALL     number, what (mill_lend_call), value of a PUT
 *     REPLY    mill_channel_state; of a TAKE that is done: the value; of SIZE: size, closed
 *     NOTICE   number, whether it is about putting
 *
 * SPDX-License-Identifier: MIT */
#ifndef MILL_LEND_H
#define MILL_LEND_H

#include "lane/message.h"
#include "sched/channel.h"

enum mill_lend_call {
    MILL_CALL_PUT,
    MILL_CALL_TAKE,
    MILL_CALL_NUDGE, /* no reply */
    MILL_CALL_CLOSE,
    MILL_CALL_SIZE,
    MILL_CALL_SLEEP, /* of number 0: nothing runs until a notice comes; how many came so far */
};

struct mill_lent {                /* a channel; its number is its place, from 1 */
    struct mill_channel *channel; /* with a reference */
    struct mill_wait *waits[2];   /* for values, for room; NULL: never needed */
    bool attached[2];             /* the wait has a link in the channel, or that has fired */
};

struct mill_lending { /* of one child */
    struct mill_lent *list;
    size_t count, room;
    uint64_t notices; /* given */
    bool asleep;      /* the child, until the next one */
};

/* For mill_wire.lend and mill_wire_reader.borrow, on a struct mill_lending. */
uint64_t mill_lending_lend(struct mill_lending *lending, struct mill_shared *shared,
                           uint64_t *size);
struct mill_shared *mill_lending_borrow(struct mill_lending *lending, uint64_t number);

/* Does what a CALL says, whose body is at `reader`, and writes the REPLY, when there is one: *replies.
 * Whoever has to wait is told by deliver(a wait whose owner is `owner`), which any thread calls.
 * False: the message is none. */
bool mill_lending_call(struct mill_lending *lending, struct mill_wire_reader *reader,
                       struct mill_wire *reply, bool *replies,
                       void (*deliver)(struct mill_wait *wait), void *owner);

/* The next channel to give notice of: writes the message; false: there is none. */
bool mill_lending_notice(struct mill_lending *lending, struct mill_wire *notice);

/* The child's task has ended: it waits for nothing any more. */
void mill_lending_leave(struct mill_lending *lending);
void mill_lending_fini(struct mill_lending *lending);

#endif
