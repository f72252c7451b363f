/* remote: channels of the engine, as tasks of a worker process use them.
 * When the engine has gone every call ends the process: there is nobody to answer.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bind/remote.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

uint64_t mill_remotes_lend(struct mill_remotes *remotes, struct mill_shared *shared)
{
    struct mill_channel *channel = (struct mill_channel *)shared;
    if (shared->kind != &mill_channel_kind || channel->remote == NULL) return 0;
    return channel->context == remotes ? channel->id : 0;
}

/* ---- messages ------------------------------------------------------------------------------ */

static struct mill_channel *find_channel(const struct mill_remotes *remotes, uint64_t number)
{
    struct mill_channel *channel = remotes->first;
    while (channel && channel->id != number) channel = channel->next;
    return channel;
}

static void ask(const struct mill_channel *channel, enum mill_lend_call what,
                struct mill_outbox *outbox)
{
    mill_outbox_begin(outbox);
    mill_packer_size(&outbox->wire.out, channel->id);
    mill_packer_byte(&outbox->wire.out, (uint8_t)what);
}

static void send_call(struct mill_remotes *remotes, struct mill_outbox *outbox)
{
    mill_outbox_close(outbox, MILL_MESSAGE_CALL);
    if (mill_outbox_send(outbox, remotes->socket, true) != MILL_TRANSFER_DONE) _exit(1);
}

/* While a wake is promised nothing is stuck here: the engine tells when all is. */
static void count_promise(struct mill_remotes *remotes, int change)
{
    remotes->promises += change;
    atomic_fetch_add(&remotes->pool->outside, change);
}

static void take_notice(struct mill_remotes *remotes)
{
    struct mill_wire_reader reader;
    mill_inbox_open(&remotes->inbox, &reader, remotes->memory);
    uint64_t number = mill_unpacker_size(&reader.in);
    bool putting = mill_unpacker_byte(&reader.in) != 0;
    mill_wire_reader_fini(&reader);
    struct mill_channel *channel = find_channel(remotes, number);
    remotes->notices++;
    if (channel == NULL) return;
    if (channel->promised[putting]) count_promise(remotes, -1);
    channel->promised[putting] = false;
    /* Nobody waits for it any more: the turn goes to another. */
    if (!mill_channel_wake(channel, putting)) channel->remote->nudge(channel);
}

/* Waits for the next message; whether it is a reply, which stays in the inbox. */
static bool receive_one(struct mill_remotes *remotes)
{
    enum mill_transfer result =
        mill_inbox_receive(&remotes->inbox, remotes->socket, true, remotes->memory);
    if (result != MILL_TRANSFER_DONE) _exit(1);
    if (remotes->inbox.head.kind == MILL_MESSAGE_REPLY) return true;
    if (remotes->inbox.head.kind != MILL_MESSAGE_NOTICE) _exit(1);
    take_notice(remotes);
    mill_inbox_clear(&remotes->inbox);
    return false;
}

static struct mill_shared *borrow_shared(void *context, uint64_t number, uint64_t size)
{
    return mill_remotes_borrow(context, number, size);
}

/* Opens the reply to what was sent; after it the inbox is to be cleared. */
static enum mill_channel_state open_reply(struct mill_remotes *remotes,
                                          struct mill_wire_reader *reader)
{
    while (!receive_one(remotes)) {}
    mill_inbox_open(&remotes->inbox, reader, remotes->memory);
    reader->borrow = borrow_shared;
    reader->context = remotes;
    return (enum mill_channel_state)mill_unpacker_byte(&reader->in);
}

static void close_reply(struct mill_remotes *remotes, struct mill_wire_reader *reader)
{
    mill_wire_reader_fini(reader);
    mill_inbox_clear(&remotes->inbox);
}

/* ---- what a channel does ----------------------------------------------------------------------- */

static uint64_t lend_shared(void *context, struct mill_shared *shared, uint64_t *size)
{
    *size = 0;
    return mill_remotes_lend(context, shared);
}

/* While a wake is promised nothing is stuck. */
static enum mill_channel_state outcome(struct mill_channel *channel,
                                       enum mill_channel_state state, bool putting)
{
    struct mill_remotes *remotes = channel->context;
    if (state == MILL_CHANNEL_WAIT && !channel->promised[putting]) {
        channel->promised[putting] = true;
        count_promise(remotes, 1);
    }
    return state;
}

static enum mill_channel_state remote_put(struct mill_channel *channel, struct mill_value value)
{
    struct mill_remotes *remotes = channel->context;
    struct mill_outbox outbox;
    struct mill_wire_reader reader;
    ask(channel, MILL_CALL_PUT, &outbox);
    outbox.wire.lend = lend_shared;
    outbox.wire.context = remotes;
    mill_wire_value(&outbox.wire, &value, "the value for the channel");
    if (!mill_wire_is_fine(&outbox.wire)) {
        mill_outbox_fini(&outbox);
        return MILL_CHANNEL_REFUSED;
    }
    send_call(remotes, &outbox);
    enum mill_channel_state state = open_reply(remotes, &reader);
    close_reply(remotes, &reader);
    if (state == MILL_CHANNEL_DONE) mill_value_unref(value);
    return outcome(channel, state, true);
}

static enum mill_channel_state remote_take(struct mill_channel *channel,
                                           struct mill_value *value)
{
    struct mill_remotes *remotes = channel->context;
    struct mill_outbox outbox;
    struct mill_wire_reader reader;
    ask(channel, MILL_CALL_TAKE, &outbox);
    send_call(remotes, &outbox);
    enum mill_channel_state state = open_reply(remotes, &reader);
    if (state == MILL_CHANNEL_DONE) {
        *value = mill_wire_read(&reader, false);
        if (!mill_wire_is_read(&reader)) _exit(1); /* the value is lost: so is the task */
    }
    close_reply(remotes, &reader);
    return outcome(channel, state, false);
}

static void nudge(struct mill_channel *channel)
{
    struct mill_outbox outbox;
    ask(channel, MILL_CALL_NUDGE, &outbox);
    send_call(channel->context, &outbox);
}

static void close_channel(struct mill_channel *channel)
{
    struct mill_outbox outbox;
    struct mill_wire_reader reader;
    ask(channel, MILL_CALL_CLOSE, &outbox);
    send_call(channel->context, &outbox);
    open_reply(channel->context, &reader);
    close_reply(channel->context, &reader);
}

static uint32_t remote_size(struct mill_channel *channel, bool *closed)
{
    struct mill_outbox outbox;
    struct mill_wire_reader reader;
    ask(channel, MILL_CALL_SIZE, &outbox);
    send_call(channel->context, &outbox);
    open_reply(channel->context, &reader);
    uint32_t size = (uint32_t)mill_unpacker_size(&reader.in);
    *closed = mill_unpacker_byte(&reader.in) != 0;
    close_reply(channel->context, &reader);
    return size;
}

static void forget_promises(struct mill_channel *channel)
{
    struct mill_remotes *remotes = channel->context;
    for (int putting = 0; putting < 2; putting++) {
        if (channel->promised[putting]) count_promise(remotes, -1);
        channel->promised[putting] = false;
    }
}

static void remote_drop(struct mill_channel *channel)
{
    struct mill_remotes *remotes = channel->context;
    forget_promises(channel);
    struct mill_channel **link = &remotes->first;
    while (*link && *link != channel) link = &(*link)->next;
    if (*link) *link = channel->next;
}

static const struct mill_channel_remote remote = {remote_put,    remote_take, nudge,
                                                  close_channel, remote_size, remote_drop};

struct mill_shared *mill_remotes_borrow(struct mill_remotes *remotes, uint64_t number,
                                        uint64_t size)
{
    struct mill_channel *channel = find_channel(remotes, number);
    if (channel) return mill_shared_ref(&channel->shared);
    if (size == 0 || size > UINT32_MAX) return NULL;
    channel = mill_channel_new_remote((uint32_t)size, &remote, remotes, number);
    if (channel == NULL) return NULL;
    channel->next = remotes->first;
    remotes->first = channel;
    return &channel->shared;
}

/* ---- waiting ------------------------------------------------------------------------------------ */

void mill_remotes_count(struct mill_remotes *remotes)
{
    remotes->notices++;
}

static void tell_of_sleep(struct mill_remotes *remotes)
{
    struct mill_outbox outbox;
    mill_outbox_begin(&outbox);
    mill_packer_size(&outbox.wire.out, 0);
    mill_packer_byte(&outbox.wire.out, MILL_CALL_SLEEP);
    mill_packer_size(&outbox.wire.out, remotes->notices);
    send_call(remotes, &outbox);
}

void mill_remotes_init(struct mill_remotes *remotes)
{
    remotes->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void mill_remotes_wake(struct mill_remotes *remotes)
{
    uint64_t one = 1;
    ssize_t written = write(remotes->bell, &one, sizeof one);
    (void)written; /* a bell that is full has rung */
}

void mill_remotes_sleep(struct mill_remotes *remotes, int64_t until)
{
    static const int64_t SHORT = 10 * 1000 * 1000; /* without a bell */
    /* Connections and programs of this process go on by themselves. */
    bool waits =
        until == INT64_MAX && atomic_load(&remotes->pool->outside) <= remotes->promises;
    if (waits) tell_of_sleep(remotes);
    if (remotes->bell < 0 && !waits && until - mill_clock_now() > SHORT) {
        until = mill_clock_now() + SHORT;
    }
    struct pollfd ready[] = {{.fd = remotes->socket, .events = POLLIN},
                             {.fd = remotes->bell, .events = POLLIN}};
    struct timespec left = {0, 0}, *limit = NULL;
    if (until != INT64_MAX) {
        int64_t time = until - mill_clock_now();
        if (time > 0) left = (struct timespec){time / 1000000000, time % 1000000000};
        limit = &left;
    }
    if (ppoll(ready, 2, limit, NULL) <= 0) return;
    uint64_t rung;
    if (ready[1].revents && read(remotes->bell, &rung, sizeof rung) < 0) return;
    if (ready[0].revents) receive_one(remotes);
}

void mill_remotes_leave(struct mill_remotes *remotes)
{
    struct mill_channel *channel = remotes->first;
    for (; channel; channel = channel->next) forget_promises(channel);
}

void mill_remotes_fini(struct mill_remotes *remotes)
{
    mill_inbox_clear(&remotes->inbox);
    if (remotes->bell >= 0) close(remotes->bell);
}
