/* x, dy, dx [tokens, width]; w [width]; rstd [tokens].
 * dx[t, i] += rstd * w[i] * dy[t, i] - rstd³/width * x[t, i] * Σ_j w[j] * dy[t, j] * x[t, j]
 * Limit: two passes over rows that sit in L1; the tail is masked. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

void ck_rmsnorm_backward_x_avx512(const float* x, const float* w, const float* rstd,
                                  const float* dy, int64_t begin, int64_t end, int32_t width,
                                  float* dx) {
    for (int64_t t = begin; t < end; t++) {
        const float *row = x + t * width, *gradient = dy + t * width;
        float* out = dx + t * width;
        __m512 sum = _mm512_setzero_ps();
        for (int32_t i = 0; i < width; i += 16) {
            const __mmask16 mask = (__mmask16)(width - i >= 16 ? 0xffff : (1 << (width - i)) - 1);
            const __m512 g = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, w + i),
                                           _mm512_maskz_loadu_ps(mask, gradient + i));
            sum = _mm512_fmadd_ps(g, _mm512_maskz_loadu_ps(mask, row + i), sum);
        }
        const float r = rstd[t];
        const __m512 scale = _mm512_set1_ps(r);
        const __m512 along = _mm512_set1_ps(r * r * r * (_mm512_reduce_add_ps(sum) / (float)width));
        for (int32_t i = 0; i < width; i += 16) {
            const __mmask16 mask = (__mmask16)(width - i >= 16 ? 0xffff : (1 << (width - i)) - 1);
            const __m512 g = _mm512_mul_ps(_mm512_maskz_loadu_ps(mask, w + i),
                                           _mm512_maskz_loadu_ps(mask, gradient + i));
            __m512 d = _mm512_fmadd_ps(scale, g, _mm512_maskz_loadu_ps(mask, out + i));
            d = _mm512_fnmadd_ps(along, _mm512_maskz_loadu_ps(mask, row + i), d);
            _mm512_mask_storeu_ps(out + i, mask, d);
        }
    }
}

#pragma clang attribute pop
#endif
