/* elementwise: which op does what to which type, and its body for the instruction set in use.
 * The plain bodies stand in arithmetic.c, compare.c and transcendental.c, the wider ones in
 * elementwise_wide.h.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "kernels/elementwise_bodies.h"

/* ---- What can be done ------------------------------------------------------------------- */

enum {
    ON_FLOAT = 1,
    ON_INT = 2,
    ON_BOOL = 4,
    ON_TIME = 8,
    ON_BYTE = 16,
    ON_NUMBER = ON_FLOAT | ON_INT,
    ON_TRUTH = ON_NUMBER | ON_BOOL,
    ON_ALL = ON_TRUTH | ON_TIME | ON_BYTE,
};

struct elementwise_op {
    uint8_t operands; /* 0: there is no such op */
    uint8_t on;       /* kinds of type */
    uint8_t is_test;  /* the result is bool */
};

static const struct elementwise_op elementwise_ops[MILL_OPS] = {
    [TIDEMILL_OP_ADD] = {2, ON_TRUTH | ON_TIME},
    [TIDEMILL_OP_SUB] = {2, ON_NUMBER | ON_TIME},
    [TIDEMILL_OP_MUL] = {2, ON_TRUTH},
    [TIDEMILL_OP_DIV] = {2, ON_FLOAT},
    [TIDEMILL_OP_MOD] = {2, ON_NUMBER},
    [TIDEMILL_OP_POW] = {2, ON_FLOAT},
    [TIDEMILL_OP_MIN] = {2, ON_ALL},
    [TIDEMILL_OP_MAX] = {2, ON_ALL},
    [TIDEMILL_OP_ATAN2] = {2, ON_FLOAT},
    [TIDEMILL_OP_EQ] = {2, ON_ALL, 1},
    [TIDEMILL_OP_NE] = {2, ON_ALL, 1},
    [TIDEMILL_OP_LT] = {2, ON_ALL, 1},
    [TIDEMILL_OP_LE] = {2, ON_ALL, 1},
    [TIDEMILL_OP_GT] = {2, ON_ALL, 1},
    [TIDEMILL_OP_GE] = {2, ON_ALL, 1},
    [TIDEMILL_OP_AND] = {2, ON_INT | ON_BOOL},
    [TIDEMILL_OP_OR] = {2, ON_INT | ON_BOOL},
    [TIDEMILL_OP_XOR] = {2, ON_INT | ON_BOOL},
    [TIDEMILL_OP_NEG] = {1, ON_NUMBER},
    [TIDEMILL_OP_ABS] = {1, ON_NUMBER},
    [TIDEMILL_OP_SIGN] = {1, ON_NUMBER},
    [TIDEMILL_OP_SQRT] = {1, ON_FLOAT},
    [TIDEMILL_OP_SQUARE] = {1, ON_NUMBER},
    [TIDEMILL_OP_RECIPROCAL] = {1, ON_FLOAT},
    [TIDEMILL_OP_FLOOR] = {1, ON_NUMBER},
    [TIDEMILL_OP_CEIL] = {1, ON_NUMBER},
    [TIDEMILL_OP_ROUND] = {1, ON_NUMBER},
    [TIDEMILL_OP_TRUNC] = {1, ON_NUMBER},
    [TIDEMILL_OP_NOT] = {1, ON_INT | ON_BOOL},
    [TIDEMILL_OP_COPY] = {1, ON_ALL},
    [TIDEMILL_OP_ISNAN] = {1, ON_TRUTH, 1},
    [TIDEMILL_OP_ISFINITE] = {1, ON_TRUTH, 1},
    [TIDEMILL_OP_ISINF] = {1, ON_TRUTH, 1},
    [TIDEMILL_OP_EXP] = {1, ON_FLOAT},
    [TIDEMILL_OP_EXP2] = {1, ON_FLOAT},
    [TIDEMILL_OP_EXPM1] = {1, ON_FLOAT},
    [TIDEMILL_OP_LOG] = {1, ON_FLOAT},
    [TIDEMILL_OP_LOG1P] = {1, ON_FLOAT},
    [TIDEMILL_OP_LOG2] = {1, ON_FLOAT},
    [TIDEMILL_OP_LOG10] = {1, ON_FLOAT},
    [TIDEMILL_OP_SIN] = {1, ON_FLOAT},
    [TIDEMILL_OP_COS] = {1, ON_FLOAT},
    [TIDEMILL_OP_TAN] = {1, ON_FLOAT},
    [TIDEMILL_OP_ASIN] = {1, ON_FLOAT},
    [TIDEMILL_OP_ACOS] = {1, ON_FLOAT},
    [TIDEMILL_OP_ATAN] = {1, ON_FLOAT},
    [TIDEMILL_OP_SINH] = {1, ON_FLOAT},
    [TIDEMILL_OP_COSH] = {1, ON_FLOAT},
    [TIDEMILL_OP_TANH] = {1, ON_FLOAT},
    [TIDEMILL_OP_WHERE] = {3, ON_ALL},
    [TIDEMILL_OP_CLIP] = {3, ON_ALL},
};

static const struct {
    int8_t class;
    uint8_t kind;
} elementwise_types[] = {
    [TIDEMILL_BOOL] = {MILL_CLASS_U8, ON_BOOL},
    [TIDEMILL_INT32] = {MILL_CLASS_I32, ON_INT},
    [TIDEMILL_INT64] = {MILL_CLASS_I64, ON_INT},
    [TIDEMILL_UINT8] = {MILL_CLASS_U8, ON_BYTE},
    [TIDEMILL_FLOAT32] = {MILL_CLASS_F32, ON_FLOAT},
    [TIDEMILL_FLOAT64] = {MILL_CLASS_F64, ON_FLOAT},
    [TIDEMILL_DATE] = {MILL_CLASS_I32, ON_TIME},
    [TIDEMILL_TIMESTAMP] = {MILL_CLASS_I64, ON_TIME},
};

static int elementwise_kind(int32_t type)
{
    enum { TYPES = sizeof elementwise_types / sizeof *elementwise_types };
    return type < 0 || type >= TYPES ? 0 : elementwise_types[type].kind;
}

int mill_class_of(int32_t type)
{
    return elementwise_kind(type) ? elementwise_types[type].class : -1;
}

int64_t mill_class_size(int class)
{
    static const uint8_t sizes[MILL_CLASSES] = {8, 4, 8, 4, 1};
    return sizes[class];
}

int32_t tidemill_kernel_operands(int32_t op)
{
    return op < 0 || op >= MILL_OPS ? 0 : elementwise_ops[op].operands;
}

int32_t tidemill_kernel_result_type(int32_t op, int32_t type)
{
    if (!tidemill_kernel_operands(op) || !(elementwise_ops[op].on & elementwise_kind(type)))
        return 0;
    return elementwise_ops[op].is_test ? TIDEMILL_BOOL : type;
}

/* ---- Bodies ------------------------------------------------------------------------------- */

static const mill_apply_table *const elementwise_wide[MILL_ISAS] = {
    [MILL_ISA_PLAIN] = NULL,
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = &mill_elementwise_avx2,
    [MILL_ISA_AVX512] = &mill_elementwise_avx512,
#endif
#ifdef MILL_KERNEL_NEON
    [MILL_ISA_NEON] = &mill_elementwise_neon,
#endif
};

mill_apply_body *mill_apply_find(int32_t op, int32_t type)
{
    if (!tidemill_kernel_result_type(op, type)) return NULL;
    const mill_apply_table *tables[] = {elementwise_wide[mill_kernel_isa_number()],
                                        &mill_arithmetic_plain, &mill_compare_plain,
                                        &mill_transcendental};
    int class = mill_class_of(type);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (tables[i] && (*tables[i])[op][class]) return (*tables[i])[op][class];
    return NULL;
}

typedef uint32_t __attribute__((may_alias)) any_u32;
typedef uint64_t __attribute__((may_alias)) any_u64;

void mill_apply_spread(void *room, const void *x, int64_t size, int64_t count)
{
    if (size == 1) {
        memset(room, *(const uint8_t *)x, (size_t)count);
    } else if (size == 4) {
        any_u32 *all = room, one = *(const any_u32 *)x;
        for (int64_t i = 0; i < count; i++) all[i] = one;
    } else if (size == 8) {
        any_u64 *all = room, one = *(const any_u64 *)x;
        for (int64_t i = 0; i < count; i++) all[i] = one;
    }
}

/* n elements at the start of a room; the others are 0. */
static void elementwise_fill_room(char *room, const void *x, int64_t step, size_t size,
                                  int64_t n)
{
    size_t used = size * (size_t)(step ? n : size != 0);
    memset(room, 0, MILL_APPLY_ROOM);
    if (used) memcpy(room, x, used);
}

void mill_apply_rest(mill_apply_body *body, const struct mill_apply_shape *shape, const void *a,
                     int64_t a_step, const void *b, int64_t b_step, const void *c,
                     int64_t c_step, void *out, int64_t n)
{
    _Alignas(64) char room[4][MILL_APPLY_ROOM];
    elementwise_fill_room(room[0], a, a_step, shape->a, n);
    elementwise_fill_room(room[1], b, b_step, shape->b, n);
    elementwise_fill_room(room[2], c, c_step, shape->c, n);
    body(room[0], a_step, room[1], b_step, room[2], c_step, room[3], shape->count);
    memcpy(out, room[3], shape->out * (size_t)n);
}

/* ---- The one NaN -------------------------------------------------------------------------- */

/* Finding none is the common case, and what vectors are good at.  NULL: look at each. */
static const struct {
    mill_nan_test *has_nan;
    mill_nan_test_float *has_nan_float;
} nan_tests[MILL_ISAS] = {
    [MILL_ISA_PLAIN] = {NULL, NULL},
#ifdef MILL_KERNEL_X86
    [MILL_ISA_AVX2] = {mill_has_nan_avx2, mill_has_nan_float_avx2},
    [MILL_ISA_AVX512] = {mill_has_nan_avx512, mill_has_nan_float_avx512},
#endif
#ifdef MILL_KERNEL_NEON
    [MILL_ISA_NEON] = {mill_has_nan_neon, mill_has_nan_float_neon},
#endif
};

static void one_nans_double(double *x, int64_t n)
{
    mill_nan_test *has_nan = nan_tests[mill_kernel_isa_number()].has_nan;
    if (has_nan && !has_nan(x, n)) return;
    for (int64_t i = 0; i < n; i++) x[i] = mill_one_nan(x[i]);
}

static void one_nans_float(float *x, int64_t n)
{
    mill_nan_test_float *has_nan = nan_tests[mill_kernel_isa_number()].has_nan_float;
    if (has_nan && !has_nan(x, n)) return;
    for (int64_t i = 0; i < n; i++)
        if (x[i] != x[i]) x[i] = __builtin_nanf("");
}

void mill_one_nans(int32_t type, void *x, int64_t n)
{
    if (type == TIDEMILL_FLOAT64)
        one_nans_double(x, n);
    else if (type == TIDEMILL_FLOAT32)
        one_nans_float(x, n);
}

/* ---- One op over whole arrays ------------------------------------------------------------ */

enum { ELEMENTWISE_BLOCK = 1024 }; /* elements whose operands and result stay in 32 KiB */

static int elementwise_steps_are_fine(int64_t a_step, int64_t b_step, int64_t c_step,
                                      int32_t operands)
{
    return (a_step == 0 || a_step == 1) && (operands < 2 || b_step == 0 || b_step == 1) &&
           (operands < 3 || c_step == 0 || c_step == 1);
}

int64_t tidemill_kernel_apply(int32_t op, int32_t type, const void *a, int64_t a_step,
                              const void *b, int64_t b_step, const void *c, int64_t c_step,
                              void *out, int64_t n)
{
    mill_apply_body *body = mill_apply_find(op, type);
    if (!body || n < 0) return -1;
    int32_t operands = tidemill_kernel_operands(op);
    if (!elementwise_steps_are_fine(a_step, b_step, c_step, operands)) return -1;
    int32_t result = tidemill_kernel_result_type(op, type);
    int64_t size = mill_class_size(mill_class_of(type));
    int64_t a_size = (op == TIDEMILL_OP_WHERE ? 1 : size) * a_step;
    int64_t b_size = operands < 2 ? 0 : size * b_step;
    int64_t c_size = operands < 3 ? 0 : size * c_step;
    int64_t out_size = mill_class_size(mill_class_of(result));
    const char *pa = a, *pb = b, *pc = c;
    char *po = out;
    for (int64_t i = 0; i < n; i += ELEMENTWISE_BLOCK) {
        int64_t count = mill_least(ELEMENTWISE_BLOCK, n - i);
        char *here = po + i * out_size;
        body(pa + i * a_size, a_step, b_size ? pb + i * b_size : pb, b_step,
             c_size ? pc + i * c_size : pc, c_step, here, count);
        mill_one_nans(result, here, count);
    }
    return 0;
}
