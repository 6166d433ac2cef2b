/* Included by the AVX-512 variants inside their target region: the micro-kernels that f32 and bf16
 * products of both directions share, and dequantising loads. */
#ifndef CK_MATMUL_TILE_AVX512_H
#define CK_MATMUL_TILE_AVX512_H

#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"

/* 16 numbers of `dtype` as f32. */
static inline __m512 load16(const void* p, ck_dtype_t dtype) {
    if (dtype == CK_F32) return _mm512_loadu_ps(p);
    const __m256i half = _mm256_loadu_si256(p);
    if (dtype == CK_F16) return _mm512_cvtph_ps(half);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

/* The j-th byte (or nibble) of each 32-bit lane as f32: column j of 16 rows. */
static inline __m512 lane_byte(__m512i v, int shift, int32_t mask) {
    return _mm512_cvtepi32_ps(
        _mm512_and_si512(_mm512_srli_epi32(v, (unsigned)shift), _mm512_set1_epi32(mask)));
}

/* Where a tile's results go: 16 floats a token, masked where the matrix ends. */
typedef struct {
    float* y;
    int32_t stride;
    __mmask16 mask;
    bool accumulate;
} tile_out_t;

static inline tile_out_t tile_out(const ck_matmul_args_t* a, int64_t block, int32_t outputs) {
    const int32_t left = outputs - (int32_t)block * 16;
    return (tile_out_t){a->y + block * 16, a->stride,
                        (__mmask16)(left >= 16 ? 0xffff : (1 << left) - 1), a->accumulate};
}

static inline void tile_store(const tile_out_t* out, int32_t t, __m512 value) {
    float* y = out->y + (size_t)t * out->stride;
    if (out->accumulate) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(out->mask, y));
    _mm512_mask_storeu_ps(y, out->mask, value);
}

/* y[t, r] = Σ_k x[k, t] * panel[k, r] for a tile of n tokens: x [count][n], panel [count][16]. n
 * sums live in registers; each step loads one panel row and broadcasts n activations from memory. n
 * is a constant at every call. */
static inline __attribute__((always_inline)) void tile_f32(int n, const float* panel,
                                                           const float* x, int32_t count,
                                                           const tile_out_t* out, int32_t t) {
    __m512 sums[CK_TILE_WIDE];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) sums[i] = _mm512_setzero_ps();
    for (int32_t k = 0; k < count; k++) {
        const __m512 w = _mm512_load_ps(panel + 16 * (size_t)k);
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            sums[i] = _mm512_fmadd_ps(w, _mm512_set1_ps(x[(size_t)k * n + i]), sums[i]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) tile_store(out, t + i, sums[i]);
}

/* One token: four sums side by side, since a single chain of FMAs would wait for itself. */
static inline void token_f32(const float* panel, const float* x, int32_t count,
                             const tile_out_t* out, int32_t t) {
    __m512 sums[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                      _mm512_setzero_ps()};
    int32_t k = 0;
    for (; k + 4 <= count; k += 4) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
            sums[i] = _mm512_fmadd_ps(_mm512_load_ps(panel + 16 * (size_t)(k + i)),
                                      _mm512_set1_ps(x[k + i]), sums[i]);
        }
    }
    for (; k < count; k++) {
        sums[0] =
            _mm512_fmadd_ps(_mm512_load_ps(panel + 16 * (size_t)k), _mm512_set1_ps(x[k]), sums[0]);
    }
    tile_store(out, t,
               _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

/* All tiles of a call against one panel: columns first ..< first + count of `cols`. */
static inline void tiles_f32(const ck_matmul_args_t* a, const float* panel, int32_t cols,
                             int32_t first, int32_t count, const tile_out_t* out) {
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE);
        const float* x = (const float*)a->x + (size_t)t * cols + (size_t)first * width;
        switch (width) {
            case CK_TILE_WIDE:
                tile_f32(CK_TILE_WIDE, panel, x, count, out, t);
                break;
            case 8:
                tile_f32(8, panel, x, count, out, t);
                break;
            case 4:
                tile_f32(4, panel, x, count, out, t);
                break;
            default:
                token_f32(panel, x, count, out, t);
        }
        t += width;
    }
}

#endif
