/* x [count]; Σ x[i]² in double. Limit: one read of x. Four vectors of eight sums. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

double ck_sum_squares_avx512(const float* x, int64_t count) {
    __m512d sums[4];
    for (int j = 0; j < 4; j++) sums[j] = _mm512_setzero_pd();
    for (int64_t i = 0; i < count; i += 32) {
        for (int j = 0; j < 4; j++) {
            const int64_t left = count - i - 8 * j;
            const __mmask8 mask = left >= 8 ? 0xff : left > 0 ? (__mmask8)((1u << left) - 1) : 0;
            const __m512d v = _mm512_cvtps_pd(_mm256_maskz_loadu_ps(mask, x + i + 8 * j));
            sums[j] = _mm512_fmadd_pd(v, v, sums[j]);
        }
    }
    return _mm512_reduce_add_pd(
        _mm512_add_pd(_mm512_add_pd(sums[0], sums[1]), _mm512_add_pd(sums[2], sums[3])));
}

#pragma clang attribute pop
#endif
