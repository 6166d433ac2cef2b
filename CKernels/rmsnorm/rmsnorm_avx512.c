/* x, y [tokens, width]; w [width]; rstd [tokens] or NULL.
 * y[t, i] = x[t, i] * w[i] / sqrt(mean_i(x[t, :]²) + eps)
 * Limit: two reads and one write of a row that sits in L1. Sixteen partial sums of squares, then
 * one pass to scale; the tail is masked. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

void ck_rmsnorm_avx512(const float* x, const float* w, int64_t begin, int64_t end, int32_t width,
                       float eps, float* y, float* rstd) {
    const int32_t whole = width & ~15;
    const __mmask16 tail = (__mmask16)((1u << (width & 15)) - 1);
    for (int64_t t = begin; t < end; t++) {
        const float* row = x + t * width;
        float* out = y + t * width;
        __m512 squares = _mm512_setzero_ps();
        for (int32_t i = 0; i < whole; i += 16) {
            const __m512 v = _mm512_loadu_ps(row + i);
            squares = _mm512_fmadd_ps(v, v, squares);
        }
        const __m512 last = _mm512_maskz_loadu_ps(tail, row + whole);
        squares = _mm512_fmadd_ps(last, last, squares);
        const float r = 1 / sqrtf(_mm512_reduce_add_ps(squares) / (float)width + eps);
        const __m512 scale = _mm512_set1_ps(r);
        for (int32_t i = 0; i < whole; i += 16) {
            const __m512 v = _mm512_mul_ps(_mm512_loadu_ps(row + i), scale);
            _mm512_storeu_ps(out + i, _mm512_mul_ps(v, _mm512_loadu_ps(w + i)));
        }
        const __m512 v = _mm512_mul_ps(last, scale);
        _mm512_mask_storeu_ps(out + whole, tail,
                              _mm512_mul_ps(v, _mm512_maskz_loadu_ps(tail, w + whole)));
        if (rstd) rstd[t] = r;
    }
}

#pragma clang attribute pop
#endif
