/* Vectors of pairs of 16-bit integers, one pair to a lane of 32 bits, for loops that are written
 * once for all ISAs: one instruction of VNNI, two of AVX2 and AVX-512, two of NEON multiply two
 * numbers a lane. Variants include <immintrin.h> before their target region, and define
 * CK_PAIRS_VNNI where the region has it. */
#ifndef CK_MATH_PAIRS_H
#define CK_MATH_PAIRS_H

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

#include "math/vector.h"

typedef int8_t bytes_vec_t __attribute__((vector_size(2 * CK_LANES)));
typedef int16_t shorts_vec_t __attribute__((vector_size(4 * CK_LANES)));

/* CK_LANES pairs from memory, of int16 or widened from int8: the first of a pair in the lower half
 * of its lane. */
CK_INLINE ivec_t pairs_load16(const int16_t* p) {
    ivec_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
CK_INLINE ivec_t pairs_load8(const int8_t* p) {
    bytes_vec_t v;
    memcpy(&v, p, sizeof v);
    return (ivec_t) __builtin_convertvector(v, shorts_vec_t);
}

/* The first and the second number of each lane. */
CK_INLINE ivec_t pairs_first(ivec_t v) { return (v << 16) >> 16; }
CK_INLINE ivec_t pairs_second(ivec_t v) { return v >> 16; }

/* Pairs as the multiplication wants them, from a vector or from one pair for all lanes. */
#if defined(__aarch64__)
typedef struct {
    int16x4_t first, second;
} pairs_t;

CK_INLINE pairs_t pairs_of(ivec_t v) {
    return (pairs_t){vmovn_s32((int32x4_t)v), vshrn_n_s32((int32x4_t)v, 16)};
}
CK_INLINE pairs_t pairs_all(const int16_t* p) {
    return (pairs_t){vdup_n_s16(p[0]), vdup_n_s16(p[1])};
}
/* sum + a.first * b.first + a.second * b.second. */
CK_INLINE ivec_t pairs_dot(ivec_t sum, pairs_t a, pairs_t b) {
    return (ivec_t)vmlal_s16(vmlal_s16((int32x4_t)sum, a.first, b.first), a.second, b.second);
}
#else
typedef ivec_t pairs_t;

CK_INLINE pairs_t pairs_of(ivec_t v) { return v; }
CK_INLINE pairs_t pairs_all(const int16_t* p) {
    int32_t word;
    memcpy(&word, p, sizeof word);
    return word - (ivec_t){0};
}
CK_INLINE ivec_t pairs_dot(ivec_t sum, pairs_t a, pairs_t b) {
#if CK_LANES == 8
    return sum + (ivec_t)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(CK_PAIRS_VNNI)
    return (ivec_t)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#else
    return sum + (ivec_t)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#endif
}
#endif

#endif
