/* float: uniform and normal floats from the words of a stream, as normal_wide.h does it for doubles.
 * A 64-bit number is seen as its two words in memory: low half first.
 * SPDX-License-Identifier: MIT */
#ifndef MILL_FLOAT_WIDE
#define MILL_FLOAT_WIDE
#define wide_float         MILL_WIDE(mill_float_vector)
#define wide_naturals      MILL_WIDE(mill_uint32_t_vector)
#define wide_float_all     MILL_WIDE(wide_float_all)
#define wide_float_pick    MILL_WIDE(wide_float_pick)
#define wide_float_negate  MILL_WIDE(wide_float_negate)
#define wide_float_of      MILL_WIDE(wide_float_of)
#define wide_float_sqrt    MILL_WIDE(wide_float_sqrt)
#define wide_float_log     MILL_WIDE(wide_float_log)
#define wide_float_lengths MILL_WIDE(wide_float_lengths)
#define wide_float_circle  MILL_WIDE(wide_float_circle)
#define WIDE_FLOATS        (2 * WIDE_LANES)
#endif

/* In each 16 bytes: the even (odd) lanes of a, then those of b; and back. */
#undef WIDE_PART
#undef WIDE_JOIN
#if MILL_WIDE_BYTES == 16
#define WIDE_PART(a, b, o) WIDE_SHUFFLE4(a, b, 0 + o, 2 + o, 4 + o, 6 + o)
#define WIDE_JOIN(a, b, o) WIDE_SHUFFLE4(a, b, 0 + o, 4 + o, 1 + o, 5 + o)
#elif MILL_WIDE_BYTES == 32
#define WIDE_PART(a, b, o)                                                                     \
    WIDE_SHUFFLE4(a, b, 0 + o, 2 + o, 8 + o, 10 + o, 4 + o, 6 + o, 12 + o, 14 + o)
#define WIDE_JOIN(a, b, o)                                                                     \
    WIDE_SHUFFLE4(a, b, 0 + o, 8 + o, 1 + o, 9 + o, 4 + o, 12 + o, 5 + o, 13 + o)
#else
#define WIDE_PART(a, b, o)                                                                     \
    WIDE_SHUFFLE4(a, b, 0 + o, 2 + o, 16 + o, 18 + o, 4 + o, 6 + o, 20 + o, 22 + o, 8 + o,     \
                  10 + o, 24 + o, 26 + o, 12 + o, 14 + o, 28 + o, 30 + o)
#define WIDE_JOIN(a, b, o)                                                                     \
    WIDE_SHUFFLE4(a, b, 0 + o, 16 + o, 1 + o, 17 + o, 4 + o, 20 + o, 5 + o, 21 + o, 8 + o,     \
                  24 + o, 9 + o, 25 + o, 12 + o, 28 + o, 13 + o, 29 + o)
#endif

WIDE_INLINE wide_float wide_float_all(float value)
{
    return value - (wide_float){0}; /* keeps -0 as it is */
}

WIDE_INLINE wide_float wide_float_pick(wide_ints mask, wide_float a, wide_float b)
{
    return (wide_float)((mask & (wide_ints)a) | (~mask & (wide_ints)b));
}

WIDE_INLINE wide_float wide_float_negate(wide_naturals sign, wide_float x)
{
    return (wide_float)((wide_naturals)x ^ (sign & 0x80000000u));
}

WIDE_INLINE wide_float wide_float_of(wide_ints x)
{
    return __builtin_convertvector(x, wide_float);
}

WIDE_INLINE wide_float wide_float_sqrt(wide_float x)
{
#if defined(__x86_64__) && MILL_WIDE_BYTES == 16
    return (wide_float)_mm_sqrt_ps((__m128)x);
#elif defined(__x86_64__) && MILL_WIDE_BYTES == 32
    return (wide_float)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__) && MILL_WIDE_BYTES == 64
    return (wide_float)_mm512_sqrt_ps((__m512)x);
#elif defined(__aarch64__) && MILL_WIDE_BYTES == 16
    return (wide_float)vsqrtq_f32((float32x4_t)x);
#else
    for (int lane = 0; lane < WIDE_FLOATS; lane++) x[lane] = __builtin_sqrtf(x[lane]);
    return x;
#endif
}

/* Of a normal positive x: the way of logarithm_wide.h. */
WIDE_INLINE wide_float wide_float_log(wide_float x)
{
    wide_naturals bits = (wide_naturals)x;
    wide_naturals exponent = (bits + (0x3f800000u - 0x3f3504f3u)) >> 23;
    wide_float f = (wide_float)(bits - (exponent << 23) + 0x3f800000u) - 1.0f;
    wide_float k = wide_float_of((wide_ints)(exponent - 127u));
    wide_float s = f / (2.0f + f), z = s * s, half = 0.5f * f * f;
    wide_float p = z * 0x1.31e4e0p-2f + 0x1.995ea8p-2f;
    p = p * z + 0x1.55557ap-1f;
    return k * 0x1.62e430p-1f + (f - (half - s * (half + z * p)));
}

/* sqrt(-2 log((word + 1) 2^-32)); the sum is rounded to a float once. */
WIDE_INLINE wide_float wide_float_lengths(wide_naturals word)
{
    wide_float high = wide_float_of((wide_ints)(word >> 16));
    wide_float low = wide_float_of((wide_ints)((word & 0xffffu) + 1u));
    return wide_float_sqrt(0.0f - 2.0f * wide_float_log((high * 0x1p16f + low) * 0x1p-32f));
}

/* Cosine and sine of word 2^-32 turns. */
WIDE_INLINE void wide_float_circle(wide_naturals word, wide_float *cosine, wide_float *sine)
{
    wide_naturals quadrant = (word + 0x20000000u) >> 30;
    wide_float angle = wide_float_of((wide_ints)(word - (quadrant << 30))) * 0x1.921fb6p-30f;
    wide_float z = angle * angle;
    wide_float p = z * -0x1.994dc2p-13f + 0x1.11075ep-7f;
    wide_float s = angle + angle * z * (p * z + -0x1.555546p-3f);
    p = z * 0x1.9a01d4p-16f + -0x1.6c0c8ap-10f;
    wide_float c = (1.0f - 0.5f * z) + z * z * (p * z + 0x1.55554ap-5f);
    wide_ints odd = -(wide_ints)(quadrant & 1u);
    *cosine = wide_float_negate((quadrant + 1u) << 30, wide_float_pick(odd, s, c));
    *sine = wide_float_negate(quadrant << 30, wide_float_pick(odd, c, s));
}

MILL_TARGET static void MILL_WIDE(normal_floats)(const uint64_t *numbers, int64_t count,
                                                 float mean, float sd, float *out)
{
    uint64_t words[WIDE_FLOATS] = {0};
    float rest[2 * WIDE_FLOATS];
    for (int64_t i = 0; i < count; i += WIDE_FLOATS) {
        int64_t left = mill_least(count - i, WIDE_FLOATS);
        const uint64_t *from = numbers + i;
        float *to = left < WIDE_FLOATS ? rest : out + 2 * i;
        if (to == rest) from = __builtin_memcpy(words, from, (size_t)left * sizeof *from);
        wide_naturals a = *(const wide_naturals *)from;
        wide_naturals b = *((const wide_naturals *)from + 1);
        wide_float cosine, sine, length = wide_float_lengths(WIDE_PART(a, b, 0));
        wide_float_circle(WIDE_PART(a, b, 1), &cosine, &sine);
        cosine = mean + sd * (length * cosine);
        sine = mean + sd * (length * sine);
        *(wide_float *)to = WIDE_JOIN(cosine, sine, 0);
        *((wide_float *)to + 1) = WIDE_JOIN(cosine, sine, 2);
        if (to == rest) __builtin_memcpy(out + 2 * i, rest, (size_t)left * 2 * sizeof *rest);
    }
}

MILL_TARGET static void MILL_WIDE(uniform_floats)(const uint64_t *numbers, int64_t count,
                                                  float low, float high, float *out)
{
    uint64_t words[WIDE_LANES] = {0};
    float rest[WIDE_FLOATS];
    for (int64_t i = 0; i < count; i += WIDE_LANES) {
        int64_t left = mill_least(count - i, WIDE_LANES);
        const uint64_t *from = numbers + i;
        float *to = left < WIDE_LANES ? rest : out + 2 * i;
        if (to == rest) from = __builtin_memcpy(words, from, (size_t)left * sizeof *from);
        wide_naturals word = *(const wide_naturals *)from;
        wide_float unit = wide_float_of((wide_ints)(word >> 8)) * 0x1p-24f;
        *(wide_float *)to = low + (high - low) * unit;
        if (to == rest) __builtin_memcpy(out + 2 * i, rest, (size_t)left * 2 * sizeof *rest);
    }
}
