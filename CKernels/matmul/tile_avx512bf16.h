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

/* y[t, r] = Σ_p x[p, t] · panel[p, r] over pairs p of bf16 for a tile of n tokens: x [pairs][n][2],
 * panel [pairs][16][2]. n is a constant at every call. */
static inline __attribute__((always_inline)) void tile_bf16(int n, const __m512i* panel,
                                                            const int32_t* x, int32_t pairs,
                                                            const tile_out_t* out, int32_t t) {
    __m512 sums[CK_TILE_WIDE];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) sums[i] = _mm512_setzero_ps();
    for (int32_t p = 0; p < pairs; p++) {
        const __m512bh w = (__m512bh)_mm512_load_si512(panel + p);
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            const __m512i v = _mm512_set1_epi32(x[(size_t)p * n + i]);
            sums[i] = _mm512_dpbf16_ps(sums[i], w, (__m512bh)v);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) tile_store(out, t + i, sums[i]);
}

/* All tiles of a call against one panel: pairs first ..< first + pairs of `total`. */
static inline void tiles_bf16(const ck_matmul_args_t* a, const __m512i* panel, int32_t total,
                              int32_t first, int32_t pairs, const tile_out_t* out) {
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE);
        const int32_t* x = (const int32_t*)a->x + (size_t)t * total + (size_t)first * width;
        switch (width) {
            case CK_TILE_WIDE:
                tile_bf16(CK_TILE_WIDE, panel, x, pairs, out, t);
                break;
            case 8:
                tile_bf16(8, panel, x, pairs, out, t);
                break;
            case 4:
                tile_bf16(4, panel, x, pairs, out, t);
                break;
            default:
                tile_bf16(1, panel, x, pairs, out, t);
        }
        t += width;
    }
}

#endif
