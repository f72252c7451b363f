/* wait: somebody waits for the end of runs, for room in a channel, for a time.
 * SPDX-License-Identifier: MIT */
#include "sched/wait.h"

#include <stdlib.h>

static void wait_timer_fires(struct mill_timer *timer)
{
    struct mill_wait *wait =
        (struct mill_wait *)((char *)timer - offsetof(struct mill_wait, timer));
    mill_wait_kick(wait, MILL_REASON_TIME);
}

struct mill_wait *mill_wait_new(void (*deliver)(struct mill_wait *wait), void *owner)
{
    struct mill_wait *wait = calloc(1, sizeof *wait);
    if (wait == NULL) return NULL;
    atomic_init(&wait->refs, 1);
    wait->deliver = deliver;
    wait->owner = owner;
    wait->timer.fire = wait_timer_fires;
    return wait;
}

void mill_wait_unref(struct mill_wait *wait)
{
    /* acq_rel pairs with itself: the last one sees every use before it. */
    if (wait == NULL || atomic_fetch_sub_explicit(&wait->refs, 1, memory_order_acq_rel) > 1) {
        return;
    }
    struct mill_link *link;
    while ((link = mill_wait_take(wait)) != NULL) free(link);
    free(wait);
}

bool mill_wait_park(struct mill_wait *wait)
{
    atomic_store(&wait->parked, 1);
    if (atomic_load(&wait->fired) == NULL && atomic_load(&wait->reasons) == 0) return true;
    /* 0: somebody is about to deliver it, which must be waited for. */
    return atomic_exchange(&wait->parked, 0) == 0;
}

static void deliver_if_parked(struct mill_wait *wait)
{
    if (atomic_exchange(&wait->parked, 0) == 1) wait->deliver(wait);
}

void mill_wait_kick(struct mill_wait *wait, enum mill_reason reason)
{
    atomic_fetch_or(&wait->reasons, (uint32_t)reason);
    deliver_if_parked(wait);
}

struct mill_link *mill_wait_take(struct mill_wait *wait)
{
    /* Only the waiter takes, so that a link seen on top stays there until it is taken.  Acquire:
     * pairs with the exchange in mill_link_fire. */
    struct mill_link *link = atomic_load_explicit(&wait->fired, memory_order_acquire);
    while (link && !atomic_compare_exchange_weak_explicit(&wait->fired, &link, link->next,
                                                          memory_order_acquire,
                                                          memory_order_acquire)) {}
    return link;
}

struct mill_link *mill_link_new(struct mill_wait *wait, uint32_t tag)
{
    struct mill_link *link = malloc(sizeof *link);
    if (link == NULL) return NULL;
    *link = (struct mill_link){.wait = wait, .tag = tag};
    atomic_fetch_add_explicit(&wait->refs, 1, memory_order_relaxed);
    return link;
}

void mill_link_fire(struct mill_link *link)
{
    struct mill_wait *wait = link->wait; /* once on the list the link is the waiter's */
    link->next = atomic_load_explicit(&wait->fired, memory_order_relaxed);
    /* The default order, see wait.h. */
    while (!atomic_compare_exchange_weak(&wait->fired, &link->next, link)) {}
    deliver_if_parked(wait);
    mill_wait_unref(wait);
}

void mill_link_drop(struct mill_link *link)
{
    struct mill_wait *wait = link->wait;
    free(link);
    mill_wait_unref(wait);
}

/* ---- sources -------------------------------------------------------------------------------- */

struct mill_link mill_source_mark;

bool mill_source_attach(struct mill_source *source, struct mill_link *link)
{
    struct mill_link *first = atomic_load_explicit(&source->links, memory_order_acquire);
    do {
        if (first == &mill_source_mark) return false;
        link->next = first;
        /* Release: pairs with the exchange that closes. */
    } while (!atomic_compare_exchange_weak_explicit(
        &source->links, &first, link, memory_order_release, memory_order_acquire));
    return true;
}

static struct mill_link *in_order(struct mill_link *last)
{
    struct mill_link *first = NULL;
    while (last) {
        struct mill_link *next = last->next;
        last->next = first;
        first = last;
        last = next;
    }
    return first;
}

void mill_source_close(struct mill_source *source)
{
    /* Release: pairs with mill_source_closed. Acquire: with the links' attachment. */
    struct mill_link *link = in_order(
        atomic_exchange_explicit(&source->links, &mill_source_mark, memory_order_acq_rel));
    while (link) {
        struct mill_link *next = link->next;
        mill_link_fire(link);
        link = next;
    }
}

void mill_source_fini(struct mill_source *source)
{
    struct mill_link *link = atomic_load_explicit(&source->links, memory_order_acquire);
    if (link == &mill_source_mark) return;
    while (link) {
        struct mill_link *next = link->next;
        mill_link_drop(link);
        link = next;
    }
}
