/* fuse_bodies: the parts of a program, and a leaf while it is read block by block.  Private to
 * kernels/.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FUSE_BODIES_H
#define MILL_FUSE_BODIES_H

#include "kernels/bodies.h"
#include "kernels/fuse.h"
#include "kernels/random_bodies.h"

enum {
    MILL_FUSE_BLOCK = MILL_SUM_BLOCK,     /* elements */
    MILL_FUSE_ROOM = 8 * MILL_FUSE_BLOCK, /* bytes of a block of any type */
    MILL_FUSE_PANEL = 16,                 /* rows that are transposed at once */
};

/* What a step reads: `step` 1 for an element each, 0 for one that all share. */
struct mill_operand {
    const void *data;
    int64_t step;
};

/* A leaf whose neighbouring axes are merged where its strides allow. */
struct mill_leaf {
    const struct tidemill_fuse_leaf *leaf;
    const char *memory; /* MEMORY: the first corner */
    int64_t size;       /* of an element, in bytes */
    int32_t axes;       /* at least 1 */
    int64_t shape[TIDEMILL_FUSE_AXES];
    int64_t stride[TIDEMILL_FUSE_AXES];
    char *block; /* room for MILL_FUSE_ROOM bytes */
    char *panel; /* transposed rows [panel_from, panel_end) of the box, in places; or NULL */
    int64_t panel_from, panel_end;
    mill_random_body *random;
    const char *ahead; /* the memory of the next block, when it follows this one */
    int64_t ahead_bytes;
};

/* Bytes of an element; 0 for a type that kernels do not know. */
static inline int64_t mill_element_size(int32_t type)
{
    switch (type) {
    case TIDEMILL_BOOL:
    case TIDEMILL_UINT8:
        return 1;
    case TIDEMILL_INT32:
    case TIDEMILL_FLOAT32:
    case TIDEMILL_DATE:
        return 4;
    case TIDEMILL_INT64:
    case TIDEMILL_FLOAT64:
    case TIDEMILL_TIMESTAMP:
        return 8;
    default:
        return 0;
    }
}

/* ---- the parts of a program ---------------------------------------------------------------- */

static inline const struct tidemill_fuse_leaf *
mill_fuse_leaves(const struct tidemill_fuse_program *program)
{
    return (const struct tidemill_fuse_leaf *)(program + 1);
}

static inline const struct tidemill_fuse_step *
mill_fuse_steps(const struct tidemill_fuse_program *program)
{
    return (const struct tidemill_fuse_step *)(mill_fuse_leaves(program) + program->leaves);
}

static inline const struct tidemill_fuse_reduction *
mill_fuse_reductions(const struct tidemill_fuse_program *program)
{
    return (const struct tidemill_fuse_reduction *)(mill_fuse_steps(program) + program->steps);
}

static inline int64_t mill_fuse_places(const struct tidemill_fuse_program *program)
{
    int64_t places = 1;
    for (int axis = 0; axis < program->dimensions; axis++) places *= program->shape[axis];
    return places;
}

static inline int32_t mill_fuse_slots(const struct tidemill_fuse_program *program)
{
    return program->leaves + program->registers + program->outputs;
}

/* ---- leaves ------------------------------------------------------------------------------ */

/* Bytes of the panel that a leaf needs, 0 for none. */
int64_t mill_leaf_panel(const struct tidemill_fuse_program *program,
                        const struct tidemill_fuse_leaf *leaf);

/* block and panel: memory that lives as long; panel only where mill_leaf_panel asks for it. */
void mill_leaf_open(struct mill_leaf *state, const struct tidemill_fuse_program *program,
                    const struct tidemill_fuse_leaf *leaf, const void *const *inputs,
                    char *block, char *panel);

/* Elements [start, start + count) of the box in row-major order, count <= MILL_FUSE_BLOCK.  The
 * operand holds until the next call. */
struct mill_operand mill_leaf_read(struct mill_leaf *state, int64_t start, int64_t count);

/* Asks for a part of the block after the one just read, while that is worked on: the machine's own
 * prefetching sees a stream only while a step reads it, and asked for a whole block at once it
 * stalls. */
void mill_leaf_fetch(const struct mill_leaf *state, int64_t part, int64_t parts);

/* ---- sums -------------------------------------------------------------------------------- */

/* Runs a program whose steps are one chain that a sum or a mean of long rows takes, in one pass:
 * 1, or 0 for another program, of which nothing was done.  `follows` as mill_chain_mark left it;
 * block: room for MILL_FUSE_ROOM bytes. */
int mill_fuse_sum(const struct tidemill_fuse_program *program, const struct mill_leaf *leaf,
                  const uint8_t *follows, void **reducers, void *block);

#endif
