/* Included by the AVX-512 BF16 variants after tile_avx512.h, inside their target region. */
#ifndef CK_MATMUL_TILE_AVX512BF16_H
#define CK_MATMUL_TILE_AVX512BF16_H

#include "matmul/tile_avx512.h"

/* Lane r: a[r] rounded to bf16 in the low half, b[r] in the high one. */
static inline __m512i bf16_pair(__m512 a, __m512 b) {
    static const uint16_t interleave[32] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                            21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                            11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return _mm512_permutexvar_epi16(_mm512_loadu_si512(interleave),
                                    (__m512i)_mm512_cvtne2ps_pbh(b, a));
}

/* y[t, r] = Σ_p x[p, t] · panel[p, r] over pairs p of bf16: x [pairs][width][2], panel [pairs][16][2]. */
#define CK_TILE_BF16(width)                                                                     \
    static inline void tile_bf16_##width(const __m512i* panel, const int32_t* x, int32_t pairs, \
                                         const tile_out_t* out) {                               \
        __m512 sums[width];                                                                     \
        _Pragma("clang loop unroll(full)") for (int t = 0; t < width; t++) sums[t] =            \
            _mm512_setzero_ps();                                                                \
        for (int32_t p = 0; p < pairs; p++) {                                                   \
            const __m512bh w = (__m512bh)_mm512_load_si512(panel + p);                          \
            _Pragma("clang loop unroll(full)") for (int t = 0; t < width; t++) sums[t] =        \
                _mm512_dpbf16_ps(sums[t], w,                                                    \
                                 (__m512bh)_mm512_set1_epi32(x[(size_t)p * width + t]));        \
        }                                                                                       \
        _Pragma("clang loop unroll(full)") for (int t = 0; t < width; t++)                      \
            tile_store(out, t, sums[t]);                                                        \
    }
CK_TILE_BF16(24)
CK_TILE_BF16(8)
CK_TILE_BF16(4)
CK_TILE_BF16(1)

/* All tiles of a call against one panel: pairs first ..< first + pairs of `total`. */
static inline void tiles_bf16(const ck_matmul_args_t* a, const __m512i* panel, int32_t total,
                              int32_t first, int32_t pairs, tile_out_t out) {
    const int32_t* x = a->x;
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE);
        const int32_t* tile = x + (size_t)t * total + (size_t)first * width;
        tile_out_t here = out;
        here.y += (size_t)t * out.stride;
        switch (width) {
            case 24:
                tile_bf16_24(panel, tile, pairs, &here);
                break;
            case 8:
                tile_bf16_8(panel, tile, pairs, &here);
                break;
            case 4:
                tile_bf16_4(panel, tile, pairs, &here);
                break;
            default:
                tile_bf16_1(panel, tile, pairs, &here);
        }
        t += width;
    }
}

#endif
