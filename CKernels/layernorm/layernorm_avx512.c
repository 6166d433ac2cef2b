/* x, y [tokens, width]; w, b [width].
 * y[t, i] = (x[t, i] - mean) / sqrt(variance + eps) * w[i] + b[i], variance = mean((x - mean)²)
 * Limit: three reads and one write of a row that sits in L1. The mean is taken off before squaring,
 * so that a large mean costs no digits; the tail is masked. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

void ck_layernorm_avx512(const float* x, const float* w, const float* b, int64_t begin, int64_t end,
                         int32_t width, float eps, float* y) {
    const int32_t whole = width & ~15;
    const __mmask16 tail = (__mmask16)((1u << (width & 15)) - 1);
    for (int64_t t = begin; t < end; t++) {
        const float* row = x + t * width;
        float* out = y + t * width;
        const __m512 last = _mm512_maskz_loadu_ps(tail, row + whole);
        __m512 sum = last;
        for (int32_t i = 0; i < whole; i += 16) sum = _mm512_add_ps(sum, _mm512_loadu_ps(row + i));
        const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / (float)width);
        const __m512 off = _mm512_maskz_sub_ps(tail, last, mean);
        __m512 squares = _mm512_mul_ps(off, off);
        for (int32_t i = 0; i < whole; i += 16) {
            const __m512 d = _mm512_sub_ps(_mm512_loadu_ps(row + i), mean);
            squares = _mm512_fmadd_ps(d, d, squares);
        }
        const float r = 1 / sqrtf(_mm512_reduce_add_ps(squares) / (float)width + eps);
        const __m512 scale = _mm512_set1_ps(r);
        for (int32_t i = 0; i < whole; i += 16) {
            const __m512 d = _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(row + i), mean), scale);
            _mm512_storeu_ps(out + i,
                             _mm512_fmadd_ps(d, _mm512_loadu_ps(w + i), _mm512_loadu_ps(b + i)));
        }
        _mm512_mask_storeu_ps(
            out + whole, tail,
            _mm512_fmadd_ps(_mm512_mul_ps(off, scale), _mm512_maskz_loadu_ps(tail, w + whole),
                            _mm512_maskz_loadu_ps(tail, b + whole)));
    }
}

#pragma clang attribute pop
#endif
