/* scores[i] = Σ_j query[j] * vectors[i, j]; vectors [count, width].
 * Limit: memory bandwidth, one pass over the vectors. Two sums a row; tails masked. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

static inline float dot(const float* a, const float* b, int32_t width) {
    __m512 first = _mm512_setzero_ps(), second = _mm512_setzero_ps();
    int32_t j = 0;
    for (; j + 32 <= width; j += 32) {
        first = _mm512_fmadd_ps(_mm512_loadu_ps(a + j), _mm512_loadu_ps(b + j), first);
        second = _mm512_fmadd_ps(_mm512_loadu_ps(a + j + 16), _mm512_loadu_ps(b + j + 16), second);
    }
    for (; j < width; j += 16) {
        const int32_t left = width - j;
        const __mmask16 mask = (__mmask16)(left >= 16 ? 0xffff : (1 << left) - 1);
        first = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + j),
                                _mm512_maskz_loadu_ps(mask, b + j), first);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(first, second));
}

void ck_dot_rows_avx512(const float* vectors, const float* query, int64_t begin, int64_t end,
                        int32_t width, float* scores) {
    for (int64_t i = begin; i < end; i++) scores[i] = dot(vectors + i * width, query, width);
}

#pragma clang attribute pop
#endif
