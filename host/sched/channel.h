/* channel: a bounded queue of values between tasks, and between tasks and the script.  Any thread
 * puts and takes; who finds it full, or empty, attaches a link and is told when to look again.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CHANNEL_H
#define MILL_CHANNEL_H

#include <pthread.h>

#include "data/value.h"
#include "sched/wait.h"

enum mill_channel_state {
    MILL_CHANNEL_DONE,
    MILL_CHANNEL_WAIT,
    MILL_CHANNEL_CLOSED,
    MILL_CHANNEL_REFUSED, /* of one in another process: the value cannot go there */
};

struct mill_channel;

/* How a channel is reached that is in another process. A WAIT promises one mill_channel_wake. */
struct mill_channel_remote {
    enum mill_channel_state (*put)(struct mill_channel *channel, struct mill_value value);
    enum mill_channel_state (*take)(struct mill_channel *channel, struct mill_value *value);
    void (*nudge)(struct mill_channel *channel);
    void (*close)(struct mill_channel *channel);
    uint32_t (*size)(struct mill_channel *channel, bool *closed);
    void (*drop)(struct mill_channel *channel); /* it is freed */
};

struct mill_links { /* the oldest first */
    struct mill_link *first, *last;
};

struct mill_channel {
    struct mill_shared shared; /* first */
    uint32_t capacity;
    const struct mill_channel_remote *remote; /* NULL: it is here */
    void *context;                            /* remote's */
    uint64_t id;                              /* the same */
    bool promised[2];                         /* a wake, to who takes and who puts; the same */
    struct mill_channel *next;                /* the same */
    pthread_mutex_t mutex;                    /* guards all below */
    bool closed;
    uint32_t first, count;             /* of the values in the ring */
    struct mill_links putters, takers; /* who waits for room, for values */
    struct mill_value ring[];
};

extern const struct mill_shared_kind mill_channel_kind;

struct mill_channel *mill_channel_new(uint32_t capacity); /* NULL: no memory */

/* One that stands for a channel in another process. */
struct mill_channel *mill_channel_new_remote(uint32_t capacity,
                                             const struct mill_channel_remote *remote,
                                             void *context, uint64_t id);

/* Of such a one: who waits looks again.  False: nobody does. */
bool mill_channel_wake(struct mill_channel *channel, bool putting);

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
