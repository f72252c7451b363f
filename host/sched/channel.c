/* channel: a bounded queue of values between tasks.
 *
 * Whoever is told to look again may find that another was faster, and waits again.  So that no
 * turn is lost with a waiter that has given up meanwhile, a put tells as many takers as there are
 * values, and a take as many putters as there is room: each time all that could go on, at most.
 * SPDX-License-Identifier: MIT */
#include "sched/channel.h"

#include <stdlib.h>

static void channel_destroy(struct mill_shared *shared)
{
    struct mill_channel *channel = (struct mill_channel *)shared;
    if (channel->remote) {
        channel->remote->drop(channel);
        channel->remote = NULL;
    }
    mill_channel_close(channel);
    for (uint32_t i = 0; i < channel->count; i++) {
        mill_value_unref(channel->ring[(channel->first + i) % channel->capacity]);
    }
    pthread_mutex_destroy(&channel->mutex);
    free(channel);
}

const struct mill_shared_kind mill_channel_kind = {
    .name = "a channel", .destroy = channel_destroy, .lends = true};

struct mill_channel *mill_channel_new(uint32_t capacity)
{
    struct mill_channel *channel =
        calloc(1, sizeof *channel + (size_t)capacity * sizeof channel->ring[0]);
    if (channel == NULL) return NULL;
    mill_shared_init(&channel->shared, &mill_channel_kind);
    pthread_mutex_init(&channel->mutex, NULL);
    channel->capacity = capacity;
    return channel;
}

/* ---- who waits; under the mutex --------------------------------------------------------------- */

static void links_add(struct mill_links *links, struct mill_link *link)
{
    link->next = NULL;
    if (links->first) {
        links->last->next = link;
    } else {
        links->first = link;
    }
    links->last = link;
}

static void links_fire(struct mill_links *links, uint32_t count)
{
    while (links->first && count > 0) {
        struct mill_link *link = links->first;
        links->first = link->next;
        /* One whose waiter has something already does not count: it may look, or have left. */
        bool waits = atomic_load(&link->wait->parked) == 1;
        mill_link_fire(link);
        if (waits) count--;
    }
}

/* Links whose waiters have left are in the way; one that is about to park looks once more. */
static void links_clean(struct mill_links *links)
{
    struct mill_link *link = links->first;
    links->first = links->last = NULL;
    while (link) {
        struct mill_link *next = link->next;
        if (atomic_load(&link->wait->parked) == 1) {
            links_add(links, link);
        } else {
            mill_link_fire(link);
        }
        link = next;
    }
}

/* ---- what others call ---------------------------------------------------------------------------- */

struct mill_channel *mill_channel_new_remote(uint32_t capacity,
                                             const struct mill_channel_remote *remote,
                                             void *context, uint64_t id)
{
    struct mill_channel *channel = mill_channel_new(0);
    if (channel == NULL) return NULL;
    channel->capacity = capacity;
    channel->remote = remote;
    channel->context = context;
    channel->id = id;
    return channel;
}

bool mill_channel_wake(struct mill_channel *channel, bool putting)
{
    struct mill_links *links = putting ? &channel->putters : &channel->takers;
    bool any = false;
    pthread_mutex_lock(&channel->mutex);
    for (struct mill_link *link = links->first; link; link = link->next) {
        any = any || atomic_load(&link->wait->parked) == 1;
    }
    links_fire(links, UINT32_MAX);
    pthread_mutex_unlock(&channel->mutex);
    return any;
}

enum mill_channel_state mill_channel_put(struct mill_channel *channel, struct mill_value value)
{
    if (channel->remote) return channel->remote->put(channel, value);
    enum mill_channel_state state = MILL_CHANNEL_WAIT;
    pthread_mutex_lock(&channel->mutex);
    if (channel->closed) {
        state = MILL_CHANNEL_CLOSED;
    } else if (channel->count < channel->capacity) {
        channel->ring[(channel->first + channel->count) % channel->capacity] = value;
        channel->count++;
        links_fire(&channel->takers, channel->count);
        state = MILL_CHANNEL_DONE;
    }
    pthread_mutex_unlock(&channel->mutex);
    return state;
}

enum mill_channel_state mill_channel_take(struct mill_channel *channel,
                                          struct mill_value *value)
{
    if (channel->remote) return channel->remote->take(channel, value);
    enum mill_channel_state state = MILL_CHANNEL_WAIT;
    pthread_mutex_lock(&channel->mutex);
    if (channel->count > 0) {
        *value = channel->ring[channel->first];
        channel->first = (channel->first + 1) % channel->capacity;
        channel->count--;
        links_fire(&channel->putters, channel->capacity - channel->count);
        state = MILL_CHANNEL_DONE;
    } else if (channel->closed) {
        state = MILL_CHANNEL_CLOSED;
    }
    pthread_mutex_unlock(&channel->mutex);
    return state;
}

bool mill_channel_attach(struct mill_channel *channel, struct mill_link *link, bool putting)
{
    pthread_mutex_lock(&channel->mutex);
    bool here = putting ? channel->count == channel->capacity : channel->count == 0;
    bool waits = channel->remote || (!channel->closed && here);
    if (waits) links_add(putting ? &channel->putters : &channel->takers, link);
    pthread_mutex_unlock(&channel->mutex);
    return waits;
}

void mill_channel_nudge(struct mill_channel *channel)
{
    if (channel->remote) {
        channel->remote->nudge(channel);
        return;
    }
    pthread_mutex_lock(&channel->mutex);
    links_clean(&channel->putters);
    links_clean(&channel->takers);
    links_fire(&channel->takers, channel->count);
    links_fire(&channel->putters, channel->capacity - channel->count);
    pthread_mutex_unlock(&channel->mutex);
}

void mill_channel_close(struct mill_channel *channel)
{
    if (channel->remote) {
        channel->remote->close(channel);
        return;
    }
    pthread_mutex_lock(&channel->mutex);
    channel->closed = true;
    links_fire(&channel->takers, UINT32_MAX);
    links_fire(&channel->putters, UINT32_MAX);
    pthread_mutex_unlock(&channel->mutex);
}

uint32_t mill_channel_size(struct mill_channel *channel, bool *closed)
{
    if (channel->remote) return channel->remote->size(channel, closed);
    pthread_mutex_lock(&channel->mutex);
    uint32_t count = channel->count;
    *closed = channel->closed;
    pthread_mutex_unlock(&channel->mutex);
    return count;
}
