/* Included by AVX-512 variants inside their target region: e^x, and sixteen sums from sixteen vectors. */
#ifndef CK_MATH_VECTOR_AVX512_H
#define CK_MATH_VECTOR_AVX512_H

#include <immintrin.h>

/* e^x, relative error below 2e-7; x is clamped to -87 ... 88 (see ck_exp). */
static inline __m512 exp16(__m512 x) {
    x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-87)), _mm512_set1_ps(88));
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 0);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_fmadd_ps(p, _mm512_mul_ps(r, r), _mm512_add_ps(r, _mm512_set1_ps(1)));
    return _mm512_scalef_ps(p, n);
}

/* The tree of sums16 in two halves, for callers that make their vectors four at a time. Lane 4i + j of
 * quad_sums is the sum over quarter i of v[j]; lane 4i + j of lane_sums is the sum over the quarters of lane
 * j of v[i]. */
static inline __m512 quad_sums(const __m512 v[4]) {
    const __m512d a = _mm512_castps_pd(
        _mm512_add_ps(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1])));
    const __m512d b = _mm512_castps_pd(
        _mm512_add_ps(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3])));
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
                         _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
}

static inline __m512 lane_sums(const __m512 v[4]) {
    const __m512 a = _mm512_add_ps(_mm512_shuffle_f32x4(v[0], v[1], 0x88),
                                   _mm512_shuffle_f32x4(v[0], v[1], 0xdd));
    const __m512 b = _mm512_add_ps(_mm512_shuffle_f32x4(v[2], v[3], 0x88),
                                   _mm512_shuffle_f32x4(v[2], v[3], 0xdd));
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

/* Lane i of the result is the sum of the lanes of v[i]. */
static inline __m512 sums16(const __m512 v[16]) {
    const __m512 quads[4] = {quad_sums(v), quad_sums(v + 4), quad_sums(v + 8), quad_sums(v + 12)};
    return lane_sums(quads);
}

/* Transposes a 16 × 16 square in place. */
static inline void transpose16(__m512 v[16]) {
    __m512 t[16];
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]);
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 2; j++) {
            const __m512d a = _mm512_castps_pd(t[4 * i + j]),
                          b = _mm512_castps_pd(t[4 * i + 2 + j]);
            v[4 * i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
            v[4 * i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
        }
    }
    /* v[4i + c]: column c, 4 + c, 8 + c, 12 + c (one a lane) of rows 4i ..< 4i + 4 */
    for (int c = 0; c < 4; c++) {
        const __m512 a = _mm512_shuffle_f32x4(v[c], v[4 + c], 0x88);
        const __m512 b = _mm512_shuffle_f32x4(v[c], v[4 + c], 0xdd);
        const __m512 d = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0x88);
        const __m512 e = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0xdd);
        t[c] = _mm512_shuffle_f32x4(a, d, 0x88);
        t[8 + c] = _mm512_shuffle_f32x4(a, d, 0xdd);
        t[4 + c] = _mm512_shuffle_f32x4(b, e, 0x88);
        t[12 + c] = _mm512_shuffle_f32x4(b, e, 0xdd);
    }
    for (int i = 0; i < 16; i++) v[i] = t[i];
}

#endif
