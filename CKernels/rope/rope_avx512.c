/* x [tokens, heads, head_dim], in place; positions [tokens]; frequencies [head_dim/2].
 * a = positions[t] * frequencies[i], negated where inverse; u = x[i], v = x[i + head_dim/2]:
 * x[i] = u cos a - v sin a;  x[i + head_dim/2] = v cos a + u sin a
 * Limit: one read and one write of x; sixteen sines and cosines serve every head of a token. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "selection/table.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

#include "math/sincos_avx512.h"

void ck_rope_avx512(float* x, const int32_t* positions, const float* frequencies, int64_t begin,
                    int64_t end, int32_t heads, int32_t head_dim, bool inverse) {
    const int32_t half = head_dim / 2;
    for (int64_t t = begin; t < end; t++) {
        const __m512 position = _mm512_set1_ps((float)positions[t]);
        for (int32_t i = 0; i < half; i += 16) {
            const __mmask16 mask = (__mmask16)(half - i >= 16 ? 0xffff : (1 << (half - i)) - 1);
            __m512 s, c;
            sincos16(_mm512_mul_ps(position, _mm512_maskz_loadu_ps(mask, frequencies + i)), &s, &c);
            if (inverse) s = _mm512_sub_ps(_mm512_setzero_ps(), s);
            for (int32_t h = 0; h < heads; h++) {
                float* pair = x + (t * heads + h) * head_dim + i;
                const __m512 u = _mm512_maskz_loadu_ps(mask, pair);
                const __m512 v = _mm512_maskz_loadu_ps(mask, pair + half);
                _mm512_mask_storeu_ps(pair, mask, _mm512_fmsub_ps(u, c, _mm512_mul_ps(v, s)));
                _mm512_mask_storeu_ps(pair + half, mask,
                                      _mm512_fmadd_ps(v, c, _mm512_mul_ps(u, s)));
            }
        }
    }
}

#pragma clang attribute pop
#endif
