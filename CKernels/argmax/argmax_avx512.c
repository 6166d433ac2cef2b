/* The index of the largest of x[begin ..< end], the first of equals; NaN never wins.
 * Limit: memory bandwidth, one pass. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "dispatch/dispatch.h"

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), \
                             apply_to = function)

/* Sixteen running maxima with their indices; a later equal never replaces an earlier one in its lane, and
 * the lanes are compared by value, then index. */
int64_t ck_argmax_avx512(const float* x, int64_t begin, int64_t end) {
    if (end - begin < 16 || end - begin > INT32_MAX) return ck_argmax_scalar(x, begin, end);
    const __m512i step = _mm512_set1_epi32(16);
    __m512i index = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i best_index = index;
    __m512 best = _mm512_set1_ps(-__builtin_inff());
    const float* p = x + begin;
    const int32_t count = (int32_t)(end - begin);
    for (int32_t i = 0; i < count; i += 16) {
        const __mmask16 mask = (__mmask16)(count - i >= 16 ? 0xffff : (1 << (count - i)) - 1);
        const __m512 v = _mm512_mask_loadu_ps(best, mask, p + i);
        const __mmask16 above = _mm512_cmp_ps_mask(v, best, _CMP_GT_OQ);
        best = _mm512_mask_mov_ps(best, above, v);
        best_index = _mm512_mask_mov_epi32(best_index, above, index);
        index = _mm512_add_epi32(index, step);
    }
    float values[16];
    int32_t indices[16];
    _mm512_storeu_ps(values, best);
    _mm512_storeu_si512(indices, best_index);
    int winner = 0;
    for (int lane = 1; lane < 16; lane++) {
        if (values[lane] > values[winner] ||
            (values[lane] == values[winner] && indices[lane] < indices[winner])) {
            winner = lane;
        }
    }
    if (values[winner] == -__builtin_inff()) return ck_argmax_scalar(x, begin, end);
    return begin + indices[winner];
}

#pragma clang attribute pop
#endif
