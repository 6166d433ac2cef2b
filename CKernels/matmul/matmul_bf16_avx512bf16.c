/* y[t, o] = Σ_k bf16(x[t, k]) * bf16(w[o, k]), summed in f32.
 * x tiled [tile][cols/2][width][2] bf16; w packed 16 rows a block; y [tokens, stride].
 * Limit: vdpbf16ps throughput, twice that of FMA. A block is dequantised to pairs of columns
 * [cols/2][16][2] once, in L2, and 24 tokens share each load. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "matmul/matmul.h"
#include "pack/pack.h"
#include "selection/table.h"

#pragma clang attribute push(                                                          \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,f16c"))), \
    apply_to = function)

#include "matmul/tile_avx512bf16.h"

/* Groups first ..< first + count of a block as pairs of columns. */
static void dequantise(const ck_matrix_t* w, const uint8_t* block, int32_t first, int32_t count,
                       __m512i* panel) {
    const size_t group_bytes = ck_group_bytes(w->bits, w->group_size, w->scale_dtype);
    const size_t value_bytes = ck_group_value_bytes(w->bits, w->group_size);
    for (int32_t g = first; g < first + count; g++) {
        const uint8_t* group = block + g * group_bytes;
        const uint8_t* scales = group + value_bytes;
        const __m512 scale = load16(scales, w->scale_dtype);
        const __m512 bias = load16(scales + 16 * ck_dtype_bytes(w->scale_dtype), w->scale_dtype);
        for (size_t at = 0; at < value_bytes; at += 64) {
            const __m512i v = _mm512_loadu_si512(group + at);
            const int32_t mask = w->bits == 8 ? 255 : 15;
            for (int nibble = 0; nibble < (w->bits == 8 ? 1 : 2); nibble++) {
                for (int j = 0; j < 4; j += 2) {
                    const __m512 a = lane_byte(v, 8 * j + 4 * nibble, mask);
                    const __m512 b = lane_byte(v, 8 * j + 8 + 4 * nibble, mask);
                    *panel++ =
                        bf16_pair(_mm512_fmadd_ps(a, scale, bias), _mm512_fmadd_ps(b, scale, bias));
                }
            }
        }
    }
}

/* Columns first ..< first + count of a dense block as pairs; an odd last column is paired with
 * zeros. */
static void pair_dense(const float* block, int32_t first, int32_t count, __m512i* panel) {
    for (int32_t k = first; k < first + count; k += 2) {
        const __m512 b = k + 1 < first + count ? _mm512_load_ps(block + 16 * (size_t)(k + 1))
                                               : _mm512_setzero_ps();
        *panel++ = bf16_pair(_mm512_load_ps(block + 16 * (size_t)k), b);
    }
}

void ck_matmul_bf16_avx512bf16(const ck_matmul_args_t* a, int64_t begin, int64_t end,
                               void* scratch) {
    const ck_matrix_t* w = a->w;
    const size_t block_bytes = ck_block_bytes(w);
    for (int64_t b = begin; b < end; b++) {
        const uint8_t* block = (const uint8_t*)w->data + b * block_bytes;
        tile_out_t out = tile_out(a, b, w->rows);
        for (int32_t k = 0; k < w->cols; k += CK_PANEL_COLS) {
            const int32_t count = w->cols - k < CK_PANEL_COLS ? w->cols - k : CK_PANEL_COLS;
            if (w->bits == 32) {
                pair_dense((const float*)block, k, count, scratch);
            } else {
                dequantise(w, block, k / w->group_size, count / w->group_size, scratch);
            }
            tiles_bf16(a, scratch, (w->cols + 1) / 2, k / 2, (count + 1) / 2, &out);
            out.accumulate = true;
        }
    }
}

#pragma clang attribute pop
#endif
