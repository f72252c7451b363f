/* channel: a bounded queue of values between tasks, and between tasks and the script.  Any thread
 * puts and takes; who finds it full, or empty, attaches a link and is told when to look again.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CHANNEL_H
#define MILL_CHANNEL_H

#include <pthread.h>

#include "data/value.h"
#include "sched/wait.h"

enum mill_channel_state { MILL_CHANNEL_DONE, MILL_CHANNEL_WAIT, MILL_CHANNEL_CLOSED };

struct mill_links { /* the oldest first */
    struct mill_link *first, *last;
};

struct mill_channel {
    struct mill_shared shared; /* first */
    uint32_t capacity;
    pthread_mutex_t mutex; /* guards all below */
    bool closed;
    uint32_t first, count;             /* of the values in the ring */
    struct mill_links putters, takers; /* who waits for room, for values */
    struct mill_value ring[];
};

extern const struct mill_shared_kind mill_channel_kind;

struct mill_channel *mill_channel_new(uint32_t capacity); /* NULL: no memory */

/* DONE: the reference in `value` has passed to the channel. */
enum mill_channel_state mill_channel_put(struct mill_channel *channel, struct mill_value value);

/* DONE: *value has a reference. CLOSED: closed and empty. */
enum mill_channel_state mill_channel_take(struct mill_channel *channel,
                                          struct mill_value *value);

/* The link fires once there may be room (putting) or a value; false: it would not wait. */
bool mill_channel_attach(struct mill_channel *channel, struct mill_link *link, bool putting);

/* Somebody has given up waiting: a turn that was given to him goes to another. */
void mill_channel_nudge(struct mill_channel *channel);

/* No more values: waiting putters are told, takers get what is left. */
void mill_channel_close(struct mill_channel *channel);

uint32_t mill_channel_size(struct mill_channel *channel, bool *closed);

#endif
