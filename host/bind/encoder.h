/* encoder: the walk by which bind/encode.c packs a value: what it has met, where it is, what it
 * refuses.  The encode_*.c each pack a kind of value.  Private to them.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_ENCODER_H
#define MILL_ENCODER_H

#include <lua.h>

#include "base/status.h"
#include "data/packed.h"

/* Pointers to small numbers: objects, cells, environments met so far. */
struct mill_numbers {
    struct mill_number {
        const void *pointer;
        uint32_t number;
    } * slots; /* pointer NULL: empty */
    uint32_t count, room;
};

struct mill_encoder_step { /* of the path, for messages */
    int type;              /* LUA_TSTRING: text; LUA_TNUMBER: number; 0: `text` is a phrase */
    const char *text;
    double number;
};

struct mill_encoder {
    lua_State *L; /* slot 1 is a table of what must stay alive while we walk */
    struct mill_packer out;
    struct mill_numbers objects, cells, environments;
    struct mill_encoder_global { /* names that an environment has got already */
        uint32_t environment;
        const char *name; /* a Lua string that the environment keeps alive */
    } * globals;
    uint32_t global_count;
    size_t global_room;
    struct mill_encoder_step path[MILL_PACKED_DEPTH + 2];
    int depth;
    bool nodes, refreshed;
    bool leaves;   /* for the program around the engine */
    bool kept;     /* for the cache, which has no code and nothing that crosses by reference */
    int witness;   /* stack index of what to take down in; 0: nobody asks */
    bool unsteady; /* met something that may change without the witness noticing */
    bool loops;    /* met a function that has some */
    const char *where;
    struct mill_error *error;
    tidemill_status status;
};

/* ---- what it has met ---------------------------------------------------------------------- */

/* The number of `pointer`; *fresh when it was met for the first time. */
uint32_t mill_encoder_number(struct mill_encoder *encoder, struct mill_numbers *numbers,
                             const void *pointer, bool *fresh);

/* ---- where it is ---------------------------------------------------------------------------- */

/* Steps into a part of the value, named by its type; false: too deep, which is said. */
bool mill_encoder_enter(struct mill_encoder *encoder, int type, const char *text,
                        double number);
void mill_encoder_leave(struct mill_encoder *encoder);

/* "argument 2, field .log.handle" */
void mill_encoder_path(const struct mill_encoder *encoder, char *out, size_t room);

/* Says that what it stands at does not cross; `advice` may be NULL.  Always false. */
bool mill_encoder_refuse(struct mill_encoder *encoder, const char *what, const char *advice);

/* ---- objects known by name ---------------------------------------------------------------- */

/* Pushes registry[key][value at index]; nil when it has none. */
void mill_encoder_push_known(lua_State *L, const char *key, int index);
bool mill_encoder_is_in(lua_State *L, const char *key, int index);

/* Brings builtins and modules up to date, once a walk. */
void mill_encoder_refresh(struct mill_encoder *encoder);

/* A builtin or part of a loaded module: written by name.  False: it is neither. */
bool mill_encoder_known(struct mill_encoder *encoder, int index);

/* ---- packing: false when it is refused, or memory is short ---------------------------------- */

bool mill_encoder_value(struct mill_encoder *encoder, int index); /* of any type */
bool mill_encoder_table(struct mill_encoder *encoder, int index);

/* Whether a table or userdata stands for a node, as futures and lazy arrays do: then it is encoded
 * as that, *fine. */
bool mill_encoder_converted(struct mill_encoder *encoder, int index, bool *fine);
bool mill_encoder_function(struct mill_encoder *encoder, int index);
bool mill_encoder_cdata(struct mill_encoder *encoder, int index);
void mill_encoder_string(struct mill_encoder *encoder, enum mill_mark mark, int index);

#endif
