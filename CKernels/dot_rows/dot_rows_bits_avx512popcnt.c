/* Dot products with signs, as dot_rows_bits_loop.h explains: vpopcntq counts the bits of 8 rows at
 * once. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "selection/table.h"

#pragma clang attribute push(                                                               \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,fma,f16c"))), \
    apply_to = function)

/* Bits that 8 rows share with a word of a plane of the query, added to `sum`. */
static inline __m512i count_shared(__m512i sum, __m512i rows, const uint8_t* word) {
    int64_t bits;
    memcpy(&bits, word, sizeof bits);
    const __m512i shared = _mm512_and_si512(rows, _mm512_set1_epi64(bits));
    return _mm512_add_epi64(sum, _mm512_popcnt_epi64(shared));
}

void ck_dot_rows_bits_avx512popcnt(const uint8_t* rows, const float* scales, const uint8_t* query,
                                   float query_scale, int32_t query_sum, int64_t begin, int64_t end,
                                   int64_t count, int32_t words, float* scores) {
    for (int64_t group = begin; group < end; group++) {
        __m512i s0 = _mm512_setzero_si512(), s1 = s0, s2 = s0, s3 = s0;
        for (int32_t w = 0; w < words; w++) {
            const __m512i x = _mm512_loadu_si512(rows + (group * words + w) * 64);
            s0 = count_shared(s0, x, query + w * 8);
            s1 = count_shared(s1, x, query + (words + w) * 8);
            s2 = count_shared(s2, x, query + (2 * words + w) * 8);
            s3 = count_shared(s3, x, query + (3 * words + w) * 8);
        }
        const __m512i low = _mm512_add_epi64(s0, _mm512_slli_epi64(s1, 1));
        const __m512i high = _mm512_sub_epi64(_mm512_slli_epi64(s2, 2), _mm512_slli_epi64(s3, 3));
        const __m512i twice = _mm512_slli_epi64(_mm512_add_epi64(low, high), 1);
        const __m512i sum = _mm512_sub_epi64(twice, _mm512_set1_epi64(query_sum));
        const int64_t left = count - group * 8;
        const __mmask8 there = left < 8 ? (__mmask8)((1 << left) - 1) : 0xff;
        const __m256 scale = _mm256_mul_ps(_mm256_maskz_loadu_ps(there, scales + group * 8),
                                           _mm256_set1_ps(query_scale));
        _mm256_mask_storeu_ps(scores + group * 8, there,
                              _mm256_mul_ps(scale, _mm512_cvtepi64_ps(sum)));
    }
}

#pragma clang attribute pop
#endif
