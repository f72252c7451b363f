/* elementwise_oracle: what each op gives, written as kernels/elementwise.h says it, in numbers that
 * hold any element exactly.
 * SPDX-License-Identifier: MIT */
#ifndef ELEMENTWISE_ORACLE_H
#define ELEMENTWISE_ORACLE_H

#include "elementwise_check.h"

static inline exact exact_floor(exact p)
{
    if (!(p > -0x1p62 && p < 0x1p62)) return p;
    exact whole = (int64_t)p;
    return whole > p ? whole - 1 : whole;
}

/* p less whole times q, with the sign of q; rounded where p is far smaller than q. */
static inline exact exact_mod(exact p, exact q)
{
    if (p != p || q != q || q == 0 || p - p != 0) return NAN;
    if (q - q != 0) return p == 0 || (p < 0) == (q < 0) ? p : q;
    exact ratio = p / q;
    if (!(ratio > -0x1p50 && ratio < 0x1p50)) { /* fmod is exact */
        exact rest = fmod((double)p, (double)q);
        return rest == 0 || (rest < 0) == (q < 0) ? rest : rest + q;
    }
    exact rest = p - exact_floor(ratio) * q;
    if (rest != 0 && (rest < 0) != (q < 0)) rest += q;
    return rest;
}

static inline exact with_sign_of(exact magnitude, exact sign)
{
    return magnitude == 0 ? (exact)copysign(0, (double)sign) : magnitude;
}

static inline exact exact_round(exact p)
{
    exact low = exact_floor(p), over = p - low;
    int odd = low - 2 * exact_floor(low / 2) != 0;
    return over > 0.5 || (over == 0.5 && odd) ? low + 1 : low;
}

/* The double whose neighbours' midpoints enclose the root. */
static inline exact exact_sqrt(int32_t type, exact p)
{
    if (!(p > 0) || p - p != 0) return p >= 0 ? p : (exact)NAN;
    double root = sqrt((double)p);
    if (type == TIDEMILL_FLOAT32) return (float)root;
    exact low = ((exact)nextafter(root, 0) + root) / 2,
          high = ((exact)nextafter(root, INFINITY) + root) / 2;
    CHECK_SAYING(low * low <= p && p <= high * high, "sqrt(%.17g)", (double)p);
    return root;
}

static inline exact oracle_float(int32_t op, int32_t type, exact p, exact q, exact r)
{
    int nan = p != p || q != q;
    switch (op) {
    case TIDEMILL_OP_ADD:
        return p + q;
    case TIDEMILL_OP_SUB:
        return p - q;
    case TIDEMILL_OP_MUL:
        return p * q;
    case TIDEMILL_OP_DIV:
        return p / q;
    case TIDEMILL_OP_MOD:
        return with_sign_of(exact_mod(p, q), q);
    case TIDEMILL_OP_MIN:
        return nan ? (exact)NAN : p < q ? p : q;
    case TIDEMILL_OP_MAX:
        return nan ? (exact)NAN : p > q ? p : q;
    case TIDEMILL_OP_CLIP:
        q = oracle_float(TIDEMILL_OP_MAX, type, p, q, 0);
        return oracle_float(TIDEMILL_OP_MIN, type, q, r, 0);
    case TIDEMILL_OP_NEG:
        return -p;
    case TIDEMILL_OP_ABS:
        return p < 0 ? -p : p == 0 ? 0 : p;
    case TIDEMILL_OP_SIGN:
        return p > 0 ? 1 : p < 0 ? -1 : p == 0 ? 0 : p;
    case TIDEMILL_OP_SQRT:
        return exact_sqrt(type, p);
    case TIDEMILL_OP_SQUARE:
        return p * p;
    case TIDEMILL_OP_RECIPROCAL:
        return 1 / p;
    case TIDEMILL_OP_FLOOR:
        return with_sign_of(exact_floor(p), p);
    case TIDEMILL_OP_CEIL:
        return with_sign_of(-exact_floor(-p), p);
    case TIDEMILL_OP_ROUND:
        return with_sign_of(exact_round(p), p);
    case TIDEMILL_OP_TRUNC:
        return with_sign_of(p < 0 ? -exact_floor(-p) : exact_floor(p), p);
    }
    return p; /* COPY */
}

/* The value before it wraps around. */
static inline __int128 oracle_int(int32_t op, __int128 p, __int128 q, __int128 r)
{
    switch (op) {
    case TIDEMILL_OP_ADD:
        return p + q;
    case TIDEMILL_OP_SUB:
        return p - q;
    case TIDEMILL_OP_MUL:
        return p * q;
    case TIDEMILL_OP_MOD:
        return q == 0 ? 0 : (p % q + q) % q;
    case TIDEMILL_OP_MIN:
        return p < q ? p : q;
    case TIDEMILL_OP_MAX:
        return p > q ? p : q;
    case TIDEMILL_OP_CLIP:
        return p > q ? p < r ? p : r : q < r ? q : r;
    case TIDEMILL_OP_AND:
        return p & q;
    case TIDEMILL_OP_OR:
        return p | q;
    case TIDEMILL_OP_XOR:
        return p ^ q;
    case TIDEMILL_OP_NOT:
        return -p - 1;
    case TIDEMILL_OP_NEG:
        return -p;
    case TIDEMILL_OP_ABS:
        return p < 0 ? -p : p;
    case TIDEMILL_OP_SIGN:
        return p > 0 ? 1 : p < 0 ? -1 : 0;
    case TIDEMILL_OP_SQUARE:
        return p * p;
    }
    return p; /* COPY, and what makes whole */
}

static inline int oracle_bool(int32_t op, int p, int q, int r)
{
    switch (op) {
    case TIDEMILL_OP_ADD:
        return p || q;
    case TIDEMILL_OP_MUL:
        return p && q;
    case TIDEMILL_OP_NOT:
        return !p;
    }
    return (int)oracle_int(op, p, q, r);
}

static inline int oracle_test(int32_t op, exact p, exact q)
{
    switch (op) {
    case TIDEMILL_OP_EQ:
        return p == q;
    case TIDEMILL_OP_NE:
        return !(p == q);
    case TIDEMILL_OP_LT:
        return p < q;
    case TIDEMILL_OP_LE:
        return p < q || p == q;
    case TIDEMILL_OP_GT:
        return q < p;
    case TIDEMILL_OP_GE:
        return q < p || p == q;
    case TIDEMILL_OP_ISNAN:
        return !(p == p);
    case TIDEMILL_OP_ISINF:
        return p == INFINITY || p == -INFINITY;
    }
    return p == p && p != INFINITY && p != -INFINITY; /* ISFINITE */
}

static inline exact wrapped(int32_t type, __int128 value)
{
    if (size_of(type) == 4) return (int32_t)(uint32_t)value;
    return (int64_t)(uint64_t)value;
}

static inline int is_transcendental(int32_t op)
{
    return (op >= TIDEMILL_OP_EXP && op <= TIDEMILL_OP_TANH) || op == TIDEMILL_OP_POW ||
           op == TIDEMILL_OP_ATAN2;
}

/* Puts the result of one element into out[i]; a is bool in WHERE. */
static inline void oracle(int32_t op, int32_t type, const void *a, const void *b, const void *c,
                          void *out, int64_t i)
{
    int32_t result = tidemill_kernel_result_type(op, type);
    exact q = get(type, b, i), r = get(type, c, i);
    exact p = op == TIDEMILL_OP_WHERE ? get(TIDEMILL_BOOL, a, i) : get(type, a, i);
    if (op == TIDEMILL_OP_WHERE)
        put(type, out, i, p != 0 ? q : r);
    else if (result == TIDEMILL_BOOL && op != TIDEMILL_OP_COPY &&
             (type != TIDEMILL_BOOL || op >= TIDEMILL_OP_ISNAN ||
              (op >= TIDEMILL_OP_EQ && op <= TIDEMILL_OP_GE)) &&
             op != TIDEMILL_OP_CLIP)
        put(result, out, i, oracle_test(op, p, q));
    else if (type == TIDEMILL_BOOL)
        put(result, out, i, oracle_bool(op, (int)p, (int)q, (int)r));
    else if (is_float(type))
        put(result, out, i, oracle_float(op, type, p, q, r));
    else if (type == TIDEMILL_UINT8)
        put(result, out, i, (exact)oracle_int(op, (__int128)p, (__int128)q, (__int128)r));
    else
        put(result, out, i,
            wrapped(type, oracle_int(op, (__int128)p, (__int128)q, (__int128)r)));
}

#endif
