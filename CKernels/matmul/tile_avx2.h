/* Included by the AVX2 variants inside their target region: dequantising loads and the f32
 * micro-kernel that both directions share. A block's 16 rows are two vectors of 8. */
#ifndef CK_MATMUL_TILE_AVX2_H
#define CK_MATMUL_TILE_AVX2_H

#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"

/* 8 numbers of `dtype`, from index `first`, as f32. */
static inline __m256 load8(const void* p, ck_dtype_t dtype, int32_t first) {
    if (dtype == CK_F32) return _mm256_loadu_ps((const float*)p + first);
    const __m128i half = _mm_loadu_si128((const __m128i*)((const uint16_t*)p + first));
    if (dtype == CK_F16) return _mm256_cvtph_ps(half);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

/* Where a tile's results go: 16 floats a token, masked where the matrix ends. */
typedef struct {
    float* y;
    int32_t stride, count; /* count: rows left, at most 16 */
    bool accumulate;
} tile_out_t;

static inline tile_out_t tile_out(const ck_matmul_args_t* a, int64_t block, int32_t outputs) {
    const int32_t left = outputs - (int32_t)block * 16;
    return (tile_out_t){a->y + block * 16, a->stride, left < 16 ? left : 16, a->accumulate};
}

static inline void tile_store(const tile_out_t* out, int32_t t, __m256 low, __m256 high) {
    float* y = out->y + (size_t)t * out->stride;
    if (out->count == 16) {
        if (out->accumulate) {
            low = _mm256_add_ps(low, _mm256_loadu_ps(y));
            high = _mm256_add_ps(high, _mm256_loadu_ps(y + 8));
        }
        _mm256_storeu_ps(y, low);
        _mm256_storeu_ps(y + 8, high);
        return;
    }
    float sums[16];
    _mm256_storeu_ps(sums, low);
    _mm256_storeu_ps(sums + 8, high);
    for (int32_t r = 0; r < out->count; r++) y[r] = out->accumulate ? y[r] + sums[r] : sums[r];
}

/* Columns first ..< first + count of one block as panel [count][16]; both are multiples of 8 where
 * the matrix is quantised. */
static inline void dequantise(const ck_matrix_t* w, const uint8_t* block, int32_t first,
                              int32_t count, float* panel) {
    const int32_t size = w->group_size, shift = w->bits == 4 ? 4 : 8;
    const size_t group_bytes = ck_group_bytes(w->bits, size, w->scale_dtype);
    const size_t value_bytes = ck_group_value_bytes(w->bits, size);
    const __m256i mask = _mm256_set1_epi32(w->bits == 4 ? 15 : 255);
    for (int32_t k = first; k < first + count;) {
        const uint8_t* group = block + k / size * group_bytes;
        const uint8_t* scales = group + value_bytes;
        const int32_t end =
            (k / size + 1) * size < first + count ? (k / size + 1) * size : first + count;
        for (int half = 0; half < 2; half++) {
            const __m256 scale = load8(scales, w->scale_dtype, 8 * half);
            const __m256 bias = load8(scales, w->scale_dtype, 16 + 8 * half);
            float* out = panel + 8 * half;
            for (int32_t j = k; j < end; j += 32 / shift) {
                const uint8_t* chunk = group + (size_t)(j % size) * 2 * shift + 32 * half;
                const __m256i v = _mm256_loadu_si256((const __m256i*)chunk);
                /* bits 4: nibbles 0, 2, 4, 6 of a lane are columns 0 to 3, then 1, 3, 5, 7 */
                for (int i = 0; i < 32 / shift; i++, out += 16) {
                    const int at = w->bits == 8 ? 8 * i : 8 * (i % 4) + 4 * (i / 4);
                    const __m256i q = _mm256_and_si256(_mm256_srli_epi32(v, at), mask);
                    _mm256_storeu_ps(out, _mm256_fmadd_ps(_mm256_cvtepi32_ps(q), scale, bias));
                }
            }
        }
        panel += 16 * (size_t)(end - k);
        k = end;
    }
}

/* y[t, r] = Σ_k x[k, t] * panel[k, r] for n tokens of a tile: x [count][width], panel [count][16].
 * 2n sums live in registers. n is a constant at every call. */
static inline __attribute__((always_inline)) void tile_f32(int n, int32_t width, const float* panel,
                                                           const float* x, int32_t count,
                                                           const tile_out_t* out, int32_t t) {
    __m256 low[6], high[6];
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) low[i] = high[i] = _mm256_setzero_ps();
    for (int32_t k = 0; k < count; k++) {
        const __m256 a = _mm256_loadu_ps(panel + 16 * (size_t)k);
        const __m256 b = _mm256_loadu_ps(panel + 16 * (size_t)k + 8);
#pragma clang loop unroll(full)
        for (int i = 0; i < n; i++) {
            const __m256 v = _mm256_broadcast_ss(x + (size_t)k * width + i);
            low[i] = _mm256_fmadd_ps(a, v, low[i]);
            high[i] = _mm256_fmadd_ps(b, v, high[i]);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < n; i++) tile_store(out, t + i, low[i], high[i]);
}

/* All tiles of a call against one panel: columns first ..< first + count of `cols`. */
static inline void tiles_f32(const ck_matmul_args_t* a, const float* panel, int32_t cols,
                             int32_t first, int32_t count, const tile_out_t* out) {
    for (int32_t t = 0; t < a->tokens;) {
        const int32_t width = ck_next_tile(a->tokens - t, CK_TILE_WIDE);
        const float* x = (const float*)a->x + (size_t)t * cols + (size_t)first * width;
        if (width == CK_TILE_WIDE) {
            for (int i = 0; i < CK_TILE_WIDE; i += 6) {
                tile_f32(6, width, panel, x + i, count, out, t + i);
            }
        } else if (width >= 4) {
            for (int i = 0; i < width; i += 4) {
                tile_f32(4, width, panel, x + i, count, out, t + i);
            }
        } else {
            tile_f32(1, 1, panel, x, count, out, t);
        }
        t += width;
    }
}

#endif
