/* Included by AVX-512 variants inside their target region: sines and cosines. */
#ifndef CK_MATH_SINCOS_AVX512_H
#define CK_MATH_SINCOS_AVX512_H

#include <immintrin.h>

/* Eight angles: the quarter turn nearest to each, and what remains, |remainder| <= π/4. In double,
 * because an angle may be many turns: π/2 in two parts leaves 2^-50 of a turn after 2^31
 * radians. */
static inline __m256 quarter_turns8(__m256 angle, __m256i* quarters) {
    const __m512d a = _mm512_cvtps_pd(angle);
    const __m512d n =
        _mm512_roundscale_pd(_mm512_mul_pd(a, _mm512_set1_pd(0.63661977236758134308)), 0);
    __m512d r = _mm512_fnmadd_pd(n, _mm512_set1_pd(1.57079632679489655800), a);
    r = _mm512_fnmadd_pd(n, _mm512_set1_pd(6.12323399573676603587e-17), r);
    *quarters = _mm512_cvtpd_epi32(n);
    return _mm512_cvtpd_ps(r);
}

/* sin and cos of sixteen angles, absolute error below 1.2e-7: Cephes' polynomials on the remainder,
 * exchanged and negated by the quarter. */
static inline void sincos16(__m512 angle, __m512* sine, __m512* cosine) {
    __m256i low, high;
    const __m256 r0 = quarter_turns8(_mm512_castps512_ps256(angle), &low);
    const __m256 r1 = quarter_turns8(_mm512_extractf32x8_ps(angle, 1), &high);
    const __m512 r = _mm512_insertf32x8(_mm512_castps256_ps512(r0), r1, 1);
    const __m512i n = _mm512_inserti32x8(_mm512_castsi256_si512(low), high, 1);
    const __m512 z = _mm512_mul_ps(r, r);
    __m512 s = _mm512_set1_ps(-1.9515295891e-4f);
    s = _mm512_fmadd_ps(s, z, _mm512_set1_ps(8.3321608736e-3f));
    s = _mm512_fmadd_ps(s, z, _mm512_set1_ps(-1.6666654611e-1f));
    s = _mm512_fmadd_ps(_mm512_mul_ps(s, z), r, r);
    __m512 c = _mm512_set1_ps(2.443315711809948e-5f);
    c = _mm512_fmadd_ps(c, z, _mm512_set1_ps(-1.388731625493765e-3f));
    c = _mm512_fmadd_ps(c, z, _mm512_set1_ps(4.166664568298827e-2f));
    c = _mm512_fmadd_ps(_mm512_mul_ps(c, z), z,
                        _mm512_fnmadd_ps(_mm512_set1_ps(0.5f), z, _mm512_set1_ps(1)));
    const __mmask16 odd = _mm512_test_epi32_mask(n, _mm512_set1_epi32(1));
    const __m512i two = _mm512_set1_epi32(2);
    const __m512i sine_sign = _mm512_slli_epi32(_mm512_and_si512(n, two), 30);
    const __m512i next = _mm512_add_epi32(n, _mm512_set1_epi32(1));
    const __m512i cosine_sign = _mm512_slli_epi32(_mm512_and_si512(next, two), 30);
    *sine = _mm512_xor_ps(_mm512_mask_blend_ps(odd, s, c), _mm512_castsi512_ps(sine_sign));
    *cosine = _mm512_xor_ps(_mm512_mask_blend_ps(odd, c, s), _mm512_castsi512_ps(cosine_sign));
}

#endif
