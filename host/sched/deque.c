/* deque: a work-stealing deque.  Every access to a shared field names what it pairs with.
 *
 * DESIGN.  Indexes are signed, 64 bits wide and never wrap: item i lives in slot i modulo the
 * capacity.  An item is taken by whoever moves an index past it: a thief by compare-and-swap of
 * top; the owner by lowering bottom, and, for the last item only, by the same compare-and-swap.
 *
 * Why the owner needs no compare-and-swap while more than one item is left: pop stores bottom,
 * then loads top; steal loads top, then loads bottom; all four are sequentially consistent.
 * Say pop lowered bottom to b and then saw top < b.  A thief of item b must have seen top == b,
 * so its load of top comes after the swap that made it b, which comes after pop's load of top,
 * which comes after pop's store of bottom.  So the thief's load of bottom gives b (empty) or
 * what the owner stored later (then slot b holds a newer item, which the thief may have).
 *
 * Slots are atomic because a slow thief may read one that the owner is filling again for a
 * later index.  What it read is thrown away: its compare-and-swap of top fails.
 * SPDX-License-Identifier: MIT */
#include "sched/deque.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct mill_deque_array {
    struct mill_deque_array *older; /* the array that this one replaced; owner only */
    int64_t capacity;               /* constant */
    void *_Atomic slots[];
};

static struct mill_deque_array *deque_array_new(int64_t capacity,
                                                struct mill_deque_array *older)
{
    size_t room = (SIZE_MAX / 2 - sizeof(struct mill_deque_array)) / sizeof(void *);
    if (capacity <= 0 || (uint64_t)capacity > room) return NULL;
    struct mill_deque_array *array = malloc(sizeof *array + (size_t)capacity * sizeof(void *));
    if (array == NULL) return NULL;
    array->older = older;
    array->capacity = capacity;
    return array;
}

static void *_Atomic *deque_slot(struct mill_deque_array *array, int64_t index)
{
    return &array->slots[index & (array->capacity - 1)];
}

bool mill_deque_init(struct mill_deque *deque, int64_t capacity)
{
    assert(capacity > 0 && (capacity & (capacity - 1)) == 0 && "capacity is a power of two");
    struct mill_deque_array *array = deque_array_new(capacity, NULL);
    if (array == NULL) return false;
    atomic_init(&deque->top, 0);
    atomic_init(&deque->bottom, 0);
    atomic_init(&deque->array, array);
    deque->cached_top = 0;
    return true;
}

void mill_deque_fini(struct mill_deque *deque)
{
    struct mill_deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    while (array != NULL) {
        struct mill_deque_array *older = array->older;
        free(array);
        array = older;
    }
}

/* Copies [top, bottom) into an array of twice the size.  The old one stays: a thief may have
 * loaded its address, and finds there what was in it before the growth. */
static struct mill_deque_array *
deque_grow(struct mill_deque *deque, struct mill_deque_array *old, int64_t top, int64_t bottom)
{
    if (old->capacity > INT64_MAX / 2) return NULL;
    struct mill_deque_array *array = deque_array_new(old->capacity * 2, old);
    if (array == NULL) return NULL;
    for (int64_t i = top; i < bottom; i++) {
        /* Relaxed: the owner wrote the old slots; the new ones are published below. */
        void *item = atomic_load_explicit(deque_slot(old, i), memory_order_relaxed);
        atomic_init(deque_slot(array, i), item);
    }
    /* Release: pairs with the acquire of array in steal, which then sees capacity and slots. */
    atomic_store_explicit(&deque->array, array, memory_order_release);
    return array;
}

/* True when no slot is free, by a top that is read only when the cached one says so. */
static bool deque_full(struct mill_deque *deque, int64_t bottom, int64_t capacity)
{
    if (bottom - deque->cached_top < capacity) return false;
    /* Acquire: pairs with the swap of top in steal.  The thief's read of a slot comes before
     * the owner fills that slot again. */
    deque->cached_top = atomic_load_explicit(&deque->top, memory_order_acquire);
    return bottom - deque->cached_top >= capacity;
}

bool mill_deque_push(struct mill_deque *deque, void *item)
{
    assert(item != NULL && "NULL means an empty deque");
    /* Relaxed: only the owner writes bottom and array. */
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    struct mill_deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    if (deque_full(deque, bottom, array->capacity)) {
        array = deque_grow(deque, array, deque->cached_top, bottom);
        if (array == NULL) return false;
    }
    /* Relaxed: published by the store of bottom. */
    atomic_store_explicit(deque_slot(array, bottom), item, memory_order_relaxed);
    /* Release: pairs with the load of bottom in steal.  A thief that sees the new bottom sees
     * the slot, the array, and what the pusher wrote before. */
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return true;
}

/* The last item: the owner races the thieves for it like one of them. */
static void *deque_take_last(struct mill_deque *deque, int64_t top, void *item)
{
    /* Sequentially consistent: pairs with the swap in steal; one of the two succeeds. */
    bool won = atomic_compare_exchange_strong_explicit(
        &deque->top, &top, top + 1, memory_order_seq_cst, memory_order_relaxed);
    return won ? item : NULL;
}

void *mill_deque_pop(struct mill_deque *deque)
{
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed) - 1;
    struct mill_deque_array *array = atomic_load_explicit(&deque->array, memory_order_relaxed);
    /* Sequentially consistent, both: this store before this load pairs with the load of top
     * before the load of bottom in steal (see DESIGN). */
    atomic_store_explicit(&deque->bottom, bottom, memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    void *item = NULL;
    if (top <= bottom) {
        /* Relaxed: the owner wrote the slot. */
        item = atomic_load_explicit(deque_slot(array, bottom), memory_order_relaxed);
        if (top < bottom) return item;
        item = deque_take_last(deque, top, item);
    }
    /* Empty now: bottom goes back to where top is.  Release, so that every value of bottom
     * that a thief can read carries what the owner wrote before. */
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return item;
}

void *mill_deque_steal(struct mill_deque *deque, bool *lost)
{
    if (lost != NULL) *lost = false;
    /* Sequentially consistent, both, in this order: pairs with pop (see DESIGN).  The load of
     * bottom also acquires what push released. */
    int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    if (top >= bottom) return NULL;
    /* Acquire: pairs with the store of array in deque_grow.  Loaded after bottom, so it is no
     * older than the array into which item `top` was pushed. */
    struct mill_deque_array *array = atomic_load_explicit(&deque->array, memory_order_acquire);
    /* Before the swap: after it the owner may fill the slot again. */
    void *item = atomic_load_explicit(deque_slot(array, top), memory_order_relaxed);
    /* Sequentially consistent: takes part in the order of DESIGN, pairs with the swap of other
     * thieves and of pop, and as a release with the acquire in deque_full. */
    if (atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1,
                                                memory_order_seq_cst, memory_order_relaxed)) {
        return item;
    }
    if (lost != NULL) *lost = true;
    return NULL;
}

int64_t mill_deque_size(struct mill_deque *deque)
{
    /* Top first and acquire, so that for the owner the result is never too small by a stale
     * bottom.  Others may see the two at different times; they only want a hint. */
    int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    int64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_acquire);
    return bottom > top ? bottom - top : 0;
}
