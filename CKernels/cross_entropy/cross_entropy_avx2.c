/* logits, gradient [tokens, vocabulary]; targets, losses [tokens]; the formula is in
 * cross_entropy_scalar.c.
 * Limit: a row (200 KB to 500 KB) is read three times out of L2: for its maximum, for the
 * exponentials, which go to `gradient`, and to scale those. Sums are kept in f32 over 1024 numbers
 * and in double beyond. The last, incomplete vector of a row is padded with -Inf. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

enum { BLOCK = 1024 };

/* e^x for x <= 0, to 2 ulp: 2^n · e^r with |r| <= ln2/2 by its Taylor polynomial. Below -87, where
 * normal numbers of f32 end, 0; NaN stays NaN. */
__attribute__((always_inline)) static inline __m256 exponential(__m256 x) {
    const __m256 lowest = _mm256_set1_ps(-87.0f);
    const __m256 vanishes = _mm256_cmp_ps(x, lowest, _CMP_LT_OQ);
    x = _mm256_max_ps(lowest, x); /* the second operand, NaN, wins */
    const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)),
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.0f / 720);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 120));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 24));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 6));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
    const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    const __m256 power = _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23));
    return _mm256_andnot_ps(vanishes, _mm256_mul_ps(p, power));
}

__attribute__((always_inline)) static inline __m256 load(const float* row, int64_t left) {
    if (left >= 8) return _mm256_loadu_ps(row);
    float padded[8];
    for (int j = 0; j < 8; j++) padded[j] = j < left ? row[j] : -INFINITY;
    return _mm256_loadu_ps(padded);
}

__attribute__((always_inline)) static inline void store(float* out, int64_t left, __m256 value) {
    if (left >= 8) {
        _mm256_storeu_ps(out, value);
        return;
    }
    float lanes[8];
    _mm256_storeu_ps(lanes, value);
    for (int j = 0; j < left; j++) out[j] = lanes[j];
}

static float row_max(const float* row, int32_t count) {
    const __m256 lowest = _mm256_set1_ps(-INFINITY);
    __m256 max[2] = {lowest, lowest};
    for (int64_t v = 0; v < count; v += 16) {
        max[0] = _mm256_max_ps(load(row + v, count - v), max[0]);
        if (count - v > 8) max[1] = _mm256_max_ps(load(row + v + 8, count - v - 8), max[1]);
    }
    float lanes[8], result = -INFINITY;
    _mm256_storeu_ps(lanes, _mm256_max_ps(max[0], max[1]));
    for (int j = 0; j < 8; j++) result = lanes[j] > result ? lanes[j] : result;
    return result;
}

/* Σ e^(row - max); out: NULL, or receives the terms. */
static double row_exponentials(const float* row, int32_t count, float max, float* out) {
    const __m256 shift = _mm256_set1_ps(max);
    double sum = 0;
    for (int64_t begin = 0; begin < count; begin += BLOCK) {
        const int64_t end = begin + BLOCK < count ? begin + BLOCK : count;
        __m256 sums[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
        for (int64_t v = begin; v < end; v += 16) {
            for (int j = 0; j < 2; j++) {
                const int64_t at = v + 8 * j, left = end - at;
                if (left <= 0) break;
                const __m256 e = exponential(_mm256_sub_ps(load(row + at, left), shift));
                sums[j] = _mm256_add_ps(sums[j], e);
                if (out) store(out + at, left, e);
            }
        }
        float lanes[8];
        _mm256_storeu_ps(lanes, _mm256_add_ps(sums[0], sums[1]));
        for (int j = 0; j < 8; j++) sum += lanes[j];
    }
    return sum;
}

void ck_cross_entropy_avx2(const float* logits, const int32_t* targets, int64_t begin, int64_t end,
                           int32_t vocabulary, float row_scale, float* losses, float* gradient) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = logits + t * vocabulary;
        float* out = gradient ? gradient + t * vocabulary : NULL;
        const float target = row[targets[t]], max = row_max(row, vocabulary);
        const double sum = row_exponentials(row, vocabulary, max, out);
        losses[t] = (float)(max + log(sum) - target);
        if (!out) continue;
        const __m256 factor = _mm256_set1_ps((float)(row_scale / sum));
        for (int64_t v = 0; v < vocabulary; v += 8) {
            const int64_t left = vocabulary - v;
            store(out + v, left, _mm256_mul_ps(factor, load(out + v, left)));
        }
        out[targets[t]] -= row_scale;
    }
}

#pragma clang attribute pop
#endif
