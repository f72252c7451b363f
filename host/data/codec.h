/* codec: a value as one block of bytes, arrays included: the form in which results are kept.
 * The block is versioned and self-contained; loading is safe on any bytes.
 *
 *     "TMV1", reserved u32; cell tag u8 and the cell's own bytes; then for packed values their
 *     bytes; then the arrays, each with its buffers aligned to 64 bytes from the block's start.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_CODEC_H
#define MILL_CODEC_H

#include "base/status.h"
#include "data/value.h"

/* NULL when memory is short.  The value mentions no nodes, no functions and no shared objects.  Of a
 * tuple there is no more than that it was one: it does not load. */
struct mill_buffer *mill_codec_save(const struct mill_value *value, struct mill_memory *memory);

/* Arrays become slices of `block` (no copy; each gains a reference).  TIDEMILL_DATA for bytes
 * that mill_codec_save does not write, TIDEMILL_MEMORY when memory is short. */
tidemill_status mill_codec_load(struct mill_buffer *block, struct mill_value *value);

/* The same of bytes that may go away afterwards, for a value without arrays: TIDEMILL_UNSUPPORTED for one
 * that has some. */
tidemill_status mill_codec_load_copy(const void *bytes, size_t size, struct mill_memory *memory,
                                     struct mill_value *value);

#endif
