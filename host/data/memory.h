/* memory: the account of bytes held in buffers, the limit of the process's memory, and how near it is.
 *
 * What counts against the limit is what the process has resident that belongs to no file (RssAnon and
 * RssShmem): measured now and then, and between two measurements followed by the account.
 * Any thread; limits are set before other threads use the account.  SPDX-License-Identifier: MIT */
#ifndef MILL_MEMORY_H
#define MILL_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "data/reserve.h"

struct mill_spill;

/* How near the limit is; each asks for more than the one before. */
enum mill_pressure {
    MILL_PRESSURE_NONE,
    MILL_PRESSURE_TARGET,    /* prefer what frees results */
    MILL_PRESSURE_SPILL,     /* put the coldest results on disk */
    MILL_PRESSURE_PAUSE,     /* begin nothing new */
    MILL_PRESSURE_TERMINATE, /* a process worker is replaced */
    MILL_PRESSURES,
};

/* What a Lua state holds in buffers, of which its collector sees nothing; the state's own, read by
 * LuaJIT's FFI, too (lua/tidemill/holdings.lua). */
struct mill_holdings {
    double held; /* bytes that its handles hold */
    double
        debt; /* of those, and of dead ones, the bytes that came since it has last collected */
    double room; /* a debt of so much is worth a collection, however little is held */
    double due;  /* not 0: the worker is idle, and the state is to collect */
    double heap; /* bytes of Lua's own that the last collection has left */
};

/* One that is all zeros is an account without limits. */
struct mill_memory {
    _Atomic int64_t bytes; /* now held in memory; relaxed, as all of these */
    _Atomic int64_t peak;
    _Atomic int64_t spilled;  /* held in files instead */
    struct mill_spill *spill; /* of what may go to a file; NULL: nothing does.  Set before the
                                 first buffer is made, and there as long as the last one */
    struct mill_reserve reserve;   /* freed pages, of runs, too; they count as used */
    int64_t limit;                 /* bytes; 0: none */
    int64_t marks[MILL_PRESSURES]; /* where each pressure begins; fixed like the limit */
    _Atomic int pressure;          /* enum mill_pressure */
    _Atomic int64_t other;    /* at the last measurement: more than `bytes` and the reserve */
    _Atomic int64_t measured; /* when that was, nanoseconds */
    _Atomic int64_t pauses;   /* times that MILL_PRESSURE_PAUSE was reached */
    /* Told of each change, by whoever found it; any thread, and soon.  NULL: nobody is. */
    void (*changed)(void *context, enum mill_pressure before, enum mill_pressure after);
    void *context;
    _Atomic int64_t holders; /* buffers that refer to it; -1: nobody does any more */
    void (*gone)(struct mill_memory *memory); /* set before its owner leaves */
};

void mill_memory_add(struct mill_memory *memory, int64_t bytes); /* NULL is fine */

/* A buffer refers to the account, or does no more, which is its last word.  The owner leaves, too, where
 * buffers may outlive it: the last one calls `gone`.  NULL is fine. */
void mill_memory_hold(struct mill_memory *memory);
void mill_memory_leave(struct mill_memory *memory);

/* Pages for `length` bytes, a multiple of a page: some that are kept, at most a quarter more and with
 * anything in them, or new ones; data is NULL when there is no memory.  Not counted as held. */
struct mill_pages mill_memory_take(struct mill_memory *memory, size_t length);

/* They are kept for the next one, or unmapped.  For both, memory NULL is fine: nothing is kept. */
void mill_memory_give(struct mill_memory *memory, struct mill_pages pages);

/* Bytes of freed pages that may be kept: less under a limit, none while memory is short. */
int64_t mill_memory_reserve(const struct mill_memory *memory);

/* Keeps no freed pages from now on: before the account goes, and the last buffers perhaps after it. */
void mill_memory_close(struct mill_memory *memory);

/* Sets the limit (0: none) and the shares of it at which pressures begin, from MILL_PRESSURE_TARGET
 * on, each at least as large as the one before and at most 1. */
void mill_memory_set_limit(struct mill_memory *memory, int64_t limit,
                           const double shares[MILL_PRESSURES]);

/* What is thought to count now. */
int64_t mill_memory_used(const struct mill_memory *memory);

/* Measures again, unless somebody has within MILL_MEMORY_INTERVAL before `now`, and sets the
 * pressure.  Some 15 us when it measures. */
enum { MILL_MEMORY_INTERVAL = 20 * 1000 * 1000 };
void mill_memory_look(struct mill_memory *memory, int64_t now);

/* Sets the pressure by what is known: after the account has changed by much. */
void mill_memory_update(struct mill_memory *memory);

static inline enum mill_pressure mill_memory_pressure(const struct mill_memory *memory)
{
    return (enum mill_pressure)atomic_load_explicit(&memory->pressure, memory_order_relaxed);
}

#endif
