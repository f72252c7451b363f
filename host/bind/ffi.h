/* ffi: functions that Lua calls through LuaJIT's FFI, because there it counts.
 * Declared again in lua/tidemill/clib.lua; none of them may call back into Lua.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FFI_H
#define MILL_FFI_H

#include "bind/engine.h"

/* ---- a worker's loop ------------------------------------------------------------------- */

/* Of enum mill_next. */
TIDEMILL_API int tidemill__next(struct mill_worker *worker);
TIDEMILL_API void tidemill__nest(struct mill_worker *worker, int change); /* worker->nested */

/* What runs from here on draws its random numbers from another stream. */
TIDEMILL_API void tidemill__stream(struct mill_worker *worker, double base, double place);
TIDEMILL_API void tidemill__finish_number(struct mill_worker *worker, double number);

/* ---- building nodes; handles as in sched/graph.h ---------------------------------------- */

/* 0: no memory, or too many arguments. */
TIDEMILL_API uint64_t tidemill__node_new(struct mill_scope *scope, uint32_t function,
                                         uint32_t count);

/* The two most frequent calls at once: of one number, of two nodes.  0 as above; 1, which is no
 * handle: an input does not name a node. */
TIDEMILL_API uint64_t tidemill__node_of_number(struct mill_scope *scope, uint32_t function,
                                               double number);
TIDEMILL_API uint64_t tidemill__node_of_nodes(struct mill_scope *scope, uint32_t function,
                                              uint64_t first, uint64_t second);
TIDEMILL_API void tidemill__node_number(struct mill_scope *scope, uint64_t node, uint32_t i,
                                        double number);

/* False when `input` does not name a node. */
TIDEMILL_API bool tidemill__node_node(struct mill_scope *scope, uint64_t node, uint32_t i,
                                      uint64_t input);
TIDEMILL_API int64_t tidemill__node_live(struct mill_scope *scope);

/* The script's handle of the node at `index` has been collected. */
TIDEMILL_API void tidemill__node_drop(struct mill_scope *scope, uint32_t index);

/* The same for those of a slab's nodes, of which live[k] is 0; false: there is no such slab. */
TIDEMILL_API bool tidemill__node_sweep(struct mill_scope *scope, uint32_t slab,
                                       const uint8_t live[MILL_SLAB_NODES]);

/* By which its random stream is told from others of its run. */
TIDEMILL_API void tidemill__node_place(struct mill_scope *scope, uint64_t node, uint32_t place);

/* Number of the function of a node; UINT32_MAX for a stale handle. */
TIDEMILL_API uint32_t tidemill__node_function(struct mill_scope *scope, uint64_t node);

/* Seconds of core.clock. */
TIDEMILL_API double tidemill__clock(void);

/* ---- arrays ---------------------------------------------------------------------------- */

TIDEMILL_API struct mill_array *tidemill__array_new(struct tidemill *engine, int type,
                                                    int64_t length);
/* Tasks are about to write parts of the array; or all have. */
TIDEMILL_API void tidemill__array_filling(struct mill_array *array, int filling);
TIDEMILL_API struct mill_array *tidemill__array_slice(struct mill_array *array, int64_t first,
                                                      int64_t length);
TIDEMILL_API struct mill_array *tidemill__array_view(struct mill_array *array, int64_t first,
                                                     int dimensions, const int64_t *shape);
TIDEMILL_API struct mill_array *tidemill__array_text(struct tidemill *engine, int64_t length,
                                                     int64_t bytes);
TIDEMILL_API struct mill_array *tidemill__array_codes(struct mill_array *array);
TIDEMILL_API void tidemill__array_ref(struct mill_array *array);
TIDEMILL_API void tidemill__array_unref(struct mill_array *array);
TIDEMILL_API int64_t tidemill__array_bytes(const struct mill_array *array);

#endif
