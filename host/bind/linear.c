/* linear: BLAS and LAPACK for Lua's FFI.  SPDX-License-Identifier: MIT */
#include "bind/linear.h"

#include <string.h>

#include "kernels/matrix.h"

int tidemill__blas_state(struct tidemill *engine)
{
    return (int)mill_blas_open(&engine->blas);
}

bool tidemill__blas_alone(struct tidemill *engine)
{
    return mill_blas_open(&engine->blas) == MILL_BLAS_THERE && engine->blas.alone;
}

const char *tidemill__blas_text(struct tidemill *engine)
{
    mill_blas_open(&engine->blas);
    return engine->blas.text;
}

/* The library refuses a distance of 0, which empty matrices have. */
static int distance_of(int64_t stride)
{
    return stride > 1 ? (int)stride : 1;
}

/* Whether all are sizes that an int holds. */
static bool fits_int(int64_t a, int64_t b, int64_t c, int64_t d)
{
    return a <= INT32_MAX && b <= INT32_MAX && c <= INT32_MAX && d <= INT32_MAX;
}

/* Accounted work space in parts, each aligned. */
struct linear_room {
    struct mill_buffer *buffer;
    char *next;
};

static bool take_room(struct tidemill *engine, struct linear_room *room, size_t bytes)
{
    enum { SCRATCH_PARTS = 4, SCRATCH_ALIGNMENT = 64 };
    room->buffer = mill_buffer_new(&engine->memory, bytes + SCRATCH_PARTS * SCRATCH_ALIGNMENT);
    room->next = room->buffer ? (char *)room->buffer->data : NULL;
    return room->buffer != NULL;
}

static void *part_of_room(struct linear_room *room, size_t bytes)
{
    void *part = room->next;
    room->next += (bytes + 63) / 64 * 64;
    return part;
}

/* Elements of work space that LAPACK has asked for; float loses digits of large numbers.  Below 0:
 * an int does not count them. */
static int asked_room(double answer)
{
    double room = answer * (1 + 1e-6) + 1;
    return room < INT32_MAX ? (int)room : -1;
}

/* At the end of a scope in which the library was entered. */
static void leave_library(const void *routines)
{
    const void *held;
    memcpy(&held, routines, sizeof held);
    if (held) mill_blas_leave();
}

#define HELD __attribute__((cleanup(leave_library)))

static const int linear_one = 1, linear_ask = -1;

#define REAL         double
#define LINEAR(name) name##_f64
#define LIBRARY      struct mill_blas_f64
#define ROUTINES     f64
#define TURN         tidemill_kernel_transpose_8
#include "bind/linear_bodies.h"
#undef REAL
#undef LINEAR
#undef LIBRARY
#undef ROUTINES
#undef TURN

#define REAL         float
#define LINEAR(name) name##_f32
#define LIBRARY      struct mill_blas_f32
#define ROUTINES     f32
#define TURN         tidemill_kernel_transpose_4
#include "bind/linear_bodies.h"
#undef REAL
#undef LINEAR
#undef LIBRARY
#undef ROUTINES
#undef TURN
