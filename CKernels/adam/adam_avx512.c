/* gradient, parameter, m, v [count]; the formula is in adam.h.
 * Limit: memory, four reads and three writes per element. The tail is masked, so that an element's
 * result does not depend on where a range ends. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

void ck_adam_avx512(const ck_adam_terms_t* terms, const float* gradient, int64_t begin, int64_t end,
                    float* parameter, float* m, float* v) {
    const __m512 scale = _mm512_set1_ps(terms->gradient_scale);
    const __m512 beta1 = _mm512_set1_ps(terms->beta1), rest1 = _mm512_set1_ps(terms->rest1);
    const __m512 beta2 = _mm512_set1_ps(terms->beta2), rest2 = _mm512_set1_ps(terms->rest2);
    const __m512 keep = _mm512_set1_ps(terms->keep), rate = _mm512_set1_ps(terms->rate);
    const __m512 unbias2 = _mm512_set1_ps(terms->unbias2);
    const __m512 epsilon = _mm512_set1_ps(terms->epsilon);
    for (int64_t i = begin; i < end; i += 16) {
        const int64_t left = end - i;
        const __mmask16 mask = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1);
        const __m512 g = _mm512_mul_ps(scale, _mm512_maskz_loadu_ps(mask, gradient + i));
        const __m512 first =
            _mm512_fmadd_ps(beta1, _mm512_maskz_loadu_ps(mask, m + i), _mm512_mul_ps(rest1, g));
        const __m512 second = _mm512_fmadd_ps(beta2, _mm512_maskz_loadu_ps(mask, v + i),
                                              _mm512_mul_ps(_mm512_mul_ps(rest2, g), g));
        const __m512 root = _mm512_sqrt_ps(_mm512_mul_ps(unbias2, second));
        const __m512 step = _mm512_div_ps(_mm512_mul_ps(rate, first), _mm512_add_ps(root, epsilon));
        const __m512 old = _mm512_maskz_loadu_ps(mask, parameter + i);
        _mm512_mask_storeu_ps(m + i, mask, first);
        _mm512_mask_storeu_ps(v + i, mask, second);
        _mm512_mask_storeu_ps(parameter + i, mask, _mm512_fmsub_ps(keep, old, step));
    }
}

#pragma clang attribute pop
#endif
