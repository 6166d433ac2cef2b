/* gradient, parameter, m, v [count]; the formula is in adam.h.
 * Limit: memory, four reads and three writes per element. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

void ck_adam_avx2(const ck_adam_terms_t* terms, const float* gradient, int64_t begin, int64_t end,
                  float* parameter, float* m, float* v) {
    const __m256 scale = _mm256_set1_ps(terms->gradient_scale);
    const __m256 beta1 = _mm256_set1_ps(terms->beta1), rest1 = _mm256_set1_ps(terms->rest1);
    const __m256 beta2 = _mm256_set1_ps(terms->beta2), rest2 = _mm256_set1_ps(terms->rest2);
    const __m256 keep = _mm256_set1_ps(terms->keep), rate = _mm256_set1_ps(terms->rate);
    const __m256 unbias2 = _mm256_set1_ps(terms->unbias2);
    const __m256 epsilon = _mm256_set1_ps(terms->epsilon);
    int64_t i = begin;
    for (; i + 8 <= end; i += 8) {
        const __m256 g = _mm256_mul_ps(scale, _mm256_loadu_ps(gradient + i));
        const __m256 first =
            _mm256_fmadd_ps(beta1, _mm256_loadu_ps(m + i), _mm256_mul_ps(rest1, g));
        const __m256 second = _mm256_fmadd_ps(beta2, _mm256_loadu_ps(v + i),
                                              _mm256_mul_ps(_mm256_mul_ps(rest2, g), g));
        const __m256 root = _mm256_sqrt_ps(_mm256_mul_ps(unbias2, second));
        const __m256 step = _mm256_div_ps(_mm256_mul_ps(rate, first), _mm256_add_ps(root, epsilon));
        _mm256_storeu_ps(m + i, first);
        _mm256_storeu_ps(v + i, second);
        _mm256_storeu_ps(parameter + i,
                         _mm256_fmsub_ps(keep, _mm256_loadu_ps(parameter + i), step));
    }
    /* The same roundings as above, so that a range's end does not change an element's result. */
    for (; i < end; i++) {
        const float g = terms->gradient_scale * gradient[i];
        m[i] = __builtin_fmaf(terms->beta1, m[i], terms->rest1 * g);
        v[i] = __builtin_fmaf(terms->beta2, v[i], terms->rest2 * g * g);
        const float step = terms->rate * m[i] / (sqrtf(terms->unbias2 * v[i]) + terms->epsilon);
        parameter[i] = __builtin_fmaf(terms->keep, parameter[i], -step);
    }
}

#pragma clang attribute pop
#endif
