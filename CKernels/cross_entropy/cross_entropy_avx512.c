/* logits, gradient [tokens, vocabulary]; targets, losses [tokens]; the formula is in
 * cross_entropy_scalar.c.
 * Limit: a row (200 KB to 500 KB) is read three times out of L2: for its maximum, for the
 * exponentials, which go to `gradient`, and to scale those. Sums are kept in f32 over 1024 numbers
 * and in double beyond. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

enum { BLOCK = 1024 };

/* e^x for x <= 0, to 2 ulp: 2^n · e^r with |r| <= ln2/2 by its Taylor polynomial. Below -104, where
 * f32 ends, 0; NaN stays NaN. */
__attribute__((always_inline)) static inline __m512 exponential(__m512 x) {
    x = _mm512_max_ps(_mm512_set1_ps(-104.0f), x); /* the second operand, NaN, wins */
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 8);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.0f / 720);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    return _mm512_scalef_ps(p, n);
}

static __mmask16 mask_of(int64_t left) {
    return left >= 16 ? (__mmask16)0xffff : (__mmask16)((1u << left) - 1);
}

static float row_max(const float* row, int32_t count) {
    const __m512 lowest = _mm512_set1_ps(-INFINITY);
    __m512 max[4] = {lowest, lowest, lowest, lowest};
    int64_t v = 0;
    for (; v + 64 <= count; v += 64) {
        for (int j = 0; j < 4; j++)
            max[j] = _mm512_max_ps(_mm512_loadu_ps(row + v + 16 * j), max[j]);
    }
    for (; v < count; v += 16) {
        const __mmask16 mask = mask_of(count - v);
        max[0] = _mm512_mask_max_ps(max[0], mask, _mm512_maskz_loadu_ps(mask, row + v), max[0]);
    }
    return _mm512_reduce_max_ps(
        _mm512_max_ps(_mm512_max_ps(max[0], max[1]), _mm512_max_ps(max[2], max[3])));
}

/* Σ e^(row - max); out: NULL, or receives the terms. */
static double row_exponentials(const float* row, int32_t count, float max, float* out) {
    const __m512 shift = _mm512_set1_ps(max);
    double sum = 0;
    for (int64_t begin = 0; begin < count; begin += BLOCK) {
        const int64_t end = begin + BLOCK < count ? begin + BLOCK : count;
        __m512 first = _mm512_setzero_ps(), second = _mm512_setzero_ps();
        for (int64_t v = begin; v < end; v += 32) {
            const __mmask16 low = mask_of(end - v), high = end - v > 16 ? mask_of(end - v - 16) : 0;
            const __m512 a = _mm512_maskz_loadu_ps(low, row + v);
            const __m512 b = _mm512_maskz_loadu_ps(high, row + v + 16);
            const __m512 e = exponential(_mm512_sub_ps(a, shift));
            const __m512 f = exponential(_mm512_sub_ps(b, shift));
            first = _mm512_mask_add_ps(first, low, first, e);
            second = _mm512_mask_add_ps(second, high, second, f);
            if (!out) continue;
            _mm512_mask_storeu_ps(out + v, low, e);
            _mm512_mask_storeu_ps(out + v + 16, high, f);
        }
        sum += _mm512_reduce_add_ps(_mm512_add_ps(first, second));
    }
    return sum;
}

void ck_cross_entropy_avx512(const float* logits, const int32_t* targets, int64_t begin,
                             int64_t end, int32_t vocabulary, float row_scale, float* losses,
                             float* gradient) {
    for (int64_t t = begin; t < end; t++) {
        const float* row = logits + t * vocabulary;
        float* out = gradient ? gradient + t * vocabulary : NULL;
        const float target = row[targets[t]], max = row_max(row, vocabulary);
        const double sum = row_exponentials(row, vocabulary, max, out);
        losses[t] = (float)(max + log(sum) - target);
        if (!out) continue;
        const __m512 factor = _mm512_set1_ps((float)(row_scale / sum));
        for (int64_t v = 0; v < vocabulary; v += 16) {
            const __mmask16 mask = mask_of(vocabulary - v);
            const __m512 e = _mm512_maskz_loadu_ps(mask, out + v);
            _mm512_mask_storeu_ps(out + v, mask, _mm512_mul_ps(factor, e));
        }
        out[targets[t]] -= row_scale;
    }
}

#pragma clang attribute pop
#endif
