/* Vectors of f32 in clang's vector types, for loops that are written once for all ISAs. A vector is
 * a register of CK_LANES lanes: 4 of NEON, 8 of AVX2, 16 of AVX-512. Variants define CK_LANES as
 * the first thing inside their target region and include this after it: outside of one, the same
 * code would compile for the baseline without a word, many times slower and with other
 * roundings. */
#ifndef CK_MATH_VECTOR_H
#define CK_MATH_VECTOR_H

#ifndef CK_LANES
#error "math/vector.h belongs inside a variant's target region, which defines CK_LANES"
#endif

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef float vec_t __attribute__((vector_size(4 * CK_LANES)));
typedef int32_t ivec_t __attribute__((vector_size(4 * CK_LANES)));
typedef int16_t half_ivec_t __attribute__((vector_size(2 * CK_LANES)));
typedef float quad_vec_t __attribute__((vector_size(16)));

#define CK_INLINE static inline __attribute__((always_inline))

CK_INLINE vec_t vec_of(float x) { return x - (vec_t){0}; } /* x - 0 is x, signs of zero included */

CK_INLINE vec_t vec_load(const float* p) {
    vec_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

CK_INLINE void vec_store(float* p, vec_t v) { memcpy(p, &v, sizeof v); }

/* The first `count` (< CK_LANES, or all) numbers; `rest` in the other lanes. */
CK_INLINE vec_t vec_load_part(const float* p, int64_t count, float rest) {
    if (count >= CK_LANES) return vec_load(p);
    vec_t v = vec_of(rest);
    for (int i = 0; i < count; i++) v[i] = p[i];
    return v;
}

CK_INLINE void vec_store_part(float* p, int64_t count, vec_t v) {
    if (count >= CK_LANES) {
        vec_store(p, v);
        return;
    }
    for (int i = 0; i < count; i++) p[i] = v[i];
}

/* To the nearest integer, ties to even; |v| <= 2^22. Adding 1.5 * 2^23 rounds, and leaves it in the
 * low bits. */
CK_INLINE ivec_t vec_rounded(vec_t v) { return (ivec_t)(v + vec_of(12582912)) - 0x4b400000; }

CK_INLINE vec_t vec_from(ivec_t v) { return __builtin_convertvector(v, vec_t); }

/* a * b + c, rounded once. */
CK_INLINE vec_t vec_fma(vec_t a, vec_t b, vec_t c) { return __builtin_elementwise_fma(a, b, c); }

/* Lanes of `a` where the mask is set (-1, the result of a comparison), of `b` elsewhere. */
CK_INLINE vec_t vec_select(ivec_t mask, vec_t a, vec_t b) {
    return (vec_t)((mask & (ivec_t)a) | (~mask & (ivec_t)b));
}

/* The larger of each pair; b where either is NaN. */
CK_INLINE vec_t vec_max(vec_t a, vec_t b) { return vec_select(a > b, a, b); }

/* 0, 1, 2, … */
CK_INLINE ivec_t vec_lanes(void) {
    ivec_t lanes;
    for (int i = 0; i < CK_LANES; i++) lanes[i] = i;
    return lanes;
}

/* Sums of quarters or halves, so that four lanes are left. */
CK_INLINE quad_vec_t vec_fold(vec_t v) {
    quad_vec_t parts[CK_LANES / 4];
    memcpy(parts, &v, sizeof v);
    for (int n = CK_LANES / 8; n > 0; n /= 2) {
        for (int i = 0; i < n; i++) parts[i] += parts[i + n];
    }
    return parts[0];
}

CK_INLINE float vec_sum(vec_t v) {
    quad_vec_t q = vec_fold(v);
    q += __builtin_shufflevector(q, q, 2, 3, 0, 1);
    return q[0] + q[1];
}

/* Of each quad (four lanes) of two vectors: lanes 0 and 1, or 2 and 3, of both, taken in turn; and
 * the same with each half kept together. */
#if CK_LANES == 16
#define CK_ZIP_LOW 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define CK_ZIP_HIGH 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
#define CK_JOIN_LOW 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define CK_JOIN_HIGH 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#elif CK_LANES == 8
#define CK_ZIP_LOW 0, 8, 1, 9, 4, 12, 5, 13
#define CK_ZIP_HIGH 2, 10, 3, 11, 6, 14, 7, 15
#define CK_JOIN_LOW 0, 1, 8, 9, 4, 5, 12, 13
#define CK_JOIN_HIGH 2, 3, 10, 11, 6, 7, 14, 15
#else
#define CK_ZIP_LOW 0, 4, 1, 5
#define CK_ZIP_HIGH 2, 6, 3, 7
#define CK_JOIN_LOW 0, 1, 4, 5
#define CK_JOIN_HIGH 2, 3, 6, 7
#endif

/* Lane i is the sum of v[i]'s lanes. Added at full width first, so that the folding is done
 * once. */
CK_INLINE quad_vec_t vec_sums4(const vec_t v[4]) {
    const vec_t ab = __builtin_shufflevector(v[0], v[1], CK_ZIP_LOW) +
                     __builtin_shufflevector(v[0], v[1], CK_ZIP_HIGH);
    const vec_t cd = __builtin_shufflevector(v[2], v[3], CK_ZIP_LOW) +
                     __builtin_shufflevector(v[2], v[3], CK_ZIP_HIGH);
    return vec_fold(__builtin_shufflevector(ab, cd, CK_JOIN_LOW) +
                    __builtin_shufflevector(ab, cd, CK_JOIN_HIGH));
}

CK_INLINE float vec_highest(vec_t v) {
    float high = v[0];
    for (int i = 1; i < CK_LANES; i++) high = v[i] > high ? v[i] : high;
    return high;
}

/* e^x for x <= 88, relative error below 2e-7; 0 below -87, where normal numbers end; NaN stays NaN.
 * x = n ln 2 + r, |r| <= ln 2 / 2, a polynomial of degree 6 for e^r (Cephes' coefficients). Adding
 * 1.5 * 2^23 rounds to an integer, which then stands in the low bits: shifted, it is 2^n's
 * exponent. */
CK_INLINE vec_t vec_exp(vec_t x) {
    const vec_t shifted = vec_fma(x, vec_of(1.44269504f), vec_of(12582912));
    const vec_t n = shifted - vec_of(12582912);
    vec_t r = vec_fma(n, vec_of(-0.693359375f), x);
    r = vec_fma(n, vec_of(2.12194440e-4f), r);
    vec_t p = vec_of(1.9875691500e-4f);
    p = vec_fma(p, r, vec_of(1.3981999507e-3f));
    p = vec_fma(p, r, vec_of(8.3334519073e-3f));
    p = vec_fma(p, r, vec_of(4.1665795894e-2f));
    p = vec_fma(p, r, vec_of(1.6666665459e-1f));
    p = vec_fma(p, r, vec_of(5.0000001201e-1f));
    p = vec_fma(p, r * r, r + vec_of(1));
    const vec_t e = p * (vec_t)(((ivec_t)shifted << 23) + (127 << 23));
    return (vec_t)(~(x < vec_of(-87)) & (ivec_t)e);
}

/* Transposes a 4 × 4 square in place. */
CK_INLINE void quad_transpose(quad_vec_t q[4]) {
    const quad_vec_t a = __builtin_shufflevector(q[0], q[1], 0, 4, 1, 5);
    const quad_vec_t b = __builtin_shufflevector(q[2], q[3], 0, 4, 1, 5);
    const quad_vec_t c = __builtin_shufflevector(q[0], q[1], 2, 6, 3, 7);
    const quad_vec_t d = __builtin_shufflevector(q[2], q[3], 2, 6, 3, 7);
    q[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    q[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    q[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    q[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

#endif
