/* x [count]; Σ x[i]² in double. Limit: one read of x. Four vectors of four sums. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

double ck_sum_squares_avx2(const float* x, int64_t count) {
    __m256d sums[4];
    for (int j = 0; j < 4; j++) sums[j] = _mm256_setzero_pd();
    int64_t i = 0;
    for (; i + 16 <= count; i += 16) {
        for (int j = 0; j < 4; j++) {
            const __m256d v = _mm256_cvtps_pd(_mm_loadu_ps(x + i + 4 * j));
            sums[j] = _mm256_fmadd_pd(v, v, sums[j]);
        }
    }
    double lanes[4];
    _mm256_storeu_pd(
        lanes, _mm256_add_pd(_mm256_add_pd(sums[0], sums[1]), _mm256_add_pd(sums[2], sums[3])));
    double sum = lanes[0] + lanes[1] + lanes[2] + lanes[3];
    for (; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}

#pragma clang attribute pop
#endif
