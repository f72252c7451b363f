/* lend: channels of the engine that tasks in a child use.  SPDX-License-Identifier: MIT */
#include "lane/lend.h"

#include <stdlib.h>

#include "base/room.h"

enum { TAKING, PUTTING };

uint64_t mill_lending_lend(struct mill_lending *lending, struct mill_shared *shared,
                           uint64_t *size)
{
    struct mill_channel *channel = (struct mill_channel *)shared;
    if (shared->kind != &mill_channel_kind || channel->remote) return 0;
    *size = channel->capacity;
    for (size_t i = 0; i < lending->count; i++) {
        if (lending->list[i].channel == channel) return i + 1;
    }
    if (!mill_room_for_one(&lending->list, lending->count, &lending->room,
                           sizeof *lending->list, 8)) {
        return 0;
    }
    mill_shared_ref(shared);
    lending->list[lending->count++] = (struct mill_lent){.channel = channel};
    return lending->count;
}

struct mill_shared *mill_lending_borrow(struct mill_lending *lending, uint64_t number)
{
    if (number == 0 || number > lending->count) return NULL;
    return mill_shared_ref(&lending->list[number - 1].channel->shared);
}

/* False: it need not wait, or there is no memory: it asks again. */
static bool attach_wait(struct mill_lent *lent, int direction,
                        void (*deliver)(struct mill_wait *wait), void *owner)
{
    if (lent->attached[direction]) return true;
    if (lent->waits[direction] == NULL) {
        lent->waits[direction] = mill_wait_new(deliver, owner);
        if (lent->waits[direction] == NULL) return false;
    }
    struct mill_wait *wait = lent->waits[direction];
    struct mill_link *link = mill_link_new(wait, 0);
    if (link == NULL) return false;
    atomic_store(&wait->parked, 1);
    lent->attached[direction] = mill_channel_attach(lent->channel, link, direction == PUTTING);
    if (!lent->attached[direction]) mill_link_drop(link);
    return lent->attached[direction];
}

/* Whether what a WAIT promises is prepared. */
static bool prepare_wait(struct mill_lent *lent, enum mill_channel_state state, int direction,
                         void (*deliver)(struct mill_wait *wait), void *owner)
{
    return state != MILL_CHANNEL_WAIT || attach_wait(lent, direction, deliver, owner);
}

static void put_for(struct mill_lent *lent, struct mill_value value, struct mill_wire *reply,
                    void (*deliver)(struct mill_wait *wait), void *owner)
{
    enum mill_channel_state state;
    do {
        state = mill_channel_put(lent->channel, value);
    } while (!prepare_wait(lent, state, PUTTING, deliver, owner));
    if (state != MILL_CHANNEL_DONE) mill_value_unref(value);
    mill_packer_byte(&reply->out, (uint8_t)state);
}

static void take_for(struct mill_lent *lent, struct mill_wire *reply,
                     void (*deliver)(struct mill_wait *wait), void *owner)
{
    struct mill_value value;
    enum mill_channel_state state;
    do {
        state = mill_channel_take(lent->channel, &value);
    } while (!prepare_wait(lent, state, TAKING, deliver, owner));
    mill_packer_byte(&reply->out, (uint8_t)state);
    if (state != MILL_CHANNEL_DONE) return;
    mill_wire_value(reply, &value, "a value of a channel");
    mill_value_unref(value);
}

bool mill_lending_call(struct mill_lending *lending, struct mill_wire_reader *reader,
                       struct mill_wire *reply, bool *replies,
                       void (*deliver)(struct mill_wait *wait), void *owner)
{
    uint64_t number = mill_unpacker_size(&reader->in);
    uint8_t what = mill_unpacker_byte(&reader->in);
    if (what == MILL_CALL_SLEEP && number == 0) {
        /* One that has not heard the last notice yet will not sleep. */
        lending->asleep = mill_unpacker_size(&reader->in) == lending->notices;
        return mill_wire_is_read(reader);
    }
    if (reader->in.bad || number == 0 || number > lending->count) return false;
    struct mill_lent *lent = &lending->list[number - 1];
    struct mill_value value = mill_nil();
    if (what == MILL_CALL_PUT) value = mill_wire_read(reader, false);
    if (!mill_wire_is_read(reader)) {
        mill_value_unref(value);
        return false;
    }
    bool closed;
    *replies = what != MILL_CALL_NUDGE;
    switch (what) {
    case MILL_CALL_PUT:
        put_for(lent, value, reply, deliver, owner);
        return true;
    case MILL_CALL_TAKE:
        take_for(lent, reply, deliver, owner);
        return true;
    case MILL_CALL_NUDGE:
        mill_channel_nudge(lent->channel);
        return true;
    case MILL_CALL_CLOSE:
        mill_channel_close(lent->channel);
        mill_packer_byte(&reply->out, MILL_CHANNEL_DONE);
        return true;
    case MILL_CALL_SIZE:
        mill_packer_byte(&reply->out, MILL_CHANNEL_DONE);
        mill_packer_size(&reply->out, mill_channel_size(lent->channel, &closed));
        mill_packer_byte(&reply->out, closed);
        return true;
    default:
        return false;
    }
}

bool mill_lending_notice(struct mill_lending *lending, struct mill_wire *notice)
{
    for (size_t i = 0; i < lending->count; i++) {
        for (int direction = TAKING; direction <= PUTTING; direction++) {
            struct mill_lent *lent = &lending->list[i];
            if (!lent->attached[direction]) continue;
            struct mill_link *link = mill_wait_take(lent->waits[direction]);
            if (link == NULL) continue;
            free(link);
            lent->attached[direction] = false;
            lending->notices++;
            lending->asleep = false;
            mill_packer_size(&notice->out, i + 1);
            mill_packer_byte(&notice->out, (uint8_t)direction);
            return true;
        }
    }
    return false;
}

void mill_lending_leave(struct mill_lending *lending)
{
    lending->asleep = false;
    for (size_t i = 0; i < lending->count; i++) {
        struct mill_lent *lent = &lending->list[i];
        bool any = false;
        for (int direction = TAKING; direction <= PUTTING; direction++) {
            if (!lent->attached[direction]) continue;
            /* What is in the channel's list is in nobody's way, and a turn goes to another. */
            atomic_store(&lent->waits[direction]->parked, 0);
            mill_wait_unref(lent->waits[direction]);
            lent->waits[direction] = NULL;
            lent->attached[direction] = false;
            any = true;
        }
        if (any) mill_channel_nudge(lent->channel);
    }
}

void mill_lending_fini(struct mill_lending *lending)
{
    mill_lending_leave(lending);
    for (size_t i = 0; i < lending->count; i++) {
        mill_wait_unref(lending->list[i].waits[TAKING]);
        mill_wait_unref(lending->list[i].waits[PUTTING]);
        mill_shared_unref(&lending->list[i].channel->shared);
    }
    free(lending->list);
    *lending = (struct mill_lending){.notices = lending->notices};
}
