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

static inline void tile_store(const tile_out_t* out, int32_t t, __m512 value) {
    float* y = out->y + (size_t)t * out->stride;
    if (out->accumulate) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(out->mask, y));
    _mm512_mask_storeu_ps(y, out->mask, value);
}

/* y[t, r] = Σ_k x[k, t] * panel[k, r]: x [count][width], panel [count][16]. Width sums live in
 * registers; each step loads one panel row and broadcasts `width` activations from memory. */
#define CK_TILE_F32(width)                                                                 \
    static inline void tile_f32_##width(const float* panel, const float* x, int32_t count, \
                                        const tile_out_t* out) {                           \
        __m512 sums[width];                                                                \
        _Pragma("clang loop unroll(full)") for (int t = 0; t < width; t++) sums[t] =       \
            _mm512_setzero_ps();                                                           \
        for (int32_t k = 0; k < count; k++) {                                              \
            const __m512 w = _mm512_load_ps(panel + 16 * (size_t)k);                       \
            _Pragma("clang loop unroll(full)") for (int t = 0; t < width; t++) sums[t] =   \
                _mm512_fmadd_ps(w, _mm512_set1_ps(x[(size_t)k * width + t]), sums[t]);     \
        }                                                                                  \
        _Pragma("clang loop unroll(full)") for (int t = 0; t < width; t++)                 \
            tile_store(out, t, sums[t]);                                                   \
    }
CK_TILE_F32(24)
CK_TILE_F32(8)
CK_TILE_F32(4)

/* One token: four sums side by side, since a single chain of FMAs would wait for itself. */
static inline void tile_f32_1(const float* panel, const float* x, int32_t count,
                              const tile_out_t* out) {
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
    tile_store(out, 0,
               _mm512_add_ps(_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])));
}

/* All tiles of a call against one panel: columns first ..< first + count of `cols`. */
static inline void tiles_f32(const ck_matmul_args_t* a, const float* panel, int32_t cols,
                             int32_t first, int32_t count, tile_out_t out) {
    const float* x = a->x;
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE);
        const float* tile = x + (size_t)t * cols + (size_t)first * width;
        tile_out_t here = out;
        here.y += (size_t)t * out.stride;
        switch (width) {
            case 24:
                tile_f32_24(panel, tile, count, &here);
                break;
            case 8:
                tile_f32_8(panel, tile, count, &here);
                break;
            case 4:
                tile_f32_4(panel, tile, count, &here);
                break;
            default:
                tile_f32_1(panel, tile, count, &here);
        }
        t += width;
    }
}

#endif
